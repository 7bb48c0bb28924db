/* SPDX-License-Identifier: Apache-2.0
 *
 * estimate.c - a calibrated guess at o200k tokens without a vocabulary.
 *
 * A line is split into the pieces that o200k's own splitting rule makes (a word with the blank or mark before it, up to three digits, a run
 * of marks, white space), which is exact for ASCII; digits and white space then have exact counts, and a word or run of marks costs what
 * pieces of its prefix, case and length cost on average (estimate_rates.inc). Lines that are dense in digits, names or code are so counted
 * by what they hold, not by a mean over prose. A line costs the same wherever it stands: an empty one joins the newline before it.
 * How far off it is, by kind of text: docs/formats/estimate.md. */
#include "base/utf8.h"
#include "token/tokenizer.h"
#include "token/words.h"

#include <unicode/uchar.h>
#include <unicode/uscript.h>

#include "token/estimate_rates.inc"

enum {
    ONE = 1000,
    WORD_MAX = 24,
    PUNCT_MAX = 12,
    EMPTY_LINE_MT = 50,
    LONG_LETTER_MT = 300,
    LONG_SAME_MT = 40,
    LONG_MIXED_MT = 450,
    WIDE_UPPER_MT = 400,
    PHONETIC = 11 /* place of phonetic letters in script_mt */
};
enum kind { MARK, LOWER, UPPER, DIGIT, BLANK, HIGH, LETTER };
enum prefix { NO_PREFIX, SPACE, OTHER };
enum shape { ALL_LOWER, CAPITAL, ALL_UPPER, MIXED, ACCENTED, SHAPES };

static const uint8_t class_of[256] = {
    ['a' ... 'z'] = LOWER, ['A' ... 'Z'] = UPPER, ['0' ... '9'] = DIGIT, ['\t'] = BLANK,        ['\v'] = BLANK,
    ['\f'] = BLANK,        ['\r'] = BLANK,        [' '] = BLANK,         [0x80 ... 0xFF] = HIGH};

struct scan {
    struct takc_str s;
    size_t pos;
    uint64_t mt;
};

/* Class of the character at pos; *next is behind it, *c the character. LETTER: one without case. */
static enum kind look(struct takc_str s, size_t pos, size_t *next, uint32_t *c)
{
    enum kind k = (enum kind)class_of[(unsigned char)s.ptr[pos]];
    *next = pos + 1;
    *c = (unsigned char)s.ptr[pos];
    if (k != HIGH)
        return k;
    unsigned white = takc_white_at(s, pos);
    if (white) {
        *next = pos + white;
        return BLANK;
    }
    size_t at = pos;
    *c = takc_utf8_next(s, &at, NULL);
    *next = at;
    uint32_t mask = U_GET_GC_MASK((UChar32)*c);
    if (mask & (U_GC_LU_MASK | U_GC_LT_MASK))
        return UPPER;
    return mask & U_GC_LL_MASK ? LOWER : mask & (U_GC_L_MASK | U_GC_M_MASK) ? LETTER : mask & U_GC_N_MASK ? DIGIT : MARK;
}

static bool is_letter(enum kind k)
{
    return k == LOWER || k == UPPER || k == LETTER;
}

/* The place of a letter's script in script_mt. */
static unsigned script_of(uint32_t c)
{
    enum { HAN, HIRAGANA, KATAKANA, HANGUL, CYRILLIC, GREEK, ARABIC, HEBREW, THAI, DEVANAGARI, ANOTHER };
    if (c < 0x250)
        return ANOTHER;
    if (c >= 0x4E00 && c <= 0x9FFF)
        return HAN;
    if (c >= 0x400 && c <= 0x52F)
        return CYRILLIC;
    UErrorCode ec = U_ZERO_ERROR;
    switch (uscript_getScript((UChar32)c, &ec)) {
    case USCRIPT_HAN:
        return HAN;
    case USCRIPT_HIRAGANA:
        return HIRAGANA;
    case USCRIPT_KATAKANA:
        return KATAKANA;
    case USCRIPT_HANGUL:
        return HANGUL;
    case USCRIPT_GREEK:
        return GREEK;
    case USCRIPT_ARABIC:
        return ARABIC;
    case USCRIPT_HEBREW:
        return HEBREW;
    case USCRIPT_THAI:
        return THAI;
    case USCRIPT_DEVANAGARI:
        return DEVANAGARI;
    default:
        return ANOTHER;
    }
}

/* Cost of a word of n letters. */
static uint64_t word_rate(enum prefix prefix, enum shape shape, size_t n)
{
    if (n == 0)
        return 0;
    size_t cell = (n < WORD_MAX ? n : WORD_MAX) - 1;
    return word_mt[((size_t)prefix * SHAPES + shape) * WORD_MAX + cell] + (n > WORD_MAX ? (n - WORD_MAX) * LONG_LETTER_MT : 0);
}

static enum shape shape_of(size_t n, size_t n_upper)
{
    return n_upper == 0 ? ALL_LOWER : n_upper == n && n > 1 ? ALL_UPPER : n_upper == 1 ? CAPITAL : MIXED;
}

/* Cost of a word of ASCII letters from..to, n_upper of them capitals in front: rare combinations of letters cost more. */
static uint64_t ascii_rate(enum prefix prefix, const unsigned char *p, size_t n, size_t n_upper)
{
    enum shape shape = shape_of(n, n_upper);
    int64_t mt = (int64_t)word_rate(prefix, shape, n);
    if (shape != ALL_LOWER && shape != CAPITAL)
        return (uint64_t)mt;
    size_t before = 26;
    for (size_t i = 0; i < n && i < 2 * WORD_MAX; i++) {
        size_t letter = (size_t)(p[i] | 0x20) - 'a';
        mt += pair_mt[before * 26 + letter];
        before = letter;
    }
    mt = mt < ONE ? ONE : mt;
    return (uint64_t)(shape == CAPITAL ? mt * CAPITAL_PERMILLE / 1000 : mt);
}

/* "'s", "'re" and the like belong to the word before. */
static void take_suffix(struct scan *k)
{
    size_t left = k->s.len - k->pos;
    const char *p = k->s.ptr + k->pos;
    if (left < 2 || p[0] != '\'')
        return;
    char a = (char)(p[1] | 0x20), b = left > 2 ? (char)(p[2] | 0x20) : 0;
    size_t n = a == 's' || a == 't' || a == 'm' || a == 'd' ? 2 : ((a == 'r' || a == 'v') && b == 'e') || (a == 'l' && b == 'l') ? 3 : 0;
    k->pos += n;
    k->mt += n ? SUFFIX_MT : 0;
}

/* A word with letters outside ASCII: capitals or caseless letters, then small or caseless ones. */
static void take_wide_word(struct scan *k, enum prefix prefix)
{
    size_t n = 0, n_upper = 0, next;
    unsigned first = 0;
    bool script = false, phonetic = false, small = false;
    uint32_t c;
    while (k->pos < k->s.len) {
        enum kind kind = look(k->s, k->pos, &next, &c);
        if (!is_letter(kind) || (kind == UPPER && small))
            break;
        small = small || kind == LOWER;
        n_upper += kind == UPPER;
        first = n++ ? first : script_of(c);
        script = script || c >= 0x250;
        phonetic = phonetic || (c >= 0x250 && c < 0x300);
        k->pos = next;
    }
    first = phonetic ? PHONETIC : first;
    if (script && n_upper > 1)
        k->mt += (n_upper - 1) * WIDE_UPPER_MT;
    k->mt += script ? script_mt[2 * first] + n * script_mt[2 * first + 1] : word_rate(prefix, ACCENTED, n);
    take_suffix(k);
}

/* A word of letters from pos on. */
static void take_word(struct scan *k, enum prefix prefix)
{
    const unsigned char *p = (const unsigned char *)k->s.ptr;
    size_t from = k->pos, at = from, upper;
    while (at < k->s.len && class_of[p[at]] == UPPER)
        at++;
    upper = at - from;
    while (at < k->s.len && class_of[p[at]] == LOWER)
        at++;
    if (at < k->s.len && class_of[p[at]] == HIGH) {
        size_t next;
        uint32_t c;
        if (is_letter(look(k->s, at, &next, &c))) {
            take_wide_word(k, prefix);
            return;
        }
    }
    k->pos = at;
    k->mt += ascii_rate(prefix, p + from, at - from, upper);
    if (at < k->s.len && p[at] == '\'')
        take_suffix(k);
}

static void take_digits(struct scan *k)
{
    size_t n = 0, next;
    uint32_t c;
    for (; k->pos < k->s.len && look(k->s, k->pos, &next, &c) == DIGIT; n++)
        k->pos = next;
    k->mt += (n + 2) / 3 * DIGITS_MT;
}

/* A run of marks, behind a blank or not. At the end of the line it takes the newline along. */
static void take_marks(struct scan *k, bool blank)
{
    size_t n = 0, next;
    uint32_t c, first = 0;
    bool same = true, wide = false;
    while (k->pos < k->s.len && look(k->s, k->pos, &next, &c) == MARK) {
        first = n ? first : c;
        same = same && c == first;
        wide = wide || c >= 0x80;
        n++;
        k->pos = next;
    }
    if (wide) {
        uint64_t mt = (n + blank) * SYMBOL_MT;
        k->mt += mt > ONE ? mt : ONE;
        return;
    }
    if (n == 0)
        return; /* never: the caller saw a mark */
    size_t cell = (n < PUNCT_MAX ? n : PUNCT_MAX) - 1, longer = n > PUNCT_MAX ? n - PUNCT_MAX : 0;
    k->mt += punct_mt[((size_t)blank * 2 + !same) * PUNCT_MAX + cell] + longer * (same ? LONG_SAME_MT : LONG_MIXED_MT);
}

/* White space and what it clings to. */
static void take_blanks(struct scan *k)
{
    size_t n = 0, next, last = k->pos;
    uint32_t c;
    enum kind kind = BLANK;
    while (k->pos < k->s.len && (kind = look(k->s, k->pos, &next, &c)) == BLANK) {
        last = k->pos;
        k->pos = next;
        n++;
    }
    if (k->pos == k->s.len)
        return; /* one piece with the newline */
    bool space = k->s.ptr[last] == ' ';
    if (n > 1)
        k->mt += ONE;
    if (is_letter(kind))
        take_word(k, space ? SPACE : OTHER);
    else if (kind == MARK && space)
        take_marks(k, true);
    else
        k->mt += DIGITS_MT; /* a blank before digits stands alone */
}

static uint64_t line_mt(const struct takc_tokenizer *t, struct takc_str line)
{
    (void)t;
    struct scan k = {.s = line};
    bool marks = false;
    if (line.len == 0)
        return EMPTY_LINE_MT;
    while (k.pos < line.len) {
        size_t next;
        uint32_t c;
        enum kind kind = look(line, k.pos, &next, &c);
        marks = false;
        if (kind == BLANK) {
            size_t before = k.pos;
            take_blanks(&k);
            marks = k.pos > before && class_of[(unsigned char)line.ptr[k.pos - 1]] == MARK;
        } else if (kind == DIGIT) {
            take_digits(&k);
        } else if (is_letter(kind)) {
            take_word(&k, NO_PREFIX);
        } else if (next < line.len && is_letter(look(line, next, &(size_t){0}, &c))) {
            k.pos = next;
            take_word(&k, OTHER);
        } else {
            take_marks(&k, false);
            marks = true;
        }
    }
    return k.mt + (marks ? 0 : ONE);
}

extern const struct takc_tokenizer takc_tokenizer_estimate;
static const struct takc_tokenizer_ops ops = {.flags = TAKC_TOKENIZER_LINES, .line_mt = line_mt};
const struct takc_tokenizer takc_tokenizer_estimate = {&ops, "estimate", "2"};
