/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as an HTML page: no crash, and what comes out keeps the promises of doc/doc.h. Every run of the map is read again. */
#include "base/alloc.h"
#include "doc/readers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct takc_doc d;
    struct takc_err err;
    struct takc_reader_input in = {.bytes = takc_str_n((const char *)data, size), .max_text_bytes = 1 << 24};
    takc_doc_init(&d);
    if (takc_reader_html.read(NULL, &in, &d, &err) == TAKC_OK) {
        if (takc_doc_check(&d, size, &err) != TAKC_OK)
            TAKC_BUG("%s", err.msg);
        for (size_t i = 0; i < d.n_runs; i++) {
            const struct takc_map_run *r = &d.runs[i];
            size_t n = r->end - r->start;
            if (r->kind == TAKC_MAP_VERBATIM &&
                (memcmp(d.text.ptr + r->start, data + r->src_start, n) != 0 || memchr(data + r->src_start, '<', n)))
                TAKC_BUG("run %zu", i);
        }
    }
    takc_doc_clear(&d);
    return 0;
}
