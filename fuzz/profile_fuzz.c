/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a task profile: refused with a place, or read; what was read is written and reads back the same. */
#include "base/alloc.h"
#include "task/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(const struct takc_profile *a, const struct takc_profile *b)
{
    bool good = takc_str_eq(a->description, b->description) && takc_str_eq(a->model, b->model) && a->n_rates == b->n_rates &&
                a->n_examples == b->n_examples && a->must_keep == b->must_keep && a->temperature == b->temperature &&
                a->chunk_overlap == b->chunk_overlap && a->ttl_s == b->ttl_s &&
                memcmp(a->rates, b->rates, a->n_rates * sizeof(a->rates[0])) == 0;
    for (size_t i = 0; good && i < a->n_examples; i++)
        good = takc_str_eq(a->examples[i].input, b->examples[i].input) && takc_str_eq(a->examples[i].output, b->examples[i].output);
    return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct takc_profile p, q;
    struct takc_buf out;
    struct takc_err err = {0};
    enum takc_status st = takc_profile_parse(&p, takc_str("fin"), takc_str_n((const char *)data, size), "f.yaml", &err);
    if (st) {
        if (st != TAKC_INVALID || strncmp(err.msg, "f.yaml:", 7) != 0)
            TAKC_BUG("refused without a place: %s", err.msg);
        return 0;
    }
    takc_buf_init(&out, 16 << 20);
    if (takc_profile_write(&p, &out, &err) || takc_profile_parse(&q, takc_str("fin"), takc_buf_str(&out), "back.yaml", &err))
        TAKC_BUG("%s", err.msg);
    if (!same(&p, &q))
        TAKC_BUG("read back otherwise:\n%s", out.ptr);
    takc_profile_clear(&q);
    takc_profile_clear(&p);
    takc_buf_clear(&out);
    return 0;
}
