/* SPDX-License-Identifier: Apache-2.0
 *
 * base/fault.h - makes the n-th allocation, read, write, fsync, rename or allocation of a JSON text's of this process fail, for tests, and
 * counts them. Off by default, then it costs one relaxed load. TAKC_FAULT=alloc:17 in the environment arms it in the program takc
 * (tests/fault). Threads: any; the count is shared by all threads. */
#ifndef TAKC_BASE_FAULT_H
#define TAKC_BASE_FAULT_H

#include "takc/status.h"

#include <stdint.h>

enum takc_fault_kind {
    TAKC_FAULT_ALLOC = 0,
    TAKC_FAULT_READ,
    TAKC_FAULT_WRITE,
    TAKC_FAULT_FSYNC,
    TAKC_FAULT_RENAME,
    TAKC_FAULT_JSON,
    TAKC_FAULT_KINDS
};

/* Makes the nth (1-based) operation of this kind from now on fail once; 0 disarms. Counting starts anew. errnum is what it fails with. */
void takc_fault_arm(enum takc_fault_kind kind, uint64_t nth, int errnum);
/* Operations of this kind since it was armed; counts only while any kind is armed. */
uint64_t takc_fault_count(enum takc_fault_kind kind);
/* Asked by the operation itself: 0 to go on, else the errno to fail with. */
int takc_fault_hit(enum takc_fault_kind kind);
/* Arms from text such as "write:3" or "write:3:ENOSPC"; INVALID for anything else. */
TAKC_CHECK enum takc_status takc_fault_parse(const char *text, struct takc_err *err);

#endif
