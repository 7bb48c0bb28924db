/* SPDX-License-Identifier: Apache-2.0
 *
 * The list of documents of a version from anywhere: parsed or refused as damaged; what was parsed is written, and reads back to the same
 * bytes; a part's key is one of the task, or refused. */
#include "base/alloc.h"
#include "pipeline/docset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct takc_arena a;
    struct takc_docset d;
    struct takc_buf once, twice;
    struct takc_err err = {0};
    takc_arena_init(&a);
    takc_buf_init(&once, TAKC_BUF_MAX_DOCUMENT);
    takc_buf_init(&twice, TAKC_BUF_MAX_DOCUMENT);
    enum takc_status st = takc_docset_parse(takc_str_n((const char *)data, size), &a, &d, &err);
    if (st && (st != TAKC_CORRUPT || err.status != st || !err.msg[0]))
        TAKC_BUG("refused as %s", takc_status_name(st));
    for (size_t i = 0; !st && i < d.n_docs; i++) {
        struct takc_key key = takc_docset_part_key(takc_str("t"), &d.docs[i], ".structure");
        if (strlen(key.s) >= sizeof(key.s) || (!takc_store_key_check(takc_str(key.s), NULL) && strncmp(key.s, "text/t/", 7) != 0))
            TAKC_BUG("a part's key is %s", key.s);
    }
    if (!st && (takc_docset_write(&d, &once, &err) || takc_docset_parse(takc_buf_str(&once), &a, &d, &err) ||
                takc_docset_write(&d, &twice, &err) || !takc_str_eq(takc_buf_str(&once), takc_buf_str(&twice))))
        TAKC_BUG("does not read back: %s", err.msg);
    takc_buf_clear(&once);
    takc_buf_clear(&twice);
    takc_arena_clear(&a);
    return 0;
}
