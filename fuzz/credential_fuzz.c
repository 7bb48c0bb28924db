/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as Host, Authorization and X-API-Key, a line each; "$" stands for a good key. Who is let in has sent that key and nothing else;
 * what counts as the machine's own name holds nothing that a name of another machine could. */
#include "auth/keys.h"
#include "auth/registry.h"
#include "base/alloc.h"
#include "http/admit.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char good[TAKC_API_KEY_TEXT_LEN + 1];
static struct takc_auth *auth;

static char root[] = "/tmp/takc-fuzz-keys-XXXXXX";

static void clean(void)
{
    char command[64];
    (void)snprintf(command, sizeof(command), "rm -rf %s", root);
    (void)!system(command);
}

static void prepare(void)
{
    static const struct takc_home_options create = {.create = true};
    static const struct takc_settings settings = {.serve_auth = {"key", 3}};
    static const struct takc_api_key_options o = {.name = {"fuzz", 4}, .may = TAKC_MAY_QUERY, .created_s = 1};
    struct takc_home *home;
    char id[TAKC_API_KEY_ID_LEN + 1];
    if (!mkdtemp(root) || takc_home_open(&home, root, &create, NULL) || takc_api_key_create(home, &o, good, id, NULL) ||
        takc_auth_open(&auth, &settings, home, NULL))
        TAKC_BUG("no home to ask");
    (void)atexit(clean);
}

struct sent {
    struct takc_str authorization, api_key;
};

static struct takc_str header(const void *arg, const char *name, bool *out_twice)
{
    const struct sent *s = arg;
    *out_twice = false;
    return strcmp(name, "x-api-key") == 0 ? s->api_key : s->authorization;
}

/* The line with the key for each "$". */
static struct takc_str expand(struct takc_arena *a, struct takc_str line)
{
    struct takc_buf b;
    takc_buf_init(&b, 1 << 20);
    for (size_t i = 0; i < line.len; i++)
        if (line.ptr[i] == '$' ? takc_buf_add(&b, takc_str(good), NULL) : takc_buf_byte(&b, line.ptr[i], NULL))
            break;
    struct takc_str s = takc_str_trim(takc_arena_dup(a, takc_buf_str(&b)));
    takc_buf_clear(&b);
    return s;
}

static bool is_good(struct takc_str s)
{
    return takc_str_is(s, good);
}

static void check_let_in(const struct sent *s)
{
    struct takc_str bearer =
        s->authorization.len > 7 ? takc_str_slice(s->authorization, 7, s->authorization.len) : (struct takc_str){NULL, 0};
    bool by_bearer = s->authorization.len > 7 && takc_str_eq_nocase(takc_str_slice(s->authorization, 0, 7), takc_str("bearer ")) &&
                     is_good(takc_str_trim(bearer));
    if (!(is_good(s->api_key) || (!s->api_key.len && by_bearer)) || (is_good(s->api_key) && s->authorization.len && !by_bearer))
        TAKC_BUG("let in without the key");
}

static void check_host(struct takc_str host)
{
    if (!takc_admit_own_host(host))
        return;
    for (size_t i = 0; i < host.len; i++)
        if (!host.ptr[i] || !strchr("localhstLOCALHST0123456789.:[]", host.ptr[i]))
            TAKC_BUG("an own name with byte %u", (unsigned char)host.ptr[i]);
    if (host.len > 21)
        TAKC_BUG("an own name of %zu bytes", host.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct takc_str rest = takc_str_n((const char *)data, size), host = {NULL, 0}, lines[2] = {{NULL, 0}, {NULL, 0}};
    struct takc_arena a;
    struct takc_identity who;
    struct takc_err err = {0};
    bool bore;
    if (!auth)
        prepare();
    takc_arena_init(&a);
    (void)takc_str_split(&rest, '\n', &host);
    for (int i = 0; i < 2; i++)
        (void)takc_str_split(&rest, '\n', &lines[i]);
    check_host(host);
    const struct sent s = {expand(&a, lines[0]), expand(&a, lines[1])};
    const struct takc_auth_request r = {.header = header, .arg = &s};
    enum takc_status st = takc_auth_check(auth, NULL, &r, &a, &who, &bore, &err);
    if (!st)
        check_let_in(&s);
    else if (st != TAKC_DENIED && st != TAKC_NOMEM)
        TAKC_BUG("%s", err.msg);
    else if (strstr(err.msg, "takc_"))
        TAKC_BUG("a message repeats a credential");
    takc_arena_clear(&a);
    return 0;
}
