/* SPDX-License-Identifier: Apache-2.0
 *
 * container.c - keys from the agent beside a container (ECS, EKS Pod Identity). Over plain HTTP only loopback and the agents' own addresses
 * are asked: the token in the header goes nowhere else. */
#include "aws/chain.h"
#include "net/url.h"

#include <arpa/inet.h>
#include <stdio.h>

enum { CONNECT_MS = 2000, TOTAL_MS = 5000 /* an agent on the same machine */ };

static bool is_agent(const struct takc_url *u)
{
    static const char *const hosts[] = {"localhost", "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]", "[::1]"};
    struct in_addr v4;
    char host[64];
    if (takc_str_is(u->scheme, "https"))
        return true;
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
        if (takc_str_is(u->host, hosts[i]))
            return true;
    (void)snprintf(host, sizeof(host), "%.*s", TAKC_STR_ARG(u->host));
    return u->host.len < sizeof(host) && inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127;
}

/* The address to ask; NULL in *out when no variable names one. */
static enum takc_status find_url(struct takc_aws_walk *w, const char **out, struct takc_err *err)
{
    struct takc_url u;
    const char *relative = takc_aws_env(w->a, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
               *full = takc_aws_env(w->a, "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
               *name = relative ? "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI" : "AWS_CONTAINER_CREDENTIALS_FULL_URI";
    *out = NULL;
    if (!relative && !full)
        return TAKC_OK;
    if (relative && relative[0] != '/')
        return takc_fail(err, TAKC_INVALID, 0, "%s does not begin with /", name);
    *out = relative ? takc_arena_printf(&w->arena, "http://169.254.170.2%s", relative) : full;
    if (!*out)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory");
    enum takc_status st = takc_url_parse(&u, takc_str(*out), err);
    if (st)
        return takc_err_prefix(err, st, "%s", name);
    if (!is_agent(&u))
        return takc_fail(err, TAKC_INVALID, 0, "%s: %.*s over plain http is neither loopback nor an agent of ECS or EKS", name,
                         TAKC_STR_ARG(u.host));
    return TAKC_OK;
}

/* What goes into the Authorization header; empty: none. Read anew each time, since the file rotates. */
static enum takc_status find_token(struct takc_aws_walk *w, struct takc_str *out, struct takc_err *err)
{
    const char *path = takc_aws_env(w->a, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
               *text = takc_aws_env(w->a, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    *out = takc_str(text);
    enum takc_status st = path ? takc_aws_file(w, path, out, err) : TAKC_OK;
    if (st)
        return takc_err_prefix(err, st, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    for (size_t i = 0; i < out->len; i++)
        if ((unsigned char)out->ptr[i] < ' ')
            return takc_fail(err, TAKC_INVALID, 0, "the authorization token is not a legal header value");
    return TAKC_OK;
}

static enum takc_status read_reply(const struct takc_http_reply *r, struct takc_aws_identity *out, struct takc_err *err)
{
    static const struct takc_aws_members members = {
        .access = "AccessKeyId", .secret = "SecretAccessKey", .token = "Token", .expiration = "Expiration"};
    json_t *j = NULL;
    if (r->status != 200)
        return takc_aws_refusal(r, err);
    enum takc_status st = takc_json_parse(takc_buf_str(&r->body), &j, NULL) ? takc_fail(err, TAKC_UPSTREAM, 0, "its answer is no JSON")
                                                                            : takc_aws_members_read(j, &members, out, err);
    takc_aws_json_drop(j);
    return st;
}

static enum takc_status ask(struct takc_aws_walk *w, const char *url, struct takc_aws_identity *out, struct takc_err *err)
{
    struct takc_http_header headers[2] = {{takc_str("Accept"), takc_str("application/json")}, {takc_str("Authorization"), takc_str("")}};
    struct takc_http_request r = {.method = "GET", .url = takc_str(url), .headers = headers, .n_headers = 1, .direct = true};
    struct takc_http_reply reply;
    enum takc_status st = find_token(w, &headers[1].value, err);
    if (st)
        return st;
    r.n_headers += headers[1].value.len > 0;
    st = takc_aws_ask(w, &r, CONNECT_MS, TOTAL_MS, &reply, err);
    st = st ? st : read_reply(&reply, out, err);
    takc_aws_reply_drop(&reply);
    return st;
}

enum takc_status takc_aws_from_container(struct takc_aws_walk *w, struct takc_aws_identity *out, bool *found, struct takc_err *err)
{
    const char *url;
    enum takc_status st = find_url(w, &url, err);
    *found = url != NULL;
    if (!st && url)
        st = ask(w, url, out, err);
    if (st)
        return takc_err_prefix(err, st, "container");
    (void)snprintf(out->source, sizeof(out->source), "container");
    return TAKC_OK;
}
