/* SPDX-License-Identifier: Apache-2.0
 *
 * sqlite_rows.c - what stands in the catalogue.
 *
 * Rows about documents and versions repeat what the objects say, for whoever wants to ask with SQL; they can be made anew at any time.
 * Questions live only here. */
#include "catalog/sqlite.h"

static enum takc_status note_work(struct takc_home *h, const void *arg, struct takc_err *err)
{
    const struct takc_query_note *n = arg;
    sqlite3_stmt *s = NULL;
    enum takc_status st = takc_catalog_prepare(h, TAKC_STMT_NOTE, &s, err);
    if (st)
        return st;
    takc_sql_bind(s, 1, n->task);
    takc_sql_bind(s, 2, n->version);
    takc_sql_bind(s, 3, n->mode);
    takc_sql_bind(s, 4, n->rate);
    if (n->keep_words)
        takc_sql_bind(s, 5, n->question);
    (void)sqlite3_bind_double(s, 6, n->confidence);
    (void)sqlite3_bind_int64(s, 7, (sqlite3_int64)n->ms);
    (void)sqlite3_bind_int64(s, 8, (sqlite3_int64)n->tokens);
    (void)sqlite3_bind_int(s, 9, n->abstained);
    (void)sqlite3_bind_int64(s, 10, n->at_s);
    return takc_catalog_step(h, s, "note a question", err);
}

enum takc_status takc_home_note_query(struct takc_home *h, const struct takc_query_note *n, struct takc_err *err)
{
    return takc_catalog_work(h, note_work, n, err);
}

struct of_document {
    struct takc_str task, doc;
};

static enum takc_status forget_work(struct takc_home *h, const void *arg, struct takc_err *err)
{
    const struct of_document *d = arg;
    sqlite3_stmt *s = NULL;
    enum takc_status st = takc_catalog_prepare(h, TAKC_STMT_DROP_DOCUMENT, &s, err);
    if (!st) {
        takc_sql_bind(s, 1, d->task);
        takc_sql_bind(s, 2, d->doc);
        st = takc_catalog_step(h, s, "forget a document", err);
    }
    if (!st)
        st = takc_catalog_prepare(h, TAKC_STMT_WIPE_WORDS, &s, err);
    if (st)
        return st;
    takc_sql_bind(s, 1, d->task);
    return takc_catalog_step(h, s, "forget questions", err);
}

enum takc_status takc_home_forget_rows(struct takc_home *h, struct takc_str task, struct takc_str doc, struct takc_err *err)
{
    struct of_document d = {task, doc};
    return takc_catalog_work(h, forget_work, &d, err);
}

static enum takc_status add_document(struct takc_home *h, struct takc_str task, const struct takc_document *d, struct takc_err *err)
{
    const struct takc_revision *r = &d->revisions[d->n_revisions - 1];
    sqlite3_stmt *s = NULL;
    enum takc_status st = takc_catalog_prepare(h, TAKC_STMT_ADD_DOCUMENT, &s, err);
    if (st)
        return st;
    takc_sql_bind(s, 1, task);
    takc_sql_bind(s, 2, d->name);
    takc_sql_bind(s, 3, r->source_sha);
    takc_sql_bind(s, 4, r->text_sha);
    takc_sql_bind(s, 5, r->title);
    if (r->has_date)
        (void)sqlite3_bind_int64(s, 6, r->date);
    (void)sqlite3_bind_int64(s, 7, r->ingested_s);
    (void)sqlite3_bind_int64(s, 8, (sqlite3_int64)r->source_bytes);
    (void)sqlite3_bind_int64(s, 9, (sqlite3_int64)r->text_bytes);
    (void)sqlite3_bind_int64(s, 10, (sqlite3_int64)r->n_units);
    return takc_catalog_step(h, s, "add a document", err);
}

static enum takc_status add_version(struct takc_home *h, const struct takc_manifest *m, const struct takc_version *v, struct takc_err *err)
{
    sqlite3_stmt *s = NULL;
    enum takc_status st = takc_catalog_prepare(h, TAKC_STMT_ADD_VERSION, &s, err);
    if (st)
        return st;
    takc_sql_bind(s, 1, m->task);
    takc_sql_bind(s, 2, v->label);
    (void)sqlite3_bind_int64(s, 3, v->created_s);
    (void)sqlite3_bind_int(s, 4, v->pinned);
    (void)sqlite3_bind_int(s, 5, takc_str_eq(v->label, m->current));
    (void)sqlite3_bind_int64(s, 6, (sqlite3_int64)v->source_tokens);
    return takc_catalog_step(h, s, "add a version", err);
}

/* Drops the rows of a task, or of all when it is empty. */
static enum takc_status drop_rows(struct takc_home *h, struct takc_str task, struct takc_err *err)
{
    static const enum takc_catalog_stmt which[] = {TAKC_STMT_DROP_DOCUMENTS, TAKC_STMT_DROP_VERSIONS};
    for (int i = 0; i < 2; i++) {
        sqlite3_stmt *s = NULL;
        enum takc_status st = takc_catalog_prepare(h, which[i], &s, err);
        if (st)
            return st;
        if (task.len)
            takc_sql_bind(s, 1, task);
        st = takc_catalog_step(h, s, "drop rows", err);
        if (st)
            return st;
    }
    return TAKC_OK;
}

struct task_rows {
    const struct takc_document *docs;
    size_t n_docs;
    const struct takc_manifest *manifest;
};

static enum takc_status write_task(struct takc_home *h, struct takc_str task, const struct task_rows *t, struct takc_err *err)
{
    enum takc_status st = takc_sql_run(h->db, "BEGIN IMMEDIATE", err);
    if (st)
        return st;
    st = drop_rows(h, task, err);
    for (size_t i = 0; !st && i < t->n_docs; i++)
        st = add_document(h, task, &t->docs[i], err);
    for (size_t i = 0; !st && i < t->manifest->n_versions; i++)
        st = add_version(h, t->manifest, &t->manifest->versions[i], err);
    if (!st)
        st = takc_sql_run(h->db, "COMMIT", err);
    if (st)
        (void)sqlite3_exec(h->db, "ROLLBACK", NULL, NULL, NULL);
    return st;
}

/* The rows of one task, read from its objects and written in one transaction. */
static enum takc_status fill_task(struct takc_home *h, struct takc_str task, struct takc_err *err)
{
    struct takc_arena a;
    struct takc_document *docs = NULL;
    struct takc_manifest manifest;
    size_t n = 0;
    takc_arena_init(&a);
    enum takc_status st = takc_home_documents(h, task, &a, &docs, &n, err);
    if (!st)
        st = takc_home_manifest(h, task, &a, &manifest, err);
    if (!st)
        st = write_task(h, task, &(struct task_rows){docs, n, &manifest}, err);
    takc_arena_clear(&a);
    return st;
}

enum takc_status takc_catalog_fill_locked(struct takc_home *h, struct takc_err *err)
{
    struct takc_arena a;
    struct takc_str *tasks = NULL;
    size_t n = 0;
    takc_arena_init(&a);
    enum takc_status st = takc_home_tasks_with_keys(h, &a, &tasks, &n, err);
    if (!st)
        st = drop_rows(h, (struct takc_str){NULL, 0}, err);
    for (size_t i = 0; !st && i < n; i++)
        st = fill_task(h, tasks[i], err);
    takc_arena_clear(&a);
    return st;
}

static enum takc_status catalog_task_work(struct takc_home *h, const void *arg, struct takc_err *err)
{
    return fill_task(h, *(const struct takc_str *)arg, err);
}

enum takc_status takc_home_catalog_task(struct takc_home *h, struct takc_str task, struct takc_err *err)
{
    enum takc_status st = takc_task_name_check(task, err);
    return st ? st : takc_catalog_work(h, catalog_task_work, &task, err);
}

static enum takc_status rebuild_work(struct takc_home *h, const void *arg, struct takc_err *err)
{
    (void)arg;
    return takc_catalog_fill_locked(h, err);
}

enum takc_status takc_home_rebuild(struct takc_home *h, struct takc_err *err)
{
    return takc_catalog_work(h, rebuild_work, NULL, err);
}
