/* SPDX-License-Identifier: Apache-2.0
 *
 * auth/cjose.h - libcjose, loaded when the first authorizer of tokens is opened: nothing else in the program needs it
 * (docs/adr/0014-cjose-loaded.md).
 * Threads: any. */
#ifndef TAKC_AUTH_CJOSE_H
#define TAKC_AUTH_CJOSE_H

#include "takc/status.h"

#include <cjose/cjose.h>

/* What is used of it: takc_cjose->jws_verify is cjose_jws_verify, and so on. */
#define TAKC_CJOSE_LIST(X)                                                                                                                 \
    X(jwk_import)                                                                                                                          \
    X(jwk_release)                                                                                                                         \
    X(jws_import)                                                                                                                          \
    X(jws_verify)                                                                                                                          \
    X(jws_release)

struct takc_cjose {
#define X(name) __typeof__(&cjose_##name) name; /* NOLINT(bugprone-macro-parentheses): a member's name */
    TAKC_CJOSE_LIST(X)
#undef X
};

/* Loads it, once in the life of the process; it is never unloaded. UNSUPPORTED, with what the loader said, when it is not there; every
 * later call says the same. */
TAKC_CHECK enum takc_status takc_cjose_load(const struct takc_cjose **out, struct takc_err *err);

#endif
