/* SPDX-License-Identifier: Apache-2.0
 *
 * generate_how.c - generated.json: how a model made a version, and the replies that it stands on (docs/formats/replies.md). No hash of the
 * manifest covers it, since forget writes it anew under a label that stays; it carries one of its own, over all its bytes with the hash's
 * digits as zeros. */
#include "base/alloc.h"
#include "pipeline/generate.h"

#include <stdlib.h>

static const char seal_member[] = "\"sha256\": \"";

enum { SEAL_DIGITS = 64, HEAD_BYTES = 4096 /* of an artifact; who made it stands in front */ };

/* --- its own hash --- */

/* Where the digits stand; SIZE_MAX: nowhere, as in files from before there were any. */
static size_t find_seal(struct takc_str json)
{
    size_t last = SIZE_MAX, n = sizeof(seal_member) - 1;
    for (size_t at = 0; (at = takc_str_find(json, takc_str(seal_member), at)) != SIZE_MAX; at++)
        last = at + n;
    return last != SIZE_MAX && last + SEAL_DIGITS <= json.len ? last : SIZE_MAX;
}

static enum takc_status hash_unsealed(struct takc_str json, size_t seal, struct takc_hex *out, struct takc_err *err)
{
    struct takc_sha256 h;
    char zeros[SEAL_DIGITS];
    memset(zeros, '0', sizeof(zeros));
    enum takc_status st = takc_sha256_init(&h, err);
    if (st)
        return st;
    st = takc_sha256_add(&h, takc_str_slice(json, 0, seal), err);
    if (!st)
        st = takc_sha256_add(&h, takc_str_n(zeros, sizeof(zeros)), err);
    if (!st)
        st = takc_sha256_add(&h, takc_str_slice(json, seal + SEAL_DIGITS, json.len), err);
    if (!st)
        st = takc_sha256_end(&h, out, err);
    takc_sha256_clear(&h);
    return st;
}

/* Writes the digits over the zeros. */
static enum takc_status seal(struct takc_buf *json, struct takc_err *err)
{
    struct takc_hex hex;
    size_t at = find_seal(takc_buf_str(json));
    if (at == SIZE_MAX)
        TAKC_BUG("generated.json is written without its hash");
    enum takc_status st = hash_unsealed(takc_buf_str(json), at, &hex, err);
    if (!st)
        memcpy(json->ptr + at, hex.s, SEAL_DIGITS);
    return st;
}

static enum takc_status is_whole(struct takc_str json, bool *out, struct takc_err *err)
{
    struct takc_hex hex;
    size_t at = find_seal(json);
    *out = at == SIZE_MAX;
    enum takc_status st = *out ? TAKC_OK : hash_unsealed(json, at, &hex, err);
    if (!st && !*out)
        *out = takc_str_is(takc_str_slice(json, at, at + SEAL_DIGITS), hex.s);
    return st;
}

/* --- writing --- */

static int by_bytes(const void *a, const void *b)
{
    return takc_str_cmp(*(const struct takc_str *)a, *(const struct takc_str *)b);
}

static json_t *examples_json(const struct takc_generation *g)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < g->n_examples; i++)
        if (json_array_append_new(
                list, json_pack("{so so}", "input", takc_json_str(g->examples[i].input), "output", takc_json_str(g->examples[i].output)))) {
            json_decref(list);
            return NULL;
        }
    return list;
}

/* The keys of keys, ascending, each once. */
static json_t *keys_json(struct takc_str *keys, size_t n)
{
    json_t *list = json_array();
    if (n)
        qsort(keys, n, sizeof(*keys), by_bytes);
    for (size_t i = 0; list && i < n; i++)
        if ((!i || !takc_str_eq(keys[i], keys[i - 1])) && json_array_append_new(list, takc_json_str(keys[i]))) {
            json_decref(list);
            return NULL;
        }
    return list;
}

/* NULL where the model's name says it all, or for lack of memory. */
static json_t *chain_json(const struct takc_generation *g)
{
    bool plain = g->n_chain == 0 || (g->n_chain == 1 && takc_str_eq(g->chain[0], g->model));
    json_t *list = plain ? NULL : json_array();
    for (size_t i = 0; list && i < g->n_chain; i++)
        if (json_array_append_new(list, takc_json_str(g->chain[i]))) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *generated_json(const struct takc_generation *g, struct takc_str *keys, size_t n)
{
    return json_pack("{si so so* sI sI so so so}", "takc_generated", 1, "model", takc_json_str(g->model), "chain", chain_json(g),
                     "temperature_milli", (json_int_t)(g->temperature * 1000 + 0.5), "max_tokens", (json_int_t)g->max_tokens, "guardrail",
                     takc_json_str(g->guardrail), "examples", examples_json(g), "replies", keys_json(keys, n));
}

/* Takes v. */

/* Takes v. */
static enum takc_status put_generated(struct takc_home *h, struct takc_str task, struct takc_str label, json_t *v, struct takc_err *err)
{
    struct takc_buf json;
    struct takc_key key = takc_key_generated(task, label);
    char zeros[SEAL_DIGITS];
    memset(zeros, '0', sizeof(zeros));
    takc_buf_init(&json, TAKC_BUF_MAX_REPLY);
    if (v) /* last, whatever it was read from */
        (void)json_object_del(v, "sha256");
    bool good = v && json_object_set_new(v, "sha256", json_stringn(zeros, sizeof(zeros))) == 0;
    enum takc_status st = good ? takc_json_dump(v, true, &json, err) : takc_fail(err, TAKC_NOMEM, 0, "no memory for JSON");
    json_decref(v);
    if (!st)
        st = seal(&json, err);
    if (!st)
        st = takc_store_put_bytes(takc_home_store(h), NULL, takc_str(key.s), takc_buf_str(&json), err);
    takc_buf_clear(&json);
    return st;
}

enum takc_status takc_generation_put(struct takc_home *h, struct takc_str task, struct takc_str label, const struct takc_generation *g,
                                     struct takc_str *keys, size_t n_keys, struct takc_err *err)
{
    return put_generated(h, task, label, generated_json(g, keys, n_keys), err);
}

/* --- reading --- */

/* A file from before there was a hash has these members; more of them, and no hash: its name is damaged. */
static bool is_unsealed(const json_t *v)
{
    enum { MEMBERS = 7 };
    return json_object_size(v) == MEMBERS && !json_object_get(v, "chain");
}

/* Takes the value apart from its text; *out is owned. */
static enum takc_status parse_generated(struct takc_str text, const char *key, json_t **out, struct takc_err *err)
{
    json_t *v = NULL;
    enum takc_status st = takc_json_parse(text, &v, err);
    if (st)
        return st == TAKC_NOMEM ? st : takc_fail(err, TAKC_CORRUPT, 0, "%s is no JSON", key);
    if (find_seal(text) == SIZE_MAX && !is_unsealed(v)) {
        json_decref(v);
        return takc_fail(err, TAKC_CORRUPT, 0, "%s has other bytes than were stored", key);
    }
    *out = v;
    return TAKC_OK;
}

static enum takc_status read_generated(struct takc_home *h, struct takc_str task, struct takc_str label, json_t **out, struct takc_err *err)
{
    struct takc_buf json;
    struct takc_key key = takc_key_generated(task, label);
    bool whole = true;
    takc_buf_init(&json, TAKC_BUF_MAX_REPLY);
    enum takc_status st = takc_store_get_bytes(takc_home_store(h), NULL, takc_str(key.s), &json, err);
    if (!st)
        st = is_whole(takc_buf_str(&json), &whole, err);
    if (!st && !whole)
        st = takc_fail(err, TAKC_CORRUPT, 0, "%s has other bytes than were stored", key.s);
    if (!st)
        st = parse_generated(takc_buf_str(&json), key.s, out, err);
    takc_buf_clear(&json);
    return st;
}

static enum takc_status read_examples(const json_t *list, struct takc_arena *a, struct takc_generation *out, struct takc_err *err)
{
    size_t n = json_array_size(list);
    struct takc_example *all = takc_arena_array(a, n + 1, sizeof(*all));
    if (!all)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for examples");
    for (size_t i = 0; i < n; i++) {
        all[i].input = takc_arena_dup(a, takc_json_get_str(json_array_get(list, i), "input"));
        all[i].output = takc_arena_dup(a, takc_json_get_str(json_array_get(list, i), "output"));
        if (!all[i].input.ptr || !all[i].output.ptr)
            return takc_fail(err, TAKC_NOMEM, 0, "no memory for examples");
    }
    out->examples = all;
    out->n_examples = n;
    return TAKC_OK;
}

static enum takc_status read_chain(const json_t *list, struct takc_arena *a, struct takc_generation *out, struct takc_err *err)
{
    size_t n = json_array_size(list);
    struct takc_str *all = takc_arena_array(a, n + 1, sizeof(*all));
    bool good = all != NULL;
    for (size_t i = 0; good && i < n; i++) {
        const char *name = json_string_value(json_array_get(list, i));
        all[i] = takc_arena_dup(a, takc_str(name ? name : ""));
        good = all[i].ptr != NULL;
    }
    out->chain = all;
    out->n_chain = n;
    return good ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for models");
}

enum takc_status takc_generation_of(struct takc_home *h, struct takc_str task, struct takc_str label, struct takc_arena *a,
                                    struct takc_generation *out, struct takc_err *err)
{
    json_t *v = NULL;
    uint64_t milli = 0, max_tokens = 0;
    *out = (struct takc_generation){.n_parallel = 1};
    enum takc_status st = read_generated(h, task, label, &v, err);
    if (!st)
        st = takc_json_get_u64(v, "temperature_milli", &milli, err);
    if (!st)
        st = takc_json_get_u64(v, "max_tokens", &max_tokens, err);
    out->temperature = (double)milli / 1000;
    out->max_tokens = (uint32_t)max_tokens;
    out->model = takc_arena_dup(a, takc_json_get_str(v, "model"));
    out->guardrail = takc_arena_dup(a, takc_json_get_str(v, "guardrail"));
    if (!st && (!out->model.ptr || !out->guardrail.ptr))
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for a model's name");
    if (!st)
        st = read_examples(json_object_get(v, "examples"), a, out, err);
    if (!st)
        st = read_chain(json_object_get(v, "chain"), a, out, err);
    json_decref(v);
    return st;
}

enum takc_status takc_generation_copy(struct takc_home *h, struct takc_str task, struct takc_str from, struct takc_str to,
                                      bool with_replies, struct takc_err *err)
{
    json_t *v = NULL;
    enum takc_status st = read_generated(h, task, from, &v, err);
    if (st == TAKC_NOT_FOUND || st == TAKC_CORRUPT) /* what is damaged names no reply and makes nothing again */
        return TAKC_OK;
    if (!st && !with_replies && json_object_set_new(v, "replies", json_array())) {
        json_decref(v);
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for JSON");
    }
    return st ? st : put_generated(h, task, to, v, err);
}

/* --- is it what was stored? --- */

/* Only of what was read: the hash of a file that has none says nothing about its members. */
static bool names_replies(const json_t *v)
{
    const json_t *list = json_object_get(v, "replies");
    bool good = json_is_array(list) && json_is_string(json_object_get(v, "model"));
    for (size_t i = 0; good && i < json_array_size(list); i++) {
        const char *key = json_string_value(json_array_get(list, i));
        good = key && takc_hex_valid(takc_str(key));
    }
    return good;
}

/* Did a model write it? An artifact says so near its beginning; one that cannot be read says nothing, which others tell. */
static enum takc_status is_generated(struct takc_home *h, struct takc_str task, const struct takc_version *v, bool *out,
                                     struct takc_err *err)
{
    enum takc_status st = TAKC_NOT_FOUND;
    *out = false;
    for (size_t i = 0; (st == TAKC_NOT_FOUND || st == TAKC_IO) && i < v->n_artifacts; i++) {
        struct takc_key key = takc_key_artifact(task, v->label, v->artifacts[i].rate, ".json");
        struct takc_store_view view;
        struct takc_err why = {0};
        st = takc_store_view(takc_home_store(h), NULL, takc_str(key.s), &view, &why);
        if (st == TAKC_NOMEM)
            return takc_fail(err, st, 0, "%s", why.msg);
        if (st)
            continue;
        size_t n = view.bytes.len < HEAD_BYTES ? view.bytes.len : HEAD_BYTES;
        *out = takc_str_find(takc_str_slice(view.bytes, 0, n), takc_str("\"compressor\":\"generative/"), 0) != SIZE_MAX;
        takc_store_view_close(&view);
    }
    return TAKC_OK;
}

enum takc_status takc_generation_check(struct takc_home *h, struct takc_str task, const struct takc_version *v, bool *out_due,
                                       const char **out_why, struct takc_err *err)
{
    json_t *json = NULL;
    struct takc_err why = {0};
    *out_due = true;
    *out_why = NULL;
    enum takc_status st = read_generated(h, task, v->label, &json, &why);
    if (st == TAKC_NOMEM || st == TAKC_CANCELLED)
        return takc_fail(err, st, why.detail, "%s", why.msg);
    if (st == TAKC_NOT_FOUND) {
        st = is_generated(h, task, v, out_due, err);
        *out_why = *out_due ? "is missing, though a model wrote the version" : NULL;
        return st;
    }
    if (st || !names_replies(json))
        *out_why = "has other bytes than were stored";
    json_decref(json);
    return TAKC_OK;
}
