/* SPDX-License-Identifier: Apache-2.0
 *
 * migrate.c - from an older schema to this one, under the home's exclusive lock.
 *
 * A migration is a list of steps, each from one schema to the next. A step may be repeated from its start at any time, and what ends it is
 * the new number in home.json, so a killed one runs again. A damaged manifest stays as it is: verify and doctor name it, and its task is no
 * reason to keep the others from their home. */
#include "catalog/home_impl.h"

#include <inttypes.h>
#include <stdio.h>

struct step {
    const char *what;
    enum takc_status (*run)(const char *path, struct takc_err *);
};

/* 0 -> 1: homes of the layout before home.json had no folder for locks. */
enum takc_status takc_home_make_locks(const char *path, struct takc_err *err)
{
    char folder[PATH_MAX];
    enum takc_status st = takc_home_file(path, TAKC_DIR_LOCKS, folder, err);
    return st ? st : takc_dir_make(folder, err);
}

/* --- 1 -> 2: manifests had no hashes of selections and ledgers --- */

/* Hash and size of what is there now, where none is known. What is missing keeps the empty hash, so that verify finds it. */
static enum takc_status hash_now(struct takc_home *h, struct takc_key key, struct takc_arena *a, struct takc_str *sha256,
                                 uint64_t *size_bytes, struct takc_err *err)
{
    struct takc_store_view v;
    struct takc_hex hex;
    if (sha256->len)
        return TAKC_OK;
    enum takc_status st = takc_store_view(h->store, NULL, takc_str(key.s), &v, err);
    if (st)
        return st == TAKC_NOT_FOUND ? TAKC_OK : st;
    st = takc_sha256(v.bytes, &hex, err);
    struct takc_str copy = takc_arena_dup(a, takc_str(st ? "" : hex.s));
    if (!st && !copy.ptr)
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for a hash");
    if (!st) {
        *sha256 = copy;
        *size_bytes = v.bytes.len;
    }
    takc_store_view_close(&v);
    return st;
}

static enum takc_status hash_version(struct takc_home *h, struct takc_str task, struct takc_arena *a, struct takc_version *v,
                                     struct takc_err *err)
{
    struct takc_stored *made = takc_arena_array(a, v->n_artifacts + 1, sizeof(*made));
    if (!made)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for artifacts");
    enum takc_status st = hash_now(h, takc_key_selection(task, v->label), a, &v->selection.sha256, &v->selection.size_bytes, err);
    for (size_t i = 0; !st && i < v->n_artifacts; i++) {
        made[i] = v->artifacts[i];
        struct takc_key key = takc_key_artifact(task, v->label, made[i].rate, ".ledger.json");
        st = hash_now(h, key, a, &made[i].ledger_sha256, &made[i].ledger_bytes, err);
    }
    v->artifacts = made;
    return st;
}

static enum takc_status hash_task(struct takc_home *h, struct takc_str task, struct takc_arena *a, struct takc_err *err)
{
    struct takc_manifest m;
    enum takc_status st = takc_home_manifest(h, task, a, &m, err);
    if (st)
        return st == TAKC_CORRUPT ? TAKC_OK : st;
    struct takc_version *versions = takc_arena_array(a, m.n_versions + 1, sizeof(*versions));
    if (!versions)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for versions");
    for (size_t i = 0; !st && i < m.n_versions; i++) {
        versions[i] = m.versions[i];
        st = hash_version(h, task, a, &versions[i], err);
    }
    m.versions = versions;
    return st ? st : takc_home_manifest_swap(h, &m, NULL, err);
}

static enum takc_status add_hashes(const char *path, struct takc_err *err)
{
    struct takc_home h = {.lock = {-1}}; /* a store is all that manifests need; the home cannot be opened yet */
    struct takc_arena a;
    struct takc_key_list list = {0};
    takc_arena_init(&a);
    enum takc_status st = takc_store_dir_open(&h.store, path, err);
    if (!st)
        st = takc_home_keys(h.store, NULL, takc_str("manifests/"), &a, &list, err);
    for (size_t i = 0; !st && i < list.n; i++) {
        struct takc_str task = takc_key_task(list.keys[i]);
        if (task.len)
            st = hash_task(&h, task, &a, err);
    }
    takc_store_close(h.store);
    takc_arena_clear(&a);
    return st;
}

/* steps[n] leads from schema n to n + 1. */
static const struct step steps[TAKC_HOME_SCHEMA] = {{"locks and home.json", takc_home_make_locks}, {"hashes in manifests", add_hashes}};

enum takc_status takc_home_migrate(const char *path, uint64_t from, struct takc_err *err)
{
    for (uint64_t n = from; n < TAKC_HOME_SCHEMA; n++) {
        enum takc_status st = steps[n].run(path, err);
        if (!st)
            st = takc_home_write_schema(path, n + 1, err);
        if (st)
            return takc_err_prefix(err, st, "migrate the home from schema %" PRIu64 " (%s)", n, steps[n].what);
    }
    return TAKC_OK;
}
