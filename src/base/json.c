/* SPDX-License-Identifier: Apache-2.0
 *
 * json.c - jansson behind takc's status and buffers.
 *
 * Where its reader finds no memory for the next letter of a string (2.14), it goes on without that letter: a text would come out with
 * holes, and where the letter is the quote at the end, it copies what lies behind. So once an allocation has failed, all others of that
 * text fail, the string's own among them, and the reader gives up before it copies. */
#include "base/json.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/utf8.h"

#include <math.h>
#include <stdlib.h>

static _Thread_local bool parsing, failed; /* a text is read from begin to end by one thread, on no other fiber */

static void *json_alloc(size_t n)
{
    void *p = parsing && failed ? NULL : takc_alloc_json(n);
    failed = failed || !p;
    return p;
}

/* Before there is a second thread. What others allocated is freed as ever. The functions are the process': a program that has set its own
 * keeps them, and does without the above. */
__attribute__((constructor)) static void watch_memory(void)
{
    json_malloc_t allocate;
    json_free_t release;
    json_get_alloc_funcs(&allocate, &release);
    if (allocate == malloc && release == free)
        json_set_alloc_funcs(json_alloc, free);
}

static json_t *load(struct takc_str text, json_error_t *e)
{
    failed = false;
    parsing = true;
    json_t *v = json_loadb(text.ptr ? text.ptr : "", text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, e);
    parsing = false;
    return v;
}

enum takc_status takc_json_parse(struct takc_str text, json_t **out, struct takc_err *err)
{
    json_error_t e;
    json_t *v = load(text, &e);
    if (v && failed) { /* and yet it is whole? nobody vouches for that */
        json_decref(v);
        v = NULL;
    }
    if (!v) {
        if (failed || json_error_code(&e) == json_error_out_of_memory || !e.text[0]) /* a failed allocation inside leaves no text */
            return takc_fail(err, TAKC_NOMEM, 0, "no memory for JSON");
        return takc_fail(err, TAKC_INVALID, e.position, "%d:%d: %s", e.line, e.column, e.text);
    }
    *out = v;
    return TAKC_OK;
}

struct dump_to {
    struct takc_buf *out;
    struct takc_err *err;
    enum takc_status status;
};

/* jansson does not look at what this says of a key: once it failed, it fails for good. */
static int dump_piece(const char *p, size_t n, void *arg)
{
    struct dump_to *d = arg;
    if (!d->status)
        d->status = takc_buf_add(d->out, takc_str_n(p, n), d->err);
    return d->status ? -1 : 0;
}

enum takc_status takc_json_dump(const json_t *v, bool pretty, struct takc_buf *out, struct takc_err *err)
{
    struct dump_to d = {out, err, TAKC_OK};
    /* 15 digits: every decimal that short comes out as it was meant (37.2), where 17 would show the double behind it. */
    int bad = json_dump_callback(v, dump_piece, &d, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15) | (pretty ? JSON_INDENT(2) : JSON_COMPACT));
    return d.status ? d.status : bad ? takc_fail(err, TAKC_NOMEM, 0, "no memory for JSON") : TAKC_OK;
}

json_t *takc_json_str(struct takc_str s)
{
    if (takc_utf8_valid(s, NULL))
        return json_stringn_nocheck(s.ptr ? s.ptr : "", s.len);
    struct takc_buf b;
    size_t replaced;
    takc_buf_init(&b, s.len * 3 + 3);
    json_t *v = takc_utf8_repair(&b, s, &replaced, NULL) ? NULL : json_stringn_nocheck(takc_buf_str(&b).ptr, b.len);
    takc_buf_clear(&b);
    return v;
}

json_t *takc_json_time(int64_t at_s)
{
    char text[21];
    if (!at_s)
        return json_null();
    takc_time_text(at_s, text);
    return json_string(text);
}

struct takc_str takc_json_get_str(const json_t *v, const char *key)
{
    const json_t *m = json_object_get(v, key);
    return json_is_string(m) ? takc_str_n(json_string_value(m), json_string_length(m)) : (struct takc_str){NULL, 0};
}

enum takc_status takc_json_get_u64(const json_t *v, const char *key, uint64_t *out, struct takc_err *err)
{
    const json_t *m = json_object_get(v, key);
    if (!json_is_integer(m) || json_integer_value(m) < 0)
        return takc_fail(err, TAKC_INVALID, 0, "%s: a whole number, 0 or more, is missing", key);
    *out = (uint64_t)json_integer_value(m);
    return TAKC_OK;
}

enum takc_status takc_json_get_floats(const json_t *v, float *out, size_t n, struct takc_err *err)
{
    if (!json_is_array(v))
        return takc_fail(err, TAKC_INVALID, 0, "an array of numbers is missing");
    if (json_array_size(v) != n)
        return takc_fail(err, TAKC_INVALID, 0, "%zu numbers, not %zu", json_array_size(v), n);
    for (size_t i = 0; i < n; i++) {
        const json_t *one = json_array_get(v, i);
        if (!json_is_number(one) || !isfinite((float)json_number_value(one)))
            return takc_fail(err, TAKC_INVALID, 0, "number %zu is %s", i, json_is_number(one) ? "too large" : "none");
    }
    for (size_t i = 0; i < n; i++)
        out[i] = (float)json_number_value(json_array_get(v, i));
    return TAKC_OK;
}

enum takc_status takc_json_quote(struct takc_buf *out, struct takc_str s, struct takc_err *err)
{
    json_t *v = takc_json_str(s);
    if (!v)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for JSON");
    enum takc_status st = takc_json_dump(v, false, out, err);
    json_decref(v);
    return st;
}
