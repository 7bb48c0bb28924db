/* SPDX-License-Identifier: Apache-2.0
 *
 * profile.c - reads tasks/{task}.yaml (docs/formats/profile.md).
 *
 * Each mapping has a table of its keys; the walk over a mapping is one function: it refuses unknown keys (with the nearest known one) and
 * repeated ones, and calls the key's reader. All texts are copied to one buffer that is made large enough at the start, so that views into
 * it stay where they are. What is left out: inheritance between profiles, includes, variables. */
#include "base/nearest.h"
#include "base/yaml.h"
#include "task/profile_fields.h"

#include <stdio.h>

const char *const takc_must_keep_names[TAKC_FACT_KINDS] = {"numbers", "dates", "names", "ids", "negations", "words"};
static const char *const tokenizers[] = {"estimate"}; /* beside bpe:PATH */
static const char *const providers[] = {"bedrock", "openai", "llama", "fake"};

struct reader {
    struct takc_yaml yaml;
    struct takc_profile *p;
    struct takc_example *example; /* the one being read */
    struct takc_yaml_item overlap_at;
    const char *path; /* of the mapping being read, with a dot behind: "chunking." */
};

typedef enum takc_status field_fn(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err);
struct field {
    const char *name;
    field_fn *read;
};

/* Copies into the store, with a NUL behind. The store was made large enough: running out of it would be our bug, and says so. */
static enum takc_status keep(struct takc_profile *p, struct takc_str s, struct takc_str *out, struct takc_err *err)
{
    if (p->store.len + s.len + 2 > p->store.cap)
        return takc_fail(err, TAKC_INVALID, 0, "the profile's texts are too long");
    size_t at = p->store.len;
    enum takc_status st = takc_buf_add(&p->store, s, err);
    if (!st)
        st = takc_buf_byte(&p->store, '\0', err);
    if (!st)
        *out = takc_str_n(p->store.ptr + at, s.len);
    return st;
}

static enum takc_status read_map(struct reader *r, const struct takc_yaml_item *v, const char *path, const struct field *fields, size_t n,
                                 struct takc_err *err);

static enum takc_status keep_text(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_str *out,
                                  struct takc_err *err)
{
    struct takc_str s;
    enum takc_status st = takc_yaml_text(&r->yaml, v, what, PROFILE_TEXT_MAX, &s, err);
    return st ? st : takc_yaml_at(&r->yaml, v, keep(r->p, s, out, err), err);
}

/* Calls one(item) for each scalar of a list. */
static enum takc_status read_list(struct reader *r, const struct takc_yaml_item *v, const char *what, field_fn *one, struct takc_err *err)
{
    if (v->kind != TAKC_YAML_LIST)
        return takc_yaml_fail(&r->yaml, v, err, "%s: a list is expected", what);
    struct takc_yaml_item item;
    enum takc_status st;
    while (!(st = takc_yaml_next(&r->yaml, &item, err)) && item.kind != TAKC_YAML_LIST_END)
        if ((st = one(r, &item, what, err)))
            return st;
    return st;
}

static enum takc_status read_u32(struct reader *r, const struct takc_yaml_item *v, const char *what, uint32_t min, uint32_t max,
                                 uint32_t *out, struct takc_err *err)
{
    uint64_t n;
    enum takc_status st = takc_yaml_u64(&r->yaml, v, what, min, max, &n, err);
    if (!st)
        *out = (uint32_t)n;
    return st;
}

/* --- the keys, in the order of the file that `takc init` writes --- */

static enum takc_status description_of(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    return keep_text(r, v, what, &r->p->description, err);
}

static enum takc_status input_of(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    return keep_text(r, v, what, &r->example->input, err);
}

static enum takc_status output_of(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    return keep_text(r, v, what, &r->example->output, err);
}

static const struct field example_fields[] = {{"input", input_of}, {"output", output_of}};

static enum takc_status example_of(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    if (r->p->n_examples == TAKC_PROFILE_EXAMPLES_MAX)
        return takc_yaml_fail(&r->yaml, v, err, "%s: more than %d", what, (int)TAKC_PROFILE_EXAMPLES_MAX);
    r->example = &r->p->examples[r->p->n_examples];
    enum takc_status st = read_map(r, v, "examples.", example_fields, 2, err);
    if (st)
        return st;
    if (!r->example->input.len || !r->example->output.len)
        return takc_yaml_fail(&r->yaml, v, err, "%s: input and output are both needed", what);
    r->p->n_examples++;
    return TAKC_OK;
}

static enum takc_status examples_of(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    return read_list(r, v, what, example_of, err);
}

static enum takc_status must_keep_one(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    struct takc_str s;
    enum takc_status st = takc_yaml_text(&r->yaml, v, what, TAKC_NEAREST_MAX, &s, err);
    if (st)
        return st;
    struct takc_nearest near = {0};
    for (unsigned k = 0; k < TAKC_FACT_KINDS; k++) {
        takc_nearest_offer(&near, s, takc_must_keep_names[k]);
        if (!takc_str_is(s, takc_must_keep_names[k]))
            continue;
        if (r->p->must_keep & 1u << k)
            return takc_yaml_fail(&r->yaml, v, err, "%s: %s is there twice", what, takc_must_keep_names[k]);
        r->p->must_keep |= 1u << k;
        return TAKC_OK;
    }
    char hint[TAKC_NEAREST_MAX + 24];
    takc_nearest_text(&near, hint);
    return takc_yaml_fail(&r->yaml, v, err, "%s: '%.*s' is none of numbers, dates, names, ids, negations, words%s", what, TAKC_STR_ARG(s),
                          hint);
}

static enum takc_status must_keep_of(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    r->p->must_keep = 0;
    return read_list(r, v, what, must_keep_one, err);
}

static enum takc_status chunk_tokens_of(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    return read_u32(r, v, what, PROFILE_CHUNK_MIN, PROFILE_CHUNK_MAX, &r->p->chunk_tokens, err);
}

static enum takc_status chunk_overlap_of(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    r->overlap_at = *v;
    return read_u32(r, v, what, 0, PROFILE_CHUNK_MAX, &r->p->chunk_overlap, err);
}

static const struct field chunk_fields[] = {{"tokens", chunk_tokens_of}, {"overlap", chunk_overlap_of}};

static enum takc_status chunking_of(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    (void)what;
    r->overlap_at = *v;
    enum takc_status st = read_map(r, v, "chunking.", chunk_fields, 2, err);
    if (!st && r->p->chunk_overlap >= r->p->chunk_tokens)
        return takc_yaml_fail(&r->yaml, &r->overlap_at, err, "chunking.overlap: %u is not below chunking.tokens, %u", r->p->chunk_overlap,
                              r->p->chunk_tokens);
    return st;
}

/* Keeps rates descending. */
static enum takc_status rate_of(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    struct takc_profile *p = r->p;
    struct takc_str s;
    takc_rate rate;
    enum takc_status st = takc_yaml_text(&r->yaml, v, what, TAKC_NEAREST_MAX, &s, err);
    if (!st && (st = takc_rate_parse(s, &rate, err)))
        st = takc_err_prefix(err, st, "%s:%u:%u: %s", r->yaml.file, v->line, v->column, what);
    if (st)
        return st;
    if (p->n_rates == TAKC_PROFILE_RATES_MAX)
        return takc_yaml_fail(&r->yaml, v, err, "%s: more than %d", what, (int)TAKC_PROFILE_RATES_MAX);
    size_t at = p->n_rates;
    while (at > 0 && p->rates[at - 1] < rate)
        at--;
    if (at > 0 && p->rates[at - 1] == rate)
        return takc_yaml_fail(&r->yaml, v, err, "%s: %.*s is there twice", what, TAKC_STR_ARG(s));
    memmove(&p->rates[at + 1], &p->rates[at], (p->n_rates - at) * sizeof(p->rates[0]));
    p->rates[at] = rate;
    p->n_rates++;
    return TAKC_OK;
}

static enum takc_status rates_of(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    r->p->n_rates = 0;
    enum takc_status st = read_list(r, v, what, rate_of, err);
    if (!st && r->p->n_rates == 0)
        return takc_yaml_fail(&r->yaml, v, err, "%s: at least one is needed", what);
    return st;
}

static enum takc_status keep_originals_of(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    return takc_yaml_bool(&r->yaml, v, what, &r->p->keep_originals, err);
}

static enum takc_status keep_versions_of(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    return read_u32(r, v, what, 0, PROFILE_VERSIONS_MAX, &r->p->keep_versions, err);
}

static enum takc_status ttl_of(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    return takc_yaml_u64(&r->yaml, v, what, 0, PROFILE_TTL_MAX, &r->p->ttl_s, err);
}

/* One of the names, or an error that lists what is near. */
static enum takc_status one_of(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_str s,
                               const char *const *names, size_t n, struct takc_err *err)
{
    struct takc_nearest near = {0};
    char hint[TAKC_NEAREST_MAX + 24];
    for (size_t i = 0; i < n; i++) {
        if (takc_str_is(s, names[i]))
            return TAKC_OK;
        takc_nearest_offer(&near, s, names[i]);
    }
    takc_nearest_text(&near, hint);
    return takc_yaml_fail(&r->yaml, v, err, "%s: '%.*s' is not known%s", what, (int)(s.len > 60 ? 60 : s.len), s.ptr, hint);
}

static enum takc_status tokenizer_of(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    enum takc_status st = keep_text(r, v, what, &r->p->tokenizer, err);
    if (!st && takc_str_starts(r->p->tokenizer, takc_str("bpe:")))
        return takc_str_starts(r->p->tokenizer, takc_str("bpe:/"))
                   ? TAKC_OK
                   : takc_yaml_fail(&r->yaml, v, err, "%s: bpe: needs the path of a file, from the root: bpe:/path/o200k_base.tiktoken",
                                    what);
    return st ? st : one_of(r, v, what, r->p->tokenizer, tokenizers, sizeof(tokenizers) / sizeof(tokenizers[0]), err);
}

static enum takc_status model_name_of(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    enum takc_status st = keep_text(r, v, what, &r->p->model, err);
    if (st || r->p->model.len == 0)
        return st;
    size_t colon = takc_str_find_byte(r->p->model, ':', 0);
    if (colon == SIZE_MAX || colon + 1 == r->p->model.len)
        return takc_yaml_fail(&r->yaml, v, err, "%s: provider:model is expected, such as openai:gpt-4o-mini", what);
    return one_of(r, v, what, takc_str_slice(r->p->model, 0, colon), providers, sizeof(providers) / sizeof(providers[0]), err);
}

/* 0, 1, 0.1, .25: no exponent, three decimals at most, so that every value is written back as it was read. */
static enum takc_status temperature_of(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    struct takc_str s = v->text;
    size_t point = takc_str_find_byte(s, '.', 0);
    uint64_t whole = 0, part = 0, scale = 1000;
    bool good = v->kind == TAKC_YAML_SCALAR && v->plain && s.len > 0;
    if (good && point != 0)
        good = !takc_str_u64(takc_str_slice(s, 0, point == SIZE_MAX ? s.len : point), 2, &whole, NULL);
    if (good && point != SIZE_MAX) {
        struct takc_str f = takc_str_slice(s, point + 1, s.len);
        good = f.len <= 3 && !takc_str_u64(f, 999, &part, NULL);
        for (size_t i = 0; i < f.len; i++)
            scale /= 10;
    }
    if (!good || whole * 1000 + part * scale > 2000)
        return takc_yaml_fail(&r->yaml, v, err, "%s: a number from 0 to 2 with up to three decimals is expected", what);
    r->p->temperature = (double)(whole * 1000 + part * scale) / 1000.0;
    return TAKC_OK;
}

static enum takc_status max_tokens_of(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    return read_u32(r, v, what, 1, PROFILE_TOKENS_MAX, &r->p->max_tokens, err);
}

static const struct field model_fields[] = {{"name", model_name_of}, {"temperature", temperature_of}, {"max_tokens", max_tokens_of}};

static enum takc_status model_of(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    (void)what;
    return read_map(r, v, "model.", model_fields, 3, err);
}

static const struct field top_fields[] = {{"description", description_of},
                                          {"examples", examples_of},
                                          {"must_keep", must_keep_of},
                                          {"chunking", chunking_of},
                                          {"rates", rates_of},
                                          {"tokenizer", tokenizer_of},
                                          {"keep_originals", keep_originals_of},
                                          {"keep_versions", keep_versions_of},
                                          {"ttl_s", ttl_of},
                                          {"model", model_of}};

/* --- the walk --- */

static enum takc_status find_field(struct reader *r, const struct takc_yaml_item *key, const char *path, const struct field *fields,
                                   size_t n, size_t *out, struct takc_err *err)
{
    if (key->kind != TAKC_YAML_SCALAR)
        return takc_yaml_fail(&r->yaml, key, err, "%skey: a name is expected", path);
    struct takc_nearest near = {0};
    for (size_t i = 0; i < n; i++) {
        if (takc_str_is(key->text, fields[i].name)) {
            *out = i;
            return TAKC_OK;
        }
        takc_nearest_offer(&near, key->text, fields[i].name);
    }
    char hint[TAKC_NEAREST_MAX + 24];
    takc_nearest_text(&near, hint);
    return takc_yaml_fail(&r->yaml, key, err, "unknown key '%s%.*s'%s", path, (int)(key->text.len > 60 ? 60 : key->text.len), key->text.ptr,
                          hint);
}

static enum takc_status read_map(struct reader *r, const struct takc_yaml_item *v, const char *path, const struct field *fields, size_t n,
                                 struct takc_err *err)
{
    struct takc_yaml_item key, value;
    unsigned seen = 0;
    enum takc_status st;
    if (v->kind != TAKC_YAML_MAP) {
        const char *name = *path ? path : "profile";
        return takc_yaml_fail(&r->yaml, v, err, "%.*s: keys and values are expected", (int)strcspn(name, "."), name);
    }
    while (!(st = takc_yaml_next(&r->yaml, &key, err)) && key.kind != TAKC_YAML_MAP_END) {
        size_t i = 0;
        char what[64];
        if ((st = find_field(r, &key, path, fields, n, &i, err)))
            return st;
        (void)snprintf(what, sizeof(what), "%s%s", path, fields[i].name);
        if (seen & 1u << i)
            return takc_yaml_fail(&r->yaml, &key, err, "%s is there twice", what);
        seen |= 1u << i;
        if ((st = takc_yaml_next(&r->yaml, &value, err)) || (st = fields[i].read(r, &value, what, err)))
            return st;
    }
    return st;
}

/* --- life --- */

static enum takc_status start(struct takc_profile *p, struct takc_str task, size_t room, struct takc_err *err)
{
    *p = (struct takc_profile){.chunk_tokens = 256,
                               .chunk_overlap = 50,
                               .rates = {TAKC_RATE_ULTRA, TAKC_RATE_HIGH, TAKC_RATE_MEDIUM, TAKC_RATE_LIGHT},
                               .n_rates = 4,
                               .keep_originals = true,
                               .ttl_s = 86400,
                               .keep_versions = 3,
                               .temperature = 0.1,
                               .max_tokens = 1024};
    takc_buf_init(&p->store, room);
    enum takc_status st = takc_task_name_check(task, err);
    if (!st)
        st = takc_buf_reserve(&p->store, room, err);
    if (!st)
        st = keep(p, task, &p->task, err);
    if (!st)
        st = keep(p, takc_str("estimate"), &p->tokenizer, err);
    if (!st) {
        p->description = takc_str("");
        p->model = takc_str("");
    }
    return st;
}

enum takc_status takc_profile_default(struct takc_profile *p, struct takc_str task, struct takc_err *err)
{
    struct takc_profile made;
    enum takc_status st = start(&made, task, task.len + 64, err);
    if (st)
        takc_profile_clear(&made);
    else
        *p = made;
    return st;
}

/* An escape of two bytes ("\L") can become three, and every text gets a NUL: twice the file is enough for all. */
static size_t room_for(struct takc_str yaml)
{
    return yaml.len * 2 + 256;
}

enum takc_status takc_profile_parse(struct takc_profile *p, struct takc_str task, struct takc_str yaml, const char *file,
                                    struct takc_err *err)
{
    struct takc_profile made = {0};
    struct reader r = {.p = &made};
    struct takc_yaml_item top;
    enum takc_status st = takc_yaml_open(&r.yaml, yaml, file, err);
    if (!st)
        st = start(&made, task, room_for(yaml), err);
    if (!st)
        st = takc_yaml_next(&r.yaml, &top, err);
    /* An empty file is a profile of defaults; so is one of comments only. */
    if (!st && top.kind != TAKC_YAML_END)
        st = read_map(&r, &top, "", top_fields, sizeof(top_fields) / sizeof(top_fields[0]), err);
    if (!st && top.kind != TAKC_YAML_END)
        st = takc_yaml_next(&r.yaml, &top, err); /* what stands behind the mapping */
    takc_yaml_close(&r.yaml);
    if (st)
        takc_profile_clear(&made);
    else
        *p = made;
    return st;
}

void takc_profile_clear(struct takc_profile *p)
{
    takc_buf_clear(&p->store);
    *p = (struct takc_profile){0};
}
