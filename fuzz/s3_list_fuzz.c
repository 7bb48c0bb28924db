/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a page of a listing of S3: refused, or every key is told whole, and the token of the next page is none or not empty. */
#include "aws/s3.h"
#include "base/alloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum takc_status each(void *arg, struct takc_str key, uint64_t size_bytes, struct takc_err *err)
{
    (void)size_bytes;
    (void)err;
    *(size_t *)arg += key.len;
    return TAKC_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct takc_err err = {0};
    struct takc_buf next;
    size_t told = 0;
    takc_buf_init(&next, 4096);
    enum takc_status st = takc_s3_read_list(takc_str_n((const char *)data, size), each, &told, &next, &err);
    if (st && !err.msg[0])
        TAKC_BUG("refused without a word");
    if (told > size)
        TAKC_BUG("%zu bytes of keys from %zu", told, size);
    takc_buf_clear(&next);
    return 0;
}
