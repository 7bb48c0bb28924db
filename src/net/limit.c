/* SPDX-License-Identifier: Apache-2.0
 *
 * limit.c - buckets, breaker, and the line in front of them.
 *
 * Who waits stands in a line and only its head looks at the buckets: so a large call is not starved by small ones. The head sleeps on the
 * options' clock in pieces, the others wait for their turn, each on a condition of its own, so that a
 * place that is free wakes one of a thousand. The head looks at its call every PIECE_MS, the others every LINE_MS.
 * Where no rate was set, the first refusal sets one from what was used; once it has grown back to that, it is dropped again. Refusals of
 * calls that were under way when the rate was cut do not cut it again: a burst is one lesson. */
#include "net/limit.h"
#include "base/alloc.h"
#include "base/line.h"
#include "base/thread.h"

#define MINUTE_NS UINT64_C(60000000000)

/* LEARNED_MIN: where no rate was set, a lesson makes nobody wait longer than ten seconds for one call; it also lies below the base, so that
 * there is something to grow back to. */
enum {
    PIECE_MS = 50,
    LINE_MS = 250,
    FLOOR = 20 /* a twentieth of the base */,
    LEARNED_MIN = 6,
    STEP = 10 /* a tenth comes back */,
    BURST = 10 /* a tenth is held */
};

struct bucket {
    double per_minute, level; /* per_minute 0: not limited; level below 0: a debt */
    uint64_t at_ns;           /* when level was right */
};

struct takc_limit {
    struct takc_limit_options o;
    const struct takc_clock *clock;
    struct {
        struct takc_mutex mu;
        struct takc_line line;
        struct bucket requests, tokens;
        double base;        /* what requests.per_minute grows back to; 0 with it */
        uint64_t raised_ns; /* last cut or raise */
        uint64_t window_ns, n_window, n_before;
        unsigned n_in, n_forgiven, n_down;
        bool open, probing;
        uint64_t open_until_ns;
    } locked;
};

static uint64_t now_of(const struct takc_limit *l)
{
    return l->clock->mono_ns(l->clock);
}

/* --- buckets --- */

static double bucket_size(const struct bucket *b)
{
    double size = b->per_minute / BURST;
    return size < 1 ? 1 : size;
}

static void bucket_set(struct bucket *b, double per_minute, uint64_t now)
{
    b->per_minute = per_minute;
    b->at_ns = now;
    if (b->level > bucket_size(b))
        b->level = bucket_size(b);
}

static void bucket_fill(struct bucket *b, uint64_t now)
{
    b->level += b->per_minute * (double)(now - b->at_ns) / (double)MINUTE_NS;
    bucket_set(b, b->per_minute, now);
}

/* Nanoseconds until amount (or a full bucket) is there. */
static uint64_t bucket_wait(const struct bucket *b, double amount)
{
    if (b->per_minute <= 0)
        return 0;
    double want = amount < bucket_size(b) ? amount : bucket_size(b), missing = want - b->level;
    return missing <= 0 ? 0 : 1 + (uint64_t)(missing / b->per_minute * (double)MINUTE_NS);
}

static void bucket_take(struct bucket *b, double amount)
{
    if (b->per_minute > 0)
        b->level -= amount;
    if (b->per_minute > 0 && b->level > bucket_size(b))
        b->level = bucket_size(b);
}

/* --- the rate of requests --- */

/* Counts a request into the minute that runs; keeps the count of the one before. */
static void note_use(struct takc_limit *l, uint64_t now)
{
    uint64_t gone = now - l->locked.window_ns;
    if (gone >= MINUTE_NS) {
        l->locked.n_before = gone < 2 * MINUTE_NS ? l->locked.n_window : 0;
        l->locked.n_window = 0;
        l->locked.window_ns = now;
    }
    l->locked.n_window++;
}

/* Requests a minute as they were lately: over the window that runs, or the one before while this one is younger than 10 s. */
static double used_rate(const struct takc_limit *l, uint64_t now)
{
    uint64_t gone = now - l->locked.window_ns;
    if (gone < MINUTE_NS / 6 && l->locked.n_before)
        return (double)l->locked.n_before;
    if (gone < MINUTE_NS / 60)
        gone = MINUTE_NS / 60;
    return (double)l->locked.n_window * (double)MINUTE_NS / (double)gone;
}

static void rate_cut(struct takc_limit *l, uint64_t now)
{
    struct bucket *b = &l->locked.requests;
    if (b->per_minute <= 0) {
        double used = used_rate(l, now); /* of a few slow calls it may be less than one */
        l->locked.base = used > 2 * LEARNED_MIN ? used : 2 * LEARNED_MIN;
        b->per_minute = l->locked.base;
        b->level = bucket_size(b);
    }
    double least = l->o.requests_per_minute ? 1 : LEARNED_MIN, floor = l->locked.base / FLOOR, half = b->per_minute / 2;
    if (floor < least)
        floor = least;
    bucket_set(b, half > floor ? half : floor, now);
    l->locked.raised_ns = now;
    l->locked.n_forgiven = l->locked.n_in;
}

/* Every minute without a refusal gives a tenth of the base back. */
static void rate_raise(struct takc_limit *l, uint64_t now)
{
    struct bucket *b = &l->locked.requests;
    uint64_t minutes = (now - l->locked.raised_ns) / MINUTE_NS;
    if (b->per_minute >= l->locked.base || minutes == 0)
        return;
    double rate = b->per_minute + l->locked.base / STEP * (double)minutes;
    l->locked.raised_ns += minutes * MINUTE_NS;
    if (rate >= l->locked.base)
        rate = (double)l->o.requests_per_minute; /* 0 where none was set: the lesson is over */
    bucket_set(b, rate, now);
    l->locked.base = rate > 0 ? l->locked.base : 0;
}

static void refresh(struct takc_limit *l, uint64_t now)
{
    bucket_fill(&l->locked.requests, now);
    bucket_fill(&l->locked.tokens, now);
    rate_raise(l, now);
}

/* --- open and close --- */

enum takc_status takc_limit_open(struct takc_limit **out, const struct takc_limit_options *o, struct takc_err *err)
{
    struct takc_limit *l = takc_alloc(sizeof(*l));
    if (!l)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a limit");
    l->o = *o;
    l->o.max_parallel = o->max_parallel ? o->max_parallel : 4;
    l->o.open_after = o->open_after ? o->open_after : 5;
    l->o.open_ms = o->open_ms ? o->open_ms : 30000;
    l->clock = takc_clock_or_system(o->clock);
    uint64_t now = now_of(l);
    l->locked.requests = (struct bucket){(double)o->requests_per_minute, (double)o->requests_per_minute, now};
    l->locked.tokens = (struct bucket){(double)o->tokens_per_minute, (double)o->tokens_per_minute, now};
    l->locked.base = (double)o->requests_per_minute;
    l->locked.raised_ns = l->locked.window_ns = now;
    refresh(l, now); /* full, not more */
    enum takc_status st = takc_mutex_init(&l->locked.mu, err);
    if (st)
        takc_free(l);
    else
        *out = l;
    return st;
}

void takc_limit_close(struct takc_limit *l)
{
    if (!l)
        return;
    takc_mutex_clear(&l->locked.mu);
    takc_free(l);
}

/* --- entering --- */

/* UPSTREAM while the breaker is open and it is not yet time to let one call through. */
static enum takc_status breaker_locked(struct takc_limit *l, uint64_t now, struct takc_err *err) TAKC_REQUIRES(l->locked.mu)
{
    if (!l->locked.open || (!l->locked.probing && now >= l->locked.open_until_ns))
        return TAKC_OK;
    if (l->locked.probing)
        return takc_fail(err, TAKC_UPSTREAM, 0, "the service was down %u times in a row; one call is trying it", l->locked.n_down);
    uint64_t left_s = (l->locked.open_until_ns - now + 999999999u) / 1000000000u;
    return takc_fail(err, TAKC_UPSTREAM, 0, "the service was down %u times in a row; trying again in %llu s", l->locked.n_down,
                     (unsigned long long)left_s);
}

static void take_locked(struct takc_limit *l, uint64_t now, uint64_t tokens) TAKC_REQUIRES(l->locked.mu)
{
    bucket_take(&l->locked.requests, 1);
    bucket_take(&l->locked.tokens, (double)tokens);
    note_use(l, now);
    l->locked.n_in++;
    l->locked.probing = l->locked.open;
}

/* Sleeps a piece without the lock; the time of the clock passes, whoever's it is. */
static void nap_locked(struct takc_limit *l, uint64_t ns) TAKC_REQUIRES(l->locked.mu)
{
    uint64_t piece = (uint64_t)PIECE_MS * 1000000u;
    takc_mutex_unlock(&l->locked.mu);
    l->clock->sleep_ns(l->clock, ns < piece ? ns : piece);
    takc_mutex_lock(&l->locked.mu);
}

static enum takc_status wait_locked(struct takc_limit *l, struct takc_call *call, struct takc_waiter *w, uint64_t tokens,
                                    struct takc_err *err) TAKC_REQUIRES(l->locked.mu)
{
    for (;;) {
        uint64_t now = now_of(l);
        enum takc_status st = takc_call_check(call, err);
        if (!st)
            st = breaker_locked(l, now, err);
        if (st)
            return st;
        refresh(l, now);
        if (l->locked.line.head != w || l->locked.n_in >= l->o.max_parallel) {
            takc_cond_wait_ms(&w->turn, &l->locked.mu, l->locked.line.head == w ? PIECE_MS : LINE_MS);
            continue;
        }
        uint64_t a = bucket_wait(&l->locked.requests, 1), b = bucket_wait(&l->locked.tokens, (double)tokens), wait = a > b ? a : b;
        if (wait == 0) {
            take_locked(l, now, tokens);
            return TAKC_OK;
        }
        nap_locked(l, wait);
    }
}

enum takc_status takc_limit_enter(struct takc_limit *l, struct takc_call *call, uint64_t tokens, struct takc_err *err)
{
    struct takc_waiter w = {0};
    enum takc_status st = takc_cond_init(&w.turn, err);
    if (st)
        return st;
    takc_mutex_lock(&l->locked.mu);
    takc_line_join(&l->locked.line, &w);
    st = wait_locked(l, call, &w, tokens, err);
    takc_line_leave(&l->locked.line, &w);
    takc_line_wake(&l->locked.line, false);
    takc_mutex_unlock(&l->locked.mu);
    takc_cond_clear(&w.turn);
    return st;
}

/* --- leaving --- */

static void breaker_note_locked(struct takc_limit *l, enum takc_limit_result r, uint64_t now) TAKC_REQUIRES(l->locked.mu)
{
    bool probed = l->locked.probing;
    l->locked.probing = false;
    if (r == TAKC_LIMIT_OK || r == TAKC_LIMIT_REFUSED) { /* it answers */
        l->locked.n_down = 0;
        l->locked.open = false;
    } else if (r == TAKC_LIMIT_DOWN) {
        l->locked.n_down++;
        if (l->locked.n_down < l->o.open_after || (l->locked.open && !probed))
            return;
        l->locked.open = true;
        l->locked.open_until_ns = now + l->o.open_ms * 1000000u;
    }
}

void takc_limit_leave(struct takc_limit *l, enum takc_limit_result r, uint64_t tokens_taken, uint64_t tokens_used)
{
    takc_mutex_lock(&l->locked.mu);
    uint64_t now = now_of(l);
    bool forgiven = l->locked.n_forgiven > 0;
    if (l->locked.n_in == 0)
        TAKC_BUG("a call leaves a limit that it did not enter");
    l->locked.n_in--;
    l->locked.n_forgiven -= forgiven;
    refresh(l, now);
    bucket_take(&l->locked.tokens, (double)tokens_used - (double)tokens_taken);
    breaker_note_locked(l, r, now);
    if (r == TAKC_LIMIT_REFUSED && forgiven)
        l->locked.raised_ns = now; /* not a minute without one */
    else if (r == TAKC_LIMIT_REFUSED)
        rate_cut(l, now);
    takc_line_wake(&l->locked.line, l->locked.open); /* while it is open nobody waits */
    takc_mutex_unlock(&l->locked.mu);
}

uint64_t takc_limit_rate(struct takc_limit *l)
{
    takc_mutex_lock(&l->locked.mu);
    refresh(l, now_of(l));
    uint64_t rate = (uint64_t)l->locked.requests.per_minute;
    takc_mutex_unlock(&l->locked.mu);
    return rate;
}

bool takc_limit_is_open(struct takc_limit *l)
{
    takc_mutex_lock(&l->locked.mu);
    bool open = l->locked.open;
    takc_mutex_unlock(&l->locked.mu);
    return open;
}
