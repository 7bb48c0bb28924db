/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline/ledger.h - what was asked and delivered at a rate, as a file beside the artifact (docs/formats/ledger.md). Threads: pure. */
#ifndef TAKC_PIPELINE_LEDGER_H
#define TAKC_PIPELINE_LEDGER_H

#include "base/json.h"
#include "compress/extractive.h"
#include "takc/compress.h"

/* Says what an artifact measures: its tokens, words, bytes, lines, and the factors that follow from them and from e's source_tokens. s:
 * what the artifact's set was chosen from; its sums are those of the source. */
void takc_ledger_measure(struct takc_ledger_entry *e, const struct takc_selection *s, const struct takc_set_size *size);
/* As a JSON object, in the order of docs/formats/ledger.md. NULL when there is no memory. Returns owned. */
json_t *takc_ledger_json(const struct takc_ledger_entry *e);
/* As JSON has money. */
double takc_ledger_usd(uint64_t picodollars);
/* Appends the stored form: indented, with a newline. */
TAKC_CHECK enum takc_status takc_ledger_write(const struct takc_ledger_entry *e, struct takc_buf *out, struct takc_err *err);
/* Reads it back; CORRUPT when it is no JSON or a member is missing or wrong. */
TAKC_CHECK enum takc_status takc_ledger_parse(struct takc_str json, struct takc_ledger_entry *out, struct takc_err *err);

#endif
