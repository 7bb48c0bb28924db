/* SPDX-License-Identifier: Apache-2.0
 *
 * aws/credentials.h - which keys to sign with: the chain that AWS SDKs walk, first that answers.
 *
 *   1 environment        AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
 *   2 assumed role       role_arn of the profile with source_profile or credential_source: sts AssumeRole, in chains of at most 8; circles
 * named 3 web identity       AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN, AWS_ROLE_SESSION_NAME, or the profile's web_identity_token_file 4
 * profile            sso_session / sso_start_url with the cached session; keys in the credentials file; credential_process; keys in the
 *                        config file
 *   5 container          AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, AWS_CONTAINER_CREDENTIALS_FULL_URI (loopback, link-local addresses of ECS
 *                        and EKS, or https only), with AWS_CONTAINER_AUTHORIZATION_TOKEN(_FILE)
 *   6 instance           IMDSv2 with a token, never IMDSv1; AWS_EC2_METADATA_DISABLED, AWS_EC2_METADATA_SERVICE_ENDPOINT
 *
 * The order is botocore's. The profile is the option, AWS_DEFAULT_PROFILE, AWS_PROFILE, or "default", in AWS_CONFIG_FILE and
 * AWS_SHARED_CREDENTIALS_FILE. With the option the environment (1, and the variables of 3) is not asked; with AWS_PROFILE it still comes
 * first. A profile that somebody named and that does not exist is an error. A source that is configured but broken is an error that names
 * it; the chain does not go on to another identity.
 *
 * Keys that expire are fetched again 5 minutes ahead (half-way, where they live for less than 10), by one caller at a time: others use the
 * old ones meanwhile, or wait where these are expired. Region: option, AWS_REGION, AWS_DEFAULT_REGION, profile, instance. Endpoints:
 * options, AWS_ENDPOINT_URL_STS (_SSO, _SECRETS_MANAGER, ...), AWS_ENDPOINT_URL, the profile's endpoint_url, AWS's own. Threads: any. */
#ifndef TAKC_AWS_CREDENTIALS_H
#define TAKC_AWS_CREDENTIALS_H

#include "aws/sigv4.h"

struct takc_aws;
struct takc_aws_options {
    struct takc_http *http;                                  /* borrowed, outlives it */
    const char *const *environment;                          /* as environ; NULL: empty */
    const char *home;                                        /* the user's folder, for ~/.aws; NULL: from the environment */
    const char *profile, *region;                            /* NULL: as above */
    const char *sts_endpoint, *imds_endpoint, *sso_endpoint; /* NULL: AWS's own; tests have theirs */
    const struct takc_clock *clock;                          /* NULL: the machine's */
};
/* Opens without asking anybody. Everything but http is copied. Returns owned: takc_aws_close. */
TAKC_CHECK enum takc_status takc_aws_open(struct takc_aws **out, const struct takc_aws_options *o, struct takc_err *err);
void takc_aws_close(struct takc_aws *a);

struct takc_aws_identity { /* a copy: the caller's; clear it */
    struct takc_buf store;
    struct takc_aws_keys keys;
    char source[160];  /* "environment", "profile work: role arn:aws:iam::1:role/x from profile base", "instance (IMDSv2)" */
    int64_t expires_s; /* 0: never */
};
/* The keys to sign with now. DENIED: nobody has any (says what was looked at), or a source refused; UPSTREAM, TIMEOUT: a source did not
 * answer; INVALID: a file or variable is wrong, with file and line. clear out afterwards, whatever the status. */
TAKC_CHECK enum takc_status takc_aws_keys(struct takc_aws *a, struct takc_call *call, struct takc_aws_identity *out, struct takc_err *err);
void takc_aws_identity_clear(struct takc_aws_identity *i); /* wipes */
/* Drops the keys in hand if they are these, so that the next call fetches new ones: after a service said that they are expired. Keys that
 * another caller has fetched since stay: a refusal that comes late is not about them. */
void takc_aws_forget_keys(struct takc_aws *a, const struct takc_aws_keys *refused);
/* The region: lives as long as a. INVALID: none is set, with how to set one. */
TAKC_CHECK enum takc_status takc_aws_region(struct takc_aws *a, struct takc_call *call, struct takc_str *out, struct takc_err *err);

/* Seconds that the server's clock is ahead of ours, learned from a refused signature; added to the time that is signed. */
int64_t takc_aws_skew_s(struct takc_aws *a);
void takc_aws_learn_skew(struct takc_aws *a, struct takc_str date_header);

/* Signs r with the keys in hand and sends it: what every AWS service of takc uses. Adds the headers that signing needs; on a refusal for
 * skew or expiry learns and tries once more. As takc_http_send otherwise. */
TAKC_CHECK enum takc_status takc_aws_send(struct takc_aws *a, struct takc_call *call, const char *service,
                                          const struct takc_http_request *r, struct takc_http_reply *out, struct takc_err *err);
/* The same in another region than takc_aws_region's. */
TAKC_CHECK enum takc_status takc_aws_send_in(struct takc_aws *a, struct takc_call *call, const char *service, const char *region,
                                             const struct takc_http_request *r, struct takc_http_reply *out, struct takc_err *err);
/* Appends where a service is, "https://HOST.REGION.amazonaws.com" unless the user set another: id as in AWS_ENDPOINT_URL_<id>
 * ("BEDROCK_RUNTIME"), host as in the name ("bedrock-runtime"). No '/' at its end. */
TAKC_CHECK enum takc_status takc_aws_endpoint_of(struct takc_aws *a, struct takc_call *call, const char *id, const char *host,
                                                 struct takc_buf *out, struct takc_err *err);
/* AWS_BEARER_TOKEN_<service> of the environment that a was opened with ("BEDROCK"), or NULL. Lives as long as a. */
const char *takc_aws_bearer(const struct takc_aws *a, const char *service);
/* A secret's text from Secrets Manager by ARN or name; of a JSON secret one field, written "arn#field". Appends. endpoint NULL: AWS's. */
TAKC_CHECK enum takc_status takc_aws_secret(struct takc_aws *a, struct takc_call *call, struct takc_str arn, const char *endpoint,
                                            struct takc_buf *out, struct takc_err *err);

#endif
