/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline/ledger.h - what was asked and delivered at a rate, as a file beside the artifact (docs/formats/ledger.md). Threads: pure. */
#ifndef TAKC_PIPELINE_LEDGER_H
#define TAKC_PIPELINE_LEDGER_H

#include "base/json.h"
#include "takc/compress.h"

/* As a JSON object, in the order of docs/formats/ledger.md. NULL when there is no memory. Returns owned. */
json_t *takc_ledger_json(const struct takc_ledger_entry *e);
TAKC_CHECK enum takc_status takc_ledger_write(const struct takc_ledger_entry *e, struct takc_buf *out, struct takc_err *err);
TAKC_CHECK enum takc_status takc_ledger_parse(struct takc_str json, struct takc_ledger_entry *out, struct takc_err *err);

#endif
