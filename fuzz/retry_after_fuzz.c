/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as Retry-After, eight of them the time: never more than 1,000 days, and a date waits exactly until then. */
#include "base/alloc.h"
#include "net/retry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST_MS (UINT64_C(86400000) * 1000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t now;
    if (size < sizeof(now))
        return 0;
    memcpy(&now, data, sizeof(now));
    now %= 253402300800; /* the year 10000 */
    struct takc_str s = takc_str_n((const char *)data + sizeof(now), size - sizeof(now));
    uint64_t as_s = takc_retry_after_ms(s, false, now), as_ms = takc_retry_after_ms(s, true, now);
    if (as_s > MOST_MS + 999 || as_ms > MOST_MS)
        TAKC_BUG("%llu and %llu ms", (unsigned long long)as_s, (unsigned long long)as_ms);
    /* A date is 10 s nearer 10 s later; a number is not. */
    uint64_t later = takc_retry_after_ms(s, false, now + 10);
    if (as_s > 10000 && as_s < MOST_MS && later != as_s && later != as_s - 10000)
        TAKC_BUG("%llu ms, and %llu ten seconds later", (unsigned long long)as_s, (unsigned long long)later);
    return 0;
}
