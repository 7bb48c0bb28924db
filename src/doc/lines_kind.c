/* SPDX-License-Identifier: Apache-2.0
 *
 * lines_kind.c - what one line is, from its words alone: heading, row, item, prose.
 *
 * One walk over the bytes with a table of ASCII classes; only other characters are decoded and asked of ICU. White space is what Unicode
 * calls so, because non-breaking blanks stand in the tables of filings. */
#include "base/utf8.h"
#include "doc/lines_parts.h"

#include <unicode/uchar.h>

enum { WORD_MAX_HEADING = 12, CHARS_MAX_HEADING = 80, WORD_MAX_LABEL = 14, SPEAKER_BYTES = 48 };
enum class { OTHER = 0, SPACE, UPPER, LOWER, DIGIT, HIGH };

#define S SPACE
#define U UPPER
#define L LOWER
#define D DIGIT
#define H HIGH
#define T16(x) x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x
static const unsigned char classes[256] = {
    0,      0,      0,      0,      0,      0,      0,      0,      0, S, S, S, S, S, 0, 0, /* 00 */
    0,      0,      0,      0,      0,      0,      0,      0,      0, 0, 0, 0, S, S, S, S, /* 10 */
    S,      0,      0,      0,      0,      0,      0,      0,      0, 0, 0, 0, 0, 0, 0, 0, /* 20 */
    D,      D,      D,      D,      D,      D,      D,      D,      D, D, 0, 0, 0, 0, 0, 0, /* 30 */
    0,      U,      U,      U,      U,      U,      U,      U,      U, U, U, U, U, U, U, U, /* 40 */
    U,      U,      U,      U,      U,      U,      U,      U,      U, U, U, 0, 0, 0, 0, 0, /* 50 */
    0,      L,      L,      L,      L,      L,      L,      L,      L, L, L, L, L, L, L, L, /* 60 */
    L,      L,      L,      L,      L,      L,      L,      L,      L, L, L, 0, 0, 0, 0, 0, /* 70 */
    T16(H), T16(H), T16(H), T16(H), T16(H), T16(H), T16(H), T16(H),
};
#undef S
#undef U
#undef L
#undef D
#undef H

/* Bytes of the white space that begins at p, 0 for none. */
static size_t space_at(const char *p, size_t left)
{
    const unsigned char *b = (const unsigned char *)p;
    if (classes[b[0]] == SPACE)
        return 1;
    if (b[0] == 0xC2)
        return left > 1 && (b[1] == 0x85 || b[1] == 0xA0) ? 2 : 0;
    if (b[0] < 0xE1 || b[0] > 0xE3 || left < 3)
        return 0;
    if (b[0] == 0xE2 && b[1] == 0x80)
        return b[2] <= 0x8A || b[2] == 0xA8 || b[2] == 0xA9 || b[2] == 0xAF ? 3 : 0;
    return (b[0] == 0xE2 && b[1] == 0x81 && b[2] == 0x9F) || (b[0] == 0xE1 && b[1] == 0x9A && b[2] == 0x80) ||
                   (b[0] == 0xE3 && b[1] == 0x80 && b[2] == 0x80)
               ? 3
               : 0;
}

bool takc_line_word(struct takc_str text, size_t *pos, size_t end, struct takc_str *out)
{
    size_t i = *pos, n;
    while (i < end && (n = space_at(text.ptr + i, end - i)) > 0)
        i += n;
    size_t from = i;
    while (i < end && space_at(text.ptr + i, end - i) == 0)
        i++;
    *pos = i;
    *out = takc_str_slice(text, from, i);
    return i > from;
}

bool takc_line_number(struct takc_str w)
{
    size_t i = 0;
    for (; i < w.len; i++) {
        if (w.ptr[i] == '(' || w.ptr[i] == '$')
            continue;
        if (w.len - i >= 3 && memcmp(w.ptr + i, "\xE2\x82\xAC", 3) == 0) /* euro */
            i += 2;
        else if (w.len - i >= 2 && memcmp(w.ptr + i, "\xC2\xA3", 2) == 0) /* pound */
            i += 1;
        else
            break;
    }
    i += i < w.len && w.ptr[i] == '-';
    if (i >= w.len || classes[(unsigned char)w.ptr[i]] != DIGIT)
        return false;
    while (i < w.len && (classes[(unsigned char)w.ptr[i]] == DIGIT || w.ptr[i] == ',' || w.ptr[i] == '.'))
        i++;
    while (i < w.len && (w.ptr[i] == ')' || w.ptr[i] == '%'))
        i++;
    return i == w.len;
}

/* What the walk over the words gathers. */
struct walk {
    size_t n_words, n_numbers, n_chars;
    size_t n_alpha, n_upper; /* words that begin with a letter, with a capital */
    bool upper, lower;       /* any capital, any small letter in the first characters */
    bool pipe, alnum, digit, last_number, gaps;
    struct takc_str first, last;
};

/* Class of the character at p, other scripts included. */
static enum class class_at(struct takc_str text, size_t at, bool *out_alpha) {
    unsigned char b = (unsigned char)text.ptr[at]; enum class c = classes[b];
    if (c != HIGH){ *out_alpha = c == UPPER || c == LOWER; return c;}
UChar32 u = (UChar32)takc_utf8_next(text, &at, NULL);
*out_alpha = u_isalpha(u);
if (u_hasBinaryProperty(u, UCHAR_UPPERCASE))
    return UPPER;
if (u_hasBinaryProperty(u, UCHAR_LOWERCASE) || u_charType(u) == U_TITLECASE_LETTER)
    return LOWER;
return u_charType(u) == U_DECIMAL_DIGIT_NUMBER ? DIGIT : OTHER;
}

/* Walks the word at i; returns its end. */
static size_t walk_word(struct takc_str text, size_t i, size_t end, struct walk *w)
{
    size_t from = i;
    bool alpha;
    enum class first = class_at(text, i, &alpha);
    w->n_alpha += alpha;
    w->n_upper += first == UPPER && alpha;
    unsigned seen = 0;
    for (; i < end; i++) {
        unsigned char b = (unsigned char)text.ptr[i];
        enum class c = classes[b];
        if (c == SPACE || (c == HIGH && b >= 0xC0 && space_at(text.ptr + i, end - i)))
            break;
        if (c == HIGH) {
            if ((b & 0xC0) == 0x80)
                continue;
            if (w->n_chars < CHARS_MAX_HEADING) {
                c = class_at(text, i, &alpha);
                w->alnum = w->alnum || alpha;
            }
        }
        seen |= 1u << c;
        w->n_chars++;
    }
    w->upper |= seen >> UPPER & 1;
    w->lower |= seen >> LOWER & 1;
    w->digit |= seen >> DIGIT & 1;
    w->last = takc_str_slice(text, from, i);
    w->last_number = (seen >> DIGIT & 1) && !(seen & (1u << UPPER | 1u << LOWER)) && takc_line_number(w->last);
    w->n_numbers += w->last_number;
    return i;
}

static struct walk walk_line(struct takc_str text, size_t i, size_t end)
{
    struct walk w = {0};
    bool bar = false; /* the word before was a lone bar with words before it */
    size_t gap = 0;
    while (i < end) {
        size_t n = space_at(text.ptr + i, end - i);
        if (n) {
            gap += text.ptr[i] == '\t' ? 3 : 1;
            i += n;
            continue;
        }
        w.gaps |= gap >= 3 && w.n_words > 0;
        gap = 0;
        i = walk_word(text, i, end, &w);
        w.pipe |= bar;
        bar = w.last.len == 1 && w.last.ptr[0] == '|' && w.n_words > 0;
        if (w.n_words++ == 0)
            w.first = w.last;
        w.n_chars++; /* the blank behind it */
    }
    w.n_chars -= w.n_chars > 0;
    w.alnum = w.alnum || w.upper || w.lower || w.digit;
    return w;
}

/* "-", "*", a bullet: left out of the block; "(a)", "12.": kept, they say something. 0: no item; 1: kept; else bytes to leave out. */
static size_t item_mark(struct takc_str w)
{
    if (takc_str_is(w, "-") || takc_str_is(w, "*") || takc_str_is(w, "\xE2\x80\xA2"))
        return w.len + 1;
    size_t i = w.len && w.ptr[0] == '(' ? 1 : 0, from = i;
    while (i < w.len && (classes[(unsigned char)w.ptr[i]] == DIGIT || classes[(unsigned char)w.ptr[i]] == LOWER))
        i++;
    return i > from && i - from <= 3 && i + 1 == w.len && (w.ptr[i] == '.' || w.ptr[i] == ')') ? 1 : 0;
}

/* Ends in one of the marks, closing quotes and brackets aside where closing is set. */
static bool ends_in(struct takc_str line, const char *marks, bool closing)
{
    size_t n = line.len;
    while (closing && n && strchr("'\")]", line.ptr[n - 1]))
        n--;
    return n && strchr(marks, line.ptr[n - 1]);
}

/* "Name: text" or "Name:": up to five words, the first with a capital, the colon within the first bytes. */
static bool speaker(struct takc_str line)
{
    unsigned char first = (unsigned char)line.ptr[0];
    if (classes[first] != UPPER && classes[first] != HIGH)
        return false;
    size_t blanks = 0;
    for (size_t i = 1; i < line.len && i < SPEAKER_BYTES; i++) {
        char c = line.ptr[i];
        if (c == ':')
            return i + 1 == line.len || classes[(unsigned char)line.ptr[i + 1]] == SPACE;
        if (c == ' ' && ++blanks > 4)
            return false;
        if (c != ' ' && classes[(unsigned char)c] == OTHER && !strchr(".'-()_&/", c))
            return false;
    }
    return false;
}

/* "#": how many, when a blank follows; 0 else. */
static unsigned hashes(struct takc_str w)
{
    for (size_t i = 0; i < w.len; i++)
        if (w.ptr[i] != '#')
            return 0;
    return w.len > 6 ? 6 : (unsigned)w.len;
}

static enum takc_line_kind kind_of(const struct walk *w, struct takc_str line, struct takc_line *out)
{
    if (!w->alnum)
        return TAKC_LINE_RULE;
    if (line.ptr[0] == '#') {
        out->level = (uint8_t)hashes(w->first);
        out->flags |= TAKC_LINE_HASH;
        return TAKC_LINE_HEADING;
    }
    if (w->pipe) {
        out->flags |= TAKC_LINE_PIPE;
        return TAKC_LINE_ROW;
    }
    if ((w->n_numbers >= 2 && w->n_numbers * 4 >= w->n_words) || (w->n_words > 1 && w->n_words <= WORD_MAX_LABEL && w->last_number))
        return TAKC_LINE_ROW;
    if (w->n_words > 1 && item_mark(w->first))
        return TAKC_LINE_ITEM;
    bool capitals = w->upper && !w->lower;
    if (w->n_words <= WORD_MAX_HEADING && w->n_chars < CHARS_MAX_HEADING && w->n_alpha && !ends_in(line, ".!?:;,", false) &&
        (capitals || w->n_upper * 5 >= w->n_alpha * 3))
        return TAKC_LINE_HEADING;
    return TAKC_LINE_PROSE;
}

/* Leaves the mark of an item or a heading out of the line. */
static void leave_mark(struct takc_str text, const struct walk *w, struct takc_line *out)
{
    size_t pos = out->start + w->first.len;
    struct takc_str next;
    bool bullet = item_mark(w->first) > 1 && (out->kind == TAKC_LINE_ITEM || (out->kind == TAKC_LINE_ROW && w->first.ptr[0] != '-'));
    if (!bullet && !(out->flags & TAKC_LINE_HASH && out->level))
        return;
    if (takc_line_word(text, &pos, out->end, &next))
        out->start = (uint32_t)(next.ptr - text.ptr);
}

static uint16_t columns(struct takc_str text, size_t from, size_t to)
{
    size_t n = 0;
    for (; from < to && n < UINT16_MAX - 8; from++)
        n = text.ptr[from] == '\t' ? (n / 8 + 1) * 8 : n + (text.ptr[from] == ' ');
    return (uint16_t)n;
}

void takc_line_look(struct takc_str text, size_t from, size_t to, struct takc_line *out)
{
    *out = (struct takc_line){.start = (uint32_t)from, .end = (uint32_t)from};
    struct walk w = walk_line(text, from, to);
    if (w.n_words == 0)
        return;
    out->start = (uint32_t)(w.first.ptr - text.ptr);
    out->end = (uint32_t)(w.last.ptr + w.last.len - text.ptr);
    out->indent = columns(text, from, out->start);
    struct takc_str line = takc_str_slice(text, out->start, out->end);
    out->n_chars = (uint32_t)w.n_chars;
    out->n_words = w.n_words > UINT16_MAX ? UINT16_MAX : (uint16_t)w.n_words;
    out->n_numbers = w.n_numbers > UINT8_MAX ? UINT8_MAX : (uint8_t)w.n_numbers;
    out->kind = (uint8_t)kind_of(&w, line, out);
    bool alpha;
    out->flags |= (uint16_t)((class_at(text, out->start, &alpha) == LOWER ? TAKC_LINE_LOWER : 0) |
                             (ends_in(line, ".!?:;", true) ? TAKC_LINE_STOP : 0) | (w.upper && !w.lower ? TAKC_LINE_CAPITALS : 0) |
                             (w.digit ? TAKC_LINE_DIGIT : 0) | (w.gaps ? TAKC_LINE_GAPS : 0) | (speaker(line) ? TAKC_LINE_SPEAKER : 0));
    if (line.len >= 3 && w.n_words <= 2 && (memcmp(line.ptr, "```", 3) == 0 || memcmp(line.ptr, "~~~", 3) == 0) &&
        takc_str_find_byte(line, '`', strspn(line.ptr, "`")) == SIZE_MAX)
        out->flags |= TAKC_LINE_FENCE;
    leave_mark(text, &w, out);
}
