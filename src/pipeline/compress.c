/* SPDX-License-Identifier: Apache-2.0
 *
 * compress.c - the story of compress: documents as they are now, a work key, and a new version if the key is new. */
#include "takc/compress.h"
#include "base/log.h"
#include "catalog/usage.h"
#include "pipeline/batches.h"
#include "pipeline/check.h"
#include "pipeline/generate.h"
#include "pipeline/reduce.h"
#include "pipeline/settle.h"

#include <stdio.h>

/* The ledgers of the version that is current already. */
static enum takc_status old_rows(struct takc_home *h, struct takc_str task, const struct takc_version *v, struct takc_compress_report *out,
                                 struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < v->n_artifacts && i < TAKC_LEDGER_ROWS; i++) {
        struct takc_buf bytes;
        struct takc_key key = takc_key_artifact(task, v->label, v->artifacts[i].rate, ".ledger.json");
        takc_buf_init(&bytes, TAKC_BUF_MAX_REPLY);
        st = takc_store_get_bytes(takc_home_store(h), NULL, takc_str(key.s), &bytes, err);
        if (!st)
            st = takc_ledger_parse(takc_buf_str(&bytes), &out->rows[out->n_rows++], err);
        takc_buf_clear(&bytes);
    }
    return st;
}

static void say_label(struct takc_compress_report *out, struct takc_str label)
{
    (void)snprintf(out->version, sizeof(out->version), "%.*s", (int)(label.len > 31 ? 31 : label.len), label.ptr ? label.ptr : "");
}

static enum takc_status new_version(struct takc_build *b, struct takc_manifest *m, struct takc_compress_report *out, struct takc_err *err)
{
    char *label = takc_arena_printf(b->arena, "%u", m->next);
    if (!label)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a label");
    b->label = takc_str(label);
    enum takc_status st = takc_build_make(b, err);
    if (!st)
        st = takc_build_publish(b, m, err);
    if (st)
        return takc_err_prefix(err, st, "version %s", label);
    out->changed = true;
    out->n_resumed = b->n_resumed;
    out->n_units = b->n_units;
    out->n_rows = b->n_rates;
    memcpy(out->rows, b->rows, sizeof(out->rows));
    say_label(out, b->label);
    return TAKC_OK;
}

/* Has a document come in whole again? */
static bool any_whole(const struct takc_docset *set)
{
    bool any = false;
    for (size_t i = 0; i < set->n_docs; i++)
        any |= !takc_docset_is_reduced(&set->docs[i]);
    return any;
}

static enum takc_status current_documents(struct takc_build *b, struct takc_docset *set, struct takc_err *err)
{
    enum takc_status st = takc_docset_current(b->home, b->task, b->arena, set, err);
    if (!st && set->n_docs == 0)
        st = takc_fail(err, TAKC_NOT_FOUND, 0, "task %.*s has no documents; run: takc ingest -t %.*s FOLDER", TAKC_STR_ARG(b->task),
                       TAKC_STR_ARG(b->task));
    return st;
}

static enum takc_status compress_locked(struct takc_build *b, struct takc_docset *set, struct takc_compress_report *out,
                                        struct takc_err *err)
{
    struct takc_manifest m;
    enum takc_status st = current_documents(b, set, err);
    b->set = set;
    if (!st)
        st = takc_build_work_key(b, err);
    if (!st)
        st = takc_home_manifest(b->home, b->task, b->arena, &m, err);
    if (st)
        return st;
    out->n_documents = set->n_docs;
    for (size_t i = 0; i < set->n_docs; i++) {
        out->source_bytes += set->docs[i].source_bytes;
        out->n_units += set->docs[i].n_units;
    }
    const struct takc_version *current = takc_manifest_find(&m, m.current);
    bool stands = current && takc_str_eq(current->work_key, b->work_key);
    if (stands)
        st = takc_check_version(b->home, b->call, b->task, current, &stands, err); /* what is damaged is made again */
    if (st)
        return st;
    if (stands) {
        say_label(out, current->label);
        if (!b->profile->keep_originals && any_whole(set))
            st = takc_settle(b, &m, true, err);
        if (!st)
            st = old_rows(b->home, b->task, current, out, err);
    } else {
        st = takc_reduce_check(b, set, err);
        if (!st)
            st = new_version(b, &m, out, err);
    }
    if (!st && out->n_rows)
        out->source_tokens = out->rows[0].source_tokens;
    return st;
}

/* The rates as a version has them: from coarse to fine, each once. */
static enum takc_status sort_rates(struct takc_build *b, takc_rate sorted[TAKC_LEDGER_ROWS], struct takc_err *err)
{
    char name[24];
    if (b->n_rates > TAKC_LEDGER_ROWS)
        return takc_fail(err, TAKC_INVALID, 0, "%zu rates; at most %d", b->n_rates, TAKC_LEDGER_ROWS);
    for (size_t i = 0; i < b->n_rates; i++) {
        size_t at = i;
        for (; at > 0 && sorted[at - 1] <= b->rates[i]; at--) {
            if (sorted[at - 1] == b->rates[i]) {
                takc_rate_name(b->rates[i], name);
                return takc_fail(err, TAKC_INVALID, 0, "rate %s is there twice", name);
            }
            sorted[at] = sorted[at - 1];
        }
        sorted[at] = b->rates[i];
    }
    b->rates = sorted;
    return TAKC_OK;
}

/* Of this run, however it ended. */
static void say_spent(struct takc_models *m, struct takc_compress_report *out)
{
    struct takc_models_spent spent;
    takc_models_spent(m, &spent);
    out->picodollars = spent.picodollars;
    out->unpriced = spent.unpriced;
    out->capless = spent.unpriced && spent.capless;
}

/* Few-shot examples of the caller, else the profile's. */
static enum takc_status take_examples(const struct takc_compress_options *o, struct takc_build *b, struct takc_generation *g,
                                      struct takc_err *err)
{
    struct takc_example *own = takc_arena_array(b->arena, o->n_examples + 1, sizeof(*own));
    if (!own)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for examples");
    for (size_t i = 0; i < o->n_examples; i++)
        own[i] = (struct takc_example){.input = o->examples[i].input, .output = o->examples[i].output};
    g->examples = o->n_examples ? own : b->profile->examples;
    g->n_examples = o->n_examples ? o->n_examples : b->profile->n_examples;
    return TAKC_OK;
}

/* Who writes, if anybody: b->generation points to g then, whose models are the caller's to close. */
static enum takc_status open_generation(const struct takc_compress_options *o, struct takc_build *b, struct takc_generation *g,
                                        struct takc_err *err)
{
    if (!o->model || !o->model->model.len)
        return TAKC_OK;
    *g = (struct takc_generation){.model = o->model->model,
                                  .guardrail = o->model->guardrail,
                                  .temperature = b->profile->temperature,
                                  .max_tokens = b->profile->max_tokens,
                                  .n_parallel = o->model->parallel};
    enum takc_status st = take_examples(o, b, g, err);
    if (!st)
        st = takc_models_open(&g->models, b->home, b->task, o->model, b->profile->counter, err);
    if (!st)
        st = takc_models_chain(g->models, b->arena, &g->chain, &g->n_chain, err);
    if (!st)
        b->generation = g;
    return st;
}

/* Of a compress, not of a plan, which sends nothing. */
static enum takc_status open_batches(const struct takc_compress_options *o, struct takc_build *b, struct takc_err *err)
{
    struct takc_generation *g = b->generation;
    if (!o->batch)
        return TAKC_OK;
    if (!g)
        return takc_fail(err, TAKC_INVALID, 0, "batch jobs need a model: --model bedrock:MODEL");
    return takc_batches_open(&g->batches, b->home, b->task, g->models, o->batch, err);
}

struct story { /* what compress and plan begin with */
    struct takc_build b;
    struct takc_profile profile;
    struct takc_arena arena;
    struct takc_generation generation;
    struct takc_docset set; /* as it was read last */
    takc_rate sorted[TAKC_LEDGER_ROWS];
};

/* Close x afterwards, whatever the status. */
static enum takc_status story_open(struct story *x, struct takc_home *h, struct takc_call *call, const struct takc_compress_options *o,
                                   struct takc_err *err)
{
    *x = (struct story){.generation = {.models = NULL}};
    takc_arena_init(&x->arena);
    enum takc_status st = takc_home_counting_profile(h, o->task, &x->profile, err);
    x->b = (struct takc_build){.home = h,
                               .call = call,
                               .task = o->task,
                               .profile = &x->profile,
                               .rates = o->n_rates ? o->rates : x->profile.rates,
                               .n_rates = o->n_rates ? o->n_rates : x->profile.n_rates,
                               .n_threads = o->n_threads,
                               .arena = &x->arena};
    if (!st)
        st = sort_rates(&x->b, x->sorted, err);
    return st ? st : open_generation(o, &x->b, &x->generation, err);
}

static void story_close(struct story *x)
{
    takc_batches_close(x->generation.batches);
    takc_models_close(x->generation.models);
    takc_arena_clear(&x->arena);
    takc_profile_clear(&x->profile);
}

/* Under the task's lock: a version, or, with batch jobs, what can be done of one until a job has ended (out->waits). */
static enum takc_status compress_or_send(struct story *x, bool stop, struct takc_compress_report *out, struct takc_err *err)
{
    struct takc_build *b = &x->b;
    struct takc_batches *batches = x->generation.batches;
    enum takc_status st = batches ? takc_batches_settle(batches, b->call, &out->waits, err) : TAKC_OK;
    if (!st && stop)
        return out->waits ? takc_batches_stop(batches, b->call, err) : takc_fail(err, TAKC_NOT_FOUND, 0, "no batch job is under way");
    if (st || out->waits)
        return st;
    st = compress_locked(b, &x->set, out, err);
    if (!batches)
        return st;
    if (!st)
        return takc_batches_end(batches, b->call, err);
    if (!takc_batches_wants_job(batches))
        return st;
    st = takc_batches_send(batches, b->call, b->label, err);
    out->waits = !st;
    return st;
}

enum { ROUND_WAIT_MS = 600000 }; /* for another writer, when a job has ended that was waited for by the hour */

/* Once, or in rounds with a wait for a batch job between; nobody's lock is held meanwhile, so that documents may come and go. */
static enum takc_status compress_in_rounds(struct story *x, const struct takc_compress_options *o, struct takc_compress_report *out,
                                           struct takc_err *err)
{
    struct takc_batches *batches = x->generation.batches;
    uint64_t resumed = 0;
    enum takc_status st;
    for (unsigned round = 0;; round++) {
        struct takc_writer writer = {.lock = {-1}};
        *out = (struct takc_compress_report){0};
        x->set = (struct takc_docset){0};
        x->b.n_resumed = 0;
        uint64_t wait_ms = round && o->wait_ms < ROUND_WAIT_MS ? ROUND_WAIT_MS : o->wait_ms;
        st = takc_writer_begin(x->b.home, x->b.call, o->task, &x->profile, wait_ms, &writer, err);
        st = st ? st : compress_or_send(x, o->batch && o->batch->stop, out, err);
        takc_lock_close(&writer.lock);
        resumed = round ? resumed : x->b.n_resumed; /* later rounds take over what this run made */
        out->n_resumed = out->n_resumed ? resumed : 0;
        if (st || !out->waits || o->batch->no_wait || o->batch->stop)
            break;
        if ((st = takc_batches_watch(batches, x->b.call, err)))
            break;
    }
    if (!st && out->waits)
        (void)takc_batches_waiting(batches, out);
    if (batches)
        takc_batches_tell(batches, out);
    return st;
}

enum takc_status takc_compress(struct takc_home *h, struct takc_call *call, const struct takc_compress_options *o,
                               struct takc_compress_report *out, struct takc_err *err)
{
    struct story x;
    *out = (struct takc_compress_report){0};
    enum takc_status st = story_open(&x, h, call, o, err);
    st = st ? st : open_batches(o, &x.b, err);
    st = st ? st : compress_in_rounds(&x, o, out, err);
    if (!st)
        takc_log_for(call, INFO, "compress", "task=%.*s version=%s changed=%d documents=%llu units=%llu", TAKC_STR_ARG(o->task),
                     out->version, out->changed, (unsigned long long)out->n_documents, (unsigned long long)out->n_units);
    if (x.b.generation)
        say_spent(x.generation.models, out);
    story_close(&x);
    return st;
}

/* --- plan --- */

/* At which number of questions the tokens that a reader is spared have cost what compressing does. */
static void say_rows(const struct takc_build *b, const struct takc_model_facts *f, struct takc_compress_plan *out)
{
    for (size_t i = 0; i < b->n_rates; i++) {
        struct takc_compress_plan_row *row = &out->rows[out->n_rows++];
        row->rate = b->rates[i];
        row->budget_tokens = out->source_tokens * 1000 / b->rates[i];
        uint64_t spared = out->source_tokens - row->budget_tokens;
        unsigned __int128 a_question = (unsigned __int128)spared * f->price_input;
        if (out->priced && a_question)
            row->questions = (uint64_t)((out->picodollars + a_question - 1) / a_question);
    }
}

static void say_plan(const struct takc_build *b, const struct takc_generative_plan *p, bool batch, struct takc_compress_plan *out)
{
    const struct takc_model_facts *f = takc_models_facts(b->generation->models);
    const struct takc_usage usage = {.input = p->prompt_tokens, .output = p->reply_tokens};
    struct takc_models_spent spent;
    takc_models_spent(b->generation->models, &spent);
    out->capless = spent.capless;
    out->calls = p->calls;
    out->reused = p->reused;
    out->prompt_tokens = p->prompt_tokens;
    out->reply_tokens = p->reply_tokens;
    out->priced = f->has_price;
    out->batch_percent = batch ? f->batch_percent : 0;
    out->picodollars = f->has_price ? takc_facts_cost(f, &usage, batch) : 0;
    (void)snprintf(out->price_date, sizeof(out->price_date), "%.*s", (int)(f->price_date.len < 15 ? f->price_date.len : 15),
                   f->price_date.ptr ? f->price_date.ptr : "");
    out->n_parallel = b->generation->n_parallel ? b->generation->n_parallel : takc_generative_options_default().n_parallel;
    say_rows(b, f, out);
}

/* By what this model's calls took lately, else by what is assumed. */
static enum takc_status say_time(const struct takc_build *b, struct takc_compress_plan *out, struct takc_err *err)
{
    const char *provider = takc_models_ops(b->generation->models)->name;
    struct takc_str name = b->generation->model;
    size_t colon = takc_str_find_byte(name, ':', 0);
    struct takc_str model = takc_str_slice(name, colon == SIZE_MAX ? 0 : colon + 1, name.len);
    enum takc_status st =
        takc_home_usage_pace(b->home, takc_str(provider), model, TAKC_PLAN_MEASURED, &out->n_measured, &out->call_ms, err);
    uint64_t assumed = out->calls * TAKC_PLAN_CALL_MS + out->reply_tokens * 1000 / TAKC_PLAN_TOKENS_S;
    out->ms = (out->n_measured ? out->calls * out->call_ms : assumed) / out->n_parallel;
    return st;
}

static enum takc_status plan_build(struct takc_build *b, bool batch, struct takc_compress_plan *out, struct takc_err *err)
{
    struct takc_docset set;
    struct takc_docset_corpus corpus;
    struct takc_selection s = {0};
    struct takc_generative_plan p;
    struct takc_extractive_options o = takc_build_options(b->profile, b->n_threads);
    enum takc_status st = current_documents(b, &set, err);
    if (!st)
        st = takc_reduce_check(b, &set, err);
    if (!st)
        st = takc_docset_corpus(b->home, b->task, &set, b->arena, &corpus, err);
    if (!st)
        st = takc_extractive_select(&corpus.corpus, &o, b->call, &s, err);
    if (!st)
        st = takc_generative_hide_titles(&corpus.corpus, &s, o.n_threads, b->call, err);
    if (!st)
        st = takc_generation_plan(b, &corpus.corpus, &s, &o, &p, err);
    out->n_documents = set.n_docs;
    out->source_tokens = (s.source_mt + 999) / 1000;
    if (!st)
        say_plan(b, &p, batch, out);
    if (!st)
        st = say_time(b, out, err);
    takc_selection_clear(&s);
    return st;
}

enum takc_status takc_compress_plan(struct takc_home *h, struct takc_call *call, const struct takc_compress_options *o,
                                    struct takc_compress_plan *out, struct takc_err *err)
{
    struct story x;
    *out = (struct takc_compress_plan){0};
    enum takc_status st = story_open(&x, h, call, o, err);
    if (!st && !x.b.generation)
        st = takc_fail(err, TAKC_INVALID, 0, "a plan of calls needs a model");
    if (!st && o->batch)
        st = takc_models_can_batch(x.generation.models, err);
    if (!st)
        st = plan_build(&x.b, o->batch != NULL, out, err);
    story_close(&x);
    return st;
}
