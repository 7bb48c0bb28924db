/* SPDX-License-Identifier: Apache-2.0
 *
 * Walking: order, names, what is skipped and why; gzip: members, damage, bombs. */
#include "base/fault.h"
#include "base/file.h"
#include "source/source.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

static char dir[] = "/tmp/takc-source-XXXXXX";

struct log {
    char given[4096], skipped[4096];
    unsigned n, stop_at;
};

static enum takc_status on_file(void *arg, const struct takc_source_item *item, struct takc_err *err)
{
    struct log *l = arg;
    size_t n = strlen(l->given);
    (void)snprintf(l->given + n, sizeof(l->given) - n, "%.*s=%.*s%s ", TAKC_STR_ARG(item->name), TAKC_STR_ARG(item->bytes),
                   item->compressed ? "!" : "");
    assert_true(item->root.len > 0 && (item->root.ptr[0] == '/' || item->root.ptr[0] == '-'));
    assert_true(item->compressed == takc_hex_valid(takc_str(item->file_sha.s)));
    return ++l->n == l->stop_at ? takc_fail(err, TAKC_FULL, 0, "enough") : TAKC_OK;
}

static void on_skip(void *arg, struct takc_str name, enum takc_status status, const char *reason)
{
    struct log *l = arg;
    size_t n = strlen(l->skipped);
    (void)snprintf(l->skipped + n, sizeof(l->skipped) - n, "%.*s:%s:%s\n", TAKC_STR_ARG(name), takc_status_name(status), reason);
}

static const char *path_of(const char *name)
{
    static char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    return path;
}

static void put(const char *name, struct takc_str bytes)
{
    assert_int_equal(takc_dir_make_for(path_of(name), NULL), TAKC_OK);
    assert_int_equal(takc_file_write(path_of(name), bytes, NULL), TAKC_OK);
}

/* gzip of s, appended to out. */
static void gz(struct takc_buf *out, struct takc_str s)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    size_t n = deflateBound(&z, s.len);
    assert_int_equal(takc_buf_reserve(out, n, NULL), TAKC_OK);
    z.next_in = (unsigned char *)(uintptr_t)s.ptr;
    z.avail_in = (unsigned)s.len;
    z.next_out = (unsigned char *)out->ptr + out->len;
    z.avail_out = (unsigned)n;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    out->len += n - z.avail_out;
    (void)deflateEnd(&z);
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    char command[600];
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    return system(command); /* NOLINT(cert-env33-c): a test's own folder */
}

static void folders_are_walked_in_order(void **state)
{
    (void)state;
    struct takc_buf packed;
    takc_buf_init(&packed, 1 << 20);
    gz(&packed, takc_str("one "));
    gz(&packed, takc_str("two"));
    put("t/b.txt", takc_str("B"));
    put("t/a/z.txt", takc_str("Z"));
    put("t/a.txt", takc_str("A"));
    put("t/c.txt.gz", takc_buf_str(&packed));
    put("t/d.gz", takc_str("nothing packed"));
    put("t/.hidden", takc_str("H"));
    put("t/.git/x", takc_str("H"));
    put("t/bad\x01name", takc_str("x"));
    put("t/bad\xFFname", takc_str("x"));
    put("outside", takc_str("secret"));
    char fifo[512];
    (void)snprintf(fifo, sizeof(fifo), "%s", path_of("t/fifo"));
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(symlink("b.txt", path_of("t/in")), 0);
    assert_int_equal(symlink("../outside", path_of("t/out")), 0);
    assert_int_equal(symlink("..", path_of("t/up")), 0);
    assert_int_equal(symlink("nowhere", path_of("t/void")), 0);
    struct log l = {.n = 0};
    struct takc_err err = {0};
    assert_int_equal(takc_source_walk(path_of("t"), NULL, NULL, on_file, on_skip, &l, &err), TAKC_OK);
    assert_string_equal(l.given, "a/z.txt=Z a.txt=A b.txt=B c.txt.gz=one two! in=B ");
    assert_string_equal(l.skipped, ".git:OK:hidden\n.hidden:OK:hidden\n"
                                   "bad?name:REFUSED:the name is not UTF-8 or holds control characters\n"
                                   "bad\xEF\xBF\xBDname:REFUSED:the name is not UTF-8 or holds control characters\n"
                                   "d.gz:CORRUPT:not a gzip file\nfifo:OK:special file (fifo, socket or device)\n"
                                   "out:OK:symbolic link out of the folder\nup:OK:symbolic link to a folder\n"
                                   "void:OK:symbolic link leads nowhere: No such file or directory\n");
    takc_buf_clear(&packed);
}

static void single_files_and_failures(void **state)
{
    (void)state;
    struct log l = {.n = 0};
    struct takc_err err = {0};
    put("s/one.txt", takc_str("1"));
    put("s/two.txt", takc_str("22"));
    assert_int_equal(takc_source_walk(path_of("s/one.txt"), NULL, NULL, on_file, on_skip, &l, &err), TAKC_OK);
    assert_string_equal(l.given, "one.txt=1 ");
    assert_int_equal(takc_source_walk(path_of("none"), NULL, NULL, on_file, on_skip, &l, &err), TAKC_NOT_FOUND);
    struct takc_source_options small = {.max_file_bytes = 1};
    l = (struct log){.n = 0};
    assert_int_equal(takc_source_walk(path_of("s"), &small, NULL, on_file, on_skip, &l, &err), TAKC_OK);
    assert_string_equal(l.given, "one.txt=1 ");
    assert_non_null(strstr(l.skipped, "two.txt:REFUSED:"));
    l = (struct log){.stop_at = 1};
    assert_int_equal(takc_source_walk(path_of("s"), NULL, NULL, on_file, on_skip, &l, &err), TAKC_FULL);
    assert_string_equal(l.given, "one.txt=1 ");
    struct takc_call call;
    takc_call_init(&call);
    atomic_store(&call.cancel, true);
    assert_int_equal(takc_source_walk(path_of("s"), NULL, &call, on_file, on_skip, &l, &err), TAKC_CANCELLED);
}

/* The n-th read fails: that file is told, the others are given. The n-th allocation fails: NOMEM. */
static void faults_are_told(void **state)
{
    (void)state;
    struct takc_err err = {0};
    put("f/a", takc_str("1"));
    put("f/b", takc_str("2"));
    struct log l = {.n = 0};
    takc_fault_arm(TAKC_FAULT_READ, 1, EIO);
    assert_int_equal(takc_source_walk(path_of("f"), NULL, NULL, on_file, on_skip, &l, &err), TAKC_OK);
    takc_fault_arm(TAKC_FAULT_READ, 0, 0);
    assert_string_equal(l.given, "b=2 ");
    assert_non_null(strstr(l.skipped, "a:IO:"));
    for (uint64_t n = 1;; n++) {
        l = (struct log){.n = 0};
        takc_fault_arm(TAKC_FAULT_ALLOC, n, ENOMEM);
        enum takc_status st = takc_source_walk(path_of("f"), NULL, NULL, on_file, on_skip, &l, &err);
        bool hit = takc_fault_count(TAKC_FAULT_ALLOC) >= n;
        takc_fault_arm(TAKC_FAULT_ALLOC, 0, 0);
        if (!hit)
            break;
        assert_int_equal(st, TAKC_NOMEM);
    }
    assert_string_equal(l.given, "a=1 b=2 ");
}

static void gunzip_is(struct takc_str bytes, size_t max, enum takc_status want, const char *part)
{
    struct takc_buf out;
    struct takc_err err = {0};
    takc_buf_init(&out, max);
    assert_int_equal(takc_source_gunzip(bytes, &out, &err), want);
    if (!strstr(want ? err.msg : takc_buf_str(&out).ptr, part))
        fail_msg("'%s' is not in '%s'", part, err.msg);
    takc_buf_clear(&out);
}

static void gzip_is_not_trusted(void **state)
{
    (void)state;
    struct takc_buf b, zeros;
    takc_buf_init(&b, 64 << 20);
    takc_buf_init(&zeros, 64 << 20);
    gz(&b, takc_str("hello"));
    gunzip_is(takc_buf_str(&b), 5, TAKC_OK, "hello");
    gunzip_is(takc_buf_str(&b), 4, TAKC_REFUSED, "limit");
    for (size_t n = 0; n < b.len; n++)
        gunzip_is(takc_str_n(b.ptr, n), 100, TAKC_CORRUPT, "gzip");
    memset(b.ptr + b.len - 4, 0xFF, 4); /* it claims 4 GiB */
    gunzip_is(takc_buf_str(&b), 100, TAKC_CORRUPT, "gzip");
    b.len = 0;
    gz(&b, takc_str("hello"));
    assert_int_equal(takc_buf_add(&b, takc_str("tail"), NULL), TAKC_OK);
    gunzip_is(takc_buf_str(&b), 100, TAKC_CORRUPT, "4 bytes that are not gzip");
    b.len = 0;
    assert_int_equal(takc_buf_reserve(&zeros, 8 << 20, NULL), TAKC_OK);
    memset(zeros.ptr, 0, 8 << 20);
    gz(&b, takc_str_n(zeros.ptr, 8 << 20));
    gunzip_is(takc_buf_str(&b), 64 << 20, TAKC_REFUSED, "zip bomb");
    takc_buf_clear(&b);
    takc_buf_clear(&zeros);
}

static void inner_names(void **state)
{
    (void)state;
    assert_true(takc_str_is(takc_source_inner_name(takc_str("a/b.txt.gz")), "a/b.txt"));
    assert_true(takc_str_is(takc_source_inner_name(takc_str("b.GZ")), "b"));
    assert_true(takc_str_is(takc_source_inner_name(takc_str(".gz")), ".gz"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(folders_are_walked_in_order), cmocka_unit_test(single_files_and_failures),
                                       cmocka_unit_test(faults_are_told), cmocka_unit_test(gzip_is_not_trusted),
                                       cmocka_unit_test(inner_names)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
