/* SPDX-License-Identifier: Apache-2.0
 *
 * compress.c - takc compress and takc plan: the ledger as a table. */
#include "takc/compress.h"
#include "base/file.h"
#include "cli/home_open.h"
#include "cli/model_flags.h"
#include "model/facts.h"
#include "pipeline/ledger.h"

#include <stdarg.h>
#include <stdio.h>

enum { CELL = 40 };

/* --- who writes --- */

struct writer { /* what flags, files and the profile say of a model; views live as long as this */
    struct takc_arena arena;
    struct takc_profile profile, few_shot;
    struct takc_model_settings model;
    struct takc_batch_settings batch;
    struct takc_compress_example examples[TAKC_PROFILE_EXAMPLES_MAX];
};

/* Examples of --few-shot: a file as a profile is, of which only its examples count. */
static enum takc_status read_few_shot(struct takc_cli *cli, struct writer *w, struct takc_compress_options *o, struct takc_err *err)
{
    struct takc_str file = takc_cli_opt(cli, "few-shot");
    struct takc_buf text;
    if (!file.len)
        return TAKC_OK;
    takc_buf_init(&text, TAKC_BUF_MAX_REPLY);
    enum takc_status st = takc_file_read(file.ptr, &text, err);
    if (!st)
        st = takc_profile_parse(&w->few_shot, o->task, takc_buf_str(&text), file.ptr, err);
    takc_buf_clear(&text);
    if (!st && !w->few_shot.n_examples)
        st = takc_fail(err, TAKC_INVALID, 0, "%s has no examples", file.ptr);
    for (size_t i = 0; !st && i < w->few_shot.n_examples; i++)
        w->examples[i] = (struct takc_compress_example){w->few_shot.examples[i].input, w->few_shot.examples[i].output};
    o->examples = w->examples;
    o->n_examples = st ? 0 : w->few_shot.n_examples;
    return st;
}

/* Close w afterwards, whatever the status. */
static enum takc_status writer_open(struct takc_cli *cli, struct takc_home *home, struct writer *w, struct takc_compress_options *o,
                                    struct takc_err *err)
{
    *w = (struct writer){.model = {.model = {NULL, 0}}};
    takc_arena_init(&w->arena);
    enum takc_status st = takc_home_profile(home, o->task, &w->profile, err);
    if (!st)
        st = takc_cli_models(cli, &w->profile, &w->arena, &w->model, err);
    if (!st)
        st = read_few_shot(cli, w, o, err);
    o->model = &w->model;
    return st;
}

/* --batch, where it is given. */
static enum takc_status read_batch(struct takc_cli *cli, struct writer *w, struct takc_compress_options *o, struct takc_err *err)
{
    struct takc_str uri = takc_cli_opt(cli, "batch");
    bool no_wait = takc_cli_flag(cli, "no-wait"), stop = takc_cli_flag(cli, "stop-job");
    if (!uri.ptr && (no_wait || stop))
        return takc_fail(err, TAKC_INVALID, 0, "--%s is of batch jobs: --batch s3://BUCKET/FOLDER is missing",
                         stop ? "stop-job" : "no-wait");
    if (!uri.ptr)
        return TAKC_OK;
    w->batch = (struct takc_batch_settings){.uri = uri,
                                            .role = cli->settings.model_batch_role,
                                            .min_records = cli->settings.model_batch_min_records,
                                            .poll_ms = cli->settings.model_batch_poll_ms,
                                            .no_wait = no_wait,
                                            .stop = stop};
    o->batch = &w->batch;
    return TAKC_OK;
}

static void writer_close(struct writer *w)
{
    takc_profile_clear(&w->few_shot);
    takc_profile_clear(&w->profile);
    takc_arena_clear(&w->arena);
}

/* --- tables --- */

struct rows { /* cells of a table being filled, row by row */
    struct takc_str *cells;
    size_t n;
};

static enum takc_status cell(struct rows *r, struct takc_arena *a, struct takc_err *err, const char *fmt, ...) TAKC_PRINTF(4, 5);
static enum takc_status cell(struct rows *r, struct takc_arena *a, struct takc_err *err, const char *fmt, ...)
{
    char text[CELL];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    r->cells[r->n] = takc_arena_dup(a, takc_str(text));
    return r->cells[r->n++].ptr ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for a table");
}

/* Facts kept of all kinds together, as a share. */
static double kept_share(const struct takc_ledger_entry *e)
{
    uint64_t kept = 0, all = 0;
    for (int k = 0; k < TAKC_LEDGER_FACTS; k++) {
        kept += e->facts_kept[k];
        all += e->facts_source[k];
    }
    return all ? 100.0 * (double)kept / (double)all : 0;
}

static const struct takc_column ledger_columns[] = {
    {"rate", TAKC_ALIGN_LEFT},        {"asked", TAKC_ALIGN_RIGHT},  {"delivered", TAKC_ALIGN_RIGHT}, {"words", TAKC_ALIGN_RIGHT},
    {"bytes", TAKC_ALIGN_RIGHT},      {"budget", TAKC_ALIGN_RIGHT}, {"tokens", TAKC_ALIGN_RIGHT},    {"lines", TAKC_ALIGN_RIGHT},
    {"facts kept", TAKC_ALIGN_RIGHT}, {"ms", TAKC_ALIGN_RIGHT},
};
enum { LEDGER_COLUMNS = sizeof(ledger_columns) / sizeof(ledger_columns[0]) };

static enum takc_status ledger_row(struct rows *r, struct takc_arena *a, const struct takc_ledger_entry *e, struct takc_err *err)
{
    char n[32];
    enum takc_status st = cell(r, a, err, "%s", e->rate);
    const double factors[] = {e->factor_asked, e->factor_tokens, e->factor_words, e->factor_bytes};
    for (size_t i = 0; !st && i < 4; i++)
        st = cell(r, a, err, i && !e->artifact_tokens ? "-" : i ? "%.2fx" : "%.9gx", factors[i]);
    const uint64_t numbers[] = {e->budget_tokens, e->artifact_tokens, e->segments};
    for (size_t i = 0; !st && i < 3; i++)
        st = cell(r, a, err, "%s%s", takc_count_text(numbers[i], n), i == 1 && e->shortfall ? " (short)" : "");
    if (!st)
        st = cell(r, a, err, "%.1f %%", kept_share(e));
    return st ? st : cell(r, a, err, "%llu", (unsigned long long)e->ms);
}

static enum takc_status facts_table(struct takc_cli *cli, const struct takc_compress_report *c, struct takc_arena *a, struct takc_err *err)
{
    struct takc_column columns[TAKC_LEDGER_ROWS + 2] = {{"facts kept", TAKC_ALIGN_LEFT}, {"in source", TAKC_ALIGN_RIGHT}};
    struct rows r = {.cells = takc_arena_array(a, (size_t)TAKC_LEDGER_FACTS * (c->n_rows + 2), sizeof(struct takc_str))};
    char n[32];
    enum takc_status st = r.cells ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for a table");
    for (size_t i = 0; i < c->n_rows; i++)
        columns[i + 2] = (struct takc_column){c->rows[i].rate, TAKC_ALIGN_RIGHT};
    for (unsigned k = 0; !st && k < TAKC_LEDGER_FACTS; k++) {
        st = cell(&r, a, err, "%s", takc_fact_name(k));
        if (!st)
            st = cell(&r, a, err, "%s", takc_count_text(c->rows[0].facts_source[k], n));
        for (size_t i = 0; !st && i < c->n_rows; i++)
            st = cell(&r, a, err, "%s", takc_count_text(c->rows[i].facts_kept[k], n));
    }
    return st ? st : takc_table_write(columns, c->n_rows + 2, r.cells, TAKC_LEDGER_FACTS, &cli->out, err);
}

static const struct takc_column generated_columns[] = {
    {"written", TAKC_ALIGN_LEFT},    {"calls", TAKC_ALIGN_RIGHT},    {"reused", TAKC_ALIGN_RIGHT},  {"lines", TAKC_ALIGN_RIGHT},
    {"repaired", TAKC_ALIGN_RIGHT},  {"replaced", TAKC_ALIGN_RIGHT}, {"dropped", TAKC_ALIGN_RIGHT}, {"extracts", TAKC_ALIGN_RIGHT},
    {"tokens in", TAKC_ALIGN_RIGHT}, {"out", TAKC_ALIGN_RIGHT},      {"cost", TAKC_ALIGN_RIGHT},
};
enum { GENERATED_COLUMNS = sizeof(generated_columns) / sizeof(generated_columns[0]) };

static enum takc_status generated_row(struct rows *r, struct takc_arena *a, const struct takc_ledger_entry *e, struct takc_err *err)
{
    const struct takc_ledger_generated *g = &e->generated;
    const uint64_t numbers[] = {g->calls,         g->reused,        g->lines_kept,   g->lines_repaired, g->lines_replaced,
                                g->lines_dropped, g->lines_extract, g->input_tokens, g->output_tokens};
    char n[32];
    enum takc_status st = cell(r, a, err, "%s", e->rate);
    for (size_t i = 0; !st && i < sizeof(numbers) / sizeof(numbers[0]); i++)
        st = cell(r, a, err, "%s", takc_count_text(numbers[i], n));
    takc_money_text(g->picodollars, n);
    return st ? st : cell(r, a, err, "%s%s", n, g->unpriced ? " (no price)" : "");
}

/* Windows that the model wrote nothing for, and why: nobody takes their extracts for its words. */
static enum takc_status say_unwritten(struct takc_cli *cli, const struct takc_compress_report *c, struct takc_err *err)
{
    uint64_t all = 0, blocked = 0, empty = 0;
    for (size_t i = 0; i < c->n_rows; i++) {
        all += c->rows[i].generated.windows;
        blocked += c->rows[i].generated.windows_blocked;
        empty += c->rows[i].generated.windows_empty;
    }
    if (!blocked && !empty)
        return TAKC_OK;
    return takc_cli_printf(cli, err,
                           "of %llu windows a guardrail or filter stopped %llu, and %llu replies had no line: extracts stand there\n",
                           (unsigned long long)all, (unsigned long long)blocked, (unsigned long long)empty);
}

static enum takc_status say_batches(struct takc_cli *cli, const struct takc_compress_report *c, struct takc_err *err)
{
    char replies[32], calls[32];
    return takc_cli_printf(
        cli, err, "%s replies by batch jobs; %s on demand, too few at a time for a job (model.batch_min_records) or failed in one\n",
        takc_count_text(c->batch_replies, replies), takc_count_text(c->batch_on_demand, calls));
}

/* What the model did, where one wrote. */
static enum takc_status generated_table(struct takc_cli *cli, const struct takc_compress_report *c, struct takc_arena *a,
                                        struct takc_err *err)
{
    struct rows r = {.cells = takc_arena_array(a, c->n_rows * GENERATED_COLUMNS + 1, sizeof(struct takc_str))};
    char money[32];
    enum takc_status st = r.cells ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for a table");
    bool fallback = false;
    for (size_t i = 0; !st && i < c->n_rows; i++) {
        fallback |= c->rows[i].generated.fallback;
        st = generated_row(&r, a, &c->rows[i], err);
    }
    if (!st)
        st = takc_cli_printf(cli, err, "\n");
    if (!st)
        st = takc_table_write(generated_columns, GENERATED_COLUMNS, r.cells, c->n_rows, &cli->out, err);
    takc_money_text(c->picodollars, money);
    if (!st)
        st = takc_cli_printf(cli, err, "\nwritten by %s; this run cost %s%s%s\n", c->rows[0].generated.model, money,
                             c->unpriced ? ", and calls that have no price on file" : "",
                             fallback ? "; another model answered where it failed" : "");
    if (!st)
        st = say_unwritten(cli, c, err);
    return st || !(c->batch_replies + c->batch_on_demand) ? st : say_batches(cli, c, err);
}

static enum takc_status say_table(struct takc_cli *cli, const struct takc_compress_report *c, struct takc_err *err)
{
    struct takc_arena a;
    char tokens[32], bytes[32];
    takc_arena_init(&a);
    struct rows r = {.cells = takc_arena_array(&a, c->n_rows * LEDGER_COLUMNS + 1, sizeof(struct takc_str))};
    enum takc_status st = r.cells ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for a table");
    if (!st)
        st = takc_cli_printf(cli, err, "version %s%s: %llu documents, %s, %s tokens\n", c->version, c->changed ? "" : " (nothing changed)",
                             (unsigned long long)c->n_documents, takc_bytes_text(c->source_bytes, bytes),
                             takc_count_text(c->source_tokens, tokens));
    if (!st && c->n_resumed)
        st = takc_cli_printf(cli, err, "%llu finished things of an earlier run taken over\n", (unsigned long long)c->n_resumed);
    for (size_t i = 0; !st && i < c->n_rows; i++)
        st = ledger_row(&r, &a, &c->rows[i], err);
    if (!st)
        st = takc_table_write(ledger_columns, LEDGER_COLUMNS, r.cells, c->n_rows, &cli->out, err);
    if (!st && c->n_rows)
        st = takc_cli_printf(cli, err, "\n");
    if (!st && c->n_rows)
        st = facts_table(cli, c, &a, err);
    if (!st && c->n_rows && c->rows[0].generated.used)
        st = generated_table(cli, c, &a, err);
    if (!st && c->n_rows && c->rows[c->n_rows - 1].instructions)
        st = takc_cli_printf(cli, err, "\nlines that hold an instruction to a reader, quoted as data: %llu\n",
                             (unsigned long long)c->rows[c->n_rows - 1].instructions);
    takc_arena_clear(&a);
    return st;
}

/* A job is under way, and there is no new version yet. */
static enum takc_status say_waits(struct takc_cli *cli, const struct takc_compress_report *c, bool stops, struct takc_err *err)
{
    char records[32], money[32];
    if (cli->json)
        return takc_cli_json(cli,
                             json_pack("{sb ss sI sf}", "waits", 1, "job", c->job, "records", (json_int_t)c->job_records, "most_usd",
                                       takc_ledger_usd(c->job_most)),
                             err);
    takc_money_text(c->job_most, money);
    return takc_cli_printf(cli, err, "batch job %s: %s records, at most %s; %s\n", c->job, takc_count_text(c->job_records, records), money,
                           stops ? "it is being stopped, and without --stop-job the same command reads what it has done"
                                 : "the same command goes on with it");
}

/* Members of a run whose lines a model wrote; false: no memory. */
static bool add_generated(json_t *v, const struct takc_compress_report *c)
{
    if (!c->n_rows || !c->rows[0].generated.used)
        return true;
    bool good = !json_object_set_new(v, "model", json_string(c->rows[0].generated.model)) &&
                !json_object_set_new(v, "cost_usd", json_real(takc_ledger_usd(c->picodollars))) &&
                !json_object_set_new(v, "priced", json_boolean(!c->unpriced)) &&
                !json_object_set_new(v, "cap_holds", json_boolean(!c->capless));
    if (good && c->batch_replies + c->batch_on_demand)
        good = !json_object_set_new(v, "batch_replies", json_integer((json_int_t)c->batch_replies)) &&
               !json_object_set_new(v, "batch_on_demand", json_integer((json_int_t)c->batch_on_demand));
    return good;
}

static enum takc_status say_json(struct takc_cli *cli, struct takc_str task, const struct takc_compress_report *c, struct takc_err *err)
{
    json_t *rows = json_array(), *stats = json_object(), *keys = json_object();
    bool good = rows && stats && keys;
    for (size_t i = 0; good && i < c->n_rows; i++) {
        const struct takc_ledger_entry *e = &c->rows[i];
        char key[160];
        (void)snprintf(key, sizeof(key), "takc:%.*s:%s:v%s", TAKC_STR_ARG(task), e->rate, c->version);
        good = json_array_append_new(rows, takc_ledger_json(e)) == 0 && json_object_set_new(keys, e->rate, json_string(key)) == 0 &&
               json_object_set_new(stats, e->rate,
                                   json_pack("{sI sI sf}", "original_tokens", (json_int_t)e->source_tokens, "compressed_tokens",
                                             (json_int_t)e->artifact_tokens, "compression_ratio", e->factor_tokens)) == 0;
    }
    json_t *v = good ? json_pack("{ss sb sI sI sI sO sO sO}", "version", c->version, "changed", (int)c->changed, "documents",
                                 (json_int_t)c->n_documents, "source_tokens", (json_int_t)c->source_tokens, "resumed",
                                 (json_int_t)c->n_resumed, "rates", rows, "cache_keys", keys, "compression_stats", stats)
                     : NULL;
    if (v && !add_generated(v, c)) {
        json_decref(v);
        v = NULL;
    }
    json_decref(rows);
    json_decref(stats);
    json_decref(keys);
    return takc_cli_json(cli, v, err);
}

static enum takc_status say_capless(struct takc_cli *cli, struct takc_err *err)
{
    return takc_cli_printf(cli, err,
                           "THE CAP DOES NOT HOLD: a model that is asked has no price on file, so --max-cost (cost.max_usd) and "
                           "cost.monthly_cap_usd do not see its calls; set its price in model.facts\n");
}

/* A run that failed has spent what it has; what came of it is kept. */
static void note_spent(struct takc_cli *cli, const struct takc_compress_report *c)
{
    char money[32];
    takc_money_text(c->picodollars, money);
    takc_cli_note(cli, "spent %s; replies are kept, and the next run asks for the rest alone", money);
}

enum takc_status takc_verb_compress(struct takc_cli *cli, struct takc_err *err)
{
    struct takc_home *home = NULL;
    uint32_t rates[TAKC_LEDGER_ROWS];
    struct takc_compress_report report = {.changed = false};
    struct takc_compress_options o = {.rates = rates,
                                      .n_rates = takc_cli_rates(cli, "rates", rates, TAKC_LEDGER_ROWS),
                                      .n_threads = takc_cli_threads(cli),
                                      .wait_ms = takc_cli_number(cli, "wait-ms", 0)};
    struct writer w = {.model = {.model = {NULL, 0}}};
    enum takc_status st = takc_cli_open_task(cli, &home, &o.task, err);
    if (!st)
        st = writer_open(cli, home, &w, &o, err);
    if (!st)
        st = read_batch(cli, &w, &o, err);
    if (!st)
        st = takc_compress(home, &cli->call, &o, &report, err);
    takc_progress_hide(&cli->progress);
    if (!st && report.waits)
        st = say_waits(cli, &report, w.batch.stop, err);
    else if (!st)
        st = cli->json ? say_json(cli, o.task, &report, err) : say_table(cli, &report, err);
    if (!st && report.capless && !cli->json)
        st = say_capless(cli, err);
    else if (st && (report.picodollars || report.unpriced))
        note_spent(cli, &report);
    writer_close(&w);
    takc_home_close(home);
    return st;
}

/* --- plan --- */

static enum takc_status say_plan(struct takc_cli *cli, const takc_rate *rates, size_t n, uint64_t docs, uint64_t bytes, uint64_t tokens,
                                 struct takc_err *err)
{
    static const struct takc_column columns[] = {{"rate", TAKC_ALIGN_LEFT},
                                                 {"factor", TAKC_ALIGN_RIGHT},
                                                 {"budget tokens", TAKC_ALIGN_RIGHT},
                                                 {"calls", TAKC_ALIGN_RIGHT},
                                                 {"cost", TAKC_ALIGN_RIGHT}};
    struct takc_arena a;
    char b[32], t[32], name[24];
    takc_arena_init(&a);
    struct rows r = {.cells = takc_arena_array(&a, n * 5 + 1, sizeof(struct takc_str))};
    enum takc_status st = r.cells ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for a table");
    if (!st)
        st = takc_cli_printf(cli, err, "%llu documents, %s, %s tokens; extractive: no model calls, no cost\n", (unsigned long long)docs,
                             takc_bytes_text(bytes, b), takc_count_text(tokens, t));
    for (size_t i = 0; !st && i < n; i++) {
        takc_rate_name(rates[i], name);
        st = cell(&r, &a, err, "%s", name);
        if (!st)
            st = cell(&r, &a, err, "%.4gx", rates[i] / 1000.0);
        if (!st)
            st = cell(&r, &a, err, "%s", takc_count_text(tokens * 1000 / rates[i], t));
        if (!st)
            st = cell(&r, &a, err, "0");
        if (!st)
            st = cell(&r, &a, err, "$0");
    }
    if (!st)
        st = takc_table_write(columns, 5, r.cells, n, &cli->out, err);
    takc_arena_clear(&a);
    return st;
}

static json_t *plan_json(const takc_rate *rates, size_t n, uint64_t docs, uint64_t bytes, uint64_t tokens)
{
    json_t *list = json_array();
    char name[24];
    for (size_t i = 0; list && i < n; i++) {
        takc_rate_name(rates[i], name);
        if (json_array_append_new(list, json_pack("{ss sf sI sI sf}", "rate", name, "factor_asked", rates[i] / 1000.0, "budget_tokens",
                                                  (json_int_t)(tokens * 1000 / rates[i]), "calls", (json_int_t)0, "cost_usd", 0.0))) {
            json_decref(list);
            return NULL;
        }
    }
    return json_pack("{sI sI sI so}", "documents", (json_int_t)docs, "source_bytes", (json_int_t)bytes, "source_tokens", (json_int_t)tokens,
                     "rates", list);
}

/* --- plan with a model --- */

/* What it would take: calls, tokens, money, time. */
static enum takc_status say_effort(struct takc_cli *cli, const struct takc_compress_plan *p, struct takc_str model, struct takc_err *err)
{
    char n[5][32], money[32], time[32], of[96];
    const struct takc_clock *clock = takc_clock_or_system(cli->call.clock);
    takc_money_text(p->picodollars, money);
    takc_price_date_text(takc_str(p->price_date), clock->wall_s(clock), of);
    enum takc_status st = takc_cli_printf(
        cli, err, "%llu documents, %s tokens; by %.*s: %s calls (%s replies are kept), %s tokens in, %s out\n",
        (unsigned long long)p->n_documents, takc_count_text(p->source_tokens, n[0]), TAKC_STR_ARG(model), takc_count_text(p->calls, n[1]),
        takc_count_text(p->reused, n[2]), takc_count_text(p->prompt_tokens, n[3]), takc_count_text(p->reply_tokens, n[4]));
    if (!st)
        st = takc_cli_printf(cli, err, "cost%s: %s%s%s; time: about %s, %u calls at a time, ", p->batch_percent ? " by batch jobs" : "",
                             p->priced ? money : "no price on file", p->priced ? ", prices of " : "", p->priced ? of : "",
                             takc_seconds_text((double)p->ms / 1000, time), p->n_parallel);
    if (!st && p->n_measured)
        st = takc_cli_printf(cli, err, "measured: the median of its last %llu calls (%llu ms)\n", (unsigned long long)p->n_measured,
                             (unsigned long long)p->call_ms);
    else if (!st)
        st = takc_cli_printf(cli, err, "if a call takes %d s and the model writes %d tokens a second (none was measured yet)\n",
                             TAKC_PLAN_CALL_MS / 1000, TAKC_PLAN_TOKENS_S);
    return st;
}

static enum takc_status model_plan_row(struct rows *r, struct takc_arena *a, const struct takc_compress_plan_row *row, struct takc_err *err)
{
    char n[32], name[24];
    takc_rate_name(row->rate, name);
    enum takc_status st = cell(r, a, err, "%s", name);
    if (!st)
        st = cell(r, a, err, "%.4gx", row->rate / 1000.0);
    if (!st)
        st = cell(r, a, err, "%s", takc_count_text(row->budget_tokens, n));
    if (st || !row->questions)
        return st ? st : cell(r, a, err, "-");
    return cell(r, a, err, "%s question%s", takc_count_text(row->questions, n), row->questions == 1 ? "" : "s");
}

static enum takc_status say_model_plan(struct takc_cli *cli, const struct takc_compress_plan *p, struct takc_str model,
                                       struct takc_err *err)
{
    static const struct takc_column columns[] = {
        {"rate", TAKC_ALIGN_LEFT}, {"factor", TAKC_ALIGN_RIGHT}, {"budget tokens", TAKC_ALIGN_RIGHT}, {"pays off after", TAKC_ALIGN_RIGHT}};
    struct takc_arena a;
    takc_arena_init(&a);
    struct rows r = {.cells = takc_arena_array(&a, p->n_rows * 4 + 1, sizeof(struct takc_str))};
    enum takc_status st = r.cells ? say_effort(cli, p, model, err) : takc_fail(err, TAKC_NOMEM, 0, "no memory for a table");
    for (size_t i = 0; !st && i < p->n_rows; i++)
        st = model_plan_row(&r, &a, &p->rows[i], err);
    if (!st)
        st = takc_table_write(columns, 4, r.cells, p->n_rows, &cli->out, err);
    if (!st && p->priced)
        st = takc_cli_printf(cli, err,
                             "a question without compression is taken to read all source tokens at the model's price of input, one with it "
                             "the artifact; repairs are not planned\n");
    takc_arena_clear(&a);
    return st;
}

static json_t *model_plan_json(const struct takc_compress_plan *p, struct takc_str model, int64_t now_s)
{
    struct takc_str date = takc_str(p->price_date);
    json_t *list = json_array();
    char name[24];
    for (size_t i = 0; list && i < p->n_rows; i++) {
        takc_rate_name(p->rows[i].rate, name);
        json_t *questions = p->rows[i].questions ? json_integer((json_int_t)p->rows[i].questions) : json_null();
        if (json_array_append_new(list, json_pack("{ss sf sI so}", "rate", name, "factor_asked", p->rows[i].rate / 1000.0, "budget_tokens",
                                                  (json_int_t)p->rows[i].budget_tokens, "pays_off_after_questions", questions))) {
            json_decref(list);
            return NULL;
        }
    }
    json_t *cost = p->priced ? json_real(takc_ledger_usd(p->picodollars)) : json_null();
    return json_pack("{sI sI so sI sI sI sI so sb so sb sb sI sI sI so so}", "documents", (json_int_t)p->n_documents, "source_tokens",
                     (json_int_t)p->source_tokens, "model", takc_json_str(model), "calls", (json_int_t)p->calls, "reused",
                     (json_int_t)p->reused, "prompt_tokens", (json_int_t)p->prompt_tokens, "reply_tokens", (json_int_t)p->reply_tokens,
                     "cost_usd", cost, "priced", (int)p->priced, "price_date", p->priced && date.len ? takc_json_str(date) : json_null(),
                     "price_old", (int)(takc_price_age_days(date, now_s) > TAKC_PRICE_OLD_DAYS), "cap_holds", (int)!p->capless,
                     "batch_percent", (json_int_t)p->batch_percent, "estimated_ms", (json_int_t)p->ms, "measured_calls",
                     (json_int_t)p->n_measured, "measured_call_ms", p->n_measured ? json_integer((json_int_t)p->call_ms) : json_null(),
                     "rates", list);
}

static enum takc_status plan_model(struct takc_cli *cli, struct takc_home *home, const struct takc_compress_options *o,
                                   struct takc_err *err)
{
    struct takc_compress_plan p;
    enum takc_status st = takc_compress_plan(home, &cli->call, o, &p, err);
    takc_progress_hide(&cli->progress);
    if (st)
        return st;
    const struct takc_clock *clock = takc_clock_or_system(cli->call.clock);
    if (cli->json)
        return takc_cli_json(cli, model_plan_json(&p, o->model->model, clock->wall_s(clock)), err);
    st = say_model_plan(cli, &p, o->model->model, err);
    return st || !p.capless ? st : say_capless(cli, err);
}

/* Sums of the documents as they are now. Duplicates and hidden parts are told apart when compressing; the plan is an upper bound. */
static enum takc_status sum_documents(struct takc_home *h, struct takc_str task, uint64_t *docs, uint64_t *bytes, uint64_t *tokens,
                                      struct takc_err *err)
{
    struct takc_arena a;
    struct takc_document *list;
    size_t n = 0;
    takc_arena_init(&a);
    *bytes = *tokens = 0;
    enum takc_status st = takc_home_documents(h, task, &a, &list, &n, err);
    for (size_t i = 0; !st && i < n; i++) {
        const struct takc_revision *r = &list[i].revisions[list[i].n_revisions - 1];
        *bytes += r->source_bytes;
        *tokens += r->source_mt;
    }
    *tokens = (*tokens + 999) / 1000;
    *docs = n;
    if (!st && n == 0)
        st = takc_fail(err, TAKC_NOT_FOUND, 0, "task %.*s has no documents; run: takc ingest -t %.*s FOLDER", TAKC_STR_ARG(task),
                       TAKC_STR_ARG(task));
    takc_arena_clear(&a);
    return st;
}

/* Without a model: budgets alone. */
static enum takc_status plan_extracts(struct takc_cli *cli, struct takc_home *home, const struct takc_compress_options *o,
                                      const struct takc_profile *p, struct takc_err *err)
{
    uint64_t docs = 0, bytes = 0, tokens = 0;
    const takc_rate *rates = o->n_rates ? o->rates : p->rates;
    size_t n = o->n_rates ? o->n_rates : p->n_rates;
    enum takc_status st = sum_documents(home, o->task, &docs, &bytes, &tokens, err);
    if (st)
        return st;
    return cli->json ? takc_cli_json(cli, plan_json(rates, n, docs, bytes, tokens), err)
                     : say_plan(cli, rates, n, docs, bytes, tokens, err);
}

enum takc_status takc_verb_plan(struct takc_cli *cli, struct takc_err *err)
{
    struct takc_home *home = NULL;
    takc_rate rates[TAKC_LEDGER_ROWS];
    struct writer w = {.model = {.model = {NULL, 0}}};
    struct takc_compress_options o = {.batch = takc_cli_flag(cli, "batch") ? &w.batch : NULL,
                                      .rates = rates,
                                      .n_rates = takc_cli_rates(cli, "rates", rates, TAKC_LEDGER_ROWS),
                                      .n_threads = takc_cli_threads(cli)};
    enum takc_status st = takc_cli_open_task(cli, &home, &o.task, err);
    if (!st)
        st = writer_open(cli, home, &w, &o, err);
    if (!st && o.batch && !w.model.model.len)
        st = takc_fail(err, TAKC_INVALID, 0, "batch jobs need a model: --model bedrock:MODEL");
    if (!st)
        st = w.model.model.len ? plan_model(cli, home, &o, err) : plan_extracts(cli, home, &o, &w.profile, err);
    writer_close(&w);
    takc_home_close(home);
    return st;
}
