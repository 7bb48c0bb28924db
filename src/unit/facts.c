/* SPDX-License-Identifier: Apache-2.0
 *
 * facts.c - one walk over white-space separated pieces with a little memory: the run of capitalised words that is open, the negation that
 * waits for its content word, the month that waits for day and year. Keys are hashes of canonical lower-case text. */
#include "unit/facts.h"
#include "base/alloc.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "token/lexicon.h"
#include "token/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <unicode/uchar.h>

enum { CORE_MAX = 96 }; /* bytes of a piece that are looked at; longer ones are ids by their hash */

struct piece {
    struct takc_str s;                            /* without outer punctuation */
    unsigned letters, lower, upper, digits;       /* upper and lower: cased letters; letters: all */
    bool opens, closes;                           /* begins a sentence; punctuation behind it ends a run of names */
    bool camel, id_mark, capital, money, percent; /* CamelCase; @ :// _ inside; first letter upper; currency sign; % */
};

struct walk {
    takc_fact_fn *each;
    void *arg;
    struct takc_str text;
    size_t pos;
    bool fresh;        /* the next piece begins a sentence */
    uint64_t name;     /* hash of the open run */
    unsigned name_len; /* its words; 0: none is open */
    bool name_opens;   /* it is one word that opens a sentence: no name */
    bool negated;      /* a negation waits for its content word */
};

static const struct takc_lexeme months[] = {
    {"apr", 4}, {"april", 4},   {"aug", 8},       {"august", 8}, {"dec", 12},     {"december", 12}, {"feb", 2},  {"february", 2},
    {"jan", 1}, {"january", 1}, {"jul", 7},       {"july", 7},   {"jun", 6},      {"june", 6},      {"mar", 3},  {"march", 3},
    {"may", 5}, {"nov", 11},    {"november", 11}, {"oct", 10},   {"october", 10}, {"sep", 9},       {"sept", 9}, {"september", 9},
};
static const struct takc_lexeme negations[] = {
    {"aint", 1},     {"arent", 1},  {"cannot", 1}, {"cant", 1},   {"couldnt", 1}, {"didnt", 1},  {"doesnt", 1},  {"dont", 1},
    {"except", 1},   {"hadnt", 1},  {"hasnt", 1},  {"havent", 1}, {"isnt", 1},    {"mustnt", 1}, {"neednt", 1},  {"neither", 1},
    {"never", 1},    {"no", 1},     {"nobody", 1}, {"none", 1},   {"nor", 1},     {"not", 1},    {"nothing", 1}, {"nowhere", 1},
    {"shouldnt", 1}, {"unless", 1}, {"wasnt", 1},  {"werent", 1}, {"without", 1}, {"wont", 1},   {"wouldnt", 1},
};
#define FIND(table, s) takc_lexicon_find(table, sizeof(table) / sizeof((table)[0]), s)

static void tell(struct walk *w, enum takc_fact_kind kind, uint64_t hash)
{
    w->each(w->arg, kind, hash << 3 | (uint64_t)kind);
}

/* Hash of s in lower case (ASCII), chained on seed. */
static uint64_t hash_lower(struct takc_str s, uint64_t seed)
{
    char low[CORE_MAX];
    if (!s.ptr)
        return seed;
    while (s.len > CORE_MAX) {
        seed = takc_hash64(takc_str_n(s.ptr, CORE_MAX), seed);
        s = takc_str_slice(s, CORE_MAX, s.len);
    }
    for (size_t i = 0; i < s.len; i++)
        low[i] = (char)(s.ptr[i] >= 'A' && s.ptr[i] <= 'Z' ? s.ptr[i] | 0x20 : s.ptr[i]);
    return takc_hash64(takc_str_n(low, s.len), seed);
}

/* ASCII letters and digits are no marks: the common case, told from one byte. */
static bool is_plain(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static size_t lead_mark(struct takc_str s)
{
    if (s.len == 0 || is_plain(s.ptr[0]))
        return 0;
    static const char *const marks[] = {"\"", "'", "(", "[", "{", "\xE2\x80\x9C", "\xE2\x80\x98", "\xC2\xAB", "\xE2\x80\xA2", "*"};
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
        if (takc_str_starts(s, takc_str(marks[i])))
            return strlen(marks[i]);
    return 0;
}

static size_t tail_mark(struct takc_str s)
{
    if (s.len == 0 || is_plain(s.ptr[s.len - 1]))
        return 0;
    static const char *const marks[] = {".",        ",", ";", ":", "!", "?", "\"", "'", ")", "]", "}", "\xE2\x80\x9D", "\xE2\x80\x99",
                                        "\xC2\xBB", "*"};
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
        if (takc_str_ends(s, takc_str(marks[i])))
            return strlen(marks[i]);
    return 0;
}

/* Cuts "'s" off. */
static struct takc_str without_s(struct takc_str s)
{
    if (takc_str_ends(s, takc_str("'s")))
        return takc_str_slice(s, 0, s.len - 2);
    return takc_str_ends(s, takc_str("\xE2\x80\x99s")) ? takc_str_slice(s, 0, s.len - 4) : s;
}

static void look_at(struct piece *p)
{
    struct takc_str s = p->s;
    bool was_lower = false;
    for (size_t i = 0; i < s.len;) {
        size_t at = i;
        uint32_t c = (unsigned char)s.ptr[i];
        if (c < 0x80)
            i++;
        else
            c = takc_utf8_next(s, &i, NULL);
        bool low = c < 0x80 ? c >= 'a' && c <= 'z' : u_islower((UChar32)c), up = c < 0x80 ? c >= 'A' && c <= 'Z' : u_isupper((UChar32)c);
        p->lower += low;
        p->upper += up;
        p->letters += low || up || (c >= 0x80 && u_isalpha((UChar32)c));
        p->digits += c >= '0' && c <= '9';
        p->capital |= at == 0 && up;
        p->camel |= up && was_lower;
        p->money |= c == '$' || c == 0x20AC || c == 0xA3;
        p->percent |= c == '%';
        p->id_mark |= c == '@' || (c == '_' && at > 0) || (c == ':' && i + 1 < s.len && s.ptr[i] == '/' && s.ptr[i + 1] == '/') ||
                      (c == '/' && at == 0 && s.len > 1);
        was_lower = low;
    }
}

/* The next piece; false at the end. */
static bool next_piece(struct walk *w, struct piece *p)
{
    struct takc_str t = w->text;
    for (;;) {
        unsigned n = 0;
        while (w->pos < t.len && (n = takc_white_at(t, w->pos)) != 0)
            w->pos += n;
        if (w->pos >= t.len)
            return false;
        size_t start = w->pos;
        while (w->pos < t.len && !takc_white_at(t, w->pos))
            w->pos++;
        *p = (struct piece){.s = takc_str_slice(t, start, w->pos), .opens = w->fresh};
        for (size_t m; (m = lead_mark(p->s)) != 0;)
            p->s = takc_str_slice(p->s, m, p->s.len);
        char stop = 0;
        for (size_t m; (m = tail_mark(p->s)) != 0; p->s.len -= m) {
            char c = p->s.ptr[p->s.len - m];
            stop = c == '.' || c == '!' || c == '?' || c == ':' || stop == 0 ? c : stop;
        }
        p->closes = stop != 0;
        bool ends = stop == '.' || stop == '!' || stop == '?' || stop == ':';
        w->fresh = p->s.len == 0 ? w->fresh || ends : ends;
        if (p->s.len == 0)
            continue;
        p->s = without_s(p->s);
        look_at(p);
        return true;
    }
}

static void close_name(struct walk *w)
{
    if (w->name_len && !w->name_opens)
        tell(w, TAKC_FACT_NAME, w->name);
    w->name_len = 0;
}

/* s in lower case (ASCII) if it is short enough for a table. */
static bool lower_of(struct takc_str s, char low[16], struct takc_str *out)
{
    if (s.len == 0 || s.len > 15)
        return false;
    for (size_t i = 0; i < s.len; i++)
        low[i] = (char)(s.ptr[i] >= 'A' && s.ptr[i] <= 'Z' ? s.ptr[i] | 0x20 : s.ptr[i]);
    *out = takc_str_n(low, s.len);
    return true;
}

/* Adds a piece to the run of capitalised words, or ends the run. */
static void name_piece(struct walk *w, const struct piece *p)
{
    bool acronym = p->upper >= 2 && p->lower == 0 && p->digits == 0;
    bool word = p->capital && p->digits == 0 && (p->lower > 0 || acronym);
    char low[16];
    struct takc_str l;
    if (word && p->opens && lower_of(p->s, low, &l) && takc_word_is_stop(l))
        word = false;
    if (!word) {
        close_name(w);
        return;
    }
    if (p->opens)
        close_name(w);
    w->name = hash_lower(p->s, w->name_len ? w->name : 0);
    w->name_opens = w->name_len == 0 && p->opens && !acronym;
    w->name_len++;
    if (p->closes)
        close_name(w);
}

/* The lower-case word is asked without its apostrophe: don't -> dont. */
static bool is_negation(struct takc_str s)
{
    char low[16], flat[16];
    struct takc_str l;
    size_t n = 0;
    if (!lower_of(s, low, &l))
        return false;
    for (size_t i = 0; i < l.len; i++) {
        if (l.ptr[i] == '\'')
            continue;
        if (l.len - i >= 3 && memcmp(l.ptr + i, "\xE2\x80\x99", 3) == 0) {
            i += 2;
            continue;
        }
        flat[n++] = l.ptr[i];
    }
    return FIND(negations, takc_str_n(flat, n)) != 0;
}

static void negation_piece(struct walk *w, const struct piece *p)
{
    if (is_negation(p->s)) {
        w->negated = true;
        return;
    }
    char low[16];
    struct takc_str l = p->s;
    if (!w->negated || (lower_of(p->s, low, &l) && takc_word_is_stop(l)))
        return;
    tell(w, TAKC_FACT_NEGATION, hash_lower(takc_word_stem(l), 1));
    w->negated = false;
}

static void tell_date(struct walk *w, unsigned year, unsigned month, unsigned day)
{
    tell(w, TAKC_FACT_DATE, takc_hash64(takc_str_n(NULL, 0), ((uint64_t)year << 16 | month << 8 | day) + 1));
}

/* The digits that are the whole of s as a number, up to 4 of them; an ordinal's letters may follow. */
static bool small_number(struct takc_str s, unsigned *out)
{
    unsigned v = 0;
    size_t i = 0;
    for (; i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9' && i < 5; i++)
        v = v * 10 + (unsigned)(s.ptr[i] - '0');
    *out = v;
    struct takc_str rest = takc_str_slice(s, i, s.len);
    return i > 0 && i < 5 &&
           (rest.len == 0 || takc_str_is(rest, "st") || takc_str_is(rest, "nd") || takc_str_is(rest, "rd") || takc_str_is(rest, "th"));
}

static bool is_year(unsigned v)
{
    return v >= 1500 && v <= 2099;
}

/* A month's name: takes the day and the year behind it, or the day before it (last_day), along. False when no number goes with it. */
static bool month_piece(struct walk *w, const struct piece *p, unsigned last_day)
{
    char low[16];
    struct takc_str l;
    unsigned month = p->capital && p->digits == 0 && lower_of(p->s, low, &l) ? FIND(months, l) : 0;
    if (!month)
        return false;
    struct walk ahead = *w;
    struct piece next;
    unsigned v = 0, year = 0, day = last_day;
    if (!next_piece(&ahead, &next) || !small_number(next.s, &v) || next.money || next.percent)
        v = 0;
    if (v >= 1 && v <= 31 && !day) {
        day = v;
        *w = ahead;
        if (next_piece(&ahead, &next) && small_number(next.s, &v) && is_year(v)) {
            year = v;
            *w = ahead;
        }
    } else if (is_year(v)) {
        year = v;
        *w = ahead;
    }
    if (!day && !year)
        return false;
    tell_date(w, year, month, day);
    return true;
}

/* "2019-03-05", "03/05/2019", "3/5/19": month first where slashes stand, as filings have it. */
static bool numeric_date(struct walk *w, struct takc_str s)
{
    unsigned v[3] = {0}, n = 0, len[3] = {0};
    char sep = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c >= '0' && c <= '9' && len[n] < 4) {
            v[n] = v[n] * 10 + (unsigned)(c - '0');
            len[n]++;
        } else if ((c == '-' || c == '/') && n < 2 && len[n] && (!sep || sep == c)) {
            sep = c;
            n++;
        } else {
            return false;
        }
    }
    if (n != 2 || !len[2])
        return false;
    if (sep == '-' && len[0] == 4 && is_year(v[0]) && v[1] >= 1 && v[1] <= 12 && v[2] >= 1 && v[2] <= 31)
        tell_date(w, v[0], v[1], v[2]);
    else if (sep == '/' && v[0] >= 1 && v[0] <= 12 && v[1] >= 1 && v[1] <= 31 && (len[2] == 2 || is_year(v[2])))
        tell_date(w, len[2] == 2 ? (v[2] < 50 ? 2000 : 1900) + v[2] : v[2], v[0], v[1]);
    else
        return false;
    return true;
}

/* Canonical form of the digits at *pos of s: no separators, no zeros in front or behind the point. Returns its bytes in out. */
static size_t canonical(struct takc_str s, size_t *pos, char out[CORE_MAX])
{
    size_t n = 0, i = *pos, point = 0;
    bool seen = false;
    for (; i < s.len && n + 1 < CORE_MAX; i++) {
        char c = s.ptr[i];
        bool next = i + 1 < s.len && s.ptr[i + 1] >= '0' && s.ptr[i + 1] <= '9';
        if (c >= '0' && c <= '9') {
            if (seen || c != '0' || point || !next)
                out[n++] = c;
            seen = seen || c != '0';
        } else if (c == '.' && next && !point) {
            if (n == 0)
                out[n++] = '0';
            point = n;
            out[n++] = c;
            seen = true;
        } else if (c != ',' || !next || point) {
            break;
        }
    }
    *pos = i > *pos ? i : *pos + 1;
    while (point && n > point + 1 && out[n - 1] == '0')
        n--;
    return point && n == point + 1 ? point : n;
}

/* Numbers of a piece: several in a range. A year that is no amount is a date. */
static void number_piece(struct walk *w, const struct piece *p)
{
    struct takc_str s = p->s;
    for (size_t i = 0; i < s.len;) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9') {
            i++;
            continue;
        }
        char text[CORE_MAX];
        unsigned year;
        size_t from = i, n = canonical(s, &i, text);
        bool plain = i - from == 4 && small_number(takc_str_n(text, n), &year) && is_year(year) && !p->money && !p->percent;
        if (plain)
            tell_date(w, year, 0, 0);
        else
            tell(w, TAKC_FACT_NUMBER, takc_hash64(takc_str_n(text, n), 0));
    }
}

/* Digits with at most three letters behind them ("5kg", "3rd", "1990s", "12x") are a number with a unit, no id. */
static bool is_measure(const struct piece *p)
{
    struct takc_str s = p->s;
    size_t i = 0;
    while (i < s.len && !((s.ptr[i] | 0x20) >= 'a' && (s.ptr[i] | 0x20) <= 'z'))
        i++;
    for (size_t k = i; k < s.len; k++)
        if (s.ptr[k] >= '0' && s.ptr[k] <= '9')
            return false;
    return i > 0 && p->letters <= 3 && memchr(s.ptr, '-', s.len) == NULL;
}

static void one_piece(struct walk *w, const struct piece *p, unsigned *last_day)
{
    unsigned day = 0;
    negation_piece(w, p);
    bool dated = month_piece(w, p, *last_day);
    *last_day = 0;
    if (dated) {
        close_name(w);
        return;
    }
    name_piece(w, p);
    if (p->digits && p->letters == 0 && numeric_date(w, p->s))
        return;
    bool id = p->id_mark || (p->digits && p->letters && !is_measure(p)) || (p->camel && p->lower > 1 && p->upper > 1 && !p->digits);
    if (id && p->letters)
        tell(w, TAKC_FACT_ID, hash_lower(p->s, 2));
    else if (p->digits) {
        number_piece(w, p);
        if (small_number(p->s, &day) && day >= 1 && day <= 31 && !p->closes)
            *last_day = day;
    }
}

void takc_facts_of_text(struct takc_str text, takc_fact_fn *each, void *arg)
{
    struct walk w = {.each = each, .arg = arg, .text = text, .fresh = true};
    struct piece p;
    unsigned last_day = 0;
    if (!text.ptr)
        return;
    while (next_piece(&w, &p))
        one_piece(&w, &p, &last_day);
    close_name(&w);
    if (w.negated)
        tell(&w, TAKC_FACT_NEGATION, 0);
}

uint64_t takc_fact_word(struct takc_str norm)
{
    return takc_hash64(norm, 3) << 3 | TAKC_FACT_WORD;
}

struct adder {
    struct takc_units *u;
    size_t from;
    enum takc_status st;
    struct takc_err *err;
};

static void add_fact(void *arg, enum takc_fact_kind kind, uint64_t key)
{
    struct adder *a = arg;
    (void)kind;
    if (a->st)
        return;
    a->st = takc_grow(&a->u->facts, &a->u->facts_cap, a->u->n_facts + 1, sizeof(*a->u->facts), a->err);
    if (!a->st)
        a->u->facts[a->u->n_facts++] = key;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

enum takc_status takc_facts_add(struct takc_units *u, struct takc_str text, uint16_t *out_n, struct takc_err *err)
{
    struct adder a = {u, u->n_facts, TAKC_OK, err};
    takc_facts_of_text(text, add_fact, &a);
    if (a.st)
        return a.st;
    size_t n = u->n_facts - a.from, kept = 0;
    *out_n = 0;
    if (n == 0)
        return TAKC_OK;
    uint64_t *f = u->facts + a.from;
    if (n > 1)
        qsort(f, n, sizeof(*f), by_value);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || f[kept - 1] != f[i])
            f[kept++] = f[i];
    kept = kept > UINT16_MAX ? UINT16_MAX : kept;
    u->n_facts = a.from + kept;
    *out_n = (uint16_t)kept;
    return TAKC_OK;
}
