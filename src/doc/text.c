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
    .name = "text", .version = "1", .extensions = extensions, .sniff = takc_sniff_text, .read = read_text};
