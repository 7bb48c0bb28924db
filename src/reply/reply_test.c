/* SPDX-License-Identifier: Apache-2.0
 *
 * Replies, byte for byte. */
#include "reply/reply.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void json_is(json_t *v, const char *text)
{
    struct takc_buf out;
    takc_buf_init(&out, 1 << 20);
    assert_non_null(v);
    assert_int_equal(takc_json_dump(v, false, &out, NULL), TAKC_OK);
    assert_string_equal(out.ptr, text);
    takc_buf_clear(&out);
    json_decref(v);
}

static const struct takc_cited_span spans[] = {{10, 20, true, 12, 23}, {30, 31, false, 0, 0}};
static const struct takc_str missing[] = {{"profit", 6}};

static struct takc_query_result full_result(const struct takc_cited *cited, size_t n)
{
    return (struct takc_query_result){.response = takc_str("Revenue was 1,234."),
                                      .context = takc_str("Revenue was 1,234.\n"),
                                      .version = takc_str("3"),
                                      .tokenizer = takc_str("estimate"),
                                      .mode = TAKC_MODE_SELECT,
                                      .prompt_kind = "specific",
                                      .complexity = "simple",
                                      .rate = "37.2x",
                                      .factor = 37.21,
                                      .confidence = 0.912345,
                                      .coverage = 0.66666,
                                      .citations = cited,
                                      .n_citations = n,
                                      .missing = missing,
                                      .n_missing = 1,
                                      .source_tokens = 10000,
                                      .tokens = 268,
                                      .prefix_tokens = 100,
                                      .limit_tokens = 2000,
                                      .tried = {{"ultra", 64, 0.25, 100}, {"37.2x", 37.2, 0.96875, 180}},
                                      .n_tried = 2,
                                      .n_lines = 4,
                                      .notes = takc_str("climbed\n"),
                                      .ms = 12};
}

static void a_full_query_reply(void **state)
{
    (void)state;
    const struct takc_cited cited[] = {{.document = takc_str("q3.pdf"),
                                        .sha256 = takc_str("ab12"),
                                        .spans = spans,
                                        .n_spans = 2,
                                        .page = 3,
                                        .section = takc_str("Results > Revenue"),
                                        .quote = takc_str("Revenue was 1,234.")},
                                       {.document = takc_str("t.csv"),
                                        .sha256 = takc_str("cd34"),
                                        .row = 7,
                                        .column = 2,
                                        .pointer = takc_str("/a/0"),
                                        .quote = takc_str("7"),
                                        .instructs = true}};
    const struct takc_query_result result = full_result(cited, 2);
    struct takc_query_reply r = {takc_str("Revenue?"), takc_str("fin"), &result, false};
#define UP_TO_NOTES                                                                                                                        \
    "{\"query\":\"Revenue?\",\"response\":\"Revenue was 1,234.\",\"task_type\":\"fin\",\"compression_rate_used\":\"37.2x\","               \
    "\"factor\":37.2,\"mode\":\"select\",\"cache_hit\":true,\"cache_info\":{\"compression_rate\":\"37.2x\",\"original_tokens\":10000,"     \
    "\"compressed_tokens\":268},\"processing_time_ms\":12.0,\"confidence\":0.9123,\"abstained\":false,\"citations\":["                     \
    "{\"document\":\"q3.pdf\",\"sha256\":\"ab12\",\"spans\":[{\"start\":10,\"end\":20,\"source_start\":12,\"source_end\":23},"             \
    "{\"start\":30,\"end\":31,\"source_start\":null,\"source_end\":null}],\"page\":3,\"section\":\"Results > "                             \
    "Revenue\",\"quote\":\"Revenue was 1,234.\"},"                                                                                         \
    "{\"document\":\"t.csv\",\"sha256\":\"cd34\",\"spans\":[],\"row\":7,\"column\":2,\"pointer\":\"/a/0\",\"quote\":\"7\","                \
    "\"instruction\":true}],\"version\":\"3\",\"reader_tokens\":268,\"reader_tokens_limit\":2000,\"cost_usd\":0.0,\"rates_tried\":["       \
    "{\"rate\":\"ultra\",\"factor\":64.0,\"coverage\":0.25,\"tokens\":100},"                                                               \
    "{\"rate\":\"37.2x\",\"factor\":37.2,\"coverage\":0.9688,\"tokens\":180}],\"cache_tier\":\"object\",\"metadata\":{"                    \
    "\"processing_time_ms\":12.0,\"cache_hit\":true,\"model_used\":null,\"prompt_kind\":\"specific\",\"complexity\":\"simple\","           \
    "\"tokenizer\":\"estimate\",\"missing_words\":[\"profit\"],\"reader\":{\"coverage\":0.6667,\"lines\":4,\"prefix_tokens\":100},"        \
    "\"notes\":\"climbed\\n\""
    json_is(takc_query_reply_json(&r), UP_TO_NOTES "}}");
    r.with_context = true;
    json_is(takc_query_reply_json(&r), UP_TO_NOTES ",\"context\":\"Revenue was 1,234.\\n\"}}");
#undef UP_TO_NOTES
}

static void an_abstaining_reply_says_null(void **state)
{
    (void)state;
    const struct takc_query_result result = {.mode = TAKC_MODE_SELECT, .abstained = true, .confidence = NAN};
    const struct takc_query_reply r = {takc_str("\xFFx"), takc_str("fin"), &result, false};
    json_is(
        takc_query_reply_json(&r),
        "{\"query\":\"\xEF\xBF\xBDx\",\"response\":\"\",\"task_type\":\"fin\",\"compression_rate_used\":null,\"factor\":null,\"mode\":"
        "\"select\","
        "\"cache_hit\":true,\"cache_info\":{\"compression_rate\":null,\"original_tokens\":0,\"compressed_tokens\":0},"
        "\"processing_time_ms\":0.0,\"confidence\":0.0,\"abstained\":true,\"citations\":[],\"version\":null,\"reader_tokens\":0,"
        "\"reader_tokens_limit\":null,\"cost_usd\":0.0,\"rates_tried\":[],\"cache_tier\":\"object\",\"metadata\":{\"processing_time_ms\":"
        "0.0,\"cache_hit\":true,\"model_used\":null,\"prompt_kind\":\"\",\"complexity\":\"\",\"tokenizer\":\"\",\"missing_words\":[],"
        "\"reader\":{\"coverage\":0.0,\"lines\":0,\"prefix_tokens\":0},\"notes\":\"\"}}");
}

static void failures_have_the_guides_codes(void **state)
{
    (void)state;
    assert_string_equal(takc_error_code(TAKC_INVALID, TAKC_ABOUT_TASK_NAME), "INVALID_TASK_TYPE");
    assert_string_equal(takc_error_code(TAKC_NOT_FOUND, TAKC_ABOUT_CACHE), "CACHE_NOT_FOUND");
    assert_string_equal(takc_error_code(TAKC_IO, TAKC_ABOUT_COMPRESS), "COMPRESSION_FAILED");
    assert_string_equal(takc_error_code(TAKC_FULL, TAKC_ABOUT_COMPRESS), "COMPRESSION_FAILED");
    assert_string_equal(takc_error_code(TAKC_CORRUPT, TAKC_ABOUT_CACHE), "INTERNAL_ERROR");
    assert_string_equal(takc_error_code(TAKC_NOMEM, TAKC_ABOUT_UNSET), "INTERNAL_ERROR");
    assert_string_equal(takc_error_code(TAKC_INVALID, TAKC_ABOUT_CACHE), "INVALID");
    assert_string_equal(takc_error_code(TAKC_NOT_FOUND, TAKC_ABOUT_UNSET), "NOT_FOUND");
    assert_string_equal(takc_error_code(TAKC_NO_MODEL, TAKC_ABOUT_CACHE), "NO_MODEL");
    assert_string_equal(takc_error_code(TAKC_BUSY, TAKC_ABOUT_COMPRESS), "BUSY");
}

static void failures_of_ours_are_told_in_general_words(void **state)
{
    (void)state;
    static const enum takc_status ours[] = {TAKC_CORRUPT, TAKC_IO, TAKC_FULL, TAKC_NOMEM, TAKC_DENIED, TAKC_UPSTREAM, TAKC_COST};
    const struct takc_err err = {.msg = "$12.34 is spent"};
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        struct takc_str told = takc_error_told(ours[i], &err);
        assert_true(takc_str_find(told, takc_str("$12.34"), 0) == SIZE_MAX && takc_str_find(told, takc_str("log says"), 0) != SIZE_MAX);
    }
    assert_true(takc_str_is(takc_error_told(TAKC_INVALID, &err), "$12.34 is spent"));
}

static void errors_have_the_guides_body(void **state)
{
    (void)state;
    json_t *details = json_pack("{s:s}", "rate", "9x");
    struct takc_error_body e = {"NOT_FOUND", takc_str("no \"9x\""), "r-1", 1767323045, details};
    json_is(takc_error_json(&e), "{\"error\":{\"code\":\"NOT_FOUND\",\"message\":\"no \\\"9x\\\"\",\"details\":{\"rate\":\"9x\"}},"
                                 "\"request_id\":\"r-1\",\"timestamp\":\"2026-01-02T03:04:05Z\"}");
    json_decref(details);
    struct takc_error_body bare = {"INTERNAL_ERROR", {0}, NULL, 0, NULL};
    json_is(takc_error_json(&bare), "{\"error\":{\"code\":\"INTERNAL_ERROR\",\"message\":\"\",\"details\":{}},\"request_id\":null,"
                                    "\"timestamp\":\"1970-01-01T00:00:00Z\"}");
}

/* jansson asks its own allocator; making it fail shows that no reply leaks or is half made. */
static uint64_t allowed;
static void *scarce(size_t n)
{
    return allowed-- > 0 ? malloc(n) : (allowed = 0, NULL);
}

static void memory_may_run_out(void **state)
{
    (void)state;
    const struct takc_cited cited = {
        .document = takc_str("d"), .sha256 = takc_str("s"), .spans = spans, .n_spans = 2, .line = 1, .quote = takc_str("q")};
    const struct takc_query_result result = full_result(&cited, 1);
    const struct takc_query_reply r = {takc_str("q"), takc_str("t"), &result, true};
    const struct takc_error_body e = {"X", takc_str("m"), "r", 0, NULL};
    for (uint64_t n = 0;; n++) {
        json_set_alloc_funcs(scarce, free);
        allowed = n;
        json_t *a = takc_query_reply_json(&r), *c = a ? takc_error_json(&e) : NULL;
        json_set_alloc_funcs(malloc, free);
        bool done = c != NULL;
        json_decref(a);
        json_decref(c);
        if (done)
            break;
        assert_true(n < 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_query_reply),
        cmocka_unit_test(an_abstaining_reply_says_null),
        cmocka_unit_test(errors_have_the_guides_body),
        cmocka_unit_test(failures_have_the_guides_codes),
        cmocka_unit_test(failures_of_ours_are_told_in_general_words),
        cmocka_unit_test(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
