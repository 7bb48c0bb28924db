/* SPDX-License-Identifier: Apache-2.0
 *
 * A stored selection of damaged bytes. Its last eight bytes are made the right hash, so that the checks behind it are reached. What loads
 * is in range, and stores again as the same bytes. */
#include "base/alloc.h"
#include "base/hash.h"
#include "compress/selection_store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SEED = 0x5E1 };

static void check(const struct takc_selection *s)
{
    for (size_t i = 0; i < s->n_order; i++)
        if (s->order[i] >= s->n_units)
            TAKC_BUG("unit %zu of the order is none", i);
    for (size_t i = 0; i < s->n_units; i++)
        if (s->rung[i] >= TAKC_RUNGS || s->twin[i] > s->n_units)
            TAKC_BUG("unit %zu has a wrong rung or twin", i);
    for (size_t i = 0; i < s->n_docs; i++)
        if (s->first_unit[i] > s->first_unit[i + 1] || s->first_unit[i + 1] > s->n_units)
            TAKC_BUG("units of document %zu are out of range", i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct takc_buf in, out;
    struct takc_selection s = {0};
    struct takc_err err = {0};
    takc_buf_init(&in, TAKC_BUF_MAX_DOCUMENT);
    takc_buf_init(&out, TAKC_BUF_MAX_DOCUMENT);
    struct takc_str body = takc_str_n((const char *)data, size < 8 ? 0 : size - 8);
    if (takc_buf_add(&in, body, NULL) || takc_buf_le(&in, takc_hash64(body, SEED), 8, NULL))
        TAKC_BUG("no memory");
    enum takc_status st = takc_selection_load(&s, takc_buf_str(&in), &err);
    if (st && (st != TAKC_CORRUPT || err.status != st || !err.msg[0]))
        TAKC_BUG("refused as %s", takc_status_name(st));
    if (!st) {
        check(&s);
        if (takc_selection_save(&s, &out, &err) || !takc_str_eq(takc_buf_str(&in), takc_buf_str(&out)))
            TAKC_BUG("does not store again: %s", err.msg);
    }
    takc_selection_clear(&s);
    takc_buf_clear(&in);
    takc_buf_clear(&out);
    return 0;
}
