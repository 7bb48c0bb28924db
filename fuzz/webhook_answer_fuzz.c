/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a webhook's answer: none, a no, or a yes whose parts are what an identity may have. */
#include "auth/webhook.h"
#include "base/alloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct takc_arena a;
    struct takc_webhook_answer answer;
    takc_arena_init(&a);
    enum takc_status st = takc_webhook_read(takc_str_n((const char *)data, size), &a, &answer, NULL);
    if (st && st != TAKC_UPSTREAM)
        TAKC_BUG("%s", takc_status_name(st));
    if (!st && !answer.allow && (answer.who.may || answer.who.tenant.len || answer.who.n_tasks))
        TAKC_BUG("a no that gives something");
    if (!st && ((answer.who.may & ~(unsigned)TAKC_MAY_ALL) || (answer.who.tenant.len && !takc_grant_is_tenant(answer.who.tenant))))
        TAKC_BUG("a yes that gives what there is not");
    takc_arena_clear(&a);
    return 0;
}
