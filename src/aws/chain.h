/* SPDX-License-Identifier: Apache-2.0
 *
 * aws/chain.h - what the parts of the credential chain share; private to src/aws.
 *
 * A source is a function that fills an identity or says that it is not configured (*found false). One that is configured but does not work
 * fails with a message that begins with its name: nobody goes on to the next then. */
#ifndef TAKC_AWS_CHAIN_H
#define TAKC_AWS_CHAIN_H

#include "aws/credentials.h"
#include "aws/ini.h"
#include "base/json.h"
#include "base/thread.h"

struct takc_aws {
    struct takc_http *http;
    struct takc_arena arena; /* secret: options, environment */
    struct takc_aws_options o;
    const struct takc_clock *clock;
    struct {
        struct takc_mutex mu;
        struct takc_cond changed;
        struct takc_aws_identity have; /* keys.access empty: none */
        int64_t fetch_at_s;            /* ahead of expiry; INT64_MAX: never */
        bool fetching;                 /* one caller is out for new keys */
        uint64_t round, failed_round;  /* fetches that ended; the last one that failed, and how */
        struct takc_err failed;
        int64_t skew_s;
        char region[64]; /* "": not known yet */
    } locked;
};

/* One walk along the chain: files are read once, its memory is wiped behind it. */
struct takc_aws_walk {
    struct takc_aws *a;
    struct takc_call *call;
    struct takc_arena arena;
    struct takc_ini config, credentials;
    char looked_at[400]; /* what had nothing, for the message */
};
/* Reads the files that there are. INVALID names file and line. */
TAKC_CHECK enum takc_status takc_aws_walk_init(struct takc_aws_walk *w, struct takc_aws *a, struct takc_call *call, struct takc_err *err);
/* Wipes and frees; twice is harmless. */
void takc_aws_walk_clear(struct takc_aws_walk *w);

/* A variable, or NULL when it is missing or empty. */
const char *takc_aws_env(const struct takc_aws *a, const char *name);
/* A profile's value, the credentials file before the config file; NULL-terminated, or NULL. */
const char *takc_aws_profile_get(const struct takc_aws_walk *w, const char *profile, const char *key);
/* Does either file have a section of that profile? */
bool takc_aws_profile_exists(const struct takc_aws_walk *w, const char *profile);
/* The profile that counts: option, AWS_PROFILE, AWS_DEFAULT_PROFILE, "default"; *named says whether somebody asked for it. */
const char *takc_aws_profile_name(const struct takc_aws *a, bool *named);
/* The region that is set for a profile, without asking the instance; NULL: none. */
const char *takc_aws_region_set(const struct takc_aws_walk *w, const char *profile);

/* Copies the keys into out; a token or expiry of empty/0 is none. INVALID for keys that are no keys, with what they are of. */
TAKC_CHECK enum takc_status takc_aws_identity_set(struct takc_aws_identity *out, const struct takc_aws_keys *k, int64_t expires_s,
                                                  struct takc_err *err);
/* Empty: clear it with takc_aws_identity_clear. */
void takc_aws_identity_init(struct takc_aws_identity *out);

struct takc_aws_members { /* how a JSON object calls them */
    const char *access, *secret, *token, *expiration;
    bool needs_token, in_milliseconds; /* expiration as a number */
};
/* Keys out of a JSON object. UPSTREAM names the member that is missing. */
TAKC_CHECK enum takc_status takc_aws_members_read(const json_t *j, const struct takc_aws_members *m, struct takc_aws_identity *out,
                                                  struct takc_err *err);
/* Drops a tree that holds secrets: its strings are wiped first. NULL is harmless. */
void takc_aws_json_drop(json_t *j);
/* Seconds since 1970 of an RFC 3339 time ("2026-01-02T03:04:05Z", with fraction or offset); false for anything else. */
bool takc_aws_time(struct takc_str text, int64_t *out_s);
/* A file whole and trimmed at its end, NUL-terminated, in the walk's memory; errors name it. */
TAKC_CHECK enum takc_status takc_aws_file(struct takc_aws_walk *w, const char *path, struct takc_str *out, struct takc_err *err);

/* Sends a request of a source: no signature, small reply. The reply is wiped by takc_aws_reply_drop. */
TAKC_CHECK enum takc_status takc_aws_ask(struct takc_aws_walk *w, struct takc_http_request *r, uint64_t connect_ms, uint64_t total_ms,
                                         struct takc_http_reply *out, struct takc_err *err);
/* Wipes a reply that holds secrets, and frees it. */
void takc_aws_reply_drop(struct takc_http_reply *r);
/* Fills err for a reply that is no 2xx: DENIED, LIMITED or UPSTREAM with the status and, where the body holds them, code and message. */
enum takc_status takc_aws_refusal(const struct takc_http_reply *r, struct takc_err *err);

/* Where a service is: AWS_ENDPOINT_URL_<id>, AWS_ENDPOINT_URL, the profile's endpoint_url, else https://host.region.SUFFIX; no '/' at its
 * end. In the walk's memory. INVALID: the region is none. */
TAKC_CHECK enum takc_status takc_aws_endpoint(struct takc_aws_walk *w, const char *id, const char *host, const char *region,
                                              const char **out, struct takc_err *err);

/* The sources. Each fills out and sets *found, or leaves both when nothing of it is configured; a source that is configured and broken is
 * an error that names it, and the walk ends there. Statuses as takc_aws_keys. The variables: */
TAKC_CHECK enum takc_status takc_aws_from_environment(struct takc_aws_walk *w, struct takc_aws_identity *out, bool *found,
                                                      struct takc_err *err);
/* The chain of a profile; with_environment: the variables of web identity count, too. */
TAKC_CHECK enum takc_status takc_aws_from_profile(struct takc_aws_walk *w, const char *profile, bool with_environment,
                                                  struct takc_aws_identity *out, bool *found, struct takc_err *err);
/* Tokens that `aws sso login` cached, changed for keys. */
TAKC_CHECK enum takc_status takc_aws_from_sso(struct takc_aws_walk *w, const char *profile, struct takc_aws_identity *out, bool *found,
                                              struct takc_err *err);
/* What credential_process prints. */
TAKC_CHECK enum takc_status takc_aws_from_process(struct takc_aws_walk *w, const char *profile, struct takc_aws_identity *out, bool *found,
                                                  struct takc_err *err);
/* The endpoint of ECS or EKS. */
TAKC_CHECK enum takc_status takc_aws_from_container(struct takc_aws_walk *w, struct takc_aws_identity *out, bool *found,
                                                    struct takc_err *err);
/* The role of an EC2 instance, by IMDSv2. */
TAKC_CHECK enum takc_status takc_aws_from_instance(struct takc_aws_walk *w, struct takc_aws_identity *out, bool *found,
                                                   struct takc_err *err);
/* The instance's region into out; NOT_FOUND when it is no instance. */
TAKC_CHECK enum takc_status takc_aws_instance_region(struct takc_aws_walk *w, char *out, size_t n, struct takc_err *err);

struct takc_aws_role { /* of sts */
    const char *arn, *session, *external_id, *web_token_file, *profile;
    uint64_t duration_s; /* 0: AWS's own, an hour */
};
/* AssumeRole signed with from, or AssumeRoleWithWebIdentity where there is a web_token_file (from is not looked at then). */
TAKC_CHECK enum takc_status takc_aws_assume(struct takc_aws_walk *w, const struct takc_aws_role *role, const struct takc_aws_identity *from,
                                            struct takc_aws_identity *out, struct takc_err *err);

/* Signs r with these keys and sends it once, skew added. */
TAKC_CHECK enum takc_status takc_aws_send_with(struct takc_aws *a, struct takc_call *call, const struct takc_aws_keys *k,
                                               const char *service, const char *region, const struct takc_http_request *r,
                                               struct takc_http_reply *out, struct takc_err *err);

#endif
