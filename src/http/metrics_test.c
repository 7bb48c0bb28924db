/* SPDX-License-Identifier: Apache-2.0
 *
 * Metrics: what is counted is told, once, with labels that nobody outside makes up. */
#include "http/metrics.h"

#include "http/api.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static const struct takc_metrics_now now = {.server = {.connections = 9, .requests = 12, .refused = 2, .open = 3},
                                            .started_s = 1000,
                                            .now_s = 1060,
                                            .jobs = {{"queued", 2}, {"done", 7}},
                                            .n_jobs = 2};

static const struct takc_route *route(const char *id)
{
    for (size_t i = 0; takc_route_at(i); i++)
        if (strcmp(takc_route_at(i)->id, id) == 0)
            return takc_route_at(i);
    fail_msg("there is no route %s", id);
    return NULL;
}

/* Does the text have exactly this line? */
static bool says(const struct takc_buf *b, const char *line)
{
    char want[200];
    (void)snprintf(want, sizeof(want), "\n%s\n", line);
    return takc_str_find(takc_buf_str(b), takc_str(want), 0) != SIZE_MAX;
}

static void tell(const struct takc_metrics *m, struct takc_buf *b)
{
    takc_buf_init(b, 1 << 20);
    assert_int_equal(takc_metrics_text(m, &now, b, NULL), TAKC_OK);
}

static void count_some(struct takc_metrics *m)
{
    struct takc_query_result r = {.mode = TAKC_MODE_SELECT, .rate = "8x", .confidence = 0.85, .tokens = 100, .ms = 40};
    takc_metrics_request(m, route("query"), takc_str("POST"), 200, 1500000);
    takc_metrics_request(m, route("query"), takc_str("POST"), 503, 70000000000);
    takc_metrics_request(m, NULL, takc_str("BREW"), 404, 1000);
    r.answer = (struct takc_model_answer){.asked = true,
                                          .provider = takc_str("openai"),
                                          .tries = 2,
                                          .input = 50,
                                          .output = 7,
                                          .cache_read = 30,
                                          .picodollars = UINT64_C(2500000000000)};
    takc_metrics_question(m, takc_str("fin"), &r, false);
    (void)snprintf(r.rate, sizeof(r.rate), "light");
    r.abstained = true;
    r.answer = (struct takc_model_answer){.asked = true, .cache_hit = true, .provider = takc_str("openai"), .tries = 1, .input = 999};
    takc_metrics_question(m, takc_str("other"), &r, false);
    r = (struct takc_query_result){.answer = {.asked = true, .provider = takc_str("odd"), .tries = 1, .input = 11}};
    takc_metrics_question(m, takc_str("fin"), &r, true);
}

static void counts_are_told(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "takc_http_requests_total{route=\"query\",method=\"POST\",status=\"2xx\"} 1",
        "takc_http_requests_total{route=\"query\",method=\"POST\",status=\"5xx\"} 1",
        "takc_http_requests_total{route=\"none\",method=\"other\",status=\"4xx\"} 1",
        "takc_http_request_duration_seconds_bucket{route=\"query\",le=\"0.001\"} 0",
        "takc_http_request_duration_seconds_bucket{route=\"query\",le=\"0.0025\"} 1",
        "takc_http_request_duration_seconds_bucket{route=\"query\",le=\"60\"} 1",
        "takc_http_request_duration_seconds_bucket{route=\"query\",le=\"+Inf\"} 2",
        "takc_http_request_duration_seconds_sum{route=\"query\"} 70.0015",
        "takc_http_request_duration_seconds_count{route=\"query\"} 2",
        "takc_http_requests_in_flight 9",
        "takc_http_connections 3",
        "takc_http_refused_total 2",
        "takc_queries_total{mode=\"select\",rate=\"other\",cache=\"hit\",outcome=\"answered\"} 1",
        "takc_queries_total{mode=\"select\",rate=\"light\",cache=\"answer\",outcome=\"abstained\"} 1",
        "takc_queries_total{mode=\"none\",rate=\"none\",cache=\"none\",outcome=\"failed\"} 1",
        "takc_query_confidence_bucket{le=\"0.8\"} 0",
        "takc_query_confidence_bucket{le=\"0.9\"} 2",
        "takc_query_confidence_sum 1.7",
        "takc_query_reader_tokens_total 200",
        "takc_task_queries_total{task=\"fin\"} 2",
        "takc_task_queries_total{task=\"legal\"} 0",
        "takc_model_calls_total{provider=\"openai\"} 2",
        "takc_model_calls_total{provider=\"other\"} 1",
        "takc_model_tokens_total{provider=\"openai\",kind=\"input\"} 50",
        "takc_model_tokens_total{provider=\"openai\",kind=\"cache_read\"} 30",
        "takc_model_cost_usd_total 2.5",
        "takc_quota_refused_total 4",
        "takc_jobs{state=\"done\"} 7",
        "takc_process_start_time_seconds 1000",
    };
    struct takc_metrics *m = NULL;
    struct takc_buf b;
    assert_int_equal(takc_metrics_new(&m, takc_str("fin, legal"), NULL), TAKC_OK);
    count_some(m);
    takc_metrics_add(m, TAKC_METRICS_QUOTA_REFUSED, 4);
    tell(m, &b);
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        if (!says(&b, lines[i]))
            fail_msg("no line %s in\n%s", lines[i], b.ptr);
    takc_buf_clear(&b);
    takc_metrics_free(m);
}

static void json_has_the_guides_parts(void **state)
{
    (void)state;
    struct takc_metrics *m = NULL;
    assert_int_equal(takc_metrics_new(&m, takc_str(""), NULL), TAKC_OK);
    count_some(m);
    json_t *v = takc_metrics_json(m, &now);
    const json_t *q = json_object_get(v, "query_metrics"), *c = json_object_get(v, "compression_metrics");
    assert_int_equal(json_integer_value(json_object_get(q, "total_queries")), 3);
    assert_int_equal(json_integer_value(json_object_get(q, "failed")), 1);
    assert_int_equal(json_integer_value(json_object_get(q, "cache_hits")), 1);
    assert_true(json_real_value(json_object_get(q, "cache_hit_rate")) == 0.5);
    assert_true(json_real_value(json_object_get(q, "average_processing_time_ms")) == 40);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(q, "queries_by_rate"), "light")), 1);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(c, "jobs"), "queued")), 2);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(v, "system_metrics"), "uptime_s")), 60);
    json_decref(v);
    takc_metrics_free(m);
}

/* What clients make up does not make series. */
static void odd_input_makes_no_series(void **state)
{
    (void)state;
    struct takc_metrics *m = NULL;
    struct takc_query_result r = {.mode = TAKC_MODE_WHOLE};
    struct takc_buf once, often;
    char text[24];
    assert_int_equal(takc_metrics_new(&m, takc_str(""), NULL), TAKC_OK);
    for (int i = 0; i < 5000; i++) {
        (void)snprintf(text, sizeof(text), "ODD%d", i);
        takc_metrics_request(m, NULL, takc_str(text), 404, 1);
        (void)snprintf(r.rate, sizeof(r.rate), "%d.5x", i + 2);
        r.answer = (struct takc_model_answer){.asked = true, .tries = 1, .provider = takc_str(text), .model = takc_str(text)};
        takc_metrics_question(m, takc_str(text), &r, false);
        if (i == 0)
            tell(m, &once);
    }
    tell(m, &often);
    size_t lines[2] = {0, 0};
    for (size_t i = 0; i < once.len; i++)
        lines[0] += once.ptr[i] == '\n';
    for (size_t i = 0; i < often.len; i++)
        lines[1] += often.ptr[i] == '\n';
    assert_int_equal(lines[0], lines[1]);
    assert_true(takc_str_find(takc_buf_str(&often), takc_str("ODD"), 0) == SIZE_MAX);
    takc_buf_clear(&once);
    takc_buf_clear(&often);
    takc_metrics_free(m);
}

static void odd_lists_of_tasks_are_refused(void **state)
{
    (void)state;
    struct takc_metrics *m = NULL;
    struct takc_err err;
    char many[TAKC_METRICS_TASKS * 8 + 16] = "";
    for (int i = 0; i <= TAKC_METRICS_TASKS; i++)
        (void)snprintf(many + strlen(many), sizeof(many) - strlen(many), "%st%d", i ? "," : "", i);
    assert_int_equal(takc_metrics_new(&m, takc_str(many), &err), TAKC_INVALID);
    assert_non_null(strstr(err.msg, "serve.metrics_tasks"));
    assert_int_equal(takc_metrics_new(&m, takc_str("a\"b"), &err), TAKC_INVALID);
    assert_null(m);
}

static void *count_requests(void *arg)
{
    for (int i = 0; i < 10000; i++)
        takc_metrics_request(arg, route("live"), takc_str("GET"), 200, 1000);
    return NULL;
}

static void threads_lose_nothing(void **state)
{
    (void)state;
    struct takc_metrics *m = NULL;
    struct takc_buf b;
    pthread_t threads[4];
    assert_int_equal(takc_metrics_new(&m, takc_str(""), NULL), TAKC_OK);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_requests, m), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    tell(m, &b);
    assert_true(says(&b, "takc_http_requests_total{route=\"live\",method=\"GET\",status=\"2xx\"} 40000"));
    takc_buf_clear(&b);
    takc_metrics_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_told),           cmocka_unit_test(json_has_the_guides_parts),
        cmocka_unit_test(odd_input_makes_no_series), cmocka_unit_test(odd_lists_of_tasks_are_refused),
        cmocka_unit_test(threads_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
