/* SPDX-License-Identifier: Apache-2.0
 *
 * html_tree.c - runs libxml2's HTML parser over a page and notes what it says, with the place of every piece of text.
 *
 * The parser tells where it stands after each piece. That place is right for most pieces and wrong near entities, so nothing is believed:
 * a piece is verbatim only where the source bytes before that place (or behind the last piece) are equal and hold no '<', and decoded only
 * where a character reference that we decode ourselves gives the same text. Everything else has no place.
 * libxml2 gets bytes that are UTF-8 already and is told so; no network, no DTD, its own limits on. Its memory is its own (malloc).
 * An element with very many attributes costs it quadratic time, so a scan before the parser refuses those. */
#include "doc/html_tree.h"
#include "base/alloc.h"
#include "base/utf8.h"
#include "doc/doc.h"
#include "doc/reader.h"

#include <limits.h>
#include <pthread.h>
#include <string.h>

#include <libxml/HTMLparser.h>
#include <libxml/parserInternals.h>

enum { MAX_ATTRIBUTES = 1000, CHECK_EVERY = 4096 };

struct parse {
    struct takc_html_tree *t;
    htmlParserCtxtPtr ctxt;
    struct takc_call *call;
    struct takc_err *err;
    enum takc_status st;
    uint32_t open[TAKC_READER_MAX_DEPTH]; /* open elements: their nodes */
    unsigned depth, dropped, links;       /* dropped: how many of the open ones drop their text; links: how many are <a> */
    bool in_title, has_title;
    size_t last_end; /* source byte behind the last piece that has a place */
};

static const struct {
    const char *name;
    unsigned char tag, cls;
} tags[] = {
#define X(id, name, cls) {#name, TAKC_HTML_##id, (cls)},
    TAKC_HTML_TAGS(X)
#undef X
};

static const unsigned char classes[TAKC_HTML_N_TAGS] = {
#define X(id, name, cls) [TAKC_HTML_##id] = (cls),
    TAKC_HTML_TAGS(X)
#undef X
};

unsigned takc_html_class(uint8_t tag)
{
    return tag < TAKC_HTML_N_TAGS ? classes[tag] : 0;
}

static uint8_t tag_of(const char *name)
{
    size_t low = 0, high = sizeof(tags) / sizeof(tags[0]);
    while (low < high) {
        size_t mid = (low + high) / 2;
        int c = strcmp(tags[mid].name, name);
        if (c == 0)
            return tags[mid].tag;
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return TAKC_HTML_OTHER;
}

void takc_html_tree_init(struct takc_html_tree *t)
{
    *t = (struct takc_html_tree){0};
    takc_buf_init(&t->raw, UINT32_MAX);
    takc_buf_init(&t->title, 16 << 10);
    takc_buf_init(&t->date, 256);
}

void takc_html_tree_clear(struct takc_html_tree *t)
{
    takc_free(t->nodes);
    takc_buf_clear(&t->raw);
    takc_buf_clear(&t->title);
    takc_buf_clear(&t->date);
    takc_html_tree_init(t);
}

struct takc_str takc_html_text(const struct takc_html_tree *t, const struct takc_html_node *n)
{
    if (n->map == TAKC_MAP_VERBATIM)
        return takc_str_n(t->src.ptr + n->at, n->len);
    return takc_str_n(t->raw.ptr + n->raw, n->len);
}

static size_t position(const struct parse *p)
{
    const xmlParserInput *in = p->ctxt->input;
    return in ? (size_t)(in->cur - in->base) + in->consumed : 0;
}

/* Remembers the first failure and makes libxml2 stop. */
static void stop(struct parse *p, enum takc_status st)
{
    if (!p->st) {
        p->st = st;
        xmlStopParser(p->ctxt);
    }
}

static struct takc_html_node *new_node(struct parse *p)
{
    struct takc_html_tree *t = p->t;
    enum takc_status st = TAKC_OK;
    if (t->n_nodes % CHECK_EVERY == 0)
        st = takc_call_check(p->call, p->err);
    if (!st && t->n_nodes == UINT32_MAX - 1)
        st = takc_fail(p->err, TAKC_REFUSED, 0, "more than 4 billion elements");
    if (!st)
        st = takc_grow(&t->nodes, &t->nodes_cap, t->n_nodes + 1, sizeof(*t->nodes), p->err);
    if (st) {
        stop(p, st);
        return NULL;
    }
    struct takc_html_node *n = &t->nodes[t->n_nodes++];
    *n = (struct takc_html_node){.end = (uint32_t)t->n_nodes};
    return n;
}

/* Dates of meta elements, the best first. */
static int date_rank(struct takc_str name)
{
    static const char *const names[] = {"last-modified",
                                        "article:modified_time",
                                        "dc.date.modified",
                                        "dcterms.modified",
                                        "og:updated_time",
                                        "dc.date",
                                        "date",
                                        "dc.date.issued",
                                        "dcterms.issued",
                                        "dcterms.created",
                                        "dcterms.date",
                                        "citation_publication_date",
                                        "article:published_time"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (takc_str_eq_nocase(name, takc_str(names[i])))
            return (int)i + 1;
    return 0;
}

static void note_meta(struct parse *p, const char *const *atts)
{
    struct takc_str content = takc_str("");
    int rank = 0;
    for (; atts && atts[0]; atts += 2) {
        if (!strcmp(atts[0], "name") || !strcmp(atts[0], "property") || !strcmp(atts[0], "http-equiv"))
            rank = date_rank(takc_str_trim(takc_str(atts[1])));
        else if (!strcmp(atts[0], "content"))
            content = takc_str_trim(takc_str(atts[1]));
    }
    if (rank <= p->t->date_rank || content.len == 0 || content.len > 64)
        return;
    takc_buf_reset(&p->t->date);
    enum takc_status st = takc_buf_add(&p->t->date, content, p->err);
    if (st)
        stop(p, st);
    p->t->date_rank = rank;
}

static void on_start(void *arg, const xmlChar *name, const xmlChar **xml_atts)
{
    struct parse *p = arg;
    const char *const *atts = (const char *const *)xml_atts;
    uint8_t tag = tag_of((const char *)name);
    if (p->st)
        return;
    if (p->depth == TAKC_READER_MAX_DEPTH) {
        stop(p, takc_fail(p->err, TAKC_REFUSED, 0, "elements nested more than %d deep at byte %zu", TAKC_READER_MAX_DEPTH, position(p)));
        return;
    }
    if (tag == TAKC_HTML_META)
        note_meta(p, atts);
    if (tag == TAKC_HTML_TITLE && !p->has_title && !p->dropped)
        p->in_title = p->has_title = true;
    struct takc_html_node *n = new_node(p);
    if (!n)
        return;
    n->tag = tag;
    n->flags = (uint16_t)takc_html_attr_flags(tag, atts);
    p->open[p->depth++] = (uint32_t)(n - p->t->nodes);
    p->dropped += (takc_html_class(tag) & TAKC_HTML_DROP) || (n->flags & TAKC_HTML_IS_GONE);
    p->links += tag == TAKC_HTML_A;
}

/* Closes the innermost open element and hands its counts to the one around it. */
static void close_element(struct parse *p)
{
    struct takc_html_tree *t = p->t;
    struct takc_html_node *n = &t->nodes[p->open[--p->depth]];
    n->end = (uint32_t)t->n_nodes;
    p->dropped -= (takc_html_class(n->tag) & TAKC_HTML_DROP) || (n->flags & TAKC_HTML_IS_GONE);
    p->links -= n->tag == TAKC_HTML_A;
    p->in_title = p->in_title && n->tag != TAKC_HTML_TITLE;
    if (takc_html_class(n->tag) & TAKC_HTML_DROP) /* its nodes are never looked at */
        t->n_nodes = p->open[p->depth];
    if (n->tag == TAKC_HTML_A && n->len) {
        n->n_links = 1;
        n->link_bytes = n->len;
    }
    n->flags |= (uint16_t)takc_html_close_flags(t, n);
    if (p->depth == 0 || (n->flags & TAKC_HTML_IS_GONE) || (takc_html_class(n->tag) & TAKC_HTML_DROP))
        return;
    struct takc_html_node *up = &t->nodes[p->open[p->depth - 1]];
    up->len += n->len;
    up->link_bytes += n->link_bytes;
    up->n_links += n->n_links;
}

static void on_end(void *arg, const xmlChar *name)
{
    struct parse *p = arg;
    uint8_t tag = tag_of((const char *)name);
    if (p->st)
        return;
    for (unsigned d = p->depth; d-- > 0;)
        if (p->t->nodes[p->open[d]].tag == tag) {
            while (p->depth > d)
                close_element(p);
            return;
        }
}

static uint32_t count_solid(const char *s, size_t n)
{
    uint32_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += (unsigned char)s[i] > ' ';
    return count;
}

static void add_piece(struct parse *p, uint8_t map, size_t at, size_t src_len, const char *s, size_t n)
{
    struct takc_html_tree *t = p->t;
    uint32_t raw = (uint32_t)t->raw.len;
    struct takc_html_node *last = t->n_nodes ? &t->nodes[t->n_nodes - 1] : NULL;
    if (map == TAKC_MAP_VERBATIM && last && last->tag == TAKC_HTML_TEXT && last->map == map && last->at + last->len == at &&
        last->end == t->n_nodes && p->depth && p->open[p->depth - 1] < t->n_nodes - 1) {
        last->len += (uint32_t)n;
    } else {
        if (map != TAKC_MAP_VERBATIM) {
            enum takc_status st = takc_buf_add(&t->raw, takc_str_n(s, n), p->err);
            if (st) {
                stop(p, st == TAKC_INVALID ? takc_fail(p->err, TAKC_REFUSED, 0, "text is over 4 GiB") : st);
                return;
            }
        }
        struct takc_html_node *node = new_node(p);
        if (!node)
            return;
        *node = (struct takc_html_node){.end = node->end, .len = (uint32_t)n, .src_len = (uint32_t)src_len, .map = map};
        node->at = (uint32_t)at;
        node->raw = raw;
    }
    t->n_unplaced += map == TAKC_MAP_UNSET ? n : 0;
    if (p->depth)
        t->nodes[p->open[p->depth - 1]].len += count_solid(s, n);
    if (map != TAKC_MAP_UNSET)
        p->last_end = at + src_len;
}

/* Verbatim bytes; a bare '<' among them is given no place, so that no run holds one. */
static void add_verbatim(struct parse *p, size_t at, const char *s, size_t n)
{
    for (size_t i = 0; i < n && !p->st;) {
        const char *lt = memchr(s + i, '<', n - i);
        size_t end = lt ? (size_t)(lt - s) : n;
        if (end > i)
            add_piece(p, TAKC_MAP_VERBATIM, at + i, end - i, s + i, end - i);
        if (lt && !p->st) {
            add_piece(p, TAKC_MAP_UNSET, 0, 0, "<", 1);
            end++;
            p->last_end = at + end;
        }
        i = end;
    }
}

/* The character that the reference ref (from '&' on) stands for, or 0. *out_len is its length, with the ';' if there is one. */
static uint32_t decode_reference(struct takc_str ref, size_t *out_len)
{
    size_t i = 1;
    uint32_t c = 0;
    if (ref.len > 2 && ref.ptr[1] == '#') {
        bool hex = ref.ptr[2] == 'x' || ref.ptr[2] == 'X';
        size_t first = i = hex ? 3 : 2;
        for (; i < ref.len && c < 0x110000; i++) {
            unsigned char b = (unsigned char)ref.ptr[i];
            unsigned letter = (b | 32u) - 'a', digit = b - '0';
            if (digit > 9 && !(hex && letter < 6))
                break;
            c = c * (hex ? 16 : 10) + (digit <= 9 ? digit : letter + 10);
        }
        if (i == first || c >= 0x110000)
            return 0;
    } else {
        char name[16];
        while (i < ref.len && i < sizeof(name) &&
               ((ref.ptr[i] | 32) >= 'a' ? (ref.ptr[i] | 32) <= 'z' : ref.ptr[i] >= '0' && ref.ptr[i] <= '9'))
            i++;
        memcpy(name, ref.ptr + 1, i - 1);
        name[i - 1] = '\0';
        const htmlEntityDesc *e = htmlEntityLookup((const xmlChar *)name);
        c = e ? e->value : 0;
    }
    *out_len = i + (i < ref.len && ref.ptr[i] == ';');
    return c;
}

/* Is s what the reference at byte at of the source says? */
static bool reference_at(const struct parse *p, size_t at, const char *s, size_t n, size_t *out_len)
{
    struct takc_str src = p->t->src;
    char bytes[4];
    if (at >= src.len || src.ptr[at] != '&')
        return false;
    size_t end = src.len - at > 40 ? at + 40 : src.len;
    uint32_t c = decode_reference(takc_str_slice(src, at, end), out_len);
    return c && c < 0x110000 && !(c >= 0xD800 && c < 0xE000) && takc_utf8_put(c, bytes) == n && memcmp(bytes, s, n) == 0;
}

/* Numeric references to 128..159 mean windows-1252 in practice, as browsers read them: "&#150;" is a dash. Such text gets no place, since
 * the reference says something else. */
static bool old_reference(const char *s, size_t n, char out[4], size_t *out_len)
{
    static const uint16_t meant[32] = {0x20AC, 0,      0x201A, 0x192,  0x201E, 0x2026, 0x2020, 0x2021, 0x2C6,  0x2030, 0x160,
                                       0x2039, 0x152,  0,      0x17D,  0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
                                       0x2013, 0x2014, 0x2DC,  0x2122, 0x161,  0x203A, 0x153,  0,      0x17E,  0x178};
    if (n != 2 || (unsigned char)s[0] != 0xC2 || (unsigned char)s[1] >= 0xA0 || !meant[(unsigned char)s[1] - 0x80])
        return false;
    *out_len = takc_utf8_put(meant[(unsigned char)s[1] - 0x80], out);
    return true;
}

static bool same_at(const struct parse *p, size_t at, const char *s, size_t n)
{
    return at >= p->last_end && at <= p->t->src.len && n <= p->t->src.len - at && memcmp(p->t->src.ptr + at, s, n) == 0;
}

static void place_text(struct parse *p, const char *s, size_t n)
{
    size_t pos = position(p), len;
    char meant[4];
    if (old_reference(s, n, meant, &len)) {
        add_piece(p, TAKC_MAP_UNSET, 0, 0, meant, len);
        return;
    }
    size_t before = pos >= n ? pos - n : SIZE_MAX;
    if (before != SIZE_MAX && same_at(p, before, s, n)) {
        add_verbatim(p, before, s, n);
        return;
    }
    /* a piece that was cut at the parser's limit: the place is that of its last character */
    size_t last = 1;
    while (last < n && last < 4 && ((unsigned char)s[n - last] & 0xC0) == 0x80)
        last++;
    if (before != SIZE_MAX && n > 4 && same_at(p, before + last, s, n)) {
        add_verbatim(p, before + last, s, n);
        return;
    }
    for (size_t at = pos < p->t->src.len ? pos : p->t->src.len, n_back = 0; n <= 4 && at-- > p->last_end && n_back < 40; n_back++)
        if (reference_at(p, at, s, n, &len) && at + len <= pos + 1) {
            add_piece(p, TAKC_MAP_DECODED, at, len, s, n);
            return;
        }
    if (same_at(p, p->last_end, s, n))
        add_verbatim(p, p->last_end, s, n);
    else
        add_piece(p, TAKC_MAP_UNSET, 0, 0, s, n);
}

static void on_text(void *arg, const xmlChar *s, int n)
{
    struct parse *p = arg;
    if (p->st || n <= 0)
        return;
    if (p->in_title) {
        enum takc_status st = takc_buf_add(&p->t->title, takc_str_n((const char *)s, (size_t)n), p->err);
        if (st && st != TAKC_INVALID) /* a title over its limit is cut */
            stop(p, st);
        return;
    }
    if (!p->dropped && p->depth)
        place_text(p, (const char *)s, (size_t)n);
}

static void ignore_error(void *arg, const xmlError *error)
{
    (void)arg;
    (void)error;
}

/* Position behind the next end, or the end of s. */
static size_t behind(struct takc_str s, const char *end, size_t from)
{
    size_t at = takc_str_find(s, takc_str(end), from);
    return at == SIZE_MAX ? s.len : at + strlen(end);
}

/* Walks the tag that begins at *at and moves *at to its end; words outside quoted values, as the parser cuts it. */
static size_t count_words(struct takc_str s, size_t *at)
{
    size_t n_words = 0, i = *at;
    bool in_word = false;
    for (; i < s.len && s.ptr[i] != '>' && n_words <= MAX_ATTRIBUTES + 1; i++) {
        char c = s.ptr[i];
        if ((c == '"' || c == '\'') && s.ptr[i - 1] == '=') {
            const char *q = memchr(s.ptr + i + 1, c, s.len - i - 1);
            i = q ? (size_t)(q - s.ptr) : s.len - 1;
            in_word = false;
            continue;
        }
        bool solid = (unsigned char)c > ' ' && c != '/';
        n_words += solid && !in_word;
        in_word = solid;
    }
    *at = i;
    return n_words;
}

/* The byte of the first element with too many attributes, or SIZE_MAX. Comments and scripts are stepped over. */
static size_t crowded_element(struct takc_str s)
{
    for (size_t i = 0; i < s.len;) {
        const char *lt = memchr(s.ptr + i, '<', s.len - i);
        size_t at = lt ? (size_t)(lt - s.ptr) : s.len;
        if (s.len - at < 2)
            break;
        i = at + 1;
        struct takc_str tag = takc_str_slice(s, i, s.len - i > 6 ? i + 6 : s.len);
        if (takc_str_starts(tag, takc_str("!--"))) {
            i = behind(s, "-->", i);
        } else if ((tag.ptr[0] | 32) >= 'a' && (tag.ptr[0] | 32) <= 'z') {
            if (count_words(s, &i) > MAX_ATTRIBUTES + 1)
                return at;
            if (takc_str_eq_nocase(tag, takc_str("script")))
                i = behind(s, "</", i);
        }
    }
    return SIZE_MAX;
}

static void init_libxml(void)
{
    xmlInitParser();
}

static void set_handlers(htmlParserCtxtPtr ctxt)
{
    xmlSAXHandler *sax = ctxt->sax;
    memset(sax, 0, sizeof(*sax));
    sax->startElement = on_start;
    sax->endElement = on_end;
    sax->characters = on_text;
    sax->ignorableWhitespace = on_text;
    sax->serror = (xmlStructuredErrorFunc)ignore_error;
    sax->initialized = XML_SAX2_MAGIC;
}

enum takc_status takc_html_tree_parse(struct takc_html_tree *t, struct takc_str src, struct takc_call *call, struct takc_err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, init_libxml);
    if (src.len > INT_MAX - 1)
        return takc_fail(err, TAKC_REFUSED, 0, "page of %zu bytes is over 2 GiB", src.len);
    size_t crowded = crowded_element(src);
    if (crowded != SIZE_MAX)
        return takc_fail(err, TAKC_REFUSED, 0, "element with more than %d attributes at byte %zu", MAX_ATTRIBUTES, crowded);
    if (takc_str_trim(src).len == 0)
        return TAKC_OK;
    t->src = src;
    htmlParserCtxtPtr ctxt = htmlCreateMemoryParserCtxt(src.ptr, (int)src.len);
    if (!ctxt)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for the HTML parser");
    struct parse p = {.t = t, .ctxt = ctxt, .call = call, .err = err};
    (void)htmlCtxtUseOptions(ctxt, HTML_PARSE_RECOVER | HTML_PARSE_NODEFDTD | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET |
                                       HTML_PARSE_IGNORE_ENC);
    set_handlers(ctxt);
    ctxt->userData = &p;
    ctxt->charset = XML_CHAR_ENCODING_UTF8;
    ctxt->encoding = xmlStrdup((const xmlChar *)"UTF-8"); /* no guessing: it has been transcoded */
    (void)htmlParseDocument(ctxt);
    while (p.depth && !p.st)
        close_element(&p);
    if (!p.st && (!ctxt->encoding || ctxt->errNo == XML_ERR_NO_MEMORY))
        p.st = takc_fail(err, TAKC_NOMEM, 0, "no memory for the HTML parser");
    if (ctxt->myDoc)
        xmlFreeDoc(ctxt->myDoc);
    ctxt->myDoc = NULL;
    htmlFreeParserCtxt(ctxt);
    return p.st;
}
