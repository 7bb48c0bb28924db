/* SPDX-License-Identifier: Apache-2.0
 *
 * API keys: their form, what is kept of them, whose they are; the authorizer's way with headers; the registry's words. */
#include "auth/keys.h"
#include "auth/registry.h"
#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

enum { NOW_S = 1793491200 };

static char root[64];
static struct takc_home *home;
static struct takc_arena arena;

static int setup(void **state)
{
    static const struct takc_home_options create = {.create = true};
    (void)state;
    (void)snprintf(root, sizeof(root), "/tmp/takc-keys-XXXXXX");
    takc_arena_init(&arena);
    return !mkdtemp(root) || takc_home_open(&home, root, &create, NULL) ? -1 : 0;
}

static int teardown(void **state)
{
    char command[128];
    (void)state;
    takc_home_close(home);
    takc_arena_clear(&arena);
    (void)snprintf(command, sizeof(command), "rm -rf %s", root);
    return system(command); /* NOLINT(cert-env33-c): a fixed command of the test */
}

static const struct takc_api_key_options plain = {
    .name = {"app", 3}, .tasks = {"fin*,legal", 10}, .may = TAKC_MAY_QUERY | TAKC_MAY_INGEST, .created_s = NOW_S};

static struct takc_str make(const struct takc_api_key_options *o, char key[TAKC_API_KEY_TEXT_LEN + 1])
{
    char id[TAKC_API_KEY_ID_LEN + 1];
    struct takc_err err = {0};
    if (takc_api_key_create(home, o, key, id, &err))
        fail_msg("%s", err.msg);
    assert_true(takc_str_is(takc_api_key_id(takc_str(key)), id));
    return takc_str(key);
}

/* ---- form ---- */

static void test_form(void **state)
{
    char key[TAKC_API_KEY_TEXT_LEN + 1], other[TAKC_API_KEY_TEXT_LEN + 1];
    (void)state;
    struct takc_str k = make(&plain, key);
    assert_int_equal(k.len, TAKC_API_KEY_TEXT_LEN);
    assert_true(takc_api_key_shaped(k));
    (void)make(&plain, other);
    assert_string_not_equal(key, other);
    for (size_t n = 0; n < k.len; n++)
        assert_false(takc_api_key_shaped(takc_str_slice(k, 0, n)));
    for (size_t i = 0; i < k.len; i++) { /* one letter for another, and neighbours swapped */
        char was = key[i];
        key[i] = was == 'x' ? 'y' : 'x';
        assert_false(takc_api_key_shaped(k));
        key[i] = was;
        if (i && key[i] != key[i - 1]) {
            key[i] = key[i - 1];
            key[i - 1] = was;
            assert_false(takc_api_key_shaped(k));
            key[i - 1] = key[i];
            key[i] = was;
        }
    }
    assert_true(takc_api_key_shaped(k));
    assert_false(takc_api_key_shaped((struct takc_str){NULL, 0}));
}

/* Of 80 keys every letter of the alphabet is drawn about as often as any other. */
static void test_drawn_evenly(void **state)
{
    unsigned counts[256] = {0}, n_letters = 0, total = 80 * TAKC_API_KEY_SECRET_LEN;
    char key[TAKC_API_KEY_TEXT_LEN + 1];
    (void)state;
    for (int i = 0; i < 80; i++) {
        (void)make(&plain, key);
        for (int j = 18; j < 18 + TAKC_API_KEY_SECRET_LEN; j++)
            counts[(unsigned char)key[j]]++;
    }
    for (int c = 0; c < 256; c++)
        if (counts[c]) {
            n_letters++;
            assert_in_range(counts[c], total / 62 / 4, total / 62 * 2); /* five standard deviations */
        }
    assert_int_equal(n_letters, 62);
}

/* ---- whose it is ---- */

static enum takc_status ask(struct takc_str key, int64_t now_s, struct takc_identity *out, struct takc_err *err)
{
    return takc_api_key_check(home, key, now_s, &arena, out, err);
}

static void test_whose(void **state)
{
    char key[TAKC_API_KEY_TEXT_LEN + 1], subject[32];
    struct takc_identity who = {.may = 0};
    struct takc_api_key_options o = plain;
    (void)state;
    o.tenant = takc_str("acme");
    o.expires_s = NOW_S + 10;
    struct takc_str k = make(&o, key);
    assert_int_equal(ask(k, NOW_S, &who, NULL), TAKC_OK);
    (void)snprintf(subject, sizeof(subject), "key:%.12s", key + 5);
    assert_true(takc_str_is(who.subject, subject) && takc_str_is(who.tenant, "acme"));
    assert_int_equal(who.may, TAKC_MAY_QUERY | TAKC_MAY_INGEST);
    assert_int_equal(who.expires_s, NOW_S + 10);
    assert_true(takc_may(&who, TAKC_MAY_INGEST) && !takc_may(&who, TAKC_MAY_ADMIN));
    assert_true(takc_may_task(&who, takc_str("finance")) && takc_may_task(&who, takc_str("legal")));
    assert_false(takc_may_task(&who, takc_str("legal2")) || takc_may_task(&who, takc_str("a-fin")));
    o.tasks = (struct takc_str){NULL, 0};
    assert_int_equal(ask(make(&o, key), NOW_S, &who, NULL), TAKC_OK);
    assert_true(takc_may_task(&who, takc_str("anything")));
}

static void test_not_good(void **state)
{
    char key[TAKC_API_KEY_TEXT_LEN + 1], other[TAKC_API_KEY_TEXT_LEN + 1], elsewhere[80];
    static const struct takc_home_options create = {.create = true};
    struct takc_identity who = {.may = 0};
    struct takc_api_key_options o = plain;
    struct takc_err err = {0};
    struct takc_home *second, *first = home;
    (void)state;
    o.expires_s = NOW_S + 10;
    struct takc_str k = make(&o, key);
    assert_int_equal(ask(k, NOW_S + 9, &who, NULL), TAKC_OK);
    assert_int_equal(ask(k, NOW_S + 10, &who, &err), TAKC_DENIED);
    assert_string_equal(err.msg, "the key has expired");
    assert_int_equal(takc_home_api_key_revoke(home, takc_api_key_id(k), NOW_S, NULL), TAKC_OK);
    assert_int_equal(takc_home_api_key_revoke(home, takc_api_key_id(k), NOW_S + 5, NULL), TAKC_OK);
    assert_int_equal(ask(k, NOW_S, &who, &err), TAKC_DENIED);
    assert_string_equal(err.msg, "the key was revoked");
    assert_int_equal(takc_home_api_key_revoke(home, takc_str("nobody"), NOW_S, &err), TAKC_NOT_FOUND);
    (void)snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", root);
    assert_int_equal(takc_home_open(&second, elsewhere, &create, NULL), TAKC_OK);
    home = second;
    (void)make(&plain, other);
    home = first;
    takc_home_close(second);
    assert_int_equal(ask(takc_str(other), NOW_S, &who, &err), TAKC_DENIED);
    assert_string_equal(err.msg, "the key is not known");
    assert_int_equal(ask(takc_str("takc_x"), NOW_S, &who, &err), TAKC_DENIED);
    assert_int_equal(who.may, TAKC_MAY_QUERY | TAKC_MAY_INGEST); /* of the one that was good: refusals write nothing */
}

/* The check of a key's text, made anew: anybody can. */
static void write_check(char key[TAKC_API_KEY_TEXT_LEN + 1])
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    enum { AT = TAKC_API_KEY_TEXT_LEN - TAKC_API_KEY_CHECK_LEN };
    unsigned long crc = crc32(0, (const unsigned char *)key, AT);
    for (int i = 0; i < TAKC_API_KEY_CHECK_LEN; i++, crc /= 62)
        key[AT + i] = letters[crc % 62];
}

/* What somebody makes who knows the public part: a whole key of the same id and another secret; and one of an id that was given a hash of
 * zeros, as the work for unknown ids compares with. */
static void test_forged(void **state)
{
    char key[TAKC_API_KEY_TEXT_LEN + 1], forged[TAKC_API_KEY_TEXT_LEN + 1], hash[65];
    struct takc_api_key row;
    struct takc_identity who;
    struct takc_err err = {0};
    (void)state;
    struct takc_str k = make(&plain, key);
    memcpy(forged, key, sizeof(key));
    write_check(forged);
    assert_string_equal(forged, key);
    for (int i = 18; i < 18 + TAKC_API_KEY_SECRET_LEN; i++) {
        memcpy(forged, key, sizeof(key));
        forged[i] = forged[i] == 'Q' ? 'R' : 'Q';
        write_check(forged);
        assert_true(takc_api_key_shaped(takc_str(forged)));
        assert_int_equal(ask(takc_str(forged), NOW_S, &who, &err), TAKC_DENIED);
        assert_string_equal(err.msg, "the key is not known");
    }
    assert_int_equal(ask(k, NOW_S, &who, NULL), TAKC_OK);
    assert_int_equal(takc_home_api_key(home, takc_api_key_id(k), &arena, &row, NULL), TAKC_OK);
    assert_true(takc_hex_valid(row.hash) && takc_str_find(row.hash, takc_str_n(key + 18, 8), 0) == SIZE_MAX);
    memset(hash, '0', 64);
    hash[64] = '\0';
    row.id = takc_str("aaaaaaaaaaaa");
    row.hash = takc_str(hash);
    assert_int_equal(takc_home_api_key_add(home, &row, NULL), TAKC_OK);
    assert_int_equal(takc_home_api_key_add(home, &row, &err), TAKC_CONFLICT);
    memcpy(forged + 5, "aaaaaaaaaaaa", 12);
    write_check(forged);
    assert_int_equal(ask(takc_str(forged), NOW_S, &who, &err), TAKC_DENIED);
}

static void test_refused_options(void **state)
{
    static const struct {
        struct takc_api_key_options o;
        const char *why;
    } rows[] = {
        {{.name = {"", 0}, .may = 1}, "name"},
        {{.name = {"a\nb", 3}, .may = 1}, "name"},
        {{.name = {"a", 1}, .may = 0}, "at least"},
        {{.name = {"a", 1}, .may = 8}, "at least"},
        {{.name = {"a", 1}, .may = 1, .tenant = {"..", 2}}, "tenant"},
        {{.name = {"a", 1}, .may = 1, .tenant = {"a/b", 3}}, "tenant"},
        {{.name = {"a", 1}, .may = 1, .tasks = {"a,", 2}}, "pattern"},
        {{.name = {"a", 1}, .may = 1, .tasks = {"[a]", 3}}, "pattern"},
        {{.name = {"a", 1}, .may = 1, .created_s = 5, .expires_s = 5}, "expired"},
        {{.name = {"a", 1}, .may = 1, .tasks = {"1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3", 65}}, "patterns"}};
    char key[TAKC_API_KEY_TEXT_LEN + 1], id[TAKC_API_KEY_ID_LEN + 1];
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct takc_err err = {0};
        if (takc_api_key_create(home, &rows[i].o, key, id, &err) != TAKC_INVALID)
            fail_msg("row %zu: it was made", i);
        if (!strstr(err.msg, rows[i].why))
            fail_msg("row %zu: %s", i, err.msg);
    }
}

/* ---- rows ---- */

static void test_rows(void **state)
{
    struct takc_api_key *rows;
    char key[TAKC_API_KEY_TEXT_LEN + 1];
    size_t n = 0;
    (void)state;
    struct takc_api_key_options o = plain;
    for (int i = 0; i < 35; i++) {
        o.created_s = NOW_S - i;
        (void)make(&o, key);
    }
    assert_int_equal(takc_home_api_keys(home, &arena, &rows, &n, NULL), TAKC_OK);
    assert_in_range(n, 35, 10000);
    for (size_t i = 1; i < n; i++)
        assert_true(rows[i - 1].created_s <= rows[i].created_s);
    assert_true(takc_str_is(rows[0].name, "app") && takc_str_is(rows[0].tasks, "fin*,legal"));
}

/* Another connection's revocation counts at the next look; a catalogue that was replaced has no keys. */
static void test_other_process(void **state)
{
    char key[TAKC_API_KEY_TEXT_LEN + 1], command[160];
    struct takc_home *other;
    struct takc_identity who;
    (void)state;
    struct takc_str k = make(&plain, key);
    assert_int_equal(ask(k, NOW_S, &who, NULL), TAKC_OK);
    assert_int_equal(takc_home_open(&other, root, NULL, NULL), TAKC_OK);
    assert_int_equal(takc_home_api_key_revoke(other, takc_api_key_id(k), NOW_S, NULL), TAKC_OK);
    assert_int_equal(ask(k, NOW_S, &who, NULL), TAKC_DENIED);
    takc_home_close(other);
    k = make(&plain, key);
    (void)snprintf(command, sizeof(command), "cd %s && rm catalog.sqlite*", root);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a fixed command of the test */
    assert_int_equal(ask(k, NOW_S, &who, NULL), TAKC_DENIED);
}

/* ---- the authorizer ---- */

struct sent {
    const char *authorization, *api_key;
    bool authorization_twice, api_key_twice;
};

static struct takc_str header(const void *arg, const char *name, bool *out_twice)
{
    const struct sent *s = arg;
    bool of_key = strcmp(name, "x-api-key") == 0;
    *out_twice = of_key ? s->api_key_twice : s->authorization_twice;
    return *out_twice ? (struct takc_str){NULL, 0} : takc_str(of_key ? s->api_key : s->authorization);
}

static void test_headers(void **state)
{
    static const struct takc_settings settings = {.serve_auth = {"key", 3}};
    char key[TAKC_API_KEY_TEXT_LEN + 1], other[TAKC_API_KEY_TEXT_LEN + 1], with[120], lower[120], foreign[120];
    struct takc_auth *auth;
    (void)state;
    (void)make(&plain, key);
    (void)make(&plain, other);
    (void)snprintf(with, sizeof(with), "Bearer %s", key);
    (void)snprintf(lower, sizeof(lower), "bearer  %s ", key);
    (void)snprintf(foreign, sizeof(foreign), "Bearer %s", other);
    const struct {
        struct sent sent;
        bool good, bore;
    } rows[] = {{{with, NULL, false, false}, true, true},
                {{lower, NULL, false, false}, true, true},
                {{NULL, key, false, false}, true, true},
                {{with, key, false, false}, true, true},
                {{foreign, key, false, false}, false, true},
                {{"Basic dTpw", key, false, false}, false, true},
                {{with, NULL, true, false}, false, true},
                {{with, NULL, false, true}, false, true},
                {{NULL, "garbage", false, false}, false, true},
                {{"Bearer takc_garbage", NULL, false, false}, false, true},
                {{"Bearer eyJhbGciOiJub25lIn0.e30.", NULL, false, false}, false, false},
                {{"Bearer", NULL, false, false}, false, false},
                {{NULL, NULL, false, false}, false, false}};
    assert_int_equal(takc_auth_open(&auth, &settings, home, NULL), TAKC_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct takc_auth_request r = {.header = header, .arg = &rows[i].sent};
        struct takc_identity who;
        struct takc_err err = {0};
        bool bore = false;
        enum takc_status st = takc_auth_check(auth, NULL, &r, &arena, &who, &bore, &err);
        if (st != (rows[i].good ? TAKC_OK : TAKC_DENIED) || bore != rows[i].bore)
            fail_msg("row %zu: %s, bore %d: %s", i, takc_status_name(st), bore, err.msg);
        if (strstr(err.msg, "takc_"))
            fail_msg("row %zu: the message repeats the key: %s", i, err.msg);
    }
    takc_auth_close(auth);
}

static void test_words(void **state)
{
    static const struct {
        const char *text, *why; /* NULL: good */
        bool some;
    } rows[] = {{"none", NULL, false},       {" none ", NULL, false},     {"key", NULL, true},     {" key ", NULL, true},
                {"", "''", false},           {"key,", "''", false},       {"Key", "'Key'", false}, {"none,key", "none lets", false},
                {"key,key", "twice", false}, {"kye", "mean 'key'", false}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct takc_settings s = {.serve_auth = takc_str(rows[i].text)};
        struct takc_auth *auth = NULL;
        struct takc_err err = {0};
        enum takc_status st = takc_auth_open(&auth, &s, home, &err);
        if (st != (rows[i].why ? TAKC_INVALID : TAKC_OK) || (auth != NULL) != rows[i].some ||
            (rows[i].why && !strstr(err.msg, rows[i].why)))
            fail_msg("'%s': %s: %s", rows[i].text, takc_status_name(st), err.msg);
        assert_true(!st || takc_str_starts(takc_str(err.msg), takc_str("serve.auth: ")));
        takc_auth_close(auth);
    }
}

static void test_scopes(void **state)
{
    unsigned may = 99;
    char text[24];
    (void)state;
    assert_int_equal(takc_may_parse(takc_str("admin, query"), &may, NULL), TAKC_OK);
    assert_int_equal(may, TAKC_MAY_ADMIN | TAKC_MAY_QUERY);
    takc_may_text(TAKC_MAY_ALL, text);
    assert_string_equal(text, "query,ingest,admin");
    takc_may_text(0, text);
    assert_string_equal(text, "");
    assert_int_equal(takc_may_parse(takc_str("query,"), &may, NULL), TAKC_INVALID);
    assert_int_equal(takc_may_parse(takc_str("all"), &may, NULL), TAKC_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_form),          cmocka_unit_test(test_drawn_evenly),
                                       cmocka_unit_test(test_whose),         cmocka_unit_test(test_not_good),
                                       cmocka_unit_test(test_rows),          cmocka_unit_test(test_forged),
                                       cmocka_unit_test(test_other_process), cmocka_unit_test(test_refused_options),
                                       cmocka_unit_test(test_headers),       cmocka_unit_test(test_words),
                                       cmocka_unit_test(test_scopes)};
    return cmocka_run_group_tests_name("auth.keys", tests, setup, teardown);
}
