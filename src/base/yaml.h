/* SPDX-License-Identifier: Apache-2.0
 *
 * base/yaml.h - YAML as a stream of items that know where they stand, for files that people write (profile, settings).
 *
 * What is taken is a part of YAML: one document of mappings, lists and scalars, at most TAKC_YAML_DEPTH deep. Anchors, aliases, tags and a
 * second document are refused: nothing here needs them, and expanding aliases is how a small file becomes a large one.
 * Every failure reads "file:line:column: ...", INVALID, or NOMEM. Threads: one at a time. */
#ifndef TAKC_BASE_YAML_H
#define TAKC_BASE_YAML_H

#include "base/buf.h"

#include <yaml.h>

enum { TAKC_YAML_DEPTH = 16, TAKC_YAML_MAX_BYTES = 1 << 20 };

enum takc_yaml_kind {
    TAKC_YAML_UNSET = 0,
    TAKC_YAML_SCALAR,
    TAKC_YAML_MAP,
    TAKC_YAML_MAP_END,
    TAKC_YAML_LIST,
    TAKC_YAML_LIST_END,
    TAKC_YAML_END
};

struct takc_yaml_item {
    enum takc_yaml_kind kind;
    bool plain;            /* a scalar without quotes: may be a number or true */
    struct takc_str text;  /* of a scalar; lives until the next takc_yaml_next */
    unsigned line, column; /* from 1 */
};

struct takc_yaml {
    yaml_parser_t parser;
    yaml_event_t event;
    struct takc_str text; /* borrowed */
    const char *file;     /* borrowed; for messages */
    unsigned depth;
    bool have_event;
};

/* Starts over text; both are borrowed until close. */
TAKC_CHECK enum takc_status takc_yaml_open(struct takc_yaml *y, struct takc_str text, const char *file, struct takc_err *err);
/* The next item; TAKC_YAML_END at the end of the document (also for an empty file). */
TAKC_CHECK enum takc_status takc_yaml_next(struct takc_yaml *y, struct takc_yaml_item *out, struct takc_err *err);
/* Frees; twice is harmless. */
void takc_yaml_close(struct takc_yaml *y);
/* INVALID, "file:line:column: message". */
enum takc_status takc_yaml_fail(const struct takc_yaml *y, const struct takc_yaml_item *at, struct takc_err *err, const char *fmt, ...)
    TAKC_PRINTF(4, 5);
/* Puts "file:line:column: " in front of a message that a check of the value made. */
enum takc_status takc_yaml_at(const struct takc_yaml *y, const struct takc_yaml_item *at, enum takc_status st, struct takc_err *err);

/* A plain (unquoted) whole number of min to max; what names the key in messages. */
TAKC_CHECK enum takc_status takc_yaml_u64(const struct takc_yaml *y, const struct takc_yaml_item *v, const char *what, uint64_t min,
                                          uint64_t max, uint64_t *out, struct takc_err *err);
/* A plain true or false, nothing else that YAML takes for one. */
TAKC_CHECK enum takc_status takc_yaml_bool(const struct takc_yaml *y, const struct takc_yaml_item *v, const char *what, bool *out,
                                           struct takc_err *err);
/* Any scalar without NUL, at most max bytes. *out is a view into v. */
TAKC_CHECK enum takc_status takc_yaml_text(const struct takc_yaml *y, const struct takc_yaml_item *v, const char *what, size_t max,
                                           struct takc_str *out, struct takc_err *err);

#endif
