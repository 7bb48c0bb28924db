/* SPDX-License-Identifier: Apache-2.0
 *
 * schema.c - one walk that checks, one that describes. */
#include "schema/schema.h"

#include "base/arena.h"
#include "base/utf8.h"
#include "net/url.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- what is expected ---- */

static void expect_length(const struct takc_schema *s, const char *what, const char *units, char out[200])
{
    if (s->max_len && s->min_len)
        (void)snprintf(out, 200, "%s of %u to %u %s", what, s->min_len, s->max_len, units);
    else if (s->max_len)
        (void)snprintf(out, 200, "%s of at most %u %s", what, s->max_len, units);
    else if (s->min_len)
        (void)snprintf(out, 200, "%s of at least %u %s", what, s->min_len, units);
    else
        (void)snprintf(out, 200, "%s", what);
}

/* Objects are told by what each has to have: "a list of at most 8 objects {input, output}". */
static void expect_items(const struct takc_schema *s, char out[200])
{
    char units[100] = "items";
    bool objects = s->items && s->items->type == TAKC_TYPE_OBJECT;
    int n = objects ? snprintf(units, sizeof(units), "objects {") : 0;
    for (size_t i = 0, many = 0; objects && i < s->items->n_members && n < 60; i++)
        if (s->items->members[i].required)
            n += snprintf(units + n, sizeof(units) - (size_t)n, "%s%s", many++ ? ", " : "", s->items->members[i].name);
    if (objects)
        (void)snprintf(units + n, sizeof(units) - (size_t)n, "}");
    expect_length(s, "a list", units, out);
}

static void expect_choice(const char *one_of, char out[200])
{
    struct takc_str rest = takc_str(one_of), word;
    int n = snprintf(out, 200, "one of");
    while (n > 0 && n < 200 && takc_str_split(&rest, '|', &word))
        n += snprintf(out + n, (size_t)(200 - n), "%s %.*s", n > 6 ? "," : "", TAKC_STR_ARG(word));
}

static void expect_number(const struct takc_schema *s, char out[200])
{
    const char *what = s->type == TAKC_TYPE_WHOLE ? "a whole number" : "a number";
    if (s->limited && !(s->min < s->max))
        (void)snprintf(out, 200, "%.15g", s->min);
    else if (s->limited)
        (void)snprintf(out, 200, "%s from %.15g to %.15g", what, s->min, s->max);
    else
        (void)snprintf(out, 200, "%s", what);
}

static void expected_of(const struct takc_schema *s, char out[200])
{
    if (s->expected)
        (void)snprintf(out, 200, "%s", s->expected);
    else if (s->one_of)
        expect_choice(s->one_of, out);
    else if (s->type == TAKC_TYPE_TEXT)
        expect_length(s, "a text", "characters", out);
    else if (s->type == TAKC_TYPE_LIST)
        expect_items(s, out);
    else if (s->type == TAKC_TYPE_BOOL)
        (void)snprintf(out, 200, "true or false");
    else if (s->type == TAKC_TYPE_OBJECT)
        (void)snprintf(out, 200, "an object");
    else
        expect_number(s, out);
}

/* ---- checking ---- */

struct walk {
    struct takc_schema_miss *miss;
    char pointer[200];
    size_t len;
};

static bool missed(const struct walk *w, const struct takc_schema *s)
{
    memcpy(w->miss->pointer, w->pointer, sizeof(w->pointer));
    expected_of(s, w->miss->expected);
    return false;
}

/* Adds "/name" with ~ and / escaped; gives the length to go back to. */
static size_t go_in(struct walk *w, struct takc_str name)
{
    size_t before = w->len;
    char *p = w->pointer;
    if (w->len + 1 < sizeof(w->pointer))
        p[w->len++] = '/';
    for (size_t i = 0; i < name.len && w->len + 3 < sizeof(w->pointer); i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        if (c == '~' || c == '/') {
            p[w->len++] = '~';
            p[w->len++] = c == '~' ? '0' : '1';
        } else {
            p[w->len++] = (char)(c < 0x20 || c >= 0x7f ? '?' : c);
        }
    }
    p[w->len] = '\0';
    return before;
}

static void go_out(struct walk *w, size_t len)
{
    w->len = len;
    w->pointer[len] = '\0';
}

static bool is_choice(const char *one_of, struct takc_str text)
{
    struct takc_str rest = takc_str(one_of), word;
    while (takc_str_split(&rest, '|', &word))
        if (takc_str_eq(word, text))
            return true;
    return false;
}

static size_t characters(struct takc_str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += ((unsigned char)s.ptr[i] & 0xc0) != 0x80;
    return n;
}

static bool length_fits(const struct takc_schema *s, size_t n)
{
    return n >= s->min_len && (!s->max_len || n <= s->max_len);
}

static bool text_fits(const struct takc_schema *s, const json_t *v)
{
    struct takc_str text = takc_str_n(json_string_value(v), json_string_length(v));
    return length_fits(s, characters(text)) && (!s->one_of || is_choice(s->one_of, text)) && (!s->fits || s->fits(text));
}

static bool bool_fits(const struct takc_schema *s, const json_t *v)
{
    return !s->one_of || is_choice(s->one_of, takc_str(json_is_true(v) ? "true" : "false"));
}

static bool number_fits(const struct takc_schema *s, const json_t *v)
{
    double x = json_number_value(v);
    if (s->type == TAKC_TYPE_WHOLE && !json_is_integer(v) && floor(x) != x) /* 8.0 is 8, as JSON Schema has it */
        return false;
    return !s->limited || (x >= s->min && x <= s->max);
}

static bool check(struct walk *w, const struct takc_schema *s, const json_t *v);

static bool check_list(struct walk *w, const struct takc_schema *s, const json_t *v)
{
    char number[24];
    for (size_t i = 0; i < json_array_size(v); i++) {
        (void)snprintf(number, sizeof(number), "%zu", i);
        size_t back = go_in(w, takc_str(number));
        if (s->items && !check(w, s->items, json_array_get(v, i)))
            return false;
        go_out(w, back);
    }
    return true;
}

static const struct takc_member *member_of(const struct takc_schema *s, const char *name)
{
    for (size_t i = 0; i < s->n_members; i++)
        if (strcmp(s->members[i].name, name) == 0)
            return &s->members[i];
    return NULL;
}

static bool is_absent(const struct takc_schema *s, const struct takc_member *row, const json_t *v)
{
    return s->nulls && !row->required && json_is_null(v);
}

static bool check_object(struct walk *w, const struct takc_schema *s, json_t *v)
{
    const char *name;
    json_t *m;
    json_object_foreach(v, name, m)
    {
        const struct takc_member *row = member_of(s, name);
        size_t back = go_in(w, takc_str(name));
        if (!row && !s->open) {
            memcpy(w->miss->pointer, w->pointer, sizeof(w->pointer));
            (void)snprintf(w->miss->expected, sizeof(w->miss->expected), "no such member");
            return false;
        }
        if (row && !is_absent(s, row, m) && !check(w, &row->value, m))
            return false;
        go_out(w, back);
    }
    for (size_t i = 0; i < s->n_members; i++) {
        m = json_object_get(v, s->members[i].name);
        if (s->members[i].required && (!m || json_is_null(m))) {
            (void)go_in(w, takc_str(s->members[i].name));
            return missed(w, &s->members[i].value);
        }
    }
    return true;
}

/* Is it the alternative's turn: of its type, and not of this one? */
static bool is_other(const struct takc_schema *s, const json_t *v)
{
    if (!s->or_else)
        return false;
    bool text = json_is_string(v), object = json_is_object(v);
    return s->type == TAKC_TYPE_TEXT ? object && s->or_else->type == TAKC_TYPE_OBJECT : text && s->or_else->type == TAKC_TYPE_TEXT;
}

static bool check(struct walk *w, const struct takc_schema *s, const json_t *v)
{
    if (is_other(s, v))
        return check(w, s->or_else, v);
    if (s->nullable && json_is_null(v))
        return true;
    switch (s->type) {
    case TAKC_TYPE_TEXT:
        return (json_is_string(v) && text_fits(s, v)) || missed(w, s);
    case TAKC_TYPE_WHOLE:
    case TAKC_TYPE_NUMBER:
        return (json_is_number(v) && number_fits(s, v)) || missed(w, s);
    case TAKC_TYPE_BOOL:
        return (json_is_boolean(v) && bool_fits(s, v)) || missed(w, s);
    case TAKC_TYPE_LIST:
        return json_is_array(v) && length_fits(s, json_array_size(v)) ? check_list(w, s, v) : missed(w, s);
    case TAKC_TYPE_OBJECT:
        return json_is_object(v) ? check_object(w, s, (json_t *)(uintptr_t)v) : missed(w, s);
    case TAKC_TYPE_UNSET:
    case TAKC_TYPE_ANY:
        break;
    }
    return true;
}

bool takc_schema_check(const struct takc_schema *s, const json_t *v, struct takc_schema_miss *out)
{
    struct walk w = {.miss = out};
    return check(&w, s, v);
}

void takc_schema_drop_nulls(const struct takc_schema *s, json_t *v)
{
    void *next;
    const char *name;
    json_t *m;
    size_t i;
    if (is_other(s, v))
        s = s->or_else;
    json_array_foreach(v, i, m) if (s->items) takc_schema_drop_nulls(s->items, m);
    json_object_foreach_safe(v, next, name, m)
    {
        const struct takc_member *row = member_of(s, name);
        if (row && is_absent(s, row, m))
            (void)json_object_del(v, name);
        else if (row)
            takc_schema_drop_nulls(&row->value, m);
    }
}

/* ---- query strings ---- */

/* What the text means where a value of this type is expected; the text itself where it means none. NULL: no memory. */
static json_t *value_of(const struct takc_schema *s, struct takc_str text)
{
    uint64_t n;
    if (s->type == TAKC_TYPE_WHOLE && !takc_str_u64(text, INT64_MAX, &n, NULL))
        return json_integer((json_int_t)n);
    if (s->type == TAKC_TYPE_BOOL && (takc_str_is(text, "true") || takc_str_is(text, "false")))
        return json_boolean(text.ptr[0] == 't');
    if (s->type == TAKC_TYPE_NUMBER && text.len && text.len < 40) {
        char *end;
        double x = strtod(text.ptr, &end); /* texts of an arena end with NUL */
        if (*end == '\0' && isfinite(x))
            return json_real(x);
    }
    return takc_utf8_valid(text, NULL) ? takc_json_str(text) : json_null(); /* null fits nothing here */
}

static bool decode(struct takc_arena *a, struct takc_str escaped, struct takc_str *out)
{
    char *text = takc_arena_alloc(a, escaped.len + 1), *raw = takc_arena_alloc(a, escaped.len + 1);
    if (!text || !raw)
        return false;
    for (size_t i = 0; i < escaped.len; i++)
        raw[i] = (char)(escaped.ptr[i] == '+' ? ' ' : escaped.ptr[i]);
    if (!takc_percent_decode(takc_str_n(raw, escaped.len), text, &out->len))
        return false;
    out->ptr = text;
    return true;
}

static bool put_pair(const struct takc_schema *s, struct takc_arena *a, struct takc_str pair, json_t *to, struct takc_schema_miss *miss)
{
    struct takc_str name, value;
    size_t eq = takc_str_find_byte(pair, '=', 0);
    bool good = decode(a, takc_str_slice(pair, 0, eq == SIZE_MAX ? pair.len : eq), &name) &&
                decode(a, eq == SIZE_MAX ? takc_str("") : takc_str_slice(pair, eq + 1, pair.len), &value);
    const struct takc_member *row = good ? member_of(s, name.ptr) : NULL;
    if (!row || json_object_get(to, name.ptr)) {
        (void)snprintf(miss->pointer, sizeof(miss->pointer), "?%.*s", (int)(good && name.len < 60 ? name.len : 0), good ? name.ptr : "");
        (void)snprintf(miss->expected, sizeof(miss->expected), "%s", row ? "one value" : "no such parameter");
        return false;
    }
    return json_object_set_new(to, row->name, value_of(&row->value, value)) == 0;
}

bool takc_schema_query(const struct takc_schema *s, struct takc_str query, json_t **out, struct takc_schema_miss *out_miss, bool *out_nomem)
{
    struct takc_arena a;
    struct takc_str pair;
    json_t *v = json_object();
    bool good = v != NULL;
    *out = NULL;
    *out_miss = (struct takc_schema_miss){{0}, {0}};
    takc_arena_init(&a);
    while (good && takc_str_split(&query, '&', &pair))
        good = !pair.len || put_pair(s, &a, pair, v, out_miss);
    *out_nomem = !good && !out_miss->expected[0];
    if (good && !takc_schema_check(s, v, out_miss)) {
        out_miss->pointer[0] = '?';
        good = false;
    }
    takc_arena_clear(&a);
    if (good)
        *out = v;
    else
        json_decref(v);
    return good;
}

/* ---- describing ---- */

static bool set(json_t *o, const char *name, json_t *v)
{
    return json_object_set_new(o, name, v) == 0;
}

static const char *type_name(enum takc_type t)
{
    static const char *const names[] = {"", "string", "integer", "number", "boolean", "array", "object", ""};
    return names[t];
}

static bool describe_type(const struct takc_schema *s, json_t *o)
{
    if (s->type == TAKC_TYPE_ANY)
        return true;
    if (!s->nullable)
        return set(o, "type", json_string(type_name(s->type)));
    return set(o, "type", json_pack("[s s]", type_name(s->type), "null"));
}

static bool describe_choices(const struct takc_schema *s, json_t *o)
{
    struct takc_str rest = takc_str(s->one_of), word;
    json_t *list = json_array();
    bool good = list != NULL;
    while (good && takc_str_split(&rest, '|', &word))
        good = json_array_append_new(list, s->type == TAKC_TYPE_BOOL ? json_boolean(takc_str_is(word, "true")) : takc_json_str(word)) == 0;
    if (good && s->nullable)
        good = json_array_append_new(list, json_null()) == 0;
    if (!good) {
        json_decref(list);
        return false;
    }
    return set(o, "enum", list);
}

/* Whole numbers where they are whole: 1, not 1.0. */
static json_t *number(double x)
{
    return floor(x) == x && fabs(x) < 1e15 ? json_integer((json_int_t)x) : json_real(x);
}

static bool describe_limits(const struct takc_schema *s, json_t *o)
{
    bool list = s->type == TAKC_TYPE_LIST, good = true;
    if (s->limited)
        good = set(o, "minimum", number(s->min)) && set(o, "maximum", number(s->max));
    if (s->min_len)
        good = good && set(o, list ? "minItems" : "minLength", json_integer(s->min_len));
    if (s->max_len)
        good = good && set(o, list ? "maxItems" : "maxLength", json_integer(s->max_len));
    if (s->pattern)
        good = good && set(o, "pattern", json_string(s->pattern));
    if (s->format)
        good = good && set(o, "format", json_string(s->format));
    return good;
}

/* Takes both. */
static json_t *any_of(json_t *one, json_t *other)
{
    json_t *v = one && other ? json_pack("{s[O O]}", "anyOf", one, other) : NULL;
    json_decref(one);
    json_decref(other);
    return v;
}

static json_t *describe_member(const struct takc_schema *s, const struct takc_member *m, json_t *components)
{
    struct takc_schema value = m->value;
    if (!s->nulls || m->required)
        return takc_schema_json(&value, components);
    if (value.name || value.or_else)
        return any_of(takc_schema_json(&value, components), json_pack("{ss}", "type", "null"));
    value.nullable = true;
    return takc_schema_json(&value, components);
}

static bool describe_members(const struct takc_schema *s, json_t *o, json_t *components)
{
    json_t *members = json_object(), *required = json_array();
    bool good = members && required;
    for (size_t i = 0; good && i < s->n_members; i++) {
        good = set(members, s->members[i].name, describe_member(s, &s->members[i], components));
        if (good && s->members[i].required)
            good = json_array_append_new(required, json_string(s->members[i].name)) == 0;
    }
    if (good && json_array_size(required))
        good = json_object_set(o, "required", required) == 0;
    if (good)
        good = json_object_set(o, "properties", members) == 0 && set(o, "additionalProperties", json_boolean(s->open));
    json_decref(members);
    json_decref(required);
    return good;
}

static json_t *describe(const struct takc_schema *s, json_t *components)
{
    json_t *o = json_object();
    bool good = o && describe_type(s, o) && describe_limits(s, o);
    if (good && s->about)
        good = set(o, "description", json_string(s->about));
    if (good && s->one_of)
        good = describe_choices(s, o);
    if (good && s->items)
        good = set(o, "items", takc_schema_json(s->items, components));
    if (good && s->type == TAKC_TYPE_OBJECT)
        good = describe_members(s, o, components);
    if (good)
        return o;
    json_decref(o);
    return NULL;
}

json_t *takc_schema_json(const struct takc_schema *s, json_t *components)
{
    if (s->or_else) {
        struct takc_schema alone = *s;
        alone.or_else = NULL;
        return any_of(takc_schema_json(&alone, components), takc_schema_json(s->or_else, components));
    }
    if (!s->name)
        return describe(s, components);
    char ref[100];
    if (!json_object_get(components, s->name)) {
        json_t *v = describe(s, components);
        if (!v || json_object_set_new(components, s->name, v))
            return NULL;
    }
    (void)snprintf(ref, sizeof(ref), "#/components/schemas/%s", s->name);
    return json_pack("{ss}", "$ref", ref);
}
