/* SPDX-License-Identifier: Apache-2.0
 *
 * grant.c - words of others made into the parts of an identity (grant.h). */
#include "auth/grant.h"

#include "base/hash.h"
#include "task/profile.h"

enum { SUBJECT_MAX = 128, NAME_MAX_BYTES = 63, HASH_DIGITS = 16 };

struct takc_str takc_grant_bearer(const struct takc_auth_request *r)
{
    bool twice;
    struct takc_str v = r->header(r->arg, "authorization", &twice);
    if (v.len < 8 || !takc_str_eq_nocase(takc_str_slice(v, 0, 7), takc_str("bearer ")))
        return takc_str("");
    return takc_str_trim(takc_str_slice(v, 7, v.len));
}

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool in_subject(char c)
{
    return is_alnum(c) || (c && strchr(":-_./@", c));
}

enum takc_status takc_grant_subject(struct takc_arena *a, const char *kind, struct takc_str bytes, struct takc_str *out,
                                    struct takc_err *err)
{
    struct takc_hex hash;
    size_t n = bytes.len > SUBJECT_MAX ? SUBJECT_MAX : bytes.len;
    bool same = n == bytes.len;
    for (size_t i = 0; i < n; i++)
        same = same && in_subject(bytes.ptr[i]);
    enum takc_status st = same ? TAKC_OK : takc_sha256(bytes, &hash, err);
    if (st)
        return st;
    char *s = takc_arena_printf(a, "%s:%.*s%s%.*s", kind, (int)n, bytes.ptr ? bytes.ptr : "", same ? "" : ".", same ? 0 : HASH_DIGITS,
                                same ? "" : hash.s);
    if (!s)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a subject");
    for (char *p = s; *p; p++)
        *p = in_subject(*p) ? *p : '_';
    *out = takc_str(s);
    return TAKC_OK;
}

static bool is_pattern(struct takc_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool letter = is_alnum(c) && !(c >= 'A' && c <= 'Z');
        if (!letter && !(c && strchr("._-*?", c)))
            return false;
    }
    return s.len > 0 && s.len <= NAME_MAX_BYTES;
}

bool takc_grant_is_tenant(struct takc_str s)
{
    return takc_task_name_check(s, NULL) == TAKC_OK;
}

unsigned takc_grant_may(struct takc_str word)
{
    return takc_str_is(word, "query")    ? TAKC_MAY_QUERY
           : takc_str_is(word, "ingest") ? TAKC_MAY_INGEST
           : takc_str_is(word, "admin")  ? TAKC_MAY_ADMIN
                                         : 0;
}

enum takc_status takc_grant_task(struct takc_arena *a, struct takc_identity *who, struct takc_str pattern, struct takc_err *err)
{
    if (!is_pattern(pattern))
        return takc_fail(err, TAKC_DENIED, 0, "one of the credential's tasks is no pattern of a-z 0-9 . _ - * ?");
    if (who->n_tasks == TAKC_IDENTITY_TASKS)
        return takc_fail(err, TAKC_DENIED, 0, "the credential names more than %d tasks", TAKC_IDENTITY_TASKS);
    struct takc_str copy = takc_arena_dup(a, pattern);
    if (!copy.ptr)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for an identity");
    who->tasks[who->n_tasks++] = copy;
    return TAKC_OK;
}

static struct takc_str text_of(const json_t *v)
{
    return json_is_string(v) ? takc_str_n(json_string_value(v), json_string_length(v)) : takc_str("");
}

bool takc_grant_word(const json_t *v, size_t i, struct takc_str *out)
{
    struct takc_str rest = text_of(v), piece;
    if (json_is_array(v)) {
        *out = text_of(json_array_get(v, i));
        return i < json_array_size(v);
    }
    while (takc_str_split(&rest, ' ', &piece))
        if (piece.len && i-- == 0) {
            *out = piece;
            return true;
        }
    return false;
}
