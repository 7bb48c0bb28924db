/* SPDX-License-Identifier: Apache-2.0
 *
 * http_loop.c - the client's thread. A round: take what was started, let libcurl work, end what is done, look at every clock and cancel
 * flag, start what may now run, wait.
 *
 * libcurl could hold back requests over a host's limit itself; we do, so that they go in the order they came, and so that waiting for a
 * connection is not mistaken for making one. A cancel flag wakes nobody, so while there are calls to watch a wait lasts LOOK_MS at most. */
#include "base/alloc.h"
#include "base/log.h"
#include "net/http_parts.h"

#include <inttypes.h>

enum {
    LOOK_MS = 40,         /* cancelled within 100 ms, on a busy machine, too */
    FOREVER_MS = 3600000, /* nothing runs: an empty round an hour */
    NAP_MS = 20           /* when the system has no memory for a wait */
};

/* --- ends --- */

static void time_text(uint64_t ms, char out[32])
{
    if (ms % 1000)
        (void)snprintf(out, 32, "%" PRIu64 " ms", ms);
    else
        (void)snprintf(out, 32, "%" PRIu64 " s", ms / 1000);
}

static uint64_t stage_limit_ms(const struct takc_http_transfer *t)
{
    switch (t->stage) {
    case TAKC_HTTP_CONNECTING:
        return takc_http_or(t->r->connect_ms, 10000);
    case TAKC_HTTP_WAITING:
        return takc_http_or(t->r->first_byte_ms, 60000);
    case TAKC_HTTP_SENDING:
    case TAKC_HTTP_BODY:
        return takc_http_or(t->r->idle_ms, 60000);
    default:
        return UINT64_MAX;
    }
}

static enum takc_status fail_stage(struct takc_http_transfer *t)
{
    static const char *const words[] = {
        [TAKC_HTTP_CONNECTING] = "no connection within",
        [TAKC_HTTP_SENDING] = "took nothing more of the request for",
        [TAKC_HTTP_WAITING] = "no answer within",
        [TAKC_HTTP_BODY] = "sent nothing more for",
    };
    char limit[32];
    time_text(stage_limit_ms(t), limit);
    return takc_fail(&t->err, TAKC_TIMEOUT, 0, "%.*s: %s %s", TAKC_STR_ARG(t->where), words[t->stage], limit);
}

/* What libcurl's end means. Its own words name hosts, certificates and errors of the system, nothing of URL or headers. */
static enum takc_status fail_curl(struct takc_http_transfer *t, CURLcode code)
{
    const char *said = t->said[0] ? t->said : t->client->curl->easy_strerror(code);
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT: /* the only clock it was given is the one for connecting */
        t->stage = TAKC_HTTP_CONNECTING;
        return fail_stage(t);
    case CURLE_OUT_OF_MEMORY: /* so it also calls a header of more than 100 KiB */
        if (t->connected_ns && !t->answered)
            return takc_fail(&t->err, TAKC_UPSTREAM, 0, "%.*s: a header that is too long (or no memory for it)", TAKC_STR_ARG(t->where));
        return takc_fail(&t->err, TAKC_NOMEM, 0, "%.*s: no memory", TAKC_STR_ARG(t->where));
    case CURLE_PEER_FAILED_VERIFICATION: /* unknown, out of date, another host's: the next try sees the same */
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_CACERT_BADFILE:
        return takc_fail(&t->err, TAKC_UNTRUSTED, 0, "%.*s: %s; whose certificates to trust is model.ca_file", TAKC_STR_ARG(t->where),
                         said);
    case CURLE_URL_MALFORMAT:
        return takc_fail(&t->err, TAKC_INVALID, 0, "%.*s: a URL that cannot be read", TAKC_STR_ARG(t->where));
    default:
        return takc_fail(&t->err, TAKC_UPSTREAM, 0, "%.*s: %s", TAKC_STR_ARG(t->where), said);
    }
}

static uint64_t ms_between(uint64_t from_ns, uint64_t to_ns)
{
    return from_ns && to_ns > from_ns ? (to_ns - from_ns) / 1000000u : 0;
}

/* What the reply says beside its content. */
static void measure(struct takc_http_transfer *t)
{
    const struct takc_curl *curl = t->client->curl;
    long sent = 0;
    (void)curl->easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &sent);
    struct takc_http_reply *r = &t->reply;
    r->sent = t->connected_ns && sent > t->sent_before;
    r->connect_ms = r->reused ? 0 : ms_between(t->added_ns, t->connected_ns);
    r->first_byte_ms = ms_between(t->sent_ns ? t->sent_ns : t->connected_ns, t->first_ns);
    r->total_ms = ms_between(t->started_ns, takc_http_now());
    if (!t->answered)
        r->status = 0; /* a status line or a 1xx is no answer */
}

static void count_end(struct takc_http_transfer *t)
{
    struct takc_http *h = t->client;
    takc_mutex_lock(&h->locked.mu);
    h->locked.n_open--;
    h->locked.counts.failed += t->st != TAKC_OK;
    h->locked.counts.reused += t->reply.reused;
    h->locked.counts.connections += t->connected_ns && !t->reply.reused;
    takc_mutex_unlock(&h->locked.mu);
}

/* Tells and frees; t is in no list any more. */
static void tell(struct takc_http_transfer *t)
{
    if (t->stage != TAKC_HTTP_QUEUED) {
        measure(t);
        (void)t->client->curl->multi_remove_handle(t->client->multi, t->easy);
    }
    count_end(t);
    takc_log_for(t->call, DEBUG, "net.http", "%s %.*s %s http=%d reused=%d ms=%" PRIu64, t->r->method, TAKC_STR_ARG(t->where),
                 takc_status_name(t->st), t->reply.status, t->reply.reused, t->reply.total_ms);
    t->done(t->arg, t->st, &t->reply, &t->err);
    takc_http_transfer_free(t);
}

static void unlink_from(struct takc_http_transfer **list, const struct takc_http_transfer *t)
{
    while (*list != t)
        list = &(*list)->next;
    *list = t->next;
}

static void end_running(struct takc_http_transfer *t)
{
    unlink_from(&t->host->running, t);
    t->host->n_running--;
    tell(t);
}

/* --- hosts --- */

static bool same_host(const struct takc_http_host *host, const struct takc_http_transfer *t)
{
    return host->is_https == t->is_https && takc_str_eq_nocase(takc_buf_str(&host->name), t->where);
}

static struct takc_http_host *host_new(const struct takc_http_transfer *t)
{
    struct takc_http_host *host = takc_alloc(sizeof(*host));
    if (!host)
        return NULL;
    host->is_https = t->is_https;
    host->waiting_tail = &host->waiting;
    takc_buf_init(&host->name, TAKC_BUF_MAX_NAME);
    if (takc_buf_add(&host->name, t->where, NULL)) {
        takc_free(host);
        return NULL;
    }
    return host;
}

/* Puts t behind those that wait for the same host. */
static void enqueue(struct takc_http *h, struct takc_http_transfer *t)
{
    struct takc_http_host **at = &h->hosts;
    while (*at && !same_host(*at, t))
        at = &(*at)->next;
    if (!*at && !(*at = host_new(t))) {
        t->st = takc_fail(&t->err, TAKC_NOMEM, 0, "no memory for a host");
        tell(t);
        return;
    }
    t->host = *at;
    t->next = NULL;
    *t->host->waiting_tail = t;
    t->host->waiting_tail = &t->next;
    uint64_t soon = takc_http_now() + (uint64_t)LOOK_MS * 1000000u;
    if (h->look_waiting_ns > soon)
        h->look_waiting_ns = soon;
}

static void start(struct takc_http *h, struct takc_http_transfer *t)
{
    CURLMcode code = h->curl->multi_add_handle(h->multi, t->easy);
    if (code != CURLM_OK) {
        t->st = takc_fail(&t->err, TAKC_NOMEM, 0, "%.*s: %s", TAKC_STR_ARG(t->where), h->curl->multi_strerror(code));
        tell(t);
        return;
    }
    t->stage = TAKC_HTTP_CONNECTING;
    t->added_ns = t->moved_ns = takc_http_now();
    t->next = t->host->running;
    t->host->running = t;
    t->host->n_running++;
}

static struct takc_http_transfer *next_waiting(struct takc_http_host *host)
{
    struct takc_http_transfer *t = host->waiting;
    host->waiting = t->next;
    if (!host->waiting)
        host->waiting_tail = &host->waiting;
    return t;
}

/* Starts what may run; hosts with nothing to do are forgotten (their connections are libcurl's and stay). */
static void start_all(struct takc_http *h)
{
    for (struct takc_http_host **at = &h->hosts, *host; (host = *at) != NULL;) {
        while (host->waiting && host->n_running < h->max_per_host)
            start(h, next_waiting(host));
        if (host->waiting || host->running) {
            at = &host->next;
            continue;
        }
        *at = host->next;
        takc_buf_clear(&host->name);
        takc_free(host);
    }
}

/* --- clocks and flags --- */

/* Upload moves on: the stage may be over. */
static void look_at_upload(struct takc_http_transfer *t, uint64_t now)
{
    const struct takc_curl *curl = t->client->curl;
    curl_off_t up = 0;
    long sent = 0;
    (void)curl->easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &up);
    (void)curl->easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &sent);
    if (up != t->n_up) {
        t->n_up = up;
        t->moved_ns = now;
    }
    if (sent > t->sent_before && (size_t)up >= t->r->body.len) {
        t->stage = TAKC_HTTP_WAITING;
        t->sent_ns = t->moved_ns = now;
    }
}

static uint64_t left_ms(uint64_t from_ns, uint64_t limit_ms, uint64_t now)
{
    uint64_t gone = now > from_ns ? (now - from_ns) / 1000000u : 0;
    return limit_ms > gone ? limit_ms - gone : 0;
}

/* Ends t's time, if it is over: t->st. Else milliseconds until it must be looked at again. */
static uint64_t look(struct takc_http_transfer *t, uint64_t now)
{
    uint64_t total_ms = takc_http_or(t->r->total_ms, 600000);
    if (t->stage == TAKC_HTTP_SENDING)
        look_at_upload(t, now);
    t->st = takc_call_check(t->call, &t->err);
    if (t->st) {
        t->st = takc_err_prefix(&t->err, t->st, "%.*s", TAKC_STR_ARG(t->where));
        return 0;
    }
    uint64_t stage = left_ms(t->moved_ns, stage_limit_ms(t), now), total = left_ms(t->started_ns, total_ms, now);
    if (stage == 0) {
        t->st = fail_stage(t);
    } else if (total == 0) {
        char limit[32];
        time_text(total_ms, limit);
        t->st = takc_fail(&t->err, TAKC_TIMEOUT, 0, "%.*s: not done within %s", TAKC_STR_ARG(t->where), limit);
    }
    uint64_t next = stage < total ? stage : total;
    return t->call && next > LOOK_MS ? LOOK_MS : next;
}

/* Ends whose time is over among those that run. */
static uint64_t look_at_running(struct takc_http_host *host, uint64_t now, uint64_t wait)
{
    for (struct takc_http_transfer *t = host->running, *next; t; t = next) {
        next = t->next;
        uint64_t ms = look(t, now);
        if (t->st)
            end_running(t);
        else
            wait = ms < wait ? ms : wait;
    }
    return wait;
}

static uint64_t look_at_waiting(struct takc_http_host *host, uint64_t now, uint64_t wait)
{
    struct takc_http_transfer **at = &host->waiting;
    while (*at) {
        struct takc_http_transfer *t = *at;
        uint64_t ms = look(t, now);
        if (t->st) {
            *at = t->next;
            tell(t);
        } else {
            wait = ms < wait ? ms : wait;
            at = &t->next;
        }
    }
    host->waiting_tail = at;
    return wait;
}

/* Those that run every round; those that wait, who may be thousands, only when it is time. */
static uint64_t look_at_all(struct takc_http *h)
{
    uint64_t now = takc_http_now(), wait = FOREVER_MS, wait_waiting = FOREVER_MS;
    bool due = now >= h->look_waiting_ns;
    for (struct takc_http_host *host = h->hosts; host; host = host->next) {
        wait = look_at_running(host, now, wait);
        wait_waiting = due ? look_at_waiting(host, now, wait_waiting) : wait_waiting;
    }
    if (due)
        h->look_waiting_ns = now + wait_waiting * 1000000u;
    else
        wait_waiting = (h->look_waiting_ns - now) / 1000000u + 1;
    return wait < wait_waiting ? wait : wait_waiting;
}

/* --- rounds --- */

/* Takes what was started since; false when the client closes. */
static bool take_inbox(struct takc_http *h)
{
    takc_mutex_lock(&h->locked.mu);
    struct takc_http_transfer *list = h->locked.inbox;
    h->locked.inbox = NULL;
    h->locked.tail = &h->locked.inbox;
    bool closing = h->locked.closing;
    takc_mutex_unlock(&h->locked.mu);
    for (struct takc_http_transfer *next; list; list = next) {
        next = list->next;
        enqueue(h, list);
    }
    return !closing;
}

/* Nothing of it was sent: once more, on a new connection. */
static bool start_again(struct takc_http_transfer *t)
{
    const struct takc_http *h = t->client;
    t->is_stale = false;
    t->reply.reused = false;
    (void)h->curl->multi_remove_handle(h->multi, t->easy);
    return h->curl->multi_add_handle(h->multi, t->easy) == CURLM_OK;
}

/* Ends what libcurl is done with. */
static void collect(struct takc_http *h)
{
    int left;
    for (CURLMsg *m; (m = h->curl->multi_info_read(h->multi, &left)) != NULL;) {
        struct takc_http_transfer *t = NULL;
        CURLcode code = m->data.result;
        if (m->msg != CURLMSG_DONE || h->curl->easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t) != CURLE_OK || !t)
            TAKC_BUG("a message of libcurl about no transfer");
        if (t->is_stale && start_again(t))
            continue;
        if (t->st == TAKC_OK && code != CURLE_OK)
            t->st = fail_curl(t, code);
        if (t->st == TAKC_OK && !t->answered) /* libcurl lets that pass */
            t->st = takc_fail(&t->err, TAKC_UPSTREAM, 0, "%.*s: the reply ended inside its headers", TAKC_STR_ARG(t->where));
        end_running(t);
    }
}

static void end_all(struct takc_http *h, enum takc_status st, const char *why)
{
    for (struct takc_http_host *host = h->hosts; host; host = host->next)
        while (host->running || host->waiting) {
            struct takc_http_transfer *t = host->running ? host->running : next_waiting(host);
            t->st = takc_fail(&t->err, st, 0, "%.*s: %s", TAKC_STR_ARG(t->where), why);
            if (t == host->running)
                end_running(t);
            else
                tell(t);
        }
    start_all(h); /* frees the hosts */
}

void *takc_http_run(void *client)
{
    struct takc_http *h = client;
    while (take_inbox(h)) {
        int n;
        CURLMcode code = h->curl->multi_perform(h->multi, &n);
        collect(h);
        if (code != CURLM_OK)
            end_all(h, TAKC_UPSTREAM, h->curl->multi_strerror(code));
        start_all(h);
        uint64_t wait = look_at_all(h);
        start_all(h); /* places that became free */
        if (h->curl->multi_poll(h->multi, NULL, 0, (int)wait, NULL) != CURLM_OK)
            takc_clock_system()->sleep_ns(takc_clock_system(), (uint64_t)NAP_MS * 1000000u);
    }
    end_all(h, TAKC_CANCELLED, "the client was closed");
    (void)h->curl->multi_cleanup(h->multi); /* here, where no signal reaches: saying goodbye may meet a closed pipe */
    return NULL;
}
