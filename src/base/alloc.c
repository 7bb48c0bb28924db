/* SPDX-License-Identifier: Apache-2.0
 *
 * alloc.c - allocation and the fault plan. Counters are atomic; nothing here is on a hot path of one element at a time. */
#include "base/alloc.h"
#include "base/fault.h"
#include "takc/str.h"

#include <errno.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static atomic_bool armed;
static struct {
    atomic_uint_fast64_t count, nth;
    atomic_int errnum;
} plan[TAKC_FAULT_KINDS];

static const char *const kind_names[TAKC_FAULT_KINDS] = {"alloc", "read", "write", "fsync", "rename", "json"};

void takc_fault_arm(enum takc_fault_kind kind, uint64_t nth, int errnum)
{
    atomic_store(&plan[kind].count, 0);
    atomic_store(&plan[kind].nth, nth);
    atomic_store(&plan[kind].errnum, errnum);
    bool any = false;
    for (int k = 0; k < TAKC_FAULT_KINDS; k++)
        any |= atomic_load(&plan[k].nth) != 0;
    atomic_store(&armed, any);
}

uint64_t takc_fault_count(enum takc_fault_kind kind)
{
    return atomic_load(&plan[kind].count);
}

int takc_fault_hit(enum takc_fault_kind kind)
{
    if (!atomic_load_explicit(&armed, memory_order_relaxed))
        return 0;
    uint64_t at = atomic_fetch_add(&plan[kind].count, 1) + 1;
    return at == atomic_load(&plan[kind].nth) ? atomic_load(&plan[kind].errnum) : 0;
}

enum takc_status takc_fault_parse(const char *text, struct takc_err *err)
{
    struct takc_str rest = takc_str(text), kind, nth, name = {0};
    uint64_t n = 0;
    if (!takc_str_split(&rest, ':', &kind) || !takc_str_split(&rest, ':', &nth) || takc_str_u64(nth, UINT64_MAX / 2, &n, NULL))
        return takc_fail(err, TAKC_INVALID, 0, "fault '%s' is not KIND:N or KIND:N:ERRNO", text);
    int errnum = EIO;
    if (takc_str_split(&rest, ':', &name)) {
        if (!takc_str_is(name, "ENOSPC") && !takc_str_is(name, "EIO"))
            return takc_fail(err, TAKC_INVALID, 0, "fault '%s': the error is EIO or ENOSPC", text);
        errnum = takc_str_is(name, "ENOSPC") ? ENOSPC : EIO;
    }
    for (int k = 0; k < TAKC_FAULT_KINDS; k++)
        if (takc_str_is(kind, kind_names[k])) {
            takc_fault_arm((enum takc_fault_kind)k, n, k == TAKC_FAULT_ALLOC ? ENOMEM : errnum);
            return TAKC_OK;
        }
    return takc_fail(err, TAKC_INVALID, 0, "fault '%s': the kind is alloc, read, write, fsync, rename or json", text);
}

void *takc_alloc(size_t n)
{
    return takc_fault_hit(TAKC_FAULT_ALLOC) ? NULL : calloc(1, n ? n : 1);
}

void *takc_alloc_json(size_t n)
{
    return takc_fault_hit(TAKC_FAULT_JSON) ? NULL : malloc(n);
}

void *takc_alloc_array(size_t count, size_t size)
{
    size_t n;
    return __builtin_mul_overflow(count, size, &n) ? NULL : takc_alloc(n);
}

void *takc_realloc(void *p, size_t n)
{
    return takc_fault_hit(TAKC_FAULT_ALLOC) ? NULL : realloc(p, n ? n : 1);
}

void takc_free(void *p)
{
    free(p);
}

void takc_alloc_trim(void)
{
#ifdef __GLIBC__
    (void)malloc_trim(0);
#endif
}

enum takc_status takc_grow(void *items_ptr, size_t *cap, size_t want, size_t size, struct takc_err *err)
{
    if (want <= *cap)
        return TAKC_OK;
    size_t n = *cap < 8 ? 8 : *cap, bytes;
    while (n < want)
        n = n > SIZE_MAX / 4 ? want : n + n / 2 + 1;
    void *old;
    memcpy(&old, items_ptr, sizeof(old));
    if (__builtin_mul_overflow(n, size, &bytes))
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu items of %zu bytes", n, size);
    void *items = takc_realloc(old, bytes);
    if (!items)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu bytes", bytes);
    memcpy(items_ptr, &items, sizeof(items));
    *cap = n;
    return TAKC_OK;
}

_Noreturn void takc_bug(const char *file, int line, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)fprintf(stderr, "takc: bug at %s:%d: ", file, line);
    (void)vfprintf(stderr, fmt, ap);
    (void)fputc('\n', stderr);
    va_end(ap);
    abort();
}
