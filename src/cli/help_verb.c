/* SPDX-License-Identifier: Apache-2.0
 *
 * help_verb.c - takc help: of a verb, or the manual page, or a completion. */
#include "base/nearest.h"
#include "cli/verbs.h"

static enum takc_status of_verb(struct takc_str name, struct takc_buf *out, struct takc_err *err)
{
    const struct takc_verb *v = takc_verb_find(name);
    struct takc_nearest near = {0};
    char hint[TAKC_NEAREST_MAX + 24];
    if (v)
        return takc_help_text(v, out, err);
    for (size_t i = 0; takc_verb_at(i); i++)
        takc_nearest_offer(&near, name, takc_verb_at(i)->name);
    takc_nearest_text(&near, hint);
    return takc_fail(err, TAKC_INVALID, 0, "unknown verb '%.*s'%s", TAKC_STR_ARG(name), hint);
}

enum takc_status takc_verb_help(struct takc_cli *cli, struct takc_err *err)
{
    struct takc_buf text;
    enum takc_status st;
    takc_buf_init(&text, TAKC_BUF_MAX_REPLY);
    if (takc_cli_flag(cli, "man"))
        st = takc_help_man(&text, err);
    else if (takc_cli_flag(cli, "completion"))
        st = takc_help_bash(&text, err);
    else
        st = cli->n_args ? of_verb(cli->args[0], &text, err) : takc_help_text(NULL, &text, err);
    if (!st)
        st = takc_cli_write(cli, takc_buf_str(&text), err);
    takc_buf_clear(&text);
    return st;
}
