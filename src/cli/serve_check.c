/* SPDX-License-Identifier: Apache-2.0
 *
 * serve_check.c - settings that contradict each other, or name what is not there. */
#include "cli/serve_check.h"

#include "auth/registry.h"
#include "http/certificate.h"
#include "http/limits.h"
#include "http/metrics.h"
#include "http/work.h"
#include "pipeline/models.h"

#include <netdb.h>
#include <sys/socket.h>

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

static enum takc_status check_tls(const struct takc_settings *s, struct takc_err *err)
{
    struct takc_certificate c;
    if (!s->serve_tls_cert.len != !s->serve_tls_key.len)
        return takc_fail(err, TAKC_INVALID, 0, "%s: not set, and %s is: TLS needs both; without either it is http",
                         s->serve_tls_cert.len ? "serve.tls_key" : "serve.tls_cert",
                         s->serve_tls_cert.len ? "serve.tls_cert" : "serve.tls_key");
    if (!s->serve_tls_cert.len)
        return TAKC_OK;
    takc_certificate_init(&c);
    enum takc_status st = takc_certificate_read(&c, s->serve_tls_cert.ptr, s->serve_tls_key.ptr, err);
    takc_certificate_clear(&c);
    return st;
}

/* An address, not a name: a name may be another address tomorrow. */
static enum takc_status check_address(struct takc_str address, struct takc_err *err)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    if (!address.len || getaddrinfo(address.ptr, NULL, &hints, &found))
        return takc_fail(err, TAKC_INVALID, 0, "serve.address: '%.*s' is no address like 127.0.0.1 or ::1", TAKC_STR_ARG(address));
    freeaddrinfo(found);
    return TAKC_OK;
}

/* Are traces sent at all? As OTEL_SDK_DISABLED and OTEL_TRACES_EXPORTER have it everywhere. */
static bool is_traced(const struct takc_settings *s)
{
    struct takc_str rest = s->trace_exporter, one;
    bool sent = !rest.len;
    while (rest.ptr && takc_str_split(&rest, ',', &one))
        sent |= takc_str_is(takc_str_trim(one), "otlp");
    return sent && !takc_str_eq_nocase(s->trace_disabled, takc_str("true"));
}

struct takc_trace_options takc_serve_trace_options(const struct takc_settings *s)
{
    bool sent = is_traced(s);
    return (struct takc_trace_options){.endpoint = sent ? s->trace_endpoint : takc_str(""),
                                       .url = sent ? s->trace_url : takc_str(""),
                                       .headers = s->trace_headers,
                                       .service = s->trace_service,
                                       .attributes = s->trace_attributes,
                                       .sampler = s->trace_sampler,
                                       .sampler_arg = s->trace_sampler_arg,
                                       .ca_file = s->model_ca_file};
}

static enum takc_status check_observers(const struct takc_settings *s, struct takc_err *err)
{
    const struct takc_trace_options o = takc_serve_trace_options(s);
    struct takc_metrics *m = NULL;
    enum takc_status st = takc_metrics_new(&m, s->serve_metrics_tasks, err);
    if (st)
        return st;
    takc_metrics_free(m);
    return takc_traces_check(&o, err);
}

static enum takc_status check_models(const struct takc_settings *s, struct takc_err *err)
{
    struct takc_str rest = s->model_fallbacks, name;
    enum takc_status st = TAKC_OK;
    if (s->model_name.len && !takc_str_is(s->model_name, "none"))
        st = takc_models_name_check(s->model_name, err);
    if (st)
        return takc_err_prefix(err, st, "model.name");
    while (!st && s->model_fallbacks.len && takc_str_split(&rest, ',', &name))
        if (takc_str_trim(name).len)
            st = takc_models_name_check(takc_str_trim(name), err);
    return st ? takc_err_prefix(err, st, "model.fallbacks") : TAKC_OK;
}

enum takc_status takc_serve_check(const struct takc_settings *s, struct takc_err *err)
{
    enum takc_status st = check_address(s->serve_address, err);
    if (!st)
        st = check_tls(s, err);
    if (!st)
        st = check_auth(s, err);
    if (!st)
        st = takc_limits_check(s, err);
    if (!st)
        st = check_models(s, err);
    if (!st)
        st = check_observers(s, err);
    return st ? st : takc_work_check_sources(s->serve_sources, err);
}
