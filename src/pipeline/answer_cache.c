/* SPDX-License-Identifier: Apache-2.0
 *
 * answer_cache.c - answers kept and given again. */
#include "pipeline/answer_cache.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"

#include <stdio.h>

#define FORMAT 1

/* --- key --- */

/* Length first, so that no two lists of texts give the same bytes. */
static enum takc_status add(struct takc_sha256 *h, struct takc_str s, struct takc_err *err)
{
    char head[32];
    int n = snprintf(head, sizeof(head), "%zu:", s.len);
    enum takc_status st = takc_sha256_add(h, takc_str_n(head, (size_t)n), err);
    return st ? st : takc_sha256_add(h, s, err);
}

static enum takc_status add_number(struct takc_sha256 *h, uint64_t n, struct takc_err *err)
{
    char text[32];
    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
    return add(h, takc_str(text), err);
}

static enum takc_status add_blocks(struct takc_sha256 *h, const struct takc_model_block *blocks, size_t n, struct takc_err *err)
{
    enum takc_status st = add_number(h, n, err);
    for (size_t i = 0; !st && i < n; i++)
        st = add(h, blocks[i].text, err);
    return st;
}

static enum takc_status add_model(struct takc_sha256 *h, const struct takc_model_settings *s, struct takc_err *err)
{
    const struct takc_str parts[] = {s->model, s->base_url, s->region, s->bedrock_endpoint, s->guardrail};
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < sizeof(parts) / sizeof(parts[0]); i++)
        st = add(h, parts[i], err);
    for (size_t i = 0; !st && i < s->n_fallbacks; i++)
        st = add(h, s->fallbacks[i], err);
    return st;
}

static enum takc_status add_request(struct takc_sha256 *h, const struct takc_model_request *r, struct takc_err *err)
{
    char temperature[32];
    (void)snprintf(temperature, sizeof(temperature), "%.6f", r->temperature);
    enum takc_status st = add(h, takc_str(temperature), err);
    if (!st)
        st = add_number(h, r->max_tokens, err);
    if (!st)
        st = add_blocks(h, r->system, r->n_system, err);
    for (size_t i = 0; !st && i < r->n_messages; i++) {
        st = add_number(h, r->messages[i].role, err);
        if (!st)
            st = add_blocks(h, r->messages[i].blocks, r->messages[i].n_blocks, err);
    }
    return st;
}

static enum takc_status hash_all(struct takc_answer *q, const struct takc_answer_asked *a, struct takc_hex *out, struct takc_err *err)
{
    struct takc_sha256 h;
    enum takc_status st = takc_sha256_init(&h, err);
    const struct takc_str parts[] = {q->r->version, takc_str(takc_mode_name(q->r->mode)), takc_str(q->r->rate), q->o->question};
    if (!st)
        st = add_number(&h, FORMAT, err);
    for (size_t i = 0; !st && i < sizeof(parts) / sizeof(parts[0]); i++)
        st = add(&h, parts[i], err);
    if (!st)
        st = add_model(&h, q->o->model, err);
    if (!st)
        st = add_request(&h, &a->request, err);
    if (!st)
        st = takc_sha256_end(&h, out, err);
    takc_sha256_clear(&h);
    return st;
}

enum takc_status takc_answer_cache_key(struct takc_answer *q, const struct takc_answer_asked *a, struct takc_key *key, bool *out_usable,
                                       struct takc_err *err)
{
    struct takc_hex hash;
    *out_usable = q->o->answer_cache && !q->n_turns;
    if (!*out_usable)
        return TAKC_OK;
    enum takc_status st = hash_all(q, a, &hash, err);
    if (!st)
        *key = takc_key_answer(q->snapshot.task, q->r->version, takc_str(hash.s));
    return st;
}

/* --- get --- */

static int64_t now_s(const struct takc_answer *q)
{
    const struct takc_clock *clock = takc_clock_or_system(q->call ? q->call->clock : NULL);
    return clock->wall_s(clock);
}

/* INVALID for a form that is not ours. */
static enum takc_status read_kept(struct takc_answer *q, const json_t *v, bool *out_hit, struct takc_str *out_text, struct takc_err *err)
{
    uint64_t format, at = 0, ttl = q->o->answer_ttl_s ? q->o->answer_ttl_s : q->profile->ttl_s;
    int64_t now = now_s(q);
    struct takc_model_answer *a = &q->r->answer;
    enum takc_status st = takc_json_get_u64(v, "format", &format, err);
    if (!st && format != FORMAT)
        st = takc_fail(err, TAKC_INVALID, 0, "format %llu", (unsigned long long)format);
    if (!st)
        st = takc_json_get_u64(v, "at_s", &at, err);
    if (st || now < 0 || (uint64_t)now < at || (uint64_t)now - at >= ttl)
        return st;
    st = takc_answer_keep(q, takc_json_get_str(v, "text"), out_text, err);
    if (!st)
        st = takc_answer_keep(q, takc_json_get_str(v, "model"), &a->model, err);
    if (!st)
        st = takc_answer_keep(q, takc_json_get_str(v, "provider"), &a->provider, err);
    if (!st)
        st = takc_answer_keep(q, takc_json_get_str(v, "stop"), &a->stop, err);
    *out_hit = !st && takc_str_trim(*out_text).len;
    a->priced = a->cache_hit = *out_hit;
    return st;
}

enum takc_status takc_answer_cache_get(struct takc_answer *q, const struct takc_key *key, bool *out_hit, struct takc_str *out_text,
                                       struct takc_err *err)
{
    struct takc_buf bytes;
    json_t *v = NULL;
    struct takc_err why = {0};
    *out_hit = false;
    takc_buf_init(&bytes, TAKC_BUF_MAX_REPLY);
    enum takc_status st = takc_store_get_bytes(takc_home_store(q->snapshot.home), q->call, takc_str(key->s), &bytes, &why);
    if (!st)
        st = takc_json_parse(takc_buf_str(&bytes), &v, &why);
    if (!st)
        st = read_kept(q, v, out_hit, out_text, &why);
    json_decref(v);
    takc_buf_clear(&bytes);
    if (st == TAKC_NOMEM || st == TAKC_CANCELLED)
        return takc_fail(err, st, why.detail, "%s", why.msg);
    if (st && st != TAKC_NOT_FOUND)
        takc_log_for(q->call, WARN, "query", "a kept answer cannot be read and is asked for again: %s: %s", key->s, why.msg);
    return TAKC_OK;
}

/* --- put --- */

static enum takc_status write_kept(const struct takc_answer *q, struct takc_str text, struct takc_buf *out, struct takc_err *err)
{
    const struct takc_model_answer *a = &q->r->answer;
    json_t *v = json_object();
    bool good = v && json_object_set_new(v, "format", json_integer(FORMAT)) == 0 &&
                json_object_set_new(v, "at_s", json_integer(now_s(q))) == 0 &&
                json_object_set_new(v, "provider", takc_json_str(a->provider)) == 0 &&
                json_object_set_new(v, "model", takc_json_str(a->model)) == 0 &&
                json_object_set_new(v, "stop", takc_json_str(a->stop)) == 0 && json_object_set_new(v, "text", takc_json_str(text)) == 0;
    enum takc_status st = good ? takc_json_dump(v, false, out, err) : takc_fail(err, TAKC_NOMEM, 0, "no memory for an answer to keep");
    json_decref(v);
    return st;
}

/* The lock is held: has the manifest the version still? */
static enum takc_status is_kept_version(struct takc_answer *q, bool *out, struct takc_err *err)
{
    struct takc_manifest m;
    enum takc_status st = takc_home_manifest(q->snapshot.home, q->snapshot.task, &q->scratch, &m, err);
    *out = !st && takc_manifest_find(&m, q->r->version);
    return st;
}

static bool may_be_kept(const struct takc_answer *q, struct takc_str text)
{
    const struct takc_model_answer *a = &q->r->answer;
    bool whole = takc_str_is(a->stop, takc_stop_name(TAKC_STOP_END)) || takc_str_is(a->stop, takc_stop_name(TAKC_STOP_SEQUENCE));
    return whole && !a->fallback && takc_str_trim(text).len;
}

void takc_answer_cache_put(struct takc_answer *q, const struct takc_key *key, struct takc_str text)
{
    struct takc_lock lock = {-1};
    struct takc_buf bytes;
    struct takc_err err = {0};
    bool there = false;
    if (!may_be_kept(q, text))
        return;
    takc_buf_init(&bytes, TAKC_BUF_MAX_REPLY);
    enum takc_status st = write_kept(q, text, &bytes, &err);
    if (!st)
        st = takc_home_lock_task(q->snapshot.home, q->snapshot.task, 0, &lock, &err);
    if (!st)
        st = is_kept_version(q, &there, &err);
    if (!st && there)
        st = takc_store_put_bytes(takc_home_store(q->snapshot.home), q->call, takc_str(key->s), takc_buf_str(&bytes), &err);
    takc_lock_close(&lock);
    takc_buf_clear(&bytes);
    if (!st)
        return;
    takc_log_for(q->call, WARN, "query", "an answer is not kept: %s", err.msg);
    (void)!takc_buf_printf(&q->notes, NULL, "the answer is not kept: %s\n", takc_status_text(st));
}
