/* SPDX-License-Identifier: Apache-2.0
 *
 * docset.c - lists of documents, and the corpus over them. A view holds a map of the text and a copy of the units; both live until unload.
 */
#include "pipeline/docset.h"
#include "base/alloc.h"
#include "base/json.h"

#include <stdio.h>

enum takc_status takc_docset_current(struct takc_home *h, struct takc_str task, struct takc_arena *a, struct takc_docset *out,
                                     struct takc_err *err)
{
    struct takc_document *records;
    size_t n;
    enum takc_status st = takc_home_documents(h, task, a, &records, &n, err);
    if (st)
        return st;
    struct takc_docset_doc *docs = takc_arena_array(a, n ? n : 1, sizeof(*docs));
    if (!docs)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu documents", n);
    for (size_t i = 0; i < n; i++) {
        const struct takc_revision *r = &records[i].revisions[records[i].n_revisions - 1];
        docs[i] = (struct takc_docset_doc){
            .name = records[i].name,
            .source_sha = r->source_sha,
            .text_sha = r->text_sha,
            .units_sha = r->units_sha,
            .file_sha = r->file_sha,
            .reader = r->reader,
            .reader_version = r->reader_version,
            .title = r->title,
            .title_from = r->title_from,
            .title_span = r->title_span,
            .part = r->part,
            .source_bytes = r->source_bytes,
            .n_units = r->n_units,
            .has_date = r->has_date,
            .has_map = r->has_map,
            .date = r->date,
            .first_line = r->first_line,
            .whole_text_sha = r->whole_text_sha,
            .whole_key = r->whole_key,
        };
    }
    *out = (struct takc_docset){docs, n};
    return TAKC_OK;
}

/* {"name":..., ...}; NULL when there is no memory. */
static json_t *doc_json(const struct takc_docset_doc *d)
{
    json_t *v = json_object();
    const struct {
        const char *key;
        struct takc_str value;
    } texts[] = {{"name", d->name},
                 {"sha256", d->source_sha},
                 {"text_sha256", d->text_sha},
                 {"units_sha256", d->units_sha},
                 {"file_sha256", d->file_sha},
                 {"reader", d->reader},
                 {"reader_version", d->reader_version},
                 {"part", d->part},
                 {"title", d->title},
                 {"title_from", d->title_from},
                 {"whole_text_sha256", d->whole_text_sha},
                 {"whole_key", d->whole_key}};
    bool good = v != NULL;
    for (size_t i = 0; good && i < sizeof(texts) / sizeof(texts[0]); i++)
        good = texts[i].value.len == 0 || json_object_set_new(v, texts[i].key, takc_json_str(texts[i].value)) == 0;
    good = good &&
           json_object_set_new(v, "title_span", json_pack("[II]", (json_int_t)d->title_span.start, (json_int_t)d->title_span.end)) == 0;
    good = good && json_object_set_new(v, "bytes", json_integer((json_int_t)d->source_bytes)) == 0;
    good = good && json_object_set_new(v, "units", json_integer((json_int_t)d->n_units)) == 0;
    good = good && json_object_set_new(v, "map", json_boolean(d->has_map)) == 0;
    if (d->has_date)
        good = good && json_object_set_new(v, "date", json_integer(d->date)) == 0;
    if (d->first_line)
        good = good && json_object_set_new(v, "first_line", json_integer(d->first_line)) == 0;
    if (good)
        return v;
    json_decref(v);
    return NULL;
}

enum takc_status takc_docset_key(const struct takc_docset_doc *d, struct takc_hex *out, struct takc_err *err)
{
    struct takc_buf text;
    if (takc_docset_is_reduced(d)) {
        memcpy(out->s, d->whole_key.ptr, TAKC_SHA256_HEX);
        out->s[TAKC_SHA256_HEX] = '\0';
        return TAKC_OK;
    }
    takc_buf_init(&text, TAKC_BUF_MAX_REPLY);
    json_t *v = doc_json(d);
    enum takc_status st = v ? takc_json_dump(v, false, &text, err) : takc_fail(err, TAKC_NOMEM, 0, "no memory for JSON");
    if (!st)
        st = takc_sha256(takc_buf_str(&text), out, err);
    json_decref(v);
    takc_buf_clear(&text);
    return st;
}

enum takc_status takc_docset_write(const struct takc_docset *d, struct takc_buf *out, struct takc_err *err)
{
    enum takc_status st = takc_buf_add(out, takc_str("{\"takc_documents\":1,\"documents\":["), err);
    for (size_t i = 0; !st && i < d->n_docs; i++) {
        json_t *v = doc_json(&d->docs[i]);
        st = v ? takc_buf_add(out, takc_str(i ? ",\n" : "\n"), err) : takc_fail(err, TAKC_NOMEM, 0, "no memory for JSON");
        if (!st)
            st = takc_json_dump(v, false, out, err);
        json_decref(v);
    }
    return st ? st : takc_buf_add(out, takc_str("\n]}\n"), err);
}

/* Copies the string member into the arena; empty when it is missing. */
static bool copy_text(struct takc_arena *a, const json_t *v, const char *key, struct takc_str *out)
{
    *out = takc_arena_dup(a, takc_json_get_str(v, key));
    return out->ptr != NULL;
}

static enum takc_status parse_doc(const json_t *v, size_t at, struct takc_arena *a, struct takc_docset_doc *d, struct takc_err *err)
{
    bool memory = copy_text(a, v, "name", &d->name) && copy_text(a, v, "sha256", &d->source_sha) &&
                  copy_text(a, v, "text_sha256", &d->text_sha) && copy_text(a, v, "units_sha256", &d->units_sha) &&
                  copy_text(a, v, "file_sha256", &d->file_sha) && copy_text(a, v, "reader", &d->reader) &&
                  copy_text(a, v, "reader_version", &d->reader_version) && copy_text(a, v, "part", &d->part) &&
                  copy_text(a, v, "title", &d->title) && copy_text(a, v, "title_from", &d->title_from) &&
                  copy_text(a, v, "whole_text_sha256", &d->whole_text_sha) && copy_text(a, v, "whole_key", &d->whole_key);
    if (!memory)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a list of documents");
    if (d->name.len == 0 || !takc_hex_valid(d->source_sha) || !takc_hex_valid(d->text_sha) || !takc_hex_valid(d->units_sha))
        return takc_fail(err, TAKC_CORRUPT, 0, "document %zu has no name or a wrong hash", at);
    if ((d->whole_text_sha.len || d->whole_key.len) && (!takc_hex_valid(d->whole_text_sha) || !takc_hex_valid(d->whole_key)))
        return takc_fail(err, TAKC_CORRUPT, 0, "document %zu: hashes of the whole are wrong", at);
    uint64_t start, end;
    const json_t *span = json_object_get(v, "title_span"), *date = json_object_get(v, "date");
    if (takc_json_get_u64(v, "bytes", &d->source_bytes, NULL) || takc_json_get_u64(v, "units", &d->n_units, NULL) ||
        json_array_size(span) != 2)
        return takc_fail(err, TAKC_CORRUPT, 0, "document %zu: bytes, units or title_span are missing", at);
    start = (uint64_t)json_integer_value(json_array_get(span, 0));
    end = (uint64_t)json_integer_value(json_array_get(span, 1));
    if (start > end || end > UINT32_MAX)
        return takc_fail(err, TAKC_CORRUPT, 0, "document %zu: title_span is wrong", at);
    d->title_span = (struct takc_span){(uint32_t)start, (uint32_t)end};
    d->has_map = json_is_true(json_object_get(v, "map"));
    d->has_date = json_is_integer(date);
    d->date = d->has_date ? (int32_t)json_integer_value(date) : 0;
    d->first_line = (uint32_t)json_integer_value(json_object_get(v, "first_line"));
    return TAKC_OK;
}

enum takc_status takc_docset_parse(struct takc_str text, struct takc_arena *a, struct takc_docset *out, struct takc_err *err)
{
    json_t *root = NULL;
    enum takc_status st = takc_json_parse(text, &root, err);
    if (st)
        return st == TAKC_NOMEM ? st : takc_fail(err, TAKC_CORRUPT, 0, "list of documents is no JSON");
    const json_t *list = json_object_get(root, "documents");
    size_t n = json_array_size(list);
    struct takc_docset_doc *docs = takc_arena_array(a, n ? n : 1, sizeof(*docs));
    if (!json_is_array(list))
        st = takc_fail(err, TAKC_CORRUPT, 0, "list of documents has no documents");
    else if (!docs)
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu documents", n);
    for (size_t i = 0; !st && i < n; i++) {
        st = parse_doc(json_array_get(list, i), i, a, &docs[i], err);
        if (!st && i && takc_str_cmp(docs[i - 1].name, docs[i].name) >= 0)
            st = takc_fail(err, TAKC_CORRUPT, 0, "document %zu is out of order", i);
    }
    json_decref(root);
    if (!st)
        *out = (struct takc_docset){docs, n};
    return st;
}

enum takc_status takc_docset_of_version(struct takc_home *h, struct takc_str task, const struct takc_version *v, struct takc_arena *a,
                                        struct takc_docset *out, struct takc_err *err)
{
    struct takc_key key = takc_key_documents(task, v->label);
    struct takc_store_view view;
    enum takc_status st = takc_store_view(takc_home_store(h), NULL, takc_str(key.s), &view, err);
    if (st)
        return st;
    st = takc_docset_parse(view.bytes, a, out, err);
    takc_store_view_close(&view);
    return st ? takc_err_prefix(err, st, "%s", key.s) : st;
}

static enum takc_status any_key(void *arg, struct takc_str key, uint64_t size, struct takc_err *err)
{
    (void)key;
    (void)size;
    (void)err;
    *(bool *)arg = true;
    return TAKC_OK;
}

/* Nothing is there: of a misspelt task nothing should be taken in, so that is said of it instead. */
static enum takc_status say_no_documents(struct takc_home *h, struct takc_str t, struct takc_err *err)
{
    struct takc_profile p = {0};
    enum takc_status st = takc_home_profile(h, t, &p, err);
    takc_profile_clear(&p);
    return st ? st
              : takc_fail(err, TAKC_NOT_FOUND, 0, "task %.*s has no documents; run: takc ingest -t %.*s FOLDER", TAKC_STR_ARG(t),
                          TAKC_STR_ARG(t));
}

/* The task has no version at all, or none is current. */
static enum takc_status say_next_step(struct takc_home *h, const struct takc_manifest *m, struct takc_err *err)
{
    char prefix[128];
    bool documents = false;
    struct takc_str t = m->task;
    (void)snprintf(prefix, sizeof(prefix), "documents/%.*s/", TAKC_STR_ARG(t));
    enum takc_status st = takc_store_list(takc_home_store(h), NULL, takc_str(prefix), any_key, &documents, err);
    if (st)
        return st;
    if (m->n_versions)
        return takc_fail(err, TAKC_NOT_FOUND, 0, "task %.*s has no current version; run: takc %s -t %.*s%s", TAKC_STR_ARG(t),
                         documents ? "compress" : "cache", TAKC_STR_ARG(t), documents ? "" : " list, and roll back to one of these");
    return documents ? takc_fail(err, TAKC_NOT_FOUND, 0, "task %.*s has no compressed version; run: takc compress -t %.*s", TAKC_STR_ARG(t),
                                 TAKC_STR_ARG(t))
                     : say_no_documents(h, t, err);
}

enum takc_status takc_docset_version(struct takc_home *h, const struct takc_manifest *m, struct takc_str label,
                                     const struct takc_version **out, struct takc_err *err)
{
    const struct takc_version *v = takc_manifest_find(m, label);
    if (v) {
        *out = v;
        return TAKC_OK;
    }
    if (m->n_versions == 0 || label.len == 0)
        return say_next_step(h, m, err);
    return takc_fail(err, TAKC_NOT_FOUND, 0, "task %.*s has no version '%.*s'; takc cache list -t %.*s shows them", TAKC_STR_ARG(m->task),
                     TAKC_STR_ARG(label), TAKC_STR_ARG(m->task));
}

struct takc_key takc_docset_part_key(struct takc_str task, const struct takc_docset_doc *d, const char *kind)
{
    char suffix[64];
    (void)snprintf(suffix, sizeof(suffix), "%.*s%s", d->part.len > 32 ? 32 : (int)d->part.len, d->part.ptr ? d->part.ptr : "", kind);
    return takc_key_text(task, d->text_sha, suffix);
}

/* What a view owns. */
struct held {
    struct takc_store_view text;
    struct takc_units units;
};

static void free_held(struct held *held)
{
    takc_units_clear(&held->units);
    takc_store_view_close(&held->text);
    takc_free(held);
}

static enum takc_status load_units(struct takc_docset_corpus *c, const struct takc_docset_doc *d, struct takc_units *units,
                                   struct takc_err *err)
{
    struct takc_store_view stored;
    struct takc_key key = takc_docset_part_key(c->task, d, ".units");
    enum takc_status st = takc_store_view(takc_home_store(c->home), NULL, takc_str(key.s), &stored, err);
    if (st)
        return st;
    st = takc_units_load(units, stored.bytes, err);
    takc_store_view_close(&stored);
    return st ? takc_err_prefix(err, st, "%s", key.s) : st;
}

static enum takc_status load_view(void *arg, size_t i, struct takc_corpus_view *out, struct takc_err *err)
{
    struct takc_docset_corpus *c = arg;
    const struct takc_docset_doc *d = &c->set->docs[i];
    struct held *held = takc_alloc(sizeof(*held));
    if (!held)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a document");
    takc_units_init(&held->units);
    struct takc_key key = takc_key_text(c->task, d->text_sha, "");
    enum takc_status st = takc_store_view(takc_home_store(c->home), NULL, takc_str(key.s), &held->text, err);
    if (!st)
        st = load_units(c, d, &held->units, err);
    if (st) {
        free_held(held);
        return takc_err_prefix(err, st, "document %.*s", TAKC_STR_ARG(d->name));
    }
    *out = (struct takc_corpus_view){held->text.bytes, &held->units, held};
    return TAKC_OK;
}

static void unload_view(void *arg, struct takc_corpus_view *view)
{
    (void)arg;
    if (view->owner)
        free_held(view->owner);
    *view = (struct takc_corpus_view){0};
}

static struct takc_hex hex_of(struct takc_str s)
{
    struct takc_hex h = {{0}};
    memcpy(h.s, s.ptr, s.len < TAKC_SHA256_HEX ? s.len : TAKC_SHA256_HEX);
    return h;
}

enum takc_status takc_docset_corpus(struct takc_home *h, struct takc_str task, const struct takc_docset *d, struct takc_arena *a,
                                    struct takc_docset_corpus *out, struct takc_err *err)
{
    struct takc_corpus_doc *docs = takc_arena_array(a, d->n_docs ? d->n_docs : 1, sizeof(*docs));
    if (!docs)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu documents", d->n_docs);
    for (size_t i = 0; i < d->n_docs; i++) {
        const struct takc_docset_doc *from = &d->docs[i];
        docs[i] = (struct takc_corpus_doc){.name = from->name,
                                           .source_sha = hex_of(from->source_sha),
                                           .text_sha = hex_of(from->text_sha),
                                           .title = from->title,
                                           .title_span = from->title_span,
                                           .title_is_name = takc_str_is(from->title_from, "name"),
                                           .has_date = from->has_date,
                                           .date = from->date};
    }
    *out = (struct takc_docset_corpus){{docs, d->n_docs, load_view, unload_view, NULL}, h, task, d};
    out->corpus.arg = out;
    return TAKC_OK;
}

/* A stored blob appended to buf; a missing one is fine where optional. */
static enum takc_status read_part(struct takc_home *h, struct takc_key key, bool optional, struct takc_buf *buf, struct takc_err *err)
{
    enum takc_status st = takc_store_get_bytes(takc_home_store(h), NULL, takc_str(key.s), buf, err);
    return st == TAKC_NOT_FOUND && optional ? TAKC_OK : st;
}

enum takc_status takc_docset_load(struct takc_home *h, struct takc_str task, const struct takc_docset_doc *doc, struct takc_doc *out,
                                  struct takc_err *err)
{
    struct takc_buf text, structure, map;
    takc_buf_init(&text, TAKC_BUF_MAX_DOCUMENT);
    takc_buf_init(&structure, TAKC_BUF_MAX_DOCUMENT);
    takc_buf_init(&map, TAKC_BUF_MAX_DOCUMENT);
    enum takc_status st = read_part(h, takc_key_text(task, doc->text_sha, ""), false, &text, err);
    if (!st)
        st = read_part(h, takc_docset_part_key(task, doc, ".structure"), false, &structure, err);
    if (!st)
        st = read_part(h, takc_docset_part_key(task, doc, ".map"), !doc->has_map, &map, err);
    if (!st)
        st = takc_doc_load(out, takc_buf_str(&text), takc_buf_str(&structure), takc_buf_str(&map), err);
    takc_buf_clear(&text);
    takc_buf_clear(&structure);
    takc_buf_clear(&map);
    return st ? takc_err_prefix(err, st, "document %.*s", TAKC_STR_ARG(doc->name)) : st;
}
