/* SPDX-License-Identifier: Apache-2.0
 *
 * Hostile lines, maps and second witnesses. The first byte says what the rest is: shown and quoted line (split at the first NUL), a source
 * whose map is made of the bytes themselves, word/document.xml, or what pdftotext -bbox printed. A line always proves itself. */
#include "base/alloc.h"
#include "base/utf8.h"
#include "verify/map.h"

#include <stdio.h>

static void lines(struct takc_str s)
{
    char why[256];
    size_t cut = takc_str_find_byte(s, '\0', 0);
    struct takc_str shown = takc_str_slice(s, 0, cut == SIZE_MAX ? s.len : cut);
    struct takc_str quote = cut == SIZE_MAX ? shown : takc_str_slice(s, cut + 1, s.len);
    (void)takc_verify_line(shown, quote, why);
    if (!takc_verify_line(shown, shown, why) && shown.len < 4096)
        TAKC_BUG("a line does not prove itself: %s", why);
}

/* Runs from the bytes: each four make one; text is the source repaired. */
static void map(struct takc_str s, const char *reader)
{
    static const char *const charsets[] = {"UTF-8", "windows-1252", "UTF-16LE", "Shift_JIS", "none"};
    struct takc_map_run runs[16];
    struct takc_block blocks[2];
    struct takc_doc d = {.runs = runs, .blocks = blocks, .has_map = true};
    struct takc_proof proof = {0};
    size_t replaced;
    if (s.len < 2)
        return;
    (void)snprintf(d.reader, sizeof(d.reader), "%s", reader);
    (void)snprintf(d.charset, sizeof(d.charset), "%s", charsets[(unsigned char)s.ptr[0] % 5]);
    s = takc_str_slice(s, 1, s.len);
    takc_buf_init(&d.text, 1 << 24);
    takc_buf_init(&d.strings, 1 << 10);
    if (takc_utf8_repair(&d.text, s, &replaced, NULL) || takc_buf_add(&d.strings, takc_str_n("/a\0/0/b", 8), NULL))
        return;
    for (size_t i = 0; i + 4 <= s.len && d.n_runs < 16; i += 4) {
        const unsigned char *p = (const unsigned char *)s.ptr + i;
        runs[d.n_runs++] = (struct takc_map_run){p[0], p[1], p[2], p[3], 1 + (p[0] & 1)};
    }
    for (unsigned i = 0; i < 2 && d.text.len > 1; i++)
        blocks[d.n_blocks++] = (struct takc_block){.start = i, .end = (uint32_t)d.text.len, .kind = TAKC_BLOCK_PARA, .pointer = 1 + 3 * i};
    if (takc_verify_map(NULL, s, &d, takc_str("fuzz"), &proof, NULL, NULL, NULL) == TAKC_OK &&
        proof.failed[TAKC_LEVEL_M] > proof.checked[TAKC_LEVEL_M])
        TAKC_BUG("more failed than were checked");
    takc_buf_clear(&d.text);
    takc_buf_clear(&d.strings);
}

typedef enum takc_status witness_fn(struct takc_map_job *, struct takc_str);

static void witness(struct takc_str s, witness_fn *fn)
{
    struct takc_block blocks[2] = {{.start = 0, .end = 4, .kind = TAKC_BLOCK_PARA, .page = 1, .para = 1},
                                   {.start = 5, .end = 8, .kind = TAKC_BLOCK_ROW, .page = 2, .para = 2}};
    struct takc_doc d = {.blocks = blocks, .n_blocks = 2, .text = {(char *)"cost a|b", 8, 9, 9}};
    struct takc_proof proof = {0};
    struct takc_err err;
    struct takc_map_job m = {.doc = &d, .subject = "fuzz", .report = {&proof, NULL, NULL}, .err = &err};
    takc_buf_init(&m.out, 1 << 24);
    (void)!fn(&m, s);
    takc_buf_clear(&m.out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const readers[] = {"text", "markdown", "html", "csv", "json"};
    struct takc_str s = takc_str_n((const char *)data, size);
    if (size < 1)
        return 0;
    unsigned what = data[0] % 8;
    s = takc_str_slice(s, 1, s.len);
    if (what == 0)
        lines(s);
    else if (what <= 5)
        map(s, readers[what - 1]);
    else
        witness(s, what == 6 ? takc_map_docx_xml : takc_map_pdf_words);
    return 0;
}
