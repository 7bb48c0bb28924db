/* SPDX-License-Identifier: Apache-2.0
 *
 * idempotency.c - a kept reply is its headers, a line each ("Name: value"), an empty line, the body; the first header is Content-Type. */
#include "http/idempotency.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>
#include <sys/random.h>

enum { KEY_MAX = 255, REPLY_MAX = 64 << 10, HEAD_MAX = 16 << 10 };

void takc_idempotency_init(struct takc_idempotency *m, struct takc_home *home, uint64_t request_ms)
{
    unsigned char random[16];
    *m = (struct takc_idempotency){.home = home, .running_s = (int64_t)(request_ms / 1000) + 1};
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        memset(random, 0, sizeof(random));
    for (size_t i = 0; i < sizeof(random); i++)
        (void)snprintf(m->owner + 2 * i, 3, "%02x", random[i]);
}

static int64_t now_s(void)
{
    const struct takc_clock *clock = takc_clock_system();
    return clock->wall_s(clock);
}

/* ---- before the body ---- */

static bool is_key(struct takc_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] <= ' ' || s.ptr[i] >= 0x7f)
            return false;
    return s.len > 0 && s.len <= KEY_MAX;
}

bool takc_idempotency_expect(struct takc_exchange *x, struct takc_claim *c, const char **out_why)
{
    bool there = false;
    for (size_t i = 0; i < x->n_headers; i++) {
        if (!takc_str_eq_nocase(x->headers[i].name, takc_str("idempotency-key")))
            continue;
        *out_why = "Idempotency-Key is one value of 1 to 255 visible characters";
        if (there || !is_key(x->headers[i].value))
            return false;
        there = true;
        c->key = x->headers[i].value;
    }
    if (!there)
        return true;
    *out_why = "no memory for a request";
    if (takc_sha256_init(&c->digest, NULL))
        return false;
    x->digests[TAKC_DIGEST_AGAIN] = &c->digest;
    return true;
}

void takc_claim_clear(struct takc_claim *c)
{
    takc_sha256_clear(&c->digest);
}

/* ---- begin ---- */

/* Of method, target and body; the digest is used up. */
static enum takc_status hash_request(const struct takc_exchange *x, struct takc_claim *c, struct takc_hex *out, struct takc_err *err)
{
    struct takc_hex body;
    struct takc_sha256 h;
    enum takc_status st = takc_sha256_end(&c->digest, &body, err);
    if (!st)
        st = takc_sha256_init(&h, err);
    if (st)
        return st;
    const struct takc_str parts[] = {x->method, takc_str(" "), x->target, takc_str(" "), takc_str(body.s)};
    for (size_t i = 0; !st && i < sizeof(parts) / sizeof(parts[0]); i++)
        st = takc_sha256_add(&h, parts[i], err);
    if (!st)
        st = takc_sha256_end(&h, out, err);
    takc_sha256_clear(&h);
    return st;
}

static enum takc_status replay(struct takc_exchange *x, int status, struct takc_str kept, struct takc_err *err)
{
    size_t end = takc_str_find(kept, takc_str("\n\n"), 0);
    struct takc_str head = takc_str_slice(kept, 0, end == SIZE_MAX ? 0 : end), line;
    while (head.ptr && takc_str_split(&head, '\n', &line)) {
        size_t colon = takc_str_find_byte(line, ':', 0);
        if (colon == SIZE_MAX)
            continue;
        struct takc_str name = takc_arena_dup(&x->arena, takc_str_slice(line, 0, colon));
        struct takc_str value = takc_arena_dup(&x->arena, takc_str_trim(takc_str_slice(line, colon + 1, line.len)));
        if (!name.ptr || !value.ptr)
            return takc_fail(err, TAKC_NOMEM, 0, "no memory for a kept reply");
        if (takc_str_is(name, "Content-Type"))
            x->content_type = value.ptr;
        else
            takc_exchange_header(x, name.ptr, value);
    }
    takc_exchange_header(x, "Idempotency-Replayed", takc_str("true"));
    x->status = status;
    takc_buf_reset(&x->reply);
    return end == SIZE_MAX ? TAKC_OK : takc_buf_add(&x->reply, takc_str_slice(kept, end + 2, kept.len), err);
}

enum takc_status takc_idempotency_begin(struct takc_idempotency *m, struct takc_exchange *x, struct takc_claim *c, struct takc_str subject,
                                        enum takc_idempotency_found *out_found, struct takc_err *err)
{
    struct takc_hex hash;
    struct takc_buf kept;
    int status = 0;
    *out_found = TAKC_IDEMPOTENCY_NEW;
    if (!c->key.len)
        return TAKC_OK;
    c->subject = subject;
    enum takc_status st = hash_request(x, c, &hash, err);
    if (st)
        return st;
    takc_buf_init(&kept, HEAD_MAX + REPLY_MAX);
    const struct takc_idempotency_begin b = {
        .key = {subject, c->key}, .request = takc_str(hash.s), .owner = takc_str(m->owner), .now_s = now_s(), .running_s = m->running_s};
    st = takc_home_idempotency_begin(m->home, &b, out_found, &status, &kept, err);
    c->claimed = !st && *out_found == TAKC_IDEMPOTENCY_NEW;
    if (!st && *out_found == TAKC_IDEMPOTENCY_KEPT)
        st = replay(x, status, takc_buf_str(&kept), err);
    takc_buf_clear(&kept);
    return st;
}

/* ---- end ---- */

/* Does the reply say how the request ended, so that it is the same next time? */
static bool lasts(const struct takc_exchange *x)
{
    static const int again[] = {408, 409, 425, 429};
    for (size_t i = 0; i < sizeof(again) / sizeof(again[0]); i++)
        if (x->status == again[i])
            return false;
    return !x->streams && x->status >= 200 && x->status < 500 && x->reply.len <= REPLY_MAX;
}

/* RateLimit fields and the like are of one reply; those are added later, to each. */
static enum takc_status write_reply(const struct takc_exchange *x, struct takc_buf *out, struct takc_err *err)
{
    enum takc_status st = takc_buf_printf(out, err, "Content-Type: %s\n", x->content_type ? x->content_type : "application/json");
    for (size_t i = 0; !st && i < x->n_out; i++)
        st = takc_buf_printf(out, err, "%.*s: %.*s\n", TAKC_STR_ARG(x->out[i].name), TAKC_STR_ARG(x->out[i].value));
    if (!st)
        st = takc_buf_byte(out, '\n', err);
    return st ? st : takc_buf_add(out, takc_buf_str(&x->reply), err);
}

void takc_idempotency_end(struct takc_idempotency *m, struct takc_exchange *x, struct takc_claim *c)
{
    const struct takc_idempotency_key k = {c->subject, c->key};
    struct takc_buf reply;
    struct takc_err err = {0};
    if (!c->claimed)
        return;
    c->claimed = false;
    takc_buf_init(&reply, HEAD_MAX + REPLY_MAX);
    enum takc_status st = lasts(x) ? write_reply(x, &reply, &err) : TAKC_INVALID;
    if (!st)
        st = takc_home_idempotency_end(m->home, &k, x->status, takc_buf_str(&reply), now_s(), &err);
    if (st)
        st = takc_home_idempotency_drop(m->home, &k, &err);
    if (st)
        takc_log_for(&x->call, WARN, "http", "the reply to an Idempotency-Key is not kept: %s", err.msg);
    takc_buf_clear(&reply);
}
