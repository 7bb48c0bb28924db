/* SPDX-License-Identifier: Apache-2.0
 *
 * manifest.c - the manifest of a task (docs/formats/manifest.md): which versions there are and which is current. It is the truth about
 * artifacts and is swapped whole, so that readers see all rates of a version or none. Byte-stable when written, strict when read. */
#include "catalog/home_impl.h"
#include "catalog/record.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    VERSIONS_MAX = 100000,
    FORMAT = 2 /* 1 had no hashes of selections and ledgers; it is read for the home's migration, never written */
};

/* Digits without a leading zero, at least 1; moves *pos behind them. */
static bool label_number(struct takc_str s, size_t *pos, uint64_t *out)
{
    size_t from = *pos;
    while (*pos < s.len && s.ptr[*pos] >= '0' && s.ptr[*pos] <= '9')
        ++*pos;
    return *pos > from && s.ptr[from] != '0' && !takc_str_u64(takc_str_slice(s, from, *pos), UINT32_MAX, out, NULL);
}

bool takc_label_parse(struct takc_str label, uint64_t *out_n, uint64_t *out_redaction)
{
    size_t pos = 0;
    *out_redaction = 0;
    if (!label_number(label, &pos, out_n))
        return false;
    if (pos == label.len)
        return true;
    if (label.len - pos < 3 || label.ptr[pos] != '.' || label.ptr[pos + 1] != 'r')
        return false;
    pos += 2;
    return label_number(label, &pos, out_redaction) && pos == label.len;
}

/* --- what holds for every manifest, written or read --- */

static enum takc_status check_stored(const char *what, const struct takc_stored *s, bool may_be_empty, struct takc_err *err)
{
    enum takc_status st = takc_record_hash_check(what, s->sha256, may_be_empty, err);
    return st ? st : takc_record_count_check(what, s->size_bytes, err);
}

static enum takc_status check_version(const struct takc_version *v, uint32_t next, uint64_t *last_n, uint64_t *last_r, struct takc_err *err)
{
    uint64_t n, r, from_n, from_r;
    if (!takc_label_parse(v->label, &n, &r) || n >= next)
        return takc_fail(err, TAKC_INVALID, 0, "label: not \"N\" or \"N.rK\" with N below next");
    if (n < *last_n || (n == *last_n && r <= *last_r && *last_n))
        return takc_fail(err, TAKC_INVALID, 0, "label: versions do not ascend");
    *last_n = n;
    *last_r = r;
    if (v->redacted_from.len && (!takc_label_parse(v->redacted_from, &from_n, &from_r) || from_n != n || from_r >= r))
        return takc_fail(err, TAKC_INVALID, 0, "redacted_from: no earlier label of the same version");
    enum takc_status st = takc_record_hash_check("work_key", v->work_key, v->redacted_from.len > 0, err);
    if (!st)
        st = check_stored("documents", &v->documents, true, err);
    if (!st)
        st = check_stored("index", &v->index, true, err);
    if (!st)
        st = check_stored("selection", &v->selection, true, err);
    if (!st)
        st = takc_record_count_check("source_tokens", v->source_tokens, err);
    if (!st && v->n_artifacts > TAKC_PROFILE_RATES_MAX)
        st = takc_fail(err, TAKC_INVALID, 0, "artifacts: more than %d", TAKC_PROFILE_RATES_MAX);
    for (size_t i = 0; !st && i < v->n_artifacts; i++) {
        const struct takc_stored ledger = {.sha256 = v->artifacts[i].ledger_sha256, .size_bytes = v->artifacts[i].ledger_bytes};
        st = check_stored("artifacts", &v->artifacts[i], false, err);
        if (!st)
            st = check_stored("ledger", &ledger, true, err);
        if (!st && (v->artifacts[i].rate == 0 || (i > 0 && v->artifacts[i].rate >= v->artifacts[i - 1].rate)))
            st = takc_fail(err, TAKC_INVALID, 0, "artifacts: rates do not descend");
    }
    return st;
}

static enum takc_status check_manifest(const struct takc_manifest *m, struct takc_err *err)
{
    uint64_t last_n = 0, last_r = 0;
    bool current = m->current.len == 0;
    enum takc_status st = takc_task_name_check(m->task, err);
    if (!st && (m->next == 0 || m->n_versions > VERSIONS_MAX))
        st = takc_fail(err, TAKC_INVALID, 0, "next is 1 or more, versions at most %d", VERSIONS_MAX);
    for (size_t i = 0; !st && i < m->n_versions; i++) {
        current |= takc_str_eq(m->current, m->versions[i].label);
        st = check_version(&m->versions[i], m->next, &last_n, &last_r, err);
        if (st)
            st = takc_err_prefix(err, st, "version %zu", i + 1);
    }
    if (!st && !current)
        st = takc_fail(err, TAKC_INVALID, 0, "current: no version has the label %.*s", TAKC_STR_ARG(m->current));
    return st;
}

/* --- writing --- */

static enum takc_status write_stored(const char *key, const struct takc_stored *s, struct takc_buf *out, struct takc_err *err)
{
    return takc_buf_printf(out, err, "     \"%s\": {\"sha256\": \"%.*s\", \"bytes\": %" PRIu64 "},\n", key, TAKC_STR_ARG(s->sha256),
                           s->size_bytes);
}

static enum takc_status write_artifacts(const struct takc_version *v, struct takc_buf *out, struct takc_err *err)
{
    enum takc_status st = takc_buf_add(out, takc_str("     \"artifacts\": ["), err);
    for (size_t i = 0; !st && i < v->n_artifacts; i++) {
        const struct takc_stored *s = &v->artifacts[i];
        char name[24];
        takc_rate_name(s->rate, name);
        st = takc_buf_printf(out, err,
                             "%s\n      {\"rate\": \"%s\", \"sha256\": \"%.*s\", \"bytes\": %" PRIu64
                             ", \"ledger_sha256\": \"%.*s\", \"ledger_bytes\": %" PRIu64 "}",
                             i ? "," : "", name, TAKC_STR_ARG(s->sha256), s->size_bytes, TAKC_STR_ARG(s->ledger_sha256), s->ledger_bytes);
    }
    return st ? st : takc_buf_add(out, takc_str("]}"), err);
}

static enum takc_status write_version(const struct takc_version *v, struct takc_buf *out, struct takc_err *err)
{
    enum takc_status st = takc_buf_printf(out, err,
                                          "\n    {\"label\": \"%.*s\", \"redacted_from\": \"%.*s\", \"work_key\": \"%.*s\",\n"
                                          "     \"created\": %" PRId64 ", \"pinned\": %s, \"source_tokens\": %" PRIu64 ",\n",
                                          TAKC_STR_ARG(v->label), TAKC_STR_ARG(v->redacted_from), TAKC_STR_ARG(v->work_key), v->created_s,
                                          v->pinned ? "true" : "false", v->source_tokens);
    if (!st)
        st = write_stored("documents", &v->documents, out, err);
    if (!st)
        st = write_stored("index", &v->index, out, err);
    if (!st)
        st = write_stored("selection", &v->selection, out, err);
    return st ? st : write_artifacts(v, out, err);
}

enum takc_status takc_manifest_write(const struct takc_manifest *m, struct takc_buf *out, struct takc_err *err)
{
    size_t before = out->len;
    enum takc_status st = check_manifest(m, err);
    if (!st)
        st = takc_buf_printf(out, err,
                             "{\n  \"takc_manifest\": %d,\n  \"task\": \"%.*s\",\n  \"current\": \"%.*s\",\n  \"next\": %" PRIu32
                             ",\n  \"versions\": [",
                             FORMAT, TAKC_STR_ARG(m->task), TAKC_STR_ARG(m->current), m->next);
    for (size_t i = 0; !st && i < m->n_versions; i++) {
        st = write_version(&m->versions[i], out, err);
        if (!st && i + 1 < m->n_versions)
            st = takc_buf_byte(out, ',', err);
    }
    if (!st)
        st = takc_buf_add(out, takc_str("]\n}\n"), err);
    if (!st)
        return TAKC_OK;
    out->len = before;
    if (out->ptr)
        out->ptr[before] = '\0';
    return takc_err_prefix(err, st, "manifest");
}

/* --- reading --- */

static enum takc_status read_hash(const json_t *v, struct takc_arena *a, struct takc_stored *out, struct takc_err *err)
{
    enum takc_status st = takc_record_str(v, "sha256", a, &out->sha256, err);
    return st ? st : takc_json_get_u64(v, "bytes", &out->size_bytes, err);
}

static enum takc_status read_stored(const json_t *v, struct takc_arena *a, struct takc_stored *out, struct takc_err *err)
{
    static const char *const names[] = {"sha256", "bytes"};
    enum takc_status st = takc_record_members(v, names, 2, err);
    return st ? st : read_hash(v, a, out, err);
}

static enum takc_status read_artifact(const json_t *v, uint64_t format, struct takc_arena *a, struct takc_stored *out, struct takc_err *err)
{
    static const char *const names[] = {"rate", "sha256", "bytes", "ledger_sha256", "ledger_bytes"};
    enum takc_status st = takc_record_members(v, names, format == 1 ? 3 : 5, err);
    if (!st)
        st = read_hash(v, a, out, err);
    if (!st && format > 1)
        st = takc_record_str(v, "ledger_sha256", a, &out->ledger_sha256, err);
    if (!st && format > 1)
        st = takc_json_get_u64(v, "ledger_bytes", &out->ledger_bytes, err);
    char name[24];
    struct takc_str rate = takc_json_get_str(v, "rate");
    if (!st)
        st = takc_rate_parse(rate, &out->rate, err);
    if (st)
        return st;
    takc_rate_name(out->rate, name);
    return takc_str_is(rate, name) ? TAKC_OK : takc_fail(err, TAKC_INVALID, 0, "rate: %s is written otherwise", name);
}

static enum takc_status read_artifacts(const json_t *v, uint64_t format, struct takc_arena *a, struct takc_version *out,
                                       struct takc_err *err)
{
    const json_t *list;
    enum takc_status st = takc_record_array(v, "artifacts", &list, err);
    if (st)
        return st;
    size_t n = json_array_size(list);
    struct takc_stored *items = takc_arena_array(a, n ? n : 1, sizeof(*items));
    if (!items)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for artifacts");
    for (size_t i = 0; i < n; i++) {
        st = read_artifact(json_array_get(list, i), format, a, &items[i], err);
        if (st)
            return takc_err_prefix(err, st, "artifact %zu", i + 1);
    }
    out->artifacts = items;
    out->n_artifacts = n;
    return TAKC_OK;
}

static enum takc_status read_version(const json_t *v, uint64_t format, struct takc_arena *a, struct takc_version *out, struct takc_err *err)
{
    static const char *const names[] = {"label",         "redacted_from", "work_key", "created",   "pinned",
                                        "source_tokens", "documents",     "index",    "artifacts", "selection"};
    enum takc_status st = takc_record_members(v, names, format == 1 ? 9 : 10, err);
    if (!st)
        st = takc_record_str(v, "label", a, &out->label, err);
    if (!st)
        st = takc_record_str(v, "redacted_from", a, &out->redacted_from, err);
    if (!st)
        st = takc_record_str(v, "work_key", a, &out->work_key, err);
    if (!st)
        st = takc_record_i64(v, "created", &out->created_s, err);
    if (!st)
        st = takc_record_bool(v, "pinned", &out->pinned, err);
    if (!st)
        st = takc_json_get_u64(v, "source_tokens", &out->source_tokens, err);
    if (!st)
        st = read_stored(json_object_get(v, "documents"), a, &out->documents, err);
    if (!st)
        st = read_stored(json_object_get(v, "index"), a, &out->index, err);
    if (!st && format > 1)
        st = read_stored(json_object_get(v, "selection"), a, &out->selection, err);
    return st ? st : read_artifacts(v, format, a, out, err);
}

static enum takc_status read_versions(const json_t *v, uint64_t format, struct takc_arena *a, struct takc_manifest *m, struct takc_err *err)
{
    const json_t *list;
    enum takc_status st = takc_record_array(v, "versions", &list, err);
    if (st)
        return st;
    size_t n = json_array_size(list);
    struct takc_version *versions = takc_arena_array(a, n ? n : 1, sizeof(*versions));
    if (!versions)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for versions");
    for (size_t i = 0; i < n; i++) {
        st = read_version(json_array_get(list, i), format, a, &versions[i], err);
        if (st)
            return takc_err_prefix(err, st, "version %zu", i + 1);
    }
    m->versions = versions;
    m->n_versions = n;
    return TAKC_OK;
}

static enum takc_status read_manifest(const json_t *v, struct takc_arena *a, struct takc_manifest *m, struct takc_err *err)
{
    static const char *const names[] = {"takc_manifest", "task", "current", "next", "versions"};
    uint64_t format = 0, next = 0;
    enum takc_status st = takc_record_members(v, names, sizeof(names) / sizeof(names[0]), err);
    if (!st)
        st = takc_json_get_u64(v, "takc_manifest", &format, err);
    if (!st && (format < 1 || format > FORMAT))
        st = takc_fail(err, TAKC_INVALID, 0, "takc_manifest: %" PRIu64 " is not known, %d is", format, FORMAT);
    if (!st)
        st = takc_record_str(v, "task", a, &m->task, err);
    if (!st)
        st = takc_record_str(v, "current", a, &m->current, err);
    if (!st)
        st = takc_json_get_u64(v, "next", &next, err);
    if (!st && next > UINT32_MAX)
        st = takc_fail(err, TAKC_INVALID, 0, "next: too large");
    m->next = (uint32_t)next;
    if (!st)
        st = read_versions(v, format, a, m, err);
    return st ? st : check_manifest(m, err);
}

enum takc_status takc_manifest_parse(struct takc_str json, struct takc_arena *a, struct takc_manifest *out, struct takc_err *err)
{
    json_t *v = NULL;
    struct takc_manifest m = {0};
    enum takc_status st = takc_json_parse(json, &v, err);
    if (!st)
        st = read_manifest(v, a, &m, err);
    json_decref(v);
    if (!st)
        *out = m;
    return takc_record_corrupt(st, "manifest", err);
}

const struct takc_version *takc_manifest_find(const struct takc_manifest *m, struct takc_str label)
{
    if (label.len == 0)
        label = m->current;
    for (size_t i = 0; label.len && i < m->n_versions; i++)
        if (takc_str_eq(m->versions[i].label, label))
            return &m->versions[i];
    return NULL;
}

/* --- manifests of a home --- */

static enum takc_status empty_manifest(struct takc_str task, struct takc_arena *a, struct takc_manifest *out, struct takc_err *err)
{
    struct takc_manifest m = {.task = takc_arena_dup(a, task), .next = 1};
    if (!m.task.ptr)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a manifest");
    *out = m;
    return TAKC_OK;
}

enum takc_status takc_home_manifest(struct takc_home *h, struct takc_str task, struct takc_arena *a, struct takc_manifest *out,
                                    struct takc_err *err)
{
    struct takc_manifest m = {0};
    struct takc_buf buf;
    struct takc_hex tag;
    enum takc_status st = takc_task_name_check(task, err);
    if (st)
        return st;
    struct takc_key key = takc_key_manifest(task);
    takc_buf_init(&buf, TAKC_RECORD_MAX);
    st = takc_store_get_bytes(h->store, NULL, takc_str(key.s), &buf, err);
    if (st == TAKC_NOT_FOUND)
        return empty_manifest(task, a, out, err);
    if (!st)
        st = takc_manifest_parse(takc_buf_str(&buf), a, &m, err);
    if (!st && !takc_str_eq(m.task, task))
        st = takc_fail(err, TAKC_CORRUPT, 0, "%s belongs to task %.*s", key.s, TAKC_STR_ARG(m.task));
    if (!st)
        st = takc_sha256(takc_buf_str(&buf), &tag, err);
    takc_buf_clear(&buf);
    if (st)
        return takc_err_prefix(err, st, "task %.*s", TAKC_STR_ARG(task));
    *out = m;
    out->tag = tag;
    return TAKC_OK;
}

enum takc_status takc_home_manifest_swap(struct takc_home *h, const struct takc_manifest *m, struct takc_hex *out_tag, struct takc_err *err)
{
    struct takc_buf buf;
    struct takc_hex tag;
    takc_buf_init(&buf, TAKC_RECORD_MAX);
    enum takc_status st = takc_manifest_write(m, &buf, err);
    if (!st)
        st = takc_sha256(takc_buf_str(&buf), &tag, err);
    if (!st)
        st = takc_store_swap(h->store, NULL, takc_str(takc_key_manifest(m->task).s), takc_str(m->tag.s), takc_buf_str(&buf), err);
    takc_buf_clear(&buf);
    if (!st && out_tag)
        *out_tag = tag;
    return st;
}
