/* SPDX-License-Identifier: Apache-2.0
 *
 * upkeep.c - takc backup and restore. */
#include "cli/home_open.h"

enum takc_status takc_verb_backup(struct takc_cli *cli, struct takc_err *err)
{
    struct takc_home *home = NULL;
    enum takc_status st = takc_cli_open(cli, &home, err);
    if (!st)
        st = takc_home_backup(home, &cli->call, cli->args[0].ptr, err);
    takc_progress_hide(&cli->progress);
    if (!st)
        st = takc_cli_printf(cli, err, "%s is copied to %s\n", takc_home_path(home), cli->args[0].ptr);
    takc_home_close(home);
    return st;
}

enum takc_status takc_verb_restore(struct takc_cli *cli, struct takc_err *err)
{
    struct takc_str path;
    enum takc_status st = takc_cli_home(cli, &path, err);
    if (!st)
        st = takc_home_restore(cli->args[0].ptr, path.ptr, &cli->call, err);
    takc_progress_hide(&cli->progress);
    return st ? st : takc_cli_printf(cli, err, "%s is restored from %s\n", path.ptr, cli->args[0].ptr);
}
