/* SPDX-License-Identifier: Apache-2.0
 *
 * clock.c - the machine's clock, calls, dates. */
#include "base/clock.h"
#include "base/fiber.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static uint64_t system_mono(const struct takc_clock *c)
{
    struct timespec t;
    (void)c;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int64_t system_wall(const struct takc_clock *c)
{
    (void)c;
    return (int64_t)time(NULL);
}

static void system_sleep(const struct takc_clock *c, uint64_t ns)
{
    (void)c;
    struct timespec t = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
    if (takc_fiber_here())
        takc_fiber_sleep(ns);
    else
        (void)nanosleep(&t, NULL);
}

const struct takc_clock *takc_clock_system(void)
{
    static const struct takc_clock system_clock = {system_mono, system_wall, system_sleep};
    return &system_clock;
}

uint64_t takc_now_ns(void)
{
    return system_mono(takc_clock_system());
}

const struct takc_clock *takc_clock_or_system(const struct takc_clock *c)
{
    return c ? c : takc_clock_system();
}

void takc_call_init(struct takc_call *call)
{
    *call = (struct takc_call){0};
    atomic_init(&call->cancel, false);
}

void takc_call_below(struct takc_call *call, struct takc_call *above)
{
    takc_call_init(call);
    if (!above)
        return;
    call->deadline_ns = above->deadline_ns;
    call->clock = above->clock;
    call->request_id = above->request_id;
    call->progress = above->progress;
    call->progress_arg = above->progress_arg;
    call->traceparent = above->traceparent;
    call->tracestate = above->tracestate;
    call->above = above;
}

enum takc_status takc_call_check(struct takc_call *call, struct takc_err *err)
{
    if (!call)
        return TAKC_OK;
    for (const struct takc_call *c = call; c; c = c->above)
        if (atomic_load_explicit(&c->cancel, memory_order_relaxed))
            return takc_fail(err, TAKC_CANCELLED, 0, "stopped on request");
    const struct takc_clock *clock = takc_clock_or_system(call->clock);
    if (call->deadline_ns && clock->mono_ns(clock) >= call->deadline_ns)
        return takc_fail(err, TAKC_TIMEOUT, 0, "out of time");
    return TAKC_OK;
}

uint64_t takc_call_left_ms(struct takc_call *call, uint64_t max_ms)
{
    if (!call || !call->deadline_ns)
        return max_ms;
    const struct takc_clock *clock = takc_clock_or_system(call->clock);
    uint64_t now = clock->mono_ns(clock);
    uint64_t left = now >= call->deadline_ns ? 0 : (call->deadline_ns - now) / 1000000u;
    return left < max_ms ? left : max_ms;
}

void takc_call_progress(struct takc_call *call, const char *stage, const char *unit, uint64_t done, uint64_t total)
{
    if (call && call->progress)
        call->progress(call->progress_arg, stage, unit, done, total);
}

/* Civil date of a day number: Howard Hinnant's "chrono-compatible low-level date algorithms". */
static void civil_of_days(int64_t z, int64_t *y, unsigned *m, unsigned *d)
{
    z += 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    unsigned doe = (unsigned)(z - era * 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    *d = doy - (153 * mp + 2) / 5 + 1;
    *m = mp < 10 ? mp + 3 : mp - 9;
    *y = (int64_t)yoe + era * 400 + (*m <= 2);
}

static int64_t days_of_civil(int64_t y, unsigned m, unsigned d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    unsigned yoe = (unsigned)(y - era * 400), doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
    unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + (int64_t)doe - 719468;
}

void takc_time_text(int64_t s, char out[21])
{
    int64_t days = s >= 0 ? s / 86400 : -((-s + 86399) / 86400), rest = s - days * 86400, y;
    unsigned m, d;
    civil_of_days(days, &y, &m, &d);
    if (y < 0 || y > 9999)
        y = 0;
    (void)snprintf(out, 21, "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)y % 10000, m % 100, d % 100, (unsigned)(rest / 3600) % 100,
                   (unsigned)(rest / 60 % 60), (unsigned)(rest % 60));
}

enum takc_status takc_date_parse(const char *text, size_t len, int32_t *out_days, struct takc_err *err)
{
    unsigned v[3] = {0};
    static const unsigned char at[] = {0, 5, 8}, n[] = {4, 2, 2};
    bool good = (len == 10 || (len > 10 && (text[10] == 'T' || text[10] == ' '))) && text[4] == '-' && text[7] == '-';
    for (int k = 0; good && k < 3; k++)
        for (int i = 0; good && i < n[k]; i++) {
            unsigned d = (unsigned)(text[at[k] + i] - '0');
            good = d <= 9;
            v[k] = v[k] * 10 + d;
        }
    int64_t days = 0, y;
    if (good && v[1] >= 1 && v[1] <= 12 && v[2] >= 1 && v[2] <= 31) {
        unsigned m, d;
        days = days_of_civil(v[0], v[1], v[2]);
        civil_of_days(days, &y, &m, &d);
        good = m == v[1] && d == v[2];
    } else {
        good = false;
    }
    if (!good)
        return takc_fail(err, TAKC_INVALID, 0, "'%.*s' is not a date like 2026-01-31", (int)(len > 40 ? 40 : len), text);
    *out_days = (int32_t)days;
    return TAKC_OK;
}

void takc_date_text(int32_t days, char out[11])
{
    char t[21];
    takc_time_text((int64_t)days * 86400, t);
    memcpy(out, t, 10);
    out[10] = '\0';
}
