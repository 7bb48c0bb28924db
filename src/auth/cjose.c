/* SPDX-License-Identifier: Apache-2.0
 *
 * cjose.c - loads libcjose. Its name ends in .0 since its first release; what is used of it came with that. */
#include "auth/cjose.h"

#include "base/library.h"

#include <pthread.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct takc_cjose table;
static enum takc_status loaded;
static struct takc_err failure;

static void load(void)
{
    const struct takc_symbol symbols[] = {
#define X(name) {"cjose_" #name, &table.name},
        TAKC_CJOSE_LIST(X)
#undef X
    };
    loaded =
        takc_library_load("libcjose.so.0", symbols, sizeof(symbols) / sizeof(*symbols), " (Debian: apt-get install libcjose0)", &failure);
}

enum takc_status takc_cjose_load(const struct takc_cjose **out, struct takc_err *err)
{
    (void)pthread_once(&once, load);
    if (loaded)
        return takc_fail(err, loaded, 0, "%s", failure.msg);
    *out = &table;
    return TAKC_OK;
}
