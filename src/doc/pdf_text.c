/* SPDX-License-Identifier: Apache-2.0
 *
 * pdf_text.c - pages, running headers and tables of contents in the output of pdftotext (pdf_text.h).
 *
 * A page's edges are its first and last two lines. A line there is hidden when it carries the page number - the number at its beginning or
 * end is the page's ordinal plus the same offset as on many other pages, which also catches headers that name the chapter - when it is a
 * roman number alone, or when it stands, digits masked, at the edges of many pages. A line of contents has dot leaders and a number behind
 * them; a short line between such lines that ends in a number belongs to them. */
#include "doc/pdf_text.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "doc/lines.h"

#include <stdlib.h>

enum {
    EDGE_LINES = 2,
    MIN_PAGES = 3,      /* repeating on two pages may be chance */
    HEADER_CHARS = 160, /* longer lines are text */
    MIN_LEADERS = 4,    /* dots that make a leader */
    CONTENTS_GAP = 3,   /* lines between two lines of contents that may belong to them */
    LETTERS_A_PAGE = 3  /* fewer: a scan with a stamp on it */
};

struct line {
    uint32_t start, end; /* trimmed */
    uint32_t page;       /* from 0 */
    bool edge, hidden, contents;
};

struct vote {
    uint64_t key;
    uint32_t line;
};

struct pages {
    struct takc_str text;
    struct line *v;
    size_t n, cap;
    struct vote *votes;
    size_t n_votes, votes_cap;
    struct takc_lines_range *hidden;
    size_t n_hidden, hidden_cap;
    uint32_t n_pages;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
    return (unsigned char)c <= ' ';
}

/* Lines that are not blank, with their pages. */
static enum takc_status cut_lines(struct pages *p, struct takc_err *err)
{
    struct takc_str t = p->text;
    for (size_t at = 0; at < t.len;) {
        size_t nl = takc_str_find_byte(t, '\n', at), end = nl == SIZE_MAX ? t.len : nl, from = at;
        for (; from < end && is_blank(t.ptr[from]); from++)
            p->n_pages += t.ptr[from] == '\f';
        size_t to = end;
        while (to > from && is_blank(t.ptr[to - 1]))
            to--;
        if (to > from) {
            enum takc_status st = takc_grow(&p->v, &p->cap, p->n + 1, sizeof(*p->v), err);
            if (st)
                return st;
            p->v[p->n++] = (struct line){.start = (uint32_t)from, .end = (uint32_t)to, .page = p->n_pages};
        }
        for (; to < end; to++)
            p->n_pages += t.ptr[to] == '\f';
        at = end + 1;
    }
    return TAKC_OK;
}

static void mark_edges(struct pages *p)
{
    for (size_t i = 0, end; i < p->n; i = end) {
        for (end = i; end < p->n && p->v[end].page == p->v[i].page; end++)
            ;
        for (size_t k = 0; k < EDGE_LINES && k < end - i; k++)
            p->v[i + k].edge = p->v[end - 1 - k].edge = true;
    }
}

/* The number at the beginning (or end) of a line, as a word of its own; UINT32_MAX for none. */
static uint32_t edge_number(struct takc_str s, bool last)
{
    size_t i = last ? s.len : 0, n = 0;
    uint32_t value = 0, unit = 1;
    for (; n < 5 && (last ? i > 0 && is_digit(s.ptr[i - 1]) : i < s.len && is_digit(s.ptr[i])); n++) {
        uint32_t digit = (uint32_t)(s.ptr[last ? --i : i++] - '0');
        value = last ? value + digit * unit : value * 10 + digit;
        unit *= 10;
    }
    bool word = last ? i == 0 || is_blank(s.ptr[i - 1]) : i == s.len || is_blank(s.ptr[i]);
    return n && n < 5 && word ? value : UINT32_MAX;
}

static size_t count_chars(struct takc_str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += !is_blank(s.ptr[i]) || (i > 0 && !is_blank(s.ptr[i - 1]));
    return n;
}

static struct takc_str line_text(const struct pages *p, const struct line *v)
{
    return takc_str_slice(p->text, v->start, v->end);
}

static int by_key(const void *a, const void *b)
{
    const struct vote *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->line < y->line ? -1 : x->line > y->line;
}

static enum takc_status add_vote(struct pages *p, uint64_t key, size_t line, struct takc_err *err)
{
    enum takc_status st = takc_grow(&p->votes, &p->votes_cap, p->n_votes + 1, sizeof(*p->votes), err);
    if (!st)
        p->votes[p->n_votes++] = (struct vote){key, (uint32_t)line};
    return st;
}

/* Hides the lines of every key that stands on enough different pages. */
static void count_votes(struct pages *p, size_t least)
{
    if (p->n_votes)
        qsort(p->votes, p->n_votes, sizeof(*p->votes), by_key);
    for (size_t i = 0, end; i < p->n_votes; i = end) {
        size_t n_pages = 0;
        for (end = i; end < p->n_votes && p->votes[end].key == p->votes[i].key; end++)
            n_pages += end == i || p->v[p->votes[end].line].page != p->v[p->votes[end - 1].line].page;
        for (size_t k = i; k < end && n_pages >= least; k++)
            p->v[p->votes[k].line].hidden = true;
    }
    p->n_votes = 0;
}

static enum takc_status hide_numbered(struct pages *p, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; i < p->n && !st; i++) {
        struct takc_str s = line_text(p, &p->v[i]);
        if (!p->v[i].edge || count_chars(s) > HEADER_CHARS)
            continue;
        uint32_t first = edge_number(s, false), last = edge_number(s, true);
        if (first != UINT32_MAX)
            st = add_vote(p, (uint64_t)first + UINT32_MAX - p->v[i].page, i, err);
        if (!st && last != UINT32_MAX && last != first)
            st = add_vote(p, (uint64_t)last + UINT32_MAX - p->v[i].page, i, err);
    }
    size_t least = p->n_pages / 5 > MIN_PAGES ? p->n_pages / 5 : MIN_PAGES;
    count_votes(p, least);
    return st;
}

/* Hash of a line with blanks folded and digits masked. */
static uint64_t masked_hash(struct takc_str s)
{
    char out[256];
    size_t n = 0;
    for (size_t i = 0; i < s.len && n < sizeof(out); i++) {
        char c = is_digit(s.ptr[i]) ? '#' : is_blank(s.ptr[i]) ? ' ' : s.ptr[i];
        if (n == 0 || c != out[n - 1] || (c != '#' && c != ' '))
            out[n++] = c;
    }
    return takc_hash64(takc_str_n(out, n), 0);
}

static enum takc_status hide_repeated(struct pages *p, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; i < p->n && !st; i++) {
        struct takc_str s = line_text(p, &p->v[i]);
        if (p->v[i].edge && count_chars(s) <= HEADER_CHARS && s.ptr[0] != '|')
            st = add_vote(p, masked_hash(s), i, err);
    }
    size_t least = p->n_pages / 10 > MIN_PAGES ? p->n_pages / 10 : MIN_PAGES;
    count_votes(p, least);
    return st;
}

static void hide_roman(struct pages *p)
{
    for (size_t i = 0; i < p->n; i++) {
        struct takc_str s = line_text(p, &p->v[i]);
        size_t n = 0;
        while (n < s.len && n < 8 && strchr("ivxlc", s.ptr[n]))
            n++;
        bool last_of_page = i + 1 == p->n || p->v[i + 1].page != p->v[i].page, first_of_page = i == 0 || p->v[i - 1].page != p->v[i].page;
        if (n && n == s.len && (last_of_page || first_of_page))
            p->v[i].hidden = true;
    }
}

/* A line with dot leaders, ending in a page number: "2.1 Start . . . . . 5", "Index ........ xii". */
static bool has_leaders(struct takc_str s)
{
    size_t i = s.len, dots = 0;
    while (i > 0 && !is_blank(s.ptr[i - 1]) && s.ptr[i - 1] != '.' && s.len - i < 8)
        i--;
    struct takc_str number = takc_str_slice(s, i, s.len);
    for (size_t k = 0; k < number.len; k++)
        if (!is_digit(number.ptr[k]) && !strchr("ivxlcIVXLC-", number.ptr[k]))
            return false;
    for (; i > 0 && (s.ptr[i - 1] == '.' || is_blank(s.ptr[i - 1])); i--)
        dots += s.ptr[i - 1] == '.';
    return number.len && i > 0 && dots >= MIN_LEADERS;
}

/* Lines of contents, and what stands between and directly above them on the same page. */
static void hide_contents(struct pages *p)
{
    for (size_t i = 0; i < p->n; i++)
        p->v[i].contents = has_leaders(line_text(p, &p->v[i]));
    for (size_t i = 0; i < p->n; i++) {
        struct line *v = &p->v[i];
        bool near = false, above = false;
        if (v->contents || v->hidden) {
            v->hidden = true;
            continue;
        }
        for (size_t k = 1; k <= CONTENTS_GAP; k++) {
            near |= i >= k && p->v[i - k].contents && p->v[i - k].page == v->page;
            above |= i + k < p->n && p->v[i + k].contents && p->v[i + k].page == v->page;
        }
        struct takc_str s = line_text(p, v);
        bool named = takc_str_eq_nocase(s, takc_str("contents")) || takc_str_eq_nocase(s, takc_str("table of contents"));
        v->hidden = ((near || above) && edge_number(s, true) != UINT32_MAX && count_chars(s) <= HEADER_CHARS) || named;
    }
}

/* "CHAPTER" with its number on a line of its own, above the name of the chapter. */
static void hide_chapter_marks(struct pages *p)
{
    for (size_t i = 0; i < p->n; i++) {
        struct takc_str s = line_text(p, &p->v[i]);
        bool mark = takc_str_eq_nocase(s, takc_str("chapter")) || takc_str_eq_nocase(s, takc_str("appendix"));
        if (!mark || i + 2 >= p->n || p->v[i + 2].page != p->v[i].page || count_chars(line_text(p, &p->v[i + 1])) > 12)
            continue;
        p->v[i].hidden = p->v[i + 1].hidden = true;
    }
}

static enum takc_status collect_hidden(struct pages *p, struct takc_err *err)
{
    for (size_t i = 0; i < p->n; i++) {
        if (!p->v[i].hidden)
            continue;
        enum takc_status st = takc_grow(&p->hidden, &p->hidden_cap, p->n_hidden + 1, sizeof(*p->hidden), err);
        if (st)
            return st;
        p->hidden[p->n_hidden++] = (struct takc_lines_range){p->v[i].start, p->v[i].end};
    }
    return TAKC_OK;
}

/* The bytes as valid UTF-8 without characters that no text has. */
static enum takc_status take_text(struct takc_doc *d, struct takc_str bytes, struct takc_err *err)
{
    size_t replaced = 0;
    enum takc_status st = takc_utf8_repair(&d->text, bytes, &replaced, err);
    if (st)
        return st == TAKC_INVALID ? takc_fail(err, TAKC_REFUSED, 0, "text is over the limit of %zu bytes", d->text.max) : st;
    d->n_replaced += replaced;
    for (size_t i = 0; i < d->text.len; i++) {
        char *c = &d->text.ptr[i];
        if (((unsigned char)*c < ' ' && *c != '\n' && *c != '\t' && *c != '\f') || *c == 0x7F)
            *c = ' ';
    }
    return TAKC_OK;
}

static enum takc_status check_letters(const struct pages *p, struct takc_err *err)
{
    size_t letters = 0, most = (size_t)LETTERS_A_PAGE * (p->n_pages ? p->n_pages : 1);
    for (size_t i = 0; i < p->text.len && letters <= most; i++) {
        unsigned char c = (unsigned char)p->text.ptr[i];
        letters += ((c | 32) >= 'a' && (c | 32) <= 'z') || c >= 0xC0; /* a character beyond ASCII counts once */
    }
    if (letters > most)
        return TAKC_OK;
    return takc_fail(err, TAKC_REFUSED, 0, "no text layer (scanned?): %zu letters on %u pages", letters, p->n_pages);
}

/* Depth of a section number at the beginning of a heading: "4.9.2 The dak ls utility" 3; 0 for anything else. One part ("2 Name") is too
 * little to tell a heading from a list. */
static unsigned section_depth(struct takc_str s)
{
    unsigned parts = 0;
    size_t i = 0, n_words = 1;
    while (i < s.len && is_digit(s.ptr[i]) && parts < 9) {
        size_t from = i;
        while (i < s.len && is_digit(s.ptr[i]))
            i++;
        if (i - from > 3)
            return 0;
        parts++;
        if (i + 1 < s.len && s.ptr[i] == '.')
            i++;
    }
    if (parts < 2 || i >= s.len || s.ptr[i] != ' ')
        return 0;
    for (size_t k = i; k < s.len; k++)
        n_words += is_blank(s.ptr[k]) && !is_blank(s.ptr[k - 1]);
    while (i < s.len && is_blank(s.ptr[i]))
        i++;
    unsigned char c = i < s.len ? (unsigned char)s.ptr[i] : 0, last = (unsigned char)s.ptr[s.len - 1];
    bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c >= 0xC0;
    return letter && n_words <= 14 && !strchr(".;,:", last) && memchr(s.ptr, '\n', s.len) == NULL ? parts : 0;
}

/* Does an empty line, a page break or a hidden block stand before block i? */
static bool stands_alone(const struct takc_doc *d, size_t i)
{
    const struct takc_block *b = &d->blocks[i];
    if (i == 0 || b[-1].page != b->page || (b[-1].flags & TAKC_BLOCK_HIDDEN) || b[-1].kind == TAKC_BLOCK_HEADING)
        return true;
    const char *from = d->text.ptr + b[-1].end, *nl = memchr(from, '\n', b->start - b[-1].end);
    return nl && memchr(nl + 1, '\n', (size_t)(d->text.ptr + b->start - nl - 1));
}

static bool names_chapter(const struct takc_doc *d, const struct takc_block *b)
{
    struct takc_str s = takc_str_slice(takc_buf_str(&d->text), b->start, b->end);
    return takc_str_eq_nocase(s, takc_str("chapter")) || takc_str_eq_nocase(s, takc_str("appendix"));
}

/* What the line rules cannot know of a page: section numbers make headings, a '#' does not. */
static void correct_headings(struct takc_doc *d)
{
    for (size_t i = 0; i < d->n_blocks; i++) {
        struct takc_block *b = &d->blocks[i];
        if ((b->flags & TAKC_BLOCK_HIDDEN) || (b->kind != TAKC_BLOCK_HEADING && b->kind != TAKC_BLOCK_PARA))
            continue;
        unsigned depth = section_depth(takc_str_slice(takc_buf_str(&d->text), b->start, b->end));
        uint32_t at = b->start;
        while (at > 0 && (d->text.ptr[at - 1] == '#' || d->text.ptr[at - 1] == ' '))
            at--;
        const char *mark = memchr(d->text.ptr + at, '#', b->start - at);
        if (b->kind == TAKC_BLOCK_HEADING && b->level == 0 && i > 1 && b[-1].page == b->page && (b[-2].flags & TAKC_BLOCK_HIDDEN) &&
            names_chapter(d, &b[-2]))
            b->level = 1;
        if (depth && (b->kind == TAKC_BLOCK_HEADING || stands_alone(d, i))) {
            b->kind = TAKC_BLOCK_HEADING;
            b->level = (uint8_t)depth;
            b->flags &= (uint16_t) ~(TAKC_BLOCK_CONTINUES | TAKC_BLOCK_DESCRIBES);
        } else if (b->kind == TAKC_BLOCK_HEADING && mark) {
            b->kind = TAKC_BLOCK_CODE; /* a comment of a listing */
            b->level = 0;
            b->start = (uint32_t)(mark - d->text.ptr);
        }
    }
    /* what went on from a paragraph that is none any more begins anew */
    bool prose = false;
    uint8_t kind = 0;
    for (size_t i = 0; i < d->n_blocks; i++) {
        struct takc_block *b = &d->blocks[i];
        if (b->flags & TAKC_BLOCK_HIDDEN)
            continue;
        if ((b->flags & TAKC_BLOCK_CONTINUES) && (!prose || kind != b->kind))
            b->flags &= (uint16_t)~TAKC_BLOCK_CONTINUES;
        kind = b->kind;
        prose = kind == TAKC_BLOCK_PARA || kind == TAKC_BLOCK_ITEM || kind == TAKC_BLOCK_TURN;
    }
}

enum takc_status takc_pdf_text(struct takc_doc *d, struct takc_str bytes, struct takc_call *call, struct takc_err *err)
{
    struct pages p = {0};
    struct takc_lines_options o = {.pages = true};
    if (bytes.len > UINT32_MAX / 3)
        return takc_fail(err, TAKC_REFUSED, 0, "text of %zu bytes is over 1.3 GiB", bytes.len);
    enum takc_status st = take_text(d, bytes, err);
    if (st)
        return st;
    p.text = takc_buf_str(&d->text);
    st = cut_lines(&p, err);
    if (!st)
        st = check_letters(&p, err);
    if (!st) {
        mark_edges(&p);
        st = hide_numbered(&p, err);
    }
    if (!st)
        st = hide_repeated(&p, err);
    if (!st) {
        hide_roman(&p);
        hide_contents(&p);
        hide_chapter_marks(&p);
        st = collect_hidden(&p, err);
    }
    o.hidden = p.hidden;
    o.n_hidden = p.n_hidden;
    if (!st)
        st = takc_lines_structure(d, &o, call, err);
    if (!st)
        correct_headings(d);
    takc_free(p.v);
    takc_free(p.votes);
    takc_free(p.hidden);
    return st;
}

/* The value of a "Name:   value" line. */
static struct takc_str info_value(struct takc_str info, const char *name)
{
    struct takc_str rest = info, line;
    while (takc_str_split(&rest, '\n', &line))
        if (takc_str_starts(line, takc_str(name)))
            return takc_str_trim(takc_str_slice(line, strlen(name), line.len));
    return takc_str("");
}

/* Names of files and programs that end up in the title field. */
static bool useless_title(struct takc_str t)
{
    static const char *const starts[] = {
        "untitled", "microsoft word", "microsoft powerpoint", "powerpoint presentation", "slide 1", "document1", "layout 1",
        "no title", "title"};
    static const char *const ends[] = {".doc", ".docx", ".pdf", ".tex", ".dvi", ".indd", ".qxd",
                                       ".rtf", ".odt",  ".ps",  ".xls", ".ppt", ".pptx", ".xlsx"};
    size_t letters = 0;
    for (size_t i = 0; i < t.len; i++)
        letters += ((t.ptr[i] | 32) >= 'a' && (t.ptr[i] | 32) <= 'z') || (unsigned char)t.ptr[i] >= 0xC0;
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        size_t n = strlen(starts[i]);
        bool whole = i + 1 == sizeof(starts) / sizeof(starts[0]);
        if (t.len >= n && (!whole || t.len == n) && takc_str_eq_nocase(takc_str_slice(t, 0, n), takc_str(starts[i])))
            return true;
    }
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        if (t.len > strlen(ends[i]) && takc_str_eq_nocase(takc_str_slice(t, t.len - strlen(ends[i]), t.len), takc_str(ends[i])))
            return true;
    return letters < 3;
}

/* Are these the same words? Only ASCII letters and digits count, since quotes and blanks are set differently on title pages. */
static bool same_words(struct takc_str a, struct takc_str b)
{
    size_t i = 0, k = 0, n = 0;
    for (;;) {
        while (i < a.len && !is_digit(a.ptr[i]) && ((a.ptr[i] | 32) < 'a' || (a.ptr[i] | 32) > 'z'))
            i++;
        while (k < b.len && !is_digit(b.ptr[k]) && ((b.ptr[k] | 32) < 'a' || (b.ptr[k] | 32) > 'z'))
            k++;
        if (i == a.len || k == b.len)
            return i == a.len && k == b.len && n > 0;
        if ((a.ptr[i++] | 32) != (b.ptr[k++] | 32))
            return false;
        n++;
    }
}

static enum takc_status title_from_block(struct takc_doc *d, struct takc_block *b, struct takc_err *err)
{
    struct takc_str text = takc_str_slice(takc_buf_str(&d->text), b->start, b->end);
    enum takc_status st = takc_doc_set_title(d, text, TAKC_TITLE_TEXT, err);
    if (st)
        return st;
    d->title_start = b->start;
    d->title_end = b->end;
    b->kind = TAKC_BLOCK_TITLE;
    b->level = 0;
    b->flags &= (uint16_t)~TAKC_BLOCK_DESCRIBES;
    return TAKC_OK;
}

/* Does the next visible block go on with block i? */
static bool goes_on(const struct takc_doc *d, size_t i)
{
    do
        i++;
    while (i < d->n_blocks && (d->blocks[i].flags & TAKC_BLOCK_HIDDEN));
    return i < d->n_blocks && (d->blocks[i].flags & TAKC_BLOCK_CONTINUES);
}

enum takc_status takc_pdf_info(struct takc_doc *d, struct takc_str info, struct takc_err *err)
{
    struct takc_str title = info_value(info, "Title:"), date = info_value(info, "CreationDate:");
    if (date.len == 0)
        date = info_value(info, "ModDate:");
    if (date.len && takc_date_parse(date.ptr, date.len, &d->date, NULL) == TAKC_OK)
        d->has_date = true;
    bool useless = useless_title(title) || !takc_utf8_valid(title, NULL);
    for (size_t i = 0; i < d->n_blocks; i++) {
        struct takc_block *b = &d->blocks[i];
        if (b->page > 1)
            break;
        if ((b->flags & (TAKC_BLOCK_HIDDEN | TAKC_BLOCK_CONTINUES)) || (b->kind != TAKC_BLOCK_HEADING && b->kind != TAKC_BLOCK_PARA))
            continue;
        struct takc_str text = takc_str_slice(takc_buf_str(&d->text), b->start, b->end);
        if (!goes_on(d, i) && (useless ? b->kind == TAKC_BLOCK_HEADING : same_words(text, title)))
            return title_from_block(d, b, err);
    }
    return useless ? TAKC_OK : takc_doc_set_title(d, title, TAKC_TITLE_METADATA, err);
}
