/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/serve_check.h - may a server start with these settings? What can be told without a home and without listening. */
#ifndef TAKC_CLI_SERVE_CHECK_H
#define TAKC_CLI_SERVE_CHECK_H

#include "config/settings.h"
#include "http/trace.h"

/* INVALID, NOT_FOUND, DENIED: the message names the setting and what to do. Reads the files and folders that settings name; asks nobody. */
TAKC_CHECK enum takc_status takc_serve_check(const struct takc_settings *s, struct takc_err *err);
/* What is set of traces; no URL where none are sent. */
struct takc_trace_options takc_serve_trace_options(const struct takc_settings *s);
/* Can the address be reached from this machine only? */
bool takc_serve_is_own_machine(struct takc_str address);

#endif
