/* SPDX-License-Identifier: Apache-2.0
 *
 * text.c - plain text: charset, then the line rules. The title is the first heading, if the text opens with one. */
#include "doc/lines.h"
#include "doc/parts.h"

enum takc_status takc_reader_decode(const struct takc_reader_input *in, struct takc_doc *d, struct takc_err *err)
{
    enum takc_status st = takc_charset_to_utf8(in->bytes, &d->text, d, d->charset, &d->n_replaced, err);
    if (!st && d->n_replaced)
        st = takc_doc_note(d, err, "%llu wrong bytes of %s were replaced", (unsigned long long)d->n_replaced, d->charset);
    d->has_map = true;
    return st;
}

enum takc_status takc_doc_copy(struct takc_doc *d, const struct takc_doc *from_doc, size_t from, size_t to, struct takc_err *err)
{
    struct takc_str text = takc_buf_str(&from_doc->text);
    size_t low = 0, high = from_doc->n_runs;
    while (low < high) { /* the first run that ends behind from */
        size_t mid = low + (high - low) / 2;
        if (from_doc->runs[mid].end <= from)
            low = mid + 1;
        else
            high = mid;
    }
    enum takc_status st = TAKC_OK;
    while (from < to && !st) {
        const struct takc_map_run *r = low < from_doc->n_runs ? &from_doc->runs[low] : NULL;
        size_t end = !r || r->start >= to ? to : r->start > from ? r->start : r->end < to ? r->end : to;
        struct takc_str piece = takc_str_slice(text, from, end);
        if (!r || r->start > from)
            st = takc_doc_inserted(d, piece, err);
        else if (r->kind == TAKC_MAP_VERBATIM)
            st = takc_doc_verbatim(d, piece, r->src_start + (from - r->start), err);
        else if (from == r->start && end == r->end)
            st = takc_doc_decoded(d, piece, r->src_start, r->src_end, err);
        else
            st = takc_doc_inserted(d, piece, err);
        low += r && end == r->end;
        from = end;
    }
    return st;
}

enum takc_status takc_reader_title(struct takc_doc *d, struct takc_err *err)
{
    for (size_t i = 0; i < d->n_blocks; i++) {
        const struct takc_block *b = &d->blocks[i];
        if (b->flags & TAKC_BLOCK_HIDDEN)
            continue;
        if (b->kind != TAKC_BLOCK_HEADING && b->kind != TAKC_BLOCK_TITLE)
            return TAKC_OK;
        d->title_start = b->start;
        d->title_end = b->end;
        return takc_doc_set_title(d, takc_str_slice(takc_buf_str(&d->text), b->start, b->end), TAKC_TITLE_TEXT, err);
    }
    return TAKC_OK;
}

static enum takc_status read_text(struct takc_call *call, const struct takc_reader_input *in, struct takc_doc *d, struct takc_err *err)
{
    enum takc_status st = takc_reader_decode(in, d, err);
    if (!st)
        st = takc_lines_structure(d, &(struct takc_lines_options){.first_line = 1}, call, err);
    return st ? st : takc_reader_title(d, err);
}

static const char *const extensions[] = {"txt", "text", "log", "rst", "asc", "adoc", "org", "tex", "man", NULL};

const struct takc_reader_ops takc_reader_text = {
    .name = "text", .version = "2", .extensions = extensions, .sniff = takc_sniff_text, .read = read_text};
