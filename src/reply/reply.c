/* SPDX-License-Identifier: Apache-2.0
 *
 * reply.c - result structs into JSON. A small writer carries "no memory" through, so that each reply reads as the list of its members. */
#include "reply/reply.h"
#include "base/clock.h"

#include <math.h>

double takc_rounded(double x, unsigned decimals)
{
    double scale = 1;
    for (unsigned i = 0; i < decimals; i++)
        scale *= 10;
    return isfinite(x) ? round(x * scale) / scale : 0;
}

/* An object that remembers whether a member could not be added. */
struct writer {
    json_t *object;
    bool failed;
};

static struct writer begin(void)
{
    struct writer w = {json_object(), false};
    w.failed = !w.object;
    return w;
}

/* Takes v. */
static void put(struct writer *w, const char *name, json_t *v)
{
    if (w->failed)
        json_decref(v);
    else if (!v || json_object_set_new_nocheck(w->object, name, v))
        w->failed = true;
}

static json_t *end(struct writer *w)
{
    if (!w->failed)
        return w->object;
    json_decref(w->object);
    return NULL;
}

static void put_text(struct writer *w, const char *name, struct takc_str s)
{
    put(w, name, takc_json_str(s));
}

/* null for a text that is not there. */
static void put_text_or_null(struct writer *w, const char *name, struct takc_str s)
{
    put(w, name, s.len ? takc_json_str(s) : json_null());
}

static void put_count(struct writer *w, const char *name, uint64_t n)
{
    put(w, name, json_integer(n > INT64_MAX ? INT64_MAX : (json_int_t)n));
}

static void put_number(struct writer *w, const char *name, double x, unsigned decimals)
{
    put(w, name, json_real(takc_rounded(x, decimals)));
}

static void put_factor(struct writer *w, const char *name, double x)
{
    if (x > 0)
        put_number(w, name, x, 1);
    else
        put(w, name, json_null());
}

static void put_bool(struct writer *w, const char *name, bool b)
{
    put(w, name, json_boolean(b));
}

/* Takes v; false when it could not be added. */
static bool append(json_t *array, json_t *v)
{
    return v && json_array_append_new(array, v) == 0;
}

/* --- query --- */

static json_t *span_json(const struct takc_reply_span *s)
{
    struct writer w = begin();
    put_count(&w, "start", s->start);
    put_count(&w, "end", s->end);
    if (s->has_source) {
        put_count(&w, "source_start", s->source_start);
        put_count(&w, "source_end", s->source_end);
    }
    return end(&w);
}

static void put_spans(struct writer *w, const struct takc_citation *c)
{
    json_t *spans = json_array();
    bool good = spans != NULL;
    for (size_t i = 0; good && i < c->n_spans; i++)
        good = append(spans, span_json(&c->spans[i]));
    put(w, "spans", spans);
    w->failed = w->failed || !good;
}

json_t *takc_citation_json(const struct takc_citation *c)
{
    struct writer w = begin();
    const struct {
        const char *name;
        bool has;
        uint32_t value;
    } places[] = {{"page", c->has_page, c->page},
                  {"line", c->has_line, c->line},
                  {"row", c->has_row, c->row},
                  {"column", c->has_column, c->column},
                  {"paragraph", c->has_paragraph, c->paragraph}};
    put_text(&w, "document", c->document);
    put_text(&w, "sha256", c->sha256);
    put_spans(&w, c);
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        if (places[i].has)
            put_count(&w, places[i].name, places[i].value);
    if (c->pointer.len)
        put_text(&w, "pointer", c->pointer);
    if (c->section.len)
        put_text(&w, "section", c->section);
    put_text(&w, "quote", c->quote);
    if (c->instructs)
        put_bool(&w, "instruction", true);
    return end(&w);
}

static json_t *tried_json(const struct takc_rate_tried *t)
{
    struct writer w = begin();
    put_text(&w, "rate", t->rate);
    put_factor(&w, "factor", t->factor);
    put_number(&w, "coverage", t->coverage, 4);
    put_count(&w, "tokens", t->tokens);
    if (t->why.len)
        put_text(&w, "why", t->why);
    return end(&w);
}

static void put_citations(struct writer *w, const struct takc_query_reply *r)
{
    json_t *list = json_array();
    bool good = list != NULL;
    for (size_t i = 0; good && i < r->n_citations; i++)
        good = append(list, takc_citation_json(&r->citations[i]));
    put(w, "citations", list);
    w->failed = w->failed || !good;
}

static void put_tried(struct writer *w, const struct takc_query_reply *r)
{
    json_t *list = json_array();
    bool good = list != NULL;
    for (size_t i = 0; good && i < r->n_rates_tried; i++)
        good = append(list, tried_json(&r->rates_tried[i]));
    put(w, "rates_tried", list);
    w->failed = w->failed || !good;
}

static json_t *cache_info_json(const struct takc_query_reply *r)
{
    struct writer w = begin();
    put_text_or_null(&w, "compression_rate", r->compression_rate_used);
    put_count(&w, "original_tokens", r->original_tokens);
    put_count(&w, "compressed_tokens", r->compressed_tokens);
    return end(&w);
}

/* The guide repeats two members of the top in its metadata; clients of the sample read them there. */
static json_t *metadata_json(const struct takc_query_reply *r)
{
    struct writer w = begin();
    put_number(&w, "processing_time_ms", r->processing_time_ms, 3);
    put_bool(&w, "cache_hit", r->cache_hit);
    put_text_or_null(&w, "model_used", r->model_used);
    for (size_t i = 0; i < r->n_metadata; i++) {
        if (r->metadata[i].json)
            put(&w, r->metadata[i].name, json_incref(r->metadata[i].json));
        else
            put_text(&w, r->metadata[i].name, r->metadata[i].text);
    }
    return end(&w);
}

json_t *takc_query_reply_json(const struct takc_query_reply *r)
{
    struct writer w = begin();
    put_text(&w, "query", r->query);
    put_text(&w, "response", r->response);
    put_text(&w, "task_type", r->task_type);
    put_text_or_null(&w, "compression_rate_used", r->compression_rate_used);
    put_factor(&w, "factor", r->factor);
    put_text(&w, "mode", r->mode);
    put_bool(&w, "cache_hit", r->cache_hit);
    put(&w, "cache_info", cache_info_json(r));
    put_number(&w, "processing_time_ms", r->processing_time_ms, 3);
    put_number(&w, "confidence", r->confidence, 4);
    put_bool(&w, "abstained", r->abstained);
    put_citations(&w, r);
    put_text_or_null(&w, "version", r->version);
    put_count(&w, "reader_tokens", r->reader_tokens);
    if (r->reader_tokens_limit)
        put_count(&w, "reader_tokens_limit", r->reader_tokens_limit);
    else
        put(&w, "reader_tokens_limit", json_null());
    put_number(&w, "cost_usd", r->cost_usd, 6);
    put_tried(&w, r);
    put_text_or_null(&w, "cache_tier", r->cache_tier);
    put(&w, "metadata", metadata_json(r));
    return end(&w);
}

/* --- errors --- */

const char *takc_error_code(enum takc_status st, enum takc_error_about about)
{
    bool broken = st == TAKC_CORRUPT || st == TAKC_IO || st == TAKC_NOMEM;
    if (st == TAKC_INVALID && about == TAKC_ABOUT_TASK_NAME)
        return "INVALID_TASK_TYPE";
    if (st == TAKC_NOT_FOUND && about == TAKC_ABOUT_CACHE)
        return "CACHE_NOT_FOUND";
    if (about == TAKC_ABOUT_COMPRESS && (broken || st == TAKC_FULL || st == TAKC_REFUSED || st == TAKC_CONFLICT))
        return "COMPRESSION_FAILED";
    return broken ? "INTERNAL_ERROR" : takc_status_name(st);
}

json_t *takc_error_json(const struct takc_error_body *e)
{
    struct writer w = begin(), inner = begin();
    char time[21];
    takc_time_text(e->wall_s, time);
    put_text(&inner, "code", takc_str(e->code));
    put_text(&inner, "message", e->message);
    put(&inner, "details", e->details ? json_incref(e->details) : json_object());
    put(&w, "error", end(&inner));
    put(&w, "request_id", e->request_id ? takc_json_str(takc_str(e->request_id)) : json_null());
    put(&w, "timestamp", takc_json_str(takc_str(time)));
    return end(&w);
}
