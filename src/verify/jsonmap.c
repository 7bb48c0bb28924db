/* SPDX-License-Identifier: Apache-2.0
 *
 * jsonmap.c - JSON seen twice: slices by an unescaper of our own, and blocks through jansson, which resolves the block's JSON Pointer in
 * the whole source; the literal there must hold what the block's runs say, block behind block. */
#include "base/json.h"
#include "base/utf8.h"
#include "verify/map.h"

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/* The 16-bit unit of \uXXXX at pos, or -1. */
static int32_t unit_at(struct takc_str s, size_t pos)
{
    int32_t v = 0;
    if (pos + 6 > s.len || s.ptr[pos] != '\\' || s.ptr[pos + 1] != 'u')
        return -1;
    for (size_t i = pos + 2; i < pos + 6; i++) {
        int h = hex(s.ptr[i]);
        if (h < 0)
            return -1;
        v = v * 16 + h;
    }
    return v;
}

static uint32_t escape_at(struct takc_str s, size_t *pos)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    int32_t u = unit_at(s, *pos);
    if (u >= 0) {
        *pos += 6;
        int32_t low = (u & 0xFC00) == 0xD800 ? unit_at(s, *pos) : -1;
        if (low >= 0 && (low & 0xFC00) == 0xDC00) {
            *pos += 6;
            return 0x10000u + ((uint32_t)(u & 0x3FF) << 10) + (uint32_t)(low & 0x3FF);
        }
        return u == 0 || (u & 0xF800) == 0xD800 ? TAKC_UTF8_BAD : (uint32_t)u;
    }
    const char *at = *pos + 1 < s.len && s.ptr[*pos + 1] ? strchr(from, s.ptr[*pos + 1]) : NULL;
    *pos += at ? 2 : 1;
    return at ? (uint32_t)to[at - from] : TAKC_UTF8_BAD;
}

enum takc_status takc_map_json(struct takc_str utf8, unsigned variant, struct takc_buf *out, bool *out_more, const char **out_wrong,
                               struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    (void)variant;
    *out_more = false;
    for (size_t pos = 0; !st && pos < utf8.len;) {
        char bytes[4];
        if (utf8.ptr[pos] == '"')
            *out_wrong = "holds a bare quote";
        if (utf8.ptr[pos] == '\\') {
            uint32_t c = escape_at(utf8, &pos);
            st = takc_buf_add(out, takc_str_n(bytes, takc_utf8_put(c, bytes)), err);
        } else {
            st = takc_buf_byte(out, utf8.ptr[pos++], err);
        }
    }
    return st;
}

/* One token of a pointer, "~1" and "~0" resolved. */
static enum takc_status pointer_key(struct takc_str token, struct takc_buf *out, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    takc_buf_reset(out);
    for (size_t i = 0; !st && i < token.len; i++) {
        bool escape = token.ptr[i] == '~' && i + 1 < token.len && (token.ptr[i + 1] == '0' || token.ptr[i + 1] == '1');
        st = takc_buf_byte(out, !escape ? token.ptr[i] : token.ptr[i + 1] == '0' ? '~' : '/', err);
        i += escape;
    }
    return st;
}

/* What pointer names in v; *out NULL when there is no such thing. */
static enum takc_status resolve(const json_t *v, struct takc_str pointer, struct takc_buf *key, json_t **out, struct takc_err *err)
{
    struct takc_str rest = pointer, token;
    enum takc_status st = TAKC_OK;
    if (rest.len)
        (void)takc_str_split(&rest, '/', &token); /* what stands before the first slash is empty */
    while (!st && v && rest.len + (rest.ptr != NULL) > 0 && pointer.len && takc_str_split(&rest, '/', &token)) {
        uint64_t index;
        st = pointer_key(token, key, err);
        if (st)
            break;
        struct takc_str k = takc_buf_str(key);
        if (json_is_array(v))
            v = takc_str_u64(k, SIZE_MAX / 2, &index, NULL) ? NULL : json_array_get(v, (size_t)index);
        else
            v = json_object_getn(v, k.ptr, k.len);
    }
    *out = (json_t *)v;
    return st;
}

/* The bytes of a block that have a place in the source. */
static enum takc_status mapped_bytes(struct takc_map_job *m, const struct takc_block *b, size_t *run, struct takc_buf *out)
{
    const struct takc_doc *d = m->doc;
    enum takc_status st = TAKC_OK;
    takc_buf_reset(out);
    while (*run < d->n_runs && d->runs[*run].end <= b->start)
        ++*run;
    for (size_t i = *run; !st && i < d->n_runs && d->runs[i].start < b->end; i++) {
        uint32_t from = d->runs[i].start > b->start ? d->runs[i].start : b->start, to = d->runs[i].end < b->end ? d->runs[i].end : b->end;
        st = takc_buf_add(out, takc_str_slice(takc_buf_str(&d->text), from, to), m->err);
    }
    return st;
}

enum { TRIES = 4096 }; /* places behind the cursor; only white space and marks of a list stand between blocks */

/* Is needle found in literal near or behind *cursor, white space apart? Moves the cursor behind it. */
static bool found_behind(struct takc_str literal, struct takc_str needle, size_t *cursor)
{
    for (size_t at = *cursor, used; at < literal.len && at < *cursor + TRIES; at++)
        if (takc_utf8_boundary(literal, at) && takc_map_begins(takc_str_slice(literal, at, literal.len), needle, &used)) {
            *cursor = at + used;
            return true;
        }
    return false;
}

/* Is text the number or word v? What is no JSON is not; only NOMEM fails. */
static enum takc_status is_literal(const json_t *v, struct takc_str text, bool *out, struct takc_err *err)
{
    struct takc_err why;
    json_t *again = NULL;
    enum takc_status st = takc_json_parse(text, &again, &why);
    *out = !st && json_equal(again, v);
    json_decref(again);
    if (st != TAKC_NOMEM)
        return TAKC_OK;
    *err = why;
    return st;
}

/* Pointer and cursor of the block before: blocks of one literal follow one another. */
struct place {
    uint32_t pointer;
    size_t cursor;
};

static enum takc_status check_block(struct takc_map_job *m, const json_t *root, size_t i, size_t *run, struct place *last)
{
    const struct takc_block *b = &m->doc->blocks[i];
    const char *z = m->doc->strings.ptr + b->pointer - 1;
    json_t *v = NULL;
    enum takc_status st = resolve(root, takc_str(z), &m->raw, &v, m->err);
    if (!st)
        st = mapped_bytes(m, b, run, &m->out);
    if (st)
        return st;
    if (last->pointer != b->pointer)
        *last = (struct place){b->pointer, 0};
    struct takc_str said = takc_buf_str(&m->out);
    bool ok = false;
    if (json_is_string(v))
        ok = said.len && found_behind(takc_str_n(json_string_value(v), json_string_length(v)), said, &last->cursor);
    else if (v && !json_is_object(v) && !json_is_array(v))
        st = is_literal(v, said, &ok, m->err);
    if (st)
        return st;
    char quote[48], place[48];
    if (ok)
        takc_report_pass(&m->report, TAKC_LEVEL_M);
    else
        takc_report_fail(&m->report, TAKC_LEVEL_M, m->subject, "block %zu: what stands at %s %s '%s'", i + 1,
                         takc_report_quote(takc_str(z), place), v ? "does not hold" : "is missing and cannot hold",
                         takc_report_quote(said, quote));
    return TAKC_OK;
}

enum takc_status takc_map_pointers(struct takc_map_job *m)
{
    const struct takc_doc *d = m->doc;
    struct takc_err why = {0};
    struct place last = {0};
    json_t *root = NULL;
    size_t run = 0, bom = takc_str_starts(m->source, takc_str("\xEF\xBB\xBF")) ? 3 : 0;
    if (!d->n_blocks)
        return TAKC_OK;
    enum takc_status st = takc_json_parse(takc_str_slice(m->source, bom, m->source.len), &root, &why);
    if (st == TAKC_NOMEM) {
        *m->err = why;
        return st;
    }
    if (st) {
        takc_report_fail(&m->report, TAKC_LEVEL_M, m->subject, "its source is no JSON: %s", why.msg);
        return TAKC_OK;
    }
    for (size_t i = 0; !st && i < d->n_blocks; i++)
        if (d->blocks[i].pointer && d->blocks[i].pointer <= d->strings.len && !(st = takc_call_check(m->call, m->err)))
            st = check_block(m, root, i, &run, &last);
    json_decref(root);
    return st;
}
