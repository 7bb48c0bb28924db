/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/term.h - what the program shows to people: progress, tables, colours.
 * Colours: on a terminal, unless NO_COLOR is set or TERM is "dumb". Threads: main only; progress updates: whichever
 * thread works, one at a time, and main hides the bar only when nobody works. */
#ifndef TAKC_CLI_TERM_H
#define TAKC_CLI_TERM_H

#include "base/buf.h"
#include "base/clock.h"

struct takc_term {
    int fd;
    bool terminal, colour;
    unsigned width; /* columns; 80 when unknown */
};
/* Looks at fd and environment (NO_COLOR, TERM, COLUMNS). */
void takc_term_init(struct takc_term *t, int fd, const char *const *environment);

/* Columns that s takes on a terminal: 2 for wide characters, 0 for combining ones and controls. */
size_t takc_text_width(struct takc_str s);
/* Control characters but tab and newline become '?', byte by byte: on a terminal a document's text must not be a command. */
void takc_text_calm(char *bytes, size_t n);

/* --- progress: fed by takc_call.progress --- */
struct takc_progress {
    struct takc_term term;
    const struct takc_clock *clock;
    char stage[48];
    uint64_t start_ns, shown_ns, start_done; /* of this stage */
    uint64_t done, total;
    char unit[48];
    bool drawn, spoke;
};
/* Begins without a stage. Copies t; the clock (NULL: the machine's) outlives p. */
void takc_progress_init(struct takc_progress *p, const struct takc_term *t, const struct takc_clock *clock);
/* A takc_progress_fn. On a terminal the bar is drawn again at most ten times a second; elsewhere a line every two seconds at most. */
void takc_progress_update(void *progress, const char *stage, const char *unit, uint64_t done, uint64_t total);
/* Removes the bar, so that other lines can be written; it comes back with the next update. */
void takc_progress_hide(struct takc_progress *p);
/* The text of a bar, or of a plain line: for tests. out has room for 200 bytes. */
void takc_progress_text(const struct takc_progress *p, uint64_t now_ns, char out[200]);

/* --- tables --- */
enum takc_align { TAKC_ALIGN_LEFT = 0, TAKC_ALIGN_RIGHT };
struct takc_column {
    const char *title;
    enum takc_align align;
};
/* Appends a table: titles, a line under them, rows; two blanks between columns, none at a line's end. cells[row * n_columns + column]. */
TAKC_CHECK enum takc_status takc_table_write(const struct takc_column *columns, size_t n_columns, const struct takc_str *cells,
                                             size_t n_rows, struct takc_buf *out, struct takc_err *err);
/* 1234567 -> "1,234,567". Returns out, as those below. */
const char *takc_count_text(uint64_t n, char out[32]);
/* 1536 bytes -> "1.5 KiB". */
const char *takc_bytes_text(uint64_t n, char out[32]);
/* 61.5 s -> "1m02s". */
const char *takc_seconds_text(double s, char out[32]);

#endif
