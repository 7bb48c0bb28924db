/* SPDX-License-Identifier: Apache-2.0
 *
 * serve.c - takc serve: opens home and server, says where it listens, waits for a signal. */
#include "auth/registry.h"
#include "base/clock.h"
#include "catalog/api_keys.h"
#include "cli/home_open.h"
#include "cli/model_flags.h"
#include "cli/serve_check.h"
#include "http/hits.h"
#include "http/limits.h"
#include "http/mcp_running.h"
#include "http/observe.h"
#include "http/reply_cache.h"
#include "http/tenants.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>

enum { LOOK_NS = 50000000, TIDY_LOOKS = 100, SWEEP_LOOKS = 1300 }; /* for signals; for versions that are gone: every 5 s; uploads: 65 s */

enum { MAPPED_BYTES = 256 << 10 }; /* blocks from this size on are given back to the system when they are freed */

static atomic_bool asked_to_reload;

static void on_hangup(int number)
{
    (void)number;
    atomic_store(&asked_to_reload, true);
}

static const char *path_or_null(struct takc_str s)
{
    return s.len ? s.ptr : NULL;
}

static enum takc_status open_observers(const struct takc_settings *s, struct takc_api *api, struct takc_err *err)
{
    const struct takc_trace_options o = takc_serve_trace_options(s);
    if ((o.endpoint.len || o.url.len) && takc_str_is(s->trace_protocol, "grpc"))
        takc_log(WARN, "serve", "trace.protocol: grpc is not spoken: traces go as JSON over HTTP, which most collectors take at port 4318");
    enum takc_status st = takc_metrics_new(&api->metrics, s->serve_metrics_tasks, err);
    if (!st)
        st = takc_reply_cache_new(&api->replies, (size_t)s->serve_reply_cache_bytes, err);
    if (!st)
        st = takc_mcp_running_open(&api->mcp_running, err);
    if (!st)
        st = takc_hits_open(&api->hits, api->home, api->tenants, err);
    return st ? st : takc_traces_open(&api->traces, &o, err);
}

static enum takc_status fill_api(struct takc_cli *cli, struct takc_api *api, struct takc_err *err)
{
    const struct takc_settings *s = &cli->settings;
    const struct takc_clock *clock = takc_clock_system();
    *api = (struct takc_api){.home = api->home,
                             .auth = api->auth,
                             .tenants = api->tenants,
                             .reader_tokens = s->query_reader_tokens,
                             .artifact_tokens = s->query_artifact_tokens,
                             .questions_per_window = s->query_questions_per_window,
                             .abstain_below = s->query_abstain_below,
                             .answer_cache = s->query_answer_cache,
                             .model_patterns = s->serve_models,
                             .started_s = clock->wall_s(clock),
                             .access_log = s->serve_access_log,
                             .log_questions = s->serve_log_questions,
                             .metrics_open = s->serve_metrics_open,
                             .trace_context = takc_trace_propagates(s->trace_propagators),
                             .audit_days = s->serve_audit_days,
                             .work = {.sources = s->serve_sources,
                                      .upload_max_bytes = s->serve_upload_max_bytes,
                                      .max_file_bytes = s->ingest_max_file_bytes,
                                      .max_text_bytes = s->ingest_max_text_bytes,
                                      .timeout_ms = s->ingest_timeout_ms,
                                      .pdf_mode = takc_str_is(s->pdf_mode, "auto") ? NULL : s->pdf_mode.ptr,
                                      .n_threads = takc_cli_threads(cli),
                                      .fetch_max_bytes = s->serve_fetch_max_bytes,
                                      .fetch_max_objects = s->serve_fetch_max_objects,
                                      .jobs_max = s->serve_jobs_max,
                                      .jobs_running = s->serve_jobs_running}};
    enum takc_status st = takc_cli_models(cli, NULL, &cli->settings.arena, &api->model, err);
    return st ? st : open_observers(s, api, err);
}

/* Whom to let in; that nobody else may come is checked. */
static enum takc_status open_auth(const struct takc_cli *cli, struct takc_api *api, struct takc_err *err)
{
    const struct takc_settings *s = &cli->settings;
    enum takc_status st = takc_auth_open(&api->auth, s, api->home, err);
    if (st || !api->auth)
        return st;
    if (!s->serve_tls_cert.len && !takc_serve_is_own_machine(s->serve_address))
        takc_log(WARN, "serve", "credentials travel in clear to %.*s: set serve.tls_cert, or put a proxy with TLS in front",
                 TAKC_STR_ARG(s->serve_address));
    return takc_tenants_open(&api->tenants, api->home, err);
}

/* A tenant's home is about to be closed: nothing of it may stay open. */
static void let_go(void *arg, struct takc_home *home)
{
    const struct takc_api *api = arg;
    takc_snapshots_drop(api->snapshots, home);
    takc_models_pool_drop(api->models, home);
}

static enum takc_status open_server(const struct takc_cli *cli, struct takc_api *api, struct takc_err *err)
{
    const struct takc_settings *s = &cli->settings;
    const struct takc_server_options o = {.address = s->serve_address.ptr,
                                          .port = (uint16_t)s->serve_port,
                                          .cert_file = path_or_null(s->serve_tls_cert),
                                          .key_file = path_or_null(s->serve_tls_key),
                                          .running_max = s->serve_running_max,
                                          .waiting_max = s->serve_waiting_max,
                                          .head_ms = s->serve_head_ms,
                                          .body_ms = s->serve_body_ms,
                                          .write_ms = s->serve_write_ms,
                                          .idle_ms = s->serve_idle_ms,
                                          .request_ms = s->serve_request_ms,
                                          .handlers = takc_api_handlers(api)};
    struct takc_server *server = NULL;
    enum takc_status st = takc_server_open(&server, &o, err);
    atomic_store(&api->server, server);
    return st ? takc_err_prefix(err, st, "serve") : TAKC_OK;
}

/* Nobody can be let in by a key where there is none: a server that is new, or whose catalogue was lost. */
static void warn_of_no_key(const struct takc_cli *cli, const struct takc_api *api)
{
    struct takc_arena a;
    struct takc_api_key *rows = NULL;
    size_t n = 0;
    takc_arena_init(&a);
    if (takc_str_is(cli->settings.serve_auth, "key") && !takc_home_api_keys(api->home, &a, &rows, &n, NULL) && !n)
        takc_log(WARN, "serve", "serve.auth is key, and there is none yet: takc key create NAME --may query,ingest,admin makes one");
    takc_arena_clear(&a);
}

/* A damaged catalogue is moved aside and made anew by whoever meets it. What it held besides questions has no other copy: once each. */
static void warn_of_home(const struct takc_api *api, char said[TAKC_HOME_WARNING])
{
    char now[TAKC_HOME_WARNING];
    takc_home_warning_copy(api->home, now);
    if (strcmp(now, said) == 0)
        return;
    memcpy(said, now, sizeof(now));
    takc_log(ERROR, "serve", "%s; so are API keys, jobs, quotas and the audit trail: restore them from a backup, or make keys anew", said);
}

static void wait_for_signal(struct takc_cli *cli, const struct takc_api *api)
{
    const struct takc_clock *clock = takc_clock_system();
    struct takc_err err;
    char said[TAKC_HOME_WARNING] = "";
    unsigned looks = 0;
    while (!atomic_load(&cli->call.cancel)) {
        warn_of_home(api, said);
        clock->sleep_ns(clock, LOOK_NS);
        takc_limits_flush(api->limits);
        takc_hits_flush(api->hits, clock->mono_ns(clock));
        if (++looks % TIDY_LOOKS == 0)
            takc_snapshots_tidy(api->snapshots);
        if (looks % SWEEP_LOOKS == 0)
            takc_work_sweep(api);
        if (!atomic_exchange(&asked_to_reload, false))
            continue;
        if (takc_server_reload(api->server, &err))
            takc_log(ERROR, "serve", "the old certificate stays: %s", err.msg);
        else
            takc_log(INFO, "serve",
                     cli->settings.serve_tls_cert.len ? "the certificate was read again" : "there is no certificate to read again");
    }
}

/* A home that this user may not have is told from one that a disk does not give. */
static enum takc_status open_home(struct takc_cli *cli, struct takc_home **out, struct takc_err *err)
{
    struct takc_err e = {0};
    enum takc_status st = takc_cli_open_or_make(cli, out, &e);
    if (st == TAKC_IO && (e.detail == EACCES || e.detail == EPERM || e.detail == EROFS))
        return takc_fail(err, TAKC_DENIED, e.detail, "home: %s; the user that serves must be able to write there", e.msg);
    if (st == TAKC_IO && e.detail == ENOTDIR)
        return takc_fail(err, TAKC_INVALID, e.detail, "home: %s", e.msg);
    if (st && err)
        *err = e;
    return st;
}

/* What the server stands on. Where it fails, what is open already is for close_parts. */
static enum takc_status open_parts(struct takc_cli *cli, struct takc_api *api, struct takc_err *err)
{
    enum takc_status st = open_home(cli, &api->home, err);
    if (!st)
        st = open_auth(cli, api, err);
    if (!st)
        st = fill_api(cli, api, err);
    if (!st)
        st = takc_models_pool_open(&api->models, err);
    if (!st)
        st = takc_snapshots_open(&api->snapshots, err);
    if (!st && api->tenants)
        takc_tenants_on_close(api->tenants, let_go, api);
    if (!st)
        st = takc_limits_open(&api->limits, &cli->settings, api->home, err);
    return st ? st : takc_work_open(api, err);
}

static void close_parts(struct takc_api *api)
{
    takc_jobs_close(api->jobs);
    takc_hits_close(api->hits); /* into tenants' homes, too */
    takc_tenants_close(api->tenants);
    takc_models_pool_close(api->models);
    takc_snapshots_close(api->snapshots);
    takc_auth_close(api->auth);
    takc_limits_close(api->limits);
    takc_traces_close(api->traces);
    takc_reply_cache_free(api->replies);
    takc_mcp_running_close(api->mcp_running);
    takc_metrics_free(api->metrics);
    takc_home_close(api->home);
}

static enum takc_status say_where(struct takc_cli *cli, const struct takc_api *api, struct takc_err *err)
{
    const struct takc_settings *s = &cli->settings;
    bool v6 = takc_str_find_byte(s->serve_address, ':', 0) != SIZE_MAX;
    enum takc_status st = takc_cli_printf(cli, err, "http%s://%s%.*s%s:%u\n", s->serve_tls_cert.len ? "s" : "", v6 ? "[" : "",
                                          TAKC_STR_ARG(s->serve_address), v6 ? "]" : "", takc_server_port(api->server));
    return st ? st : takc_cli_flush(cli, err);
}

/* From the first connection to the last. */
static enum takc_status serve(struct takc_cli *cli, struct takc_api *api, struct takc_err *err)
{
    enum takc_status st = open_server(cli, api, err);
    if (st)
        return st;
    st = say_where(cli, api, err);
    warn_of_no_key(cli, api);
    if (!st)
        wait_for_signal(cli, api);
    takc_jobs_stop(api->jobs); /* before the drain: nobody waits for a job that is put back */
    takc_server_close(api->server, cli->settings.serve_drain_ms);
    atomic_store(&cli->call.cancel, false); /* it was told to stop, and did */
    return st;
}

enum takc_status takc_verb_serve(struct takc_cli *cli, struct takc_err *err)
{
    struct takc_api api = {0};
    struct sigaction hangup = {.sa_handler = on_hangup};
    enum takc_status st = takc_serve_check(&cli->settings, err);
    if (st || takc_cli_flag(cli, "print-config"))
        return st ? st : takc_cli_print_config(cli, err);
    (void)mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES); /* fixed: glibc would raise it with the first large block that is freed */
    (void)sigemptyset(&hangup.sa_mask);
    (void)sigaction(SIGHUP, &hangup, NULL);
    st = open_parts(cli, &api, err);
    if (!st)
        st = serve(cli, &api, err);
    close_parts(&api);
    return st;
}
