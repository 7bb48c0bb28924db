/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline/marks.h - the marks of an answer, "[3]" or "[3, 5]", resolved while the text comes in.
 *
 * Lines of the prompt are numbered for the model; a reader of the answer sees sources numbered by first mention, from 1. The number of a
 * line that was not shown becomes "?", and is told: "[2, 99]" may become "[1, ?]". A bracket that holds anything but numbers stays as it
 * is. A bracket that is not closed is held back until the next piece tells what it is.
 * Threads: one at a time. */
#ifndef TAKC_PIPELINE_MARKS_H
#define TAKC_PIPELINE_MARKS_H

#include "base/arena.h"
#include "base/buf.h"

struct takc_marks {
    size_t n_lines;     /* of the prompt: 1..n_lines are there */
    uint32_t *same;     /* per line: the number of a line that says the same, which is cited in its place; 0: none. Set behind init */
    uint32_t *cited_as; /* per line: its number among the sources, 0: not cited */
    uint32_t *order;    /* lines by first mention */
    size_t n_cited;     /* sources */
    uint64_t n_met;     /* numbers in marks that point to a line */
    uint32_t *nowhere;  /* numbers that do not, each once, as first mentioned; UINT32_MAX stands for larger ones */
    size_t n_nowhere;
    uint64_t n_missed;     /* how often */
    struct takc_buf held;  /* an open bracket */
    struct takc_buf plain; /* the text so far without marks and the blanks before them */
};

enum { TAKC_MARKS_NOWHERE = 32 }; /* kept; all are counted */

/* Memory for n_lines from the arena. Clear afterwards, whatever the status. */
TAKC_CHECK enum takc_status takc_marks_init(struct takc_marks *m, size_t n_lines, struct takc_arena *a, struct takc_err *err);
void takc_marks_clear(struct takc_marks *m);
/* The next piece of text; what is sure by now is appended to out. */
TAKC_CHECK enum takc_status takc_marks_add(struct takc_marks *m, struct takc_str piece, struct takc_buf *out, struct takc_err *err);
/* The end: what was held back is appended as it is. */
TAKC_CHECK enum takc_status takc_marks_end(struct takc_marks *m, struct takc_buf *out, struct takc_err *err);

/* Reads a mark at pos, where a '[' stands: its numbers (the first max of them; larger ones than 32 bits are UINT32_MAX), and *out_end
 * behind it. 0: none. */
size_t takc_mark_at(struct takc_str text, size_t pos, uint32_t *out, size_t max, size_t *out_end);
/* Appends text without marks and without the blanks before them. */
TAKC_CHECK enum takc_status takc_marks_strip(struct takc_str text, struct takc_buf *out, struct takc_err *err);

#endif
