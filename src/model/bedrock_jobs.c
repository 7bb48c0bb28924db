/* SPDX-License-Identifier: Apache-2.0
 *
 * bedrock_jobs.c - requests to the control plane of Bedrock (bedrock_jobs.h). */
#include "model/bedrock_jobs.h"
#include "base/clock.h"
#include "model/bedrock_parts.h"
#include "net/retry.h"
#include "net/url.h"

#include <stdio.h>

enum { URL_MAX = 4 << 10, BODY_MAX = 64 << 10, REPLY_MAX = 1 << 20, TOTAL_MS = 60000, TRIES = 4 };

struct ask {
    struct takc_aws *aws;
    struct takc_call *call;
    const char *method, *verb; /* verb: behind the ARN; "" for none */
    struct takc_str arn, body;
};

static enum takc_status make_url(const struct ask *a, struct takc_buf *out, struct takc_err *err)
{
    enum takc_status st = takc_aws_endpoint_of(a->aws, a->call, "BEDROCK", "bedrock", out, err);
    st = st ? st : takc_buf_add(out, takc_str("/model-invocation-job"), err);
    if (st || !a->arn.len)
        return st;
    st = takc_buf_byte(out, '/', err);
    st = st ? st : takc_url_escape(out, a->arn, false, err);
    return st ? st : takc_buf_add(out, takc_str(a->verb), err);
}

/* Sends once; *again: the same may succeed on another try. */
static enum takc_status try_once(const struct ask *a, const struct takc_http_request *q, struct takc_http_reply *h, bool *again,
                                 struct takc_err *err)
{
    struct takc_model_reply why;
    takc_http_reply_init(h);
    enum takc_status st = takc_aws_send(a->aws, a->call, "bedrock", q, h, err);
    *again = st == TAKC_UPSTREAM || st == TAKC_TIMEOUT;
    if (st || (h->status >= 200 && h->status < 300))
        return st;
    takc_model_reply_init(&why);
    why.http = h->status;
    st = takc_bedrock_refusal(takc_http_reply_header(h, "x-amzn-errortype"), takc_buf_str(&h->body), takc_str(""), &why, err);
    *again = takc_failure_again(why.failure);
    takc_model_reply_clear(&why);
    return takc_err_prefix(err, st, "HTTP %d", h->status);
}

static enum takc_status exchange(const struct ask *a, struct takc_http_reply *h, struct takc_err *err)
{
    static const struct takc_http_header headers[] = {{{"Content-Type", 12}, {"application/json", 16}}};
    struct takc_retry_policy policy = takc_retry_policy_default();
    const struct takc_clock *clock = takc_clock_or_system(a->call ? a->call->clock : NULL);
    struct takc_jitter jitter = takc_jitter_seed(clock->mono_ns(clock) | 1);
    struct takc_buf url;
    bool again = false;
    takc_buf_init(&url, URL_MAX);
    takc_http_reply_init(h);
    enum takc_status st = make_url(a, &url, err);
    const struct takc_http_request q = {.method = a->method,
                                        .url = takc_buf_str(&url),
                                        .headers = headers,
                                        .n_headers = a->body.len ? 1 : 0,
                                        .body = a->body,
                                        .total_ms = TOTAL_MS,
                                        .max_reply = REPLY_MAX};
    for (unsigned i = 0; !st || again; i++) {
        takc_http_reply_clear(h);
        st = try_once(a, &q, h, &again, err);
        if (!st || !again || i + 1 == TRIES || takc_call_sleep(a->call, takc_retry_wait_ms(&policy, &jitter, i, 0), NULL))
            break;
    }
    takc_buf_clear(&url);
    return st;
}

enum takc_status takc_batch_create(struct takc_aws *a, struct takc_call *call, const struct takc_batch_job *j,
                                   struct takc_batch_status *out, struct takc_err *err)
{
    struct takc_http_reply h;
    struct takc_buf body;
    takc_buf_init(&body, BODY_MAX);
    takc_http_reply_init(&h);
    enum takc_status st = j->token.len ? takc_batch_write_job(j, &body, err) : takc_fail(err, TAKC_INVALID, 0, "a job without a token");
    st = st ? st : exchange(&(struct ask){a, call, "POST", "", takc_str(""), takc_buf_str(&body)}, &h, err);
    st = st ? st : takc_batch_read_job(takc_buf_str(&h.body), out, err);
    takc_http_reply_clear(&h);
    takc_buf_clear(&body);
    return st ? takc_err_prefix(err, st, "make batch job %.*s", TAKC_STR_ARG(j->name)) : TAKC_OK;
}

enum takc_status takc_batch_look(struct takc_aws *a, struct takc_call *call, struct takc_str arn, struct takc_batch_status *out,
                                 struct takc_err *err)
{
    struct takc_http_reply h;
    enum takc_status st = exchange(&(struct ask){a, call, "GET", "", arn, takc_str("")}, &h, err);
    st = st ? st : takc_batch_read_job(takc_buf_str(&h.body), out, err);
    takc_http_reply_clear(&h);
    return st ? takc_err_prefix(err, st, "batch job %.*s", TAKC_STR_ARG(arn)) : TAKC_OK;
}

enum takc_status takc_batch_stop(struct takc_aws *a, struct takc_call *call, struct takc_str arn, struct takc_err *err)
{
    struct takc_http_reply h;
    enum takc_status st = exchange(&(struct ask){a, call, "POST", "/stop", arn, takc_str("")}, &h, err);
    takc_http_reply_clear(&h);
    return st ? takc_err_prefix(err, st, "stop batch job %.*s", TAKC_STR_ARG(arn)) : TAKC_OK;
}
