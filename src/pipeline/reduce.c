/* SPDX-License-Identifier: Apache-2.0
 *
 * reduce.c - a version over reduced texts. The kept set is the 2x set joined with every artifact's, the duplicates that chosen lines stand
 * for, and the bare headings above; units are numbered anew, and everything that a reader of the version opens is written from them.
 * Nothing is taken over from a killed run: this work is done again. */
#include "pipeline/reduce.h"
#include "base/alloc.h"
#include "base/bit.h"
#include "pipeline/generate.h"
#include "pipeline/lines.h"
#include "pipeline/reduce_doc.h"

#include <stdio.h>

void takc_kept_clear(struct takc_kept *k)
{
    takc_selection_clear(&k->selection);
    takc_free(k->unit_of);
    *k = (struct takc_kept){0};
}

/* --- documents --- */

struct making {
    struct takc_build *b;
    const struct takc_corpus *c;
    const struct takc_selection *s;
    struct takc_store_batch *batch;
    uint8_t *keep; /* a byte per unit of the whole */
    struct takc_kept *k;
};

static enum takc_status put_part(struct making *m, const struct takc_docset_doc *d, const char *kind, struct takc_str bytes,
                                 struct takc_err *err)
{
    struct takc_key key = kind[0] ? takc_docset_part_key(m->b->task, d, kind) : takc_key_text(m->b->task, d->text_sha, "");
    return takc_store_batch_put(m->batch, m->b->call, takc_str(key.s), bytes, true, err);
}

static enum takc_status arena_hash(struct making *m, struct takc_str bytes, struct takc_str *out, struct takc_err *err)
{
    struct takc_hex hex;
    enum takc_status st = takc_sha256(bytes, &hex, err);
    if (st)
        return st;
    *out = takc_arena_dup(m->b->arena, takc_str(hex.s));
    return out->ptr ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for a hash");
}

/* The part's name hashes what it was made from, and what of it was kept. */
static enum takc_status name_part(struct making *m, struct takc_docset_doc *d, struct takc_err *err)
{
    struct takc_hex hex;
    char *part = takc_arena_printf(m->b->arena, "%.*s\n%.*s\n%.*s\n", TAKC_STR_ARG(d->whole_key), TAKC_STR_ARG(d->text_sha),
                                   TAKC_STR_ARG(d->units_sha));
    enum takc_status st = part ? takc_sha256(takc_str(part), &hex, err) : takc_fail(err, TAKC_NOMEM, 0, "no memory for a name");
    if (st)
        return st;
    part = takc_arena_printf(m->b->arena, ".%.16s", hex.s);
    d->part = takc_str(part);
    return part ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for a name");
}

/* Stores a reduced document and describes it. */
static enum takc_status put_reduced(struct making *m, const struct takc_reduced *r, struct takc_docset_doc *d, struct takc_err *err)
{
    struct takc_buf structure, map, units;
    struct takc_hex key;
    takc_buf_init(&structure, TAKC_BUF_MAX_DOCUMENT);
    takc_buf_init(&map, TAKC_BUF_MAX_DOCUMENT);
    takc_buf_init(&units, (size_t)4 << 30);
    enum takc_status st = takc_docset_key(d, &key, err);
    if (!st)
        st = takc_doc_save_structure(&r->doc, &structure, err);
    if (!st && d->has_map)
        st = takc_doc_save_map(&r->doc, &map, err);
    if (!st)
        st = takc_units_save(&r->units, &units, err);
    d->whole_text_sha = d->text_sha;
    d->whole_key = takc_arena_dup(m->b->arena, takc_str(st ? "" : key.s));
    if (!st && !d->whole_key.ptr)
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for a hash");
    if (!st)
        st = arena_hash(m, takc_buf_str(&r->doc.text), &d->text_sha, err);
    if (!st)
        st = arena_hash(m, takc_buf_str(&units), &d->units_sha, err);
    d->title_span = r->title_span;
    d->n_units = r->units.n_units;
    if (!st)
        st = name_part(m, d, err);
    if (!st)
        st = put_part(m, d, "", takc_buf_str(&r->doc.text), err);
    if (!st)
        st = put_part(m, d, ".structure", takc_buf_str(&structure), err);
    if (!st && d->has_map)
        st = put_part(m, d, ".map", takc_buf_str(&map), err);
    if (!st)
        st = put_part(m, d, ".units", takc_buf_str(&units), err);
    takc_buf_clear(&structure);
    takc_buf_clear(&map);
    takc_buf_clear(&units);
    return st;
}

static enum takc_status reduce_one(struct making *m, size_t i, struct takc_err *err)
{
    struct takc_corpus_view v = {0};
    struct takc_doc doc;
    struct takc_reduced r;
    struct takc_docset_doc *d = &m->k->set.docs[i];
    enum takc_status st = takc_call_check(m->b->call, err);
    takc_doc_init(&doc);
    takc_reduced_init(&r);
    if (!st)
        st = takc_docset_load(m->b->home, m->b->task, d, &doc, err);
    if (!st)
        st = m->c->load(m->c->arg, i, &v, err);
    if (!st && v.units->n_units != m->s->first_unit[i + 1] - m->s->first_unit[i])
        st = takc_fail(err, TAKC_INVALID, 0, "the documents are not those of the selection");
    if (!st)
        st = takc_reduce_doc(&doc, v.units, d->title_span, m->keep + m->s->first_unit[i], &r, err);
    if (!st)
        st = put_reduced(m, &r, d, err);
    m->c->unload(m->c->arg, &v);
    takc_reduced_clear(&r);
    takc_doc_clear(&doc);
    return st ? takc_err_prefix(err, st, "reduce %.*s", TAKC_STR_ARG(d->name)) : TAKC_OK;
}

/* Chosen units and the duplicates that they stand for. */
static enum takc_status mark_kept(struct making *m, const uint8_t *bits, struct takc_err *err)
{
    m->keep = takc_alloc(m->s->n_units + 1);
    if (!m->keep)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu units", m->s->n_units);
    for (size_t u = 0; u < m->s->n_units; u++)
        m->keep[u] = takc_bit(bits, u) || (m->s->twin[u] && takc_bit(bits, m->s->twin[u] - 1));
    return TAKC_OK;
}

/* --- selection --- */

static enum takc_status number_kept(struct making *m, size_t *out_n, struct takc_err *err)
{
    uint32_t n = 0;
    m->k->n_old = m->s->n_units;
    m->k->unit_of = takc_alloc_array(m->s->n_units + 1, sizeof(*m->k->unit_of));
    if (!m->k->unit_of)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu units", m->s->n_units);
    for (size_t u = 0; u < m->s->n_units; u++)
        m->k->unit_of[u] = m->keep[u] ? ++n : 0;
    *out_n = n;
    return TAKC_OK;
}

/* The same order and sets over the kept units; the sums are those of the whole source. */
static enum takc_status reduce_selection(struct making *m, struct takc_err *err)
{
    const struct takc_selection *s = m->s;
    struct takc_selection *to = &m->k->selection;
    size_t n = 0;
    enum takc_status st = number_kept(m, &n, err);
    if (st)
        return st;
    const uint32_t *unit_of = m->k->unit_of;
    *to = (struct takc_selection){
        .n_docs = s->n_docs, .n_units = n, .source_words = s->source_words, .source_bytes = s->source_bytes, .source_mt = s->source_mt};
    st = takc_selection_alloc(to, s->n_order, err);
    if (st)
        return st;
    uint32_t before = 0;
    for (size_t u = 0, d = 0; d <= s->n_docs; d++) {
        for (; u < s->first_unit[d]; u++)
            before += unit_of[u] != 0;
        to->first_unit[d] = before;
    }
    for (size_t u = 0; u < s->n_units; u++)
        if (unit_of[u]) {
            to->rung[unit_of[u] - 1] = s->rung[u];
            to->salience[unit_of[u] - 1] = s->salience[u];
            to->twin[unit_of[u] - 1] = s->twin[u] ? unit_of[s->twin[u] - 1] : 0;
        }
    memcpy(to->show_title, s->show_title, s->n_docs * sizeof(*s->show_title));
    for (size_t i = 0; i < s->n_order; i++)
        if (unit_of[s->order[i]]) {
            to->order[to->n_order] = unit_of[s->order[i]] - 1;
            to->keys[to->n_order++] = s->keys[i];
        }
    return TAKC_OK;
}

static enum takc_status make_kept(struct takc_build *b, const struct takc_corpus *c, const struct takc_selection *s, const uint8_t *bits,
                                  struct takc_kept *k, struct takc_err *err)
{
    struct making m = {.b = b, .c = c, .s = s, .k = k};
    *k = (struct takc_kept){.set = {takc_arena_array(b->arena, b->set->n_docs + 1, sizeof(*k->set.docs)), b->set->n_docs}};
    if (!k->set.docs)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu documents", b->set->n_docs);
    memcpy(k->set.docs, b->set->docs, b->set->n_docs * sizeof(*k->set.docs));
    enum takc_status st = mark_kept(&m, bits, err);
    if (!st)
        st = takc_store_batch_open(takc_home_store(b->home), &m.batch, err);
    for (size_t i = 0; !st && i < k->set.n_docs; i++) {
        st = reduce_one(&m, i, err);
        takc_call_progress(b->call, "reduce", "documents", i + 1, k->set.n_docs);
    }
    if (!st)
        st = takc_store_batch_commit(m.batch, b->call, err);
    if (!st)
        st = reduce_selection(&m, err);
    if (!st)
        st = takc_docset_corpus(b->home, b->task, &k->set, b->arena, &k->corpus, err);
    takc_store_batch_close(m.batch);
    takc_free(m.keep);
    return st;
}

/* --- the version --- */

struct rate_set { /* of one artifact, over the whole */
    uint8_t *bits;
    struct takc_set_size size;
    struct takc_line_set lines; /* that a model wrote */
};

struct generating { /* rates by a model, over the whole */
    struct takc_build *b;
    const struct takc_corpus *c;
    const struct takc_selection *s;
    struct rate_set *sets;
    struct takc_stored *made;
};

/* A rate's lines, and its ledger; what is stored of it is written over the kept set. */
static enum takc_status put_generated(void *arg, size_t at, struct takc_str json, const struct takc_set_size *size,
                                      const struct takc_ledger_generated *row, struct takc_err *err)
{
    struct generating *g = arg;
    struct takc_build *b = g->b;
    struct takc_artifact a = {0};
    struct takc_fact_counts facts[2];
    struct rate_set *set = &g->sets[at];
    set->size = *size;
    enum takc_status st = takc_artifact_parse(&a, json, err);
    if (!st)
        st = takc_line_set_of(&a, g->c, g->s, b->arena, &set->lines, err);
    if (!st)
        st = takc_facts_of_artifact(g->c, g->s, &a, b->profile->description, facts, err);
    takc_artifact_clear(&a);
    set->bits = st ? NULL : takc_alloc(g->s->n_units / 8 + 1);
    if (!st && !set->bits)
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for a set");
    if (st)
        return st;
    memcpy(set->bits, set->lines.bits, g->s->n_units / 8 + 1);
    takc_build_fill_ledger(g->s, &facts[0], &facts[1], size, b->rates[at], &b->rows[at]);
    b->rows[at].generated = *row;
    return takc_build_put_ledger(b, b->label, &b->rows[at], b->rates[at], &g->made[at], err);
}

static enum takc_status choose_set(struct takc_build *b, const struct takc_corpus *c, const struct takc_selection *s,
                                   const struct takc_extractive_options *o, size_t i, struct rate_set *set, struct takc_stored *made,
                                   struct takc_err *err)
{
    takc_call_progress(b->call, "compress", "rates", i, b->n_rates);
    enum takc_status st = takc_call_check(b->call, err);
    if (!st)
        st = takc_selection_set(s, c, o, b->rates[i], &set->bits, &set->size, err);
    return st ? st : takc_build_ledger(b, c, s, set->bits, &set->size, b->rates[i], &b->rows[i], made, err);
}

static enum takc_status choose_sets(struct takc_build *b, const struct takc_corpus *c, const struct takc_selection *s,
                                    const struct takc_extractive_options *o, struct rate_set *sets, uint8_t **out_all,
                                    struct takc_stored *made, struct takc_err *err)
{
    struct takc_set_size size;
    struct generating g = {b, c, s, sets, made};
    for (size_t i = 0; i < b->n_rates; i++)
        if (b->rates[i] < TAKC_KEPT_RATE)
            return takc_fail(err, TAKC_INVALID, 0, "task %.*s keeps no originals, so no artifact may be finer than 2x",
                             TAKC_STR_ARG(b->task));
    enum takc_status st = takc_selection_set(s, c, o, TAKC_KEPT_RATE, out_all, &size, err);
    if (!st && b->generation)
        st = takc_generation_run(b, c, s, o, put_generated, &g, err);
    for (size_t i = 0; !st && i < b->n_rates; i++) {
        if (!b->generation)
            st = choose_set(b, c, s, o, i, &sets[i], &made[i], err);
        for (size_t k = 0; !st && k <= s->n_units / 8; k++)
            (*out_all)[k] |= sets[i].bits[k];
        if (!st)
            takc_line_set_mark(&sets[i].lines, *out_all);
    }
    return st;
}

/* A set over the whole under the numbers of what is kept. */
static uint8_t *move_bits(const struct takc_kept *k, const uint8_t *old)
{
    uint8_t *bits = takc_alloc(k->selection.n_units / 8 + 1);
    for (size_t u = 0; bits && u < k->n_old; u++)
        if (takc_bit(old, u) && k->unit_of[u])
            takc_bit_set(bits, k->unit_of[u] - 1);
    return bits;
}

static enum takc_status write_artifact(struct takc_build *b, const struct takc_kept *k, const struct rate_set *set,
                                       const struct takc_extractive_options *o, takc_rate rate, struct takc_stored *out,
                                       struct takc_err *err)
{
    struct takc_line_set lines;
    uint8_t *bits = move_bits(k, set->bits);
    enum takc_status st = bits ? takc_line_set_move(&set->lines, k->unit_of, NULL, b->arena, &lines, err)
                               : takc_fail(err, TAKC_NOMEM, 0, "no memory for a set");
    if (!st)
        st = takc_build_put_artifact(b, b->label,
                                     &(struct takc_set){.corpus = &k->corpus.corpus,
                                                        .selection = &k->selection,
                                                        .options = o,
                                                        .rate = rate,
                                                        .bits = bits,
                                                        .size = &set->size,
                                                        .written = lines.written,
                                                        .n_written = lines.n_written},
                                     out, err);
    takc_free(bits);
    return st;
}

enum takc_status takc_reduce_make(struct takc_build *b, const struct takc_corpus *c, const struct takc_selection *s,
                                  const struct takc_extractive_options *o, struct takc_err *err)
{
    struct rate_set *sets = takc_arena_array(b->arena, b->n_rates + 1, sizeof(*sets));
    struct takc_stored *artifacts = takc_arena_array(b->arena, b->n_rates + 1, sizeof(*artifacts));
    struct takc_kept kept = {0};
    uint8_t *all = NULL;
    if (!sets || !artifacts)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for artifacts");
    memset(sets, 0, (b->n_rates + 1) * sizeof(*sets));
    memset(artifacts, 0, (b->n_rates + 1) * sizeof(*artifacts));
    enum takc_status st = choose_sets(b, c, s, o, sets, &all, artifacts, err);
    if (!st)
        st = make_kept(b, c, s, all, &kept, err);
    if (!st)
        st = takc_build_put_selection(b, b->label, &kept.selection, &b->version.selection, err);
    if (!st)
        st = takc_build_put_index(b, b->label, &kept.corpus.corpus, &kept.selection, &b->version.index, err);
    if (!st)
        st = takc_build_put_documents(b, b->label, &kept.set, &b->version.documents, err);
    for (size_t i = 0; !st && i < b->n_rates; i++)
        st = write_artifact(b, &kept, &sets[i], o, b->rates[i], &artifacts[i], err);
    b->version.artifacts = artifacts;
    b->version.n_artifacts = b->n_rates;
    for (size_t i = 0; i < b->n_rates; i++)
        takc_free(sets[i].bits);
    takc_free(all);
    takc_kept_clear(&kept);
    return st;
}

/* --- after the swap --- */

/* The record says what is kept, if it is still of the same source as read then. */
static enum takc_status settle_record(struct takc_build *b, const struct takc_docset_doc *d, struct takc_store_batch *batch,
                                      struct takc_err *err)
{
    struct takc_document record;
    struct takc_buf json;
    struct takc_store_view text;
    enum takc_status st = takc_home_document(b->home, b->task, d->name, b->arena, &record, err);
    if (st)
        return st == TAKC_NOT_FOUND ? TAKC_OK : st;
    struct takc_revision *all = takc_arena_array(b->arena, record.n_revisions, sizeof(*all)), *r = all + record.n_revisions - 1;
    if (!all)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a record");
    memcpy(all, record.revisions, record.n_revisions * sizeof(*all));
    if (r->whole_text_sha.len || !takc_str_eq(r->source_sha, d->source_sha) || !takc_str_eq(r->text_sha, d->whole_text_sha))
        return TAKC_OK;
    struct takc_key key = takc_key_text(b->task, d->text_sha, "");
    if ((st = takc_store_view(takc_home_store(b->home), b->call, takc_str(key.s), &text, err)))
        return st;
    r->text_bytes = text.bytes.len;
    takc_store_view_close(&text);
    r->text_sha = d->text_sha;
    r->units_sha = d->units_sha;
    r->part = d->part;
    r->title_span = d->title_span;
    r->n_units = d->n_units;
    r->whole_text_sha = d->whole_text_sha;
    r->whole_key = d->whole_key;
    record.revisions = all;
    takc_buf_init(&json, TAKC_BUF_MAX_REPLY);
    key = takc_key_document(b->task, d->name);
    st = takc_document_write(&record, &json, err);
    if (!st)
        st = takc_store_batch_put(batch, b->call, takc_str(key.s), takc_buf_str(&json), false, err);
    takc_buf_clear(&json);
    return st;
}

struct removing {
    struct takc_build *b;
    struct takc_store_batch *batch;
};

static enum takc_status remove_one(void *arg, struct takc_str key, uint64_t size, struct takc_err *err)
{
    struct removing *r = arg;
    (void)size;
    return takc_store_batch_del(r->batch, r->b->call, key, err);
}

/* Blobs, raw data and chunks of the task: there from a time when originals were kept. */
static enum takc_status remove_originals(struct takc_build *b, struct takc_store_batch *batch, struct takc_err *err)
{
    struct removing r = {b, batch};
    static const char *const around[][2] = {{"blobs/", "/"}, {"raw-data/", "/"}, {"", "/chunk_"}};
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < sizeof(around) / sizeof(around[0]); i++) {
        char prefix[128];
        (void)snprintf(prefix, sizeof(prefix), "%s%.*s%s", around[i][0], TAKC_STR_ARG(b->task), around[i][1]);
        st = takc_store_list(takc_home_store(b->home), b->call, takc_str(prefix), remove_one, &r, err);
    }
    return st;
}

enum takc_status takc_reduce_settle(struct takc_build *b, const struct takc_version *v, struct takc_err *err)
{
    struct takc_docset set;
    struct takc_store_batch *batch = NULL;
    enum takc_status st = takc_docset_of_version(b->home, b->task, v, b->arena, &set, err);
    if (!st)
        st = takc_store_batch_open(takc_home_store(b->home), &batch, err);
    for (size_t i = 0; !st && i < set.n_docs; i++)
        if (takc_docset_is_reduced(&set.docs[i]))
            st = settle_record(b, &set.docs[i], batch, err);
    if (!st)
        st = remove_originals(b, batch, err);
    if (!st)
        st = takc_store_batch_commit(batch, b->call, err);
    takc_store_batch_close(batch);
    return st;
}

enum takc_status takc_reduce_check(struct takc_build *b, const struct takc_docset *set, struct takc_err *err)
{
    struct takc_document record;
    const struct takc_docset_doc *first = NULL;
    size_t n = 0;
    for (size_t i = 0; i < set->n_docs; i++)
        if (takc_docset_is_reduced(&set->docs[i]) && n++ == 0)
            first = &set->docs[i];
    if (!n)
        return TAKC_OK;
    enum takc_status st = takc_home_document(b->home, b->task, first->name, b->arena, &record, err);
    return st ? st
              : takc_fail(err, TAKC_CONFLICT, 0,
                          "of %zu of %zu documents only the 2x set is kept (keep_originals: false), so nothing new can be made from them; "
                          "ingest the whole corpus again, then compress: takc ingest -t %.*s %.*s",
                          n, set->n_docs, TAKC_STR_ARG(b->task), TAKC_STR_ARG(record.root));
}

enum takc_status takc_reduce_is_whole(struct takc_build *b, const struct takc_version *v, bool *out, struct takc_err *err)
{
    struct takc_docset set;
    enum takc_status st = takc_docset_of_version(b->home, b->task, v, b->arena, &set, err);
    *out = false;
    for (size_t i = 0; !st && i < set.n_docs; i++)
        *out |= !takc_docset_is_reduced(&set.docs[i]);
    return st;
}
