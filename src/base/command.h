/* SPDX-License-Identifier: Apache-2.0
 *
 * base/command.h - a command line of the user's choice as words, without a shell. Threads: pure functions. */
#ifndef TAKC_BASE_COMMAND_H
#define TAKC_BASE_COMMAND_H

#include "base/arena.h"

enum { TAKC_COMMAND_WORDS = 60 };

/* Splits as POSIX shells do, with their quotes and backslashes and nothing else of theirs; argv gets a NULL behind the last word. Words
 * live as long as the arena. INVALID: empty, too many words, an open quote; NOMEM. */
TAKC_CHECK enum takc_status takc_command_split(struct takc_arena *a, struct takc_str command, const char *argv[TAKC_COMMAND_WORDS + 1],
                                               struct takc_err *err);

#endif
