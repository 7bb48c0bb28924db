/* SPDX-License-Identifier: Apache-2.0
 *
 * ledger.c - ledger entries to JSON and back. */
#include "pipeline/ledger.h"

#include <stddef.h>
#include <string.h>

const char *takc_fact_name(unsigned i)
{
    static const char *const names[] = {"numbers", "dates", "names", "ids", "negations", "task_words"};
    return i < sizeof(names) / sizeof(names[0]) ? names[i] : NULL;
}

static json_t *facts_json(const struct takc_ledger_entry *e)
{
    json_t *v = json_object();
    for (unsigned k = 0; v && k < TAKC_LEDGER_FACTS; k++)
        if (json_object_set_new(v, takc_fact_name(k),
                                json_pack("{sIsI}", "source", (json_int_t)e->facts_source[k], "kept", (json_int_t)e->facts_kept[k]))) {
            json_decref(v);
            return NULL;
        }
    return v;
}

/* Two decimals are what a factor means. */
static double rounded(double v)
{
    return (double)(int64_t)(v * 100 + 0.5) / 100;
}

static double factor(uint64_t source, uint64_t made)
{
    return made ? (double)source / (double)made : 0;
}

void takc_ledger_measure(struct takc_ledger_entry *e, const struct takc_selection *s, const struct takc_set_size *size)
{
    e->artifact_tokens = (size->mt + 999) / 1000;
    e->artifact_words = size->words;
    e->artifact_bytes = size->bytes;
    e->segments = size->n_units;
    e->shortfall = size->shortfall;
    e->factor_tokens = factor(e->source_tokens, e->artifact_tokens); /* of the counts told beside it */
    e->factor_words = factor(s->source_words, size->words);
    e->factor_bytes = factor(s->source_bytes, size->bytes);
}

/* Members of "generated" that are numbers. */
struct generated_number {
    const char *key;
    size_t at;
};
#define NUMBER(name)                                                                                                                       \
    {                                                                                                                                      \
#name, offsetof(struct takc_ledger_generated, name)                                                                                \
    }
static const struct generated_number generated_numbers[] = {
    NUMBER(windows),       NUMBER(calls),           NUMBER(reused),         NUMBER(repairs),          NUMBER(splits),
    NUMBER(lines_kept),    NUMBER(lines_repaired),  NUMBER(lines_replaced), NUMBER(lines_dropped),    NUMBER(lines_quarantined),
    NUMBER(lines_extract), NUMBER(windows_blocked), NUMBER(windows_empty),  NUMBER(windows_withheld), NUMBER(input_tokens),
    NUMBER(output_tokens)};
#undef NUMBER
enum { GENERATED_NUMBERS = sizeof(generated_numbers) / sizeof(generated_numbers[0]) };

double takc_ledger_usd(uint64_t picodollars)
{
    return (double)picodollars / 1e12;
}

static json_t *generated_json(const struct takc_ledger_generated *g)
{
    json_t *v = json_pack("{ss}", "model", g->model);
    bool good = v != NULL;
    for (size_t i = 0; good && i < GENERATED_NUMBERS; i++) {
        uint64_t n;
        memcpy(&n, (const char *)g + generated_numbers[i].at, sizeof(n));
        good = json_object_set_new(v, generated_numbers[i].key, json_integer((json_int_t)n)) == 0;
    }
    if (good && json_object_set_new(v, "priced", json_boolean(!g->unpriced)) == 0 &&
        json_object_set_new(v, "fallback", json_boolean(g->fallback)) == 0)
        return v;
    json_decref(v);
    return NULL;
}

json_t *takc_ledger_json(const struct takc_ledger_entry *e)
{
    json_t *v = json_pack("{ss sf sf sf sf sI sI sI sI sI sb sI sI}", "rate", e->rate, "factor_asked", rounded(e->factor_asked),
                          "factor_words", rounded(e->factor_words), "factor_bytes", rounded(e->factor_bytes), "factor_tokens",
                          rounded(e->factor_tokens), "source_tokens", (json_int_t)e->source_tokens, "budget_tokens",
                          (json_int_t)e->budget_tokens, "artifact_tokens", (json_int_t)e->artifact_tokens, "artifact_words",
                          (json_int_t)e->artifact_words, "artifact_bytes", (json_int_t)e->artifact_bytes, "shortfall", (int)e->shortfall,
                          "segments", (json_int_t)e->segments, "instructions", (json_int_t)e->instructions);
    if (!v || json_object_set_new(v, "facts", facts_json(e)) || json_object_set_new(v, "ms", json_integer((json_int_t)e->ms)) ||
        (e->generated.used && (json_object_set_new(v, "generated", generated_json(&e->generated)) ||
                               json_object_set_new(v, "cost_usd", json_real(takc_ledger_usd(e->generated.picodollars)))))) {
        json_decref(v);
        return NULL;
    }
    return v;
}

enum takc_status takc_ledger_write(const struct takc_ledger_entry *e, struct takc_buf *out, struct takc_err *err)
{
    json_t *v = takc_ledger_json(e);
    enum takc_status st = v ? takc_json_dump(v, true, out, err) : takc_fail(err, TAKC_NOMEM, 0, "no memory for a ledger");
    json_decref(v);
    return st ? st : takc_buf_byte(out, '\n', err);
}

static enum takc_status read_facts(const json_t *facts, struct takc_ledger_entry *out, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (unsigned k = 0; !st && k < TAKC_LEDGER_FACTS; k++) {
        const json_t *one = json_object_get(facts, takc_fact_name(k));
        st = takc_json_get_u64(one, "source", &out->facts_source[k], err);
        if (!st)
            st = takc_json_get_u64(one, "kept", &out->facts_kept[k], err);
    }
    return st;
}

/* Where a model was to write. */
static enum takc_status read_generated(const json_t *v, struct takc_ledger_generated *out, struct takc_err *err)
{
    const json_t *g = json_object_get(v, "generated");
    struct takc_str model = takc_json_get_str(g, "model");
    double usd = json_number_value(json_object_get(v, "cost_usd"));
    enum takc_status st = TAKC_OK;
    if (!g)
        return TAKC_OK;
    if (model.len >= sizeof(out->model) || !(usd >= 0 && usd < 1e6))
        return takc_fail(err, TAKC_CORRUPT, 0, "ledger: a model or its cost that cannot be");
    if (model.len)
        memcpy(out->model, model.ptr, model.len);
    for (size_t i = 0; i < GENERATED_NUMBERS && !st; i++) {
        uint64_t n = 0;
        st = takc_json_get_u64(g, generated_numbers[i].key, &n, err);
        memcpy((char *)out + generated_numbers[i].at, &n, sizeof(n));
    }
    out->used = true;
    out->picodollars = (uint64_t)(usd * 1e12 + 0.5);
    out->unpriced = !json_is_true(json_object_get(g, "priced"));
    out->fallback = json_is_true(json_object_get(g, "fallback"));
    return st;
}

/* A factor that can have been written: not negative, and small enough that its hundredths are whole numbers. */
static bool read_factor(const json_t *v, const char *key, double *out)
{
    const json_t *member = json_object_get(v, key);
    *out = json_number_value(member);
    return json_is_number(member) && *out >= 0 && *out < 1e12;
}

enum takc_status takc_ledger_parse(struct takc_str text, struct takc_ledger_entry *out, struct takc_err *err)
{
    json_t *v = NULL;
    *out = (struct takc_ledger_entry){0};
    enum takc_status st = takc_json_parse(text, &v, err);
    if (st)
        return st == TAKC_NOMEM ? st : takc_fail(err, TAKC_CORRUPT, 0, "ledger is no JSON");
    struct takc_str rate = takc_json_get_str(v, "rate");
    bool good = rate.len > 0 && rate.len < sizeof(out->rate);
    if (good)
        memcpy(out->rate, rate.ptr, rate.len);
    const struct {
        const char *key;
        uint64_t *to;
    } numbers[] = {{"source_tokens", &out->source_tokens},     {"budget_tokens", &out->budget_tokens},
                   {"artifact_tokens", &out->artifact_tokens}, {"artifact_words", &out->artifact_words},
                   {"artifact_bytes", &out->artifact_bytes},   {"segments", &out->segments},
                   {"instructions", &out->instructions},       {"ms", &out->ms}};
    for (size_t i = 0; !st && i < sizeof(numbers) / sizeof(numbers[0]); i++)
        st = takc_json_get_u64(v, numbers[i].key, numbers[i].to, err);
    good = good && read_factor(v, "factor_asked", &out->factor_asked) && read_factor(v, "factor_words", &out->factor_words) &&
           read_factor(v, "factor_bytes", &out->factor_bytes) && read_factor(v, "factor_tokens", &out->factor_tokens);
    out->shortfall = json_is_true(json_object_get(v, "shortfall"));
    if (!st)
        st = read_facts(json_object_get(v, "facts"), out, err);
    if (!st)
        st = read_generated(v, &out->generated, err);
    json_decref(v);
    return st || !good ? takc_fail(err, TAKC_CORRUPT, 0, "ledger: a member is missing or wrong") : TAKC_OK;
}
