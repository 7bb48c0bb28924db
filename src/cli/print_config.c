/* SPDX-License-Identifier: Apache-2.0
 *
 * print_config.c - what is set, as a file that sets the same: takc serve --print-config > takc.yaml. Secrets are named, never printed. */
#include "base/json.h"
#include "cli/verbs.h"

static struct takc_str section_of(const struct takc_setting *row)
{
    struct takc_str name = takc_str(row->name);
    size_t dot = takc_str_find_byte(name, '.', 0);
    return dot == SIZE_MAX ? takc_str_n(name.ptr, 0) : takc_str_slice(name, 0, dot);
}

/* A text as JSON writes it, which YAML reads. */
static enum takc_status quoted(struct takc_cli *cli, struct takc_str text, struct takc_err *err)
{
    json_t *v = takc_json_str(text);
    enum takc_status st = v ? takc_json_dump(v, false, &cli->out, err) : takc_fail(err, TAKC_NOMEM, 0, "no memory for a setting");
    json_decref(v);
    return st;
}

static enum takc_status value_of(struct takc_cli *cli, size_t i, struct takc_err *err)
{
    const struct takc_setting *row = takc_setting_at(i);
    struct takc_str text = row->offset == offsetof(struct takc_settings, home) ? cli->settings.home : cli->settings.values[i].text;
    bool plain = row->type == TAKC_SETTING_NUMBER || row->type == TAKC_SETTING_BOOL;
    return plain ? takc_cli_printf(cli, err, "%.*s", TAKC_STR_ARG(text)) : quoted(cli, text, err);
}

static enum takc_status print_row(struct takc_cli *cli, size_t i, const char *indent, struct takc_arena *a, struct takc_err *err)
{
    const struct takc_setting *row = takc_setting_at(i);
    const struct takc_value *v = &cli->settings.values[i];
    struct takc_str section = section_of(row);
    const char *name = row->name + (section.len ? section.len + 1 : 0), *origin = takc_value_origin(a, v);
    char variable[72];
    if (!origin)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a setting");
    takc_setting_variable(row, variable);
    if (!row->secret && takc_setting_hides(row, v->text))
        return takc_cli_printf(cli, err, "%s# %s: is set, and holds a password: give it by %s\n", indent, name, variable);
    if (row->secret) {
        return takc_cli_printf(cli, err, "%s# %s: %s; a secret: give it by %s or %s_FILE\n", indent, name,
                               v->text.len ? "is set" : "is not set", variable, variable);
    }
    enum takc_status st = takc_cli_printf(cli, err, "%s%s: ", indent, name);
    if (!st)
        st = value_of(cli, i, err);
    return st ? st : takc_cli_printf(cli, err, "  # %s\n", origin);
}

enum takc_status takc_cli_print_config(struct takc_cli *cli, struct takc_err *err)
{
    struct takc_arena a;
    struct takc_str section = {0};
    enum takc_status st = TAKC_OK;
    takc_arena_init(&a);
    for (size_t i = 0; !st && takc_setting_at(i); i++) {
        struct takc_str here = section_of(takc_setting_at(i));
        if (here.len && !takc_str_eq(here, section))
            st = takc_cli_printf(cli, err, "%.*s:\n", TAKC_STR_ARG(here));
        section = here;
        if (!st)
            st = print_row(cli, i, here.len ? "  " : "", &a, err);
    }
    takc_arena_clear(&a);
    return st;
}
