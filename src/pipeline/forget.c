/* SPDX-License-Identifier: Apache-2.0
 *
 * forget.c - the story of forget, for any number of documents at once. Order matters for a kill in between: copies first, then every kept
 * version is redacted in one manifest swap and the current one made again, the catalogue is scrubbed, then the records go, what they stood
 * on is swept, and the proof searched. A second call goes on where the first stopped: until the sweep the records say what there is to
 * forget; behind it, only a sweep is left, which the next writer makes up for, whoever it is.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "object/dir.h"
#include "pipeline/forget_parts.h"
#include "pipeline/generate.h"
#include "pipeline/redact.h"
#include "pipeline/settle.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define WAITING "/.takc-uploads/" /* below a home: bodies of uploads until their job has ended */
enum { LOOKS_MAX = 7, WAITING_LOOKS_MAX = 3, LOOK_NS = 200000000, PIECE_BYTES = 1 << 18 };

/* --- versions --- */

/* Does the version hold any of the documents, and no others? */
static enum takc_status holds(struct takc_forgetting *f, const struct takc_version *v, bool *out, bool *out_alone, struct takc_err *err)
{
    struct takc_docset set;
    size_t n = 0;
    enum takc_status st = takc_docset_of_version(f->home, f->task, v, &f->arena, &set, err);
    for (size_t i = 0; !st && i < set.n_docs; i++)
        n += takc_forgetting_names(f, set.docs[i].name);
    *out = !st && n > 0;
    *out_alone = *out && n == set.n_docs;
    return st;
}

/* "3" -> "3.r1", "3.r1" -> "3.r2". */
static char *redacted_label(struct takc_forgetting *f, struct takc_str label)
{
    size_t dot = takc_str_find(label, takc_str(".r"), 0);
    uint64_t k = 0;
    if (dot != SIZE_MAX && takc_str_u64(takc_str_slice(label, dot + 2, label.len), 1u << 30, &k, NULL) == TAKC_OK)
        label = takc_str_slice(label, 0, dot);
    return takc_arena_printf(&f->arena, "%.*s.r%u", TAKC_STR_ARG(label), (unsigned)k + 1);
}

/* Every kept version without the documents: as it was, redacted, or dropped where it held nothing else. Old labels that go are noted. Where
 * the current one is dropped, the newest that is left takes its place. */
static enum takc_status redact_kept(struct takc_forgetting *f, struct takc_build *b, struct takc_str *gone, size_t *n_gone,
                                    struct takc_err *err)
{
    struct takc_version *versions = takc_arena_array(&f->arena, f->m.n_versions + 1, sizeof(*versions));
    enum takc_status st = versions ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for a manifest");
    struct takc_str current = {NULL, 0};
    size_t n = 0;
    for (size_t i = 0; !st && i < f->m.n_versions; i++) {
        const struct takc_version *v = &f->m.versions[i];
        bool has, alone;
        st = holds(f, v, &has, &alone, err);
        if (!st && has) {
            f->report->n_versions++;
            gone[(*n_gone)++] = v->label;
        }
        if (st || alone)
            continue;
        versions[n] = *v;
        char *label = has ? redacted_label(f, v->label) : NULL;
        if (has)
            st = label ? takc_redact_version(b, v, f->names, f->n, &f->needles, takc_str(label), &versions[n], err)
                       : takc_fail(err, TAKC_NOMEM, 0, "no memory for a label");
        if (takc_str_eq(f->m.current, v->label))
            current = versions[n].label;
        n++;
    }
    f->m.current = current.len || !n || !f->m.current.len ? current : versions[n - 1].label;
    f->m.versions = versions;
    f->m.n_versions = n;
    return st;
}

/* The documents that are left. */
static enum takc_status rest_of_documents(struct takc_forgetting *f, struct takc_docset *out, struct takc_err *err)
{
    size_t n = 0;
    enum takc_status st = takc_docset_current(f->home, f->task, &f->arena, out, err);
    for (size_t i = 0; !st && i < out->n_docs; i++)
        if (!takc_forgetting_names(f, out->docs[i].name))
            out->docs[n++] = out->docs[i];
    out->n_docs = n;
    return st;
}

/* Has the current version to be made again, and can it be? It has when it was redacted, or when nothing is current though something was,
 * now or before a kill: it held nothing else. Where it stands already, it never held the documents or was made again by an earlier call;
 * where only a set of a text is kept, there is nothing to make it from, and the redacted one stays current. */
static bool is_to_be_made(const struct takc_forgetting *f, const struct takc_version *was, const struct takc_docset *rest)
{
    const struct takc_version *current = takc_manifest_find(&f->m, f->m.current);
    bool whole = rest->n_docs > 0;
    for (size_t i = 0; whole && i < rest->n_docs; i++)
        whole = !takc_docset_is_reduced(&rest->docs[i]);
    return whole && (current ? current->redacted_from.len > 0 : was || (f->made_up && f->m.next > 1));
}

/* The work key of a version that kept replies alone make. */
static enum takc_status unasked_key(struct takc_forgetting *f, struct takc_build *b, struct takc_err *err)
{
    struct takc_hex hex;
    char *text = takc_arena_printf(&f->arena, "%.*s\nkept replies only\n", TAKC_STR_ARG(b->work_key));
    enum takc_status st = text ? takc_sha256(takc_str(text), &hex, err) : takc_fail(err, TAKC_NOMEM, 0, "no memory for a work key");
    if (st)
        return st;
    b->work_key = takc_arena_dup(&f->arena, takc_str(hex.s));
    return b->work_key.ptr ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for a work key");
}

/* Makes the current version again from the documents that are left, at the rates it had. */
static enum takc_status remake_current(struct takc_forgetting *f, struct takc_build *b, const struct takc_version *was,
                                       struct takc_docset *rest, struct takc_err *err)
{
    takc_rate *rates = takc_arena_array(&f->arena, TAKC_LEDGER_ROWS, sizeof(*rates));
    char *label = takc_arena_printf(&f->arena, "%u", f->m.next);
    if (!rates || !label)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a version");
    b->rates = was ? rates : f->profile.rates;
    b->n_rates = was ? 0 : f->profile.n_rates;
    for (size_t i = 0; was && i < was->n_artifacts && i < TAKC_LEDGER_ROWS; i++)
        rates[b->n_rates++] = was->artifacts[i].rate;
    b->set = rest;
    b->label = takc_str(label);
    /* Nobody is asked anything here. Where that makes a difference, the version has another key than one that was asked for. */
    enum takc_status st = takc_build_work_key(b, err);
    struct takc_str asked = b->work_key;
    if (!st && b->generation)
        st = unasked_key(f, b, err);
    if (!st)
        st = takc_build_make(b, err);
    if (!st && b->generation && !b->generation->n_withheld)
        b->version.work_key = asked;
    if (!st)
        st = takc_build_publish(b, &f->m, err);
    f->report->n_versions++;
    return st;
}

/* The manifest without the documents, and nothing left under the labels that went. */
static enum takc_status publish_redacted(struct takc_forgetting *f, struct takc_build *b, struct takc_err *err)
{
    struct takc_str *gone = takc_arena_array(&f->arena, f->m.n_versions + 1, sizeof(*gone));
    size_t n_gone = 0;
    enum takc_status st = gone ? redact_kept(f, b, gone, &n_gone, err) : takc_fail(err, TAKC_NOMEM, 0, "no memory for a manifest");
    if (st || !n_gone)
        return st;
    st = takc_home_manifest_swap(f->home, &f->m, &f->m.tag, err);
    for (size_t i = 0; !st && i < n_gone; i++)
        st = takc_version_remove(f->home, f->task, gone[i], &f->report->n_objects, err);
    return st ? st : takc_settle_unmarked(b, &f->m, false, err);
}

static enum takc_status change_versions(struct takc_forgetting *f, struct takc_err *err)
{
    struct takc_build b = {.home = f->home, .call = f->call, .task = f->task, .profile = &f->profile, .arena = &f->arena, .n_threads = 1};
    struct takc_docset rest;
    struct takc_generation generation;
    const struct takc_version *was = takc_manifest_find(&f->m, f->m.current);
    enum takc_status st = was ? takc_generation_of(f->home, f->task, was->label, &f->arena, &generation, err) : TAKC_NOT_FOUND;
    bool generated = st == TAKC_OK;
    if (st == TAKC_CORRUPT || st == TAKC_INVALID)
        takc_log_for(f->call, WARN, "forget",
                     "task=%.*s: how the current version was written cannot be read; it is made again by extraction",
                     TAKC_STR_ARG(f->task));
    if (!st || st == TAKC_NOT_FOUND || st == TAKC_CORRUPT || st == TAKC_INVALID)
        st = publish_redacted(f, &b, err);
    if (!st)
        st = rest_of_documents(f, &rest, err);
    if (st)
        return st;
    b.generation = generated ? &generation : NULL;
    if (is_to_be_made(f, was, &rest))
        return remake_current(f, &b, was, &rest, err);
    /* What a killed compress left under the next label may hold the documents too. */
    char *next = takc_arena_printf(&f->arena, "%u", f->m.next);
    return next ? takc_version_remove(f->home, f->task, takc_str(next), &f->report->n_objects, err)
                : takc_fail(err, TAKC_NOMEM, 0, "no memory for a label");
}

/* --- objects and proof --- */

static enum takc_status remove_key(struct takc_forgetting *f, struct takc_str key, struct takc_err *err)
{
    enum takc_status st = takc_store_del(takc_home_store(f->home), f->call, key, err);
    f->report->n_objects += st == TAKC_OK;
    return st == TAKC_NOT_FOUND ? TAKC_OK : st;
}

/* Chunks of a document, and its bytes under their name. */
static enum takc_status remove_copies(struct takc_forgetting *f, struct takc_str name, struct takc_err *err)
{
    struct takc_key_list chunks = {0};
    struct takc_key first = takc_key_chunk(f->task, name, 0), raw = takc_key_raw(f->task, name);
    struct takc_str prefix = takc_str(first.s);
    while (prefix.len && prefix.ptr[prefix.len - 1] != '_')
        prefix.len--;
    enum takc_status st = takc_home_keys(takc_home_store(f->home), f->call, prefix, &f->arena, &chunks, err);
    for (size_t i = 0; !st && i < chunks.n; i++)
        st = remove_key(f, chunks.keys[i], err);
    return st ? st : remove_key(f, takc_str(raw.s), err);
}

static bool note_hit(void *arg, uint32_t needle, size_t at)
{
    (void)needle;
    (void)at;
    *(bool *)arg = true;
    return false;
}

/* Replies of a model that say a sentence, whatever they were asked about: what is made again must not be made from them. */
static enum takc_status remove_replies(struct takc_forgetting *f, struct takc_err *err)
{
    struct takc_key_list list = {0};
    char *prefix = takc_arena_printf(&f->arena, "replies/%.*s/", TAKC_STR_ARG(f->task));
    enum takc_status st = prefix ? takc_home_keys(takc_home_store(f->home), f->call, takc_str(prefix), &f->arena, &list, err)
                                 : takc_fail(err, TAKC_NOMEM, 0, "no memory for a prefix");
    for (size_t i = 0; !st && i < list.n; i++) {
        struct takc_store_view v;
        bool says = false;
        st = takc_store_view(takc_home_store(f->home), f->call, list.keys[i], &v, err);
        if (st)
            return st;
        takc_needles_search(&f->needles, v.bytes, note_hit, &says);
        takc_store_view_close(&v);
        st = says ? remove_key(f, list.keys[i], err) : TAKC_OK;
    }
    return st;
}

struct piece { /* of a file */
    struct takc_forgetting *f;
    const char *path;
    size_t at, kept; /* where it begins in the file; bytes at its beginning that were searched with the piece before */
};

static bool tell_hit(void *arg, uint32_t needle, size_t at)
{
    const struct piece *p = arg;
    struct takc_forgetting *f = p->f;
    struct takc_str what = f->needles.list[needle];
    if (at + what.len <= p->kept)
        return true;
    if (strstr(p->path + strlen(takc_home_path(f->home)), WAITING)) {
        if (f->n_waiting++ == 0)
            (void)snprintf(f->waiting, sizeof(f->waiting), "%s", p->path);
        return false;
    }
    if (f->report->n_found++ == 0)
        (void)snprintf(f->report->where, sizeof(f->report->where), "%s at byte %zu: \"%.60s\"", p->path, p->at + at, what.ptr);
    return f->report->n_found < 1000;
}

/* Is it in the home of a tenant? What those have is theirs. */
static bool is_tenants(const struct takc_forgetting *f, const char *path)
{
    const char *home = takc_home_path(f->home);
    size_t n = strlen(home);
    const char *rest = strncmp(path, home, n) == 0 ? path + n + strspn(path + n, "/") : path;
    return strncmp(rest, TAKC_DIR_TENANTS "/", sizeof(TAKC_DIR_TENANTS)) == 0;
}

/* Read, not mapped: others may cut a file short meanwhile (the catalogue's), and who reads a map behind its end is killed. */
static enum takc_status search_bytes(struct takc_forgetting *f, int fd, const char *path, char *bytes, size_t longest, struct takc_err *err)
{
    struct piece p = {.f = f, .path = path};
    for (;;) {
        ssize_t n = read(fd, bytes + p.kept, PIECE_BYTES);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return takc_fail_errno(err, errno, "%s", path);
        if (n == 0)
            return TAKC_OK;
        size_t all = p.kept + (size_t)n, keep = all < longest ? all : longest;
        f->report->n_bytes += (uint64_t)n;
        takc_needles_search(&f->needles, takc_str_n(bytes, all), tell_hit, &p);
        memmove(bytes, bytes + all - keep, keep);
        p.at += all - keep;
        p.kept = keep;
    }
}

static enum takc_status search_file(struct takc_forgetting *f, const char *path, struct takc_err *err)
{
    size_t longest = 0;
    for (size_t i = 0; i < f->needles.n; i++)
        longest = f->needles.list[i].len > longest ? f->needles.list[i].len : longest;
    int e = takc_fault_hit(TAKC_FAULT_READ);
    int fd = e ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (e)
        errno = e;
    if (fd < 0)
        return errno == ENOENT ? TAKC_OK : takc_fail_errno(err, errno, "%s", path);
    char *bytes = takc_alloc(longest + PIECE_BYTES);
    enum takc_status st =
        bytes ? search_bytes(f, fd, path, bytes, longest, err) : takc_fail(err, TAKC_NOMEM, 0, "no memory to search %s", path);
    f->report->n_files += !st;
    takc_free(bytes);
    (void)close(fd);
    return st;
}

/* What is there but cannot be read proves nothing: the search ends. What another removed meanwhile, a folder too, is gone. */
static enum takc_status search_entry(struct takc_forgetting *f, FTS *tree, FTSENT *e, struct takc_err *err)
{
    switch (e->fts_info) {
    case FTS_D:
        if (is_tenants(f, e->fts_path))
            (void)fts_set(tree, e, FTS_SKIP);
        return TAKC_OK;
    case FTS_DNR:
    case FTS_NS:
    case FTS_ERR:
        return e->fts_errno == ENOENT ? TAKC_OK : takc_fail_errno(err, e->fts_errno, "%s", e->fts_path);
    case FTS_F:
        return e->fts_statp->st_size == 0 || is_tenants(f, e->fts_path) ? TAKC_OK : search_file(f, e->fts_path, err);
    default:
        return TAKC_OK;
    }
}

/* Every byte under the home, but for the homes of tenants. Sources are kept decompressed, so no file needs unpacking. */
static enum takc_status search(struct takc_forgetting *f, struct takc_err *err)
{
    char *const roots[] = {(char *)(uintptr_t)takc_home_path(f->home), NULL};
    struct takc_err why = {0};
    takc_call_progress(f->call, "search", "files", 0, 0);
    f->report->n_found = f->report->n_files = f->report->n_bytes = f->n_waiting = 0;
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    enum takc_status st = tree ? TAKC_OK : takc_fail_errno(&why, errno, "%s", roots[0]);
    for (FTSENT *e; !st && (errno = 0, e = fts_read(tree)) != NULL;)
        st = search_entry(f, tree, e, &why);
    if (!st && errno)
        st = takc_fail_errno(&why, errno, "the home cannot be walked");
    if (tree)
        (void)fts_close(tree);
    return !st ? TAKC_OK
               : takc_fail(err, st == TAKC_NOMEM ? TAKC_NOMEM : TAKC_IO, 0,
                           "forgotten, but the search that proves it could not be finished: %s", why.msg);
}

/* What is found may be another task's by now, which takes the same sentences in while this one forgets them: its text is there before the
 * record that says so. That is looked at again, for some six seconds; for one so is an upload, which goes when its job has ended. One
 * that still waits for its turn is no copy of what was forgotten: it has not been taken in yet. */
static enum takc_status prove(struct takc_forgetting *f, struct takc_err *err)
{
    const struct takc_clock *clock = takc_clock_system();
    enum takc_status st = search(f, err);
    for (int looks = 0; !st && looks < (f->report->n_found ? LOOKS_MAX : f->n_waiting ? WAITING_LOOKS_MAX : 0); looks++) {
        clock->sleep_ns(clock, LOOK_NS * (uint64_t)(looks + 1));
        st = takc_forgetting_again(f, err);
        if (!st)
            st = search(f, err);
    }
    if (!st && f->n_waiting)
        takc_log_for(f->call, WARN, "forget", "an upload that is not taken in yet says the same: %s", f->waiting);
    if (!st && f->report->n_found)
        return takc_fail(err, TAKC_CORRUPT, 0, "%.*s%s is still found at %llu places, first in %s", TAKC_STR_ARG(f->names[0]),
                         f->n > 1 ? " or another of them" : "", (unsigned long long)f->report->n_found, f->report->where);
    return st;
}

static int by_bytes(const void *a, const void *b)
{
    return takc_str_cmp(*(const struct takc_str *)a, *(const struct takc_str *)b);
}

/* The records of the names, each once. One without a record is an error that says so before anything changes; but behind a run that was
 * killed and made up for, it may be what that run forgot. */
static enum takc_status find_records(struct takc_forgetting *f, const struct takc_str *names, size_t n, struct takc_err *err)
{
    struct takc_str *sorted = takc_arena_array(&f->arena, n + 1, sizeof(*sorted));
    f->records = takc_arena_array(&f->arena, n + 1, sizeof(*f->records));
    f->names = sorted;
    if (!sorted || !f->records)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu names", n);
    if (n)
        memcpy(sorted, names, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), by_bytes);
    for (size_t i = 0; i < n; i++) {
        if (f->n && takc_str_eq(sorted[f->n - 1], sorted[i]))
            continue;
        enum takc_status st = takc_home_document(f->home, f->task, sorted[i], &f->arena, &f->records[f->n], err);
        if (st == TAKC_NOT_FOUND && f->made_up)
            continue;
        if (st == TAKC_NOT_FOUND)
            return takc_fail(err, st, 0, "task %.*s has no document %.*s%s", TAKC_STR_ARG(f->task), TAKC_STR_ARG(sorted[i]),
                             n > 1 ? "; nothing was forgotten" : "");
        if (st)
            return st;
        sorted[f->n++] = sorted[i];
    }
    return TAKC_OK;
}

/* No redacted version names replies any more: what was to be made from them is made. */
static enum takc_status drop_replies(struct takc_forgetting *f, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < f->m.n_versions; i++)
        if (f->m.versions[i].redacted_from.len)
            st = takc_generation_copy(f->home, f->task, f->m.versions[i].label, f->m.versions[i].label, false, err);
    return st;
}

/* Records, what they stood on, and that it is gone. Between the first record and the sweep the mark is missing, so that a kill is seen. */
static enum takc_status remove_records(struct takc_forgetting *f, struct takc_err *err)
{
    uint64_t swept = 0;
    enum takc_status st = takc_settle_undo(f->home, f->task, err);
    if (!st)
        st = drop_replies(f, err);
    for (size_t i = 0; !st && i < f->n; i++)
        st = remove_key(f, takc_str(takc_key_document(f->task, f->names[i]).s), err);
    if (!st)
        st = takc_home_sweep_locked(f->home, f->task, &swept, err);
    f->report->n_objects += swept;
    if (!st)
        st = takc_settle_mark(f->home, f->task, f->m.tag, err);
    return st;
}

static enum takc_status run_forget(struct takc_forgetting *f, struct takc_err *err)
{
    enum takc_status st = takc_home_manifest(f->home, f->task, &f->arena, &f->m, err);
    if (!st)
        st = takc_forgetting_gather(f, err);
    /* The records go when nothing stands on them any more, so that a killed forget can be called again. */
    for (size_t i = 0; !st && i < f->n; i++)
        st = remove_copies(f, f->names[i], err);
    if (!st)
        st = remove_replies(f, err);
    if (!st)
        st = change_versions(f, err);
    for (size_t i = 0; !st && i < f->n; i++)
        st = takc_home_forget_rows(f->home, f->task, f->names[i], err);
    if (!st)
        st = takc_home_scrub(f->home, err);
    if (!st)
        st = remove_records(f, err);
    return st ? st : prove(f, err);
}

static void clear(struct takc_forgetting *f)
{
    takc_needles_clear(&f->needles);
    takc_profile_clear(&f->profile);
    takc_arena_clear(&f->arena);
}

/* The lock is held. */
static enum takc_status forget_locked(struct takc_forgetting *f, const struct takc_str *names, size_t n, struct takc_err *err)
{
    enum takc_status st = find_records(f, names, n, err);
    if (!st && f->n)
        st = run_forget(f, err);
    if (!st)
        takc_log_for(f->call, INFO, "forget", "task=%.*s documents=%zu versions=%llu", TAKC_STR_ARG(f->task), f->n,
                     (unsigned long long)f->report->n_versions);
    return st;
}

enum takc_status takc_forget_locked(struct takc_home *h, struct takc_call *call, struct takc_str task, const struct takc_str *documents,
                                    size_t n_documents, bool made_up, struct takc_forget_report *out, struct takc_err *err)
{
    struct takc_forget_report own;
    struct takc_forgetting f = {.home = h, .call = call, .task = task, .report = out ? out : &own, .made_up = made_up};
    *f.report = (struct takc_forget_report){0};
    takc_arena_init(&f.arena);
    takc_needles_init(&f.needles);
    enum takc_status st = takc_home_counting_profile(h, task, &f.profile, err);
    if (!st)
        st = forget_locked(&f, documents, n_documents, err);
    clear(&f);
    return st;
}

enum takc_status takc_forget(struct takc_home *h, struct takc_call *call, struct takc_str task, const struct takc_str *documents,
                             size_t n_documents, uint64_t wait_ms, struct takc_forget_report *out, struct takc_err *err)
{
    struct takc_writer writer = {.lock = {-1}};
    struct takc_forgetting f = {.home = h, .call = call, .task = task, .report = out};
    *out = (struct takc_forget_report){0};
    takc_arena_init(&f.arena);
    takc_needles_init(&f.needles);
    enum takc_status st = takc_task_name_check(task, err);
    if (!st)
        st = takc_home_counting_profile(h, task, &f.profile, err);
    if (!st)
        st = takc_writer_begin(h, call, task, &f.profile, wait_ms, &writer, err);
    f.made_up = writer.made_up;
    if (!st)
        st = forget_locked(&f, documents, n_documents, err);
    takc_lock_close(&writer.lock);
    clear(&f);
    return st;
}

/* Reads what a forget would begin with. */
static enum takc_status plan(struct takc_forgetting *f, const struct takc_str *names, size_t n, struct takc_err *err)
{
    enum takc_status st = find_records(f, names, n, err);
    if (!st)
        st = takc_home_manifest(f->home, f->task, &f->arena, &f->m, err);
    if (!st)
        st = takc_forgetting_gather(f, err);
    for (size_t i = 0; !st && i < f->m.n_versions; i++) {
        bool has, alone;
        st = holds(f, &f->m.versions[i], &has, &alone, err);
        f->report->n_versions += has;
    }
    return st;
}

enum takc_status takc_forget_plan(struct takc_home *h, struct takc_call *call, struct takc_str task, const struct takc_str *documents,
                                  size_t n_documents, struct takc_forget_report *out, struct takc_err *err)
{
    struct takc_forgetting f = {.home = h, .call = call, .task = task, .report = out};
    *out = (struct takc_forget_report){0};
    enum takc_status st = takc_task_name_check(task, err);
    if (st)
        return st;
    takc_arena_init(&f.arena);
    takc_needles_init(&f.needles);
    st = plan(&f, documents, n_documents, err);
    clear(&f);
    return st;
}
