/* SPDX-License-Identifier: Apache-2.0
 *
 * trace_context.c - W3C trace context: what a request came with, and what requests to others are sent with. */
#include "http/trace.h"

#include "base/clock.h"
#include "http/ids.h"
#include "http/trace_parts.h"

#include <stdio.h>

enum { MEMBERS_MAX = 32 };

static bool is_hex(struct takc_str s, bool zero_too)
{
    bool any = zero_too;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
        any |= c != '0';
    }
    return any;
}

bool takc_traceparent_parse(struct takc_str text, char out_trace[33], char out_parent[17], bool *out_sampled)
{
    enum { LEN = 55 };
    if (text.len < LEN || text.ptr[2] != '-' || text.ptr[35] != '-' || text.ptr[52] != '-')
        return false;
    struct takc_str version = takc_str_slice(text, 0, 2), trace = takc_str_slice(text, 3, 35), parent = takc_str_slice(text, 36, 52);
    struct takc_str flags = takc_str_slice(text, 53, LEN);
    if (!is_hex(version, true) || takc_str_is(version, "ff") || !is_hex(trace, false) || !is_hex(parent, false) || !is_hex(flags, true))
        return false;
    if (text.len > LEN && (takc_str_is(version, "00") || text.ptr[LEN] != '-'))
        return false;
    (void)snprintf(out_trace, 33, "%.*s", TAKC_STR_ARG(trace));
    (void)snprintf(out_parent, 17, "%.*s", TAKC_STR_ARG(parent));
    char low = flags.ptr[1];
    *out_sampled = ((low <= '9' ? low - '0' : low - 'a' + 10) & 1) != 0;
    return true;
}

/* The only header of that name: one that comes twice says nothing. */
static struct takc_str only(const struct takc_exchange *x, const char *name)
{
    struct takc_str found = {NULL, 0};
    size_t n = 0;
    for (size_t i = 0; i < x->n_headers; i++)
        if (takc_str_eq_nocase(x->headers[i].name, takc_str(name)) && ++n == 1)
            found = x->headers[i].value;
    return n == 1 ? found : takc_str("");
}

/* KEY=VALUE with ',' between, in printable letters: nobody's words, so nothing else is asked of it. */
static bool is_state(struct takc_str s)
{
    struct takc_str one;
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] != '\t' && (s.ptr[i] < ' ' || s.ptr[i] > '~'))
            return false;
    while (s.len && takc_str_split(&s, ',', &one)) {
        size_t eq = takc_str_find_byte(takc_str_trim(one), '=', 0);
        if (takc_str_trim(one).len && (eq == SIZE_MAX || eq == 0 || ++n > MEMBERS_MAX))
            return false;
    }
    return n > 0;
}

/* All headers of that name as one, in the arena; NULL: there is none, or it is not one that may be sent on. */
static const char *read_state(struct takc_exchange *x)
{
    char text[TAKC_TRACESTATE_MAX + 1];
    size_t n = 0;
    for (size_t i = 0; i < x->n_headers; i++) {
        struct takc_str v = takc_str_trim(x->headers[i].value);
        if (!takc_str_eq_nocase(x->headers[i].name, takc_str("tracestate")) || !v.len)
            continue;
        if (n + (n > 0) + v.len > TAKC_TRACESTATE_MAX)
            return NULL;
        if (n)
            text[n++] = ',';
        memcpy(text + n, v.ptr, v.len);
        n += v.len;
    }
    return is_state(takc_str_n(text, n)) ? takc_arena_dup(&x->arena, takc_str_n(text, n)).ptr : NULL;
}

bool takc_trace_propagates(struct takc_str list)
{
    struct takc_str one;
    bool named = !list.len;
    while (list.len && takc_str_split(&list, ',', &one))
        named |= takc_str_is(takc_str_trim(one), "tracecontext");
    return named;
}

bool takc_trace_context_read(struct takc_exchange *x)
{
    struct takc_noted *n = &x->noted;
    if (!takc_traceparent_parse(only(x, "traceparent"), n->trace_id, n->parent_id, &n->sampled))
        return false;
    x->call.tracestate = read_state(x);
    return true;
}

void takc_traced_context(const char *trace_id, const char *span_id, bool sampled, char out[56])
{
    (void)snprintf(out, 56, "00-%s-%s-0%d", trace_id, span_id, sampled);
}

/* The context of a span, or of the request's own where there is none; false: of nothing. */
static bool write_parent(const struct takc_noted *n, const char *span_id, char out[56])
{
    const char *parent = span_id[0] ? span_id : n->span_id[0] ? n->span_id : n->parent_id;
    if (!n->sends_on || !n->trace_id[0] || !parent[0])
        return false;
    takc_traced_context(n->trace_id, parent, n->sampled, out);
    return true;
}

void takc_trace_enter(struct takc_exchange *x, const char *span_id)
{
    struct takc_noted *n = &x->noted;
    x->call.traceparent = write_parent(n, span_id, n->traceparent) ? n->traceparent : NULL;
}

void takc_trace_item_begin(struct takc_exchange *x, struct takc_trace_item *out)
{
    *out = (struct takc_trace_item){.began_ns = takc_now_ns()};
    takc_call_below(&out->call, &x->call);
    if (x->noted.span_id[0] && atomic_fetch_add(&x->noted.n_item_spans, 1) < TAKC_TRACE_ITEMS_MAX) {
        takc_id_draw(out->span_id, 8);
        takc_id_draw(out->model_id, 8);
    }
    out->call.traceparent = write_parent(&x->noted, out->model_id, out->traceparent) ? out->traceparent : NULL;
}
