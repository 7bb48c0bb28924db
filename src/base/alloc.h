/* SPDX-License-Identifier: Apache-2.0
 *
 * base/alloc.h - the allocations of takc. Only arena, buf and the _new and _open functions allocate; all go through here,
 * so that base/fault.h can make any one of them fail. Threads: any. */
#ifndef TAKC_BASE_ALLOC_H
#define TAKC_BASE_ALLOC_H

#include "takc/status.h"

/* n bytes, zeroed; NULL when there is no memory. n 0 gives a pointer that may be freed. Returns owned. */
void *takc_alloc(size_t n);
/* n bytes, not zeroed, for jansson, which is not ours to count among allocations: it fails by a plan of its own (TAKC_FAULT_JSON). Returns
 * owned: free. */
void *takc_alloc_json(size_t n);
/* count * size bytes, zeroed; NULL on overflow too. Returns owned. */
void *takc_alloc_array(size_t count, size_t size);
/* Grows or shrinks; the old block stays valid on failure. New bytes are not zeroed. */
void *takc_realloc(void *p, size_t n);
/* Frees; NULL is harmless. */
void takc_free(void *p);
/* Gives memory that was freed back to the system: after a step that held much for a while in many small blocks. */
void takc_alloc_trim(void);
/* Makes room for one more in an array of size-byte items: *items, *cap; want is the count needed. NOMEM leaves both as they were. */
TAKC_CHECK enum takc_status takc_grow(void *items_ptr, size_t *cap, size_t want, size_t size, struct takc_err *err);

/* Our own bug: says where and stops. */
#define TAKC_BUG(...) takc_bug(__FILE__, __LINE__, __VA_ARGS__)
/* Says where, and aborts: for what no input may cause. */
_Noreturn void takc_bug(const char *file, int line, const char *fmt, ...) TAKC_PRINTF(3, 4);

#endif
