/* SPDX-License-Identifier: Apache-2.0
 *
 * Random requests, signed by us and by botocore: the same bytes. TAKC_SEED and TAKC_CASES choose others. */
#include "oracle.h"
#include "sigv4_request.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static uint64_t state;

static uint64_t next(uint64_t below)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % below;
}

/* Up to max pieces out of a list, one behind the other. */
static const char *some(const char *const *pieces, size_t n, size_t max, char *out, size_t size)
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t k = next(max + 1); k > 0; k--)
        len += (size_t)snprintf(out + len, size - len, "%s", pieces[next(n)]);
    return out;
}
#define SOME(pieces, max, out) some(pieces, sizeof(pieces) / sizeof(pieces[0]), max, out, sizeof(out))

static const char *const path_pieces[] = {"/",  "/",   "/",   "a",   "B7",     ".", "..", "/../", "/./",
                                          "//", "%20", "%3A", "%2F", "%C3%BC", "~", "-_", "%25"};
static const char *const raw_pieces[] = {":", "@", "!", "$", "'", "(", ")", "*", ",", ";", "="};
static const char *const query_pieces[] = {"a", "b", "Z", "9", "=", "&", "&",         "%20", "%2f", "%2F",
                                           ":", "/", "-", ".", "_", "~", "%E2%82%AC", "+",   "?",   "@"};
static const char *const value_pieces[] = {"a", "B", " ", "  ", "\t", "\"", ",", ";", "/", "x y", "="};
static const char *const names[] = {"My-Header1", "my-header1", "X-Amz-Meta-A", "x-amz-target", "Content-Type",
                                    "If-Match",   "Zz",         "User-Agent",   "Expect",       "Range"};
static const char *const hosts[] = {"https://example.com",   "https://bedrock-runtime.eu-west-1.amazonaws.com",
                                    "http://127.0.0.1:4566", "https://example.com:443",
                                    "http://localhost:80",   "https://xn--bcher-kva.example:8443"};
static const char *const services[] = {"bedrock", "sts", "s3", "secretsmanager", "s3"};

static json_t *random_request(void)
{
    char path[512], raw[64], query[512], url[1400], value[256], token[300];
    const char *service = services[next(5)];
    bool presign = next(5) == 0, is_s3 = strcmp(service, "s3") == 0;
    (void)SOME(path_pieces, 12, path);
    (void)SOME(raw_pieces, 3, raw);
    (void)SOME(query_pieces, 16, query);
    if (presign) /* botocore drops repeated names there, and escapes others anew */
        (void)snprintf(query, sizeof(query), "p%d=%d", (int)next(9), (int)next(99));
    (void)snprintf(url, sizeof(url), "%s/%s%s%s%s", hosts[next(6)], path, raw, query[0] ? "?" : "", query);
    json_t *headers = json_array();
    for (size_t k = next(6); k > 0; k--)
        json_array_append_new(headers, json_pack("[ss]", names[next(10)], SOME(value_pieces, 8, value)));
    json_t *j = json_pack("{ss ss so ss ss ss ss ss}", "method", next(2) ? "GET" : "POST", "url", url, "headers", headers, "service",
                          service, "region", next(2) ? "us-east-1" : "eu-central-1", "access", "AKIDRANDOM", "secret", "s/+cr=et", "date",
                          next(2) ? "20260102T030405Z" : "19991231T235959Z");
    if (next(2) && !presign)
        json_object_set_new(j, "body", json_string(SOME(value_pieces, 8, value)));
    if (next(3) == 0)
        json_object_set_new(j, "token", json_pack("s+", "T/+=", SOME(raw_pieces, 8, token)));
    if (presign)
        json_object_set_new(j, "expires", json_integer((json_int_t)next(604800) + 1));
    else if (is_s3 && next(3) == 0)
        json_object_set_new(j, "unsigned", json_true());
    return j;
}

static void compare(size_t i, const json_t *j, struct takc_str line)
{
    struct takc_sigv4 s;
    struct takc_buf result, shown;
    struct takc_err err = {0};
    json_t *want;
    takc_sigv4_init(&s);
    takc_buf_init(&result, 1 << 20);
    takc_buf_init(&shown, 1 << 20);
    assert_int_equal(takc_json_dump(j, false, &shown, NULL), TAKC_OK);
    assert_int_equal(takc_json_parse(line, &want, &err), TAKC_OK);
    if (sigv4_sign_json(j, &s, &result, &err))
        fail_msg("case %zu %s: %s", i, shown.ptr, err.msg);
    if (!json_object_get(j, "expires") && !takc_str_eq(takc_buf_str(&s.canonical), takc_json_get_str(want, "canonical")))
        fail_msg("case %zu %s\n--- botocore\n%s\n--- takc\n%s", i, shown.ptr, json_string_value(json_object_get(want, "canonical")),
                 s.canonical.ptr);
    if (!takc_str_eq(takc_buf_str(&result), takc_json_get_str(want, "result")))
        fail_msg("case %zu %s\n--- botocore\n%s\n--- takc\n%s", i, shown.ptr, json_string_value(json_object_get(want, "result")),
                 result.ptr);
    json_decref(want);
    takc_buf_clear(&shown);
    takc_buf_clear(&result);
    takc_sigv4_clear(&s);
}

static void random_requests_sign_alike(void **arg)
{
    (void)arg;
    const char *cases = getenv("TAKC_CASES"), *seed = getenv("TAKC_SEED"), *python = oracle_python("aws");
    size_t n = cases ? strtoul(cases, NULL, 10) : 500;
    state = seed ? strtoull(seed, NULL, 10) : 4;
    struct takc_buf lines, answers;
    json_t *all = json_array();
    takc_buf_init(&lines, 64 << 20);
    takc_buf_init(&answers, 64 << 20);
    for (size_t i = 0; i < n; i++) {
        json_t *j = random_request();
        json_array_append_new(all, j);
        assert_int_equal(takc_json_dump(j, false, &lines, NULL), TAKC_OK);
        assert_int_equal(takc_buf_byte(&lines, '\n', NULL), TAKC_OK);
    }
    assert_int_equal(oracle_ask(python, "sigv4.py", "sign", takc_buf_str(&lines), &answers), 0);
    struct takc_str rest = takc_buf_str(&answers), line;
    size_t i = 0;
    while (takc_str_split(&rest, '\n', &line) && line.len) {
        assert_true(i < n);
        compare(i, json_array_get(all, i), line);
        i++;
    }
    assert_int_equal(i, n);
    print_message("%zu requests signed as botocore signs them\n", n);
    json_decref(all);
    takc_buf_clear(&lines);
    takc_buf_clear(&answers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_requests_sign_alike)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
