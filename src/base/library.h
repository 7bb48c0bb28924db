/* SPDX-License-Identifier: Apache-2.0
 *
 * base/library.h - shared libraries that are loaded when something first needs them: linked, each would slow down every start of the
 * program. Threads: call it once for a library (pthread_once); what it filled in is read only then. */
#ifndef TAKC_BASE_LIBRARY_H
#define TAKC_BASE_LIBRARY_H

#include "takc/status.h"

#include <stddef.h>

struct takc_symbol {
    const char *name;
    void *out_fn; /* a pointer to a function, which is filled in */
};

/* Loads "libNAME.so.N", for good, and finds n functions in it. UNSUPPORTED: it is not there or lacks one; hint says what to do about it,
 * " (Debian: ...)" or empty. */
TAKC_CHECK enum takc_status takc_library_load(const char *file, const struct takc_symbol *symbols, size_t n, const char *hint,
                                              struct takc_err *err);

#endif
