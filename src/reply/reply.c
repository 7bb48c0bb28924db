/* SPDX-License-Identifier: Apache-2.0
 *
 * reply.c - results into JSON. A small writer carries "no memory" through, so that each reply reads as the list of its members. */
#include "reply/reply.h"
#include "base/clock.h"

#include <math.h>

/* x rounded to this many decimals as the nearest double, so that it prints short: 37.2, 0.8125. Not a number and infinite give 0. */
static double rounded(double x, unsigned decimals)
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
    put(w, name, json_real(rounded(x, decimals)));
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

/* Picodollars as dollars. */
static void put_money(struct writer *w, const char *name, uint64_t picodollars)
{
    put_number(w, name, (double)picodollars / 1e12, 12);
}

/* Takes v; false when it could not be added. */
static bool append(json_t *array, json_t *v)
{
    return v && json_array_append_new(array, v) == 0;
}

/* --- query --- */

/* Takes list; NULL unless all items could be added. */
static json_t *list_or_null(json_t *list, bool good)
{
    if (good)
        return list;
    json_decref(list);
    return NULL;
}

static json_t *span_json(const struct takc_cited_span *s)
{
    struct writer w = begin();
    put_count(&w, "start", s->start);
    put_count(&w, "end", s->end);
    if (s->has_source) {
        put_count(&w, "source_start", s->source_start);
        put_count(&w, "source_end", s->source_end);
    } else {
        put(&w, "source_start", json_null());
        put(&w, "source_end", json_null());
    }
    return end(&w);
}

static json_t *spans_json(const struct takc_cited *c)
{
    json_t *list = json_array();
    bool good = list != NULL;
    for (size_t i = 0; good && i < c->n_spans; i++)
        good = append(list, span_json(&c->spans[i]));
    return list_or_null(list, good);
}

static json_t *citation_json(const struct takc_cited *c)
{
    struct writer w = begin();
    const struct {
        const char *name;
        uint32_t n;
    } places[] = {{"page", c->page}, {"line", c->line}, {"row", c->row}, {"column", c->column}, {"paragraph", c->paragraph}};
    put_text(&w, "document", c->document);
    put_text(&w, "sha256", c->sha256);
    put(&w, "spans", spans_json(c));
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        if (places[i].n)
            put_count(&w, places[i].name, places[i].n);
    if (c->pointer.len)
        put_text(&w, "pointer", c->pointer);
    if (c->section.len)
        put_text(&w, "section", c->section);
    put_text(&w, "quote", c->quote);
    if (c->instructs)
        put_bool(&w, "instruction", true);
    return end(&w);
}

static json_t *citations_json(const struct takc_query_result *r)
{
    json_t *list = json_array();
    bool good = list != NULL;
    for (size_t i = 0; good && i < r->n_citations; i++)
        good = append(list, citation_json(&r->citations[i]));
    return list_or_null(list, good);
}

static json_t *one_tried_json(const struct takc_tried_rate *t)
{
    struct writer w = begin();
    put_text(&w, "rate", takc_str(t->rate));
    put_factor(&w, "factor", t->factor);
    if (t->coverage >= 0)
        put_number(&w, "coverage", t->coverage, 4);
    else
        put(&w, "coverage", json_null());
    put_count(&w, "tokens", t->tokens);
    if (t->priced) {
        put_money(&w, "price_usd", t->picodollars);
        put_bool(&w, "cached", t->cached);
        put_bool(&w, "taken", t->taken);
    }
    return end(&w);
}

static json_t *tried_json(const struct takc_query_result *r)
{
    json_t *list = json_array();
    bool good = list != NULL;
    for (size_t i = 0; good && i < r->n_tried; i++)
        good = append(list, one_tried_json(&r->tried[i]));
    return list_or_null(list, good);
}

static json_t *cache_info_json(const struct takc_query_result *r)
{
    struct writer w = begin();
    put_text_or_null(&w, "compression_rate", takc_str(r->rate));
    put_count(&w, "original_tokens", r->source_tokens);
    put_count(&w, "compressed_tokens", r->tokens);
    return end(&w);
}

static json_t *missing_json(const struct takc_query_result *r)
{
    json_t *list = json_array();
    bool good = list != NULL;
    for (size_t i = 0; good && i < r->n_missing; i++)
        good = append(list, takc_json_str(r->missing[i]));
    return list_or_null(list, good);
}

static json_t *reader_json(const struct takc_query_result *r)
{
    struct writer w = begin();
    put_number(&w, "coverage", r->coverage, 4);
    put_count(&w, "lines", r->n_lines);
    put_count(&w, "prefix_tokens", r->prefix_tokens);
    return end(&w);
}

static json_t *usage_json(const struct takc_model_answer *a)
{
    struct writer w = begin();
    put_count(&w, "input_tokens", a->input);
    put_count(&w, "output_tokens", a->output);
    put_count(&w, "cache_read_tokens", a->cache_read);
    put_count(&w, "cache_write_tokens", a->cache_write);
    put_bool(&w, "counted_here", a->counted_here);
    return end(&w);
}

static json_t *unresolved_json(const struct takc_model_answer *a)
{
    json_t *list = json_array();
    bool good = list != NULL;
    for (size_t i = 0; good && i < a->n_unresolved; i++)
        good = append(list, json_integer(a->unresolved[i]));
    return list_or_null(list, good);
}

static json_t *unsupported_json(const struct takc_model_answer *a)
{
    json_t *list = json_array();
    bool good = list != NULL;
    for (size_t i = 0; good && i < a->n_unsupported; i++)
        good = append(list, takc_json_str(a->unsupported[i]));
    return list_or_null(list, good);
}

/* What a model said, and how. */
static json_t *answer_json(const struct takc_model_answer *a)
{
    struct writer w = begin();
    put_text(&w, "provider", a->provider);
    put_text_or_null(&w, "request_id", a->request_id);
    put_text(&w, "stop", a->stop);
    put(&w, "usage", usage_json(a));
    put_count(&w, "tries", a->tries);
    put_bool(&w, "priced", a->priced);
    put_bool(&w, "fallback", a->fallback);
    put_bool(&w, "blocked", a->blocked);
    put_bool(&w, "cut", a->cut);
    put_bool(&w, "cache_hit", a->cache_hit);
    put_count(&w, "marks", a->n_marks);
    put(&w, "unresolved_marks", unresolved_json(a));
    put_count(&w, "facts", a->n_facts);
    put(&w, "unsupported_facts", unsupported_json(a));
    put_count(&w, "left_out", a->n_left_out);
    return end(&w);
}

/* The guide repeats two members of the top in its metadata; clients of the sample read them there. */
static json_t *metadata_json(const struct takc_query_result *r, bool with_context)
{
    struct writer w = begin();
    put_number(&w, "processing_time_ms", (double)r->ms, 3);
    put_bool(&w, "cache_hit", true);
    put_text_or_null(&w, "model_used", r->answer.model);
    put_text(&w, "prompt_kind", takc_str(r->prompt_kind));
    put_text(&w, "complexity", takc_str(r->complexity));
    put_text(&w, "tokenizer", r->tokenizer);
    put(&w, "missing_words", missing_json(r));
    put(&w, "reader", reader_json(r));
    if (r->answer.asked)
        put(&w, "answer", answer_json(&r->answer));
    if (r->route.len)
        put_text(&w, "route", r->route);
    put_text(&w, "notes", r->notes);
    if (with_context)
        put_text(&w, "context", r->context);
    return end(&w);
}

/* Artifacts and the index are read from the object store: what the guide asks about caches and tiers says so. The cost is the answer's. */
json_t *takc_query_reply_json(const struct takc_query_reply *reply)
{
    const struct takc_query_result *r = reply->result;
    struct writer w = begin();
    put_text(&w, "query", reply->query);
    put_text(&w, "response", r->response);
    put_text(&w, "task_type", reply->task_type);
    put_text_or_null(&w, "compression_rate_used", takc_str(r->rate));
    put_factor(&w, "factor", r->factor);
    put_text(&w, "mode", takc_str(takc_mode_name(r->mode)));
    put_bool(&w, "cache_hit", true);
    put(&w, "cache_info", cache_info_json(r));
    put_number(&w, "processing_time_ms", (double)r->ms, 3);
    put_number(&w, "confidence", r->confidence, 4);
    put_bool(&w, "abstained", r->abstained);
    put(&w, "citations", citations_json(r));
    put_text_or_null(&w, "version", r->version);
    put_count(&w, "reader_tokens", r->tokens);
    if (r->limit_tokens)
        put_count(&w, "reader_tokens_limit", r->limit_tokens);
    else
        put(&w, "reader_tokens_limit", json_null());
    put_money(&w, "cost_usd", r->answer.picodollars);
    put(&w, "rates_tried", tried_json(r));
    put_text(&w, "cache_tier", takc_str("object"));
    put(&w, "metadata", metadata_json(r, reply->with_context));
    return end(&w);
}

/* --- errors --- */

struct takc_str takc_error_told(enum takc_status st, const struct takc_err *err)
{
    switch (st) {
    case TAKC_CORRUPT:
    case TAKC_IO:
    case TAKC_FULL:
    case TAKC_NOMEM:
        return takc_str("the server could not do this; its log says why, under this request_id");
    case TAKC_DENIED:
    case TAKC_UNTRUSTED:
    case TAKC_NO_MODEL:
    case TAKC_UPSTREAM:
        return takc_str("the model's service did not answer as it should; the server's log says why, under this request_id");
    case TAKC_LIMITED:
        return takc_str("there are too many requests just now; ask again later");
    case TAKC_COST: /* a cap of ours: what others have spent is not told */
        return takc_str(
            "what models may cost here is reached: cost.max_usd and cost.monthly_cap_usd are the server's to raise, and its log "
            "says which it was");
    case TAKC_TIMEOUT:
        return takc_str("the time for this request was up; ask for less, or again later");
    default:
        return takc_str(err && err->msg[0] ? err->msg : takc_status_text(st));
    }
}

const char *takc_error_code(enum takc_status st, enum takc_error_about about)
{
    bool broken = st == TAKC_CORRUPT || st == TAKC_IO || st == TAKC_NOMEM;
    if (st == TAKC_INVALID && about == TAKC_ABOUT_TASK_NAME)
        return "INVALID_TASK_TYPE";
    if (st == TAKC_NOT_FOUND && about == TAKC_ABOUT_CACHE)
        return "CACHE_NOT_FOUND";
    if (about == TAKC_ABOUT_COMPRESS && (broken || st == TAKC_FULL || st == TAKC_REFUSED || st == TAKC_CONFLICT))
        return "COMPRESSION_FAILED";
    if (st == TAKC_LIMITED)
        return "RATE_LIMIT_EXCEEDED";
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
