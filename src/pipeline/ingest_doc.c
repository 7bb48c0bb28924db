/* SPDX-License-Identifier: Apache-2.0
 *
 * ingest_doc.c - one document: read, name, cut, count, store. Derived parts stand beside the text under a part name that hashes all they
 * depend on, so that the same text under another title, reader or charset never shares them by mistake. */
#include "pipeline/ingest_doc.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "unit/chunk.h"

#include <stdio.h>

void takc_ingest_job_init(struct takc_ingest_job *j)
{
    *j = (struct takc_ingest_job){.title_from = "name"};
    takc_buf_init(&j->bytes, TAKC_BUF_MAX_DOCUMENT);
    takc_buf_init(&j->structure, TAKC_BUF_MAX_DOCUMENT);
    takc_buf_init(&j->map, TAKC_BUF_MAX_DOCUMENT);
    takc_buf_init(&j->units, (size_t)4 << 30);
    takc_buf_init(&j->title, TAKC_BUF_MAX_NAME);
    takc_doc_init(&j->doc);
    takc_arena_init(&j->arena);
}

void takc_ingest_job_clear(struct takc_ingest_job *j)
{
    takc_buf_clear(&j->bytes);
    takc_buf_clear(&j->structure);
    takc_buf_clear(&j->map);
    takc_buf_clear(&j->units);
    takc_buf_clear(&j->title);
    takc_doc_clear(&j->doc);
    takc_arena_clear(&j->arena);
}

void takc_ingest_job_slim(struct takc_ingest_job *j)
{
    j->n_bytes = j->bytes.len;
    takc_buf_clear(&j->bytes);
    takc_buf_clear(&j->structure);
    takc_buf_clear(&j->map);
    takc_buf_clear(&j->units);
    takc_buf_clear(&j->doc.text);
    takc_buf_clear(&j->doc.strings);
}

/* The title as shown: the format's, else the first heading, else the base name. */
static enum takc_status pick_title(struct takc_ingest_job *j, struct takc_err *err)
{
    struct takc_doc *d = &j->doc;
    if (d->title_from == TAKC_TITLE_UNSET)
        for (size_t i = 0; i < d->n_blocks; i++) {
            const struct takc_block *b = &d->blocks[i];
            if (b->kind != TAKC_BLOCK_HEADING || (b->flags & TAKC_BLOCK_HIDDEN) || b->end - b->start > 300)
                continue;
            enum takc_status st = takc_doc_set_title(d, takc_str_slice(takc_buf_str(&d->text), b->start, b->end), TAKC_TITLE_TEXT, err);
            if (st)
                return st;
            d->title_start = b->start;
            d->title_end = b->end;
            break;
        }
    struct takc_str title = takc_buf_str(&d->title);
    if (d->title_from == TAKC_TITLE_UNSET || title.len == 0) {
        title = j->name;
        for (size_t at; (at = takc_str_find_byte(title, '/', 0)) != SIZE_MAX;)
            title = takc_str_slice(title, at + 1, title.len);
        d->title_from = TAKC_TITLE_NAME;
        d->title_start = d->title_end = 0;
    }
    j->title_from = d->title_from == TAKC_TITLE_TEXT ? "text" : d->title_from == TAKC_TITLE_METADATA ? "metadata" : "name";
    if (title.len > TAKC_BUF_MAX_NAME / 4)
        title.len = 0;
    return takc_title_fold(title, &j->title, err);
}

/* 16 hexadecimal digits over everything that structure, map and units depend on. */
static enum takc_status name_part(struct takc_ingest_job *j, const struct takc_tokenizer *t, struct takc_err *err)
{
    struct takc_buf all;
    struct takc_hex hex;
    takc_buf_init(&all, TAKC_BUF_MAX_DOCUMENT);
    enum takc_status st = takc_buf_printf(&all, err, "%s\n%s\n%s\n%s\n" TAKC_UNITS_VERSION "\n%s\n%s\n", j->source_sha.s, j->text_sha.s,
                                          j->doc.reader, j->doc.reader_version, t->name, t->version);
    if (!st)
        st = takc_buf_add(&all, takc_buf_str(&j->title), err);
    if (!st)
        st = takc_sha256(takc_buf_str(&all), &hex, err);
    if (!st)
        (void)snprintf(j->part, sizeof(j->part), ".%.16s", hex.s);
    takc_buf_clear(&all);
    return st;
}

static enum takc_status cut(struct takc_ingest_job *j, const struct takc_tokenizer *tokenizer, struct takc_call *call, struct takc_err *err)
{
    struct takc_units units;
    takc_units_init(&units);
    enum takc_status st = takc_units_build(&units, &j->doc, takc_buf_str(&j->title), tokenizer, call, err);
    takc_doc_drop_blocks(&j->doc); /* they are saved; a table of a million rows has as many of them as units */
    if (!st)
        st = takc_units_save(&units, &j->units, err);
    if (!st)
        st = takc_sha256(takc_buf_str(&j->units), &j->units_sha, err);
    j->n_units = units.n_units;
    j->source_mt = units.source_mt;
    takc_units_clear(&units);
    return st;
}

/* Is this failure the document's own, so that the others go on? */
static bool of_document(enum takc_status st)
{
    return st == TAKC_REFUSED || st == TAKC_CORRUPT || st == TAKC_UNSUPPORTED || st == TAKC_INVALID || st == TAKC_TIMEOUT;
}

static enum takc_status read_and_cut(struct takc_ingest_job *j, const struct takc_ingest_options *o, const struct takc_tokenizer *tokenizer,
                                     struct takc_call *call, struct takc_err *err)
{
    const struct takc_reader_input in = {.bytes = takc_buf_str(&j->bytes),
                                         .name = j->name,
                                         .jsonl_id = o->jsonl_id,
                                         .jsonl_title = o->jsonl_title,
                                         .jsonl_text = o->jsonl_text,
                                         .jsonl_date = o->jsonl_date,
                                         .pdf_mode = o->pdf_mode,
                                         .max_text_bytes = o->max_text_bytes,
                                         .timeout_ms = o->timeout_ms};
    enum takc_status st = takc_reader_read(j->reader, call, &in, &j->doc, err);
    if (!st)
        st = pick_title(j, err);
    if (!st)
        st = takc_sha256(takc_buf_str(&j->doc.text), &j->text_sha, err);
    if (!st)
        st = takc_doc_save_structure(&j->doc, &j->structure, err);
    if (!st && j->doc.has_map)
        st = takc_doc_save_map(&j->doc, &j->map, err);
    takc_doc_drop_runs(&j->doc);
    if (!st)
        st = cut(j, tokenizer, call, err);
    return st ? st : name_part(j, tokenizer, err);
}

/* Same bytes as the current revision, and what was made of them is what would be made now? */
static bool is_same(const struct takc_ingest_job *j)
{
    if (!j->old || !j->old->n_revisions)
        return false;
    const struct takc_revision *r = &j->old->revisions[j->old->n_revisions - 1];
    return takc_str_is(r->source_sha, j->source_sha.s) && takc_str_is(r->text_sha, j->text_sha.s) &&
           takc_str_is(r->units_sha, j->units_sha.s) && takc_str_is(r->part, j->part);
}

/* Of the same bytes, read and cut in the same way as what a reduced revision was made from. */
static bool is_same_whole(const struct takc_ingest_job *j)
{
    if (!j->old || !j->old->n_revisions)
        return false;
    const struct takc_revision *r = &j->old->revisions[j->old->n_revisions - 1];
    return takc_str_is(r->source_sha, j->source_sha.s) && takc_str_is(r->whole_text_sha, j->text_sha.s) &&
           takc_str_is(r->made_by, j->made_by);
}

/* Did the caller name a date or labels that are not those known? */
static bool is_named_anew(const struct takc_ingest_job *j, const struct takc_ingest_options *o)
{
    const struct takc_revision *r = &j->old->revisions[j->old->n_revisions - 1];
    int32_t given = 0;
    bool anew = o->date && (takc_date_parse(o->date, strlen(o->date), &given, NULL) || !r->has_date || r->date != given);
    anew = anew || (o->n_labels && o->n_labels != j->old->n_labels);
    for (size_t i = 0; !anew && i < o->n_labels; i++)
        anew = !takc_str_is(j->old->labels[i], o->labels[i]);
    return anew;
}

/* Was this revision read by this version of the reader without options that the caller named? The mode of a PDF is named always. */
static bool read_by_default(const struct takc_revision *r, const struct takc_reader_ops *reader)
{
    struct takc_str version = r->reader_version, now = takc_str(reader->version);
    return takc_str_is(r->reader, reader->name) && takc_str_starts(version, now) &&
           (version.len == now.len || takc_str_starts(takc_str_slice(version, now.len, version.len), takc_str("+layout+")));
}

/* As is_same, told without reading the document: possible where neither then nor now options were named. */
static bool surely_same(const struct takc_ingest_job *j, const struct takc_ingest_options *o)
{
    if (!j->old || !j->old->n_revisions || o->date || o->n_labels)
        return false;
    const struct takc_revision *r = &j->old->revisions[j->old->n_revisions - 1];
    return takc_str_is(r->source_sha, j->source_sha.s) && read_by_default(r, j->reader) && takc_str_is(r->made_by, j->made_by) &&
           r->first_line == j->first_line && !r->whole_text_sha.len && !o->pdf_mode && !o->jsonl_title && !o->jsonl_text && !o->jsonl_date;
}

enum takc_status takc_ingest_job_make(struct takc_ingest_job *j, const struct takc_ingest_options *o,
                                      const struct takc_tokenizer *tokenizer, struct takc_call *call, struct takc_err *err)
{
    enum takc_status st = takc_call_check(call, err);
    if (!st)
        st = takc_sha256(takc_buf_str(&j->bytes), &j->source_sha, err);
    if (st)
        return st;
    (void)snprintf(j->made_by, sizeof(j->made_by), "units " TAKC_UNITS_VERSION ", %s %s", tokenizer->name, tokenizer->version);
    if (surely_same(j, o)) {
        j->outcome = TAKC_INGEST_SAME;
        j->n_units = j->old->revisions[j->old->n_revisions - 1].n_units;
        j->source_mt = j->old->revisions[j->old->n_revisions - 1].source_mt;
        return TAKC_OK;
    }
    st = read_and_cut(j, o, tokenizer, call, &j->why);
    if (of_document(st) && !takc_call_check(call, NULL)) {
        j->outcome = TAKC_INGEST_REFUSED;
        j->status = st;
        return TAKC_OK;
    }
    if (st) {
        if (err)
            *err = j->why;
        return takc_err_prefix(err, st, "%.*s", TAKC_STR_ARG(j->name));
    }
    bool same = j->old && (is_same(j) || is_same_whole(j)) && !is_named_anew(j, o);
    j->outcome = !j->old ? TAKC_INGEST_NEW : same ? TAKC_INGEST_SAME : TAKC_INGEST_CHANGED;
    j->put = j->outcome != TAKC_INGEST_SAME || is_same_whole(j) || j->old->revisions[j->old->n_revisions - 1].first_line != j->first_line;
    return TAKC_OK;
}

/* --- storing --- */

struct put {
    struct takc_home *home;
    struct takc_store_batch *batch;
    struct takc_call *call;
    struct takc_str task;
    struct takc_ingest_job *j;
    uint32_t n_chunks;
};

static enum takc_status put_part(struct put *p, const char *kind, struct takc_str bytes, struct takc_err *err)
{
    char suffix[48];
    (void)snprintf(suffix, sizeof(suffix), "%s%s", p->j->part, kind);
    struct takc_key key = takc_key_text(p->task, takc_str(p->j->text_sha.s), suffix);
    return takc_store_batch_put(p->batch, p->call, takc_str(key.s), bytes, true, err);
}

/* Chunks of the revision before that the new one does not replace. They go from the last to the first, so that none is left behind a gap
 * when a kill comes between. */
static enum takc_status drop_stale_chunks(struct put *p, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    uint32_t n = p->n_chunks;
    for (; !st; n++) {
        struct takc_store_view v;
        struct takc_key key = takc_key_chunk(p->task, p->j->name, n);
        st = takc_store_view(takc_home_store(p->home), p->call, takc_str(key.s), &v, err);
        if (st)
            break;
        takc_store_view_close(&v);
    }
    if (st != TAKC_NOT_FOUND)
        return st;
    for (st = TAKC_OK; !st && n > p->n_chunks; n--) {
        struct takc_key key = takc_key_chunk(p->task, p->j->name, n - 1);
        st = takc_store_batch_del(p->batch, p->call, takc_str(key.s), err);
    }
    return st;
}

static enum takc_status put_chunk(void *arg, const struct takc_chunk *chunk, struct takc_err *err)
{
    struct put *p = arg;
    struct takc_key key = takc_key_chunk(p->task, p->j->name, chunk->number);
    p->n_chunks = chunk->number + 1;
    if (!p->j->old) /* nobody knows the document before its record is named: a killed run's chunks are made again, or swept */
        return takc_store_batch_derive(p->batch, p->call, takc_str(key.s), chunk->text, err);
    return takc_store_batch_put(p->batch, p->call, takc_str(key.s), chunk->text, false, err);
}

static enum takc_status put_chunks(struct put *p, const struct takc_profile *profile, struct takc_err *err)
{
    struct takc_units units;
    takc_units_init(&units);
    const struct takc_chunk_options co = {profile->chunk_tokens, profile->chunk_overlap, profile->counter};
    enum takc_status st = takc_units_load(&units, takc_buf_str(&p->j->units), err);
    if (!st)
        st = takc_chunks(&units, takc_buf_str(&p->j->doc.text), takc_buf_str(&p->j->title), &co, put_chunk, p, err);
    takc_units_clear(&units);
    p->j->n_chunks = p->n_chunks;
    return st || !p->j->old ? st : drop_stale_chunks(p, err);
}

/* The revision that this job read; given is the date that the caller named. */
static struct takc_revision revision_of(const struct takc_ingest_job *j, const struct takc_ingest_options *o, int32_t given, int64_t now_s)
{
    const struct takc_doc *d = &j->doc;
    return (struct takc_revision){
        .source_sha = takc_str(j->source_sha.s),
        .text_sha = takc_str(j->text_sha.s),
        .units_sha = takc_str(j->units_sha.s),
        .reader = takc_str(d->reader),
        .reader_version = takc_str(d->reader_version),
        .charset = takc_str(d->charset),
        .title = takc_buf_str(&j->title),
        .title_from = takc_str(j->title_from),
        .title_span = {d->title_start, d->title_end},
        .source_bytes = j->bytes.len,
        .text_bytes = d->text.len,
        .n_replaced = d->n_replaced,
        .n_units = j->n_units,
        .source_mt = j->source_mt,
        .has_date = o->date || d->has_date,
        .date = o->date ? given : d->date,
        .has_map = d->has_map,
        .compressed = j->file_sha.len > 0,
        .file_sha = j->file_sha,
        .ingested_s = now_s,
        .first_line = j->first_line,
        .part = takc_str(j->part),
        .made_by = takc_str(j->made_by),
    };
}

/* The record with one revision more; a revision of the same bytes replaces the last one (a new reader read it better). */
static enum takc_status put_record(struct put *p, const struct takc_ingest_options *o, int64_t now_s, struct takc_err *err)
{
    struct takc_ingest_job *j = p->j;
    size_t n_old = j->old ? j->old->n_revisions : 0;
    if (n_old && takc_str_is(j->old->revisions[n_old - 1].source_sha, j->source_sha.s))
        n_old--;
    struct takc_revision *r = takc_arena_array(&j->arena, n_old + 1, sizeof(*r));
    struct takc_str *labels = takc_arena_array(&j->arena, o->n_labels ? o->n_labels : 1, sizeof(*labels));
    if (!r || !labels)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a record");
    if (n_old)
        memcpy(r, j->old->revisions, n_old * sizeof(*r));
    for (size_t i = 0; i < o->n_labels; i++)
        labels[i] = takc_str(o->labels[i]);
    int32_t given = 0;
    if (o->date && takc_date_parse(o->date, strlen(o->date), &given, err))
        return TAKC_INVALID;
    bool again = j->old && n_old < j->old->n_revisions; /* the same bytes: a date that was given for them stays */
    r[n_old] = revision_of(j, o, given, now_s);
    if (again && !o->date && !j->doc.has_date) {
        r[n_old].has_date = j->old->revisions[n_old].has_date;
        r[n_old].date = j->old->revisions[n_old].date;
    }
    const struct takc_document record = {.name = j->name,
                                         .root = j->root,
                                         .labels = o->n_labels ? labels
                                                   : j->old    ? j->old->labels
                                                               : NULL,
                                         .n_labels = o->n_labels ? o->n_labels
                                                     : j->old    ? j->old->n_labels
                                                                 : 0,
                                         .revisions = r,
                                         .n_revisions = n_old + 1};
    struct takc_buf json;
    takc_buf_init(&json, TAKC_BUF_MAX_REPLY);
    enum takc_status st = takc_document_write(&record, &json, err);
    struct takc_key key = takc_key_document(p->task, j->name);
    if (!st)
        st = takc_store_batch_put(p->batch, p->call, takc_str(key.s), takc_buf_str(&json), false, err);
    takc_buf_clear(&json);
    return st;
}

enum takc_status takc_ingest_job_put(struct takc_ingest_job *j, struct takc_home *h, const struct takc_profile *profile,
                                     const struct takc_ingest_options *o, struct takc_store_batch *batch, int64_t now_s,
                                     struct takc_call *call, struct takc_err *err)
{
    struct put p = {h, batch, call, o->task, j, 0};
    enum takc_status st = TAKC_OK;
    if (profile->keep_originals) {
        struct takc_key blob = takc_key_blob(o->task, takc_str(j->source_sha.s)), raw = takc_key_raw(o->task, j->name);
        st = takc_store_batch_put(batch, call, takc_str(blob.s), takc_buf_str(&j->bytes), true, err);
        if (!st)
            st = takc_store_batch_put(batch, call, takc_str(raw.s), takc_buf_str(&j->bytes), false, err);
        if (!st)
            st = put_chunks(&p, profile, err);
    }
    struct takc_key text = takc_key_text(o->task, takc_str(j->text_sha.s), "");
    if (!st)
        st = takc_store_batch_put(batch, call, takc_str(text.s), takc_buf_str(&j->doc.text), true, err);
    if (!st)
        st = put_part(&p, ".structure", takc_buf_str(&j->structure), err);
    if (!st && j->doc.has_map)
        st = put_part(&p, ".map", takc_buf_str(&j->map), err);
    if (!st)
        st = put_part(&p, ".units", takc_buf_str(&j->units), err);
    return st ? st : put_record(&p, o, now_s, err);
}
