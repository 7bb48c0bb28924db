/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a token, as claims, as a JWKS. With a fixed set of keys no token passes whose signed part is not one that its owner signed;
 * claims pass only when issuer, audience and times hold. */
#include "auth/jwt.h"
#include "base/alloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW 1800000000

static const char jwks[] =
    "{\"keys\":[{\"n\":\"q9qvoSncvc4AO-pZKbNVC1XqKE-sdIHkvE6ttWi5ZV8UxYgUnMl9dC4ZIjoH7AfEs0TtChTPD-l-1leOfx4ScgTgIKpjqlT"
    "WzYsf6nfBQKpIC-SLl6ARNnJDBIZD3UZLuTONMQ9s7PljpV11D1k-4Yz9q2SzI3akS-TEygk8z7Amk68p5-uh1476fLC_kPDTgdWa35S9z2GJR"
    "YSw05ojuv0om6VAu_R9OSbK1he691bUckEsSesG30315k17slULJMgks1ip-nfFfj1vFYnfTl7GUpkQMk4lRKXatuAVXLaNpYgNBaWugLZGClQ"
    "R9Ecn19ifg6AhiktW8Z6rpviX3Q\",\"e\":\"AQAB\",\"kid\":\"r1\",\"use\":\"sig\",\"alg\":\"RS256\",\"kty\":\"RSA\"},{\"crv\":\"P-256\","
    "\"x\":\""
    "w6YRGKQJ9nkWb1FiDD3e9JqZ7VxXpU-ELfpWaEcw2Ls\",\"y\":\"-mZXy1lBamNPp2-tuk817FRl00bLrYZQsPst7aYg8gk\",\"kid\":\"e1\",\"use"
    "\":\"sig\",\"kty\":\"EC\"}]}";

/* What was signed with them: the seeds. */
static const char *const signed_inputs[] = {
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiIsImtpZCI6InIxIn0.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYXVkIjoiaHR0cH"
    "M6Ly90YWtjLmV4YW1wbGUiLCJzdWIiOiJhbm4iLCJpYXQiOjE3OTk5OTkwMDAsImV4cCI6MTgwMDAwMDMwMCwic2NvcGUiOiJxdWVyeSB0YWtj"
    "L2luZ2VzdCIsInRlbmFudCI6ImFjbWUiLCJ0YXNrcyI6WyJmaW4tKiJdfQ",
    "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFUzI1NiIsImtpZCI6ImUxIn0.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYXVkIjoiaH"
    "R0cHM6Ly90YWtjLmV4YW1wbGUiLCJzdWIiOiJhbm4iLCJpYXQiOjE3OTk5OTkwMDAsImV4cCI6MTgwMDAwMDMwMCwic2NvcGUiOiJxdWVyeSB0"
    "YWtjL2luZ2VzdCIsInRlbmFudCI6ImFjbWUiLCJ0YXNrcyI6WyJmaW4tKiJdfQ"};

static const struct takc_keyset *keys(void)
{
    static struct takc_keyset *set;
    if (!set && takc_keyset_parse(&set, takc_str(jwks), NULL))
        TAKC_BUG("the keys cannot be read");
    return set;
}

static bool was_signed(struct takc_str text)
{
    for (size_t i = 0; i < sizeof(signed_inputs) / sizeof(signed_inputs[0]); i++) {
        size_t n = strlen(signed_inputs[i]);
        if (text.len > n && text.ptr[n] == '.' && memcmp(text.ptr, signed_inputs[i], n) == 0)
            return true;
    }
    return false;
}

static void check_claims(const json_t *claims)
{
    const struct takc_jwt_rules rules = {.issuer = takc_str("https://issuer.example"),
                                         .audience = {takc_str("https://takc.example")},
                                         .n_audience = 1,
                                         .tenant_claim = "tenant",
                                         .tasks_claim = "tasks",
                                         .skew_s = 60};
    struct takc_arena a;
    struct takc_identity who;
    takc_arena_init(&a);
    enum takc_status st = takc_jwt_identity(&rules, claims, NOW, &a, &who, NULL);
    if (st && st != TAKC_DENIED)
        TAKC_BUG("%s", takc_status_name(st));
    if (!st) {
        if (!takc_str_is(takc_json_get_str(claims, "iss"), "https://issuer.example") || who.expires_s + 60 < NOW || !who.n_tasks ||
            !takc_grant_is_tenant(who.tenant) || (who.may & ~(unsigned)TAKC_MAY_ALL))
            TAKC_BUG("claims passed that do not hold");
        for (size_t i = 0; i < who.subject.len; i++)
            if (who.subject.ptr[i] <= ' ' || (unsigned char)who.subject.ptr[i] >= 0x7F)
                TAKC_BUG("a subject that cannot be logged");
    }
    takc_arena_clear(&a);
}

static void check_token(struct takc_str text)
{
    struct takc_jwt t;
    enum takc_status st = takc_jwt_read(&t, text, NULL);
    if (st && st != TAKC_DENIED)
        TAKC_BUG("%s", takc_status_name(st));
    if (st)
        return;
    if (takc_keyset_verify(keys(), t.kid, t.alg, text, NULL) == TAKC_OK && !was_signed(text))
        TAKC_BUG("a token passed that nobody signed");
    check_claims(t.claims);
    takc_jwt_clear(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct takc_str text = takc_str_n((const char *)data, size);
    struct takc_keyset *set;
    json_t *v;
    check_token(text);
    if (takc_json_parse(text, &v, NULL) == TAKC_OK) {
        check_claims(v);
        json_decref(v);
    }
    if (takc_keyset_parse(&set, text, NULL) == TAKC_OK) {
        (void)takc_keyset_has(set, takc_str("r1"), TAKC_ALG_RS256);
        takc_keyset_unref(set);
    }
    return 0;
}
