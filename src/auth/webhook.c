/* SPDX-License-Identifier: Apache-2.0
 *
 * webhook.c - the authorizer: what was in headers, hashed, looks for an answer that is kept, else the webhook is asked.
 *
 * Answers are kept as they came (they are small), in a table of sets of WAYS places: a hash says which set; of a full set the one that ends
 * first makes room, which is a no before a yes, so that invented credentials do not push good ones out. Credentials are kept as hashes. */
#include "auth/webhook_ask.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "base/thread.h"

enum { WAYS = 4, SETS = TAKC_WEBHOOK_KEPT / WAYS, KEPT_BYTES = 2 << 10, QUESTION_MAX = 64 << 10, FIXED_HEADERS = 2 };

struct kept {
    struct takc_hex key;
    uint64_t until_ms; /* 0: empty */
    bool allow;
    struct takc_buf answer; /* of an allow */
};

struct webhook {
    struct takc_authorizer base;
    struct takc_arena arena;
    const char *headers[TAKC_WEBHOOK_HEADERS + FIXED_HEADERS]; /* in lower case */
    size_t n_headers;
    uint64_t ttl_ms;
    const struct takc_clock *clock;
    takc_webhook_ask_fn *ask;
    void *ask_arg;
    struct takc_webhook_asker *asker; /* NULL: ask is another's */
    struct {
        struct takc_mutex mu;
        struct kept kept[SETS][WAYS];
    } locked;
};

static uint64_t now_ms(const struct webhook *w)
{
    return w->clock->mono_ns(w->clock) / 1000000;
}

/* --- what is asked, and under what it is kept --- */

static struct takc_str header(const struct takc_auth_request *r, const char *name)
{
    bool twice;
    return r->header(r->arg, name, &twice);
}

static enum takc_status hash_piece(struct takc_sha256 *h, struct takc_str s, struct takc_err *err)
{
    uint64_t n = s.len;
    enum takc_status st = takc_sha256_add(h, takc_str_n((const char *)&n, sizeof(n)), err);
    return st ? st : takc_sha256_add(h, s, err);
}

/* Of the credential alone, and of the request that bears it. */
static enum takc_status hash_request(const struct webhook *w, const struct takc_auth_request *r, bool all, struct takc_hex *out,
                                     struct takc_err *err)
{
    struct takc_sha256 h;
    enum takc_status st = takc_sha256_init(&h, err);
    if (st)
        return st;
    for (size_t i = 0; i < w->n_headers && !st; i++)
        st = hash_piece(&h, header(r, w->headers[i]), err);
    const struct takc_str more[] = {r->method, r->path, r->peer};
    for (size_t i = 0; all && i < 3 && !st; i++)
        st = hash_piece(&h, more[i], err);
    st = st ? st : takc_sha256_end(&h, out, err);
    takc_sha256_clear(&h);
    return st;
}

static enum takc_status write_question(const struct webhook *w, const struct takc_call *call, const struct takc_auth_request *r,
                                       struct takc_buf *out, struct takc_err *err)
{
    json_t *headers = json_object();
    for (size_t i = 0; i < w->n_headers && headers; i++) {
        struct takc_str v = header(r, w->headers[i]);
        if (v.len && json_object_set_new(headers, w->headers[i], takc_json_str(v))) {
            json_decref(headers);
            headers = NULL;
        }
    }
    json_t *v = json_pack("{so so so ss so}", "method", takc_json_str(r->method), "path", takc_json_str(r->path), "source_ip",
                          takc_json_str(r->peer), "request_id", call && call->request_id ? call->request_id : "", "headers", headers);
    enum takc_status st = v ? takc_json_dump(v, false, out, err) : takc_fail(err, TAKC_NOMEM, 0, "no memory to ask a webhook");
    json_decref(v);
    return st;
}

/* --- answers that are kept --- */

static struct kept *set_locked(struct webhook *w, const struct takc_hex *key) TAKC_REQUIRES(w->locked.mu)
{
    return w->locked.kept[takc_hash64(takc_str(key->s), 0) % SETS];
}

/* *found: the answer's bytes are in out, or it was a no. */
static enum takc_status look_up(struct webhook *w, const struct takc_hex *key, struct takc_buf *out, bool *found, bool *allow,
                                struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    uint64_t now = now_ms(w);
    takc_mutex_lock(&w->locked.mu);
    struct kept *set = set_locked(w, key);
    for (int i = 0; i < WAYS && !st && !*found; i++) {
        if (set[i].until_ms <= now || memcmp(set[i].key.s, key->s, TAKC_SHA256_HEX) != 0)
            continue;
        *found = true;
        *allow = set[i].allow;
        st = takc_buf_add(out, takc_buf_str(&set[i].answer), err);
    }
    takc_mutex_unlock(&w->locked.mu);
    return st;
}

/* One that cannot be kept is asked for again: no failure. */
static void keep(struct webhook *w, const struct takc_hex *key, bool allow, struct takc_str answer, uint64_t ttl_ms)
{
    takc_mutex_lock(&w->locked.mu);
    struct kept *set = set_locked(w, key), *to = &set[0];
    for (int i = 0; i < WAYS; i++) {
        bool same = memcmp(set[i].key.s, key->s, TAKC_SHA256_HEX) == 0;
        if (same || set[i].until_ms < to->until_ms)
            to = &set[i];
        if (same)
            break;
    }
    takc_buf_clear(&to->answer);
    takc_buf_init(&to->answer, KEPT_BYTES);
    bool good = !allow || takc_buf_add(&to->answer, answer, NULL) == TAKC_OK;
    to->key = *key;
    to->allow = allow;
    to->until_ms = good ? now_ms(w) + ttl_ms : 0;
    takc_mutex_unlock(&w->locked.mu);
}

static void keep_answer(struct webhook *w, const struct takc_hex keys[2], const struct takc_webhook_answer *a, struct takc_str text)
{
    uint64_t most = a->allow || w->ttl_ms < TAKC_WEBHOOK_NO_S * 1000 ? w->ttl_ms : TAKC_WEBHOOK_NO_S * 1000;
    uint64_t ttl_ms = a->ttl_s < most / 1000 ? a->ttl_s * 1000 : most;
    if (ttl_ms)
        keep(w, &keys[a->by_request], a->allow, text, ttl_ms);
}

/* --- the authorizer --- */

static bool is_twice(const struct webhook *w, const struct takc_auth_request *r)
{
    bool twice = false, any = false;
    for (size_t i = 0; i < w->n_headers; i++, any = any || twice)
        (void)r->header(r->arg, w->headers[i], &twice);
    return any;
}

static bool webhook_bears(const struct takc_authorizer *a, const struct takc_auth_request *r)
{
    const struct webhook *w = (const struct webhook *)a;
    for (size_t i = 0; i < w->n_headers; i++)
        if (header(r, w->headers[i]).len)
            return true;
    return is_twice(w, r);
}

/* Asks, keeps, and leaves the answer read. */
static enum takc_status ask(struct webhook *w, struct takc_call *call, const struct takc_auth_request *r, const struct takc_hex keys[2],
                            struct takc_arena *arena, struct takc_webhook_answer *out, struct takc_err *err)
{
    struct takc_buf question, answer;
    takc_buf_init_secret(&question, QUESTION_MAX);
    takc_buf_init(&answer, TAKC_WEBHOOK_ANSWER);
    enum takc_status st = write_question(w, call, r, &question, err);
    st = st ? st : w->ask(w->ask_arg, call, takc_buf_str(&question), &answer, err);
    st = st ? st : takc_webhook_read(takc_buf_str(&answer), arena, out, err);
    if (st)
        st = takc_err_prefix(err, st, "webhook");
    else
        keep_answer(w, keys, out, takc_buf_str(&answer));
    takc_buf_clear(&question);
    takc_buf_clear(&answer);
    return st;
}

/* A kept answer, of the credential or of the request. */
static enum takc_status recall(struct webhook *w, const struct takc_hex keys[2], struct takc_arena *arena, struct takc_webhook_answer *out,
                               bool *found, struct takc_err *err)
{
    struct takc_buf text;
    bool allow = false;
    takc_buf_init(&text, KEPT_BYTES);
    enum takc_status st = look_up(w, &keys[0], &text, found, &allow, err);
    if (!st && !*found)
        st = look_up(w, &keys[1], &text, found, &allow, err);
    *out = (struct takc_webhook_answer){.allow = allow};
    if (!st && *found && allow)
        st = takc_webhook_read(takc_buf_str(&text), arena, out, err);
    takc_buf_clear(&text);
    return st;
}

static enum takc_status webhook_check(struct takc_authorizer *a, struct takc_call *call, const struct takc_auth_request *r,
                                      struct takc_arena *arena, struct takc_identity *out, struct takc_err *err)
{
    struct webhook *w = (struct webhook *)a;
    struct takc_hex keys[2];
    struct takc_webhook_answer answer;
    bool found = false;
    if (is_twice(w, r)) /* it would be asked about less than came */
        return takc_fail(err, TAKC_DENIED, 0, "a header that decides comes more than once");
    enum takc_status st = hash_request(w, r, false, &keys[0], err);
    st = st ? st : hash_request(w, r, true, &keys[1], err);
    st = st ? st : recall(w, keys, arena, &answer, &found, err);
    if (!st && !found)
        st = ask(w, call, r, keys, arena, &answer, err);
    if (!st && !answer.allow)
        st = takc_fail(err, TAKC_DENIED, 0, "the credential was refused");
    if (!st && !answer.who.subject.len) /* the same credential is the same subject */
        st = takc_grant_subject(arena, "webhook", takc_str_n(keys[0].s, 16), &answer.who.subject, err);
    if (!st)
        *out = answer.who;
    return st;
}

static void webhook_free(struct takc_authorizer *a)
{
    struct webhook *w = (struct webhook *)a;
    takc_webhook_asker_close(w->asker);
    for (size_t i = 0; i < SETS; i++)
        for (size_t k = 0; k < WAYS; k++)
            takc_buf_clear(&w->locked.kept[i][k].answer);
    takc_mutex_clear(&w->locked.mu);
    takc_arena_clear(&w->arena);
    takc_free(w);
}

static const struct takc_authorizer_kind kind = {"webhook", webhook_bears, webhook_check, webhook_free};

/* --- open --- */

static bool is_name(struct takc_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!((s.ptr[i] >= 'a' && s.ptr[i] <= 'z') || (s.ptr[i] >= '0' && s.ptr[i] <= '9') || s.ptr[i] == '-'))
            return false;
    return s.len > 0;
}

static enum takc_status add_header(struct webhook *w, struct takc_str name, struct takc_err *err)
{
    char *copy = takc_arena_printf(&w->arena, "%.*s", TAKC_STR_ARG(name));
    if (!copy)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for an authorizer");
    for (char *p = copy; *p; p++)
        *p = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
    if (!is_name(takc_str(copy)))
        return takc_fail(err, TAKC_INVALID, 0, "serve.webhook_headers: '%.40s' is no name of a header", copy);
    for (size_t i = 0; i < w->n_headers; i++)
        if (strcmp(w->headers[i], copy) == 0)
            return TAKC_OK;
    if (w->n_headers == TAKC_WEBHOOK_HEADERS + FIXED_HEADERS)
        return takc_fail(err, TAKC_INVALID, 0, "serve.webhook_headers: more than %d", TAKC_WEBHOOK_HEADERS);
    w->headers[w->n_headers++] = copy;
    return TAKC_OK;
}

static enum takc_status add_headers(struct webhook *w, struct takc_str list, struct takc_err *err)
{
    enum takc_status st = add_header(w, takc_str("authorization"), err);
    st = st ? st : add_header(w, takc_str("x-api-key"), err);
    for (size_t i = 0, from = 0; i <= list.len && !st; i++) {
        if (i < list.len && list.ptr[i] != ' ' && list.ptr[i] != ',')
            continue;
        if (i > from)
            st = add_header(w, takc_str_slice(list, from, i), err);
        from = i + 1;
    }
    return st;
}

enum takc_status takc_auth_webhook_open(struct takc_authorizer **out, const struct takc_auth_webhook_options *o, struct takc_err *err)
{
    struct webhook *w = takc_alloc(sizeof(*w));
    if (!w)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for an authorizer");
    enum takc_status st = takc_mutex_init(&w->locked.mu, err);
    if (st) {
        takc_free(w);
        return st;
    }
    takc_arena_init(&w->arena);
    w->base.kind = &kind;
    w->ttl_ms = (uint64_t)o->ttl_s * 1000;
    w->clock = takc_clock_or_system(o->clock);
    w->ask = o->ask ? o->ask : takc_webhook_ask;
    w->ask_arg = o->ask_arg;
    st = add_headers(w, o->headers, err);
    if (!st && !o->ask) {
        st = takc_webhook_asker_open(&w->asker, o, err);
        w->ask_arg = w->asker;
    }
    if (st)
        webhook_free(&w->base);
    else
        *out = &w->base;
    return st;
}
