/* SPDX-License-Identifier: Apache-2.0
 *
 * given.c - a folder of sources against a list of documents. Field names of records are the defaults here: a record that was named by
 * another field is found by its hash. */
#include "pipeline/given.h"
#include "base/alloc.h"
#include "doc/reader.h"
#include "source/source.h"

struct given {
    const struct takc_docset *set;
    struct takc_call *call;
    takc_given_fn *each;
    void *arg;
    bool *seen; /* per document */
    struct takc_str file;
};

/* The place of a name, or n_docs. */
static size_t by_name(const struct takc_docset *set, struct takc_str name)
{
    size_t lo = 0, hi = set->n_docs;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = takc_str_cmp(set->docs[mid].name, name);
        if (c == 0)
            return mid;
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return set->n_docs;
}

/* A document that has no file yet and this hash, or n_docs. */
static size_t by_hash(const struct given *g, struct takc_str sha256)
{
    size_t i = 0;
    while (i < g->set->n_docs && (g->seen[i] || !takc_str_eq(g->set->docs[i].source_sha, sha256)))
        i++;
    return i;
}

static enum takc_status offer(struct given *g, struct takc_str name, struct takc_str bytes, struct takc_err *err)
{
    struct takc_hex hex;
    size_t i = by_name(g->set, name);
    if (i == g->set->n_docs) {
        enum takc_status st = takc_sha256(bytes, &hex, err);
        if (st)
            return st;
        i = by_hash(g, takc_str(hex.s));
    }
    if (i == g->set->n_docs || g->seen[i])
        return TAKC_OK;
    g->seen[i] = true;
    return g->each(g->arg, &g->set->docs[i], bytes.ptr ? bytes : takc_str(""), err);
}

static enum takc_status on_part(void *arg, const struct takc_split_part *part, struct takc_err *err)
{
    struct given *g = arg;
    struct takc_buf name;
    takc_buf_init(&name, TAKC_BUF_MAX_NAME);
    enum takc_status st = takc_buf_add(&name, g->file, err);
    if (!st)
        st = takc_buf_add(&name, part->suffix, err);
    if (!st)
        st = offer(g, takc_buf_str(&name), part->bytes, err);
    takc_buf_clear(&name);
    return st;
}

static enum takc_status on_file(void *arg, const struct takc_source_item *item, struct takc_err *err)
{
    struct given *g = arg;
    const struct takc_reader_ops *reader = takc_reader_pick(takc_source_inner_name(item->name), item->bytes);
    const struct takc_reader_input in = {.bytes = item->bytes, .name = item->name};
    enum takc_status st = takc_call_check(g->call, err);
    if (st)
        return st;
    if (by_name(g->set, item->name) < g->set->n_docs || !takc_split_wanted(reader, &in))
        return offer(g, item->name, item->bytes, err);
    g->file = item->name;
    struct takc_err why = {0};
    st = takc_split(reader, g->call, &in, on_part, NULL, g, &why);
    bool damaged = st == TAKC_REFUSED || st == TAKC_INVALID || st == TAKC_CORRUPT; /* its documents will have no file */
    return st && !damaged ? takc_fail(err, st, why.detail, "%s", why.msg) : TAKC_OK;
}

enum takc_status takc_given_sources(const char *path, const struct takc_docset *set, struct takc_call *call, takc_given_fn *each, void *arg,
                                    struct takc_err *err)
{
    struct given g = {.set = set, .call = call, .each = each, .arg = arg, .seen = takc_alloc_array(set->n_docs + 1, sizeof(bool))};
    if (!g.seen)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu documents", set->n_docs);
    enum takc_status st = takc_source_walk(path, NULL, call, on_file, NULL, &g, err);
    for (size_t i = 0; !st && i < set->n_docs; i++)
        if (!g.seen[i])
            st = each(arg, &set->docs[i], (struct takc_str){NULL, 0}, err);
    takc_free(g.seen);
    return st;
}
