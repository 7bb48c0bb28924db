/* SPDX-License-Identifier: Apache-2.0
 *
 * fields.c - identities, and what sources answer with: keys in JSON, times, files, refusals (chain.h). Whatever held a key is wiped. */
#include "aws/chain.h"
#include "base/file.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <time.h>

enum {
    KEYS_MAX = 64 << 10,  /* access, secret and token together; tokens are a few kilobytes */
    FILE_MAX = 64 << 10,  /* a token in a file */
    REPLY_MAX = 256 << 10 /* of a source */
};

void takc_aws_identity_init(struct takc_aws_identity *out)
{
    *out = (struct takc_aws_identity){0};
    takc_buf_init_secret(&out->store, KEYS_MAX);
}

void takc_aws_identity_clear(struct takc_aws_identity *i)
{
    takc_buf_clear(&i->store);
    i->keys = (struct takc_aws_keys){0};
    i->expires_s = 0;
    i->source[0] = '\0';
}

enum takc_status takc_aws_identity_set(struct takc_aws_identity *out, const struct takc_aws_keys *k, int64_t expires_s,
                                       struct takc_err *err)
{
    struct takc_buf store;
    if (!k->access.len || !k->secret.len)
        return takc_fail(err, TAKC_INVALID, 0, "%s is empty", k->access.len ? "the secret key" : "the access key");
    takc_buf_init_secret(&store, KEYS_MAX);
    enum takc_status st = takc_buf_add(&store, k->access, err);
    st = st ? st : takc_buf_add(&store, k->secret, err);
    st = st ? st : takc_buf_add(&store, k->token, err);
    if (st) {
        takc_buf_clear(&store);
        return st;
    }
    takc_buf_clear(&out->store); /* after the copy: k may point into it */
    size_t access = k->access.len, secret = k->secret.len;
    out->store = store;
    out->keys.access = takc_str_slice(takc_buf_str(&out->store), 0, access);
    out->keys.secret = takc_str_slice(takc_buf_str(&out->store), access, access + secret);
    out->keys.token = takc_str_slice(takc_buf_str(&out->store), access + secret, out->store.len);
    out->expires_s = expires_s;
    return TAKC_OK;
}

void takc_aws_json_drop(json_t *j)
{
    const char *key;
    json_t *v;
    size_t i;
    if (json_is_string(j))
        OPENSSL_cleanse((void *)(uintptr_t)json_string_value(j), json_string_length(j));
    json_object_foreach(j, key, v) if (json_is_object(v) || json_is_array(v) || json_is_string(v)) takc_aws_json_drop(json_incref(v));
    json_array_foreach(j, i, v) takc_aws_json_drop(json_incref(v));
    json_decref(j);
}

/* "05" at p as a number; false when that are no digits. */
static bool digits(struct takc_str s, size_t at, size_t n, int *out)
{
    uint64_t v;
    if (at + n > s.len || takc_str_u64(takc_str_slice(s, at, at + n), 9999, &v, NULL))
        return false;
    *out = (int)v;
    return true;
}

/* What stands behind the seconds: an optional fraction, then Z, nothing (read as UTC, as botocore does) or an offset. */
static bool read_zone(struct takc_str s, size_t at, int *offset_s)
{
    int h, m;
    *offset_s = 0;
    if (at < s.len && s.ptr[at] == '.')
        for (at++; at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9'; at++)
            ;
    struct takc_str zone = takc_str_slice(s, at, s.len);
    if (!zone.len || takc_str_is(zone, "Z") || takc_str_is(zone, "UTC"))
        return true;
    bool colon = zone.len == 6 && zone.ptr[3] == ':';
    if ((zone.ptr[0] != '+' && zone.ptr[0] != '-') || (!colon && zone.len != 5) || !digits(zone, 1, 2, &h) ||
        !digits(zone, colon ? 4 : 3, 2, &m) || h > 23 || m > 59)
        return false;
    *offset_s = (zone.ptr[0] == '-' ? -1 : 1) * (h * 3600 + m * 60);
    return true;
}

bool takc_aws_time(struct takc_str s, int64_t *out_s)
{
    int year, month, day, hour, minute, second, offset;
    if (s.len < 19 || s.ptr[4] != '-' || s.ptr[7] != '-' || (s.ptr[10] != 'T' && s.ptr[10] != ' ') || s.ptr[13] != ':' || s.ptr[16] != ':')
        return false;
    if (!digits(s, 0, 4, &year) || !digits(s, 5, 2, &month) || !digits(s, 8, 2, &day) || !digits(s, 11, 2, &hour) ||
        !digits(s, 14, 2, &minute) || !digits(s, 17, 2, &second) || !read_zone(s, 19, &offset))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60)
        return false;
    struct tm t = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = hour, .tm_min = minute, .tm_sec = second};
    *out_s = (int64_t)timegm(&t) - offset;
    return true;
}

static enum takc_status read_expiry(const json_t *j, const struct takc_aws_members *m, int64_t *out_s, struct takc_err *err)
{
    const json_t *v = json_object_get(j, m->expiration);
    *out_s = 0;
    if (!v || json_is_null(v))
        return TAKC_OK;
    if (m->in_milliseconds && json_is_integer(v) && json_integer_value(v) > 0) {
        *out_s = json_integer_value(v) / 1000;
        return TAKC_OK;
    }
    if (!m->in_milliseconds && takc_aws_time(takc_json_get_str(j, m->expiration), out_s) && *out_s > 0)
        return TAKC_OK;
    return takc_fail(err, TAKC_UPSTREAM, 0, "%s in its answer is no time", m->expiration);
}

enum takc_status takc_aws_members_read(const json_t *j, const struct takc_aws_members *m, struct takc_aws_identity *out,
                                       struct takc_err *err)
{
    struct takc_aws_keys k = {takc_json_get_str(j, m->access), takc_json_get_str(j, m->secret), takc_json_get_str(j, m->token)};
    int64_t expires_s;
    const char *missing = !k.access.len ? m->access : !k.secret.len ? m->secret : m->needs_token && !k.token.len ? m->token : NULL;
    if (missing)
        return takc_fail(err, TAKC_UPSTREAM, 0, "%s is missing in its answer", missing);
    enum takc_status st = read_expiry(j, m, &expires_s, err);
    return st ? st : takc_aws_identity_set(out, &k, expires_s, err);
}

enum takc_status takc_aws_file(struct takc_aws_walk *w, const char *path, struct takc_str *out, struct takc_err *err)
{
    struct takc_buf b;
    takc_buf_init_secret(&b, FILE_MAX);
    enum takc_status st = takc_file_read(path, &b, err); /* its messages name the file */
    if (!st) {
        *out = takc_arena_dup(&w->arena, takc_str_trim(takc_buf_str(&b)));
        st = out->ptr ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for %s", path);
    }
    takc_buf_clear(&b);
    return st;
}

enum takc_status takc_aws_ask(struct takc_aws_walk *w, struct takc_http_request *r, uint64_t connect_ms, uint64_t total_ms,
                              struct takc_http_reply *out, struct takc_err *err)
{
    r->connect_ms = connect_ms;
    r->first_byte_ms = total_ms;
    r->idle_ms = total_ms;
    r->total_ms = total_ms;
    r->max_reply = REPLY_MAX;
    return takc_http_send(w->a->http, w->call, r, out, err);
}

void takc_aws_reply_drop(struct takc_http_reply *r)
{
    if (r->body.ptr)
        OPENSSL_cleanse(r->body.ptr, r->body.cap);
    takc_http_reply_clear(r);
}

/* The text between <name> and </name>, or of "name":"...", up to its end, a line break, or what a message has room for. */
static struct takc_str find_text(struct takc_str body, const char *open, char end)
{
    size_t at = takc_str_find(body, takc_str(open), 0);
    if (at == SIZE_MAX)
        return takc_str_n("", 0);
    size_t from = at + strlen(open), to = from;
    while (to < body.len && body.ptr[to] != end && (unsigned char)body.ptr[to] >= ' ' && to - from < 200)
        to++;
    return takc_str_slice(body, from, to);
}

enum takc_status takc_aws_refusal(const struct takc_http_reply *r, struct takc_err *err)
{
    struct takc_str body = takc_buf_str(&r->body), code = find_text(body, "<Code>", '<'), text = find_text(body, "<Message>", '<');
    if (!code.len)
        code = takc_http_reply_header(r, "x-amzn-errortype");
    if (!code.len)
        code = find_text(body, "\"__type\":\"", '"');
    if (!text.len)
        text = find_text(body, "\"message\":\"", '"');
    bool busy = r->status == 429 || takc_str_find(code, takc_str("Throttl"), 0) != SIZE_MAX;
    enum takc_status st = busy ? TAKC_LIMITED : r->status >= 500 || r->status < 400 ? TAKC_UPSTREAM : TAKC_DENIED;
    return takc_fail(err, st, r->status, "HTTP %d%s%.*s%s%.*s", r->status, code.len ? " " : "", TAKC_STR_ARG(code), text.len ? ": " : "",
                     TAKC_STR_ARG(text));
}
