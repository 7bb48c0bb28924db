/* SPDX-License-Identifier: Apache-2.0
 *
 * version.c - one version from documents to manifest.
 *
 * Things are put in the order selection, documents, artifacts, ledgers, index (which needs the most memory, and the least of the
 * selection); work.json, put first, says whose they are. A run that finds work.json with its own work key takes over each finished thing;
 * any other leftover under the label is removed first. Nobody sees a version before the manifest names it. */
#include "pipeline/version.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "compress/selection_store.h"
#include "pipeline/generate.h"
#include "pipeline/reduce.h"
#include "pipeline/settle.h"
#include "rank/index.h"

#include <stdio.h>
#include <unicode/uversion.h>

struct takc_extractive_options takc_build_options(const struct takc_profile *p, unsigned n_threads)
{
    struct takc_extractive_options o = takc_extractive_options_default();
    o.description = p->description;
    o.must_keep = p->must_keep;
    o.budget = TAKC_BUDGET_TOKENS;
    o.tokenizer = p->counter;
    o.n_threads = n_threads;
    return o;
}

enum takc_status takc_build_fingerprint(const struct takc_build *b, struct takc_str *out, struct takc_err *err)
{
    const struct takc_tokenizer *t = b->profile->counter;
    struct takc_str written = {NULL, 0};
    UVersionInfo icu;
    char icu_text[U_MAX_VERSION_STRING_LENGTH];
    if (!t)
        return takc_fail(err, TAKC_INVALID, 0, "tokenizer '%.*s' is not open", TAKC_STR_ARG(b->profile->tokenizer));
    u_getVersion(icu);
    u_versionToString(icu, icu_text);
    enum takc_status st = b->generation ? takc_generation_text(b->generation, b->arena, &written, err) : TAKC_OK;
    if (st)
        return st;
    char *text = takc_arena_printf(b->arena,
                                   "units " TAKC_UNITS_VERSION ", extractive " TAKC_EXTRACTIVE_VERSION ", index " TAKC_INDEX_VERSION
                                   ", tokenizer %s %s, icu %s%s%.*s",
                                   t->name, t->version, icu_text, written.len ? ", " : "", TAKC_STR_ARG(written));
    *out = takc_str(text);
    return text ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for a fingerprint");
}

/* What a work key is made of. */
static enum takc_status add_inputs(struct takc_build *b, struct takc_str fingerprint, struct takc_buf *all, struct takc_err *err)
{
    const struct takc_profile *p = b->profile;
    struct takc_hex hex;
    enum takc_status st = takc_buf_printf(all, err, "%.*s\n%.*s\nmust_keep %u\noriginals %d\n%zu\n", TAKC_STR_ARG(b->task),
                                          TAKC_STR_ARG(fingerprint), p->must_keep, p->keep_originals, p->description.len);
    if (!st)
        st = takc_buf_add(all, p->description, err);
    if (!st && b->generation)
        st = takc_generation_add_key(b->generation, all, err);
    for (size_t i = 0; !st && i < b->n_rates; i++)
        st = takc_buf_printf(all, err, "\nrate %u", b->rates[i]);
    if (!st)
        st = takc_buf_byte(all, '\n', err);
    for (size_t i = 0; !st && i < b->set->n_docs; i++) {
        st = takc_docset_key(&b->set->docs[i], &hex, err);
        if (!st)
            st = takc_buf_printf(all, err, "%s\n", hex.s);
    }
    return st;
}

enum takc_status takc_build_work_key(struct takc_build *b, struct takc_err *err)
{
    struct takc_buf all;
    struct takc_str fingerprint;
    struct takc_hex hex;
    takc_buf_init(&all, TAKC_BUF_MAX_REPLY);
    enum takc_status st = takc_build_fingerprint(b, &fingerprint, err);
    if (!st)
        st = add_inputs(b, fingerprint, &all, err);
    if (!st)
        st = takc_sha256(takc_buf_str(&all), &hex, err);
    takc_buf_clear(&all);
    if (st)
        return st;
    b->work_key = takc_arena_dup(b->arena, takc_str(hex.s));
    return b->work_key.ptr ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for a work key");
}

/* --- leftovers --- */

enum takc_status takc_version_remove(struct takc_home *h, struct takc_str task, struct takc_str label, uint64_t *n_removed,
                                     struct takc_err *err)
{
    static const char *const folders[] = {"artifacts", "index"};
    struct takc_arena arena;
    enum takc_status st = TAKC_OK;
    takc_arena_init(&arena);
    for (size_t i = 0; !st && i < 2; i++) {
        struct takc_key_list list = {0};
        char *prefix = takc_arena_printf(&arena, "%s/%.*s/v%.*s/", folders[i], TAKC_STR_ARG(task), TAKC_STR_ARG(label));
        st = prefix ? takc_home_keys(takc_home_store(h), NULL, takc_str(prefix), &arena, &list, err)
                    : takc_fail(err, TAKC_NOMEM, 0, "no memory for a prefix");
        for (size_t k = 0; !st && k < list.n; k++) {
            st = takc_store_del(takc_home_store(h), NULL, list.keys[k], err);
            st = st == TAKC_NOT_FOUND ? TAKC_OK : st;
        }
        if (!st && n_removed)
            *n_removed += list.n;
    }
    takc_arena_clear(&arena);
    return st;
}

/* Is the label's folder ours (same work key)? Otherwise it is emptied and claimed. */
static enum takc_status claim(struct takc_build *b, bool *out_ours, struct takc_err *err)
{
    struct takc_store *store = takc_home_store(b->home);
    struct takc_key key = takc_key_work(b->task, b->label);
    struct takc_buf old;
    takc_buf_init(&old, TAKC_BUF_MAX_NAME);
    enum takc_status st = takc_store_get_bytes(store, b->call, takc_str(key.s), &old, err);
    *out_ours = !st && takc_str_eq(takc_buf_str(&old), b->work_key);
    if (st == TAKC_NOT_FOUND || st == TAKC_INVALID)
        st = TAKC_OK;
    takc_buf_clear(&old);
    if (st || *out_ours)
        return st;
    st = takc_version_remove(b->home, b->task, b->label, NULL, err);
    return st ? st : takc_store_put_bytes(store, b->call, takc_str(key.s), b->work_key, err);
}

/* --- the stored things --- */

/* Hash and size of a finished thing into out; NOT_FOUND when it is not there. */
static enum takc_status finished(struct takc_build *b, struct takc_key key, struct takc_stored *out, struct takc_err *err)
{
    struct takc_store_view v;
    struct takc_hex hex;
    enum takc_status st = takc_store_view(takc_home_store(b->home), b->call, takc_str(key.s), &v, err);
    if (st)
        return st;
    st = takc_sha256(v.bytes, &hex, err);
    out->size_bytes = v.bytes.len;
    takc_store_view_close(&v);
    out->sha256 = takc_arena_dup(b->arena, takc_str(hex.s));
    if (!st && !out->sha256.ptr)
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for a hash");
    return st;
}

enum takc_status takc_version_selection(struct takc_home *h, struct takc_str task, struct takc_str label, struct takc_selection *out,
                                        struct takc_err *err)
{
    struct takc_store_view v;
    struct takc_key key = takc_key_selection(task, label);
    *out = (struct takc_selection){0};
    enum takc_status st = takc_store_view(takc_home_store(h), NULL, takc_str(key.s), &v, err);
    if (st)
        return st;
    st = takc_selection_load(out, v.bytes, err);
    takc_store_view_close(&v);
    return st ? takc_err_prefix(err, st, "%s", key.s) : st;
}

static enum takc_status select_units(struct takc_build *b, const struct takc_corpus *c, const struct takc_extractive_options *o,
                                     struct takc_selection *s, struct takc_err *err)
{
    enum takc_status st = takc_extractive_select(c, o, b->call, s, err);
    return st || !b->generation ? st : takc_generative_hide_titles(c, s, o->n_threads, b->call, err);
}

static enum takc_status make_selection(struct takc_build *b, const struct takc_corpus *c, const struct takc_extractive_options *o,
                                       bool ours, struct takc_selection *s, struct takc_err *err)
{
    if (ours && takc_version_selection(b->home, b->task, b->label, s, NULL) == TAKC_OK && s->n_docs == c->n_docs &&
        finished(b, takc_key_selection(b->task, b->label), &b->version.selection, NULL) == TAKC_OK) {
        b->n_resumed++;
        return TAKC_OK;
    }
    takc_selection_clear(s);
    enum takc_status st = select_units(b, c, o, s, err);
    return st ? st : takc_build_put_selection(b, b->label, s, &b->version.selection, err);
}

static enum takc_status make_index(struct takc_build *b, const struct takc_corpus *c, const struct takc_selection *s, bool ours,
                                   struct takc_err *err)
{
    struct takc_key key = takc_key_index(b->task, b->label);
    if (ours && finished(b, key, &b->version.index, NULL) == TAKC_OK) {
        b->n_resumed++;
        return TAKC_OK;
    }
    takc_call_progress(b->call, "index", "documents", 0, c->n_docs);
    return takc_build_put_index(b, b->label, c, s, &b->version.index, err);
}

void takc_build_fill_ledger(const struct takc_selection *s, const struct takc_fact_counts *all, const struct takc_fact_counts *kept,
                            const struct takc_set_size *size, takc_rate rate, struct takc_ledger_entry *row)
{
    *row = (struct takc_ledger_entry){.factor_asked = rate / 1000.0,
                                      .source_tokens = (s->source_mt + 999) / 1000,
                                      .budget_tokens = size->budget_mt / 1000,
                                      .instructions = kept->n_instructions};
    takc_ledger_measure(row, s, size);
    takc_rate_name(rate, row->rate);
    for (unsigned k = 0; k < TAKC_LEDGER_FACTS; k++) {
        row->facts_source[k] = all->n[k];
        row->facts_kept[k] = kept->n[k];
    }
}

enum takc_status takc_build_put_ledger(struct takc_build *b, struct takc_str label, const struct takc_ledger_entry *row, takc_rate rate,
                                       struct takc_stored *out, struct takc_err *err)
{
    struct takc_buf bytes;
    struct takc_stored ledger = {.size_bytes = 0};
    takc_buf_init(&bytes, TAKC_BUF_MAX_REPLY);
    enum takc_status st = takc_ledger_write(row, &bytes, err);
    if (!st)
        st = takc_build_put(b, takc_key_artifact(b->task, label, rate, ".ledger.json"), takc_buf_str(&bytes), &ledger, err);
    out->ledger_sha256 = ledger.sha256;
    out->ledger_bytes = ledger.size_bytes;
    takc_buf_clear(&bytes);
    return st;
}

enum takc_status takc_build_ledger(struct takc_build *b, const struct takc_corpus *c, const struct takc_selection *s, const uint8_t *bits,
                                   const struct takc_set_size *size, takc_rate rate, struct takc_ledger_entry *row, struct takc_stored *out,
                                   struct takc_err *err)
{
    struct takc_fact_counts facts[2];
    enum takc_status st = takc_facts_of_sets(c, s, (const uint8_t *const[]){NULL, bits}, 2, b->profile->description, facts, err);
    if (st)
        return st;
    takc_build_fill_ledger(s, &facts[0], &facts[1], size, rate, row);
    return takc_build_put_ledger(b, b->label, row, rate, out, err);
}

/* Facts of the source and of the sets of all rates, in one pass over the documents. out has room for one more than there are rates. */
static enum takc_status make_facts(struct takc_build *b, const struct takc_corpus *c, const struct takc_selection *s,
                                   const struct takc_extractive_options *o, struct takc_fact_counts *out, struct takc_err *err)
{
    uint8_t *bits[TAKC_LEDGER_ROWS + 1] = {NULL};
    struct takc_set_size size;
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < b->n_rates; i++)
        st = takc_selection_set(s, c, o, b->rates[i], &bits[i + 1], &size, err);
    if (!st)
        st = takc_facts_of_sets(c, s, (const uint8_t *const *)bits, b->n_rates + 1, b->profile->description, out, err);
    for (size_t i = 0; i < b->n_rates; i++)
        takc_free(bits[i + 1]);
    return st;
}

/* Artifact and ledger of one rate, made. */
static enum takc_status make_rate(struct takc_build *b, const struct takc_corpus *c, const struct takc_selection *s,
                                  const struct takc_extractive_options *o, const struct takc_fact_counts *all,
                                  const struct takc_fact_counts *kept, takc_rate rate, struct takc_stored *out,
                                  struct takc_ledger_entry *row, struct takc_err *err)
{
    const struct takc_clock *clock = takc_clock_or_system(b->call ? b->call->clock : NULL);
    uint64_t from = clock->mono_ns(clock);
    uint8_t *bits = NULL;
    struct takc_set_size size;
    enum takc_status st = takc_selection_set(s, c, o, rate, &bits, &size, err);
    if (!st)
        st = takc_build_put_artifact(
            b, b->label, &(struct takc_set){.corpus = c, .selection = s, .options = o, .rate = rate, .bits = bits, .size = &size}, out,
            err);
    if (!st)
        takc_build_fill_ledger(s, all, kept, &size, rate, row);
    row->ms = (clock->mono_ns(clock) - from) / 1000000;
    if (!st)
        st = takc_build_put_ledger(b, b->label, row, rate, out, err);
    takc_free(bits);
    return st;
}

bool takc_build_take_over(struct takc_build *b, takc_rate rate, struct takc_stored *out, struct takc_ledger_entry *row)
{
    struct takc_buf ledger;
    struct takc_stored stored = {.size_bytes = 0};
    takc_buf_init(&ledger, TAKC_BUF_MAX_REPLY);
    struct takc_key key = takc_key_artifact(b->task, b->label, rate, ".ledger.json");
    bool good = finished(b, takc_key_artifact(b->task, b->label, rate, ".json"), out, NULL) == TAKC_OK &&
                finished(b, key, &stored, NULL) == TAKC_OK &&
                takc_store_get_bytes(takc_home_store(b->home), b->call, takc_str(key.s), &ledger, NULL) == TAKC_OK &&
                takc_ledger_parse(takc_buf_str(&ledger), row, NULL) == TAKC_OK;
    takc_buf_clear(&ledger);
    out->ledger_sha256 = stored.sha256;
    out->ledger_bytes = stored.size_bytes;
    b->n_resumed += good;
    return good;
}

static enum takc_status make_rates(struct takc_build *b, const struct takc_corpus *c, const struct takc_selection *s,
                                   const struct takc_extractive_options *o, bool ours, struct takc_err *err)
{
    struct takc_stored *artifacts = takc_arena_array(b->arena, b->n_rates + 1, sizeof(*artifacts));
    struct takc_fact_counts facts[TAKC_LEDGER_ROWS + 1];
    bool have_facts = false;
    enum takc_status st = artifacts ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for artifacts");
    if (!st && b->generation)
        st = takc_generation_rates(b, c, s, o, ours, artifacts, err);
    for (size_t i = 0; !st && !b->generation && i < b->n_rates; i++) {
        takc_call_progress(b->call, "compress", "rates", i, b->n_rates);
        st = takc_call_check(b->call, err);
        artifacts[i].rate = b->rates[i];
        if (st || (ours && takc_build_take_over(b, b->rates[i], &artifacts[i], &b->rows[i])))
            continue;
        st = have_facts ? TAKC_OK : make_facts(b, c, s, o, facts, err);
        have_facts = true;
        if (!st)
            st = make_rate(b, c, s, o, &facts[0], &facts[i + 1], b->rates[i], &artifacts[i], &b->rows[i], err);
    }
    b->version.artifacts = artifacts;
    b->version.n_artifacts = b->n_rates;
    takc_call_progress(b->call, "compress", "rates", b->n_rates, b->n_rates);
    return st;
}

enum takc_status takc_build_make(struct takc_build *b, struct takc_err *err)
{
    struct takc_docset_corpus corpus;
    struct takc_selection s = {0};
    bool ours = false;
    const struct takc_clock *clock = takc_clock_or_system(b->call ? b->call->clock : NULL);
    struct takc_extractive_options o = takc_build_options(b->profile, b->n_threads);
    b->version = (struct takc_version){.label = b->label, .work_key = b->work_key, .created_s = clock->wall_s(clock)};
    enum takc_status st = takc_docset_corpus(b->home, b->task, b->set, b->arena, &corpus, err);
    if (!st)
        st = claim(b, &ours, err);
    if (!st && !b->profile->keep_originals) {
        st = select_units(b, &corpus.corpus, &o, &s, err);
        if (!st)
            st = takc_reduce_make(b, &corpus.corpus, &s, &o, err);
        goto out;
    }
    if (!st)
        st = make_selection(b, &corpus.corpus, &o, ours, &s, err);
    takc_selection_trim(&s, false);
    if (!st)
        st = takc_build_put_documents(b, b->label, b->set, &b->version.documents, err);
    if (!st)
        st = make_rates(b, &corpus.corpus, &s, &o, ours, err);
    takc_selection_trim(&s, true);
    if (!st)
        st = make_index(b, &corpus.corpus, &s, ours, err);
out:
    b->version.source_tokens = (s.source_mt + 999) / 1000;
    b->n_units = s.n_units;
    takc_selection_clear(&s);
    return st;
}

/* --- publishing --- */

/* Versions that stay: the new one, pinned ones, and the newest up to the profile's number; but none, pinned or not, that stands on whole
 * texts where these may not be kept. Dropped labels go to gone. */
static enum takc_status keep_versions(struct takc_build *b, const struct takc_manifest *m, struct takc_version *out, size_t *out_n,
                                      struct takc_str *gone, size_t *n_gone, struct takc_err *err)
{
    size_t n = 0, room = b->profile->keep_versions, unpinned = 0;
    *n_gone = 0;
    for (size_t i = 0; i < m->n_versions; i++)
        unpinned += !m->versions[i].pinned;
    for (size_t i = 0; i < m->n_versions; i++) {
        bool stays = m->versions[i].pinned || unpinned <= room, whole = false;
        if (!m->versions[i].pinned)
            unpinned--;
        enum takc_status st = b->profile->keep_originals ? TAKC_OK : takc_reduce_is_whole(b, &m->versions[i], &whole, err);
        if (st)
            return st;
        if (stays && !whole)
            out[n++] = m->versions[i];
        else
            gone[(*n_gone)++] = m->versions[i].label;
    }
    out[n++] = b->version;
    *out_n = n;
    return TAKC_OK;
}

enum takc_status takc_build_publish(struct takc_build *b, struct takc_manifest *m, struct takc_err *err)
{
    struct takc_version *versions = takc_arena_array(b->arena, m->n_versions + 1, sizeof(*versions));
    struct takc_str *gone = takc_arena_array(b->arena, m->n_versions + 1, sizeof(*gone));
    size_t n_gone = 0;
    if (!versions || !gone)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a manifest");
    struct takc_manifest next = *m;
    enum takc_status st = keep_versions(b, m, versions, &next.n_versions, gone, &n_gone, err);
    if (st)
        return st;
    next.versions = versions;
    next.current = b->label;
    next.next = m->next + 1;
    st = takc_home_manifest_swap(b->home, &next, &next.tag, err);
    if (st)
        return st;
    *m = next;
    for (size_t i = 0; !st && i < n_gone; i++)
        st = takc_version_remove(b->home, b->task, gone[i], NULL, err);
    return st ? st : takc_settle(b, m, false, err);
}
