/* SPDX-License-Identifier: Apache-2.0
 *
 * settings.c - collects values: flags first, then the environment, then the file, then defaults; what is set is not set again. Every value
 * is checked where it was found, also one that a stronger source hides, so that a broken file is not found out on the day it is needed. */
#include "config/settings.h"
#include "base/file.h"
#include "base/nearest.h"
#include "base/yaml.h"

#include <sched.h>
#include <stdio.h>
#include <unistd.h>

enum { SECRET_MAX = 64 << 10, PATH_BYTES = 4096 };

/* TAKC_ variables that are no settings: where the settings are, faults for tests, what the tests' runner hands to scripts. */
static const char *const other_variables[] = {"TAKC_CONFIG", "TAKC_FAULT", "TAKC_SOURCE_DIR", "TAKC_BUILD_DIR"};

static enum takc_status no_memory(struct takc_err *err)
{
    return takc_fail(err, TAKC_NOMEM, 0, "no memory for settings");
}

const char *takc_environment_find(const char *const *environment, const char *name)
{
    size_t n = strlen(name);
    for (; environment && *environment; environment++)
        if (strncmp(*environment, name, n) == 0 && (*environment)[n] == '=')
            return *environment + n + 1;
    return NULL;
}

/* Sets a value that nothing stronger has set. Copies. */
static enum takc_status set(struct takc_arena *a, struct takc_value *v, enum takc_origin_kind kind, struct takc_str text,
                            struct takc_str origin, struct takc_err *err)
{
    if (v->kind)
        return TAKC_OK;
    struct takc_value made = {takc_arena_dup(a, text), kind, takc_arena_dup(a, origin)};
    if (!made.text.ptr || !made.origin.ptr)
        return no_memory(err);
    *v = made;
    return TAKC_OK;
}

/* --- flags --- */

static enum takc_status take_flags(const struct takc_setting *rows, size_t n, const struct takc_settings_inputs *in, struct takc_arena *a,
                                   struct takc_value *values, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t f = 0; !st && f < in->n_flags; f++)
        for (size_t i = 0; !st && i < n; i++) {
            if (strcmp(rows[i].name, in->flags[f].setting) != 0)
                continue;
            if ((st = takc_setting_check(&rows[i], in->flags[f].value, NULL, err)))
                st = takc_err_prefix(err, st, "%s", in->flags[f].flag);
            else
                st = set(a, &values[i], TAKC_ORIGIN_FLAG, in->flags[f].value, takc_str(in->flags[f].flag), err);
        }
    return st;
}

/* --- environment --- */

static enum takc_status take_variable(const struct takc_setting *row, const char *name, const char *text, struct takc_arena *a,
                                      struct takc_value *v, struct takc_err *err)
{
    enum takc_status st = takc_setting_check(row, takc_str(text), NULL, err);
    if (st)
        return takc_err_prefix(err, st, "environment %s", name);
    return set(a, v, TAKC_ORIGIN_ENVIRONMENT, takc_str(text), takc_str(name), err);
}

/* The secret of NAME_FILE: the file's bytes without the newline at its end. */
static enum takc_status take_secret_file(const struct takc_setting *row, const char *name, const char *path, struct takc_arena *a,
                                         struct takc_value *v, struct takc_err *err)
{
    struct takc_buf bytes;
    takc_buf_init(&bytes, SECRET_MAX);
    enum takc_status st = takc_file_read(path, &bytes, err);
    struct takc_str text = takc_str_trim(takc_buf_str(&bytes));
    if (!st)
        st = takc_setting_check(row, text, NULL, err);
    if (!st)
        st = set(a, v, TAKC_ORIGIN_ENVIRONMENT, text, takc_str(name), err);
    else
        st = takc_err_prefix(err, st, "environment %s", name);
    if (bytes.ptr)
        explicit_bzero(bytes.ptr, bytes.len);
    takc_buf_clear(&bytes);
    return st;
}

static enum takc_status take_environment(const struct takc_setting *rows, size_t n, const struct takc_settings_inputs *in,
                                         struct takc_arena *a, struct takc_value *values, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < n; i++) {
        char own[72], file[96];
        takc_setting_variable(&rows[i], own);
        const char *names[] = {own, rows[i].env[0], rows[i].env[1]};
        for (size_t k = 0; !st && k < 3; k++) {
            if (!names[k])
                continue;
            const char *text = takc_environment_find(in->environment, names[k]);
            /* An empty foreign variable means "not set" in the shells and compose files that carry it. */
            if (text && (k == 0 || *text))
                st = take_variable(&rows[i], names[k], text, a, &values[i], err);
            (void)snprintf(file, sizeof(file), "%s_FILE", names[k]);
            if (!st && rows[i].secret && (text = takc_environment_find(in->environment, file)))
                st = take_secret_file(&rows[i], file, text, a, &values[i], err);
        }
    }
    return st;
}

bool takc_setting_hides(const struct takc_setting *row, struct takc_str value)
{
    size_t from = takc_str_find(value, takc_str("://"), 0), end = from == SIZE_MAX ? from : takc_str_find_byte(value, '/', from + 3);
    size_t at = from == SIZE_MAX ? from : takc_str_find_byte(value, '@', from + 3);
    return row->secret || at < end;
}

static bool known_variable(const struct takc_setting *rows, size_t n, struct takc_str name, struct takc_nearest *near, char (*names)[72])
{
    for (size_t i = 0; i < sizeof(other_variables) / sizeof(other_variables[0]); i++)
        if (takc_str_is(name, other_variables[i]))
            return true;
    for (size_t i = 0; i < n; i++) {
        takc_setting_variable(&rows[i], names[i]);
        if (takc_str_is(name, names[i]) || (rows[i].secret && takc_str_starts(name, takc_str(names[i])) &&
                                            name.len == strlen(names[i]) + 5 && takc_str_ends(name, takc_str("_FILE"))))
            return true;
        takc_nearest_offer(near, name, names[i]);
    }
    takc_nearest_offer(near, name, "TAKC_CONFIG");
    return takc_str_starts(name, takc_str("TAKC_TEST_"));
}

static enum takc_status refuse_unknown_variables(const struct takc_setting *rows, size_t n, const struct takc_settings_inputs *in,
                                                 struct takc_arena *a, struct takc_err *err)
{
    char(*names)[72] = takc_arena_array(a, n, sizeof(*names));
    if (!names)
        return no_memory(err);
    for (const char *const *e = in->environment; e && *e; e++) {
        if (strncmp(*e, "TAKC_", 5) != 0)
            continue;
        struct takc_str name = takc_str_n(*e, strcspn(*e, "="));
        struct takc_nearest near = {0};
        char hint[TAKC_NEAREST_MAX + 24];
        if (known_variable(rows, n, name, &near, names))
            continue;
        takc_nearest_text(&near, hint);
        return takc_fail(err, TAKC_INVALID, 0, "environment: unknown variable '%.*s'%s", (int)(name.len > 80 ? 80 : name.len), name.ptr,
                         hint);
    }
    return TAKC_OK;
}

/* --- the file --- */

struct file_reader {
    struct takc_yaml yaml;
    const struct takc_setting *rows;
    size_t n;
    struct takc_arena *a;
    struct takc_value *values;
    bool *seen; /* per row: in this file */
    char path[256];
};

static enum takc_status unknown_key(struct file_reader *r, const struct takc_yaml_item *key, struct takc_err *err)
{
    struct takc_nearest near = {0};
    char hint[TAKC_NEAREST_MAX + 24];
    for (size_t i = 0; i < r->n; i++)
        takc_nearest_offer(&near, takc_str(r->path), r->rows[i].name);
    takc_nearest_text(&near, hint);
    return takc_yaml_fail(&r->yaml, key, err, "unknown setting '%.100s'%s", r->path, hint);
}

/* Is path the name of a mapping, such as "ingest"? */
static bool is_group(const struct file_reader *r)
{
    size_t n = strlen(r->path);
    for (size_t i = 0; i < r->n; i++)
        if (strncmp(r->rows[i].name, r->path, n) == 0 && r->rows[i].name[n] == '.')
            return true;
    return false;
}

static enum takc_status file_value(struct file_reader *r, const struct takc_yaml_item *key, const struct takc_yaml_item *v,
                                   struct takc_err *err)
{
    size_t i = 0;
    while (i < r->n && strcmp(r->rows[i].name, r->path) != 0)
        i++;
    if (i == r->n)
        return is_group(r) ? takc_yaml_fail(&r->yaml, v, err, "%s: keys and values are expected", r->path) : unknown_key(r, key, err);
    if (r->seen[i])
        return takc_yaml_fail(&r->yaml, key, err, "%s is there twice", r->path);
    r->seen[i] = true;
    struct takc_str text;
    enum takc_status st = takc_yaml_text(&r->yaml, v, r->path, SECRET_MAX, &text, err);
    if (st)
        return st;
    if ((st = takc_setting_check(&r->rows[i], text, NULL, err)))
        return takc_err_prefix(err, st, "%s:%u:%u: %s", r->yaml.file, v->line, v->column, r->path);
    char line[24];
    (void)snprintf(line, sizeof(line), ":%u", key->line);
    char *origin = takc_arena_printf(r->a, "%s%s", r->yaml.file, line);
    return origin ? set(r->a, &r->values[i], TAKC_ORIGIN_FILE, text, takc_str(origin), err) : no_memory(err);
}

/* Reads a mapping whose name is path[0..len). Its depth is bounded by base/yaml.h and by the longest name of a setting. */
static enum takc_status file_map(struct file_reader *r, size_t len, struct takc_err *err) // NOLINT(misc-no-recursion)
{
    struct takc_yaml_item key, v;
    enum takc_status st;
    while (!(st = takc_yaml_next(&r->yaml, &key, err)) && key.kind != TAKC_YAML_MAP_END) {
        if (key.kind != TAKC_YAML_SCALAR || takc_str_find_byte(key.text, '\0', 0) != SIZE_MAX)
            return takc_yaml_fail(&r->yaml, &key, err, "the name of a setting is expected");
        int n = snprintf(r->path + len, sizeof(r->path) - len, "%s%.*s", len ? "." : "", TAKC_STR_ARG(key.text));
        if (n < 0 || (size_t)n >= sizeof(r->path) - len)
            return takc_yaml_fail(&r->yaml, &key, err, "unknown setting '%.60s...'", r->path);
        struct takc_yaml_item at = key; /* its text dies with the next item; its place does not */
        if ((st = takc_yaml_next(&r->yaml, &v, err)))
            return st;
        if (v.kind == TAKC_YAML_MAP && !is_group(r))
            return unknown_key(r, &at, err);
        st = v.kind == TAKC_YAML_MAP ? file_map(r, len + (size_t)n, err) : file_value(r, &at, &v, err);
        if (st)
            return st;
        r->path[len] = '\0';
    }
    return st;
}

enum takc_status takc_values_file(const struct takc_setting *rows, size_t n, struct takc_str yaml, const char *path, struct takc_arena *a,
                                  struct takc_value *values, struct takc_err *err)
{
    struct file_reader r = {.rows = rows, .n = n, .a = a, .values = values, .seen = takc_arena_array(a, n, sizeof(bool))};
    struct takc_yaml_item top;
    if (!r.seen)
        return no_memory(err);
    enum takc_status st = takc_yaml_open(&r.yaml, yaml, path, err);
    if (!st)
        st = takc_yaml_next(&r.yaml, &top, err);
    if (!st && top.kind != TAKC_YAML_END)
        st = top.kind == TAKC_YAML_MAP ? file_map(&r, 0, err) : takc_yaml_fail(&r.yaml, &top, err, "keys and values are expected");
    if (!st && top.kind != TAKC_YAML_END)
        st = takc_yaml_next(&r.yaml, &top, err);
    takc_yaml_close(&r.yaml);
    return st;
}

/* XDG's folders count only when absolute. */
static bool xdg_path(const char *const *environment, const char *xdg, const char *under_home, const char *rest, char out[PATH_BYTES])
{
    const char *base = takc_environment_find(environment, xdg), *home = takc_environment_find(environment, "HOME");
    int n = -1;
    if (base && base[0] == '/')
        n = snprintf(out, PATH_BYTES, "%s/%s", base, rest);
    else if (home && home[0] == '/')
        n = snprintf(out, PATH_BYTES, "%s/%s/%s", home, under_home, rest);
    return n > 0 && n < PATH_BYTES;
}

static const char *choose_file(const struct takc_settings_inputs *in, char path[PATH_BYTES], bool *out_must)
{
    const char *named = in->config ? in->config : takc_environment_find(in->environment, "TAKC_CONFIG");
    *out_must = named != NULL;
    if (named)
        return named;
    if (xdg_path(in->environment, "XDG_CONFIG_HOME", ".config", "takc/takc.yaml", path) && access(path, F_OK) == 0)
        return path;
    const char *system_config = in->system_config ? in->system_config : "/etc/takc/takc.yaml";
    return access(system_config, F_OK) == 0 ? system_config : NULL;
}

static enum takc_status take_file(const struct takc_setting *rows, size_t n, const struct takc_settings_inputs *in, struct takc_arena *a,
                                  struct takc_value *values, struct takc_str *out_file, struct takc_err *err)
{
    char room[PATH_BYTES];
    bool must;
    const char *path = choose_file(in, room, &must);
    *out_file = takc_str("");
    if (!path)
        return TAKC_OK;
    struct takc_buf yaml;
    takc_buf_init(&yaml, TAKC_YAML_MAX_BYTES);
    enum takc_status st = takc_file_read(path, &yaml, err);
    if (st)
        st = takc_err_prefix(err, st, "settings");
    if (!st)
        st = takc_values_file(rows, n, takc_buf_str(&yaml), path, a, values, err);
    takc_buf_clear(&yaml);
    if (!st) {
        *out_file = takc_arena_dup(a, takc_str(path));
        st = out_file->ptr ? TAKC_OK : no_memory(err);
    }
    return st;
}

/* --- all together --- */

enum takc_status takc_values_load(const struct takc_setting *rows, size_t n, const struct takc_settings_inputs *in, struct takc_arena *a,
                                  struct takc_value *values, struct takc_str *out_file, struct takc_err *err)
{
    enum takc_status st = take_flags(rows, n, in, a, values, err);
    if (!st)
        st = refuse_unknown_variables(rows, n, in, a, err);
    if (!st)
        st = take_environment(rows, n, in, a, values, err);
    if (!st)
        st = take_file(rows, n, in, a, values, out_file, err);
    for (size_t i = 0; !st && i < n; i++)
        st = set(a, &values[i], TAKC_ORIGIN_DEFAULT, takc_str(rows[i].fallback), takc_str(""), err);
    return st;
}

/* Without a home of the user's own, the setting stays empty: whoever opens the home says so. */
static enum takc_status default_home(struct takc_settings *s, const struct takc_settings_inputs *in, struct takc_err *err)
{
    char path[PATH_BYTES];
    if (s->home.len || !xdg_path(in->environment, "XDG_DATA_HOME", ".local/share", "takc", path))
        return TAKC_OK;
    s->home = takc_arena_dup(&s->arena, takc_str(path));
    return s->home.ptr ? TAKC_OK : no_memory(err);
}

static uint64_t processors(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
    return n > 0 ? (uint64_t)n : 1;
}

enum takc_status takc_settings_load(struct takc_settings *s, const struct takc_settings_inputs *in, struct takc_err *err)
{
    size_t n = 0;
    while (takc_setting_at(n))
        n++;
    *s = (struct takc_settings){0};
    takc_arena_init(&s->arena);
    s->arena.secret = true; /* keys of models */
    struct takc_value *values = takc_arena_array(&s->arena, n, sizeof(*values));
    if (!values)
        return no_memory(err);
    enum takc_status st = takc_values_load(takc_setting_at(0), n, in, &s->arena, values, &s->file, err);
    for (size_t i = 0; !st && i < n; i++)
        st = takc_setting_check(takc_setting_at(i), values[i].text, (char *)s + takc_setting_at(i)->offset, err);
    if (!st)
        st = default_home(s, in, err);
    if (!s->threads)
        s->threads = processors();
    s->values = values;
    return st;
}

void takc_settings_clear(struct takc_settings *s)
{
    takc_arena_clear(&s->arena);
    *s = (struct takc_settings){0};
}

const char *takc_value_origin(struct takc_arena *a, const struct takc_value *v)
{
    static const char *const kinds[] = {"unset", "flag", "environment", "file", "default"};
    return takc_arena_printf(a, "%s%s%.*s", kinds[v->kind], v->origin.len ? " " : "", TAKC_STR_ARG(v->origin));
}
