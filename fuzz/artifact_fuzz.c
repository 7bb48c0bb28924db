/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as an artifact: refused, or parts, spans and text are all in bounds and the text can be made. */
#include "compress/artifact.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct takc_artifact a;
    struct takc_buf text;
    struct takc_err err;
    takc_buf_init(&text, TAKC_BUF_MAX_DOCUMENT);
    if (takc_artifact_parse(&a, takc_str_n((const char *)data, n), &err) == TAKC_OK) {
        for (size_t i = 0; i < a.n_segments; i++)
            for (size_t k = 0; k < a.segments[i].n_parts; k++)
                for (size_t j = 0; j < a.segments[i].parts[k].n_spans; j++)
                    if (a.segments[i].parts[k].spans[j].doc >= a.n_documents)
                        abort();
        if (takc_artifact_text(&a, &text, &err))
            abort();
    }
    takc_buf_clear(&text);
    takc_artifact_clear(&a);
    return 0;
}
