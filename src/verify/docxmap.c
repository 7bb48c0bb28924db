/* SPDX-License-Identifier: Apache-2.0
 *
 * docxmap.c - the second witness for DOCX: a plain scanner over word/document.xml, no XML parser. It counts paragraphs as they open, joins
 * the texts of their runs, and compares every block with the paragraph of its ordinal; a row of a table goes on over the paragraphs that
 * follow. White space and bars between cells do not count. Deleted and moved-away text and the fallback copies of drawings are no text. */
#include "base/alloc.h"
#include "verify/map.h"

#include <iconv.h>
#include <stdio.h>
#include <zip.h>

enum { MAX_OPEN = 64, MAX_PARAS = 16 << 20 };
#define MAX_PART_BYTES ((zip_uint64_t)256 << 20)

struct para {
    size_t from, to; /* of the joined text; a text box inside is in it, too */
    size_t used;     /* bytes that blocks have told already */
    bool nested;     /* holds other paragraphs */
};

struct scan {
    struct takc_map_job *m;
    struct takc_str xml;
    char prefix[16]; /* with colon: "w:" */
    struct para *paras;
    size_t n, cap;
    size_t open[MAX_OPEN]; /* paragraphs that are open, innermost last: text boxes stand inside paragraphs */
    size_t n_open;
    unsigned skip; /* inside moved-away text or a fallback */
    bool in_text, in_run, hidden;
};

/* The prefix that the main namespace has in this file. */
static void find_prefix(struct scan *s)
{
    static const char *const names[] = {"=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"",
                                        "=\"http://purl.oclc.org/ooxml/wordprocessingml/main\""};
    (void)snprintf(s->prefix, sizeof(s->prefix), "w:");
    for (int i = 0; i < 2; i++) {
        size_t at = takc_str_find(s->xml, takc_str(names[i]), 0), from = at;
        if (at == SIZE_MAX)
            continue;
        while (from > 0 && s->xml.ptr[from - 1] != ':' && s->xml.ptr[from - 1] != ' ' && at - from < 12)
            from--;
        if (from > 0 && s->xml.ptr[from - 1] == ':')
            (void)snprintf(s->prefix, sizeof(s->prefix), "%.*s:", (int)(at - from), s->xml.ptr + from);
        else
            s->prefix[0] = '\0';
        return;
    }
}

static bool is_name(const struct scan *s, struct takc_str name, const char *local)
{
    size_t n = strlen(s->prefix);
    return name.len == n + strlen(local) && memcmp(name.ptr, s->prefix, n) == 0 && memcmp(name.ptr + n, local, name.len - n) == 0;
}

static enum takc_status open_para(struct scan *s, bool empty)
{
    if (s->n >= MAX_PARAS)
        return takc_fail(s->m->err, TAKC_REFUSED, 0, "more than %d paragraphs", MAX_PARAS);
    enum takc_status st = takc_grow(&s->paras, &s->cap, s->n + 1, sizeof(*s->paras), s->m->err);
    if (st)
        return st;
    if (s->n_open)
        s->paras[s->open[s->n_open - 1]].nested = true;
    s->paras[s->n++] = (struct para){.from = s->m->out.len, .to = s->m->out.len};
    if (!empty && s->n_open < MAX_OPEN)
        s->open[s->n_open++] = s->n - 1;
    return TAKC_OK;
}

/* Runs and their texts; a run whose properties say vanish is hidden. */
static void run_tag(struct scan *s, struct takc_str name, struct takc_str t, bool close, bool empty)
{
    if (is_name(s, name, "t"))
        s->in_text = !close && !empty;
    if (is_name(s, name, "r")) {
        s->in_run = !close && !empty;
        s->hidden = false;
    }
    if (is_name(s, name, "vanish") && s->in_run && !close)
        s->hidden = takc_str_find(t, takc_str("\"0\""), 0) == SIZE_MAX && takc_str_find(t, takc_str("\"false\""), 0) == SIZE_MAX;
}

/* Text goes to the innermost open paragraph. */
static enum takc_status text(struct scan *s, struct takc_str t)
{
    if (s->skip || s->hidden || !s->n_open)
        return TAKC_OK;
    enum takc_status st = takc_entities(t, false, &s->m->out, s->m->err);
    s->paras[s->open[s->n_open - 1]].to = s->m->out.len;
    return st;
}

/* What a tag between < and > does. */
static enum takc_status tag(struct scan *s, struct takc_str t)
{
    bool close = t.len && t.ptr[0] == '/', empty = t.len && t.ptr[t.len - 1] == '/';
    size_t n = close;
    while (n < t.len && !strchr(" \t\r\n/", t.ptr[n]))
        n++;
    struct takc_str name = takc_str_slice(t, close, n);
    if (is_name(s, name, "moveFrom") || takc_str_is(name, "mc:Fallback")) {
        s->skip += !close && !empty;
        s->skip -= close && s->skip;
    }
    run_tag(s, name, t, close, empty);
    if (is_name(s, name, "noBreakHyphen") && s->in_run && !close)
        return text(s, takc_str("-"));
    if (!is_name(s, name, "p"))
        return TAKC_OK;
    if (!close)
        return open_para(s, empty);
    s->n_open -= s->n_open > 0;
    return TAKC_OK;
}

static enum takc_status scan_xml(struct scan *s)
{
    enum takc_status st = TAKC_OK;
    for (size_t pos = 0; !st && pos < s->xml.len;) {
        size_t open = takc_str_find_byte(s->xml, '<', pos);
        size_t end = open == SIZE_MAX ? s->xml.len : open;
        st = s->in_text ? text(s, takc_str_slice(s->xml, pos, end)) : TAKC_OK;
        if (st || open == SIZE_MAX)
            break;
        bool comment = takc_str_starts(takc_str_slice(s->xml, open, s->xml.len), takc_str("<!--"));
        size_t close = comment ? takc_str_find(s->xml, takc_str("-->"), open) : takc_str_find_byte(s->xml, '>', open);
        if (close == SIZE_MAX)
            break;
        if (!comment)
            st = tag(s, takc_str_slice(s->xml, open + 1, close));
        pos = close + (comment ? 3 : 1);
    }
    return st;
}

static struct takc_str para_text(const struct scan *s, size_t i)
{
    return takc_str_slice(takc_buf_str(&s->m->out), s->paras[i].from, s->paras[i].to);
}

static bool has_more(struct takc_str s)
{
    size_t used, ignored = 0;
    (void)takc_map_begins(s, takc_str(""), &used);
    for (size_t pos = used; pos < s.len; pos++)
        ignored += strchr(" \t\n|", s.ptr[pos]) != NULL;
    return used + ignored < s.len;
}

/* Where in the rest of paragraph p the block may begin: at its beginning, or behind a text box that stands between two halves. */
static bool begins_in(const struct scan *s, struct para *p, struct takc_str said)
{
    struct takc_str text = takc_str_slice(takc_buf_str(&s->m->out), p->from, p->to);
    size_t last = p->nested ? text.len : p->used, n;
    for (size_t at = p->used; at <= last && at <= text.len; at++)
        if (takc_map_begins(takc_str_slice(text, at, text.len), said, &n)) {
            p->used = at + n;
            return true;
        }
    return false;
}

/* Is the block what its paragraph, or for rows the paragraphs from there on, say? */
static bool block_holds(const struct scan *s, const struct takc_block *b)
{
    struct takc_str said = takc_str_slice(takc_buf_str(&s->m->doc->text), b->start, b->end);
    for (size_t at = b->para - 1, n; at < s->n; at++) {
        struct para *p = &s->paras[at];
        struct takc_str left = takc_str_slice(takc_buf_str(&s->m->out), p->from + p->used, p->to);
        if (begins_in(s, p, said))
            return true;
        if (b->kind != TAKC_BLOCK_ROW || !takc_map_begins(said, left, &n))
            return false;
        p->used = p->to - p->from;
        said = takc_str_slice(said, n, said.len);
    }
    return false;
}

static void check_blocks(const struct scan *s)
{
    struct takc_map_job *m = s->m;
    for (size_t i = 0; i < m->doc->n_blocks; i++) {
        const struct takc_block *b = &m->doc->blocks[i];
        char has[48], said[48];
        if (!b->para || b->end > m->doc->text.len || b->start >= b->end)
            continue;
        if (b->para > s->n)
            takc_report_fail(&m->report, TAKC_LEVEL_M, m->subject, "block %zu is said to be paragraph %u of %zu", i + 1, b->para, s->n);
        else if (block_holds(s, b))
            takc_report_pass(&m->report, TAKC_LEVEL_M);
        else
            takc_report_fail(&m->report, TAKC_LEVEL_M, m->subject, "block %zu says '%s', paragraph %u has '%s'", i + 1,
                             takc_report_quote(takc_str_slice(takc_buf_str(&m->doc->text), b->start, b->end), said), b->para,
                             takc_report_quote(para_text(s, b->para - 1), has));
    }
}

/* A paragraph of which blocks tell the beginning only has lost its end. */
static void check_ends(const struct scan *s)
{
    struct takc_map_job *m = s->m;
    for (size_t i = 0; i < s->n; i++) {
        struct takc_str left = takc_str_slice(takc_buf_str(&m->out), s->paras[i].from + s->paras[i].used, s->paras[i].to);
        char quote[48];
        if (s->paras[i].used && !s->paras[i].nested && has_more(left))
            takc_report_fail(&m->report, TAKC_LEVEL_M, m->subject, "paragraph %zu goes on with '%s', its blocks do not", i + 1,
                             takc_report_quote(left, quote));
    }
}

enum takc_status takc_map_docx_xml(struct takc_map_job *m, struct takc_str xml)
{
    struct scan s = {.m = m, .xml = xml};
    uint64_t failed = m->report.proof->failed[TAKC_LEVEL_M];
    takc_buf_reset(&m->out);
    find_prefix(&s);
    enum takc_status st = scan_xml(&s);
    if (!st) {
        check_blocks(&s);
        if (m->report.proof->failed[TAKC_LEVEL_M] == failed)
            check_ends(&s);
    }
    takc_free(s.paras);
    return st;
}

/* The main part: word/document.xml, or numbered as some writers do. */
static zip_int64_t find_part(zip_t *z)
{
    zip_int64_t n = zip_get_num_entries(z, 0), at = zip_name_locate(z, "word/document.xml", 0);
    for (zip_int64_t i = 0; at < 0 && i < n; i++) {
        const char *name = zip_get_name(z, (zip_uint64_t)i, 0);
        if (name && takc_str_starts(takc_str(name), takc_str("word/document")) && takc_str_ends(takc_str(name), takc_str(".xml")))
            at = i;
    }
    return at;
}

/* XML may be UTF-16; it has a mark then. */
static enum takc_status narrow(struct takc_map_job *m, struct takc_buf *hold, struct takc_str *xml)
{
    *xml = takc_buf_str(&m->raw);
    if (!takc_str_starts(*xml, takc_str("\xFF\xFE")) && !takc_str_starts(*xml, takc_str("\xFE\xFF")))
        return TAKC_OK;
    takc_map_charset_close(m);
    iconv_t c = iconv_open("UTF-8", "UTF-16");
    m->iconv[1] = c == (iconv_t)-1 ? NULL : c;
    enum takc_status st = takc_map_to_utf8(m, takc_buf_str(&m->raw), 1, hold);
    takc_map_charset_close(m);
    *xml = takc_buf_str(hold);
    return st;
}

/* Reads the part into m->raw; *out_why NULL when it is there. */
static enum takc_status read_part(struct takc_map_job *m, zip_t *z, const char **out_why)
{
    zip_stat_t info;
    zip_file_t *f = NULL;
    *out_why = NULL;
    zip_int64_t at = find_part(z);
    if (at >= 0 && zip_stat_index(z, (zip_uint64_t)at, 0, &info) == 0 && (info.valid & ZIP_STAT_SIZE) && info.size <= MAX_PART_BYTES)
        f = zip_fopen_index(z, (zip_uint64_t)at, 0);
    if (!f) {
        *out_why = "word/document.xml cannot be opened";
        return TAKC_OK;
    }
    takc_buf_reset(&m->raw);
    enum takc_status st = TAKC_OK;
    char piece[8192];
    zip_int64_t n = 0;
    while (!st && m->raw.len <= MAX_PART_BYTES && (n = zip_fread(f, piece, sizeof(piece))) > 0)
        st = takc_buf_add(&m->raw, takc_str_n(piece, (size_t)n), m->err);
    if (!st && n != 0)
        *out_why = "word/document.xml is damaged or too large";
    (void)zip_fclose(f);
    return st;
}

static enum takc_status check_part(struct takc_map_job *m)
{
    struct takc_buf hold;
    struct takc_str xml;
    takc_buf_init(&hold, (size_t)MAX_PART_BYTES * 2);
    enum takc_status st = narrow(m, &hold, &xml);
    if (!st)
        st = takc_map_docx_xml(m, xml);
    takc_buf_clear(&hold);
    return st;
}

enum takc_status takc_map_docx(struct takc_map_job *m)
{
    zip_error_t ze;
    const char *why = "its source is no ZIP archive";
    zip_error_init(&ze);
    zip_source_t *src = zip_source_buffer_create(m->source.ptr, m->source.len, 0, &ze);
    zip_t *z = src ? zip_open_from_source(src, ZIP_RDONLY, &ze) : NULL;
    enum takc_status st = z ? read_part(m, z, &why) : TAKC_OK;
    if (!st && why)
        takc_report_fail(&m->report, TAKC_LEVEL_M, m->subject, "%s", why);
    else if (!st)
        st = check_part(m);
    if (z)
        zip_discard(z);
    else if (src)
        zip_source_free(src);
    zip_error_fini(&ze);
    return st;
}
