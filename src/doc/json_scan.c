/* SPDX-License-Identifier: Apache-2.0
 *
 * json_scan.c - RFC 8259, strictly, by recursion no deeper than TAKC_READER_MAX_DEPTH. Whether strings are UTF-8, surrogates are paired
 * and keys are unique is jansson's part. */
#include "doc/json_scan.h"

#include "base/hash.h"

struct takc_scan takc_scan_of(struct takc_str s, struct takc_err *err)
{
    return (struct takc_scan){.s = s, .line = 1, .err = err};
}

static enum takc_status wrong(struct takc_scan *j, const char *what)
{
    return takc_fail(j->err, TAKC_INVALID, j->pos > INT32_MAX ? INT32_MAX : (int)j->pos, "%s at byte %zu", what, j->pos);
}

char takc_scan_peek(struct takc_scan *j)
{
    while (j->pos < j->s.len) {
        char c = j->s.ptr[j->pos];
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
            return c;
        j->pos++;
    }
    return 0;
}

bool takc_scan_done(struct takc_scan *j)
{
    return takc_scan_peek(j) == 0 && j->pos == j->s.len;
}

uint32_t takc_scan_line(struct takc_scan *j, size_t at)
{
    while (j->line_at < at) {
        const char *p = memchr(j->s.ptr + j->line_at, '\n', at - j->line_at);
        if (!p)
            break;
        j->line++;
        j->line_at = (size_t)(p - j->s.ptr) + 1;
    }
    return j->line;
}

/* The next byte at or after i that ends a plain stretch of a string: quote, backslash or control character. */
static size_t plain_string(struct takc_str s, size_t i)
{
    const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
    for (; i + 8 <= s.len; i += 8) {
        uint64_t v = takc_le(s.ptr + i, 8), q = v ^ ones * '"', b = v ^ ones * '\\';
        if (((q - ones) & ~q & tops) | ((b - ones) & ~b & tops) | ((v - ones * 0x20) & ~v & tops))
            break;
    }
    while (i < s.len && s.ptr[i] != '"' && s.ptr[i] != '\\' && (unsigned char)s.ptr[i] >= 0x20)
        i++;
    return i;
}

/* Four hexadecimal digits at i, or -1. */
static int32_t hex4(struct takc_str s, size_t i)
{
    int32_t v = 0;
    if (s.len < 4 || i > s.len - 4)
        return -1;
    for (size_t k = i; k < i + 4; k++) {
        int h = takc_hex_digit(s.ptr[k]);
        if (h < 0)
            return -1;
        v = v << 4 | h;
    }
    return v;
}

/* Goes over a string; out is what stands between the quotes, escapes and all. */
static enum takc_status scan_string(struct takc_scan *j, struct takc_str *out)
{
    if (takc_scan_peek(j) != '"')
        return wrong(j, "a string is missing");
    size_t from = ++j->pos;
    for (;;) {
        j->pos = plain_string(j->s, j->pos);
        if (j->pos >= j->s.len || (unsigned char)j->s.ptr[j->pos] < 0x20)
            return wrong(j, j->pos >= j->s.len ? "a string has no end" : "control character in a string");
        if (j->s.ptr[j->pos] == '"')
            break;
        char c = j->pos + 1 < j->s.len ? j->s.ptr[j->pos + 1] : 0;
        if (c == 0 || !strchr("\"\\/bfnrtu", c) || (c == 'u' && hex4(j->s, j->pos + 2) < 0))
            return wrong(j, "wrong escape");
        j->pos += c == 'u' ? 6 : 2;
    }
    *out = takc_str_slice(j->s, from, j->pos++);
    return TAKC_OK;
}

static size_t digits(struct takc_scan *j)
{
    size_t from = j->pos;
    while (j->pos < j->s.len && j->s.ptr[j->pos] >= '0' && j->s.ptr[j->pos] <= '9')
        j->pos++;
    return j->pos - from;
}

static bool at_any(const struct takc_scan *j, const char *set)
{
    return j->pos < j->s.len && j->s.ptr[j->pos] && strchr(set, j->s.ptr[j->pos]);
}

static enum takc_status number(struct takc_scan *j)
{
    j->pos += at_any(j, "-");
    bool zero = at_any(j, "0");
    size_t n = digits(j);
    if (n == 0 || (zero && n > 1))
        return wrong(j, "no JSON value");
    if (at_any(j, ".")) {
        j->pos++;
        if (digits(j) == 0)
            return wrong(j, "wrong number");
    }
    if (at_any(j, "eE")) {
        j->pos++;
        j->pos += at_any(j, "+-");
        if (digits(j) == 0)
            return wrong(j, "wrong number");
    }
    return TAKC_OK;
}

enum takc_status takc_scan_enter(struct takc_scan *j, char open)
{
    if (takc_scan_peek(j) != open)
        return wrong(j, "a bracket is missing");
    if (++j->depth > TAKC_READER_MAX_DEPTH)
        return takc_fail(j->err, TAKC_REFUSED, 0, "nesting deeper than %d at byte %zu, line %u", TAKC_READER_MAX_DEPTH, j->pos,
                         takc_scan_line(j, j->pos));
    j->pos++;
    return TAKC_OK;
}

enum takc_status takc_scan_next(struct takc_scan *j, char open, bool first, struct takc_str *out_key, bool *more)
{
    char c = takc_scan_peek(j), close = open == '{' ? '}' : ']';
    *more = c != close;
    if (c == close) {
        j->pos++;
        j->depth--;
        return TAKC_OK;
    }
    if (!first) {
        if (c != ',')
            return wrong(j, "a comma is missing");
        j->pos++;
    }
    *out_key = (struct takc_str){NULL, 0};
    if (open != '{')
        return TAKC_OK;
    enum takc_status st = scan_string(j, out_key);
    if (st)
        return st;
    if (takc_scan_peek(j) != ':')
        return wrong(j, "a colon is missing");
    j->pos++;
    return TAKC_OK;
}

static enum takc_status inside(struct takc_scan *j, char open)
{
    struct takc_str key;
    bool more = true;
    enum takc_status st = takc_scan_enter(j, open);
    for (bool first = true; !st && more; first = false) {
        st = takc_scan_next(j, open, first, &key, &more);
        if (!st && more)
            st = takc_scan_value(j);
    }
    return st;
}

enum takc_status takc_scan_value(struct takc_scan *j)
{
    static const char *const words[] = {"true", "false", "null"};
    struct takc_str unused;
    char c = takc_scan_peek(j);
    if (c == '{' || c == '[')
        return inside(j, c);
    if (c == '"')
        return scan_string(j, &unused);
    for (size_t i = 0; i < 3; i++)
        if (takc_str_starts(takc_str_slice(j->s, j->pos, j->s.len), takc_str(words[i]))) {
            j->pos += strlen(words[i]);
            return TAKC_OK;
        }
    return number(j);
}

size_t takc_scan_piece(struct takc_str s, size_t pos, bool *same, uint32_t *c)
{
    static const char names[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
    const char *p = memchr(s.ptr + pos, '\\', s.len - pos);
    *same = p != s.ptr + pos;
    *c = 0;
    if (*same)
        return p ? (size_t)(p - s.ptr) - pos : s.len - pos;
    char e = pos + 1 < s.len ? s.ptr[pos + 1] : 0;
    const char *name = e ? strchr(names, e) : NULL;
    if (name)
        *c = (unsigned char)means[name - names];
    if (e != 'u')
        return s.len - pos < 2 ? s.len - pos : 2;
    int32_t high = hex4(s, pos + 2), low = -1;
    if ((high & 0xFC00) == 0xD800 && pos + 7 < s.len && s.ptr[pos + 6] == '\\' && s.ptr[pos + 7] == 'u')
        low = hex4(s, pos + 8);
    *c = high < 0 ? 0 : (uint32_t)high;
    if (low >= 0 && (low & 0xFC00) == 0xDC00) {
        *c = 0x10000u + (((uint32_t)high & 0x3FF) << 10 | ((uint32_t)low & 0x3FF));
        return 12;
    }
    return s.len - pos < 6 ? s.len - pos : 6;
}

/* Is a key, escapes and all, exactly this name or one of the names separated by '|'? */
static bool key_is(struct takc_str key, const char *names)
{
    struct takc_str rest = takc_str(names), name;
    while (takc_str_split(&rest, '|', &name))
        if (takc_str_eq(key, name))
            return true;
    return false;
}

enum takc_status takc_scan_fields(struct takc_scan *j, const struct takc_reader_input *in, struct takc_scan_record *out)
{
    struct {
        const char *names;
        struct takc_str *to;
    } fields[] = {{in->jsonl_id ? in->jsonl_id : "id|doc_id|_id", &out->id},
                  {in->jsonl_title ? in->jsonl_title : "title|name", &out->title},
                  {in->jsonl_text ? in->jsonl_text : "text|content|body", &out->text},
                  {in->jsonl_date ? in->jsonl_date : "date", &out->date}};
    *out = (struct takc_scan_record){0};
    struct takc_str key;
    bool more = true;
    enum takc_status st = takc_scan_enter(j, '{');
    for (bool first = true; !st && more; first = false) {
        st = takc_scan_next(j, '{', first, &key, &more);
        if (st || !more)
            break;
        char c = takc_scan_peek(j);
        size_t from = j->pos;
        st = takc_scan_value(j);
        struct takc_str value = takc_str_slice(j->s, from, j->pos);
        for (size_t i = 0; i < 4 && !st; i++)
            if (!fields[i].to->ptr && (c == '"' || (i == 0 && (c == '-' || (c >= '0' && c <= '9')))) && key_is(key, fields[i].names))
                *fields[i].to = value;
        if (!st && c == '[' && takc_str_is(key, "documents"))
            out->documents = value;
    }
    return st;
}
