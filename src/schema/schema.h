/* SPDX-License-Identifier: Apache-2.0
 *
 * schema/schema.h - what a value must look like, as a table: it checks requests, words the messages, and becomes /openapi.json. Whatever is
 * checked is described, and the other way round.
 * Pure functions over static tables. Threads: any. */
#ifndef TAKC_SCHEMA_SCHEMA_H
#define TAKC_SCHEMA_SCHEMA_H

#include "base/json.h"

enum takc_type {
    TAKC_TYPE_UNSET = 0,
    TAKC_TYPE_TEXT,
    TAKC_TYPE_WHOLE,
    TAKC_TYPE_NUMBER,
    TAKC_TYPE_BOOL,
    TAKC_TYPE_LIST,
    TAKC_TYPE_OBJECT,
    TAKC_TYPE_ANY
};

struct takc_member;
struct takc_schema {
    enum takc_type type;
    const char *about;                  /* a few words; NULL: none */
    bool limited;                       /* min and max count */
    double min, max;                    /* of numbers, inclusive */
    uint32_t min_len, max_len;          /* characters of a text, items of a list; max_len 0: any number */
    const char *one_of;                 /* "auto|select", of a bool "false"; NULL: any */
    bool (*fits)(struct takc_str text); /* more than length; NULL: nothing more */
    const char *expected;               /* what fits wants: "a date like 2026-01-31" */
    const char *pattern, *format;       /* the same for OpenAPI, as far as it can be said there; NULL: nothing */
    const char *name;                   /* of an object with a place of its own in /openapi.json; NULL: written where it stands */
    const struct takc_schema *items;    /* of a list */
    const struct takc_member *members;  /* of an object */
    size_t n_members;
    const struct takc_schema *or_else; /* what it may be instead, where it is of another type; NULL: nothing */
    bool open;                         /* members that have no row are let through; else refused */
    bool nullable;                     /* null is as good as absent */
    bool nulls;                        /* of an object: so it is for each member that may be left out */
};
struct takc_member {
    const char *name;
    bool required;
    struct takc_schema value;
};
#define TAKC_MEMBERS(rows) .members = (rows), .n_members = sizeof(rows) / sizeof((rows)[0])

struct takc_schema_miss {
    char pointer[200];  /* RFC 6901: "/queries/3" */
    char expected[200]; /* "a text of 1 to 8000 characters" */
};
/* Does v look like that? Otherwise where it does not, first that is found, and what was expected there. */
bool takc_schema_check(const struct takc_schema *s, const json_t *v, struct takc_schema_miss *out);
/* Takes members out of v, which fits, that are null where null is as good as absent (nulls), so that who reads it finds no null there. */
void takc_schema_drop_nulls(const struct takc_schema *s, json_t *v);
/* The members of a query string ("a=1&b=x") by an object's schema: whole numbers, numbers and booleans are read as such. As
 * takc_schema_check; a repeated or unknown name does not fit. *out owned, NULL unless it fits; *out_nomem: there was no memory. */
bool takc_schema_query(const struct takc_schema *s, struct takc_str query, json_t **out, struct takc_schema_miss *out_miss,
                       bool *out_nomem);

/* The schema as JSON Schema 2020-12; objects with a name become {"$ref": "#/components/schemas/NAME"} and are added to components once.
 * NULL: no memory. Returns owned. */
json_t *takc_schema_json(const struct takc_schema *s, json_t *components);

#endif
