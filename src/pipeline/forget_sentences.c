/* SPDX-License-Identifier: Apache-2.0
 *
 * forget_sentences.c - what a forget searches for: every unit of the documents, as it stands in the text and as it is shown, less what
 * something that stays says too. */
#include "base/alloc.h"
#include "pipeline/forget_parts.h"

bool takc_forgetting_names(const struct takc_forgetting *f, struct takc_str name)
{
    return takc_redact_names(f->names, f->n, name);
}

/* Every unit of a task's document as it stands in the text and as it is shown, told to fn. */
static enum takc_status each_sentence(struct takc_forgetting *f, struct takc_str task, const struct takc_docset_doc *d,
                                      enum takc_status (*fn)(void *, struct takc_str, struct takc_err *), void *arg, struct takc_err *err)
{
    struct takc_docset one = {(struct takc_docset_doc *)(uintptr_t)d, 1};
    struct takc_docset_corpus c;
    struct takc_corpus_view v;
    struct takc_buf line;
    enum takc_status st = takc_docset_corpus(f->home, task, &one, &f->arena, &c, err);
    if (!st)
        st = c.corpus.load(c.corpus.arg, 0, &v, err);
    if (st)
        return st == TAKC_NOT_FOUND ? TAKC_OK : st; /* gone already in an earlier call */
    takc_buf_init(&line, TAKC_BUF_MAX_DOCUMENT);
    for (uint32_t i = 0; !st && i < v.units->n_units; i++) {
        const struct takc_unit *u = &v.units->units[i];
        for (uint16_t k = 0; !st && k < u->n_spans; k++) {
            struct takc_span s = v.units->spans[u->span_at + k];
            st = fn(arg, takc_str_slice(v.text, s.start, s.end), err);
        }
        for (int level = 0; !st && level < 2; level++) {
            takc_buf_reset(&line);
            st = takc_unit_show(v.units, i, v.text, level, &line, err);
            if (!st)
                st = fn(arg, takc_buf_str(&line), err);
        }
    }
    takc_buf_clear(&line);
    c.corpus.unload(c.corpus.arg, &v);
    return st;
}

struct collected {
    struct takc_intern all;
};

/* Small letters and low lines alone: our own files have such words as keys ("compression_ratio"), so finding one proves nothing. */
static bool like_a_key(struct takc_str s)
{
    size_t i = 0;
    while (i < s.len && ((s.ptr[i] >= 'a' && s.ptr[i] <= 'z') || s.ptr[i] == '_'))
        i++;
    return i == s.len;
}

static enum takc_status collect(void *arg, struct takc_str s, struct takc_err *err)
{
    struct collected *c = arg;
    uint32_t id;
    return s.len < TAKC_NEEDLE_MIN || like_a_key(s) ? TAKC_OK : takc_intern_add(&c->all, s, &id, err);
}

struct elsewhere {
    struct takc_str task; /* whose documents are looked at */
    const struct takc_needles *all;
    bool *found;
};

static bool mark_hit(void *arg, uint32_t needle, size_t at)
{
    (void)at;
    ((bool *)arg)[needle] = true;
    return true;
}

/* A line that stays, as its document has it or as it is shown. */
static enum takc_status mark_line(void *arg, struct takc_str line, struct takc_err *err)
{
    struct elsewhere *e = arg;
    (void)err;
    takc_needles_search(e->all, line, mark_hit, e->found);
    return TAKC_OK;
}

static enum takc_status mark_stored(struct takc_forgetting *f, struct takc_key key, struct elsewhere *e, struct takc_err *err)
{
    struct takc_store_view v;
    enum takc_status st = takc_store_view(takc_home_store(f->home), f->call, takc_str(key.s), &v, err);
    if (st)
        return st == TAKC_NOT_FOUND ? TAKC_OK : st;
    takc_needles_search(e->all, v.bytes, mark_hit, e->found);
    takc_store_view_close(&v);
    return TAKC_OK;
}

/* The documents of a list that stay. */
static enum takc_status mark_elsewhere(struct takc_forgetting *f, const struct takc_docset *set, struct elsewhere *e, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < set->n_docs; i++) {
        if (takc_str_eq(e->task, f->task) && takc_forgetting_names(f, set->docs[i].name))
            continue;
        st = mark_stored(f, takc_key_text(e->task, set->docs[i].text_sha, ""), e, err);
        if (!st)
            st = mark_stored(f, takc_key_blob(e->task, set->docs[i].source_sha), e, err);
        if (!st)
            st = each_sentence(f, e->task, &set->docs[i], mark_line, e, err);
    }
    return st;
}

/* Everything of a task that stays: its profile, its current documents and those of its kept versions. */
static enum takc_status mark_task(struct takc_forgetting *f, struct elsewhere *e, struct takc_err *err)
{
    struct takc_docset set;
    struct takc_manifest m;
    enum takc_status st = mark_stored(f, takc_key_profile(e->task), e, err);
    if (!st)
        st = takc_docset_current(f->home, e->task, &f->arena, &set, err);
    if (!st)
        st = mark_elsewhere(f, &set, e, err);
    if (!st)
        st = takc_home_manifest(f->home, e->task, &f->arena, &m, err);
    for (size_t i = 0; !st && i < m.n_versions; i++) {
        st = takc_docset_of_version(f->home, e->task, &m.versions[i], &f->arena, &set, err);
        if (!st)
            st = mark_elsewhere(f, &set, e, err);
        if (!st) /* few-shot examples are the user's own, as the profile's are */
            st = mark_stored(f, takc_key_generated(e->task, m.versions[i].label), e, err);
    }
    return st;
}

/* Where only a set of the text is kept, an older version may hold more than the record's text. */
static enum takc_status collect_reduced(struct takc_forgetting *f, const struct takc_version *v, struct collected *c, struct takc_err *err)
{
    struct takc_docset set;
    enum takc_status st = takc_docset_of_version(f->home, f->task, v, &f->arena, &set, err);
    for (size_t k = 0; !st && k < set.n_docs; k++)
        if (takc_forgetting_names(f, set.docs[k].name) && takc_docset_is_reduced(&set.docs[k]))
            st = each_sentence(f, f->task, &set.docs[k], collect, c, err);
    return st;
}

/* Of every revision that is kept. */
static enum takc_status collect_record(struct takc_forgetting *f, const struct takc_document *record, struct collected *c,
                                       struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < record->n_revisions; i++) {
        const struct takc_revision *r = &record->revisions[i];
        const struct takc_docset_doc d = {.name = record->name, .source_sha = r->source_sha, .text_sha = r->text_sha, .part = r->part};
        st = each_sentence(f, f->task, &d, collect, c, err);
    }
    f->report->n_revisions += record->n_revisions;
    return st;
}

/* Those of from that nothing that stays says, into out. */
static enum takc_status less_elsewhere(struct takc_forgetting *f, const struct takc_needles *from, struct takc_needles *out,
                                       struct takc_err *err)
{
    struct takc_str *tasks = NULL;
    size_t n_tasks = 0;
    struct elsewhere e = {.all = from, .found = takc_arena_array(&f->arena, from->n + 1, sizeof(bool))};
    enum takc_status st = e.found ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for sentences");
    if (!st)
        st = takc_home_tasks(f->home, &f->arena, &tasks, &n_tasks, err);
    for (size_t i = 0; !st && i < n_tasks; i++) {
        e.task = tasks[i];
        st = mark_task(f, &e, err);
    }
    for (size_t i = 0; !st && i < from->n; i++)
        if (!e.found[i])
            st = takc_needles_add(out, from->list[i], err);
    return st ? st : takc_needles_ready(out, err);
}

enum takc_status takc_forgetting_gather(struct takc_forgetting *f, struct takc_err *err)
{
    struct collected c = {0};
    struct takc_needles all;
    takc_intern_init(&c.all);
    takc_needles_init(&all);
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < f->n; i++)
        st = collect_record(f, &f->records[i], &c, err);
    for (size_t i = 0; !st && i < f->m.n_versions; i++)
        st = collect_reduced(f, &f->m.versions[i], &c, err);
    for (uint32_t i = 0; !st && i < c.all.n; i++)
        st = takc_needles_add(&all, takc_intern_get(&c.all, i), err);
    if (!st)
        st = takc_needles_ready(&all, err);
    if (!st)
        st = less_elsewhere(f, &all, &f->needles, err);
    f->report->n_sentences = f->needles.n;
    takc_needles_clear(&all);
    takc_intern_clear(&c.all);
    return st;
}

enum takc_status takc_forgetting_again(struct takc_forgetting *f, struct takc_err *err)
{
    struct takc_needles was = f->needles;
    takc_needles_init(&f->needles);
    enum takc_status st = less_elsewhere(f, &was, &f->needles, err);
    takc_needles_clear(&was);
    return st;
}
