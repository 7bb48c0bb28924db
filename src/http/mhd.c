/* SPDX-License-Identifier: Apache-2.0
 *
 * mhd.c - loads libmicrohttpd. Its name ends in .12 since 2014. */
#include "http/mhd.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct takc_mhd table;
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
    void *lib = dlopen("libmicrohttpd.so.12", RTLD_LAZY | RTLD_LOCAL);
    bool found = lib != NULL;
#define X(name) found = found && find(lib, "MHD_" #name, &table.name);
    TAKC_MHD_LIST(X)
#undef X
    if (!found) {
        const char *why = dlerror();
        loaded = takc_fail(&failure, TAKC_UNSUPPORTED, 0, "libmicrohttpd cannot be loaded: %s (Debian: apt-get install libmicrohttpd12)",
                           why ? why : "unknown reason");
    }
}

enum takc_status takc_mhd_load(const struct takc_mhd **out, struct takc_err *err)
{
    (void)pthread_once(&once, load);
    if (loaded)
        return takc_fail(err, loaded, 0, "%s", failure.msg);
    *out = &table;
    return TAKC_OK;
}
