/* SPDX-License-Identifier: Apache-2.0
 *
 * docx.c - the DOCX reader: the archive's parts one after the other - styles, the main part, its properties.
 *
 * Headers and footers are other parts and not read. There is no map: bytes of a packed archive help nobody. Locator: ordinal of the
 * paragraph among all w:p elements of the main part, left-out ones too, so that a plain scanner can count them; rows have that of their
 * first paragraph. */
#include "base/clock.h"
#include "doc/docx_body.h"
#include "doc/readers.h"

#include <stdio.h>
#include <string.h>

enum { MAX_PART_BYTES = 512 << 20 };

/* Title and date of docProps/core.xml; a title that stands in the text wins. */
static enum takc_status read_core(struct takc_str part, struct takc_doc *d, struct takc_err *err)
{
    static const char name[] = "docProps/core.xml";
    struct takc_docx_xml xml;
    bool more = true, in_title = false, in_date = false;
    enum takc_status st = takc_docx_xml_open(&xml, part, name, err);
    while (!st && !(st = takc_docx_next(&xml, name, &more, err)) && more) {
        const char *local = (const char *)xmlTextReaderConstLocalName(xml.x), *value = (const char *)xmlTextReaderConstValue(xml.x);
        int type = xmlTextReaderNodeType(xml.x);
        if (type == XML_READER_TYPE_ELEMENT || type == XML_READER_TYPE_END_ELEMENT) {
            in_title = type == XML_READER_TYPE_ELEMENT && local && strcmp(local, "title") == 0;
            in_date = type == XML_READER_TYPE_ELEMENT && local && strcmp(local, "modified") == 0;
        } else if (in_date && value && takc_date_parse(value, strlen(value), &d->date, NULL) == TAKC_OK) {
            d->has_date = true;
        } else if (in_title && value && d->title.len == 0 && strcmp(value, "Word Document") != 0 &&
                   !takc_str_eq_nocase(takc_str(value), takc_str("untitled"))) {
            st = takc_doc_set_title(d, takc_str(value), TAKC_TITLE_METADATA, err);
        }
    }
    takc_docx_xml_close(&xml);
    return st;
}

/* Without any other title the first heading is it. */
static enum takc_status title_from_heading(struct takc_doc *d, struct takc_err *err)
{
    for (size_t i = 0; i < d->n_blocks && d->title.len == 0; i++) {
        struct takc_block *b = &d->blocks[i];
        if (b->kind != TAKC_BLOCK_HEADING || (b->flags & TAKC_BLOCK_HIDDEN))
            continue;
        enum takc_status st = takc_doc_set_title(d, takc_str_slice(takc_buf_str(&d->text), b->start, b->end), TAKC_TITLE_TEXT, err);
        if (st)
            return st;
        b->kind = TAKC_BLOCK_TITLE;
        b->level = 0;
        d->title_start = b->start;
        d->title_end = b->end;
    }
    return TAKC_OK;
}

/* A part that a document can do without: empty when it is missing. */
static enum takc_status optional_part(struct takc_docx_zip *z, const char *name, struct takc_buf *out, struct takc_err *err)
{
    takc_buf_reset(out);
    enum takc_status st = takc_docx_part(z, name, out, err);
    return st == TAKC_NOT_FOUND ? TAKC_OK : st;
}

static enum takc_status read_parts(struct takc_docx_zip *z, struct takc_call *call, struct takc_doc *out, struct takc_err *err)
{
    struct takc_docx_styles styles;
    struct takc_buf part;
    const char *name = takc_docx_main(z);
    if (!name)
        return takc_fail(err, TAKC_CORRUPT, 0, "an archive without word/document.xml");
    takc_docx_styles_init(&styles);
    takc_buf_init(&part, MAX_PART_BYTES);
    enum takc_status st = optional_part(z, "word/styles.xml", &part, err);
    if (!st && part.len)
        st = takc_docx_styles_read(&styles, takc_buf_str(&part), err);
    takc_buf_reset(&part);
    if (!st)
        st = takc_docx_part(z, name, &part, err);
    if (!st)
        st = takc_docx_body_read(out, &styles, call, name, takc_buf_str(&part), err);
    if (!st)
        st = optional_part(z, "docProps/core.xml", &part, err);
    if (!st && part.len)
        st = read_core(takc_buf_str(&part), out, err);
    if (!st)
        st = title_from_heading(out, err);
    takc_buf_clear(&part);
    takc_docx_styles_clear(&styles);
    return st;
}

static enum takc_status read_docx(struct takc_call *call, const struct takc_reader_input *in, struct takc_doc *out, struct takc_err *err)
{
    uint64_t max_text = in->max_text_bytes ? in->max_text_bytes : TAKC_READER_MAX_TEXT;
    struct takc_docx_zip z = {0};
    (void)snprintf(out->reader, sizeof(out->reader), "%s", takc_reader_docx.name);
    (void)snprintf(out->reader_version, sizeof(out->reader_version), "%s", takc_reader_docx.version);
    (void)snprintf(out->charset, sizeof(out->charset), "UTF-8");
    if (max_text < out->text.max)
        out->text.max = (size_t)max_text;
    xmlInitParser();
    enum takc_status st = takc_docx_open(&z, in->bytes, max_text < MAX_PART_BYTES / 2 ? max_text * 2 : MAX_PART_BYTES, out, err);
    if (!st)
        st = read_parts(&z, call, out, err);
    takc_docx_close(&z);
    return st;
}

static bool holds(struct takc_str s, size_t from, size_t to, const char *what)
{
    return takc_str_find(takc_str_slice(s, from, to), takc_str(what), 0) != SIZE_MAX;
}

static int sniff_docx(struct takc_str s)
{
    enum { LOOK_BYTES = 64 << 10 };
    if (!takc_str_starts(s, takc_str("PK\3\4")))
        return 0;
    /* names stand in the local headers and again in the directory at the end; one of both survives most damage */
    bool found = holds(s, 0, s.len < LOOK_BYTES ? s.len : LOOK_BYTES, "word/") ||
                 holds(s, s.len < LOOK_BYTES ? 0 : s.len - LOOK_BYTES, s.len, "word/");
    return found ? 3 : 0;
}

static const char *const extensions[] = {"docx", "docm", NULL};
const struct takc_reader_ops takc_reader_docx = {
    .name = "docx", .version = "2", .extensions = extensions, .sniff = sniff_docx, .read = read_docx};
