/* SPDX-License-Identifier: Apache-2.0
 *
 * http.c - the HTTP client's front: options, opening and closing, handing requests to the client's thread, waiting for replies.
 * The parts: http_parts.h. Left out: cookies, redirects, decompression, HTTP/2 (one request a connection keeps each deadline its own). */
#include "net/http.h"
#include "base/alloc.h"
#include "net/http_parts.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

enum {
    PER_HOST = 16,
    WAITING_MAX = 4096,
    HOSTS_KEPT = 8, /* connections kept idle: those of so many hosts */
    CA_FILE_MAX = 16 << 20,
    RESOLVE_MAX = 64 << 10
};

/* --- options --- */

static enum takc_status copy(char **out, const char *s, struct takc_err *err)
{
    if (!s)
        return TAKC_OK;
    size_t n = strlen(s) + 1;
    *out = takc_alloc(n);
    if (!*out)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for an option");
    memcpy(*out, s, n);
    return TAKC_OK;
}

/* Reads what libcurl will read, so that a wrong path is told here and not by the first request. */
static enum takc_status check_ca(const char *path, struct takc_err *err)
{
    BIO *in = BIO_new_file(path, "rb");
    X509 *cert = in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
    bool good = cert != NULL;
    X509_free(cert);
    BIO_free(in);
    ERR_clear_error();
    return good ? TAKC_OK : takc_fail(err, TAKC_INVALID, 0, "CA file %s: %s", path, in ? "no certificate in it" : "cannot be read");
}

static enum takc_status copy_resolve(struct takc_http *h, const char *const *list, struct takc_err *err)
{
    size_t n = 0;
    enum takc_status st = TAKC_OK;
    takc_buf_init(&h->resolve_text, RESOLVE_MAX);
    for (; !st && list && list[n]; n++)
        st = takc_buf_add(&h->resolve_text, takc_str_n(list[n], strlen(list[n]) + 1), err);
    if (st || n == 0)
        return st;
    h->resolve = takc_alloc_array(n, sizeof(*h->resolve));
    if (!h->resolve)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for an option");
    takc_http_lines_link(h->resolve, h->resolve_text.ptr, n);
    return TAKC_OK;
}

static enum takc_status copy_options(struct takc_http *h, const struct takc_http_options *o, struct takc_err *err)
{
    h->max_per_host = o->max_per_host ? o->max_per_host : PER_HOST;
    h->max_waiting = o->max_waiting ? o->max_waiting : WAITING_MAX;
    enum takc_status st = o->ca_file ? check_ca(o->ca_file, err) : TAKC_OK;
    if (!st)
        st = copy(&h->ca_file, o->ca_file, err);
    if (!st)
        st = copy(&h->proxy, o->proxy, err);
    if (!st)
        st = copy(&h->user_agent, o->user_agent ? o->user_agent : "takc/" TAKC_VERSION_TEXT, err);
    return st ? st : copy_resolve(h, o->resolve, err);
}

/* --- open and close --- */

static void free_client(struct takc_http *h)
{
    takc_free(h->ca_file);
    if (h->proxy) /* may hold a password */
        OPENSSL_cleanse(h->proxy, strlen(h->proxy));
    takc_free(h->proxy);
    takc_free(h->user_agent);
    takc_free(h->resolve);
    takc_free(h->sockets);
    takc_buf_clear(&h->resolve_text);
    takc_free(h);
}

/* The multi handle and its thread. */
static enum takc_status run_client(struct takc_http *h, struct takc_err *err)
{
    enum takc_status st = takc_curl_load(&h->curl, err);
    if (st)
        return st;
    h->multi = h->curl->multi_init();
    if (!h->multi)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for an HTTP client");
    /* Else libcurl keeps four times as many as there are requests at the moment, which is few when a burst is over. */
    (void)h->curl->multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)h->max_per_host * HOSTS_KEPT);
    st = takc_mutex_init(&h->locked.mu, err);
    if (!st) {
        st = takc_thread_start(&h->thread, "http-client", takc_http_run, h, err);
        if (st)
            takc_mutex_clear(&h->locked.mu);
    }
    if (st)
        (void)h->curl->multi_cleanup(h->multi);
    return st;
}

enum takc_status takc_http_open(struct takc_http **out, const struct takc_http_options *o, struct takc_err *err)
{
    static const struct takc_http_options none;
    struct takc_http *h = takc_alloc(sizeof(*h));
    if (!h)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for an HTTP client");
    h->locked.tail = &h->locked.inbox;
    enum takc_status st = copy_options(h, o ? o : &none, err);
    if (!st)
        st = run_client(h, err);
    if (st) {
        free_client(h);
        return st;
    }
    *out = h;
    return TAKC_OK;
}

void takc_http_close(struct takc_http *h)
{
    if (!h)
        return;
    takc_mutex_lock(&h->locked.mu);
    h->locked.closing = true;
    (void)h->curl->multi_wakeup(h->multi); /* before anybody sees it: the thread frees the handle when it does */
    takc_mutex_unlock(&h->locked.mu);
    (void)pthread_join(h->thread, NULL);
    takc_mutex_clear(&h->locked.mu);
    free_client(h);
}

void takc_http_count(struct takc_http *h, struct takc_http_counts *out)
{
    takc_mutex_lock(&h->locked.mu);
    *out = h->locked.counts;
    takc_mutex_unlock(&h->locked.mu);
}

/* --- requests --- */

/* Puts t where the client's thread finds it; then it is that thread's. */
static enum takc_status hand_over(struct takc_http *h, struct takc_http_transfer *t, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    takc_mutex_lock(&h->locked.mu);
    if (h->locked.closing) {
        st = takc_fail(err, TAKC_CANCELLED, 0, "the client was closed");
    } else if (h->locked.n_open >= h->max_waiting) {
        st = takc_fail(err, TAKC_BUSY, 0, "%zu requests run and wait already", h->max_waiting);
    } else {
        *h->locked.tail = t;
        h->locked.tail = &t->next;
        h->locked.n_open++;
        h->locked.counts.requests++;
        (void)h->curl->multi_wakeup(h->multi); /* under the lock: once it is seen, done may be called and the client closed */
    }
    takc_mutex_unlock(&h->locked.mu);
    return st;
}

enum takc_status takc_http_start(struct takc_http *h, struct takc_call *call, const struct takc_http_request *r, takc_http_done_fn *done,
                                 void *arg, struct takc_err *err)
{
    struct takc_http_transfer *t;
    enum takc_status st = takc_call_check(call, err);
    if (!st)
        st = takc_http_transfer_new(&t, h, call, r, err);
    if (st)
        return st;
    t->done = done;
    t->arg = arg;
    st = hand_over(h, t, err);
    if (st)
        takc_http_transfer_free(t);
    return st;
}

/* Somebody who waits for a reply. */
struct sender {
    struct takc_mutex mu;
    struct takc_cond told;
    bool is_told;
    enum takc_status st;
    struct takc_http_reply *out;
    struct takc_err *err;
};

static void tell_sender(void *arg, enum takc_status status, struct takc_http_reply *reply, const struct takc_err *err)
{
    struct sender *s = arg;
    *s->out = *reply;
    takc_http_reply_init(reply);
    takc_mutex_lock(&s->mu);
    s->is_told = true;
    s->st = status;
    if (status && s->err)
        *s->err = *err;
    takc_cond_signal(&s->told);
    takc_mutex_unlock(&s->mu);
}

static enum takc_status wait_told(struct sender *s)
{
    takc_mutex_lock(&s->mu);
    while (!s->is_told)
        takc_cond_wait(&s->told, &s->mu);
    takc_mutex_unlock(&s->mu);
    return s->st;
}

enum takc_status takc_http_send(struct takc_http *h, struct takc_call *call, const struct takc_http_request *r, struct takc_http_reply *out,
                                struct takc_err *err)
{
    struct sender s = {.out = out, .err = err};
    takc_http_reply_init(out);
    enum takc_status st = takc_mutex_init(&s.mu, err);
    if (st)
        return st;
    st = takc_cond_init(&s.told, err);
    if (!st) {
        st = takc_http_start(h, call, r, tell_sender, &s, err);
        if (!st)
            st = wait_told(&s);
        takc_cond_clear(&s.told);
    }
    takc_mutex_clear(&s.mu);
    return st;
}
