/* SPDX-License-Identifier: Apache-2.0
 *
 * aws/ini.h - the files ~/.aws/config and ~/.aws/credentials: sections, keys ('=' or ':' ends one), nested keys ("s3 =" and indented lines
 * below are one value with line breaks), comments (# or ; at the start of a line, or behind a section). Values are secrets: make the arena
 * secret; no message shows one. Threads: pure functions. */
#ifndef TAKC_AWS_INI_H
#define TAKC_AWS_INI_H

#include "base/arena.h"

struct takc_ini_entry {
    struct takc_str section, key, value; /* section without "profile "; "sso-session x" stays; key in lower case */
    unsigned line;
};
struct takc_ini {
    struct takc_ini_entry *entries; /* in the order of the file; a section opens with an entry whose key is empty */
    size_t n;
};
/* is_config: sections are named "profile x" (or "default"), as in ~/.aws/config. Everything is copied into the arena. INVALID: "line n:
 * ...". */
TAKC_CHECK enum takc_status takc_ini_parse(struct takc_ini *out, struct takc_str text, bool is_config, struct takc_arena *a,
                                           struct takc_err *err);
/* The last value of key in section; false when there is none. */
bool takc_ini_get(const struct takc_ini *ini, struct takc_str section, const char *key, struct takc_str *out);
bool takc_ini_has_section(const struct takc_ini *ini, struct takc_str section);

#endif
