/* SPDX-License-Identifier: Apache-2.0
 *
 * base/json.h - jansson with takc's errors: duplicate keys and bytes behind the value are refused, places are named.
 * When the library is loaded it sets jansson's allocation functions, the whole process', where they are still malloc and free; a program
 * that sets its own, before or after, keeps them, but a text that is read while memory runs out may then come out wrong. Threads: a json_t
 * belongs to one thread at a time. */
#ifndef TAKC_BASE_JSON_H
#define TAKC_BASE_JSON_H

#include "base/buf.h"

#include <jansson.h>

/* Parses one JSON text. INVALID with "line:column: what" (callers that read stored data turn it into CORRUPT). Returns owned: json_decref.
 */
TAKC_CHECK enum takc_status takc_json_parse(struct takc_str text, json_t **out, struct takc_err *err);
/* Appends v; pretty: two blanks of indent. Keys stay in the order they were set: byte-stable. */
TAKC_CHECK enum takc_status takc_json_dump(const json_t *v, bool pretty, struct takc_buf *out, struct takc_err *err);
/* A JSON string of s; wrong UTF-8 becomes U+FFFD. NULL when there is no memory. Returns owned. */
json_t *takc_json_str(struct takc_str s);
/* "2026-01-31T12:00:00Z" of seconds since 1970 UTC; null of 0. NULL when there is no memory. Returns owned. */
json_t *takc_json_time(int64_t at_s);
/* A member as a view into v (lives as long as v), or the empty view when it is missing or no string. */
struct takc_str takc_json_get_str(const json_t *v, const char *key);
/* A member as a non-negative number; INVALID when it is missing, negative or no whole number. */
TAKC_CHECK enum takc_status takc_json_get_u64(const json_t *v, const char *key, uint64_t *out, struct takc_err *err);
/* The n numbers of an array; INVALID, with the place counted from 0, for no array, another length, and what is no number or too large for a
 * float: out is unchanged then. */
TAKC_CHECK enum takc_status takc_json_get_floats(const json_t *v, float *out, size_t n, struct takc_err *err);
/* Appends s as a quoted JSON string. */
TAKC_CHECK enum takc_status takc_json_quote(struct takc_buf *out, struct takc_str s, struct takc_err *err);

#endif
