/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a DOCX archive, and the same bytes as the XML in one: no crash, and what comes out keeps the promises of doc/doc.h. */
#include "base/alloc.h"
#include "doc/readers.h"

#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_one(struct takc_str bytes)
{
    struct takc_doc d;
    struct takc_err err;
    struct takc_reader_input in = {.bytes = bytes, .max_text_bytes = 1 << 22};
    takc_doc_init(&d);
    if (takc_reader_docx.read(NULL, &in, &d, &err) == TAKC_OK && takc_doc_check(&d, bytes.len, &err) != TAKC_OK)
        TAKC_BUG("%s", err.msg);
    takc_doc_clear(&d);
}

static void put(struct takc_buf *b, uint64_t v, unsigned n)
{
    if (takc_buf_le(b, v, n, NULL))
        TAKC_BUG("no memory");
}

static void put_str(struct takc_buf *b, struct takc_str s)
{
    if (takc_buf_add(b, s, NULL))
        TAKC_BUG("no memory");
}

/* An archive with one stored entry. */
static void wrap(struct takc_buf *b, struct takc_str name, struct takc_str bytes)
{
    for (int central = 0; central < 2; central++) {
        size_t at = b->len;
        put_str(b, takc_str(central ? "PK\1\2" : "PK\3\4"));
        if (central)
            put(b, 20, 2);
        put(b, 20, 8); /* version, flags, stored, time */
        put(b, 0, 2);
        put(b, crc32(0, (const Bytef *)bytes.ptr, (uInt)bytes.len), 4);
        put(b, bytes.len, 4);
        put(b, bytes.len, 4);
        put(b, name.len, 4); /* and no extra field */
        for (int i = 0; central && i < 2; i++)
            put(b, 0, 7);
        put_str(b, name);
        if (!central) {
            put_str(b, bytes);
            continue;
        }
        put_str(b, takc_str_n("PK\5\6\0\0\0\0\1\0\1\0", 12));
        put(b, b->len - 12 - at, 4);
        put(b, at, 6);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct takc_str bytes = takc_str_n((const char *)data, size);
    struct takc_buf b;
    if (takc_str_starts(bytes, takc_str("PK"))) {
        read_one(bytes);
        return 0;
    }
    takc_buf_init(&b, 1 << 28);
    wrap(&b, takc_str("word/document.xml"), bytes);
    read_one(takc_buf_str(&b));
    takc_buf_clear(&b);
    return 0;
}
