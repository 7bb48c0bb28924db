/* SPDX-License-Identifier: Apache-2.0
 *
 * keys.c - the layout of data-model.md section 7, in one place. Keys are pure functions of their parts. */
#include "catalog/home_impl.h"

#include <stdarg.h>
#include <stdio.h>

static struct takc_key TAKC_PRINTF(1, 2) key_of(const char *fmt, ...)
{
    struct takc_key k;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(k.s, sizeof(k.s), fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof(k.s))
        k.s[0] = '\0';
    return k;
}

struct takc_key takc_key_blob(struct takc_str task, struct takc_str sha256)
{
    return key_of("blobs/%.*s/%.*s", TAKC_STR_ARG(task), TAKC_STR_ARG(sha256));
}

/* ".pdf" of "a/b.pdf": up to eight letters or digits, else nothing. */
static struct takc_str extension_of(struct takc_str name)
{
    for (size_t i = name.ptr ? name.len : 0; i > 0 && name.len - i <= 8; i--) {
        char c = name.ptr[i - 1];
        if (c == '.')
            return takc_str_slice(name, i - 1, name.len);
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')))
            break;
    }
    return (struct takc_str){NULL, 0};
}

struct takc_key takc_key_raw(struct takc_str task, struct takc_str name)
{
    struct takc_key k = {""};
    struct takc_hex hash;
    if (!takc_str_starts(name, takc_str("~")) && !memchr(name.ptr ? name.ptr : "", '\0', name.len))
        k = key_of("raw-data/%.*s/%.*s", TAKC_STR_ARG(task), TAKC_STR_ARG(name));
    if (takc_store_key_check(takc_str(k.s), NULL) == TAKC_OK)
        return k;
    if (takc_sha256(name, &hash, NULL))
        return (struct takc_key){""};
    return key_of("raw-data/%.*s/~%s%.*s", TAKC_STR_ARG(task), hash.s, TAKC_STR_ARG(extension_of(name)));
}

struct takc_key takc_key_document(struct takc_str task, struct takc_str name)
{
    struct takc_hex hash;
    if (takc_sha256(name, &hash, NULL))
        return (struct takc_key){""};
    return key_of("documents/%.*s/%s.json", TAKC_STR_ARG(task), hash.s);
}

struct takc_key takc_key_text(struct takc_str task, struct takc_str text_sha256, const char *suffix)
{
    return key_of("text/%.*s/%.*s%s", TAKC_STR_ARG(task), TAKC_STR_ARG(text_sha256), suffix);
}

struct takc_key takc_key_chunk(struct takc_str task, struct takc_str doc_name, uint32_t number)
{
    struct takc_hex hash;
    if (takc_sha256(doc_name, &hash, NULL))
        return (struct takc_key){""};
    return key_of("%.*s/chunk_%.16s_%06u.txt", TAKC_STR_ARG(task), hash.s, number);
}

struct takc_key takc_key_index(struct takc_str task, struct takc_str version)
{
    return key_of("index/%.*s/v%.*s/units.idx", TAKC_STR_ARG(task), TAKC_STR_ARG(version));
}

struct takc_key takc_key_selection(struct takc_str task, struct takc_str version)
{
    return key_of("index/%.*s/v%.*s/selection.bin", TAKC_STR_ARG(task), TAKC_STR_ARG(version));
}

struct takc_key takc_key_documents(struct takc_str task, struct takc_str version)
{
    return key_of("artifacts/%.*s/v%.*s/documents.json", TAKC_STR_ARG(task), TAKC_STR_ARG(version));
}

struct takc_key takc_key_artifact(struct takc_str task, struct takc_str version, takc_rate rate, const char *suffix)
{
    char name[24];
    takc_rate_name(rate, name);
    return key_of("artifacts/%.*s/v%.*s/%s%s", TAKC_STR_ARG(task), TAKC_STR_ARG(version), name, suffix);
}

struct takc_key takc_key_manifest(struct takc_str task)
{
    return key_of("manifests/%.*s.json", TAKC_STR_ARG(task));
}

struct takc_key takc_key_profile(struct takc_str task)
{
    return key_of("tasks/%.*s.yaml", TAKC_STR_ARG(task));
}

struct takc_key takc_key_foreign_cache(struct takc_str task, takc_rate rate)
{
    char name[24];
    takc_rate_name(rate, name);
    return key_of("cache/v2/%.*s/%s/cache.json", TAKC_STR_ARG(task), name);
}

struct takc_key takc_key_replies(struct takc_str task, struct takc_str key)
{
    return key_of("replies/%.*s/%.*s/", TAKC_STR_ARG(task), TAKC_STR_ARG(key));
}

struct takc_key takc_key_reply(struct takc_str task, struct takc_str key, uint32_t share_tokens)
{
    return key_of("replies/%.*s/%.*s/%u.txt", TAKC_STR_ARG(task), TAKC_STR_ARG(key), share_tokens);
}

struct takc_key takc_key_batch(struct takc_str task)
{
    return key_of("replies/%.*s/batch.json", TAKC_STR_ARG(task));
}

struct takc_key takc_key_work(struct takc_str task, struct takc_str version)
{
    return key_of("artifacts/%.*s/v%.*s/work.json", TAKC_STR_ARG(task), TAKC_STR_ARG(version));
}

struct takc_key takc_key_generated(struct takc_str task, struct takc_str version)
{
    return key_of("artifacts/%.*s/v%.*s/generated.json", TAKC_STR_ARG(task), TAKC_STR_ARG(version));
}

struct takc_str takc_key_task(struct takc_str key)
{
    /* folder, and what ends the task's name: '/' for a folder of its own, else a suffix */
    static const struct {
        const char *folder, *suffix;
    } rows[] = {{"blobs/", NULL},     {"raw-data/", NULL}, {"documents/", NULL}, {"text/", NULL},         {"index/", NULL},
                {"artifacts/", NULL}, {"replies/", NULL},  {"cache/v2/", NULL},  {"manifests/", ".json"}, {"tasks/", ".yaml"}};
    struct takc_str task = {NULL, 0};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!takc_str_starts(key, takc_str(rows[i].folder)))
            continue;
        struct takc_str rest = takc_str_slice(key, strlen(rows[i].folder), key.len);
        if (!rows[i].suffix)
            (void)takc_str_split(&rest, '/', &task);
        else if (takc_str_ends(rest, takc_str(rows[i].suffix)))
            task = takc_str_n(rest.ptr, rest.len - strlen(rows[i].suffix));
        return takc_task_name_check(task, NULL) ? (struct takc_str){NULL, 0} : task;
    }
    struct takc_str rest = key;
    if (takc_str_split(&rest, '/', &task) && takc_str_starts(rest, takc_str("chunk_")) && takc_task_name_check(task, NULL) == TAKC_OK)
        return task;
    return (struct takc_str){NULL, 0};
}

/* --- lists of keys --- */

struct gather {
    struct takc_arena *arena;
    struct takc_key_list list;
    size_t cap;
};

static enum takc_status gather_one(void *arg, struct takc_str key, uint64_t size_bytes, struct takc_err *err)
{
    struct gather *g = arg;
    if (g->list.n == g->cap) { /* old arrays stay in the arena: at most as much again */
        size_t cap = g->cap ? g->cap * 2 : 64;
        struct takc_str *keys = takc_arena_array(g->arena, cap, sizeof(*keys));
        uint64_t *sizes = takc_arena_array(g->arena, cap, sizeof(*sizes));
        if (!keys || !sizes)
            return takc_fail(err, TAKC_NOMEM, 0, "no memory for a list of keys");
        if (g->list.n) {
            memcpy(keys, g->list.keys, g->list.n * sizeof(*keys));
            memcpy(sizes, g->list.sizes, g->list.n * sizeof(*sizes));
        }
        g->list.keys = keys;
        g->list.sizes = sizes;
        g->cap = cap;
    }
    struct takc_str copy = takc_arena_dup(g->arena, key);
    if (!copy.ptr)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a list of keys");
    g->list.keys[g->list.n] = copy;
    g->list.sizes[g->list.n++] = size_bytes;
    return TAKC_OK;
}

enum takc_status takc_home_keys(struct takc_store *s, struct takc_call *call, struct takc_str prefix, struct takc_arena *a,
                                struct takc_key_list *out, struct takc_err *err)
{
    struct gather g = {.arena = a};
    enum takc_status st = takc_store_list(s, call, prefix, gather_one, &g, err);
    if (!st)
        *out = g.list;
    return st;
}

struct takc_key takc_key_answer(struct takc_str task, struct takc_str version, struct takc_str hash)
{
    return key_of("cache/answers/%.*s/v%.*s/%.*s.json", TAKC_STR_ARG(task), TAKC_STR_ARG(version), TAKC_STR_ARG(hash));
}
