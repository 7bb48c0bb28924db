/* SPDX-License-Identifier: Apache-2.0
 *
 * on_tasks.c - tasks and their documents: GET /tasks, GET, PUT and DELETE /tasks/{task}, GET and DELETE of documents, the text behind a
 * citation.
 */
#include "http/apart.h"
#include "http/hits.h"
#include "http/limits.h"
#include "http/model_limit.h"

#include "base/clock.h"
#include "reply/piece.h"
#include "takc/forget.h"
#include "takc/home.h"
#include "task/profile.h"

#include <stdio.h>

enum { TEXT_MAX = 1 << 20 /* bytes of one piece of a document */, LOCK_WAIT_MS = 2000 };

/* ---- tasks ---- */

void takc_on_tasks(struct takc_exchange *x, const struct takc_asked *asked)
{
    struct takc_err err = {0};
    struct takc_str *names = NULL;
    size_t n = 0;
    json_t *list = json_array();
    bool good = list != NULL;
    enum takc_status st = takc_home_tasks(asked->home, &x->arena, &names, &n, &err);
    for (size_t i = 0; i < n && good && !st; i++)
        good = !takc_may_task(&asked->who, names[i]) || json_array_append_new(list, takc_json_str(names[i])) == 0;
    if (st)
        takc_api_fail(x, st, TAKC_ABOUT_UNSET, &err);
    else
        takc_api_json(x, 200, good ? json_pack("{sO}", "tasks", list) : NULL);
    json_decref(list);
}

static json_t *rates_json(const struct takc_profile *p)
{
    json_t *list = json_array();
    char name[24];
    for (size_t i = 0; list && i < p->n_rates; i++) {
        takc_rate_name(p->rates[i], name);
        if (json_array_append_new(list, json_string(name))) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *must_keep_json(const struct takc_profile *p)
{
    json_t *list = json_array();
    for (size_t k = 0; list && k < TAKC_FACT_KINDS; k++)
        if (p->must_keep & 1u << k && json_array_append_new(list, json_string(takc_must_keep_names[k]))) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *examples_json(const struct takc_profile *p)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < p->n_examples; i++)
        if (json_array_append_new(
                list, json_pack("{so so}", "input", takc_json_str(p->examples[i].input), "output", takc_json_str(p->examples[i].output)))) {
            json_decref(list);
            return NULL;
        }
    return list;
}

/* What PUT takes: a client may send it back. */
static json_t *profile_json(const struct takc_profile *p)
{
    return json_pack("{so so so so so s{sI sI} sb sI sI so s{so sf sI}}", "task_type", takc_json_str(p->task), "description",
                     takc_json_str(p->description), "examples", examples_json(p), "must_keep", must_keep_json(p), "rates", rates_json(p),
                     "chunking", "tokens", (json_int_t)p->chunk_tokens, "overlap", (json_int_t)p->chunk_overlap, "keep_originals",
                     (int)p->keep_originals, "ttl_s", (json_int_t)p->ttl_s, "keep_versions", (json_int_t)p->keep_versions, "tokenizer",
                     takc_json_str(p->tokenizer), "model", "name", takc_json_str(p->model), "temperature", p->temperature, "max_tokens",
                     (json_int_t)p->max_tokens);
}

/* Takes p. */
static void say_profile(struct takc_exchange *x, enum takc_status st, const struct takc_err *err, struct takc_profile *p, int status)
{
    if (st)
        takc_api_fail(x, st, TAKC_ABOUT_UNSET, err);
    else
        takc_api_json(x, status, profile_json(p));
    takc_profile_clear(p);
}

void takc_on_task(struct takc_exchange *x, const struct takc_asked *asked)
{
    struct takc_err err = {0};
    struct takc_profile p = {0};
    if (!takc_api_may_task(x, asked, asked->params[0]))
        return;
    enum takc_status st = takc_home_profile(asked->home, asked->params[0], &p, &err);
    say_profile(x, st, &err, &p, 200);
}

/* Takes the name of the task out of the body, which may have it, but no other. */
static bool take_name(struct takc_exchange *x, const struct takc_asked *asked)
{
    struct takc_str name = takc_json_get_str(asked->body, "task_type");
    struct takc_err err = {0};
    if (name.len && !takc_str_eq(name, asked->params[0])) {
        enum takc_status st =
            takc_fail(&err, TAKC_INVALID, 0, "/task_type: %.*s, as in the path, or nothing is expected", TAKC_STR_ARG(asked->params[0]));
        takc_api_fail(x, st, TAKC_ABOUT_UNSET, &err);
        return false;
    }
    (void)json_object_del(asked->body, "task_type");
    return true;
}

/* "profile:4:16: chunking.overlap: ..." was read in what the body became: its lines are nobody's, "/chunking/overlap: ..." is the place. */
static void place_in_body(struct takc_err *err)
{
    struct takc_str text = takc_str(err->msg);
    size_t at = takc_str_starts(text, takc_str("profile:")) ? takc_str_find(text, takc_str(": "), 0) : SIZE_MAX;
    if (at == SIZE_MAX)
        return;
    size_t end = takc_str_find(text, takc_str(": "), at + 2);
    err->msg[0] = '/';
    memmove(err->msg + 1, err->msg + at + 2, text.len - at - 1);
    for (size_t i = 0; end != SIZE_MAX && i < end - at - 1; i++)
        if (err->msg[i] == '.')
            err->msg[i] = '/';
}

/* The body is a profile (docs/formats/profile.md): JSON is YAML, too. */
void takc_on_put_task(struct takc_exchange *x, const struct takc_asked *asked)
{
    struct takc_err err = {0};
    struct takc_profile p = {0};
    struct takc_buf yaml;
    bool made = true;
    if (!takc_api_may_task(x, asked, asked->params[0]) || !take_name(x, asked))
        return;
    takc_buf_init(&yaml, TAKC_BUF_MAX_REPLY);
    enum takc_status st = takc_json_dump(asked->body, true, &yaml, &err);
    if (!st && !takc_api_may_profile(x, asked, asked->params[0], takc_buf_str(&yaml))) {
        takc_buf_clear(&yaml);
        return;
    }
    if (!st && (st = takc_task_write(asked->home, asked->params[0], takc_buf_str(&yaml), false, &err)) == TAKC_CONFLICT) {
        made = false;
        st = takc_task_write(asked->home, asked->params[0], takc_buf_str(&yaml), true, &err);
    }
    if (!st) /* what was written, not what is there: somebody may have deleted it since */
        st = takc_profile_parse(&p, asked->params[0], takc_buf_str(&yaml), "profile", &err);
    place_in_body(&err);
    say_profile(x, st, &err, &p, made ? 201 : 200);
    takc_buf_clear(&yaml);
}

struct removing { /* a task, or a document: every byte of the home is searched, so it is done apart */
    struct takc_exchange *x;
    const struct takc_asked *asked;
    struct takc_task_deleted task;
    struct takc_forget_report document;
    enum takc_status st;
    struct takc_err err;
};

static void remove_task(void *arg)
{
    struct removing *r = arg;
    const struct takc_asked *asked = r->asked;
    uint64_t n_keys = 0;
    r->st = takc_home_count_keys(asked->home, &r->x->call, asked->params[0], &n_keys, &r->err);
    if (!r->st && n_keys) /* first: deleting scrubs the catalogue */
        r->st = takc_limits_forget(asked, asked->params[0], &r->err);
    if (!r->st)
        r->st = takc_task_delete(asked->home, &r->x->call, asked->params[0], LOCK_WAIT_MS, &r->task, &r->err);
    if (!r->st)
        takc_hits_forget(asked->api->hits, asked->home, asked->params[0]);
    takc_snapshots_tidy(asked->api->snapshots);
}

void takc_on_delete_task(struct takc_exchange *x, const struct takc_asked *asked)
{
    struct removing r = {.x = x, .asked = asked};
    const struct takc_task_deleted *d = &r.task;
    if (!takc_api_may_task(x, asked, asked->params[0]))
        return;
    takc_apart(remove_task, &r);
    if (r.st)
        takc_api_fail(x, r.st, TAKC_ABOUT_UNSET, &r.err);
    else
        takc_api_json(x, 200,
                      json_pack("{ss so sI sI sI sI sb}", "status", "deleted", "task_type", takc_json_str(asked->params[0]), "documents",
                                (json_int_t)d->n_documents, "versions", (json_int_t)d->n_versions, "objects", (json_int_t)d->n_objects,
                                "sentences_searched", (json_int_t)d->n_sentences, "searched", (int)d->searched));
}

/* ---- documents ---- */

static json_t *document_json(const struct takc_document *d)
{
    const struct takc_revision *r = &d->revisions[d->n_revisions - 1];
    char at[21], date[11];
    takc_time_text(r->ingested_s, at);
    takc_date_text(r->has_date ? r->date : 0, date);
    return json_pack("{so so so sI sI sI so ss}", "document", takc_json_str(d->name), "title", takc_json_str(r->title), "sha256",
                     takc_json_str(r->source_sha), "source_bytes", (json_int_t)r->source_bytes, "text_bytes", (json_int_t)r->text_bytes,
                     "tokens", (json_int_t)(r->source_mt / 1000), "date", r->has_date ? json_string(date) : json_null(), "ingested_at", at);
}

void takc_on_documents(struct takc_exchange *x, const struct takc_asked *asked)
{
    struct takc_err err = {0};
    struct takc_profile p = {0};
    struct takc_document *docs = NULL;
    size_t n = 0;
    if (!takc_api_may_task(x, asked, asked->params[0]))
        return;
    json_t *list = json_array();
    bool good = list != NULL;
    enum takc_status st = takc_home_profile(asked->home, asked->params[0], &p, &err); /* is there such a task? */
    if (!st)
        st = takc_home_documents(asked->home, asked->params[0], &x->arena, &docs, &n, &err);
    for (size_t i = 0; i < n && good && !st; i++)
        good = json_array_append_new(list, document_json(&docs[i])) == 0;
    if (st)
        takc_api_fail(x, st, TAKC_ABOUT_UNSET, &err);
    else
        takc_api_json(x, 200, good ? json_pack("{so sO}", "task_type", takc_json_str(asked->params[0]), "documents", list) : NULL);
    json_decref(list);
    takc_profile_clear(&p);
}

static void forget(void *arg)
{
    struct removing *r = arg;
    const struct takc_asked *asked = r->asked;
    r->st = takc_forget(asked->home, &r->x->call, asked->params[0], &asked->params[1], 1, LOCK_WAIT_MS, &r->document, &r->err);
    takc_snapshots_tidy(asked->api->snapshots);
}

void takc_on_forget(struct takc_exchange *x, const struct takc_asked *asked)
{
    struct removing removing = {.x = x, .asked = asked};
    const struct takc_forget_report *r = &removing.document;
    if (!takc_api_may_task(x, asked, asked->params[0]))
        return;
    takc_apart(forget, &removing);
    if (removing.st)
        takc_api_fail(x, removing.st, TAKC_ABOUT_UNSET, &removing.err);
    else
        takc_api_json(x, 200,
                      json_pack("{ss so sI sI sI sI sI}", "status", "forgotten", "document", takc_json_str(asked->params[1]), "revisions",
                                (json_int_t)r->n_revisions, "versions", (json_int_t)r->n_versions, "objects", (json_int_t)r->n_objects,
                                "sentences_searched", (json_int_t)r->n_sentences, "found", (json_int_t)r->n_found));
}

void takc_on_text(struct takc_exchange *x, const struct takc_asked *asked)
{
    struct takc_err err = {0};
    json_t *piece = NULL;
    const json_t *s = json_object_get(asked->query, "start"), *e = json_object_get(asked->query, "end");
    const struct takc_piece_asked what = {.task = asked->params[0],
                                          .document = asked->params[1],
                                          .start = s ? (uint64_t)json_integer_value(s) : 0,
                                          .end = e ? (uint64_t)json_integer_value(e) : UINT64_MAX,
                                          .max_bytes = TEXT_MAX};
    if (!takc_api_may_task(x, asked, asked->params[0]))
        return;
    enum takc_status st = takc_piece_json(asked->home, &x->call, &what, &piece, &err);
    if (st)
        takc_api_fail(x, st, TAKC_ABOUT_UNSET, &err);
    else
        takc_api_json(x, 200, piece);
}
