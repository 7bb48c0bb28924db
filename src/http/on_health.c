/* SPDX-License-Identifier: Apache-2.0
 *
 * on_health.c - is it alive, is it ready, what does it offer. Nothing here asks a model. */
#include "http/api.h"

#include "base/clock.h"

void takc_on_live(struct takc_exchange *x, const struct takc_asked *asked)
{
    (void)asked;
    takc_api_json(x, 200, json_pack("{ss}", "status", "ok"));
}

/* Is the home there, and can it be read? A folder that was removed would read as an empty one. */
static enum takc_status look_at_home(const struct takc_api *api, struct takc_exchange *x, struct takc_err *err)
{
    struct takc_arena a;
    struct takc_key_list keys = {0};
    takc_arena_init(&a);
    enum takc_status st = takc_home_check(api->home, err);
    if (!st)
        st = takc_home_keys(takc_home_store(api->home), &x->call, takc_str("tasks/"), &a, &keys, err);
    takc_arena_clear(&a);
    return st;
}

void takc_on_ready(struct takc_exchange *x, const struct takc_asked *asked)
{
    struct takc_err err = {0};
    enum takc_status st = look_at_home(asked->api, x, &err);
    if (st)
        takc_api_fail(x, TAKC_BUSY, TAKC_ABOUT_UNSET, &(struct takc_err){.msg = "the home cannot be read"});
    else
        takc_api_json(x, 200, json_pack("{ss}", "status", "ready"));
}

void takc_on_health(struct takc_exchange *x, const struct takc_asked *asked)
{
    char now[21];
    const struct takc_clock *clock = takc_clock_system();
    struct takc_err err = {0};
    enum takc_status st = look_at_home(asked->api, x, &err);
    takc_time_text(clock->wall_s(clock), now);
    takc_api_json(x, st ? 503 : 200,
                  json_pack("{ss ss s{ss ss} ss sI}", "status", st ? "unhealthy" : "healthy", "timestamp", now, "services", "home",
                            st ? "unreachable" : "ok", "model", asked->api->model.model.len ? "configured" : "none", "version",
                            TAKC_VERSION_TEXT, "uptime_s", (json_int_t)(clock->wall_s(clock) - asked->api->started_s)));
}

void takc_on_openapi(struct takc_exchange *x, const struct takc_asked *asked)
{
    takc_api_json(x, 200, takc_openapi(asked->api->auth != NULL));
}
