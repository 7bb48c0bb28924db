/* SPDX-License-Identifier: Apache-2.0
 *
 * doc/html_tree.h - an HTML page as a flat array of nodes in document order, made from libxml2's events by html_tree.c, walked by html.c.
 *
 * An element owns the nodes up to its end; a text node knows the source bytes it came from as far as they were proved equal. Marks that
 * need a look at the whole element (navigation, a symbol-only link) are set when it closes. Threads: one at a time. */
#ifndef TAKC_DOC_HTML_TREE_H
#define TAKC_DOC_HTML_TREE_H

#include "base/buf.h"
#include "takc/call.h"

/* What an element does to the text; the names of elements not listed are inline. Sorted by name. */
enum takc_html_class {
    TAKC_HTML_INLINE = 0,
    TAKC_HTML_BLOCK = 1 << 0, /* begins and ends a block */
    TAKC_HTML_DROP = 1 << 1,  /* its text is no knowledge */
    TAKC_HTML_LIST = 1 << 2
};

#define TAKC_HTML_TAGS(X)                                                                                                                  \
    X(A, a, 0)                                                                                                                             \
    X(ADDRESS, address, 1)                                                                                                                 \
    X(APPLET, applet, 2)                                                                                                                   \
    X(ARTICLE, article, 1)                                                                                                                 \
    X(ASIDE, aside, 1)                                                                                                                     \
    X(AUDIO, audio, 2)                                                                                                                     \
    X(BLOCKQUOTE, blockquote, 1)                                                                                                           \
    X(BODY, body, 1)                                                                                                                       \
    X(BR, br, 0)                                                                                                                           \
    X(BUTTON, button, 2)                                                                                                                   \
    X(CANVAS, canvas, 2)                                                                                                                   \
    X(CAPTION, caption, 1)                                                                                                                 \
    X(CENTER, center, 1)                                                                                                                   \
    X(DATALIST, datalist, 2)                                                                                                               \
    X(DD, dd, 1)                                                                                                                           \
    X(DETAILS, details, 1)                                                                                                                 \
    X(DIALOG, dialog, 1)                                                                                                                   \
    X(DIR, dir, 5)                                                                                                                         \
    X(DIV, div, 1)                                                                                                                         \
    X(DL, dl, 5)                                                                                                                           \
    X(DT, dt, 1)                                                                                                                           \
    X(EMBED, embed, 2)                                                                                                                     \
    X(FIELDSET, fieldset, 1)                                                                                                               \
    X(FIGCAPTION, figcaption, 1)                                                                                                           \
    X(FIGURE, figure, 1)                                                                                                                   \
    X(FOOTER, footer, 1)                                                                                                                   \
    X(FORM, form, 1)                                                                                                                       \
    X(H1, h1, 1)                                                                                                                           \
    X(H2, h2, 1)                                                                                                                           \
    X(H3, h3, 1)                                                                                                                           \
    X(H4, h4, 1)                                                                                                                           \
    X(H5, h5, 1)                                                                                                                           \
    X(H6, h6, 1)                                                                                                                           \
    X(HEAD, head, 1)                                                                                                                       \
    X(HEADER, header, 1)                                                                                                                   \
    X(HGROUP, hgroup, 1)                                                                                                                   \
    X(HR, hr, 1)                                                                                                                           \
    X(HTML, html, 1)                                                                                                                       \
    X(IFRAME, iframe, 2)                                                                                                                   \
    X(LEGEND, legend, 1)                                                                                                                   \
    X(LI, li, 1)                                                                                                                           \
    X(LISTING, listing, 1)                                                                                                                 \
    X(MAIN, main, 1)                                                                                                                       \
    X(MAP, map, 2)                                                                                                                         \
    X(MENU, menu, 5)                                                                                                                       \
    X(META, meta, 0)                                                                                                                       \
    X(NAV, nav, 1)                                                                                                                         \
    X(NOSCRIPT, noscript, 2)                                                                                                               \
    X(OBJECT, object, 2)                                                                                                                   \
    X(OL, ol, 5)                                                                                                                           \
    X(P, p, 1)                                                                                                                             \
    X(PRE, pre, 1)                                                                                                                         \
    X(SCRIPT, script, 2)                                                                                                                   \
    X(SECTION, section, 1)                                                                                                                 \
    X(SELECT, select, 2)                                                                                                                   \
    X(STYLE, style, 2)                                                                                                                     \
    X(SUMMARY, summary, 1)                                                                                                                 \
    X(SUP, sup, 0)                                                                                                                         \
    X(SVG, svg, 2)                                                                                                                         \
    X(TABLE, table, 1)                                                                                                                     \
    X(TBODY, tbody, 1)                                                                                                                     \
    X(TD, td, 1)                                                                                                                           \
    X(TEMPLATE, template, 2)                                                                                                               \
    X(TEXTAREA, textarea, 2)                                                                                                               \
    X(TFOOT, tfoot, 1)                                                                                                                     \
    X(TH, th, 1)                                                                                                                           \
    X(THEAD, thead, 1)                                                                                                                     \
    X(TITLE, title, 2)                                                                                                                     \
    X(TR, tr, 1)                                                                                                                           \
    X(UL, ul, 5)                                                                                                                           \
    X(VIDEO, video, 2)                                                                                                                     \
    X(XMP, xmp, 1)

enum takc_html_tag {
    TAKC_HTML_TEXT = 0, /* no element */
    TAKC_HTML_OTHER,
#define X(id, name, cls) TAKC_HTML_##id,
    TAKC_HTML_TAGS(X)
#undef X
        TAKC_HTML_N_TAGS
};

enum takc_html_flags {
    TAKC_HTML_IS_NAV = 1 << 0,   /* navigation, footer, cookie bar: hidden */
    TAKC_HTML_IS_GONE = 1 << 1,  /* left out of the text: headerlinks, edit links, line numbers */
    TAKC_HTML_MAYBE_NAV = 1 << 2 /* named like navigation: it is when most of it is links */
};

struct takc_html_node {
    uint32_t end; /* element: index behind its last node; text: its own index + 1 */
    uint32_t len; /* text: bytes. element: bytes of text in it that are not blank */
    union {
        uint32_t at;         /* text: source offset */
        uint32_t link_bytes; /* element: those that stand in links */
    };
    union {
        uint32_t raw;     /* text that is not verbatim: offset in tree.raw */
        uint32_t n_links; /* element */
    };
    uint32_t src_len; /* decoded text: source bytes */
    uint8_t tag;      /* enum takc_html_tag */
    uint8_t map;      /* text: enum takc_map_kind, TAKC_MAP_UNSET when the place is not known */
    uint16_t flags;   /* enum takc_html_flags */
};

struct takc_html_tree {
    struct takc_str src; /* borrowed: valid UTF-8 */
    struct takc_html_node *nodes;
    size_t n_nodes, nodes_cap;
    struct takc_buf raw;   /* text that is not verbatim in the source */
    struct takc_buf title; /* of <title> */
    struct takc_buf date;  /* of the best meta element */
    int date_rank;
    uint64_t n_unplaced; /* text bytes without a place */
};

/* An empty tree; the storage of the struct is the caller's. */
void takc_html_tree_init(struct takc_html_tree *t);
/* Frees; twice is harmless. */
void takc_html_tree_clear(struct takc_html_tree *t);
/* Parses src (valid UTF-8; borrowed as long as the tree lives). REFUSED with the byte for nesting over TAKC_READER_MAX_DEPTH and for an
 * element with more than 1,000 attributes; NOMEM, CANCELLED, TIMEOUT. */
TAKC_CHECK enum takc_status takc_html_tree_parse(struct takc_html_tree *t, struct takc_str src, struct takc_call *call,
                                                 struct takc_err *err);
/* enum takc_html_class of a tag. */
unsigned takc_html_class(uint8_t tag);
/* The bytes of a text node. */
struct takc_str takc_html_text(const struct takc_html_tree *t, const struct takc_html_node *n);
/* Flags that the attributes of an element give it (html_nav.c): name and value pairs, NULL-terminated. */
unsigned takc_html_attr_flags(uint8_t tag, const char *const *atts);
/* Flags that its content gives it when it closes: n is the element, complete. */
unsigned takc_html_close_flags(const struct takc_html_tree *t, const struct takc_html_node *n);

#endif
