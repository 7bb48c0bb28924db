/* SPDX-License-Identifier: Apache-2.0
 *
 * items.c - splits at white space, then at brackets, then peels punctuation off both ends. */
#include "verify/items.h"
#include "base/alloc.h"
#include "base/utf8.h"

#include <unicode/uchar.h>

void takc_items_init(struct takc_items *t)
{
    *t = (struct takc_items){.open = true};
}

void takc_items_clear(struct takc_items *t)
{
    takc_free(t->v);
    takc_items_init(t);
}

void takc_items_reset(struct takc_items *t)
{
    t->n = 0;
    t->open = true;
}

size_t takc_item_space(struct takc_str s, size_t pos)
{
    unsigned char c = (unsigned char)s.ptr[pos];
    if (c < 0x80)
        return c == ' ' || (c >= '\t' && c <= '\r');
    size_t at = pos;
    uint32_t u = takc_utf8_next(s, &at, NULL);
    bool space = u == 0x85 || u == 0xA0 || u == 0x1680 || (u >= 0x2000 && u <= 0x200A) || u == 0x2028 || u == 0x2029 || u == 0x202F ||
                 u == 0x205F || u == 0x3000;
    return space ? at - pos : 0;
}

uint64_t takc_item_count_white(struct takc_str s)
{
    uint64_t n = 0;
    bool in = false;
    for (size_t pos = 0; pos < s.len;) {
        size_t space = takc_item_space(s, pos);
        n += !space && !in;
        in = !space;
        pos += space ? space : 1;
    }
    return n;
}

static bool is_bracket(char c)
{
    return c == '(' || c == ')' || c == '[' || c == ']';
}

/* Bytes of the punctuation mark at pos, 0 when it is none. A hyphen is one only where it stands alone (see peel). */
static size_t mark_at(struct takc_str s, size_t pos)
{
    if (strchr(",;:.!?'\"`", s.ptr[pos]) && s.ptr[pos])
        return 1;
    if ((unsigned char)s.ptr[pos] < 0x80)
        return 0;
    size_t at = pos;
    uint32_t u = takc_utf8_next(s, &at, NULL);
    bool mark = (u >= 0x2013 && u <= 0x2015) || (u >= 0x2018 && u <= 0x201F) || u == 0x2026 || u == 0xAB || u == 0xBB;
    return mark ? at - pos : 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A dash, point or comma that stands directly before a digit is the number's own ("-5" written with a dash, ".5"). */
static bool belongs_to_number(struct takc_str s, size_t pos, size_t n)
{
    bool dash =
        n == 3 && (unsigned char)s.ptr[pos] == 0xE2 && (unsigned char)s.ptr[pos + 1] == 0x80 && (unsigned char)s.ptr[pos + 2] < 0x98;
    return pos + n < s.len && is_digit(s.ptr[pos + n]) && (dash || s.ptr[pos] == '.' || s.ptr[pos] == ',');
}

static enum takc_status add(struct takc_items *t, struct takc_str s, bool mark, struct takc_err *err)
{
    enum takc_status st = takc_grow(&t->v, &t->cap, t->n + 1, sizeof(*t->v), err);
    if (!st)
        t->v[t->n++] = (struct takc_item){.s = s, .mark = mark, .glued = true};
    return st;
}

/* All of s is hyphens: a dash between words. */
static bool is_dash(struct takc_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] != '-')
            return false;
    return s.len > 0;
}

/* Start of the mark that ends at byte end of s, or end when there is none. */
static size_t mark_before(struct takc_str s, size_t from, size_t end)
{
    size_t at = end - 1;
    while (at > from && !takc_utf8_boundary(s, at))
        at--;
    return mark_at(s, at) == end - at ? at : end;
}

/* A piece without white space and brackets: marks, word, marks. */
static enum takc_status peel(struct takc_items *t, struct takc_str s, struct takc_err *err)
{
    size_t from = 0, to = s.len, n;
    enum takc_status st = TAKC_OK;
    while (!st && from < to && (n = mark_at(s, from)) && !belongs_to_number(s, from, n)) {
        st = add(t, takc_str_slice(s, from, from + n), true, err);
        from += n;
    }
    while (to > from && mark_before(s, from, to) < to)
        to = mark_before(s, from, to);
    if (!st && to > from)
        st = add(t, takc_str_slice(s, from, to), is_dash(takc_str_slice(s, from, to)), err);
    for (size_t pos = to; !st && pos < s.len; pos += n) {
        n = mark_at(s, pos);
        st = add(t, takc_str_slice(s, pos, pos + n), true, err);
    }
    return st;
}

/* What stands between two white spaces. */
static enum takc_status split_token(struct takc_items *t, struct takc_str s, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    size_t from = 0;
    for (size_t pos = 0; !st && pos <= s.len; pos++) {
        if (pos < s.len && !is_bracket(s.ptr[pos]))
            continue;
        if (pos > from)
            st = peel(t, takc_str_slice(s, from, pos), err);
        if (!st && pos < s.len)
            st = add(t, takc_str_slice(s, pos, pos + 1), true, err);
        from = pos + 1;
    }
    if (!st && t->n)
        t->v[t->n - 1].glued = false;
    return st;
}

/* Where sentences begin, over the items from on; a span goes on with the sentence before it unless that was ended. */
static void mark_openings(struct takc_items *t, size_t from)
{
    for (size_t i = from; i < t->n; i++) {
        struct takc_item *it = &t->v[i];
        it->opens = t->open;
        if (!it->mark)
            t->open = takc_item_is(it, "|");
        else if (it->s.len == 1 && strchr(".!?", it->s.ptr[0]))
            t->open = true;
    }
}

enum takc_status takc_items_add(struct takc_items *t, struct takc_str text, struct takc_err *err)
{
    size_t first = t->n, from = 0;
    for (size_t pos = 0; pos <= text.len;) {
        size_t space = pos < text.len ? takc_item_space(text, pos) : 1;
        if (!space) {
            pos++;
            continue;
        }
        enum takc_status st = pos > from ? split_token(t, takc_str_slice(text, from, pos), err) : TAKC_OK;
        if (st)
            return st;
        pos += space;
        from = pos;
    }
    if (t->n > first)
        t->v[first].first = true;
    mark_openings(t, first);
    return TAKC_OK;
}

bool takc_item_is(const struct takc_item *it, const char *z)
{
    return takc_str_is(it->s, z);
}

bool takc_item_is_word(const struct takc_item *it, const char *lower)
{
    size_t n = strlen(lower);
    return it->s.len == n && (it->s.ptr[0] | 0x20) == lower[0] && memcmp(it->s.ptr + 1, lower + 1, n - 1) == 0;
}

bool takc_item_has_digit(const struct takc_item *it)
{
    for (size_t pos = 0; pos < it->s.len;)
        if (u_isdigit((UChar32)takc_utf8_next(it->s, &pos, NULL)))
            return true;
    return false;
}

bool takc_item_is_negation(const struct takc_item *it)
{
    static const char *const words[] = {"not",     "no",      "never",  "none",   "nor",    "neither", "nobody", "nothing",
                                        "nowhere", "without", "cannot", "except", "unless", "non",     "hardly", "barely",
                                        "cant",    "dont",    "wont",   "didnt",  "doesnt", "isnt",    "arent",  "wasnt"};
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (takc_str_eq_nocase(it->s, takc_str(words[i])))
            return true;
    struct takc_str s = it->s;
    if (s.len > 3 && takc_str_eq_nocase(takc_str_slice(s, s.len - 3, s.len), takc_str("n't")))
        return true;
    return s.len > 5 && takc_str_eq_nocase(takc_str_slice(s, s.len - 5, s.len), takc_str("n\xE2\x80\x99t"));
}

bool takc_item_is_capital(const struct takc_item *it)
{
    size_t pos = 0;
    return it->s.len > 0 && u_isupper((UChar32)takc_utf8_next(it->s, &pos, NULL));
}
