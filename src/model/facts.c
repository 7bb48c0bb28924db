/* SPDX-License-Identifier: Apache-2.0
 *
 * facts.c - reads the table of models and finds in it. One walk over a mapping, one table of keys, as in task/profile.c; an entry starts
 * from the one of the same provider and id that is there already, so that a user's file says only what differs. */
#include "model/facts.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/nearest.h"
#include "base/yaml.h"

#include <stdio.h>

enum {
    ROWS_MAX = 4096,
    TOKENS_MAX = 100000000,
    UNKNOWN_WINDOW = 8192,
    TEXT_MAX = 1024,
    ACCEPTS_ALL = TAKC_ACCEPTS_TEMPERATURE | TAKC_ACCEPTS_TOP_P | TAKC_ACCEPTS_STOPS | TAKC_ACCEPTS_SYSTEM
};
#define PRICE_MAX UINT64_C(1000000000000) /* a million dollars a million tokens: a slip of the pen */

static const unsigned char shipped[] = {
#include "models_yaml.inc"
};

struct reader {
    struct takc_yaml yaml;
    struct takc_facts_table *t;
    struct takc_model_facts row; /* the one being read */
    unsigned seen;               /* keys of this row, by bit */
};

typedef enum takc_status field_fn(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err);
struct field {
    const char *name;
    field_fn *read;
};

static enum takc_status keep(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_str *out, struct takc_err *err)
{
    struct takc_str s;
    enum takc_status st = takc_yaml_text(&r->yaml, v, what, TEXT_MAX, &s, err);
    if (st)
        return st;
    *out = takc_arena_dup(&r->t->arena, s);
    return out->ptr ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "%s: no memory for models", r->yaml.file);
}

static enum takc_status read_u32(struct reader *r, const struct takc_yaml_item *v, const char *what, uint32_t max, uint32_t *out,
                                 struct takc_err *err)
{
    uint64_t n;
    enum takc_status st = takc_yaml_u64(&r->yaml, v, what, 0, max, &n, err);
    if (!st)
        *out = (uint32_t)n;
    return st;
}

/* --- the keys --- */

static enum takc_status window_of(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    return read_u32(r, v, what, TOKENS_MAX, &r->row.window, err);
}

static enum takc_status max_output_of(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    return read_u32(r, v, what, TOKENS_MAX, &r->row.max_output, err);
}

static enum takc_status cache_min_of(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    return read_u32(r, v, what, TOKENS_MAX, &r->row.cache_min, err);
}

static enum takc_status cache_points_of(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    return read_u32(r, v, what, 16, &r->row.cache_points, err);
}

static enum takc_status batch_of(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    return read_u32(r, v, what, 100, &r->row.batch_percent, err);
}

static enum takc_status both_of(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    return takc_yaml_bool(&r->yaml, v, what, &r->row.both_samplings, err);
}

static enum takc_status price_date_of(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    int32_t days;
    enum takc_status st = keep(r, v, what, &r->row.price_date, err);
    return st ? st : takc_yaml_at(&r->yaml, v, takc_date_parse(r->row.price_date.ptr, r->row.price_date.len, &days, err), err);
}

static enum takc_status price_from_of(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    return keep(r, v, what, &r->row.price_from, err);
}

static enum takc_status body_of(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    static const char *const bodies[] = {"converse", "claude", "titan", "llama", "nova"};
    enum takc_status st = keep(r, v, what, &r->row.body, err);
    for (size_t i = 0; !st && i < sizeof(bodies) / sizeof(bodies[0]); i++)
        if (takc_str_is(r->row.body, bodies[i]))
            return TAKC_OK;
    return st ? st : takc_yaml_fail(&r->yaml, v, err, "%s: converse, claude, titan, llama or nova is expected", what);
}

static enum takc_status accepts_of(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    static const char *const names[] = {"temperature", "top_p", "stops", "system"}; /* in the order of the bits */
    struct takc_yaml_item item;
    enum takc_status st;
    if (v->kind != TAKC_YAML_LIST)
        return takc_yaml_fail(&r->yaml, v, err, "%s: a list is expected", what);
    r->row.accepts = 0;
    while (!(st = takc_yaml_next(&r->yaml, &item, err)) && item.kind != TAKC_YAML_LIST_END) {
        size_t i = 0;
        while (i < 4 && !(item.kind == TAKC_YAML_SCALAR && takc_str_is(item.text, names[i])))
            i++;
        if (i == 4)
            return takc_yaml_fail(&r->yaml, &item, err, "%s: temperature, top_p, stops or system is expected", what);
        r->row.accepts |= 1u << i;
    }
    return st;
}

/* Dollars a million tokens with at most six digits behind the point: then a token costs whole picodollars. */
static bool price_parse(struct takc_str s, uint64_t *out)
{
    size_t dot = takc_str_find_byte(s, '.', 0);
    struct takc_str whole = takc_str_slice(s, 0, dot == SIZE_MAX ? s.len : dot);
    struct takc_str part = dot == SIZE_MAX ? takc_str("0") : takc_str_slice(s, dot + 1, s.len);
    uint64_t n, f;
    if (part.len > 6 || takc_str_u64(whole, PRICE_MAX / 1000000u, &n, NULL) || takc_str_u64(part, 999999, &f, NULL))
        return false;
    for (size_t i = part.len; i < 6; i++)
        f *= 10;
    *out = n * 1000000u + f;
    return true;
}

static enum takc_status read_price(struct reader *r, const struct takc_yaml_item *v, uint64_t *out, struct takc_err *err)
{
    if (v->kind != TAKC_YAML_SCALAR || !v->plain || !price_parse(v->text, out))
        return takc_yaml_fail(&r->yaml, v, err, "price: dollars per million tokens are expected, as 0.25, with at most six digits");
    return TAKC_OK;
}

/* What is not said of the cache costs what input costs. */
static enum takc_status price_of(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    static const char *const names[] = {"input", "output", "cache_read", "cache_write"};
    uint64_t *const prices[] = {&r->row.price_input, &r->row.price_output, &r->row.price_cache_read, &r->row.price_cache_write};
    unsigned said = 0;
    struct takc_yaml_item k, item;
    enum takc_status st;
    if (v->kind != TAKC_YAML_MAP)
        return takc_yaml_fail(&r->yaml, v, err, "%s: a mapping is expected", what);
    while (!(st = takc_yaml_next(&r->yaml, &k, err)) && k.kind != TAKC_YAML_MAP_END) {
        size_t i = 0;
        while (i < 4 && !(k.kind == TAKC_YAML_SCALAR && takc_str_is(k.text, names[i])))
            i++;
        if (i == 4 || (said & 1u << i))
            return takc_yaml_fail(&r->yaml, &k, err, "%s: input, output, cache_read and cache_write are expected, each once", what);
        if ((st = takc_yaml_next(&r->yaml, &item, err)) || (st = read_price(r, &item, prices[i], err)))
            return st;
        said |= 1u << i;
    }
    if (!st && (said & 3) != 3)
        return takc_yaml_fail(&r->yaml, v, err, "%s: input and output are both needed", what);
    for (size_t i = 2; !st && i < 4; i++)
        *prices[i] = said & 1u << i ? *prices[i] : r->row.price_input;
    r->row.has_price = true;
    return st;
}

static const struct field fields[] = {
    {"window", window_of},         {"max_output", max_output_of},     {"accepts", accepts_of}, {"both_samplings", both_of},
    {"cache_min", cache_min_of},   {"cache_points", cache_points_of}, {"price", price_of},     {"batch_percent", batch_of},
    {"price_date", price_date_of}, {"price_from", price_from_of},     {"body", body_of}};
enum { N_FIELDS = sizeof(fields) / sizeof(fields[0]) };

/* --- rows --- */

static struct takc_model_facts unknown_model(struct takc_str provider, struct takc_str id)
{
    return (struct takc_model_facts){.id = id,
                                     .provider = provider,
                                     .window = UNKNOWN_WINDOW,
                                     .accepts = ACCEPTS_ALL,
                                     .both_samplings = true,
                                     .body = takc_str("converse")};
}

static struct takc_model_facts *row_of(struct takc_facts_table *t, struct takc_str provider, struct takc_str id)
{
    for (size_t i = 0; i < t->n; i++)
        if (takc_str_eq(t->rows[i].provider, provider) && takc_str_eq(t->rows[i].id, id))
            return &t->rows[i];
    return NULL;
}

/* id and provider come first in an entry, in this order: they decide what the rest is laid over. */
static enum takc_status read_name(struct reader *r, const char *key, struct takc_str *out, struct takc_err *err)
{
    struct takc_yaml_item k, v;
    enum takc_status st = takc_yaml_next(&r->yaml, &k, err);
    if (!st && (k.kind != TAKC_YAML_SCALAR || !takc_str_is(k.text, key)))
        return takc_yaml_fail(&r->yaml, &k, err, "an entry begins with id, then provider; here %s is expected", key);
    if (!st)
        st = takc_yaml_next(&r->yaml, &v, err);
    if (!st)
        st = keep(r, &v, key, out, err);
    return !st && out->len == 0 ? takc_yaml_fail(&r->yaml, &v, err, "%s is empty", key) : st;
}

static enum takc_status unknown_key(struct reader *r, const struct takc_yaml_item *k, struct takc_err *err)
{
    struct takc_nearest near = {0};
    char hint[TAKC_NEAREST_MAX + 24];
    for (size_t i = 0; k->kind == TAKC_YAML_SCALAR && i < N_FIELDS; i++)
        takc_nearest_offer(&near, k->text, fields[i].name);
    takc_nearest_text(&near, hint);
    return takc_yaml_fail(&r->yaml, k, err, "unknown key%s", hint);
}

static enum takc_status read_field(struct reader *r, const struct takc_yaml_item *k, struct takc_err *err)
{
    struct takc_yaml_item v;
    size_t i = 0;
    while (i < N_FIELDS && !(k->kind == TAKC_YAML_SCALAR && takc_str_is(k->text, fields[i].name)))
        i++;
    if (i == N_FIELDS)
        return unknown_key(r, k, err);
    if (r->seen & 1u << i)
        return takc_yaml_fail(&r->yaml, k, err, "%s is there twice", fields[i].name);
    r->seen |= 1u << i;
    enum takc_status st = takc_yaml_next(&r->yaml, &v, err);
    return st ? st : fields[i].read(r, &v, fields[i].name, err);
}

static enum takc_status put_row(struct reader *r, struct takc_err *err)
{
    struct takc_facts_table *t = r->t;
    struct takc_model_facts *there = row_of(t, r->row.provider, r->row.id);
    enum takc_status st = there ? TAKC_OK : takc_grow(&t->rows, &t->cap, t->n + 1, sizeof(*t->rows), err);
    if (!st)
        *(there ? there : &t->rows[t->n++]) = r->row;
    return st;
}

static enum takc_status read_row(struct reader *r, const struct takc_yaml_item *at, struct takc_err *err)
{
    struct takc_str id = {NULL, 0}, provider = {NULL, 0};
    struct takc_yaml_item k;
    if (at->kind != TAKC_YAML_MAP)
        return takc_yaml_fail(&r->yaml, at, err, "models: a mapping is expected");
    if (r->t->n >= ROWS_MAX)
        return takc_yaml_fail(&r->yaml, at, err, "more than %d models", (int)ROWS_MAX);
    enum takc_status st = read_name(r, "id", &id, err);
    if (st || (st = read_name(r, "provider", &provider, err)))
        return st;
    const struct takc_model_facts *there = row_of(r->t, provider, id);
    r->row = there ? *there : unknown_model(provider, id);
    r->row.known = true;
    r->seen = 0;
    while (!(st = takc_yaml_next(&r->yaml, &k, err)) && k.kind != TAKC_YAML_MAP_END)
        if ((st = read_field(r, &k, err)))
            return st;
    return st ? st : put_row(r, err);
}

static enum takc_status read_rows(struct reader *r, struct takc_err *err)
{
    struct takc_yaml_item v;
    enum takc_status st = takc_yaml_next(&r->yaml, &v, err);
    if (!st && v.kind != TAKC_YAML_LIST)
        return takc_yaml_fail(&r->yaml, &v, err, "models: a list is expected");
    while (!st && !(st = takc_yaml_next(&r->yaml, &v, err)) && v.kind != TAKC_YAML_LIST_END)
        st = read_row(r, &v, err);
    return st;
}

static enum takc_status read_file(struct reader *r, struct takc_err *err)
{
    struct takc_yaml_item v;
    bool seen = false;
    enum takc_status st = takc_yaml_next(&r->yaml, &v, err);
    if (st || v.kind == TAKC_YAML_END)
        return st;
    if (v.kind != TAKC_YAML_MAP)
        return takc_yaml_fail(&r->yaml, &v, err, "a mapping with the key models is expected");
    while (!(st = takc_yaml_next(&r->yaml, &v, err)) && v.kind != TAKC_YAML_MAP_END) {
        if (seen || v.kind != TAKC_YAML_SCALAR || !takc_str_is(v.text, "models"))
            return takc_yaml_fail(&r->yaml, &v, err, "only the key models is expected, once");
        seen = true;
        if ((st = read_rows(r, err)))
            return st;
    }
    return st ? st : takc_yaml_next(&r->yaml, &v, err);
}

enum takc_status takc_facts_read(struct takc_facts_table *t, struct takc_str yaml, const char *file, struct takc_err *err)
{
    struct reader r = {.t = t};
    enum takc_status st = takc_yaml_open(&r.yaml, yaml, file, err);
    if (st)
        return st;
    st = read_file(&r, err);
    takc_yaml_close(&r.yaml);
    return st;
}

enum takc_status takc_facts_load(struct takc_facts_table *t, const char *path, struct takc_err *err)
{
    *t = (struct takc_facts_table){0};
    takc_arena_init(&t->arena);
    enum takc_status st = takc_facts_read(t, takc_str_n((const char *)shipped, sizeof(shipped)), "models.yaml", err);
    if (st || !path)
        return st;
    struct takc_buf text;
    takc_buf_init(&text, TAKC_YAML_MAX_BYTES);
    st = takc_file_read(path, &text, err);
    if (!st)
        st = takc_facts_read(t, takc_buf_str(&text), path, err);
    takc_buf_clear(&text);
    return st;
}

void takc_facts_clear(struct takc_facts_table *t)
{
    takc_free(t->rows);
    takc_arena_clear(&t->arena);
    t->rows = NULL;
    t->n = t->cap = 0;
}

/* --- finding --- */

/* "arn:...:foundation-model/ID" is ID, "us.ID" is ID. Ids of a deployment or a job behind an ARN stay what they are: unknown. */
static struct takc_str plain_id(struct takc_str id)
{
    static const char *const prefixes[] = {"us.", "eu.", "apac.", "global.", "us-gov.", "jp.", "au.", "ca."};
    for (size_t i = id.len; takc_str_starts(id, takc_str("arn:")) && i > 0; i--)
        if (id.ptr[i - 1] == '/')
            id = takc_str_slice(id, i, id.len);
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (takc_str_starts(id, takc_str(prefixes[i])))
            return takc_str_slice(id, strlen(prefixes[i]), id.len);
    return id;
}

/* How well a row's id fits: 0 not at all, SIZE_MAX exactly, else the length of what stands before its '*', and one. */
static size_t fit(struct takc_str pattern, struct takc_str id)
{
    if (takc_str_eq(pattern, id))
        return SIZE_MAX;
    if (!takc_str_ends(pattern, takc_str("*")))
        return 0;
    return takc_str_starts(id, takc_str_slice(pattern, 0, pattern.len - 1)) ? pattern.len : 0;
}

static const struct takc_model_facts *best(const struct takc_facts_table *t, struct takc_str provider, struct takc_str id)
{
    const struct takc_model_facts *found = NULL;
    size_t most = 0;
    for (size_t i = 0; i < t->n; i++) {
        size_t f = takc_str_eq(t->rows[i].provider, provider) ? fit(t->rows[i].id, id) : 0;
        if (f > most) {
            most = f;
            found = &t->rows[i];
        }
    }
    return found;
}

struct takc_model_facts takc_facts_find(const struct takc_facts_table *t, struct takc_str provider, struct takc_str id)
{
    const struct takc_model_facts *row = best(t, provider, id);
    struct takc_str plain = plain_id(id);
    if (!takc_str_eq(plain, id) && (!row || takc_str_ends(row->id, takc_str("*")))) {
        const struct takc_model_facts *through = best(t, provider, plain);
        row = through ? through : row;
    }
    return row ? *row : unknown_model(provider, id);
}

/* --- money --- */

uint64_t takc_facts_cost(const struct takc_model_facts *f, const struct takc_usage *u, bool batch)
{
    unsigned __int128 sum = (unsigned __int128)u->input * f->price_input + (unsigned __int128)u->output * f->price_output +
                            (unsigned __int128)u->cache_read * f->price_cache_read +
                            (unsigned __int128)u->cache_write * f->price_cache_write;
    if (batch && f->batch_percent)
        sum = sum * f->batch_percent / 100;
    return sum > UINT64_MAX ? UINT64_MAX : (uint64_t)sum;
}

uint64_t takc_price_age_days(struct takc_str date, int64_t now_s)
{
    enum { DAY_S = 86400 };
    int32_t days;
    if (!date.len || takc_date_parse(date.ptr, date.len, &days, NULL) || now_s / DAY_S <= days)
        return 0;
    return (uint64_t)(now_s / DAY_S - days);
}

void takc_price_date_text(struct takc_str date, int64_t now_s, char out[96])
{
    uint64_t age = takc_price_age_days(date, now_s);
    if (!date.len)
        (void)snprintf(out, 96, "an unknown day: check them");
    else if (age > TAKC_PRICE_OLD_DAYS)
        (void)snprintf(out, 96, "%.*s, %llu days ago: they may have changed, check them", TAKC_STR_ARG(date), (unsigned long long)age);
    else
        (void)snprintf(out, 96, "%.*s: check them", TAKC_STR_ARG(date));
}

void takc_money_text(uint64_t picodollars, char out[32])
{
    const uint64_t dollar = UINT64_C(1000000000000);
    unsigned digits = 2;
    uint64_t step = dollar / 100; /* of the last digit shown */
    while (digits < 8 && picodollars && picodollars / step < 100) {
        step /= 10;
        digits++;
    }
    uint64_t up = picodollars % step >= step / 2 && picodollars % step ? step : 0;
    uint64_t shown = picodollars - picodollars % step;
    shown = shown > UINT64_MAX - up ? shown : shown + up;
    if (picodollars && shown == 0)
        (void)snprintf(out, 32, "<$0.00000001");
    else
        (void)snprintf(out, 32, "$%llu.%0*llu", (unsigned long long)(shown / dollar), (int)digits,
                       (unsigned long long)(shown % dollar / step));
}
