/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a user's file of models: refused with a place, or read over the shipped table; ids are then found, and money adds up. */
#include "base/alloc.h"
#include "model/facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct takc_facts_table t = {0};
    struct takc_err err = {0};
    const struct takc_usage u = {.input = 1000, .output = 10, .cache_read = 1, .cache_write = 1};
    char money[32];
    takc_arena_init(&t.arena);
    enum takc_status st = takc_facts_read(&t, takc_str_n((const char *)data, size), "f.yaml", &err);
    if (st && (st != TAKC_INVALID || strncmp(err.msg, "f.yaml:", 7) != 0))
        TAKC_BUG("refused without a place: %s", err.msg);
    for (size_t i = 0; i < t.n; i++) {
        struct takc_model_facts f = takc_facts_find(&t, t.rows[i].provider, t.rows[i].id);
        if (!f.known || takc_facts_cost(&f, &u, true) > takc_facts_cost(&f, &u, false))
            TAKC_BUG("%.*s", TAKC_STR_ARG(t.rows[i].id));
        takc_money_text(takc_facts_cost(&f, &u, false), money);
        if (money[0] != '$' && money[0] != '<')
            TAKC_BUG("money: %s", money);
    }
    takc_facts_clear(&t);
    return 0;
}
