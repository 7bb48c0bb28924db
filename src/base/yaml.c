/* SPDX-License-Identifier: Apache-2.0
 *
 * yaml.c - libyaml's events, narrowed to what base/yaml.h takes. Events, not its document loader: nothing is built that the reader did not
 * ask for, so a hostile file costs no more than its size. */
#include "base/yaml.h"

#include <stdarg.h>
#include <stdio.h>

enum takc_status takc_yaml_open(struct takc_yaml *y, struct takc_str text, const char *file, struct takc_err *err)
{
    *y = (struct takc_yaml){.text = text, .file = file};
    if (text.len > TAKC_YAML_MAX_BYTES)
        return takc_fail(err, TAKC_INVALID, 0, "%s:1:1: larger than %d bytes", file, (int)TAKC_YAML_MAX_BYTES);
    if (takc_str_starts(text, takc_str("\xEF\xBB\xBF")))
        y->text = takc_str_slice(text, 3, text.len);
    if (!yaml_parser_initialize(&y->parser))
        return takc_fail(err, TAKC_NOMEM, 0, "%s: no memory for YAML", file);
    yaml_parser_set_encoding(&y->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&y->parser, (const unsigned char *)(y->text.ptr ? y->text.ptr : ""), y->text.len);
    return TAKC_OK;
}

void takc_yaml_close(struct takc_yaml *y)
{
    if (y->have_event)
        yaml_event_delete(&y->event);
    y->have_event = false;
    yaml_parser_delete(&y->parser); /* leaves zeros behind, so that twice is harmless */
}

enum takc_status takc_yaml_fail(const struct takc_yaml *y, const struct takc_yaml_item *at, struct takc_err *err, const char *fmt, ...)
{
    char msg[400];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(msg, sizeof(msg), fmt, ap);
    va_end(ap);
    return takc_fail(err, TAKC_INVALID, (int)at->line, "%s:%u:%u: %s", y->file, at->line, at->column, msg);
}

enum takc_status takc_yaml_at(const struct takc_yaml *y, const struct takc_yaml_item *at, enum takc_status st, struct takc_err *err)
{
    return st ? takc_err_prefix(err, st, "%s:%u:%u", y->file, at->line, at->column) : TAKC_OK;
}

/* libyaml's reader (wrong UTF-8, control characters) knows only a byte position. */
static void place_of_byte(struct takc_str text, size_t at, struct takc_yaml_item *out)
{
    out->line = out->column = 1;
    for (size_t i = 0; i < at && i < text.len; i++) {
        bool newline = text.ptr[i] == '\n';
        out->line += newline;
        out->column = newline ? 1 : out->column + (((unsigned char)text.ptr[i] & 0xC0) != 0x80);
    }
}

static enum takc_status broken(const struct takc_yaml *y, struct takc_err *err)
{
    const yaml_parser_t *p = &y->parser;
    struct takc_yaml_item at = {.line = (unsigned)p->problem_mark.line + 1, .column = (unsigned)p->problem_mark.column + 1};
    if (p->error == YAML_MEMORY_ERROR)
        return takc_fail(err, TAKC_NOMEM, 0, "%s: no memory for YAML", y->file);
    if (p->error == YAML_READER_ERROR)
        place_of_byte(y->text, p->problem_offset, &at);
    return takc_yaml_fail(y, &at, err, "%s%s%s", p->context ? p->context : "", p->context ? ": " : "",
                          p->problem ? p->problem : "not YAML");
}

/* Counts the nesting, and refuses what is not taken. */
static enum takc_status admit(struct takc_yaml *y, struct takc_yaml_item *it, bool anchored, bool tagged, struct takc_err *err)
{
    if (anchored)
        return takc_yaml_fail(y, it, err, "anchors are not taken here");
    if (tagged)
        return takc_yaml_fail(y, it, err, "tags are not taken here");
    if (it->kind == TAKC_YAML_MAP || it->kind == TAKC_YAML_LIST) {
        if (++y->depth > TAKC_YAML_DEPTH)
            return takc_yaml_fail(y, it, err, "nested more than %d deep", (int)TAKC_YAML_DEPTH);
    } else if (it->kind == TAKC_YAML_MAP_END || it->kind == TAKC_YAML_LIST_END) {
        y->depth--;
    }
    return TAKC_OK;
}

/* An event that is an item; *again for those that are none (starts of stream and document). */
static enum takc_status item_of(struct takc_yaml *y, struct takc_yaml_item *it, bool *again, struct takc_err *err)
{
    const yaml_event_t *e = &y->event;
    switch (e->type) {
    case YAML_SCALAR_EVENT:
        it->kind = TAKC_YAML_SCALAR;
        it->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
        it->text = takc_str_n((const char *)e->data.scalar.value, e->data.scalar.length);
        return admit(y, it, e->data.scalar.anchor, e->data.scalar.tag, err);
    case YAML_MAPPING_START_EVENT:
        it->kind = TAKC_YAML_MAP;
        return admit(y, it, e->data.mapping_start.anchor, e->data.mapping_start.tag, err);
    case YAML_SEQUENCE_START_EVENT:
        it->kind = TAKC_YAML_LIST;
        return admit(y, it, e->data.sequence_start.anchor, e->data.sequence_start.tag, err);
    case YAML_MAPPING_END_EVENT:
        it->kind = TAKC_YAML_MAP_END;
        return admit(y, it, false, false, err);
    case YAML_SEQUENCE_END_EVENT:
        it->kind = TAKC_YAML_LIST_END;
        return admit(y, it, false, false, err);
    case YAML_STREAM_END_EVENT:
    case YAML_NO_EVENT:
        it->kind = TAKC_YAML_END;
        return TAKC_OK;
    case YAML_ALIAS_EVENT:
        return takc_yaml_fail(y, it, err, "aliases are not taken here");
    default:
        *again = true;
        return TAKC_OK;
    }
}

enum takc_status takc_yaml_next(struct takc_yaml *y, struct takc_yaml_item *out, struct takc_err *err)
{
    enum takc_status st;
    bool again, second = false;
    do {
        if (y->have_event)
            yaml_event_delete(&y->event);
        y->have_event = yaml_parser_parse(&y->parser, &y->event) != 0;
        if (!y->have_event)
            return broken(y, err);
        again = false;
        *out = (struct takc_yaml_item){.line = (unsigned)y->event.start_mark.line + 1, .column = (unsigned)y->event.start_mark.column + 1};
        if (y->event.type == YAML_DOCUMENT_END_EVENT)
            second = true;
        else if (y->event.type == YAML_DOCUMENT_START_EVENT && second)
            return takc_yaml_fail(y, out, err, "a second document in one file");
        st = item_of(y, out, &again, err);
    } while (!st && again);
    return st;
}

enum takc_status takc_yaml_text(const struct takc_yaml *y, const struct takc_yaml_item *v, const char *what, size_t max,
                                struct takc_str *out, struct takc_err *err)
{
    if (v->kind != TAKC_YAML_SCALAR)
        return takc_yaml_fail(y, v, err, "%s: a text is expected", what);
    if (v->text.len > max)
        return takc_yaml_fail(y, v, err, "%s: longer than %zu bytes", what, max);
    if (takc_str_find_byte(v->text, '\0', 0) != SIZE_MAX)
        return takc_yaml_fail(y, v, err, "%s: a NUL character", what);
    *out = v->text;
    return TAKC_OK;
}

enum takc_status takc_yaml_u64(const struct takc_yaml *y, const struct takc_yaml_item *v, const char *what, uint64_t min, uint64_t max,
                               uint64_t *out, struct takc_err *err)
{
    uint64_t n;
    if (v->kind != TAKC_YAML_SCALAR || !v->plain || takc_str_u64(v->text, UINT64_MAX, &n, NULL))
        return takc_yaml_fail(y, v, err, "%s: a whole number is expected", what);
    if (n < min || n > max)
        return takc_yaml_fail(y, v, err, "%s: %llu is not within %llu to %llu", what, (unsigned long long)n, (unsigned long long)min,
                              (unsigned long long)max);
    *out = n;
    return TAKC_OK;
}

enum takc_status takc_yaml_bool(const struct takc_yaml *y, const struct takc_yaml_item *v, const char *what, bool *out,
                                struct takc_err *err)
{
    bool yes = v->kind == TAKC_YAML_SCALAR && v->plain && takc_str_is(v->text, "true");
    if (!yes && !(v->kind == TAKC_YAML_SCALAR && v->plain && takc_str_is(v->text, "false")))
        return takc_yaml_fail(y, v, err, "%s: true or false is expected", what);
    *out = yes;
    return TAKC_OK;
}
