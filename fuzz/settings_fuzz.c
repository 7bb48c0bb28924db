/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a settings file: refused with a place, or every value checks. */
#include "base/alloc.h"
#include "config/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROWS_MAX = 128 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct takc_value values[ROWS_MAX] = {0};
    struct takc_arena a;
    struct takc_err err = {0};
    size_t n = 0;
    while (takc_setting_at(n))
        n++;
    takc_arena_init(&a);
    enum takc_status st = takc_values_file(takc_setting_at(0), n, takc_str_n((const char *)data, size), "f.yaml", &a, values, &err);
    if (st && (st != TAKC_INVALID || strncmp(err.msg, "f.yaml:", 7) != 0))
        TAKC_BUG("refused without a place: %s", err.msg);
    for (size_t i = 0; !st && i < n; i++)
        if (values[i].kind && takc_setting_check(takc_setting_at(i), values[i].text, NULL, &err))
            TAKC_BUG("%s: %s", takc_setting_at(i)->name, err.msg);
    takc_arena_clear(&a);
    return 0;
}
