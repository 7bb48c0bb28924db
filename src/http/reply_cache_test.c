/* SPDX-License-Identifier: Apache-2.0
 *
 * Kept replies: good as long as the manifest is the same file, each home and rate for itself, the oldest out first, shares that outlive
 * the cache; threads that get, put and replace at once. */
#include "http/reply_cache.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char roots[2][64];
static struct takc_home *homes[2];
static uint32_t numbers[2];

/* Another manifest, as a new version would bring. */
static void swap_manifest(int home)
{
    struct takc_arena a;
    struct takc_manifest m;
    takc_arena_init(&a);
    assert_int_equal(takc_home_manifest(homes[home], takc_str("fin"), &a, &m, NULL), TAKC_OK);
    m.next = ++numbers[home];
    assert_int_equal(takc_home_manifest_swap(homes[home], &m, NULL, NULL), TAKC_OK);
    takc_arena_clear(&a);
}

static int setup(void **state)
{
    static const struct takc_home_options create = {.create = true};
    (void)state;
    for (int i = 0; i < 2; i++) {
        (void)snprintf(roots[i], sizeof(roots[i]), "/tmp/takc-kept-XXXXXX");
        if (!mkdtemp(roots[i]) || takc_home_open(&homes[i], roots[i], &create, NULL))
            return -1;
        numbers[i] = 1;
        swap_manifest(i);
    }
    return 0;
}

static int teardown(void **state)
{
    char command[256];
    (void)state;
    for (int i = 0; i < 2; i++)
        takc_home_close(homes[i]);
    (void)snprintf(command, sizeof(command), "rm -rf %s %s", roots[0], roots[1]);
    return system(command); /* NOLINT(cert-env33-c): a fixed command of the test */
}

static struct takc_kept_key key(int home, takc_rate rate)
{
    return (struct takc_kept_key){homes[home], takc_str("fin"), rate};
}

/* Puts n bytes of c; whether they are kept. */
static bool put(struct takc_reply_cache *c, struct takc_kept_key k, char fill, size_t n)
{
    struct takc_buf b;
    struct takc_stamp stamp = takc_stamp_of(&k);
    takc_buf_init(&b, 1 << 24);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(takc_buf_byte(&b, fill, NULL), TAKC_OK);
    const struct takc_kept *kept = takc_reply_cache_put(c, &k, &stamp, "\"1-8x\"", &b);
    assert_int_equal(b.len, kept ? 0 : n);
    takc_kept_release((void *)(uintptr_t)kept);
    takc_buf_clear(&b);
    return kept != NULL;
}

/* The first byte of what is kept; 0: nothing. */
static char get(struct takc_reply_cache *c, struct takc_kept_key k)
{
    const struct takc_kept *kept = takc_reply_cache_get(c, &k);
    char first = kept ? kept->bytes.ptr[0] : 0;
    takc_kept_release((void *)(uintptr_t)kept);
    return first;
}

static struct takc_reply_cache *cache(size_t max)
{
    struct takc_reply_cache *c = NULL;
    assert_int_equal(takc_reply_cache_new(&c, max, NULL), TAKC_OK);
    return c;
}

static void good_as_long_as_the_manifest(void **state)
{
    (void)state;
    struct takc_reply_cache *c = cache(1 << 20);
    assert_int_equal(get(c, key(0, 8000)), 0);
    assert_true(put(c, key(0, 8000), 'a', 100));
    assert_int_equal(get(c, key(0, 8000)), 'a');
    assert_int_equal(get(c, key(0, 16000)), 0); /* another rate */
    assert_int_equal(get(c, key(1, 8000)), 0);  /* another home with a task of that name */
    assert_true(put(c, key(1, 8000), 'b', 100));
    swap_manifest(0);
    assert_int_equal(get(c, key(0, 8000)), 0);
    assert_int_equal(get(c, key(1, 8000)), 'b');
    takc_reply_cache_free(c);
}

/* Made from one manifest, put when there is another: the next look finds that it is no good. */
static void a_late_put_is_not_believed(void **state)
{
    (void)state;
    struct takc_reply_cache *c = cache(1 << 20);
    struct takc_kept_key k = key(0, 8000);
    struct takc_stamp before = takc_stamp_of(&k);
    struct takc_buf b;
    takc_buf_init(&b, 100);
    assert_int_equal(takc_buf_byte(&b, 'o', NULL), TAKC_OK);
    swap_manifest(0);
    const struct takc_kept *kept = takc_reply_cache_put(c, &k, &before, "\"1\"", &b);
    assert_non_null(kept); /* this request's own reply is what it read */
    takc_kept_release((void *)(uintptr_t)kept);
    assert_int_equal(get(c, k), 0);
    takc_reply_cache_free(c);
}

static void the_least_used_goes_first(void **state)
{
    (void)state;
    uint64_t bytes = 0, n = 0;
    struct takc_reply_cache *c = cache(40000);
    for (takc_rate r = 1; r <= 3; r++)
        assert_true(put(c, key(0, r), (char)('a' + r), 10000));
    assert_int_equal(get(c, key(0, 1)), 'b');
    assert_true(put(c, key(0, 4), 'x', 10000));
    assert_int_equal(get(c, key(0, 2)), 0); /* the one that nobody asked for */
    assert_int_equal(get(c, key(0, 1)), 'b');
    assert_int_equal(get(c, key(0, 3)), 'd');
    takc_reply_cache_count(c, &bytes, &n);
    assert_int_equal(n, 3);
    assert_in_range(bytes, 30000, 40000);
    assert_false(put(c, key(0, 5), 'y', 50000)); /* larger than all */
    takc_reply_cache_free(c);
}

static void nothing_is_kept_where_that_is_off(void **state)
{
    (void)state;
    struct takc_reply_cache *c = cache(0);
    assert_false(put(c, key(0, 8000), 'a', 10));
    assert_int_equal(get(c, key(0, 8000)), 0);
    takc_reply_cache_free(c);
    assert_false(put(NULL, key(0, 8000), 'a', 10));
    struct takc_kept_key none = {homes[0], takc_str("no-such-task"), 8000};
    c = cache(1 << 20);
    assert_false(put(c, none, 'a', 10)); /* no manifest, no stamp */
    takc_reply_cache_free(c);
}

static void a_share_outlives_the_cache(void **state)
{
    (void)state;
    struct takc_reply_cache *c = cache(1 << 20);
    struct takc_kept_key k = key(0, 8000);
    assert_true(put(c, k, 'a', 1000));
    const struct takc_kept *kept = takc_reply_cache_get(c, &k);
    assert_non_null(kept);
    takc_reply_cache_free(c);
    assert_int_equal(kept->bytes.len, 1000);
    assert_int_equal(kept->bytes.ptr[999], 'a');
    assert_string_equal(kept->etag, "\"1-8x\"");
    takc_kept_release((void *)(uintptr_t)kept);
}

/* A large reply is a file, too, with the same bytes. */
static void large_ones_are_files(void **state)
{
    (void)state;
    struct takc_reply_cache *c = cache(1 << 20);
    struct takc_kept_key k = key(0, 8000), small = key(0, 16000);
    char byte = 0;
    assert_true(put(c, k, 'L', 100000));
    assert_true(put(c, small, 's', 1000));
    const struct takc_kept *kept = takc_reply_cache_get(c, &k), *other = takc_reply_cache_get(c, &small);
    assert_true(kept->fd >= 0 && other->fd < 0);
    assert_int_equal(kept->bytes.len, 100000);
    assert_int_equal(pread(kept->fd, &byte, 1, 99999), 1);
    assert_int_equal(byte, 'L');
    assert_int_equal(pread(kept->fd, &byte, 1, 100000), 0);
    takc_reply_cache_free(c);
    assert_int_equal(kept->bytes.ptr[99999], 'L');
    takc_kept_release((void *)(uintptr_t)kept);
    takc_kept_release((void *)(uintptr_t)other);
}

static void *work(void *arg)
{
    for (unsigned i = 0; i < 300; i++) {
        struct takc_kept_key k = key(0, 1 + i % 7);
        const struct takc_kept *kept = takc_reply_cache_get(arg, &k);
        if (kept)
            assert_int_equal(kept->bytes.ptr[kept->bytes.len - 1], (char)('a' + i % 7));
        else
            (void)put(arg, k, (char)('a' + i % 7), 2000);
        takc_kept_release((void *)(uintptr_t)kept);
    }
    return NULL;
}

static void threads_share_it(void **state)
{
    (void)state;
    struct takc_reply_cache *c = cache(16000); /* room for four of seven */
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, c), 0);
    for (int i = 0; i < 20; i++)
        swap_manifest(0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    takc_reply_cache_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_as_long_as_the_manifest),
        cmocka_unit_test(a_late_put_is_not_believed),
        cmocka_unit_test(the_least_used_goes_first),
        cmocka_unit_test(nothing_is_kept_where_that_is_off),
        cmocka_unit_test(a_share_outlives_the_cache),
        cmocka_unit_test(large_ones_are_files),
        cmocka_unit_test(threads_share_it),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
