/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a page of a listing of S3: refused, or every key is told whole, and the token of the next page is none or not empty. A key
 * that may become a file's path stays below its folder. */
#include "aws/s3.h"
#include "base/alloc.h"
#include "source/s3.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool has(struct takc_str s, const char *piece)
{
    return takc_str_find(s, takc_str(piece), 0) != SIZE_MAX;
}

/* "/KEY/": so that its first and last part stand between slashes, too. */
static bool climbs(struct takc_str key)
{
    struct takc_buf framed;
    takc_buf_init(&framed, 8192);
    if (takc_buf_printf(&framed, NULL, "/%.*s/", TAKC_STR_ARG(key)))
        TAKC_BUG("no room for a key");
    struct takc_str s = takc_buf_str(&framed);
    bool bad = has(s, "//") || has(s, "/./") || has(s, "/../") || memchr(key.ptr, 0, key.len) || has(s, "\n");
    takc_buf_clear(&framed);
    return bad;
}

static enum takc_status each(void *arg, struct takc_str key, uint64_t size_bytes, struct takc_err *err)
{
    const char *why = "";
    if (!takc_source_s3_fits(key, &why) ? climbs(key) || why : !why || !why[0])
        TAKC_BUG("a key that climbs is taken, or one is refused without a word");
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
