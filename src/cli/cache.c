/* SPDX-License-Identifier: Apache-2.0
 *
 * cache.c - takc cache list|show|diff|pin|rollback|delete. */
#include "takc/cache.h"
#include "base/alloc.h"
#include "cli/home_open.h"
#include "pipeline/ledger.h"

#include <stdio.h>
#include <stdlib.h>

struct listing {
    struct takc_cli *cli;
    struct takc_arena arena;
    struct takc_str *cells; /* COLUMNS a row */
    size_t n_rows, cap;
    json_t *list;
    char current[32];    /* label */
    enum takc_status st; /* of what could not be listed, and why */
    struct takc_err err;
};

enum { COLUMNS = 7 };

static struct takc_str keep(struct listing *l, const char *text)
{
    struct takc_str kept = takc_arena_dup(&l->arena, takc_str(text));
    if (!kept.ptr && !l->st)
        l->st = takc_fail(&l->err, TAKC_NOMEM, 0, "no memory for a table");
    return kept;
}

static void add_rows(struct listing *l, const struct takc_cache_version *v)
{
    char number[32], bytes[32], factor[32];
    for (size_t i = 0; !l->st && i < v->n_artifacts; i++) {
        const struct takc_cache_artifact *a = &v->artifacts[i];
        if ((l->st = takc_grow(&l->cells, &l->cap, (l->n_rows + 1) * COLUMNS, sizeof(*l->cells), &l->err)))
            return;
        struct takc_str *row = &l->cells[l->n_rows++ * COLUMNS];
        (void)snprintf(factor, sizeof(factor), "%.2fx", a->factor);
        row[0] = i ? takc_str("") : keep(l, v->label);
        row[1] = i ? takc_str("") : takc_str(v->current ? (v->pinned ? "current, pinned" : "current") : v->pinned ? "pinned" : "");
        row[2] = i ? takc_str("") : keep(l, v->created);
        row[3] = keep(l, a->rate);
        row[4] = keep(l, factor);
        row[5] = keep(l, takc_count_text(a->tokens, number));
        row[6] = keep(l, takc_bytes_text(a->size_bytes, bytes));
    }
}

static void add_json(struct listing *l, const struct takc_cache_version *v)
{
    json_t *rates = json_array();
    bool good = rates != NULL;
    for (size_t i = 0; good && i < v->n_artifacts; i++)
        good = json_array_append_new(rates, json_pack("{ss sf sI sI}", "rate", v->artifacts[i].rate, "factor", v->artifacts[i].factor,
                                                      "tokens", (json_int_t)v->artifacts[i].tokens, "size_bytes",
                                                      (json_int_t)v->artifacts[i].size_bytes)) == 0;
    json_t *one =
        json_pack("{ss sb sb ss sI sI so}", "version", v->label, "current", (int)v->current, "pinned", (int)v->pinned, "created_at",
                  v->created, "source_tokens", (json_int_t)v->source_tokens, "documents", (json_int_t)v->n_documents, "artifacts", rates);
    if (one && v->redacted_from[0])
        good = good && json_object_set_new(one, "redacted_from", json_string(v->redacted_from)) == 0;
    good = one && json_array_append_new(l->list, one) == 0 && good;
    if (!good && !l->st)
        l->st = takc_fail(&l->err, TAKC_NOMEM, 0, "no memory for JSON");
}

static void on_version(void *arg, const struct takc_cache_version *v)
{
    struct listing *l = arg;
    if (v->current)
        (void)snprintf(l->current, sizeof(l->current), "%s", v->label);
    if (l->list)
        add_json(l, v);
    else
        add_rows(l, v);
}

static json_t *list_json(const struct listing *l, const struct takc_cache_kept *kept)
{
    return json_pack("{ss? sO s{sI sI} s{sI sI}}", "current", l->current[0] ? l->current : NULL, "versions", l->list, "kept_replies",
                     "count", (json_int_t)kept->n_replies, "bytes", (json_int_t)kept->reply_bytes, "kept_answers", "count",
                     (json_int_t)kept->n_answers, "bytes", (json_int_t)kept->answer_bytes);
}

static enum takc_status say_kept(struct takc_cli *cli, const struct takc_cache_kept *kept, struct takc_err *err)
{
    char n[2][32], bytes[2][32];
    if (!kept->n_replies && !kept->n_answers)
        return TAKC_OK;
    return takc_cli_printf(cli, err, "kept: %s replies of models (%s), %s answers (%s)\n", takc_count_text(kept->n_replies, n[0]),
                           takc_bytes_text(kept->reply_bytes, bytes[0]), takc_count_text(kept->n_answers, n[1]),
                           takc_bytes_text(kept->answer_bytes, bytes[1]));
}

static enum takc_status list(struct takc_cli *cli, struct takc_home *home, struct takc_str task, struct takc_err *err)
{
    static const struct takc_column columns[COLUMNS] = {
        {"version", TAKC_ALIGN_LEFT},    {"", TAKC_ALIGN_LEFT},        {"created", TAKC_ALIGN_LEFT}, {"rate", TAKC_ALIGN_LEFT},
        {"delivered", TAKC_ALIGN_RIGHT}, {"tokens", TAKC_ALIGN_RIGHT}, {"size", TAKC_ALIGN_RIGHT}};
    struct listing l = {.cli = cli, .list = cli->json ? json_array() : NULL};
    struct takc_cache_kept kept = {0};
    takc_arena_init(&l.arena);
    enum takc_status st = takc_cache_list(home, task, on_version, &l, err);
    if (!st && (st = l.st) && err)
        *err = l.err;
    if (!st)
        st = takc_cache_count_kept(home, task, &kept, err);
    if (!st && l.list)
        st = takc_cli_json(cli, list_json(&l, &kept), err);
    else if (!st)
        st = takc_table_write(columns, COLUMNS, l.cells, l.n_rows, &cli->out, err);
    if (!st && !l.list && !l.current[0])
        st = takc_cli_printf(cli, err,
                             "no version is current; takc compress -t %.*s makes one, takc cache -t %.*s rollback VERSION takes one\n",
                             TAKC_STR_ARG(task), TAKC_STR_ARG(task));
    if (!st && !l.list)
        st = say_kept(cli, &kept, err);
    json_decref(l.list);
    takc_free(l.cells);
    takc_arena_clear(&l.arena);
    return st;
}

static struct takc_str arg(const struct takc_cli *cli, size_t i)
{
    return takc_cli_label(i < cli->n_args ? cli->args[i] : (struct takc_str){0});
}

static enum takc_status show(struct takc_cli *cli, struct takc_home *home, struct takc_str task, struct takc_err *err)
{
    char *text = NULL;
    size_t len = 0;
    struct takc_ledger_entry e = {0};
    enum takc_status st = takc_cache_text(home, task, arg(cli, 1), takc_cli_opt(cli, "rate"), &text, &len, err);
    if (!st && !takc_cli_flag(cli, "text"))
        st = takc_cache_ledger(home, task, arg(cli, 1), takc_cli_opt(cli, "rate"), &e, err);
    if (!st && !cli->json && !takc_cli_flag(cli, "text"))
        st = takc_cli_printf(cli, err, "%s: asked %gx, delivered %.2fx, %llu tokens of %llu, %llu lines\n\n", e.rate, e.factor_asked,
                             e.factor_tokens, (unsigned long long)e.artifact_tokens, (unsigned long long)e.source_tokens,
                             (unsigned long long)e.segments);
    if (!st && !cli->json)
        st = takc_cli_write(cli, takc_str_n(text, len), err);
    if (!st && cli->json)
        st = takc_cli_json(cli,
                           takc_cli_flag(cli, "text")
                               ? json_pack("{so}", "text", takc_json_str(takc_str_n(text, len)))
                               : json_pack("{so so}", "ledger", takc_ledger_json(&e), "text", takc_json_str(takc_str_n(text, len))),
                           err);
    free(text);
    return st;
}

static void on_line(void *target, char sign, struct takc_str line)
{
    struct listing *l = target;
    if (!l->st)
        l->st = takc_cli_printf(l->cli, &l->err, "%c %.*s\n", sign, TAKC_STR_ARG(line));
}

static enum takc_status diff(struct takc_cli *cli, struct takc_home *home, struct takc_str task, struct takc_err *err)
{
    struct listing l = {.cli = cli};
    if (cli->n_args < 2)
        return takc_fail(err, TAKC_INVALID, 0, "diff needs a version, or two: takc cache -t TASK diff 1 2");
    enum takc_status st = takc_cache_diff(home, task, arg(cli, 1), arg(cli, 2), takc_cli_opt(cli, "rate"), on_line, &l, err);
    if (!st && (st = l.st) && err)
        *err = l.err;
    return st;
}

static enum takc_status change(struct takc_cli *cli, struct takc_home *home, struct takc_str task, struct takc_err *err)
{
    char label[32] = "";
    struct takc_str action = cli->args[0], version = arg(cli, 1);
    if (takc_str_is(action, "rollback")) {
        enum takc_status st = takc_cache_rollback(home, task, version, label, err);
        return st ? st : takc_cli_printf(cli, err, "version %s is current\n", label);
    }
    if (version.len == 0)
        return takc_fail(err, TAKC_INVALID, 0, "%.*s needs a version; takc cache -t %.*s list shows them", TAKC_STR_ARG(action),
                         TAKC_STR_ARG(task));
    if (takc_str_is(action, "pin")) {
        bool on = !takc_cli_flag(cli, "off");
        enum takc_status st = takc_cache_pin(home, task, version, on, err);
        return st ? st : takc_cli_printf(cli, err, "version %.*s is %s\n", TAKC_STR_ARG(version), on ? "pinned" : "no longer pinned");
    }
    enum takc_status st = takc_cache_delete(home, task, version, takc_cli_opt(cli, "rate"), err);
    return st ? st
              : takc_cli_printf(cli, err, "deleted %.*s%s%.*s\n", TAKC_STR_ARG(version), takc_cli_opt(cli, "rate").len ? " at " : "",
                                TAKC_STR_ARG(takc_cli_opt(cli, "rate")));
}

enum takc_status takc_verb_cache(struct takc_cli *cli, struct takc_err *err)
{
    struct takc_home *home = NULL;
    struct takc_str task;
    enum takc_status st = takc_cli_open_task(cli, &home, &task, err);
    if (!st) {
        struct takc_str action = cli->args[0];
        st = takc_str_is(action, "list")   ? list(cli, home, task, err)
             : takc_str_is(action, "show") ? show(cli, home, task, err)
             : takc_str_is(action, "diff") ? diff(cli, home, task, err)
                                           : change(cli, home, task, err);
    }
    takc_home_close(home);
    return st;
}
