/* SPDX-License-Identifier: Apache-2.0
 *
 * base/log.h - what happened, for those who run takc: takc_log(INFO, "cache.redis", "hit key=%s ms=%.1f", key, ms).
 *
 * The library writes only to the sink it was given; without one, nothing. Levels go by subject: "info,cache=debug" lets everything from
 * info on through, and from debug on what is said by cache, cache.redis, ...; the longest subject that fits decides. A failure is logged
 * once, where it is handled. Secrets and document text stay out; names of documents may stand in.
 * Threads: any. Logging never allocates and never fails. The sink is called without a lock, perhaps by several threads at once. */
#ifndef TAKC_BASE_LOG_H
#define TAKC_BASE_LOG_H

#include "base/clock.h"
#include "takc/str.h"

enum takc_log_level { TAKC_LOG_UNSET = 0, TAKC_LOG_OFF, TAKC_LOG_ERROR, TAKC_LOG_WARN, TAKC_LOG_INFO, TAKC_LOG_DEBUG };

enum { TAKC_LOG_LINE_MAX = 2048, TAKC_LOG_RULES_MAX = 32, TAKC_LOG_SUBJECT_MAX = 48 };

struct takc_log_field {   /* something of its own in a line: status=200, "status": 200 */
    const char *name;     /* letters and '_'; none of time, level, subject, message, request_id */
    struct takc_str text; /* empty: left out */
    bool number;          /* text is a JSON number */
};
struct takc_log_line {
    enum takc_log_level level;
    const char *subject;
    struct takc_str message; /* one line is not promised: formats escape */
    const char *request_id;  /* NULL: none */
    int64_t wall_s;
    const struct takc_log_field *fields;
    size_t n_fields;
};
typedef void takc_log_sink_fn(void *arg, const struct takc_log_line *line);

/* Sets sink and levels for the process; sink NULL ends logging. clock NULL: the machine's. arg and clock live until the next set.
 * INVALID for levels that cannot be read; nothing is changed then. */
TAKC_CHECK enum takc_status takc_log_set(takc_log_sink_fn *sink, void *arg, const char *levels, const struct takc_clock *clock,
                                         struct takc_err *err);
/* Would a line of this level and subject reach the sink? For what is dear to make. */
bool takc_log_on(enum takc_log_level level, const char *subject);

#define takc_log(level, subject, ...) takc_log_write(NULL, TAKC_LOG_##level, (subject), __VA_ARGS__)
/* With the call's request id (call may be NULL). */
#define takc_log_for(call, level, subject, ...) takc_log_write((call), TAKC_LOG_##level, (subject), __VA_ARGS__)
/* What the two macros come to; a message over TAKC_LOG_LINE_MAX is cut. */
void takc_log_write(const struct takc_call *call, enum takc_log_level level, const char *subject, const char *fmt, ...) TAKC_PRINTF(4, 5);

/* A line of a fixed message and fields: "message a=1 b=x" in text, members beside message in JSON. A field that does not fit is left out.
 */
void takc_log_fields(const struct takc_call *call, enum takc_log_level level, const char *subject, const char *message,
                     const struct takc_log_field *fields, size_t n);

/* Writes a line for people with its newline; returns its length (< TAKC_LOG_LINE_MAX). Control characters are escaped: a message makes one
 * line. */
size_t takc_log_text(const struct takc_log_line *line, char out[TAKC_LOG_LINE_MAX]);
/* The same as one JSON object with its newline: time, level, subject, message, request_id where there is one. */
size_t takc_log_json(const struct takc_log_line *line, char out[TAKC_LOG_LINE_MAX]);

/* A sink: arg is a struct takc_log_fd; each line is one write(2). */
struct takc_log_fd {
    int fd;
    bool json;
    const char *before; /* written in front of each line, such as what removes a progress bar; NULL: nothing */
};
takc_log_sink_fn takc_log_to_fd;

#endif
