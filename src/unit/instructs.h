/* SPDX-License-Identifier: Apache-2.0
 *
 * unit/instructs.h - lines that speak to a reader model in ways that whole English words do not show: marks of chat templates, other
 * languages, letters of other scripts or invisible characters between the letters. Threads: pure functions. */
#ifndef TAKC_UNIT_INSTRUCTS_H
#define TAKC_UNIT_INSTRUCTS_H

#include "takc/str.h"

/* Looks at the first 2 KiB of a line (UTF-8). */
bool takc_line_instructs(struct takc_str line);

#endif
