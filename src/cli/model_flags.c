/* SPDX-License-Identifier: Apache-2.0
 *
 * model_flags.c - settings of models as the library takes them. */
#include "cli/model_flags.h"

#include <limits.h>

/* A flag is for this run, the profile for this task, the setting for all: the nearer one counts. */
static struct takc_str choose(const struct takc_cli *cli, const struct takc_profile *p)
{
    struct takc_str name = takc_cli_opt(cli, "model");
    if (!name.len && p)
        name = p->model;
    if (!name.len)
        name = cli->settings.model_name;
    return takc_str_is(name, "none") ? takc_str("") : name;
}

const char *takc_cli_model_origin(const struct takc_cli *cli, const struct takc_profile *p)
{
    return takc_cli_opt(cli, "model").len ? "--model" : p && p->model.len ? "the task's profile" : "the setting model.name";
}

/* "a:b, c:d" into a list. */
static enum takc_status split_names(struct takc_str list, struct takc_arena *a, struct takc_model_settings *out, struct takc_err *err)
{
    struct takc_str piece, rest = list;
    size_t max = 1;
    for (size_t i = 0; i < list.len; i++)
        max += list.ptr[i] == ',';
    struct takc_str *names = takc_arena_array(a, max, sizeof(*names));
    if (!names)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for the names of models");
    while (list.len && takc_str_split(&rest, ',', &piece))
        if (takc_str_trim(piece).len)
            names[out->n_fallbacks++] = takc_str_trim(piece);
    out->fallbacks = names;
    return TAKC_OK;
}

enum takc_status takc_cli_models(const struct takc_cli *cli, const struct takc_profile *p, struct takc_arena *a,
                                 struct takc_model_settings *out, struct takc_err *err)
{
    const struct takc_settings *s = &cli->settings;
    *out = (struct takc_model_settings){.model = choose(cli, p),
                                        .base_url = s->model_base_url,
                                        .api_key = s->model_api_key,
                                        .headers = s->model_headers,
                                        .region = s->model_region,
                                        .aws_profile = s->model_aws_profile,
                                        .bedrock_endpoint = s->model_endpoint,
                                        .guardrail = s->model_guardrail,
                                        .facts = s->model_facts,
                                        .ca_file = s->model_ca_file,
                                        .proxy = s->model_proxy,
                                        .requests_per_minute = s->model_requests_per_minute,
                                        .tokens_per_minute = s->model_tokens_per_minute,
                                        .parallel = (unsigned)s->model_parallel,
                                        .retries = s->model_retries ? (unsigned)s->model_retries : UINT_MAX,
                                        .retry_base_ms = s->model_retry_base_ms,
                                        .first_token_ms = s->model_first_token_ms,
                                        .total_ms = s->model_total_ms,
                                        .max_cost = s->cost_max,
                                        .monthly_cap = s->cost_monthly_cap,
                                        .clock = cli->call.clock};
    return split_names(s->model_fallbacks, a, out, err);
}
