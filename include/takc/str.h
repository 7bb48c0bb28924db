/* SPDX-License-Identifier: Apache-2.0
 *
 * takc/str.h - a borrowed view of bytes, passed by value. It owns nothing and need not end in NUL.
 * Threads: pure functions. */
#ifndef TAKC_STR_H
#define TAKC_STR_H

#include "takc/status.h"

#include <stdint.h>
#include <string.h>

struct takc_str {
    const char *ptr; /* may be NULL when len is 0 */
    size_t len;
};

/* For printf("%.*s", TAKC_STR_ARG(s)). */
#define TAKC_STR_ARG(s) (int)((s).len), ((s).ptr ? (s).ptr : "")

/* A view of a NUL-terminated string; NULL gives the empty view. */
static inline struct takc_str takc_str(const char *s)
{
#ifdef __clang_analyzer__ /* that s may be NULL here says nothing about it elsewhere */
    return (struct takc_str){s, strlen(s)};
#endif
    return (struct takc_str){s, s ? strlen(s) : 0};
}

/* A view of n bytes at p. */
static inline struct takc_str takc_str_n(const char *p, size_t n)
{
    return (struct takc_str){p, n};
}

/* Bytes from..to of s; the caller has checked the range. */
static inline struct takc_str takc_str_slice(struct takc_str s, size_t from, size_t to)
{
#ifdef __clang_analyzer__ /* what holds of every view, said once: only an empty one has no pointer */
    if (!s.ptr)
        return (struct takc_str){"", 0};
#endif
    return (struct takc_str){s.ptr ? s.ptr + from : NULL, to - from};
}

/* Same bytes? */
static inline bool takc_str_eq(struct takc_str a, struct takc_str b)
{
    return a.len == b.len && (a.len == 0 || (a.ptr && b.ptr && memcmp(a.ptr, b.ptr, a.len) == 0));
}

/* Does s hold exactly the bytes of the C string z? */
static inline bool takc_str_is(struct takc_str s, const char *z)
{
    return takc_str_eq(s, takc_str(z));
}

/* Order by bytes (memcmp, then length): negative, 0 or positive. */
TAKC_API int takc_str_cmp(struct takc_str a, struct takc_str b);
/* Does s begin with these bytes? Every s begins with the empty view. */
TAKC_API bool takc_str_starts(struct takc_str s, struct takc_str prefix);
/* Does s end with these bytes? */
TAKC_API bool takc_str_ends(struct takc_str s, struct takc_str suffix);
/* Same bytes, but for the case of ASCII letters? */
TAKC_API bool takc_str_eq_nocase(struct takc_str a, struct takc_str b);
/* Without ASCII white space at both ends. */
TAKC_API struct takc_str takc_str_trim(struct takc_str s);
/* Position of the first byte c at or after from, or SIZE_MAX. */
TAKC_API size_t takc_str_find_byte(struct takc_str s, char c, size_t from);
/* Position of the first occurrence of needle at or after from, or SIZE_MAX; an empty needle is found at from. */
TAKC_API size_t takc_str_find(struct takc_str s, struct takc_str needle, size_t from);
/* Cuts the next piece up to the byte sep off *rest; false when *rest was used up (ptr NULL). "a,,b" gives a, empty, b. */
TAKC_API bool takc_str_split(struct takc_str *rest, char sep, struct takc_str *out_piece);
/* Unsigned decimal number that is the whole of s and at most max; INVALID otherwise. */
TAKC_API TAKC_CHECK enum takc_status takc_str_u64(struct takc_str s, uint64_t max, uint64_t *out, struct takc_err *err);
/* Does name match the glob pattern (star, question mark, [..]; star also crosses '/')? */
TAKC_API bool takc_str_glob(struct takc_str pattern, struct takc_str name);

#endif
