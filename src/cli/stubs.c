/* SPDX-License-Identifier: Apache-2.0
 *
 * stubs.c - verbs that are listed but not built yet. A file with the real function takes its place at link time (these are weak); then its
 * line goes here. */
#include "cli/verbs.h"

#define STUB(name_)                                                                                                                        \
    __attribute__((weak)) enum takc_status takc_verb_##name_(struct takc_cli *cli, struct takc_err *err)                                   \
    {                                                                                                                                      \
        return takc_fail(err, TAKC_UNSUPPORTED, 0, "%s is not built into this takc", cli->verb->name);                                     \
    }

STUB(ingest)
STUB(plan)
STUB(compress)
STUB(query)
STUB(chat)
STUB(explain)
STUB(verify)
STUB(forget)
STUB(cache)
STUB(backup)
STUB(restore)
STUB(doctor)
