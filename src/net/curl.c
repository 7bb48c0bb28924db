/* SPDX-License-Identifier: Apache-2.0
 *
 * curl.c - loads libcurl. Its name ends in .4 since 2006; what newer versions can do is asked by number. */
#include "net/curl.h"

#include "base/library.h"

#include <pthread.h>

/* 7.80: the callback between connection and request (CURLOPT_PREREQFUNCTION), without which "sent" could not be told. */
#define VERSION_MIN 0x075000

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct takc_curl table;
static enum takc_status loaded;
static struct takc_err failure;

static void load(void)
{
    const struct takc_symbol symbols[] = {
#define X(name) {"curl_" #name, &table.name},
        TAKC_CURL_LIST(X)
#undef X
    };
    loaded = takc_library_load("libcurl.so.4", symbols, sizeof(symbols) / sizeof(*symbols), "", &failure);
    if (loaded)
        return;
    const curl_version_info_data *v = table.version_info(CURLVERSION_NOW);
    if (v->version_num < VERSION_MIN)
        loaded = takc_fail(&failure, TAKC_UNSUPPORTED, 0, "libcurl %s is too old, 7.80 is the oldest that will do", v->version);
    else if (table.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        loaded = takc_fail(&failure, TAKC_UNSUPPORTED, 0, "libcurl cannot be started");
}

enum takc_status takc_curl_load(const struct takc_curl **out, struct takc_err *err)
{
    (void)pthread_once(&once, load);
    if (loaded)
        return takc_fail(err, loaded, 0, "%s", failure.msg);
    *out = &table;
    return TAKC_OK;
}
