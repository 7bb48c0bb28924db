/* SPDX-License-Identifier: Apache-2.0
 *
 * Settings: precedence, origins, files, secrets, and what every refusal says. */
#include "base/fault.h"
#include "base/file.h"
#include "config/settings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];

static const char *put_file(const char *name, const char *text)
{
    static char path[4][160];
    static int turn;
    char *p = path[turn++ % 4];
    (void)snprintf(p, sizeof(path[0]), "%s/%s", folder, name);
    assert_int_equal(takc_dir_make_for(p, NULL), TAKC_OK);
    assert_int_equal(takc_file_write(p, takc_str(text), NULL), TAKC_OK);
    return p;
}

static size_t row_of(const char *name)
{
    size_t i = 0;
    while (takc_setting_at(i) && strcmp(takc_setting_at(i)->name, name) != 0)
        i++;
    assert_non_null(takc_setting_at(i));
    return i;
}

static void origin_is(struct takc_settings *s, const char *name, const char *origin)
{
    assert_string_equal(takc_value_origin(&s->arena, &s->values[row_of(name)]), origin);
}

static void rows_are_sound(void **state)
{
    (void)state;
    struct takc_err err = {0};
    for (size_t i = 0; takc_setting_at(i); i++) {
        const struct takc_setting *row = takc_setting_at(i);
        if (takc_setting_check(row, takc_str(row->fallback), NULL, &err))
            fail_msg("%s: %s", row->name, err.msg);
        assert_true(row->type != TAKC_SETTING_UNSET && row->help && strlen(row->name) < 64);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(row->name, takc_setting_at(k)->name);
    }
    char name[72];
    takc_setting_variable(takc_setting_at(row_of("ingest.max_file_bytes")), name);
    assert_string_equal(name, "TAKC_INGEST_MAX_FILE_BYTES");
    assert_null(takc_setting_find(takc_str("nothing")));
}

static void defaults_are_typed(void **state)
{
    (void)state;
    const char *environment[] = {"HOME=/home/ann", NULL};
    struct takc_settings_inputs in = {.environment = environment, .system_config = "/nonexistent"};
    struct takc_settings s;
    struct takc_err err = {0};
    assert_int_equal(takc_settings_load(&s, &in, &err), TAKC_OK);
    assert_true(takc_str_is(s.home, "/home/ann/.local/share/takc"));
    assert_true(s.threads >= 1);
    assert_true(takc_str_is(s.log_level, "warn") && takc_str_is(s.log_format, "text") && takc_str_is(s.pdf_mode, "auto"));
    assert_true(s.ingest_max_file_bytes == 1u << 30);
    assert_true(s.query_reader_tokens == 2000 && s.query_artifact_tokens == 16000 && s.query_abstain_below == 0.35);
    assert_false(s.query_keep_questions);
    assert_true(s.versions_keep == 3 && s.cache_ttl_s == 86400);
    assert_int_equal(s.file.len, 0);
    origin_is(&s, "home", "default");
    takc_settings_clear(&s);
    takc_settings_clear(&s);
    const char *xdg[] = {"HOME=/home/ann", "XDG_DATA_HOME=/data", NULL}, *relative[] = {"HOME=/home/ann", "XDG_DATA_HOME=data", NULL};
    in.environment = xdg;
    assert_int_equal(takc_settings_load(&s, &in, &err), TAKC_OK);
    assert_true(takc_str_is(s.home, "/data/takc"));
    takc_settings_clear(&s);
    in.environment = relative; /* XDG: a relative path does not count */
    assert_int_equal(takc_settings_load(&s, &in, &err), TAKC_OK);
    assert_true(takc_str_is(s.home, "/home/ann/.local/share/takc"));
    takc_settings_clear(&s);
    in.environment = NULL;
    assert_int_equal(takc_settings_load(&s, &in, &err), TAKC_OK);
    assert_int_equal(s.home.len, 0);
    takc_settings_clear(&s);
}

static void money_is_exact(void **state)
{
    static const struct {
        const char *text;
        uint64_t picodollars; /* UINT64_MAX: refused */
    } rows[] = {{"0", 0},
                {"1", 1000000000000},
                {"2.5", 2500000000000},
                {".000001", 1000000},
                {"12.", UINT64_MAX},
                {"1000000", UINT64_C(1000000000000000000)},
                {"1000000.000001", UINT64_MAX},
                {"1000001", UINT64_MAX},
                {"99999999999999999999", UINT64_MAX},
                {"0.0000001", UINT64_MAX},
                {"", UINT64_MAX},
                {".", UINT64_MAX},
                {"$5", UINT64_MAX},
                {"-1", UINT64_MAX},
                {"1e3", UINT64_MAX}};
    const struct takc_setting *row = takc_setting_find(takc_str("cost.max_usd"));
    (void)state;
    assert_non_null(row);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t n = UINT64_MAX;
        enum takc_status st = takc_setting_check(row, takc_str(rows[i].text), &n, NULL);
        if (st != (rows[i].picodollars == UINT64_MAX ? TAKC_INVALID : TAKC_OK) || n != rows[i].picodollars)
            fail_msg("%s: status %d, %llu", rows[i].text, st, (unsigned long long)n);
    }
}

static void the_strongest_wins(void **state)
{
    (void)state;
    char config[200];
    const char *file = put_file("a.yaml", "# first\nthreads: 3\ncache:\n  ttl_s: 30\nlog.level: info\nquery: {keep_questions: true}\n"
                                          "ingest:\n  max_file_bytes: 64MiB\nhome: /from/file\n");
    (void)snprintf(config, sizeof(config), "TAKC_CONFIG=%s", file);
    const char *environment[] = {config,    "TAKC_THREADS=5", "CACHE_TTL=50",       "TAKC_HOME=/from/env",
                                 "OTHER=1", "TAKC_TEST_X=1",  "TAKC_FAULT=alloc:9", NULL};
    struct takc_setting_flag flags[] = {{"threads", "--threads", takc_str("7")}};
    struct takc_settings_inputs in = {flags, 1, environment, NULL, "/nonexistent"};
    struct takc_settings s;
    struct takc_err err = {0};
    char origin[256];
    if (takc_settings_load(&s, &in, &err))
        fail_msg("%s", err.msg);
    assert_true(s.threads == 7);
    origin_is(&s, "threads", "flag --threads");
    assert_true(s.cache_ttl_s == 50);
    origin_is(&s, "cache.ttl_s", "environment CACHE_TTL");
    assert_true(takc_str_is(s.home, "/from/env"));
    assert_true(s.query_keep_questions && s.ingest_max_file_bytes == 64u << 20 && takc_str_is(s.log_level, "info"));
    (void)snprintf(origin, sizeof(origin), "file %s:8", file);
    origin_is(&s, "ingest.max_file_bytes", origin);
    origin_is(&s, "log.format", "default");
    assert_true(takc_str_is(s.file, file));
    takc_settings_clear(&s);
    const char *own[] = {"TAKC_CACHE_TTL_S=70", "CACHE_TTL=50", NULL}, *empty[] = {"CACHE_TTL=", NULL};
    in = (struct takc_settings_inputs){.environment = own, .system_config = "/nonexistent"};
    assert_int_equal(takc_settings_load(&s, &in, &err), TAKC_OK);
    assert_true(s.cache_ttl_s == 70);
    takc_settings_clear(&s);
    in.environment = empty;
    assert_int_equal(takc_settings_load(&s, &in, &err), TAKC_OK);
    assert_true(s.cache_ttl_s == 86400);
    takc_settings_clear(&s);
}

static void files_are_found_in_order(void **state)
{
    (void)state;
    char xdg[160], home[160];
    const char *system_config = put_file("etc.yaml", "threads: 1\n");
    (void)put_file("xdg/takc/takc.yaml", "threads: 2\n");
    (void)put_file("home/.config/takc/takc.yaml", "threads: 3\n");
    (void)snprintf(xdg, sizeof(xdg), "XDG_CONFIG_HOME=%s/xdg", folder);
    (void)snprintf(home, sizeof(home), "HOME=%s/home", folder);
    const char *environments[3][3] = {{xdg, home, NULL}, {home, NULL}, {NULL}};
    static const uint64_t threads[] = {2, 3, 1};
    struct takc_settings s;
    struct takc_err err = {0};
    for (size_t i = 0; i < 3; i++) {
        struct takc_settings_inputs in = {.environment = environments[i], .system_config = system_config};
        assert_int_equal(takc_settings_load(&s, &in, &err), TAKC_OK);
        assert_true(s.threads == threads[i]);
        takc_settings_clear(&s);
    }
    struct takc_settings_inputs named = {
        .environment = environments[0], .config = put_file("c.yaml", "threads: 9"), .system_config = system_config};
    assert_int_equal(takc_settings_load(&s, &named, &err), TAKC_OK);
    assert_true(s.threads == 9);
    takc_settings_clear(&s);
    named.config = "/nonexistent/takc.yaml"; /* named files must exist */
    assert_int_equal(takc_settings_load(&s, &named, &err), TAKC_NOT_FOUND);
    takc_settings_clear(&s);
}

static void refused(struct takc_settings_inputs in, const char *message)
{
    struct takc_settings s;
    struct takc_err err = {0};
    assert_int_equal(takc_settings_load(&s, &in, &err), TAKC_INVALID);
    assert_string_equal(err.msg, message);
    takc_settings_clear(&s);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *yaml, *message;
    } files[] = {
        {"thread: 3\n", "1:1: unknown setting 'thread'; did you mean 'threads'?"},
        {"ingest:\n  max_file_byte: 3\n", "2:3: unknown setting 'ingest.max_file_byte'; did you mean 'ingest.max_file_bytes'?"},
        {"ingst:\n  x: 3\n", "1:1: unknown setting 'ingst'"},
        {"ingest: 3\n", "1:9: ingest: keys and values are expected"},
        {"threads: many\n", "1:10: threads: a whole number is expected"},
        {"threads: 1025\n", "1:10: threads: 1025 is not within 0 to 1024"},
        {"threads: [1]\n", "1:10: threads: a text is expected"},
        {"threads: 1\nthreads: 2\n", "2:1: threads is there twice"},
        {"cache: {ttl_s: 1}\ncache.ttl_s: 2\n", "2:1: cache.ttl_s is there twice"},
        {"log:\n  format: jsn\n", "2:11: log.format: 'jsn' is none of text|json; did you mean 'json'?"},
        {"log.level: info,cache=loud\n", "1:12: log.level: 'loud' is none of error, warn, info, debug, off"},
        {"log.level: ''\n", "1:12: log.level: a level is expected"},
        {"query.abstain_below: 1.1\n", "1:22: query.abstain_below: a number from 0 to 1 with up to four decimals is expected"},
        {"query.keep_questions: yes\n", "1:23: query.keep_questions: true or false is expected"},
        {"ingest.max_file_bytes: 4GiB\n", "1:24: ingest.max_file_bytes: 4294967296 is not within 1 to 4294967295"},
        {"ingest.max_file_bytes: 1KB\n", "1:24: ingest.max_file_bytes: a whole number, perhaps with KiB, MiB or GiB, is expected"},
        {"[1]\n", "1:1: keys and values are expected"},
        {"? [a]\n: 1\n", "1:3: the name of a setting is expected"},
        {"\"thre\\0ads\": 1\n", "1:1: the name of a setting is expected"},
        {"a: {b: {c: {d: 1}}}\n", "1:1: unknown setting 'a'"},
        {"home: &x a\n", "1:7: anchors are not taken here"},
    };
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char message[400];
        const char *path = put_file("bad.yaml", files[i].yaml);
        (void)snprintf(message, sizeof(message), "%s:%s", path, files[i].message);
        refused((struct takc_settings_inputs){.config = path}, message);
    }
    const char *misspelt[] = {"TAKC_THREAD=3", NULL}, *unknown[] = {"TAKC_QQQQ=3", NULL}, *wrong[] = {"TAKC_THREADS=x", NULL},
               *foreign[] = {"CACHE_TTL=soon", NULL};
    refused((struct takc_settings_inputs){.environment = misspelt, .system_config = "/n"},
            "environment: unknown variable 'TAKC_THREAD'; did you mean 'TAKC_THREADS'?");
    refused((struct takc_settings_inputs){.environment = unknown, .system_config = "/n"}, "environment: unknown variable 'TAKC_QQQQ'");
    refused((struct takc_settings_inputs){.environment = wrong, .system_config = "/n"},
            "environment TAKC_THREADS: a whole number is expected");
    refused((struct takc_settings_inputs){.environment = foreign, .system_config = "/n"},
            "environment CACHE_TTL: a whole number is expected");
    struct takc_setting_flag flag = {"threads", "--threads", takc_str("-1")};
    refused((struct takc_settings_inputs){&flag, 1, NULL, NULL, "/n"}, "--threads: a whole number is expected");
    /* A value that a stronger one hides is checked too. */
    flag.value = takc_str("2");
    refused((struct takc_settings_inputs){&flag, 1, wrong, NULL, "/n"}, "environment TAKC_THREADS: a whole number is expected");
}

static const struct takc_setting secret_rows[] = {
    {.name = "model.key", .type = TAKC_SETTING_TEXT, .fallback = "", .secret = true, .env = {"OPENAI_API_KEY"}, .help = "h"},
    {.name = "model.url", .type = TAKC_SETTING_TEXT, .fallback = "", .env = {"OPENAI_BASE_URL", "OPENAI_API_BASE"}, .help = "h"},
};

static void secrets_come_from_files(void **state)
{
    (void)state;
    char variable[200], foreign[200];
    const char *path = put_file("key", "sk-123\n");
    (void)snprintf(variable, sizeof(variable), "TAKC_MODEL_KEY_FILE=%s", path);
    (void)snprintf(foreign, sizeof(foreign), "OPENAI_API_KEY_FILE=%s", path);
    const char *own[] = {variable, "OPENAI_API_BASE=http://x", NULL}, *other[] = {foreign, NULL},
               *direct[] = {foreign, "OPENAI_API_KEY=sk-9", NULL}, *missing[] = {"TAKC_MODEL_KEY_FILE=/nonexistent", NULL},
               *no_secret[] = {"TAKC_MODEL_URL_FILE=/x", NULL};
    struct takc_value v[2];
    struct takc_arena a;
    struct takc_str file;
    struct takc_err err = {0};
    takc_arena_init(&a);
    const struct {
        const char **environment;
        const char *value, *origin;
    } rows[] = {{own, "sk-123", "environment TAKC_MODEL_KEY_FILE"},
                {other, "sk-123", "environment OPENAI_API_KEY_FILE"},
                {direct, "sk-9", "environment OPENAI_API_KEY"}};
    for (size_t i = 0; i < 3; i++) {
        struct takc_settings_inputs in = {.environment = rows[i].environment, .system_config = "/n"};
        memset(v, 0, sizeof(v));
        assert_int_equal(takc_values_load(secret_rows, 2, &in, &a, v, &file, &err), TAKC_OK);
        assert_true(takc_str_is(v[0].text, rows[i].value));
        assert_string_equal(takc_value_origin(&a, &v[0]), rows[i].origin);
        if (i == 0)
            assert_true(takc_str_is(v[1].text, "http://x"));
    }
    struct takc_settings_inputs in = {.environment = missing, .system_config = "/n"};
    memset(v, 0, sizeof(v));
    assert_int_equal(takc_values_load(secret_rows, 2, &in, &a, v, &file, &err), TAKC_NOT_FOUND);
    in.environment = no_secret;
    assert_int_equal(takc_values_load(secret_rows, 2, &in, &a, v, &file, &err), TAKC_INVALID);
    takc_arena_clear(&a);
}

static void passwords_in_urls_are_hidden(void **state)
{
    (void)state;
    const struct {
        const char *value;
        bool hides;
    } rows[] = {{"http://user:pass@proxy.example:3128", true},
                {"http://user@proxy.example/", true},
                {"http://proxy.example/a@b", false},
                {"https://a.example", false},
                {"a@b", false},
                {"", false}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(takc_setting_hides(&secret_rows[1], takc_str(rows[i].value)), rows[i].hides);
        assert_true(takc_setting_hides(&secret_rows[0], takc_str(rows[i].value)));
    }
}

static void memory_may_run_out(void **state)
{
    (void)state;
    const char *file = put_file("ok.yaml", "threads: 3\ncache: {ttl_s: 4}\n");
    const char *environment[] = {"HOME=/h", "TAKC_TASK=fin", NULL};
    struct takc_setting_flag flag = {"log.level", "--log-level", takc_str("info")};
    struct takc_settings_inputs in = {&flag, 1, environment, file, NULL};
    for (uint64_t n = 1;; n++) {
        struct takc_settings s;
        takc_fault_arm(TAKC_FAULT_ALLOC, n, ENOMEM);
        enum takc_status st = takc_settings_load(&s, &in, NULL);
        takc_fault_arm(TAKC_FAULT_ALLOC, 0, 0);
        takc_settings_clear(&s);
        if (!st)
            break;
        assert_int_equal(st, TAKC_NOMEM);
        assert_true(n < 50);
    }
    takc_fault_arm(TAKC_FAULT_READ, 1, EIO);
    struct takc_settings s;
    assert_int_equal(takc_settings_load(&s, &in, NULL), TAKC_IO);
    takc_fault_arm(TAKC_FAULT_READ, 0, 0);
    takc_settings_clear(&s);
}

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/takc-settings-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[100];
    (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_sound),          cmocka_unit_test(defaults_are_typed),           cmocka_unit_test(money_is_exact),
        cmocka_unit_test(the_strongest_wins),      cmocka_unit_test(files_are_found_in_order),     cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(secrets_come_from_files), cmocka_unit_test(passwords_in_urls_are_hidden), cmocka_unit_test(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
