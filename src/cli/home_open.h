/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/home_open.h - what most verbs begin with: the task and the home. */
#ifndef TAKC_CLI_HOME_OPEN_H
#define TAKC_CLI_HOME_OPEN_H

#include "catalog/home.h"
#include "cli/verbs.h"

/* Opens the home of the settings; a missing one is NOT_FOUND and names `takc init`. Close it with takc_home_close. */
TAKC_CHECK enum takc_status takc_cli_open(struct takc_cli *cli, struct takc_home **out, struct takc_err *err);
/* As takc_cli_open, but a missing home is made. */
TAKC_CHECK enum takc_status takc_cli_open_or_make(struct takc_cli *cli, struct takc_home **out, struct takc_err *err);
/* As takc_cli_open, and the task of -t. */
TAKC_CHECK enum takc_status takc_cli_open_task(struct takc_cli *cli, struct takc_home **out, struct takc_str *out_task,
                                               struct takc_err *err);
/* Threads to use: the setting, or one per processor. */
unsigned takc_cli_threads(const struct takc_cli *cli);

#endif
