/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as the head of a request, one header a line: what passes is framed in one way only, and its path decodes to segments that
 * are no dots; whatever route it finds gets the parameters that its path names. */
#include "base/alloc.h"
#include "http/api.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_route(struct takc_str method, struct takc_str target)
{
    struct takc_arena a;
    struct takc_asked asked;
    char allow[64];
    bool nomem;
    size_t end = takc_str_find_byte(target, '?', 0), want = 0;
    takc_arena_init(&a);
    const struct takc_route *r =
        takc_route_find(method, takc_str_slice(target, 0, end == SIZE_MAX ? target.len : end), &a, &asked, allow, &nomem);
    for (const char *p = r ? r->path : ""; *p; p++)
        want += *p == '{';
    if (r && asked.n_params != want)
        TAKC_BUG("%s: %zu parameters", r->path, asked.n_params);
    for (size_t i = 0; r && i < asked.n_params; i++)
        if (!asked.params[i].len || strlen(asked.params[i].ptr) != asked.params[i].len)
            TAKC_BUG("a parameter is empty or holds a NUL");
    takc_arena_clear(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct takc_header headers[130];
    struct takc_str rest = takc_str_n((const char *)data, size), line, parts[3] = {{0}};
    struct takc_request_head h = {.headers = headers};
    const struct takc_guard_limits limits = {.body_bytes = 1000};
    struct takc_framing framing;
    char why[128];
    for (int i = 0; i < 3; i++)
        (void)takc_str_split(&rest, '\n', &parts[i]);
    while (h.n_headers < 130 && takc_str_split(&rest, '\n', &line)) {
        size_t colon = takc_str_find_byte(line, ':', 0);
        if (colon == SIZE_MAX)
            colon = line.len;
        headers[h.n_headers++] =
            (struct takc_header){takc_str_slice(line, 0, colon), takc_str_slice(line, colon < line.len ? colon + 1 : line.len, line.len)};
    }
    h.method = parts[0];
    h.target = takc_guard_origin_form(parts[1], takc_header_find(headers, h.n_headers, "host"));
    h.version = parts[2];
    int status = takc_guard_head(&h, &limits, &framing, why);
    if (status && (status < 400 || !why[0]))
        TAKC_BUG("refused without a reason");
    if (status)
        return 0;
    if ((framing.chunked && framing.has_length) || framing.length > 1000)
        TAKC_BUG("framed in two ways");
    char *decoded = takc_alloc(h.target.len + 1);
    size_t n;
    if (decoded && (!takc_percent_decode(h.target, decoded, &n) || n > h.target.len || strlen(decoded) != n))
        TAKC_BUG("a target that passed does not decode");
    takc_free(decoded);
    check_route(h.method, h.target);
    return 0;
}
