/* SPDX-License-Identifier: Apache-2.0
 *
 * home_fixture.h - homes and folders of made-up documents, for tests of the whole pipeline. A document's bytes are a function of its number
 * and revision alone, so that the same state can be made again elsewhere: Markdown with headings, tables and sentences that other documents
 * hold too, plain text, CSV, JSONL. For test programs only: a failed assertion ends them. Include after cmocka.h. */
#ifndef TAKC_TEST_HOME_FIXTURE_H
#define TAKC_TEST_HOME_FIXTURE_H

#include "base/alloc.h"
#include "catalog/home.h"
#include "takc/cache.h"
#include "takc/compress.h"
#include "takc/forget.h"
#include "takc/ingest.h"
#include "takc/verify.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FIXTURE_TASK "fin"
enum { FIXTURE_FILES = 9, FIXTURE_LINES = 6 /* records of the JSONL file */ };

struct fixture_random {
    uint64_t state;
};

static inline uint32_t fixture_below(struct fixture_random *r, uint32_t n)
{
    r->state ^= r->state << 13;
    r->state ^= r->state >> 7;
    r->state ^= r->state << 17;
    return (uint32_t)((r->state * 0x2545F4914F6CDD1Du) >> 33) % n;
}

static inline void fixture_ok(enum takc_status st, const struct takc_err *err, const char *what)
{
    if (st)
        fail_msg("%s: %s: %s", what, takc_status_name(st), err->msg);
}

/* --- text --- */

static inline void fixture_sentence(struct fixture_random *r, FILE *f)
{
    static const char *const who[] = {"The pump",   "Revenue in Basel", "The audit board",   "Plant Zurich",  "The Geneva office",
                                      "Each valve", "Net margin",       "The northern line", "Customer ACME", "The reserve tank"};
    static const char *const did[] = {"grew by",         "did not exceed",    "was reported at", "fell below", "must never pass",
                                      "was measured at", "is estimated near", "will reach",      "lost",       "was approved for"};
    static const char *const why[] = {"after the inspection",   "in the third quarter", "under full pressure", "since the last outage",
                                      "according to the board", "without any reserve",  "during the winter",   "on the second shift"};
    fprintf(f, "%s %s %u %s %s. ", who[fixture_below(r, 10)], did[fixture_below(r, 10)], 10 + fixture_below(r, 9000),
            fixture_below(r, 2) ? "units" : "percent", why[fixture_below(r, 8)]);
}

/* The same for every document: what duplicates are made of. */
static inline void fixture_shared(uint32_t which, FILE *f)
{
    struct fixture_random r = {0x9E3779B97F4A7C15u + which * 7919u};
    fixture_sentence(&r, f);
}

static inline void fixture_markdown(struct fixture_random *r, int number, int revision, FILE *f)
{
    fprintf(f, "# Report %d of the %s plant\n\n", number, number % 2 ? "Basel" : "Zurich");
    for (int s = 0; s < 3; s++) {
        fprintf(f, "## Section %d, revision %d\n\n", s, revision);
        for (int i = 0; i < 5; i++) {
            if (fixture_below(r, 4) == 0)
                fixture_shared(fixture_below(r, 6), f);
            fixture_sentence(r, f);
        }
        fprintf(f, "\n\n| region | quarter | revenue |\n|---|---|---|\n");
        for (int i = 0; i < 3; i++)
            fprintf(f, "| R%u | Q%u 2024 | %u CHF |\n", fixture_below(r, 5), 1 + fixture_below(r, 4), fixture_below(r, 90000));
        fprintf(f, "\n");
    }
}

static inline void fixture_csv(struct fixture_random *r, FILE *f)
{
    fprintf(f, "name,site,limit\n");
    for (int i = 0; i < 12; i++)
        fprintf(f, "Valve %u,\"Hall %u, north\",%u bar\n", fixture_below(r, 900), fixture_below(r, 9), fixture_below(r, 400));
}

static inline void fixture_jsonl(struct fixture_random *r, int revision, FILE *f)
{
    for (int i = 0; i < FIXTURE_LINES; i++) {
        struct fixture_random own = {(uint64_t)(i + 1) * 104729u + 77};
        if (i == 1) /* one line is another with every revision, the others stay */
            own.state += (uint64_t)revision * 31 + fixture_below(r, 1000);
        fprintf(f, "{\"id\": \"k%d\", \"title\": \"Question %d on pumps\", \"text\": \"", i, i);
        for (int k = 0; k < 4; k++)
            fixture_sentence(&own, f);
        fprintf(f, "\"}\n");
    }
}

static inline void fixture_name(int number, char out[64])
{
    static const char *const kinds[] = {"md", "md", "txt", "md", "csv", "md", "jsonl", "txt", "md"};
    (void)snprintf(out, 64, "%s%02d.%s", number % 3 == 0 ? "sub/d" : "d", number, kinds[number % FIXTURE_FILES]);
}

/* Writes document number at that revision below folder; revision 0 removes it. */
static inline void fixture_write(const char *folder, int number, int revision)
{
    char name[64], path[256];
    fixture_name(number, name);
    (void)snprintf(path, sizeof(path), "%s/sub", folder);
    (void)mkdir(folder, 0700);
    (void)mkdir(path, 0700);
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    if (revision == 0) {
        (void)unlink(path);
        return;
    }
    struct fixture_random r = {(uint64_t)(number + 1) * 1000003u + (uint64_t)revision * 7919u};
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    const char *kind = strrchr(name, '.') + 1;
    if (strcmp(kind, "md") == 0)
        fixture_markdown(&r, number, revision, f);
    else if (strcmp(kind, "csv") == 0)
        fixture_csv(&r, f);
    else if (strcmp(kind, "jsonl") == 0)
        fixture_jsonl(&r, revision, f);
    else
        for (int i = 0; i < 14; i++) {
            if (i % 5 == 2)
                fixture_shared((uint32_t)i, f);
            fixture_sentence(&r, f);
            fprintf(f, i % 4 == 3 ? "\n\n" : "\n");
        }
    assert_int_equal(fclose(f), 0);
}

/* --- homes --- */

/* A fresh folder for a test, in memory where the system has such a place: what is tested is not the disk. */
static inline int fixture_root(char out[64], const char *name)
{
    (void)snprintf(out, 64, "%s/takc-%s-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", name);
    return mkdtemp(out) ? 0 : -1;
}

static inline void fixture_remove(const char *path)
{
    char command[512];
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", path);
    if (system(command)) /* NOLINT(cert-env33-c): a fixed command of the test */
        fail_msg("rm -rf %s", path);
}

/* Waits until a child has ended, so long at most, and kills it then; its status as waitpid gives it. */
static inline int fixture_kill_after(pid_t child, uint64_t ns)
{
    int fd = (int)syscall(SYS_pidfd_open, child, 0), status = 0;
    const struct timespec t = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
    struct pollfd ended = {.fd = fd, .events = POLLIN};
    (void)ppoll(&ended, 1, &t, NULL); /* where the kernel has no such descriptor, it waits all that time */
    if (fd >= 0)
        (void)close(fd);
    (void)kill(child, SIGKILL);
    while (waitpid(child, &status, 0) != child)
        assert_int_equal(errno, EINTR);
    return status;
}

static inline void fixture_profile(struct takc_home *h, const char *yaml)
{
    struct takc_err err = {0};
    fixture_ok(takc_store_put_bytes(takc_home_store(h), NULL, takc_str(takc_key_profile(takc_str(FIXTURE_TASK)).s), takc_str(yaml), &err),
               &err, "profile");
}

#define FIXTURE_YAML "description: \"revenue, pressure limits\"\n"

/* Opens a home, made with a profile when it is not there. */
static inline struct takc_home *fixture_home(const char *path)
{
    struct takc_home *h = NULL;
    struct takc_err err = {0};
    struct stat info;
    bool there = stat(path, &info) == 0;
    fixture_ok(takc_home_open(&h, path, &(struct takc_home_options){.create = true}, &err), &err, "open");
    if (!there)
        fixture_profile(h, FIXTURE_YAML);
    return h;
}

static inline struct takc_ingest_report fixture_ingest(struct takc_home *h, const char *folder, bool mirror, unsigned n_threads)
{
    struct takc_err err = {0};
    struct takc_ingest_report report;
    const struct takc_ingest_options o = {.task = takc_str(FIXTURE_TASK), .mirror = mirror, .n_threads = n_threads};
    fixture_ok(takc_ingest(h, NULL, &folder, 1, &o, &report, &err), &err, "ingest");
    assert_int_equal(report.n_refused, 0);
    return report;
}

static inline struct takc_compress_report fixture_compress(struct takc_home *h, unsigned n_threads)
{
    struct takc_err err = {0};
    struct takc_compress_report report;
    const struct takc_compress_options o = {.task = takc_str(FIXTURE_TASK), .n_threads = n_threads};
    fixture_ok(takc_compress(h, NULL, &o, &report, &err), &err, "compress");
    return report;
}

static inline void fixture_finding(void *arg, unsigned level, const char *subject, const char *finding)
{
    (void)arg;
    print_message("verify: %s %s: %s\n", takc_level_letter(level), subject, finding);
}

/* Verifies a version (empty: current); every level must have proved something and nothing failed. */
static inline void fixture_verify(struct takc_home *h, const char *version)
{
    struct takc_err err = {0};
    struct takc_verify_report r;
    const struct takc_verify_options o = {.task = takc_str(FIXTURE_TASK), .version = takc_str(version), .finding = fixture_finding};
    fixture_ok(takc_verify(h, NULL, &o, &r, &err), &err, "verify");
    for (int k = 0; k < TAKC_PROOF_LEVELS; k++) {
        assert_int_equal(r.failed[k], 0);
        assert_int_equal(r.underivable[k], 0);
        assert_true(r.checked[k] > 0);
    }
}

struct fixture_sums {
    struct takc_buf *out;
    struct takc_home *home;
    size_t skip;
    int n;
};

static inline enum takc_status fixture_sum(void *arg, struct takc_str key, uint64_t size, struct takc_err *err)
{
    struct fixture_sums *s = arg;
    struct takc_store_view v;
    struct takc_hex hex;
    (void)size;
    if (takc_str_ends(key, takc_str(".ledger.json"))) /* holds a duration */
        return TAKC_OK;
    enum takc_status st = takc_store_view(takc_home_store(s->home), NULL, key, &v, err);
    if (!st)
        st = takc_sha256(v.bytes, &hex, err);
    takc_store_view_close(&v);
    s->n++;
    struct takc_str name = takc_str_slice(key, s->skip, key.len);
    return st ? st : takc_buf_printf(s->out, err, "%.*s %s\n", TAKC_STR_ARG(name), hex.s);
}

/* Names and hashes of all stored things of a version (empty: current), without its label: equal text, equal bytes. Free it. */
static inline char *fixture_state(struct takc_home *h, const char *version)
{
    struct takc_err err = {0};
    struct takc_arena a;
    struct takc_manifest m;
    struct takc_buf out;
    takc_arena_init(&a);
    takc_buf_init(&out, 1 << 20);
    fixture_ok(takc_home_manifest(h, takc_str(FIXTURE_TASK), &a, &m, &err), &err, "manifest");
    const struct takc_version *v = takc_manifest_find(&m, takc_str(version));
    assert_non_null(v);
    static const char *const folders[] = {"artifacts", "index"};
    struct fixture_sums s = {.out = &out, .home = h};
    for (int i = 0; i < 2; i++) {
        char *prefix = takc_arena_printf(&a, "%s/" FIXTURE_TASK "/v%.*s/", folders[i], TAKC_STR_ARG(v->label));
        s.skip = strlen(prefix);
        fixture_ok(takc_store_list(takc_home_store(h), NULL, takc_str(prefix), fixture_sum, &s, &err), &err, "list");
    }
    assert_int_equal(s.n, v->n_artifacts + 3); /* artifacts, documents, index, selection: no work.json, no leftover */
    char *text = strdup(takc_buf_str(&out).ptr);
    takc_buf_clear(&out);
    takc_arena_clear(&a);
    return text;
}

#endif
