/* SPDX-License-Identifier: Apache-2.0
 *
 * cjose.c - loads libcjose. Its name ends in .0 since its first release; what is used of it came with that. */
#include "auth/cjose.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct takc_cjose table;
static enum takc_status loaded;
static struct takc_err failure;

static bool find(void *lib, const char *name, void *out_fn)
{
    void *fn = dlsym(lib, name);
    memcpy(out_fn, &fn, sizeof(fn)); /* ISO C has no cast from one to the other */
    return fn != NULL;
}

static void load(void)
{
    void *lib = dlopen("libcjose.so.0", RTLD_LAZY | RTLD_LOCAL);
    bool found = lib != NULL;
#define X(name) found = found && find(lib, "cjose_" #name, &table.name);
    TAKC_CJOSE_LIST(X)
#undef X
    if (!found) {
        const char *why = dlerror();
        loaded = takc_fail(&failure, TAKC_UNSUPPORTED, 0, "libcjose cannot be loaded: %s (Debian: apt-get install libcjose0)",
                           why ? why : "unknown reason");
    }
}

enum takc_status takc_cjose_load(const struct takc_cjose **out, struct takc_err *err)
{
    (void)pthread_once(&once, load);
    if (loaded)
        return takc_fail(err, loaded, 0, "%s", failure.msg);
    *out = &table;
    return TAKC_OK;
}
