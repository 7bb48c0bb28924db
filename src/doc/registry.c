/* SPDX-License-Identifier: Apache-2.0
 *
 * registry.c - the list of readers, and the thin functions in front of them. Content speaks before the name: the first reader that is
 * certain wins, else the likeliest whose extension fits, else the likeliest. */
#include "doc/parts.h"

#include <stdio.h>

enum { N_READERS = 8, SNIFF_BYTES = 64 << 10 };
/* In the order in which equal guesses win. */
static const struct takc_reader_ops *const readers[N_READERS] = {&takc_reader_text, &takc_reader_markdown, &takc_reader_csv,
                                                                 &takc_reader_json, &takc_reader_jsonl,    &takc_reader_html,
                                                                 &takc_reader_pdf,  &takc_reader_docx};

const struct takc_reader_ops *takc_reader_at(size_t i)
{
    for (size_t k = 0; k < N_READERS; k++)
        if (readers[k] && i-- == 0)
            return readers[k];
    return NULL;
}

const struct takc_reader_ops *takc_reader_find(struct takc_str name)
{
    for (size_t k = 0; k < N_READERS; k++)
        if (readers[k] && takc_str_is(name, readers[k]->name))
            return readers[k];
    return NULL;
}

static bool has_extension(const struct takc_reader_ops *r, struct takc_str name)
{
    size_t dot = name.len;
    while (dot > 0 && name.ptr[dot - 1] != '.' && name.ptr[dot - 1] != '/')
        dot--;
    if (dot == 0 || name.ptr[dot - 1] != '.')
        return false;
    struct takc_str ext = takc_str_slice(name, dot, name.len);
    for (size_t i = 0; r->extensions && r->extensions[i]; i++)
        if (takc_str_eq_nocase(ext, takc_str(r->extensions[i])))
            return true;
    return false;
}

/* The first bytes of a source in UTF-16 or UTF-32 as UTF-8, so that its kind is told like any other's; other sources as they are. */
static struct takc_str sniffed(struct takc_str bytes, struct takc_buf *hold)
{
    char charset[24];
    uint64_t n_replaced;
    if (!takc_charset_wide(bytes))
        return bytes;
    struct takc_str s = takc_str_slice(bytes, 0, bytes.len < SNIFF_BYTES ? bytes.len : SNIFF_BYTES);
    return takc_charset_to_utf8(s, hold, NULL, charset, &n_replaced, NULL) ? bytes : takc_buf_str(hold);
}

static const struct takc_reader_ops *pick(struct takc_str name, struct takc_str bytes, bool binary)
{
    const struct takc_reader_ops *best = NULL;
    int best_points = 0;
    for (size_t i = 0; i < N_READERS; i++) {
        const struct takc_reader_ops *r = readers[i];
        if (!r)
            continue;
        int sure = r->sniff ? r->sniff(bytes) : 1;
        if (sure >= 3)
            return r;
        /* an extension lifts a maybe above another's likely, but not above JSON that its grammar proves; it makes no no a yes */
        int points = sure > 0 && !binary ? sure * 2 + (has_extension(r, name) ? 3 : 0) + (sure == 2 && r->splits ? 2 : 0) : 0;
        if (points > best_points) {
            best = r;
            best_points = points;
        }
    }
    return best;
}

const struct takc_reader_ops *takc_reader_pick(struct takc_str name, struct takc_str bytes)
{
    struct takc_buf hold;
    takc_buf_init(&hold, (size_t)SNIFF_BYTES * 4);
    const struct takc_reader_ops *r = pick(name, sniffed(bytes, &hold), takc_sniff_binary(bytes));
    takc_buf_clear(&hold);
    return r;
}

enum takc_status takc_reader_read(const struct takc_reader_ops *r, struct takc_call *call, const struct takc_reader_input *in,
                                  struct takc_doc *out, struct takc_err *err)
{
    takc_doc_clear(out);
    if (!r || !r->read)
        return takc_fail(err, TAKC_UNSUPPORTED, 0, "no reader for this kind of document");
    if (in->bytes.len > UINT32_MAX)
        return takc_fail(err, TAKC_REFUSED, 0, "source of %zu bytes is over 4 GiB", in->bytes.len);
    uint64_t max = in->max_text_bytes ? in->max_text_bytes : TAKC_READER_MAX_TEXT;
    out->text.max = max < TAKC_BUF_MAX_DOCUMENT ? (size_t)max : TAKC_BUF_MAX_DOCUMENT;
    out->strings.max = out->text.max;
    enum takc_status st = takc_call_check(call, err);
    if (!st)
        st = r->read(call, in, out, err);
    if (st == TAKC_INVALID) { /* nobody called wrongly: a buffer met its limit */
        if (err)
            err->status = TAKC_REFUSED;
        st = TAKC_REFUSED;
    }
    if (st)
        return st;
    if (!out->reader[0])
        (void)snprintf(out->reader, sizeof(out->reader), "%s", r->name);
    if (!out->reader_version[0])
        (void)snprintf(out->reader_version, sizeof(out->reader_version), "%s", r->version);
    st = takc_doc_check(out, in->bytes.len, err);
    return st ? takc_err_prefix(err, st, "reader %s broke a promise", r->name) : TAKC_OK;
}
