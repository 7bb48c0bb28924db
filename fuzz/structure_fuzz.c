/* SPDX-License-Identifier: Apache-2.0
 *
 * takc_doc_load. The input is: length of the text (2 bytes), length of the structure (2 bytes), text, structure, map. The checksums
 * are made right here, else nothing but them would be tried. What loads must store again. */
#include "reader_fuzz.h"

#include "base/hash.h"

static void fix_sum(char *p, size_t n)
{
    if (n < 24)
        return;
    uint64_t sum = takc_hash64(takc_str_n(p + 24, n - 24), 0);
    for (unsigned i = 0; i < 8; i++)
        p[16 + i] = (char)(sum >> (8 * i));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct takc_buf b;
    struct takc_doc d;
    takc_buf_init(&b, 1 << 20);
    takc_doc_init(&d);
    if (size < 4 || takc_buf_add(&b, takc_str_n((const char *)data + 4, size - 4), NULL))
        return 0;
    size_t text = takc_le(data, 2) < b.len ? (size_t)takc_le(data, 2) : b.len, left = b.len - text;
    size_t structure = takc_le(data + 2, 2) < left ? (size_t)takc_le(data + 2, 2) : left;
    fix_sum(b.ptr + text, structure);
    fix_sum(b.ptr + text + structure, left - structure);
    struct takc_str all = takc_buf_str(&b);
    if (takc_doc_load(&d, takc_str_slice(all, 0, text), takc_str_slice(all, text, text + structure),
                      takc_str_slice(all, text + structure, all.len), NULL) == TAKC_OK)
        takc_fuzz_store(&d);
    takc_doc_clear(&d);
    takc_buf_clear(&b);
    return 0;
}
