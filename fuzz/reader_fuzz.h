/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz/reader_fuzz.h - what every fuzz target of a reader does: read, check, compare verbatim runs, store and load. */
#ifndef TAKC_FUZZ_READER_FUZZ_H
#define TAKC_FUZZ_READER_FUZZ_H

#include "base/alloc.h"
#include "doc/readers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void takc_fuzz_store(const struct takc_doc *d)
{
    struct takc_buf structure, map;
    struct takc_doc again;
    takc_doc_init(&again);
    takc_buf_init(&structure, 1 << 28);
    takc_buf_init(&map, 1 << 28);
    if (takc_doc_save_structure(d, &structure, NULL) || takc_doc_save_map(d, &map, NULL) ||
        takc_doc_load(&again, takc_buf_str(&d->text), takc_buf_str(&structure), takc_buf_str(&map), NULL))
        TAKC_BUG("what was stored does not load");
    if (again.n_blocks != d->n_blocks || again.n_runs != d->n_runs || !takc_str_eq(takc_buf_str(&again.title), takc_buf_str(&d->title)))
        TAKC_BUG("what was loaded differs");
    takc_doc_clear(&again);
    takc_buf_clear(&structure);
    takc_buf_clear(&map);
}

static inline int takc_fuzz_reader(const struct takc_reader_ops *r, const uint8_t *data, size_t size)
{
    struct takc_reader_input in = {.bytes = takc_str_n((const char *)data, size), .name = takc_str("fuzz"), .max_text_bytes = 1 << 24};
    struct takc_doc d;
    struct takc_err err = {0};
    takc_doc_init(&d);
    enum takc_status st = takc_reader_read(r, NULL, &in, &d, &err);
    if (strstr(err.msg, "broke a promise"))
        TAKC_BUG("%s", err.msg);
    for (size_t i = 0; !st && i < d.n_runs; i++)
        if (d.runs[i].kind == TAKC_MAP_VERBATIM &&
            memcmp(d.text.ptr + d.runs[i].start, in.bytes.ptr + d.runs[i].src_start, d.runs[i].end - d.runs[i].start) != 0)
            TAKC_BUG("run %zu is not verbatim", i);
    if (!st)
        takc_fuzz_store(&d);
    takc_doc_clear(&d);
    return 0;
}

#endif
