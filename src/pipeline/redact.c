/* SPDX-License-Identifier: Apache-2.0
 *
 * redact.c - redaction works on the selection: drop the documents' units, hand their places to duplicates elsewhere, then write index and
 * artifacts from what is left with the sets as they were. */
#include "pipeline/redact.h"
#include "base/alloc.h"
#include "base/bit.h"
#include "base/clock.h"
#include "pipeline/generate.h"
#include "pipeline/lines.h"

#include <stdlib.h>

/* New numbers (+ 1) of the units of the documents that stay; 0 for the others. */
static size_t number_units(const struct takc_selection *s, const bool *gone, uint32_t *number)
{
    uint32_t n = 0;
    for (size_t d = 0; d < s->n_docs; d++)
        for (uint32_t u = s->first_unit[d]; u < s->first_unit[d + 1]; u++)
            number[u] = gone[d] ? 0 : ++n;
    return n;
}

/* heir[u] = old number + 1 of the first duplicate that stays, for each removed unit u that stood for others. */
static void find_heirs(const struct takc_selection *s, const uint32_t *number, uint32_t *heir)
{
    for (uint32_t u = 0; u < s->n_units; u++) {
        uint32_t of = s->twin[u];
        if (of && number[u] && !number[of - 1] && !heir[of - 1])
            heir[of - 1] = u + 1;
    }
}

static void copy_units(const struct takc_selection *s, const uint32_t *number, const uint32_t *heir, struct takc_selection *out)
{
    for (uint32_t u = 0; u < s->n_units; u++) {
        if (!number[u])
            continue;
        uint32_t n = number[u] - 1, of = s->twin[u];
        out->rung[n] = s->rung[u];
        out->salience[n] = s->salience[u];
        if (of && !number[of - 1]) {
            uint32_t first = heir[of - 1];
            of = first == u + 1 ? 0 : first;
            if (!of)
                out->rung[n] = s->rung[s->twin[u] - 1];
        }
        out->twin[n] = of ? number[of - 1] : 0;
    }
}

static void copy_order(const struct takc_selection *s, const uint32_t *number, const uint32_t *heir, struct takc_selection *out)
{
    for (size_t i = 0; i < s->n_order; i++) {
        uint32_t u = s->order[i];
        if (!number[u]) {
            if (!heir[u])
                continue;
            u = heir[u] - 1;
        }
        out->order[out->n_order] = number[u] - 1;
        out->keys[out->n_order++] = s->keys[i];
    }
}

/* The selection without the documents that are gone; number and heir have a zeroed place per unit. */
static enum takc_status redact_selection(const struct takc_selection *s, const bool *gone, struct takc_selection *out, uint32_t *number,
                                         uint32_t *heir, struct takc_err *err)
{
    *out = (struct takc_selection){.n_docs = s->n_docs,
                                   .n_units = number_units(s, gone, number),
                                   .source_words = s->source_words,
                                   .source_bytes = s->source_bytes,
                                   .source_mt = s->source_mt};
    enum takc_status st = takc_selection_alloc(out, s->n_order, err);
    out->n_docs = 0; /* those that stay are counted in */
    if (st)
        return st;
    find_heirs(s, number, heir);
    uint32_t units = 0;
    for (size_t d = 0; d < s->n_docs; d++) {
        if (gone[d])
            continue;
        out->show_title[out->n_docs] = s->show_title[d];
        out->first_unit[out->n_docs++] = units;
        units += s->first_unit[d + 1] - s->first_unit[d];
    }
    out->first_unit[out->n_docs] = units;
    copy_units(s, number, heir, out);
    copy_order(s, number, heir, out);
    return TAKC_OK;
}

struct redaction {
    struct takc_build *b;
    const struct takc_version *old;
    struct takc_docset old_set, set;
    struct takc_docset_corpus old_corpus, corpus;
    struct takc_selection old_selection, selection;
    bool *gone;              /* by old document */
    uint32_t *number, *heir; /* by old unit: its new number + 1, 0 for none; the old number + 1 of what takes its place */
    uint8_t *dropped;        /* by new number: heirs that a finer rate had no room for */
    struct takc_extractive_options o;
    const struct takc_needles *needles; /* what no line may say any more */
};

/* The old set's bits under the new numbers, heirs in the places of what is gone. */
static uint8_t *move_bits(const struct redaction *r, const uint8_t *old_bits)
{
    uint8_t *bits = takc_alloc(r->selection.n_units / 8 + 1);
    for (uint32_t u = 0; bits && u < r->old_selection.n_units; u++) {
        if (!takc_bit(old_bits, u) || (!r->number[u] && !r->heir[u]))
            continue;
        takc_bit_set(bits, (r->number[u] ? r->number[u] : r->number[r->heir[u] - 1]) - 1);
    }
    return bits;
}

/* Facts of the source and of what is shown. */
static enum takc_status count_facts(struct redaction *r, const struct takc_set *set, struct takc_str label,
                                    struct takc_fact_counts facts[2], struct takc_err *err)
{
    struct takc_artifact a = {0};
    struct takc_store_view v;
    if (!set->from)
        return takc_facts_of_sets(set->corpus, set->selection, (const uint8_t *const[]){NULL, set->bits}, 2, r->b->profile->description,
                                  facts, err);
    struct takc_key key = takc_key_artifact(r->b->task, label, set->rate, ".json");
    enum takc_status st = takc_store_view(takc_home_store(r->b->home), r->b->call, takc_str(key.s), &v, err);
    if (st)
        return st;
    st = takc_artifact_parse(&a, v.bytes, err);
    takc_store_view_close(&v);
    if (!st)
        st = takc_facts_of_artifact(set->corpus, set->selection, &a, r->b->profile->description, facts, err);
    takc_artifact_clear(&a);
    return st;
}

/* The ledger says what is there now; facts of the source stay those of the source as it was asked for. */
static enum takc_status redact_ledger(struct redaction *r, const struct takc_set *set, struct takc_str label, struct takc_stored *out,
                                      struct takc_err *err)
{
    struct takc_buf bytes;
    struct takc_ledger_entry e;
    struct takc_fact_counts facts[2];
    struct takc_key from = takc_key_artifact(r->b->task, r->old->label, set->rate, ".ledger.json");
    takc_buf_init(&bytes, TAKC_BUF_MAX_REPLY);
    enum takc_status st = takc_store_get_bytes(takc_home_store(r->b->home), r->b->call, takc_str(from.s), &bytes, err);
    if (!st)
        st = takc_ledger_parse(takc_buf_str(&bytes), &e, err);
    if (!st)
        st = count_facts(r, set, label, facts, err);
    if (!st) {
        takc_ledger_measure(&e, &r->selection, set->size);
        bool whole = r->set.n_docs == 0 || !takc_docset_is_reduced(&r->set.docs[0]);
        for (int k = 0; k < TAKC_LEDGER_FACTS; k++) {
            e.facts_source[k] = whole ? facts[0].n[k] : e.facts_source[k]; /* what is kept cannot tell what the source had */
            e.facts_kept[k] = facts[1].n[k];
        }
        if (e.generated.used) {
            e.generated.lines_kept = set->n_written;
            e.generated.lines_extract = set->size->n_units - set->n_written;
        }
        st = takc_build_put_ledger(r->b, label, &e, set->rate, out, err);
    }
    takc_buf_clear(&bytes);
    return st;
}

struct old_artifact { /* what it shows: exactly that, whatever the profile says by now */
    struct takc_artifact artifact;
    struct takc_line_set lines;
};

/* Clear o->artifact afterwards, whatever the status. */
static enum takc_status read_old(struct redaction *r, takc_rate rate, struct old_artifact *o, struct takc_err *err)
{
    struct takc_store_view v;
    struct takc_key key = takc_key_artifact(r->b->task, r->old->label, rate, ".json");
    enum takc_status st = takc_store_view(takc_home_store(r->b->home), r->b->call, takc_str(key.s), &v, err);
    if (st)
        return st;
    st = takc_artifact_parse(&o->artifact, v.bytes, err);
    takc_store_view_close(&v);
    if (!st)
        st = takc_line_set_of(&o->artifact, &r->old_corpus.corpus, &r->old_selection, r->b->arena, &o->lines, err);
    return st ? takc_err_prefix(err, st, "%s", key.s) : TAKC_OK;
}

/* The last heir of the order that is in the set, by its new number; UINT32_MAX when there is none. */
static uint32_t last_heir(const struct redaction *r, const uint8_t *bits)
{
    const struct takc_selection *s = &r->old_selection;
    for (size_t i = s->n_order; i-- > 0;) {
        uint32_t u = s->order[i];
        if (r->number[u] || !r->heir[u])
            continue;
        uint32_t v = r->number[r->heir[u] - 1] - 1;
        if (takc_bit(bits, v))
            return v;
    }
    return UINT32_MAX;
}

/* An heir may need a title or a header that its forerunner did not: where the set no longer fits its budget, the last heirs go. Finer rates
 * come first, and what goes there goes at all coarser ones, so that the sets still nest. */
static enum takc_status fit(struct redaction *r, const struct takc_line_set *lines, uint64_t budget_mt, struct takc_set_size *size,
                            struct takc_err *err)
{
    uint8_t *bits = lines->bits;
    const struct takc_lines shown = {.bits = bits, .written = lines->written, .n_written = lines->n_written};
    for (size_t i = 0; i < r->selection.n_units / 8 + 1; i++)
        bits[i] &= (uint8_t)~r->dropped[i];
    for (;;) {
        enum takc_status st = takc_lines_measure(&r->corpus.corpus, &r->selection, &shown, &r->o, size, err);
        size->budget_mt = budget_mt;
        size->shortfall = true;
        uint32_t v = st || size->mt <= budget_mt ? UINT32_MAX : last_heir(r, bits);
        if (v == UINT32_MAX)
            return st;
        takc_bit_clear(bits, v);
        takc_bit_set(r->dropped, v);
    }
}

static enum takc_status put_redacted(struct redaction *r, const struct old_artifact *old, const struct takc_line_set *lines, takc_rate rate,
                                     struct takc_str label, struct takc_stored *out, struct takc_err *err)
{
    struct takc_set_size size;
    enum takc_status st = fit(r, lines, old->artifact.budget_tokens * 1000, &size, err);
    struct takc_set set = {.corpus = &r->corpus.corpus,
                           .selection = &r->selection,
                           .options = &r->o,
                           .rate = rate,
                           .bits = lines->bits,
                           .size = &size,
                           .written = lines->written,
                           .n_written = lines->n_written,
                           .from = old->artifact.model.len ? &old->artifact : NULL};
    if (!st)
        st = takc_build_put_artifact(r->b, label, &set, out, err);
    return st ? st : redact_ledger(r, &set, label, out, err);
}

static enum takc_status redact_artifact(struct redaction *r, takc_rate rate, struct takc_str label, struct takc_stored *out,
                                        struct takc_err *err)
{
    struct old_artifact old = {.lines = {.bits = NULL}};
    struct takc_line_set lines = {.bits = NULL};
    enum takc_status st = read_old(r, rate, &old, err);
    if (!st)
        st = takc_line_set_move(&old.lines, r->number, r->needles, r->b->arena, &lines, err);
    if (!st && !(lines.bits = move_bits(r, old.lines.bits)))
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for a set");
    if (!st)
        st = put_redacted(r, &old, &lines, rate, label, out, err);
    takc_artifact_clear(&old.artifact);
    takc_free(lines.bits);
    return st;
}

static int by_bytes(const void *a, const void *b)
{
    return takc_str_cmp(*(const struct takc_str *)a, *(const struct takc_str *)b);
}

bool takc_redact_names(const struct takc_str *removed, size_t n_removed, struct takc_str name)
{
    return n_removed && bsearch(&name, removed, n_removed, sizeof(*removed), by_bytes);
}

/* Old documents, which of them go, and the list without these. */
static enum takc_status load_old(struct redaction *r, const struct takc_str *removed, size_t n_removed, struct takc_err *err)
{
    struct takc_build *b = r->b;
    enum takc_status st = takc_docset_of_version(b->home, b->task, r->old, b->arena, &r->old_set, err);
    if (st)
        return st;
    r->set.docs = takc_arena_array(b->arena, r->old_set.n_docs + 1, sizeof(*r->set.docs));
    r->gone = takc_arena_array(b->arena, r->old_set.n_docs + 1, sizeof(*r->gone));
    if (!r->set.docs || !r->gone)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a list of documents");
    for (size_t i = 0; i < r->old_set.n_docs; i++) {
        r->gone[i] = takc_redact_names(removed, n_removed, r->old_set.docs[i].name);
        if (!r->gone[i])
            r->set.docs[r->set.n_docs++] = r->old_set.docs[i];
    }
    st = takc_docset_corpus(b->home, b->task, &r->old_set, b->arena, &r->old_corpus, err);
    if (!st)
        st = takc_docset_corpus(b->home, b->task, &r->set, b->arena, &r->corpus, err);
    if (!st)
        st = takc_version_selection(b->home, b->task, r->old->label, &r->old_selection, err);
    if (!st && r->old_selection.n_docs != r->old_set.n_docs)
        st = takc_fail(err, TAKC_CORRUPT, 0, "selection and list of documents differ");
    return st;
}

static enum takc_status select_rest(struct redaction *r, struct takc_err *err)
{
    size_t n = r->old_selection.n_units + 1;
    r->number = takc_arena_array(r->b->arena, n, sizeof(*r->number));
    r->heir = takc_arena_array(r->b->arena, n, sizeof(*r->heir));
    r->dropped = takc_arena_alloc(r->b->arena, n / 8 + 1);
    return r->number && r->heir && r->dropped ? redact_selection(&r->old_selection, r->gone, &r->selection, r->number, r->heir, err)
                                              : takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu units", n);
}

enum takc_status takc_redact_version(struct takc_build *b, const struct takc_version *old, const struct takc_str *removed, size_t n_removed,
                                     const struct takc_needles *needles, struct takc_str label, struct takc_version *out,
                                     struct takc_err *err)
{
    struct redaction r = {.b = b, .old = old, .needles = needles, .o = takc_build_options(b->profile, b->n_threads)};
    const struct takc_clock *clock = takc_clock_or_system(b->call ? b->call->clock : NULL);
    struct takc_stored *artifacts = takc_arena_array(b->arena, old->n_artifacts + 1, sizeof(*artifacts));
    *out = (struct takc_version){.label = label,
                                 .work_key = takc_str("") /* no inputs make it again */,
                                 .redacted_from = old->label,
                                 .created_s = clock->wall_s(clock),
                                 .pinned = old->pinned,
                                 .artifacts = artifacts,
                                 .n_artifacts = old->n_artifacts,
                                 .source_tokens = old->source_tokens};
    enum takc_status st = artifacts ? load_old(&r, removed, n_removed, err) : takc_fail(err, TAKC_NOMEM, 0, "no memory for artifacts");
    if (!st)
        st = select_rest(&r, err);
    if (!st)
        st = takc_build_put_selection(b, label, &r.selection, &out->selection, err);
    if (!st)
        st = takc_build_put_index(b, label, &r.corpus.corpus, &r.selection, &out->index, err);
    if (!st)
        st = takc_build_put_documents(b, label, &r.set, &out->documents, err);
    for (size_t i = old->n_artifacts; !st && i-- > 0;)
        st = redact_artifact(&r, old->artifacts[i].rate, label, &artifacts[i], err);
    if (!st)
        st = takc_generation_copy(b->home, b->task, old->label, label, true, err);
    takc_selection_clear(&r.old_selection);
    takc_selection_clear(&r.selection);
    return st ? takc_err_prefix(err, st, "redact version %.*s", TAKC_STR_ARG(old->label)) : st;
}
