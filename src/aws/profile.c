/* SPDX-License-Identifier: Apache-2.0
 *
 * profile.c - keys of a profile, in botocore's order: web identity, sso, keys in the credentials file, credential_process, keys in the
 * config file; and roles that are assumed with another profile's keys, in chains. */
#include "aws/chain.h"

#include <stdio.h>

enum {
    CHAIN_MAX = 8,         /* roles that lead to roles: more is a mistake */
    DURATION_MAX_S = 43200 /* AWS's own limit */
};

/* A chain of roles on its way down. */
struct trail {
    const char *names[CHAIN_MAX + 1];
    size_t n;
};

const char *takc_aws_profile_get(const struct takc_aws_walk *w, const char *profile, const char *key)
{
    struct takc_str v;
    if (takc_ini_get(&w->credentials, takc_str(profile), key, &v) || takc_ini_get(&w->config, takc_str(profile), key, &v))
        return v.len ? v.ptr : NULL;
    return NULL;
}

bool takc_aws_profile_exists(const struct takc_aws_walk *w, const char *profile)
{
    return takc_ini_has_section(&w->credentials, takc_str(profile)) || takc_ini_has_section(&w->config, takc_str(profile));
}

/* Keys that stand in a file. An access key alone is a mistake, not "none". */
static enum takc_status from_file(const struct takc_ini *ini, const char *file, const char *profile, struct takc_aws_identity *out,
                                  bool *found, struct takc_err *err)
{
    struct takc_aws_keys k = {0};
    struct takc_str section = takc_str(profile);
    *found = takc_ini_get(ini, section, "aws_access_key_id", &k.access);
    if (!*found)
        return TAKC_OK;
    (void)takc_ini_get(ini, section, "aws_secret_access_key", &k.secret);
    if (!takc_ini_get(ini, section, "aws_security_token", &k.token))
        (void)takc_ini_get(ini, section, "aws_session_token", &k.token);
    enum takc_status st = takc_aws_identity_set(out, &k, 0, err);
    if (st)
        return takc_err_prefix(err, st, "profile %s (%s file)", profile, file);
    (void)snprintf(out->source, sizeof(out->source), "profile %s (%s file)", profile, file);
    return TAKC_OK;
}

/* Variables first, where they count; then the profile. */
static enum takc_status from_web_identity(struct takc_aws_walk *w, const char *profile, bool with_environment,
                                          struct takc_aws_identity *out, bool *found, struct takc_err *err)
{
    const char *file = with_environment ? takc_aws_env(w->a, "AWS_WEB_IDENTITY_TOKEN_FILE") : NULL,
               *arn = with_environment ? takc_aws_env(w->a, "AWS_ROLE_ARN") : NULL,
               *session = with_environment ? takc_aws_env(w->a, "AWS_ROLE_SESSION_NAME") : NULL;
    bool variables = file != NULL;
    file = file ? file : takc_aws_profile_get(w, profile, "web_identity_token_file");
    *found = file != NULL;
    if (!file)
        return TAKC_OK;
    struct takc_aws_role role = {.web_token_file = file,
                                 .arn = arn ? arn : takc_aws_profile_get(w, profile, "role_arn"),
                                 .session = session ? session : takc_aws_profile_get(w, profile, "role_session_name"),
                                 .profile = profile};
    enum takc_status st = role.arn ? takc_aws_assume(w, &role, NULL, out, err)
                                   : takc_fail(err, TAKC_INVALID, 0, "no role: set AWS_ROLE_ARN, or role_arn in the profile");
    if (st)
        return variables ? takc_err_prefix(err, st, "web identity") : takc_err_prefix(err, st, "profile %s: web identity", profile);
    if (variables)
        (void)snprintf(out->source, sizeof(out->source), "web identity: role %s", role.arn);
    else
        (void)snprintf(out->source, sizeof(out->source), "profile %s: web identity: role %s", profile, role.arn);
    return TAKC_OK;
}

/* Everything a profile may say but an assumed role. */
static enum takc_status from_own(struct takc_aws_walk *w, const char *profile, bool with_environment, struct takc_aws_identity *out,
                                 bool *found, struct takc_err *err)
{
    enum takc_status st = from_web_identity(w, profile, with_environment, out, found, err);
    if (!st && !*found)
        st = takc_aws_from_sso(w, profile, out, found, err);
    if (!st && !*found)
        st = from_file(&w->credentials, "credentials", profile, out, found, err);
    if (!st && !*found)
        st = takc_aws_from_process(w, profile, out, found, err);
    if (!st && !*found)
        st = from_file(&w->config, "config", profile, out, found, err);
    return st;
}

static bool assumes_role(const struct takc_aws_walk *w, const char *profile)
{
    return takc_aws_profile_get(w, profile, "role_arn") && !takc_aws_profile_get(w, profile, "web_identity_token_file");
}

static bool has_keys(const struct takc_aws_walk *w, const char *profile)
{
    return takc_aws_profile_get(w, profile, "aws_access_key_id") || takc_aws_profile_get(w, profile, "aws_secret_access_key");
}

static enum takc_status from_named_source(struct takc_aws_walk *w, const char *name, struct takc_aws_identity *out, struct takc_err *err)
{
    bool found = false;
    enum takc_status st;
    if (strcmp(name, "Environment") == 0)
        st = takc_aws_from_environment(w, out, &found, err);
    else if (strcmp(name, "EcsContainer") == 0)
        st = takc_aws_from_container(w, out, &found, err);
    else if (strcmp(name, "Ec2InstanceMetadata") == 0)
        st = takc_aws_from_instance(w, out, &found, err);
    else
        return takc_fail(err, TAKC_INVALID, 0, "credential_source %s is none of Environment, EcsContainer, Ec2InstanceMetadata", name);
    return st || found ? st : takc_fail(err, TAKC_DENIED, 0, "credential_source %s has no keys%s", name, w->looked_at);
}

/* May the trail go on to this profile? A profile may name itself when it holds keys. */
static enum takc_status check_source(const struct takc_aws_walk *w, const struct trail *t, const char *source, struct takc_err *err)
{
    if (!takc_aws_profile_exists(w, source))
        return takc_fail(err, TAKC_INVALID, 0, "its source_profile %s does not exist", source);
    if (strcmp(source, t->names[t->n - 1]) == 0 && has_keys(w, source))
        return TAKC_OK;
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->names[i], source) == 0)
            return takc_fail(err, TAKC_INVALID, 0, "its source_profile %s is a circle", source);
    return TAKC_OK;
}

static enum takc_status from_role(struct takc_aws_walk *w, struct trail *t, const char *profile, struct takc_aws_identity *out,
                                  struct takc_err *err);

static enum takc_status from_source_profile(struct takc_aws_walk *w, struct trail *t, const char *source, struct takc_aws_identity *out,
                                            struct takc_err *err)
{
    bool found = false;
    enum takc_status st = check_source(w, t, source, err);
    if (st)
        return st;
    if (assumes_role(w, source) && !has_keys(w, source))
        return from_role(w, t, source, out, err);
    st = from_own(w, source, false, out, &found, err);
    return st || found ? st : takc_fail(err, TAKC_INVALID, 0, "its source_profile %s has no keys", source);
}

/* The keys to assume a role with. */
static enum takc_status from_base(struct takc_aws_walk *w, struct trail *t, const char *profile, struct takc_aws_identity *out,
                                  struct takc_err *err)
{
    const char *source = takc_aws_profile_get(w, profile, "source_profile"), *named = takc_aws_profile_get(w, profile, "credential_source");
    if (source && named)
        return takc_fail(err, TAKC_INVALID, 0, "it has both source_profile and credential_source");
    if (!source && !named)
        return takc_fail(err, TAKC_INVALID, 0, "it has a role_arn, but neither source_profile nor credential_source");
    if (takc_aws_profile_get(w, profile, "mfa_serial"))
        return takc_fail(err, TAKC_UNSUPPORTED, 0, "it asks for a code (mfa_serial), which nobody can type here");
    return named ? from_named_source(w, named, out, err) : from_source_profile(w, t, source, out, err);
}

static enum takc_status from_role(struct takc_aws_walk *w, struct trail *t, const char *profile, struct takc_aws_identity *out,
                                  struct takc_err *err)
{
    struct takc_aws_identity base;
    if (t->n == CHAIN_MAX)
        return takc_fail(err, TAKC_INVALID, 0, "more than %d roles in a chain", CHAIN_MAX);
    t->names[t->n++] = profile;
    takc_aws_identity_init(&base);
    struct takc_aws_role role = {.arn = takc_aws_profile_get(w, profile, "role_arn"),
                                 .session = takc_aws_profile_get(w, profile, "role_session_name"),
                                 .external_id = takc_aws_profile_get(w, profile, "external_id"),
                                 .profile = profile};
    if (takc_str_u64(takc_str(takc_aws_profile_get(w, profile, "duration_seconds")), DURATION_MAX_S, &role.duration_s, NULL))
        role.duration_s = 0; /* no number: AWS's own, as botocore has it */
    enum takc_status st = from_base(w, t, profile, &base, err);
    st = st ? st : takc_aws_assume(w, &role, &base, out, err);
    if (!st)
        (void)snprintf(out->source, sizeof(out->source), "profile %s: role %s from %s", profile, role.arn, base.source);
    takc_aws_identity_clear(&base);
    return st ? takc_err_prefix(err, st, "profile %s", profile) : TAKC_OK;
}

enum takc_status takc_aws_from_profile(struct takc_aws_walk *w, const char *profile, bool with_environment, struct takc_aws_identity *out,
                                       bool *found, struct takc_err *err)
{
    struct trail t = {.n = 0};
    *found = assumes_role(w, profile);
    return *found ? from_role(w, &t, profile, out, err) : from_own(w, profile, with_environment, out, found, err);
}
