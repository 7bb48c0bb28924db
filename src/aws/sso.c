/* SPDX-License-Identifier: Apache-2.0
 *
 * sso.c - keys of a role of IAM Identity Center, for the session that "aws sso login" left in ~/.aws/sso/cache. Signing in needs a browser
 * and is not done here; a session that has ended says how to begin a new one. */
#include "aws/chain.h"
#include "net/url.h"

#include <openssl/evp.h>
#include <stdio.h>

enum { CONNECT_MS = 10000, TOTAL_MS = 30000, URL_MAX = 4096 };

struct sso { /* a profile's settings; profile and session agree where both say something */
    const char *profile, *session, *start_url, *region, *account, *role;
};

/* A value of the profile, or of its session. */
static enum takc_status find(const struct takc_aws_walk *w, struct sso *s, const char *key, const char **out, struct takc_err *err)
{
    const char *mine = takc_aws_profile_get(w, s->profile, key), *shared = NULL;
    char section[200];
    struct takc_str v;
    if (s->session) {
        (void)snprintf(section, sizeof(section), "sso-session %s", s->session);
        shared = takc_ini_get(&w->config, takc_str(section), key, &v) ? v.ptr : NULL;
    }
    *out = mine ? mine : shared;
    if (mine && shared && strcmp(mine, shared) != 0)
        return takc_fail(err, TAKC_INVALID, 0, "%s is one thing in the profile, another in sso-session %s", key, s->session);
    if (!*out)
        return takc_fail(err, TAKC_INVALID, 0, "%s is missing", key);
    return TAKC_OK;
}

static enum takc_status load(const struct takc_aws_walk *w, struct sso *s, struct takc_err *err)
{
    char section[200];
    s->session = takc_aws_profile_get(w, s->profile, "sso_session");
    (void)snprintf(section, sizeof(section), "sso-session %s", s->session ? s->session : "");
    if (s->session && !takc_ini_has_section(&w->config, takc_str(section)))
        return takc_fail(err, TAKC_INVALID, 0, "there is no [%s]", section);
    enum takc_status st = find(w, s, "sso_start_url", &s->start_url, err);
    st = st ? st : find(w, s, "sso_region", &s->region, err);
    st = st ? st : find(w, s, "sso_account_id", &s->account, err);
    return st ? st : find(w, s, "sso_role_name", &s->role, err);
}

/* The session's file: SHA-1 of its name, or of the start URL where it has none. */
static const char *cache_path(struct takc_aws_walk *w, const struct sso *s)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    char hex[2 * EVP_MAX_MD_SIZE + 1] = "";
    const char *name = s->session ? s->session : s->start_url, *home = w->a->o.home;
    if (!EVP_Digest(name, strlen(name), hash, &n, EVP_sha1(), NULL))
        return NULL;
    for (unsigned i = 0; i < n; i++)
        (void)snprintf(hex + 2 * (size_t)i, 3, "%02x", hash[i]);
    return takc_arena_printf(&w->arena, "%s/.aws/sso/cache/%s.json", home, hex);
}

static enum takc_status log_in(const struct sso *s, const char *why, struct takc_err *err)
{
    return takc_fail(err, TAKC_DENIED, 0, "%s; run: aws sso login --profile %s", why, s->profile);
}

/* The session's token, in the walk's memory. */
static enum takc_status read_token(struct takc_aws_walk *w, const struct sso *s, struct takc_str *token, struct takc_err *err)
{
    const char *path = w->a->o.home ? cache_path(w, s) : NULL;
    struct takc_str text;
    json_t *j = NULL;
    int64_t until;
    if (!w->a->o.home)
        return takc_fail(err, TAKC_INVALID, 0, "no home folder to look for the session in");
    if (!path)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory");
    enum takc_status st = takc_aws_file(w, path, &text, err);
    if (st)
        return st == TAKC_NOT_FOUND ? log_in(s, "nobody has signed in", err) : st;
    if (takc_json_parse(text, &j, NULL) || !takc_json_get_str(j, "accessToken").len ||
        !takc_aws_time(takc_json_get_str(j, "expiresAt"), &until))
        st = takc_fail(err, TAKC_INVALID, 0, "%s holds no session", path);
    else if (until <= w->a->clock->wall_s(w->a->clock))
        st = log_in(s, "the session has ended", err);
    else {
        *token = takc_arena_dup(&w->arena, takc_json_get_str(j, "accessToken"));
        st = token->ptr ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory");
    }
    takc_aws_json_drop(j);
    return st;
}

static enum takc_status write_url(struct takc_aws_walk *w, const struct sso *s, struct takc_buf *out, struct takc_err *err)
{
    const char *base = w->a->o.sso_endpoint;
    enum takc_status st = base ? TAKC_OK : takc_aws_endpoint(w, "SSO", "portal.sso", s->region, &base, err);
    st = st ? st : takc_buf_printf(out, err, "%s/federation/credentials?role_name=", base);
    st = st ? st : takc_url_escape(out, takc_str(s->role), false, err);
    st = st ? st : takc_buf_add(out, takc_str("&account_id="), err);
    return st ? st : takc_url_escape(out, takc_str(s->account), false, err);
}

static enum takc_status read_reply(const struct sso *s, const struct takc_http_reply *r, struct takc_aws_identity *out,
                                   struct takc_err *err)
{
    static const struct takc_aws_members members = {.access = "accessKeyId",
                                                    .secret = "secretAccessKey",
                                                    .token = "sessionToken",
                                                    .expiration = "expiration",
                                                    .needs_token = true,
                                                    .in_milliseconds = true};
    json_t *j = NULL;
    if (r->status == 401)
        return log_in(s, "the session was refused (HTTP 401)", err);
    if (r->status != 200)
        return takc_aws_refusal(r, err);
    enum takc_status st = takc_json_parse(takc_buf_str(&r->body), &j, NULL)
                              ? takc_fail(err, TAKC_UPSTREAM, 0, "its answer is no JSON")
                              : takc_aws_members_read(json_object_get(j, "roleCredentials"), &members, out, err);
    takc_aws_json_drop(j);
    return st;
}

static enum takc_status ask(struct takc_aws_walk *w, const struct sso *s, struct takc_str token, struct takc_aws_identity *out,
                            struct takc_err *err)
{
    struct takc_buf url;
    struct takc_http_reply reply;
    struct takc_http_header header = {takc_str("x-amz-sso_bearer_token"), token};
    takc_buf_init(&url, URL_MAX);
    takc_http_reply_init(&reply);
    enum takc_status st = write_url(w, s, &url, err);
    struct takc_http_request r = {.method = "GET", .url = takc_buf_str(&url), .headers = &header, .n_headers = 1};
    st = st ? st : takc_aws_ask(w, &r, CONNECT_MS, TOTAL_MS, &reply, err);
    st = st ? st : read_reply(s, &reply, out, err);
    takc_aws_reply_drop(&reply);
    takc_buf_clear(&url);
    return st;
}

enum takc_status takc_aws_from_sso(struct takc_aws_walk *w, const char *profile, struct takc_aws_identity *out, bool *found,
                                   struct takc_err *err)
{
    struct sso s = {.profile = profile};
    struct takc_str token = {"", 0};
    *found = takc_aws_profile_get(w, profile, "sso_role_name") || takc_aws_profile_get(w, profile, "sso_account_id");
    if (!*found)
        return TAKC_OK;
    enum takc_status st = load(w, &s, err);
    st = st ? st : read_token(w, &s, &token, err);
    st = st ? st : ask(w, &s, token, out, err);
    if (st)
        return takc_err_prefix(err, st, "profile %s: sso", profile);
    (void)snprintf(out->source, sizeof(out->source), "profile %s: sso role %s of account %s", profile, s.role, s.account);
    return TAKC_OK;
}
