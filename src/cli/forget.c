/* SPDX-License-Identifier: Apache-2.0
 *
 * forget.c - takc forget: documents leave, and the proof is said. */
#include "takc/forget.h"
#include "base/json.h"
#include "cli/home_open.h"

/* The names as a list; NULL when there is no memory. */
static json_t *names_json(const struct takc_cli *cli)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < cli->n_args; i++)
        if (json_array_append_new(list, takc_json_str(cli->args[i]))) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static enum takc_status say_names(struct takc_cli *cli, const char *before, struct takc_err *err)
{
    enum takc_status st = takc_cli_printf(cli, err, "%s", before);
    for (size_t i = 0; !st && i < cli->n_args; i++)
        st = takc_cli_printf(cli, err, "%s%.*s", i ? ", " : " ", TAKC_STR_ARG(cli->args[i]));
    return st;
}

static enum takc_status say(struct takc_cli *cli, const struct takc_forget_report *r, struct takc_err *err)
{
    if (cli->json) {
        json_t *v = json_pack("{so sI sI sI sI sI sI sI}", "documents", names_json(cli), "revisions", (json_int_t)r->n_revisions,
                              "versions", (json_int_t)r->n_versions, "objects_removed", (json_int_t)r->n_objects, "sentences_searched",
                              (json_int_t)r->n_sentences, "files_searched", (json_int_t)r->n_files, "bytes_searched",
                              (json_int_t)r->n_bytes, "found", (json_int_t)r->n_found);
        return takc_cli_json(cli, v, err);
    }
    char bytes[32];
    enum takc_status st = say_names(cli, "forgot", err);
    return st ? st
              : takc_cli_printf(cli, err,
                                ": %llu versions changed, %llu objects removed\n"
                                "searched %s in %llu files for %s %llu own sentences: none found\n",
                                (unsigned long long)r->n_versions, (unsigned long long)r->n_objects, takc_bytes_text(r->n_bytes, bytes),
                                (unsigned long long)r->n_files, cli->n_args > 1 ? "their" : "its", (unsigned long long)r->n_sentences);
}

static enum takc_status say_plan(struct takc_cli *cli, const struct takc_forget_report *r, struct takc_err *err)
{
    if (cli->json)
        return takc_cli_json(cli,
                             json_pack("{so sb sI sI sI}", "documents", names_json(cli), "dry_run", 1, "revisions",
                                       (json_int_t)r->n_revisions, "versions", (json_int_t)r->n_versions, "sentences",
                                       (json_int_t)r->n_sentences),
                             err);
    enum takc_status st = say_names(cli, "would forget", err);
    return st ? st
              : takc_cli_printf(cli, err, ": %llu revisions, in %llu versions, %llu sentences of %s own; nothing changed\n",
                                (unsigned long long)r->n_revisions, (unsigned long long)r->n_versions, (unsigned long long)r->n_sentences,
                                cli->n_args > 1 ? "their" : "its");
}

enum takc_status takc_verb_forget(struct takc_cli *cli, struct takc_err *err)
{
    struct takc_home *home = NULL;
    struct takc_str task;
    struct takc_forget_report r;
    bool dry = takc_cli_flag(cli, "dry-run");
    enum takc_status st = takc_cli_open_task(cli, &home, &task, err);
    if (!st)
        st = dry ? takc_forget_plan(home, &cli->call, task, cli->args, cli->n_args, &r, err)
                 : takc_forget(home, &cli->call, task, cli->args, cli->n_args, takc_cli_number(cli, "wait-ms", 0), &r, err);
    takc_progress_hide(&cli->progress);
    if (!st)
        st = dry ? say_plan(cli, &r, err) : say(cli, &r, err);
    takc_home_close(home);
    return st;
}
