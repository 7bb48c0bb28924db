/* SPDX-License-Identifier: Apache-2.0
 *
 * init.c - takc init: the commented profile of a new task. A profile that is there is left alone unless --force says otherwise. */
#include "base/yaml.h"
#include "catalog/home.h"
#include "cli/verbs.h"

/* The options become YAML and go through the profile's own reader: one place knows what is good. */
static enum takc_status options_yaml(const struct takc_cli *cli, struct takc_buf *out, struct takc_err *err)
{
    struct takc_str rates = takc_cli_opt(cli, "rates"), keep = takc_cli_opt(cli, "must-keep");
    enum takc_status st = TAKC_OK;
    if (rates.len)
        st = takc_buf_printf(out, err, "rates: [%.*s]\n", TAKC_STR_ARG(rates));
    if (!st && keep.len)
        st = takc_buf_printf(out, err, "must_keep: [%.*s]\n", TAKC_STR_ARG(keep));
    return st;
}

/* The profile as text: defaults, then the options. */
static enum takc_status make_profile(const struct takc_cli *cli, struct takc_str task, struct takc_buf *out, struct takc_err *err)
{
    struct takc_buf yaml;
    struct takc_profile p = {0}, check = {0};
    takc_buf_init(&yaml, TAKC_YAML_MAX_BYTES);
    enum takc_status st = options_yaml(cli, &yaml, err);
    if (!st)
        st = takc_profile_parse(&p, task, takc_buf_str(&yaml), "options", err);
    p.keep_versions = (uint32_t)cli->settings.versions_keep; /* in range: the rows have the profile's limits */
    p.ttl_s = cli->settings.cache_ttl_s;
    if (!st && takc_cli_flag(cli, "description"))
        p.description = takc_cli_opt(cli, "description");
    if (!st)
        st = takc_profile_write(&p, out, err);
    if (!st) /* a description that cannot be read back must not be written */
        st = takc_profile_parse(&check, task, takc_buf_str(out), "profile", err);
    takc_profile_clear(&check);
    takc_profile_clear(&p);
    takc_buf_clear(&yaml);
    return st;
}

/* Into the home, unless there is one and --force was not given. */
static enum takc_status put_profile(struct takc_cli *cli, struct takc_home *home, struct takc_str task, struct takc_str yaml,
                                    struct takc_err *err)
{
    struct takc_key key = takc_key_profile(task);
    struct takc_store *store = takc_home_store(home);
    if (takc_cli_flag(cli, "force"))
        return takc_store_put_bytes(store, &cli->call, takc_str(key.s), yaml, err);
    enum takc_status st = takc_store_swap(store, &cli->call, takc_str(key.s), takc_str(""), yaml, err);
    if (st == TAKC_CONFLICT)
        return takc_fail(err, TAKC_CONFLICT, 0, "task %.*s has a profile already (%s/%s); --force replaces it", TAKC_STR_ARG(task),
                         takc_home_path(home), key.s);
    return st;
}

static enum takc_status tell(struct takc_cli *cli, const char *home, struct takc_str task, struct takc_err *err)
{
    struct takc_key key = takc_key_profile(task);
    if (cli->json)
        return takc_cli_json(cli, json_pack("{s:s%, s:s, s:s}", "task_type", task.ptr, task.len, "home", home, "profile", key.s), err);
    return takc_cli_printf(cli, err, "wrote %s/%s\n", home, key.s);
}

static enum takc_status keep_profile(struct takc_cli *cli, struct takc_str task, struct takc_str yaml, struct takc_err *err)
{
    const struct takc_home_options create = {.create = true};
    struct takc_home *home = NULL;
    struct takc_str path;
    enum takc_status st = takc_cli_home(cli, &path, err);
    if (!st)
        st = takc_home_open(&home, path.ptr, &create, err);
    if (!st)
        st = put_profile(cli, home, task, yaml, err);
    if (!st)
        st = tell(cli, takc_home_path(home), task, err);
    if (home)
        takc_home_close(home);
    return st;
}

enum takc_status takc_verb_init(struct takc_cli *cli, struct takc_err *err)
{
    struct takc_str task;
    struct takc_buf yaml;
    takc_buf_init(&yaml, TAKC_YAML_MAX_BYTES);
    if (cli->n_args)
        cli->settings.task = cli->args[0];
    enum takc_status st = takc_cli_task(cli, &task, err);
    if (!st)
        st = make_profile(cli, task, &yaml, err);
    if (!st && takc_cli_flag(cli, "print"))
        st = takc_cli_write(cli, takc_buf_str(&yaml), err);
    else if (!st)
        st = keep_profile(cli, task, takc_buf_str(&yaml), err);
    takc_buf_clear(&yaml);
    return st;
}
