/* SPDX-License-Identifier: Apache-2.0
 *
 * status.c - names, texts and messages. All tables come from the one list in takc/status.h. */
#include "takc/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#undef takc_fail /* what the analyzer is told elsewhere */
#undef takc_fail_errno
#undef takc_err_prefix

struct row {
    const char *name, *text;
    int http, exit_code;
    bool again;
};

static const struct row rows[] = {
#define X(name, http, exit_code, again, text) {#name, text, http, exit_code, again},
    TAKC_STATUS_LIST(X)
#undef X
};

static const struct row *row_of(enum takc_status s)
{
    static const struct row unknown = {"UNKNOWN", "unknown status", 500, 70, false};
    return (unsigned)s < TAKC_STATUS_COUNT ? &rows[s] : &unknown;
}

const char *takc_status_name(enum takc_status s)
{
    return row_of(s)->name;
}

const char *takc_status_text(enum takc_status s)
{
    return row_of(s)->text;
}

int takc_status_http(enum takc_status s)
{
    return row_of(s)->http;
}

int takc_status_exit(enum takc_status s)
{
    return row_of(s)->exit_code;
}

bool takc_status_again(enum takc_status s)
{
    return row_of(s)->again;
}

/* Ends buf (size bytes, holding a message that may have been cut at the end) on a character boundary. */
static void end_on_character(char *buf, size_t size)
{
    size_t n = strlen(buf);
    if (n + 1 < size)
        return; /* nothing was cut */
    while (n > 0 && ((unsigned char)buf[n - 1] & 0xC0) == 0x80)
        n--;
    if (n > 0 && (unsigned char)buf[n - 1] >= 0xC0)
        n--;
    buf[n] = '\0';
}

enum takc_status takc_fail(struct takc_err *err, enum takc_status status, int detail, const char *fmt, ...)
{
    if (!err)
        return status;
    va_list ap;
    va_start(ap, fmt);
    err->status = status;
    err->detail = detail;
    (void)vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
    va_end(ap);
    end_on_character(err->msg, sizeof(err->msg));
    return status;
}

static enum takc_status status_of_errno(int errnum)
{
    switch (errnum) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG: /* a limit on the size of files */
        return TAKC_FULL;
    case ENOENT:
        return TAKC_NOT_FOUND;
    case ENOMEM:
        return TAKC_NOMEM;
    case EINVAL:
    case ENAMETOOLONG:
        return TAKC_INVALID;
    default:
        return TAKC_IO;
    }
}

enum takc_status takc_fail_errno(struct takc_err *err, int errnum, const char *fmt, ...)
{
    enum takc_status status = status_of_errno(errnum);
    if (!err)
        return status;
    char reason[128];
    const char *text = strerror_r(errnum, reason, sizeof(reason));
    va_list ap;
    va_start(ap, fmt);
    err->status = status;
    err->detail = errnum;
    int n = vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof(err->msg))
        (void)snprintf(err->msg + n, sizeof(err->msg) - (size_t)n, ": %s", text);
    end_on_character(err->msg, sizeof(err->msg));
    return status;
}

enum takc_status takc_err_prefix(struct takc_err *err, enum takc_status status, const char *fmt, ...)
{
    if (!err)
        return status;
    char old[sizeof(err->msg)];
    memcpy(old, err->msg, sizeof(old));
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof(err->msg))
        (void)snprintf(err->msg + n, sizeof(err->msg) - (size_t)n, ": %s", old);
    end_on_character(err->msg, sizeof(err->msg));
    return err->status;
}

enum takc_status takc_err_change(struct takc_err *err, enum takc_status status)
{
    if (err)
        err->status = status;
    return status;
}
