/* SPDX-License-Identifier: Apache-2.0
 *
 * log.c - levels by subject, and two forms of a line.
 *
 * One relaxed load tells the common case (nobody wants this level) without a lock; the rules behind it are copied out of a small table
 * under a mutex. Lines are made on the stack: logging about running out of memory needs none. */
#include "base/log.h"
#include "base/thread.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

struct rule {
    char subject[TAKC_LOG_SUBJECT_MAX]; /* "": all */
    enum takc_log_level level;
};
struct rules {
    struct rule rule[TAKC_LOG_RULES_MAX];
    size_t n;
    enum takc_log_level most;
};

static const char *const level_names[] = {"", "off", "error", "warn", "info", "debug"};

static atomic_int loudest; /* the most that any rule lets through; 0 without a sink */
static struct takc_mutex mutex = TAKC_MUTEX_INIT;
static struct {
    struct rules rules;
    takc_log_sink_fn *sink;
    void *arg;
    const struct takc_clock *clock;
} locked TAKC_GUARDED_BY(mutex);

static enum takc_status parse_rule(struct takc_str text, struct rule *out, struct takc_err *err)
{
    size_t eq = takc_str_find_byte(text, '=', 0);
    struct takc_str subject = takc_str_slice(text, 0, eq == SIZE_MAX ? 0 : eq);
    struct takc_str level = eq == SIZE_MAX ? text : takc_str_slice(text, eq + 1, text.len);
    if (eq == 0 || subject.len >= TAKC_LOG_SUBJECT_MAX)
        return takc_fail(err, TAKC_INVALID, 0, "log levels: '%.*s': a subject of 1 to %d characters is expected", TAKC_STR_ARG(text),
                         (int)TAKC_LOG_SUBJECT_MAX - 1);
    for (size_t i = TAKC_LOG_OFF; i <= TAKC_LOG_DEBUG; i++) {
        if (!takc_str_is(level, level_names[i]))
            continue;
        if (subject.len)
            memcpy(out->subject, subject.ptr, subject.len);
        out->subject[subject.len] = '\0';
        out->level = (enum takc_log_level)i;
        return TAKC_OK;
    }
    return takc_fail(err, TAKC_INVALID, 0, "log levels: '%.*s' is none of error, warn, info, debug, off", TAKC_STR_ARG(level));
}

static enum takc_status parse_rules(const char *levels, struct rules *out, struct takc_err *err)
{
    struct takc_str rest = takc_str(levels), piece;
    enum takc_status st = TAKC_OK;
    while (!st && takc_str_split(&rest, ',', &piece)) {
        if (out->n == TAKC_LOG_RULES_MAX)
            return takc_fail(err, TAKC_INVALID, 0, "log levels: more than %d", (int)TAKC_LOG_RULES_MAX);
        if (!(st = parse_rule(takc_str_trim(piece), &out->rule[out->n], err)) && out->rule[out->n++].level > out->most)
            out->most = out->rule[out->n - 1].level;
    }
    return st;
}

enum takc_status takc_log_set(takc_log_sink_fn *sink, void *arg, const char *levels, const struct takc_clock *clock, struct takc_err *err)
{
    struct rules rules = {0};
    enum takc_status st = parse_rules(levels, &rules, err);
    if (st)
        return st;
    takc_mutex_lock(&mutex);
    locked.rules = rules;
    locked.sink = sink;
    locked.arg = arg;
    locked.clock = takc_clock_or_system(clock);
    takc_mutex_unlock(&mutex);
    atomic_store_explicit(&loudest, sink ? (int)rules.most : 0, memory_order_relaxed);
    return TAKC_OK;
}

/* Does rule cover subject? By whole parts: "cache" covers "cache.redis", not "caches". */
static bool covers(const char *rule, const char *subject)
{
    size_t n = strlen(rule);
    return n == 0 || (strncmp(rule, subject, n) == 0 && (subject[n] == '\0' || subject[n] == '.'));
}

static bool wanted_locked(enum takc_log_level level, const char *subject) TAKC_REQUIRES(mutex)
{
    const struct rule *best = NULL;
    for (size_t i = 0; i < locked.rules.n; i++) {
        const struct rule *r = &locked.rules.rule[i];
        if (covers(r->subject, subject) && (!best || strlen(r->subject) >= strlen(best->subject)))
            best = r;
    }
    return locked.sink && best && level <= best->level;
}

bool takc_log_on(enum takc_log_level level, const char *subject)
{
    if ((int)level > atomic_load_explicit(&loudest, memory_order_relaxed))
        return false;
    takc_mutex_lock(&mutex);
    bool on = wanted_locked(level, subject);
    takc_mutex_unlock(&mutex);
    return on;
}

struct target {
    takc_log_sink_fn *sink; /* NULL: nobody wants the line */
    void *arg;
    const struct takc_clock *clock;
};

static struct target target_of(enum takc_log_level level, const char *subject)
{
    struct target t = {NULL, NULL, NULL};
    if ((int)level > atomic_load_explicit(&loudest, memory_order_relaxed))
        return t;
    takc_mutex_lock(&mutex);
    t = (struct target){wanted_locked(level, subject) ? locked.sink : NULL, locked.arg, locked.clock};
    takc_mutex_unlock(&mutex);
    return t;
}

void takc_log_fields(const struct takc_call *call, enum takc_log_level level, const char *subject, const char *message,
                     const struct takc_log_field *fields, size_t n)
{
    struct target t = target_of(level, subject);
    if (!t.sink)
        return;
    struct takc_log_line line = {level, subject, takc_str(message), call ? call->request_id : NULL, t.clock->wall_s(t.clock), fields, n};
    t.sink(t.arg, &line);
}

void takc_log_write(const struct takc_call *call, enum takc_log_level level, const char *subject, const char *fmt, ...)
{
    struct target t = target_of(level, subject);
    if (!t.sink)
        return;
    char message[TAKC_LOG_LINE_MAX / 2];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(message, sizeof(message), fmt, ap);
    va_end(ap);
    struct takc_log_line line = {level, subject, takc_str(message), call ? call->request_id : NULL, t.clock->wall_s(t.clock), NULL, 0};
    t.sink(t.arg, &line);
}

/* --- forms --- */

struct out {
    char *p;
    size_t n;    /* room is kept for what closes a line */
    bool missed; /* something did not fit */
};
enum { CLOSING = 128 };

static void put(struct out *o, const char *s, size_t n)
{
    if (o->n + n > TAKC_LOG_LINE_MAX - CLOSING) {
        o->missed = true;
        return;
    }
    memcpy(o->p + o->n, s, n);
    o->n += n;
}

static void put_end(struct out *o, const char *s)
{
    size_t n = strlen(s);
    if (o->n + n < TAKC_LOG_LINE_MAX)
        memcpy(o->p + o->n, s, n + 1);
    o->n += n;
}

/* Bytes as they may stand within one line: controls and wrong bytes escaped; quotes too where quoted. */
static void put_escaped(struct out *o, struct takc_str s, bool quoted)
{
    for (size_t at = 0, from = 0; at < s.len; from = at) {
        bool bad;
        char code[16];
        uint32_t c = takc_utf8_next(s, &at, &bad);
        if (bad)
            put(o, "\xEF\xBF\xBD", 3);
        else if (c == '\n')
            put(o, "\\n", 2);
        else if (c < 0x20 || (c >= 0x7F && c < 0xA0))
            put(o, code, (size_t)snprintf(code, sizeof(code), "\\u%04x", c));
        else if (quoted && (c == '"' || c == '\\')) {
            put(o, "\\", 1);
            put(o, s.ptr + from, 1);
        } else
            put(o, s.ptr + from, at - from);
    }
}

/* " name=text" or ",\"name\":\"text\"", whole or not at all. */
static void put_field(struct out *o, const struct takc_log_field *f, bool json)
{
    size_t before = o->n;
    if (!f->text.len)
        return;
    o->missed = false;
    put(o, json ? ",\"" : " ", json ? 2 : 1);
    put(o, f->name, strlen(f->name));
    put(o, json ? "\":" : "=", json ? 2 : 1);
    if (json && !f->number)
        put(o, "\"", 1);
    put_escaped(o, f->text, json);
    if (json && !f->number)
        put(o, "\"", 1);
    if (o->missed)
        o->n = before;
}

static void put_fields(struct out *o, const struct takc_log_line *line, bool json)
{
    for (size_t i = 0; i < line->n_fields; i++)
        put_field(o, &line->fields[i], json);
}

size_t takc_log_text(const struct takc_log_line *line, char out[TAKC_LOG_LINE_MAX])
{
    struct out o = {out, 0, false};
    char head[96], time[21];
    takc_time_text(line->wall_s, time);
    put(&o, head, (size_t)snprintf(head, sizeof(head), "%s %-5s ", time, level_names[line->level]));
    put_escaped(&o, takc_str(line->subject), false);
    put(&o, ": ", 2);
    put_escaped(&o, line->message, false);
    put_fields(&o, line, false);
    if (line->request_id) {
        (void)snprintf(head, sizeof(head), " request=%.64s", line->request_id);
        put(&o, head, strlen(head));
    }
    put_end(&o, "\n");
    return o.n;
}

size_t takc_log_json(const struct takc_log_line *line, char out[TAKC_LOG_LINE_MAX])
{
    struct out o = {out, 0, false};
    char head[96], time[21];
    takc_time_text(line->wall_s, time);
    put(&o, head, (size_t)snprintf(head, sizeof(head), "{\"time\":\"%s\",\"level\":\"%s\",\"subject\":\"", time, level_names[line->level]));
    put_escaped(&o, takc_str(line->subject), true);
    put_end(&o, "\",\"message\":\"");
    put_escaped(&o, line->message, true);
    put_end(&o, "\"");
    if (line->request_id) {
        put_end(&o, ",\"request_id\":\"");
        put_escaped(&o, takc_str_n(line->request_id, strnlen(line->request_id, 64)), true);
        put_end(&o, "\"");
    }
    put_fields(&o, line, true);
    put_end(&o, "}\n");
    return o.n;
}

void takc_log_to_fd(void *arg, const struct takc_log_line *line)
{
    const struct takc_log_fd *to = arg;
    char text[TAKC_LOG_LINE_MAX + 16];
    size_t n = to->before ? strlen(to->before) : 0;
    if (n > 15)
        n = 0;
    if (n)
        memcpy(text, to->before, n);
    n += to->json ? takc_log_json(line, text + n) : takc_log_text(line, text + n);
    for (size_t at = 0; at < n;) {
        ssize_t w = write(to->fd, text + at, n - at);
        if (w <= 0)
            return; /* nowhere to say so */
        at += (size_t)w;
    }
}
