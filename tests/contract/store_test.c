/* SPDX-License-Identifier: Apache-2.0
 *
 * What every object store promises, run over each: dir, mem, and "plain", which is mem without its optional slots. What only dir promises
 * (names on disk, several processes) is at the end. */
#include "base/alloc.h"
#include "base/clock.h"
#include "object/dir.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char root[64];

static int make_root(void)
{
    (void)snprintf(root, sizeof(root), "/tmp/takc-store-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void)
{
    char command[128];
    (void)snprintf(command, sizeof(command), "rm -rf %s", root);
    return system(command); /* NOLINT(cert-env33-c): a fixed command of the test */
}

/* --- plain: mem behind a table with the optional slots empty --- */

struct plain {
    struct takc_store base;
    struct takc_store *mem;
};

static struct takc_store *mem_of(struct takc_store *s)
{
    return ((struct plain *)(void *)s)->mem;
}
static enum takc_status plain_put(struct takc_store *s, struct takc_call *c, struct takc_str k, struct takc_source *b, struct takc_err *e)
{
    return mem_of(s)->ops->put(mem_of(s), c, k, b, e);
}
static enum takc_status plain_get(struct takc_store *s, struct takc_call *c, struct takc_str k, struct takc_sink *o, struct takc_err *e)
{
    return mem_of(s)->ops->get(mem_of(s), c, k, o, e);
}
static enum takc_status plain_tag(struct takc_store *s, struct takc_call *c, struct takc_str k, struct takc_hex *o, struct takc_err *e)
{
    return mem_of(s)->ops->tag(mem_of(s), c, k, o, e);
}
static enum takc_status plain_swap(struct takc_store *s, struct takc_call *c, struct takc_str k, struct takc_str t, struct takc_str b,
                                   struct takc_err *e)
{
    return mem_of(s)->ops->swap(mem_of(s), c, k, t, b, e);
}
static enum takc_status plain_del(struct takc_store *s, struct takc_call *c, struct takc_str k, struct takc_err *e)
{
    return mem_of(s)->ops->del(mem_of(s), c, k, e);
}
static enum takc_status plain_list(struct takc_store *s, struct takc_call *c, struct takc_str p, takc_store_each_fn *f, void *a,
                                   struct takc_err *e)
{
    return mem_of(s)->ops->list(mem_of(s), c, p, f, a, e);
}
static void plain_close(struct takc_store *s)
{
    takc_store_close(mem_of(s));
    takc_free(s);
}
static const struct takc_store_ops plain_ops = {.name = "plain",
                                                .put = plain_put,
                                                .get = plain_get,
                                                .tag = plain_tag,
                                                .swap = plain_swap,
                                                .del = plain_del,
                                                .list = plain_list,
                                                .close = plain_close};

static struct takc_store *open_store(const char *kind)
{
    struct takc_store *s = NULL;
    if (strcmp(kind, "dir") == 0) {
        assert_int_equal(takc_store_dir_open(&s, root, NULL), TAKC_OK);
        return s;
    }
    assert_int_equal(takc_store_mem_open(&s, NULL), TAKC_OK);
    if (strcmp(kind, "mem") == 0)
        return s;
    struct plain *p = takc_alloc(sizeof(*p));
    assert_non_null(p);
    p->base.ops = &plain_ops;
    p->mem = s;
    return &p->base;
}

static const char *kind_now;
static int setup(void **state)
{
    if (make_root())
        return -1;
    *state = open_store(kind_now);
    return 0;
}
static int teardown(void **state)
{
    takc_store_close(*state);
    return remove_root();
}

/* --- helpers --- */

static void put(struct takc_store *s, const char *key, const char *text)
{
    struct takc_err err = {0};
    if (takc_store_put_bytes(s, NULL, takc_str(key), takc_str(text), &err))
        fail_msg("%s", err.msg);
}

static void expect(struct takc_store *s, const char *key, const char *text)
{
    struct takc_buf b;
    takc_buf_init(&b, 1 << 26);
    enum takc_status st = takc_store_get_bytes(s, NULL, takc_str(key), &b, NULL);
    if (text) {
        assert_int_equal(st, TAKC_OK);
        assert_string_equal(takc_buf_str(&b).ptr, text);
    } else {
        assert_int_equal(st, TAKC_NOT_FOUND);
        assert_int_equal(b.len, 0);
    }
    takc_buf_clear(&b);
}

static enum takc_status join(void *arg, struct takc_str key, uint64_t size, struct takc_err *err)
{
    return takc_buf_printf(arg, err, "%.*s=%u ", TAKC_STR_ARG(key), (unsigned)size);
}

static void expect_list(struct takc_store *s, const char *prefix, const char *want)
{
    struct takc_buf b;
    takc_buf_init(&b, 1 << 20);
    assert_int_equal(takc_store_list(s, NULL, takc_str(prefix), join, &b, NULL), TAKC_OK);
    assert_string_equal(takc_buf_str(&b).ptr, want);
    takc_buf_clear(&b);
}

/* --- promises --- */

static void what_was_put_is_got(void **state)
{
    struct takc_store *s = *state;
    expect(s, "a/b", NULL);
    put(s, "a/b", "one");
    expect(s, "a/b", "one");
    put(s, "a/b", "two, longer");
    expect(s, "a/b", "two, longer");
    put(s, "a/b", "");
    expect(s, "a/b", "");
    expect(s, "a", NULL); /* a folder is no blob */
    expect(s, "a/b/c", NULL);
}

/* Gives n bytes of a pattern, then fails if it was told so. */
struct pattern {
    struct takc_source source;
    size_t left;
    bool fails;
};
static enum takc_status pattern_read(struct takc_source *src, void *p, size_t n, size_t *got, struct takc_err *err)
{
    struct pattern *t = (struct pattern *)(void *)src;
    if (!t->left && t->fails)
        return takc_fail(err, TAKC_IO, 0, "the source broke");
    *got = n < t->left ? n : t->left;
    for (size_t i = 0; i < *got; i++)
        ((char *)p)[i] = (char)('a' + (t->left - i) % 23);
    t->left -= *got;
    return TAKC_OK;
}

static void large_blobs_stream(void **state)
{
    struct takc_store *s = *state;
    enum { N = 3000001 };
    struct pattern p = {{pattern_read, {NULL, 0}}, N, false};
    struct takc_buf b;
    takc_buf_init(&b, N);
    assert_int_equal(takc_store_put(s, NULL, takc_str("big"), &p.source, NULL), TAKC_OK);
    assert_int_equal(takc_store_get_bytes(s, NULL, takc_str("big"), &b, NULL), TAKC_OK);
    assert_int_equal(b.len, N);
    for (size_t i = 0; i < N; i++)
        if (b.ptr[i] != (char)('a' + (N - i) % 23))
            fail_msg("byte %zu", i);
    takc_buf_clear(&b);
}

static void a_broken_source_changes_nothing(void **state)
{
    struct takc_store *s = *state;
    struct takc_err err = {0};
    struct pattern p = {{pattern_read, {NULL, 0}}, 700000, true};
    put(s, "k", "old");
    assert_int_equal(takc_store_put(s, NULL, takc_str("k"), &p.source, &err), TAKC_IO);
    assert_string_equal(err.msg, "put k: the source broke");
    expect(s, "k", "old");
    expect_list(s, "", "k=3 ");
}

static void ranges_are_cut_at_the_end(void **state)
{
    struct takc_store *s = *state;
    static const struct {
        uint64_t from, n;
        const char *want;
    } rows[] = {{0, 3, "abc"},
                {2, 3, "cde"},
                {8, 100, "ij"},
                {10, 1, ""},
                {11, 5, ""},
                {0, 0, ""},
                {3, UINT64_MAX, "defghij"},
                {UINT64_MAX, 1, ""},
                {UINT64_MAX, UINT64_MAX, ""}};
    put(s, "k", "abcdefghij");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct takc_buf b;
        takc_buf_init(&b, 100);
        struct takc_sink sink = takc_sink_buf(&b);
        assert_int_equal(takc_store_get_range(s, NULL, takc_str("k"), rows[i].from, rows[i].n, &sink, NULL), TAKC_OK);
        assert_string_equal(takc_buf_str(&b).ptr, rows[i].want);
        takc_buf_clear(&b);
    }
    struct takc_buf b;
    takc_buf_init(&b, 100);
    struct takc_sink sink = takc_sink_buf(&b);
    assert_int_equal(takc_store_get_range(s, NULL, takc_str("x"), 0, 1, &sink, NULL), TAKC_NOT_FOUND);
}

static void views_stay_what_they_were(void **state)
{
    struct takc_store *s = *state;
    struct takc_store_view v, none;
    put(s, "k", "as it was");
    put(s, "empty", "");
    assert_int_equal(takc_store_view(s, NULL, takc_str("k"), &v, NULL), TAKC_OK);
    put(s, "k", "changed!!");
    assert_true(takc_str_is(v.bytes, "as it was"));
    assert_int_equal(takc_store_del(s, NULL, takc_str("k"), NULL), TAKC_OK);
    assert_true(takc_str_is(v.bytes, "as it was"));
    takc_store_view_close(&v);
    takc_store_view_close(&v);
    assert_int_equal(takc_store_view(s, NULL, takc_str("empty"), &v, NULL), TAKC_OK);
    assert_int_equal(v.bytes.len, 0);
    takc_store_view_close(&v);
    assert_int_equal(takc_store_view(s, NULL, takc_str("k"), &none, NULL), TAKC_NOT_FOUND);
}

static void bad_keys_are_refused(void **state)
{
    struct takc_store *s = *state;
    char longkey[1026];
    memset(longkey, 'k', sizeof(longkey));
    const struct takc_str bad[] = {takc_str(""),          takc_str("/a"),           takc_str("a/"),    takc_str("a//b"),
                                   takc_str("."),         takc_str("a/../b"),       takc_str("a/./b"), takc_str("bad\xFF"),
                                   takc_str_n("a\0b", 3), takc_str_n(longkey, 1025)};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct takc_buf b;
        takc_buf_init(&b, 10);
        struct takc_hex tag;
        assert_int_equal(takc_store_put_bytes(s, NULL, bad[i], takc_str("x"), NULL), TAKC_INVALID);
        assert_int_equal(takc_store_get_bytes(s, NULL, bad[i], &b, NULL), TAKC_INVALID);
        assert_int_equal(takc_store_tag(s, NULL, bad[i], &tag, NULL), TAKC_INVALID);
        assert_int_equal(takc_store_swap(s, NULL, bad[i], takc_str(""), takc_str("x"), NULL), TAKC_INVALID);
        assert_int_equal(takc_store_del(s, NULL, bad[i], NULL), TAKC_INVALID);
    }
    expect_list(s, "", "");
}

static void odd_keys_are_keys(void **state)
{
    struct takc_store *s = *state;
    char longest[1025], halves[1025];
    memset(longest, 'k', 1024);
    longest[1024] = '\0';
    for (size_t i = 0; i < 1024; i += 2)
        memcpy(halves + i, "\xC3\xA9", 3); /* characters of two bytes: a cut may not split them */
    const char *keys[] = {"100%",      "%41",         "%+",    "a%2Fb",    ".takc-tmp-1-2",       "x/.takc-tmp-9",
                          "home.json", "home.json/x", "locks", "locks2/x", "catalog.sqlite",      "...",
                          " ",         "a b/c\nd",    longest, halves,     "q3/\xE2\x82\xAC.txt", "-rf",
                          ".hidden",   "home.lock",   "con",   "x/locks"};
    enum { N = sizeof(keys) / sizeof(keys[0]) };
    for (size_t i = 0; i < N; i++) {
        if (i == 7)
            continue; /* below home.json, which is a blob */
        put(s, keys[i], keys[i]);
    }
    for (size_t i = 0; i < N; i++) {
        if (i == 7)
            continue;
        char want[1100];
        expect(s, keys[i], keys[i]);
        (void)snprintf(want, sizeof(want), "%s=%zu ", keys[i], strlen(keys[i]));
        struct takc_buf b;
        takc_buf_init(&b, 1 << 20);
        assert_int_equal(takc_store_list(s, NULL, takc_str(keys[i]), join, &b, NULL), TAKC_OK);
        assert_int_equal(strncmp(b.ptr, want, strlen(want)), 0); /* its own key is the first with that prefix */
        takc_buf_clear(&b);
        assert_int_equal(takc_store_del(s, NULL, takc_str(keys[i]), NULL), TAKC_OK);
        expect(s, keys[i], NULL);
    }
    expect_list(s, "", "");
}

static void a_key_is_no_folder(void **state)
{
    struct takc_store *s = *state;
    put(s, "a/b", "1");
    put(s, "a.txt", "2");
    put(s, "a!", "3");
    assert_int_equal(takc_store_put_bytes(s, NULL, takc_str("a/b/c"), takc_str("x"), NULL), TAKC_INVALID);
    assert_int_equal(takc_store_put_bytes(s, NULL, takc_str("a/b/c/d"), takc_str("x"), NULL), TAKC_INVALID);
    assert_int_equal(takc_store_put_bytes(s, NULL, takc_str("a"), takc_str("x"), NULL), TAKC_INVALID);
    assert_int_equal(takc_store_swap(s, NULL, takc_str("a"), takc_str(""), takc_str("x"), NULL), TAKC_INVALID);
    assert_int_equal(takc_store_del(s, NULL, takc_str("a"), NULL), TAKC_NOT_FOUND);
    expect_list(s, "", "a!=1 a.txt=1 a/b=1 ");
    assert_int_equal(takc_store_del(s, NULL, takc_str("a/b"), NULL), TAKC_OK);
    put(s, "a", "now it may");
    expect(s, "a", "now it may");
}

static void lists_are_in_byte_order(void **state)
{
    struct takc_store *s = *state;
    char p240[256], p300[320];
    memset(p240, 'p', 240);
    p240[240] = '\0';
    memset(p300, 'p', 300);
    p300[300] = '\0';
    static const char *const keys[] = {"b", "a/z", "a.x", "a/b/c", "a-1", "a0", "a/B", "\xC3\xA9"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        put(s, keys[i], "x");
    expect_list(s, "", "a-1=1 a.x=1 a/B=1 a/b/c=1 a/z=1 a0=1 b=1 \xC3\xA9=1 ");
    expect_list(s, "a/", "a/B=1 a/b/c=1 a/z=1 ");
    expect_list(s, "a/b", "a/b/c=1 ");
    expect_list(s, "a/b/c", "a/b/c=1 ");
    expect_list(s, "a", "a-1=1 a.x=1 a/B=1 a/b/c=1 a/z=1 a0=1 ");
    expect_list(s, "c", "");
    expect_list(s, "b/", "");
    expect_list(s, "../", "");
    expect_list(s, "/", "");
    /* names that are cut on disk still sort as keys */
    strcat(p240, "q"); /* NOLINT: there is room */
    put(s, p300, "1");
    put(s, p240, "2");
    char want[700];
    (void)snprintf(want, sizeof(want), "%s=1 %s=1 ", p300, p240);
    expect_list(s, "p", want);
    expect_list(s, "ppp", want);
}

static enum takc_status stop_at_two(void *arg, struct takc_str key, uint64_t size, struct takc_err *err)
{
    (void)key;
    (void)size;
    return ++*(int *)arg == 2 ? takc_fail(err, TAKC_REFUSED, 0, "enough") : TAKC_OK;
}

struct eater {
    struct takc_store *store;
    int n;
};
static enum takc_status eat(void *arg, struct takc_str key, uint64_t size, struct takc_err *err)
{
    struct eater *e = arg;
    (void)size;
    e->n++;
    return takc_store_del(e->store, NULL, key, err);
}

static void lists_can_be_stopped_and_eaten(void **state)
{
    struct takc_store *s = *state;
    int n = 0;
    put(s, "a", "1");
    put(s, "b/c", "2");
    put(s, "d", "3");
    assert_int_equal(takc_store_list(s, NULL, takc_str(""), stop_at_two, &n, NULL), TAKC_REFUSED);
    assert_int_equal(n, 2);
    struct eater e = {s, 0};
    assert_int_equal(takc_store_list(s, NULL, takc_str(""), eat, &e, NULL), TAKC_OK);
    assert_int_equal(e.n, 3);
    expect_list(s, "", "");
}

static void swaps_compare(void **state)
{
    struct takc_store *s = *state;
    struct takc_hex one, two, empty;
    struct takc_str k = takc_str("m/x.json");
    assert_int_equal(takc_store_tag(s, NULL, k, &one, NULL), TAKC_NOT_FOUND);
    assert_int_equal(takc_sha256(takc_str("1"), &one, NULL), TAKC_OK);
    assert_int_equal(takc_store_swap(s, NULL, k, takc_str(one.s), takc_str("1"), NULL), TAKC_CONFLICT);
    expect(s, "m/x.json", NULL);
    assert_int_equal(takc_store_swap(s, NULL, k, takc_str(""), takc_str("1"), NULL), TAKC_OK);
    assert_int_equal(takc_store_swap(s, NULL, k, takc_str(""), takc_str("2"), NULL), TAKC_CONFLICT);
    expect(s, "m/x.json", "1");
    assert_int_equal(takc_store_tag(s, NULL, k, &two, NULL), TAKC_OK);
    assert_string_equal(two.s, one.s);
    assert_int_equal(takc_store_swap(s, NULL, k, takc_str(one.s), takc_str(""), NULL), TAKC_OK);
    assert_int_equal(takc_store_tag(s, NULL, k, &empty, NULL), TAKC_OK);
    assert_int_equal(takc_store_swap(s, NULL, k, takc_str(one.s), takc_str("3"), NULL), TAKC_CONFLICT);
    assert_int_equal(takc_store_swap(s, NULL, k, takc_str(empty.s), takc_str("3"), NULL), TAKC_OK); /* an empty blob is there */
    assert_int_equal(takc_store_del(s, NULL, k, NULL), TAKC_OK);
    assert_int_equal(takc_store_swap(s, NULL, k, takc_str(""), takc_str("4"), NULL), TAKC_OK);
    expect(s, "m/x.json", "4");
}

static void calls_can_be_cancelled(void **state)
{
    struct takc_store *s = *state;
    struct takc_call call;
    struct takc_buf b;
    takc_buf_init(&b, 100);
    takc_call_init(&call);
    put(s, "k", "old");
    atomic_store(&call.cancel, true);
    assert_int_equal(takc_store_put_bytes(s, &call, takc_str("k"), takc_str("new"), NULL), TAKC_CANCELLED);
    assert_int_equal(takc_store_get_bytes(s, &call, takc_str("k"), &b, NULL), TAKC_CANCELLED);
    assert_int_equal(takc_store_swap(s, &call, takc_str("m"), takc_str(""), takc_str("new"), NULL), TAKC_CANCELLED);
    assert_int_equal(takc_store_del(s, &call, takc_str("k"), NULL), TAKC_CANCELLED);
    assert_int_equal(takc_store_list(s, &call, takc_str(""), join, &b, NULL), TAKC_CANCELLED);
    atomic_store(&call.cancel, false);
    call.deadline_ns = 1;
    assert_int_equal(takc_store_put_bytes(s, &call, takc_str("k"), takc_str("new"), NULL), TAKC_TIMEOUT);
    expect(s, "k", "old");
    expect_list(s, "", "k=3 ");
}

static void batches_commit(void **state)
{
    struct takc_store *s = *state;
    struct takc_store_batch *b;
    char key[64], text[64];
    bool staged = s->ops->batch_open != NULL;
    put(s, "old", "goes");
    put(s, "x/7", "before");
    assert_int_equal(takc_store_batch_open(s, &b, NULL), TAKC_OK);
    for (int i = 0; i < 40; i++) {
        (void)snprintf(key, sizeof(key), "%s/%d", i % 2 ? "x" : "y/z", i);
        (void)snprintf(text, sizeof(text), "text %d", i);
        assert_int_equal(takc_store_batch_put(b, NULL, takc_str(key), takc_str(text), false, NULL), TAKC_OK);
    }
    assert_int_equal(takc_store_batch_put(b, NULL, takc_str("x/1"), takc_str("the later one"), false, NULL), TAKC_OK);
    assert_int_equal(takc_store_batch_put(b, NULL, takc_str("../x"), takc_str(""), false, NULL), TAKC_INVALID);
    assert_int_equal(takc_store_batch_del(b, NULL, takc_str("old"), NULL), TAKC_OK);
    assert_int_equal(takc_store_batch_del(b, NULL, takc_str("never/was"), NULL), TAKC_OK);
    assert_int_equal(takc_store_batch_del(b, NULL, takc_str("x/7/below"), NULL), TAKC_OK);
    if (staged) {
        expect(s, "old", "goes");
        expect(s, "x/7", "before");
        expect_list(s, "y", "");
    }
    assert_int_equal(takc_store_batch_commit(b, NULL, NULL), TAKC_OK);
    expect(s, "old", NULL);
    expect(s, "x/1", "the later one");
    expect(s, "x/7", "text 7");
    expect(s, "y/z/38", "text 38");
    assert_int_equal(takc_store_batch_commit(b, NULL, NULL), TAKC_OK); /* nothing left: fine */
    assert_int_equal(takc_store_batch_put(b, NULL, takc_str("again"), takc_str("1"), false, NULL), TAKC_OK);
    assert_int_equal(takc_store_batch_commit(b, NULL, NULL), TAKC_OK);
    expect(s, "again", "1");
    assert_int_equal(takc_store_batch_put(b, NULL, takc_str("dropped"), takc_str("1"), false, NULL), TAKC_OK);
    takc_store_batch_close(b);
    if (staged)
        expect(s, "dropped", NULL);
    takc_store_batch_close(NULL);
}

static void derived_ones_are_committed(void **state)
{
    struct takc_store *s = *state;
    struct takc_store_batch *b;
    char key[64];
    put(s, "d/1", "before");
    assert_int_equal(takc_store_batch_open(s, &b, NULL), TAKC_OK);
    for (int i = 0; i < 8; i++) {
        (void)snprintf(key, sizeof(key), "d/%d", i);
        assert_int_equal(takc_store_batch_derive(b, NULL, takc_str(key), takc_str("derived"), NULL), TAKC_OK);
    }
    assert_int_equal(takc_store_batch_derive(b, NULL, takc_str("../x"), takc_str(""), NULL), TAKC_INVALID);
    if (s->ops->batch_derive)
        expect(s, "d/1", "before"); /* what is there stays whole until the commit */
    assert_int_equal(takc_store_batch_commit(b, NULL, NULL), TAKC_OK);
    expect(s, "d/0", "derived");
    expect(s, "d/1", "derived");
    expect(s, "d/7", "derived");
    expect_list(s, "d/", "d/0=7 d/1=7 d/2=7 d/3=7 d/4=7 d/5=7 d/6=7 d/7=7 ");
    assert_int_equal(takc_store_batch_derive(b, NULL, takc_str("e/dropped"), takc_str("1"), NULL), TAKC_OK);
    takc_store_batch_close(b);
    if (s->ops->batch_derive)
        expect_list(s, "e", "");
}

static void known_content_is_not_written_again(void **state)
{
    struct takc_store *s = *state;
    struct takc_store_batch *b;
    put(s, "blobs/1", "same");
    put(s, "blobs/2", "short");
    assert_int_equal(takc_store_batch_open(s, &b, NULL), TAKC_OK);
    assert_int_equal(takc_store_batch_put(b, NULL, takc_str("blobs/1"), takc_str("same"), true, NULL), TAKC_OK);
    assert_int_equal(takc_store_batch_put(b, NULL, takc_str("blobs/2"), takc_str("longer"), true, NULL),
                     TAKC_OK); /* cut off by another: again */
    assert_int_equal(takc_store_batch_put(b, NULL, takc_str("blobs/3"), takc_str("new"), true, NULL), TAKC_OK);
    assert_int_equal(takc_store_batch_commit(b, NULL, NULL), TAKC_OK);
    takc_store_batch_close(b);
    expect(s, "blobs/1", "same");
    expect(s, "blobs/2", "longer");
    expect(s, "blobs/3", "new");
}

/* --- threads --- */

enum { THREADS = 4, ROUNDS = 40 };

struct worker {
    struct takc_store *store;
    int number, wins;
};

/* Each thread puts keys of its own, reads one that all write, and counts up one that all swap. */
static void *work(void *arg)
{
    struct worker *w = arg;
    for (int i = 0; i < ROUNDS; i++) {
        char key[64], text[64];
        struct takc_buf b;
        struct takc_hex tag = {""};
        takc_buf_init(&b, 1000);
        (void)snprintf(key, sizeof(key), "own/%d/%d", w->number, i);
        (void)snprintf(text, sizeof(text), "%d %d", w->number, i);
        if (takc_store_put_bytes(w->store, NULL, takc_str(key), takc_str(text), NULL) ||
            takc_store_put_bytes(w->store, NULL, takc_str("all/same"), takc_str(text), NULL) ||
            takc_store_get_bytes(w->store, NULL, takc_str("all/same"), &b, NULL) || b.len < 3)
            return NULL;
        (void)!takc_store_del(w->store, NULL, takc_str("all/gone"), NULL);
        (void)!takc_store_put_bytes(w->store, NULL, takc_str("all/gone"), takc_str(text), NULL);
        takc_buf_reset(&b);
        if (takc_store_get_bytes(w->store, NULL, takc_str("count"), &b, NULL) == TAKC_OK)
            (void)!takc_sha256(takc_buf_str(&b), &tag, NULL);
        (void)snprintf(text, sizeof(text), "%d", atoi(takc_buf_str(&b).ptr) + 1); /* NOLINT(cert-err34-c) */
        enum takc_status st = takc_store_swap(w->store, NULL, takc_str("count"), takc_str(tag.s), takc_str(text), NULL);
        w->wins += st == TAKC_OK;
        takc_buf_clear(&b);
        if (st && st != TAKC_CONFLICT)
            return NULL;
    }
    return w;
}

static void threads_share_a_store(void **state)
{
    struct takc_store *s = *state;
    pthread_t threads[THREADS];
    struct worker workers[THREADS];
    int wins = 0;
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){s, i, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *ok = NULL;
        assert_int_equal(pthread_join(threads[i], &ok), 0);
        assert_non_null(ok);
        wins += workers[i].wins;
    }
    char text[16];
    (void)snprintf(text, sizeof(text), "%d", wins);
    expect(s, "count", text); /* every swap that won counted once */
    expect(s, "own/3/39", "3 39");
}

/* --- only dir --- */

static void put_in_the_way(const char *name, const char *text)
{
    char file[PATH_MAX];
    (void)snprintf(file, sizeof(file), "%s/%s", root, name);
    assert_int_equal(takc_dir_make_for(file, NULL), TAKC_OK);
    assert_int_equal(takc_file_write(file, takc_str(text), NULL), TAKC_OK);
}

static void foreign_files_are_not_listed(void **state)
{
    struct takc_store *s = *state;
    char link[PATH_MAX];
    put(s, "a/b", "1");
    put_in_the_way("home.json", "{}");
    put_in_the_way("locks/fin", "");
    put_in_the_way("catalog.sqlite-wal", "x");
    put_in_the_way("a/.takc-tmp-1-7", "half");
    put_in_the_way("a/%zz", "no escape");
    put_in_the_way("a/b%41", "never written so");
    put_in_the_way("a/latin\xE9", "no UTF-8");
    (void)snprintf(link, sizeof(link), "%s/a/link", root);
    assert_int_equal(symlink("/etc/passwd", link), 0);
    (void)snprintf(link, sizeof(link), "%s/up", root);
    assert_int_equal(symlink("/etc", link), 0);
    expect_list(s, "", "a/b=1 ");
}

static void empty_folders_go(void **state)
{
    struct takc_store *s = *state;
    char path[PATH_MAX];
    struct stat info;
    put(s, "secret project/plans/a", "1");
    put(s, "secret project/b", "1");
    (void)snprintf(path, sizeof(path), "%s/secret project/plans", root);
    assert_int_equal(takc_store_del(s, NULL, takc_str("secret project/plans/a"), NULL), TAKC_OK);
    assert_int_not_equal(stat(path, &info), 0);
    (void)snprintf(path, sizeof(path), "%s/secret project", root);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(takc_store_del(s, NULL, takc_str("secret project/b"), NULL), TAKC_OK);
    assert_int_not_equal(stat(path, &info), 0);
}

static void only_dead_processes_lose_temporaries(void **state)
{
    struct takc_store *s = *state;
    char name[128];
    uint64_t n = 0;
    (void)s;
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    (void)snprintf(name, sizeof(name), "x/y/.takc-tmp-%ld-1", (long)pid);
    put_in_the_way(name, "dead");
    (void)snprintf(name, sizeof(name), "x/.takc-tmp-%ld-1", (long)getpid());
    put_in_the_way(name, "alive");
    (void)snprintf(name, sizeof(name), "z/.takc-tmp-%ld-1", (long)pid);
    put_in_the_way(name, "elsewhere");
    assert_int_equal(takc_dir_sweep(root, "x", false, &n, NULL), TAKC_OK);
    assert_int_equal(n, 0);
    assert_int_equal(takc_dir_sweep(root, "x", true, &n, NULL), TAKC_OK);
    assert_int_equal(n, 1);
    assert_int_equal(takc_dir_sweep(root, "missing", true, &n, NULL), TAKC_OK);
    assert_int_equal(takc_dir_sweep(root, "", true, &n, NULL), TAKC_OK);
    assert_int_equal(n, 2);
}

/* One round: reads the count, waits for all, swaps; exit code says how it went. */
static int race(int start_fd, const char *text)
{
    struct takc_store *s;
    struct takc_hex tag;
    char go;
    if (takc_store_dir_open(&s, root, NULL) || takc_store_tag(s, NULL, takc_str("m.json"), &tag, NULL))
        return 99;
    if (read(start_fd, &go, 1) != 0)
        return 98; /* returns when the parent closes its end */
    return (int)takc_store_swap(s, NULL, takc_str("m.json"), takc_str(tag.s), takc_str(text), NULL);
}

static void one_process_wins_each_swap(void **state)
{
    struct takc_store *s = *state;
    enum { PROCESSES = 8, RACES = 12 };
    put(s, "m.json", "start");
    for (int round = 0; round < RACES; round++) {
        int start[2], wins = 0;
        pid_t pids[PROCESSES];
        char text[64];
        assert_int_equal(pipe(start), 0);
        for (int i = 0; i < PROCESSES; i++) {
            pids[i] = fork();
            assert_true(pids[i] >= 0);
            if (pids[i] == 0) {
                (void)close(start[1]);
                (void)snprintf(text, sizeof(text), "round %d by %d", round, i);
                _exit(race(start[0], text));
            }
        }
        (void)usleep(20000); /* let them read the tag */
        (void)close(start[1]);
        for (int i = 0; i < PROCESSES; i++) {
            int how;
            assert_int_equal(waitpid(pids[i], &how, 0), pids[i]);
            assert_true(WIFEXITED(how));
            if (WEXITSTATUS(how) == TAKC_OK) {
                (void)snprintf(text, sizeof(text), "round %d by %d", round, i);
                wins++;
            } else {
                assert_int_equal(WEXITSTATUS(how), TAKC_CONFLICT);
            }
        }
        (void)close(start[0]);
        assert_int_equal(wins, 1);
        struct takc_buf b;
        takc_buf_init(&b, 100);
        assert_int_equal(takc_store_get_bytes(s, NULL, takc_str("m.json"), &b, NULL), TAKC_OK);
        assert_int_equal(strncmp(b.ptr, "round ", 6), 0);
        takc_buf_clear(&b);
    }
}

/* Puts and deletes in one folder until told: others must not lose their folder, lists must not stumble. */
static void folders_may_vanish_meanwhile(void **state)
{
    struct takc_store *s = *state;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        for (int i = 0; i < 300; i++)
            if (takc_store_put_bytes(s, NULL, takc_str("deep/er/a"), takc_str("1"), NULL) ||
                takc_store_del(s, NULL, takc_str("deep/er/a"), NULL))
                _exit(1);
        _exit(0);
    }
    int how = -1;
    while (waitpid(pid, &how, WNOHANG) == 0) {
        struct takc_buf b;
        takc_buf_init(&b, 1 << 20);
        assert_int_equal(takc_store_put_bytes(s, NULL, takc_str("deep/er/b"), takc_str("1"), NULL), TAKC_OK);
        assert_int_equal(takc_store_list(s, NULL, takc_str(""), join, &b, NULL), TAKC_OK);
        assert_int_equal(takc_store_del(s, NULL, takc_str("deep/er/b"), NULL), TAKC_OK);
        takc_buf_clear(&b);
    }
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), 0);
}

static void odd_roots_are_refused(void **state)
{
    (void)state;
    struct takc_store *s;
    char path[PATH_MAX + 10];
    memset(path, 'x', sizeof(path));
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(takc_store_dir_open(&s, "", NULL), TAKC_INVALID);
    assert_int_equal(takc_store_dir_open(&s, path, NULL), TAKC_INVALID);
    put_in_the_way("file", "x");
    (void)snprintf(path, sizeof(path), "%s/file", root);
    assert_int_equal(takc_store_dir_open(&s, path, NULL), TAKC_INVALID);
    (void)snprintf(path, sizeof(path), "%s/new//", root);
    assert_int_equal(takc_store_dir_open(&s, path, NULL), TAKC_OK);
    put(s, "a", "1");
    assert_true(takc_str_ends(takc_str(takc_store_dir_root(s)), takc_str("/new")));
    takc_store_close(s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    static const char *const kinds[] = {"dir", "mem", "plain"};
    const struct CMUnitTest promises[] = {
        T(what_was_put_is_got),
        T(large_blobs_stream),
        T(a_broken_source_changes_nothing),
        T(ranges_are_cut_at_the_end),
        T(views_stay_what_they_were),
        T(bad_keys_are_refused),
        T(odd_keys_are_keys),
        T(a_key_is_no_folder),
        T(lists_are_in_byte_order),
        T(lists_can_be_stopped_and_eaten),
        T(swaps_compare),
        T(calls_can_be_cancelled),
        T(batches_commit),
        T(derived_ones_are_committed),
        T(known_content_is_not_written_again),
        T(threads_share_a_store),
    };
    const struct CMUnitTest of_dir[] = {
        T(foreign_files_are_not_listed), T(empty_folders_go),      T(only_dead_processes_lose_temporaries), T(one_process_wins_each_swap),
        T(folders_may_vanish_meanwhile), T(odd_roots_are_refused),
    };
    int failed = 0;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        kind_now = kinds[i];
        failed += cmocka_run_group_tests_name(kinds[i], promises, NULL, NULL);
    }
    kind_now = "dir";
    failed += cmocka_run_group_tests_name("only dir", of_dir, NULL, NULL);
    return failed;
}
