/* SPDX-License-Identifier: Apache-2.0
 *
 * sentence.c - one walk over the line; ICU only for blocks that need it. */
#include "unit/sentence.h"
#include "base/alloc.h"
#include "base/utf8.h"
#include "token/lexicon.h"

#include <unicode/ubrk.h>
#include <unicode/uchar.h>

/* Words that a full stop follows inside a sentence. Ascending by bytes. */
static const struct takc_lexeme abbreviations[] = {
    {"Apr", 1}, {"Art", 1},  {"Aug", 1},  {"Bros", 1}, {"Capt", 1},   {"Co", 1},   {"Col", 1}, {"Corp", 1},   {"Dec", 1}, {"Dept", 1},
    {"Dr", 1},  {"Eq", 1},   {"Eqs", 1},  {"Feb", 1},  {"Fig", 1},    {"Figs", 1}, {"Gen", 1}, {"Gov", 1},    {"Hon", 1}, {"Inc", 1},
    {"Jan", 1}, {"Jr", 1},   {"Ltd", 1},  {"Mar", 1},  {"Messrs", 1}, {"Mr", 1},   {"Mrs", 1}, {"Ms", 1},     {"Mt", 1},  {"No", 1},
    {"Nos", 1}, {"Nov", 1},  {"Oct", 1},  {"Prof", 1}, {"Ref", 1},    {"Refs", 1}, {"Rep", 1}, {"Rev", 1},    {"Sec", 1}, {"Sen", 1},
    {"Sep", 1}, {"Sept", 1}, {"Sgt", 1},  {"Sr", 1},   {"St", 1},     {"Vol", 1},  {"al", 1},  {"approx", 1}, {"ca", 1},  {"cf", 1},
    {"etc", 1}, {"fig", 1},  {"resp", 1}, {"viz", 1},  {"vs", 1},
};

static bool is_ascii_word(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c >= 0x80;
}

/* Does line[start..end) end in an abbreviation's full stop, or in a single capital's? */
static bool ends_abbreviated(struct takc_str line, size_t start, size_t end)
{
    if (end - start < 2 || line.ptr[end - 1] != '.')
        return false;
    size_t to = end - 1, from = to;
    while (from > start && is_ascii_word((unsigned char)line.ptr[from - 1]))
        from--;
    struct takc_str word = takc_str_slice(line, from, to);
    if (word.len == 1 && ((word.ptr[0] >= 'A' && word.ptr[0] <= 'Z')))
        return true;
    if (word.len == 1 && from >= start + 2 && line.ptr[from - 1] == '.')
        return (word.ptr[0] == 'g' && line.ptr[from - 2] == 'e') || (word.ptr[0] == 'e' && line.ptr[from - 2] == 'i');
    return takc_lexicon_find(abbreviations, sizeof(abbreviations) / sizeof(abbreviations[0]), word) != 0;
}

/* Is line[start..end) nothing but the number of a list item: "1.", "12).", "(a).", "iv."? */
static bool is_item_number(struct takc_str line, size_t start, size_t end)
{
    size_t from = start + (line.ptr[start] == '('), digits = 0, roman = 0, n = 0;
    for (; from + n < end && is_ascii_word((unsigned char)line.ptr[from + n]); n++) {
        char c = line.ptr[from + n];
        digits += c >= '0' && c <= '9';
        roman += c == 'i' || c == 'v' || c == 'x';
    }
    bool number = n == 1 || (n > 0 && n <= 3 && (digits == n || roman == n));
    return number && from + n + 2 >= end && line.ptr[end - 1] == '.';
}

/* Does a sentence begin at pos: opening marks, then a capital, a digit or a letter without case? */
static bool begins_sentence(struct takc_str line, size_t pos)
{
    while (pos < line.len) {
        unsigned char b = (unsigned char)line.ptr[pos];
        if (b < 0x80) {
            if (b != '"' && b != '\'' && b != '(' && b != '[')
                return (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9');
            pos++;
            continue;
        }
        uint32_t c = takc_utf8_next(line, &pos, NULL);
        if (c != 0x201C && c != 0x2018 && c != 0xAB && c != 0xBF && c != 0xA1)
            return u_isalnum((UChar32)c) && !u_islower((UChar32)c);
    }
    return false;
}

/* Appends line[start..end), cut where it is too long to be counted in 16 bits. */
static enum takc_status put(struct takc_sentences *s, struct takc_str line, size_t start, size_t end, struct takc_err *err)
{
    while (start < end) {
        size_t to = end;
        if (end - start > TAKC_SENTENCE_BYTES) {
            to = start + TAKC_SENTENCE_BYTES;
            while (to > start && line.ptr[to] != ' ')
                to--;
            if (to == start)
                for (to = start + TAKC_SENTENCE_BYTES; !takc_utf8_boundary(line, to);)
                    to--;
        }
        enum takc_status st = takc_grow(&s->items, &s->cap, s->n + 1, sizeof(*s->items), err);
        if (st)
            return st;
        s->items[s->n++] = (struct takc_span){(uint32_t)start, (uint32_t)to};
        start = to + (to < end && line.ptr[to] == ' ');
    }
    return TAKC_OK;
}

/* Appends a sentence, cut where it has more than TAKC_SENTENCE_WORDS words: behind the last of words 46..60 that ends in ; : or , and
 * behind the 60th without one. */
static enum takc_status put_words(struct takc_sentences *s, struct takc_str line, size_t start, size_t end, struct takc_err *err)
{
    size_t n_words = 1;
    for (size_t i = start; i < end; i++)
        n_words += line.ptr[i] == ' ';
    while (n_words > TAKC_SENTENCE_WORDS) {
        size_t best = 0, best_words = 0, n = 0, i = start;
        for (; n < 60; i++) {
            if (line.ptr[i] != ' ')
                continue;
            n++;
            char last = line.ptr[i - 1];
            if (n == 60 ? best == 0 || last == ';' || last == ':' || last == ',' : n > 45 && (last == ';' || last == ':' || last == ',')) {
                best = i;
                best_words = n;
            }
        }
        enum takc_status st = put(s, line, start, best, err);
        if (st)
            return st;
        start = best + 1;
        n_words -= best_words;
    }
    return put(s, line, start, end, err);
}

static enum takc_status cut_cased(struct takc_sentences *s, struct takc_str line, struct takc_err *err)
{
    size_t start = 0;
    for (size_t i = 1; i + 1 < line.len; i++) {
        if (line.ptr[i] != ' ')
            continue;
        char stop = line.ptr[i - 1];
        if (stop != '.' && stop != '!' && stop != '?' && stop != ';')
            continue;
        if (stop != ';' && !begins_sentence(line, i + 1))
            continue;
        if (stop == '.' && (ends_abbreviated(line, start, i) || (start == 0 && is_item_number(line, start, i))))
            continue;
        enum takc_status st = put_words(s, line, start, i, err);
        if (st)
            return st;
        start = i + 1;
    }
    return put_words(s, line, start, line.len, err);
}

/* Appends a sentence of a script without blanks, cut behind a comma where it is too long. */
static enum takc_status put_unspaced(struct takc_sentences *s, struct takc_str line, size_t start, size_t end, struct takc_err *err)
{
    size_t comma = 0, i = start;
    while (i < end) {
        uint32_t c = takc_utf8_next(line, &i, NULL);
        if (c == 0xFF0C || c == 0x3001 || c == 0xFF1B || c == 0xFF1A || c == ',' || c == 0x60C || c == ' ')
            comma = i;
        if (i - start <= TAKC_SENTENCE_UNSPACED || comma <= start || i >= end)
            continue;
        size_t to = line.ptr[comma - 1] == ' ' ? comma - 1 : comma;
        enum takc_status st = put(s, line, start, to, err);
        if (st)
            return st;
        start = comma;
    }
    return put(s, line, start, end, err);
}

static enum takc_status cut_by_icu(struct takc_sentences *s, struct takc_str line, struct takc_err *err)
{
    UErrorCode ec = U_ZERO_ERROR;
    UText text = UTEXT_INITIALIZER;
    enum takc_status st = TAKC_OK;
    if (!s->breaker)
        s->breaker = ubrk_open(UBRK_SENTENCE, "", NULL, 0, &ec);
    utext_openUTF8(&text, line.ptr, (int64_t)line.len, &ec);
    if (U_SUCCESS(ec))
        ubrk_setUText(s->breaker, &text, &ec);
    if (U_FAILURE(ec)) {
        st = takc_fail(err, TAKC_NOMEM, (int)ec, "sentence rules: %s", u_errorName(ec));
        goto out;
    }
    int32_t from = ubrk_first(s->breaker);
    for (int32_t to; !st && (to = ubrk_next(s->breaker)) != UBRK_DONE; from = to) {
        size_t a = (size_t)from, b = (size_t)to;
        while (a < b && line.ptr[a] == ' ')
            a++;
        while (b > a && line.ptr[b - 1] == ' ')
            b--;
        if (a < b)
            st = put_unspaced(s, line, a, b, err);
    }
out:
    utext_close(&text);
    return st;
}

/* Are most letters of a script without case? Blocks of ASCII are told without decoding. */
static bool is_caseless(struct takc_str line)
{
    size_t cased = 0, caseless = 0, i = 0;
    while (i < line.len) {
        unsigned char b = (unsigned char)line.ptr[i];
        if (b < 0x80) {
            cased += (b | 0x20) >= 'a' && (b | 0x20) <= 'z';
            i++;
            continue;
        }
        uint32_t c = takc_utf8_next(line, &i, NULL);
        if (u_isUAlphabetic((UChar32)c)) {
            bool has_case = u_hasBinaryProperty((UChar32)c, UCHAR_CASED);
            cased += has_case;
            caseless += !has_case;
        }
    }
    return caseless > cased;
}

void takc_sentences_clear(struct takc_sentences *s)
{
    takc_free(s->items);
    if (s->breaker)
        ubrk_close(s->breaker);
    *s = (struct takc_sentences){0};
}

enum takc_status takc_sentences_cut(struct takc_sentences *s, struct takc_str line, struct takc_err *err)
{
    s->n = 0;
    if (line.len == 0)
        return TAKC_OK;
    return is_caseless(line) ? cut_by_icu(s, line, err) : cut_cased(s, line, err);
}

enum takc_status takc_sentences_whole(struct takc_sentences *s, struct takc_str line, struct takc_err *err)
{
    s->n = 0;
    return put(s, line, 0, line.len, err);
}
