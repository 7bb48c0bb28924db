/* SPDX-License-Identifier: Apache-2.0
 *
 * home_open.c - opening the home of the settings. */
#include "cli/home_open.h"

#include <unistd.h>

static enum takc_status open_home(struct takc_cli *cli, bool create, struct takc_home **out, struct takc_err *err)
{
    /* A forget is alone on the home while it scrubs the catalogue: that is short, and whoever comes then waits. */
    const struct takc_home_options options = {.create = create, .wait_ms = 10000};
    struct takc_str path;
    enum takc_status st = takc_cli_home(cli, &path, err);
    if (!st)
        st = takc_home_open(out, path.ptr, &options, err);
    if (st == TAKC_NOT_FOUND && !create)
        return takc_fail(err, st, 0, "there is no home at %.*s; takc init TASK makes one", TAKC_STR_ARG(path));
    return st;
}

enum takc_status takc_cli_open(struct takc_cli *cli, struct takc_home **out, struct takc_err *err)
{
    return open_home(cli, false, out, err);
}

enum takc_status takc_cli_open_or_make(struct takc_cli *cli, struct takc_home **out, struct takc_err *err)
{
    return open_home(cli, true, out, err);
}

enum takc_status takc_cli_open_task(struct takc_cli *cli, struct takc_home **out, struct takc_str *out_task, struct takc_err *err)
{
    enum takc_status st = takc_cli_task(cli, out_task, err);
    return st ? st : takc_cli_open(cli, out, err);
}

unsigned takc_cli_threads(const struct takc_cli *cli)
{
    if (cli->settings.threads)
        return (unsigned)cli->settings.threads;
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (unsigned)n : 1;
}
