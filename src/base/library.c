/* SPDX-License-Identifier: Apache-2.0
 *
 * library.c - dlopen, and dlsym for a list. */
#include "base/library.h"

#include <dlfcn.h>
#include <string.h>

static bool find(void *lib, const struct takc_symbol *s)
{
    void *fn = dlsym(lib, s->name);
    memcpy(s->out_fn, &fn, sizeof(fn)); /* ISO C has no cast from one to the other */
    return fn != NULL;
}

enum takc_status takc_library_load(const char *file, const struct takc_symbol *symbols, size_t n, const char *hint, struct takc_err *err)
{
    void *lib = dlopen(file, RTLD_LAZY | RTLD_LOCAL);
    bool found = lib != NULL;
    for (size_t i = 0; i < n && found; i++)
        found = find(lib, &symbols[i]);
    if (found)
        return TAKC_OK;
    const char *why = dlerror();
    return takc_fail(err, TAKC_UNSUPPORTED, 0, "%.*s cannot be loaded: %s%s", (int)strcspn(file, "."), file, why ? why : "unknown reason",
                     hint);
}
