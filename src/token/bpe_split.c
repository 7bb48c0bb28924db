/* SPDX-License-Identifier: Apache-2.0
 *
 * bpe_split.c - what the regular expressions of the known vocabularies match, alternative by alternative, in their order.
 *
 * The expressions need no backtracking but in one place (O200K's capitals, which may have to give back their last caseless letter), so each
 * alternative is a few loops over runs of a class. White space is Unicode's White_Space; "(?i:'s)" also matches the long s. */
#include "token/bpe_split.h"
#include "base/utf8.h"

#include <unicode/uchar.h>

/* Bits of a character's class. */
enum {
    LETTER = 1 << 0,
    NUMBER = 1 << 1,
    WHITE = 1 << 2,
    NEWLINE = 1 << 3,
    HEAD = 1 << 4, /* what may begin a word of O200K: capitals, caseless letters, combining marks */
    TAIL = 1 << 5, /* what may end one: small letters, caseless letters, combining marks */
    OTHER = 1 << 6 /* neither letter nor number nor white space */
};

#define UPPER (LETTER | HEAD)
#define LOWER (LETTER | TAIL)
static const uint8_t ascii[128] = {
    [0 ... 8] = OTHER,     ['\t'] = WHITE,        ['\n'] = WHITE | NEWLINE, ['\v' ... '\f'] = WHITE, ['\r'] = WHITE | NEWLINE,
    [14 ... 31] = OTHER,   [' '] = WHITE,         ['!' ... '/'] = OTHER,    ['0' ... '9'] = NUMBER,  [':' ... '@'] = OTHER,
    ['A' ... 'Z'] = UPPER, ['[' ... '`'] = OTHER, ['a' ... 'z'] = LOWER,    ['{' ... 127] = OTHER};

static unsigned class_of(uint32_t c)
{
    uint32_t mask = U_GET_GC_MASK((UChar32)c);
    if (mask & U_GC_L_MASK)
        return LETTER | (mask & U_GC_LL_MASK ? 0 : HEAD) | (mask & (U_GC_LU_MASK | U_GC_LT_MASK) ? 0 : TAIL);
    if (mask & U_GC_M_MASK)
        return OTHER | HEAD | TAIL;
    if (mask & U_GC_N_MASK)
        return NUMBER;
    return u_isUWhiteSpace((UChar32)c) ? WHITE : OTHER;
}

/* Class of the character at pos, 0 at the end; *next is behind it. */
static unsigned look(struct takc_str s, size_t pos, size_t *next)
{
    *next = pos;
    if (pos >= s.len)
        return 0;
    unsigned char b = (unsigned char)s.ptr[pos];
    *next = pos + 1;
    if (b < 128)
        return ascii[b];
    *next = pos;
    return class_of(takc_utf8_next(s, next, NULL));
}

/* The end of the run of characters at pos that have a bit of mask. */
static size_t run(struct takc_str s, size_t pos, unsigned mask)
{
    size_t next;
    while (look(s, pos, &next) & mask)
        pos = next;
    return pos;
}

/* Bytes of 's 't 're 've 'm 'll 'd at pos, 0 when there is none. */
static size_t suffix(struct takc_str s, size_t pos, bool any_case)
{
    const unsigned char *p = (const unsigned char *)s.ptr + pos;
    size_t left = s.len - pos;
    if (left < 2 || p[0] != '\'')
        return 0;
    unsigned fold = any_case ? 0x20 : 0;
    unsigned char a = p[1] | fold, b = left > 2 ? p[2] | fold : 0;
    if (a == 's' || a == 't' || a == 'm' || a == 'd')
        return 2;
    if (any_case && left > 2 && p[1] == 0xC5 && p[2] == 0xBF) /* long s */
        return 3;
    return ((a == 'r' || a == 'v') && b == 'e') || (a == 'l' && b == 'l') ? 3 : 0;
}

/* \p{N}{1,n}, or all of them for 0. */
static size_t number(struct takc_str s, size_t pos, unsigned n)
{
    size_t next;
    for (unsigned k = 0; (n == 0 || k < n) && look(s, pos, &next) & NUMBER; k++)
        pos = next;
    return pos;
}

/* \s+(?!\S)|\s+ at white space. */
static size_t white(struct takc_str s, size_t pos)
{
    size_t last = pos, end = pos, next;
    while (look(s, end, &next) & WHITE) {
        last = end;
        end = next;
    }
    return end == s.len || last == pos ? end : last;
}

/* \s*[\r\n]+ before that; with tail \s+$ before both. */
static size_t white_or_lines(struct takc_str s, size_t pos, bool tail)
{
    size_t lines = pos, at = pos, next;
    unsigned c;
    while ((c = look(s, at, &next)) & WHITE) {
        at = next;
        lines = c & NEWLINE ? at : lines;
    }
    if (tail && at == s.len)
        return at;
    return lines > pos ? lines : white(s, pos);
}

/* " ?" and a run of other characters, then those of the two given; pos when there is none. */
static size_t others(struct takc_str s, size_t pos, bool newlines, bool slashes)
{
    size_t from = pos + (s.ptr[pos] == ' '), end = run(s, from, OTHER);
    if (end == from)
        return pos;
    while (end < s.len && ((newlines && (s.ptr[end] == '\r' || s.ptr[end] == '\n')) || (slashes && s.ptr[end] == '/')))
        end++;
    return end;
}

/* '(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+ */
static size_t next_gpt2(struct takc_str s, size_t pos)
{
    size_t n = suffix(s, pos, false), from = pos + (s.ptr[pos] == ' '), end;
    if (n)
        return pos + n;
    if ((end = run(s, from, LETTER)) > from || (end = run(s, from, NUMBER)) > from || (end = run(s, from, OTHER)) > from)
        return end;
    return white(s, pos);
}

/* (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+ */
static size_t next_cl100k(const struct takc_split *split, struct takc_str s, size_t pos)
{
    size_t n = suffix(s, pos, true), next, end;
    if (n)
        return pos + n;
    unsigned c = look(s, pos, &next);
    size_t from = c & (LETTER | NUMBER | NEWLINE) ? pos : next;
    if ((end = run(s, from, LETTER)) > from || (end = number(s, pos, split->n_digits)) > pos || (end = others(s, pos, true, false)) > pos)
        return end;
    return white_or_lines(s, pos, split->tail);
}

/* HEAD* TAIL+ at pos; pos when it does not match. The run of heads gives back down to its last caseless letter where no small one follows.
 */
static size_t word_small(struct takc_str s, size_t pos)
{
    size_t at = pos, next, caseless = pos;
    unsigned c;
    while ((c = look(s, at, &next)) & HEAD) {
        at = next;
        caseless = c & TAIL ? at : caseless;
    }
    return c & TAIL ? run(s, at, TAIL) : caseless;
}

/* The same with at least one head and any tails: after word_small failed the run of heads has no tail behind it. */
static size_t word_capital(struct takc_str s, size_t pos)
{
    return run(s, pos, HEAD);
}

/* [^\r\n\p{L}\p{N}]?HEAD*TAIL+(?i:'s|..)?|[^\r\n\p{L}\p{N}]?HEAD+TAIL*(?i:'s|..)?; pos when neither matches. */
static size_t word_o200k(struct takc_str s, size_t pos)
{
    size_t next, end = pos;
    bool prefix = !(look(s, pos, &next) & (LETTER | NUMBER | NEWLINE));
    for (int k = 0; k < 4 && end == pos; k++) {
        size_t from = k % 2 == 0 && prefix ? next : pos;
        size_t to = k < 2 ? word_small(s, from) : word_capital(s, from);
        end = to > from ? to : pos;
    }
    return end > pos ? end + suffix(s, end, true) : pos;
}

/* the words above|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+ */
static size_t next_o200k(const struct takc_split *split, struct takc_str s, size_t pos)
{
    size_t end = word_o200k(s, pos);
    if (end > pos || (end = number(s, pos, split->n_digits)) > pos || (end = others(s, pos, true, true)) > pos)
        return end;
    return white_or_lines(s, pos, split->tail);
}

/* \p{N} alone, and runs of the others. */
static size_t next_digits(struct takc_str s, size_t pos)
{
    size_t next;
    return look(s, pos, &next) & NUMBER ? next : run(s, pos, ~(unsigned)NUMBER);
}

static bool low_line(struct takc_str s, size_t pos)
{
    return s.len - pos >= 3 && memcmp(s.ptr + pos, "\xE2\x96\x81", 3) == 0;
}

static size_t next_blanks(struct takc_str s, size_t pos)
{
    while (low_line(s, pos))
        pos += 3;
    while (pos < s.len && !low_line(s, pos))
        pos++;
    return pos;
}

size_t takc_split_next(const struct takc_split *split, struct takc_str text, size_t pos)
{
    switch (split->family) {
    case TAKC_SPLIT_GPT2:
        return next_gpt2(text, pos);
    case TAKC_SPLIT_CL100K:
        return next_cl100k(split, text, pos);
    case TAKC_SPLIT_O200K:
        return next_o200k(split, text, pos);
    case TAKC_SPLIT_DIGITS:
        return next_digits(text, pos);
    case TAKC_SPLIT_BLANKS:
        return next_blanks(text, pos);
    case TAKC_SPLIT_UNSET:
        break;
    }
    return text.len;
}

static const struct known {
    const char *text;
    struct takc_split split;
} names[] = {{"o200k_base", {TAKC_SPLIT_O200K, 3, false}},
             {"cl100k_base", {TAKC_SPLIT_CL100K, 3, true}},
             {"r50k_base", {TAKC_SPLIT_GPT2, 0, false}},
             {"p50k_base", {TAKC_SPLIT_GPT2, 0, false}}};

#define REST " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define WORD "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|"
#define MARKS "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define HEADS "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define TAILS "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
static const struct known regexes[] = {
    {"'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+", {TAKC_SPLIT_GPT2, 0, false}},
    {"'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+", {TAKC_SPLIT_GPT2, 0, false}},
    {MARKS "|" WORD "\\p{N}{1,3}|" REST, {TAKC_SPLIT_CL100K, 3, false}},
    {MARKS "|" WORD "\\p{N}|" REST, {TAKC_SPLIT_CL100K, 1, false}},
    {"[^\\r\\n\\p{L}\\p{N}]?" HEADS "*" TAILS "+" MARKS "?|[^\\r\\n\\p{L}\\p{N}]?" HEADS "+" TAILS "*" MARKS
     "?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
     {TAKC_SPLIT_O200K, 3, false}},
    {"\\p{N}", {TAKC_SPLIT_DIGITS, 1, false}},
};

static bool look_up(const struct known *list, size_t n, struct takc_str text, struct takc_split *out)
{
    for (size_t i = 0; i < n; i++)
        if (takc_str_is(text, list[i].text)) {
            *out = list[i].split;
            return true;
        }
    return false;
}

bool takc_split_named(struct takc_str name, struct takc_split *out)
{
    return look_up(names, sizeof(names) / sizeof(names[0]), name, out);
}

bool takc_split_of_regex(struct takc_str regex, struct takc_split *out)
{
    return look_up(regexes, sizeof(regexes) / sizeof(regexes[0]), regex, out);
}
