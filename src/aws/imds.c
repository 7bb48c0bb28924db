/* SPDX-License-Identifier: Apache-2.0
 *
 * imds.c - keys and region of an EC2 instance, by IMDSv2 only: a token first. The older IMDSv1 is not spoken, since any server-side request
 * forgery reads keys through it. Where nobody answers within a second this is no instance (or a container one hop too far away). */
#include "aws/chain.h"
#include "base/log.h"
#include "net/url.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

enum { ANSWER_MS = 1000 /* the service is on the machine itself; as botocore waits */, STALE_S = 60, STALE_USE_S = 900, ROLE_MAX = 128 };

#define ROLE_PATH "latest/meta-data/iam/security-credentials/"
#define REGION_PATH "latest/meta-data/placement/region"

static const char *endpoint(struct takc_aws_walk *w)
{
    const char *set = w->a->o.imds_endpoint, *mode = takc_aws_env(w->a, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
    bool named;
    if (!set)
        set = takc_aws_env(w->a, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
    if (!set)
        set = takc_aws_profile_get(w, takc_aws_profile_name(w->a, &named), "ec2_metadata_service_endpoint");
    if (set)
        return set;
    return mode && strcasecmp(mode, "ipv6") == 0 ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
}

/* One request; path is behind the endpoint's '/'. */
static enum takc_status ask(struct takc_aws_walk *w, const char *method, const char *path, const char *header, struct takc_str value,
                            struct takc_http_reply *out, struct takc_err *err)
{
    const char *base = endpoint(w);
    struct takc_http_header headers[1] = {{takc_str(header), value}};
    size_t n = strlen(base);
    const char *url = takc_arena_printf(&w->arena, "%s%s%s", base, n && base[n - 1] == '/' ? "" : "/", path);
    struct takc_http_request r = {.method = method, .url = takc_str(url), .headers = headers, .n_headers = 1, .direct = true};
    takc_http_reply_init(out);
    if (!url)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory");
    return takc_aws_ask(w, &r, ANSWER_MS, ANSWER_MS, out, err);
}

/* A copy that is not empty: an empty one would mean that there is none. */
static enum takc_status keep(struct takc_aws_walk *w, struct takc_str text, struct takc_str *out, struct takc_err *err)
{
    if (!text.len)
        return takc_fail(err, TAKC_UPSTREAM, 0, "an empty answer");
    struct takc_str copy = takc_arena_dup(&w->arena, text);
    if (!copy.ptr)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory");
    *out = copy;
    return TAKC_OK;
}

/* OK with an empty token: no instance metadata here, and why is in looked_at. */
static enum takc_status get_token(struct takc_aws_walk *w, struct takc_str *token, struct takc_err *err)
{
    struct takc_http_reply r;
    size_t at = strlen(w->looked_at);
    *token = takc_str_n("", 0);
    const char *off = takc_aws_env(w->a, "AWS_EC2_METADATA_DISABLED");
    if (off && strcasecmp(off, "true") == 0) {
        (void)snprintf(w->looked_at + at, sizeof(w->looked_at) - at, ", instance (switched off by AWS_EC2_METADATA_DISABLED)");
        return TAKC_OK;
    }
    enum takc_status st = ask(w, "PUT", "latest/api/token", "x-aws-ec2-metadata-token-ttl-seconds", takc_str("21600"), &r, err);
    if (!st && r.status == 200)
        st = keep(w, takc_str_trim(takc_buf_str(&r.body)), token, err);
    else if (!st)
        (void)snprintf(w->looked_at + at, sizeof(w->looked_at) - at, ", instance (HTTP %d for an IMDSv2 token)", r.status);
    else if ((st == TAKC_TIMEOUT || st == TAKC_UPSTREAM) && takc_call_check(w->call, NULL) == TAKC_OK) {
        (void)snprintf(w->looked_at + at, sizeof(w->looked_at) - at, ", instance (no answer; from a container it needs a hop limit of 2)");
        st = TAKC_OK;
    }
    takc_aws_reply_drop(&r);
    return st;
}

/* A name of a role as IAM allows it; it becomes part of a path. */
static bool is_role(struct takc_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!isalnum((unsigned char)s.ptr[i]) && !strchr("+=,.@_-", s.ptr[i]))
            return false;
    return s.len > 0 && s.len <= ROLE_MAX && !takc_str_is(s, ".") && !takc_str_is(s, "..");
}

/* The role's name, in the walk's memory; empty when the instance has none. */
static enum takc_status get_role(struct takc_aws_walk *w, struct takc_str token, struct takc_str *role, struct takc_err *err)
{
    struct takc_http_reply r;
    size_t at = strlen(w->looked_at);
    *role = takc_str_n("", 0);
    enum takc_status st = ask(w, "GET", ROLE_PATH, "x-aws-ec2-metadata-token", token, &r, err);
    struct takc_str rest = takc_buf_str(&r.body), line = {"", 0};
    (void)takc_str_split(&rest, '\n', &line);
    line = takc_str_trim(line);
    if (!st && r.status == 404)
        (void)snprintf(w->looked_at + at, sizeof(w->looked_at) - at, ", instance (it has no role)");
    else if (!st && r.status != 200)
        st = takc_aws_refusal(&r, err);
    else if (!st && !is_role(line))
        st = takc_fail(err, TAKC_UPSTREAM, 0, "its answer is no name of a role");
    else if (!st)
        st = keep(w, line, role, err);
    takc_aws_reply_drop(&r);
    return st;
}

static enum takc_status read_keys(const struct takc_http_reply *r, struct takc_aws_identity *out, struct takc_err *err)
{
    static const struct takc_aws_members members = {
        .access = "AccessKeyId", .secret = "SecretAccessKey", .token = "Token", .expiration = "Expiration", .needs_token = true};
    json_t *j = NULL;
    if (r->status != 200)
        return takc_aws_refusal(r, err);
    if (takc_json_parse(takc_buf_str(&r->body), &j, NULL))
        return takc_fail(err, TAKC_UPSTREAM, 0, "its answer is no JSON");
    struct takc_str code = takc_json_get_str(j, "Code");
    enum takc_status st = code.len && !takc_str_is(code, "Success")
                              ? takc_fail(err, TAKC_DENIED, 0, "it says %.*s", code.len > 80 ? 80 : (int)code.len, code.ptr)
                              : takc_aws_members_read(j, &members, out, err);
    takc_aws_json_drop(j);
    return st;
}

static enum takc_status get_keys(struct takc_aws_walk *w, struct takc_str token, struct takc_str role, struct takc_aws_identity *out,
                                 struct takc_err *err)
{
    struct takc_http_reply r;
    const char *path = takc_arena_printf(&w->arena, ROLE_PATH "%.*s", TAKC_STR_ARG(role));
    int64_t now = w->a->clock->wall_s(w->a->clock);
    if (!path)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory");
    enum takc_status st = ask(w, "GET", path, "x-aws-ec2-metadata-token", token, &r, err);
    st = st ? st : read_keys(&r, out, err);
    takc_aws_reply_drop(&r);
    if (!st && out->expires_s && out->expires_s < now + STALE_S) {
        /* the service goes on with old keys while it cannot get new ones; AWS takes them (as its SDKs count on) */
        takc_log_for(w->call, WARN, "aws", "instance role %.*s: keys that have run out, used on", TAKC_STR_ARG(role));
        out->expires_s = now + STALE_USE_S;
    }
    return st;
}

enum takc_status takc_aws_from_instance(struct takc_aws_walk *w, struct takc_aws_identity *out, bool *found, struct takc_err *err)
{
    struct takc_str token, role = {"", 0};
    enum takc_status st = get_token(w, &token, err);
    if (!st && token.len)
        st = get_role(w, token, &role, err);
    *found = !st && role.len > 0;
    if (*found)
        st = get_keys(w, token, role, out, err);
    if (st)
        return takc_err_prefix(err, st, "instance (IMDSv2)");
    if (*found)
        (void)snprintf(out->source, sizeof(out->source), "instance (IMDSv2): role %.*s", TAKC_STR_ARG(role));
    return TAKC_OK;
}

enum takc_status takc_aws_instance_region(struct takc_aws_walk *w, char *out, size_t n, struct takc_err *err)
{
    struct takc_http_reply r;
    struct takc_str token;
    enum takc_status st = get_token(w, &token, err);
    if (st || !token.len)
        return st ? st : takc_fail(err, TAKC_NOT_FOUND, 0, "no instance");
    st = ask(w, "GET", REGION_PATH, "x-aws-ec2-metadata-token", token, &r, err);
    struct takc_str region = takc_str_trim(takc_buf_str(&r.body));
    if (!st && (r.status != 200 || !is_role(region) || region.len >= n))
        st = takc_fail(err, TAKC_NOT_FOUND, r.status, "the instance names no region");
    if (!st)
        (void)snprintf(out, n, "%.*s", TAKC_STR_ARG(region));
    takc_aws_reply_drop(&r);
    return st;
}
