/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as the body and as the query string of every route: they fit, or the place that does not is named. */
#include "base/alloc.h"
#include "http/api.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void told(bool fits, const struct takc_schema_miss *miss)
{
    if (!fits && !miss->expected[0])
        TAKC_BUG("refused without a reason");
}

/* Without its nulls, too. */
static void still_fits(const struct takc_schema *s, const json_t *v)
{
    struct takc_schema_miss miss;
    json_t *w = json_deep_copy(v);
    takc_schema_drop_nulls(s, w);
    if (w && !takc_schema_check(s, w, &miss))
        TAKC_BUG("what fitted does not without its nulls");
    json_decref(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct takc_member members[] = {
        {"start", false, {.type = TAKC_TYPE_WHOLE, .limited = true, .min = 0, .max = 1000}},
        {"share", false, {.type = TAKC_TYPE_NUMBER, .limited = true, .min = 0, .max = 1}},
        {"text", true, {.type = TAKC_TYPE_TEXT, .min_len = 1, .max_len = 5}},
        {"on", false, {.type = TAKC_TYPE_BOOL}},
    };
    static const struct takc_schema params = {.type = TAKC_TYPE_OBJECT, TAKC_MEMBERS(members)};
    struct takc_str text = takc_str_n((const char *)data, size);
    struct takc_schema_miss miss;
    bool nomem;
    json_t *v = NULL;
    told(takc_schema_query(&params, text, &v, &miss, &nomem), &miss);
    json_decref(v);
    v = NULL;
    if (takc_json_parse(text, &v, NULL))
        return 0;
    for (size_t i = 0; takc_route_at(i); i++)
        if (takc_route_at(i)->body) {
            miss.expected[0] = '\0';
            bool fits = takc_schema_check(takc_route_at(i)->body, v, &miss);
            told(fits, &miss);
            if (fits)
                still_fits(takc_route_at(i)->body, v);
        }
    json_decref(v);
    return 0;
}
