/* SPDX-License-Identifier: Apache-2.0
 *
 * sse.c - server-sent events, line by line. A CR ends its line at once, so that an event is not held back until the next byte comes; the
 * LF that may follow it is then passed over. id and retry are read by nobody here: nothing is reconnected. */
#include "net/sse.h"

/* A line holds the name of its field, too. */
enum { FIELD_MAX = 16 };

void takc_sse_init(struct takc_sse *s, size_t max_event, takc_sse_fn *each, void *arg)
{
    *s = (struct takc_sse){.each = each, .arg = arg};
    takc_buf_init(&s->line, max_event + FIELD_MAX);
    takc_buf_init(&s->data, max_event);
    takc_buf_init(&s->event, max_event);
}

void takc_sse_clear(struct takc_sse *s)
{
    takc_buf_clear(&s->line);
    takc_buf_clear(&s->data);
    takc_buf_clear(&s->event);
}

/* As takc_buf_add; too much is the sender's fault. */
static enum takc_status add(struct takc_sse *s, struct takc_buf *b, struct takc_str piece, struct takc_err *err)
{
    enum takc_status st = takc_buf_add(b, piece, err);
    if (st == TAKC_INVALID)
        return takc_fail(err, TAKC_UPSTREAM, 0, "an event of more than %zu bytes", s->data.max);
    return st;
}

/* A blank line: the event goes out if it has data, and all is forgotten. */
static enum takc_status dispatch(struct takc_sse *s, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    if (s->has_data)
        st = s->each(s->arg, s->event.len ? takc_buf_str(&s->event) : takc_str("message"), takc_buf_str(&s->data), err);
    takc_buf_reset(&s->data);
    takc_buf_reset(&s->event);
    s->has_data = false;
    return st;
}

static enum takc_status add_data(struct takc_sse *s, struct takc_str value, struct takc_err *err)
{
    enum takc_status st = s->has_data ? add(s, &s->data, takc_str("\n"), err) : TAKC_OK;
    s->has_data = true;
    return st ? st : add(s, &s->data, value, err);
}

static enum takc_status end_line(struct takc_sse *s, struct takc_err *err)
{
    struct takc_str line = takc_buf_str(&s->line), mark = takc_str("\xEF\xBB\xBF");
    if (!s->started && takc_str_starts(line, mark))
        line = takc_str_slice(line, mark.len, line.len);
    s->started = true;
    if (line.len == 0)
        return dispatch(s, err);
    size_t colon = takc_str_find_byte(line, ':', 0);
    struct takc_str name = takc_str_slice(line, 0, colon == SIZE_MAX ? line.len : colon);
    struct takc_str value = colon == SIZE_MAX ? takc_str("") : takc_str_slice(line, colon + 1, line.len);
    if (takc_str_starts(value, takc_str(" ")))
        value = takc_str_slice(value, 1, value.len);
    if (takc_str_is(name, "data"))
        return add_data(s, value, err);
    if (!takc_str_is(name, "event"))
        return TAKC_OK;
    takc_buf_reset(&s->event);
    return add(s, &s->event, value, err);
}

enum takc_status takc_sse_feed(struct takc_sse *s, struct takc_str piece, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < piece.len; i++) {
        size_t from = i;
        if (s->after_cr && piece.ptr[i] == '\n')
            from = ++i;
        s->after_cr = false;
        while (i < piece.len && piece.ptr[i] != '\r' && piece.ptr[i] != '\n')
            i++;
        if (i > from)
            st = add(s, &s->line, takc_str_slice(piece, from, i), err);
        if (st || i == piece.len)
            break;
        s->after_cr = piece.ptr[i] == '\r';
        st = end_line(s, err);
        takc_buf_reset(&s->line);
    }
    return st;
}

enum takc_status takc_sse_end(struct takc_sse *s, struct takc_err *err)
{
    bool comment = s->line.len && s->line.ptr[0] == ':';
    if (s->has_data || s->event.len || (s->line.len && !comment))
        return takc_fail(err, TAKC_UPSTREAM, 0, "the stream ended inside an event");
    return TAKC_OK;
}
