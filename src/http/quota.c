/* SPDX-License-Identifier: Apache-2.0
 *
 * quota.c - which counters a request moves, and what is said of them. */
#include "http/quota.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "base/log.h"

#include <arpa/inet.h>
#include <stdio.h>

#define SECOND_NS 1000000000u
enum { MINUTE_S = 60, DAY_S = 86400, PICO_IN_MICRO = 1000000, KEY_ROOM = TAKC_COUNTER_KEY_MAX + 1 };

static const char *const whats[TAKC_QUOTA_WHATS] = {"", "query", "process", "compress"};
static const char *const words[TAKC_QUOTA_WHATS] = {"requests", "questions", "uploads", "compressions"};

struct takc_quota {
    struct takc_quota_options o;
    struct takc_counters *counters;
};

enum takc_status takc_quota_open(struct takc_quota **out, const struct takc_quota_options *o, struct takc_err *err)
{
    struct takc_quota *q = takc_alloc(sizeof(*q));
    if (!q)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for quotas");
    q->o = *o;
    q->o.counters.clock = takc_clock_or_system(o->counters.clock);
    if (!q->o.burst)
        q->o.burst = 2 * o->per_s;
    enum takc_status st = takc_counters_memory(&q->counters, &q->o.counters, err);
    if (st) {
        takc_free(q);
        return takc_err_prefix(err, st, "quotas");
    }
    *out = q;
    return TAKC_OK;
}

void takc_quota_flush(struct takc_quota *q)
{
    struct takc_err err;
    if (q && q->counters->ops->flush(q->counters, &err))
        takc_log(WARN, "quota", "what was counted is not kept: %s", err.msg);
}

void takc_quota_close(struct takc_quota *q)
{
    if (!q)
        return;
    takc_quota_flush(q);
    q->counters->ops->close(q->counters);
    takc_free(q);
}

/* ---- keys ---- */

/* "address/100 192.0.2.1"; of IPv6 the first 64 bits, since whoever has one address of them has all. The limit is in keys of buckets, since
 * how empty one is means nothing under another limit. */
static struct takc_str address_key(struct takc_str peer, uint64_t limit, char out[KEY_ROOM])
{
    struct in6_addr a;
    char text[INET6_ADDRSTRLEN];
    (void)snprintf(text, sizeof(text), "%.*s", TAKC_STR_ARG(peer));
    if (inet_pton(AF_INET6, text, &a) == 1 && !IN6_IS_ADDR_V4MAPPED(&a)) {
        memset(a.s6_addr + 8, 0, 8);
        (void)inet_ntop(AF_INET6, &a, text, sizeof(text));
    }
    (void)snprintf(out, KEY_ROOM, "address/%llu %s", (unsigned long long)limit, text);
    return takc_str(out);
}

/* "query/100 acme key:k3f9"; what is longer than a key may be is hashed. ptr NULL: no memory. */
static struct takc_str who_key(const char *what, uint64_t limit, const struct takc_identity *who, char out[KEY_ROOM])
{
    struct takc_hex hex;
    int n = snprintf(out, KEY_ROOM, "%s/%llu %.*s %.*s", what, (unsigned long long)limit, TAKC_STR_ARG(who->tenant),
                     TAKC_STR_ARG(who->subject));
    if (n < KEY_ROOM)
        return takc_str(out);
    if (takc_sha256(who->subject, &hex, NULL))
        return (struct takc_str){0};
    (void)snprintf(out, KEY_ROOM, "%s/%llu %.*s %s", what, (unsigned long long)limit, TAKC_STR_ARG(who->tenant), hex.s);
    return takc_str(out);
}

/* "tokens acme": a day's sum is what it is under any limit. */
static struct takc_str tenant_key(const char *what, const struct takc_identity *who, char out[KEY_ROOM])
{
    (void)snprintf(out, KEY_ROOM, "%s %.*s", what, TAKC_STR_ARG(who->tenant));
    return takc_str(out);
}

/* ---- buckets ---- */

struct asking { /* the buckets of one request */
    struct takc_bucket buckets[TAKC_QUOTA_LINES];
    struct takc_bucket_state states[TAKC_QUOTA_LINES];
    struct takc_quota_line lines[TAKC_QUOTA_LINES];
    const char *of[TAKC_QUOTA_LINES]; /* what is counted, in words */
    char keys[TAKC_QUOTA_LINES][KEY_ROOM];
    size_t n;
};

static void add_second(const struct takc_quota *q, struct asking *a, const char *name, struct takc_str key)
{
    if (!q->o.per_s)
        return;
    uint64_t interval = SECOND_NS / q->o.per_s;
    a->of[a->n] = words[0];
    a->lines[a->n] = (struct takc_quota_line){.name = name, .limit = q->o.burst, .window_s = (q->o.burst + q->o.per_s - 1) / q->o.per_s};
    a->buckets[a->n++] = (struct takc_bucket){.key = key, .interval_ns = interval ? interval : 1, .burst = q->o.burst, .cost = 1};
}

static void add_minute(const struct takc_quota *q, struct asking *a, enum takc_quota_what what, struct takc_str key, uint64_t n,
                       uint64_t held)
{
    uint64_t limit = q->o.per_min[what];
    if (!limit)
        return;
    a->of[a->n] = words[what];
    a->lines[a->n] = (struct takc_quota_line){.name = whats[what], .limit = limit, .window_s = MINUTE_S};
    a->buckets[a->n++] =
        (struct takc_bucket){.key = key, .interval_ns = (uint64_t)MINUTE_S * SECOND_NS / limit, .burst = limit, .cost = n, .held = held};
}

static uint64_t seconds_up(uint64_t ns)
{
    return ns / SECOND_NS + (ns % SECOND_NS != 0);
}

/* Is it more than there ever is? */
static bool never(const struct takc_bucket *b)
{
    return b->cost + b->held > b->burst;
}

/* The one that stands in the way longest says why. */
static void refuse(const struct asking *a, struct takc_quota_answer *out)
{
    size_t worst = 0;
    for (size_t i = 0; i < a->n; i++)
        if (a->states[i].wait_ns > a->states[worst].wait_ns || never(&a->buckets[i]))
            worst = i;
    const struct takc_quota_line *l = &a->lines[worst];
    out->retry_s = seconds_up(a->states[worst].wait_ns);
    out->retry_s = out->retry_s ? out->retry_s : 1;
    if (never(&a->buckets[worst]))
        (void)snprintf(out->why, sizeof(out->why), "too many %s at once: at most %llu", a->of[worst], (unsigned long long)l->limit);
    else
        (void)snprintf(out->why, sizeof(out->why), "too many %s: the limit of this %s is %llu in %llu s", a->of[worst],
                       strcmp(l->name, "address") == 0 ? "address" : "key", (unsigned long long)l->limit, (unsigned long long)l->window_s);
}

/* Behind the lines that out has already. */
static enum takc_status take(struct takc_quota *q, struct asking *a, struct takc_quota_answer *out, struct takc_err *err)
{
    enum takc_status st = a->n ? q->counters->ops->take(q->counters, a->buckets, a->n, a->states, &out->admitted, err) : TAKC_OK;
    if (st)
        return st;
    for (size_t i = 0; i < a->n; i++) {
        struct takc_quota_line *l = &out->lines[out->n_lines++];
        *l = a->lines[i];
        l->left = a->states[i].left;
        l->reset_s = seconds_up(a->states[i].full_ns);
    }
    if (!out->admitted)
        refuse(a, out);
    return TAKC_OK;
}

/* ---- days ---- */

struct day {                         /* one limit of a tenant's day */
    const char *what, *name, *words; /* of its counter; of its line; for the client */
    uint64_t limit, unit;            /* as it is counted; of its line */
};

/* Is something left of it? Until midnight of UTC it is not. */
static enum takc_status look_at_day(struct takc_quota *q, const struct takc_identity *who, const struct day *d,
                                    struct takc_quota_answer *out, struct takc_err *err)
{
    char room[KEY_ROOM];
    int64_t now = q->o.counters.clock->wall_s(q->o.counters.clock);
    uint64_t total = 0;
    if (!d->limit || !out->admitted)
        return TAKC_OK;
    enum takc_status st = q->counters->ops->add(q->counters, tenant_key(d->what, who, room), now / DAY_S, 0, &total, err);
    if (st)
        return st;
    uint64_t left_s = (uint64_t)(DAY_S - now % DAY_S);
    out->lines[out->n_lines++] = (struct takc_quota_line){.name = d->name,
                                                          .limit = d->limit / d->unit,
                                                          .left = total < d->limit ? (d->limit - total) / d->unit : 0,
                                                          .window_s = DAY_S,
                                                          .reset_s = left_s};
    if (total < d->limit)
        return TAKC_OK;
    out->admitted = false;
    out->retry_s = left_s;
    (void)snprintf(out->why, sizeof(out->why), "today's %s for models is used up; there is more after midnight UTC", d->words);
    return TAKC_OK;
}

static enum takc_status look_at_days(struct takc_quota *q, const struct takc_identity *who, struct takc_quota_answer *out,
                                     struct takc_err *err)
{
    const struct day tokens = {"tokens", "tokens", "number of tokens", q->o.tokens_per_day, 1};
    const struct day money = {"money", "microusd", "money", q->o.picodollars_per_day, PICO_IN_MICRO};
    enum takc_status st = look_at_day(q, who, &tokens, out, err);
    return st ? st : look_at_day(q, who, &money, out, err);
}

void takc_quota_spend(struct takc_quota *q, const struct takc_identity *who, uint64_t tokens, uint64_t picodollars)
{
    char room[KEY_ROOM];
    struct takc_err err;
    uint64_t total;
    if (!q || (!tokens && !picodollars))
        return;
    int64_t day = q->o.counters.clock->wall_s(q->o.counters.clock) / DAY_S;
    enum takc_status st = q->counters->ops->add(q->counters, tenant_key("tokens", who, room), day, tokens, &total, &err);
    if (!st)
        st = q->counters->ops->add(q->counters, tenant_key("money", who, room), day, picodollars, &total, &err);
    if (st)
        takc_log(WARN, "quota", "what was spent is not counted: %s", err.msg);
}

/* ---- a request ---- */

enum takc_status takc_quota_take(struct takc_quota *q, const struct takc_identity *who, struct takc_str peer, enum takc_quota_what what,
                                 uint64_t n, struct takc_quota_answer *out, struct takc_err *err)
{
    struct asking a = {.n = 0};
    *out = (struct takc_quota_answer){.admitted = true};
    if (peer.len)
        add_second(q, &a, "address", address_key(peer, q->o.per_s, a.keys[0]));
    if (who) {
        struct takc_str key = who_key("key", q->o.per_s, who, a.keys[1]), minute = key;
        if (what)
            minute = who_key(whats[what], q->o.per_min[what], who, a.keys[2]);
        if (!key.ptr || !minute.ptr)
            return takc_fail(err, TAKC_NOMEM, 0, "no memory for a counter's key");
        add_second(q, &a, "key", key);
        if (what)
            add_minute(q, &a, what, minute, n, 0);
        enum takc_status st = what == TAKC_QUOTA_QUERY || what == TAKC_QUOTA_COMPRESS ? look_at_days(q, who, out, err) : TAKC_OK;
        if (st || !out->admitted)
            return st;
    }
    return take(q, &a, out, err);
}

enum takc_status takc_quota_take_more(struct takc_quota *q, const struct takc_identity *who, enum takc_quota_what what, uint64_t n,
                                      uint64_t held, struct takc_quota_answer *out, struct takc_err *err)
{
    struct asking a = {.n = 0};
    *out = (struct takc_quota_answer){.admitted = true};
    struct takc_str key = who_key(whats[what], q->o.per_min[what], who, a.keys[0]);
    if (!key.ptr)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a counter's key");
    if (n)
        add_minute(q, &a, what, key, n, held);
    return take(q, &a, out, err);
}
