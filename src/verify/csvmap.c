/* SPDX-License-Identifier: Apache-2.0
 *
 * csvmap.c - what a slice of CSV stands for: as it is, or with the outer quotes gone and doubled quotes halved. */
#include "verify/map.h"

enum takc_status takc_map_csv(struct takc_str utf8, unsigned variant, struct takc_buf *out, bool *out_more, const char **out_wrong,
                              struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    (void)out_wrong;
    *out_more = variant == 0;
    if (variant == 0)
        return takc_buf_add(out, utf8, err);
    if (utf8.len >= 2 && utf8.ptr[0] == '"' && utf8.ptr[utf8.len - 1] == '"' && utf8.len > 2)
        utf8 = takc_str_slice(utf8, 1, utf8.len - 1);
    for (size_t pos = 0; !st && pos < utf8.len; pos++) {
        st = takc_buf_byte(out, utf8.ptr[pos], err);
        if (utf8.ptr[pos] == '"' && pos + 1 < utf8.len && utf8.ptr[pos + 1] == '"')
            pos++;
    }
    return st;
}
