/* SPDX-License-Identifier: Apache-2.0
 *
 * backends.c - takc backends: the kinds of models that can be named. */
#include "cli/verbs.h"
#include "model/registry.h"

static enum takc_status say_json(struct takc_cli *cli, struct takc_err *err)
{
    const struct takc_model_kind *k;
    json_t *list = json_array();
    bool good = list != NULL;
    for (size_t i = 0; good && (k = takc_model_kind_at(i)); i++) {
        json_t *row = json_pack("{s:s, s:s, s:s}", "kind", "model", "name", k->name, "about", k->about);
        good = row && !json_array_append_new(list, row);
    }
    json_t *all = good ? json_pack("{s:O}", "backends", list) : NULL;
    json_decref(list);
    return takc_cli_json(cli, all, err);
}

enum takc_status takc_verb_backends(struct takc_cli *cli, struct takc_err *err)
{
    static const struct takc_column columns[] = {{"kind", 0}, {"name", 0}, {"what", 0}};
    enum { MOST = 16 };
    struct takc_str cells[MOST * 3];
    const struct takc_model_kind *k;
    size_t n = 0;
    if (cli->json)
        return say_json(cli, err);
    for (; n < MOST && (k = takc_model_kind_at(n)); n++) {
        cells[3 * n] = takc_str("model");
        cells[3 * n + 1] = takc_str(k->name);
        cells[3 * n + 2] = takc_str(k->about);
    }
    return takc_table_write(columns, 3, cells, n, &cli->out, err);
}
