/* SPDX-License-Identifier: Apache-2.0
 *
 * Tokens of an issuer in memory: good ones, every way to be bad, keys that change, an issuer that does not answer. Run under TSan too. */
#include "base/fault.h"
#include "base/thread.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "../../tests/fake/tokens.h"

#define ISSUER "https://issuer.example/pool"
#define NOW 1800000000
#define RS "{\"alg\":\"RS256\",\"kid\":\"r1\",\"typ\":\"JWT\"}"
#define ES "{\"alg\":\"ES256\",\"kid\":\"e1\",\"typ\":\"at+jwt\"}"

static EVP_PKEY *rsa, *rsa2, *ec, *ec2, *small;
static char token[1 << 16];

static struct world { /* what the issuer serves */
    struct token_clock clock;
    const char *issuer; /* that it says it is */
    const char *keys_at;
    json_t *keys;
    bool down, slow;
    _Atomic int n_fetches;
    _Atomic bool go;
} world;

static enum takc_status fetch(void *arg, const char *url, struct takc_buf *out, struct takc_err *err)
{
    struct world *w = arg;
    const struct takc_clock *real = takc_clock_system();
    w->n_fetches++;
    while (w->slow && !w->go)
        real->sleep_ns(real, 1000000);
    if (w->down)
        return takc_fail(err, TAKC_TIMEOUT, 0, "no answer");
    if (strcmp(url, ISSUER "/.well-known/openid-configuration") == 0)
        return takc_buf_printf(out, err, "{\"issuer\":\"%s\",\"jwks_uri\":\"%s\"}", w->issuer, w->keys_at);
    assert_string_equal(url, w->keys_at);
    json_t *v = json_pack("{sO}", "keys", w->keys);
    enum takc_status st = takc_json_dump(v, false, out, err);
    json_decref(v);
    return st;
}

static struct takc_auth_jwt_options options;
static struct takc_authorizer *authorizer;
static struct takc_arena arena;
static struct takc_err err;
static struct takc_identity who;

static void start(void)
{
    assert_int_equal(takc_auth_jwt_open(&authorizer, &options, &err), TAKC_OK);
}

static int setup(void **state)
{
    (void)state;
    json_decref(world.keys);
    world = (struct world){.clock = {{token_mono, token_wall, token_sleep}, 1000000, NOW},
                           .issuer = ISSUER,
                           .keys_at = "https://keys.example/jwks",
                           .keys = json_pack("[oo]", jwk_of(rsa, "r1"), jwk_of(ec, "e1"))};
    options = (struct takc_auth_jwt_options){.issuer = takc_str(ISSUER),
                                             .audience = takc_str("https://takc.example, app2"),
                                             .clock = &world.clock.base,
                                             .fetch = fetch,
                                             .fetch_arg = &world};
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
    return 0;
}

static enum takc_status ask(const char *text)
{
    char value[1 << 16];
    struct takc_call call;
    struct token_request q = {.name = "authorization"};
    q.r = (struct takc_auth_request){.header = token_header, .arg = &q};
    (void)snprintf(value, sizeof(value), "Bearer %s", text);
    q.value = takc_str(value);
    takc_call_init(&call);
    assert_true(authorizer->kind->bears(authorizer, &q.r));
    return authorizer->kind->check(authorizer, &call, &q.r, &arena, &who, &err);
}

/* Claims that are good, changed by a JSON of others; null takes one away. */
static const char *claims_with(const char *changes)
{
    static char text[1 << 15];
    json_t *v = json_pack("{ss ss ss si si ss}", "iss", ISSUER, "aud", "https://takc.example", "sub", "u-1", "iat", NOW - 10, "exp",
                          NOW + 300, "scope", "openid query");
    json_t *change = json_loads(changes ? changes : "{}", 0, NULL);
    assert_non_null(change);
    json_object_update(v, change);
    const char *name;
    json_t *one;
    void *tmp;
    json_object_foreach_safe(v, tmp, name, one)
    {
        if (json_is_null(one))
            json_object_del(v, name);
    }
    char *s = json_dumps(v, JSON_COMPACT);
    (void)snprintf(text, sizeof(text), "%s", s);
    free(s);
    json_decref(change);
    json_decref(v);
    return text;
}

static enum takc_status ask_with(const char *changes)
{
    sign_token(token, RS, claims_with(changes), rsa);
    return ask(token);
}

static void denied(enum takc_status st, const char *why)
{
    assert_int_equal(st, TAKC_DENIED);
    if (!strstr(err.msg, why))
        fail_msg("'%s' does not say '%s'", err.msg, why);
}

static void good_tokens_are_somebodys(void **state)
{
    (void)state;
    start();
    assert_int_equal(ask_with(NULL), TAKC_OK);
    assert_true(takc_str_is(who.subject, "jwt:u-1"));
    assert_int_equal(who.may, TAKC_MAY_QUERY);
    assert_int_equal(who.tenant.len, 0);
    assert_int_equal(who.n_tasks, 0);
    assert_int_equal(who.expires_s, NOW + 300);
    sign_token(token, ES, claims_with("{\"aud\":[\"other\",\"app2\"]}"), ec);
    assert_int_equal(ask(token), TAKC_OK);
    sign_token(token, "{\"alg\":\"RS256\"}", claims_with(NULL), rsa); /* the only RSA key needs no name */
    assert_int_equal(ask(token), TAKC_OK);
    assert_int_equal(world.n_fetches, 2); /* where, and what; once */
}

static void claims_have_to_hold(void **state)
{
    (void)state;
    static const struct {
        const char *changes, *why;
    } rows[] = {{"{\"exp\":1799999000}", "expired"},
                {"{\"exp\":1799999940}", "expired"}, /* the skew to the second */
                {"{\"exp\":null}", "no exp"},
                {"{\"exp\":\"1900000000\"}", "no exp"},
                {"{\"exp\":1e300}", "no exp"},
                {"{\"exp\":-5}", "no exp"},
                {"{\"nbf\":1800000061}", "nbf"},
                {"{\"nbf\":\"x\"}", "nbf"},
                {"{\"iat\":1800000061}", "iat"},
                {"{\"iat\":true}", "iat"},
                {"{\"iss\":\"https://issuer.example/pool/\"}", "another issuer"},
                {"{\"iss\":null}", "another issuer"},
                {"{\"iss\":[\"" ISSUER "\"]}", "another issuer"},
                {"{\"aud\":\"takc\"}", "audience"},
                {"{\"aud\":null}", "audience"},
                {"{\"aud\":null,\"client_id\":\"app2\"}", "audience"},
                {"{\"aud\":[]}", "audience"},
                {"{\"aud\":{\"app2\":1}}", "audience"},
                {"{\"aud\":[[\"app2\"]]}", "audience"},
                {"{\"sub\":null}", "whose"},
                {"{\"sub\":7}", "whose"},
                {"{\"sub\":\"\"}", "whose"}};
    start();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        denied(ask_with(rows[i].changes), rows[i].why);
    assert_int_equal(ask_with("{\"exp\":1799999941,\"iat\":1799999000,\"nbf\":1800000060}"), TAKC_OK);
    assert_int_equal(ask_with("{\"sub\":null,\"client_id\":\"robot\"}"), TAKC_OK);
    assert_true(takc_str_is(who.subject, "jwt:robot"));
}

static void headers_that_ask_for_more_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *head, *why;
    } rows[] = {{"{\"alg\":\"none\"}", "algorithm"},
                {"{\"alg\":\"None\",\"kid\":\"r1\"}", "algorithm"},
                {"{\"alg\":\"HS256\",\"kid\":\"r1\"}", "algorithm"},
                {"{\"alg\":\"RS512\",\"kid\":\"r1\"}", "algorithm"},
                {"{\"alg\":\"PS256\",\"kid\":\"r1\"}", "algorithm"},
                {"{\"alg\":[\"RS256\"],\"kid\":\"r1\"}", "algorithm"},
                {"{\"kid\":\"r1\"}", "algorithm"},
                {"{\"alg\":\"RS256\",\"alg\":\"none\",\"kid\":\"r1\"}", "no JSON object"},
                {"{\"alg\":\"RS256\",\"kid\":\"r1\",\"crit\":[\"b64\"]}", "crit"},
                {"{\"alg\":\"RS256\",\"kid\":\"r1\",\"b64\":false}", "b64"},
                {"{\"alg\":\"RS256\",\"kid\":\"r1\",\"jwk\":{}}", "jwk"},
                {"{\"alg\":\"RS256\",\"kid\":\"r1\",\"jku\":\"https://evil.example\"}", "jku"},
                {"{\"alg\":\"RS256\",\"kid\":\"r1\",\"x5u\":\"https://evil.example\"}", "x5u"},
                {"{\"alg\":\"RS256\",\"kid\":\"r1\",\"x5c\":[]}", "x5c"},
                {"{\"alg\":\"RS256\",\"kid\":\"r1\",\"cty\":\"JWT\"}", "cty"},
                {"{\"alg\":\"RS256\",\"kid\":\"r1\",\"typ\":\"dpop+jwt\"}", "typ"},
                {"{\"alg\":\"RS256\",\"kid\":\"r1\",\"typ\":1}", "typ"},
                {"{\"alg\":\"RS256\",\"kid\":7}", "kid"},
                {"{\"alg\":\"ES256\",\"kid\":\"r1\"}", "signature"}, /* the length of RSA's */
                {"[\"RS256\"]", "no JSON object"},
                {"{\"alg\":\"RS256\"", "no JSON object"}};
    start();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        sign_token(token, rows[i].head, claims_with(NULL), rsa);
        denied(ask(token), rows[i].why);
    }
    sign_token(token, "{\"alg\":\"RS256\",\"kid\":\"r1\",\"typ\":\"application/at+JWT\"}", claims_with(NULL), rsa);
    assert_int_equal(ask(token), TAKC_OK);
}

/* An attacker who has the public keys, and signs with them or with keys of another kind. */
static void algorithms_are_not_confused(void **state)
{
    (void)state;
    unsigned char *der = NULL;
    int n = i2d_PUBKEY(rsa, &der);
    start();
    hmac_token(token, "{\"alg\":\"HS256\",\"kid\":\"r1\"}", claims_with(NULL), der, (size_t)n);
    denied(ask(token), "algorithm");
    hmac_token(token, RS, claims_with(NULL), der, (size_t)n);
    denied(ask(token), "signature");
    OPENSSL_free(der);
    sign_token(token, "{\"alg\":\"ES256\",\"kid\":\"r1\"}", claims_with(NULL), ec); /* EC's signature for RSA's kid */
    denied(ask(token), "key");
    sign_token(token, "{\"alg\":\"RS256\",\"kid\":\"e1\"}", claims_with(NULL), rsa);
    denied(ask(token), "key");
    sign_token(token, RS, claims_with(NULL), rsa2);
    denied(ask(token), "signature");
    sign_token(token, ES, claims_with(NULL), ec2);
    denied(ask(token), "signature");
}

static void changed_bytes_are_refused(void **state)
{
    (void)state;
    start();
    sign_token(token, ES, claims_with(NULL), ec);
    size_t len = strlen(token), refused = 0;
    world.clock.mono_ms += 1; /* no fetch for odd kids from here on */
    assert_int_equal(ask(token), TAKC_OK);
    for (size_t i = 0; i < len; i += 3) {
        char was = token[i];
        token[i] = was == 'A' ? 'B' : was == '.' ? 'x' : 'A';
        if (was != '.')
            refused += ask(token) == TAKC_DENIED;
        else
            refused += !takc_jwt_looks(takc_str(token));
        token[i] = was;
    }
    assert_int_equal(refused, (len + 2) / 3);
    assert_int_equal(ask(token), TAKC_OK);
    token[len - 1]++; /* another spelling of the same bytes, or other bytes: neither passes */
    denied(ask(token), "signature");
}

static void odd_texts_are_refused(void **state)
{
    (void)state;
    static char big[TAKC_JWT_MAX_BYTES * 2];
    start();
    denied(ask(".."), "no JSON object");
    denied(ask("e30.e30."), "algorithm");
    sign_token(token, RS, claims_with(NULL), rsa);
    *strrchr(token, '.') = '\0';
    (void)strcat(token, ".");
    denied(ask(token), "signature");
    memset(big, 'A', TAKC_JWT_MAX_BYTES + 1);
    big[5] = big[9] = '.';
    denied(ask(big), "longer");
    sign_token(token, RS, "{\"iss\":\"" ISSUER "\",\"exp\":1,\"exp\":1900000000}", rsa);
    denied(ask(token), "payload");
    assert_false(takc_jwt_looks(takc_str("a.b")));
    assert_false(takc_jwt_looks(takc_str("a.b.c.d")));
    assert_false(takc_jwt_looks(takc_str("a.b.c=")));
    assert_false(takc_jwt_looks(takc_str("takc_abc")));
}

static void scopes_say_what_may_be_done(void **state)
{
    (void)state;
    static const struct {
        const char *changes;
        unsigned may;
    } rows[] = {{"{\"scope\":\"query ingest admin\"}", TAKC_MAY_ALL},
                {"{\"scope\":\"takc/query takc/ingest\"}", TAKC_MAY_QUERY | TAKC_MAY_INGEST},
                {"{\"scope\":\"https://takc.example/admin\"}", TAKC_MAY_ADMIN},
                {"{\"scope\":\"app2/query\"}", TAKC_MAY_QUERY},
                {"{\"scope\":\"other/admin https://evil.example/query\"}", 0}, /* another service's admin is not ours */
                {"{\"scope\":\"querys  QUERY quer\"}", 0},
                {"{\"scope\":null,\"scp\":[\"query\",\"admin\"]}", TAKC_MAY_QUERY | TAKC_MAY_ADMIN},
                {"{\"scope\":\"\",\"scp\":[\"admin\"]}", 0},
                {"{\"scope\":null}", 0},
                {"{\"scope\":{\"admin\":true}}", 0},
                {"{\"scope\":null,\"cognito:groups\":[\"admin\"]}", 0}};
    start();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(ask_with(rows[i].changes), TAKC_OK);
        if (who.may != rows[i].may)
            fail_msg("%s: may %u", rows[i].changes, who.may);
    }
}

static void claims_say_tenant_and_tasks(void **state)
{
    (void)state;
    options.tenant_claim = takc_str("custom:tenant");
    options.tasks_claim = takc_str("tasks");
    options.scope_claim = takc_str("cognito:groups");
    start();
    assert_int_equal(
        ask_with("{\"custom:tenant\":\"acme\",\"tasks\":[\"fin-*\",\"law\"],\"cognito:groups\":[\"ingest\"],\"sub\":\"\\u00fc x\"}"),
        TAKC_OK);
    assert_true(takc_str_is(who.tenant, "acme"));
    assert_int_equal(who.n_tasks, 2);
    assert_true(takc_may_task(&who, takc_str("fin-eu")));
    assert_false(takc_may_task(&who, takc_str("hr")));
    assert_int_equal(who.may, TAKC_MAY_INGEST);
    assert_true(takc_str_starts(who.subject, takc_str("jwt:___x.")));
    assert_int_equal(ask_with("{\"custom:tenant\":\"acme\",\"tasks\":\"a b\"}"), TAKC_OK);
    assert_int_equal(who.n_tasks, 2);
    denied(ask_with("{\"tasks\":\"a\"}"), "tenant");
    denied(ask_with("{\"tasks\":\"a\",\"custom:tenant\":\"../acme\"}"), "tenant");
    denied(ask_with("{\"tasks\":\"a\",\"custom:tenant\":[\"acme\"]}"), "tenant");
    denied(ask_with("{\"custom:tenant\":\"acme\"}"), "tasks");
    denied(ask_with("{\"custom:tenant\":\"acme\",\"tasks\":[]}"), "tasks");
    denied(ask_with("{\"custom:tenant\":\"acme\",\"tasks\":[\"a\",7]}"), "tasks");
    denied(ask_with("{\"custom:tenant\":\"acme\",\"tasks\":\"a/../b\"}"), "tasks");
}

static void cognito_names_the_client(void **state)
{
    (void)state;
    options.token_use = takc_str("access");
    start();
    const char *access = "{\"aud\":null,\"client_id\":\"app2\",\"token_use\":\"access\"}";
    sign_token(token, "{\"kid\":\"r1\",\"alg\":\"RS256\"}", claims_with(access), rsa);
    assert_int_equal(ask(token), TAKC_OK);
    denied(ask_with("{\"aud\":null,\"client_id\":\"app3\",\"token_use\":\"access\"}"), "audience");
    denied(ask_with("{\"aud\":\"other\",\"client_id\":\"app2\",\"token_use\":\"access\"}"), "audience");
    denied(ask_with("{\"aud\":\"app2\",\"token_use\":\"id\"}"), "token_use");
    denied(ask_with("{\"aud\":\"app2\"}"), "token_use");
}

/* --- keys --- */

static void rotated_keys_are_found(void **state)
{
    (void)state;
    start();
    assert_int_equal(ask_with(NULL), TAKC_OK);
    json_array_clear(world.keys);
    json_array_append_new(world.keys, jwk_of(rsa2, "r2"));
    world.clock.mono_ms += TAKC_JWKS_AGAIN_MS;
    sign_token(token, "{\"alg\":\"RS256\",\"kid\":\"r2\"}", claims_with(NULL), rsa2);
    assert_int_equal(ask(token), TAKC_OK);
    denied(ask_with(NULL), "key"); /* the old one was taken back */
    json_array_clear(world.keys);
    world.clock.mono_ms += TAKC_JWKS_FRESH_MS; /* taken back, and nobody asks for an unknown kid */
    denied(ask(token), "key");
}

static void invented_kids_make_no_flood(void **state)
{
    (void)state;
    start();
    assert_int_equal(ask_with(NULL), TAKC_OK);
    int before = world.n_fetches;
    for (int i = 0; i < 500; i++) {
        char head[64];
        (void)snprintf(head, sizeof(head), "{\"alg\":\"RS256\",\"kid\":\"x%d\"}", i);
        world.clock.mono_ms += TAKC_JWKS_AGAIN_MS / 100; /* 500 tokens in five intervals */
        sign_token(token, head, claims_with(NULL), small);
        denied(ask(token), "key");
    }
    assert_in_range(world.n_fetches - before, 2, 2 * 6);
    assert_int_equal(ask_with(NULL), TAKC_OK);
    sign_token(token, RS, claims_with("{\"iss\":\"https://else.example\"}"), rsa);
    world.clock.mono_ms += TAKC_JWKS_AGAIN_MS;
    before = world.n_fetches;
    denied(ask(token), "issuer"); /* not even looked for */
    assert_int_equal(world.n_fetches, before);
}

static void keys_outlive_an_issuer_for_a_while(void **state)
{
    (void)state;
    start();
    world.down = true;
    assert_int_equal(ask_with(NULL), TAKC_UPSTREAM);
    world.down = false;
    assert_int_equal(ask_with(NULL), TAKC_UPSTREAM); /* it was asked a moment ago */
    world.clock.mono_ms += TAKC_JWKS_AGAIN_MS;
    assert_int_equal(ask_with(NULL), TAKC_OK);
    world.down = true;
    world.clock.mono_ms += TAKC_JWKS_FRESH_MS;
    int before = world.n_fetches;
    assert_int_equal(ask_with(NULL), TAKC_OK);
    assert_int_equal(ask_with(NULL), TAKC_OK);
    assert_int_equal(world.n_fetches, before + 1);
    sign_token(token, "{\"alg\":\"RS256\",\"kid\":\"new\"}", claims_with(NULL), rsa2);
    assert_int_equal(ask(token), TAKC_UPSTREAM); /* good or not: nobody can tell */
    world.clock.mono_ms += TAKC_JWKS_STALE_MS - TAKC_JWKS_FRESH_MS - 1;
    assert_int_equal(ask_with(NULL), TAKC_OK);
    world.clock.mono_ms += 1;
    assert_int_equal(ask_with(NULL), TAKC_UPSTREAM);
}

static void an_issuer_is_who_it_says(void **state)
{
    (void)state;
    start();
    world.issuer = "https://evil.example";
    assert_int_equal(ask_with(NULL), TAKC_UPSTREAM);
    assert_non_null(strstr(err.msg, "another issuer"));
    world.issuer = ISSUER;
    world.keys_at = "http://keys.example/jwks";
    world.clock.mono_ms += TAKC_JWKS_AGAIN_MS;
    assert_int_equal(ask_with(NULL), TAKC_UPSTREAM);
    assert_non_null(strstr(err.msg, "https"));
}

/* Keys that must not be used are not in the set. */
static void unfit_keys_are_left_out(void **state)
{
    (void)state;
    static const char *const changes[] = {"{\"use\":\"enc\"}",
                                          "{\"alg\":\"RS512\"}",
                                          "{\"alg\":\"HS256\"}",
                                          "{\"kty\":\"oct\",\"k\":\"AAAA\"}",
                                          "{\"key_ops\":[\"encrypt\"]}",
                                          "{\"e\":\"AQ\"}",
                                          "{\"e\":\"AQAC\"}",
                                          "{\"n\":\"AQAB\"}",
                                          "{\"n\":7}",
                                          "{\"kid\":[]}"};
    for (size_t i = 0; i <= sizeof(changes) / sizeof(changes[0]); i++) {
        struct takc_keyset *set;
        struct takc_buf text;
        bool fits = i == sizeof(changes) / sizeof(changes[0]);
        json_t *key = jwk_of(rsa, "r1"), *change = json_loads(fits ? "{\"key_ops\":[\"verify\"]}" : changes[i], 0, NULL);
        json_object_update(key, change);
        json_t *v = json_pack("{s[ooo]}", "keys", key, jwk_of(small, "s"),
                              json_loads("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQ\",\"y\":\"AQ\"}", 0, NULL));
        takc_buf_init(&text, 1 << 16);
        assert_int_equal(takc_json_dump(v, false, &text, NULL), TAKC_OK);
        assert_int_equal(takc_keyset_parse(&set, takc_buf_str(&text), &err), TAKC_OK);
        if (takc_keyset_count(set) != (fits ? 1 : 0))
            fail_msg("%s: %zu keys", fits ? "good" : changes[i], takc_keyset_count(set));
        takc_keyset_unref(set);
        takc_buf_clear(&text);
        json_decref(change);
        json_decref(v);
    }
    struct takc_keyset *set;
    assert_int_equal(takc_keyset_parse(&set, takc_str("{}"), &err), TAKC_INVALID);
    assert_int_equal(takc_keyset_parse(&set, takc_str("[]"), &err), TAKC_INVALID);
    assert_int_equal(takc_keyset_parse(&set, takc_str("{\"keys\":["), &err), TAKC_INVALID);
}

/* Without a kid, two keys of one algorithm are one too many. */
static void a_token_without_kid_is_no_guess(void **state)
{
    (void)state;
    json_array_append_new(world.keys, jwk_of(rsa2, "r2"));
    start();
    sign_token(token, "{\"alg\":\"RS256\"}", claims_with(NULL), rsa);
    denied(ask(token), "key");
}

static void *ask_once(void *arg)
{
    struct takc_arena own;
    struct takc_identity me;
    struct takc_err e;
    struct takc_call call;
    struct token_request q = {.name = "authorization", .value = takc_str(arg)};
    q.r = (struct takc_auth_request){.header = token_header, .arg = &q};
    takc_arena_init(&own);
    takc_call_init(&call);
    enum takc_status st = authorizer->kind->check(authorizer, &call, &q.r, &own, &me, &e);
    takc_arena_clear(&own);
    return st ? arg : NULL;
}

static void one_fetches_for_all(void **state)
{
    (void)state;
    pthread_t threads[8];
    char value[4096];
    const struct takc_clock *real = takc_clock_system();
    world.slow = true;
    start();
    sign_token(token, RS, claims_with(NULL), rsa);
    (void)snprintf(value, sizeof(value), "Bearer %.4000s", token);
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_once, value), 0);
    for (int i = 0; i < 10000 && world.n_fetches == 0; i++)
        real->sleep_ns(real, 1000000);
    world.go = true;
    for (int i = 0; i < 8; i++) {
        void *failed;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    assert_int_equal(world.n_fetches, 2);
}

/* Each allocation of opening and checking fails once: told as that, and never a yes of another kind or a no. */
static void no_memory_is_told(void **state)
{
    (void)state;
    uint64_t n = 1, hits = 1;
    sign_token(token, RS, claims_with(NULL), rsa);
    for (; hits; n++) {
        takc_fault_arm(TAKC_FAULT_ALLOC, n, 0);
        enum takc_status st = takc_auth_jwt_open(&authorizer, &options, &err);
        st = st ? st : ask(token);
        hits = takc_fault_count(TAKC_FAULT_ALLOC) >= n;
        takc_fault_arm(TAKC_FAULT_ALLOC, 0, 0);
        if (st && st != TAKC_NOMEM)
            fail_msg("allocation %u: %s: %s", (unsigned)n, takc_status_name(st), err.msg);
        if (!st && (who.may != TAKC_MAY_QUERY || !takc_str_is(who.subject, "jwt:u-1")))
            fail_msg("allocation %u: may %u", (unsigned)n, who.may);
        if (authorizer)
            authorizer->kind->free(authorizer);
        authorizer = NULL;
        takc_arena_clear(&arena);
    }
    assert_true(n > 20);
}

static void odd_settings_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *issuer, *audience, *jwks, *use, *why;
    } rows[] = {{"", "a", "", "", "serve.jwt_issuer"},
                {"issuer.example", "a", "", "", "serve.jwt_issuer"},
                {"http://issuer.example", "a", "", "", "https"},
                {"http://127.0.0.1.issuer.example", "a", "", "", "https"},
                {"http://127.evil", "a", "", "", "https"},
                {"https://issuer.example?x", "a", "", "", "query"},
                {ISSUER, "", "", "", "serve.jwt_audience"},
                {ISSUER, " , ", "", "", "serve.jwt_audience"},
                {ISSUER, "a b c d e f g h i j k l m n o p q", "", "", "serve.jwt_audience"},
                {ISSUER, "a", "http://keys.example/", "", "serve.jwt_jwks"},
                {ISSUER, "a", "", "refresh", "serve.jwt_token_use"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct takc_auth_jwt_options o = {.issuer = takc_str(rows[i].issuer),
                                          .audience = takc_str(rows[i].audience),
                                          .jwks = takc_str(rows[i].jwks),
                                          .token_use = takc_str(rows[i].use)};
        assert_int_equal(takc_auth_jwt_open(&authorizer, &o, &err), TAKC_INVALID);
        if (!strstr(err.msg, rows[i].why))
            fail_msg("%zu: '%s' does not say '%s'", i, err.msg, rows[i].why);
    }
    authorizer = NULL;
}

static void only_bearers_of_three_parts_are_ours(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value;
        bool ours;
    } rows[] = {{"authorization", "Bearer a.b.c", true},     {"authorization", "bearer  a.b.c ", true},
                {"authorization", "Bearer takc_abc", false}, {"authorization", "Basic a.b.c", false},
                {"authorization", "Bearer", false},          {"x-api-key", "a.b.c", false},
                {"authorization", "Bearer a.b.c d", false}};
    start();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct token_request q = {.name = rows[i].name, .value = takc_str(rows[i].value)};
        q.r = (struct takc_auth_request){.header = token_header, .arg = &q};
        assert_int_equal(authorizer->kind->bears(authorizer, &q.r), rows[i].ours);
    }
}

int main(void)
{
#define ROW(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {ROW(good_tokens_are_somebodys),
                                       ROW(claims_have_to_hold),
                                       ROW(headers_that_ask_for_more_are_refused),
                                       ROW(algorithms_are_not_confused),
                                       ROW(changed_bytes_are_refused),
                                       ROW(odd_texts_are_refused),
                                       ROW(scopes_say_what_may_be_done),
                                       ROW(claims_say_tenant_and_tasks),
                                       ROW(cognito_names_the_client),
                                       ROW(rotated_keys_are_found),
                                       ROW(invented_kids_make_no_flood),
                                       ROW(keys_outlive_an_issuer_for_a_while),
                                       ROW(an_issuer_is_who_it_says),
                                       ROW(unfit_keys_are_left_out),
                                       ROW(a_token_without_kid_is_no_guess),
                                       ROW(one_fetches_for_all),
                                       ROW(no_memory_is_told),
                                       ROW(odd_settings_are_named),
                                       ROW(only_bearers_of_three_parts_are_ours)};
    rsa = EVP_RSA_gen(2048);
    rsa2 = EVP_RSA_gen(2048);
    small = EVP_RSA_gen(1024);
    ec = EVP_EC_gen("P-256");
    ec2 = EVP_EC_gen("P-256");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    json_decref(world.keys);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(rsa2);
    EVP_PKEY_free(small);
    EVP_PKEY_free(ec);
    EVP_PKEY_free(ec2);
    return failed;
}
