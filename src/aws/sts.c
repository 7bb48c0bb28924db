/* SPDX-License-Identifier: Apache-2.0
 *
 * sts.c - another role's keys from the Security Token Service: AssumeRole (signed) and AssumeRoleWithWebIdentity (the token is the proof).
 * Not tried again here: who asks for keys tries again. */
#include "aws/chain.h"
#include "base/hash.h"
#include "net/url.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <openssl/crypto.h>
#include <stdio.h>

enum { CONNECT_MS = 10000, TOTAL_MS = 30000, BODY_MAX = 128 << 10 };

static enum takc_status add_field(struct takc_buf *out, const char *name, const char *value, struct takc_err *err)
{
    if (!value)
        return TAKC_OK;
    enum takc_status st = takc_buf_printf(out, err, "&%s=", name);
    return st ? st : takc_url_escape(out, takc_str(value), false, err);
}

static enum takc_status write_body(struct takc_aws_walk *w, const struct takc_aws_role *role, struct takc_buf *out, struct takc_err *err)
{
    char session[40], duration[24];
    struct takc_str token = {NULL, 0};
    bool web = role->web_token_file != NULL;
    (void)snprintf(session, sizeof(session), "takc-%lld", (long long)w->a->clock->wall_s(w->a->clock));
    (void)snprintf(duration, sizeof(duration), "%llu", (unsigned long long)role->duration_s);
    enum takc_status st = web ? takc_aws_file(w, role->web_token_file, &token, err) : TAKC_OK;
    if (!st && web && !token.len)
        st = takc_fail(err, TAKC_INVALID, 0, "%s is empty", role->web_token_file);
    st = st ? st : takc_buf_printf(out, err, "Action=%s&Version=2011-06-15", web ? "AssumeRoleWithWebIdentity" : "AssumeRole");
    st = st ? st : add_field(out, "RoleArn", role->arn, err);
    st = st ? st : add_field(out, "RoleSessionName", role->session ? role->session : session, err);
    st = st ? st : add_field(out, "ExternalId", role->external_id, err);
    st = st ? st : add_field(out, "DurationSeconds", role->duration_s ? duration : NULL, err);
    return st ? st : add_field(out, "WebIdentityToken", token.ptr, err);
}

/* The first element of that name at or below n; libxml2 limits the depth. */
static xmlNode *find_element(xmlNode *n, const char *name)
{
    for (; n; n = n->next) {
        if (n->type != XML_ELEMENT_NODE)
            continue;
        if (strcmp((const char *)n->name, name) == 0)
            return n;
        xmlNode *below = find_element(n->children, name);
        if (below)
            return below;
    }
    return NULL;
}

/* The text of a child, where it lies in the tree. */
static struct takc_str child_text(const xmlNode *parent, const char *name)
{
    const xmlNode *c = find_element(parent ? parent->children : NULL, name);
    const xmlNode *text = c ? c->children : NULL;
    bool plain = text && text->type == XML_TEXT_NODE && !text->next;
    return plain ? takc_str_trim(takc_str((const char *)text->content)) : takc_str_n("", 0);
}

static void wipe_texts(xmlNode *n)
{
    for (; n; n = n->next) {
        if (n->type == XML_TEXT_NODE && n->content)
            OPENSSL_cleanse(n->content, strlen((const char *)n->content));
        else if (n->type == XML_ELEMENT_NODE)
            wipe_texts(n->children);
    }
}

static enum takc_status read_xml(struct takc_str text, struct takc_aws_identity *out, struct takc_err *err)
{
    int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NODICT;
    xmlDoc *doc = xmlReadMemory(text.ptr, (int)text.len, NULL, NULL, options);
    xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;
    const xmlNode *c = find_element(root, "Credentials");
    struct takc_aws_keys k = {child_text(c, "AccessKeyId"), child_text(c, "SecretAccessKey"), child_text(c, "SessionToken")};
    int64_t expires_s = 0;
    enum takc_status st = !k.access.len || !k.secret.len || !k.token.len || !takc_aws_time(child_text(c, "Expiration"), &expires_s)
                              ? takc_fail(err, TAKC_UPSTREAM, 0, "its answer holds no keys")
                              : takc_aws_identity_set(out, &k, expires_s, err);
    wipe_texts(root);
    xmlFreeDoc(doc);
    return st;
}

/* Signed where there are keys to sign with. */
static enum takc_status post(struct takc_aws_walk *w, const struct takc_aws_role *role, const struct takc_aws_identity *from,
                             struct takc_str body, struct takc_http_reply *reply, struct takc_err *err)
{
    static const struct takc_http_header type = {{"Content-Type", 12}, {"application/x-www-form-urlencoded; charset=utf-8", 48}};
    bool named;
    const char *set = takc_aws_region_set(w, takc_aws_profile_name(w->a, &named)), *region = set ? set : "us-east-1",
               *base = w->a->o.sts_endpoint;
    enum takc_status st = base ? TAKC_OK : takc_aws_endpoint(w, "STS", "sts", region, &base, err);
    const char *url = st ? NULL : takc_arena_printf(&w->arena, "%s/", base);
    if (!url)
        return st ? st : takc_fail(err, TAKC_NOMEM, 0, "no memory");
    struct takc_http_request r = {.method = "POST",
                                  .url = takc_str(url),
                                  .headers = &type,
                                  .n_headers = 1,
                                  .body = body,
                                  .connect_ms = CONNECT_MS,
                                  .first_byte_ms = TOTAL_MS,
                                  .idle_ms = TOTAL_MS,
                                  .total_ms = TOTAL_MS};
    if (role->web_token_file)
        return takc_aws_ask(w, &r, CONNECT_MS, TOTAL_MS, reply, err);
    return takc_aws_send_with(w->a, w->call, &from->keys, "sts", region, &r, reply, err);
}

enum takc_status takc_aws_assume(struct takc_aws_walk *w, const struct takc_aws_role *role, const struct takc_aws_identity *from,
                                 struct takc_aws_identity *out, struct takc_err *err)
{
    struct takc_buf body;
    struct takc_http_reply reply;
    takc_buf_init_secret(&body, BODY_MAX);
    takc_http_reply_init(&reply);
    enum takc_status st = write_body(w, role, &body, err);
    st = st ? st : post(w, role, from, takc_buf_str(&body), &reply, err);
    if (!st)
        st = reply.status == 200 ? read_xml(takc_buf_str(&reply.body), out, err) : takc_aws_refusal(&reply, err);
    takc_aws_reply_drop(&reply);
    takc_buf_clear(&body);
    return st ? takc_err_prefix(err, st, "sts: role %s", role->arn) : TAKC_OK;
}
