/* SPDX-License-Identifier: Apache-2.0
 *
 * multipart.c - the boundary is looked for as one text "\r\n--boundary", whose first byte stands nowhere else in it: where a match breaks
 * off, what matched so far is data, and only the byte at hand can begin another. The body counts as if a line's end stood before it. */
#include "http/multipart.h"

#include "base/hash.h"

#include <stdio.h>

enum state { PREAMBLE, DATA, BEHIND, BEHIND_CR, BEHIND_DASH, HEADERS, EPILOGUE, BROKEN };

static const struct takc_str no_text = {"", 0};

/* ---- parameters of a header: ; name=value; name="quo\"ted" ---- */

struct parameter {
    struct takc_str name, value; /* value as it came, quotes taken off */
    bool quoted;
};

static struct takc_str trim_left(struct takc_str s)
{
    while (s.len && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
        s = takc_str_slice(s, 1, s.len);
    return s;
}

static bool cut_quoted(struct takc_str *rest, struct takc_str *out)
{
    for (size_t i = 1; i < rest->len; i++) {
        if (rest->ptr[i] == '\\' && i + 1 < rest->len && (rest->ptr[i + 1] == '"' || rest->ptr[i + 1] == '\\'))
            i++;
        else if (rest->ptr[i] == '"') {
            *out = takc_str_slice(*rest, 1, i);
            *rest = trim_left(takc_str_slice(*rest, i + 1, rest->len));
            return !rest->len || rest->ptr[0] == ';';
        }
    }
    return false;
}

/* Cuts the next "; name=value" off; false: there is none, or with *out_bad something else. */
static bool next_parameter(struct takc_str *rest, struct parameter *out, bool *out_bad)
{
    *rest = trim_left(*rest);
    if (!rest->len)
        return false;
    *out_bad = true;
    if (rest->ptr[0] != ';')
        return false;
    *rest = trim_left(takc_str_slice(*rest, 1, rest->len));
    if (!rest->len) {
        *out_bad = false;
        return false;
    }
    size_t equals = takc_str_find_byte(*rest, '=', 0);
    if (equals == SIZE_MAX || equals == 0)
        return false;
    out->name = takc_str_slice(*rest, 0, equals);
    *rest = takc_str_slice(*rest, equals + 1, rest->len);
    out->quoted = rest->len && rest->ptr[0] == '"';
    if (out->quoted) {
        *out_bad = !cut_quoted(rest, &out->value);
        return !*out_bad;
    }
    size_t end = takc_str_find_byte(*rest, ';', 0);
    out->value = takc_str_trim(takc_str_slice(*rest, 0, end == SIZE_MAX ? rest->len : end));
    *rest = end == SIZE_MAX ? no_text : takc_str_slice(*rest, end, rest->len);
    *out_bad = false;
    return true;
}

/* Takes the kind off ("form-data", "multipart/form-data"); the rest are parameters. */
static struct takc_str cut_kind(struct takc_str *value)
{
    size_t end = takc_str_find_byte(*value, ';', 0);
    struct takc_str kind = takc_str_trim(takc_str_slice(*value, 0, end == SIZE_MAX ? value->len : end));
    *value = end == SIZE_MAX ? no_text : takc_str_slice(*value, end, value->len);
    return kind;
}

/* ---- the boundary ---- */

static bool boundary_fits(struct takc_str b)
{
    bool good = b.len > 0 && b.len <= TAKC_BOUNDARY_MAX && b.ptr[b.len - 1] != ' ';
    for (size_t i = 0; i < b.len && good; i++) {
        char c = b.ptr[i];
        good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("'()+_,-./:=? ", c));
    }
    return good;
}

enum takc_status takc_multipart_boundary(struct takc_str content_type, char out[TAKC_BOUNDARY_MAX + 1], struct takc_err *err)
{
    struct parameter p = {{0}, {0}, false};
    bool bad = false, found = false;
    struct takc_str boundary = {0};
    if (!takc_str_eq_nocase(cut_kind(&content_type), takc_str("multipart/form-data")))
        return takc_fail(err, TAKC_UNSUPPORTED, 0, "a body of multipart/form-data is expected");
    while (next_parameter(&content_type, &p, &bad))
        if (takc_str_eq_nocase(p.name, takc_str("boundary"))) {
            bad = bad || found;
            found = true;
            boundary = p.value;
        }
    if (bad || !boundary_fits(boundary))
        return takc_fail(err, TAKC_INVALID, 0, "Content-Type: a boundary of 1 to %d letters, digits or '()+_,-./:=? is expected",
                         TAKC_BOUNDARY_MAX);
    (void)snprintf(out, TAKC_BOUNDARY_MAX + 1, "%.*s", TAKC_STR_ARG(boundary));
    return TAKC_OK;
}

void takc_multipart_init(struct takc_multipart *m, const char *boundary, const struct takc_multipart_handlers *handlers)
{
    m->handlers = *handlers;
    m->delimiter_len = (size_t)snprintf(m->delimiter, sizeof(m->delimiter), "\r\n--%.*s", TAKC_BOUNDARY_MAX, boundary);
    m->matched = 2; /* a line's end before the body */
    m->state = PREAMBLE;
    m->in_part = false;
    m->n_parts = m->n_padding = 0;
    m->header_len = 0;
}

/* ---- the headers of a part ---- */

/* Takes the backslashes off in place: only before a quote or a backslash, since some clients send paths as they are. */
static struct takc_str unquote(char *text, size_t n)
{
    size_t to = 0;
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '\\' && i + 1 < n && (text[i + 1] == '"' || text[i + 1] == '\\'))
            i++;
        text[to++] = text[i];
    }
    return takc_str_n(text, to);
}

/* filename*=UTF-8''percent%20encoded, in place; false: it is no such thing. */
static bool unextend(char *text, size_t n, struct takc_str *out)
{
    struct takc_str s = takc_str_n(text, n);
    size_t first = takc_str_find_byte(s, '\'', 0), second = first == SIZE_MAX ? first : takc_str_find_byte(s, '\'', first + 1), to = 0;
    if (second == SIZE_MAX || !takc_str_eq_nocase(takc_str_slice(s, 0, first), takc_str("utf-8")))
        return false;
    for (size_t i = second + 1; i < n; i++) {
        if (text[i] != '%') {
            text[to++] = text[i];
            continue;
        }
        int high = i + 2 < n ? takc_hex_digit(text[i + 1]) : -1, low = i + 2 < n ? takc_hex_digit(text[i + 2]) : -1;
        if (high < 0 || low < 0)
            return false;
        text[to++] = (char)(high * 16 + low);
        i += 2;
    }
    *out = takc_str_n(text, to);
    return true;
}

static bool is_plain(struct takc_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] == '\0' || s.ptr[i] == '\r' || s.ptr[i] == '\n')
            return false;
    return true;
}

static bool read_disposition(struct takc_multipart *m, struct takc_str value, struct takc_multipart_part *out)
{
    struct parameter p = {{0}, {0}, false};
    bool bad = false, has_name = false, has_plain = false, extended = false;
    if (!takc_str_eq_nocase(cut_kind(&value), takc_str("form-data")))
        return false;
    while (next_parameter(&value, &p, &bad) && !bad) {
        char *text = p.value.len ? m->header + (p.value.ptr - m->header) : m->header; /* the views are into it */
        if (takc_str_eq_nocase(p.name, takc_str("filename*"))) {
            bad = extended || !unextend(text, p.value.len, &out->filename);
            extended = out->has_filename = true;
            continue;
        }
        struct takc_str plain = p.quoted ? unquote(text, p.value.len) : p.value;
        if (takc_str_eq_nocase(p.name, takc_str("name"))) {
            bad = has_name;
            has_name = true;
            out->name = plain;
        } else if (takc_str_eq_nocase(p.name, takc_str("filename"))) {
            bad = has_plain;
            has_plain = out->has_filename = true;
            if (!extended)
                out->filename = plain;
        }
    }
    return !bad && has_name && is_plain(out->name) && is_plain(out->filename);
}

static enum takc_status read_header(struct takc_multipart *m, struct takc_str line, struct takc_multipart_part *out, bool *had_disposition,
                                    struct takc_err *err)
{
    size_t colon = takc_str_find_byte(line, ':', 0);
    if (colon == SIZE_MAX || colon == 0 || line.ptr[0] == ' ' || line.ptr[0] == '\t' || !is_plain(line))
        return takc_fail(err, TAKC_INVALID, 0, "multipart: part %u has a line among its headers that is none", m->n_parts);
    struct takc_str name = takc_str_slice(line, 0, colon), value = takc_str_trim(takc_str_slice(line, colon + 1, line.len));
    if (takc_str_eq_nocase(name, takc_str("content-disposition"))) {
        if (*had_disposition || !read_disposition(m, value, out))
            return takc_fail(err, TAKC_INVALID, 0, "multipart: part %u: one Content-Disposition: form-data; name=\"...\" is expected",
                             m->n_parts);
        *had_disposition = true;
    } else if (takc_str_eq_nocase(name, takc_str("content-type"))) {
        out->type = value;
    } else if (takc_str_eq_nocase(name, takc_str("content-transfer-encoding")) && !takc_str_eq_nocase(value, takc_str("binary")) &&
               !takc_str_eq_nocase(value, takc_str("8bit")) && !takc_str_eq_nocase(value, takc_str("7bit"))) {
        return takc_fail(err, TAKC_INVALID, 0, "multipart: part %u: a Content-Transfer-Encoding is not taken", m->n_parts);
    }
    return TAKC_OK;
}

/* m->header holds all lines, each with its end, the empty one left out. */
static enum takc_status begin_part(struct takc_multipart *m, struct takc_err *err)
{
    struct takc_multipart_part part = {no_text, no_text, no_text, false};
    struct takc_str rest = takc_str_n(m->header, m->header_len);
    bool had_disposition = false;
    enum takc_status st = TAKC_OK;
    while (rest.len && !st) {
        size_t end = takc_str_find(rest, takc_str("\r\n"), 0);
        st = read_header(m, takc_str_slice(rest, 0, end), &part, &had_disposition, err);
        rest = takc_str_slice(rest, end + 2, rest.len);
    }
    if (!st && !had_disposition)
        st = takc_fail(err, TAKC_INVALID, 0, "multipart: part %u has no Content-Disposition", m->n_parts);
    if (!st)
        st = m->handlers.begin(m->handlers.arg, &part, err);
    m->header_len = 0;
    m->in_part = true;
    m->state = DATA;
    m->matched = 0;
    return st;
}

static enum takc_status take_header_byte(struct takc_multipart *m, char c, struct takc_err *err)
{
    if (m->header_len == sizeof(m->header))
        return takc_fail(err, TAKC_INVALID, 0, "multipart: the headers of part %u are longer than %d bytes", m->n_parts,
                         TAKC_PART_HEADER_MAX);
    m->header[m->header_len++] = c;
    struct takc_str all = takc_str_n(m->header, m->header_len);
    if (!takc_str_is(all, "\r\n") && !takc_str_ends(all, takc_str("\r\n\r\n")))
        return TAKC_OK;
    m->header_len -= 2;
    return begin_part(m, err);
}

/* ---- data and boundaries ---- */

static enum takc_status give(struct takc_multipart *m, struct takc_str piece, struct takc_err *err)
{
    return m->in_part && piece.len ? m->handlers.data(m->handlers.arg, piece, err) : TAKC_OK;
}

/* What matched was data after all. */
static enum takc_status give_matched(struct takc_multipart *m, struct takc_err *err)
{
    struct takc_str piece = takc_str_n(m->delimiter, m->matched);
    m->matched = 0;
    return give(m, piece, err);
}

static enum takc_status at_boundary(struct takc_multipart *m, struct takc_err *err)
{
    enum takc_status st = m->in_part ? m->handlers.end(m->handlers.arg, err) : TAKC_OK;
    m->in_part = false;
    m->matched = 0;
    m->n_padding = 0;
    m->state = BEHIND;
    return st;
}

/* Reads data from piece; *at moves behind what was read. */
static enum takc_status take_data(struct takc_multipart *m, struct takc_str piece, size_t *at, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    while (*at < piece.len && !st && (m->state == DATA || m->state == PREAMBLE)) {
        if (m->matched == 0) {
            size_t cr = takc_str_find_byte(piece, '\r', *at), end = cr == SIZE_MAX ? piece.len : cr;
            st = give(m, takc_str_slice(piece, *at, end), err);
            m->matched = cr != SIZE_MAX;
            *at = end + m->matched;
        } else if (piece.ptr[*at] == m->delimiter[m->matched]) {
            ++*at;
            if (++m->matched == m->delimiter_len)
                st = at_boundary(m, err);
        } else {
            st = give_matched(m, err);
        }
    }
    return st;
}

/* Behind a boundary: "--" ends the body, a line's end begins a part. */
static enum takc_status take_behind(struct takc_multipart *m, char c, struct takc_err *err)
{
    if (m->state == BEHIND && (c == ' ' || c == '\t') && m->n_padding++ < TAKC_PADDING_MAX)
        return TAKC_OK;
    if (m->state == BEHIND && c == '\r') {
        m->state = BEHIND_CR;
        return TAKC_OK;
    }
    if (m->state == BEHIND && c == '-' && !m->n_padding) {
        m->state = BEHIND_DASH;
        return TAKC_OK;
    }
    if (m->state == BEHIND_DASH && c == '-') {
        m->state = EPILOGUE;
        return TAKC_OK;
    }
    if (m->state != BEHIND_CR || c != '\n')
        return takc_fail(err, TAKC_INVALID, 0, "multipart: a boundary is followed by neither a line's end nor --");
    if (m->n_parts++ == TAKC_MULTIPART_PARTS_MAX)
        return takc_fail(err, TAKC_INVALID, 0, "multipart: more than %d parts", TAKC_MULTIPART_PARTS_MAX);
    m->state = HEADERS;
    return TAKC_OK;
}

enum takc_status takc_multipart_feed(struct takc_multipart *m, struct takc_str piece, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t at = 0; at < piece.len && !st && m->state != EPILOGUE;) {
        if (m->state == PREAMBLE || m->state == DATA)
            st = take_data(m, piece, &at, err);
        else if (m->state == HEADERS)
            st = take_header_byte(m, piece.ptr[at++], err);
        else if (m->state == BROKEN)
            return takc_fail(err, TAKC_INVALID, 0, "multipart: the reading ended before");
        else
            st = take_behind(m, piece.ptr[at++], err);
    }
    if (st)
        m->state = BROKEN;
    return st;
}

enum takc_status takc_multipart_finish(struct takc_multipart *m, struct takc_err *err)
{
    if (m->state == EPILOGUE)
        return TAKC_OK;
    return takc_fail(err, TAKC_INVALID, 0, "multipart: the body ends before its last boundary (part %u)", m->n_parts);
}
