/* SPDX-License-Identifier: Apache-2.0
 *
 * A home: opening, schema and migration, locks, keys, document records, manifests. */
#include "../../tests/property/root_fixture.h"
#include "base/fault.h"
#include "catalog/home_impl.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SHA_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SHA_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define SHA_C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

static const struct takc_home_options create = {.create = true};

static struct takc_home *open_home(void)
{
    struct takc_home *h = NULL;
    struct takc_err err = {0};
    assert_int_equal(takc_home_open(&h, root, &create, &err), TAKC_OK);
    return h;
}

static enum takc_status try_open(const struct takc_home_options *o, struct takc_err *err)
{
    struct takc_home *h = NULL;
    enum takc_status st = takc_home_open(&h, root, o, err);
    takc_home_close(h);
    return st;
}

/* --- opening --- */

static void a_home_is_made_and_opened(void **state)
{
    (void)state;
    struct takc_err err = {0};
    assert_int_equal(try_open(NULL, &err), TAKC_NOT_FOUND);
    assert_non_null(strstr(err.msg, "takc init"));
    assert_false(there("home.lock")); /* looking leaves nothing behind */
    struct takc_home *h = open_home();
    assert_string_equal(takc_home_path(h), root);
    assert_string_equal(takc_home_store(h)->ops->name, "dir");
    takc_home_close(h);
    assert_int_equal(try_open(NULL, &err), TAKC_OK);
    assert_false(there("catalog.sqlite")); /* not on the path of opening */
    takc_home_close(NULL);
}

static void a_folder_of_other_things_is_left_alone(void **state)
{
    (void)state;
    struct takc_err err = {0};
    write_text("thesis.txt", "mine");
    assert_int_equal(try_open(&create, &err), TAKC_INVALID);
    assert_non_null(strstr(err.msg, "neither empty nor a takc home"));
    assert_false(there("home.json"));
    assert_false(there(TAKC_HOME_LOCK));
}

static void other_schemas_are_told_apart(void **state)
{
    (void)state;
    struct takc_err err = {0};
    takc_home_close(open_home());
    write_text("home.json", "{\"takc_home\": 7}\n");
    assert_int_equal(try_open(&create, &err), TAKC_REFUSED);
    assert_non_null(strstr(err.msg, " has schema 7, this takc knows 2: upgrade takc"));
    static const char *const bad[] = {"", "{", "[]", "{\"takc_home\": -1}", "{\"takc_home\": \"1\"}", "{\"takc_home\": 1, \"x\": 2}"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        write_text("home.json", bad[i]);
        assert_int_equal(try_open(&create, &err), TAKC_CORRUPT);
        assert_int_equal(err.status, TAKC_CORRUPT);
    }
}

static void eight_processes_make_one_home(void **state)
{
    (void)state;
    pid_t pids[8];
    for (int i = 0; i < 8; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            _exit((int)try_open(&create, NULL));
    }
    for (int i = 0; i < 8; i++) {
        int how;
        assert_int_equal(waitpid(pids[i], &how, 0), pids[i]);
        assert_true(WIFEXITED(how));
        assert_int_equal(WEXITSTATUS(how), TAKC_OK);
    }
}

/* --- locks --- */

static void homes_are_shared_or_exclusive(void **state)
{
    (void)state;
    struct takc_err err = {0};
    struct takc_home *h = open_home();
    struct takc_home_options alone = {.exclusive = true};
    assert_int_equal(try_open(NULL, &err), TAKC_OK);
    assert_int_equal(try_open(&alone, &err), TAKC_BUSY);
    assert_non_null(strstr(err.msg, "in use by another process"));
    takc_home_close(h);
    assert_int_equal(takc_home_open(&h, root, &alone, &err), TAKC_OK);
    assert_int_equal(try_open(NULL, &err), TAKC_BUSY);
    takc_home_close(h);
}

static void a_task_has_one_writer(void **state)
{
    (void)state;
    struct takc_err err = {0};
    struct takc_home *h = open_home();
    struct takc_lock a = {-1}, b = {-1}, c = {-1};
    assert_int_equal(takc_home_lock_task(h, takc_str("fin"), 0, &a, &err), TAKC_OK);
    assert_int_equal(takc_home_lock_task(h, takc_str("fin"), 20, &b, &err), TAKC_BUSY);
    assert_string_equal(err.msg, "task fin is being changed by another process");
    assert_int_equal(takc_home_lock_task(h, takc_str("law"), 0, &c, &err), TAKC_OK);
    takc_lock_close(&a);
    assert_int_equal(takc_home_lock_task(h, takc_str("fin"), 0, &b, &err), TAKC_OK);
    assert_int_equal(takc_home_lock_task(h, takc_str("../x"), 0, &a, &err), TAKC_INVALID);
    takc_lock_close(&b);
    takc_lock_close(&c);
    takc_home_close(h);
}

/* --- keys --- */

static void keys_are_those_of_the_layout(void **state)
{
    (void)state;
    struct takc_str t = takc_str("fin");
    assert_string_equal(takc_key_blob(t, takc_str(SHA_A)).s, "blobs/fin/" SHA_A);
    assert_string_equal(takc_key_raw(t, takc_str("q3/a b.pdf")).s, "raw-data/fin/q3/a b.pdf");
    assert_string_equal(takc_key_document(t, takc_str("abc")).s,
                        "documents/fin/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad.json");
    assert_string_equal(takc_key_text(t, takc_str(SHA_A), ".0123456789abcdef.units").s, "text/fin/" SHA_A ".0123456789abcdef.units");
    assert_string_equal(takc_key_chunk(t, takc_str("abc"), 7).s, "fin/chunk_ba7816bf8f01cfea_000007.txt");
    assert_string_equal(takc_key_index(t, takc_str("3.r1")).s, "index/fin/v3.r1/units.idx");
    assert_string_equal(takc_key_selection(t, takc_str("3")).s, "index/fin/v3/selection.bin");
    assert_string_equal(takc_key_documents(t, takc_str("3")).s, "artifacts/fin/v3/documents.json");
    assert_string_equal(takc_key_artifact(t, takc_str("3"), TAKC_RATE_ULTRA, ".json").s, "artifacts/fin/v3/ultra.json");
    assert_string_equal(takc_key_artifact(t, takc_str("3"), 12500, ".ledger.json").s, "artifacts/fin/v3/12.5x.ledger.json");
    assert_string_equal(takc_key_manifest(t).s, "manifests/fin.json");
    assert_string_equal(takc_key_profile(t).s, "tasks/fin.yaml");
    assert_string_equal(takc_key_foreign_cache(t, TAKC_RATE_LIGHT).s, "cache/v2/fin/light/cache.json");
}

static void names_that_are_no_keys_get_safe_ones(void **state)
{
    (void)state;
    struct takc_str t = takc_str("fin");
    char longname[2000];
    memset(longname, 'n', sizeof(longname));
    const struct takc_str names[] = {takc_str("../etc/passwd"), takc_str("a//b.txt"),  takc_str(""),           takc_str("/abs.md"),
                                     takc_str("bad\xFF.csv"),   takc_str_n("a\0b", 3), takc_str("~tilde.txt"), takc_str_n(longname, 2000)};
    enum { N = sizeof(names) / sizeof(names[0]) };
    struct takc_key keys[N];
    for (size_t i = 0; i < N; i++) {
        keys[i] = takc_key_raw(t, names[i]);
        assert_int_equal(takc_store_key_check(takc_str(keys[i].s), NULL), TAKC_OK);
        assert_int_equal(strncmp(keys[i].s, "raw-data/fin/~", 14), 0);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(keys[i].s, keys[j].s);
    }
    assert_true(takc_str_ends(takc_str(keys[4].s), takc_str(".csv")));
    assert_true(takc_str_ends(takc_str(keys[1].s), takc_str(".txt")));
}

static void keys_know_their_task(void **state)
{
    (void)state;
    static const char *const of_fin[] = {"blobs/fin/x",
                                         "raw-data/fin/a/b",
                                         "documents/fin/x.json",
                                         "text/fin/x",
                                         "index/fin/v1/units.idx",
                                         "artifacts/fin/v1/x",
                                         "cache/v2/fin/ultra/cache.json",
                                         "manifests/fin.json",
                                         "tasks/fin.yaml",
                                         "fin/chunk_0_000001.txt"};
    static const char *const of_none[] = {"blobs", "manifests/fin", "fin/other.txt", "tasks/Fin.yaml", "x", "locks/chunk_1"};
    for (size_t i = 0; i < sizeof(of_fin) / sizeof(of_fin[0]); i++)
        assert_true(takc_str_is(takc_key_task(takc_str(of_fin[i])), "fin"));
    for (size_t i = 0; i < sizeof(of_none) / sizeof(of_none[0]); i++)
        assert_int_equal(takc_key_task(takc_str(of_none[i])).len, 0);
}

/* --- documents --- */

static struct takc_revision revision(void)
{
    return (struct takc_revision){.source_sha = takc_str(SHA_A),
                                  .text_sha = takc_str(SHA_B),
                                  .units_sha = takc_str(SHA_C),
                                  .part = takc_str(".0123456789abcdef"),
                                  .made_by = takc_str("units 1"),
                                  .reader = takc_str("html"),
                                  .reader_version = takc_str("2"),
                                  .charset = takc_str("utf-8"),
                                  .title = takc_str("Quarter \"3\"\n\xC3\xA9"),
                                  .title_from = takc_str("text"),
                                  .title_span = {3, 12},
                                  .source_bytes = 900,
                                  .text_bytes = 800,
                                  .n_replaced = 1,
                                  .n_units = 12,
                                  .source_mt = 200500,
                                  .has_date = true,
                                  .date = 19000,
                                  .has_map = true,
                                  .ingested_s = 1700000000};
}

static const char record_text[] =
    "{\n  \"takc_document\": 1,\n  \"name\": \"q3/a.html\", \"root\": \"/data\",\n  \"labels\": [\"x\", \"y\"],\n  \"revisions\": [\n"
    "    {\"source_sha256\": \"" SHA_A "\", \"file_sha256\": \"\", \"text_sha256\": \"" SHA_B "\", \"units_sha256\": \"" SHA_C "\", "
    "\"part\": \".0123456789abcdef\", \"made_by\": \"units 1\", \"reader\": \"html\", \"reader_version\": \"2\", \"charset\": \"utf-8\", "
    "\"title\": \"Quarter \\\"3\\\"\\n\xC3\xA9\", \"title_from\": \"text\", \"date\": \"2022-01-08\", \"title_span\": [3, 12], "
    "\"source_bytes\": 900, \"text_bytes\": 800, \"replaced\": 1, \"units\": 12, \"source_mt\": 200500, \"has_map\": true, "
    "\"compressed\": false, \"ingested\": 1700000000}\n  ]\n}\n";

static void a_record_is_written_byte_for_byte(void **state)
{
    (void)state;
    struct takc_str labels[] = {takc_str("x"), takc_str("y")};
    struct takc_revision r = revision();
    struct takc_document d = {takc_str("q3/a.html"), takc_str("/data"), labels, 2, &r, 1}, back;
    struct takc_buf b;
    struct takc_arena a;
    takc_arena_init(&a);
    takc_buf_init(&b, 1 << 20);
    assert_int_equal(takc_document_write(&d, &b, NULL), TAKC_OK);
    assert_string_equal(b.ptr, record_text);
    assert_int_equal(takc_document_parse(takc_buf_str(&b), &a, &back, NULL), TAKC_OK);
    assert_true(takc_str_eq(back.name, d.name) && takc_str_eq(back.labels[1], labels[1]) && back.n_revisions == 1);
    const struct takc_revision *q = back.revisions;
    assert_true(takc_str_eq(q->title, r.title) && takc_str_eq(q->part, r.part) && q->date == 19000 && q->has_date && q->has_map);
    assert_true(q->title_span.start == 3 && q->title_span.end == 12 && q->source_mt == 200500 && !q->compressed);
    takc_buf_reset(&b);
    assert_int_equal(takc_document_write(&back, &b, NULL), TAKC_OK);
    assert_string_equal(b.ptr, record_text);
    takc_buf_clear(&b);
    takc_arena_clear(&a);
}

/* The record with the first occurrence of from replaced by to. */
static void edit(const char *text, const char *from, const char *to, char *out, size_t size)
{
    const char *at = strstr(text, from);
    assert_non_null(at);
    (void)snprintf(out, size, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static void damaged_records_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *says;
    } rows[] = {
        {"\"takc_document\": 1", "\"takc_document\": 2", "2 is not known"},
        {"\"root\": \"/data\",", "", "root is missing"},
        {"\"root\"", "\"color\": 1, \"root\"", "members"},
        {"\"x\", ", "7, ", "labels"},
        {"aaaa\"", "aaaA\"", "source_sha256"},
        {"[3, 12]", "[12, 3]", "title_span"},
        {"[3, 12]", "[3, 801]", "title_span"},
        {"[3, 12]", "[3, 4294967299]", "title_span"},
        {"2022-01-08", "2022-01-08T00:00:00Z", "date"},
        {"2022-01-08", "2022-02-30", "date"},
        {"\"text\", \"date\"", "\"guess\", \"date\"", "title_from"},
        {"\"units\": 12", "\"units\": -12", "units"},
        {"\"units\": 12", "\"units\": 12.5", "units"},
        {"\"compressed\": false", "\"compressed\": true", "file_sha256"},
        {"\"has_map\": true", "\"has_map\": 1", "has_map"},
        {".0123456789abcdef", ".0123456789abcdeg", "part"},
        {"\"name\": \"q3/a.html\"", "\"name\": \"\"", "name"},
        {"q3/a.html", "q3\\u0000", "name"},
        {"}\n  ]", "}\n  ", "damaged"},
        {"\"reader\": \"html\"", "\"reader\": \"html\", \"reader\": \"html\"", "duplicate"},
    };
    char text[4096];
    struct takc_arena a;
    takc_arena_init(&a);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct takc_err err = {0};
        struct takc_document d;
        edit(record_text, rows[i].from, rows[i].to, text, sizeof(text));
        assert_int_equal(takc_document_parse(takc_str(text), &a, &d, &err), TAKC_CORRUPT);
        assert_int_equal(err.status, TAKC_CORRUPT);
        if (!strstr(err.msg, rows[i].says))
            fail_msg("row %zu: '%s' does not say '%s'", i, err.msg, rows[i].says);
    }
    takc_arena_clear(&a);
}

static void unwritable_records_are_refused(void **state)
{
    (void)state;
    struct takc_revision r = revision();
    struct takc_document d = {takc_str("a\xFF"), takc_str("/data"), NULL, 0, &r, 1};
    struct takc_buf b;
    takc_buf_init(&b, 1 << 20);
    assert_int_equal(takc_document_write(&d, &b, NULL), TAKC_INVALID);
    d.name = takc_str("a");
    d.n_revisions = 0;
    assert_int_equal(takc_document_write(&d, &b, NULL), TAKC_INVALID);
    d.n_revisions = 1;
    r.text_bytes = UINT64_MAX;
    assert_int_equal(takc_document_write(&d, &b, NULL), TAKC_INVALID);
    r.text_bytes = 800;
    r.date = 100000000;
    assert_int_equal(takc_document_write(&d, &b, NULL), TAKC_INVALID);
    assert_int_equal(b.len, 0);
    takc_buf_clear(&b);
}

static void put_document(struct takc_home *h, const char *task, const char *name)
{
    struct takc_revision r = revision();
    struct takc_document d = {takc_str(name), takc_str("/data"), NULL, 0, &r, 1};
    struct takc_buf b;
    takc_buf_init(&b, 1 << 20);
    assert_int_equal(takc_document_write(&d, &b, NULL), TAKC_OK);
    assert_int_equal(takc_store_put_bytes(takc_home_store(h), NULL, takc_str(takc_key_document(takc_str(task), takc_str(name)).s),
                                          takc_buf_str(&b), NULL),
                     TAKC_OK);
    takc_buf_clear(&b);
}

static void records_are_read_in_name_order(void **state)
{
    (void)state;
    struct takc_err err = {0};
    struct takc_home *h = open_home();
    struct takc_arena a;
    struct takc_document d, *all;
    size_t n;
    takc_arena_init(&a);
    assert_int_equal(takc_home_documents(h, takc_str("fin"), &a, &all, &n, &err), TAKC_OK);
    assert_int_equal(n, 0);
    static const char *const names[] = {"b.txt", "a/z.txt", "a.txt", "B.txt"};
    static const char *const sorted[] = {"B.txt", "a.txt", "a/z.txt", "b.txt"};
    for (int i = 0; i < 4; i++)
        put_document(h, "fin", names[i]);
    put_document(h, "law", "other.txt");
    assert_int_equal(takc_home_documents(h, takc_str("fin"), &a, &all, &n, &err), TAKC_OK);
    assert_int_equal(n, 4);
    for (int i = 0; i < 4; i++)
        assert_true(takc_str_is(all[i].name, sorted[i]));
    assert_int_equal(takc_home_document(h, takc_str("fin"), takc_str("a/z.txt"), &a, &d, &err), TAKC_OK);
    assert_int_equal(takc_home_document(h, takc_str("fin"), takc_str("c.txt"), &a, &d, &err), TAKC_NOT_FOUND);
    assert_string_equal(err.msg, "task fin has no document c.txt");
    /* a record under another name's key */
    struct takc_buf b;
    takc_buf_init(&b, 1 << 20);
    assert_int_equal(
        takc_store_get_bytes(takc_home_store(h), NULL, takc_str(takc_key_document(takc_str("law"), takc_str("other.txt")).s), &b, NULL),
        TAKC_OK);
    assert_int_equal(takc_store_put_bytes(takc_home_store(h), NULL, takc_str(takc_key_document(takc_str("fin"), takc_str("c.txt")).s),
                                          takc_buf_str(&b), NULL),
                     TAKC_OK);
    takc_buf_clear(&b);
    assert_int_equal(takc_home_document(h, takc_str("fin"), takc_str("c.txt"), &a, &d, &err), TAKC_CORRUPT);
    assert_int_equal(takc_home_documents(h, takc_str("fin"), &a, &all, &n, &err), TAKC_CORRUPT);
    takc_arena_clear(&a);
    takc_home_close(h);
}

/* --- tasks --- */

static void tasks_have_profiles(void **state)
{
    (void)state;
    struct takc_err err = {0};
    struct takc_home *h = open_home();
    struct takc_arena a;
    struct takc_str *names;
    struct takc_profile p;
    size_t n;
    takc_arena_init(&a);
    assert_int_equal(takc_home_profile(h, takc_str("fin"), &p, &err), TAKC_NOT_FOUND);
    assert_non_null(strstr(err.msg, "takc init"));
    assert_int_equal(takc_store_put_bytes(h->store, NULL, takc_str("tasks/law.yaml"), takc_str("description: x\n"), NULL), TAKC_OK);
    assert_int_equal(takc_store_put_bytes(h->store, NULL, takc_str("tasks/fin.yaml"), takc_str("description: money\n"), NULL), TAKC_OK);
    assert_int_equal(takc_store_put_bytes(h->store, NULL, takc_str("tasks/notes.txt"), takc_str("no task"), NULL), TAKC_OK);
    assert_int_equal(takc_store_put_bytes(h->store, NULL, takc_str("blobs/old/x"), takc_str("left over"), NULL), TAKC_OK);
    assert_int_equal(takc_home_tasks(h, &a, &names, &n, &err), TAKC_OK);
    assert_int_equal(n, 2);
    assert_true(takc_str_is(names[0], "fin") && takc_str_is(names[1], "law"));
    assert_int_equal(takc_home_tasks_with_keys(h, &a, &names, &n, &err), TAKC_OK);
    assert_int_equal(n, 3);
    assert_true(takc_str_is(names[2], "old"));
    assert_int_equal(takc_home_profile(h, takc_str("fin"), &p, &err), TAKC_OK);
    assert_true(takc_str_is(p.description, "money"));
    takc_profile_clear(&p);
    takc_arena_clear(&a);
    takc_home_close(h);
}

/* --- manifests --- */

/* What stands behind every hash of a version, and what is new in format 2. */
#define VERSION_1(selection, ledger_1, ledger_2)                                                                                           \
    "    {\"label\": \"1.r2\", \"redacted_from\": \"1\", \"work_key\": \"" SHA_A "\",\n"                                                   \
    "     \"created\": 1700000000, \"pinned\": true, \"source_tokens\": 12345,\n"                                                          \
    "     \"documents\": {\"sha256\": \"" SHA_B "\", \"bytes\": 10},\n     \"index\": {\"sha256\": \"" SHA_C                               \
    "\", \"bytes\": 20},\n" selection "     \"artifacts\": [\n      {\"rate\": \"ultra\", \"sha256\": \"" SHA_A                            \
    "\", \"bytes\": 1" ledger_1 "},\n"                                                                                                     \
    "      {\"rate\": \"12.5x\", \"sha256\": \"" SHA_B "\", \"bytes\": 2" ledger_2 "}]},\n"
#define VERSION_2(selection)                                                                                                               \
    "    {\"label\": \"2\", \"redacted_from\": \"\", \"work_key\": \"" SHA_B "\",\n"                                                       \
    "     \"created\": 1700000001, \"pinned\": false, \"source_tokens\": 0,\n"                                                             \
    "     \"documents\": {\"sha256\": \"\", \"bytes\": 0},\n     \"index\": {\"sha256\": \"\", \"bytes\": 0},\n" selection                 \
    "     \"artifacts\": []}]\n}\n"
#define HEAD(format) "{\n  \"takc_manifest\": " format ",\n  \"task\": \"fin\",\n  \"current\": \"2\",\n  \"next\": 4,\n  \"versions\": [\n"
#define LEDGER(sha, bytes) ", \"ledger_sha256\": \"" sha "\", \"ledger_bytes\": " bytes
#define SELECTION(sha, bytes) "     \"selection\": {\"sha256\": \"" sha "\", \"bytes\": " bytes "},\n"

static const char manifest_text[] =
    HEAD("2") VERSION_1(SELECTION(SHA_B, "30"), LEDGER(SHA_C, "40"), LEDGER(SHA_A, "50")) VERSION_2(SELECTION("", "0"));
static const char old_manifest_text[] = HEAD("1") VERSION_1("", "", "") VERSION_2("");
/* The old one as it is written now: nobody has looked for the hashes yet. */
static const char unhashed_manifest_text[] =
    HEAD("2") VERSION_1(SELECTION("", "0"), LEDGER("", "0"), LEDGER("", "0")) VERSION_2(SELECTION("", "0"));

static void a_manifest_is_written_byte_for_byte(void **state)
{
    (void)state;
    struct takc_arena a;
    struct takc_manifest m;
    struct takc_buf b;
    struct takc_err err = {0};
    takc_arena_init(&a);
    takc_buf_init(&b, 1 << 20);
    if (takc_manifest_parse(takc_str(manifest_text), &a, &m, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(m.n_versions, 2);
    assert_int_equal(m.versions[0].artifacts[1].rate, 12500);
    assert_true(m.versions[0].pinned && m.next == 4 && m.versions[0].index.size_bytes == 20);
    assert_true(takc_str_is(m.versions[0].selection.sha256, SHA_B) && m.versions[0].selection.size_bytes == 30);
    assert_true(takc_str_is(m.versions[0].artifacts[0].ledger_sha256, SHA_C) && m.versions[0].artifacts[1].ledger_bytes == 50);
    assert_int_equal(takc_manifest_write(&m, &b, NULL), TAKC_OK);
    assert_string_equal(b.ptr, manifest_text);
    assert_ptr_equal(takc_manifest_find(&m, takc_str("")), &m.versions[1]);
    assert_ptr_equal(takc_manifest_find(&m, takc_str("1.r2")), &m.versions[0]);
    assert_null(takc_manifest_find(&m, takc_str("3")));
    takc_buf_clear(&b);
    takc_arena_clear(&a);
}

static void a_manifest_of_the_first_format_is_read(void **state)
{
    (void)state;
    struct takc_arena a;
    struct takc_manifest m;
    struct takc_buf b;
    takc_arena_init(&a);
    takc_buf_init(&b, 1 << 20);
    assert_int_equal(takc_manifest_parse(takc_str(old_manifest_text), &a, &m, NULL), TAKC_OK);
    assert_int_equal(m.versions[0].selection.sha256.len, 0);
    assert_int_equal(takc_manifest_write(&m, &b, NULL), TAKC_OK);
    assert_string_equal(b.ptr, unhashed_manifest_text);
    takc_buf_clear(&b);
    takc_arena_clear(&a);
}

static void damaged_manifests_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *says;
    } rows[] = {
        {"\"current\": \"2\"", "\"current\": \"3\"", "current"},
        {"\"next\": 4", "\"next\": 2", "label"},
        {"\"next\": 4", "\"next\": 0", "next"},
        {"\"next\": 4", "\"next\": 4294967296", "next"},
        {"\"1.r2\"", "\"2\"", "label"},
        {"\"1.r2\"", "\"01\"", "label"},
        {"\"1.r2\"", "\"1.r0\"", "label"},
        {"\"redacted_from\": \"1\"", "\"redacted_from\": \"2\"", "redacted_from"},
        {"ultra", "8x", "written otherwise"},
        {"ultra", "light", "descend"},
        {"ultra", "0x", "artifact 1"},
        {"\"task\": \"fin\"", "\"task\": \"../x\"", "damaged"},
        {"\"pinned\": true", "\"pinned\": null", "pinned"},
        {"\"bytes\": 20", "\"bytes\": 99999999999999999999", "damaged"},
        {"\"artifacts\": []", "\"artifacts\": {}", "artifacts"},
        {"\"created\": 1700000000, ", "", "created is missing"},
        {"\"takc_manifest\": 2", "\"takc_manifest\": 1", "10 members where 9 are known"},
        {"\"takc_manifest\": 2", "\"takc_manifest\": 3", "3 is not known, 2 is"},
        {"\"takc_manifest\": 2", "\"takc_manifest\": 0", "0 is not known, 2 is"},
        {"\"selection\": {\"sha256\": \"" SHA_B, "\"selection\": {\"sha256\": \"x", "selection"},
        {", \"ledger_bytes\": 40", "", "ledger_bytes"},
        {"\"ledger_sha256\": \"" SHA_C, "\"ledger_sha256\": \"x", "ledger"},
    };
    char text[8192];
    struct takc_arena a;
    takc_arena_init(&a);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct takc_err err = {0};
        struct takc_manifest m;
        edit(manifest_text, rows[i].from, rows[i].to, text, sizeof(text));
        assert_int_equal(takc_manifest_parse(takc_str(text), &a, &m, &err), TAKC_CORRUPT);
        if (!strstr(err.msg, rows[i].says))
            fail_msg("row %zu: '%s' does not say '%s'", i, err.msg, rows[i].says);
    }
    takc_arena_clear(&a);
}

static void manifests_are_swapped(void **state)
{
    (void)state;
    struct takc_err err = {0};
    struct takc_home *h = open_home();
    struct takc_arena a;
    struct takc_manifest m, old;
    struct takc_hex tag;
    takc_arena_init(&a);
    assert_int_equal(takc_home_manifest(h, takc_str("fin"), &a, &old, &err), TAKC_OK);
    assert_int_equal(old.n_versions, 0);
    assert_int_equal(old.next, 1);
    assert_string_equal(old.tag.s, "");
    struct takc_version v = {.label = takc_str("1"), .work_key = takc_str(SHA_A)};
    m = old;
    m.versions = &v;
    m.n_versions = 1;
    m.current = takc_str("1");
    m.next = 2;
    assert_int_equal(takc_home_manifest_swap(h, &m, &tag, &err), TAKC_OK);
    assert_int_equal(takc_home_manifest_swap(h, &m, NULL, &err), TAKC_CONFLICT); /* still says "there was none" */
    assert_int_equal(takc_home_manifest(h, takc_str("fin"), &a, &m, &err), TAKC_OK);
    assert_string_equal(m.tag.s, tag.s);
    assert_true(takc_str_is(m.current, "1"));
    assert_int_equal(takc_home_manifest_swap(h, &m, &tag, &err), TAKC_OK);
    assert_int_equal(takc_home_manifest(h, takc_str("Bad Name"), &a, &m, &err), TAKC_INVALID);
    takc_arena_clear(&a);
    takc_home_close(h);
}

/* --- memory --- */

/* Opens a home, writes and reads a record and a manifest, lists, notes; returns the first failure. */
static enum takc_status main_calls(struct takc_home **h, struct takc_arena *a, struct takc_buf *b)
{
    struct takc_document d, *all;
    struct takc_manifest m;
    struct takc_str *names;
    size_t n;
    struct takc_query_note note = {.task = takc_str("fin"), .question = takc_str("why?"), .keep_words = true};
    enum takc_status st = takc_home_open(h, root, &create, NULL);
    if (!st)
        st = takc_document_parse(takc_str(record_text), a, &d, NULL);
    if (!st)
        st = takc_document_write(&d, b, NULL);
    if (!st)
        st = takc_store_put_bytes((*h)->store, NULL, takc_str(takc_key_document(takc_str("fin"), d.name).s), takc_buf_str(b), NULL);
    if (!st)
        st = takc_home_documents(*h, takc_str("fin"), a, &all, &n, NULL);
    if (!st)
        st = takc_home_manifest(*h, takc_str("fin"), a, &m, NULL);
    if (!st)
        st = takc_home_manifest_swap(*h, &m, NULL, NULL);
    if (!st)
        st = takc_home_tasks_with_keys(*h, a, &names, &n, NULL);
    if (!st)
        st = takc_home_note_query(*h, &note, NULL);
    return st ? st : takc_home_catalog_task(*h, takc_str("fin"), NULL);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    enum takc_status st = TAKC_NOMEM;
    for (uint64_t n = 1; st; n++) {
        struct takc_home *h = NULL;
        struct takc_arena a;
        struct takc_buf b;
        takc_arena_init(&a);
        takc_buf_init(&b, 1 << 20);
        assert_true(n < 2000);
        takc_fault_arm(TAKC_FAULT_ALLOC, n, ENOMEM);
        st = main_calls(&h, &a, &b);
        takc_fault_arm(TAKC_FAULT_ALLOC, 0, 0);
        assert_true(st == TAKC_OK || st == TAKC_NOMEM);
        takc_home_close(h);
        takc_buf_clear(&b);
        takc_arena_clear(&a);
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)
    const struct CMUnitTest tests[] = {
        T(a_home_is_made_and_opened),
        T(a_folder_of_other_things_is_left_alone),
        T(other_schemas_are_told_apart),
        T(eight_processes_make_one_home),
        T(homes_are_shared_or_exclusive),
        T(a_task_has_one_writer),
        T(keys_are_those_of_the_layout),
        T(names_that_are_no_keys_get_safe_ones),
        T(keys_know_their_task),
        T(a_record_is_written_byte_for_byte),
        T(damaged_records_are_named),
        T(unwritable_records_are_refused),
        T(records_are_read_in_name_order),
        T(tasks_have_profiles),
        T(a_manifest_is_written_byte_for_byte),
        T(a_manifest_of_the_first_format_is_read),
        T(damaged_manifests_are_named),
        T(manifests_are_swapped),
        T(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
