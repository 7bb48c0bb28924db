/* SPDX-License-Identifier: Apache-2.0
 *
 * kill -9 at any moment of real work: a child ingests changed files, forgets what is gone, compresses, pins and rolls back, on one home
 * again and again, and is killed, half of the times at a random moment, half by itself in the n-th phase of a write of one kind (else the
 * short phases would hardly ever be hit). After each kill: the home opens; every document that was told as accepted is there with its
 * bytes, every one told as forgotten is not; everything the manifest names has its hash; and the next run goes on. Every so often a run is
 * left alone, verified, and compared with a home made from scratch: byte for byte the same. What a killed compress had finished is taken
 * over. How many kills landed where is printed. TAKC_KILLS sets their number, TAKC_KILL_SEED what is changed and when. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "../property/home_fixture.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FULL_KILLS 24 /* a sanitized process takes long to start and stop */
#else
#define FULL_KILLS 200 /* TAKC_KILLS=5000 for a night */
#endif
enum { DEFAULT_KILLS = FULL_KILLS, PHASES = TAKC_FILE_FOLDER + 1, DOCS = FIXTURE_FILES - 1 + FIXTURE_LINES, QUIET_EVERY = 12 };
enum kind {
    KIND_NONE = 0,
    KIND_INGEST,
    KIND_SELECTION,
    KIND_INDEX,
    KIND_DOCUMENTS,
    KIND_ARTIFACT,
    KIND_MANIFEST,
    KIND_CACHE,
    KIND_REMOVE,
    KINDS
};
enum op { OP_NONE = 0, OP_INGEST, OP_FORGET, OP_COMPRESS, OP_CACHE, OPS };
static const char *const kind_names[] = {"reading, working", "ingest batch", "selection", "index",         "documents",
                                         "artifacts",        "manifest",     "cache",     "removal, sweep"};
static const char *const op_names[] = {"", "ingest", "forget", "compress", "cache"};

static char root[64], folder[128], home_path[128];

/* What child and parent share; the child alone writes here while it lives. */
static struct shared {
    atomic_int kind, phase, op;
    atomic_int accepted[DOCS]; /* revision of the file that was told as accepted; -1: told as forgotten; 0: nothing was told */
    atomic_uint resumed;       /* finished things that the compress of this run took over */
    atomic_uint made;          /* number of the version that it made; 0: none, or not yet */
} * shared;

static int revisions[FIXTURE_FILES]; /* on disk; 0: no file */

/* --- names of documents --- */

/* Document d is file `file`, or a record of the JSONL file (number 6). */
static int file_of(int d)
{
    return d < 6 ? d : d < 6 + FIXTURE_LINES ? 6 : d - FIXTURE_LINES + 1;
}

static void name_of(int d, char out[96])
{
    char file[64];
    fixture_name(file_of(d), file);
    if (file_of(d) == 6)
        (void)snprintf(out, 96, "%s#k%d", file, d - 6);
    else
        (void)snprintf(out, 96, "%s", file);
}

static int document_named(struct takc_str name)
{
    char mine[96];
    for (int d = 0; d < DOCS; d++) {
        name_of(d, mine);
        if (takc_str_is(name, mine))
            return d;
    }
    return -1;
}

/* --- the child: the store's table with a note of what is being written --- */

static const struct takc_store_ops *real;
static struct takc_store_ops noting;
static int die_kind, die_phase, die_after; /* die_kind 0: somebody else kills us */

static void maybe_die(void)
{
    if (die_kind && atomic_load(&shared->kind) == die_kind && (die_kind == KIND_REMOVE || atomic_load(&shared->phase) == die_phase) &&
        --die_after <= 0)
        (void)raise(SIGKILL);
}

static void note_phase(enum takc_file_phase phase)
{
    atomic_store(&shared->phase, (int)phase);
    if (phase != TAKC_FILE_IDLE)
        maybe_die();
}

static enum kind kind_of(struct takc_str key)
{
    static const struct {
        const char *start, *end;
        enum kind kind;
    } rows[] = {{"manifests/", "", KIND_MANIFEST},
                {"cache/", "", KIND_CACHE},
                {"index/", "selection.bin", KIND_SELECTION},
                {"index/", "", KIND_INDEX},
                {"artifacts/", "documents.json", KIND_DOCUMENTS},
                {"artifacts/", "", KIND_ARTIFACT}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (takc_str_starts(key, takc_str(rows[i].start)) && takc_str_ends(key, takc_str(rows[i].end)))
            return rows[i].kind;
    return KIND_INGEST;
}

static struct takc_store *begin(struct takc_store *s, enum kind kind)
{
    s->ops = real; /* the implementation knows itself by its table */
    atomic_store(&shared->kind, (int)kind);
    if (kind == KIND_REMOVE)
        maybe_die();
    return s;
}

static enum takc_status end(struct takc_store *s, enum takc_status st)
{
    atomic_store(&shared->kind, KIND_NONE);
    s->ops = &noting;
    return st;
}

static enum takc_status note_put(struct takc_store *s, struct takc_call *call, struct takc_str key, struct takc_source *body,
                                 struct takc_err *err)
{
    return end(s, real->put(begin(s, kind_of(key)), call, key, body, err));
}

static enum takc_status note_swap(struct takc_store *s, struct takc_call *call, struct takc_str key, struct takc_str if_tag,
                                  struct takc_str body, struct takc_err *err)
{
    return end(s, real->swap(begin(s, kind_of(key)), call, key, if_tag, body, err));
}

static enum takc_status note_del(struct takc_store *s, struct takc_call *call, struct takc_str key, struct takc_err *err)
{
    return end(s, real->del(begin(s, KIND_REMOVE), call, key, err));
}

static enum takc_status note_get(struct takc_store *s, struct takc_call *call, struct takc_str key, struct takc_sink *out,
                                 struct takc_err *err)
{
    return end(s, real->get(begin(s, KIND_NONE), call, key, out, err));
}

static enum takc_status note_get_range(struct takc_store *s, struct takc_call *call, struct takc_str key, uint64_t from, uint64_t n,
                                       struct takc_sink *out, struct takc_err *err)
{
    return end(s, real->get_range(begin(s, KIND_NONE), call, key, from, n, out, err));
}

static enum takc_status note_tag(struct takc_store *s, struct takc_call *call, struct takc_str key, struct takc_hex *out,
                                 struct takc_err *err)
{
    return end(s, real->tag(begin(s, KIND_NONE), call, key, out, err));
}

static enum takc_status note_list(struct takc_store *s, struct takc_call *call, struct takc_str prefix, takc_store_each_fn *each, void *arg,
                                  struct takc_err *err)
{
    return end(s, real->list(begin(s, KIND_NONE), call, prefix, each, arg, err));
}

static enum takc_status note_map(struct takc_store *s, struct takc_str key, struct takc_map *out, struct takc_err *err)
{
    return end(s, real->map(begin(s, KIND_NONE), key, out, err));
}

static void note_close(struct takc_store *s)
{
    s->ops = real;
    real->close(s);
}

static enum takc_status note_batch_open(struct takc_store *s, struct takc_store_batch **out, struct takc_err *err)
{
    return end(s, real->batch_open(begin(s, KIND_NONE), out, err));
}

static enum takc_status note_batch_put(struct takc_store_batch *b, struct takc_call *call, struct takc_str key, struct takc_str bytes,
                                       bool known, struct takc_err *err)
{
    (void)begin(b->store, KIND_INGEST);
    return end(b->store, real->batch_put(b, call, key, bytes, known, err));
}

static enum takc_status note_batch_derive(struct takc_store_batch *b, struct takc_call *call, struct takc_str key, struct takc_str bytes,
                                          struct takc_err *err)
{
    (void)begin(b->store, KIND_INGEST);
    return end(b->store, real->batch_derive(b, call, key, bytes, err));
}

static enum takc_status note_batch_del(struct takc_store_batch *b, struct takc_call *call, struct takc_str key, struct takc_err *err)
{
    (void)begin(b->store, KIND_NONE);
    return end(b->store, real->batch_del(b, call, key, err));
}

/* A commit of ingest, or one of the sweep. */
static enum takc_status note_batch_commit(struct takc_store_batch *b, struct takc_call *call, struct takc_err *err)
{
    (void)begin(b->store, atomic_load(&shared->op) == OP_INGEST ? KIND_INGEST : KIND_REMOVE);
    return end(b->store, real->batch_commit(b, call, err));
}

static void note_batch_close(struct takc_store_batch *b)
{
    struct takc_store *s = b->store;
    s->ops = real;
    real->batch_close(b);
    s->ops = &noting;
}

static void watch(struct takc_store *s)
{
    real = s->ops;
    noting = (struct takc_store_ops){.name = real->name,
                                     .flags = real->flags,
                                     .put = note_put,
                                     .get = note_get,
                                     .get_range = note_get_range,
                                     .tag = note_tag,
                                     .swap = note_swap,
                                     .del = note_del,
                                     .list = note_list,
                                     .map = note_map,
                                     .close = note_close,
                                     .batch_open = note_batch_open,
                                     .batch_put = note_batch_put,
                                     .batch_derive = note_batch_derive,
                                     .batch_del = note_batch_del,
                                     .batch_commit = note_batch_commit,
                                     .batch_close = note_batch_close};
    s->ops = &noting;
    takc_file_phase_hook = note_phase;
}

/* --- the child's work --- */

static void give_up(const char *what, const struct takc_err *err)
{
    fprintf(stderr, "child: %s: %s\n", what, err->msg);
    _exit(90);
}

static void on_item(void *arg, const struct takc_ingest_item *item)
{
    (void)arg;
    int d = document_named(item->name);
    if (d >= 0 && (item->outcome == TAKC_INGEST_NEW || item->outcome == TAKC_INGEST_CHANGED || item->outcome == TAKC_INGEST_SAME))
        atomic_store(&shared->accepted[d], revisions[file_of(d)]);
}

static void ingest(struct takc_home *h)
{
    struct takc_err err = {0};
    struct takc_ingest_report r;
    const char *paths[] = {folder};
    const struct takc_ingest_options o = {.task = takc_str(FIXTURE_TASK), .each = on_item};
    atomic_store(&shared->op, OP_INGEST);
    if (takc_ingest(h, NULL, paths, 1, &o, &r, &err) || r.n_refused)
        give_up("ingest", &err);
}

static void forget(struct takc_home *h)
{
    atomic_store(&shared->op, OP_FORGET);
    for (int d = 0; d < DOCS; d++) {
        struct takc_err err = {0};
        struct takc_forget_report r;
        char name[96];
        if (revisions[file_of(d)] || atomic_load(&shared->accepted[d]) < 0)
            continue;
        name_of(d, name);
        enum takc_status st = takc_forget(h, NULL, takc_str(FIXTURE_TASK), &(struct takc_str){name, strlen(name)}, 1, 0, &r, &err);
        if (st && st != TAKC_NOT_FOUND)
            give_up("forget", &err);
        atomic_store(&shared->accepted[d], -1);
    }
}

static void compress(struct takc_home *h)
{
    struct takc_err err = {0};
    struct takc_compress_report r;
    const struct takc_compress_options o = {.task = takc_str(FIXTURE_TASK)};
    atomic_store(&shared->op, OP_COMPRESS);
    if (takc_compress(h, NULL, &o, &r, &err))
        give_up("compress", &err);
    atomic_store(&shared->resumed, (unsigned)r.n_resumed);
    if (r.changed)
        atomic_store(&shared->made, (unsigned)strtoul(r.version, NULL, 10));
}

/* Pins what is current, goes back one version: the next compress has something to do. */
static void cache(struct takc_home *h, bool pin)
{
    struct takc_err err = {0};
    char label[32];
    atomic_store(&shared->op, OP_CACHE);
    if (takc_cache_pin(h, takc_str(FIXTURE_TASK), takc_str(""), pin, &err))
        give_up("pin", &err);
    enum takc_status st = takc_cache_rollback(h, takc_str(FIXTURE_TASK), takc_str(""), label, &err);
    if (st && st != TAKC_NOT_FOUND)
        give_up("rollback", &err);
}

static _Noreturn void child(bool quiet, bool pin)
{
    struct takc_home *h = NULL;
    struct takc_err err = {0};
    if (takc_home_open(&h, home_path, &(struct takc_home_options){.wait_ms = 5000}, &err))
        give_up("open", &err);
    watch(takc_home_store(h));
    ingest(h);
    forget(h);
    compress(h);
    if (!quiet)
        cache(h, pin);
    atomic_store(&shared->op, OP_NONE);
    takc_file_phase_hook = NULL;
    takc_home_close(h);
    _exit(0);
}

/* --- the audit --- */

static unsigned landed[KINDS][PHASES], landed_op[OPS], n_kills, n_resumed, n_takeovers, n_quiet;

static void check_stored(struct takc_home *h, struct takc_key key, struct takc_str want)
{
    struct takc_err err = {0};
    struct takc_store_view v;
    struct takc_hex hex;
    fixture_ok(takc_store_view(takc_home_store(h), NULL, takc_str(key.s), &v, &err), &err, key.s);
    fixture_ok(takc_sha256(v.bytes, &hex, &err), &err, key.s);
    takc_store_view_close(&v);
    if (!takc_str_is(want, hex.s))
        fail_msg("%s is not what the manifest or record says", key.s);
}

static void check_versions(struct takc_home *h, struct takc_arena *a, struct takc_manifest *m)
{
    struct takc_err err = {0};
    fixture_ok(takc_home_manifest(h, takc_str(FIXTURE_TASK), a, m, &err), &err, "manifest");
    for (size_t i = 0; i < m->n_versions; i++) {
        const struct takc_version *v = &m->versions[i];
        check_stored(h, takc_key_documents(m->task, v->label), v->documents.sha256);
        check_stored(h, takc_key_index(m->task, v->label), v->index.sha256);
        check_stored(h, takc_key_selection(m->task, v->label), v->selection.sha256);
        for (size_t k = 0; k < v->n_artifacts; k++) {
            check_stored(h, takc_key_artifact(m->task, v->label, v->artifacts[k].rate, ".json"), v->artifacts[k].sha256);
            check_stored(h, takc_key_artifact(m->task, v->label, v->artifacts[k].rate, ".ledger.json"), v->artifacts[k].ledger_sha256);
        }
    }
}

/* Hash of document d at the revision that is on disk. */
static struct takc_hex hash_on_disk(int d)
{
    struct takc_buf b;
    struct takc_hex hex = {""};
    char name[64], path[256];
    fixture_name(file_of(d), name);
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    takc_buf_init(&b, 1 << 20);
    struct takc_err err = {0};
    fixture_ok(takc_file_read(path, &b, &err), &err, path);
    struct takc_str rest = takc_buf_str(&b), line = rest;
    for (int i = 6; file_of(d) == 6 && i <= d; i++)
        (void)takc_str_split(&rest, '\n', &line);
    assert_int_equal(takc_sha256(line, &hex, NULL), TAKC_OK);
    takc_buf_clear(&b);
    return hex;
}

static void check_documents(struct takc_home *h, struct takc_arena *a)
{
    for (int d = 0; d < DOCS; d++) {
        struct takc_err err = {0};
        struct takc_document doc;
        char name[96];
        int told = atomic_load(&shared->accepted[d]);
        name_of(d, name);
        enum takc_status st = takc_home_document(h, takc_str(FIXTURE_TASK), takc_str(name), a, &doc, &err);
        if (told < 0) {
            if (st != TAKC_NOT_FOUND && revisions[file_of(d)] == 0)
                fail_msg("%s was told as forgotten and is there", name);
            continue;
        }
        if (told > 0 && revisions[file_of(d)])
            fixture_ok(st, &err, name);
        if (st) /* never told as accepted, or being forgotten */
            continue;
        const struct takc_revision *r = &doc.revisions[doc.n_revisions - 1];
        if (told && told == revisions[file_of(d)] && !takc_str_is(r->source_sha, hash_on_disk(d).s))
            fail_msg("%s was accepted at revision %d; its record says otherwise", name, told);
        if (revisions[file_of(d)]) {
            check_stored(h, takc_key_blob(takc_str(FIXTURE_TASK), r->source_sha), r->source_sha);
            check_stored(h, takc_key_text(takc_str(FIXTURE_TASK), r->text_sha, ""), r->text_sha);
        }
    }
}

static enum takc_status count_key(void *arg, struct takc_str key, uint64_t size, struct takc_err *err)
{
    (void)size;
    (void)err;
    *(unsigned *)arg +=
        takc_str_ends(key, takc_str(".ledger.json")) || takc_str_ends(key, takc_str(".bin")) || takc_str_ends(key, takc_str(".idx"));
    return TAKC_OK;
}

/* What a killed compress left under the next label. */
struct leftover {
    char label[16], work_key[80];
    unsigned n; /* finished things */
};

static void look_for_leftover(struct takc_home *h, struct takc_arena *a, const struct takc_manifest *m, struct leftover *out)
{
    static const char *const folders[] = {"artifacts", "index"};
    struct takc_err err = {0};
    struct takc_buf key;
    takc_buf_init(&key, 4096);
    *out = (struct leftover){.n = 0};
    (void)snprintf(out->label, sizeof(out->label), "%u", m->next);
    char *work = takc_arena_printf(a, "artifacts/" FIXTURE_TASK "/v%u/work.json", m->next);
    if (takc_store_get_bytes(takc_home_store(h), NULL, takc_str(work), &key, NULL) == TAKC_OK) {
        (void)snprintf(out->work_key, sizeof(out->work_key), "%.*s", TAKC_STR_ARG(takc_buf_str(&key)));
        for (int i = 0; i < 2; i++) {
            char *prefix = takc_arena_printf(a, "%s/" FIXTURE_TASK "/v%u/", folders[i], m->next);
            fixture_ok(takc_store_list(takc_home_store(h), NULL, takc_str(prefix), count_key, &out->n, &err), &err, "list");
        }
    }
    takc_buf_clear(&key);
}

/* Was what was left over needed for the version of its label? */
static bool was_of_use(const struct takc_manifest *m, const struct leftover *l)
{
    const struct takc_version *v = l->n ? takc_manifest_find(m, takc_str(l->label)) : NULL;
    return v && takc_str_is(v->work_key, l->work_key);
}

/* Opens the home and checks it; left is what waited before the run, and afterwards what waits now. */
static void audit(struct leftover *left)
{
    struct takc_home *h = NULL;
    struct takc_err err = {0};
    struct takc_arena a;
    struct takc_manifest m;
    takc_arena_init(&a);
    fixture_ok(takc_home_open(&h, home_path, &(struct takc_home_options){.wait_ms = 5000}, &err), &err, "open after a kill");
    check_versions(h, &a, &m);
    check_documents(h, &a);
    unsigned resumed = atomic_load(&shared->resumed), made = atomic_load(&shared->made);
    /* forget makes versions too, and tells nobody what it took over. */
    if (made == strtoul(left->label, NULL, 10) && was_of_use(&m, left) && resumed < left->n)
        fail_msg("%u finished things waited, %u were taken over", left->n, resumed);
    if (made && resumed) {
        n_takeovers++;
        n_resumed += resumed;
    }
    look_for_leftover(h, &a, &m, left);
    if (n_kills % 16 == 0 && m.current.len)
        fixture_verify(h, "");
    takc_home_close(h);
    takc_arena_clear(&a);
}

/* A run that was left alone gives what a home from scratch gives. */
static void compare(void)
{
    char fresh[128], *want, *got;
    (void)snprintf(fresh, sizeof(fresh), "%s/fresh", root);
    struct takc_home *h = fixture_home(home_path), *other = fixture_home(fresh);
    (void)fixture_ingest(other, folder, false, 1);
    (void)fixture_compress(other, 1);
    want = fixture_state(other, "");
    got = fixture_state(h, "");
    if (strcmp(want, got) != 0)
        fail_msg("after %u kills\n%s\nfrom scratch\n%s", n_kills, got, want);
    fixture_verify(h, "");
    free(want);
    free(got);
    takc_home_close(h);
    takc_home_close(other);
    fixture_remove(fresh);
    n_quiet++;
}

/* --- rounds --- */

static uint64_t now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* A file comes back. A run that was killed behind a forget, before it could tell, may have left its documents told as accepted. */
static void untell(int file)
{
    for (int d = 0; d < DOCS; d++)
        if (file_of(d) == file)
            atomic_store(&shared->accepted[d], 0);
}

/* Changes a file or two, mostly. */
static void change(struct fixture_random *r)
{
    if (fixture_below(r, 3))
        return;
    for (uint32_t n = fixture_below(r, 2) + 1; n; n--) {
        int i = (int)fixture_below(r, FIXTURE_FILES);
        static int highest = 1;
        if (revisions[i] == 0)
            untell(i);
        if (i != 1 && fixture_below(r, 8) == 0 && revisions[i])
            revisions[i] = 0;
        else
            revisions[i] = ++highest;
        fixture_write(folder, i, revisions[i]);
    }
}

/* Runs one child; true when it was killed. */
static bool run(struct fixture_random *r, bool quiet, uint64_t *usual_ns)
{
    bool by_itself = !quiet && n_kills % 2 == 0;
    int phases = PHASES - 1, kind = 1 + (int)(n_kills / 2 % (KINDS - 1)), phase = 1 + (int)(n_kills / 2 / (KINDS - 1) % (unsigned)phases);
    int after = 1 + (int)fixture_below(r, kind == KIND_INGEST ? 12 : kind == KIND_ARTIFACT || kind == KIND_REMOVE ? 6 : 1), how;
    uint64_t delay = (uint64_t)fixture_below(r, 1000) * *usual_ns / 1000, from = now_ns();
    bool pin = fixture_below(r, 4) == 0;
    atomic_store(&shared->kind, KIND_NONE);
    atomic_store(&shared->phase, TAKC_FILE_IDLE);
    atomic_store(&shared->resumed, 0);
    atomic_store(&shared->made, 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (by_itself) {
            die_kind = kind;
            die_phase = phase;
            die_after = after;
        }
        child(quiet, pin);
    }
    if (!quiet && !by_itself)
        how = fixture_kill_after(pid, delay);
    else
        while (waitpid(pid, &how, 0) != pid)
            assert_int_equal(errno, EINTR);
    if (!WIFSIGNALED(how)) {
        if (WEXITSTATUS(how))
            fail_msg("a child failed by itself after %u kills: exit %d", n_kills, WEXITSTATUS(how));
        *usual_ns = (*usual_ns * 3 + (now_ns() - from)) / 4;
        return false;
    }
    int k = atomic_load(&shared->kind), p = k == KIND_NONE ? TAKC_FILE_IDLE : atomic_load(&shared->phase);
    landed[k][p]++;
    landed_op[atomic_load(&shared->op)]++;
    n_kills++;
    return true;
}

static void print_table(void)
{
    print_message("%-18s  between    stage     sync     name   folder\n", "kills");
    for (int k = 0; k < KINDS; k++) {
        print_message("%-18s", kind_names[k]);
        for (int p = 0; p < PHASES; p++)
            print_message(" %8u", landed[k][p]);
        print_message("\n");
    }
    for (int o = 1; o < OPS; o++)
        print_message("%s%s %u", o > 1 ? ", " : "in ", op_names[o], landed_op[o]);
    print_message("\n%u kills; %u runs left alone equal those from scratch; %u finished things taken over in %u runs\n", n_kills, n_quiet,
                  n_resumed, n_takeovers);
}

static void nothing_is_lost(void **state)
{
    (void)state;
    const char *wanted = getenv("TAKC_KILLS"), *seed = getenv("TAKC_KILL_SEED");
    unsigned goal = wanted ? (unsigned)strtoul(wanted, NULL, 10) : DEFAULT_KILLS;
    struct leftover left = {.n = 0};
    struct fixture_random r = {seed ? strtoull(seed, NULL, 10) : 20260101};
    uint64_t usual_ns = 30000000;
    struct takc_home *h = fixture_home(home_path);
    takc_home_close(h);
    for (int i = 0; i < FIXTURE_FILES; i++)
        fixture_write(folder, i, revisions[i] = 1);
    for (unsigned round = 1; n_kills < goal || round % QUIET_EVERY; round++) {
        bool quiet = round % QUIET_EVERY == 0;
        change(&r);
        bool killed = run(&r, quiet, &usual_ns);
        audit(&left);
        if (!killed && quiet)
            compare();
    }
    print_table();
    for (int k = KIND_INGEST; k < KIND_REMOVE && goal >= 500; k++)
        for (int p = TAKC_FILE_STAGE; p < PHASES; p++)
            if (landed[k][p] == 0)
                fail_msg("no kill landed in phase %d of %s", p, kind_names[k]);
    assert_true(goal < 500 || (n_takeovers > 0 && landed[KIND_REMOVE][0] > 0 && n_quiet > 0));
}

static int setup(void **state)
{
    (void)state;
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED || fixture_root(root, "kill"))
        return -1;
    (void)snprintf(folder, sizeof(folder), "%s/docs", root);
    (void)snprintf(home_path, sizeof(home_path), "%s/home", root);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    (void)munmap(shared, sizeof(*shared));
    fixture_remove(root);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(nothing_is_lost, setup, teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
