/* SPDX-License-Identifier: Apache-2.0
 *
 * mhd.c - loads libmicrohttpd. Its name ends in .12 since 2014. */
#include "http/mhd.h"

#include "base/library.h"

#include <pthread.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct takc_mhd table;
static enum takc_status loaded;
static struct takc_err failure;

static void load(void)
{
    const struct takc_symbol symbols[] = {
#define X(name) {"MHD_" #name, &table.name},
        TAKC_MHD_LIST(X)
#undef X
    };
    loaded = takc_library_load("libmicrohttpd.so.12", symbols, sizeof(symbols) / sizeof(*symbols),
                               " (Debian: apt-get install libmicrohttpd12)", &failure);
}

enum takc_status takc_mhd_load(const struct takc_mhd **out, struct takc_err *err)
{
    (void)pthread_once(&once, load);
    if (loaded)
        return takc_fail(err, loaded, 0, "%s", failure.msg);
    *out = &table;
    return TAKC_OK;
}
