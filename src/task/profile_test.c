/* SPDX-License-Identifier: Apache-2.0
 *
 * Task names, rates, and profiles: what is taken, what is refused and where the message points. */
#include "base/fault.h"
#include "task/profile.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void names_are_a_list_of_characters(void **state)
{
    (void)state;
    struct takc_err err;
    static const char *const good[] = {
        "fin", "0", "a.b_c-d", "financial-analysis", "raw-data2", "a23456789012345678901234567890123456789012345678901234567890123"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_int_equal(takc_task_name_check(takc_str(good[i]), &err), TAKC_OK);
    static const char *const bad[] = {"",
                                      "Fin",
                                      "-a",
                                      ".a",
                                      "_a",
                                      "a b",
                                      "a/b",
                                      "../x",
                                      "\xC3\xA4",
                                      "raw-data",
                                      "text",
                                      "blobs",
                                      "index",
                                      "documents",
                                      "cache",
                                      "tasks",
                                      "manifests",
                                      "tenants",
                                      "a234567890123456789012345678901234567890123456789012345678901234"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(takc_task_name_check(takc_str(bad[i]), &err), TAKC_INVALID);
    assert_int_equal(takc_task_name_check(takc_str("tasks"), &err), TAKC_INVALID);
    assert_string_equal(err.msg, "task name 'tasks' is reserved");
    assert_int_equal(takc_task_name_check(takc_str_n("a\0b", 3), &err), TAKC_INVALID);
}

static void rates_go_both_ways(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        takc_rate rate;
        const char *name;
    } rows[] = {{"ultra", 64000, "ultra"},         {"64", 64000, "ultra"},       {"64x", 64000, "ultra"},  {"high", 32000, "high"},
                {"32.0", 32000, "high"},           {"medium", 16000, "medium"},  {"light", 8000, "light"}, {"8X", 8000, "light"},
                {"12.5x", 12500, "12.5x"},         {"12.505", 12505, "12.505x"}, {"1", 1000, "1x"},        {"100x", 100000, "100x"},
                {"100000x", 100000000, "100000x"}, {"2.05", 2050, "2.05x"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        takc_rate r = 0;
        char name[24];
        struct takc_err err;
        assert_int_equal(takc_rate_parse(takc_str(rows[i].in), &r, &err), TAKC_OK);
        assert_int_equal(r, rows[i].rate);
        takc_rate_name(r, name);
        assert_string_equal(name, rows[i].name);
    }
    static const char *const bad[] = {"",       "x",   "0",  "0.999", "100000.001x",          "8xx", "-8", "8.", ".5",
                                      "8.1234", "1e3", "8 ", "Ultra", "18446744073709551617", "12,5"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        takc_rate r = 7;
        struct takc_err err;
        assert_int_equal(takc_rate_parse(takc_str(bad[i]), &r, &err), TAKC_INVALID);
        assert_int_equal(r, 7);
    }
}

static const char full[] = "description: \"Keep metrics\"\n"
                           "examples:\n"
                           "  - input: In Q3 revenue rose.\n"
                           "    output: Q3 revenue up\n"
                           "  - {input: a, output: b}\n"
                           "must_keep: [dates, numbers]\n"
                           "chunking: {overlap: 64, tokens: 512}\n"
                           "rates: [8x, ultra, 12.5]\n"
                           "keep_originals: false\n"
                           "keep_versions: 9\n"
                           "ttl_s: 60\n"
                           "tokenizer: estimate\n"
                           "model:\n"
                           "  name: openai:gpt-4o-mini\n"
                           "  temperature: .25\n"
                           "  max_tokens: 2048\n";

static void everything_is_read(void **state)
{
    (void)state;
    struct takc_profile p;
    struct takc_err err = {0};
    assert_int_equal(takc_profile_parse(&p, takc_str("fin"), takc_str(full), "tasks/fin.yaml", &err), TAKC_OK);
    assert_true(takc_str_is(p.task, "fin"));
    assert_true(takc_str_is(p.description, "Keep metrics"));
    assert_int_equal(p.n_examples, 2);
    assert_true(takc_str_is(p.examples[0].input, "In Q3 revenue rose."));
    assert_true(takc_str_is(p.examples[1].output, "b"));
    assert_int_equal(p.must_keep, 1 << TAKC_FACT_NUMBER | 1 << TAKC_FACT_DATE);
    assert_int_equal(p.chunk_tokens, 512);
    assert_int_equal(p.chunk_overlap, 64);
    assert_int_equal(p.n_rates, 3);
    assert_int_equal(p.rates[0], 64000);
    assert_int_equal(p.rates[1], 12500);
    assert_int_equal(p.rates[2], 8000);
    assert_false(p.keep_originals);
    assert_int_equal(p.keep_versions, 9);
    assert_int_equal(p.ttl_s, 60);
    assert_true(takc_str_is(p.tokenizer, "estimate"));
    assert_true(takc_str_is(p.model, "openai:gpt-4o-mini"));
    assert_true(p.temperature == 0.25);
    assert_int_equal(p.max_tokens, 2048);
    takc_profile_clear(&p);
    takc_profile_clear(&p);
}

static void an_empty_file_is_the_defaults(void **state)
{
    (void)state;
    static const char *const empty[] = {"", "# nothing\n", "{}\n", "---\n...\n", "\xEF\xBB\xBF{}"};
    for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
        struct takc_profile p;
        struct takc_err err = {0};
        enum takc_status st = takc_profile_parse(&p, takc_str("fin"), takc_str(empty[i]), "f", &err);
        if (i == 3) { /* "---" alone is a null, no mapping */
            assert_int_equal(st, TAKC_INVALID);
            continue;
        }
        assert_int_equal(st, TAKC_OK);
        assert_int_equal(p.n_rates, 4);
        assert_int_equal(p.rates[3], TAKC_RATE_LIGHT);
        assert_int_equal(p.chunk_tokens, 256);
        assert_int_equal(p.chunk_overlap, 50);
        assert_true(p.keep_originals);
        assert_int_equal(p.ttl_s, 86400);
        takc_profile_clear(&p);
    }
}

static void errors_say_where(void **state)
{
    (void)state;
    static const struct {
        const char *yaml, *message;
    } rows[] = {
        {"descripton: x\n", "t.yaml:1:1: unknown key 'descripton'; did you mean 'description'?"},
        {"zzz: 1\n", "t.yaml:1:1: unknown key 'zzz'"},
        {"chunking:\n  token: 9\n", "t.yaml:2:3: unknown key 'chunking.token'; did you mean 'tokens'?"},
        {"ttl_s: 1\nttl_s: 2\n", "t.yaml:2:1: ttl_s is there twice"},
        {"chunking: {tokens: 50, overlap: 50}\n", "t.yaml:1:33: chunking.overlap: 50 is not below chunking.tokens, 50"},
        {"chunking: {tokens: 20}\n", "t.yaml:1:11: chunking.overlap: 50 is not below chunking.tokens, 20"},
        {"chunking: {tokens: 9}\n", "t.yaml:1:20: chunking.tokens: 9 is not within 16 to 8192"},
        {"chunking: 256\n", "t.yaml:1:11: chunking: keys and values are expected"},
        {"rates: []\n", "t.yaml:1:8: rates: at least one is needed"},
        {"rates: 8x\n", "t.yaml:1:8: rates: a list is expected"},
        {"rates: [ultra, ultr]\n",
         "t.yaml:1:16: rates: 'ultr' is no rate: ultra, high, medium, light, 8x or 12.5x (at most three decimals) are"},
        {"rates: [8, ultra, 8x]\n", "t.yaml:1:19: rates: 8x is there twice"},
        {"rates: [[8]]\n", "t.yaml:1:9: rates: a text is expected"},
        {"must_keep: [number]\n",
         "t.yaml:1:13: must_keep: 'number' is none of numbers, dates, names, ids, negations, words; did you mean 'numbers'?"},
        {"must_keep: [ids, ids]\n", "t.yaml:1:18: must_keep: ids is there twice"},
        {"keep_originals: yes\n", "t.yaml:1:17: keep_originals: true or false is expected"},
        {"keep_originals: \"true\"\n", "t.yaml:1:17: keep_originals: true or false is expected"},
        {"keep_versions: -1\n", "t.yaml:1:16: keep_versions: a whole number is expected"},
        {"keep_versions: 1001\n", "t.yaml:1:16: keep_versions: 1001 is not within 0 to 1000"},
        {"ttl_s: 1h\n", "t.yaml:1:8: ttl_s: a whole number is expected"},
        {"tokenizer: estimat\n", "t.yaml:1:12: tokenizer: 'estimat' is not known; did you mean 'estimate'?"},
        {"model: {name: gpt}\n", "t.yaml:1:15: model.name: provider:model is expected, such as openai:gpt-4o-mini"},
        {"model: {name: 'opnai:x'}\n", "t.yaml:1:15: model.name: 'opnai' is not known; did you mean 'openai'?"},
        {"model: {temperature: 2.001}\n", "t.yaml:1:22: model.temperature: a number from 0 to 2 with up to three decimals is expected"},
        {"model: {temperature: .}\n", "t.yaml:1:22: model.temperature: a number from 0 to 2 with up to three decimals is expected"},
        {"model: {max_tokens: 0}\n", "t.yaml:1:21: model.max_tokens: 0 is not within 1 to 1000000"},
        {"examples:\n- input: a\n", "t.yaml:2:3: examples: input and output are both needed"},
        {"examples:\n- text\n", "t.yaml:2:3: examples: keys and values are expected"},
        {"description: &a x\n", "t.yaml:1:14: anchors are not taken here"},
        {"description: *a\n", "t.yaml:1:14: aliases are not taken here"},
        {"description: !!str x\n", "t.yaml:1:14: tags are not taken here"},
        {"description: \"a\\0b\"\n", "t.yaml:1:14: description: a NUL character"},
        {"description: [x]\n", "t.yaml:1:14: description: a text is expected"},
        {"- a\n", "t.yaml:1:1: profile: keys and values are expected"},
        {"? [a]\n: b\n", "t.yaml:1:3: key: a name is expected"},
        {"{}\n---\n{}\n", "t.yaml:2:1: a second document in one file"},
        {"description: \"\xC3\"\n", NULL},
        {"description: x\n\xFF\n", "t.yaml:2:1: invalid leading UTF-8 octet"},
        {"description: [\n", NULL},
        {"\tdescription: x\n", NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct takc_profile p;
        struct takc_err err = {0};
        memset(&p, 0x5A, sizeof(p));
        assert_int_equal(takc_profile_parse(&p, takc_str("fin"), takc_str(rows[i].yaml), "t.yaml", &err), TAKC_INVALID);
        if (rows[i].message)
            assert_string_equal(err.msg, rows[i].message);
        else
            assert_memory_equal(err.msg, "t.yaml:", 7);
        assert_int_equal(p.n_rates, 0x5A5A5A5A5A5A5A5A); /* nothing is written on failure */
    }
}

static void hostile_depth_and_size_are_bounded(void **state)
{
    (void)state;
    size_t n = 200000;
    char *deep = malloc(n + 16);
    assert_non_null(deep);
    memcpy(deep, "rates: ", 7);
    memset(deep + 7, '[', n);
    struct takc_profile p;
    struct takc_err err;
    assert_int_equal(takc_profile_parse(&p, takc_str("fin"), takc_str_n(deep, n + 7), "f", &err), TAKC_INVALID);
    memset(deep, ' ', n);
    assert_int_equal(takc_profile_parse(&p, takc_str("fin"), takc_str_n(deep, n), "f", &err), TAKC_OK);
    takc_profile_clear(&p);
    free(deep);
    assert_int_equal(takc_profile_parse(&p, takc_str("fin"), takc_str_n("", (2u << 20)), "f", &err), TAKC_INVALID);
    assert_int_equal(takc_profile_parse(&p, takc_str("Fin"), takc_str(""), "f", &err), TAKC_INVALID);
}

static void same(const struct takc_profile *a, const struct takc_profile *b)
{
    assert_true(takc_str_eq(a->task, b->task) && takc_str_eq(a->description, b->description));
    assert_true(takc_str_eq(a->tokenizer, b->tokenizer) && takc_str_eq(a->model, b->model));
    assert_int_equal(a->n_examples, b->n_examples);
    for (size_t i = 0; i < a->n_examples; i++)
        assert_true(takc_str_eq(a->examples[i].input, b->examples[i].input) && takc_str_eq(a->examples[i].output, b->examples[i].output));
    assert_int_equal(a->n_rates, b->n_rates);
    assert_memory_equal(a->rates, b->rates, a->n_rates * sizeof(a->rates[0]));
    assert_int_equal(a->must_keep, b->must_keep);
    assert_int_equal(a->chunk_tokens, b->chunk_tokens);
    assert_int_equal(a->chunk_overlap, b->chunk_overlap);
    assert_int_equal(a->keep_originals, b->keep_originals);
    assert_int_equal(a->keep_versions, b->keep_versions);
    assert_true(a->ttl_s == b->ttl_s && a->max_tokens == b->max_tokens && a->temperature == b->temperature);
}

static void there_and_back(const struct takc_profile *p)
{
    struct takc_buf yaml;
    struct takc_profile q;
    struct takc_err err = {0};
    takc_buf_init(&yaml, 1 << 20);
    assert_int_equal(takc_profile_write(p, &yaml, &err), TAKC_OK);
    if (takc_profile_parse(&q, p->task, takc_buf_str(&yaml), "f", &err))
        fail_msg("%s in:\n%s", err.msg, yaml.ptr);
    same(p, &q);
    takc_profile_clear(&q);
    takc_buf_clear(&yaml);
}

static void what_is_written_reads_back(void **state)
{
    (void)state;
    struct takc_profile p;
    struct takc_err err;
    assert_int_equal(takc_profile_default(&p, takc_str("fin"), &err), TAKC_OK);
    there_and_back(&p);
    static const char *const texts[] = {"",
                                        "plain",
                                        "a: b # c",
                                        "\"quoted\" \\ back",
                                        "two\nlines",
                                        "two\n\n  indented: [x]\n# no comment",
                                        " leading\nblank",
                                        "\nleading newline",
                                        "trailing newline\n",
                                        "trailing\n\n\n",
                                        "trailing blank \nx ",
                                        "tab\there",
                                        "tab\t\nx",
                                        "\xC2\x85nel \xE2\x80\xA8 ls \xEF\xBB\xBF bom \xF0\x9F\x98\x80",
                                        "\x01\x7F\r",
                                        "---\n...\n- x",
                                        "%TAG\n*alias &anchor !tag",
                                        "a\n\nb\n \nc"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        p.description = takc_str(texts[i]);
        p.n_examples = *texts[i] ? 1 : 0;
        p.examples[0] = (struct takc_example){takc_str(texts[i]), takc_str(texts[i])};
        there_and_back(&p);
    }
    struct takc_buf out;
    takc_buf_init(&out, 1 << 20);
    p.description = takc_str("\xFF");
    assert_int_equal(takc_profile_write(&p, &out, &err), TAKC_INVALID);
    assert_string_equal(err.msg, "description is no UTF-8 text");
    takc_buf_clear(&out);
    takc_profile_clear(&p);
    assert_int_equal(takc_profile_parse(&p, takc_str("fin"), takc_str(full), "f", &err), TAKC_OK);
    there_and_back(&p);
    takc_profile_clear(&p);
}

static void memory_may_run_out(void **state)
{
    (void)state;
    for (uint64_t n = 1;; n++) {
        struct takc_profile p, q = {0};
        struct takc_buf out;
        struct takc_err err;
        takc_buf_init(&out, 1 << 20);
        takc_fault_arm(TAKC_FAULT_ALLOC, n, ENOMEM);
        enum takc_status st = takc_profile_parse(&p, takc_str("fin"), takc_str(full), "f", &err), st2 = TAKC_OK;
        if (!st)
            st2 = takc_profile_write(&p, &out, &err);
        if (!st && !st2)
            st2 = takc_profile_default(&q, takc_str("fin"), &err);
        takc_fault_arm(TAKC_FAULT_ALLOC, 0, 0);
        if (!st)
            takc_profile_clear(&p);
        takc_profile_clear(&q);
        takc_buf_clear(&out);
        if (!st && !st2)
            break;
        assert_int_equal(st ? st : st2, TAKC_NOMEM);
        assert_true(n < 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_a_list_of_characters),
        cmocka_unit_test(rates_go_both_ways),
        cmocka_unit_test(everything_is_read),
        cmocka_unit_test(an_empty_file_is_the_defaults),
        cmocka_unit_test(errors_say_where),
        cmocka_unit_test(hostile_depth_and_size_are_bounded),
        cmocka_unit_test(what_is_written_reads_back),
        cmocka_unit_test(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
