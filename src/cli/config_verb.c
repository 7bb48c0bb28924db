/* SPDX-License-Identifier: Apache-2.0
 *
 * config_verb.c - takc config: what is set and by whom (show), what can be set (list). Secrets are never printed. */
#include "base/json.h"
#include "cli/verbs.h"

#include <stdio.h>

static const char *const types[] = {"", "text", "number", "bytes", "share", "bool", "choice", "levels", "money"};

static size_t count_rows(void)
{
    size_t n = 0;
    while (takc_setting_at(n))
        n++;
    return n;
}

/* The value in force, which for the home and threads is more than the text that was given. */
static struct takc_str shown_value(const struct takc_cli *cli, size_t i)
{
    const struct takc_setting *row = takc_setting_at(i);
    const struct takc_value *v = &cli->settings.values[i];
    if (takc_setting_hides(row, v->text))
        return takc_str(v->text.len ? "(set)" : "");
    if (row->offset == offsetof(struct takc_settings, home))
        return cli->settings.home;
    return v->text;
}

static enum takc_status show_json(struct takc_cli *cli, struct takc_arena *a, struct takc_err *err)
{
    json_t *list = json_array();
    bool good = list != NULL;
    for (size_t i = 0; good && takc_setting_at(i); i++) {
        const char *origin = takc_value_origin(a, &cli->settings.values[i]);
        json_t *row = origin ? json_pack("{s:s, s:o, s:s}", "name", takc_setting_at(i)->name, "value", takc_json_str(shown_value(cli, i)),
                                         "origin", origin)
                             : NULL;
        good = row && json_array_append_new(list, row) == 0;
    }
    json_t *all =
        good ? json_pack("{s:O, s:o}", "settings", list, "file", cli->settings.file.len ? takc_json_str(cli->settings.file) : json_null())
             : NULL;
    json_decref(list);
    return takc_cli_json(cli, all, err);
}

static enum takc_status show(struct takc_cli *cli, struct takc_arena *a, struct takc_err *err)
{
    static const struct takc_column columns[] = {{"setting", 0}, {"value", 0}, {"from", 0}};
    size_t n = count_rows();
    struct takc_str *cells = takc_arena_array(a, n * 3, sizeof(*cells));
    if (!cells)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a table");
    for (size_t i = 0; i < n; i++) {
        const char *origin = takc_value_origin(a, &cli->settings.values[i]);
        if (!origin)
            return takc_fail(err, TAKC_NOMEM, 0, "no memory for a table");
        cells[3 * i] = takc_str(takc_setting_at(i)->name);
        cells[3 * i + 1] = shown_value(cli, i);
        cells[3 * i + 2] = takc_str(origin);
    }
    return takc_table_write(columns, 3, cells, n, &cli->out, err);
}

static json_t *row_json(const struct takc_setting *row)
{
    char name[72];
    takc_setting_variable(row, name);
    json_t *v =
        json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:s, s:s}", "name", row->name, "type", types[row->type], "default", row->fallback, "unit",
                  row->unit ? row->unit : "", "reloadable", row->reloadable, "secret", row->secret, "environment", name, "help", row->help);
    bool good = v != NULL;
    if (good && (row->type == TAKC_SETTING_NUMBER || row->type == TAKC_SETTING_BYTES))
        good = !json_object_set_new(v, "min", json_integer((json_int_t)row->min)) &&
               !json_object_set_new(v, "max", json_integer((json_int_t)row->max));
    if (good && row->choices)
        good = !json_object_set_new(v, "choices", json_string(row->choices));
    if (good && row->env[0])
        good = !json_object_set_new(v, "also", json_string(row->env[0]));
    if (good)
        return v;
    json_decref(v);
    return NULL;
}

static enum takc_status list_json(struct takc_cli *cli, struct takc_err *err)
{
    json_t *list = json_array();
    bool good = list != NULL;
    for (size_t i = 0; good && takc_setting_at(i); i++) {
        json_t *row = row_json(takc_setting_at(i));
        good = row && json_array_append_new(list, row) == 0;
    }
    if (good)
        return takc_cli_json(cli, list, err);
    json_decref(list);
    return takc_fail(err, TAKC_NOMEM, 0, "no memory for JSON");
}

static enum takc_status list(struct takc_cli *cli, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && takc_setting_at(i); i++) {
        const struct takc_setting *row = takc_setting_at(i);
        char name[72], range[96] = "";
        takc_setting_variable(row, name);
        if (row->type == TAKC_SETTING_NUMBER || row->type == TAKC_SETTING_BYTES)
            (void)snprintf(range, sizeof(range), ", %llu to %llu", (unsigned long long)row->min, (unsigned long long)row->max);
        else if (row->choices)
            (void)snprintf(range, sizeof(range), ", %s", row->choices);
        st = takc_cli_printf(cli, err, "%s\n    %s\n    %s%s; default %s; %s%s%s%s\n", row->name, row->help, types[row->type], range,
                             *row->fallback ? row->fallback : "empty", name, row->env[0] ? ", " : "", row->env[0] ? row->env[0] : "",
                             row->reloadable ? "; reloadable" : "");
    }
    return st;
}

enum takc_status takc_verb_config(struct takc_cli *cli, struct takc_err *err)
{
    struct takc_arena a;
    enum takc_status st;
    takc_arena_init(&a);
    if (cli->n_args && takc_str_is(cli->args[0], "list"))
        st = cli->json ? list_json(cli, err) : list(cli, err);
    else
        st = cli->json ? show_json(cli, &a, err) : show(cli, &a, err);
    takc_arena_clear(&a);
    return st;
}
