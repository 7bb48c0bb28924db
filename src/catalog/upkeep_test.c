/* SPDX-License-Identifier: Apache-2.0
 *
 * Upkeep of a home: sweep, backup and restore beside a writer, the SQLite catalogue, damage to it, scrub. */
#include "base/clock.h"
#include "base/fault.h"
#include "base/thread.h"
#include "catalog/home_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char root[64], copy[80];
static struct takc_home *home;

static int setup(void **state)
{
    static const struct takc_home_options create = {.create = true};
    (void)state;
    (void)snprintf(root, sizeof(root), "/tmp/takc-upkeep-XXXXXX");
    if (!mkdtemp(root))
        return -1;
    (void)snprintf(copy, sizeof(copy), "%s-copy", root);
    return takc_home_open(&home, root, &create, NULL) ? -1 : 0;
}

static int teardown(void **state)
{
    char command[256];
    (void)state;
    takc_home_close(home);
    home = NULL;
    (void)snprintf(command, sizeof(command), "rm -rf %s %s", root, copy);
    return system(command); /* NOLINT(cert-env33-c): a fixed command of the test */
}

/* --- making things --- */

static struct takc_str task(void)
{
    return takc_str("fin");
}

static void put(const char *key, const char *text)
{
    assert_int_equal(takc_store_put_bytes(home->store, NULL, takc_str(key), takc_str(text), NULL), TAKC_OK);
}

static bool there(const char *key)
{
    struct takc_hex tag;
    enum takc_status st = takc_store_tag(home->store, NULL, takc_str(key), &tag, NULL);
    assert_true(st == TAKC_OK || st == TAKC_NOT_FOUND);
    return st == TAKC_OK;
}

static struct takc_hex sha(const char *text)
{
    struct takc_hex h;
    assert_int_equal(takc_sha256(takc_str(text), &h, NULL), TAKC_OK);
    return h;
}

#define PART ".00112233445566ff"

/* A document whose content is "{name} {n}" for each of n_revisions, with blobs, texts, parts, raw data and chunks of its last ones. */
static void add_document(const char *name, int n_revisions)
{
    struct takc_revision revisions[4];
    struct takc_hex source[4], text[4];
    struct takc_buf b;
    for (int i = 0; i < n_revisions; i++) {
        char content[128];
        (void)snprintf(content, sizeof(content), "%s %d", name, i + 1);
        source[i] = sha(content);
        put(takc_key_blob(task(), takc_str(source[i].s)).s, content);
        put(takc_key_raw(task(), takc_str(name)).s, content);
        (void)snprintf(content, sizeof(content), "text of %s %d", name, i + 1);
        text[i] = sha(content);
        put(takc_key_text(task(), takc_str(text[i].s), "").s, content);
        put(takc_key_text(task(), takc_str(text[i].s), PART ".structure").s, "s");
        put(takc_key_text(task(), takc_str(text[i].s), PART ".units").s, "u");
        revisions[i] = (struct takc_revision){.source_sha = takc_str(source[i].s),
                                              .text_sha = takc_str(text[i].s),
                                              .part = takc_str(PART),
                                              .reader = takc_str("text"),
                                              .title_from = takc_str("name")};
    }
    put(takc_key_chunk(task(), takc_str(name), 1).s, name);
    struct takc_document d = {takc_str(name), takc_str("/data"), NULL, 0, revisions, (size_t)n_revisions};
    takc_buf_init(&b, 1 << 20);
    assert_int_equal(takc_document_write(&d, &b, NULL), TAKC_OK);
    put(takc_key_document(task(), takc_str(name)).s, b.ptr);
    takc_buf_clear(&b);
}

/* A version in the manifest that stands on revision n of a document. */
static void add_version(const char *label, const char *name, int n)
{
    struct takc_arena a;
    struct takc_manifest m;
    struct takc_version versions[8];
    char text[1024], content[128];
    takc_arena_init(&a);
    (void)snprintf(content, sizeof(content), "%s %d", name, n);
    struct takc_hex source = sha(content);
    (void)snprintf(content, sizeof(content), "text of %s %d", name, n);
    struct takc_hex text_sha = sha(content);
    (void)snprintf(text, sizeof(text),
                   "{\"takc_documents\":1,\"documents\":[{\"name\":\"%s\",\"sha256\":\"%s\",\"text_sha256\":\"%s\",\"part\":\"" PART
                   "\",\"more\":7}]}",
                   name, source.s, text_sha.s);
    put(takc_key_documents(task(), takc_str(label)).s, text);
    put(takc_key_artifact(task(), takc_str(label), TAKC_RATE_ULTRA, ".json").s, "artifact");
    put(takc_key_artifact(task(), takc_str(label), TAKC_RATE_ULTRA, ".ledger.json").s, "ledger");
    put(takc_key_index(task(), takc_str(label)).s, "index");
    struct takc_hex h_docs = sha(text), h_artifact = sha("artifact"), h_index = sha("index"), key = sha("work");
    struct takc_stored artifact = {.sha256 = takc_str(h_artifact.s), .size_bytes = 8, .rate = TAKC_RATE_ULTRA};
    assert_int_equal(takc_home_manifest(home, task(), &a, &m, NULL), TAKC_OK);
    if (m.n_versions)
        memcpy(versions, m.versions, m.n_versions * sizeof(*versions));
    versions[m.n_versions] = (struct takc_version){.label = takc_str(label),
                                                   .work_key = takc_str(key.s),
                                                   .documents = {.sha256 = takc_str(h_docs.s), .size_bytes = strlen(text)},
                                                   .index = {.sha256 = takc_str(h_index.s), .size_bytes = 5},
                                                   .artifacts = &artifact,
                                                   .n_artifacts = 1,
                                                   .source_tokens = 100};
    m.versions = versions;
    m.n_versions++;
    m.current = takc_str(label);
    m.next = (uint32_t)strtoul(label, NULL, 10) + 1;
    assert_int_equal(takc_home_manifest_swap(home, &m, NULL, NULL), TAKC_OK);
    takc_arena_clear(&a);
}

static bool has_revision(const char *name, int n)
{
    char content[128];
    (void)snprintf(content, sizeof(content), "%s %d", name, n);
    struct takc_hex source = sha(content);
    (void)snprintf(content, sizeof(content), "text of %s %d", name, n);
    struct takc_hex text = sha(content);
    bool blob = there(takc_key_blob(task(), takc_str(source.s)).s);
    assert_true(blob == there(takc_key_text(task(), takc_str(text.s), "").s));
    assert_true(blob == there(takc_key_text(task(), takc_str(text.s), PART ".structure").s));
    assert_true(blob == there(takc_key_text(task(), takc_str(text.s), PART ".units").s));
    return blob;
}

static void drop_temporary(const char *folder, bool dead)
{
    char file[256];
    pid_t pid = dead ? fork() : getpid();
    if (pid == 0)
        _exit(0);
    if (dead)
        assert_int_equal(waitpid(pid, NULL, 0), pid);
    (void)snprintf(file, sizeof(file), "%s/%s/" TAKC_TMP_PREFIX "%ld-9", root, folder, (long)pid);
    int fd = open(file, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
}

/* --- sweep --- */

static void sweep_keeps_what_is_needed(void **state)
{
    (void)state;
    uint64_t n = 99;
    add_document("a.txt", 3); /* revisions 1, 2, 3: v1 stands on 2 */
    add_document("b.jsonl#7", 1);
    put("raw-data/fin/b.jsonl", "the whole file");
    add_version("1", "a.txt", 2);
    put("artifacts/fin/v1/notes.bin", "lines");
    put("artifacts/fin/v2/half.json", "a killed compress goes on here");
    assert_int_equal(takc_home_sweep(home, task(), &n, NULL), TAKC_OK);
    assert_false(has_revision("a.txt", 1));
    assert_true(has_revision("a.txt", 2));
    assert_true(has_revision("a.txt", 3));
    assert_true(has_revision("b.jsonl#7", 1));
    assert_true(there("raw-data/fin/b.jsonl"));
    assert_true(there("artifacts/fin/v2/half.json"));
    assert_true(there("artifacts/fin/v1/ultra.json"));
    assert_true(there("artifacts/fin/v1/ultra.ledger.json"));
    assert_true(there("artifacts/fin/v1/notes.bin")); /* no rate */
    assert_true(there(takc_key_chunk(task(), takc_str("a.txt"), 1).s));
    assert_int_equal(n, 4); /* a blob, a text and its two parts */
    struct takc_arena a;
    struct takc_document d;
    takc_arena_init(&a);
    assert_int_equal(takc_home_document(home, task(), takc_str("a.txt"), &a, &d, NULL), TAKC_OK);
    assert_int_equal(d.n_revisions, 2); /* the record lost the first one too */
    takc_arena_clear(&a);
    assert_int_equal(takc_home_sweep(home, task(), &n, NULL), TAKC_OK);
    assert_int_equal(n, 0);
}

static void sweep_removes_what_nothing_stands_on(void **state)
{
    (void)state;
    uint64_t n = 0;
    static const char *const orphans[] = {
        "blobs/fin/dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd",
        "blobs/fin/odd",
        "text/fin/dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd",
        "text/fin/dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd.00112233445566ff.units",
        "raw-data/fin/forgotten.txt",
        "fin/chunk_0123456789abcdef_000001.txt",
        "artifacts/fin/v1/high.json", /* a rate that v1 lost */
        "artifacts/fin/v1/high.ledger.json",
        "artifacts/fin/v1/12.5x.json",
        "artifacts/fin/v1/12.5x.ledger.json",
        "artifacts/fin/v1.r1/ultra.json",
        "artifacts/fin/v9/ultra.json",
        "index/fin/v9/units.idx"};
    static const char *const others[] = {"blobs/law/x", "tasks/fin.yaml", "cache/v2/fin/ultra/cache.json", "law/chunk_1", "fin/notes.txt"};
    add_document("a.txt", 1);
    add_version("1", "a.txt", 1);
    for (size_t i = 0; i < sizeof(orphans) / sizeof(orphans[0]); i++)
        put(orphans[i], "x");
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        put(others[i], "x");
    struct takc_hex text = sha("text of a.txt 1");
    put(takc_key_text(task(), takc_str(text.s), ".ffffffffffffffff.units").s, "cut by an older version");
    drop_temporary("blobs/fin", true);
    drop_temporary("manifests", true);
    drop_temporary("blobs/law", true); /* another task's */
    drop_temporary("text/fin", false);
    assert_int_equal(takc_home_sweep(home, task(), &n, NULL), TAKC_OK);
    for (size_t i = 0; i < sizeof(orphans) / sizeof(orphans[0]); i++)
        if (there(orphans[i]))
            fail_msg("%s is still there", orphans[i]);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_true(there(others[i]));
    assert_false(there(takc_key_text(task(), takc_str(text.s), ".ffffffffffffffff.units").s));
    assert_true(has_revision("a.txt", 1));
    assert_int_equal(n, sizeof(orphans) / sizeof(orphans[0]) + 1 + 2);
}

static void sweep_stops_before_damage(void **state)
{
    (void)state;
    uint64_t n = 77;
    struct takc_err err = {0};
    add_document("a.txt", 1);
    add_version("1", "a.txt", 1);
    put("blobs/fin/orphan", "x");
    struct takc_key list = takc_key_documents(task(), takc_str("1"));
    static const char *const bad[] = {"{", "[]", "{\"documents\":[{\"name\":\"a\",\"sha256\":\"zz\"}]}"};
    for (size_t i = 0; i < 3; i++) {
        put(list.s, bad[i]);
        assert_int_equal(takc_home_sweep(home, task(), &n, &err), TAKC_CORRUPT);
        assert_non_null(strstr(err.msg, "sweep task fin: version 1"));
    }
    assert_int_equal(takc_store_del(home->store, NULL, takc_str(list.s), NULL), TAKC_OK);
    assert_int_equal(takc_home_sweep(home, task(), &n, &err), TAKC_CORRUPT);
    add_version("2", "a.txt", 1);
    put(list.s, "{\"documents\":[]}");
    put(takc_key_document(task(), takc_str("b.txt")).s, "{\"no\": \"record\"}");
    assert_int_equal(takc_home_sweep(home, task(), &n, &err), TAKC_CORRUPT);
    assert_true(there("blobs/fin/orphan"));
    assert_int_equal(n, 77);
    struct takc_lock lock;
    assert_int_equal(takc_home_lock_task(home, task(), 0, &lock, NULL), TAKC_OK);
    assert_int_equal(takc_home_sweep(home, task(), &n, &err), TAKC_BUSY);
    takc_lock_close(&lock);
}

/* --- the catalogue --- */

static int64_t ask(const char *sql)
{
    char file[128];
    sqlite3 *db;
    sqlite3_stmt *s;
    (void)snprintf(file, sizeof(file), "%s/catalog.sqlite", root);
    assert_int_equal(sqlite3_open_v2(file, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    int64_t v = sqlite3_column_int64(s, 0);
    (void)sqlite3_finalize(s);
    (void)sqlite3_close(db);
    return v;
}

static enum takc_status note(const char *words, bool keep)
{
    struct takc_query_note n = {.task = task(),
                                .version = takc_str("1"),
                                .mode = takc_str("select"),
                                .rate = takc_str("37.2x"),
                                .question = takc_str(words),
                                .confidence = 0.5,
                                .ms = 3,
                                .tokens = 900,
                                .keep_words = keep,
                                .at_s = 1700000000};
    return takc_home_note_query(home, &n, NULL);
}

static void questions_are_noted(void **state)
{
    (void)state;
    assert_int_equal(note("what is the capital?", true), TAKC_OK);
    assert_int_equal(note("do not keep'); DROP TABLE queries; --", false), TAKC_OK);
    assert_int_equal(note("'); DROP TABLE queries; --", true), TAKC_OK);
    assert_int_equal(ask("SELECT count(*) FROM queries"), 3);
    assert_int_equal(ask("SELECT count(*) FROM queries WHERE question IS NULL"), 1);
    assert_int_equal(ask("SELECT count(*) FROM queries WHERE question = 'what is the capital?' AND ms = 3 AND rate = '37.2x'"), 1);
    assert_int_equal(ask("SELECT value FROM meta WHERE key = 'schema_version'"), 4);
}

static void rows_repeat_the_objects(void **state)
{
    (void)state;
    add_document("a.txt", 2);
    add_document("b.txt", 1);
    add_version("1", "a.txt", 1);
    add_version("2", "a.txt", 2);
    assert_int_equal(takc_home_catalog_task(home, task(), NULL), TAKC_OK);
    assert_int_equal(ask("SELECT count(*) FROM documents WHERE task = 'fin'"), 2);
    assert_int_equal(ask("SELECT count(*) FROM versions WHERE is_current = 1 AND label = '2'"), 1);
    assert_int_equal(takc_home_catalog_task(home, task(), NULL), TAKC_OK); /* again: the same */
    assert_int_equal(ask("SELECT count(*) FROM versions"), 2);
    assert_int_equal(note("stays", true), TAKC_OK);
    assert_int_equal(takc_store_del(home->store, NULL, takc_str(takc_key_document(task(), takc_str("b.txt")).s), NULL), TAKC_OK);
    assert_int_equal(takc_home_rebuild(home, NULL), TAKC_OK);
    assert_int_equal(ask("SELECT count(*) FROM documents"), 1);
    assert_int_equal(ask("SELECT count(*) FROM queries"), 1);
}

static bool file_has(const char *name, const char *words)
{
    char file[256];
    struct takc_buf b;
    (void)snprintf(file, sizeof(file), "%s/%s", root, name);
    takc_buf_init(&b, 1 << 26);
    bool found = takc_file_read(file, &b, NULL) == TAKC_OK && takc_str_find(takc_buf_str(&b), takc_str(words), 0) != SIZE_MAX;
    takc_buf_clear(&b);
    return found;
}

static void forgotten_rows_leave_no_bytes(void **state)
{
    (void)state;
    add_document("secret-plan.txt", 1);
    add_document("b.txt", 1);
    assert_int_equal(takc_home_catalog_task(home, task(), NULL), TAKC_OK);
    for (int i = 0; i < 50; i++)
        assert_int_equal(note("the merger closes on friday", true), TAKC_OK);
    assert_true(file_has("catalog.sqlite-wal", "the merger closes"));
    assert_int_equal(takc_home_forget_rows(home, task(), takc_str("secret-plan.txt"), NULL), TAKC_OK);
    assert_int_equal(takc_home_scrub(home, NULL), TAKC_OK);
    static const char *const files[] = {"catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"};
    for (int i = 0; i < 3; i++) {
        assert_false(file_has(files[i], "the merger closes"));
        assert_false(file_has(files[i], "secret-plan"));
    }
    assert_int_equal(ask("SELECT count(*) FROM queries"), 50); /* what they cost stays */
    assert_int_equal(ask("SELECT count(*) FROM documents"), 1);
    struct takc_home *other;
    assert_int_equal(takc_home_open(&other, root, NULL, NULL), TAKC_OK);
    assert_int_equal(takc_home_scrub(home, NULL), TAKC_BUSY);
    takc_home_close(other);
    assert_int_equal(takc_home_scrub(home, NULL), TAKC_OK);
    assert_int_equal(note("goes on", true), TAKC_OK);
}

struct scrubbing {          /* on a thread */
    struct takc_home *home; /* NULL: opened for it */
    enum takc_status st;
    atomic_bool done;
};

static void *scrub(void *arg)
{
    struct scrubbing *s = arg;
    static const struct takc_home_options patient = {.wait_ms = 5000};
    struct takc_home *own = NULL;
    s->st = s->home ? TAKC_OK : takc_home_open(&own, root, &patient, NULL);
    if (!s->st)
        s->st = takc_home_scrub(s->home ? s->home : own, NULL);
    takc_home_close(own);
    atomic_store(&s->done, true);
    return NULL;
}

/* It waits two seconds for another process, and then says BUSY: meanwhile this one goes on with its catalogue. */
static void who_waits_to_scrub_holds_nobody_up(void **state)
{
    (void)state;
    struct scrubbing s = {.home = home};
    struct takc_home *other;
    pthread_t thread;
    int n = 0;
    assert_int_equal(note("first", true), TAKC_OK);
    assert_int_equal(takc_home_open(&other, root, NULL, NULL), TAKC_OK);
    assert_int_equal(takc_thread_start(&thread, "scrub", scrub, &s, NULL), TAKC_OK);
    for (; !atomic_load(&s.done); n++) {
        assert_int_equal(note("meanwhile", true), TAKC_OK);
        (void)usleep(20000);
    }
    (void)pthread_join(thread, NULL);
    assert_int_equal(s.st, TAKC_BUSY);
    assert_true(n >= 5); /* of a hundred; where the catalogue was held, there are one or two before it is and one behind */
    takc_home_close(other);
    assert_int_equal(takc_home_scrub(home, NULL), TAKC_OK);
    assert_int_equal(ask("SELECT count(*) FROM queries"), n + 1);
}

/* Each is the other's "somebody else", and gives way to it. */
static void two_that_scrub_get_by_each_other(void **state)
{
    (void)state;
    assert_int_equal(note("first", true), TAKC_OK);
    takc_home_close(home);
    for (int i = 0; i < 3; i++) {
        struct scrubbing s[2] = {{.st = TAKC_OK}, {.st = TAKC_OK}};
        pthread_t threads[2];
        for (int k = 0; k < 2; k++)
            assert_int_equal(takc_thread_start(&threads[k], "scrub", scrub, &s[k], NULL), TAKC_OK);
        for (int k = 0; k < 2; k++)
            (void)pthread_join(threads[k], NULL);
        assert_int_equal(s[0].st, TAKC_OK);
        assert_int_equal(s[1].st, TAKC_OK);
    }
    assert_int_equal(takc_home_open(&home, root, NULL, NULL), TAKC_OK);
}

static void spoil(const char *name, off_t at, const char *bytes, bool cut)
{
    char file[256];
    (void)snprintf(file, sizeof(file), "%s/%s", root, name);
    int fd = open(file, O_RDWR | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, strlen(bytes), at), (ssize_t)strlen(bytes));
    if (cut)
        assert_int_equal(ftruncate(fd, at + (off_t)strlen(bytes)), 0);
    (void)close(fd);
}

static bool file_there(const char *name)
{
    char file[256];
    struct stat info;
    (void)snprintf(file, sizeof(file), "%s/%s", root, name);
    return stat(file, &info) == 0;
}

/* Its owner's alone, whatever the umask is. */
static void assert_private(const char *name)
{
    char file[128];
    struct stat info;
    (void)snprintf(file, sizeof(file), "%s/%s", root, name);
    assert_int_equal(stat(file, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
}

static void garbage_is_moved_aside(void **state)
{
    (void)state;
    add_document("a.txt", 1);
    add_version("1", "a.txt", 1);
    spoil("catalog.sqlite", 0, "this is no database, it only stands where one should be, and is longer than a header", true);
    assert_string_equal(takc_home_warning(home), "");
    assert_int_equal(note("after the damage", true), TAKC_OK);
    assert_non_null(strstr(takc_home_warning(home), "catalog.sqlite.damaged-1"));
    assert_true(file_has("catalog.sqlite.damaged-1", "this is no database"));
    assert_private("catalog.sqlite");
    assert_private("catalog.sqlite-wal");
    assert_int_equal(ask("SELECT count(*) FROM documents"), 1); /* made anew from the objects */
    assert_int_equal(ask("SELECT count(*) FROM queries"), 1);
    struct takc_key_list list = {0};
    struct takc_arena a;
    takc_arena_init(&a);
    assert_int_equal(takc_home_keys(home->store, NULL, takc_str("catalog"), &a, &list, NULL), TAKC_OK);
    assert_int_equal(list.n, 0); /* no key of the store */
    takc_arena_clear(&a);
    assert_int_equal(takc_home_scrub(home, NULL), TAKC_OK);
    assert_false(file_there("catalog.sqlite.damaged-1")); /* it held questions */
}

static void damage_in_use_is_noticed(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++)
        assert_int_equal(note("some words to fill a page or two of the table", true), TAKC_OK);
    assert_int_equal(takc_home_scrub(home, NULL), TAKC_OK); /* so that the pages are in the file itself */
    for (int page = 1; page < 12; page++)
        spoil("catalog.sqlite", page * 4096, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", false);
    assert_int_equal(note("one more", true), TAKC_OK);
    assert_non_null(strstr(takc_home_warning(home), "damaged-1"));
    assert_int_equal(ask("SELECT count(*) FROM queries"), 1);
}

static void foreign_and_newer_catalogues(void **state)
{
    (void)state;
    struct takc_err err = {0};
    struct takc_query_note n = {.task = task()};
    assert_int_equal(note("x", true), TAKC_OK);
    takc_home_close(home);
    home = NULL;
    assert_int_equal(takc_home_open(&home, root, NULL, NULL), TAKC_OK);
    char file[128];
    sqlite3 *db;
    (void)snprintf(file, sizeof(file), "%s/catalog.sqlite", root);
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "UPDATE meta SET value = '7'", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_int_equal(takc_home_note_query(home, &n, &err), TAKC_REFUSED);
    assert_string_equal(err.msg, "catalogue has schema 7, this takc knows 4: upgrade takc");
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "DROP TABLE meta", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_int_equal(takc_home_note_query(home, &n, &err), TAKC_OK);
    assert_non_null(strstr(takc_home_warning(home), "damaged-1"));
}

static void a_damaged_record_does_not_stop_notes(void **state)
{
    (void)state;
    struct takc_err err = {0};
    put(takc_key_document(task(), takc_str("a.txt")).s, "{}");
    assert_int_equal(takc_home_rebuild(home, &err), TAKC_CORRUPT);
    assert_non_null(strstr(err.msg, "documents/fin/"));
    assert_false(file_there("catalog.sqlite.damaged-1"));   /* a damaged record is no damaged catalogue */
    assert_int_equal(takc_home_scrub(home, NULL), TAKC_OK); /* or SQLite would read what matters from the WAL */
    spoil("catalog.sqlite", 0, "garbage garbage garbage garbage garbage garbage", true);
    takc_home_close(home);
    home = NULL;
    assert_int_equal(takc_home_open(&home, root, NULL, NULL), TAKC_OK);
    assert_int_equal(note("still noted", true), TAKC_OK);
    assert_non_null(strstr(takc_home_warning(home), "rows are missing"));
}

static void *note_many(void *arg)
{
    for (int i = 0; i < 50; i++)
        if (note("from a thread", true))
            return NULL;
    return arg;
}

static void threads_and_processes_note_together(void **state)
{
    (void)state;
    pthread_t threads[3];
    pid_t pids[3];
    for (int i = 0; i < 3; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            struct takc_home *h;
            struct takc_query_note n = {.task = task()};
            if (takc_home_open(&h, root, NULL, NULL))
                _exit(1);
            for (int k = 0; k < 50; k++)
                if (takc_home_note_query(h, &n, NULL))
                    _exit(2);
            takc_home_close(h);
            _exit(0);
        }
    }
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, note_many, root), 0);
    for (int i = 0; i < 3; i++) {
        void *ok = NULL;
        int how;
        assert_int_equal(pthread_join(threads[i], &ok), 0);
        assert_non_null(ok);
        assert_int_equal(waitpid(pids[i], &how, 0), pids[i]);
        assert_true(WIFEXITED(how));
        assert_int_equal(WEXITSTATUS(how), 0);
    }
    assert_int_equal(ask("SELECT count(*) FROM queries"), 300);
}

static void a_large_wal_is_folded_in(void **state)
{
    (void)state;
    char *words = malloc(200001);
    assert_non_null(words);
    memset(words, 'w', 200000);
    words[200000] = '\0';
    for (int i = 0; i < 30; i++)
        assert_int_equal(note(words, true), TAKC_OK);
    free(words);
    char file[128];
    struct stat info;
    (void)snprintf(file, sizeof(file), "%s/catalog.sqlite-wal", root);
    assert_true(stat(file, &info) == 0 && info.st_size > 4 << 20);
    takc_home_close(home);
    home = NULL;
    assert_true(stat(file, &info) != 0 || info.st_size == 0);
    assert_int_equal(takc_home_open(&home, root, NULL, NULL), TAKC_OK);
    assert_int_equal(note("x", true), TAKC_OK);
    assert_int_equal(ask("SELECT count(*) FROM queries"), 31);
}

/* --- backup --- */

/* Every hash of the manifest and every document list holds in the home h, and what the lists and records name is there and whole. */
static void audit(struct takc_home *h)
{
    struct takc_arena a;
    struct takc_manifest m;
    struct takc_document *docs;
    size_t n;
    takc_arena_init(&a);
    assert_int_equal(takc_home_manifest(h, task(), &a, &m, NULL), TAKC_OK);
    for (size_t i = 0; i < m.n_versions; i++) {
        const struct takc_version *v = &m.versions[i];
        const struct {
            struct takc_key key;
            struct takc_str sha;
        } rows[] = {{takc_key_documents(task(), v->label), v->documents.sha256},
                    {takc_key_index(task(), v->label), v->index.sha256},
                    {takc_key_artifact(task(), v->label, TAKC_RATE_ULTRA, ".json"), v->artifacts[0].sha256}};
        for (int k = 0; k < 3; k++) {
            struct takc_hex tag;
            if (takc_store_tag(h->store, NULL, takc_str(rows[k].key.s), &tag, NULL))
                fail_msg("%s is missing", rows[k].key.s);
            assert_true(takc_str_is(rows[k].sha, tag.s));
        }
    }
    assert_int_equal(takc_home_documents(h, task(), &a, &docs, &n, NULL), TAKC_OK);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < docs[i].n_revisions; k++) {
            const struct takc_revision *r = &docs[i].revisions[k];
            struct takc_hex tag;
            assert_int_equal(takc_store_tag(h->store, NULL, takc_str(takc_key_blob(task(), r->source_sha).s), &tag, NULL), TAKC_OK);
            assert_true(takc_str_is(r->source_sha, tag.s));
            assert_int_equal(takc_store_tag(h->store, NULL, takc_str(takc_key_text(task(), r->text_sha, "").s), &tag, NULL), TAKC_OK);
            assert_true(takc_str_is(r->text_sha, tag.s));
        }
    takc_arena_clear(&a);
}

/* Keeps only the newest version and sweeps: what a pruning compress does. */
static void prune_versions(void)
{
    struct takc_arena a;
    struct takc_manifest m;
    uint64_t n;
    takc_arena_init(&a);
    assert_int_equal(takc_home_manifest(home, task(), &a, &m, NULL), TAKC_OK);
    m.versions += m.n_versions - 1;
    m.n_versions = 1;
    assert_int_equal(takc_home_manifest_swap(home, &m, NULL, NULL), TAKC_OK);
    assert_int_equal(takc_home_sweep_locked(home, task(), &n, NULL), TAKC_OK);
    takc_arena_clear(&a);
}

/* A writer of its own process: ingests, compresses, prunes, forgets, always under the task's lock, until killed. */
static _Noreturn void write_on(void)
{
    struct takc_lock lock;
    for (int i = 2;; i++) {
        char name[32], label[16];
        if (takc_home_lock_task(home, task(), 10000, &lock, NULL))
            _exit(1);
        (void)snprintf(name, sizeof(name), "doc %d.txt", i);
        (void)snprintf(label, sizeof(label), "%d", i);
        add_document(name, 1);
        add_version(label, name, 1);
        if (i % 3 == 0)
            prune_versions();
        (void)snprintf(name, sizeof(name), "doc %d.txt", i - 4);
        (void)!takc_store_del(home->store, NULL, takc_str(takc_key_document(task(), takc_str(name)).s), NULL);
        takc_lock_close(&lock);
        (void)usleep(500);
    }
}

static void a_live_home_is_copied_whole(void **state)
{
    (void)state;
    struct takc_err err = {0};
    add_document("doc 1.txt", 1);
    add_version("1", "doc 1.txt", 1);
    put("tasks/fin.yaml", "description: money\n");
    put("other/thing", "of a later version");
    assert_int_equal(note("a question", true), TAKC_OK);
    (void)fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        write_on();
    for (int round = 0; round < 6; round++) {
        char command[128];
        struct takc_home *h;
        (void)usleep(30000);
        if (takc_home_backup(home, NULL, copy, &err))
            fail_msg("%s", err.msg);
        assert_int_equal(takc_home_open(&h, copy, NULL, &err), TAKC_OK);
        audit(h);
        struct takc_buf b;
        takc_buf_init(&b, 100);
        assert_int_equal(takc_store_get_bytes(h->store, NULL, takc_str("other/thing"), &b, NULL), TAKC_OK);
        takc_buf_clear(&b);
        takc_home_close(h);
        (void)snprintf(command, sizeof(command), "rm -rf %s", copy);
        assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
    }
    int how;
    assert_int_equal(waitpid(pid, &how, WNOHANG), 0); /* it went on all the time */
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &how, 0), pid);
}

static enum takc_status print_key(void *arg, struct takc_str key, uint64_t size, struct takc_err *err)
{
    return takc_buf_printf(arg, err, "%.*s %u\n", TAKC_STR_ARG(key), (unsigned)size);
}

static void restore_gives_the_same_home(void **state)
{
    (void)state;
    struct takc_err err = {0};
    struct takc_buf before, after;
    char back[96], command[128];
    takc_buf_init(&before, 1 << 20);
    takc_buf_init(&after, 1 << 20);
    add_document("a.txt", 2);
    add_version("1", "a.txt", 1);
    put("home.json/x", "escaped");
    assert_int_equal(note("kept", true), TAKC_OK);
    assert_int_equal(takc_store_list(home->store, NULL, takc_str(""), print_key, &before, NULL), TAKC_OK);
    assert_int_equal(takc_home_backup(home, NULL, copy, &err), TAKC_OK);
    assert_int_equal(takc_home_backup(home, NULL, copy, &err), TAKC_INVALID); /* no longer empty */
    (void)snprintf(back, sizeof(back), "%s/inside", root);
    assert_int_equal(takc_home_backup(home, NULL, back, &err), TAKC_INVALID);
    assert_non_null(strstr(err.msg, "inside the home"));
    assert_int_equal(takc_home_restore("/nonexistent/home", back, NULL, &err), TAKC_NOT_FOUND);
    takc_home_close(home);
    home = NULL;
    (void)snprintf(command, sizeof(command), "rm -rf %s", root);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
    if (takc_home_restore(copy, root, NULL, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(takc_home_open(&home, root, NULL, &err), TAKC_OK);
    assert_int_equal(takc_store_list(home->store, NULL, takc_str(""), print_key, &after, NULL), TAKC_OK);
    assert_string_equal(before.ptr, after.ptr);
    audit(home);
    assert_int_equal(ask("SELECT count(*) FROM queries WHERE question = 'kept'"), 1);
    assert_int_equal(note("and on", true), TAKC_OK);
    takc_buf_clear(&before);
    takc_buf_clear(&after);
}

static void a_backup_waits_for_the_writer_and_can_be_stopped(void **state)
{
    (void)state;
    struct takc_call call;
    struct takc_lock lock;
    struct stat info;
    add_document("a.txt", 1);
    takc_call_init(&call);
    atomic_store(&call.cancel, true);
    assert_int_equal(takc_home_backup(home, &call, copy, NULL), TAKC_CANCELLED);
    assert_int_not_equal(stat(copy, &info), 0);
    atomic_store(&call.cancel, false);
    assert_int_equal(takc_home_lock_task(home, task(), 0, &lock, NULL), TAKC_OK);
    const struct takc_clock *clock = takc_clock_system();
    call.deadline_ns = clock->mono_ns(clock) + 100000000;
    enum takc_status st = takc_home_backup(home, &call, copy, NULL);
    assert_true(st == TAKC_BUSY || st == TAKC_TIMEOUT);
    assert_int_not_equal(stat(copy, &info), 0);
    takc_lock_close(&lock);
}

/* --- memory --- */

static void every_allocation_may_fail(void **state)
{
    (void)state;
    add_document("a.txt", 3);
    add_version("1", "a.txt", 2);
    enum takc_status st = TAKC_NOMEM;
    for (uint64_t n = 1; st; n++) {
        uint64_t removed;
        put("blobs/fin/orphan", "x");
        takc_fault_arm(TAKC_FAULT_ALLOC, n, ENOMEM);
        st = takc_home_sweep(home, task(), &removed, NULL);
        if (!st)
            st = takc_home_rebuild(home, NULL);
        takc_fault_arm(TAKC_FAULT_ALLOC, 0, 0);
        assert_true(st == TAKC_OK || st == TAKC_NOMEM);
        assert_true(has_revision("a.txt", 2) && has_revision("a.txt", 3));
        assert_true(n < 3000);
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(sweep_keeps_what_is_needed),
        T(sweep_removes_what_nothing_stands_on),
        T(sweep_stops_before_damage),
        T(questions_are_noted),
        T(rows_repeat_the_objects),
        T(forgotten_rows_leave_no_bytes),
        T(who_waits_to_scrub_holds_nobody_up),
        T(two_that_scrub_get_by_each_other),
        T(garbage_is_moved_aside),
        T(damage_in_use_is_noticed),
        T(foreign_and_newer_catalogues),
        T(a_damaged_record_does_not_stop_notes),
        T(threads_and_processes_note_together),
        T(a_large_wal_is_folded_in),
        T(a_live_home_is_copied_whole),
        T(restore_gives_the_same_home),
        T(a_backup_waits_for_the_writer_and_can_be_stopped),
        T(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
