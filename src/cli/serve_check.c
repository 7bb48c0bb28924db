/* SPDX-License-Identifier: Apache-2.0
 *
 * serve_check.c - settings that contradict each other, or name what is not there. */
#include "cli/serve_check.h"

#include "auth/registry.h"
#include "http/limits.h"
#include "http/work.h"

#include <errno.h>
#include <unistd.h>

bool takc_serve_is_own_machine(struct takc_str address)
{
    return takc_str_starts(address, takc_str("127.")) || takc_str_is(address, "::1");
}

static enum takc_status check_auth(const struct takc_settings *s, struct takc_err *err)
{
    struct takc_auth *auth = NULL;
    enum takc_status st = takc_auth_open(&auth, s, NULL, err);
    bool open_to_all = !st && !auth && !takc_serve_is_own_machine(s->serve_address);
    takc_auth_close(auth);
    if (!open_to_all)
        return st;
    return takc_fail(err, TAKC_INVALID, 0,
                     "serve.address: %.*s can be reached from other machines, and serve.auth is none: name an authorizer there (key: "
                     "takc key create makes one), or listen at 127.0.0.1",
                     TAKC_STR_ARG(s->serve_address));
}

static enum takc_status check_readable(const char *name, struct takc_str path, struct takc_err *err)
{
    if (!path.len || !access(path.ptr, R_OK))
        return TAKC_OK;
    return takc_fail_errno(err, errno, "%s: %.*s", name, TAKC_STR_ARG(path));
}

static enum takc_status check_tls(const struct takc_settings *s, struct takc_err *err)
{
    if (!s->serve_tls_cert.len != !s->serve_tls_key.len)
        return takc_fail(err, TAKC_INVALID, 0, "%s: not set, and %s is: TLS needs both; without either it is http",
                         s->serve_tls_cert.len ? "serve.tls_key" : "serve.tls_cert",
                         s->serve_tls_cert.len ? "serve.tls_cert" : "serve.tls_key");
    enum takc_status st = check_readable("serve.tls_cert", s->serve_tls_cert, err);
    return st ? st : check_readable("serve.tls_key", s->serve_tls_key, err);
}

enum takc_status takc_serve_check(const struct takc_settings *s, struct takc_err *err)
{
    enum takc_status st = check_tls(s, err);
    if (!st)
        st = check_auth(s, err);
    if (!st)
        st = takc_limits_check(s, err);
    return st ? st : takc_work_check_sources(s->serve_sources, err);
}
