/* SPDX-License-Identifier: Apache-2.0
 *
 * on_cache.c - what is kept of a task: GET /cache/{task}, GET and DELETE /cache/{task}/{rate}, POST /cache/{task}/rollback. Replies of the
 * second are kept in memory as they are sent; where one is there, the request needs no fiber. */
#include "http/on_cache.h"
#include "http/hits.h"
#include "http/metrics.h"
#include "http/reply_cache.h"

#include "base/clock.h"
#include "base/hash.h"
#include "takc/cache.h"
#include "task/profile.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { TRIES = 10 }; /* of a reply whose version is replaced while it is made */

struct listing {
    const struct takc_asked *asked;
    struct takc_str task;
    json_t *versions, *rates, *info; /* of every version its label, the oldest first; of the current one its rates */
    char label[32];
    uint64_t mark; /* a hash of what can change while the version's content does not: labels, rates, uses */
    bool failed;
};

static void listing_init(struct listing *l, const struct takc_asked *asked, struct takc_str task)
{
    *l = (struct listing){.asked = asked, .task = task, .versions = json_array(), .rates = json_array(), .info = json_object()};
}

static void listing_clear(struct listing *l)
{
    json_decref(l->versions);
    json_decref(l->rates);
    json_decref(l->info);
}

/* NULL: no memory. */
static json_t *artifact_json(struct listing *l, const struct takc_cache_version *v, const struct takc_cache_artifact *a)
{
    takc_rate rate = 0;
    struct takc_hit_count hits = {0, 0};
    if (!takc_rate_parse(takc_str(a->rate), &rate, NULL))
        hits = takc_hits_of(l->asked->api->hits, l->asked->home, l->task, rate);
    l->mark = takc_hash64(takc_str(a->rate), l->mark + hits.n);
    return json_pack("{ss sI sI so sI sf sI}", "created_at", v->created, "size_bytes", (json_int_t)a->size_bytes, "hit_count",
                     (json_int_t)hits.n, "last_accessed", takc_json_time(hits.last_s), "compressed_tokens", (json_int_t)a->tokens, "factor",
                     a->factor, "original_tokens", (json_int_t)v->source_tokens);
}

static void on_version(void *arg, const struct takc_cache_version *v)
{
    struct listing *l = arg;
    l->failed |= json_array_append_new(l->versions, json_string(v->label)) != 0;
    l->mark = takc_hash64(takc_str(v->label), l->mark);
    if (!v->current)
        return;
    (void)snprintf(l->label, sizeof(l->label), "%s", v->label);
    for (size_t i = 0; i < v->n_artifacts; i++) {
        const struct takc_cache_artifact *a = &v->artifacts[i];
        l->failed |= json_array_append_new(l->rates, json_string(a->rate)) != 0 ||
                     json_object_set_new(l->info, a->rate, artifact_json(l, v, a)) != 0;
    }
}

/* What tells a version's bytes from those of another of the same label: a task that was deleted and made again counts from 1 anew. rate 0:
 * of the whole version. Empty where there is none. */
static void content_of(struct takc_home *home, struct takc_str task, const char *label, takc_rate rate, char out[17])
{
    struct takc_arena a;
    struct takc_manifest m;
    struct takc_str sha = {NULL, 0};
    takc_arena_init(&a);
    const struct takc_version *v = takc_home_manifest(home, task, &a, &m, NULL) ? NULL : takc_manifest_find(&m, takc_str(label));
    if (v && !rate)
        sha = v->index.sha256;
    for (size_t i = 0; v && i < v->n_artifacts; i++)
        if (v->artifacts[i].rate == rate)
            sha = v->artifacts[i].sha256;
    (void)snprintf(out, 17, "%.*s", TAKC_STR_ARG(sha));
    takc_arena_clear(&a);
}

/* Is tag among those of an If-None-Match? Compared weakly. */
static bool names_tag(struct takc_str list, const char *tag)
{
    struct takc_str one;
    const char *bare = tag + (strncmp(tag, "W/", 2) == 0 ? 2 : 0);
    while (takc_str_split(&list, ',', &one)) {
        one = takc_str_trim(one);
        if (takc_str_starts(one, takc_str("W/")))
            one = takc_str_slice(one, 2, one.len);
        if (takc_str_is(one, bare) || takc_str_is(one, "*"))
            return true;
    }
    return false;
}

/* Does the client name the tag? */
static bool asks_unless(const struct takc_exchange *x, const char *tag)
{
    for (size_t i = 0; i < x->n_headers; i++) /* a list may come in several lines */
        if (takc_str_eq_nocase(x->headers[i].name, takc_str("if-none-match")) && names_tag(x->headers[i].value, tag))
            return true;
    return false;
}

/* tag, as \"3-8x-HASH\", is of what does not change while version and rate are the same; true: the client has it already, 304 is the reply.
 */
static bool has_it(struct takc_exchange *x, const char *tag)
{
    takc_exchange_header(x, "ETag", takc_str(tag));
    takc_exchange_header(x, "Cache-Control", takc_str("private, no-cache"));
    if (!asks_unless(x, tag))
        return false;
    x->status = 304;
    return true;
}

static enum takc_status list(struct listing *l, struct takc_err *err)
{
    enum takc_status st = takc_cache_list(l->asked->home, l->task, on_version, l, err);
    if (!st && (l->failed || !l->versions || !l->rates || !l->info))
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for JSON");
    if (!st && !l->label[0])
        st = takc_fail(err, TAKC_NOT_FOUND, 0, "task %.*s has no version yet: POST /compress makes one", TAKC_STR_ARG(l->task));
    return st;
}

/* Its tag is weak: uses are told by their number. */
static void say_listing(struct takc_exchange *x, const struct listing *l)
{
    char tag[80], content[17];
    content_of(l->asked->home, l->task, l->label, 0, content);
    (void)snprintf(tag, sizeof(tag), "W/\"%s-%016" PRIx64 "\"", l->label, takc_hash64(takc_str(content), l->mark));
    if (!has_it(x, tag))
        takc_api_json(x, 200,
                      json_pack("{so ss sO sO sO}", "task_type", takc_json_str(l->task), "version", l->label, "versions", l->versions,
                                "available_rates", l->rates, "cache_info", l->info));
}

void takc_on_cache(struct takc_exchange *x, const struct takc_asked *asked)
{
    struct takc_err err = {0};
    struct listing l;
    if (!takc_api_may_task(x, asked, asked->params[0]))
        return;
    listing_init(&l, asked, asked->params[0]);
    enum takc_status st = list(&l, &err);
    if (st)
        takc_api_fail(x, st, TAKC_ABOUT_CACHE, &err);
    else
        say_listing(x, &l);
    listing_clear(&l);
}

/* ---- one rate ---- */

static json_t *text_json(struct takc_home *home, struct takc_str task, const char *label, const char *rate, enum takc_status *out_st,
                         struct takc_err *err)
{
    struct takc_ledger_entry e;
    char *text = NULL;
    size_t len = 0;
    json_t *v = NULL;
    *out_st = takc_cache_text(home, task, takc_str(label), takc_str(rate), &text, &len, err);
    if (!*out_st)
        *out_st = takc_cache_ledger(home, task, takc_str(label), takc_str(rate), &e, err);
    if (!*out_st)
        v = json_pack("{so ss ss sI sI so}", "task_type", takc_json_str(task), "compression_rate", rate, "version", label,
                      "original_tokens", (json_int_t)e.source_tokens, "compressed_tokens", (json_int_t)e.artifact_tokens, "text",
                      takc_json_str(takc_str_n(text, len)));
    free(text);
    return v;
}

/* Sends what is kept; takes the share. */
static void lend(struct takc_exchange *x, const struct takc_kept *kept)
{
    x->status = 200;
    x->kept = kept->bytes;
    x->kept_fd = kept->fd;
    x->kept_file = kept->fd >= 0;
    x->kept_release = takc_kept_release;
    x->kept_arg = (void *)(uintptr_t)kept;
}

/* The current version's text, unless the client has it already: NULL. NOT_FOUND with *out_moved: it was replaced while it was read. */
static enum takc_status read_rate(struct takc_exchange *x, const struct takc_asked *asked, const struct takc_kept_key *key, char tag[80],
                                  json_t **out, bool *out_moved, struct takc_err *err)
{
    struct listing l;
    char name[24], content[17];
    listing_init(&l, asked, key->task);
    enum takc_status st = list(&l, err);
    *out_moved = false;
    takc_rate_name(key->rate, name);
    content_of(asked->home, key->task, l.label, key->rate, content);
    (void)snprintf(tag, 80, "\"%s-%s-%s\"", l.label, name, content);
    if (!st && !json_object_get(l.info, name)) {
        st = takc_fail(err, TAKC_NOT_FOUND, 0, "version %s has no rate %s: GET /cache/%.*s shows what there is", l.label, name,
                       TAKC_STR_ARG(key->task));
    } else if (!st && !asks_unless(x, tag)) {
        *out = text_json(asked->home, key->task, l.label, name, &st, err);
        *out_moved = st == TAKC_NOT_FOUND;
    }
    listing_clear(&l);
    return st;
}

/* Makes the reply, and keeps it. */
static void make_rate(struct takc_exchange *x, const struct takc_asked *asked, const struct takc_kept_key *key)
{
    struct takc_err err = {0};
    struct takc_stamp stamp = {0};
    char tag[80];
    json_t *v = NULL;
    bool moved = true;
    enum takc_status st = TAKC_NOT_FOUND;
    for (int tries = 0; moved && tries < TRIES; tries++) {
        stamp = takc_stamp_of(key);
        st = read_rate(x, asked, key, tag, &v, &moved, &err);
    }
    if (st) {
        takc_api_fail(x, st, TAKC_ABOUT_CACHE, &err);
    } else if (!has_it(x, tag)) {
        takc_api_json(x, 200, v);
        const struct takc_kept *kept = x->status == 200 ? takc_reply_cache_put(asked->api->replies, key, &stamp, tag, &x->reply) : NULL;
        if (kept)
            lend(x, kept);
    }
}

static bool read_key(const struct takc_asked *asked, struct takc_kept_key *out, struct takc_err *err)
{
    *out = (struct takc_kept_key){.home = asked->home, .task = asked->params[0]};
    return takc_rate_parse(asked->params[1], &out->rate, err) == TAKC_OK;
}

bool takc_on_cache_rate_kept(struct takc_exchange *x, struct takc_asked *asked)
{
    struct takc_kept_key key;
    if (asked->route->run != takc_on_cache_rate || takc_task_name_check(asked->params[0], NULL) || !read_key(asked, &key, NULL))
        return false;
    const struct takc_kept *kept = takc_reply_cache_get(asked->api->replies, &key);
    if (kept)
        lend(x, kept);
    x->status = 0; /* the handler has the last word */
    return kept != NULL;
}

void takc_on_cache_rate(struct takc_exchange *x, const struct takc_asked *asked)
{
    struct takc_err err = {0};
    struct takc_kept_key key;
    const struct takc_clock *clock = takc_clock_system();
    const struct takc_kept *kept = x->kept_arg; /* found before it was known who asks */
    if (!takc_api_may_task(x, asked, asked->params[0]))
        return;
    if (!read_key(asked, &key, &err)) {
        takc_api_fail(x, TAKC_INVALID, TAKC_ABOUT_CACHE, &err);
        return;
    }
    if (!kept && (kept = takc_reply_cache_get(asked->api->replies, &key)))
        lend(x, kept);
    if (asked->api->metrics)
        takc_metrics_add(asked->api->metrics, kept ? TAKC_METRICS_CACHE_HITS : TAKC_METRICS_CACHE_MISSES, 1);
    if (!kept)
        make_rate(x, asked, &key);
    else if (has_it(x, kept->etag))
        takc_exchange_drop_kept(x);
    else
        x->status = 200;
    if (x->status < 400)
        takc_hits_add(asked->api->hits, asked->home, key.task, key.rate, clock->wall_s(clock));
}

/* ---- changing it ---- */

void takc_on_cache_delete(struct takc_exchange *x, const struct takc_asked *asked)
{
    struct takc_err err = {0};
    takc_rate rate = 0;
    char name[24];
    if (!takc_api_may_task(x, asked, asked->params[0]))
        return;
    enum takc_status st = takc_rate_parse(asked->params[1], &rate, &err);
    if (!st) {
        takc_rate_name(rate, name);
        st = takc_cache_delete(asked->home, asked->params[0], takc_str(""), takc_str(name), &err);
    }
    if (st) {
        takc_api_fail(x, st, TAKC_ABOUT_CACHE, &err);
        return;
    }
    struct takc_key key = takc_key_foreign_cache(asked->params[0], rate);
    const char *message = takc_arena_printf(&x->arena, "the %s artifact of %.*s is deleted", name, TAKC_STR_ARG(asked->params[0]));
    takc_api_json(x, 200, json_pack("{ss ss ss}", "status", "success", "message", message ? message : "deleted", "cache_key", key.s));
}

void takc_on_rollback(struct takc_exchange *x, const struct takc_asked *asked)
{
    struct takc_err err = {0};
    char label[32];
    if (!takc_api_may_task(x, asked, asked->params[0]))
        return;
    enum takc_status st = takc_cache_rollback(asked->home, asked->params[0], takc_json_get_str(asked->body, "version"), label, &err);
    if (st)
        takc_api_fail(x, st, TAKC_ABOUT_CACHE, &err);
    else
        takc_api_json(x, 200, json_pack("{ss so ss}", "status", "success", "task_type", takc_json_str(asked->params[0]), "version", label));
}
