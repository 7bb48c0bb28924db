/* SPDX-License-Identifier: Apache-2.0
 *
 * takc/status.h - how every fallible call of takc reports.
 *
 * One list makes the enum, its names and texts, the HTTP status, the exit code of the program and whether trying again can help.
 * A fallible function returns enum takc_status and takes a struct takc_err last; NULL is welcome there, and nothing is written on success.
 * The message is made where the failure happened and every layer adds its part in front: "ingest q3.pdf: page 2: ...".
 * Threads: pure functions; a struct takc_err belongs to one thread at a time. */
#ifndef TAKC_STATUS_H
#define TAKC_STATUS_H

#include <stdbool.h>
#include <stddef.h>

#if defined(__GNUC__)
#define TAKC_CHECK __attribute__((warn_unused_result))
#define TAKC_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define TAKC_API __attribute__((visibility("default")))
#else
#define TAKC_CHECK
#define TAKC_PRINTF(fmt, args)
#define TAKC_API
#endif

/*    name        HTTP exit again  text */
#define TAKC_STATUS_LIST(X)                                                                                                                \
    X(OK, 200, 0, false, "ok")                                                                                                             \
    X(INVALID, 400, 2, false, "invalid input")                                                                                             \
    X(NOT_FOUND, 404, 3, false, "not found")                                                                                               \
    X(BUSY, 503, 4, true, "busy")                                                                                                          \
    X(TIMEOUT, 504, 5, true, "out of time")                                                                                                \
    X(CORRUPT, 500, 6, false, "damaged data")                                                                                              \
    X(NOMEM, 503, 7, true, "out of memory")                                                                                                \
    X(IO, 500, 8, true, "input or output failed")                                                                                          \
    X(FULL, 507, 9, true, "no space left")                                                                                                 \
    X(REFUSED, 422, 10, false, "refused")                                                                                                  \
    X(CONFLICT, 409, 11, false, "conflict")                                                                                                \
    X(UNSUPPORTED, 415, 12, false, "not supported")                                                                                        \
    X(UPSTREAM, 502, 13, true, "a service behind failed")                                                                                  \
    X(LIMITED, 429, 14, true, "too many requests")                                                                                         \
    X(DENIED, 403, 15, false, "access denied")                                                                                             \
    X(COST, 429, 16, false, "over the cost limit")                                                                                         \
    X(NO_MODEL, 502, 17, false, "no such model")                                                                                           \
    X(UNTRUSTED, 502, 18, false, "a server's certificate is not trusted")                                                                  \
    X(CANCELLED, 499, 130, true, "cancelled")

enum takc_status {
#define X(name, http, exit_code, again, text) TAKC_##name,
    TAKC_STATUS_LIST(X)
#undef X
        TAKC_STATUS_COUNT
};

/* What went wrong. The buffer is fixed, so that reporting out-of-memory needs no memory. */
struct takc_err {
    enum takc_status status;
    int detail; /* errno, an HTTP code or a byte position; 0 when there is none */
    char msg[512];
};

/* The name of a status as written in JSON and logs ("NOT_FOUND"); never NULL. */
TAKC_API const char *takc_status_name(enum takc_status s);
/* A few words for people ("not found"); never NULL. */
TAKC_API const char *takc_status_text(enum takc_status s);
/* The HTTP status that a reply carries for s. */
TAKC_API int takc_status_http(enum takc_status s);
/* The exit code of the program takc for s. */
TAKC_API int takc_status_exit(enum takc_status s);
/* May the same call succeed later, unchanged? */
TAKC_API bool takc_status_again(enum takc_status s);

/* Fills err (if not NULL) and returns status, so that a failure is one line: return takc_fail(err, TAKC_INVALID, 0, "rate %s", text).
 * A message that does not fit is cut on a character boundary. */
TAKC_API enum takc_status takc_fail(struct takc_err *err, enum takc_status status, int detail, const char *fmt, ...) TAKC_PRINTF(4, 5);
/* As takc_fail for a failed system call: status from errno (ENOSPC and EDQUOT: FULL, ENOENT: NOT_FOUND, ENOMEM: NOMEM, EINVAL and
 * ENAMETOOLONG: INVALID, else IO), its text appended. */
TAKC_API enum takc_status takc_fail_errno(struct takc_err *err, int errnum, const char *fmt, ...) TAKC_PRINTF(3, 4);
/* Puts "prefix: " in front of the message of a failure; returns err's status (status when err is NULL). */
TAKC_API enum takc_status takc_err_prefix(struct takc_err *err, enum takc_status status, const char *fmt, ...) TAKC_PRINTF(3, 4);
/* Another status for the same message, where the layer above knows better what it means; returns it. */
TAKC_API enum takc_status takc_err_change(struct takc_err *err, enum takc_status status);

#ifdef __clang_analyzer__ /* it sees one file at a time: these return a failure, as they do in status.c */
#define takc_fail(err, status, ...) ((void)takc_fail(err, status, __VA_ARGS__), (status))
#define takc_fail_errno(...) ((void)takc_fail_errno(__VA_ARGS__), TAKC_IO)
#define takc_err_prefix(err, status, ...) ((void)takc_err_prefix(err, status, __VA_ARGS__), (status))
#endif

#endif
