/* SPDX-License-Identifier: Apache-2.0
 *
 * serve.c - takc serve: opens home and server, says where it listens, waits for a signal. */
#include "base/clock.h"
#include "cli/home_open.h"
#include "cli/model_flags.h"
#include "http/api.h"

#include <signal.h>

static atomic_bool asked_to_reload;

static void on_hangup(int number)
{
    (void)number;
    atomic_store(&asked_to_reload, true);
}

static bool is_own_machine(struct takc_str address)
{
    return takc_str_starts(address, takc_str("127.")) || takc_str_is(address, "::1");
}

static const char *path_or_null(struct takc_str s)
{
    return s.len ? s.ptr : NULL;
}

static enum takc_status fill_api(struct takc_cli *cli, struct takc_api *api, struct takc_err *err)
{
    const struct takc_settings *s = &cli->settings;
    const struct takc_clock *clock = takc_clock_system();
    *api = (struct takc_api){.home = api->home,
                             .reader_tokens = s->query_reader_tokens,
                             .artifact_tokens = s->query_artifact_tokens,
                             .questions_per_window = s->query_questions_per_window,
                             .abstain_below = s->query_abstain_below,
                             .answer_cache = s->query_answer_cache,
                             .started_s = clock->wall_s(clock),
                             .work = {.sources = s->serve_sources,
                                      .upload_max_bytes = s->serve_upload_max_bytes,
                                      .max_file_bytes = s->ingest_max_file_bytes,
                                      .max_text_bytes = s->ingest_max_text_bytes,
                                      .timeout_ms = s->ingest_timeout_ms,
                                      .pdf_mode = takc_str_is(s->pdf_mode, "auto") ? NULL : s->pdf_mode.ptr,
                                      .n_threads = takc_cli_threads(cli),
                                      .jobs_max = s->serve_jobs_max,
                                      .jobs_running = s->serve_jobs_running}};
    return takc_cli_models(cli, NULL, &cli->settings.arena, &api->model, err);
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
                                          .request_ms = s->serve_request_ms,
                                          .handlers = takc_api_handlers(api)};
    if (!is_own_machine(s->serve_address))
        return takc_fail(
            err, TAKC_INVALID, 0,
            "serve.address: %.*s can be reached from other machines, and no authorizer is set; put nginx in front, or use 127.0.0.1",
            TAKC_STR_ARG(s->serve_address));
    enum takc_status st = takc_server_open(&api->server, &o, err);
    return st ? takc_err_prefix(err, st, "serve") : TAKC_OK;
}

static void wait_for_signal(struct takc_cli *cli, struct takc_server *server)
{
    const struct takc_clock *clock = takc_clock_system();
    struct takc_err err;
    while (!atomic_load(&cli->call.cancel)) {
        clock->sleep_ns(clock, 50000000);
        if (!atomic_exchange(&asked_to_reload, false))
            continue;
        if (takc_server_reload(server, &err))
            takc_log(ERROR, "serve", "the old certificate stays: %s", err.msg);
        else
            takc_log(INFO, "serve", "the certificate was read again");
    }
}

enum takc_status takc_verb_serve(struct takc_cli *cli, struct takc_err *err)
{
    struct takc_api api = {0};
    struct sigaction hangup = {.sa_handler = on_hangup};
    (void)sigemptyset(&hangup.sa_mask);
    (void)sigaction(SIGHUP, &hangup, NULL);
    enum takc_status st = takc_cli_open_or_make(cli, &api.home, err);
    if (!st)
        st = fill_api(cli, &api, err);
    if (!st)
        st = takc_work_open(&api, err);
    if (!st)
        st = open_server(cli, &api, err);
    if (!st) {
        bool v6 = takc_str_find_byte(cli->settings.serve_address, ':', 0) != SIZE_MAX;
        st = takc_cli_printf(cli, err, "http%s://%s%.*s%s:%u\n", cli->settings.serve_tls_cert.len ? "s" : "", v6 ? "[" : "",
                             TAKC_STR_ARG(cli->settings.serve_address), v6 ? "]" : "", takc_server_port(api.server));
        if (!st)
            st = takc_cli_flush(cli, err);
        if (!st)
            wait_for_signal(cli, api.server);
        takc_jobs_stop(api.jobs); /* before the drain: nobody waits for a job that is put back */
        takc_server_close(api.server, cli->settings.serve_drain_ms);
        atomic_store(&cli->call.cancel, false); /* it was told to stop, and did */
    }
    takc_jobs_close(api.jobs);
    takc_home_close(api.home);
    return st;
}
