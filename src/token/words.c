/* SPDX-License-Identifier: Apache-2.0
 *
 * words.c - the word iterator. Most text is read in place: ASCII and characters that NFKC leaves alone, lower-cased on the way. A run
 * between white space that holds anything else (ligatures, full width, combining marks, sigma ...) goes through ICU into `wide` first and
 * is then read by the same scanner. White space is a safe place to cut: no rule below and no composition reaches across it.
 *
 * A sentence of Han or Kana is one run of letters. Its pairs of characters need no dictionary, cut the same way whatever stands around
 * them, and the last of a run alone has more unset, so that counts of runs are what they are for other scripts. */
#include "token/words.h"
#include "base/alloc.h"
#include "base/utf8.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

enum { RUN_MAX = 1024 }; /* bytes normalised at once: NFKC makes at most 18 units of 3 bytes, so the buffers below hold any result */

enum kind { OTHER, LETTER, DIGIT, JOIN }; /* JOIN: '_', part of a \w run though of no word */

static const uint8_t ascii_class[128] = {['0' ... '9'] = DIGIT, ['A' ... 'Z'] = LETTER, ['a' ... 'z'] = LETTER, ['_'] = JOIN};

/* Class of the character at p (< end); *n is its length, *c the character. */
static enum kind class_at(struct takc_str s, size_t p, unsigned *n, uint32_t *c)
{
    unsigned char b = (unsigned char)s.ptr[p];
    if (b < 0x80) {
        *n = 1;
        *c = b;
        return (enum kind)ascii_class[b];
    }
    size_t at = p;
    *c = takc_utf8_next(s, &at, NULL);
    *n = (unsigned)(at - p);
    uint32_t mask = U_GET_GC_MASK((UChar32)*c);
    if (mask & (U_GC_L_MASK | U_GC_NL_MASK | U_GC_NO_MASK))
        return LETTER; /* numerals that are no decimal digits stand in words, as in Python's \w less \d */
    return mask & U_GC_ND_MASK ? DIGIT : OTHER;
}

/* Is the character one that NFKC leaves alone, that composes with nothing but combining marks, and whose lower case is one character? */
static bool is_plain(uint32_t c)
{
    if (c < 0x80 || (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0xAC00 && c <= 0xD7A3))
        return true;
    if (c < 0x100)
        return c >= 0xA0 &&
               !(c == 0xA8 || c == 0xAA || c == 0xAF || (c >= 0xB2 && c <= 0xB5) || (c >= 0xB8 && c <= 0xBA) || (c >= 0xBC && c <= 0xBE));
    if (c < 0x180)
        return !(c == 0x130 || c == 0x132 || c == 0x133 || c == 0x13F || c == 0x140 || c == 0x149 || c == 0x17F);
    return (c >= 0x400 && c <= 0x45F) || (c >= 0x2010 && c <= 0x2015) || (c >= 0x2018 && c <= 0x2022) || c == 0x20AC ||
           (c >= 0x25A0 && c <= 0x25FF) || c == 0x3001 || c == 0x3002 || (c >= 0x3041 && c <= 0x3096) || (c >= 0x30A1 && c <= 0x30FA) ||
           c == 0x30FC || c == TAKC_UTF8_BAD;
}

static bool is_ascii_white(unsigned char b)
{
    return b == ' ' || (b >= 9 && b <= 13) || (b >= 0x1C && b <= 0x1F);
}

unsigned takc_white_at(struct takc_str s, size_t pos)
{
    unsigned char b = (unsigned char)s.ptr[pos];
    if (b < 0x80)
        return is_ascii_white(b);
    size_t at = pos;
    uint32_t c = b == 0xC2 || b == 0xE1 || b == 0xE2 || b == 0xE3 ? takc_utf8_next(s, &at, NULL) : 0;
    bool white = c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
                 c == 0x205F || c == 0x3000;
    return white ? (unsigned)(at - pos) : 0;
}

uint64_t takc_white_words(struct takc_str text)
{
    uint64_t n = 0;
    bool inside = false;
    for (size_t i = 0; i < text.len;) {
        unsigned char b = (unsigned char)text.ptr[i];
        unsigned white = b < 0x80 ? is_ascii_white(b) : takc_white_at(text, i);
        n += !white && !inside;
        inside = !white;
        i += white ? white : 1; /* inside a character no byte is white space */
    }
    return n;
}

/* Length of an apostrophe (' or U+2019) at p, else 0. */
static unsigned apostrophe(struct takc_str s, size_t p)
{
    if (p < s.len && s.ptr[p] == '\'')
        return 1;
    return p + 3 <= s.len && memcmp(s.ptr + p, "\xE2\x80\x99", 3) == 0 ? 3 : 0;
}

/* Length of "'s" at p when no letter, digit or '_' follows; else 0. */
static unsigned possessive(struct takc_str s, size_t p)
{
    unsigned a = apostrophe(s, p), n;
    uint32_t c;
    if (!a || p + a >= s.len || (s.ptr[p + a] | 0x20) != 's')
        return 0;
    return p + a + 1 >= s.len || class_at(s, p + a + 1, &n, &c) == OTHER ? a + 1 : 0;
}

/* Position behind any "'s" at p. */
static size_t skip_possessive(struct takc_str s, size_t p)
{
    for (unsigned n; (n = possessive(s, p)) != 0;)
        p += n;
    return p;
}

/* What to jump over inside a word at p: "'s", or the apostrophe of "n't"; 0 when the word ends here. */
static unsigned joiner(struct takc_str s, size_t p)
{
    unsigned n = possessive(s, p);
    if (n || p == 0)
        return n;
    n = apostrophe(s, p);
    bool nt = n && (s.ptr[p - 1] | 0x20) == 'n' && p + n < s.len && (s.ptr[p + n] | 0x20) == 't';
    return nt ? n : 0;
}

/* Han and Kana, with the marks that repeat and lengthen. */
static bool is_paired(uint32_t c)
{
    return (c >= 0x3041 && c <= 0x30FF) || (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x3005 && c <= 0x3007) ||
           (c >= 0x31F0 && c <= 0x31FF) || (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x20000 && c <= 0x3134F);
}

/* Is there a letter at p, and one that comes in pairs? */
static enum kind paired_at(struct takc_str s, size_t p, unsigned *n, bool *paired)
{
    uint32_t c = 0;
    enum kind k = p < s.len ? class_at(s, p, n, &c) : OTHER;
    *paired = k == LETTER && is_paired(c);
    return k;
}

/* The character of Han or Kana at *pos, n bytes, with the next one where it is such a one, too. */
static size_t scan_pair(struct takc_words *w, struct takc_str s, size_t *pos, unsigned n, size_t *end, struct takc_word *out)
{
    size_t p = *pos, next = p + n;
    unsigned m = 0;
    bool paired;
    out->pair = true;
    out->again = (uint8_t)(w->pair_at == p ? n : 0);
    w->pair_at = SIZE_MAX;
    enum kind after = paired_at(s, next, &m, &paired);
    *end = paired ? next + m : next;
    *pos = *end;
    if (paired) {
        after = paired_at(s, *end, &m, &paired);
        if (paired)
            *pos = w->pair_at = next;
    }
    out->more = after == LETTER;
    memcpy(w->scratch, s.ptr + p, *end - p);
    return *end - p;
}

/* Reads letters from *pos into scratch, lower-cased. Returns their bytes; *end is behind the last one. */
static size_t scan_letters(struct takc_words *w, struct takc_str s, size_t *pos, size_t *end, bool *more)
{
    size_t p = *pos, len = 0;
    *more = false;
    while (p < s.len) {
        unsigned char b = (unsigned char)s.ptr[p];
        unsigned n = 1;
        uint32_t c = b;
        if (b < 0x80 ? ascii_class[b] != LETTER : class_at(s, p, &n, &c) != LETTER) {
            unsigned skip = joiner(s, p);
            if (!skip)
                break;
            p += skip;
            continue;
        }
        if (len + n + 1 > TAKC_WORD_MAX || (b >= 0xE3 && is_paired(c))) {
            *more = true;
            break;
        }
        if (b < 0x80)
            w->scratch[len++] = (char)(b | 0x20);
        else
            len += takc_utf8_put((uint32_t)u_tolower((UChar32)c), w->scratch + len);
        p += n;
        *end = p;
    }
    *pos = p;
    return len;
}

/* Appends the digits at p, up to max of them, to scratch; returns the position behind them. */
static size_t take_digits(struct takc_words *w, struct takc_str s, size_t p, size_t *len, unsigned max)
{
    unsigned n;
    uint32_t c;
    for (unsigned i = 0; i < max && p < s.len && class_at(s, p, &n, &c) == DIGIT && *len + n <= TAKC_WORD_MAX; i++) {
        memcpy(w->scratch + *len, s.ptr + p, n);
        *len += n;
        p += n;
    }
    return p;
}

static bool digit_at(struct takc_str s, size_t p)
{
    unsigned n;
    uint32_t c;
    return p < s.len && class_at(s, p, &n, &c) == DIGIT;
}

/* Is there a comma and three digits at p? */
static bool group_at(struct takc_str s, size_t p)
{
    unsigned n;
    uint32_t c;
    if (p >= s.len || s.ptr[p] != ',')
        return false;
    p++;
    for (int i = 0; i < 3; i++, p += n)
        if (p >= s.len || class_at(s, p, &n, &c) != DIGIT)
            return false;
    return true;
}

/* Reads a number from *pos: digits, ",ddd" groups, a fraction. scratch gets its canonical form; returns the bytes. */
static size_t scan_number(struct takc_words *w, struct takc_str s, size_t *pos, size_t *end, bool *more)
{
    size_t len = 0, p = take_digits(w, s, *pos, &len, TAKC_WORD_MAX), next;
    *more = digit_at(s, p);
    for (; !*more && group_at(s, next = skip_possessive(s, p)) && len + 12 <= TAKC_WORD_MAX;)
        p = take_digits(w, s, next + 1, &len, 3);
    size_t zeros = 0;
    while (zeros + 1 < len && w->scratch[zeros] == '0')
        zeros++;
    memmove(w->scratch, w->scratch + zeros, len -= zeros);
    next = skip_possessive(s, p);
    if (!*more && next < s.len && s.ptr[next] == '.' && digit_at(s, next + 1) && len + 8 < TAKC_WORD_MAX) {
        if (len == 0)
            w->scratch[len++] = '0';
        size_t dot = len;
        w->scratch[len++] = '.';
        p = take_digits(w, s, next + 1, &len, TAKC_WORD_MAX);
        *more = digit_at(s, p);
        while (w->scratch[len - 1] == '0')
            len--;
        if (len == dot + 1)
            len = dot;
    }
    *pos = *end = p;
    return len;
}

/* The next word of s from *pos; offsets are added to. */
static bool scan(struct takc_words *w, struct takc_str s, size_t *pos, struct takc_word *out)
{
    size_t p = *pos;
    while (p < s.len) {
        unsigned n = 1;
        uint32_t c;
        unsigned char b = (unsigned char)s.ptr[p];
        enum kind k = b < 0x80 ? (enum kind)ascii_class[b] : class_at(s, p, &n, &c);
        if (k == LETTER || k == DIGIT || (b == '.' && digit_at(s, p + 1))) {
            size_t start = p, end = p, len;
            out->number = k != LETTER;
            out->pair = false;
            out->again = 0;
            if (k != LETTER)
                len = scan_number(w, s, &p, &end, &out->more);
            else if (b >= 0xE3 && is_paired(c))
                len = scan_pair(w, s, &p, n, &end, out);
            else
                len = scan_letters(w, s, &p, &end, &out->more);
            out->start = (uint32_t)start;
            out->end = (uint32_t)end;
            out->norm = takc_str_n(w->scratch, len);
            *pos = p;
            return true;
        }
        unsigned skip = b == '\'' || b == 0xE2 ? possessive(s, p) : 0;
        p += skip ? skip : n;
    }
    *pos = p;
    return false;
}

/* Where to cut a run that is too long to be normalised at once: behind the last character that no word and no number goes on with. */
static size_t cut_run(struct takc_str s, size_t from, size_t end)
{
    size_t best = 0, p = from, last = from;
    while (p < end) {
        unsigned n;
        uint32_t c;
        enum kind k = class_at(s, p, &n, &c);
        if (p + n > end)
            break;
        bool mark = (U_GET_GC_MASK((UChar32)c) & U_GC_M_MASK) != 0;
        if (mark && best == p)
            best = 0;
        p += n;
        last = p;
        if (k == OTHER && !mark && c != '\'' && c != ',' && c != '.' && c != 0x2019 && c != 0xFF0C && c != 0xFF0E && c != 0xFF07)
            best = p;
    }
    return best > from ? best : last;
}

/* Normalises s[from..end) into wide. False when there is no memory for it or ICU refuses. */
static bool widen(struct takc_words *w, size_t from, size_t end)
{
    UChar raw[RUN_MAX + 1], nfkc[RUN_MAX * 7], low[RUN_MAX * 8];
    UErrorCode ec = U_ZERO_ERROR;
    int32_t n = 0, bytes = 0;
    const UNormalizer2 *norm = unorm2_getNFKCInstance(&ec);
    u_strFromUTF8WithSub(raw, RUN_MAX + 1, &n, w->text.ptr + from, (int32_t)(end - from), TAKC_UTF8_BAD, NULL, &ec);
    n = U_SUCCESS(ec) ? unorm2_normalize(norm, raw, n, nfkc, RUN_MAX * 7, &ec) : 0;
    n = U_SUCCESS(ec) ? u_strToLower(low, RUN_MAX * 8, nfkc, n, "", &ec) : 0;
    if (U_FAILURE(ec) || takc_grow(&w->wide, &w->wide_cap, (size_t)n * 3 + 1, 1, NULL))
        return false;
    u_strToUTF8WithSub(w->wide, (int32_t)w->wide_cap, &bytes, low, n, TAKC_UTF8_BAD, NULL, &ec);
    if (U_FAILURE(ec))
        return false;
    w->wide_len = (size_t)bytes;
    w->wide_pos = 0;
    w->wide_start = (uint32_t)from;
    w->wide_end = (uint32_t)end;
    return true;
}

/* End of the run of bytes that are no ASCII white space; *rough_end is behind its last character that cannot be read in place, or p. */
static size_t run_end(struct takc_str s, size_t p, size_t *rough_end)
{
    *rough_end = p;
    while (p < s.len && !is_ascii_white((unsigned char)s.ptr[p])) {
        if ((unsigned char)s.ptr[p] < 0x80) {
            p++;
            continue;
        }
        if (!is_plain(takc_utf8_next(s, &p, NULL)))
            *rough_end = p;
    }
    return p;
}

/* First byte from p that is not ASCII, or the end. */
static size_t ascii_end(struct takc_str s, size_t p)
{
    for (; p + 8 <= s.len && !(takc_le(s.ptr + p, 8) & 0x8080808080808080u);)
        p += 8;
    while (p < s.len && (unsigned char)s.ptr[p] < 0x80)
        p++;
    return p;
}

/* Fills wide from pos, which is in a run that is rough further on, and moves pos behind what was taken. */
static void take_rough(struct takc_words *w)
{
    size_t start = w->pos, end = w->run_end;
    if (end - start > RUN_MAX)
        end = cut_run(w->text, start, start + RUN_MAX);
    if (!widen(w, start, end)) {
        w->wide_len = w->wide_pos = 0;
        w->failed = true;
    }
    w->pos = w->plain_end = end;
}

/* Called where pos has reached plain_end: moves plain_end on, or fills wide. A run is walked over once, however often it is cut. */
static void look_ahead(struct takc_words *w)
{
    struct takc_str s = w->text;
    if (w->pos < w->rough_end) {
        take_rough(w);
        return;
    }
    size_t high = ascii_end(s, w->pos), start = high;
    if (high == s.len) {
        w->plain_end = s.len;
        return;
    }
    while (start > w->pos && !is_ascii_white((unsigned char)s.ptr[start - 1]))
        start--;
    if (start > w->pos) {
        w->plain_end = start;
        return;
    }
    w->run_end = run_end(s, start, &w->rough_end);
    if (w->rough_end > start)
        take_rough(w);
    else
        w->plain_end = w->run_end;
}

void takc_words_init(struct takc_words *w, struct takc_str text)
{
    w->text = text;
    w->wide = NULL;
    w->pos = w->plain_end = 0;
    w->wide_len = w->wide_cap = w->wide_pos = 0;
    w->wide_start = w->wide_end = 0;
    w->run_end = w->rough_end = 0;
    w->pair_at = SIZE_MAX;
    w->failed = false;
}

void takc_words_restart(struct takc_words *w, struct takc_str text)
{
    w->text = text;
    w->pos = w->plain_end = 0;
    w->wide_len = w->wide_pos = 0;
    w->run_end = w->rough_end = 0;
    w->pair_at = SIZE_MAX;
    w->failed = false;
}

void takc_words_clear(struct takc_words *w)
{
    takc_free(w->wide);
    takc_words_init(w, takc_str_n(NULL, 0));
}

static bool is_article(struct takc_str n)
{
    return n.len <= 3 && n.len > 0 && n.ptr[0] == (n.len == 3 ? 't' : 'a') &&
           (n.len == 1 || (n.len == 2 && n.ptr[1] == 'n') || (n.len == 3 && n.ptr[1] == 'h' && n.ptr[2] == 'e'));
}

bool takc_words_next(struct takc_words *w, struct takc_word *out)
{
    for (;;) {
        if (w->wide_pos < w->wide_len) {
            if (scan(w, takc_str_n(w->wide, w->wide_len), &w->wide_pos, out)) {
                out->start = w->wide_start;
                out->end = w->wide_end;
                break;
            }
            continue;
        }
        if (w->pos < w->plain_end) {
            if (scan(w, takc_str_n(w->text.ptr, w->plain_end), &w->pos, out))
                break;
            continue;
        }
        if (w->pos >= w->text.len)
            return false;
        look_ahead(w);
    }
    out->article = !out->number && is_article(out->norm);
    return true;
}

/* Without one of the common endings. */
static struct takc_str cut_ending(struct takc_str norm)
{
    static const struct {
        const char *text;
        size_t len;
    } suffixes[] = {{"ing", 3}, {"edly", 4}, {"ed", 2}, {"ies", 3}, {"es", 2}, {"s", 1}, {"ly", 2}};
    char last = norm.len > 3 ? norm.ptr[norm.len - 1] : 0;
    if (last != 'g' && last != 'y' && last != 'd' && last != 's')
        return norm;
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        size_t n = suffixes[i].len;
        if (norm.len >= n + 3 && memcmp(norm.ptr + norm.len - n, suffixes[i].text, n) == 0)
            return takc_str_n(norm.ptr, norm.len - n);
    }
    return norm;
}

/* Without the article that Arabic writes onto its word. */
static struct takc_str cut_article(struct takc_str norm)
{
    enum { ARTICLE = 4, LEAST = 6 }; /* bytes of al-, and of the three letters that must remain */
    bool article = norm.len >= ARTICLE + LEAST && memcmp(norm.ptr, "\xD8\xA7\xD9\x84", ARTICLE) == 0;
    return article ? takc_str_slice(norm, ARTICLE, norm.len) : norm;
}

/* lease, leases, leased and leasing meet, and so do company and companies: a final e or y goes, too. */
enum takc_status takc_words_end(struct takc_words *w, enum takc_status st, struct takc_err *err)
{
    bool failed = w->failed;
    takc_words_clear(w);
    return st || !failed ? st : takc_fail(err, TAKC_NOMEM, 0, "no memory to normalise a word");
}

struct takc_str takc_word_stem(struct takc_str norm)
{
    if (norm.len && (unsigned char)norm.ptr[0] == 0xD8)
        return cut_article(norm);
    struct takc_str s = cut_ending(norm);
    if (s.len >= 4 && (s.ptr[s.len - 1] == 'e' || s.ptr[s.len - 1] == 'y'))
        s.len--;
    return s;
}

uint64_t takc_words_count(struct takc_str text)
{
    struct takc_words w;
    struct takc_word word;
    uint64_t n = 0;
    takc_words_init(&w, text);
    while (takc_words_next(&w, &word))
        n += !word.article && !word.more;
    takc_words_clear(&w);
    return n;
}
