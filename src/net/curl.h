/* SPDX-License-Identifier: Apache-2.0
 *
 * net/curl.h - libcurl, loaded when the first client is opened: it brings almost thirty libraries with it, and a program that asks no
 * service should not spend longer on loading them than on its work.
 * Threads: any. */
#ifndef TAKC_NET_CURL_H
#define TAKC_NET_CURL_H

#include "takc/status.h"

#include <curl/curl.h>

/* What is used of it: takc_curl->easy_init is curl_easy_init, and so on. */
#define TAKC_CURL_LIST(X)                                                                                                                  \
    X(version_info)                                                                                                                        \
    X(global_init)                                                                                                                         \
    X(easy_init)                                                                                                                           \
    X(easy_setopt)                                                                                                                         \
    X(easy_getinfo)                                                                                                                        \
    X(easy_strerror)                                                                                                                       \
    X(easy_cleanup)                                                                                                                        \
    X(multi_init)                                                                                                                          \
    X(multi_setopt)                                                                                                                        \
    X(multi_add_handle)                                                                                                                    \
    X(multi_remove_handle)                                                                                                                 \
    X(multi_perform)                                                                                                                       \
    X(multi_info_read)                                                                                                                     \
    X(multi_poll)                                                                                                                          \
    X(multi_wakeup)                                                                                                                        \
    X(multi_strerror)                                                                                                                      \
    X(multi_cleanup)

struct takc_curl {
#define X(name) __typeof__(&curl_##name) name; /* NOLINT(bugprone-macro-parentheses): a member's name */
    TAKC_CURL_LIST(X)
#undef X
};

/* Loads and initialises it, once in the life of the process; it is never unloaded. UNSUPPORTED, with what the loader said, when it is not
 * there or too old; every later call says the same. */
TAKC_CHECK enum takc_status takc_curl_load(const struct takc_curl **out, struct takc_err *err);

#endif
