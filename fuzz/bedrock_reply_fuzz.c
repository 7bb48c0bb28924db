/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a whole reply of Bedrock (the first byte is the form), as a refusal, as a guardrail's answer, as a line of a batch job: what
 * is OK has an end, what is not has a failure. */
#include "base/alloc.h"
#include "model/bedrock_batch.h"
#include "model/bedrock_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(enum takc_status st, const struct takc_model_reply *r)
{
    if (st ? !r->failure && st != TAKC_NOMEM : r->failure || !r->stop)
        TAKC_BUG("status %d with failure %d and stop %d", st, r->failure, r->stop);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct takc_model_reply r;
    struct takc_guard_result g = {0};
    const struct takc_model_facts facts = {.body = takc_str("llama")};
    char id[64];
    if (size < 1)
        return 0;
    struct takc_str s = takc_str_n((const char *)data + 1, size - 1);
    takc_model_reply_init(&r);
    takc_buf_init(&g.text, TAKC_BUF_MAX_REPLY);
    takc_buf_init(&g.found, TAKC_BUF_MAX_REPLY);
    check(takc_bedrock_read(s, (enum takc_bedrock_form)(TAKC_BEDROCK_CONVERSE + data[0] % TAKC_BEDROCK_NOVA), &r, NULL), &r);
    takc_model_reply_reset(&r);
    r.http = 400 + data[0];
    if (!takc_bedrock_refusal(takc_str_slice(s, 0, s.len < 20 ? s.len : 20), s, takc_str("qq"), &r, NULL))
        TAKC_BUG("a refusal is OK");
    check(takc_batch_read_record(s, takc_str("meta.llama3"), &facts, id, &r, NULL), &r);
    (void)!takc_bedrock_read_guard(s, &g, NULL);
    takc_guard_result_clear(&g);
    takc_model_reply_clear(&r);
    return 0;
}
