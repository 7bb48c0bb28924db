/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a request that is signed ("METHOD\npath\nquery\nname: value\n..."): nobody's, or a claim in good form; and nobody without
 * the secret gets through but with the one request that was signed with it (the seeds). */
#include "auth/sigv4_claim.h"
#include "auth/sigv4_verify.h"
#include "base/alloc.h"
#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
        if (takc_str_eq_nocase(q->headers[i].name, takc_str(name)) && n++ == 0)
            v = takc_str_trim(q->headers[i].value);
    *twice = n > 1;
    return n == 1 ? v : takc_str("");
}

static uint64_t mono(const struct takc_clock *c)
{
    (void)c;
    return 0;
}

static int64_t wall(const struct takc_clock *c)
{
    (void)c;
    return 1800000000; /* 20270115T080000Z */
}

static char path[] = "/tmp/takc-fuzz-keys-XXXXXX";

static void remove_keys(void)
{
    (void)unlink(path);
}

static struct takc_authorizer *open_authorizer(void)
{
    static const char keys[] = "keys:\n - access_key_id: AKIDFUZZ\n   secret: a/secret+of/the+fuzzer=\n   may: [query]\n";
    static const struct takc_clock clock = {mono, wall, NULL};
    struct takc_authorizer *a = NULL;
    struct takc_err err;
    int fd = mkstemp(path);
    if (fd < 0 || write(fd, keys, sizeof(keys) - 1) != sizeof(keys) - 1 || close(fd) || atexit(remove_keys))
        TAKC_BUG("no file of keys");
    const struct takc_auth_sigv4_options o = {.keys = takc_str(path), .region = takc_str("eu-central-1"), .clock = &clock};
    if (takc_auth_sigv4_open(&a, &o, &err))
        TAKC_BUG("%s", err.msg);
    return a;
}

static void check_claim(const struct takc_auth_request *r)
{
    struct takc_arena a;
    struct takc_sigv4_claim c;
    takc_arena_init(&a);
    enum takc_status st = takc_sigv4_claim_read(r, &a, &c, NULL);
    if (st && st != TAKC_DENIED)
        TAKC_BUG("%s", takc_status_name(st));
    bool host = false;
    for (size_t i = 0; !st && i < c.n_headers; i++) {
        host |= takc_str_is(c.headers[i].name, "host");
        if (i && takc_str_cmp(c.headers[i - 1].name, c.headers[i].name) >= 0)
            TAKC_BUG("signed headers that are not sorted");
    }
    if (!st && (!host || !takc_hex_valid(c.signature) || !c.access.len || c.date.len != 16))
        TAKC_BUG("a claim without its parts");
    takc_arena_clear(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct takc_authorizer *authorizer;
    struct request q = {.r = {.header = header_of}};
    struct takc_str rest = takc_str_n((const char *)data, size), line;
    struct takc_arena a;
    struct takc_identity who = {.may = 0};
    if (!authorizer)
        authorizer = open_authorizer();
    q.r.arg = &q;
    (void)takc_str_split(&rest, '\n', &q.r.method);
    (void)takc_str_split(&rest, '\n', &q.r.path);
    (void)takc_str_split(&rest, '\n', &q.r.query);
    while (q.n < HEADERS && takc_str_split(&rest, '\n', &line)) {
        size_t colon = takc_str_find_byte(line, ':', 0), end = colon == SIZE_MAX ? line.len : colon;
        q.headers[q.n].name = takc_str_slice(line, 0, end);
        q.headers[q.n++].value = end < line.len ? takc_str_slice(line, end + 1, line.len) : takc_str("");
    }
    if (!authorizer->kind->bears(authorizer, &q.r))
        return 0;
    check_claim(&q.r);
    takc_arena_init(&a);
    enum takc_status st = authorizer->kind->check(authorizer, NULL, &q.r, &a, &who, NULL);
    if (st && st != TAKC_DENIED)
        TAKC_BUG("%s", takc_status_name(st));
    if (!st && !who.body_proves && !(takc_str_is(q.r.method, "GET") && takc_str_find(q.r.path, takc_str("/cache"), 0) != SIZE_MAX))
        TAKC_BUG("a request passed that nobody signed"); /* the path may be written otherwise: //cache, /x/../cache */
    takc_arena_clear(&a);
    return 0;
}
