/* SPDX-License-Identifier: Apache-2.0
 *
 * doc/json_scan.h - walks JSON and tells where its literals stand, which jansson does not. It builds nothing and allocates nothing.
 * Threads: pure functions over a caller's struct. */
#ifndef TAKC_DOC_JSON_SCAN_H
#define TAKC_DOC_JSON_SCAN_H

#include "doc/reader.h"

struct takc_scan {
    struct takc_str s;
    size_t pos;
    unsigned depth;
    size_t line_at; /* newlines before this place are in line */
    uint32_t line;  /* from 1 */
    struct takc_err *err;
};

/* A scanner before the first byte of s, which it borrows; failures go to err. */
struct takc_scan takc_scan_of(struct takc_str s, struct takc_err *err);
/* Skips white space; the byte that follows, or 0 at the end. */
char takc_scan_peek(struct takc_scan *j);
/* Goes over one value of any kind. INVALID with the byte for what is no JSON, REFUSED for nesting over TAKC_READER_MAX_DEPTH. */
TAKC_CHECK enum takc_status takc_scan_value(struct takc_scan *j);
/* Enters an object or array (open is its bracket). REFUSED: nested too deep; INVALID: another byte stands there. */
TAKC_CHECK enum takc_status takc_scan_enter(struct takc_scan *j, char open);
/* Goes over the comma (not where first is true) and, in objects, over the key and colon, and stands before the next value; *more is false
 * when it went over the closing bracket instead. out_key is the key as it stands between its quotes, ptr NULL in arrays. */
TAKC_CHECK enum takc_status takc_scan_next(struct takc_scan *j, char open, bool first, struct takc_str *out_key, bool *more);
/* Only white space left? */
bool takc_scan_done(struct takc_scan *j);
/* Line of place at, which may not go back between calls. */
uint32_t takc_scan_line(struct takc_scan *j, size_t at);

/* The next piece of a string's inside at *pos: bytes that stand for themselves (*same), or one escape and the character it means (both
 * halves of a surrogate pair are one). Returns the piece's length in s; *c is its character. */
size_t takc_scan_piece(struct takc_str inside, size_t pos, bool *same, uint32_t *c);

/* The fields of a record, as places; ptr NULL: not there. value: the literal as it stands, quotes included. */
struct takc_scan_record {
    struct takc_str id, title, text, date;
    struct takc_str documents; /* the array under the key "documents", if it is one */
};
/* Goes over an object and notes its fields by the names of the input. A text that is no string does not count. */
TAKC_CHECK enum takc_status takc_scan_fields(struct takc_scan *j, const struct takc_reader_input *in, struct takc_scan_record *out);

#endif
