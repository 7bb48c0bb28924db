/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes under a key, in a home: kept, replayed, refused, given up, taken over from a server that died. */
#include "http/idempotency.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static char path[64];
static struct takc_home *home;

static int make_home(void **state)
{
    struct takc_err err;
    (void)state;
    (void)snprintf(path, sizeof(path), "/tmp/takc-idempotency-XXXXXX");
    return mkdtemp(path) && !takc_home_open(&home, path, &(struct takc_home_options){.create = true}, &err) ? 0 : -1;
}

static int remove_home(void **state)
{
    char command[96];
    (void)state;
    takc_home_close(home);
    (void)snprintf(command, sizeof(command), "rm -rf %s", path);
    return system(command);
}

/* --- one request --- */

struct request {
    struct takc_exchange x;
    struct takc_claim claim;
    struct takc_header headers[2];
};

static void clear(struct request *r)
{
    takc_claim_clear(&r->claim);
    takc_buf_clear(&r->x.reply);
    takc_arena_clear(&r->x.arena);
}

/* Its head and body come; tells what is found. */
static enum takc_idempotency_found come(struct takc_idempotency *m, struct request *r, const char *subject, const char *key,
                                        const char *target, const char *body)
{
    const char *why;
    enum takc_idempotency_found found = TAKC_IDEMPOTENCY_UNSET;
    *r = (struct request){.headers = {{takc_str("Idempotency-Key"), takc_str(key)}}};
    r->x.headers = r->headers;
    r->x.n_headers = key ? 1 : 0;
    r->x.method = takc_str("PUT");
    r->x.target = takc_str(target);
    takc_arena_init(&r->x.arena);
    takc_buf_init(&r->x.reply, 1 << 20);
    assert_true(takc_idempotency_expect(&r->x, &r->claim, &why));
    assert_int_equal(r->x.digests[TAKC_DIGEST_AGAIN] != NULL, key != NULL);
    for (const char *p = body; key && *p; p++) /* in pieces */
        assert_int_equal(takc_sha256_add(r->x.digests[TAKC_DIGEST_AGAIN], takc_str_n(p, 1), NULL), TAKC_OK);
    assert_int_equal(takc_idempotency_begin(m, &r->x, &r->claim, takc_str(subject), &found, NULL), TAKC_OK);
    return found;
}

static void reply(struct takc_idempotency *m, struct request *r, int status, const char *body)
{
    r->x.status = status;
    r->x.content_type = "text/plain";
    takc_exchange_header(&r->x, "ETag", takc_str("\"7: a\""));
    assert_int_equal(takc_buf_add(&r->x.reply, takc_str(body), NULL), TAKC_OK);
    takc_idempotency_end(m, &r->x, &r->claim);
    clear(r);
}

static void the_same_gets_the_same(void **state)
{
    struct takc_idempotency m, other;
    struct request r, again;
    (void)state;
    takc_idempotency_init(&m, home, 60000);
    takc_idempotency_init(&other, home, 60000);
    assert_int_equal(come(&m, &r, "a", "k", "/x", "body"), TAKC_IDEMPOTENCY_NEW);
    assert_int_equal(come(&m, &again, "a", "k", "/x", "body"), TAKC_IDEMPOTENCY_RUNNING);
    clear(&again);
    assert_int_equal(come(&m, &again, "a", "k", "/x", "other"), TAKC_IDEMPOTENCY_OTHER);
    clear(&again);
    reply(&m, &r, 201, "made\n\nit");
    assert_int_equal(come(&other, &again, "a", "k", "/x", "body"), TAKC_IDEMPOTENCY_KEPT);
    assert_int_equal(again.x.status, 201);
    assert_string_equal(again.x.content_type, "text/plain");
    assert_true(takc_str_is(takc_buf_str(&again.x.reply), "made\n\nit"));
    assert_true(takc_str_is(takc_header_find(again.x.out, again.x.n_out, "ETag"), "\"7: a\""));
    assert_true(takc_str_is(takc_header_find(again.x.out, again.x.n_out, "Idempotency-Replayed"), "true"));
    takc_idempotency_end(&m, &again.x, &again.claim); /* was not claimed: nothing changes */
    clear(&again);
    assert_int_equal(come(&m, &r, "b", "k", "/x", "body"), TAKC_IDEMPOTENCY_NEW); /* another's key is another key */
    reply(&m, &r, 200, "");
    assert_int_equal(come(&m, &r, "a", "k", "/y", "body"), TAKC_IDEMPOTENCY_OTHER);
    clear(&r);
    assert_int_equal(come(&m, &r, "a", NULL, "/x", "body"), TAKC_IDEMPOTENCY_NEW);
    assert_false(r.claim.claimed);
    clear(&r);
}

static void what_does_not_last_runs_again(void **state)
{
    static const int again[] = {500, 502, 503, 504, 408, 409, 429};
    struct takc_idempotency m;
    struct request r;
    char key[16], *large = malloc((64 << 10) + 2);
    (void)state;
    takc_idempotency_init(&m, home, 60000);
    for (size_t i = 0; i < sizeof(again) / sizeof(again[0]); i++) {
        (void)snprintf(key, sizeof(key), "s%d", again[i]);
        assert_int_equal(come(&m, &r, "a", key, "/x", "1"), TAKC_IDEMPOTENCY_NEW);
        reply(&m, &r, again[i], "no");
        assert_int_equal(come(&m, &r, "a", key, "/x", "1"), TAKC_IDEMPOTENCY_NEW);
        reply(&m, &r, 404, "no");
        assert_int_equal(come(&m, &r, "a", key, "/x", "1"), TAKC_IDEMPOTENCY_KEPT);
        clear(&r);
    }
    assert_non_null(large);
    memset(large, 'x', (64 << 10) + 1);
    large[(64 << 10) + 1] = '\0';
    assert_int_equal(come(&m, &r, "a", "large", "/x", "1"), TAKC_IDEMPOTENCY_NEW);
    reply(&m, &r, 200, large);
    assert_int_equal(come(&m, &r, "a", "large", "/x", "1"), TAKC_IDEMPOTENCY_NEW);
    r.x.streams = true;
    reply(&m, &r, 200, "");
    assert_int_equal(come(&m, &r, "a", "large", "/x", "1"), TAKC_IDEMPOTENCY_NEW);
    reply(&m, &r, 200, "");
    free(large);
}

static void who_died_is_taken_over(void **state)
{
    struct takc_idempotency dead, next;
    struct request r;
    (void)state;
    takc_idempotency_init(&dead, home, 60000);
    takc_idempotency_init(&next, home, 60000);
    assert_int_equal(come(&dead, &r, "a", "d", "/x", "1"), TAKC_IDEMPOTENCY_NEW);
    clear(&r);
    assert_int_equal(come(&next, &r, "a", "d", "/x", "1"), TAKC_IDEMPOTENCY_RUNNING); /* it may still be at it */
    clear(&r);
    next.running_s = 0; /* so long ago that it cannot be */
    assert_int_equal(come(&next, &r, "a", "d", "/x", "1"), TAKC_IDEMPOTENCY_NEW);
    reply(&next, &r, 200, "done");
    assert_int_equal(come(&next, &r, "a", "d", "/x", "1"), TAKC_IDEMPOTENCY_KEPT);
    clear(&r);
}

static void keys_are_keys(void **state)
{
    static const char *const bad[] = {"", " ", "a b", "a\x7f", "\xc3\xa9"};
    struct takc_claim c = {.claimed = false};
    char longest[257];
    const char *why = NULL;
    (void)state;
    memset(longest, 'k', sizeof(longest));
    longest[256] = '\0';
    for (size_t i = 0; i <= sizeof(bad) / sizeof(bad[0]); i++) {
        const struct takc_header h = {takc_str("idempotency-KEY"), takc_str(i < sizeof(bad) / sizeof(bad[0]) ? bad[i] : longest)};
        struct takc_exchange x = {.headers = &h, .n_headers = 1};
        assert_false(takc_idempotency_expect(&x, &c, &why));
        assert_non_null(strstr(why, "1 to 255"));
    }
    const struct takc_header two[] = {{takc_str("Idempotency-Key"), takc_str("a")}, {takc_str("Idempotency-Key"), takc_str("a")}};
    struct takc_exchange x = {.headers = two, .n_headers = 2};
    c = (struct takc_claim){.claimed = false};
    assert_false(takc_idempotency_expect(&x, &c, &why));
    takc_claim_clear(&c);
}

/* The oldest go, the table is bounded, and a day later nothing is left. */
static void rows_are_bounded(void **state)
{
    enum takc_idempotency_found found;
    struct takc_buf kept;
    int status = 0;
    char key[32];
    (void)state;
    takc_buf_init(&kept, 1 << 20);
    struct takc_idempotency_begin b = {.request = takc_str("h"), .owner = takc_str("me"), .running_s = 10};
    const struct takc_str who = takc_str("many");
    for (int i = 0; i < 50; i++) {
        (void)snprintf(key, sizeof(key), "%d", i);
        b.key = (struct takc_idempotency_key){who, takc_str(key)};
        b.now_s = 4000000000 + i;
        assert_int_equal(takc_home_idempotency_begin(home, &b, &found, &status, &kept, NULL), TAKC_OK);
        assert_int_equal(found, TAKC_IDEMPOTENCY_NEW);
        assert_int_equal(takc_home_idempotency_end(home, &b.key, 200, takc_str("\n\nr"), b.now_s, NULL), TAKC_OK);
    }
    b.now_s = 4000000000 + TAKC_IDEMPOTENCY_KEPT_S + 25;
    b.key.key = takc_str("24");
    assert_int_equal(takc_home_idempotency_begin(home, &b, &found, &status, &kept, NULL), TAKC_OK);
    assert_int_equal(found, TAKC_IDEMPOTENCY_NEW);
    b.key.key = takc_str("25");
    assert_int_equal(takc_home_idempotency_begin(home, &b, &found, &status, &kept, NULL), TAKC_OK);
    assert_int_equal(found, TAKC_IDEMPOTENCY_KEPT);
    takc_buf_clear(&kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_same_gets_the_same), cmocka_unit_test(what_does_not_last_runs_again),
                                       cmocka_unit_test(who_died_is_taken_over), cmocka_unit_test(keys_are_keys),
                                       cmocka_unit_test(rows_are_bounded)};
    return cmocka_run_group_tests(tests, make_home, remove_home);
}
