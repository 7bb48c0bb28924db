/* SPDX-License-Identifier: Apache-2.0
 *
 * progress.c - a bar with rate and time left on a terminal, a plain line now and then elsewhere.
 *
 * Drawn straight with write(2): stderr may be shared with log lines, and a half-drawn bar must not wait in a buffer. A stage that is over
 * before the first plain line is due says nothing: quick work stays quiet. */
#include "cli/term.h"

#include <stdio.h>
#include <unistd.h>

#define BAR_NS 100000000ull    /* ten times a second is as smooth as people see */
#define LINE_NS 2000000000ull  /* plain lines land in logs */
#define GUESS_NS 1000000000ull /* before this, a rate says nothing */
enum { BAR_CELLS = 24 };

void takc_progress_init(struct takc_progress *p, const struct takc_term *t, const struct takc_clock *clock)
{
    *p = (struct takc_progress){.term = *t, .clock = takc_clock_or_system(clock)};
}

static void say(const struct takc_progress *p, const char *text, size_t n)
{
    while (n > 0) {
        ssize_t w = write(p->term.fd, text, n);
        if (w <= 0)
            return; /* nothing depends on it */
        text += w;
        n -= (size_t)w;
    }
}

static const char *amount(const struct takc_progress *p, uint64_t n, char out[32])
{
    return strcmp(p->unit, "bytes") == 0 ? takc_bytes_text(n, out) : takc_count_text(n, out);
}

void takc_progress_text(const struct takc_progress *p, uint64_t now_ns, char out[200])
{
    char a[32], b[32], c[32], bar[BAR_CELLS + 4] = "", part[96] = "";
    uint64_t spent = now_ns > p->start_ns ? now_ns - p->start_ns : 0, made = p->done > p->start_done ? p->done - p->start_done : 0;
    const char *unit = strcmp(p->unit, "bytes") == 0 ? "" : p->unit, *blank = *unit ? " " : "";
    double rate = spent >= GUESS_NS ? (double)made * 1e9 / (double)spent : 0;
    if (p->term.terminal && p->total) {
        size_t full = p->done >= p->total ? BAR_CELLS : (size_t)((double)p->done / (double)p->total * BAR_CELLS);
        bar[0] = '[';
        memset(bar + 1, '#', full);
        memset(bar + 1 + full, '.', BAR_CELLS - full);
        memcpy(bar + 1 + BAR_CELLS, "] ", 3);
    }
    if (p->total)
        (void)snprintf(part, sizeof(part), "%3.0f%% %s of %s%s%s", p->done >= p->total ? 100.0 : (double)p->done * 100 / (double)p->total,
                       amount(p, p->done, a), amount(p, p->total, b), blank, unit);
    else
        (void)snprintf(part, sizeof(part), "%s%s%s", amount(p, p->done, a), blank, unit);
    int n = snprintf(out, 200, "%s %s%s", p->stage, bar, part);
    if (rate > 0 && n > 0 && n < 200)
        n += snprintf(out + n, 200 - (size_t)n, ", %s%s%.*s/s", amount(p, (uint64_t)(rate + 0.5), a), blank, (int)strcspn(unit, ","), unit);
    if (rate > 0 && p->total > p->done && n > 0 && n < 200)
        (void)snprintf(out + n, 200 - (size_t)n, ", %s left", takc_seconds_text((double)(p->total - p->done) / rate, c));
}

static void draw(struct takc_progress *p, uint64_t now)
{
    char text[200], line[240];
    takc_progress_text(p, now, text);
    int width = (int)p->term.width - 1; /* the last column would wrap on some terminals */
    int n = p->term.terminal ? snprintf(line, sizeof(line), "\r%.*s\033[K", width, text) : snprintf(line, sizeof(line), "%s\n", text);
    if (n > 0)
        say(p, line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
    p->drawn = p->term.terminal;
    p->spoke = true;
    p->shown_ns = now;
}

/* The last state of a stage that was shown before, as a line that stays. */
static void finish(struct takc_progress *p, uint64_t now)
{
    if (!p->spoke)
        return;
    draw(p, now);
    if (p->drawn)
        say(p, "\n", 1);
    p->drawn = p->spoke = false;
}

void takc_progress_update(void *progress, const char *stage, const char *unit, uint64_t done, uint64_t total)
{
    struct takc_progress *p = progress;
    uint64_t now = p->clock->mono_ns(p->clock);
    if (strncmp(p->stage, stage, sizeof(p->stage) - 1) != 0 || done < p->done) {
        finish(p, now);
        (void)snprintf(p->stage, sizeof(p->stage), "%s", stage);
        p->start_ns = p->shown_ns = now;
        p->start_done = done;
    }
    (void)snprintf(p->unit, sizeof(p->unit), "%s", unit); /* behind a comma it says what has changed, such as money */
    p->done = done;
    p->total = total;
    if (now - p->shown_ns >= (p->term.terminal ? BAR_NS : LINE_NS))
        draw(p, now);
}

void takc_progress_hide(struct takc_progress *p)
{
    if (p->drawn)
        say(p, "\r\033[K", 4);
    p->drawn = false;
}
