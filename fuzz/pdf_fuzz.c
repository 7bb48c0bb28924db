/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as the output of pdftotext (and their beginning as that of pdfinfo): no crash, and the promises of doc/doc.h kept. pdftotext
 * itself runs confined and is not fuzzed here. */
#include "base/alloc.h"
#include "doc/pdf_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct takc_str bytes = takc_str_n((const char *)data, size);
    struct takc_doc d;
    struct takc_err err;
    takc_doc_init(&d);
    if (takc_pdf_text(&d, bytes, NULL, &err) == TAKC_OK) {
        if (takc_doc_check(&d, SIZE_MAX, &err) != TAKC_OK)
            TAKC_BUG("%s", err.msg);
        if (takc_pdf_info(&d, takc_str_slice(bytes, 0, size < 200 ? size : 200), &err) != TAKC_OK ||
            takc_doc_check(&d, SIZE_MAX, &err) != TAKC_OK)
            TAKC_BUG("%s", err.msg);
    }
    takc_doc_clear(&d);
    return 0;
}
