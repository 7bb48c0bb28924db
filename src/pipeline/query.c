/* SPDX-License-Identifier: Apache-2.0
 *
 * query.c - the story of a question: open a version, understand the question, choose mode and rate, compose what the reader sees, answer
 * with the best lines or by a model, say how sure and how dear. The steps are those of pipeline/answer.h.
 *
 * An explicit mode or rate is never overruled; what it costs in coverage is said instead. Without a model the response is lines of the
 * documents: the chosen ones for a specific question, the artifact's text for a task-wide prompt. */
#include "takc/query.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "pipeline/answer.h"

#define DEFAULT_READER_TOKENS 2000u /* data-model.md section 5 */
#define DEFAULT_ARTIFACT_TOKENS 16000u
enum { TRIES = 10 }; /* of a question whose version is replaced while it is answered */

enum takc_status takc_answer_note(struct takc_answer *q, struct takc_err *err, const char *text)
{
    return takc_buf_printf(&q->notes, err, "%s\n", text);
}

enum takc_status takc_answer_keep(struct takc_answer *q, struct takc_str s, struct takc_str *out, struct takc_err *err)
{
    *out = takc_arena_dup(q->arena, s);
    return out->ptr ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for an answer");
}

enum takc_status takc_answer_hold(struct takc_answer *q, struct takc_str s, struct takc_str *out, struct takc_err *err)
{
    *out = takc_arena_dup(&q->scratch, s);
    return out->ptr ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for an answer");
}

static uint64_t now_ns(const struct takc_call *call)
{
    const struct takc_clock *clock = takc_clock_or_system(call ? call->clock : NULL);
    return clock->mono_ns(clock);
}

void takc_answer_lap(struct takc_answer *q, uint64_t *spent_ns)
{
    uint64_t now = now_ns(q->call);
    if (spent_ns)
        *spent_ns += now - q->lap_ns;
    q->lap_ns = now;
}

static enum takc_status begin(struct takc_answer *q, struct takc_home *h, struct takc_err *err)
{
    struct takc_str question = takc_str_trim(q->o->question);
    if (question.len == 0)
        return takc_fail(err, TAKC_INVALID, 0, "the question is empty");
    if (!takc_utf8_valid(question, NULL))
        return takc_fail(err, TAKC_INVALID, 0, "the question is not UTF-8");
    enum takc_status st = q->o->profile ? TAKC_OK : takc_home_counting_profile(h, q->o->task, &q->own_profile, err);
    q->profile = q->o->profile ? q->o->profile : &q->own_profile;
    if (!st)
        st = takc_snapshot_open(&q->snapshot, q->o->snapshots, h, q->o->task, q->o->version, err);
    takc_answer_lap(q, &q->r->timing.cache_ns);
    if (st)
        return st;
    q->tokenizer = q->profile->counter;
    q->reader_tokens = q->o->reader_tokens ? q->o->reader_tokens : DEFAULT_READER_TOKENS;
    q->artifact_tokens = q->o->artifact_tokens ? q->o->artifact_tokens : DEFAULT_ARTIFACT_TOKENS;
    q->r->source_tokens = q->snapshot.version->source_tokens;
    q->r->tokenizer = takc_str(q->tokenizer->name);
    bool asks = q->o->model && q->o->model->model.len;
    q->models = asks ? q->o->models : NULL;
    if (asks && !q->models)
        st = takc_models_open(&q->models, h, q->o->task, q->o->model, q->tokenizer, err);
    takc_answer_lap(q, NULL);
    if (!st)
        st = takc_answer_turns(q, err);
    if (st)
        return st;
    return takc_answer_keep(q, q->snapshot.version->label, &q->r->version, err);
}

static enum takc_status keep_missing(struct takc_answer *q, struct takc_err *err)
{
    struct takc_str *list = takc_arena_array(q->arena, q->r->n_missing + 1, sizeof(*list));
    enum takc_status st = list ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for missing words");
    for (size_t i = 0; !st && i < q->r->n_missing; i++)
        st = takc_answer_keep(q, q->r->missing[i], &list[i], err);
    q->r->missing = list;
    return st;
}

enum takc_status takc_answer_keep_shown(struct takc_answer *q, struct takc_err *err)
{
    struct takc_query_result *r = q->r;
    bool asks = q->models && !q->o->dry, responds = r->context.len && r->response.ptr == r->context.ptr;
    enum takc_status st = keep_missing(q, err);
    if (asks && q->o->no_context && (!responds || q->background.n))
        r->context = takc_str("");
    else if (!st)
        st = takc_answer_keep(q, r->context, &r->context, err);
    if (responds)
        r->response = r->context;
    return st;
}

/* The rate, or the reader's budget, has no room for a line: an empty response is sure of nothing. */
static enum takc_status say_empty(struct takc_answer *q, struct takc_err *err)
{
    bool asks = q->models && !q->o->dry && q->r->tokens;
    if (q->r->response.len || asks)
        return TAKC_OK;
    q->r->confidence = 0;
    return takc_answer_note(q, err, "nothing fits: more reader tokens, or a lower rate, show something");
}

static enum takc_status answer(struct takc_answer *q, struct takc_home *h, struct takc_err *err)
{
    static const char *const complexities[] = {"", "simple", "moderate", "complex"};
    enum takc_status st = begin(q, h, err);
    if (!st)
        st = takc_answer_understand(q, err);
    if (st)
        return st;
    q->task_wide = takc_prompt_kind_of(q->snapshot.index, q->question) == TAKC_PROMPT_TASK_WIDE;
    q->r->complexity = complexities[takc_complexity_of(q->o->question)];
    q->r->prompt_kind = q->task_wide ? "task-wide" : "specific";
    takc_call_progress(q->call, "choosing lines", "steps", 0, 0);
    st = takc_answer_filter_apply(q, err);
    if (!st)
        st = takc_answer_run(q, err);
    if (!st)
        st = say_empty(q, err);
    if (!st)
        st = takc_answer_keep_shown(q, err);
    takc_answer_lap(q, &q->r->timing.choose_ns);
    if (!st && q->o->n_examples && !q->models)
        st = takc_answer_note(q, err, "the examples did nothing: no model answers");
    if (!st && q->models && !q->o->dry)
        st = takc_answer_model(q, err);
    return st ? st : takc_answer_keep(q, takc_buf_str(&q->notes), &q->r->notes, err);
}

/* out_moved: a writer published meanwhile, so that what was not found may be where the manifest says now. */
static enum takc_status query_once(struct takc_home *h, struct takc_call *call, const struct takc_query_options *o,
                                   struct takc_query_result *out, bool *out_moved, struct takc_err *err)
{
    *out = (struct takc_query_result){0};
    struct takc_answer *q = takc_alloc(sizeof(*q));
    struct takc_arena *arena = takc_alloc(sizeof(*arena));
    if (!q || !arena) {
        takc_free(q);
        takc_free(arena);
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a query");
    }
    takc_arena_init(arena);
    out->owner = arena;
    *q = (struct takc_answer){.arena = arena, .call = call, .o = o, .r = out, .lap_ns = now_ns(call)};
    takc_arena_init(&q->scratch);
    q->scratch.block_bytes = TAKC_ARENA_LARGE;
    takc_buf_init(&q->notes, TAKC_BUF_MAX_REPLY); /* a model's own stand among them */
    enum takc_status st = answer(q, h, err);
    *out_moved = st == TAKC_NOT_FOUND && !out->answer.asked && takc_snapshot_has_moved(&q->snapshot);
    if (q->models != o->models)
        takc_models_close(q->models);
    takc_snapshot_close(&q->snapshot);
    takc_profile_clear(&q->own_profile);
    takc_buf_clear(&q->notes);
    takc_arena_clear(&q->scratch);
    takc_free(q);
    if (st) {
        const struct takc_query_timing timing = out->timing;
        const struct takc_model_answer a = out->answer;
        takc_query_result_free(out);
        out->timing = timing;
        out->answer = (struct takc_model_answer){.asked = a.asked,
                                                 .failure = a.failure,
                                                 .after_ms = a.after_ms,
                                                 .input = a.input,
                                                 .output = a.output,
                                                 .cache_read = a.cache_read,
                                                 .cache_write = a.cache_write,
                                                 .picodollars = a.picodollars,
                                                 .priced = a.priced,
                                                 .tries = a.tries};
    }
    return st;
}

enum takc_status takc_query(struct takc_home *h, struct takc_call *call, const struct takc_query_options *o, struct takc_query_result *out,
                            struct takc_err *err)
{
    uint64_t from = now_ns(call);
    bool moved = true;
    enum takc_status st = TAKC_NOT_FOUND;
    for (int tries = 0; st == TAKC_NOT_FOUND && moved && tries < TRIES; tries++)
        st = query_once(h, call, o, out, &moved, err);
    out->timing.total_ns = now_ns(call) - from;
    out->ms = (out->timing.total_ns + 500000) / 1000000;
    if (!st) /* the question itself stays out */
        takc_log_for(
            call, INFO, "query", "task=%.*s mode=%s rate=%s tokens=%llu confidence=%.2f abstained=%d ms=%llu model=%.*s picodollars=%llu",
            TAKC_STR_ARG(o->task), takc_mode_name(out->mode), out->rate, (unsigned long long)out->tokens, out->confidence, out->abstained,
            (unsigned long long)out->ms, TAKC_STR_ARG(out->answer.model), (unsigned long long)out->answer.picodollars);
    return st;
}

void takc_query_result_free(struct takc_query_result *r)
{
    if (r->owner) {
        takc_arena_clear(r->owner);
        takc_free(r->owner);
    }
    *r = (struct takc_query_result){0};
}
