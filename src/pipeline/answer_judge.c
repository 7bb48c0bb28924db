/* SPDX-License-Identifier: Apache-2.0
 *
 * answer_judge.c - a model's text becomes a result. */
#include "pipeline/answer_judge.h"
#include "pipeline/cite.h"
#include "verify/claims.h"

enum { UNSUPPORTED_MAX = 32 }; /* told; all count */

/* --- what was planted --- */

/* Where the statement that begins at pos ends: behind the line break, or behind . ! ? and the marks that follow it. */
static size_t statement_end(struct takc_str text, size_t pos)
{
    for (size_t i = pos, end; i < text.len; i++) {
        uint32_t number;
        if (text.ptr[i] == '\n')
            return i + 1;
        if (text.ptr[i] != '.' && text.ptr[i] != '!' && text.ptr[i] != '?')
            continue;
        for (end = i + 1; end < text.len;) {
            size_t at = end + (text.ptr[end] == ' ');
            if (at == text.len || text.ptr[at] != '[' || !takc_mark_at(text, at, &number, 1, &end))
                break;
        }
        if (end == text.len || text.ptr[end] == ' ')
            return end < text.len ? end + 1 : end;
    }
    return text.len;
}

static bool cites_quoted(const struct takc_answer_asked *a, struct takc_str s)
{
    uint32_t numbers[64];
    bool quoted = false;
    for (size_t i = 0, end; i < s.len && !quoted; i++) {
        size_t n = s.ptr[i] == '[' ? takc_mark_at(s, i, numbers, 64, &end) : 0;
        for (size_t k = 0; k < n; k++)
            quoted |= numbers[k] > 0 && numbers[k] <= takc_asked_lines(a) && takc_asked_line(a, numbers[k] - 1)->quoted;
    }
    return quoted;
}

enum takc_status takc_answer_quarantine(struct takc_answer *q, struct takc_answer_asked *a, struct takc_str text, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    uint64_t left_out = 0;
    for (size_t i = 0, end; !st && i < text.len; i = end) {
        end = statement_end(text, i);
        struct takc_str s = takc_str_slice(text, i, end);
        bool planted = cites_quoted(a, s);
        if (!planted)
            st = takc_prompt_echoes(&a->prompt, s, &planted, err);
        left_out += planted;
        if (!st && !planted)
            st = takc_buf_add(&a->said.clean, s, err);
    }
    q->r->answer.n_left_out = left_out;
    if (st || !left_out)
        return st;
    return takc_buf_printf(&q->notes, err, "statements left out of the answer, since they repeat lines that instruct a reader: %llu\n",
                           (unsigned long long)left_out);
}

/* --- citations --- */

static const struct takc_answer_stands *stands_on(const struct takc_answer *q, const struct takc_answer_asked *a, size_t line)
{
    return line < q->background.n ? &q->background.stands[line] : &a->lines.stands[line - q->background.n];
}

static enum takc_status cite_line(struct takc_answer *q, const struct takc_answer_asked *a, size_t line, struct takc_citer *citer,
                                  struct takc_cited *out, struct takc_err *err)
{
    const struct takc_answer_stands *on = stands_on(q, a, line);
    struct takc_span *spans = on->n_spans ? takc_arena_array(q->arena, on->n_spans, sizeof(*spans)) : NULL;
    if (on->n_spans && !spans)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a citation");
    for (size_t i = 0; i < on->n_spans; i++)
        spans[i] = (struct takc_span){on->spans[i].start, on->spans[i].end};
    enum takc_status st = spans ? takc_cite_spans(citer, on->unit, spans, on->n_spans, out, err) : takc_cite(citer, on->unit, out, err);
    out->line_text = takc_asked_line(a, line)->text;
    out->score = on->score;
    out->coverage = on->coverage;
    return st;
}

/* Sources by first mention, into the result. */
static enum takc_status cite_all(struct takc_answer *q, const struct takc_answer_asked *a, struct takc_err *err)
{
    const struct takc_marks *m = &a->said.marks;
    struct takc_citer citer;
    struct takc_cited *cited = takc_arena_array(q->arena, m->n_cited + 1, sizeof(*cited));
    if (!cited)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for citations");
    takc_citer_init(&citer, &q->snapshot, q->arena);
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < m->n_cited; i++)
        st = cite_line(q, a, m->order[i] - 1, &citer, &cited[i], err);
    takc_citer_clear(&citer);
    q->r->citations = cited;
    q->r->n_citations = m->n_cited;
    return st;
}

/* --- facts --- */

struct unfounded {
    struct takc_answer *q;
    struct takc_str *list;
    size_t n;
};

static enum takc_status note_unfounded(void *arg, const char *kind, struct takc_str word, struct takc_err *err)
{
    struct unfounded *u = arg;
    if (u->n == UNSUPPORTED_MAX)
        return TAKC_OK;
    const char *text = takc_arena_printf(u->q->arena, "%s %.*s", kind, TAKC_STR_ARG(word));
    if (!text)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for an answer");
    for (size_t i = 0; i < u->n; i++)
        if (takc_str_is(u->list[i], text))
            return TAKC_OK;
    u->list[u->n++] = takc_str(text);
    return TAKC_OK;
}

/* All that the cited lines say, with what heads them. */
static enum takc_status gather_evidence(const struct takc_answer *q, const struct takc_answer_asked *a, struct takc_buf *out,
                                        struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < q->r->n_citations; i++) {
        const struct takc_cited *c = &q->r->citations[i];
        const struct takc_prompt_line *l = takc_asked_line(a, a->said.marks.order[i] - 1);
        const struct takc_str parts[] = {c->quote, l->text, l->before, l->title, c->section};
        for (size_t k = 0; !st && k < sizeof(parts) / sizeof(parts[0]); k++) {
            st = takc_buf_add(out, parts[k], err);
            if (!st)
                st = takc_buf_add(out, takc_str(" .\n"), err);
        }
    }
    return st;
}

static enum takc_status check_facts(struct takc_answer *q, const struct takc_answer_asked *a, struct takc_claims *out, struct takc_err *err)
{
    struct takc_buf evidence;
    struct unfounded u = {q, takc_arena_array(q->arena, UNSUPPORTED_MAX, sizeof(*u.list)), 0};
    if (!u.list)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for an answer");
    takc_buf_init(&evidence, TAKC_BUF_MAX_REPLY);
    enum takc_status st = gather_evidence(q, a, &evidence, err);
    if (!st)
        st = takc_claims_check(takc_buf_str(&a->said.marks.plain), takc_buf_str(&evidence), q->o->question, out, note_unfounded, &u, err);
    takc_buf_clear(&evidence);
    q->r->answer.n_facts = out->n;
    q->r->answer.unsupported = u.list;
    q->r->answer.n_unsupported = u.n;
    for (size_t i = 0; !st && i < u.n; i++)
        st = takc_buf_printf(&q->notes, err, "%s%.*s%s", i ? ", " : "no cited line holds: ", TAKC_STR_ARG(u.list[i]),
                             i + 1 == u.n ? "\n" : "");
    return st;
}

/* --- the result --- */

static enum takc_status note_marks(struct takc_answer *q, const struct takc_marks *m, struct takc_err *err)
{
    uint32_t *nowhere = takc_arena_array(q->arena, m->n_nowhere + 1, sizeof(*nowhere));
    enum takc_status st = nowhere ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for an answer");
    q->r->answer.n_marks = m->n_met + m->n_missed;
    q->r->answer.unresolved = nowhere;
    q->r->answer.n_unresolved = m->n_nowhere;
    for (size_t i = 0; !st && i < m->n_nowhere; i++) {
        nowhere[i] = m->nowhere[i];
        st = takc_buf_printf(&q->notes, err, "%s%u%s", i ? ", " : "marks that point to no line: ", m->nowhere[i],
                             i + 1 == m->n_nowhere ? "\n" : "");
    }
    if (!st && !m->n_met && !m->n_missed)
        st = takc_answer_note(q, err, "the answer cites nothing");
    return st;
}

static double abstains_below(const struct takc_answer *q)
{
    return q->o->abstain_below > 0 ? q->o->abstain_below : TAKC_ABSTAIN_BELOW;
}

/* "Not in this knowledge base." is the same; more words behind it explain it. */
static bool says_not_here(struct takc_str text)
{
    struct takc_str want = takc_str(TAKC_NOT_HERE);
    while (text.len && (text.ptr[0] == '"' || text.ptr[0] == '*' || text.ptr[0] == '\''))
        text = takc_str_slice(text, 1, text.len);
    return text.len >= want.len && takc_str_eq_nocase(takc_str_slice(text, 0, want.len), want) &&
           (text.len == want.len || strchr(".,;:\"'*\n ", text.ptr[want.len]));
}

/* Citations stay those of what came nearest. */
static enum takc_status abstain(struct takc_answer *q, struct takc_err *err)
{
    q->r->abstained = true;
    if (q->r->confidence > abstains_below(q))
        q->r->confidence = abstains_below(q);
    return takc_answer_keep(q, takc_str(TAKC_NOT_HERE), &q->r->response, err);
}

static enum takc_status blocked(struct takc_answer *q, struct takc_str text, struct takc_err *err)
{
    q->r->abstained = false;
    q->r->confidence = 0;
    q->r->n_citations = 0;
    enum takc_status st = takc_answer_keep(q, text, &q->r->response, err);
    return st ? st : takc_answer_note(q, err, "blocked: a guardrail or content filter spoke in the model's place");
}

static enum takc_status respond(struct takc_answer *q, struct takc_answer_asked *a, struct takc_err *err)
{
    const struct takc_marks *m = &a->said.marks;
    struct takc_claims claims = {0};
    q->r->abstained = false;
    enum takc_status st = takc_answer_keep(q, takc_str_trim(takc_buf_str(&a->said.shown)), &q->r->response, err);
    if (!st && q->r->answer.cut)
        st = takc_buf_printf(&q->notes, err, "the answer is cut at its limit of %u tokens\n", a->request.max_tokens);
    if (!st)
        st = cite_all(q, a, err);
    if (!st)
        st = note_marks(q, m, err);
    if (!st)
        st = check_facts(q, a, &claims, err);
    double marks = m->n_met + m->n_missed ? (double)m->n_met / (double)(m->n_met + m->n_missed) : 0.5;
    double facts = claims.n ? 1 - (double)claims.n_unfounded / (double)claims.n : 1;
    q->r->confidence *= marks * facts;
    return st;
}

enum takc_status takc_answer_judge(struct takc_answer *q, struct takc_answer_asked *a, struct takc_err *err)
{
    struct takc_str text = takc_str_trim(takc_buf_str(&a->said.shown));
    if (q->r->answer.blocked)
        return blocked(q, text, err);
    if (!text.len || says_not_here(text))
        return abstain(q, err);
    return respond(q, a, err);
}
