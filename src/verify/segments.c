/* SPDX-License-Identifier: Apache-2.0
 *
 * segments.c - level X for a whole artifact: every part of every segment against the text of its spans, and the artifact's own counts.
 *
 * One result per part: a span of the wrong shape is told and ends the part, so one damage gives one finding. A segment that stands for
 * duplicates lists the spans of all of them; within each document the list must fall into groups that each prove the line. A document whose
 * text is gone (NOT_FOUND) makes the part underivable. Segments are numbered from 1 in the order they stand in. */
#include "base/alloc.h"
#include "verify/line.h"
#include "verify/report.h"
#include "verify/span.h"

#include <stdio.h>
#include <stdlib.h>

enum { GROUP_MAX = 32 }; /* spans of one line among duplicates; a list that is one line may be longer */

struct job {
    struct takc_call *call;
    const struct takc_artifact *a;
    takc_verify_text_fn *text;
    void *text_arg;
    struct takc_report report;
    struct takc_items shown, quote;
    char rate[24];
    char subject[96];
    struct takc_err *err;
};

static void name_rate(takc_rate rate, char out[24])
{
    if (rate % 1000 == 0)
        (void)snprintf(out, 24, "%ux", rate / 1000);
    else
        (void)snprintf(out, 24, "%gx", rate / 1000.0);
}

static const char *subject_of(struct job *j, size_t segment, const char *role)
{
    (void)snprintf(j->subject, sizeof(j->subject), "%s segment %zu%s%s", j->rate, segment + 1, *role ? " " : "", role);
    return j->subject;
}

static const char *role_name(uint8_t role)
{
    static const char *const names[] = {"part", "title", "anchor", "body"};
    return role < sizeof(names) / sizeof(*names) ? names[role] : "part";
}

/* Splits the spans from..to (of one document) as one quotation. */
static enum takc_status quote_group(struct job *j, struct takc_str text, const struct takc_part *p, size_t from, size_t to)
{
    enum takc_status st = TAKC_OK;
    takc_items_reset(&j->quote);
    for (size_t i = from; !st && i < to; i++) {
        j->quote.open |= p->role == TAKC_PART_ANCHOR; /* heading and header row each begin anew */
        st = takc_items_add(&j->quote, takc_str_slice(text, p->spans[i].start, p->spans[i].end), j->err);
    }
    return st;
}

static enum takc_line_kind line_kind(uint8_t role)
{
    return role == TAKC_PART_TITLE ? TAKC_LINE_EQUAL : role == TAKC_PART_ANCHOR ? TAKC_LINE_ANCHOR : TAKC_LINE_BODY;
}

static enum takc_status prove_group(struct job *j, struct takc_str text, const struct takc_part *p, size_t from, size_t to, bool *ok,
                                    char why[TAKC_WHY_BYTES])
{
    enum takc_status st = quote_group(j, text, p, from, to);
    return st ? st : takc_line_check(&j->shown, &j->quote, line_kind(p->role), ok, why, j->err);
}

/* Do the spans from..to, all of one document, fall into groups that each prove the line? One group first: that is nearly always so. */
static enum takc_status prove_run(struct job *j, struct takc_str text, const struct takc_part *p, size_t from, size_t to, bool *ok,
                                  char why[TAKC_WHY_BYTES])
{
    char ignored[TAKC_WHY_BYTES];
    size_t n = to - from, last = 0;
    enum takc_status st = prove_group(j, text, p, from, to, ok, why);
    if (st || *ok || n == 1)
        return st;
    bool *reach = takc_alloc(n + 1);
    if (!reach)
        return takc_fail(j->err, TAKC_NOMEM, 0, "no memory for %zu spans", n);
    reach[0] = true;
    for (size_t k = 0; !st && k < n; k++) {
        last = reach[k] ? k : last;
        for (size_t g = 1; !st && reach[k] && g <= GROUP_MAX && k + g <= n; g++) {
            bool good = false;
            st = prove_group(j, text, p, from + k, from + k + g, &good, ignored);
            reach[k + g] = reach[k + g] || good;
        }
    }
    *ok = reach[n];
    if (!st && !*ok && last > 0)
        st = prove_group(j, text, p, from + last, to, ok, why);
    takc_free(reach);
    return st;
}

/* An anchor without its outer brackets. */
static struct takc_str bare(const struct takc_part *p)
{
    struct takc_str s = p->text;
    if (p->role == TAKC_PART_ANCHOR && s.len >= 2 && s.ptr[0] == '[' && s.ptr[s.len - 1] == ']')
        s = takc_str_slice(s, 1, s.len - 1);
    return s;
}

/* One document's text, or *out_gone. */
static enum takc_status text_of(struct job *j, uint32_t doc, struct takc_str *out, bool *out_gone)
{
    enum takc_status st = j->text(j->text_arg, doc, out, j->err);
    *out_gone = st == TAKC_NOT_FOUND;
    return *out_gone ? TAKC_OK : st;
}

/* All spans of a part that lie in document spans[from].doc, one behind the other. */
static size_t run_end(const struct takc_part *p, size_t from)
{
    size_t to = from + 1;
    while (to < p->n_spans && p->spans[to].doc == p->spans[from].doc)
        to++;
    return to;
}

static const char *run_fault(struct takc_str text, const struct takc_part *p, size_t from, size_t to, size_t *out_at)
{
    const char *fault = NULL;
    for (size_t i = from; !fault && i < to; i++) {
        fault = takc_span_fault(text, p->spans[i].start, p->spans[i].end);
        *out_at = i;
    }
    return fault;
}

/* A line of the extract: spans, then words. Tells and counts; once. */
static enum takc_status check_extract(struct job *j, const struct takc_part *p, const char *subject)
{
    bool any_gone = false;
    for (size_t from = 0, to; from < p->n_spans; from = to) {
        struct takc_str text = {NULL, 0};
        bool gone = false, ok = false;
        char why[TAKC_WHY_BYTES];
        size_t at = 0;
        to = run_end(p, from);
        enum takc_status st = text_of(j, p->spans[from].doc, &text, &gone);
        if (st)
            return st;
        any_gone |= gone;
        if (gone)
            continue;
        const char *fault = run_fault(text, p, from, to, &at);
        if (fault) {
            takc_report_fail(&j->report, TAKC_LEVEL_X, subject, "its span %u..%u of %.*s %s", p->spans[at].start, p->spans[at].end,
                             TAKC_STR_ARG(j->a->documents[p->spans[at].doc].name), fault);
            return TAKC_OK;
        }
        st = prove_run(j, text, p, from, to, &ok, why);
        if (st)
            return st;
        if (!ok) {
            takc_report_fail(&j->report, TAKC_LEVEL_X, subject, "%s", why);
            return TAKC_OK;
        }
    }
    if (any_gone)
        takc_report_underivable(&j->report, TAKC_LEVEL_X);
    else
        takc_report_pass(&j->report, TAKC_LEVEL_X);
    return TAKC_OK;
}

/* Gathers the text of all spans, which may lie in several documents. *out_fault tells a span of the wrong shape. */
static enum takc_status gather(struct job *j, const struct takc_part *p, struct takc_buf *out, bool *out_gone, const char **out_fault)
{
    enum takc_status st = TAKC_OK;
    *out_gone = false;
    *out_fault = NULL;
    for (size_t i = 0; !st && i < p->n_spans; i++) {
        struct takc_str text = {NULL, 0};
        st = text_of(j, p->spans[i].doc, &text, out_gone);
        if (st || *out_gone)
            return st;
        *out_fault = takc_span_fault(text, p->spans[i].start, p->spans[i].end);
        if (*out_fault)
            return TAKC_OK;
        st = takc_buf_add(out, takc_str_slice(text, p->spans[i].start, p->spans[i].end), j->err);
        if (!st)
            st = takc_buf_byte(out, '\n', j->err);
    }
    return st;
}

static enum takc_status check_generated(struct job *j, const struct takc_part *p, const char *subject)
{
    struct takc_buf all;
    bool gone = false;
    const char *fault = NULL;
    char why[TAKC_WHY_BYTES];
    takc_buf_init(&all, TAKC_BUF_MAX_DOCUMENT);
    enum takc_status st = gather(j, p, &all, &gone, &fault);
    if (!st)
        st = takc_line_quote(&j->quote, takc_buf_str(&all), j->err);
    if (!st && gone)
        takc_report_underivable(&j->report, TAKC_LEVEL_X);
    else if (!st && fault)
        takc_report_fail(&j->report, TAKC_LEVEL_X, subject, "one of its spans %s", fault);
    else if (!st && !takc_line_generated(&j->shown, &j->quote, why))
        takc_report_fail(&j->report, TAKC_LEVEL_X, subject, "%s", why);
    else if (!st)
        takc_report_pass(&j->report, TAKC_LEVEL_X);
    takc_buf_clear(&all);
    return st;
}

/* The title line: what the artifact's table of documents says, and where it is from. */
static enum takc_status check_title(struct job *j, const struct takc_part *p, const struct takc_artifact_doc *d, const char *subject)
{
    bool ok = false;
    char why[TAKC_WHY_BYTES];
    takc_items_reset(&j->quote);
    enum takc_status st = takc_items_add(&j->quote, d->title, j->err);
    if (!st)
        st = takc_line_check(&j->shown, &j->quote, TAKC_LINE_EQUAL, &ok, why, j->err);
    if (st)
        return st;
    if (!ok) {
        takc_report_fail(&j->report, TAKC_LEVEL_X, subject, "is not the document's title: %s", why);
        return TAKC_OK;
    }
    if (p->n_spans)
        return check_extract(j, p, subject);
    if (takc_str_is(d->title_from, "metadata") || takc_str_is(d->title_from, "name"))
        takc_report_pass(&j->report, TAKC_LEVEL_X);
    else
        takc_report_fail(&j->report, TAKC_LEVEL_X, subject, "has no span, and its document says that the title stands in the text");
    return TAKC_OK;
}

static const char *part_fault(const struct job *j, const struct takc_part *p)
{
    if (!p->text.len)
        return "is empty";
    if (memchr(p->text.ptr, '\n', p->text.len))
        return "is more than one line";
    if (!p->n_spans && p->role != TAKC_PART_TITLE)
        return "has no span";
    for (size_t i = 0; i < p->n_spans; i++)
        if (p->spans[i].doc >= j->a->n_documents)
            return "has a span in a document that the artifact does not list";
    return NULL;
}

static enum takc_status check_part(struct job *j, size_t at, const struct takc_part *p, uint32_t doc)
{
    const struct takc_segment *s = &j->a->segments[at];
    const char *subject = subject_of(j, at, role_name(p->role)), *fault = part_fault(j, p);
    if (fault) {
        takc_report_fail(&j->report, TAKC_LEVEL_X, subject, "%s", fault);
        return TAKC_OK;
    }
    takc_items_reset(&j->shown);
    enum takc_status st = takc_items_add(&j->shown, bare(p), j->err);
    if (st)
        return st;
    if (p->role == TAKC_PART_TITLE)
        return check_title(j, p, &j->a->documents[doc], subject);
    return s->kind == TAKC_SEGMENT_GENERATED ? check_generated(j, p, subject) : check_extract(j, p, subject);
}

/* The body of a segment, or NULL unless its parts are [title] [anchor] body. */
static const struct takc_part *body_of(const struct takc_segment *s)
{
    uint8_t last = TAKC_PART_UNSET;
    for (size_t i = 0; i < s->n_parts; i++) {
        if (s->parts[i].role <= last || s->parts[i].role > TAKC_PART_BODY)
            return NULL;
        last = s->parts[i].role;
    }
    return last == TAKC_PART_BODY ? &s->parts[s->n_parts - 1] : NULL;
}

static enum takc_status check_segment(struct job *j, size_t at)
{
    const struct takc_segment *s = &j->a->segments[at];
    const struct takc_part *body = body_of(s);
    if (!body || !body->n_spans || body->spans[0].doc >= j->a->n_documents ||
        (s->kind != TAKC_SEGMENT_EXTRACT && s->kind != TAKC_SEGMENT_GENERATED)) {
        takc_report_fail(&j->report, TAKC_LEVEL_X, subject_of(j, at, ""), "its kind and parts are not those of a segment");
        return TAKC_OK;
    }
    enum takc_status st = takc_call_check(j->call, j->err);
    for (size_t i = 0; !st && i < s->n_parts; i++)
        st = check_part(j, at, &s->parts[i], body->spans[0].doc);
    return st;
}

/* What the artifact's lines add up to; a line counts with its newline. */
struct totals {
    uint64_t words, bytes;
};

static void count_line(struct totals *t, struct takc_str line)
{
    t->bytes += line.len + 1;
    t->words += takc_item_count_white(line);
}

/* May a segment at this place stand behind one at start? Several lines may have been written from the same unit. */
static bool follows(const struct takc_segment *s, uint64_t at, uint64_t start)
{
    return s->kind == TAKC_SEGMENT_GENERATED ? at >= start : at > start;
}

/* Order and totals of what a reader sees: documents and their segments follow one another, an empty line or a title between documents. */
static void check_order(struct job *j, struct totals *t)
{
    uint32_t doc = UINT32_MAX;
    uint64_t start = 0;
    for (size_t at = 0; at < j->a->n_segments; at++) {
        const struct takc_segment *s = &j->a->segments[at];
        const struct takc_part *body = body_of(s);
        bool placed = body && body->n_spans, titled = s->n_parts && s->parts[0].role == TAKC_PART_TITLE;
        bool fresh = placed && body->spans[0].doc != doc;
        if (placed && doc != UINT32_MAX && (fresh ? body->spans[0].doc < doc : !follows(s, body->spans[0].start, start)))
            takc_report_fail(&j->report, TAKC_LEVEL_X, subject_of(j, at, ""), "stands behind a segment that comes later in the documents");
        if (placed && !fresh && titled)
            takc_report_fail(&j->report, TAKC_LEVEL_X, subject_of(j, at, ""), "shows the title of its document again");
        if (fresh && !titled && doc != UINT32_MAX)
            count_line(t, takc_str(""));
        for (size_t i = 0; i < s->n_parts; i++)
            count_line(t, s->parts[i].text);
        doc = placed ? body->spans[0].doc : doc;
        start = placed ? body->spans[0].start : start;
    }
}

static int by_value(const void *a, const void *b)
{
    uint32_t x, y;
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return (x > y) - (x < y);
}

static enum takc_status check_ranks(struct job *j, const char *subject)
{
    size_t n = 0;
    uint32_t *ranks = takc_alloc_array(j->a->n_segments, sizeof(*ranks));
    bool twice = false;
    if (!ranks)
        return takc_fail(j->err, TAKC_NOMEM, 0, "no memory for %zu ranks", j->a->n_segments);
    for (size_t i = 0; i < j->a->n_segments; i++)
        if (j->a->segments[i].kind != TAKC_SEGMENT_GENERATED) /* several of these may stand at one unit */
            ranks[n++] = j->a->segments[i].rank;
    qsort(ranks, n, sizeof(*ranks), by_value);
    for (size_t i = 1; i < n; i++)
        twice |= ranks[i] == ranks[i - 1];
    takc_free(ranks);
    if (twice)
        takc_report_fail(&j->report, TAKC_LEVEL_X, subject, "two extracts have the same place in the order");
    return TAKC_OK;
}

/* The artifact's own numbers, as one thing checked. */
static enum takc_status check_counts(struct job *j)
{
    const struct takc_artifact *a = j->a;
    struct totals t = {0};
    char subject[64];
    uint64_t failed = j->report.proof->failed[TAKC_LEVEL_X];
    (void)snprintf(subject, sizeof(subject), "%s artifact", j->rate);
    check_order(j, &t);
    for (size_t i = 1; i < a->n_documents; i++)
        if (takc_str_cmp(a->documents[i - 1].name, a->documents[i].name) >= 0)
            takc_report_fail(&j->report, TAKC_LEVEL_X, subject, "its documents are not in the order of their names");
    if (t.bytes != a->bytes)
        takc_report_fail(&j->report, TAKC_LEVEL_X, subject, "says %llu bytes, its lines have %llu", (unsigned long long)a->bytes,
                         (unsigned long long)t.bytes);
    if (t.words != a->words)
        takc_report_fail(&j->report, TAKC_LEVEL_X, subject, "says %llu words, its lines have %llu", (unsigned long long)a->words,
                         (unsigned long long)t.words);
    if (a->budget_tokens && a->tokens > a->budget_tokens)
        takc_report_fail(&j->report, TAKC_LEVEL_X, subject, "says %llu tokens, more than its budget of %llu", (unsigned long long)a->tokens,
                         (unsigned long long)a->budget_tokens);
    enum takc_status st = check_ranks(j, subject);
    if (!st && j->report.proof->failed[TAKC_LEVEL_X] == failed)
        takc_report_pass(&j->report, TAKC_LEVEL_X);
    return st;
}

enum takc_status takc_verify_artifact(struct takc_call *call, const struct takc_artifact *a, takc_verify_text_fn *text, void *text_arg,
                                      struct takc_proof *proof, takc_finding_fn *tell, void *arg, struct takc_err *err)
{
    struct takc_err own = {0};
    struct job j = {.call = call, .a = a, .text = text, .text_arg = text_arg, .report = {proof, tell, arg}, .err = err ? err : &own};
    takc_items_init(&j.shown);
    takc_items_init(&j.quote);
    name_rate(a->rate, j.rate);
    enum takc_status st = check_counts(&j);
    for (size_t i = 0; !st && i < a->n_segments; i++)
        st = check_segment(&j, i);
    takc_items_clear(&j.shown);
    takc_items_clear(&j.quote);
    return st;
}
