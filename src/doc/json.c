/* SPDX-License-Identifier: Apache-2.0
 *
 * json.c - JSON and JSONL records. A record (an object with a text field) is a document: title, newline, text; the text's own lines get
 * structure by the line rules. Any other JSON becomes one line a scalar, "key.path: value", with the key path inserted.
 *
 * Depth is judged first, by our own scanner; then jansson must agree that this is JSON without duplicate keys; then the scanner tells where
 * each literal stands, so that the map is exact: bytes of a literal are verbatim, escapes are decoded. JSON that is not UTF-8 is
 * transcoded first and has no map. */
#include "base/json.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "doc/json_scan.h"
#include "doc/lines.h"
#include "doc/parts.h"

#include <stdio.h>

enum { PROSE_BYTES = 80, PATH_BYTES = 64 << 10 };

/* One reading: base is where the scanned bytes begin in the source (behind a byte order mark). */
struct reading {
    struct takc_doc *d;
    struct takc_call *call;
    struct takc_scan j;
    size_t base;
    struct takc_buf path, pointer;
    uint32_t row;
    bool one_line; /* newlines of the string being written become blanks */
    bool after_cr;
    struct takc_err *err;
};

/* The text that an escape stands for. */
static enum takc_status write_escape(struct reading *r, uint32_t c, size_t at, size_t end)
{
    struct takc_doc *d = r->d;
    char out[4];
    bool pair = c == '\n' && r->after_cr;
    r->after_cr = c == '\r';
    if (pair) { /* the newline stands already, for the \r */
        d->runs[d->n_runs - 1].src_end = (uint32_t)end;
        return TAKC_OK;
    }
    if (c == '\r')
        c = '\n';
    if (r->one_line && c < ' ')
        c = ' ';
    if (c == 0 || (c >= 0xD800 && c < 0xE000)) {
        c = TAKC_UTF8_BAD;
        d->n_replaced++;
    }
    return takc_doc_decoded(d, takc_str_n(out, takc_utf8_put(c, out)), at, end, r->err);
}

/* Appends what the inside of a string literal means, with its map. */
static enum takc_status write_string(struct reading *r, struct takc_str inside)
{
    size_t at = r->base + (size_t)(inside.ptr - r->j.s.ptr);
    enum takc_status st = TAKC_OK;
    r->after_cr = false;
    for (size_t pos = 0, n; pos < inside.len && !st; pos += n) {
        bool same;
        uint32_t c;
        n = takc_scan_piece(inside, pos, &same, &c);
        if (same) {
            st = takc_doc_verbatim(r->d, takc_str_slice(inside, pos, pos + n), at + pos, r->err);
            r->after_cr = false;
        } else {
            st = write_escape(r, c, at + pos, at + pos + n);
        }
    }
    return st;
}

static struct takc_str unquoted(struct takc_str literal)
{
    return literal.len >= 2 && literal.ptr[0] == '"' ? takc_str_slice(literal, 1, literal.len - 1) : literal;
}

/* Puts a pointer into d's strings; *out is what a block holds. */
static enum takc_status add_pointer(struct takc_doc *d, struct takc_str pointer, uint32_t *out, struct takc_err *err)
{
    if (d->strings.len > UINT32_MAX / 2)
        return takc_fail(err, TAKC_REFUSED, 0, "too many JSON values");
    *out = (uint32_t)d->strings.len + 1;
    enum takc_status st = takc_buf_add(&d->strings, pointer, err);
    return st ? st : takc_buf_byte(&d->strings, '\0', err);
}

/* Text bytes start..end without white space at both ends, as a block; nothing when nothing is left. */
static enum takc_status trimmed_block(struct takc_doc *d, struct takc_block b, struct takc_err *err)
{
    struct takc_str text = takc_buf_str(&d->text), t = takc_str_trim(takc_str_slice(text, b.start, b.end));
    if (t.len == 0)
        return TAKC_OK;
    b.start = (uint32_t)(t.ptr - text.ptr);
    b.end = b.start + (uint32_t)t.len;
    return takc_doc_block(d, b, err);
}

/* "/key" of a field whose value literal stands at value: the key is the string before the colon before it. */
static enum takc_status field_pointer(struct reading *r, struct takc_str value, uint32_t *out)
{
    const char *p = value.ptr, *from = r->j.s.ptr;
    while (p > from && p[-1] != '"')
        p--;
    const char *end = p > from ? p - 1 : p; /* the closing quote of the key; names of fields hold no quotes */
    for (p = end; p > from && p[-1] != '"';)
        p--;
    takc_buf_reset(&r->pointer);
    enum takc_status st = takc_buf_byte(&r->pointer, '/', r->err);
    for (; p < end && !st; p++)
        st = *p == '~'   ? takc_buf_add(&r->pointer, takc_str("~0"), r->err)
             : *p == '/' ? takc_buf_add(&r->pointer, takc_str("~1"), r->err)
                         : takc_buf_byte(&r->pointer, *p, r->err);
    return st ? st : add_pointer(r->d, takc_buf_str(&r->pointer), out, r->err);
}

static enum takc_status write_title(struct reading *r, struct takc_str literal)
{
    struct takc_doc *d = r->d;
    struct takc_block b = {
        .kind = TAKC_BLOCK_TITLE, .start = (uint32_t)d->text.len, .line = takc_scan_line(&r->j, (size_t)(literal.ptr - r->j.s.ptr))};
    r->one_line = true;
    enum takc_status st = field_pointer(r, literal, &b.pointer);
    if (!st)
        st = write_string(r, unquoted(literal));
    r->one_line = false;
    b.end = (uint32_t)d->text.len;
    size_t n = d->n_blocks;
    if (!st && b.end > b.start)
        st = trimmed_block(d, b, r->err);
    if (!st && d->n_blocks > n) {
        d->title_start = d->blocks[n].start;
        d->title_end = d->blocks[n].end;
        st = takc_doc_set_title(d, takc_str_slice(takc_buf_str(&d->text), d->title_start, d->title_end), TAKC_TITLE_TEXT, r->err);
    }
    return st ? st : takc_doc_inserted(d, takc_str("\n"), r->err);
}

static enum takc_status write_record(struct reading *r, const struct takc_scan_record *f)
{
    enum takc_status st = f->title.ptr ? write_title(r, f->title) : TAKC_OK;
    struct takc_lines_options lines = {.from = r->d->text.len, .one_line = true};
    if (!st)
        st = field_pointer(r, f->text, &lines.pointer);
    if (!st)
        st = write_string(r, unquoted(f->text));
    struct takc_scan from_start = takc_scan_of(r->j.s, NULL); /* the text may stand before the title */
    lines.first_line = takc_scan_line(&from_start, (size_t)(f->text.ptr - r->j.s.ptr));
    if (!st)
        st = takc_lines_structure(r->d, &lines, r->call, r->err);
    if (!st && f->date.ptr) {
        struct takc_str day = unquoted(f->date);
        r->d->has_date = takc_date_parse(day.ptr, day.len, &r->d->date, NULL) == TAKC_OK;
        if (!r->d->has_date)
            st = takc_doc_note(r->d, r->err, "date '%.*s' is not understood", (int)(day.len < 40 ? day.len : 40), day.ptr);
    }
    return st;
}

/* A scalar as "key.path: value". Long strings are prose by the line rules, below their path when they have several lines. */
static enum takc_status write_scalar(struct reading *r, struct takc_str literal)
{
    struct takc_doc *d = r->d;
    struct takc_str value = unquoted(literal);
    size_t start = d->text.len, at = (size_t)(literal.ptr - r->j.s.ptr);
    uint32_t pointer, line = takc_scan_line(&r->j, at);
    if (literal.ptr[0] == '"' && value.len == 0)
        return TAKC_OK;
    enum takc_status st = add_pointer(d, takc_buf_str(&r->pointer), &pointer, r->err);
    bool lines = takc_str_find(value, takc_str("\\n"), 0) != SIZE_MAX;
    if (!st && r->path.len) {
        st = takc_doc_inserted(d, takc_buf_str(&r->path), r->err);
        if (!st && lines)
            st = takc_doc_block(
                d, (struct takc_block){.kind = TAKC_BLOCK_HEADING, .start = (uint32_t)start, .end = (uint32_t)d->text.len, .line = line},
                r->err);
        if (!st)
            st = takc_doc_inserted(d, takc_str(lines ? "\n" : ": "), r->err);
    }
    size_t value_at = d->text.len;
    if (!st)
        st = literal.ptr[0] == '"' ? write_string(r, value) : takc_doc_verbatim(d, value, r->base + at, r->err);
    if (!st && lines) {
        struct takc_lines_options o = {
            .from = value_at, .first_line = line, .one_line = true, .pointer = pointer, .first_table = 2 + r->row};
        st = takc_lines_structure(d, &o, r->call, r->err);
    } else if (!st) {
        bool prose = value.len > PROSE_BYTES && literal.ptr[0] == '"';
        struct takc_block b = {.kind = prose ? TAKC_BLOCK_PARA : TAKC_BLOCK_ROW, .start = (uint32_t)start, .end = (uint32_t)d->text.len};
        b.line = line;
        b.pointer = pointer;
        b.table = !prose;
        b.row = prose ? 0 : ++r->row;
        st = trimmed_block(d, b, r->err);
    }
    return st ? st : takc_doc_inserted(d, takc_str("\n"), r->err);
}

/* Appends what a key means to the path (control characters as blanks) and, with RFC 6901's two escapes, to the pointer. */
static enum takc_status push_key(struct reading *r, struct takc_str key)
{
    enum takc_status st = r->path.len ? takc_buf_byte(&r->path, '.', r->err) : TAKC_OK;
    if (!st)
        st = takc_buf_byte(&r->pointer, '/', r->err);
    for (size_t pos = 0, n; pos < key.len && !st; pos += n) {
        bool same;
        uint32_t c;
        char out[4];
        n = takc_scan_piece(key, pos, &same, &c);
        c = c >= 0xD800 && c < 0xE000 ? TAKC_UTF8_BAD : c;
        struct takc_str bytes = same ? takc_str_slice(key, pos, pos + n) : takc_str_n(out, takc_utf8_put(c ? c : TAKC_UTF8_BAD, out));
        st = takc_buf_add(&r->path, !same && c < ' ' ? takc_str(" ") : bytes, r->err);
        for (size_t i = 0; i < bytes.len && !st; i++)
            st = bytes.ptr[i] == '~'   ? takc_buf_add(&r->pointer, takc_str("~0"), r->err)
                 : bytes.ptr[i] == '/' ? takc_buf_add(&r->pointer, takc_str("~1"), r->err)
                                       : takc_buf_byte(&r->pointer, bytes.ptr[i], r->err);
    }
    return st == TAKC_INVALID ? takc_fail(r->err, TAKC_REFUSED, 0, "a key path is longer than %d bytes", PATH_BYTES) : st;
}

static enum takc_status push_index(struct reading *r, uint64_t i)
{
    enum takc_status st = takc_buf_printf(&r->path, r->err, r->path.len ? ".%llu" : "%llu", (unsigned long long)i);
    if (!st)
        st = takc_buf_printf(&r->pointer, r->err, "/%llu", (unsigned long long)i);
    return st == TAKC_INVALID ? takc_fail(r->err, TAKC_REFUSED, 0, "a key path is longer than %d bytes", PATH_BYTES) : st;
}

static void cut(struct takc_buf *b, size_t len)
{
    b->len = len;
    if (b->ptr)
        b->ptr[len] = '\0';
}

static enum takc_status write_value(struct reading *r)
{
    char open = takc_scan_peek(&r->j);
    size_t from = r->j.pos;
    if (open != '{' && open != '[') {
        enum takc_status st = takc_scan_value(&r->j);
        return st ? st : write_scalar(r, takc_str_slice(r->j.s, from, r->j.pos));
    }
    enum takc_status st = takc_scan_enter(&r->j, open);
    bool more = true;
    size_t path = r->path.len, pointer = r->pointer.len;
    for (uint64_t i = 0; !st && more; i++) {
        struct takc_str key;
        st = takc_scan_next(&r->j, open, i == 0, &key, &more);
        if (st || !more)
            break;
        st = open == '{' ? push_key(r, key) : push_index(r, i);
        if (!st)
            st = write_value(r);
        cut(&r->path, path);
        cut(&r->pointer, pointer);
        if (!st && (i & 1023) == 1023)
            st = takc_call_check(r->call, r->err);
    }
    return st;
}

/* Depth and grammar by the scanner, which notes the fields of an object on the way; then jansson's word on it. */
static enum takc_status validate(const struct takc_reader_input *in, struct takc_str bytes, struct takc_scan_record *out,
                                 struct takc_err *err)
{
    struct takc_scan j = takc_scan_of(bytes, err);
    enum takc_status st = takc_scan_peek(&j) == '{' ? takc_scan_fields(&j, in, out) : takc_scan_value(&j);
    if (!st && !takc_scan_done(&j))
        st = takc_fail(err, TAKC_INVALID, 0, "bytes behind the JSON value at byte %zu", j.pos);
    json_t *v = NULL;
    if (!st)
        st = takc_json_parse(bytes, &v, err);
    if (!st)
        json_decref(v);
    if (st != TAKC_INVALID)
        return st;
    if (err)
        err->status = TAKC_CORRUPT;
    return takc_err_prefix(err, TAKC_CORRUPT, "no JSON");
}

static enum takc_status read_utf8(struct takc_call *call, const struct takc_reader_input *in, struct takc_str bytes, size_t base,
                                  struct takc_doc *d, struct takc_err *err)
{
    struct takc_scan_record f = {0};
    enum takc_status st = validate(in, bytes, &f, err);
    if (st)
        return st;
    struct reading r = {.d = d, .call = call, .j = takc_scan_of(bytes, err), .base = base, .err = err};
    takc_buf_init(&r.path, PATH_BYTES);
    takc_buf_init(&r.pointer, PATH_BYTES);
    st = f.text.ptr ? write_record(&r, &f) : write_value(&r);
    takc_buf_clear(&r.path);
    takc_buf_clear(&r.pointer);
    if (!st && d->n_replaced)
        st = takc_doc_note(d, err, "%llu NUL or half characters were replaced", (unsigned long long)d->n_replaced);
    return st;
}

/* JSON in another charset: transcoded, read, and without a map, as offsets would be those of the transcoded bytes. */
static enum takc_status read_transcoded(struct takc_call *call, const struct takc_reader_input *in, struct takc_doc *d,
                                        struct takc_err *err)
{
    struct takc_buf utf8;
    takc_buf_init(&utf8, d->text.max);
    enum takc_status st = takc_charset_to_utf8(in->bytes, &utf8, NULL, d->charset, &d->n_replaced, err);
    if (!st)
        st = read_utf8(call, in, takc_buf_str(&utf8), 0, d, err);
    takc_buf_clear(&utf8);
    d->n_runs = 0;
    d->has_map = false;
    return st ? st : takc_doc_note(d, err, "JSON in %s: places in the source are not known", d->charset);
}

/* Fields named by the caller are marked in the version by a hash of their names. */
static void mark_fields(const struct takc_reader_input *in, struct takc_doc *d)
{
    const char *const names[] = {in->jsonl_title, in->jsonl_text, in->jsonl_date};
    uint64_t hash = 0;
    for (size_t i = 0; i < 3; i++)
        if (names[i])
            hash = takc_hash64(takc_str(names[i]), hash + i + 1);
    if (hash)
        (void)snprintf(d->reader_version, sizeof(d->reader_version), "%s+%08x", takc_reader_json.version, (unsigned)(hash >> 32));
}

static enum takc_status read_json(struct takc_call *call, const struct takc_reader_input *in, struct takc_doc *d, struct takc_err *err)
{
    struct takc_str bytes = in->bytes;
    mark_fields(in, d);
    if (bytes.len > UINT32_MAX)
        return takc_fail(err, TAKC_REFUSED, 0, "source of %zu bytes is over 4 GiB", bytes.len);
    size_t base = takc_str_starts(bytes, takc_str("\xEF\xBB\xBF")) ? 3 : 0;
    bytes = takc_str_slice(bytes, base, bytes.len);
    if (takc_str_trim(bytes).len == 0) {
        d->has_map = true;
        return TAKC_OK;
    }
    if (memchr(bytes.ptr, 0, bytes.len < 64 ? bytes.len : 64) || !takc_utf8_valid(bytes, NULL))
        return read_transcoded(call, in, d, err);
    memcpy(d->charset, "UTF-8", 6);
    enum takc_status st = read_utf8(call, in, bytes, base, d, err);
    d->has_map = true;
    return st;
}

static const char *const json_extensions[] = {"json", "geojson", "ipynb", NULL};
static const char *const jsonl_extensions[] = {"jsonl", "ndjson", "jsonlines", NULL};

const struct takc_reader_ops takc_reader_json = {
    .name = "json", .version = "2", .extensions = json_extensions, .splits = true, .sniff = takc_sniff_json, .read = read_json};
const struct takc_reader_ops takc_reader_jsonl = {
    .name = "jsonl", .version = "2", .extensions = jsonl_extensions, .splits = true, .sniff = takc_sniff_jsonl, .read = read_json};
