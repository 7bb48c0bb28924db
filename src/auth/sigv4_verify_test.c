/* SPDX-License-Identifier: Apache-2.0
 *
 * Signatures that botocore made (tests/data/sigv4) are known for what they are; those that were changed, or that leave something open, are
 * not. */
#include "auth/sigv4_verify.h"

#include "auth/grant.h"
#include "aws/sigv4.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "net/url.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../tests/fake/tokens.h"
#include "../../tests/oracle/sigv4_request.h"

#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define NOW 1800000000

static struct token_clock clock_ = {{token_mono, token_wall, token_sleep}, 0, NOW};
static struct takc_authorizer *authorizer;
static struct takc_arena arena;
static struct takc_err err;
static struct takc_identity who;
static char folder[64], keys_path[96];

enum { HEADERS = 40 };
struct request {
    struct takc_auth_request r;
    struct takc_http_header headers[HEADERS];
    size_t n;
};

static struct takc_str header_of(const void *arg, const char *name, bool *twice)
{
    const struct request *q = arg;
    struct takc_str v = {"", 0};
    size_t n = 0;
    for (size_t i = 0; i < q->n; i++)
        if (takc_str_eq_nocase(q->headers[i].name, takc_str(name))) {
            v = takc_str_trim(q->headers[i].value);
            n++;
        }
    *twice = n > 1;
    return n == 1 ? v : takc_str("");
}

static void put(struct request *q, const char *name, struct takc_str value)
{
    for (size_t i = 0; i < q->n; i++)
        if (takc_str_is(q->headers[i].name, name)) {
            q->headers[i].value = value;
            return;
        }
    assert_true(q->n < HEADERS);
    q->headers[q->n++] = (struct takc_http_header){takc_str(name), value};
}

static void write_keys(const char *text, mode_t mode)
{
    (void)unlink(keys_path);
    FILE *f = fopen(keys_path, "w");
    assert_non_null(f);
    (void)fputs(text, f);
    (void)fclose(f);
    assert_int_equal(chmod(keys_path, mode), 0);
}

static const char good_keys[] = "keys:\n"
                                "  - access_key_id: AKIDEXAMPLE\n"
                                "    secret: " SECRET "\n"
                                "    tenant: acme\n"
                                "    may: [query, ingest]\n"
                                "    tasks: ['fin-*']\n"
                                "  - access_key_id: AKIDOLD\n"
                                "    secret: " SECRET "\n"
                                "    may: [admin]\n"
                                "    expires: 2027-01-15\n"; /* which NOW is */

static struct takc_auth_sigv4_options options;

static int setup(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/takc-sigv4-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(keys_path, sizeof(keys_path), "%s/keys.yaml", folder);
    write_keys(good_keys, 0600);
    clock_.wall_s = NOW;
    options = (struct takc_auth_sigv4_options){.keys = takc_str(keys_path), .region = takc_str("us-east-1"), .clock = &clock_.base};
    takc_arena_init(&arena);
    authorizer = NULL;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    if (authorizer)
        authorizer->kind->free(authorizer);
    takc_arena_clear(&arena);
    (void)unlink(keys_path);
    (void)rmdir(folder);
    return 0;
}

static void start(void)
{
    if (takc_auth_sigv4_open(&authorizer, &options, &err))
        fail_msg("%s", err.msg);
}

static enum takc_status ask(struct request *q)
{
    q->r.header = header_of;
    q->r.arg = q;
    assert_true(authorizer->kind->bears(authorizer, &q->r));
    return authorizer->kind->check(authorizer, NULL, &q->r, &arena, &who, &err);
}

static void denied(enum takc_status st, const char *why)
{
    assert_int_equal(st, TAKC_DENIED);
    if (!strstr(err.msg, why))
        fail_msg("'%s' does not say '%s'", err.msg, why);
}

/* --- what botocore signs --- */

static void fill_target(struct request *q, const json_t *j, struct takc_str url)
{
    struct takc_url u;
    assert_int_equal(takc_url_parse(&u, url, &err), TAKC_OK);
    q->r.method = takc_json_get_str(j, "method");
    q->r.path = u.path.len ? u.path : takc_str("/");
    q->r.query = u.query;
    struct takc_str host = u.authority, port = takc_str(u.scheme.len == 5 ? ":443" : ":80");
    if (takc_str_ends(host, port))
        host.len -= port.len;
    char *lower = takc_arena_printf(&arena, "%.*s", TAKC_STR_ARG(host));
    for (char *p = lower; p && *p; p++)
        *p = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
    put(q, "host", takc_str(lower));
}

static void fill_headers(struct request *q, const json_t *j, const char *sha256)
{
    size_t i;
    const json_t *pair;
    bool open = json_is_true(json_object_get(j, "unsigned")), s3 = takc_str_is(takc_json_get_str(j, "service"), "s3");
    json_array_foreach(json_object_get(j, "headers"), i, pair)
    {
        struct takc_str name = takc_str(json_string_value(json_array_get(pair, 0)));
        if (takc_str_eq_nocase(name, takc_str("host")))
            put(q, "host", takc_str(json_string_value(json_array_get(pair, 1))));
        else
            q->headers[q->n++] = (struct takc_http_header){name, takc_str(json_string_value(json_array_get(pair, 1)))};
    }
    if (json_object_get(j, "expires"))
        return;
    put(q, "x-amz-date", takc_json_get_str(j, "date"));
    if (json_object_get(j, "token"))
        put(q, "x-amz-security-token", takc_json_get_str(j, "token"));
    if (s3 || open)
        put(q, "x-amz-content-sha256", takc_str(open ? "UNSIGNED-PAYLOAD" : sha256));
}

/* The case as it comes over the wire. */
static void check_case(const char *name, const json_t *j, struct takc_str result)
{
    struct request q = {.n = 0};
    struct takc_hex hash;
    char length[24];
    struct takc_str body = takc_json_get_str(j, "body");
    bool presigned = json_object_get(j, "expires") != NULL;
    assert_int_equal(takc_sha256(body, &hash, &err), TAKC_OK);
    fill_target(&q, j, presigned ? result : takc_json_get_str(j, "url"));
    fill_headers(&q, j, hash.s);
    if (!presigned)
        put(&q, "authorization", result);
    (void)snprintf(length, sizeof(length), "%zu", body.len);
    put(&q, "content-length", takc_str(length));
    clock_.wall_s = sigv4_time(takc_json_get_str(j, "date"));
    options.service = takc_json_get_str(j, "service");
    options.region = takc_json_get_str(j, "region");
    options.unsigned_writes = true;
    start();
    enum takc_status st = ask(&q);
    st = st ? st : takc_identity_body(&who, takc_str(hash.s), &err);
    bool twice = strcmp(name, "get-header-duplicate") == 0, post = presigned && !takc_str_is(q.r.method, "GET");
    if (twice || post)
        assert_int_equal(st, TAKC_DENIED); /* more than we take */
    else if (st)
        fail_msg("%s: %s", name, err.msg);
    if (!st && !(presigned || json_is_true(json_object_get(j, "unsigned")))) /* another body: no */
        assert_int_equal(takc_identity_body(&who, takc_str("00e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8"), &err),
                         TAKC_DENIED);
    authorizer->kind->free(authorizer);
    authorizer = NULL;
}

static void what_botocore_signs_is_known(void **state)
{
    (void)state;
    DIR *d = opendir(TAKC_TEST_DATA "/sigv4");
    size_t n = 0;
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        char path[512];
        struct takc_buf request, result;
        json_t *j;
        if (e->d_name[0] == '.' || strncmp(e->d_name, "s3-presign", 10) == 0) /* s3 signs no body there */
            continue;
        takc_buf_init(&request, 1 << 16);
        takc_buf_init(&result, 1 << 16);
        (void)snprintf(path, sizeof(path), TAKC_TEST_DATA "/sigv4/%s/request.json", e->d_name);
        assert_int_equal(takc_file_read(path, &request, &err), TAKC_OK);
        (void)snprintf(path, sizeof(path), TAKC_TEST_DATA "/sigv4/%s/result.txt", e->d_name);
        assert_int_equal(takc_file_read(path, &result, &err), TAKC_OK);
        assert_int_equal(takc_json_parse(takc_buf_str(&request), &j, &err), TAKC_OK);
        check_case(e->d_name, j, takc_buf_str(&result));
        json_decref(j);
        takc_buf_clear(&request);
        takc_buf_clear(&result);
        n++;
    }
    (void)closedir(d);
    assert_true(n > 60);
}

/* --- one request of ours, changed --- */

static const char *sign_with(struct request *q, const char *access, const char *secret, const char *service, int64_t at_s,
                             const char *payload)
{
    struct takc_sigv4 s;
    const struct takc_aws_keys keys = {takc_str(access), takc_str(secret), {"", 0}};
    struct takc_http_header headers[3] = {{takc_str("content-type"), takc_str("application/json")}};
    size_t n = 1;
    if (payload)
        headers[n++] = (struct takc_http_header){takc_str("x-amz-content-sha256"), takc_str(payload)};
    const struct takc_sigv4_request r = {.method = "POST",
                                         .url = takc_str("http://takc.example/query?a=b&c=%20d"),
                                         .headers = headers,
                                         .n_headers = n,
                                         .service = takc_str(service),
                                         .region = takc_str("us-east-1"),
                                         .at_s = at_s};
    takc_sigv4_init(&s);
    assert_int_equal(takc_sigv4_sign(&r, &keys, &s, &err), TAKC_OK);
    *q = (struct request){.r = {.method = takc_str("POST"), .path = takc_str("/query"), .query = takc_str("a=b&c=%20d")}};
    put(q, "host", takc_str("takc.example"));
    put(q, "content-type", takc_str("application/json"));
    put(q, "x-amz-date", takc_arena_dup(&arena, takc_str(s.date)));
    if (payload)
        put(q, "x-amz-content-sha256", takc_str(payload));
    put(q, "authorization", takc_arena_dup(&arena, takc_buf_str(&s.authorization)));
    takc_sigv4_clear(&s);
    return q->headers[q->n - 1].value.ptr;
}

static const char *hash_of(const char *body)
{
    struct takc_hex h;
    assert_int_equal(takc_sha256(takc_str(body), &h, &err), TAKC_OK);
    return takc_arena_dup(&arena, takc_str(h.s)).ptr;
}

static void signed_requests_are_somebodys(void **state)
{
    (void)state;
    struct request q;
    start();
    (void)sign_with(&q, "AKIDEXAMPLE", SECRET, "execute-api", NOW - 300, hash_of("{}"));
    assert_int_equal(ask(&q), TAKC_OK);
    assert_true(takc_str_is(who.subject, "aws:AKIDEXAMPLE"));
    assert_true(takc_str_is(who.tenant, "acme"));
    assert_int_equal(who.may, TAKC_MAY_QUERY | TAKC_MAY_INGEST);
    assert_true(takc_may_task(&who, takc_str("fin-eu")));
    assert_false(takc_may_task(&who, takc_str("law")));
    assert_false(who.body_proves);
    assert_int_equal(takc_identity_body(&who, takc_str(hash_of("{}")), &err), TAKC_OK);
    denied(takc_identity_body(&who, takc_str(hash_of("{} ")), &err), "body");
    denied(takc_identity_body(&who, takc_str(""), &err), "body");
}

static void bodies_may_prove_signatures(void **state)
{
    (void)state;
    struct request q;
    start();
    (void)sign_with(&q, "AKIDEXAMPLE", SECRET, "execute-api", NOW, NULL); /* signed over the empty body */
    put(&q, "content-length", takc_str("2"));
    assert_int_equal(ask(&q), TAKC_OK);
    assert_true(who.body_proves);
    denied(takc_identity_body(&who, takc_str(hash_of("{}")), &err), "signature");
    assert_int_equal(takc_identity_body(&who, takc_str(hash_of("")), &err), TAKC_OK);
    put(&q, "content-length", takc_str("1048577"));
    denied(ask(&q), "x-amz-content-sha256");
    put(&q, "transfer-encoding", takc_str("chunked"));
    denied(ask(&q), "x-amz-content-sha256");
    (void)sign_with(&q, "AKIDNOBODY", SECRET, "execute-api", NOW, NULL);
    put(&q, "content-length", takc_str("2"));
    denied(ask(&q), "known");
}

static void times_and_scopes_have_to_fit(void **state)
{
    (void)state;
    struct request q;
    start();
    (void)sign_with(&q, "AKIDEXAMPLE", SECRET, "execute-api", NOW - 301, NULL);
    denied(ask(&q), "time");
    (void)sign_with(&q, "AKIDEXAMPLE", SECRET, "execute-api", NOW + 301, NULL);
    denied(ask(&q), "time");
    (void)sign_with(&q, "AKIDEXAMPLE", SECRET, "execute-api", NOW + 300, NULL);
    assert_int_equal(ask(&q), TAKC_OK);
    (void)sign_with(&q, "AKIDEXAMPLE", SECRET, "bedrock", NOW, NULL);
    denied(ask(&q), "region or service");
    (void)sign_with(&q, "AKIDEXAMPLE", SECRET "x", "execute-api", NOW, NULL);
    denied(ask(&q), "not that of a key");
    (void)sign_with(&q, "AKIDNOBODY", SECRET, "execute-api", NOW, NULL);
    denied(ask(&q), "not that of a key");
    (void)sign_with(&q, "AKIDOLD", SECRET, "execute-api", NOW, NULL);
    denied(ask(&q), "expired");
    clock_.wall_s = NOW - 86400;
    (void)sign_with(&q, "AKIDOLD", SECRET, "execute-api", NOW - 86400, NULL);
    assert_int_equal(ask(&q), TAKC_OK);
    assert_int_equal(who.may, TAKC_MAY_ADMIN);
}

static void what_is_signed_cannot_be_changed(void **state)
{
    (void)state;
    struct request q;
    start();
    for (int i = 0; i < 8; i++) {
        (void)sign_with(&q, "AKIDEXAMPLE", SECRET, "execute-api", NOW, hash_of("x"));
        if (i == 0)
            q.r.method = takc_str("PUT");
        else if (i == 1)
            q.r.path = takc_str("/queries");
        else if (i == 2)
            q.r.query = takc_str("a=b&c=%20e");
        else if (i == 3)
            q.r.query = takc_str("");
        else if (i == 4)
            put(&q, "host", takc_str("evil.example"));
        else if (i == 5)
            put(&q, "content-type", takc_str("text/plain"));
        else if (i == 6)
            put(&q, "x-amz-content-sha256", takc_str(hash_of("y")));
        else
            put(&q, "x-amz-date", takc_str("20270115T080001Z"));
        denied(ask(&q), "not that of a key");
    }
    const char *text = sign_with(&q, "AKIDEXAMPLE", SECRET, "execute-api", NOW, hash_of("x"));
    char *bad = takc_arena_printf(&arena, "%s", text);
    for (size_t i = strlen(bad) - 64; bad[i]; i++) {
        char was = bad[i];
        bad[i] = was == '0' ? '1' : '0';
        put(&q, "authorization", takc_str(bad));
        denied(ask(&q), "not that of a key");
        bad[i] = was;
    }
    assert_int_equal(ask(&q), TAKC_OK);
}

static void a_nul_hides_nothing(void **state)
{
    (void)state;
    struct request q;
    start();
    for (int i = 0; i < 3; i++) {
        (void)sign_with(&q, "AKIDEXAMPLE", SECRET, "execute-api", NOW, hash_of("x"));
        assert_int_equal(ask(&q), TAKC_OK);
        if (i == 0)
            q.r.method = takc_str_n("POST\0T", 6);
        else if (i == 1)
            q.r.path = takc_str_n("/query\0/batch", 13);
        else
            q.r.query = takc_str_n("a=b&c=%20d\0&e", 13);
        denied(ask(&q), "method, host or path");
    }
}

static void what_must_be_signed_is_demanded(void **state)
{
    (void)state;
    struct request q;
    start();
    (void)sign_with(&q, "AKIDEXAMPLE", SECRET, "execute-api", NOW, NULL);
    put(&q, "x-amz-content-sha256", takc_str(hash_of("z"))); /* added on the way */
    denied(ask(&q), "signed");
    (void)sign_with(&q, "AKIDEXAMPLE", SECRET, "execute-api", NOW, NULL);
    put(&q, "x-amz-security-token", takc_str("t"));
    denied(ask(&q), "signed");
    (void)sign_with(&q, "AKIDEXAMPLE", SECRET, "execute-api", NOW, NULL);
    q.headers[q.n++] = (struct takc_http_header){takc_str("content-type"), takc_str("text/plain")}; /* a second one */
    denied(ask(&q), "more than once");
    (void)sign_with(&q, "AKIDEXAMPLE", SECRET, "execute-api", NOW, "UNSIGNED-PAYLOAD");
    denied(ask(&q), "UNSIGNED");
    (void)sign_with(&q, "AKIDEXAMPLE", SECRET, "execute-api", NOW, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
    denied(ask(&q), "x-amz-content-sha256");
}

static void odd_forms_are_refused(void **state)
{
    (void)state;
#define CREDENTIAL "Credential=AKIDEXAMPLE/20270115/us-east-1/execute-api/aws4_request"
#define SIGNED "SignedHeaders=host;x-amz-date"
#define SIGNATURE "Signature=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    static const char *const rows[] = {"AWS4-HMAC-SHA256",
                                       "AWS4-HMAC-SHA256 ",
                                       "AWS4-HMAC-SHA256 x",
                                       "AWS4-HMAC-SHA2567 " CREDENTIAL ", " SIGNED ", " SIGNATURE,
                                       "AWS4-HMAC-SHA256 " CREDENTIAL ", " SIGNED,
                                       "AWS4-HMAC-SHA256 " CREDENTIAL ", " SIGNATURE,
                                       "AWS4-HMAC-SHA256 " SIGNED ", " SIGNATURE,
                                       "AWS4-HMAC-SHA256 " CREDENTIAL ", " CREDENTIAL ", " SIGNED ", " SIGNATURE,
                                       "AWS4-HMAC-SHA256 " CREDENTIAL ", " SIGNED ", " SIGNATURE "0",
                                       "AWS4-HMAC-SHA256 " CREDENTIAL ", " SIGNED ", Signature=E3B0C44298FC1C149AFBF4C8996FB92427AE41E4",
                                       "AWS4-HMAC-SHA256 " CREDENTIAL ", SignedHeaders=x-amz-date;host, " SIGNATURE,
                                       "AWS4-HMAC-SHA256 " CREDENTIAL ", SignedHeaders=host;host;x-amz-date, " SIGNATURE,
                                       "AWS4-HMAC-SHA256 " CREDENTIAL ", SignedHeaders=Host;x-amz-date, " SIGNATURE,
                                       "AWS4-HMAC-SHA256 " CREDENTIAL ", SignedHeaders=x-amz-date, " SIGNATURE,
                                       "AWS4-HMAC-SHA256 " CREDENTIAL ", SignedHeaders=host, " SIGNATURE,
                                       "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20270114/us-east-1/execute-api/aws4_request, " SIGNED
                                       ", " SIGNATURE,
                                       "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20270115/us-east-1/execute-api, " SIGNED ", " SIGNATURE,
                                       "AWS4-HMAC-SHA256 Credential=/20270115/us-east-1/execute-api/aws4_request, " SIGNED ", " SIGNATURE,
                                       "AWS4-HMAC-SHA256 " CREDENTIAL "/x, " SIGNED ", " SIGNATURE};
    start();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct request q = {.r = {.method = takc_str("GET"), .path = takc_str("/")}};
        put(&q, "host", takc_str("takc.example"));
        put(&q, "x-amz-date", takc_str("20270115T080000Z"));
        put(&q, "authorization", takc_str(rows[i]));
        if (ask(&q) != TAKC_DENIED || strstr(err.msg, "known"))
            fail_msg("%s: %s", rows[i], err.msg);
    }
}

static void presigned_urls_end(void **state)
{
    (void)state;
    struct takc_buf url;
    const struct takc_aws_keys keys = {takc_str("AKIDEXAMPLE"), takc_str(SECRET), {"", 0}};
    const struct takc_sigv4_request r = {.method = "GET",
                                         .url = takc_str("http://takc.example/cache/fin?x=1"),
                                         .service = takc_str("execute-api"),
                                         .region = takc_str("us-east-1"),
                                         .at_s = NOW};
    takc_buf_init(&url, 1 << 16);
    assert_int_equal(takc_sigv4_presign(&r, &keys, 600, &url, &err), TAKC_OK);
    size_t mark = takc_str_find_byte(takc_buf_str(&url), '?', 0);
    struct request q = {
        .r = {.method = takc_str("GET"), .path = takc_str("/cache/fin"), .query = takc_str_slice(takc_buf_str(&url), mark + 1, url.len)}};
    put(&q, "host", takc_str("takc.example"));
    start();
    assert_int_equal(ask(&q), TAKC_OK);
    denied(takc_identity_body(&who, takc_str(hash_of("x")), &err), "body");
    clock_.wall_s = NOW + 600;
    assert_int_equal(ask(&q), TAKC_OK);
    clock_.wall_s = NOW + 601;
    denied(ask(&q), "good for 600 s, and ended 1 s ago");
    clock_.wall_s = NOW;
    q.r.method = takc_str("POST");
    denied(ask(&q), "GET");
    q.r.method = takc_str("GET");
    q.r.query = takc_str(takc_arena_printf(&arena, "%.*s&X-Amz-Expires=604800", TAKC_STR_ARG(q.r.query)));
    denied(ask(&q), "more than once");
    takc_buf_clear(&url);
}

/* Each allocation of opening and checking fails once: told as that, and never a yes of another kind or a no. */
static void no_memory_is_told(void **state)
{
    (void)state;
    uint64_t n = 1, hits = 1;
    struct request q;
    (void)sign_with(&q, "AKIDEXAMPLE", SECRET, "execute-api", NOW, NULL);
    struct takc_str authorization = header_of(&q, "authorization", &(bool){false});
    char copy[600], date[17];
    (void)snprintf(copy, sizeof(copy), "%.*s", TAKC_STR_ARG(authorization));
    (void)snprintf(date, sizeof(date), "%.*s", TAKC_STR_ARG(header_of(&q, "x-amz-date", &(bool){false})));
    put(&q, "authorization", takc_str(copy)); /* the arena is cleared */
    put(&q, "x-amz-date", takc_str(date));
    for (; hits; n++) {
        takc_fault_arm(TAKC_FAULT_ALLOC, n, 0);
        enum takc_status st = takc_auth_sigv4_open(&authorizer, &options, &err);
        st = st ? st : ask(&q);
        hits = takc_fault_count(TAKC_FAULT_ALLOC) >= n;
        takc_fault_arm(TAKC_FAULT_ALLOC, 0, 0);
        if (st && st != TAKC_NOMEM)
            fail_msg("allocation %u: %s: %s", (unsigned)n, takc_status_name(st), err.msg);
        if (!st && (who.may != (TAKC_MAY_QUERY | TAKC_MAY_INGEST) || !takc_str_is(who.subject, "aws:AKIDEXAMPLE")))
            fail_msg("allocation %u: may %u", (unsigned)n, who.may);
        if (authorizer)
            authorizer->kind->free(authorizer);
        authorizer = NULL;
        takc_arena_clear(&arena);
    }
    assert_true(n > 20);
}

/* --- the file --- */

static void odd_files_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } rows[] = {{"", "mapping"},
                {"keys: []\n", "empty"},
                {"keyz: []\n", "keys"},
                {"keys:\n - access_key_id: AKID1\n   may: [query]\n", "needs"},
                {"keys:\n - access_key_id: AKID1\n   secret: " SECRET "\n", "needs"},
                {"keys:\n - access_key_id: AKID1\n   secret: short\n   may: [query]\n", "secret: 16"},
                {"keys:\n - access_key_id: AKID1\n   secret: " SECRET "\n   may: [root]\n", "query, ingest or admin"},
                {"keys:\n - access_key_id: AKID1\n   secret: " SECRET "\n   may: query\n", "list"},
                {"keys:\n - access_key_id: AKID1\n   secret: " SECRET "\n   may: [query]\n   tasks: []\n", "empty"},
                {"keys:\n - access_key_id: AKID1\n   secret: " SECRET "\n   may: [query]\n   tenant: ../x\n", "tenant"},
                {"keys:\n - access_key_id: AKID1\n   secret: " SECRET "\n   may: [query]\n   expires: soon\n", "expires"},
                {"keys:\n - access_key_id: AKID1\n   secret: " SECRET "\n   may: [query]\n   may: [admin]\n", "twice"},
                {"keys:\n - access_key_id: AKID1\n   secret: " SECRET "\n   may: [query]\n   tsks: [a]\n", "no such field"},
                {"keys:\n - access_key_id: AKID/1\n   secret: " SECRET "\n   may: [query]\n", "access_key_id"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        write_keys(rows[i].text, 0600);
        assert_int_equal(takc_auth_sigv4_open(&authorizer, &options, &err), TAKC_INVALID);
        if (!strstr(err.msg, rows[i].why) || !strstr(err.msg, "serve.sigv4_keys") || strstr(err.msg, "short") || strstr(err.msg, SECRET))
            fail_msg("%zu: %s", i, err.msg);
    }
    write_keys(good_keys, 0640);
    assert_int_equal(takc_auth_sigv4_open(&authorizer, &options, &err), TAKC_INVALID);
    assert_non_null(strstr(err.msg, "chmod 600"));
    (void)unlink(keys_path);
    assert_int_equal(takc_auth_sigv4_open(&authorizer, &options, &err), TAKC_NOT_FOUND);
    options.keys = takc_str("");
    assert_int_equal(takc_auth_sigv4_open(&authorizer, &options, &err), TAKC_INVALID);
    options.keys = takc_str(keys_path);
    options.region = takc_str("");
    assert_int_equal(takc_auth_sigv4_open(&authorizer, &options, &err), TAKC_INVALID);
    assert_non_null(strstr(err.msg, "serve.sigv4_region"));
    authorizer = NULL;
}

static void changed_files_are_read_again(void **state)
{
    (void)state;
    struct request q;
    start();
    (void)sign_with(&q, "AKIDEXAMPLE", SECRET, "execute-api", NOW, NULL);
    assert_int_equal(ask(&q), TAKC_OK);
    write_keys("keys: [", 0600); /* half written: what was good stays */
    assert_int_equal(ask(&q), TAKC_OK);
    assert_int_equal(ask(&q), TAKC_OK);
    write_keys("keys:\n - access_key_id: AKIDNEW\n   secret: " SECRET "\n   may: [query]\n", 0600);
    denied(ask(&q), "not that of a key"); /* taken back */
    (void)sign_with(&q, "AKIDNEW", SECRET, "execute-api", NOW, NULL);
    assert_int_equal(ask(&q), TAKC_OK);
    (void)unlink(keys_path);
    assert_int_equal(ask(&q), TAKC_OK);
}

int main(void)
{
#define ROW(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {ROW(what_botocore_signs_is_known),
                                       ROW(signed_requests_are_somebodys),
                                       ROW(bodies_may_prove_signatures),
                                       ROW(times_and_scopes_have_to_fit),
                                       ROW(what_is_signed_cannot_be_changed),
                                       ROW(a_nul_hides_nothing),
                                       ROW(what_must_be_signed_is_demanded),
                                       ROW(odd_forms_are_refused),
                                       ROW(presigned_urls_end),
                                       ROW(no_memory_is_told),
                                       ROW(odd_files_are_named),
                                       ROW(changed_files_are_read_again)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
