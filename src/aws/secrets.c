/* SPDX-License-Identifier: Apache-2.0
 *
 * secrets.c - texts from Secrets Manager: keys that settings name by ARN instead of holding them. */
#include "aws/chain.h"

#include <stdio.h>

enum { BODY_MAX = 8 << 10, URL_MAX = 512, REGION_MAX = 64 };

/* "arn:aws:secretsmanager:REGION:..." names its region; false for a plain name. */
static bool arn_region(struct takc_str arn, char out[REGION_MAX])
{
    struct takc_str rest = arn, part = {"", 0};
    if (!takc_str_starts(arn, takc_str("arn:")))
        return false;
    for (int i = 0; i < 4; i++)
        if (!takc_str_split(&rest, ':', &part))
            return false;
    (void)snprintf(out, REGION_MAX, "%.*s", TAKC_STR_ARG(part));
    return part.len > 0 && part.len < REGION_MAX;
}

/* The whole text, or one field of it. Messages name neither the field's neighbours nor any text. */
static enum takc_status take_field(struct takc_str text, struct takc_str field, struct takc_buf *out, struct takc_err *err)
{
    json_t *j = NULL;
    char name[200];
    if (!field.len)
        return takc_buf_add(out, text, err);
    (void)snprintf(name, sizeof(name), "%.*s", TAKC_STR_ARG(field));
    if (takc_json_parse(text, &j, NULL) || !json_is_object(j)) {
        takc_aws_json_drop(j);
        return takc_fail(err, TAKC_INVALID, 0, "the secret is no JSON object, so it has no field %s", name);
    }
    struct takc_str value = takc_json_get_str(j, name);
    enum takc_status st =
        value.len ? takc_buf_add(out, value, err) : takc_fail(err, TAKC_NOT_FOUND, 0, "the secret has no text field %s", name);
    takc_aws_json_drop(j);
    return st;
}

static enum takc_status read_reply(const struct takc_http_reply *r, struct takc_str field, struct takc_buf *out, struct takc_err *err)
{
    json_t *j = NULL;
    if (r->status != 200) {
        enum takc_status st = takc_aws_refusal(r, err);
        bool missing = takc_str_find(takc_buf_str(&r->body), takc_str("ResourceNotFoundException"), 0) != SIZE_MAX;
        return missing ? takc_fail(err, TAKC_NOT_FOUND, r->status, "there is no such secret") : st;
    }
    if (takc_json_parse(takc_buf_str(&r->body), &j, NULL))
        return takc_fail(err, TAKC_UPSTREAM, 0, "its answer is no JSON");
    struct takc_str text = takc_json_get_str(j, "SecretString");
    enum takc_status st =
        text.len ? take_field(text, field, out, err) : takc_fail(err, TAKC_UNSUPPORTED, 0, "the secret holds bytes, not text");
    takc_aws_json_drop(j);
    return st;
}

static enum takc_status write_url(struct takc_aws *a, struct takc_call *call, const char *endpoint, const char *region,
                                  struct takc_buf *out, struct takc_err *err)
{
    struct takc_aws_walk w;
    if (endpoint)
        return takc_buf_printf(out, err, "%s/", endpoint);
    enum takc_status st = takc_aws_walk_init(&w, a, call, err);
    const char *base = NULL;
    st = st ? st : takc_aws_endpoint(&w, "SECRETS_MANAGER", "secretsmanager", region, &base, err);
    st = st ? st : takc_buf_printf(out, err, "%s/", base);
    takc_aws_walk_clear(&w);
    return st;
}

static enum takc_status ask(struct takc_aws *a, struct takc_call *call, struct takc_str id, const char *region, const char *endpoint,
                            struct takc_http_reply *reply, struct takc_err *err)
{
    static const struct takc_http_header headers[] = {{{"Content-Type", 12}, {"application/x-amz-json-1.1", 26}},
                                                      {{"X-Amz-Target", 12}, {"secretsmanager.GetSecretValue", 29}}};
    struct takc_buf body, url;
    takc_buf_init(&body, BODY_MAX);
    takc_buf_init(&url, URL_MAX);
    enum takc_status st = takc_buf_add(&body, takc_str("{\"SecretId\":"), err);
    st = st ? st : takc_json_quote(&body, id, err);
    st = st ? st : takc_buf_byte(&body, '}', err);
    st = st ? st : write_url(a, call, endpoint, region, &url, err);
    struct takc_http_request r = {
        .method = "POST", .url = takc_buf_str(&url), .headers = headers, .n_headers = 2, .body = takc_buf_str(&body)};
    st = st ? st : takc_aws_send_in(a, call, "secretsmanager", region, &r, reply, err);
    takc_buf_clear(&body);
    takc_buf_clear(&url);
    return st;
}

enum takc_status takc_aws_secret(struct takc_aws *a, struct takc_call *call, struct takc_str arn, const char *endpoint,
                                 struct takc_buf *out, struct takc_err *err)
{
    struct takc_http_reply reply;
    struct takc_str set, field = {"", 0};
    char region[REGION_MAX] = "";
    size_t mark = takc_str_find_byte(arn, '#', 0);
    struct takc_str id = mark == SIZE_MAX ? arn : takc_str_slice(arn, 0, mark);
    if (mark != SIZE_MAX)
        field = takc_str_slice(arn, mark + 1, arn.len);
    enum takc_status st = TAKC_OK;
    takc_http_reply_init(&reply);
    if (!arn_region(id, region)) {
        st = takc_aws_region(a, call, &set, err);
        if (!st)
            (void)snprintf(region, sizeof(region), "%.*s", TAKC_STR_ARG(set));
    }
    st = st ? st : ask(a, call, id, region, endpoint, &reply, err);
    st = st ? st : read_reply(&reply, field, out, err);
    takc_aws_reply_drop(&reply);
    return st ? takc_err_prefix(err, st, "secret %.*s", TAKC_STR_ARG(id)) : TAKC_OK;
}
