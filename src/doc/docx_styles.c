/* SPDX-License-Identifier: Apache-2.0
 *
 * docx_styles.c - what the paragraph styles of a DOCX file mean. Ids and shown names depend on the language of the writer; built-in names
 * in styles.xml do not ("heading 1"), and outline levels tell headings under any name. A style inherits from the one it is based on. */
#include "base/alloc.h"
#include "doc/docx_parts.h"

#include <string.h>

enum { MAX_CHAIN = 16, NO_OUTLINE = 10, MAX_STYLES = 100000 };

struct takc_docx_entry {
    uint32_t base;    /* number + 1 of the style it is based on; 0: none */
    uint8_t outline;  /* 0..8, 9: body text, NO_OUTLINE: not said */
    bool list, named; /* named: meaning comes from the name */
    struct takc_docx_style by_name;
};

void takc_docx_styles_init(struct takc_docx_styles *s)
{
    *s = (struct takc_docx_styles){0};
    takc_intern_init(&s->ids);
}

void takc_docx_styles_clear(struct takc_docx_styles *s)
{
    takc_intern_clear(&s->ids);
    takc_free(s->v);
    takc_docx_styles_init(s);
}

static bool starts_nocase(struct takc_str s, const char *z)
{
    return s.len >= strlen(z) && takc_str_eq_nocase(takc_str_slice(s, 0, strlen(z)), takc_str(z));
}

/* What a built-in name, or an id made from one, says; false for others. */
static bool by_name(struct takc_str name, struct takc_docx_style *out)
{
    *out = (struct takc_docx_style){.kind = TAKC_BLOCK_PARA};
    if (starts_nocase(name, "heading")) {
        struct takc_str rest = takc_str_trim(takc_str_slice(name, 7, name.len));
        if (rest.len != 1 || rest.ptr[0] < '1' || rest.ptr[0] > '9')
            return false;
        out->kind = TAKC_BLOCK_HEADING;
        out->level = (uint8_t)(rest.ptr[0] - '0');
    } else if (takc_str_eq_nocase(name, takc_str("title"))) {
        out->kind = TAKC_BLOCK_TITLE;
    } else if (starts_nocase(name, "toc ") || takc_str_eq_nocase(name, takc_str("tocheading")) || starts_nocase(name, "table of figures")) {
        out->hidden = true;
    } else if (starts_nocase(name, "list bullet") || starts_nocase(name, "list number") || starts_nocase(name, "listbullet") ||
               starts_nocase(name, "listnumber")) {
        out->list = true;
    } else if (starts_nocase(name, "source code") || starts_nocase(name, "sourcecode") || starts_nocase(name, "html preformatted") ||
               starts_nocase(name, "preformatted") || takc_str_eq_nocase(name, takc_str("code"))) {
        out->kind = TAKC_BLOCK_CODE;
    } else {
        return false;
    }
    return true;
}

static enum takc_status entry_of(struct takc_docx_styles *s, struct takc_str id, uint32_t *out, struct takc_err *err)
{
    enum takc_status st = takc_intern_add(&s->ids, id, out, err);
    if (!st && *out >= MAX_STYLES)
        return takc_fail(err, TAKC_REFUSED, 0, "more than %d styles", MAX_STYLES);
    if (!st)
        st = takc_grow(&s->v, &s->cap, (size_t)*out + 1, sizeof(*s->v), err);
    for (; !st && s->n <= *out; s->n++)
        s->v[s->n] = (struct takc_docx_entry){.outline = NO_OUTLINE};
    return st;
}

/* One element inside a style. */
static enum takc_status take(struct takc_docx_styles *s, uint32_t at, const char *local, xmlTextReaderPtr x, struct takc_err *err)
{
    char value[256];
    uint32_t base;
    if (!takc_docx_attribute(x, "val", value, sizeof(value)))
        value[0] = '\0';
    if (strcmp(local, "name") == 0) {
        s->v[at].named = by_name(takc_str(value), &s->v[at].by_name);
    } else if (strcmp(local, "outlineLvl") == 0 && value[0] >= '0' && value[0] <= '9' && !value[1]) {
        s->v[at].outline = (uint8_t)(value[0] - '0');
    } else if (strcmp(local, "numPr") == 0) {
        s->v[at].list = true;
    } else if (strcmp(local, "basedOn") == 0 && value[0]) {
        enum takc_status st = entry_of(s, takc_str(value), &base, err);
        if (st)
            return st;
        s->v[at].base = base + 1;
    }
    return TAKC_OK;
}

enum takc_status takc_docx_styles_read(struct takc_docx_styles *s, struct takc_str part, struct takc_err *err)
{
    static const char name[] = "word/styles.xml";
    struct takc_docx_xml xml;
    bool more = true, in_style = false;
    uint32_t at = 0;
    enum takc_status st = takc_docx_xml_open(&xml, part, name, err);
    while (!st && !(st = takc_docx_next(&xml, name, &more, err)) && more) {
        const char *local = (const char *)xmlTextReaderConstLocalName(xml.x);
        int type = xmlTextReaderNodeType(xml.x);
        if (!local || (type != XML_READER_TYPE_ELEMENT && type != XML_READER_TYPE_END_ELEMENT))
            continue;
        if (strcmp(local, "style") == 0) {
            char id[256];
            in_style = type == XML_READER_TYPE_ELEMENT && takc_docx_attribute(xml.x, "styleId", id, sizeof(id));
            if (in_style)
                st = entry_of(s, takc_str(id), &at, err);
        } else if (in_style && type == XML_READER_TYPE_ELEMENT) {
            st = take(s, at, local, xml.x, err);
        }
    }
    takc_docx_xml_close(&xml);
    return st;
}

struct takc_docx_style takc_docx_style(const struct takc_docx_styles *s, struct takc_str id)
{
    struct takc_docx_style out = {.kind = TAKC_BLOCK_PARA};
    uint32_t at = takc_intern_find(&s->ids, id);
    if (at == TAKC_INTERN_NONE || at >= s->n) {
        (void)by_name(id, &out);
        return out;
    }
    bool outline = false, named = false;
    for (unsigned i = 0; i < MAX_CHAIN && at < s->n; i++) {
        const struct takc_docx_entry *e = &s->v[at];
        if (e->named && !named) {
            bool list = out.list;
            if (!outline || e->by_name.kind == TAKC_BLOCK_TITLE)
                out = e->by_name;
            out.list |= list;
            named = true;
        }
        if (e->outline < 9 && !outline && !named) {
            out.kind = TAKC_BLOCK_HEADING;
            out.level = (uint8_t)(e->outline + 1);
        }
        outline |= e->outline != NO_OUTLINE;
        out.list |= e->list;
        if (!e->base)
            break;
        at = e->base - 1;
    }
    return out;
}
