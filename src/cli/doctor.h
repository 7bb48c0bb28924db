/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/doctor.h - what takc doctor found: a line each for people, or with --json one list of {check, status, detail}.
 * Threads: one. */
#ifndef TAKC_CLI_DOCTOR_H
#define TAKC_CLI_DOCTOR_H

#include "cli/cli.h"

struct takc_home;

enum takc_health { TAKC_HEALTH_UNSET = 0, TAKC_HEALTH_OK, TAKC_HEALTH_MISSING, TAKC_HEALTH_NOTE, TAKC_HEALTH_WRONG };

struct takc_doctor {
    struct takc_cli *cli;
    json_t *checks; /* owned; NULL: lines are printed */
};

/* "check        detail"; without first the name is not printed again. WRONG makes the exit code 1. check: "home", "task fin". */
TAKC_CHECK enum takc_status takc_doctor_say(struct takc_doctor *d, const char *check, bool first, enum takc_health health,
                                            struct takc_err *err, const char *fmt, ...) TAKC_PRINTF(6, 7);
/* "  detail" behind the line of a check. */
TAKC_CHECK enum takc_status takc_doctor_add(struct takc_doctor *d, const char *check, enum takc_health health, struct takc_err *err,
                                            const char *fmt, ...) TAKC_PRINTF(5, 6);
/* "  WRONG check: detail"; the exit code becomes 1. */
TAKC_CHECK enum takc_status takc_doctor_wrong(struct takc_doctor *d, const char *check, const char *detail, struct takc_err *err);

/* doctor_model.c: the model of the task of -t (the flag's, its profile's, the settings'): where it is, as whom it is asked, its price; with
 * --online what one word of it cost. What is wrong with it is told. */
TAKC_CHECK enum takc_status takc_doctor_model(struct takc_doctor *d, struct takc_home *home, struct takc_err *err);

#endif
