/* SPDX-License-Identifier: Apache-2.0
 *
 * verify.c - the story of verify: everything a version stands on, level by level. A thing that is missing or unreadable is a finding of its
 * level, not the end; only the machine's own troubles end it. */
#include "takc/verify.h"
#include "base/alloc.h"
#include "pipeline/generate.h"
#include "pipeline/given.h"
#include "pipeline/snapshot.h"
#include "verify/verify.h"

#include <stdio.h>

const char *takc_level_letter(unsigned level)
{
    static const char *const letters[] = {"S", "T", "M", "A", "X"};
    return level < TAKC_PROOF_LEVELS ? letters[level] : NULL;
}

const char *takc_level_text(unsigned level)
{
    static const char *const texts[] = {"source hashes", "texts derived again", "maps back to the source",
                                        "stored things against the manifest", "lines against their sources"};
    return level < TAKC_PROOF_LEVELS ? texts[level] : NULL;
}

struct proof_run {
    struct takc_home *home;
    struct takc_call *call;
    const struct takc_verify_options *o;
    struct takc_verify_report *report;
    struct takc_proof proof;
    struct takc_arena arena;
    struct takc_manifest manifest;
    const struct takc_version *version;
    struct takc_docset set;
    struct takc_store_view text; /* of the document held for level X */
    uint32_t text_of;            /* its number + 1 in set; 0: none */
    const struct takc_artifact *artifact;
};

static void found(void *arg, enum takc_level level, const char *subject, const char *finding)
{
    struct proof_run *p = arg;
    if (p->o->finding)
        p->o->finding(p->o->finding_arg, level, subject, finding);
}

/* A thing of this level that could not be read at all. */
static void missing(struct proof_run *p, enum takc_level level, const char *subject, const char *finding)
{
    p->proof.checked[level]++;
    p->proof.failed[level]++;
    found(p, level, subject, finding);
}

/* Is this failure about the thing, so that verify goes on? */
static bool about_thing(enum takc_status st)
{
    return st == TAKC_NOT_FOUND || st == TAKC_CORRUPT || st == TAKC_INVALID || st == TAKC_REFUSED || st == TAKC_UNSUPPORTED ||
           st == TAKC_IO;
}

/* --- what was asked --- */

static bool is_asked(const struct proof_run *p, enum takc_level level)
{
    return p->o->levels == 0 || (p->o->levels & 1u << level);
}

/* A list of documents that is not what the manifest says proves nothing about documents: their levels are left out then, and A, asked for
 * or not, says why. out_whole: it could be read. */
static enum takc_status read_list(struct proof_run *p, bool *out_whole, struct takc_err *err)
{
    struct takc_key key = takc_key_documents(p->o->task, p->version->label);
    struct takc_store_view v;
    struct takc_hex hex;
    struct takc_err why = {0};
    *out_whole = false;
    enum takc_status st = takc_store_view(takc_home_store(p->home), p->call, takc_str(key.s), &v, &why);
    if (!st) {
        st = takc_sha256(v.bytes, &hex, &why);
        bool same = !st && takc_str_is(p->version->documents.sha256, hex.s);
        if (!st && (!same || is_asked(p, TAKC_LEVEL_A)))
            st = takc_verify_stored(v.bytes, p->version->documents.sha256, key.s, &p->proof, found, p, &why);
        if (!st && same)
            st = takc_docset_parse(v.bytes, &p->arena, &p->set, &why);
        takc_store_view_close(&v);
        *out_whole = !st && same;
    }
    if (!st)
        return TAKC_OK;
    if (!about_thing(st))
        return takc_fail(err, st, why.detail, "%s", why.msg);
    missing(p, TAKC_LEVEL_A, key.s, why.msg);
    return TAKC_OK;
}

static bool is_asked_rate(const struct proof_run *p, takc_rate rate)
{
    bool asked = p->o->n_rates == 0;
    for (size_t i = 0; !asked && i < p->o->n_rates; i++)
        asked = p->o->rates[i] == rate;
    return asked;
}

/* The list of documents less those that were not asked for. */
static enum takc_status only_asked(struct proof_run *p, struct takc_err *err)
{
    size_t n = 0;
    for (size_t i = 0; i < p->set.n_docs; i++) {
        bool asked = p->o->n_documents == 0;
        for (size_t k = 0; !asked && k < p->o->n_documents; k++)
            asked = takc_str_eq(p->o->documents[k], p->set.docs[i].name) || takc_str_glob(p->o->documents[k], p->set.docs[i].name);
        if (asked)
            p->set.docs[n++] = p->set.docs[i];
    }
    p->set.n_docs = n;
    return n || p->o->n_documents == 0 ? TAKC_OK
                                       : takc_fail(err, TAKC_NOT_FOUND, 0, "version %.*s has no document %.*s",
                                                   TAKC_STR_ARG(p->version->label), TAKC_STR_ARG(p->o->documents[0]));
}

/* --- level A --- */

static enum takc_status check_stored(struct proof_run *p, struct takc_key key, struct takc_str sha256, struct takc_err *err)
{
    struct takc_store_view v;
    struct takc_err why = {0};
    if (sha256.len == 0) {
        missing(p, TAKC_LEVEL_A, key.s, "the manifest has no hash of it");
        return TAKC_OK;
    }
    enum takc_status st = takc_store_view(takc_home_store(p->home), p->call, takc_str(key.s), &v, &why);
    if (st) {
        if (!about_thing(st))
            return takc_fail(err, st, why.detail, "%s", why.msg);
        missing(p, TAKC_LEVEL_A, key.s, why.msg);
        return TAKC_OK;
    }
    st = takc_verify_stored(v.bytes, sha256, key.s, &p->proof, found, p, err);
    takc_store_view_close(&v);
    return st;
}

/* Artifact and ledger. */
static enum takc_status check_rate(struct proof_run *p, const struct takc_stored *made, struct takc_err *err)
{
    struct takc_key key = takc_key_artifact(p->o->task, p->version->label, made->rate, ".json"),
                    ledger = takc_key_artifact(p->o->task, p->version->label, made->rate, ".ledger.json");
    enum takc_status st = check_stored(p, key, made->sha256, err);
    return st ? st : check_stored(p, ledger, made->ledger_sha256, err);
}

/* How a model made the version, if one did: that file carries its hash itself. */
static enum takc_status check_generated(struct proof_run *p, struct takc_err *err)
{
    bool due;
    const char *why;
    enum takc_status st = takc_generation_check(p->home, p->o->task, p->version, &due, &why, err);
    if (st || !due)
        return st;
    p->proof.checked[TAKC_LEVEL_A]++;
    if (why) {
        p->proof.failed[TAKC_LEVEL_A]++;
        found(p, TAKC_LEVEL_A, takc_key_generated(p->o->task, p->version->label).s, why);
    }
    return TAKC_OK;
}

/* Units are what index and order were made from; their hashes stand in the list of documents. */
static enum takc_status check_version_things(struct proof_run *p, struct takc_err *err)
{
    const struct takc_version *v = p->version;
    enum takc_status st = check_stored(p, takc_key_index(p->o->task, v->label), v->index.sha256, err);
    if (!st)
        st = check_stored(p, takc_key_selection(p->o->task, v->label), v->selection.sha256, err);
    if (!st)
        st = check_generated(p, err);
    for (size_t i = 0; !st && i < v->n_artifacts; i++)
        if (is_asked_rate(p, v->artifacts[i].rate))
            st = check_rate(p, &v->artifacts[i], err);
    for (size_t i = 0; !st && i < p->set.n_docs; i++) {
        st = check_stored(p, takc_docset_part_key(p->o->task, &p->set.docs[i], ".units"), p->set.docs[i].units_sha, err);
        if (!st)
            st = check_stored(p, takc_key_text(p->o->task, p->set.docs[i].text_sha, ""), p->set.docs[i].text_sha, err);
    }
    return st;
}

/* --- levels S, T, M --- */

static const char *subject_of(const struct takc_docset_doc *d, char out[512])
{
    (void)snprintf(out, 512, "%.*s", (int)(d->name.len > 500 ? 500 : d->name.len), d->name.ptr);
    return out;
}

/* Levels T and M of a document whose source is at hand. */
static enum takc_status check_text_and_map(struct proof_run *p, const struct takc_docset_doc *d, struct takc_str source,
                                           const struct takc_doc *doc, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    bool part = takc_docset_is_reduced(d);
    if (is_asked(p, TAKC_LEVEL_T))
        st = part ? takc_verify_text_part(p->call, source, doc, d->whole_text_sha, d->name, &p->proof, found, p, err)
                  : takc_verify_text(p->call, source, doc, d->name, &p->proof, found, p, err);
    if (st || !is_asked(p, TAKC_LEVEL_M))
        return st;
    return part ? takc_verify_map_part(p->call, source, doc, d->name, &p->proof, found, p, err)
                : takc_verify_map(p->call, source, doc, d->name, &p->proof, found, p, err);
}

static enum takc_status check_document(struct proof_run *p, const struct takc_docset_doc *d, struct takc_str source, struct takc_err *err)
{
    char subject[512];
    struct takc_doc doc;
    struct takc_err why = {0};
    takc_doc_init(&doc);
    (void)subject_of(d, subject);
    enum takc_status st =
        is_asked(p, TAKC_LEVEL_S) ? takc_verify_source(source, d->source_sha, subject, &p->proof, found, p, &why) : TAKC_OK;
    if (!st && (is_asked(p, TAKC_LEVEL_T) || is_asked(p, TAKC_LEVEL_M))) {
        enum takc_status loaded = takc_docset_load(p->home, p->o->task, d, &doc, &why);
        if (loaded && about_thing(loaded))
            missing(p, TAKC_LEVEL_T, subject, why.msg);
        else if (loaded)
            st = loaded;
        if (!loaded)
            st = check_text_and_map(p, d, source, &doc, &why);
    }
    takc_doc_clear(&doc);
    p->report->n_documents++;
    takc_call_progress(p->call, "verify", "documents", p->report->n_documents, p->set.n_docs);
    return st ? takc_fail(err, st, why.detail, "%s: %s", subject, why.msg) : TAKC_OK;
}

/* Sources are in the store; where they may not be kept, nobody can say here. */
static enum takc_status check_stored_sources(struct proof_run *p, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < p->set.n_docs; i++) {
        const struct takc_docset_doc *d = &p->set.docs[i];
        struct takc_key key = takc_key_blob(p->o->task, d->source_sha);
        struct takc_store_view v;
        struct takc_err why = {0};
        char subject[512];
        if ((st = takc_call_check(p->call, err)))
            return st;
        if (takc_docset_is_reduced(d)) {
            for (int level = TAKC_LEVEL_S; level <= TAKC_LEVEL_M; level++) {
                p->proof.checked[level] += is_asked(p, (enum takc_level)level);
                p->proof.underivable[level] += is_asked(p, (enum takc_level)level);
            }
            p->report->n_documents++;
            continue;
        }
        st = takc_store_view(takc_home_store(p->home), p->call, takc_str(key.s), &v, &why);
        if (!st) {
            st = check_document(p, d, v.bytes, err);
            takc_store_view_close(&v);
        } else if (about_thing(st)) {
            missing(p, TAKC_LEVEL_S, subject_of(d, subject), why.msg);
            p->report->n_documents++;
            st = TAKC_OK;
        } else {
            st = takc_fail(err, st, why.detail, "%s", why.msg);
        }
    }
    return st;
}

/* Sources are in a folder. */
static enum takc_status check_given(void *arg, const struct takc_docset_doc *d, struct takc_str source, struct takc_err *err)
{
    struct proof_run *p = arg;
    char subject[512];
    if (source.ptr)
        return check_document(p, d, source, err);
    missing(p, TAKC_LEVEL_S, subject_of(d, subject), "there is no such file in the folder of sources");
    p->report->n_documents++;
    return TAKC_OK;
}

/* --- level X --- */

/* Text of a document of the artifact; one is held at a time since segments stand in document order. */
static enum takc_status text_of(void *arg, uint32_t doc, struct takc_str *out, struct takc_err *err)
{
    struct proof_run *p = arg;
    if (doc >= p->artifact->n_documents)
        return takc_fail(err, TAKC_CORRUPT, 0, "document %u of %zu", doc, p->artifact->n_documents);
    if (p->text_of != doc + 1) {
        takc_store_view_close(&p->text);
        p->text_of = 0;
        struct takc_key key = takc_key_text(p->o->task, p->artifact->documents[doc].text_sha, "");
        enum takc_status st = takc_store_view(takc_home_store(p->home), p->call, takc_str(key.s), &p->text, err);
        if (st)
            return st;
        p->text_of = doc + 1;
    }
    *out = p->text.bytes;
    return TAKC_OK;
}

/* The hash of the text that a reader sees. Where a line failed already, that it differs too says nothing new. */
static enum takc_status check_text_hash(struct proof_run *p, const struct takc_artifact *a, uint64_t failed_before, struct takc_err *err)
{
    struct takc_buf text;
    struct takc_hex hex;
    char subject[64];
    takc_buf_init(&text, TAKC_BUF_MAX_REPLY);
    enum takc_status st = takc_artifact_text(a, &text, err);
    if (!st)
        st = takc_sha256(takc_buf_str(&text), &hex, err);
    takc_buf_clear(&text);
    if (st || p->proof.failed[TAKC_LEVEL_X] > failed_before)
        return st;
    (void)snprintf(subject, sizeof(subject), "%.*s artifact", TAKC_STR_ARG(a->rate_name));
    if (takc_str_is(a->text_sha, hex.s))
        p->proof.checked[TAKC_LEVEL_X]++;
    else
        missing(p, TAKC_LEVEL_X, subject, "its text has another SHA-256 than it says");
    return TAKC_OK;
}

static enum takc_status check_artifact(struct proof_run *p, takc_rate rate, struct takc_err *err)
{
    struct takc_key key = takc_key_artifact(p->o->task, p->version->label, rate, ".json");
    struct takc_store_view v;
    struct takc_artifact a = {0};
    struct takc_err why = {0};
    enum takc_status st = takc_store_view(takc_home_store(p->home), p->call, takc_str(key.s), &v, &why);
    if (!st) {
        st = takc_artifact_parse(&a, v.bytes, &why);
        takc_store_view_close(&v);
    }
    if (!st) {
        uint64_t failed = p->proof.failed[TAKC_LEVEL_X];
        p->artifact = &a;
        st = takc_verify_artifact(p->call, &a, text_of, p, &p->proof, found, p, &why);
        if (!st)
            st = check_text_hash(p, &a, failed, &why);
        p->report->n_segments += a.n_segments;
        takc_store_view_close(&p->text);
        p->text_of = 0;
    }
    takc_artifact_clear(&a);
    if (st && about_thing(st)) {
        missing(p, TAKC_LEVEL_X, key.s, why.msg);
        st = TAKC_OK;
    }
    p->report->n_artifacts++;
    return st ? takc_fail(err, st, why.detail, "%s: %s", key.s, why.msg) : TAKC_OK;
}

static enum takc_status check_artifacts(struct proof_run *p, struct takc_err *err)
{
    char name[24];
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < p->o->n_rates; i++) {
        bool there = false;
        for (size_t k = 0; k < p->version->n_artifacts; k++)
            there |= p->version->artifacts[k].rate == p->o->rates[i];
        takc_rate_name(p->o->rates[i], name);
        if (!there)
            st = takc_fail(err, TAKC_NOT_FOUND, 0, "version %.*s has no rate %s", TAKC_STR_ARG(p->version->label), name);
    }
    for (size_t i = 0; !st && i < p->version->n_artifacts; i++)
        if (is_asked_rate(p, p->version->artifacts[i].rate))
            st = check_artifact(p, p->version->artifacts[i].rate, err);
    return st;
}

/* A version that a writer has taken away meanwhile proves nothing, for or against. */
static enum takc_status check_still_there(struct proof_run *p, struct takc_err *err)
{
    struct takc_manifest now;
    uint64_t failed = 0;
    for (int k = 0; k < TAKC_PROOF_LEVELS; k++)
        failed += p->proof.failed[k];
    enum takc_status st = failed ? takc_home_manifest(p->home, p->o->task, &p->arena, &now, err) : TAKC_OK;
    if (st || !failed || takc_manifest_find(&now, p->version->label))
        return st;
    return takc_fail(err, TAKC_BUSY, 0, "version %.*s was replaced while it was verified; verify again", TAKC_STR_ARG(p->version->label));
}

static enum takc_status run_proof(struct proof_run *p, struct takc_err *err)
{
    enum takc_status st = takc_home_manifest(p->home, p->o->task, &p->arena, &p->manifest, err);
    if (st)
        return st;
    st = takc_docset_version(p->home, &p->manifest, p->o->version, &p->version, err);
    if (st)
        return st;
    (void)snprintf(p->report->version, sizeof(p->report->version), "%.*s", (int)(p->version->label.len < 31 ? p->version->label.len : 31),
                   p->version->label.ptr);
    bool whole = false;
    st = read_list(p, &whole, err);
    if (!st && whole)
        st = only_asked(p, err);
    if (!st && is_asked(p, TAKC_LEVEL_A))
        st = check_version_things(p, err);
    bool sources = whole && (is_asked(p, TAKC_LEVEL_S) || is_asked(p, TAKC_LEVEL_T) || is_asked(p, TAKC_LEVEL_M));
    if (!st && sources && p->o->source_dir)
        st = takc_given_sources(p->o->source_dir, &p->set, p->call, check_given, p, err);
    else if (!st && sources)
        st = check_stored_sources(p, err);
    if (!st && is_asked(p, TAKC_LEVEL_X))
        st = check_artifacts(p, err);
    return st ? st : check_still_there(p, err);
}

enum takc_status takc_verify(struct takc_home *h, struct takc_call *call, const struct takc_verify_options *o,
                             struct takc_verify_report *out, struct takc_err *err)
{
    struct proof_run p = {.home = h, .call = call, .o = o, .report = out};
    *out = (struct takc_verify_report){0};
    takc_arena_init(&p.arena);
    enum takc_status st = takc_task_name_check(o->task, err);
    if (!st)
        st = run_proof(&p, err);
    for (int k = 0; k < TAKC_PROOF_LEVELS; k++) {
        out->checked[k] = p.proof.checked[k];
        out->failed[k] = p.proof.failed[k];
        out->underivable[k] = p.proof.underivable[k];
    }
    takc_store_view_close(&p.text);
    takc_arena_clear(&p.arena);
    return st;
}
