/* SPDX-License-Identifier: Apache-2.0
 *
 * span.c - the shape of a span. A cut inside a word is how a span that was moved by one byte shows even where the words still match.
 * Scripts that write without blanks (Han, kana, Thai ...) have no inside of a word that could be seen here; character boundaries remain. */
#include "verify/span.h"
#include "base/utf8.h"
#include "verify/items.h"

#include <unicode/uchar.h>

static uint32_t char_at(struct takc_str s, size_t pos)
{
    return takc_utf8_next(s, &pos, NULL);
}

static uint32_t char_before(struct takc_str s, size_t pos)
{
    do
        pos--;
    while (pos > 0 && !takc_utf8_boundary(s, pos));
    return char_at(s, pos);
}

/* A letter, digit or accent of a script that puts blanks between words. */
static bool is_word_char(uint32_t c)
{
    if (c < 0x80)
        return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
    int type = u_charType((UChar32)c);
    if (!u_isalnum((UChar32)c) && type != U_NON_SPACING_MARK && type != U_COMBINING_SPACING_MARK)
        return false;
    int line = u_getIntPropertyValue((UChar32)c, UCHAR_LINE_BREAK);
    return line != U_LB_IDEOGRAPHIC && line != U_LB_COMPLEX_CONTEXT && line != U_LB_CONDITIONAL_JAPANESE_STARTER && line != U_LB_NONSTARTER;
}

static bool is_digit(uint32_t c)
{
    return c >= '0' && c <= '9';
}

/* Would a cut at pos go through a word or a number? */
static bool cuts_word(struct takc_str s, size_t pos)
{
    if (pos == 0 || pos == s.len)
        return false;
    uint32_t a = char_before(s, pos), b = char_at(s, pos);
    if (is_word_char(a) && is_word_char(b))
        return true;
    size_t next = pos;
    (void)takc_utf8_next(s, &next, NULL);
    bool joint = b == '.' || b == ',' || b == '\'' || b == 0x2019;
    if (joint && next < s.len && is_word_char(a)) { /* before the comma of 1,234 or the apostrophe of don't */
        uint32_t c = char_at(s, next);
        return b == '.' || b == ',' ? is_digit(a) && is_digit(c) : is_word_char(c) && !is_digit(a);
    }
    size_t before = pos - 1;
    while (before > 0 && !takc_utf8_boundary(s, before))
        before--;
    if (before == 0 || !is_word_char(b))
        return false;
    uint32_t c = char_before(s, before);
    if (a == '.' || a == ',')
        return is_digit(c) && is_digit(b);
    return (a == '\'' || a == 0x2019) && is_word_char(c) && !is_digit(c);
}

const char *takc_span_fault(struct takc_str text, uint64_t start, uint64_t end)
{
    if (start >= end)
        return "is empty";
    if (end > text.len)
        return "ends behind the text";
    if (!takc_utf8_boundary(text, start) || !takc_utf8_boundary(text, end))
        return "begins or ends inside a character";
    size_t last = end - 1;
    while (!takc_utf8_boundary(text, last))
        last--;
    if (takc_item_space(text, start) || takc_item_space(text, last))
        return "begins or ends on white space";
    if (cuts_word(text, start))
        return "begins inside a word";
    return cuts_word(text, end) ? "ends inside a word" : NULL;
}
