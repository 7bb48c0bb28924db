/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzes the units of hostile bytes in two ways, told apart by the first byte: as a stored table of units (the checksum is made right, so
 * that the checks behind it are reached), and as a text whose structure the other bytes of the head make up. */
#include "base/hash.h"
#include "base/utf8.h"
#include "token/words.h"
#include "unit/chunk.h"
#include "unit/units.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum takc_status count_chunk(void *arg, const struct takc_chunk *chunk, struct takc_err *err)
{
    (void)err;
    *(size_t *)arg += chunk->n_units;
    return TAKC_OK;
}

/* Everything that reads units is asked; statuses do not matter, wild reads do. */
static void use(const struct takc_units *u, struct takc_str text)
{
    struct takc_buf out;
    size_t n = 0;
    struct takc_chunk_options o = takc_chunk_options_default();
    takc_buf_init(&out, 1 << 24);
    for (uint32_t i = 0; i < u->n_units; i++) {
        takc_buf_reset(&out);
        (void)!takc_unit_show(u, i, text, (int)(i % 3), &out, NULL);
        (void)!takc_heading_path(u, u->units[i].heading, text, &out, NULL);
    }
    for (uint32_t i = 0; i < u->n_anchors; i++)
        (void)!takc_anchor_show(u, i, text, &out, NULL);
    (void)!takc_chunks(u, text, takc_str("T"), &o, count_chunk, &n, NULL);
    takc_buf_clear(&out);
}

static void load(const uint8_t *data, size_t size)
{
    struct takc_units u;
    struct takc_buf b;
    takc_units_init(&u);
    takc_buf_init(&b, 1 << 24);
    struct takc_str body = takc_str_n((const char *)data, size);
    if (takc_buf_add(&b, takc_str("TKUN\1\0\0\0"), NULL) || takc_buf_add(&b, body, NULL))
        goto out;
    b.ptr[4] = 1;
    b.ptr[5] = b.ptr[6] = b.ptr[7] = 0;
    if (takc_buf_le(&b, takc_hash64(takc_buf_str(&b), 0x554E4B54), 8, NULL))
        goto out;
    if (takc_units_load(&u, takc_buf_str(&b), NULL) == TAKC_OK)
        use(&u, body);
out:
    takc_units_clear(&u);
    takc_buf_clear(&b);
}

/* Lines are blocks; the head's bytes say their kinds and flags in turn. */
static void build(const uint8_t *data, size_t size)
{
    enum { HEAD = 8 };
    if (size < HEAD)
        return;
    struct takc_doc d;
    struct takc_units u;
    size_t replaced;
    takc_doc_init(&d);
    takc_units_init(&u);
    d.text.max = 1 << 24;
    if (takc_utf8_repair(&d.text, takc_str_n((const char *)data + HEAD, size - HEAD), &replaced, NULL))
        goto out;
    struct takc_str text = takc_buf_str(&d.text);
    uint32_t from = 0;
    for (size_t i = 0, n = 0; i <= text.len; i++) {
        if (i < text.len && text.ptr[i] != '\n')
            continue;
        uint8_t x = data[n++ % HEAD];
        struct takc_block b = {.start = from, .end = (uint32_t)i, .kind = (uint8_t)(1 + x % (TAKC_BLOCK_KINDS - 1)), .flags = x >> 4};
        if (b.start < b.end && takc_doc_block(&d, b, NULL))
            goto out;
        from = (uint32_t)i + 1;
    }
    if (takc_units_build(&u, &d, takc_str_slice(text, 0, text.len < 40 ? text.len : 40), takc_tokenizer_at(0), NULL, NULL))
        abort(); /* a well-formed document can always be cut */
    use(&u, text);
out:
    takc_units_clear(&u);
    takc_doc_clear(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] & 1)
        load(data + 1, size - 1);
    else
        build(data + 1, size - 1);
    return 0;
}
