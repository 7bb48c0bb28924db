/* SPDX-License-Identifier: Apache-2.0
 *
 * http/mhd.h - libmicrohttpd, loaded when the first server is opened: it brings GnuTLS with it, and every other verb of the program would
 * pay for loading that (docs/adr/0011-libmicrohttpd-loaded.md).
 * Threads: any. */
#ifndef TAKC_HTTP_MHD_H
#define TAKC_HTTP_MHD_H

#include "takc/status.h"

#include <microhttpd.h>

/* What is used of it: takc_mhd->queue_response is MHD_queue_response, and so on. */
#define TAKC_MHD_LIST(X)                                                                                                                   \
    X(get_version)                                                                                                                         \
    X(start_daemon)                                                                                                                        \
    X(quiesce_daemon)                                                                                                                      \
    X(stop_daemon)                                                                                                                         \
    X(get_daemon_info)                                                                                                                     \
    X(get_connection_info)                                                                                                                 \
    X(get_connection_values_n)                                                                                                             \
    X(set_connection_option)                                                                                                               \
    X(create_response_from_buffer_with_free_callback_cls)                                                                                  \
    X(create_response_from_fd64)                                                                                                           \
    X(create_response_from_callback)                                                                                                       \
    X(add_response_header)                                                                                                                 \
    X(queue_response)                                                                                                                      \
    X(destroy_response)                                                                                                                    \
    X(suspend_connection)                                                                                                                  \
    X(resume_connection)

struct takc_mhd {
#define X(name) __typeof__(&MHD_##name) name; /* NOLINT(bugprone-macro-parentheses): a member's name */
    TAKC_MHD_LIST(X)
#undef X
};

/* Loads it, once in the life of the process; it is never unloaded. UNSUPPORTED, with what the loader said, when it is not there or too
 * old; every later call says the same. */
TAKC_CHECK enum takc_status takc_mhd_load(const struct takc_mhd **out, struct takc_err *err);

#endif
