/* SPDX-License-Identifier: Apache-2.0
 *
 * Headers that strangers send, one a line, behind a first line that is a setting: X-Forwarded-For, Origin and what a preflight asks, an
 * Idempotency-Key. What comes of them is an address, an origin that is listed, a key that is one; nothing else gets into a reply. */
#include "base/alloc.h"
#include "http/cors.h"
#include "http/idempotency.h"
#include "http/peer.h"

#include <arpa/inet.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_peer(struct takc_str list, const struct takc_header *headers, size_t n)
{
    struct takc_proxies p;
    struct in6_addr a;
    char peer[48] = "127.0.0.1";
    if (takc_proxies_parse(list, &p, NULL) && takc_proxies_parse(takc_str("0.0.0.0/0, ::/1, 127.0.0.1"), &p, NULL))
        TAKC_BUG("our own list is none");
    takc_peer_resolve(&p, headers, n, peer);
    if (inet_pton(AF_INET, peer, &a) != 1 && inet_pton(AF_INET6, peer, &a) != 1)
        TAKC_BUG("'%s' is no address", peer);
}

static void check_cors(struct takc_str list, struct takc_exchange *x)
{
    struct takc_cors c;
    if (takc_cors_parse(list, &c, NULL) && takc_cors_parse(takc_str("https://a.example,http://b.example:81"), &c, NULL))
        TAKC_BUG("our own list is none");
    takc_cors_headers(&c, x);
    (void)takc_cors_preflight(&c, x, "GET");
    for (size_t i = 0; i < x->n_out; i++) {
        struct takc_str v = x->out[i].value;
        if (memchr(v.ptr, '\n', v.len) || memchr(v.ptr, '\r', v.len) || memchr(v.ptr, '\0', v.len))
            TAKC_BUG("a header that holds a line break");
        if (takc_str_is(x->out[i].name, "Access-Control-Allow-Origin") && !c.any && !takc_cors_allows(&c, v))
            TAKC_BUG("an origin that is not listed");
    }
}

static void check_key(struct takc_exchange *x)
{
    struct takc_claim c = {.claimed = false};
    const char *why = NULL;
    if (!takc_idempotency_expect(x, &c, &why) && !why)
        TAKC_BUG("refused without a reason");
    for (size_t i = 0; c.digest.ctx && i < c.key.len; i++)
        if (c.key.ptr[i] <= ' ' || c.key.ptr[i] > '~' || c.key.len > 255)
            TAKC_BUG("a key that is none");
    takc_claim_clear(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct takc_header headers[64];
    struct takc_str rest = takc_str_n((const char *)data, size), setting = {0}, line;
    struct takc_exchange x = {.headers = headers, .method = takc_str("OPTIONS")};
    (void)takc_str_split(&rest, '\n', &setting);
    while (x.n_headers < 64 && takc_str_split(&rest, '\n', &line)) {
        size_t colon = takc_str_find_byte(line, ':', 0);
        colon = colon == SIZE_MAX ? line.len : colon;
        headers[x.n_headers++] =
            (struct takc_header){takc_str_slice(line, 0, colon), takc_str_slice(line, colon < line.len ? colon + 1 : line.len, line.len)};
    }
    takc_arena_init(&x.arena);
    check_peer(setting, headers, x.n_headers);
    check_cors(setting, &x);
    check_key(&x);
    takc_arena_clear(&x.arena);
    return 0;
}
