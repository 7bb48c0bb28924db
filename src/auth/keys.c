/* SPDX-License-Identifier: Apache-2.0
 *
 * keys.c - API keys (auth/keys.h has their form), and the authorizer of that kind. */
#include "auth/keys.h"

#include "auth/registry.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/hash.h"
#include "task/profile.h"

#include <openssl/crypto.h>
#include <sys/random.h>
#include <zlib.h>

#define KEY_PREFIX "takc_"
enum { PREFIX_LEN = 5, ID_AT = PREFIX_LEN, SECRET_AT = ID_AT + TAKC_API_KEY_ID_LEN + 1, CHECK_AT = SECRET_AT + TAKC_API_KEY_SECRET_LEN };
static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"; /* ids take the first 36 */
enum { ID_LETTERS = 36, LETTERS = 62 };

/* ---- form ---- */

static void write_check(const char *key, char out[TAKC_API_KEY_CHECK_LEN])
{
    uint32_t crc = (uint32_t)crc32(0, (const unsigned char *)key, CHECK_AT);
    for (int i = 0; i < TAKC_API_KEY_CHECK_LEN; i++) {
        out[i] = alphabet[crc % LETTERS];
        crc /= LETTERS;
    }
}

static bool is_of_alphabet(struct takc_str s, size_t n_letters)
{
    for (size_t i = 0; i < s.len; i++)
        if (!memchr(alphabet, s.ptr[i], n_letters))
            return false;
    return true;
}

bool takc_api_key_shaped(struct takc_str text)
{
    char check[TAKC_API_KEY_CHECK_LEN];
    if (text.len != TAKC_API_KEY_TEXT_LEN || !takc_str_starts(text, takc_str(KEY_PREFIX)) || text.ptr[SECRET_AT - 1] != '_' ||
        !is_of_alphabet(takc_api_key_id(text), ID_LETTERS) || !is_of_alphabet(takc_str_slice(text, SECRET_AT, text.len), LETTERS))
        return false;
    write_check(text.ptr, check);
    return memcmp(check, text.ptr + CHECK_AT, sizeof(check)) == 0;
}

struct takc_str takc_api_key_id(struct takc_str key)
{
    return takc_str_slice(key, ID_AT, ID_AT + TAKC_API_KEY_ID_LEN);
}

/* ---- making ---- */

/* n letters, each as likely as any other: bytes above the last whole multiple are drawn again. */
static enum takc_status draw(char *out, size_t n, unsigned n_letters, struct takc_err *err)
{
    unsigned char bytes[64];
    unsigned limit = 256 - 256 % n_letters;
    for (size_t done = 0; done < n;) {
        if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
            return takc_fail(err, TAKC_IO, 0, "the system gives no random bytes");
        for (size_t i = 0; i < sizeof(bytes) && done < n; i++)
            if (bytes[i] < limit)
                out[done++] = alphabet[bytes[i] % n_letters];
    }
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return TAKC_OK;
}

static enum takc_status draw_key(char out[TAKC_API_KEY_TEXT_LEN + 1], struct takc_err *err)
{
    memcpy(out, KEY_PREFIX, PREFIX_LEN);
    enum takc_status st = draw(out + ID_AT, TAKC_API_KEY_ID_LEN, ID_LETTERS, err);
    if (!st)
        st = draw(out + SECRET_AT, TAKC_API_KEY_SECRET_LEN, LETTERS, err);
    out[SECRET_AT - 1] = '_';
    write_check(out, out + CHECK_AT);
    out[TAKC_API_KEY_TEXT_LEN] = '\0';
    return st;
}

static enum takc_status check_pattern(struct takc_str p, struct takc_err *err)
{
    static const char marks[] = {'*', '?', '.', '_', '-'};
    if (!p.len || p.len > 63)
        return takc_fail(err, TAKC_INVALID, 0, "a pattern of tasks has 1 to 63 characters");
    for (size_t i = 0; i < p.len; i++)
        if (!memchr(marks, p.ptr[i], sizeof(marks)) && !memchr(alphabet, p.ptr[i], ID_LETTERS))
            return takc_fail(err, TAKC_INVALID, 0, "character %zu of the pattern '%.*s' is none of a-z 0-9 . _ - * ?", i + 1,
                             TAKC_STR_ARG(p));
    return TAKC_OK;
}

static enum takc_status check_patterns(struct takc_str tasks, struct takc_err *err)
{
    struct takc_str piece;
    size_t n = 0;
    enum takc_status st = TAKC_OK;
    if (!tasks.len)
        return TAKC_OK;
    while (!st && takc_str_split(&tasks, ',', &piece)) {
        st = check_pattern(piece, err);
        if (!st && ++n > TAKC_IDENTITY_TASKS)
            st = takc_fail(err, TAKC_INVALID, 0, "more than %d patterns of tasks", TAKC_IDENTITY_TASKS);
    }
    return st;
}

static enum takc_status check_options(const struct takc_api_key_options *o, struct takc_err *err)
{
    bool good = o->name.len > 0 && o->name.len <= 100;
    for (size_t i = 0; i < o->name.len && good; i++)
        good = (unsigned char)o->name.ptr[i] >= 0x20 && o->name.ptr[i] != 0x7f;
    if (!good)
        return takc_fail(err, TAKC_INVALID, 0, "the name of a key has 1 to 100 bytes, none of them a control character");
    if (!o->may || (o->may & ~(unsigned)TAKC_MAY_ALL))
        return takc_fail(err, TAKC_INVALID, 0, "a key may do one of query, ingest, admin at least");
    if (o->expires_s && o->expires_s <= o->created_s)
        return takc_fail(err, TAKC_INVALID, 0, "a key that has expired when it is made");
    enum takc_status st = o->tenant.len ? takc_task_name_check(o->tenant, err) : TAKC_OK;
    if (st)
        return takc_err_prefix(err, st, "tenant");
    return check_patterns(o->tasks, err);
}

enum takc_status takc_api_key_create(struct takc_home *h, const struct takc_api_key_options *o, char out_key[TAKC_API_KEY_TEXT_LEN + 1],
                                     char out_id[TAKC_API_KEY_ID_LEN + 1], struct takc_err *err)
{
    struct takc_hex hash;
    enum takc_status st = check_options(o, err);
    if (!st)
        st = draw_key(out_key, err);
    if (!st)
        st = takc_sha256(takc_str_n(out_key, TAKC_API_KEY_TEXT_LEN), &hash, err);
    if (st)
        return st;
    struct takc_str id = takc_api_key_id(takc_str_n(out_key, TAKC_API_KEY_TEXT_LEN));
    memcpy(out_id, id.ptr, id.len);
    out_id[id.len] = '\0';
    const struct takc_api_key row = {.id = id,
                                     .hash = takc_str(hash.s),
                                     .name = o->name,
                                     .tenant = o->tenant,
                                     .tasks = o->tasks,
                                     .may = o->may,
                                     .created_s = o->created_s,
                                     .expires_s = o->expires_s};
    return takc_home_api_key_add(h, &row, err);
}

/* ---- telling ---- */

static enum takc_status fill(const struct takc_api_key *row, struct takc_arena *a, struct takc_identity *out, struct takc_err *err)
{
    struct takc_str rest = row->tasks, piece;
    const char *subject = takc_arena_printf(a, "key:%.*s", TAKC_STR_ARG(row->id));
    if (!subject)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for an identity");
    *out = (struct takc_identity){
        .subject = takc_str(subject), .tenant = row->tenant, .may = row->may & TAKC_MAY_ALL, .expires_s = row->expires_s};
    while (row->tasks.len && takc_str_split(&rest, ',', &piece)) {
        if (out->n_tasks == TAKC_IDENTITY_TASKS) /* never written by us */
            return takc_fail(err, TAKC_CORRUPT, 0, "key %.*s has too many patterns of tasks", TAKC_STR_ARG(row->id));
        out->tasks[out->n_tasks++] = piece;
    }
    return TAKC_OK;
}

/* The key is the one that was made. */
static enum takc_status judge(const struct takc_api_key *row, int64_t now_s, struct takc_err *err)
{
    if (row->revoked_s)
        return takc_fail(err, TAKC_DENIED, 0, "the key was revoked");
    if (row->expires_s && now_s >= row->expires_s)
        return takc_fail(err, TAKC_DENIED, 0, "the key has expired");
    return TAKC_OK;
}

enum takc_status takc_api_key_check(struct takc_home *h, struct takc_str key, int64_t now_s, struct takc_arena *a,
                                    struct takc_identity *out, struct takc_err *err)
{
    static const char nobodys[] = "0000000000000000000000000000000000000000000000000000000000000000";
    struct takc_api_key row = {.may = 0};
    struct takc_hex hash;
    if (!takc_api_key_shaped(key))
        return takc_fail(err, TAKC_DENIED, 0, "this is no whole key: it is mistyped or cut off");
    enum takc_status st = takc_sha256(key, &hash, err);
    if (st)
        return st;
    st = takc_home_api_key(h, takc_api_key_id(key), a, &row, err);
    bool there = !st && row.hash.len == TAKC_SHA256_HEX;
    if (st && st != TAKC_NOT_FOUND)
        return st;
    if (CRYPTO_memcmp(hash.s, there ? row.hash.ptr : nobodys, TAKC_SHA256_HEX) != 0 || !there)
        return takc_fail(err, TAKC_DENIED, 0, "the key is not known");
    st = judge(&row, now_s, err);
    return st ? st : fill(&row, a, out, err);
}

/* ---- the authorizer ---- */

struct keys {
    struct takc_authorizer base;
    struct takc_home *home;
};

/* What stands behind "Bearer "; the empty view: another scheme, or none. */
static struct takc_str bearer_of(struct takc_str authorization)
{
    if (authorization.len < 7 || !takc_str_eq_nocase(takc_str_slice(authorization, 0, 7), takc_str("Bearer ")))
        return (struct takc_str){NULL, 0};
    return takc_str_trim(takc_str_slice(authorization, 7, authorization.len));
}

static bool bears(const struct takc_authorizer *a, const struct takc_auth_request *r)
{
    bool twice = false;
    (void)a;
    if (r->header(r->arg, "x-api-key", &twice).len || twice)
        return true;
    return takc_str_starts(bearer_of(r->header(r->arg, "authorization", &twice)), takc_str(KEY_PREFIX));
}

static enum takc_status check(struct takc_authorizer *a, struct takc_call *call, const struct takc_auth_request *r,
                              struct takc_arena *arena, struct takc_identity *out, struct takc_err *err)
{
    bool twice = false, ignored = false;
    struct takc_str own = r->header(r->arg, "x-api-key", &twice), other = r->header(r->arg, "authorization", &ignored);
    const struct takc_clock *clock = takc_clock_or_system(call ? call->clock : NULL);
    if (twice)
        return takc_fail(err, TAKC_DENIED, 0, "the header X-API-Key is there twice");
    if (own.len && other.len && !takc_str_eq(own, bearer_of(other)))
        return takc_fail(err, TAKC_DENIED, 0, "Authorization and X-API-Key say different things");
    return takc_api_key_check(((const struct keys *)(const void *)a)->home, own.len ? own : bearer_of(other), clock->wall_s(clock), arena,
                              out, err);
}

static void free_keys(struct takc_authorizer *a)
{
    takc_free(a);
}

static const struct takc_authorizer_kind kind = {.name = "key", .bears = bears, .check = check, .free = free_keys};

static enum takc_status open_keys(struct takc_authorizer **out, const struct takc_settings *s, struct takc_home *home, struct takc_err *err)
{
    struct keys *k = takc_alloc(sizeof(*k));
    (void)s;
    if (!k)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for an authorizer");
    *k = (struct keys){{&kind}, home};
    *out = &k->base;
    return TAKC_OK;
}

const struct takc_auth_factory takc_auth_key = {"key", open_keys};
