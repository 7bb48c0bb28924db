/* SPDX-License-Identifier: Apache-2.0
 *
 * retry.c - waits between tries, and the three forms of dates that Retry-After may hold (RFC 9110, 5.6.7). */
#include "net/retry.h"

#include <stdio.h>

/* 1,000 days: more than anybody waits, and far from where milliseconds overflow. */
#define AFTER_MAX_S UINT64_C(86400000)

struct takc_retry_policy takc_retry_policy_default(void)
{
    return (struct takc_retry_policy){.max_retries = 3, .base_ms = 500, .cap_ms = 20000, .max_after_ms = 120000};
}

struct takc_jitter takc_jitter_seed(uint64_t seed)
{
    return (struct takc_jitter){seed ? seed : 1};
}

/* An even number from 0 to max: xorshift64* (Marsaglia; Vigna), its high bits. */
static uint64_t draw(struct takc_jitter *j, uint64_t max)
{
    uint64_t x = j->state ? j->state : 1;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    j->state = x;
    x *= 0x2545F4914F6CDD1Du;
    return max == UINT64_MAX ? x : (uint64_t)(((unsigned __int128)x * (max + 1)) >> 64);
}

uint64_t takc_retry_wait_ms(const struct takc_retry_policy *p, struct takc_jitter *j, unsigned attempt, uint64_t asked_ms)
{
    if (asked_ms) {
        uint64_t more = draw(j, asked_ms / 10);
        return asked_ms > UINT64_MAX - more ? UINT64_MAX : asked_ms + more;
    }
    uint64_t most = p->cap_ms;
    if (attempt < 64 && p->base_ms <= p->cap_ms >> attempt)
        most = p->base_ms << attempt;
    return draw(j, most);
}

/* "12" or "12.5", times scale, rounded up; false for anything else. */
static bool read_number(struct takc_str s, uint64_t scale, uint64_t *out_ms)
{
    size_t dot = takc_str_find_byte(s, '.', 0);
    struct takc_str whole = takc_str_slice(s, 0, dot == SIZE_MAX ? s.len : dot);
    uint64_t n, fraction = 0, unit = scale;
    if (takc_str_u64(whole, AFTER_MAX_S * 1000u / scale, &n, NULL))
        return false;
    for (size_t i = dot == SIZE_MAX ? s.len : dot + 1; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        unit /= 10;
        fraction += (uint64_t)(s.ptr[i] - '0') * unit;
    }
    *out_ms = n * scale + fraction;
    return dot == SIZE_MAX || dot + 1 < s.len;
}

static unsigned month_of(const char name[4])
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (unsigned i = 0; i < 12; i++)
        if (memcmp(names + (size_t)3 * i, name, 3) == 0)
            return i + 1;
    return 0;
}

/* Two digits mean the year that is at most 50 ahead. */
static int full_year(int two, int64_t now_s)
{
    char now[21];
    takc_time_text(now_s, now);
    int this_year = (now[0] - '0') * 1000 + (now[1] - '0') * 100 + (now[2] - '0') * 10 + (now[3] - '0');
    int year = this_year - this_year % 100 + two;
    if (year > this_year + 50)
        return year - 100;
    return year <= this_year - 50 ? year + 100 : year;
}

bool takc_http_date(struct takc_str s, int64_t now_s, int64_t *out_s)
{
    char text[40], day[10], month[4] = "", date[40];
    int d, y, h, m, sec, end = 0;
    int32_t days;
    if (s.len >= sizeof(text) || memchr(s.ptr, '\0', s.len))
        return false;
    memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    if (sscanf(text, "%3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n", day, &d, month, &y, &h, &m, &sec, &end) == 7 && end)
        ;
    else if (sscanf(text, "%9[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d GMT%n", day, &d, month, &y, &h, &m, &sec, &end) == 7 && end)
        y = full_year(y, now_s);
    else if (sscanf(text, "%3[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d%n", day, month, &d, &h, &m, &sec, &y, &end) != 7 || !end)
        return false;
    if ((size_t)end != s.len || d < 0 || y < 0 || h < 0 || h > 23 || m < 0 || m > 59 || sec < 0 || sec > 60)
        return false;
    (void)snprintf(date, sizeof(date), "%04d-%02u-%02d", y, month_of(month), d);
    if (takc_date_parse(date, strlen(date), &days, NULL))
        return false;
    *out_s = (int64_t)days * 86400 + h * 3600 + m * 60 + sec;
    return true;
}

uint64_t takc_retry_after_ms(struct takc_str value, bool is_ms, int64_t now_s)
{
    uint64_t ms;
    int64_t at;
    value = takc_str_trim(value);
    if (value.len == 0)
        return 0;
    if (read_number(value, is_ms ? 1 : 1000, &ms))
        return ms;
    if (is_ms || !takc_http_date(value, now_s, &at) || at <= now_s)
        return 0;
    uint64_t left = (uint64_t)at - (uint64_t)now_s;
    return (left > AFTER_MAX_S ? AFTER_MAX_S : left) * 1000u;
}

enum takc_status takc_call_sleep(struct takc_call *call, uint64_t ms, struct takc_err *err)
{
    enum { PIECE_MS = 100 };
    const struct takc_clock *clock = takc_clock_or_system(call ? call->clock : NULL);
    enum takc_status st = takc_call_check(call, err);
    if (!st && takc_call_left_ms(call, UINT64_MAX) < ms)
        return takc_fail(err, TAKC_TIMEOUT, 0, "a wait of %.1f s would pass the deadline", (double)ms / 1000);
    while (!st && ms) {
        uint64_t piece = ms < PIECE_MS ? ms : PIECE_MS;
        clock->sleep_ns(clock, piece * 1000000u);
        ms -= piece;
        st = takc_call_check(call, err);
    }
    return st;
}
