/* SPDX-License-Identifier: Apache-2.0
 *
 * marks.c - brackets of numbers in a text that comes in pieces. */
#include "pipeline/marks.h"

#include <string.h>

enum { MARK_NUMBERS = 128, MARK_BYTES = 256 /* longer brackets are no marks */ };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* May c stand in a mark? */
static bool is_of_mark(char c)
{
    return is_digit(c) || c == ',' || c == ';' || c == ' ';
}

size_t takc_mark_at(struct takc_str text, size_t pos, uint32_t *out, size_t max, size_t *out_end)
{
    size_t n = 0, i = pos + 1;
    while (i < text.len && text.ptr[i] != ']' && i - pos < MARK_BYTES) {
        uint64_t v = 0;
        if (!is_of_mark(text.ptr[i]))
            return 0;
        if (!is_digit(text.ptr[i])) {
            i++;
            continue;
        }
        for (; i < text.len && is_digit(text.ptr[i]); i++)
            v = v < UINT32_MAX ? v * 10 + (uint64_t)(text.ptr[i] - '0') : v;
        if (n < max)
            out[n++] = v < UINT32_MAX ? (uint32_t)v : UINT32_MAX;
    }
    if (i >= text.len || text.ptr[i] != ']')
        return 0;
    *out_end = i + 1;
    return n;
}

enum takc_status takc_marks_init(struct takc_marks *m, size_t n_lines, struct takc_arena *a, struct takc_err *err)
{
    *m = (struct takc_marks){.n_lines = n_lines,
                             .same = takc_arena_array(a, n_lines + 1, sizeof(*m->same)),
                             .cited_as = takc_arena_array(a, n_lines + 1, sizeof(*m->cited_as)),
                             .order = takc_arena_array(a, n_lines + 1, sizeof(*m->order)),
                             .nowhere = takc_arena_array(a, TAKC_MARKS_NOWHERE, sizeof(*m->nowhere))};
    takc_buf_init(&m->held, TAKC_BUF_MAX_REPLY);
    takc_buf_init(&m->plain, TAKC_BUF_MAX_REPLY);
    return m->same && m->cited_as && m->order && m->nowhere ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for marks");
}

void takc_marks_clear(struct takc_marks *m)
{
    takc_buf_clear(&m->held);
    takc_buf_clear(&m->plain);
}

static void missed(struct takc_marks *m, uint32_t number)
{
    size_t i = 0;
    m->n_missed++;
    while (i < m->n_nowhere && m->nowhere[i] != number)
        i++;
    if (i == m->n_nowhere && m->n_nowhere < TAKC_MARKS_NOWHERE)
        m->nowhere[m->n_nowhere++] = number;
}

/* A source's number, given at its first mention; 0: no such line. */
static uint32_t source_of(struct takc_marks *m, uint32_t number)
{
    if (number == 0 || number > m->n_lines) {
        missed(m, number);
        return 0;
    }
    m->n_met++;
    number = m->same[number] ? m->same[number] : number;
    if (!m->cited_as[number]) {
        m->order[m->n_cited++] = number;
        m->cited_as[number] = (uint32_t)m->n_cited;
    }
    return m->cited_as[number];
}

static enum takc_status write_mark(struct takc_marks *m, const uint32_t *numbers, size_t n, struct takc_buf *out, struct takc_err *err)
{
    enum takc_status st = takc_buf_byte(out, '[', err);
    for (size_t i = 0; !st && i < n; i++) {
        uint32_t as = source_of(m, numbers[i]);
        st = as ? takc_buf_printf(out, err, "%s%u", i ? ", " : "", as) : takc_buf_printf(out, err, "%s?", i ? ", " : "");
    }
    return st ? st : takc_buf_byte(out, ']', err);
}

static void drop_blanks(struct takc_buf *b)
{
    while (b->len && b->ptr[b->len - 1] == ' ')
        b->ptr[--b->len] = '\0';
}

/* What was held is a mark, or else a text. */
static enum takc_status release(struct takc_marks *m, struct takc_buf *out, struct takc_err *err)
{
    uint32_t numbers[MARK_NUMBERS];
    size_t end = 0;
    struct takc_str held = takc_buf_str(&m->held);
    size_t n = held.len ? takc_mark_at(held, 0, numbers, MARK_NUMBERS, &end) : 0;
    enum takc_status st;
    if (n) {
        drop_blanks(&m->plain);
        st = write_mark(m, numbers, n, out, err);
    } else {
        st = takc_buf_add(out, held, err);
        if (!st)
            st = takc_buf_add(&m->plain, held, err);
    }
    takc_buf_reset(&m->held);
    return st;
}

static enum takc_status add_byte(struct takc_marks *m, char c, struct takc_buf *out, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    if (m->held.len && c != ']' && (!is_of_mark(c) || m->held.len >= MARK_BYTES))
        st = release(m, out, err);
    if (st)
        return st;
    if (m->held.len || c == '[') {
        st = takc_buf_byte(&m->held, c, err);
        return st || c != ']' ? st : release(m, out, err);
    }
    st = takc_buf_byte(out, c, err);
    return st ? st : takc_buf_byte(&m->plain, c, err);
}

enum takc_status takc_marks_add(struct takc_marks *m, struct takc_str piece, struct takc_buf *out, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < piece.len; i++)
        st = add_byte(m, piece.ptr[i], out, err);
    return st;
}

enum takc_status takc_marks_end(struct takc_marks *m, struct takc_buf *out, struct takc_err *err)
{
    return release(m, out, err);
}

enum takc_status takc_marks_strip(struct takc_str text, struct takc_buf *out, struct takc_err *err)
{
    uint32_t number;
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < text.len;) {
        size_t end = 0;
        if (text.ptr[i] == '[' && takc_mark_at(text, i, &number, 1, &end)) {
            drop_blanks(out);
            i = end;
        } else {
            st = takc_buf_byte(out, text.ptr[i++], err);
        }
    }
    return st;
}
