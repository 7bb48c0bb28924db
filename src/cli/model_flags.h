/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/model_flags.h - the models of a verb: settings, the task's profile and flags made into what the library takes. */
#ifndef TAKC_CLI_MODEL_FLAGS_H
#define TAKC_CLI_MODEL_FLAGS_H

#include "cli/cli.h"
#include "takc/model.h"
#include "task/profile.h"

struct takc_home;

/* The options of a verb that may ask a model, for its table: --model NAME and --max-cost DOLLARS. */
#define TAKC_MODEL_OPTIONS                                                                                                                 \
    {"model", 0, TAKC_OPTION_SETTING, "PROVIDER:MODEL", "the model to ask; none: no model", "model.name", false},                          \
    {                                                                                                                                      \
        "max-cost", 0, TAKC_OPTION_SETTING, "DOLLARS", "most that this run may spend on models, a hard stop", "cost.max_usd", false        \
    }

/* Fills out with everything that settings and flags say. The model is the first of: --model, p's model (p NULL: no profile is looked at),
 * model.name of the environment or file; "none" from any of these means no model, out->model is empty then. Views borrow from cli, p and
 * the arena. NOMEM. */
TAKC_CHECK enum takc_status takc_cli_models(const struct takc_cli *cli, const struct takc_profile *p, struct takc_arena *a,
                                            struct takc_model_settings *out, struct takc_err *err);
/* Where the name of the model came from, in words: "--model", "the task's profile", "the setting model.name". p as for takc_cli_models. */
const char *takc_cli_model_origin(const struct takc_cli *cli, const struct takc_profile *p);

#endif
