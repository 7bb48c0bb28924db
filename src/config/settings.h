/* SPDX-License-Identifier: Apache-2.0
 *
 * config/settings.h - what can be set, and what it is set to.
 *
 * One row per setting (rows.c) makes the parser, the checks, `takc config`, the manual page and the completion. A value comes from the
 * first of: flag, environment, file, default. The file is the first of --config, TAKC_CONFIG, $XDG_CONFIG_HOME/takc/takc.yaml,
 * /etc/takc/takc.yaml (the first two must exist). Unknown keys in the file and unknown TAKC_* variables are errors with the nearest known
 * name. A secret may also come from the file that NAME_FILE points to, and is never shown.
 * Threads: settings are read-only once loaded. */
#ifndef TAKC_CONFIG_SETTINGS_H
#define TAKC_CONFIG_SETTINGS_H

#include "base/arena.h"

enum takc_setting_type {
    TAKC_SETTING_UNSET = 0,
    TAKC_SETTING_TEXT,
    TAKC_SETTING_NUMBER, /* whole */
    TAKC_SETTING_BYTES,  /* whole, perhaps with KiB, MiB or GiB behind */
    TAKC_SETTING_SHARE,  /* 0 to 1, up to four decimals */
    TAKC_SETTING_BOOL,   /* true, false */
    TAKC_SETTING_CHOICE, /* one of the words of choices */
    TAKC_SETTING_LEVELS, /* "info" or "info,cache=debug" */
    TAKC_SETTING_MONEY   /* dollars, "2.50", up to six decimals; kept in picodollars (a dollar is 10^12), min and max too */
};

struct takc_setting {
    const char *name; /* "ingest.timeout_ms": parts are mappings in the file */
    enum takc_setting_type type;
    const char *fallback; /* the default as text */
    uint64_t min, max;    /* of numbers and bytes */
    const char *unit;     /* for people; "" for none */
    const char *choices;  /* words with '|' between */
    const char *help;
    bool reloadable, secret;
    const char *env[2]; /* names besides TAKC_NAME, first wins; NULL: none */
    size_t offset;      /* in struct takc_settings; its member's type goes with type */
};

/* Typed: what programs read. Views live as long as the settings. */
struct takc_settings {
    struct takc_str home, task;
    uint64_t threads;
    struct takc_str log_level, log_format;
    uint64_t ingest_max_file_bytes, ingest_max_text_bytes, ingest_timeout_ms;
    struct takc_str pdf_mode;
    uint64_t query_reader_tokens, query_artifact_tokens, query_questions_per_window;
    double query_abstain_below;
    bool query_keep_questions, query_answer_cache;
    uint64_t versions_keep, cache_ttl_s;
    struct takc_str model_name, model_fallbacks, model_base_url, model_api_key, model_headers, model_region, model_aws_profile;
    struct takc_str model_endpoint, model_guardrail, model_facts, model_ca_file, model_proxy;
    uint64_t model_requests_per_minute, model_tokens_per_minute, model_parallel, model_retries, model_retry_base_ms;
    uint64_t model_first_token_ms, model_total_ms;
    struct takc_str model_batch_role;
    uint64_t model_batch_min_records, model_batch_poll_ms;
    uint64_t cost_max, cost_monthly_cap; /* picodollars; 0: none */
    struct takc_str serve_address, serve_tls_cert, serve_tls_key;
    struct takc_str serve_auth;
    struct takc_str serve_auth_ca_file, serve_jwt_issuer, serve_jwt_audience, serve_jwt_jwks, serve_jwt_tenant_claim, serve_jwt_scope_claim;
    struct takc_str serve_jwt_tasks_claim, serve_jwt_token_use, serve_sigv4_keys, serve_sigv4_region, serve_sigv4_service;
    struct takc_str serve_webhook_url, serve_webhook_command, serve_webhook_headers;
    bool serve_sigv4_unsigned_body, serve_webhook_allow_private;
    uint64_t serve_webhook_ttl_s;
    uint64_t serve_port, serve_running_max, serve_waiting_max, serve_request_ms, serve_drain_ms;
    uint64_t serve_head_ms, serve_body_ms, serve_write_ms, serve_idle_ms;
    struct takc_str serve_cors_origins, serve_trusted_proxies;
    uint64_t serve_quota_per_s, serve_quota_burst, serve_quota_query_per_min, serve_quota_process_per_min, serve_quota_compress_per_min;
    uint64_t serve_quota_tokens_per_day, serve_quota_usd_per_day; /* the last in picodollars; 0: none */
    bool serve_access_log, serve_log_questions, serve_metrics_open;
    uint64_t serve_audit_days, serve_reply_cache_bytes;
    struct takc_str serve_metrics_tasks, serve_models;
    struct takc_str trace_endpoint, trace_url, trace_headers, trace_service, trace_attributes, trace_sampler, trace_sampler_arg;
    struct takc_str trace_disabled;
    struct takc_str serve_sources;
    uint64_t serve_upload_max_bytes, serve_jobs_max, serve_jobs_running, serve_fetch_max_bytes, serve_fetch_max_objects;
    struct takc_value *values; /* one per row, in the order of the rows */
    struct takc_str file;      /* that was read; empty: none */
    struct takc_arena arena;   /* owns all texts */
};

enum takc_origin_kind { TAKC_ORIGIN_UNSET = 0, TAKC_ORIGIN_FLAG, TAKC_ORIGIN_ENVIRONMENT, TAKC_ORIGIN_FILE, TAKC_ORIGIN_DEFAULT };

struct takc_value {
    struct takc_str text; /* as given */
    enum takc_origin_kind kind;
    struct takc_str origin; /* "--threads", "TAKC_THREADS", "/etc/takc/takc.yaml:3"; empty for a default */
};

/* A setting given on the command line. */
struct takc_setting_flag {
    const char *setting, *flag; /* "log.level", "--log-level" */
    struct takc_str value;
};

/* Where values come from; everything is borrowed. */
struct takc_settings_inputs {
    const struct takc_setting_flag *flags;
    size_t n_flags;
    const char *const *environment; /* as environ; NULL: empty */
    const char *config;             /* of --config; NULL: not given */
    const char *system_config;      /* NULL: /etc/takc/takc.yaml; tests have their own */
};

/* Loads. s is overwritten; clear it afterwards, whatever the status. INVALID names flag, variable, or file with line and column. */
TAKC_CHECK enum takc_status takc_settings_load(struct takc_settings *s, const struct takc_settings_inputs *in, struct takc_err *err);
/* Frees everything that the settings give a view of. */
void takc_settings_clear(struct takc_settings *s);

/* The i-th row, NULL behind the last. Static. */
const struct takc_setting *takc_setting_at(size_t i);
/* The row of exactly that name, or NULL. */
const struct takc_setting *takc_setting_find(struct takc_str name);
/* Writes the variable of a setting: "TAKC_INGEST_TIMEOUT_MS". */
void takc_setting_variable(const struct takc_setting *row, char out[72]);
/* "flag --x", "environment NAME", "file path:line", "default"; NULL when there is no memory. */
const char *takc_value_origin(struct takc_arena *a, const struct takc_value *v);

/* The value of a variable in a list like environ (NULL: empty), or NULL. Lives as long as the list. */
const char *takc_environment_find(const char *const *environment, const char *name);

/* --- the machinery over any table; what takc_settings_load and tests with their own rows call --- */
/* Fills values[n]; *out_file is the file that was read. */
TAKC_CHECK enum takc_status takc_values_load(const struct takc_setting *rows, size_t n, const struct takc_settings_inputs *in,
                                             struct takc_arena *a, struct takc_value *values, struct takc_str *out_file,
                                             struct takc_err *err);
/* Reads a file's text into values that no flag or variable has set. */
TAKC_CHECK enum takc_status takc_values_file(const struct takc_setting *rows, size_t n, struct takc_str yaml, const char *path,
                                             struct takc_arena *a, struct takc_value *values, struct takc_err *err);
/* Checks text against a row and, unless out is NULL, stores it at out by type. Views borrow text. */
TAKC_CHECK enum takc_status takc_setting_check(const struct takc_setting *row, struct takc_str text, void *out, struct takc_err *err);

#endif
