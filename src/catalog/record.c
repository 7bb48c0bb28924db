/* SPDX-License-Identifier: Apache-2.0
 *
 * record.c - strict reading of stored JSON (catalog/record.h). */
#include "catalog/record.h"
#include "base/hash.h"
#include "base/utf8.h"

enum takc_status takc_record_members_and(const json_t *v, const char *const *names, size_t n, const char *const *optional,
                                         size_t n_optional, struct takc_err *err)
{
    if (!json_is_object(v))
        return takc_fail(err, TAKC_INVALID, 0, "an object is missing");
    for (size_t i = 0; i < n; i++)
        if (!json_object_get(v, names[i]))
            return takc_fail(err, TAKC_INVALID, 0, "%s is missing", names[i]);
    size_t known = n;
    for (size_t i = 0; i < n_optional; i++)
        known += json_object_get(v, optional[i]) != NULL;
    if (json_object_size(v) != known)
        return takc_fail(err, TAKC_INVALID, 0, "%zu members where %zu are known", json_object_size(v), known);
    return TAKC_OK;
}

enum takc_status takc_record_members(const json_t *v, const char *const *names, size_t n, struct takc_err *err)
{
    return takc_record_members_and(v, names, n, NULL, 0, err);
}

enum takc_status takc_record_str(const json_t *v, const char *key, struct takc_arena *a, struct takc_str *out, struct takc_err *err)
{
    if (!json_is_string(json_object_get(v, key)))
        return takc_fail(err, TAKC_INVALID, 0, "%s: no text", key);
    struct takc_str copy = takc_arena_dup(a, takc_json_get_str(v, key));
    if (!copy.ptr)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for %s", key);
    *out = copy;
    return TAKC_OK;
}

enum takc_status takc_record_bool(const json_t *v, const char *key, bool *out, struct takc_err *err)
{
    const json_t *m = json_object_get(v, key);
    if (!json_is_boolean(m))
        return takc_fail(err, TAKC_INVALID, 0, "%s: neither true nor false", key);
    *out = json_is_true(m);
    return TAKC_OK;
}

enum takc_status takc_record_i64(const json_t *v, const char *key, int64_t *out, struct takc_err *err)
{
    const json_t *m = json_object_get(v, key);
    if (!json_is_integer(m))
        return takc_fail(err, TAKC_INVALID, 0, "%s: no whole number", key);
    *out = json_integer_value(m);
    return TAKC_OK;
}

enum takc_status takc_record_array(const json_t *v, const char *key, const json_t **out, struct takc_err *err)
{
    const json_t *m = json_object_get(v, key);
    if (!json_is_array(m))
        return takc_fail(err, TAKC_INVALID, 0, "%s: no list", key);
    *out = m;
    return TAKC_OK;
}

enum takc_status takc_record_text_check(const char *what, struct takc_str s, size_t max, struct takc_err *err)
{
    if (s.len > max)
        return takc_fail(err, TAKC_INVALID, 0, "%s: longer than %zu bytes", what, max);
    if (!takc_utf8_valid(s, NULL) || (s.len && memchr(s.ptr, '\0', s.len)))
        return takc_fail(err, TAKC_INVALID, 0, "%s: not UTF-8, or with a NUL", what);
    return TAKC_OK;
}

enum takc_status takc_record_hash_check(const char *what, struct takc_str s, bool may_be_empty, struct takc_err *err)
{
    if (takc_hex_valid(s) || (may_be_empty && s.len == 0))
        return TAKC_OK;
    return takc_fail(err, TAKC_INVALID, 0, "%s: no SHA-256", what);
}

enum takc_status takc_record_count_check(const char *what, uint64_t n, struct takc_err *err)
{
    return n > INT64_MAX ? takc_fail(err, TAKC_INVALID, 0, "%s: too large", what) : TAKC_OK;
}

enum takc_status takc_record_put_str(struct takc_buf *out, const char *key, struct takc_str s, struct takc_err *err)
{
    enum takc_status st = takc_buf_printf(out, err, "\"%s\": ", key);
    if (!st)
        st = takc_json_quote(out, s, err);
    return st ? st : takc_buf_add(out, takc_str(", "), err);
}

enum takc_status takc_record_corrupt(enum takc_status st, const char *what, struct takc_err *err)
{
    if (!st || st == TAKC_NOMEM)
        return st;
    (void)takc_err_prefix(err, st, "%s is damaged", what);
    if (err)
        err->status = TAKC_CORRUPT;
    return TAKC_CORRUPT;
}
