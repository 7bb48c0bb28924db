/* SPDX-License-Identifier: Apache-2.0
 *
 * split.c - one source, many documents: the lines of JSONL, the elements of a JSON array of records, the array under "documents" of an
 * object. Parts are slices of the source, so an edit costs one part. Each is scanned here (grammar and fields); its reader judges the rest.
 * A source in UTF-16 or UTF-32 is split as the UTF-8 that it means; its parts are slices of that.
 * Names: "#id" with control characters and slashes replaced, else "#" and the line; an id seen before gets "~line". */
#include "base/intern.h"
#include "base/utf8.h"
#include "doc/json_scan.h"
#include "doc/readers.h"

enum { ID_BYTES = 200 };

struct splitting {
    const struct takc_reader_ops *reader;
    struct takc_call *call;
    const struct takc_reader_input *in;
    takc_split_fn *each;
    void (*bad)(void *arg, uint32_t line, const char *msg);
    void *arg;
    struct takc_intern seen;
    struct takc_buf suffix;
    struct takc_err *err;
};

static struct takc_str without_mark(struct takc_str s)
{
    return takc_str_starts(s, takc_str("\xEF\xBB\xBF")) ? takc_str_slice(s, 3, s.len) : s;
}

/* Appends the id, made safe as part of a name: nothing that ends a line, leaves a folder or does not fit. */
static enum takc_status safe_id(struct takc_buf *out, struct takc_str literal, struct takc_err *err)
{
    bool quoted = literal.len >= 2 && literal.ptr[0] == '"';
    struct takc_str id = quoted ? takc_str_slice(literal, 1, literal.len - 1) : literal;
    enum takc_status st = TAKC_OK;
    for (size_t pos = 0, n; pos < id.len && out->len < ID_BYTES && !st; pos += n) {
        bool same, wrong = false;
        uint32_t c;
        char bytes[4];
        n = takc_scan_piece(id, pos, &same, &c);
        if (same) {
            size_t at = pos;
            c = takc_utf8_next(id, &at, &wrong);
            n = at - pos;
        }
        if (c < ' ' || (c >= 0x7F && c < 0xA0) || c == '/' || c == '\\' || (c >= 0xD800 && c < 0xE000) || wrong)
            c = '_';
        st = takc_buf_add(out, takc_str_n(bytes, takc_utf8_put(c, bytes)), err);
    }
    return st;
}

static enum takc_status make_suffix(struct splitting *s, struct takc_str id, uint32_t line)
{
    takc_buf_reset(&s->suffix);
    enum takc_status st = takc_buf_byte(&s->suffix, '#', s->err);
    if (!st && id.ptr)
        st = safe_id(&s->suffix, id, s->err);
    if (!st && s->suffix.len == 1)
        st = takc_buf_printf(&s->suffix, s->err, "%u", line);
    while (!st) { /* until it is new; a line occurs once unless an id looks like "x~7" */
        uint32_t n = (uint32_t)s->seen.n, got;
        st = takc_intern_add(&s->seen, takc_buf_str(&s->suffix), &got, s->err);
        if (st || got == n)
            break;
        st = takc_buf_printf(&s->suffix, s->err, "~%u", line);
    }
    return st;
}

static enum takc_status give(struct splitting *s, struct takc_str bytes, struct takc_str id, uint32_t line)
{
    enum takc_status st = make_suffix(s, id, line);
    struct takc_split_part part = {.bytes = bytes, .suffix = takc_buf_str(&s->suffix), .reader = s->reader, .line = line};
    return st ? st : s->each(s->arg, &part, s->err);
}

static void tell_bad(const struct splitting *s, uint32_t line, const struct takc_err *why)
{
    if (s->bad)
        s->bad(s->arg, line, why->msg);
}

/* The elements of the array at the scanner's place. */
static enum takc_status split_array(struct splitting *s, struct takc_scan *j, uint32_t line_before)
{
    enum takc_status st = takc_scan_enter(j, '[');
    bool more = true;
    for (bool first = true; !st && more; first = false) {
        struct takc_str key;
        st = takc_scan_next(j, '[', first, &key, &more);
        if (st || !more)
            break;
        char c = takc_scan_peek(j);
        size_t from = j->pos;
        struct takc_scan_record f = {0};
        st = c == '{' ? takc_scan_fields(j, s->in, &f) : takc_scan_value(j);
        if (!st)
            st = takc_call_check(s->call, s->err);
        if (!st)
            st = give(s, takc_str_slice(j->s, from, j->pos), f.id, line_before + takc_scan_line(j, from));
    }
    return st;
}

/* One line of JSONL: a document, or an object that holds many. */
static enum takc_status split_line(struct splitting *s, struct takc_str line, uint32_t number)
{
    struct takc_err why = {0};
    struct takc_scan j = takc_scan_of(line, &why);
    struct takc_scan_record f = {0};
    enum takc_status st = takc_scan_peek(&j) == '{' ? takc_scan_fields(&j, s->in, &f) : takc_scan_value(&j);
    if (!st && !takc_scan_done(&j))
        st = takc_fail(&why, TAKC_INVALID, 0, "bytes behind the value at byte %zu", j.pos);
    if (st) {
        tell_bad(s, number, &why);
        return TAKC_OK;
    }
    if (!f.text.ptr && f.documents.ptr) {
        struct takc_scan inner = takc_scan_of(f.documents, s->err);
        return split_array(s, &inner, number - 1);
    }
    return give(s, line, f.id, number);
}

static enum takc_status split_lines(struct splitting *s, struct takc_str bytes)
{
    struct takc_str rest = bytes, line;
    enum takc_status st = TAKC_OK;
    for (uint32_t number = 1; !st && takc_str_split(&rest, '\n', &line); number++) {
        struct takc_str t = takc_str_trim(line);
        if (t.len == 0)
            continue;
        st = split_line(s, t, number);
        if (!st && number % 256 == 0)
            st = takc_call_check(s->call, s->err);
    }
    return st;
}

static enum takc_status split_whole(struct splitting *s, struct takc_str bytes)
{
    struct takc_scan j = takc_scan_of(bytes, s->err);
    if (takc_scan_peek(&j) == '[') {
        enum takc_status st = split_array(s, &j, 0);
        if (!st && !takc_scan_done(&j))
            st = takc_fail(s->err, TAKC_INVALID, 0, "bytes behind the array at byte %zu", j.pos);
        return st;
    }
    struct takc_scan_record f = {0};
    enum takc_status st = takc_scan_fields(&j, s->in, &f);
    if (st || !f.documents.ptr)
        return st;
    struct takc_scan before = takc_scan_of(bytes, NULL), inner = takc_scan_of(f.documents, s->err);
    return split_array(s, &inner, takc_scan_line(&before, (size_t)(f.documents.ptr - bytes.ptr)) - 1);
}

/* Does the array at the scanner's place begin with a record? */
static bool begins_with_record(struct takc_scan *j, const struct takc_reader_input *in)
{
    struct takc_str key;
    struct takc_scan_record f = {0};
    bool more;
    return !takc_scan_enter(j, '[') && !takc_scan_next(j, '[', true, &key, &more) && more && takc_scan_peek(j) == '{' &&
           !takc_scan_fields(j, in, &f) && f.text.ptr;
}

/* The source as UTF-8, in hold where it had to be converted. */
static enum takc_status narrow(struct takc_str bytes, struct takc_buf *hold, struct takc_str *out, struct takc_err *err)
{
    char charset[24];
    uint64_t n_replaced;
    *out = without_mark(bytes);
    if (!takc_charset_wide(bytes))
        return TAKC_OK;
    enum takc_status st = takc_charset_to_utf8(bytes, hold, NULL, charset, &n_replaced, err);
    if (!st)
        *out = takc_buf_str(hold);
    return st;
}

static bool holds_records(struct takc_str bytes, const struct takc_reader_input *in)
{
    struct takc_scan j = takc_scan_of(bytes, NULL);
    struct takc_scan_record f = {0};
    if (takc_scan_peek(&j) == '[')
        return begins_with_record(&j, in);
    if (takc_scan_peek(&j) != '{' || takc_scan_fields(&j, in, &f) || f.text.ptr || !f.documents.ptr)
        return false;
    struct takc_scan inner = takc_scan_of(f.documents, NULL);
    return begins_with_record(&inner, in);
}

bool takc_split_wanted(const struct takc_reader_ops *r, const struct takc_reader_input *in)
{
    struct takc_buf hold;
    struct takc_str bytes;
    if (!r || !r->splits)
        return false;
    if (r == &takc_reader_jsonl)
        return true;
    takc_buf_init(&hold, TAKC_BUF_MAX_DOCUMENT);
    bool wanted = narrow(in->bytes, &hold, &bytes, NULL) == TAKC_OK && holds_records(bytes, in);
    takc_buf_clear(&hold);
    return wanted;
}

enum takc_status takc_split(const struct takc_reader_ops *r, struct takc_call *call, const struct takc_reader_input *in,
                            takc_split_fn *each, void (*bad)(void *arg, uint32_t line, const char *msg), void *arg, struct takc_err *err)
{
    struct splitting s = {.reader = r, .call = call, .in = in, .each = each, .bad = bad, .arg = arg, .err = err};
    struct takc_buf hold;
    struct takc_str bytes;
    takc_intern_init(&s.seen);
    takc_buf_init(&s.suffix, TAKC_BUF_MAX_NAME);
    takc_buf_init(&hold, TAKC_BUF_MAX_DOCUMENT);
    enum takc_status st = narrow(in->bytes, &hold, &bytes, err);
    if (!st)
        st = r == &takc_reader_jsonl ? split_lines(&s, bytes) : split_whole(&s, bytes);
    takc_intern_clear(&s.seen);
    takc_buf_clear(&s.suffix);
    takc_buf_clear(&hold);
    return st;
}
