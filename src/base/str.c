/* SPDX-License-Identifier: Apache-2.0
 *
 * str.c - views of bytes: comparing, cutting, searching, matching. */
#include "takc/str.h"

static unsigned char lower_ascii(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

static bool is_space_ascii(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

int takc_str_cmp(struct takc_str a, struct takc_str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int d = n ? memcmp(a.ptr, b.ptr, n) : 0;
    return d ? d : (a.len > b.len) - (a.len < b.len);
}

bool takc_str_starts(struct takc_str s, struct takc_str prefix)
{
    return s.len >= prefix.len && takc_str_eq(takc_str_n(s.ptr, prefix.len), prefix);
}

bool takc_str_ends(struct takc_str s, struct takc_str suffix)
{
    return s.len >= suffix.len && takc_str_eq(takc_str_slice(s, s.len - suffix.len, s.len), suffix);
}

bool takc_str_eq_nocase(struct takc_str a, struct takc_str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower_ascii(a.ptr[i]) != lower_ascii(b.ptr[i]))
            return false;
    return true;
}

struct takc_str takc_str_trim(struct takc_str s)
{
    while (s.len && is_space_ascii(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    while (s.len && is_space_ascii(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

size_t takc_str_find_byte(struct takc_str s, char c, size_t from)
{
    if (from >= s.len)
        return SIZE_MAX;
    const char *p = memchr(s.ptr + from, c, s.len - from);
    return p ? (size_t)(p - s.ptr) : SIZE_MAX;
}

size_t takc_str_find(struct takc_str s, struct takc_str needle, size_t from)
{
    if (needle.len == 0)
        return from <= s.len ? from : SIZE_MAX;
    if (from >= s.len)
        return SIZE_MAX;
    const char *p = memmem(s.ptr + from, s.len - from, needle.ptr, needle.len);
    return p ? (size_t)(p - s.ptr) : SIZE_MAX;
}

bool takc_str_split(struct takc_str *rest, char sep, struct takc_str *out_piece)
{
    if (!rest->ptr)
        return false;
    size_t at = takc_str_find_byte(*rest, sep, 0);
    if (at == SIZE_MAX) {
        *out_piece = *rest;
        *rest = (struct takc_str){NULL, 0};
    } else {
        *out_piece = takc_str_slice(*rest, 0, at);
        *rest = takc_str_slice(*rest, at + 1, rest->len);
    }
    return true;
}

enum takc_status takc_str_u64(struct takc_str s, uint64_t max, uint64_t *out, struct takc_err *err)
{
    uint64_t v = 0;
    if (s.len == 0)
        return takc_fail(err, TAKC_INVALID, 0, "a whole number is missing");
    for (size_t i = 0; i < s.len; i++) {
        unsigned d = (unsigned)(s.ptr[i] - '0');
        if (d > 9)
            return takc_fail(err, TAKC_INVALID, (int)i, "'%.*s' is not a whole number", TAKC_STR_ARG(s));
        if (v > (max - (d > max ? max : d)) / 10)
            return takc_fail(err, TAKC_INVALID, (int)i, "'%.*s' is more than %llu", TAKC_STR_ARG(s), (unsigned long long)max);
        v = v * 10 + d;
    }
    if (v > max)
        return takc_fail(err, TAKC_INVALID, 0, "'%.*s' is more than %llu", TAKC_STR_ARG(s), (unsigned long long)max);
    *out = v;
    return TAKC_OK;
}

/* One [...] set of a glob at p[*i] (just behind the bracket); moves *i behind the closing one. */
static bool set_matches(struct takc_str p, size_t *i, char c)
{
    bool negate = *i < p.len && (p.ptr[*i] == '!' || p.ptr[*i] == '^'), hit = false;
    size_t k = *i + negate, first = k;
    for (; k < p.len && (p.ptr[k] != ']' || k == first); k++) {
        if (k + 2 < p.len && p.ptr[k + 1] == '-' && p.ptr[k + 2] != ']') {
            hit |= (unsigned char)c >= (unsigned char)p.ptr[k] && (unsigned char)c <= (unsigned char)p.ptr[k + 2];
            k += 2;
        } else {
            hit |= p.ptr[k] == c;
        }
    }
    *i = k < p.len ? k + 1 : k;
    return hit != negate;
}

bool takc_str_glob(struct takc_str p, struct takc_str name)
{
    size_t i = 0, j = 0, star = SIZE_MAX, mark = 0;
    while (j < name.len) {
        if (i < p.len && p.ptr[i] == '*') {
            star = i++;
            mark = j;
            continue;
        }
        size_t next = i + 1;
        bool one = i < p.len && (p.ptr[i] == '?' || (p.ptr[i] == '[' ? set_matches(p, &next, name.ptr[j]) : p.ptr[i] == name.ptr[j]));
        if (one) {
            i = next;
            j++;
        } else if (star != SIZE_MAX) {
            i = star + 1;
            j = ++mark;
        } else {
            return false;
        }
    }
    while (i < p.len && p.ptr[i] == '*')
        i++;
    return i == p.len;
}
