/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_units FILE... - cuts texts into units and prints MB/s of building, of saving and of loading, and what a unit takes.
 * bench_units --dump FILE - the units of a text by the line rules, one a line: kind, flags, counts, the line as shown.
 * "-" is standard input. Structure comes from the line rules of plain text and is not timed. */
#include "unit/units.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "doc/lines.h"

#include <stdio.h>

static enum takc_status read_text(const char *path, struct takc_doc *d, struct takc_err *err)
{
    struct takc_buf bytes;
    takc_buf_init(&bytes, TAKC_BUF_MAX_DOCUMENT);
    enum takc_status st = takc_file_read(strcmp(path, "-") == 0 ? "/dev/stdin" : path, &bytes, err);
    if (!st)
        st = takc_doc_verbatim(d, takc_buf_str(&bytes), 0, err);
    takc_buf_clear(&bytes);
    struct takc_lines_options o = {.first_line = 1};
    return st ? st : takc_lines_structure(d, &o, NULL, err);
}

static enum takc_status dump(const struct takc_units *u, struct takc_str text, struct takc_err *err)
{
    static const char *const kinds[] = {"?", "sentence", "item", "row", "code", "heading"};
    struct takc_buf raw, shown;
    enum takc_status st = TAKC_OK;
    takc_buf_init(&raw, TAKC_BUF_MAX_DOCUMENT);
    takc_buf_init(&shown, TAKC_BUF_MAX_DOCUMENT);
    for (uint32_t i = 0; !st && i < u->n_units; i++) {
        const struct takc_unit *k = &u->units[i];
        takc_buf_reset(&raw);
        takc_buf_reset(&shown);
        st = takc_unit_show(u, i, text, 0, &raw, err);
        if (!st)
            st = takc_unit_show(u, i, text, 1, &shown, err);
        if (st)
            break;
        (void)printf("%s\t%u\t%u\t%u\t%u\t%u,%u,%u,%u,%u,%u,%u\t%u,%u,%u,%u\t%u\t%u\t%.*s\t%.*s\n", kinds[k->kind], k->flags, k->heading,
                     k->n_tokens, k->n_terms, k->nums, k->caps, k->acronyms, k->years, k->dates, k->money, k->extremes, k->why, k->decides,
                     k->obliges, k->defines, k->n_words, k->n_facts, TAKC_STR_ARG(takc_buf_str(&raw)), TAKC_STR_ARG(takc_buf_str(&shown)));
    }
    takc_buf_clear(&raw);
    takc_buf_clear(&shown);
    return st;
}

static double ms_since(uint64_t from)
{
    const struct takc_clock *c = takc_clock_system();
    return (double)(c->mono_ns(c) - from) / 1e6;
}

static enum takc_status measure(const char *path, bool dumping, struct takc_err *err)
{
    const struct takc_clock *c = takc_clock_system();
    const struct takc_tokenizer *t = takc_tokenizer_find(takc_str("estimate"));
    struct takc_doc d;
    struct takc_units u, again;
    struct takc_buf stored;
    takc_doc_init(&d);
    takc_units_init(&u);
    takc_units_init(&again);
    takc_buf_init(&stored, TAKC_BUF_MAX_DOCUMENT);
    enum takc_status st = read_text(path, &d, err);
    struct takc_str text = takc_buf_str(&d.text);
    double build = 0, save = 0, load = 0;
    for (int round = 0; !st && round < (dumping ? 1 : 3); round++) {
        takc_units_reset(&u);
        takc_buf_reset(&stored);
        uint64_t from = c->mono_ns(c);
        st = takc_units_build(&u, &d, takc_str("A title"), t, NULL, err);
        build = ms_since(from);
        from = c->mono_ns(c);
        if (!st)
            st = takc_units_save(&u, &stored, err);
        save = ms_since(from);
        from = c->mono_ns(c);
        if (!st)
            st = takc_units_load(&again, takc_buf_str(&stored), err);
        load = ms_since(from);
    }
    if (!st && dumping)
        st = dump(&u, text, err);
    else if (!st)
        (void)printf("%s,%zu,%zu,%.1f,%.1f,%.1f,%.2f\n", path, text.len, u.n_units, (double)text.len / 1e3 / build,
                     (double)text.len / 1e3 / save, (double)text.len / 1e3 / load, (double)stored.len / (double)(text.len ? text.len : 1));
    takc_buf_clear(&stored);
    takc_units_clear(&u);
    takc_units_clear(&again);
    takc_doc_clear(&d);
    return st;
}

int main(int argc, char **argv)
{
    bool dumping = argc > 1 && strcmp(argv[1], "--dump") == 0;
    if (!dumping)
        (void)puts("file,bytes,units,build_mb_s,save_mb_s,load_mb_s,stored_per_byte");
    for (int i = 1 + dumping; i < argc; i++) {
        struct takc_err err = {0};
        if (measure(argv[i], dumping, &err)) {
            (void)fprintf(stderr, "bench_units: %s: %s\n", argv[i], err.msg);
            return takc_status_exit(err.status);
        }
    }
    return 0;
}
