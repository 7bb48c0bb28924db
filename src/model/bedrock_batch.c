/* SPDX-License-Identifier: Apache-2.0
 *
 * bedrock_batch.c - records and jobs of batch inference (bedrock_batch.h). Records carry bodies of InvokeModel, so that models which are
 * asked by Converse otherwise take the form of their family here. */
#include "model/bedrock_batch.h"
#include "model/bedrock_parts.h"

#include <ctype.h>
#include <stdio.h>

static enum takc_bedrock_form form_of(const struct takc_model_facts *f, struct takc_str id)
{
    enum takc_bedrock_form form = takc_bedrock_form_of(f->body, id);
    if (form != TAKC_BEDROCK_CONVERSE)
        return form;
    if (takc_str_find(id, takc_str("anthropic.claude"), 0) != SIZE_MAX)
        return takc_bedrock_form_of(takc_str("claude"), id);
    if (takc_str_find(id, takc_str("amazon.nova"), 0) != SIZE_MAX)
        return TAKC_BEDROCK_NOVA;
    if (takc_str_find(id, takc_str("meta.llama3"), 0) != SIZE_MAX)
        return TAKC_BEDROCK_LLAMA;
    return TAKC_BEDROCK_UNSET;
}

static bool is_word(struct takc_str s, size_t min, size_t max, const char *also)
{
    for (size_t i = 0; i < s.len; i++)
        if (!isalnum((unsigned char)s.ptr[i]) && !(s.ptr[i] && strchr(also, s.ptr[i])))
            return false;
    return s.len >= min && s.len <= max;
}

static enum takc_status check_job(const struct takc_batch_job *j, struct takc_err *err)
{
    const char *what = !is_word(j->name, 1, 63, "-")                                           ? "name"
                       : !takc_str_starts(j->role_arn, takc_str("arn:aws"))                    ? "role"
                       : !j->model.len                                                         ? "model"
                       : !takc_str_starts(j->input_uri, takc_str("s3://"))                     ? "input URI"
                       : !takc_str_starts(j->output_uri, takc_str("s3://"))                    ? "output URI"
                       : !is_word(j->token, 0, 256, "-")                                       ? "token"
                       : j->timeout_hours && (j->timeout_hours < 24 || j->timeout_hours > 168) ? "time limit"
                                                                                               : NULL;
    return what ? takc_fail(err, TAKC_INVALID, 0, "batch job: its %s is none", what) : TAKC_OK;
}

static json_t *s3_config(const char *key, struct takc_str uri, bool is_input)
{
    json_t *o = json_object();
    bool good =
        o && takc_bedrock_set(o, "s3Uri", takc_json_str(uri)) && (!is_input || takc_bedrock_set(o, "s3InputFormat", json_string("JSONL")));
    if (good)
        return json_pack("{s:o}", key, o);
    json_decref(o);
    return NULL;
}

static enum takc_status no_memory(struct takc_err *err)
{
    return takc_fail(err, TAKC_NOMEM, 0, "no memory for a batch job");
}

enum takc_status takc_batch_write_job(const struct takc_batch_job *j, struct takc_buf *out, struct takc_err *err)
{
    enum takc_status st = check_job(j, err);
    if (st)
        return st;
    json_t *o = json_object();
    bool good = o && takc_bedrock_set(o, "jobName", takc_json_str(j->name)) && takc_bedrock_set(o, "roleArn", takc_json_str(j->role_arn)) &&
                takc_bedrock_set(o, "modelId", takc_json_str(j->model)) &&
                takc_bedrock_set(o, "inputDataConfig", s3_config("s3InputDataConfig", j->input_uri, true)) &&
                takc_bedrock_set(o, "outputDataConfig", s3_config("s3OutputDataConfig", j->output_uri, false));
    if (good && j->token.len)
        good = takc_bedrock_set(o, "clientRequestToken", takc_json_str(j->token));
    if (good && j->timeout_hours)
        good = takc_bedrock_set(o, "timeoutDurationInHours", json_integer(j->timeout_hours));
    st = good ? takc_json_dump(o, false, out, err) : no_memory(err);
    json_decref(o);
    return st;
}

enum takc_status takc_batch_write_record(struct takc_str id, const struct takc_model_request *r, const struct takc_model_facts *f,
                                         struct takc_buf *out, struct takc_err *err)
{
    struct takc_bedrock_how how = {.form = form_of(f, r->model), .max_output = f->max_output};
    size_t from = out->len;
    if (!is_word(id, 11, 63, ""))
        return takc_fail(err, TAKC_INVALID, 0, "record %.*s: ids have 11 to 63 letters and digits", (int)(id.len < 64 ? id.len : 64),
                         id.ptr);
    if (!how.form)
        return takc_fail(err, TAKC_UNSUPPORTED, 0, "%.*s: no form for batch jobs is known", TAKC_STR_ARG(r->model));
    enum takc_status st = takc_buf_printf(out, err, "{\"recordId\":\"%.*s\",\"modelInput\":", TAKC_STR_ARG(id));
    st = st ? st : takc_bedrock_write(r, &how, out, NULL, err);
    st = st ? st : takc_buf_add(out, takc_str("}\n"), err);
    if (st)
        out->len = from;
    return st;
}

static enum takc_batch_state state_of(struct takc_str name)
{
    static const struct {
        const char *name;
        enum takc_batch_state state;
    } names[] = {{"Submitted", TAKC_BATCH_WAITS},         {"Validating", TAKC_BATCH_WAITS}, {"Scheduled", TAKC_BATCH_WAITS},
                 {"InProgress", TAKC_BATCH_RUNS},         {"Stopping", TAKC_BATCH_RUNS},    {"Completed", TAKC_BATCH_DONE},
                 {"PartiallyCompleted", TAKC_BATCH_DONE}, {"Failed", TAKC_BATCH_FAILED},    {"Stopped", TAKC_BATCH_STOPPED},
                 {"Expired", TAKC_BATCH_EXPIRED}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (takc_str_is(name, names[i].name))
            return names[i].state;
    return TAKC_BATCH_UNSET;
}

enum takc_status takc_batch_read_job(struct takc_str body, struct takc_batch_status *out, struct takc_err *err)
{
    json_t *root = NULL;
    if (takc_json_parse(body, &root, NULL))
        return takc_fail(err, TAKC_UPSTREAM, 0, "the answer about a batch job is no JSON");
    struct takc_str arn = takc_json_get_str(root, "jobArn"), status = takc_json_get_str(root, "status"),
                    message = takc_json_get_str(root, "message");
    enum takc_batch_state state = status.len ? state_of(status) : TAKC_BATCH_WAITS;
    enum takc_status st = TAKC_OK;
    if (!arn.len || arn.len >= sizeof(out->arn) || !state) {
        st = takc_fail(err, TAKC_UPSTREAM, 0, "the answer about a batch job names no job, or a state that is not known");
    } else {
        *out = (struct takc_batch_status){.state = state};
        (void)!takc_json_get_u64(root, "totalRecordCount", &out->n_records, NULL); /* older services tell none */
        (void)!takc_json_get_u64(root, "processedRecordCount", &out->n_done, NULL);
        (void)snprintf(out->arn, sizeof(out->arn), "%.*s", TAKC_STR_ARG(arn));
        (void)snprintf(out->message, sizeof(out->message), "%.*s", TAKC_STR_ARG(message));
    }
    json_decref(root);
    return st;
}

static enum takc_status read_failed(const json_t *error, struct takc_model_reply *out, struct takc_err *err)
{
    struct takc_buf body;
    uint64_t code;
    if (!takc_json_get_u64(error, "errorCode", &code, NULL) && code < 600)
        out->http = (int)code;
    json_t *o = json_object();
    takc_buf_init(&body, 1 << 20);
    enum takc_status st = o && takc_bedrock_set(o, "message", takc_json_str(takc_json_get_str(error, "errorMessage")))
                              ? takc_json_dump(o, false, &body, err)
                              : no_memory(err);
    st = st ? st : takc_bedrock_refusal(takc_str(""), takc_buf_str(&body), takc_str(""), out, err);
    takc_buf_clear(&body);
    json_decref(o);
    return st;
}

static enum takc_status read_output(const json_t *output, enum takc_bedrock_form form, struct takc_model_reply *out, struct takc_err *err)
{
    if (!json_is_object(output))
        return takc_model_fail(out, TAKC_FAILURE_GARBLED, err, "the record has neither answer nor error");
    enum takc_status st = takc_bedrock_read_invoke(output, form, out, err);
    return st || out->stop ? st : takc_model_fail(out, TAKC_FAILURE_GARBLED, err, "the answer does not say why it ended");
}

enum takc_status takc_batch_read_record(struct takc_str line, struct takc_str model, const struct takc_model_facts *f, char out_id[64],
                                        struct takc_model_reply *out, struct takc_err *err)
{
    json_t *root = NULL;
    enum takc_bedrock_form form = form_of(f, model);
    takc_model_reply_reset(out);
    if (takc_json_parse(line, &root, NULL))
        return takc_model_fail(out, TAKC_FAILURE_GARBLED, err, "the record is no JSON");
    struct takc_str id = takc_json_get_str(root, "recordId");
    const json_t *error = json_object_get(root, "error");
    enum takc_status st;
    (void)snprintf(out->model, sizeof(out->model), "%.*s", TAKC_STR_ARG(model));
    out->sent = true;
    if (!id.len || id.len > 63 || !form)
        st = takc_model_fail(out, TAKC_FAILURE_GARBLED, err, "the record has no id, or its form is not known");
    else
        st = json_is_object(error) ? read_failed(error, out, err) : read_output(json_object_get(root, "modelOutput"), form, out, err);
    (void)snprintf(out_id, 64, "%.*s", id.len <= 63 ? (int)id.len : 0, id.ptr ? id.ptr : "");
    json_decref(root);
    return st;
}
