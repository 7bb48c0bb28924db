/* SPDX-License-Identifier: Apache-2.0
 *
 * routes.c - the groups of routes, and finding one. */
#include "http/fields.h"

#include <stdio.h>

static const struct takc_routes *const groups[] = {&takc_routes_query, &takc_routes_chat, &takc_routes_tasks,
                                                   &takc_routes_jobs,  &takc_routes_mcp,  &takc_routes_state};

const struct takc_route *takc_route_at(size_t i)
{
    for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++) {
        if (i < groups[g]->n)
            return &groups[g]->rows[i];
        i -= groups[g]->n;
    }
    return NULL;
}

/* ---- finding ---- */

static bool is_param(struct takc_str segment)
{
    return segment.len > 2 && segment.ptr[0] == '{';
}

/* A segment of the path, unescaped; false: it cannot be, or no memory. */
static bool unescape(struct takc_arena *a, struct takc_str segment, struct takc_str *out, bool *out_nomem)
{
    char *text = takc_arena_alloc(a, segment.len + 1);
    *out_nomem = !text;
    if (!text || !takc_percent_decode(segment, text, &out->len))
        return false;
    out->ptr = text;
    return out->len > 0;
}

static bool path_fits(const struct takc_route *r, struct takc_str path, struct takc_arena *a, struct takc_asked *out, bool *out_nomem)
{
    struct takc_str want = takc_str_slice(takc_str(r->path), 1, strlen(r->path)), got = takc_str_slice(path, 1, path.len), w, g;
    out->n_params = 0;
    for (;;) {
        bool more = takc_str_split(&want, '/', &w);
        if (more != takc_str_split(&got, '/', &g))
            return false;
        if (!more)
            return true;
        if (!is_param(w) && !takc_str_eq(w, g))
            return false;
        if (is_param(w) && !unescape(a, g, &out->params[out->n_params++], out_nomem))
            return false;
    }
}

static void add_allowed(const char *method, char allow[64])
{
    size_t n = strlen(allow);
    if (!strstr(allow, method))
        (void)snprintf(allow + n, 64 - n, "%s%s", n ? ", " : "", method);
}

/* Of the paths that fit the one that says most of it: /cache/{task}/rollback goes before /cache/{task}/{rate}. NULL: none. */
static const char *path_of(struct takc_str path, struct takc_arena *a, struct takc_asked *out, bool *out_nomem)
{
    const char *best = NULL;
    size_t best_params = 0;
    for (size_t i = 0; takc_route_at(i) && !*out_nomem; i++)
        if (path_fits(takc_route_at(i), path, a, out, out_nomem) && (!best || out->n_params < best_params)) {
            best = takc_route_at(i)->path;
            best_params = out->n_params;
        }
    return *out_nomem ? NULL : best;
}

static struct takc_str without_version(struct takc_str path)
{
    return takc_str_starts(path, takc_str("/v1/")) ? takc_str_slice(path, 3, path.len) : path;
}

takc_wording_fn *takc_route_wording(struct takc_str path)
{
    struct takc_arena a;
    struct takc_asked asked;
    bool nomem = false;
    takc_wording_fn *wording = NULL;
    takc_arena_init(&a);
    const char *one = takc_str_starts(path, takc_str("/")) ? path_of(without_version(path), &a, &asked, &nomem) : NULL;
    for (size_t i = 0; one && !wording && takc_route_at(i); i++)
        wording = strcmp(takc_route_at(i)->path, one) == 0 ? takc_route_at(i)->wording : NULL;
    takc_arena_clear(&a);
    return wording;
}

const struct takc_route *takc_route_find(struct takc_str method, struct takc_str path, struct takc_arena *a, struct takc_asked *out,
                                         char out_allow[64], bool *out_nomem)
{
    struct takc_str plain = without_version(path);
    out_allow[0] = '\0';
    *out = (struct takc_asked){.route = NULL};
    *out_nomem = false;
    const char *one = path_of(plain, a, out, out_nomem);
    for (size_t i = 0; one && takc_route_at(i); i++) {
        const struct takc_route *r = takc_route_at(i);
        bool head = takc_str_is(method, "HEAD") && strcmp(r->method, "GET") == 0; /* the transport leaves the body out */
        if (strcmp(r->path, one) != 0)
            continue;
        if (head || takc_str_is(method, r->method)) {
            out->route = path_fits(r, plain, a, out, out_nomem) ? r : NULL;
            return out->route;
        }
        add_allowed(r->method, out_allow);
        if (strcmp(r->method, "GET") == 0)
            add_allowed("HEAD", out_allow);
    }
    return NULL;
}
