/* SPDX-License-Identifier: Apache-2.0
 *
 * check.c - walks records and versions and looks at everything they name. What two of them name is looked at once for each: maps are cheap,
 * hashes of large texts are not, so texts are hashed where a version lists them, and only looked for where a record does. */
#include "pipeline/check.h"
#include "pipeline/docset.h"
#include "pipeline/generate.h"
#include "pipeline/version.h"

#include <stdio.h>

struct check {
    struct takc_home *h;
    struct takc_call *call;
    struct takc_str task;
    struct takc_arena arena;
    takc_check_fn *tell;
    void *arg;
    uint64_t n;
};

/* A thing is there, and has this hash where one is given. */
static enum takc_status look(struct check *c, struct takc_key key, struct takc_str sha256, struct takc_err *err)
{
    struct takc_store_view v;
    struct takc_hex hex;
    struct takc_err why = {0};
    enum takc_status st = takc_store_view(takc_home_store(c->h), c->call, takc_str(key.s), &v, &why);
    c->n++;
    if (st == TAKC_NOT_FOUND || st == TAKC_CORRUPT || st == TAKC_IO) {
        c->tell(c->arg, key.s, st == TAKC_NOT_FOUND ? "is missing" : why.msg);
        return TAKC_OK;
    }
    if (st)
        return takc_fail(err, st, why.detail, "%s", why.msg);
    if (sha256.len && !(st = takc_sha256(v.bytes, &hex, err)) && !takc_str_is(sha256, hex.s))
        c->tell(c->arg, key.s, "has other bytes than were stored");
    takc_store_view_close(&v);
    return st;
}

/* What a reader made of a document, and its source where that is kept. */
static enum takc_status look_document(struct check *c, const struct takc_docset_doc *d, bool whole_hash, bool blobs, struct takc_err *err)
{
    const struct takc_str none = {NULL, 0};
    enum takc_status st = look(c, takc_key_text(c->task, d->text_sha, ""), whole_hash ? d->text_sha : none, err);
    if (!st)
        st = look(c, takc_docset_part_key(c->task, d, ".structure"), none, err);
    if (!st && d->has_map)
        st = look(c, takc_docset_part_key(c->task, d, ".map"), none, err);
    if (!st)
        st = look(c, takc_docset_part_key(c->task, d, ".units"), whole_hash ? d->units_sha : none, err);
    if (!st && blobs && !takc_docset_is_reduced(d))
        st = look(c, takc_key_blob(c->task, d->source_sha), whole_hash ? d->source_sha : none, err);
    return st;
}

/* How a model made it, if one did: no hash of the manifest covers that file. */
static enum takc_status look_generated(struct check *c, const struct takc_version *v, struct takc_err *err)
{
    bool due;
    const char *why;
    enum takc_status st = takc_generation_check(c->h, c->task, v, &due, &why, err);
    c->n += !st && due;
    if (!st && why)
        c->tell(c->arg, takc_key_generated(c->task, v->label).s, why);
    return st;
}

/* What was made for a version. */
static enum takc_status look_made(struct check *c, const struct takc_version *v, struct takc_err *err)
{
    enum takc_status st = look(c, takc_key_index(c->task, v->label), v->index.sha256, err);
    if (!st)
        st = look(c, takc_key_selection(c->task, v->label), v->selection.sha256, err);
    if (!st)
        st = look(c, takc_key_documents(c->task, v->label), v->documents.sha256, err);
    for (size_t i = 0; !st && i < v->n_artifacts; i++) {
        st = look(c, takc_key_artifact(c->task, v->label, v->artifacts[i].rate, ".json"), v->artifacts[i].sha256, err);
        if (!st)
            st = look(c, takc_key_artifact(c->task, v->label, v->artifacts[i].rate, ".ledger.json"), v->artifacts[i].ledger_sha256, err);
    }
    return st ? st : look_generated(c, v, err);
}

static enum takc_status look_version(struct check *c, const struct takc_version *v, bool blobs, struct takc_err *err)
{
    struct takc_docset set;
    struct takc_err why = {0};
    struct takc_key list = takc_key_documents(c->task, v->label);
    enum takc_status st = look_made(c, v, err);
    if (st)
        return st;
    st = takc_docset_of_version(c->h, c->task, v, &c->arena, &set, &why);
    if (st == TAKC_NOMEM)
        return takc_fail(err, st, 0, "%s", why.msg);
    if (st) {
        if (st != TAKC_NOT_FOUND)
            c->tell(c->arg, list.s, why.msg);
        return TAKC_OK;
    }
    for (size_t i = 0; !st && i < set.n_docs; i++) {
        st = takc_call_check(c->call, err);
        if (!st)
            st = look_document(c, &set.docs[i], true, blobs, err);
    }
    return st;
}

static enum takc_status check_all(struct check *c, struct takc_err *err)
{
    struct takc_docset now;
    struct takc_manifest m;
    struct takc_profile p = {0};
    enum takc_status st = takc_home_profile(c->h, c->task, &p, err);
    bool blobs = !st && p.keep_originals;
    takc_profile_clear(&p);
    if (!st)
        st = takc_docset_current(c->h, c->task, &c->arena, &now, err);
    for (size_t i = 0; !st && i < now.n_docs; i++)
        st = look_document(c, &now.docs[i], false, blobs, err);
    if (!st)
        st = takc_home_manifest(c->h, c->task, &c->arena, &m, err);
    if (!st && m.n_versions && !takc_manifest_find(&m, m.current))
        c->tell(c->arg, takc_key_manifest(c->task).s, "names a current version that it does not have");
    for (size_t i = 0; !st && i < m.n_versions; i++)
        st = look_version(c, &m.versions[i], blobs, err);
    return st;
}

enum takc_status takc_check_task(struct takc_home *h, struct takc_call *call, struct takc_str task, takc_check_fn *tell, void *arg,
                                 uint64_t *out_checked, struct takc_err *err)
{
    struct check c = {.h = h, .call = call, .task = task, .tell = tell, .arg = arg};
    takc_arena_init(&c.arena);
    enum takc_status st = check_all(&c, err);
    *out_checked = c.n;
    takc_arena_clear(&c.arena);
    return st;
}

static void count_finding(void *arg, const char *key, const char *finding)
{
    (void)key;
    (void)finding;
    ++*(size_t *)arg;
}

enum takc_status takc_check_version(struct takc_home *h, struct takc_call *call, struct takc_str task, const struct takc_version *v,
                                    bool *out_sound, struct takc_err *err)
{
    size_t n_wrong = 0;
    struct check c = {.h = h, .call = call, .task = task, .tell = count_finding, .arg = &n_wrong};
    enum takc_status st = look_made(&c, v, err);
    *out_sound = !n_wrong;
    return st;
}
