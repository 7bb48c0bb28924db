/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as ~/.aws/config (first byte odd) or ~/.aws/credentials: refused with a line, or every entry is found again under its section.
 */
#include "aws/ini.h"
#include "base/alloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_again(const struct takc_ini *ini)
{
    struct takc_str v;
    char key[256];
    for (size_t i = 0; i < ini->n && i < 200; i++) {
        const struct takc_ini_entry *e = &ini->entries[i];
        if (!takc_ini_has_section(ini, e->section) || e->key.len >= sizeof(key))
            continue;
        memcpy(key, e->key.ptr, e->key.len);
        key[e->key.len] = '\0';
        if (!takc_ini_get(ini, e->section, key, &v))
            TAKC_BUG("line %u is not found again", e->line);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct takc_arena a;
    struct takc_ini ini = {0};
    struct takc_err err = {0};
    if (size < 1)
        return 0;
    takc_arena_init(&a);
    enum takc_status st = takc_ini_parse(&ini, takc_str_n((const char *)data + 1, size - 1), data[0] & 1, &a, &err);
    if (st && (st != TAKC_INVALID || strncmp(err.msg, "line ", 5) != 0))
        TAKC_BUG("refused without a line: %s", err.msg);
    if (!st)
        look_again(&ini);
    takc_arena_clear(&a);
    return 0;
}
