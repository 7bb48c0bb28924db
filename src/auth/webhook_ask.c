/* SPDX-License-Identifier: Apache-2.0
 *
 * webhook_ask.c - asking over HTTP and by a command. What a command says on standard error goes to the log, its first line. */
#include "auth/webhook_ask.h"

#include "base/alloc.h"
#include "base/child.h"
#include "base/command.h"
#include "base/log.h"
#include "base/pool.h"
#include "base/thread.h"
#include "net/address.h"
#include "net/http.h"
#include "net/url.h"

#include <errno.h>
#include <unistd.h>

enum { PER_HOST = 32, WAITING_MAX = 1024, ERROR_MAX = 4 << 10 };

struct takc_webhook_asker {
    struct takc_arena arena;
    struct takc_str url; /* empty: a command */
    const char *argv[TAKC_COMMAND_WORDS + 1];
    bool allow_private;
    uint64_t timeout_ms;
    struct takc_http *http;
    struct takc_pool *pool;
};

/* --- over HTTP --- */

static enum takc_status ask_url(struct takc_webhook_asker *w, struct takc_call *call, struct takc_str question, struct takc_buf *out,
                                struct takc_err *err)
{
    const struct takc_http_header headers[] = {{takc_str("Content-Type"), takc_str("application/json")},
                                               {takc_str("Accept"), takc_str("application/json")}};
    const struct takc_http_request r = {.method = "POST",
                                        .url = w->url,
                                        .headers = headers,
                                        .n_headers = 2,
                                        .body = question,
                                        .connect_ms = w->timeout_ms,
                                        .first_byte_ms = w->timeout_ms,
                                        .total_ms = w->timeout_ms,
                                        .max_reply = out->max,
                                        .direct = true,
                                        .public_only = !w->allow_private};
    struct takc_http_reply reply;
    enum takc_status st = takc_http_send(w->http, call, &r, &reply, err);
    if (!st && reply.status != 200)
        st = takc_fail(err, TAKC_UPSTREAM, reply.status, "it answered HTTP %d", reply.status);
    st = st ? st : takc_buf_add(out, takc_buf_str(&reply.body), err);
    takc_http_reply_clear(&reply);
    return st;
}

/* --- by a command --- */

struct question { /* one that waits for its command; on the stack of who asks */
    struct takc_webhook_asker *w;
    struct takc_call *call;
    struct takc_str text;
    struct takc_buf *out;
    struct takc_err err;
    enum takc_status st;
    struct takc_mutex mu;
    struct takc_cond told;
    bool is_told;
};

static enum takc_status run_command(struct question *q)
{
    struct takc_buf said;
    struct takc_child_result result = {0};
    const struct takc_child_options o = {.argv = q->w->argv, .input = q->text, .timeout_ms = q->w->timeout_ms, .confine = TAKC_CHILD_OPEN};
    takc_buf_init(&said, ERROR_MAX);
    enum takc_status st = takc_child_run(&o, q->call, q->out, &said, &result, &q->err);
    struct takc_str rest = takc_buf_str(&said), line = {"", 0};
    if (takc_str_split(&rest, '\n', &line) && line.len)
        takc_log_for(q->call, WARN, "auth.webhook", "the command says: %.*s", line.len > 200 ? 200 : (int)line.len, line.ptr);
    if (!st && (result.exit_code || result.signal))
        st = takc_fail(&q->err, TAKC_UPSTREAM, result.exit_code, "the command ended with %s %d", result.signal ? "signal" : "exit code",
                       result.signal ? result.signal : result.exit_code);
    takc_buf_clear(&said);
    return st;
}

static void tell(struct question *q, enum takc_status st)
{
    takc_mutex_lock(&q->mu);
    q->st = st;
    q->is_told = true;
    takc_cond_signal(&q->told);
    takc_mutex_unlock(&q->mu);
}

static void run_question(void *arg)
{
    struct question *q = arg;
    tell(q, run_command(q));
}

static void drop_question(void *arg)
{
    struct question *q = arg;
    tell(q, takc_fail(&q->err, TAKC_CANCELLED, 0, "the server ends"));
}

static enum takc_status push_and_wait(struct question *q, struct takc_err *err)
{
    const struct takc_job job = {run_question, drop_question, q};
    enum takc_status st = takc_pool_push(q->w->pool, job, NULL, err);
    if (st)
        return st;
    takc_mutex_lock(&q->mu);
    while (!q->is_told)
        takc_cond_wait(&q->told, &q->mu);
    takc_mutex_unlock(&q->mu);
    if (q->st && err)
        *err = q->err;
    return q->st;
}

static enum takc_status ask_command(struct takc_webhook_asker *w, struct takc_call *call, struct takc_str question, struct takc_buf *out,
                                    struct takc_err *err)
{
    struct question q = {.w = w, .call = call, .text = question, .out = out};
    enum takc_status st = takc_mutex_init(&q.mu, err);
    if (st)
        return st;
    st = takc_cond_init(&q.told, err);
    if (!st) {
        st = push_and_wait(&q, err);
        takc_cond_clear(&q.told);
    }
    takc_mutex_clear(&q.mu);
    return st;
}

/* Whatever else went wrong there, to a request it is a service that did not answer. */
enum takc_status takc_webhook_ask(void *arg, struct takc_call *call, struct takc_str question, struct takc_buf *out, struct takc_err *err)
{
    struct takc_webhook_asker *w = arg;
    enum takc_status st = w->url.len ? ask_url(w, call, question, out, err) : ask_command(w, call, question, out, err);
    if (!st || st == TAKC_TIMEOUT || st == TAKC_BUSY || st == TAKC_NOMEM || st == TAKC_CANCELLED)
        return st;
    return takc_err_change(err, TAKC_UPSTREAM);
}

/* --- open and close --- */

static enum takc_status open_url(struct takc_webhook_asker *w, const struct takc_auth_webhook_options *o, struct takc_err *err)
{
    const struct takc_http_options h = {
        .ca_file = o->ca_file, .proxy = "", .max_per_host = PER_HOST, .max_waiting = WAITING_MAX, .resolve = o->resolve};
    struct takc_url u;
    bool literal;
    w->url = takc_arena_dup(&w->arena, o->url);
    if (!w->url.ptr)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for an authorizer");
    enum takc_status st = takc_url_parse(&u, w->url, err);
    if (st)
        return takc_err_prefix(err, st, "serve.webhook_url");
    if (u.scheme.len != 5 && !o->allow_private)
        return takc_fail(err, TAKC_INVALID, 0, "serve.webhook_url: https is demanded (http: with serve.webhook_allow_private)");
    if (!takc_address_host_is_public(u.host, &literal) && !o->allow_private)
        return takc_fail(err, TAKC_INVALID, 0,
                         "serve.webhook_url: %.*s is no public address; serve.webhook_allow_private allows one of the own network",
                         TAKC_STR_ARG(u.host));
    return takc_http_open(&w->http, &h, err);
}

static enum takc_status open_command(struct takc_webhook_asker *w, const struct takc_auth_webhook_options *o, struct takc_err *err)
{
    char path[1024];
    enum takc_status st = takc_command_split(&w->arena, o->command, w->argv, err);
    bool named = !st && !strchr(w->argv[0], '/');
    if (named && !takc_child_find(w->argv[0], path, sizeof(path)))
        st = takc_fail(err, TAKC_NOT_FOUND, 0, "%s is not in PATH", w->argv[0]);
    else if (!st && !named && access(w->argv[0], X_OK))
        st = takc_fail(err, errno == ENOENT ? TAKC_NOT_FOUND : TAKC_DENIED, errno, "%s cannot be run: %s", w->argv[0], strerror(errno));
    if (st)
        return takc_err_prefix(err, st, "serve.webhook_command");
    return takc_pool_open(&w->pool, TAKC_WEBHOOK_COMMANDS, TAKC_WEBHOOK_WAITING, "webhook", err);
}

enum takc_status takc_webhook_asker_open(struct takc_webhook_asker **out, const struct takc_auth_webhook_options *o, struct takc_err *err)
{
    if (o->url.len && o->command.len)
        return takc_fail(err, TAKC_INVALID, 0, "serve.webhook_url and serve.webhook_command: one of both decides, not both");
    if (!o->url.len && !o->command.len)
        return takc_fail(err, TAKC_INVALID, 0, "serve.webhook_url: not set, nor is serve.webhook_command; one of both decides");
    struct takc_webhook_asker *w = takc_alloc(sizeof(*w));
    if (!w)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for an authorizer");
    takc_arena_init(&w->arena);
    w->allow_private = o->allow_private;
    w->timeout_ms = o->timeout_ms ? o->timeout_ms : TAKC_WEBHOOK_MS;
    enum takc_status st = o->url.len ? open_url(w, o, err) : open_command(w, o, err);
    if (st)
        takc_webhook_asker_close(w);
    else
        *out = w;
    return st;
}

void takc_webhook_asker_close(struct takc_webhook_asker *w)
{
    if (!w)
        return;
    takc_http_close(w->http);
    if (w->pool)
        takc_pool_cancel(w->pool);
    takc_pool_close(w->pool);
    takc_arena_clear(&w->arena);
    takc_free(w);
}
