/* SPDX-License-Identifier: Apache-2.0
 *
 * answer_prefix.c - an artifact as context: which rate, and its text.
 *
 * Artifacts of a version stand by descending rate, coarse first. Without an asked rate the prior of question and corpus size says where to
 * begin, and the answer climbs to finer rates while words of the question are not covered and the next one fits. 128x is no stored
 * artifact: where even 64x is too large for half of a budget it is made from the version's selection. */
#include "base/alloc.h"
#include "pipeline/answer.h"
#include "pipeline/version.h"

/* Text of a stored artifact, in the scratch; NOT_FOUND names the rates that there are. */
static enum takc_status stored_text(struct takc_answer *q, takc_rate rate, struct takc_str *out, struct takc_err *err)
{
    struct takc_artifact a = {0};
    struct takc_store_view v;
    struct takc_buf text;
    char name[24];
    takc_rate_name(rate, name);
    struct takc_key key = takc_key_artifact(q->snapshot.task, q->snapshot.version->label, rate, ".json");
    enum takc_status st = takc_store_view(takc_home_store(q->snapshot.home), q->call, takc_str(key.s), &v, err);
    for (size_t i = 0; st == TAKC_NOT_FOUND && i < q->snapshot.version->n_artifacts; i++)
        if (q->snapshot.version->artifacts[i].rate == rate)
            return takc_fail(err, TAKC_CORRUPT, 0, "%s is missing; takc compress -t %.*s makes it again", key.s,
                             TAKC_STR_ARG(q->snapshot.task));
    if (st == TAKC_NOT_FOUND)
        return takc_fail(err, TAKC_NOT_FOUND, 0, "version %.*s has no rate %s; takc cache list -t %.*s shows what there is",
                         TAKC_STR_ARG(q->snapshot.version->label), name, TAKC_STR_ARG(q->snapshot.task));
    if (st)
        return st;
    takc_buf_init(&text, TAKC_BUF_MAX_REPLY);
    st = takc_artifact_parse(&a, v.bytes, err);
    takc_store_view_close(&v);
    if (!st)
        st = takc_answer_artifact_text(q, &a, &text, err);
    if (!st)
        st = takc_answer_hold(q, takc_buf_str(&text), out, err);
    if (!st)
        st = takc_answer_show_artifact(q, &a, err);
    takc_buf_clear(&text);
    takc_artifact_clear(&a);
    return st;
}

struct takc_tried_rate *takc_answer_tried(struct takc_answer *q, takc_rate rate, uint64_t tokens, double coverage)
{
    if (q->r->n_tried == sizeof(q->r->tried) / sizeof(q->r->tried[0]))
        return NULL;
    struct takc_tried_rate *t = &q->r->tried[q->r->n_tried++];
    *t = (struct takc_tried_rate){.factor = rate / 1000.0, .tokens = tokens, .coverage = coverage};
    takc_rate_name(rate, t->rate);
    return t;
}

void takc_answer_rate_set(struct takc_answer *q, takc_rate rate)
{
    q->rate = rate;
    takc_rate_name(rate, q->r->rate);
    q->r->factor = rate / 1000.0;
}

/* Does the budget of a rate fit the limit? Whole tokens: half of an 8x budget holds 16x whatever the remainder was. */
bool takc_answer_fits(const struct takc_answer *q, takc_rate rate, uint64_t limit)
{
    return q->r->source_tokens * 1000 / rate <= limit;
}

static bool fits(const struct takc_answer *q, size_t i, uint64_t limit)
{
    return takc_answer_fits(q, q->snapshot.version->artifacts[i].rate, limit);
}

/* Where to begin without an asked rate: the prior of kind and size, no finer than fits. */
static size_t first_rate(const struct takc_answer *q, uint64_t limit)
{
    const struct takc_version *v = q->snapshot.version;
    takc_rate want = takc_rate_prior(takc_complexity_of(q->o->question), q->r->source_tokens, q->o->cost_sensitive);
    size_t i = 0;
    while (i + 1 < v->n_artifacts && v->artifacts[i + 1].rate >= want && fits(q, i + 1, limit))
        i++;
    return i;
}

/* Takes the artifact of a rate for the context, and says how much of the question it covers. */
static enum takc_status take_rate(struct takc_answer *q, takc_rate rate, struct takc_str *out_text, struct takc_cover *cover,
                                  struct takc_err *err)
{
    enum takc_status st = stored_text(q, rate, out_text, err);
    if (!st)
        st = takc_cover(q->snapshot.index, q->question, *out_text, &q->scratch, cover, err);
    if (st)
        return st;
    q->r->coverage = cover->share;
    q->r->missing = cover->missing;
    q->r->n_missing = cover->n_missing;
    q->r->prefix_tokens = takc_tokenizer_count(q->tokenizer, *out_text);
    takc_answer_rate_set(q, rate);
    return TAKC_OK;
}

/* The i-th artifact of the version gives way to a finer one that is cheaper to ask about. */
static enum takc_status reroute(struct takc_answer *q, size_t i, uint64_t limit, struct takc_str *out_text, struct takc_err *err)
{
    size_t to = i;
    struct takc_cover cover;
    enum takc_status st = takc_answer_route(q, i, limit, &to, err);
    if (st || to == i)
        return st;
    st = take_rate(q, q->snapshot.version->artifacts[to].rate, out_text, &cover, err);
    for (size_t k = 0; !st && k < q->r->n_tried; k++)
        if (takc_str_is(takc_str(q->r->rate), q->r->tried[k].rate)) {
            q->r->tried[k].coverage = cover.share;
            q->r->tried[k].tokens = q->r->prefix_tokens;
        }
    return st;
}

enum takc_status takc_answer_prefix_choose(struct takc_answer *q, uint64_t limit, struct takc_str *out_text, struct takc_err *err)
{
    const struct takc_version *v = q->snapshot.version;
    bool climbs = !q->o->rate && !q->o->cost_sensitive;
    size_t i = 0;
    if (q->o->rate)
        while (i < v->n_artifacts && v->artifacts[i].rate != q->o->rate)
            i++;
    else if (v->n_artifacts)
        i = first_rate(q, limit);
    enum takc_status st;
    for (;; i++) {
        takc_rate rate = i < v->n_artifacts ? v->artifacts[i].rate : q->o->rate ? q->o->rate : TAKC_RATE_ULTRA;
        struct takc_cover cover;
        st = take_rate(q, rate, out_text, &cover, err);
        if (st)
            return st;
        (void)takc_answer_tried(q, rate, q->r->prefix_tokens, cover.share);
        if (!climbs || cover.n_held == 0 || i + 1 >= v->n_artifacts || !fits(q, i + 1, limit))
            break;
    }
    if (!q->o->rate && i < v->n_artifacts)
        st = reroute(q, i, limit, out_text, err);
    if (!st && q->r->prefix_tokens > limit && !q->o->rate)
        return takc_answer_note(q, err, "even the coarsest rate is larger than the limit; it is shown whole");
    return st;
}

/* A set of the ladder that no artifact is kept of, as text, made from the version's selection. */
static enum takc_status made_text(struct takc_answer *q, takc_rate rate, struct takc_str *out, struct takc_err *err)
{
    struct takc_selection s;
    struct takc_docset_corpus c;
    const struct takc_docset *set;
    uint8_t *bits = NULL;
    struct takc_set_size size;
    struct takc_buf json, text;
    struct takc_artifact a = {0};
    struct takc_extractive_options eo = takc_build_options(q->profile, 1);
    const struct takc_artifact_meta meta = {.task = q->snapshot.task, .fingerprint = takc_str("-"), .rate = rate};
    takc_buf_init(&json, TAKC_BUF_MAX_REPLY);
    takc_buf_init(&text, TAKC_BUF_MAX_REPLY);
    enum takc_status st = takc_version_selection(q->snapshot.home, q->snapshot.task, q->snapshot.version->label, &s, err);
    if (!st)
        st = takc_snapshot_docs(&q->snapshot, &set, err);
    if (!st)
        st = takc_docset_corpus(q->snapshot.home, q->snapshot.task, set, &q->scratch, &c, err);
    if (!st)
        st = takc_selection_set(&s, &c.corpus, &eo, meta.rate, &bits, &size, err);
    if (!st)
        st = takc_artifact_write(&c.corpus, &s, bits, &size, &eo, &meta, q->call, &json, err);
    if (!st)
        st = takc_artifact_parse(&a, takc_buf_str(&json), err);
    if (!st)
        st = takc_answer_artifact_text(q, &a, &text, err);
    if (!st)
        st = takc_answer_hold(q, takc_buf_str(&text), out, err);
    if (!st)
        st = takc_answer_show_artifact(q, &a, err);
    takc_artifact_clear(&a);
    takc_buf_clear(&json);
    takc_buf_clear(&text);
    takc_free(bits);
    takc_selection_clear(&s);
    return st;
}

enum takc_status takc_answer_prefix_within(struct takc_answer *q, uint64_t limit, struct takc_str *out, struct takc_err *err)
{
    static const takc_rate ladder[] = {8000, 16000, 32000, 64000, 128000};
    const struct takc_version *v = q->snapshot.version;
    size_t k = 0, i = 0;
    while (k < 4 && !takc_answer_fits(q, ladder[k], limit))
        k++;
    while (i < v->n_artifacts && v->artifacts[i].rate != ladder[k])
        i++;
    takc_answer_rate_set(q, ladder[k]);
    enum takc_status st = i < v->n_artifacts ? stored_text(q, ladder[k], out, err) : made_text(q, ladder[k], out, err);
    if (!st && takc_tokenizer_count(q->tokenizer, *out) > limit) {
        *out = takc_str("");
        q->background.n = 0;
        st = takc_answer_note(q, err, "no prefix fits half of the budget: lines only");
    }
    return st;
}
