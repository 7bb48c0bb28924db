/* SPDX-License-Identifier: Apache-2.0
 *
 * html_nav.c - what of a page is no knowledge: navigation, footers, cookie bars (hidden), permalinks, edit links, line numbers (gone).
 * Told by roles, by class names that documentation tools and wikis use, and by content: a list that is nearly all links. */
#include "doc/doc.h"
#include "doc/html_tree.h"

/* Class or id words that mean navigation whatever stands inside. */
static const char *const nav_words[] = {
    "bd-sidebar",    "breadcrumb",     "breadcrumbs",    "catlinks",      "md-footer",          "md-header",
    "md-sidebar",    "md-tabs",        "mw-jump-link",   "mw-navigation", "genindex-jumpbox",   "navbar",
    "navbox",        "navfooter",      "navheader",      "noprint",       "page-footer",        "pager",
    "pagination",    "prev-next-area", "printfooter",    "related-links", "rst-footer-buttons", "rst-versions",
    "share-buttons", "sidebar-nav",    "site-footer",    "site-nav",      "skip-link",          "skiplink",
    "sphinxsidebar", "toc-drawer",     "wy-breadcrumbs", "wy-nav-side",   "wy-nav-top",         NULL};
/* Those that mean it when most of the text is links. */
static const char *const maybe_words[] = {"contents", "footer",  "genindextable",   "header",  "indextable", "links",
                                          "menu",     "nav",     "navigation",      "related", "sidebar",    "tags",
                                          "toc",      "toctree", "toctree-wrapper", NULL};
/* Inline things that are no words of the text. */
static const char *const gone_words[] = {
    "copybtn", "fn-backref", "footnote-backref", "footnote-reference", "headerlink", "linenodiv", "linenos", "mw-editsection", NULL};
static const char *const nav_roles[] = {"banner", "contentinfo", "directory", "doc-toc", "menu", "menubar", "navigation", "search", NULL};

static bool listed(const char *const *list, struct takc_str word)
{
    for (size_t i = 0; list[i]; i++)
        if (takc_str_eq_nocase(word, takc_str(list[i])))
            return true;
    return false;
}

static bool next_word(struct takc_str *rest, struct takc_str *out)
{
    size_t i = 0, j;
    while (i < rest->len && (unsigned char)rest->ptr[i] <= ' ')
        i++;
    for (j = i; j < rest->len && (unsigned char)rest->ptr[j] > ' '; j++)
        ;
    *out = takc_str_slice(*rest, i, j);
    *rest = takc_str_slice(*rest, j, rest->len);
    return out->len > 0;
}

static bool mentions(struct takc_str s, const char *what)
{
    return takc_str_find(s, takc_str(what), 0) != SIZE_MAX;
}

static unsigned flags_of_words(uint8_t tag, struct takc_str words)
{
    unsigned flags = 0;
    struct takc_str w;
    while (next_word(&words, &w)) {
        if (listed(gone_words, w) || (tag == TAKC_HTML_SUP && (takc_str_is(w, "reference") || takc_str_is(w, "footnote"))))
            flags |= TAKC_HTML_IS_GONE;
        else if (listed(nav_words, w))
            flags |= TAKC_HTML_IS_NAV;
        else if (listed(maybe_words, w) || mentions(w, "cookie") || mentions(w, "consent") || mentions(w, "gdpr"))
            flags |= TAKC_HTML_MAYBE_NAV;
        if (mentions(w, "cookie") && (mentions(w, "banner") || mentions(w, "bar") || mentions(w, "notice") || mentions(w, "consent")))
            flags |= TAKC_HTML_IS_NAV;
    }
    return flags;
}

unsigned takc_html_attr_flags(uint8_t tag, const char *const *atts)
{
    unsigned flags = tag == TAKC_HTML_NAV ? TAKC_HTML_IS_NAV : 0;
    for (; atts && atts[0]; atts += 2) {
        struct takc_str name = takc_str(atts[0]), value = takc_str(atts[1]);
        if (takc_str_is(name, "class") || takc_str_is(name, "id"))
            flags |= flags_of_words(tag, value);
        else if (takc_str_is(name, "role") && listed(nav_roles, takc_str_trim(value)))
            flags |= TAKC_HTML_IS_NAV;
        else if (takc_str_is(name, "role") && takc_str_is(value, "doc-noteref"))
            flags |= TAKC_HTML_IS_GONE;
        else if (takc_str_is(name, "hidden") || (takc_str_is(name, "aria-hidden") && takc_str_is(value, "true")))
            flags |= TAKC_HTML_IS_NAV;
        else if (takc_str_is(name, "style") && (mentions(value, "display:none") || mentions(value, "display: none")))
            flags |= TAKC_HTML_IS_NAV;
    }
    if (tag == TAKC_HTML_FOOTER || tag == TAKC_HTML_ASIDE || tag == TAKC_HTML_HEADER)
        flags |= TAKC_HTML_MAYBE_NAV;
    if (tag == TAKC_HTML_BODY || tag == TAKC_HTML_HTML || tag == TAKC_HTML_MAIN)
        return 0; /* names of the whole page's layout ("toc-left") say nothing about its text */
    if ((flags & TAKC_HTML_IS_NAV) && !(takc_html_class(tag) & TAKC_HTML_BLOCK))
        flags |= TAKC_HTML_IS_GONE; /* part of a line: cannot be hidden, so it is left out */
    return flags;
}

/* Is the text of a link only a sign, such as a pilcrow or an arrow back? */
static bool only_sign(const struct takc_html_tree *t, const struct takc_html_node *n)
{
    static const char *const signs[] = {"\xC2\xB6", "#", "\xC2\xA7", "\xE2\x86\xA9", "\xF0\x9F\x94\x97", "^", "\xE2\x86\x91", NULL};
    const struct takc_html_node *end = t->nodes + n->end;
    char text[8];
    size_t len = 0;
    if (n->len > sizeof(text))
        return false;
    for (const struct takc_html_node *c = n + 1; c < end; c++) {
        struct takc_str s = c->tag == TAKC_HTML_TEXT ? takc_str_trim(takc_html_text(t, c)) : takc_str("");
        if (s.len > sizeof(text) - len)
            return false;
        if (s.len)
            memcpy(text + len, s.ptr, s.len);
        len += s.len;
    }
    return listed(signs, takc_str_n(text, len));
}

static bool has_tag(const struct takc_html_tree *t, const struct takc_html_node *n, uint8_t tag)
{
    for (const struct takc_html_node *c = n + 1; c < t->nodes + n->end; c++)
        if (c->tag == tag)
            return true;
    return false;
}

/* A bar of links such as "Prev | Up | Next". */
static bool link_bar(const struct takc_html_tree *t, const struct takc_html_node *n)
{
    static const char *const words[] = {"back",  "contents", "edit",     "home",         "index",        "next", "prev", "previous",
                                        "print", "share",    "skip",     "to",           "content",      "main", "top",  "up",
                                        "|",     "\xC2\xAB", "\xC2\xBB", "\xE2\x86\x90", "\xE2\x86\x92", "<",    ">",    "<<",
                                        ">>",    "of",       "this",     "page",         "the",          NULL};
    if (n->len > 120 || !n->n_links)
        return false;
    for (const struct takc_html_node *c = n + 1; c < t->nodes + n->end; c++) {
        if (c->tag != TAKC_HTML_TEXT)
            continue;
        struct takc_str rest = takc_html_text(t, c), w;
        while (next_word(&rest, &w))
            if (!listed(words, w))
                return false;
    }
    return true;
}

unsigned takc_html_close_flags(const struct takc_html_tree *t, const struct takc_html_node *n)
{
    bool links = n->n_links && (uint64_t)n->link_bytes * 5 > (uint64_t)n->len * 4, mostly = (uint64_t)n->link_bytes * 2 > n->len;
    if (n->tag == TAKC_HTML_A)
        return n->len && n->len <= 8 && only_sign(t, n) ? TAKC_HTML_IS_GONE : 0;
    if ((takc_html_class(n->tag) & TAKC_HTML_LIST) && links && n->n_links >= 2)
        return TAKC_HTML_IS_NAV;
    if (n->tag == TAKC_HTML_FOOTER)
        return TAKC_HTML_IS_NAV;
    if (n->tag == TAKC_HTML_HEADER && mostly && !has_tag(t, n, TAKC_HTML_H1))
        return TAKC_HTML_IS_NAV;
    if ((n->flags & TAKC_HTML_MAYBE_NAV) && n->tag != TAKC_HTML_HEADER && mostly && (takc_html_class(n->tag) & TAKC_HTML_BLOCK))
        return TAKC_HTML_IS_NAV;
    if ((n->tag == TAKC_HTML_P || n->tag == TAKC_HTML_DIV || n->tag == TAKC_HTML_TABLE) && links && link_bar(t, n))
        return TAKC_HTML_IS_NAV;
    return 0;
}
