/* SPDX-License-Identifier: Apache-2.0
 *
 * ingest.c - the story of ingest: walk, split, read in parallel, store together, tell.
 *
 * Jobs are gathered up to a window, made by threads a few at a time, put into one batch in the order they were found and committed at once:
 * one sync for many documents, while what was made of only a few of them is in memory. Only then are they told as accepted. Names seen are
 * kept for the question of what vanished; a file or folder that is there but could not be read whole holds the documents below its name:
 * they have not vanished. */
#include "takc/ingest.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/pool.h"
#include "pipeline/forget.h"
#include "pipeline/ingest_doc.h"
#include "pipeline/settle.h"
#include "source/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum {
    WINDOW_JOBS = 256, /* documents made durable together */
    GROUP_JOBS = 8
};                                        /* a thread: made together; more would hold more, fewer would have threads wait for each other */
#define WINDOW_BYTES ((uint64_t)32 << 20) /* of sources held in memory at once, or one that is larger */
#define DEFAULT_MAX_FILE ((uint64_t)256 << 20)

struct run {
    struct takc_home *home;
    struct takc_call *call;
    const struct takc_ingest_options *o;
    struct takc_ingest_report *report;
    struct takc_profile profile;
    const struct takc_tokenizer *tokenizer;
    struct takc_store_batch *batch;
    struct takc_ingest_job *jobs;
    size_t n_jobs, first; /* first: of the group being made */
    uint64_t held_bytes, n_done;
    struct takc_arena names; /* of documents and roots seen */
    struct takc_intern seen, held, roots;
    int64_t now_s;
    /* the source file being split */
    const struct takc_source_item *item;
    struct takc_str item_root;
    bool made_up;    /* as the writer's */
    bool lost_names; /* a name could not be kept for want of memory: nothing is called vanished then */
};

static void tell(struct run *r, const struct takc_ingest_item *item)
{
    uint64_t *count[] = {NULL,
                         &r->report->n_new,
                         &r->report->n_changed,
                         &r->report->n_same,
                         &r->report->n_skipped,
                         &r->report->n_refused,
                         &r->report->n_vanished,
                         &r->report->n_forgotten};
    ++*count[item->outcome];
    if (item->outcome == TAKC_INGEST_NEW || item->outcome == TAKC_INGEST_CHANGED) {
        r->report->bytes += item->bytes;
        r->report->tokens += item->tokens;
        r->report->n_replaced += item->n_replaced;
    }
    if (item->outcome == TAKC_INGEST_REFUSED)
        takc_log_for(r->call, INFO, "ingest", "refused document=%.*s: %s", TAKC_STR_ARG(item->name), item->message);
    else
        takc_log_for(r->call, DEBUG, "ingest", "document=%.*s outcome=%d units=%llu", TAKC_STR_ARG(item->name), (int)item->outcome,
                     (unsigned long long)item->units);
    if (r->o->each)
        r->o->each(r->o->each_arg, item);
}

static void tell_refused(struct run *r, struct takc_str name, enum takc_status status, const char *message)
{
    tell(r, &(struct takc_ingest_item){.outcome = TAKC_INGEST_REFUSED, .name = name, .status = status, .message = message});
}

static void tell_job(struct run *r, const struct takc_ingest_job *j)
{
    if (j->outcome == TAKC_INGEST_REFUSED) {
        char place[sizeof(j->why.msg) + 32];
        (void)snprintf(place, sizeof(place), "in line %u: %s", j->first_line, j->why.msg); /* of its file, where it is a part of one */
        tell_refused(r, j->name, j->status, j->first_line ? place : j->why.msg);
        return;
    }
    struct takc_str notes = takc_buf_str(&j->doc.notes);
    tell(r, &(struct takc_ingest_item){.outcome = j->outcome,
                                       .name = j->name,
                                       .reader = takc_str(j->reader->name),
                                       .charset = takc_str(j->doc.charset),
                                       .bytes = j->n_bytes,
                                       .units = j->n_units,
                                       .chunks = j->n_chunks,
                                       .tokens = (j->source_mt + 999) / 1000,
                                       .n_replaced = j->doc.n_replaced,
                                       .message = notes.len ? notes.ptr : ""});
}

static enum takc_status make_one(void *arg, size_t i, struct takc_err *err)
{
    struct run *r = arg;
    return takc_ingest_job_make(&r->jobs[r->first + i], r->o, r->tokenizer, r->call, err);
}

/* Makes n jobs from r->first on, stores them, and gives back what was made. */
static enum takc_status make_group(struct run *r, size_t n, struct takc_err *err)
{
    enum takc_status st = takc_parallel_for(r->o->n_threads ? r->o->n_threads : 1, n, make_one, r, r->call, err);
    for (size_t i = r->first; !st && i < r->first + n; i++) {
        struct takc_ingest_job *j = &r->jobs[i];
        if (j->put)
            st = takc_ingest_job_put(j, r->home, &r->profile, r->o, r->batch, r->now_s, r->call, err);
        takc_ingest_job_slim(j);
    }
    return st;
}

/* Makes, stores and tells all gathered jobs, and empties the window. */
static enum takc_status flush(struct run *r, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    size_t group = (size_t)GROUP_JOBS * (r->o->n_threads ? r->o->n_threads : 1), n;
    for (r->first = 0; !st && r->first < r->n_jobs; r->first += n) {
        n = r->n_jobs - r->first < group ? r->n_jobs - r->first : group;
        st = make_group(r, n, err);
    }
    if (!st && r->n_jobs)
        st = takc_store_batch_commit(r->batch, r->call, err);
    if (!st && r->n_jobs)
        takc_log_for(r->call, DEBUG, "ingest.commit", "documents=%zu bytes=%llu", r->n_jobs, (unsigned long long)r->held_bytes);
    for (size_t i = 0; i < r->n_jobs; i++) {
        if (!st)
            tell_job(r, &r->jobs[i]);
        takc_ingest_job_clear(&r->jobs[i]);
    }
    r->n_done += r->n_jobs;
    takc_call_progress(r->call, "ingest", "documents", r->n_done, 0);
    r->n_jobs = 0;
    r->held_bytes = 0;
    return st;
}

/* What is known under this name, into the job; CONFLICT when the name came from another root. */
static enum takc_status look_up(struct run *r, struct takc_ingest_job *j, struct takc_err *err)
{
    struct takc_document *old = takc_arena_alloc(&j->arena, sizeof(*old));
    if (!old)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a record");
    enum takc_status st = takc_home_document(r->home, r->o->task, j->name, &j->arena, old, err);
    if (st == TAKC_NOT_FOUND)
        return TAKC_OK;
    if (st)
        return st;
    if (!takc_str_eq(old->root, j->root))
        return takc_fail(err, TAKC_CONFLICT, 0, "this name was ingested from %.*s; give --name or ingest from there",
                         TAKC_STR_ARG(old->root));
    j->old = old;
    return TAKC_OK;
}

/* Adds a document to the window. A name that two sources of this run claim goes to the first. */
static enum takc_status add_job(struct run *r, struct takc_str name, struct takc_str bytes, const struct takc_reader_ops *reader,
                                uint32_t first_line, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    if (r->n_jobs == WINDOW_JOBS || (r->n_jobs && r->held_bytes + bytes.len > WINDOW_BYTES)) /* a large one is alone */
        st = flush(r, err);
    if (st)
        return st;
    if (takc_intern_find(&r->seen, name) != TAKC_INTERN_NONE) {
        tell_refused(r, name, TAKC_CONFLICT, "another document of this run has this name");
        return TAKC_OK;
    }
    uint32_t id;
    struct takc_ingest_job *j = &r->jobs[r->n_jobs];
    takc_ingest_job_init(j);
    j->reader = reader;
    j->first_line = first_line;
    j->name = takc_arena_dup(&j->arena, name);
    j->root = r->item_root;
    j->file_sha = takc_arena_dup(&j->arena, takc_str(r->item->file_sha.s));
    st = takc_intern_add(&r->seen, name, &id, err);
    if (!st && (!j->name.ptr || !j->file_sha.ptr))
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for a name");
    if (!st)
        st = takc_buf_add(&j->bytes, bytes, err);
    if (!st) {
        struct takc_err why;
        enum takc_status known = look_up(r, j, &why);
        if (known) {
            takc_ingest_job_clear(j);
            if (known != TAKC_CONFLICT && known != TAKC_CORRUPT)
                return takc_fail(err, known, why.detail, "%s", why.msg);
            tell_refused(r, name, known, why.msg);
            return TAKC_OK;
        }
        r->n_jobs++;
        r->held_bytes += bytes.len;
        return TAKC_OK;
    }
    takc_ingest_job_clear(j);
    return st;
}

/* --- one source file --- */

static enum takc_status add_part(void *arg, const struct takc_split_part *part, struct takc_err *err)
{
    struct run *r = arg;
    struct takc_buf name;
    takc_buf_init(&name, TAKC_BUF_MAX_NAME);
    enum takc_status st = takc_buf_add(&name, r->o->name ? takc_str(r->o->name) : r->item->name, err);
    if (!st)
        st = takc_buf_add(&name, part->suffix, err);
    if (!st)
        st = add_job(r, takc_buf_str(&name), part->bytes, part->reader, part->line, err);
    takc_buf_clear(&name);
    return st;
}

/* The file or folder of this name is there, but was not taken whole. */
static void hold(struct run *r, struct takc_str name)
{
    uint32_t id;
    if (takc_intern_add(&r->held, name, &id, NULL))
        r->lost_names = true;
}

static struct takc_str item_name(const struct run *r)
{
    return r->o->name ? takc_str(r->o->name) : r->item->name;
}

static void bad_part(void *arg, uint32_t line, const char *msg)
{
    struct run *r = arg;
    struct takc_str file = item_name(r);
    char name[1024];
    int n = snprintf(name, sizeof(name), "%.*s#%u", (int)(file.len > 900 ? 900 : file.len), file.ptr, line);
    hold(r, file);
    tell_refused(r, takc_str_n(name, (size_t)n), TAKC_INVALID, msg);
}

/* Roots live as long as the run; the same text once. */
static enum takc_status keep_root(struct run *r, struct takc_str root, struct takc_err *err)
{
    uint32_t before = (uint32_t)r->roots.n, id;
    enum takc_status st = takc_intern_add(&r->roots, root, &id, err);
    if (st)
        return st;
    if (id == before || !takc_str_eq(r->item_root, root)) {
        r->item_root = takc_arena_dup(&r->names, root);
        if (!r->item_root.ptr)
            return takc_fail(err, TAKC_NOMEM, 0, "no memory for a name");
    }
    return TAKC_OK;
}

static bool any_glob(const char *const *globs, size_t n, struct takc_str path)
{
    bool any = false;
    for (size_t i = 0; !any && i < n; i++)
        any = takc_str_glob(takc_str(globs[i]), path);
    return any;
}

bool takc_ingest_wants(const struct takc_ingest_options *o, struct takc_str path)
{
    return (o->n_include == 0 || any_glob(o->include, o->n_include, path)) && !any_glob(o->exclude, o->n_exclude, path);
}

/* Of a record of a file ("a.jsonl#7"), the file's path counts. */
static bool is_wanted(const struct run *r, struct takc_str path)
{
    return takc_ingest_wants(r->o, path);
}

static bool is_wanted_document(const struct run *r, struct takc_str name)
{
    bool wanted = is_wanted(r, name);
    for (size_t at = takc_str_find_byte(name, '#', 0); !wanted && at != SIZE_MAX; at = takc_str_find_byte(name, '#', at + 1))
        wanted = is_wanted(r, takc_str_slice(name, 0, at));
    return wanted;
}

static enum takc_status on_item(void *arg, const struct takc_source_item *item, struct takc_err *err)
{
    struct run *r = arg;
    r->item = item;
    struct takc_str name = item_name(r);
    if (!is_wanted(r, item->name))
        return TAKC_OK;
    const struct takc_reader_ops *reader = takc_reader_pick(takc_source_inner_name(item->name), item->bytes);
    if (!reader) {
        hold(r, name);
        tell(r, &(struct takc_ingest_item){
                    .outcome = TAKC_INGEST_SKIPPED, .name = name, .message = "binary, or no kind of document that takc reads"});
        return TAKC_OK;
    }
    enum takc_status st = keep_root(r, r->o->root ? takc_str(r->o->root) : item->root, err);
    const struct takc_reader_input in = {.bytes = item->bytes,
                                         .name = name,
                                         .jsonl_id = r->o->jsonl_id,
                                         .jsonl_title = r->o->jsonl_title,
                                         .jsonl_text = r->o->jsonl_text,
                                         .jsonl_date = r->o->jsonl_date};
    if (st || !takc_split_wanted(reader, &in))
        return st ? st : add_job(r, name, item->bytes, reader, 0, err);
    struct takc_err why = {0};
    st = takc_split(reader, r->call, &in, add_part, bad_part, r, &why);
    if (st == TAKC_REFUSED || st == TAKC_INVALID || st == TAKC_CORRUPT) {
        hold(r, name);
        tell_refused(r, name, st, why.msg);
        return TAKC_OK;
    }
    return st ? takc_fail(err, st, why.detail, "%.*s: %s", TAKC_STR_ARG(name), why.msg) : TAKC_OK;
}

/* A file that is there but not taken has not vanished. */
static void on_skipped(void *arg, struct takc_str name, enum takc_status status, const char *reason)
{
    struct run *r = arg;
    if (!is_wanted(r, name))
        return;
    hold(r, name);
    if (status)
        tell_refused(r, name, status, reason);
    else
        tell(r, &(struct takc_ingest_item){.outcome = TAKC_INGEST_SKIPPED, .name = name, .message = reason});
}

/* --- what vanished --- */

/* Is the document's file, or a folder above it, there without having been read whole? */
static bool is_held(const struct run *r, struct takc_str name)
{
    bool held = r->held.n && takc_intern_find(&r->held, name) != TAKC_INTERN_NONE;
    for (size_t i = 0; r->held.n && !held && i < name.len; i++)
        if (name.ptr[i] == '/' || name.ptr[i] == '#')
            held = takc_intern_find(&r->held, takc_str_slice(name, 0, i)) != TAKC_INTERN_NONE;
    return held;
}

/* Does the document come from a root of this run, and was not seen there? */
static bool has_vanished(const struct run *r, const struct takc_document *d)
{
    return takc_intern_find(&r->roots, d->root) != TAKC_INTERN_NONE && takc_intern_find(&r->seen, d->name) == TAKC_INTERN_NONE &&
           !is_held(r, d->name) && is_wanted_document(r, d->name);
}

/* What vanished: told, or under mirror forgotten, all at once, and told then. */
static enum takc_status tell_vanished(struct run *r, struct takc_err *err)
{
    struct takc_document *docs;
    size_t n, n_gone = 0;
    enum takc_status st = takc_home_documents(r->home, r->o->task, &r->names, &docs, &n, err);
    if (st)
        return st;
    struct takc_str *gone = takc_arena_array(&r->names, n + 1, sizeof(*gone));
    if (!gone)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu names", n);
    for (size_t i = 0; i < n; i++)
        if (has_vanished(r, &docs[i]))
            gone[n_gone++] = docs[i].name;
    if (n_gone && r->o->mirror)
        st = takc_forget_locked(r->home, r->call, r->o->task, gone, n_gone, r->made_up, NULL, err);
    for (size_t i = 0; !st && i < n_gone; i++)
        tell(r, &(struct takc_ingest_item){
                    .outcome = r->o->mirror ? TAKC_INGEST_FORGOTTEN : TAKC_INGEST_VANISHED, .name = gone[i], .message = ""});
    return st;
}

/* A folder's root is known even when nothing is left in it. */
static enum takc_status note_folder(struct run *r, const char *path, bool *out_folder, struct takc_err *err)
{
    struct stat info;
    uint32_t id;
    *out_folder = strcmp(path, "-") != 0 && stat(path, &info) == 0 && S_ISDIR(info.st_mode);
    if (!*out_folder)
        return TAKC_OK;
    char *root = realpath(path, NULL);
    if (!root)
        return takc_fail_errno(err, errno, "%s", path);
    enum takc_status st = takc_intern_add(&r->roots, takc_str(root), &id, err);
    free(root);
    return st;
}

/* Only folders that were walked whole can tell that something vanished from them. */
static enum takc_status run_paths(struct run *r, const char *const *paths, size_t n_paths, struct takc_err *err)
{
    const struct takc_source_options so = {.max_file_bytes = r->o->max_file_bytes ? r->o->max_file_bytes : DEFAULT_MAX_FILE,
                                           .stdin_name = r->o->name};
    bool all_folders = n_paths > 0 && !r->o->root, folder = false;
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < n_paths; i++) {
        st = note_folder(r, paths[i], &folder, err);
        if (!st)
            st = takc_source_walk(paths[i], &so, r->call, on_item, on_skipped, r, err);
        all_folders = all_folders && folder;
    }
    if (!st)
        st = flush(r, err);
    if (!st && all_folders && !r->lost_names)
        st = tell_vanished(r, err);
    return st;
}

static void clear_run(struct run *r)
{
    for (size_t i = 0; i < r->n_jobs; i++)
        takc_ingest_job_clear(&r->jobs[i]);
    takc_free(r->jobs);
    if (r->batch)
        takc_store_batch_close(r->batch);
    takc_intern_clear(&r->seen);
    takc_intern_clear(&r->held);
    takc_intern_clear(&r->roots);
    takc_arena_clear(&r->names);
    takc_profile_clear(&r->profile);
}

/* Does a name that the caller gives look like one that a walk could give: parts between single '/', none of them "." or ".."? */
static enum takc_status check_given_name(const char *given, struct takc_err *err)
{
    struct takc_str rest = takc_str(given), part;
    bool good = takc_source_good_name(rest) && !takc_str_ends(rest, takc_str("/"));
    while (good && takc_str_split(&rest, '/', &part))
        good = part.len && !takc_str_is(part, ".") && !takc_str_is(part, "..");
    return good
               ? TAKC_OK
               : takc_fail(err, TAKC_INVALID, 0, "the name given is no relative path of printable UTF-8 without empty parts, '.' and '..'");
}

static enum takc_status check_name(const struct takc_ingest_options *o, const char *const *paths, size_t n_paths, struct takc_err *err)
{
    struct stat info;
    if (o->name && n_paths != 1)
        return takc_fail(err, TAKC_INVALID, 0, "a name goes with one file, not with %zu paths", n_paths);
    if (o->name && strcmp(paths[0], "-") != 0 && stat(paths[0], &info) == 0 && S_ISDIR(info.st_mode))
        return takc_fail(err, TAKC_INVALID, 0, "a name goes with one file, not with a folder");
    for (size_t i = 0; i < n_paths; i++)
        if (strcmp(paths[i], "-") == 0 && !o->name)
            return takc_fail(err, TAKC_INVALID, 0, "what comes from standard input needs a name: --name NAME");
    return o->name ? check_given_name(o->name, err) : TAKC_OK;
}

enum takc_status takc_ingest(struct takc_home *h, struct takc_call *call, const char *const *paths, size_t n_paths,
                             const struct takc_ingest_options *o, struct takc_ingest_report *out, struct takc_err *err)
{
    struct run r = {.home = h, .call = call, .o = o, .report = out};
    struct takc_writer writer = {.lock = {-1}};
    const struct takc_clock *clock = takc_clock_or_system(call ? call->clock : NULL);
    *out = (struct takc_ingest_report){0};
    r.now_s = clock->wall_s(clock);
    takc_arena_init(&r.names);
    takc_intern_init(&r.seen);
    takc_intern_init(&r.held);
    takc_intern_init(&r.roots);
    enum takc_status st = check_name(o, paths, n_paths, err);
    if (!st)
        st = takc_home_counting_profile(h, o->task, &r.profile, err);
    if (st)
        return st;
    r.tokenizer = r.profile.counter;
    r.jobs = takc_alloc_array(WINDOW_JOBS, sizeof(*r.jobs));
    if (!r.jobs)
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for a window of documents");
    if (!st)
        st = takc_writer_begin(h, call, o->task, &r.profile, o->wait_ms, &writer, err);
    r.made_up = writer.made_up;
    if (!st)
        st = takc_store_batch_open(takc_home_store(h), &r.batch, err);
    if (!st)
        st = run_paths(&r, paths, n_paths, err);
    if (!st && out->n_new + out->n_changed)
        st = takc_home_catalog_task(h, o->task, err);
    if (!st)
        takc_log_for(call, INFO, "ingest", "task=%.*s new=%llu changed=%llu same=%llu refused=%llu", TAKC_STR_ARG(o->task),
                     (unsigned long long)out->n_new, (unsigned long long)out->n_changed, (unsigned long long)out->n_same,
                     (unsigned long long)out->n_refused);
    clear_run(&r);
    takc_lock_close(&writer.lock);
    return st;
}
