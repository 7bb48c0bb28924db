/* SPDX-License-Identifier: Apache-2.0
 *
 * A ledger entry from anywhere: parsed or refused as damaged; what was parsed is written, and reads back to the same bytes. */
#include "base/alloc.h"
#include "pipeline/ledger.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct takc_ledger_entry e;
    struct takc_buf once, twice;
    struct takc_err err = {0};
    takc_buf_init(&once, TAKC_BUF_MAX_REPLY);
    takc_buf_init(&twice, TAKC_BUF_MAX_REPLY);
    enum takc_status st = takc_ledger_parse(takc_str_n((const char *)data, size), &e, &err);
    if (st && (st != TAKC_CORRUPT || err.status != st || !err.msg[0]))
        TAKC_BUG("refused as %s", takc_status_name(st));
    if (!st && (takc_ledger_write(&e, &once, &err) || takc_ledger_parse(takc_buf_str(&once), &e, &err) ||
                takc_ledger_write(&e, &twice, &err) || !takc_str_eq(takc_buf_str(&once), takc_buf_str(&twice))))
        TAKC_BUG("does not read back: %s", err.msg);
    takc_buf_clear(&once);
    takc_buf_clear(&twice);
    return 0;
}
