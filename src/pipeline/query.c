/* SPDX-License-Identifier: Apache-2.0
 *
 * query.c - the story of a question: open a version, tell the kind of prompt, choose mode and rate, compose what the reader sees, answer
 * with the best lines, say how sure and how dear.
 *
 * An explicit mode or rate is never overruled; what it costs in coverage is said instead. Without a model the response is lines of the
 * documents: the chosen ones for a specific question, the artifact's text for a task-wide prompt. */
#include "takc/query.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "compress/artifact.h"
#include "pipeline/cite.h"
#include "pipeline/ledger.h"
#include "pipeline/version.h"
#include "rank/select.h"
#include "token/words.h"

#include <stdio.h>

#define DEFAULT_READER_TOKENS 2000u /* data-model.md section 5 */
#define DEFAULT_ARTIFACT_TOKENS 16000u
enum {
    TRIES = 10, /* of a question whose version is replaced while it is answered */
    DEFAULT_ANSWER_LINES = 3,
    ARTIFACT_CITATIONS = 20,
    HEADING_SAYS = 6 /* words from which a heading may say something */
};
#define BONUS_LINE 0.55 /* a further line answers, too, when its score reaches this share of the best one's */

static const char *const mode_names[] = {NULL, "auto", "artifact", "select", "both", "whole"};

const char *takc_mode_name(enum takc_mode m)
{
    return (unsigned)m < sizeof(mode_names) / sizeof(mode_names[0]) ? mode_names[m] : NULL;
}

enum takc_status takc_mode_parse(struct takc_str s, enum takc_mode *out, struct takc_err *err)
{
    for (int m = TAKC_MODE_AUTO; m <= TAKC_MODE_WHOLE; m++)
        if (takc_str_is(s, mode_names[m])) {
            *out = (enum takc_mode)m;
            return TAKC_OK;
        }
    return takc_fail(err, TAKC_INVALID, 0, "mode '%.*s' is none of auto, artifact, select, both, whole", TAKC_STR_ARG(s));
}

struct answer { /* one query on its way */
    struct takc_snapshot snapshot;
    struct takc_arena *arena; /* the result's */
    struct takc_call *call;
    const struct takc_query_options *o;
    const struct takc_tokenizer_ops *tokenizer;
    struct takc_profile profile;
    struct takc_query_result *r;
    struct takc_str question; /* with the history's words where it names nothing itself */
    uint64_t reader_tokens, artifact_tokens;
    struct takc_choice choice;
    struct takc_buf notes;
    bool *passing; /* per document of the index: passes the filters */
    size_t n_passing;
};

static enum takc_status note(struct answer *q, struct takc_err *err, const char *text)
{
    return takc_buf_printf(&q->notes, err, "%s\n", text);
}

static enum takc_status keep(struct answer *q, struct takc_str s, struct takc_str *out, struct takc_err *err)
{
    *out = takc_arena_dup(q->arena, s);
    return out->ptr ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for an answer");
}

/* --- filters --- */

static struct takc_filter filter_of(const struct answer *q)
{
    return (struct takc_filter){q->o->documents, q->o->n_documents, q->o->has_after, q->o->has_before, q->o->after, q->o->before};
}

static bool is_filtered(const struct answer *q)
{
    return q->o->n_documents || q->o->has_after || q->o->has_before;
}

/* Which documents of the index pass, and a note of how many; those without a date are told where dates were asked for. */
static enum takc_status apply_filter(struct answer *q, struct takc_err *err)
{
    size_t n = takc_index_n_docs(q->snapshot.index), undated = 0;
    const struct takc_filter f = filter_of(q);
    struct takc_index_doc d;
    enum takc_status st = TAKC_OK;
    q->passing = takc_arena_array(q->arena, n + 1, sizeof(*q->passing));
    if (!q->passing)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a filter");
    for (uint32_t i = 0; !st && i < n; i++) {
        st = takc_index_doc_at(q->snapshot.index, i, &d, err);
        q->passing[i] = !st && takc_filter_passes(&f, &d);
        q->n_passing += q->passing[i];
        undated += !st && !d.has_date;
    }
    if (st || !is_filtered(q))
        return st;
    st = q->n_passing ? takc_buf_printf(&q->notes, err, "%zu of %zu documents pass the filters\n", q->n_passing, n)
                      : takc_buf_printf(&q->notes, err, "none of the %zu documents passes the filters\n", n);
    if (!st && undated && (q->o->has_after || q->o->has_before))
        st = takc_buf_printf(&q->notes, err, "documents without a date, which pass no filter of dates: %zu\n", undated);
    return st;
}

/* Does the document of that name pass? The index has them by name bytes. */
static bool name_passes(const struct answer *q, struct takc_str name)
{
    size_t lo = 0, hi = takc_index_n_docs(q->snapshot.index);
    struct takc_index_doc d;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (takc_index_doc_at(q->snapshot.index, (uint32_t)mid, &d, NULL))
            return false;
        int c = takc_str_cmp(d.name, name);
        if (c == 0)
            return q->passing[mid];
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return false;
}

/* The artifact's text, of the documents that pass. A segment belongs to the document of its line's first span. */
static enum takc_status passing_text(struct answer *q, struct takc_artifact *a, struct takc_buf *out, struct takc_err *err)
{
    struct takc_segment *left = takc_arena_array(q->arena, a->n_segments + 1, sizeof(*left));
    size_t n = 0;
    if (!left)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a filter");
    for (size_t i = 0; i < a->n_segments; i++) {
        const struct takc_part *body = &a->segments[i].parts[a->segments[i].n_parts - 1];
        if (!is_filtered(q) || (body->n_spans && name_passes(q, a->documents[body->spans[0].doc].name)))
            left[n++] = a->segments[i];
    }
    a->segments = left;
    a->n_segments = n;
    return takc_artifact_text(a, out, err);
}

/* --- artifacts --- */

/* Text of a stored artifact, in the arena; NOT_FOUND names the rates that there are. */
static enum takc_status stored_text(struct answer *q, takc_rate rate, struct takc_str *out, struct takc_err *err)
{
    struct takc_artifact a = {0};
    struct takc_store_view v;
    struct takc_buf text;
    char name[24];
    takc_rate_name(rate, name);
    struct takc_key key = takc_key_artifact(q->snapshot.task, q->snapshot.version->label, rate, ".json");
    enum takc_status st = takc_store_view(takc_home_store(q->snapshot.home), q->call, takc_str(key.s), &v, err);
    if (st == TAKC_NOT_FOUND)
        return takc_fail(err, TAKC_NOT_FOUND, 0, "version %.*s has no rate %s; takc cache list -t %.*s shows what there is",
                         TAKC_STR_ARG(q->snapshot.version->label), name, TAKC_STR_ARG(q->snapshot.task));
    if (st)
        return st;
    takc_buf_init(&text, TAKC_BUF_MAX_REPLY);
    st = takc_artifact_parse(&a, v.bytes, err);
    takc_store_view_close(&v);
    if (!st)
        st = passing_text(q, &a, &text, err);
    if (!st)
        st = keep(q, takc_buf_str(&text), out, err);
    takc_buf_clear(&text);
    takc_artifact_clear(&a);
    return st;
}

static void tried(struct answer *q, takc_rate rate, uint64_t tokens, double coverage)
{
    if (q->r->n_tried == sizeof(q->r->tried) / sizeof(q->r->tried[0]))
        return;
    struct takc_tried_rate *t = &q->r->tried[q->r->n_tried++];
    takc_rate_name(rate, t->rate);
    t->tokens = tokens;
    t->coverage = coverage;
}

static void say_rate(struct answer *q, takc_rate rate)
{
    takc_rate_name(rate, q->r->rate);
    q->r->factor = rate / 1000.0;
}

/* Place of the coarsest stored rate, and whether a stored rate fits the limit. Artifacts stand by descending rate: coarse first. */
static bool fits(struct answer *q, size_t i, uint64_t limit)
{
    return (double)q->r->source_tokens * 1000.0 / q->snapshot.version->artifacts[i].rate <= (double)limit;
}

/* Where to begin without an asked rate: the prior of kind and size, no finer than fits. */
static size_t first_rate(struct answer *q, uint64_t limit)
{
    const struct takc_version *v = q->snapshot.version;
    takc_rate want = takc_rate_prior(takc_complexity_of(q->o->question), q->r->source_tokens, q->o->cost_sensitive);
    size_t i = 0;
    while (i + 1 < v->n_artifacts && v->artifacts[i + 1].rate >= want && fits(q, i + 1, limit))
        i++;
    return i;
}

/* The artifact as context: the asked rate, or the cheapest one that covers the question's words, climbing while it fits. */
static enum takc_status choose_artifact(struct answer *q, uint64_t limit, struct takc_str *out_text, struct takc_err *err)
{
    const struct takc_version *v = q->snapshot.version;
    bool climbs = !q->o->rate && !q->o->cost_sensitive;
    size_t i = 0;
    if (q->o->rate)
        while (i < v->n_artifacts && v->artifacts[i].rate != q->o->rate)
            i++;
    else if (v->n_artifacts)
        i = first_rate(q, limit);
    for (;; i++) {
        takc_rate rate = i < v->n_artifacts ? v->artifacts[i].rate : q->o->rate ? q->o->rate : TAKC_RATE_ULTRA;
        enum takc_status st = stored_text(q, rate, out_text, err);
        if (!st)
            st = takc_cover(q->snapshot.index, q->question, *out_text, q->arena, &q->r->coverage, &q->r->missing, &q->r->n_missing, err);
        if (st)
            return st;
        uint64_t tokens = takc_tokenizer_count(q->tokenizer, *out_text);
        tried(q, rate, tokens, q->r->coverage);
        say_rate(q, rate);
        q->r->prefix_tokens = tokens;
        if (!climbs || q->r->n_missing == 0 || i + 1 >= v->n_artifacts || !fits(q, i + 1, limit))
            break;
    }
    if (q->r->prefix_tokens > limit && !q->o->rate)
        return note(q, err, "even the coarsest rate is larger than the limit; it is shown whole");
    return TAKC_OK;
}

/* --- lines --- */

static enum takc_status choose_lines(struct answer *q, uint64_t budget, struct takc_err *err)
{
    const struct takc_select_options so = {
        .budget_tokens = budget,
        .tokenizer = q->tokenizer,
        .filter = filter_of(q),
        .text = takc_snapshot_text,
        .text_arg = &q->snapshot,
    };
    return takc_select(q->snapshot.index, q->question, &so, q->call, q->arena, &q->choice, err);
}

/* A heading of a few words names a place and answers nothing. */
static bool answers(struct answer *q, const struct takc_line *line)
{
    struct takc_index_unit u;
    return takc_index_unit_at(q->snapshot.index, line->unit, &u, NULL) || u.kind != TAKC_UNIT_HEADING || u.n_tokens >= HEADING_SAYS;
}

/* Places of the lines that answer: the best ones, as many as asked, as long as they are near the best score. */
static size_t pick_answers(struct answer *q, size_t most, size_t *out)
{
    size_t n = 0;
    for (size_t i = 0; i < q->choice.n_lines && n < most; i++)
        if (q->choice.lines[i].score >= BONUS_LINE * q->choice.lines[0].score && answers(q, &q->choice.lines[i]))
            out[n++] = i;
    if (n == 0 && q->choice.n_lines && most)
        out[n++] = 0;
    return n;
}

/* The best lines become the response. */
static enum takc_status answer_lines(struct answer *q, struct takc_err *err)
{
    struct takc_buf text;
    struct takc_citer citer;
    size_t most = q->o->answer_lines ? q->o->answer_lines : DEFAULT_ANSWER_LINES;
    size_t *picked = takc_arena_array(q->arena, most + 1, sizeof(*picked));
    struct takc_cited *cited = takc_arena_array(q->arena, most + 1, sizeof(*cited));
    if (!cited || !picked)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for citations");
    size_t n = pick_answers(q, most, picked);
    takc_buf_init(&text, TAKC_BUF_MAX_REPLY);
    takc_citer_init(&citer, &q->snapshot, q->arena);
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < n; i++) {
        const struct takc_line *line = &q->choice.lines[picked[i]];
        st = takc_cite(&citer, line->unit, &cited[i], err);
        cited[i].line_text = line->text;
        cited[i].score = line->score;
        cited[i].coverage = line->coverage;
        if (!st && i)
            st = takc_buf_byte(&text, '\n', err);
        if (!st)
            st = takc_buf_add(&text, line->text, err);
    }
    if (!st)
        st = keep(q, takc_buf_str(&text), &q->r->response, err);
    q->r->citations = cited;
    q->r->n_citations = n;
    takc_citer_clear(&citer);
    takc_buf_clear(&text);
    return st;
}

/* Below the threshold: "not in this knowledge base", with what came nearest kept as citations. */
static enum takc_status abstain(struct answer *q, struct takc_err *err)
{
    double below = q->o->abstain_below > 0 ? q->o->abstain_below : TAKC_ABSTAIN_BELOW;
    if (q->r->confidence >= below)
        return TAKC_OK;
    q->r->abstained = true;
    return keep(q, takc_str("not in this knowledge base"), &q->r->response, err);
}

static enum takc_status run_select(struct answer *q, uint64_t budget, struct takc_err *err)
{
    enum takc_status st = choose_lines(q, budget, err);
    if (!st)
        st = answer_lines(q, err);
    if (st)
        return st;
    q->r->confidence = q->choice.confidence;
    q->r->coverage = q->choice.coverage;
    q->r->missing = q->choice.missing;
    q->r->n_missing = q->choice.n_missing;
    q->r->n_lines = q->choice.n_lines;
    return abstain(q, err);
}

/* --- modes --- */

static enum takc_status mode_select(struct answer *q, struct takc_err *err)
{
    uint64_t budget = q->reader_tokens;
    if (q->o->rate && q->r->source_tokens * 1000 / q->o->rate < budget)
        budget = q->r->source_tokens * 1000 / q->o->rate;
    q->r->limit_tokens = budget;
    enum takc_status st = run_select(q, budget, err);
    if (st)
        return st;
    q->r->context = q->choice.context;
    q->r->tokens = q->choice.tokens;
    q->r->factor = q->r->tokens ? (double)q->r->source_tokens / (double)q->r->tokens : 0;
    if (q->r->tokens)
        (void)snprintf(q->r->rate, sizeof(q->r->rate), "%.1fx", q->r->factor);
    return TAKC_OK;
}

/* How much of the source's facts the reader sees: the ledger's kept share, averaged over the kinds that the source has. */
static enum takc_status confidence_of_artifact(struct answer *q, takc_rate rate, struct takc_err *err)
{
    struct takc_buf bytes;
    struct takc_ledger_entry e;
    struct takc_key key = takc_key_artifact(q->snapshot.task, q->snapshot.version->label, rate, ".ledger.json");
    takc_buf_init(&bytes, TAKC_BUF_MAX_REPLY);
    enum takc_status st = takc_store_get_bytes(takc_home_store(q->snapshot.home), q->call, takc_str(key.s), &bytes, err);
    if (!st)
        st = takc_ledger_parse(takc_buf_str(&bytes), &e, err);
    takc_buf_clear(&bytes);
    if (st)
        return st;
    double sum = 0;
    int n = 0;
    for (int k = 0; k < TAKC_LEDGER_FACTS; k++)
        if (e.facts_source[k]) {
            sum += (double)e.facts_kept[k] / (double)e.facts_source[k];
            n++;
        }
    q->r->confidence = n ? sum / n : 0;
    return TAKC_OK;
}

/* Citations of the artifact's best units: the order's head, as far as it is in the set. */
static enum takc_status cite_artifact(struct answer *q, struct takc_err *err)
{
    struct takc_citer citer;
    struct takc_cited *cited = takc_arena_array(q->arena, ARTIFACT_CITATIONS, sizeof(*cited));
    size_t n = takc_index_n_order(q->snapshot.index), have = 0;
    if (!cited)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for citations");
    takc_citer_init(&citer, &q->snapshot, q->arena);
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < n && have < ARTIFACT_CITATIONS; i++) {
        uint32_t unit;
        struct takc_index_unit u;
        st = takc_index_order_at(q->snapshot.index, i, &unit, err);
        if (!st)
            st = takc_index_unit_at(q->snapshot.index, unit, &u, err);
        if (st || u.rung == TAKC_RUNG_NONE || u.rung > TAKC_RUNG_64 || !q->passing[u.doc])
            continue;
        st = takc_cite(&citer, unit, &cited[have], err);
        cited[have].line_text = cited[have].quote;
        have++;
    }
    takc_citer_clear(&citer);
    q->r->citations = cited;
    q->r->n_citations = have;
    return st;
}

static enum takc_status mode_artifact(struct answer *q, struct takc_err *err)
{
    uint64_t limit = q->o->reader_tokens_asked ? q->reader_tokens : q->artifact_tokens;
    struct takc_str text;
    takc_rate rate = 0;
    enum takc_status st = choose_artifact(q, limit, &text, err);
    if (st)
        return st;
    q->r->limit_tokens = limit;
    q->r->context = text;
    q->r->tokens = q->r->prefix_tokens;
    if (takc_prompt_kind_of(q->snapshot.index, q->question) == TAKC_PROMPT_TASK_WIDE) {
        q->r->response = text;
        st = takc_rate_parse(takc_str(q->r->rate), &rate, err);
        if (!st)
            st = confidence_of_artifact(q, rate, err);
        return st ? st : cite_artifact(q, err);
    }
    double coverage = q->r->coverage;
    const struct takc_str *missing = q->r->missing;
    size_t n_missing = q->r->n_missing;
    st = run_select(q, q->reader_tokens, err);
    q->r->coverage = coverage; /* of what the reader sees: the artifact, not the lines */
    q->r->missing = missing;
    q->r->n_missing = n_missing;
    return st;
}

/* The 128x set as text, made from the version's selection. */
static enum takc_status text_128(struct answer *q, struct takc_str *out, struct takc_err *err)
{
    struct takc_selection s;
    struct takc_docset_corpus c;
    const struct takc_docset *set;
    uint8_t *bits = NULL;
    struct takc_set_size size;
    struct takc_buf json, text;
    struct takc_artifact a = {0};
    struct takc_extractive_options eo = takc_build_options(&q->profile, 1);
    const struct takc_artifact_meta meta = {.task = q->snapshot.task, .fingerprint = takc_str("-"), .rate = 128000};
    takc_buf_init(&json, TAKC_BUF_MAX_REPLY);
    takc_buf_init(&text, TAKC_BUF_MAX_REPLY);
    enum takc_status st = takc_version_selection(q->snapshot.home, q->snapshot.task, q->snapshot.version->label, &s, err);
    if (!st)
        st = takc_snapshot_docs(&q->snapshot, &set, err);
    if (!st)
        st = takc_docset_corpus(q->snapshot.home, q->snapshot.task, set, q->arena, &c, err);
    if (!st)
        st = takc_selection_set(&s, &c.corpus, &eo, meta.rate, &bits, &size, err);
    if (!st)
        st = takc_artifact_write(&c.corpus, &s, bits, &size, &eo, &meta, q->call, &json, err);
    if (!st)
        st = takc_artifact_parse(&a, takc_buf_str(&json), err);
    if (!st)
        st = passing_text(q, &a, &text, err);
    if (!st)
        st = keep(q, takc_buf_str(&text), out, err);
    takc_artifact_clear(&a);
    takc_buf_clear(&json);
    takc_buf_clear(&text);
    takc_free(bits);
    takc_selection_clear(&s);
    return st;
}

/* The finest of 128 64 32 16 8 within half of the budget. */
static enum takc_status prefix_within(struct answer *q, uint64_t half, struct takc_str *out, struct takc_err *err)
{
    static const takc_rate ladder[] = {8000, 16000, 32000, 64000};
    const struct takc_version *v = q->snapshot.version;
    for (size_t k = 0; k < 4; k++)
        for (size_t i = 0; i < v->n_artifacts; i++)
            if (v->artifacts[i].rate == ladder[k] && fits(q, i, half)) {
                say_rate(q, ladder[k]);
                return stored_text(q, ladder[k], out, err);
            }
    say_rate(q, 128000);
    enum takc_status st = text_128(q, out, err);
    if (!st && takc_tokenizer_count(q->tokenizer, *out) > half) {
        *out = takc_str("");
        st = note(q, err, "no prefix fits half of the budget: lines only");
    }
    return st;
}

static enum takc_status mode_both(struct answer *q, struct takc_err *err)
{
    struct takc_str prefix;
    uint64_t lines = q->reader_tokens, budget = q->o->rate ? q->r->source_tokens * 1000 / q->o->rate : 0;
    enum takc_status st = q->o->rate ? prefix_within(q, budget / 2, &prefix, err) : choose_artifact(q, q->artifact_tokens, &prefix, err);
    if (st)
        return st;
    q->r->prefix_tokens = takc_tokenizer_count(q->tokenizer, prefix);
    if (q->o->rate)
        lines = budget > q->r->prefix_tokens + 1 ? budget - q->r->prefix_tokens - 1 : 0;
    st = run_select(q, lines, err);
    if (st)
        return st;
    struct takc_buf text;
    takc_buf_init(&text, TAKC_BUF_MAX_REPLY);
    st = takc_buf_add(&text, prefix, err);
    if (!st && prefix.len)
        st = takc_buf_byte(&text, '\n', err);
    if (!st)
        st = takc_buf_add(&text, q->choice.context, err);
    if (!st)
        st = keep(q, takc_buf_str(&text), &q->r->context, err);
    takc_buf_clear(&text);
    q->r->limit_tokens = q->o->rate ? budget : q->artifact_tokens + q->reader_tokens;
    q->r->tokens = takc_tokenizer_count(q->tokenizer, q->r->context);
    if (q->o->rate)
        say_rate(q, q->o->rate);
    return st;
}

/* Every document's text less what is hidden, titles first. */
static enum takc_status whole_text(struct answer *q, struct takc_buf *text, struct takc_err *err)
{
    const struct takc_docset *set;
    enum takc_status st = takc_snapshot_docs(&q->snapshot, &set, err);
    for (size_t i = 0; !st && i < set->n_docs; i++) {
        struct takc_doc d;
        if (!name_passes(q, set->docs[i].name))
            continue;
        takc_doc_init(&d);
        st = takc_docset_load(q->snapshot.home, q->snapshot.task, &set->docs[i], &d, err);
        if (!st && text->len)
            st = takc_buf_byte(text, '\n', err);
        if (!st && takc_str_is(set->docs[i].title_from, "metadata"))
            st = takc_buf_printf(text, err, "%.*s\n", TAKC_STR_ARG(set->docs[i].title));
        for (size_t b = 0; !st && b < d.n_blocks; b++) {
            if (d.blocks[b].flags & TAKC_BLOCK_HIDDEN)
                continue;
            st = takc_buf_add(text, takc_str_slice(takc_buf_str(&d.text), d.blocks[b].start, d.blocks[b].end), err);
            if (!st)
                st = takc_buf_byte(text, '\n', err);
        }
        takc_doc_clear(&d);
    }
    return st;
}

/* Are there whole texts? Where originals are not kept, the 2x set is all there is. */
static enum takc_status has_whole(struct answer *q, bool *out, struct takc_err *err)
{
    const struct takc_docset *set;
    enum takc_status st = takc_snapshot_docs(&q->snapshot, &set, err);
    *out = true;
    for (size_t i = 0; !st && i < set->n_docs; i++)
        *out &= !takc_docset_is_reduced(&set->docs[i]);
    return st;
}

static enum takc_status mode_whole(struct answer *q, struct takc_err *err)
{
    struct takc_buf text;
    takc_buf_init(&text, TAKC_BUF_MAX_REPLY);
    enum takc_status st = whole_text(q, &text, err);
    if (!st)
        st = run_select(q, q->reader_tokens, err);
    if (!st)
        st = keep(q, takc_buf_str(&text), &q->r->context, err);
    takc_buf_clear(&text);
    if (st)
        return st;
    (void)snprintf(q->r->rate, sizeof(q->r->rate), "1x");
    q->r->factor = 1;
    q->r->tokens = takc_tokenizer_count(q->tokenizer, q->r->context);
    bool whole = true;
    st = has_whole(q, &whole, err);
    if (!st && !whole) {
        q->r->factor = q->r->tokens ? (double)q->r->source_tokens / (double)q->r->tokens : 0;
        (void)snprintf(q->r->rate, sizeof(q->r->rate), "%.1fx", q->r->factor);
        st = note(q, err, "originals are not kept; this is the 2x set");
    }
    if (st)
        return st;
    q->r->limit_tokens = q->reader_tokens;
    if (takc_prompt_kind_of(q->snapshot.index, q->question) == TAKC_PROMPT_TASK_WIDE) {
        q->r->response = q->r->context;
        q->r->confidence = 1;
        q->r->abstained = false;
    }
    return TAKC_OK;
}

static enum takc_mode pick_mode(struct answer *q)
{
    bool whole = false;
    if (q->o->mode != TAKC_MODE_UNSET && q->o->mode != TAKC_MODE_AUTO)
        return q->o->mode;
    if (!q->o->rate && q->r->source_tokens <= q->reader_tokens && !has_whole(q, &whole, NULL) && whole)
        return TAKC_MODE_WHOLE;
    return takc_prompt_kind_of(q->snapshot.index, q->question) == TAKC_PROMPT_TASK_WIDE ? TAKC_MODE_ARTIFACT : TAKC_MODE_SELECT;
}

/* --- begin and end --- */

static bool is_one_of(struct takc_str word, const char *const *list, size_t n)
{
    bool found = false;
    for (size_t i = 0; !found && i < n; i++)
        found = takc_str_is(word, list[i]);
    return found;
}

/* Does a question lean on the one before it? It opens as going on, points back, or has hardly a word of its own. */
static bool leans(struct takc_str question)
{
    static const char *const openers[] = {"and", "or", "but", "also", "then"};
    static const char *const pointers[] = {"it",  "its", "they", "them", "their", "he",    "him",
                                           "his", "she", "her",  "this", "these", "those", "same"};
    struct takc_words words;
    struct takc_word w;
    unsigned own = 0, at = 0;
    bool back = false;
    takc_words_init(&words, question);
    for (; takc_words_next(&words, &w); at++) {
        back |= at == 0 && is_one_of(w.norm, openers, sizeof(openers) / sizeof(openers[0]));
        back |= at == 1 && takc_str_is(w.norm, "about"); /* what about, how about */
        back |= is_one_of(w.norm, pointers, sizeof(pointers) / sizeof(pointers[0]));
        own += !w.article && !takc_word_is_stop(w.norm);
    }
    takc_words_clear(&words);
    return back || own < 2;
}

/* A follow-up that names nothing of its own ("and in 2022?") takes the words of the questions before it, back to one that stands alone. */
static enum takc_status with_history(struct answer *q, struct takc_err *err)
{
    q->question = q->o->question;
    if (!q->o->n_history || !leans(q->o->question) || takc_prompt_kind_of(NULL, q->o->question) == TAKC_PROMPT_TASK_WIDE)
        return TAKC_OK;
    for (size_t i = q->o->n_history; i > 0; i--) {
        struct takc_str before = q->o->history[i - 1];
        const char *joined = takc_arena_printf(q->arena, "%.*s %.*s", TAKC_STR_ARG(before), TAKC_STR_ARG(q->question));
        q->question = takc_str(joined);
        if (!joined)
            return takc_fail(err, TAKC_NOMEM, 0, "no memory for a question");
        if (!leans(before))
            break;
    }
    return note(q, err, "understood with what was asked before");
}

static enum takc_status begin(struct answer *q, struct takc_home *h, struct takc_err *err)
{
    struct takc_str question = takc_str_trim(q->o->question);
    if (question.len == 0)
        return takc_fail(err, TAKC_INVALID, 0, "the question is empty");
    if (!takc_utf8_valid(question, NULL))
        return takc_fail(err, TAKC_INVALID, 0, "the question is not UTF-8");
    enum takc_status st = takc_home_profile(h, q->o->task, &q->profile, err);
    if (!st)
        st = takc_snapshot_open(&q->snapshot, h, q->o->task, q->o->version, err);
    if (st)
        return st;
    q->tokenizer = takc_tokenizer_find(q->profile.tokenizer);
    if (!q->tokenizer)
        return takc_fail(err, TAKC_INVALID, 0, "tokenizer '%.*s' is not known", TAKC_STR_ARG(q->profile.tokenizer));
    q->reader_tokens = q->o->reader_tokens ? q->o->reader_tokens : DEFAULT_READER_TOKENS;
    q->artifact_tokens = q->o->artifact_tokens ? q->o->artifact_tokens : DEFAULT_ARTIFACT_TOKENS;
    q->r->source_tokens = q->snapshot.version->source_tokens;
    q->r->tokenizer = takc_str(q->tokenizer->name);
    return keep(q, q->snapshot.version->label, &q->r->version, err);
}

static enum takc_status answer_it(struct answer *q, struct takc_home *h, struct takc_err *err)
{
    static const char *const complexities[] = {"", "simple", "moderate", "complex"};
    enum takc_status st = begin(q, h, err);
    if (!st)
        st = with_history(q, err);
    if (st)
        return st;
    q->r->complexity = complexities[takc_complexity_of(q->o->question)];
    q->r->prompt_kind = takc_prompt_kind_of(q->snapshot.index, q->question) == TAKC_PROMPT_TASK_WIDE ? "task-wide" : "specific";
    st = apply_filter(q, err);
    if (st)
        return st;
    q->r->mode = q->n_passing ? pick_mode(q) : TAKC_MODE_SELECT; /* which finds nothing, then, and says so */
    switch (q->r->mode) {
    case TAKC_MODE_ARTIFACT:
        st = mode_artifact(q, err);
        break;
    case TAKC_MODE_BOTH:
        st = mode_both(q, err);
        break;
    case TAKC_MODE_WHOLE:
        st = mode_whole(q, err);
        break;
    default:
        st = mode_select(q, err);
        break;
    }
    return st ? st : keep(q, takc_buf_str(&q->notes), &q->r->notes, err);
}

/* out_moved: a writer published meanwhile, so that what was not found may be where the manifest says now. */
static enum takc_status query_once(struct takc_home *h, struct takc_call *call, const struct takc_query_options *o,
                                   struct takc_query_result *out, bool *out_moved, struct takc_err *err)
{
    *out = (struct takc_query_result){0};
    struct answer *q = takc_alloc(sizeof(*q));
    struct takc_arena *arena = takc_alloc(sizeof(*arena));
    if (!q || !arena) {
        takc_free(q);
        takc_free(arena);
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a query");
    }
    takc_arena_init(arena);
    out->owner = arena;
    *q = (struct answer){.arena = arena, .call = call, .o = o, .r = out};
    takc_buf_init(&q->notes, TAKC_BUF_MAX_NAME);
    enum takc_status st = answer_it(q, h, err);
    *out_moved = st == TAKC_NOT_FOUND && takc_snapshot_has_moved(&q->snapshot);
    takc_snapshot_close(&q->snapshot);
    takc_profile_clear(&q->profile);
    takc_buf_clear(&q->notes);
    takc_free(q);
    if (st)
        takc_query_result_free(out);
    return st;
}

enum takc_status takc_query(struct takc_home *h, struct takc_call *call, const struct takc_query_options *o, struct takc_query_result *out,
                            struct takc_err *err)
{
    const struct takc_clock *clock = takc_clock_or_system(call ? call->clock : NULL);
    uint64_t from = clock->mono_ns(clock);
    bool moved = true;
    enum takc_status st = TAKC_NOT_FOUND;
    for (int tries = 0; st == TAKC_NOT_FOUND && moved && tries < TRIES; tries++)
        st = query_once(h, call, o, out, &moved, err);
    out->ms = (clock->mono_ns(clock) - from) / 1000000;
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
