/* SPDX-License-Identifier: Apache-2.0
 *
 * jwks.c - when keys are fetched, by whom, and how long they are used. A fetch has a deadline of its own and goes on when the client whose
 * request began it leaves: else clients that leave could keep keys from ever coming. */
#include "auth/jwks.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/log.h"
#include "base/thread.h"
#include "net/http.h"
#include "net/url.h"

#include <arpa/inet.h>

enum {
    FETCH_MS = 5000,
    LOOK_MS = 100,
    URL_MAX = 2048,
    WAITING_MAX = 256 /* invented kids must not hold every fiber while an issuer takes its time */
};
#define DISCOVERY "/.well-known/openid-configuration"

struct takc_jwks {
    struct takc_buf issuer, url; /* url empty: discovered */
    bool on_machine;             /* the issuer is on this machine: http will do */
    const struct takc_clock *clock;
    takc_jwks_fetch_fn *fetch;
    void *fetch_arg;
    struct takc_http *http; /* NULL: fetch is another's */
    struct takc_cond fetched;
    struct {
        struct takc_mutex mu;
        struct takc_keyset *set; /* NULL: none yet */
        uint64_t set_ms;         /* when it was fetched */
        uint64_t tried_ms;       /* when a fetch last ended */
        bool tried, fetching;
        unsigned n_waiting;
        struct takc_err failure; /* of the last fetch; status OK: it went well */
    } locked;
};

static uint64_t now_ms(const struct takc_jwks *j)
{
    return j->clock->mono_ns(j->clock) / 1000000;
}

/* --- places --- */

/* A name that only begins like such an address is anybody's. */
static bool is_machine(struct takc_str host)
{
    char text[INET_ADDRSTRLEN] = "";
    struct in_addr v4;
    if (takc_str_is(host, "localhost") || takc_str_is(host, "[::1]"))
        return true;
    if (host.len >= sizeof(text))
        return false;
    memcpy(text, host.ptr, host.len);
    return inet_pton(AF_INET, text, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127;
}

/* https, or http where that fits and the host is the machine itself, which *on_machine says. */
static enum takc_status check_place(struct takc_str url, bool http_fits, bool *on_machine, struct takc_err *err)
{
    struct takc_url u;
    enum takc_status st = takc_url_parse(&u, url, err);
    if (st)
        return st;
    *on_machine = is_machine(u.host);
    if (u.scheme.len != 5 && !(http_fits && *on_machine))
        return takc_fail(err, TAKC_INVALID, 0, "%.*s: https is demanded (http: for an issuer on the machine itself)", TAKC_STR_ARG(url));
    return TAKC_OK;
}

/* --- fetching --- */

static enum takc_status fetch_http(void *arg, const char *url, struct takc_buf *out, struct takc_err *err)
{
    const struct takc_jwks *j = arg;
    const struct takc_http_header accept = {takc_str("Accept"), takc_str("application/json")};
    const struct takc_http_request r = {.method = "GET",
                                        .url = takc_str(url),
                                        .headers = &accept,
                                        .n_headers = 1,
                                        .connect_ms = FETCH_MS,
                                        .total_ms = FETCH_MS,
                                        .max_reply = out->max,
                                        .direct = j->on_machine};
    struct takc_http_reply reply;
    enum takc_status st = takc_http_send(j->http, NULL, &r, &reply, err);
    if (!st && reply.status != 200)
        st = takc_fail(err, TAKC_UPSTREAM, reply.status, "HTTP %d", reply.status);
    st = st ? st : takc_buf_add(out, takc_buf_str(&reply.body), err);
    takc_http_reply_clear(&reply);
    return st;
}

/* The keys' place out of the issuer's own description, into url. */
static enum takc_status read_discovery(const struct takc_jwks *j, struct takc_str text, struct takc_buf *url, struct takc_err *err)
{
    json_t *v = NULL;
    bool here;
    enum takc_status st = takc_json_parse(text, &v, err);
    struct takc_str place = takc_json_get_str(v, "jwks_uri");
    if (!st && !takc_str_eq(takc_json_get_str(v, "issuer"), takc_buf_str(&j->issuer)))
        st = takc_fail(err, TAKC_UPSTREAM, 0, "it says of itself that it is another issuer");
    if (!st && (!place.len || memchr(place.ptr, 0, place.len)))
        st = takc_fail(err, TAKC_UPSTREAM, 0, "it says no jwks_uri");
    st = st ? st : check_place(place, j->on_machine, &here, err);
    st = st ? st : takc_buf_add(url, place, err);
    json_decref(v);
    return st;
}

static enum takc_status discover(const struct takc_jwks *j, struct takc_buf *url, struct takc_err *err)
{
    struct takc_buf text, at;
    struct takc_str base = takc_buf_str(&j->issuer);
    takc_buf_init(&text, TAKC_KEYSET_MAX_BYTES);
    takc_buf_init(&at, URL_MAX);
    if (takc_str_ends(base, takc_str("/")))
        base.len--;
    enum takc_status st = takc_buf_printf(&at, err, "%.*s" DISCOVERY, TAKC_STR_ARG(base));
    st = st ? st : j->fetch(j->fetch_arg, at.ptr, &text, err);
    st = st ? st : read_discovery(j, takc_buf_str(&text), url, err);
    st = st ? takc_err_prefix(err, st, "%s", at.ptr ? at.ptr : "") : st;
    takc_buf_clear(&text);
    takc_buf_clear(&at);
    return st;
}

static enum takc_status fetch_set(const struct takc_jwks *j, struct takc_keyset **out, struct takc_err *err)
{
    struct takc_buf url, text;
    takc_buf_init(&url, URL_MAX);
    takc_buf_init(&text, TAKC_KEYSET_MAX_BYTES);
    enum takc_status st = j->url.len ? takc_buf_add(&url, takc_buf_str(&j->url), err) : discover(j, &url, err);
    if (!st) {
        st = j->fetch(j->fetch_arg, url.ptr, &text, err);
        st = st ? st : takc_keyset_parse(out, takc_buf_str(&text), err);
        st = st ? takc_err_prefix(err, st, "%s", url.ptr) : st;
    }
    takc_buf_clear(&url);
    takc_buf_clear(&text);
    return st;
}

/* What came of a fetch. Whatever went wrong there, keys are not to be had: to a request that is UPSTREAM, but for our own lack of memory.
 */
static void settle_locked(struct takc_jwks *j, enum takc_status st, struct takc_keyset *set, struct takc_err *err)
{
    j->locked.fetching = false;
    j->locked.tried = true;
    j->locked.tried_ms = now_ms(j);
    if (st) {
        takc_log(WARN, "auth.jwt", "keys cannot be fetched: %s", err->msg);
        j->locked.failure = *err;
        j->locked.failure.status = st == TAKC_NOMEM ? TAKC_NOMEM : TAKC_UPSTREAM;
    } else {
        takc_log(INFO, "auth.jwt", "keys fetched: %zu", takc_keyset_count(set));
        takc_keyset_unref(j->locked.set);
        j->locked.set = set;
        j->locked.set_ms = j->locked.tried_ms;
        j->locked.failure = (struct takc_err){0};
    }
    takc_cond_broadcast(&j->fetched);
}

static void fetch_locked(struct takc_jwks *j) TAKC_REQUIRES(j->locked.mu)
{
    struct takc_keyset *set = NULL;
    struct takc_err err = {0};
    j->locked.fetching = true;
    takc_mutex_unlock(&j->locked.mu);
    enum takc_status st = fetch_set(j, &set, &err);
    takc_mutex_lock(&j->locked.mu);
    settle_locked(j, st, set, &err);
}

/* --- asking --- */

/* Nothing is left to try: why there is no key. */
static enum takc_status no_key_locked(const struct takc_jwks *j, struct takc_err *err)
{
    if (j->locked.failure.status)
        return takc_fail(err, j->locked.failure.status, 0, "the issuer's keys cannot be fetched: %s", j->locked.failure.msg);
    return takc_fail(err, TAKC_DENIED, 0, "the token is signed with a key that its issuer does not have");
}

/* One look: *out is set, or a fetch was made or waited for (OK, *out NULL), or there is nothing to be had. */
static enum takc_status look_locked(struct takc_jwks *j, struct takc_call *call, struct takc_str kid, enum takc_token_alg alg,
                                    struct takc_keyset **out, struct takc_err *err) TAKC_REQUIRES(j->locked.mu)
{
    uint64_t now = now_ms(j), age = j->locked.set ? now - j->locked.set_ms : UINT64_MAX;
    bool known = age < TAKC_JWKS_STALE_MS && takc_keyset_has(j->locked.set, kid, alg), fresh = age < TAKC_JWKS_FRESH_MS;
    bool may_fetch = !j->locked.tried || now - j->locked.tried_ms >= TAKC_JWKS_AGAIN_MS;
    if (known && (fresh || j->locked.fetching || !may_fetch)) {
        *out = takc_keyset_ref(j->locked.set);
        return TAKC_OK;
    }
    enum takc_status st = takc_call_check(call, err);
    if (st)
        return st;
    if (j->locked.fetching && j->locked.n_waiting >= WAITING_MAX)
        return takc_fail(err, TAKC_BUSY, 0, "%d requests wait for the issuer's keys already", WAITING_MAX);
    if (j->locked.fetching) {
        j->locked.n_waiting++;
        takc_cond_wait_ms(&j->fetched, &j->locked.mu, takc_call_left_ms(call, LOOK_MS));
        j->locked.n_waiting--;
    } else if (may_fetch) {
        fetch_locked(j);
    } else {
        return no_key_locked(j, err);
    }
    return TAKC_OK;
}

enum takc_status takc_jwks_get(struct takc_jwks *j, struct takc_call *call, struct takc_str kid, enum takc_token_alg alg,
                               struct takc_keyset **out, struct takc_err *err)
{
    struct takc_keyset *set = NULL;
    enum takc_status st = TAKC_OK;
    takc_mutex_lock(&j->locked.mu);
    while (!st && !set)
        st = look_locked(j, call, kid, alg, &set, err);
    takc_mutex_unlock(&j->locked.mu);
    if (!st)
        *out = set;
    return st;
}

/* --- open and close --- */

static enum takc_status copy_places(struct takc_jwks *j, const struct takc_jwks_options *o, struct takc_err *err)
{
    bool here;
    enum takc_status st = check_place(takc_str(o->issuer), true, &j->on_machine, err);
    if (!st && strchr(o->issuer, '?'))
        st = takc_fail(err, TAKC_INVALID, 0, "%s: an issuer has no query", o->issuer);
    st = st ? st : takc_buf_add(&j->issuer, takc_str(o->issuer), err);
    if (!st && o->url)
        st = check_place(takc_str(o->url), true, &here, err);
    return st || !o->url ? st : takc_buf_add(&j->url, takc_str(o->url), err);
}

static enum takc_status open_client(struct takc_jwks *j, const struct takc_jwks_options *o, struct takc_err *err)
{
    const struct takc_http_options h = {.ca_file = o->ca_file, .proxy = o->proxy, .max_per_host = 2, .max_waiting = 4};
    if (o->fetch)
        return TAKC_OK;
    enum takc_status st = takc_http_open(&j->http, &h, err);
    j->fetch = fetch_http;
    j->fetch_arg = j;
    return st;
}

enum takc_status takc_jwks_open(struct takc_jwks **out, const struct takc_jwks_options *o, struct takc_err *err)
{
    struct takc_jwks *j = takc_alloc(sizeof(*j));
    if (!j)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for an issuer's keys");
    j->clock = takc_clock_or_system(o->clock);
    j->fetch = o->fetch;
    j->fetch_arg = o->fetch_arg;
    takc_buf_init(&j->issuer, URL_MAX);
    takc_buf_init(&j->url, URL_MAX);
    enum takc_status st = copy_places(j, o, err);
    st = st ? st : open_client(j, o, err);
    st = st ? st : takc_mutex_init(&j->locked.mu, err);
    if (!st) {
        st = takc_cond_init(&j->fetched, err);
        if (!st) {
            *out = j;
            return TAKC_OK;
        }
        takc_mutex_clear(&j->locked.mu);
    }
    takc_http_close(j->http);
    takc_buf_clear(&j->issuer);
    takc_buf_clear(&j->url);
    takc_free(j);
    return st;
}

void takc_jwks_close(struct takc_jwks *j)
{
    if (!j)
        return;
    takc_http_close(j->http);
    takc_keyset_unref(j->locked.set);
    takc_cond_clear(&j->fetched);
    takc_mutex_clear(&j->locked.mu);
    takc_buf_clear(&j->issuer);
    takc_buf_clear(&j->url);
    takc_free(j);
}
