/* SPDX-License-Identifier: Apache-2.0
 *
 * forget.c - takc forget: a document leaves, and the proof is said. */
#include "takc/forget.h"
#include "base/json.h"
#include "cli/home_open.h"

static enum takc_status say(struct takc_cli *cli, struct takc_str name, const struct takc_forget_report *r, struct takc_err *err)
{
    if (cli->json) {
        json_t *v = json_pack("{so sI sI sI sI sI sI sI}", "document", takc_json_str(name), "revisions", (json_int_t)r->n_revisions,
                              "versions", (json_int_t)r->n_versions, "objects_removed", (json_int_t)r->n_objects, "sentences_searched",
                              (json_int_t)r->n_sentences, "files_searched", (json_int_t)r->n_files, "bytes_searched",
                              (json_int_t)r->n_bytes, "found", (json_int_t)r->n_found);
        return takc_cli_json(cli, v, err);
    }
    char bytes[32];
    return takc_cli_printf(cli, err,
                           "forgot %.*s: %llu versions changed, %llu objects removed\n"
                           "searched %s in %llu files for its %llu own sentences: none found\n",
                           TAKC_STR_ARG(name), (unsigned long long)r->n_versions, (unsigned long long)r->n_objects,
                           takc_bytes_text(r->n_bytes, bytes), (unsigned long long)r->n_files, (unsigned long long)r->n_sentences);
}

static enum takc_status say_plan(struct takc_cli *cli, struct takc_str name, const struct takc_forget_report *r, struct takc_err *err)
{
    if (cli->json)
        return takc_cli_json(cli,
                             json_pack("{so sb sI sI sI}", "document", takc_json_str(name), "dry_run", 1, "revisions",
                                       (json_int_t)r->n_revisions, "versions", (json_int_t)r->n_versions, "sentences",
                                       (json_int_t)r->n_sentences),
                             err);
    return takc_cli_printf(cli, err, "would forget %.*s: %llu revisions, in %llu versions, %llu sentences of its own; nothing changed\n",
                           TAKC_STR_ARG(name), (unsigned long long)r->n_revisions, (unsigned long long)r->n_versions,
                           (unsigned long long)r->n_sentences);
}

enum takc_status takc_verb_forget(struct takc_cli *cli, struct takc_err *err)
{
    struct takc_home *home = NULL;
    struct takc_str task;
    enum takc_status st = takc_cli_open_task(cli, &home, &task, err);
    for (size_t i = 0; !st && i < cli->n_args; i++) {
        struct takc_forget_report r;
        bool dry = takc_cli_flag(cli, "dry-run");
        st = dry ? takc_forget_plan(home, &cli->call, task, cli->args[i], &r, err)
                 : takc_forget(home, &cli->call, task, cli->args[i], takc_cli_number(cli, "wait-ms", 0), &r, err);
        takc_progress_hide(&cli->progress);
        if (!st)
            st = dry ? say_plan(cli, cli->args[i], &r, err) : say(cli, cli->args[i], &r, err);
    }
    takc_home_close(home);
    return st;
}
