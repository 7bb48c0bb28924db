/* SPDX-License-Identifier: Apache-2.0
 *
 * The Bedrock provider against a stand-in (tests/fake/bedrock.py) that verifies signatures with botocore's signer and bodies with its
 * service model; what comes back is compared with what unmodified boto3 reads from the same stand-in. Everything secret holds "qqsecret".
 */
#include "base/clock.h"
#include "model/bedrock_parts.h"
#include "oracle.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "../fake/server.h"

static struct fake_server fake;
static struct takc_http *http;
static struct takc_facts_table facts;
static char server[64], python[1024];

static const char models[] = "models:\n"
                             "  - {id: ok, provider: bedrock, window: 1000, cache_min: 10, cache_points: 2, body: converse}\n"
                             "  - {id: ok.claude-3, provider: bedrock, window: 1000, body: claude}\n"
                             "  - {id: ok.claude-v2, provider: bedrock, window: 1000, body: claude}\n"
                             "  - {id: ok.titan, provider: bedrock, window: 1000, body: titan}\n"
                             "  - {id: ok.llama, provider: bedrock, window: 1000, body: llama}\n"
                             "  - {id: ok.nova, provider: bedrock, window: 1000, body: nova}\n"
                             "  - {id: length.claude-3, provider: bedrock, window: 1000, body: claude}\n"
                             "  - {id: length.claude-v2, provider: bedrock, window: 1000, body: claude}\n"
                             "  - {id: length.titan, provider: bedrock, window: 1000, body: titan}\n"
                             "  - {id: length.llama, provider: bedrock, window: 1000, body: llama}\n"
                             "  - {id: length.nova, provider: bedrock, window: 1000, body: nova}\n";

static int start(void **state)
{
    (void)state;
    char path[2048];
    (void)snprintf(python, sizeof(python), "%s", oracle_python("aws"));
    (void)snprintf(path, sizeof(path), "%.*s:%s", (int)(strrchr(python, '/') - python), python, getenv("PATH"));
    (void)setenv("PATH", path, 1);
    if (!fake_server_start(&fake, "bedrock.py", 1) || takc_facts_load(&facts, NULL, NULL) ||
        takc_facts_read(&facts, takc_str(models), "test", NULL))
        return -1;
    (void)snprintf(server, sizeof(server), "http://127.0.0.1:%u", fake.ports[0]);
    return takc_http_open(&http, &(struct takc_http_options){.proxy = ""}, NULL) ? -1 : 0;
}

static int stop(void **state)
{
    (void)state;
    takc_facts_clear(&facts);
    takc_http_close(http);
    fake_server_stop(&fake);
    return 0;
}

static struct takc_aws *aws_with(const char *secret, const char *bearer)
{
    char line[128], token[128], endpoint[128];
    struct takc_aws *a = NULL;
    (void)snprintf(line, sizeof(line), "AWS_SECRET_ACCESS_KEY=%s", secret);
    (void)snprintf(token, sizeof(token), "AWS_BEARER_TOKEN_BEDROCK=%s", bearer);
    (void)snprintf(endpoint, sizeof(endpoint), "AWS_ENDPOINT_URL_BEDROCK_RUNTIME=%s", server);
    const char *env[] = {"AWS_ACCESS_KEY_ID=AKTEST", line, "AWS_SESSION_TOKEN=qqsecret-token", "AWS_REGION=us-east-1", endpoint,
                         *bearer ? token : NULL,     NULL};
    assert_int_equal(takc_aws_open(&a, &(struct takc_aws_options){.http = http, .environment = env, .home = "/nowhere"}, NULL), TAKC_OK);
    return a;
}

/* A model, and what one call of it came to. */
struct world {
    struct takc_aws *aws;
    struct takc_model *m;
    struct takc_model_reply reply;
    struct takc_buf deltas;
    enum takc_status delta_fails;
    struct takc_err err;
};

static void open_with(struct world *w, const char *secret, const char *bearer, const char *guardrail)
{
    *w = (struct world){.aws = aws_with(secret, bearer)};
    struct takc_bedrock_options o = {.http = http, .aws = w->aws, .guardrail = takc_str(guardrail), .facts = &facts};
    o.guardrail_version = takc_str(guardrail ? "1" : NULL);
    assert_int_equal(takc_bedrock_open(&w->m, &o, NULL), TAKC_OK);
    takc_model_reply_init(&w->reply);
    takc_buf_init(&w->deltas, 1 << 20);
}

static void open_world(struct world *w)
{
    open_with(w, "qqsecret/key", "", NULL);
}

static void close_world(struct world *w)
{
    takc_model_close(w->m);
    takc_aws_close(w->aws);
    takc_model_reply_clear(&w->reply);
    takc_buf_clear(&w->deltas);
}

static enum takc_status on_delta(void *arg, struct takc_str text, struct takc_err *err)
{
    struct world *w = arg;
    assert_int_equal(takc_buf_add(&w->deltas, text, NULL), TAKC_OK);
    return w->delta_fails ? takc_fail(err, w->delta_fails, 0, "no more, please") : TAKC_OK;
}

static const struct takc_model_block question = {.text = {"How was Q3?", 11}};
static const struct takc_model_message turn = {TAKC_ROLE_USER, &question, 1};

static enum takc_status ask(struct world *w, const char *id, bool stream)
{
    struct takc_model_request r = {.model = takc_str(id), .messages = &turn, .n_messages = 1, .max_tokens = 50};
    if (strcmp(id, "hang") == 0)
        r.first_token_ms = 200;
    w->err = (struct takc_err){0};
    takc_buf_reset(&w->deltas);
    enum takc_status st = takc_model_complete(w->m, NULL, &r, stream ? on_delta : NULL, w, &w->reply, &w->err);
    if (strstr(w->err.msg, "qqsecret"))
        fail_msg("a secret is in a message: %s", w->err.msg);
    return st;
}

/* What the stand-in got last. */
static void last(const char *path, struct takc_buf *out)
{
    char url[128];
    struct takc_http_reply h;
    (void)snprintf(url, sizeof(url), "%s%s", server, path);
    struct takc_http_request q = {.method = "GET", .url = takc_str(url)};
    assert_int_equal(takc_http_send(http, NULL, &q, &h, NULL), TAKC_OK);
    takc_buf_reset(out);
    assert_int_equal(takc_buf_add(out, takc_buf_str(&h.body), NULL), TAKC_OK);
    takc_http_reply_clear(&h);
}

static const struct {
    const char *verb, *id;
    enum takc_stop stop;
} calls[] = {{"converse", "ok", TAKC_STOP_END},
             {"converse", "length", TAKC_STOP_LENGTH},
             {"converse", "sequence", TAKC_STOP_SEQUENCE},
             {"converse", "blocked", TAKC_STOP_BLOCKED},
             {"converse", "filtered", TAKC_STOP_BLOCKED},
             {"converse-stream", "ok", TAKC_STOP_END},
             {"converse-stream", "length", TAKC_STOP_LENGTH},
             {"converse-stream", "blocked", TAKC_STOP_BLOCKED},
             {"converse", "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.test-v1:0", TAKC_STOP_END}};
enum { N_CALLS = sizeof(calls) / sizeof(calls[0]) };

static const char *stop_word(const char *id)
{
    return strcmp(id, "length") == 0     ? "max_tokens"
           : strcmp(id, "sequence") == 0 ? "stop_sequence"
           : strcmp(id, "blocked") == 0  ? "guardrail_intervened"
           : strcmp(id, "filtered") == 0 ? "content_filtered"
                                         : "end_turn";
}

/* Replies are what boto3 reads: text, stop, tokens. */
static void replies_are_botos(void **state)
{
    (void)state;
    struct world w;
    struct takc_buf input, ours, theirs;
    open_world(&w);
    takc_buf_init(&input, 1 << 20);
    takc_buf_init(&ours, 1 << 20);
    takc_buf_init(&theirs, 1 << 20);
    for (size_t i = 0; i < N_CALLS; i++) {
        bool stream = strcmp(calls[i].verb, "converse-stream") == 0;
        if (ask(&w, calls[i].id, stream))
            fail_msg("%s %s: %s", calls[i].verb, calls[i].id, w.err.msg);
        const struct takc_usage *u = &w.reply.usage;
        assert_int_equal(w.reply.stop, calls[i].stop);
        assert_string_equal(w.reply.request_id, "req-1");
        assert_int_equal(w.reply.http, 200);
        if (stream)
            assert_true(takc_str_eq(takc_buf_str(&w.deltas), takc_buf_str(&w.reply.text)));
        assert_int_equal(takc_buf_printf(&input, NULL, "%s %s\n", calls[i].verb, calls[i].id), TAKC_OK);
        assert_int_equal(takc_buf_printf(&ours, NULL, "%s|%s|%llu %llu %llu %llu\n", w.reply.text.ptr, stop_word(calls[i].id),
                                         (unsigned long long)u->input, (unsigned long long)u->output, (unsigned long long)u->cache_read,
                                         (unsigned long long)u->cache_write),
                         TAKC_OK);
    }
    assert_int_equal(oracle_ask(python, "bedrock.py", server, takc_buf_str(&input), &theirs), 0);
    assert_string_equal(ours.ptr, theirs.ptr);
    takc_buf_clear(&input);
    takc_buf_clear(&ours);
    takc_buf_clear(&theirs);
    close_world(&w);
}

/* The stand-in is no friend of ours: boto3 works against it, and meets its faults. */
static void boto_works(void **state)
{
    (void)state;
    static const char input[] = "count-tokens ok\napply gr1\ninvoke ok.llama\ninvoke-with-response-stream ok.llama\n"
                                "converse fail.ThrottlingException.429\nconverse-stream fail.ThrottlingException.429.mid\n"
                                "converse-stream flip\n";
    struct takc_buf out;
    takc_buf_init(&out, 1 << 16);
    assert_int_equal(oracle_ask(python, "bedrock.py", server, takc_str(input), &out), 0);
    assert_string_equal(out.ptr, "42\nGUARDRAIL_INTERVENED Sorry, no.\nRevenue was 12.5 % \u2713 in Q3 \U0001f4c8.\n"
                                 "Revenue was 12.5 % \u2713 in Q3 \U0001f4c8.\nThrottlingException\nmid-stream throttlingException\n"
                                 "ChecksumMismatch\n");
    takc_buf_clear(&out);
}

/* The trace context goes along outside of the signature, which holds all the same. */
static void signatures_hold_under_a_trace(void **state)
{
    (void)state;
    struct world w;
    struct takc_call call;
    struct takc_buf got;
    const struct takc_model_request r = {.model = takc_str("ok"), .messages = &turn, .n_messages = 1, .max_tokens = 50};
    takc_call_init(&call);
    call.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    call.tracestate = "a=1";
    takc_buf_init(&got, 1 << 16);
    open_world(&w);
    for (int stream = 0; stream < 2; stream++) {
        if (takc_model_complete(w.m, &call, &r, stream ? on_delta : NULL, &w, &w.reply, &w.err))
            fail_msg("%s", w.err.msg);
        last("/_trace", &got);
        assert_string_equal(got.ptr, call.traceparent);
    }
    takc_buf_clear(&got);
    close_world(&w);
}

/* A request with everything passes botocore's service model, and is the same bytes every time. */
static void bodies_are_valid(void **state)
{
    (void)state;
    static const struct takc_model_block system[] = {{.text = {"Rules.", 6}}, {.text = {"Facts.", 6}, .cache_point = true}},
                                         first[] = {{.text = {"Doc.", 4}, .cache_point = true},
                                                    {.text = {"", 0}},
                                                    {.text = {"Ask?", 4}, .guarded = true}},
                                         second[] = {{.text = {"Yes,", 4}}};
    static const struct takc_model_message messages[] = {{TAKC_ROLE_USER, first, 3}, {TAKC_ROLE_ASSISTANT, second, 1}};
    static const struct takc_str stops[] = {{"###", 3}, {"END", 3}};
    static const char want[] =
        "{\"system\":[{\"text\":\"Rules.\"},{\"text\":\"Facts.\"},{\"cachePoint\":{\"type\":\"default\"}}],"
        "\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"Doc.\"},{\"cachePoint\":{\"type\":\"default\"}},"
        "{\"guardContent\":{\"text\":{\"text\":\"Ask?\"}}}]},{\"role\":\"assistant\",\"content\":[{\"text\":\"Yes,\"}]}],"
        "\"inferenceConfig\":{\"maxTokens\":50,\"temperature\":0.5,\"topP\":0.75,\"stopSequences\":[\"###\",\"END\"]},"
        "\"guardrailConfig\":{\"guardrailIdentifier\":\"gr1\",\"guardrailVersion\":\"1\"";
    struct takc_model_request r = {.model = takc_str("ok"),
                                   .system = system,
                                   .n_system = 2,
                                   .messages = messages,
                                   .n_messages = 2,
                                   .max_tokens = 50,
                                   .has_temperature = true,
                                   .has_top_p = true,
                                   .temperature = 0.5,
                                   .top_p = 0.75,
                                   .stops = stops,
                                   .n_stops = 2};
    struct world w;
    struct takc_buf got;
    open_with(&w, "qqsecret/key", "", "gr1");
    takc_buf_init(&got, 1 << 16);
    for (int stream = 0; stream < 2; stream++) {
        if (takc_model_complete(w.m, NULL, &r, stream ? on_delta : NULL, &w, &w.reply, &w.err))
            fail_msg("%s", w.err.msg);
        last("/_last", &got);
        assert_int_equal(strncmp(got.ptr, want, strlen(want)), 0);
        assert_string_equal(got.ptr + strlen(want), stream ? ",\"streamProcessingMode\":\"sync\"}}" : "}}");
    }
    r.model = takc_str("unknown.model");
    assert_int_equal(takc_model_complete(w.m, NULL, &r, NULL, NULL, &w.reply, &w.err), TAKC_OK);
    assert_non_null(strstr(w.reply.notes.ptr, "2 marks for the cache are left out"));
    uint64_t n = 0;
    assert_int_equal(takc_model_count(w.m, NULL, &r, &n, &w.err), TAKC_OK);
    assert_int_equal(n, 42);
    takc_buf_clear(&got);
    close_world(&w);
}

/* The older forms, whole and streamed: bodies the stand-in takes, the same text, stop and tokens out of each. */
static void old_forms_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *id, *length;
        bool caches;
    } forms[] = {{"ok.claude-3", "length.claude-3", true},
                 {"ok.claude-v2", "length.claude-v2", false},
                 {"ok.titan", "length.titan", false},
                 {"ok.llama", "length.llama", false},
                 {"ok.nova", "length.nova", true}};
    struct world w;
    open_world(&w);
    for (size_t i = 0; i < 2 * sizeof(forms) / sizeof(forms[0]); i++) {
        bool stream = i % 2;
        if (ask(&w, forms[i / 2].id, stream))
            fail_msg("%s: %s", forms[i / 2].id, w.err.msg);
        assert_string_equal(w.reply.text.ptr, "Revenue was 12.5 % \u2713 in Q3 \U0001f4c8.");
        assert_int_equal(w.reply.stop, TAKC_STOP_END);
        assert_int_equal(w.reply.usage.input, 11);
        assert_int_equal(w.reply.usage.output, 7);
        assert_int_equal(w.reply.usage.cache_read, forms[i / 2].caches ? 5 : 0);
        assert_int_equal(ask(&w, forms[i / 2].length, stream), TAKC_OK);
        assert_int_equal(w.reply.stop, TAKC_STOP_LENGTH);
    }
    close_world(&w);
}

/* Vectors in the order of their texts, in as many requests as the model needs. */
static void texts_become_vectors(void **state)
{
    (void)state;
    enum { N = 200, DIMS = 3 };
    static const char *const ids[] = {"amazon.titan-embed-text-v1", "us.amazon.titan-embed-text-v2:0", "cohere.embed-english-v3",
                                      "cohere.embed-v4:0"};
    static struct takc_str texts[N];
    static float v[N * DIMS];
    static char bytes[N + 1];
    memset(bytes, '"', N);
    for (size_t i = 0; i < N; i++)
        texts[i] = takc_str_n(bytes, i + 1);
    for (size_t k = 0; k < sizeof(ids) / sizeof(ids[0]); k++) {
        struct takc_aws *aws = aws_with("qqsecret/key", "");
        struct takc_model *m = NULL;
        struct takc_err err = {0};
        const struct takc_bedrock_options o = {.http = http, .aws = aws, .model = takc_str(ids[k]), .facts = &facts};
        assert_int_equal(takc_bedrock_open(&m, &o, NULL), TAKC_OK);
        memset(v, 0, sizeof(v));
        if (takc_model_embed(m, NULL, texts, N, v, DIMS, &err))
            fail_msg("%s: %s", ids[k], err.msg);
        for (size_t i = 0; i < N; i++)
            assert_true(v[DIMS * i] == (float)(i + 1) && v[DIMS * i + 1] == .5f && v[DIMS * i + 2] == .5f);
        if (k != 1) { /* one that makes as many as it is asked for */
            assert_int_equal(takc_model_embed(m, NULL, texts, 1, v, 2, &err), TAKC_INVALID);
            assert_non_null(strstr(err.msg, "3 dimensions, not 2"));
        }
        const struct takc_str odd = takc_str("odd");
        assert_int_equal(takc_model_embed(m, NULL, &odd, 1, v, DIMS, &err), TAKC_UPSTREAM);
        assert_non_null(strstr(err.msg, "a vector of the answer: number 0 is none"));
        takc_model_close(m);
        takc_aws_close(aws);
    }
    struct world w;
    open_world(&w);
    assert_int_equal(takc_model_embed(w.m, NULL, texts, 1, v, DIMS, &w.err), TAKC_UNSUPPORTED);
    close_world(&w);
}

/* Every class of error is the failure that it means, in the reply's head and in mid-stream. */
static void errors_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        enum takc_failure failure;
        const char *parameter;
    } errors[] = {
        {"fail.ThrottlingException.429", TAKC_FAILURE_THROTTLED, ""},
        {"fail.ServiceQuotaExceededException.400", TAKC_FAILURE_THROTTLED, ""},
        {"fail.ModelNotReadyException.429", TAKC_FAILURE_OVERLOADED, ""},
        {"fail.ServiceUnavailableException.503", TAKC_FAILURE_OVERLOADED, ""},
        {"fail.InternalServerException.500", TAKC_FAILURE_SERVER, ""},
        {"fail.ModelErrorException.424", TAKC_FAILURE_SERVER, ""},
        {"fail.ModelTimeoutException.408", TAKC_FAILURE_TIMEOUT, ""},
        {"fail.AccessDeniedException.403", TAKC_FAILURE_DENIED, ""},
        {"fail.AccessDeniedException.403.You+don't+have+access+to+the+model+with+the+specified+model+ID", TAKC_FAILURE_NO_MODEL, ""},
        {"fail.ResourceNotFoundException.404", TAKC_FAILURE_NO_MODEL, ""},
        {"fail.ValidationException.400", TAKC_FAILURE_INVALID, ""},
        {"fail.ValidationException.400.Input+is+too+long+for+requested+model", TAKC_FAILURE_TOO_LONG, ""},
        {"fail.ValidationException.400.The+provided+model+identifier+is+invalid", TAKC_FAILURE_NO_MODEL, ""},
        {"fail.ValidationException.400.temperature+and+top_p+cannot+both+be+specified", TAKC_FAILURE_PARAMETER, "top_p"},
        {"fail.ValidationException.400.This+model+doesn't+support+the+stopSequences+field", TAKC_FAILURE_PARAMETER, "stop_sequences"},
        {"fail.SomethingNew.502", TAKC_FAILURE_SERVER, ""},
        {"junk", TAKC_FAILURE_GARBLED, ""},
        {"fail.ThrottlingException.429.mid", TAKC_FAILURE_THROTTLED, ""},
        {"fail.ModelStreamErrorException.424.mid", TAKC_FAILURE_SERVER, ""},
        {"fail.InternalServerException.500.mid", TAKC_FAILURE_SERVER, ""},
        {"fail.ServiceUnavailableException.503.mid", TAKC_FAILURE_OVERLOADED, ""},
        {"fail.ValidationException.400.mid", TAKC_FAILURE_INVALID, ""},
        {"flip", TAKC_FAILURE_GARBLED, ""},
        {"cut", TAKC_FAILURE_CONNECTION, ""},
        {"empty", TAKC_FAILURE_CONNECTION, ""},
        {"hang", TAKC_FAILURE_TIMEOUT, ""},
    };
    struct world w;
    open_world(&w);
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        bool in_head = takc_str_starts(takc_str(errors[i].id), takc_str("fail.")) && !strstr(errors[i].id, ".mid");
        enum takc_status st = ask(&w, errors[i].id, strcmp(errors[i].id, "junk") != 0);
        if (w.reply.failure != errors[i].failure || st != takc_failure_status(errors[i].failure))
            fail_msg("%s: %s, %s: %s", errors[i].id, takc_failure_name(w.reply.failure), takc_status_name(st), w.err.msg);
        assert_string_equal(w.reply.parameter, errors[i].parameter);
        assert_int_equal(w.reply.after_ms, in_head ? 7000 : 0);
        assert_string_equal(w.reply.request_id, "req-1");
        if (!in_head && errors[i].failure != TAKC_FAILURE_GARBLED && strcmp(errors[i].id, "empty") != 0)
            assert_string_equal(w.reply.text.ptr, "Revenue was ");
    }
    close_world(&w);
}

/* Marks that a model refuses after all are not sent again. */
static void marks_are_dropped(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    assert_int_equal(ask(&w, "fail.ValidationException.400.cachePoint+is+not+supported", false), TAKC_INVALID);
    assert_true(w.reply.adapted && w.reply.failure == TAKC_FAILURE_PARAMETER);
    close_world(&w);
}

/* Wrong keys and tokens are DENIED and stay out of messages; right ones work, the token of the environment too. */
static void keys_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *secret, *bearer;
        enum takc_status want;
    } who[] = {{"qqsecret/other", "", TAKC_DENIED},
               {"qqsecret/key", "qqsecret-wrong", TAKC_DENIED},
               {"qqsecret/other", "qqsecret-bearer", TAKC_OK}};
    for (size_t i = 0; i < sizeof(who) / sizeof(who[0]); i++)
        for (int stream = 0; stream < 2; stream++) {
            struct world w;
            open_with(&w, who[i].secret, who[i].bearer, NULL);
            assert_int_equal(ask(&w, "ok", stream), who[i].want);
            assert_int_equal(w.reply.failure, who[i].want ? TAKC_FAILURE_DENIED : TAKC_FAILURE_NONE);
            close_world(&w);
        }
}

/* Ids with ':' and '/' stay one segment. */
static void ids_are_one_segment(void **state)
{
    (void)state;
    struct world w;
    struct takc_buf got;
    open_world(&w);
    takc_buf_init(&got, 4096);
    assert_int_equal(ask(&w, "arn:aws:bedrock:us-east-1:1:inference-profile/us.x-v1:0", true), TAKC_OK);
    last("/_path", &got);
    assert_string_equal(got.ptr, "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fus.x-v1%3A0/converse-stream");
    takc_buf_clear(&got);
    close_world(&w);
}

/* Whoever takes the deltas may end it, with a status of his own. */
static void deltas_may_stop(void **state)
{
    (void)state;
    struct world w;
    open_world(&w);
    w.delta_fails = TAKC_FULL;
    assert_int_equal(ask(&w, "ok", true), TAKC_FULL);
    assert_string_equal(w.deltas.ptr, "Revenue was ");
    close_world(&w);
}

static void guardrails_speak(void **state)
{
    (void)state;
    struct world w;
    struct takc_guard_result g = {0};
    open_with(&w, "qqsecret/key", "", "gr1");
    assert_int_equal(takc_bedrock_guard(w.m, NULL, takc_str("a secret plan"), false, &g, &w.err), TAKC_OK);
    assert_true(g.blocked);
    assert_string_equal(g.text.ptr, "Sorry, no.");
    assert_string_equal(g.found.ptr, "topic Plans BLOCKED\npii EMAIL ANONYMIZED\n");
    takc_guard_result_clear(&g);
    assert_int_equal(takc_bedrock_guard(w.m, NULL, takc_str("a plan"), true, &g, &w.err), TAKC_OK);
    assert_true(!g.blocked && g.text.len == 0);
    takc_guard_result_clear(&g);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boto_works),          cmocka_unit_test(replies_are_botos),  cmocka_unit_test(signatures_hold_under_a_trace),
        cmocka_unit_test(bodies_are_valid),    cmocka_unit_test(old_forms_are_read), cmocka_unit_test(texts_become_vectors),
        cmocka_unit_test(errors_are_named),    cmocka_unit_test(marks_are_dropped),  cmocka_unit_test(keys_are_checked),
        cmocka_unit_test(ids_are_one_segment), cmocka_unit_test(deltas_may_stop),    cmocka_unit_test(guardrails_speak)};
    return cmocka_run_group_tests(tests, start, stop);
}
