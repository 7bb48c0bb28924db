/* SPDX-License-Identifier: Apache-2.0
 *
 * document.c - document records (docs/formats/document.md): written by hand in one order of members, so that the same record always gives
 * the same bytes; read strictly. The record's key is the hash of its name: a record found under another key is damaged. */
#include "base/clock.h"
#include "catalog/home_impl.h"
#include "catalog/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { NAME_BYTES = TAKC_BUF_MAX_NAME, TITLE_BYTES = 1 << 20, LABELS_MAX = 1000, REVISIONS_MAX = 100000 };

/* --- what holds for every record, written or read --- */

static bool is_part(struct takc_str s)
{
    if (s.len != 17 || s.ptr[0] != '.')
        return s.len == 0;
    for (size_t i = 1; i < s.len; i++)
        if (!((s.ptr[i] >= '0' && s.ptr[i] <= '9') || (s.ptr[i] >= 'a' && s.ptr[i] <= 'f')))
            return false;
    return true;
}

static bool is_title_from(struct takc_str s)
{
    return takc_str_is(s, "text") || takc_str_is(s, "metadata") || takc_str_is(s, "name");
}

static enum takc_status check_words(const struct takc_revision *r, struct takc_err *err)
{
    enum takc_status st = takc_record_text_check("reader", r->reader, NAME_BYTES, err);
    if (!st)
        st = takc_record_text_check("reader_version", r->reader_version, NAME_BYTES, err);
    if (!st)
        st = takc_record_text_check("charset", r->charset, NAME_BYTES, err);
    if (!st)
        st = takc_record_text_check("made_by", r->made_by, NAME_BYTES, err);
    if (!st)
        st = takc_record_text_check("title", r->title, TITLE_BYTES, err);
    if (!st && !is_part(r->part))
        st = takc_fail(err, TAKC_INVALID, 0, "part: not \".\" and 16 hexadecimal digits");
    if (!st && !is_title_from(r->title_from))
        st = takc_fail(err, TAKC_INVALID, 0, "title_from: not text, metadata or name");
    return st;
}

static enum takc_status check_numbers(const struct takc_revision *r, struct takc_err *err)
{
    enum takc_status st = takc_record_count_check("source_bytes", r->source_bytes, err);
    if (!st)
        st = takc_record_count_check("text_bytes", r->text_bytes, err);
    if (!st)
        st = takc_record_count_check("replaced", r->n_replaced, err);
    if (!st)
        st = takc_record_count_check("units", r->n_units, err);
    if (!st)
        st = takc_record_count_check("source_mt", r->source_mt, err);
    if (!st && (r->title_span.start > r->title_span.end || r->title_span.end > r->text_bytes))
        st = takc_fail(err, TAKC_INVALID, 0, "title_span: outside of the text");
    if (!st && r->ingested_s < 0)
        st = takc_fail(err, TAKC_INVALID, 0, "ingested: before 1970");
    return st;
}

static enum takc_status check_revision(const struct takc_revision *r, struct takc_err *err)
{
    enum takc_status st = takc_record_hash_check("source_sha256", r->source_sha, false, err);
    if (!st)
        st = takc_record_hash_check("text_sha256", r->text_sha, false, err);
    if (!st)
        st = takc_record_hash_check("units_sha256", r->units_sha, true, err);
    if (!st)
        st = takc_record_hash_check("file_sha256", r->file_sha, !r->compressed, err);
    if (!st)
        st = takc_record_hash_check("whole_text_sha256", r->whole_text_sha, true, err);
    if (!st)
        st = takc_record_hash_check("whole_key", r->whole_key, r->whole_text_sha.len == 0, err);
    if (!st && r->whole_key.len && !r->whole_text_sha.len)
        st = takc_fail(err, TAKC_INVALID, 0, "whole_key: without whole_text_sha256");
    if (!st && !r->compressed && r->file_sha.len)
        st = takc_fail(err, TAKC_INVALID, 0, "file_sha256: only of compressed files");
    if (!st)
        st = check_words(r, err);
    return st ? st : check_numbers(r, err);
}

static enum takc_status check_document(const struct takc_document *d, struct takc_err *err)
{
    enum takc_status st = takc_record_text_check("name", d->name, NAME_BYTES, err);
    if (!st && d->name.len == 0)
        st = takc_fail(err, TAKC_INVALID, 0, "name: empty");
    if (!st)
        st = takc_record_text_check("root", d->root, NAME_BYTES, err);
    if (!st && (d->n_labels > LABELS_MAX || d->n_revisions == 0 || d->n_revisions > REVISIONS_MAX))
        st = takc_fail(err, TAKC_INVALID, 0, "a record has at most %d labels and 1 to %d revisions", LABELS_MAX, REVISIONS_MAX);
    for (size_t i = 0; !st && i < d->n_labels; i++)
        st = takc_record_text_check("labels", d->labels[i], NAME_BYTES, err);
    for (size_t i = 0; !st && i < d->n_revisions; i++) {
        st = check_revision(&d->revisions[i], err);
        if (st)
            st = takc_err_prefix(err, st, "revision %zu", i + 1);
    }
    return st;
}

/* --- writing --- */

static enum takc_status write_date(const struct takc_revision *r, struct takc_buf *out, struct takc_err *err)
{
    char text[11] = "";
    int32_t again = 0;
    if (!r->has_date)
        return takc_buf_add(out, takc_str("\"date\": null, "), err);
    takc_date_text(r->date, text);
    enum takc_status st = takc_date_parse(text, strlen(text), &again, err);
    if (!st && again != r->date)
        st = takc_fail(err, TAKC_INVALID, 0, "date: cannot be written");
    return st ? st : takc_buf_printf(out, err, "\"date\": \"%s\", ", text);
}

/* Members that most revisions lack. */
static enum takc_status write_rare(const struct takc_revision *r, struct takc_buf *out, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    if (r->first_line)
        st = takc_buf_printf(out, err, "\"first_line\": %" PRIu32 ", ", r->first_line);
    if (!st && r->whole_text_sha.len)
        st = takc_record_put_str(out, "whole_text_sha256", r->whole_text_sha, err);
    return st || !r->whole_key.len ? st : takc_record_put_str(out, "whole_key", r->whole_key, err);
}

static enum takc_status write_revision(const struct takc_revision *r, struct takc_buf *out, struct takc_err *err)
{
    const struct {
        const char *key;
        struct takc_str value;
    } texts[] = {
        {"source_sha256", r->source_sha},
        {"file_sha256", r->file_sha},
        {"text_sha256", r->text_sha},
        {"units_sha256", r->units_sha},
        {"part", r->part},
        {"made_by", r->made_by},
        {"reader", r->reader},
        {"reader_version", r->reader_version},
        {"charset", r->charset},
        {"title", r->title},
        {"title_from", r->title_from},
    };
    enum takc_status st = takc_buf_add(out, takc_str("    {"), err);
    for (size_t i = 0; !st && i < sizeof(texts) / sizeof(texts[0]); i++)
        st = takc_record_put_str(out, texts[i].key, texts[i].value, err);
    if (!st)
        st = write_date(r, out, err);
    if (!st)
        st = takc_buf_printf(out, err, "\"title_span\": [%" PRIu64 ", %" PRIu64 "], ", (uint64_t)r->title_span.start,
                             (uint64_t)r->title_span.end);
    if (!st)
        st = takc_buf_printf(out, err,
                             "\"source_bytes\": %" PRIu64 ", \"text_bytes\": %" PRIu64 ", \"replaced\": %" PRIu64 ", \"units\": %" PRIu64
                             ", \"source_mt\": %" PRIu64 ", ",
                             r->source_bytes, r->text_bytes, r->n_replaced, r->n_units, r->source_mt);
    if (!st)
        st = write_rare(r, out, err);
    if (!st)
        st = takc_buf_printf(out, err, "\"has_map\": %s, \"compressed\": %s, \"ingested\": %" PRId64 "}", r->has_map ? "true" : "false",
                             r->compressed ? "true" : "false", r->ingested_s);
    return st;
}

static enum takc_status write_labels(const struct takc_document *d, struct takc_buf *out, struct takc_err *err)
{
    enum takc_status st = takc_buf_add(out, takc_str("  \"labels\": ["), err);
    for (size_t i = 0; !st && i < d->n_labels; i++) {
        st = takc_buf_add(out, takc_str(i ? ", " : ""), err);
        if (!st)
            st = takc_json_quote(out, d->labels[i], err);
    }
    return st ? st : takc_buf_add(out, takc_str("],\n"), err);
}

enum takc_status takc_document_write(const struct takc_document *d, struct takc_buf *out, struct takc_err *err)
{
    size_t before = out->len;
    enum takc_status st = check_document(d, err);
    if (!st)
        st = takc_buf_add(out, takc_str("{\n  \"takc_document\": 1,\n  "), err);
    if (!st)
        st = takc_record_put_str(out, "name", d->name, err);
    if (!st)
        st = takc_record_put_str(out, "root", d->root, err);
    if (!st) {
        out->ptr[out->len - 1] = '\n'; /* the blank behind the comma */
        st = write_labels(d, out, err);
    }
    if (!st)
        st = takc_buf_add(out, takc_str("  \"revisions\": [\n"), err);
    for (size_t i = 0; !st && i < d->n_revisions; i++) {
        st = write_revision(&d->revisions[i], out, err);
        if (!st)
            st = takc_buf_add(out, takc_str(i + 1 < d->n_revisions ? ",\n" : "\n"), err);
    }
    if (!st)
        st = takc_buf_add(out, takc_str("  ]\n}\n"), err);
    if (!st)
        return TAKC_OK;
    out->len = out->len < before ? out->len : before;
    if (out->ptr)
        out->ptr[out->len] = '\0';
    return takc_err_prefix(err, st, "document %.*s", TAKC_STR_ARG(d->name));
}

/* --- reading --- */

static enum takc_status read_date(const json_t *v, struct takc_revision *r, struct takc_err *err)
{
    const json_t *m = json_object_get(v, "date");
    char text[11];
    if (!json_is_string(m))
        return json_is_null(m) ? TAKC_OK : takc_fail(err, TAKC_INVALID, 0, "date: no text");
    struct takc_str s = takc_json_get_str(v, "date");
    enum takc_status st = takc_date_parse(s.ptr, s.len, &r->date, err);
    if (st)
        return takc_err_prefix(err, st, "date");
    r->has_date = true;
    takc_date_text(r->date, text);
    return takc_str_is(s, text) ? TAKC_OK : takc_fail(err, TAKC_INVALID, 0, "date: not YYYY-MM-DD");
}

static enum takc_status read_title_span(const json_t *v, struct takc_revision *r, struct takc_err *err)
{
    const json_t *m = json_object_get(v, "title_span"), *from = json_array_get(m, 0), *to = json_array_get(m, 1);
    if (json_array_size(m) != 2 || !json_is_integer(from) || !json_is_integer(to) || json_integer_value(from) < 0 ||
        json_integer_value(to) < 0)
        return takc_fail(err, TAKC_INVALID, 0, "title_span: not two numbers");
    uint64_t start = (uint64_t)json_integer_value(from), end = (uint64_t)json_integer_value(to);
    r->title_span.start = (__typeof__(r->title_span.start))start;
    r->title_span.end = (__typeof__(r->title_span.end))end;
    return r->title_span.start == start && r->title_span.end == end ? TAKC_OK : takc_fail(err, TAKC_INVALID, 0, "title_span: too large");
}

static enum takc_status read_rare(const json_t *v, struct takc_arena *a, struct takc_revision *r, struct takc_err *err)
{
    uint64_t line = 0;
    enum takc_status st = TAKC_OK;
    if (json_object_get(v, "first_line"))
        st = takc_json_get_u64(v, "first_line", &line, err);
    if (!st && line > UINT32_MAX)
        st = takc_fail(err, TAKC_INVALID, 0, "first_line: too large");
    r->first_line = (uint32_t)line;
    if (!st && json_object_get(v, "whole_text_sha256"))
        st = takc_record_str(v, "whole_text_sha256", a, &r->whole_text_sha, err);
    if (!st && json_object_get(v, "whole_key"))
        st = takc_record_str(v, "whole_key", a, &r->whole_key, err);
    return st;
}

static enum takc_status read_revision(const json_t *v, struct takc_arena *a, struct takc_revision *r, struct takc_err *err)
{
    static const char *const names[] = {"source_sha256", "file_sha256",    "text_sha256", "units_sha256", "part",       "made_by",
                                        "reader",        "reader_version", "charset",     "title",        "title_from", "date",
                                        "title_span",    "source_bytes",   "text_bytes",  "replaced",     "units",      "source_mt",
                                        "has_map",       "compressed",     "ingested"};
    enum { N = sizeof(names) / sizeof(names[0]), FIRST_NUMBER = 13 };
    struct takc_str *texts[] = {&r->source_sha, &r->file_sha,       &r->text_sha, &r->units_sha, &r->part,      &r->made_by,
                                &r->reader,     &r->reader_version, &r->charset,  &r->title,     &r->title_from};
    uint64_t *numbers[] = {&r->source_bytes, &r->text_bytes, &r->n_replaced, &r->n_units, &r->source_mt};
    static const char *const rare[] = {"first_line", "whole_text_sha256", "whole_key"};
    enum takc_status st = takc_record_members_and(v, names, N, rare, sizeof(rare) / sizeof(rare[0]), err);
    for (size_t i = 0; !st && i < sizeof(texts) / sizeof(texts[0]); i++)
        st = takc_record_str(v, names[i], a, texts[i], err);
    for (size_t i = 0; !st && i < sizeof(numbers) / sizeof(numbers[0]); i++)
        st = takc_json_get_u64(v, names[FIRST_NUMBER + i], numbers[i], err);
    if (!st)
        st = read_date(v, r, err);
    if (!st)
        st = read_title_span(v, r, err);
    if (!st)
        st = takc_record_bool(v, "has_map", &r->has_map, err);
    if (!st)
        st = takc_record_bool(v, "compressed", &r->compressed, err);
    if (!st)
        st = read_rare(v, a, r, err);
    return st ? st : takc_record_i64(v, "ingested", &r->ingested_s, err);
}

static enum takc_status read_labels(const json_t *v, struct takc_arena *a, struct takc_document *d, struct takc_err *err)
{
    const json_t *list;
    enum takc_status st = takc_record_array(v, "labels", &list, err);
    if (st)
        return st;
    size_t n = json_array_size(list);
    struct takc_str *labels = takc_arena_array(a, n ? n : 1, sizeof(*labels));
    if (!labels)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for labels");
    for (size_t i = 0; i < n; i++) {
        const json_t *m = json_array_get(list, i);
        if (!json_is_string(m))
            return takc_fail(err, TAKC_INVALID, 0, "labels: no text");
        labels[i] = takc_arena_dup(a, takc_str_n(json_string_value(m), json_string_length(m)));
        if (!labels[i].ptr)
            return takc_fail(err, TAKC_NOMEM, 0, "no memory for labels");
    }
    d->labels = labels;
    d->n_labels = n;
    return TAKC_OK;
}

static enum takc_status read_revisions(const json_t *v, struct takc_arena *a, struct takc_document *d, struct takc_err *err)
{
    const json_t *list;
    enum takc_status st = takc_record_array(v, "revisions", &list, err);
    if (st)
        return st;
    size_t n = json_array_size(list);
    struct takc_revision *revisions = takc_arena_array(a, n ? n : 1, sizeof(*revisions));
    if (!revisions)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for revisions");
    for (size_t i = 0; i < n; i++) {
        st = read_revision(json_array_get(list, i), a, &revisions[i], err);
        if (st)
            return takc_err_prefix(err, st, "revision %zu", i + 1);
    }
    d->revisions = revisions;
    d->n_revisions = n;
    return TAKC_OK;
}

static enum takc_status read_document(const json_t *v, struct takc_arena *a, struct takc_document *d, struct takc_err *err)
{
    static const char *const names[] = {"takc_document", "name", "root", "labels", "revisions"};
    uint64_t format = 0;
    enum takc_status st = takc_record_members(v, names, sizeof(names) / sizeof(names[0]), err);
    if (!st)
        st = takc_json_get_u64(v, "takc_document", &format, err);
    if (!st && format != 1)
        st = takc_fail(err, TAKC_INVALID, 0, "takc_document: %" PRIu64 " is not known, 1 is", format);
    if (!st)
        st = takc_record_str(v, "name", a, &d->name, err);
    if (!st)
        st = takc_record_str(v, "root", a, &d->root, err);
    if (!st)
        st = read_labels(v, a, d, err);
    if (!st)
        st = read_revisions(v, a, d, err);
    return st ? st : check_document(d, err);
}

enum takc_status takc_document_parse(struct takc_str json, struct takc_arena *a, struct takc_document *out, struct takc_err *err)
{
    json_t *v = NULL;
    struct takc_document d = {0};
    enum takc_status st = takc_json_parse(json, &v, err);
    if (!st)
        st = read_document(v, a, &d, err);
    json_decref(v);
    if (!st)
        *out = d;
    return takc_record_corrupt(st, "document record", err);
}

/* --- records of a home --- */

/* Reads the record under key, into the arena; buf is scratch. */
static enum takc_status load(struct takc_home *h, struct takc_str task, struct takc_str key, struct takc_buf *buf, struct takc_arena *a,
                             struct takc_document *out, struct takc_err *err)
{
    takc_buf_reset(buf);
    enum takc_status st = takc_store_get_bytes(h->store, NULL, key, buf, err);
    if (st)
        return st;
    struct takc_document d;
    st = takc_document_parse(takc_buf_str(buf), a, &d, err);
    if (!st && !takc_str_is(key, takc_key_document(task, d.name).s))
        st = takc_fail(err, TAKC_CORRUPT, 0, "document record of %.*s stands under another name's key", TAKC_STR_ARG(d.name));
    if (st)
        return takc_err_prefix(err, st, "%.*s", TAKC_STR_ARG(key));
    *out = d;
    return TAKC_OK;
}

enum takc_status takc_home_document(struct takc_home *h, struct takc_str task, struct takc_str name, struct takc_arena *a,
                                    struct takc_document *out, struct takc_err *err)
{
    struct takc_buf buf;
    enum takc_status st = takc_task_name_check(task, err);
    if (st)
        return st;
    struct takc_key key = takc_key_document(task, name);
    if (!key.s[0])
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a key");
    takc_buf_init(&buf, TAKC_RECORD_MAX);
    st = load(h, task, takc_str(key.s), &buf, a, out, err);
    takc_buf_clear(&buf);
    if (st == TAKC_NOT_FOUND)
        return takc_fail(err, st, 0, "task %.*s has no document %.*s", TAKC_STR_ARG(task), TAKC_STR_ARG(name));
    return st;
}

static int by_name(const void *a, const void *b)
{
    return takc_str_cmp(((const struct takc_document *)a)->name, ((const struct takc_document *)b)->name);
}

enum takc_status takc_home_documents(struct takc_home *h, struct takc_str task, struct takc_arena *a, struct takc_document **out,
                                     size_t *out_n, struct takc_err *err)
{
    char prefix[128];
    struct takc_key_list list = {0};
    struct takc_buf buf;
    size_t n = 0;
    enum takc_status st = takc_task_name_check(task, err);
    if (st)
        return st;
    (void)snprintf(prefix, sizeof(prefix), "documents/%.*s/", TAKC_STR_ARG(task));
    st = takc_home_keys(h->store, NULL, takc_str(prefix), a, &list, err);
    struct takc_document *docs = st ? NULL : takc_arena_array(a, list.n ? list.n : 1, sizeof(*docs));
    if (!st && !docs)
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu records", list.n);
    takc_buf_init(&buf, TAKC_RECORD_MAX);
    for (size_t i = 0; !st && i < list.n; i++) {
        st = load(h, task, list.keys[i], &buf, a, &docs[n], err);
        if (st == TAKC_NOT_FOUND)
            st = TAKC_OK; /* forgotten while we read */
        else
            n++;
    }
    takc_buf_clear(&buf);
    if (st)
        return st;
    if (docs && n)
        qsort(docs, n, sizeof(*docs), by_name);
    *out = docs;
    *out_n = n;
    return TAKC_OK;
}
