/* SPDX-License-Identifier: Apache-2.0
 *
 * query.c - takc query, explain and chat: one question through the pipeline, shown as lines with citations, as JSON, or as the context. */
#include "takc/query.h"
#include "cli/home_open.h"
#include "cli/model_flags.h"
#include "model/facts.h"
#include "pipeline/models.h"
#include "reply/reply.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_GLOBS = 64, MAX_HISTORY = 32, QUOTE_WIDTH = 300 };

struct asked { /* options of one run, and what they point to */
    struct takc_query_options o;
    struct takc_str globs[MAX_GLOBS];
    struct takc_str history[MAX_HISTORY], answers[MAX_HISTORY];
    struct takc_model_settings model;
    struct takc_profile profile; /* which may name the model */
    struct takc_models *models;  /* of all questions of a chat: limits and money are the run's; NULL: no model */
    struct takc_home *home;
    struct takc_cli *cli;
    bool spoke, at_line_start; /* the answer came while it was made; what it ended with */
};

/* Shows a piece of an answer; the main thread waits for its end meanwhile. */
static enum takc_status speak(void *arg, struct takc_str text, struct takc_err *err)
{
    struct asked *q = arg;
    if (!text.len)
        return TAKC_OK;
    q->spoke = true;
    q->at_line_start = text.ptr[text.len - 1] == '\n';
    enum takc_status st = takc_cli_write(q->cli, text, err);
    return st ? st : takc_cli_flush(q->cli, err);
}

/* Model, its limits, and whether its answer is shown while it comes: on a terminal, or when asked for. */
static enum takc_status open_model(struct takc_cli *cli, struct asked *q, struct takc_err *err)
{
    enum takc_status st = takc_home_counting_profile(q->home, q->o.task, &q->profile, err);
    if (!st)
        st = takc_cli_models(cli, &q->profile, &cli->settings.arena, &q->model, err);
    if (!st && q->model.model.len)
        st = takc_models_open(&q->models, q->home, q->o.task, &q->model, q->profile.counter, err);
    q->cli = cli;
    q->o.model = &q->model;
    q->o.models = q->models;
    q->o.max_tokens = (uint32_t)takc_cli_number(cli, "max-tokens", 0);
    q->o.answer_cache = takc_cli_flag(cli, "answer-cache") || cli->settings.query_answer_cache;
    q->o.questions_a_window = (unsigned)cli->settings.query_questions_per_window;
    if (!cli->json && (takc_cli_flag(cli, "stream") || cli->term.terminal)) {
        q->o.delta = speak;
        q->o.delta_arg = q;
    }
    return st;
}

static void close_asked(struct asked *q)
{
    takc_models_close(q->models);
    takc_profile_clear(&q->profile);
    takc_home_close(q->home);
}

/* What options of numbers cannot say in their table: a limit of nothing. */
static enum takc_status check_limits(const struct takc_cli *cli, struct takc_err *err)
{
    static const char *const limits[] = {"reader-tokens", "artifact-tokens"};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        if (takc_cli_number(cli, limits[i], 1) == 0)
            return takc_fail(err, TAKC_INVALID, 0, "--%s: a number of at least 1 is expected", limits[i]);
    return TAKC_OK;
}

static enum takc_status open_asked(struct takc_cli *cli, struct asked *q, struct takc_err *err)
{
    *q = (struct asked){.o = {.version = takc_cli_label(takc_cli_opt(cli, "version")),
                              .rate = takc_cli_rate(cli, "rate", 0),
                              .reader_tokens = takc_cli_number(cli, "reader-tokens", cli->settings.query_reader_tokens),
                              .reader_tokens_asked = takc_cli_flag(cli, "reader-tokens"),
                              .artifact_tokens = takc_cli_number(cli, "artifact-tokens", cli->settings.query_artifact_tokens),
                              .cost_sensitive = takc_cli_flag(cli, "cost-sensitive"),
                              .abstain_below = cli->settings.query_abstain_below}};
    q->o.documents = q->globs;
    q->o.has_after = takc_cli_date(cli, "after", &q->o.after);
    q->o.has_before = takc_cli_date(cli, "before", &q->o.before);
    enum takc_status st = check_limits(cli, err);
    if (!st)
        st = takc_cli_opts(cli, "documents", q->globs, MAX_GLOBS, &q->o.n_documents, err);
    if (!st)
        st = takc_cli_open_task(cli, &q->home, &q->o.task, err);
    if (!st && takc_cli_opt(cli, "mode").len)
        st = takc_mode_parse(takc_cli_opt(cli, "mode"), &q->o.mode, err);
    return st ? st : open_model(cli, q, err);
}

/* All arguments are one question, joined by blanks. */
static enum takc_status join_args(struct takc_cli *cli, struct takc_str *out, struct takc_err *err)
{
    struct takc_str all = cli->n_args ? cli->args[0] : (struct takc_str){0};
    for (size_t i = 1; i < cli->n_args; i++) {
        all = takc_str(takc_arena_printf(&cli->settings.arena, "%.*s %.*s", TAKC_STR_ARG(all), TAKC_STR_ARG(cli->args[i])));
        if (!all.ptr)
            return takc_fail(err, TAKC_NOMEM, 0, "no memory for a question");
    }
    *out = all;
    return TAKC_OK;
}

static enum takc_status say_json(struct takc_cli *cli, const struct asked *q, const struct takc_query_result *r, bool with_context,
                                 struct takc_err *err)
{
    const struct takc_query_reply reply = {.query = q->o.question, .task_type = q->o.task, .result = r, .with_context = with_context};
    return takc_cli_json(cli, takc_query_reply_json(&reply), err);
}

/* --- text --- */

/* "policy.html, section 2.3 > ..., line 12" */
static enum takc_status say_place(struct takc_cli *cli, const struct takc_cited *c, struct takc_err *err)
{
    const struct {
        const char *name;
        uint32_t n;
    } places[] = {{"page", c->page}, {"line", c->line}, {"row", c->row}, {"column", c->column}, {"paragraph", c->paragraph}};
    enum takc_status st = takc_cli_printf(cli, err, "%.*s", TAKC_STR_ARG(c->document));
    for (size_t i = 0; !st && i < sizeof(places) / sizeof(places[0]); i++)
        if (places[i].n)
            st = takc_cli_printf(cli, err, ", %s %u", places[i].name, places[i].n);
    if (!st && c->pointer.len)
        st = takc_cli_printf(cli, err, ", %.*s", TAKC_STR_ARG(c->pointer));
    if (!st && c->section.len)
        st = takc_cli_printf(cli, err, ", section \"%.*s\"", TAKC_STR_ARG(c->section));
    return st;
}

/* A quote on one line, cut for the eye only. */
static enum takc_status say_quote(struct takc_cli *cli, struct takc_str quote, struct takc_err *err)
{
    struct takc_buf line;
    takc_buf_init(&line, TAKC_BUF_MAX_DOCUMENT);
    bool blank = false;
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < quote.len; i++) {
        char c = quote.ptr[i];
        bool space = c == ' ' || c == '\n' || c == '\t' || c == '\f' || c == '\r';
        if (space && (blank || !line.len))
            continue;
        if (space && line.len > QUOTE_WIDTH) {
            st = takc_buf_add(&line, takc_str(" ..."), err);
            break;
        }
        blank = space;
        st = takc_buf_byte(&line, space ? ' ' : c, err);
    }
    if (!st)
        st = takc_cli_printf(cli, err, "      \"%.*s\"\n", TAKC_STR_ARG(takc_str_trim(takc_buf_str(&line))));
    takc_buf_clear(&line);
    return st;
}

static enum takc_status say_citations(struct takc_cli *cli, const struct takc_query_result *r, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    size_t most = r->mode == TAKC_MODE_ARTIFACT && r->n_citations > 5 && !r->abstained ? 5 : r->n_citations;
    for (size_t i = 0; !st && i < most; i++) {
        st = takc_cli_printf(cli, err, "  [%zu] ", i + 1);
        if (!st)
            st = say_place(cli, &r->citations[i], err);
        if (!st)
            st = takc_cli_printf(cli, err, "%s\n", r->citations[i].instructs ? " (holds an instruction; quoted as data)" : "");
        if (!st)
            st = say_quote(cli, r->citations[i].quote, err);
    }
    return st;
}

static enum takc_status say_summary(struct takc_cli *cli, const struct takc_query_result *r, struct takc_err *err)
{
    char tokens[32], source[32];
    return takc_cli_printf(cli, err, "(%s, %s, %s of %s tokens, confidence %.2f, %llu ms)\n", takc_mode_name(r->mode),
                           r->rate[0] ? r->rate : "nothing shown", takc_count_text(r->tokens, tokens),
                           takc_count_text(r->source_tokens, source), r->confidence, (unsigned long long)r->ms);
}

/* "(bedrock NAME, 812 tokens in, 700 of them from its cache, 40 out, $0.0012)" */
static enum takc_status say_answered(struct takc_cli *cli, const struct takc_model_answer *a, struct takc_err *err)
{
    char money[32];
    uint64_t in = a->input + a->cache_read + a->cache_write;
    if (!a->asked)
        return TAKC_OK;
    takc_money_text(a->picodollars, money);
    enum takc_status st = takc_cli_printf(cli, err, "(%.*s %.*s", TAKC_STR_ARG(a->provider), TAKC_STR_ARG(a->model));
    if (!st && a->cache_hit)
        return takc_cli_printf(cli, err, ", a kept answer: $0.00)\n");
    if (!st)
        st = takc_cli_printf(cli, err, ", %llu tokens in", (unsigned long long)in);
    if (!st && a->cache_read)
        st = takc_cli_printf(cli, err, ", %llu of them from its cache", (unsigned long long)a->cache_read);
    if (!st && a->tries > 1)
        st = takc_cli_printf(cli, err, ", %u tries", a->tries);
    return st ? st : takc_cli_printf(cli, err, ", %llu out, %s)\n", (unsigned long long)a->output, a->priced ? money : "no price on file");
}

/* What an answer begins with that was shown already: nothing but the end of its line. */
static enum takc_status say_response(struct takc_cli *cli, const struct asked *q, const struct takc_query_result *r, struct takc_err *err)
{
    bool nearest = r->abstained && r->n_citations;
    if (q->spoke && q->at_line_start)
        return nearest ? takc_cli_printf(cli, err, "nearest:\n") : TAKC_OK;
    if (q->spoke)
        return takc_cli_printf(cli, err, "%s\n", nearest ? "; nearest:" : "");
    if (r->abstained)
        return takc_cli_printf(cli, err, "%.*s%s\n", TAKC_STR_ARG(r->response), nearest ? "; nearest:" : "");
    return takc_cli_printf(cli, err, "%.*s%s", TAKC_STR_ARG(r->response), takc_str_ends(r->response, takc_str("\n")) ? "" : "\n");
}

static enum takc_status say_text(struct takc_cli *cli, const struct asked *q, const struct takc_query_result *r, struct takc_err *err)
{
    enum takc_status st = say_response(cli, q, r, err);
    if (!st)
        st = say_citations(cli, r, err);
    if (!st && r->notes.len)
        st = takc_cli_printf(cli, err, "%.*s", TAKC_STR_ARG(r->notes));
    if (!st)
        st = say_answered(cli, &r->answer, err);
    return st ? st : say_summary(cli, r, err);
}

static void note_asked(struct takc_cli *cli, const struct asked *q, const struct takc_query_result *r)
{
    const struct takc_clock *clock = takc_clock_or_system(cli->call.clock);
    const struct takc_query_note n = {.task = q->o.task,
                                      .version = r->version,
                                      .mode = takc_str(takc_mode_name(r->mode)),
                                      .rate = takc_str(r->rate),
                                      .question = q->o.question,
                                      .confidence = r->confidence,
                                      .ms = r->ms,
                                      .tokens = r->tokens,
                                      .abstained = r->abstained,
                                      .keep_words = cli->settings.query_keep_questions,
                                      .at_s = clock->wall_s(clock)};
    struct takc_err err;
    if (takc_home_note_query(q->home, &n, &err))
        takc_cli_note(cli, "the question was not noted: %s", err.msg);
}

/* What was shown of an answer that broke off is a line of its own: the message comes below it. */
static void end_broken(struct takc_cli *cli, const struct asked *q)
{
    if (q->spoke && !q->at_line_start && !takc_cli_printf(cli, NULL, "\n"))
        (void)!takc_cli_flush(cli, NULL);
}

enum takc_status takc_verb_query(struct takc_cli *cli, struct takc_err *err)
{
    struct asked q;
    struct takc_query_result r = {0};
    enum takc_status st = open_asked(cli, &q, err);
    if (!st)
        st = join_args(cli, &q.o.question, err);
    bool context = takc_cli_flag(cli, "context");
    q.o.dry = context && !cli->json; /* nobody would see the answer */
    if (!st)
        st = takc_query(q.home, &cli->call, &q.o, &r, err);
    if (st)
        end_broken(cli, &q);
    else if (cli->json)
        st = say_json(cli, &q, &r, context, err);
    else if (context)
        st = takc_cli_write(cli, r.context, err);
    else
        st = say_text(cli, &q, &r, err);
    if (!st)
        st = takc_cli_flush(cli, err);
    if (!st)
        note_asked(cli, &q, &r);
    takc_query_result_free(&r);
    close_asked(&q);
    return st;
}

/* --- explain --- */

static enum takc_status explain_tried(struct takc_cli *cli, const struct takc_tried_rate *t, struct takc_err *err)
{
    char money[32];
    takc_money_text(t->picodollars, money);
    enum takc_status st = takc_cli_printf(cli, err, "tried       %s: %llu tokens", t->rate, (unsigned long long)t->tokens);
    if (!st && t->coverage >= 0)
        st = takc_cli_printf(cli, err, ", coverage %.2f", t->coverage);
    if (!st && t->priced)
        st = takc_cli_printf(cli, err, ", %s a question%s", money, t->cached ? " from the model's cache" : "");
    return st ? st : takc_cli_printf(cli, err, "\n");
}

static enum takc_status explain_text(struct takc_cli *cli, const struct takc_query_result *r, struct takc_err *err)
{
    char factor[32];
    (void)snprintf(factor, sizeof(factor), "%.1fx", r->factor);
    bool named = r->rate[0] && strcmp(r->rate, factor) != 0; /* "ultra (64.0x)" */
    enum takc_status st =
        takc_cli_printf(cli, err,
                        "prompt      %s, %s\nmode        %s\nrate        %s%s%s%s\ncoverage    %.2f of the question's words, by rarity\n"
                        "confidence  %.2f%s\n",
                        r->prompt_kind, r->complexity, takc_mode_name(r->mode), r->rate[0] ? r->rate : "none", named ? " (" : "",
                        named ? factor : "", named ? ")" : "", r->coverage, r->confidence, r->abstained ? " (abstained)" : "");
    for (size_t i = 0; !st && i < r->n_tried; i++)
        st = explain_tried(cli, &r->tried[i], err);
    if (!st && r->route.len)
        st = takc_cli_printf(cli, err, "route       %.*s\n", TAKC_STR_ARG(r->route));
    if (!st && r->n_missing)
        st = takc_cli_printf(cli, err, "missing    ");
    for (size_t i = 0; !st && i < r->n_missing; i++)
        st = takc_cli_printf(cli, err, " %.*s", TAKC_STR_ARG(r->missing[i]));
    if (!st)
        st = takc_cli_printf(cli, err, "%slines       %llu shown, %llu tokens of at most %llu\n", r->n_missing ? "\n" : "",
                             (unsigned long long)r->n_lines, (unsigned long long)r->tokens, (unsigned long long)r->limit_tokens);
    if (!st && r->notes.len)
        st = takc_cli_printf(cli, err, "notes       %.*s", TAKC_STR_ARG(r->notes));
    for (size_t i = 0; !st && i < r->n_citations; i++) {
        st = takc_cli_printf(cli, err, "  score %.3f, covers %.2f: ", r->citations[i].score, r->citations[i].coverage);
        if (!st)
            st = say_place(cli, &r->citations[i], err);
        if (!st)
            st = takc_cli_printf(cli, err, "\n");
        if (!st)
            st = say_quote(cli, r->citations[i].quote, err);
    }
    return st;
}

enum takc_status takc_verb_explain(struct takc_cli *cli, struct takc_err *err)
{
    struct asked q;
    struct takc_query_result r = {0};
    enum takc_status st = open_asked(cli, &q, err);
    if (!st)
        st = join_args(cli, &q.o.question, err);
    q.o.answer_lines = 10;
    q.o.dry = true;
    if (!st)
        st = takc_query(q.home, &cli->call, &q.o, &r, err);
    if (!st)
        st = cli->json ? say_json(cli, &q, &r, false, err) : explain_text(cli, &r, err);
    takc_query_result_free(&r);
    close_asked(&q);
    return st;
}

/* --- chat --- */

/* The question and its answer join the history; the oldest leave when it is full. */
static enum takc_status remember(struct takc_cli *cli, struct asked *q, const struct takc_query_result *r, struct takc_err *err)
{
    struct takc_str answer = r->abstained || r->answer.blocked ? (struct takc_str){0} : r->response;
    if (q->o.n_history == MAX_HISTORY) {
        memmove(q->history, q->history + 1, (MAX_HISTORY - 1) * sizeof(q->history[0]));
        memmove(q->answers, q->answers + 1, (MAX_HISTORY - 1) * sizeof(q->answers[0]));
        q->o.n_history--;
    }
    size_t i = q->o.n_history;
    q->history[i] = takc_arena_dup(&cli->settings.arena, q->o.question);
    q->answers[i] = takc_arena_dup(&cli->settings.arena, answer);
    q->o.history = q->history;
    q->o.history_answers = q->answers;
    q->o.n_history++;
    return q->history[i].ptr && q->answers[i].ptr ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for the history");
}

static enum takc_status one_turn(struct takc_cli *cli, struct asked *q, struct takc_str question, struct takc_err *err)
{
    struct takc_query_result r = {0};
    q->o.question = question;
    q->spoke = false;
    enum takc_status st = takc_query(q->home, &cli->call, &q->o, &r, err);
    if (st)
        end_broken(cli, q);
    else
        st = cli->json ? say_json(cli, q, &r, false, err) : say_text(cli, q, &r, err);
    if (!st)
        st = takc_cli_flush(cli, err);
    if (!st)
        note_asked(cli, q, &r);
    if (!st)
        st = remember(cli, q, &r, err);
    takc_query_result_free(&r);
    return st;
}

/* Failures of a model that pass, in front of somebody who can ask again. */
static bool may_go_on(const struct takc_cli *cli, enum takc_status st)
{
    return cli->term.terminal && (st == TAKC_LIMITED || st == TAKC_UPSTREAM || st == TAKC_TIMEOUT);
}

enum takc_status takc_verb_chat(struct takc_cli *cli, struct takc_err *err)
{
    struct asked q;
    char *line = NULL;
    size_t cap = 0;
    enum takc_status st = open_asked(cli, &q, err);
    while (!st) {
        if (!cli->quiet && cli->term.terminal) {
            (void)fputs("> ", stderr);
            (void)fflush(stderr);
        }
        ssize_t n = getline(&line, &cap, stdin);
        struct takc_str question = n > 0 ? takc_str_trim(takc_str_n(line, (size_t)n)) : (struct takc_str){0};
        if (question.len == 0)
            break;
        st = one_turn(cli, &q, question, err);
        if (may_go_on(cli, st)) { /* a person asks again; a script is told */
            takc_cli_note(cli, "%s", err->msg);
            st = TAKC_OK;
        }
    }
    free(line);
    close_asked(&q);
    return st;
}
