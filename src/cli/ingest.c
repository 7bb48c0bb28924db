/* SPDX-License-Identifier: Apache-2.0
 *
 * ingest.c - takc ingest: what became of each document, then the sums. */
#include "takc/ingest.h"
#include "base/json.h"
#include "cli/home_open.h"
#include "cli/ingest_s3.h"

#include <stdio.h>

enum { MAX_VALUES = 64, MAX_FIELD = 256 };

struct listing {
    struct takc_cli *cli;
    json_t *items; /* with --json */
    bool failed;
};

static const char *const outcomes[] = {"", "new", "changed", "same", "skipped", "refused", "vanished", "forgotten"};

static void add_json(struct listing *l, const struct takc_ingest_item *i)
{
    json_t *v = json_pack("{ss}", "outcome", outcomes[i->outcome]);
    bool good = v && json_object_set_new(v, "document", takc_json_str(i->name)) == 0;
    if (i->outcome == TAKC_INGEST_REFUSED)
        good = good && json_object_set_new(v, "status", json_string(takc_status_name(i->status))) == 0;
    if (i->message && i->message[0])
        good = good && json_object_set_new(v, "message", takc_json_str(takc_str(i->message))) == 0;
    if (i->charset.len && !takc_str_is(i->charset, "UTF-8"))
        good = good && json_object_set_new(v, "charset", takc_json_str(i->charset)) == 0;
    if (i->reader.len)
        good = good && json_object_set_new(v, "reader", takc_json_str(i->reader)) == 0 &&
               json_object_set_new(v, "bytes", json_integer((json_int_t)i->bytes)) == 0 &&
               json_object_set_new(v, "units", json_integer((json_int_t)i->units)) == 0 &&
               json_object_set_new(v, "tokens", json_integer((json_int_t)i->tokens)) == 0 &&
               json_object_set_new(v, "replaced_bytes", json_integer((json_int_t)i->n_replaced)) == 0;
    if (!good || json_array_append_new(l->items, v))
        l->failed = true;
}

/* New and changed documents are many and go by; what needs a look is told a line each. */
static void on_item(void *arg, const struct takc_ingest_item *i)
{
    struct listing *l = arg;
    if (i->outcome == TAKC_INGEST_REFUSED)
        l->cli->partial = true;
    if (l->items)
        add_json(l, i);
    if (i->outcome == TAKC_INGEST_REFUSED || i->outcome == TAKC_INGEST_VANISHED || i->outcome == TAKC_INGEST_FORGOTTEN)
        takc_cli_note(l->cli, "%s %.*s%s%s", outcomes[i->outcome], TAKC_STR_ARG(i->name), i->message[0] ? ": " : "", i->message);
    else if (i->outcome == TAKC_INGEST_SKIPPED)
        takc_cli_note(l->cli, "skipped %.*s: %s", TAKC_STR_ARG(i->name), i->message);
    else if (i->message && i->message[0] && i->outcome != TAKC_INGEST_SAME)
        takc_cli_note(l->cli, "note on %.*s: %s", TAKC_STR_ARG(i->name), i->message);
}

/* "id=doc_id,title=t" into four field names, each in its own buffer. */
static enum takc_status jsonl_fields(struct takc_str map, char names[4][MAX_FIELD], struct takc_ingest_options *o, struct takc_err *err)
{
    static const char *const keys[] = {"id", "title", "text", "date"};
    const char **to[] = {&o->jsonl_id, &o->jsonl_title, &o->jsonl_text, &o->jsonl_date};
    struct takc_str piece;
    while (takc_str_split(&map, ',', &piece)) {
        size_t at = takc_str_find_byte(piece, '=', 0), k = 0;
        while (at != SIZE_MAX && k < 4 && !takc_str_is(takc_str_slice(piece, 0, at), keys[k]))
            k++;
        if (at == SIZE_MAX || k == 4 || piece.len - at - 1 >= MAX_FIELD || at + 1 == piece.len)
            return takc_fail(err, TAKC_INVALID, 0, "--jsonl-fields: '%.*s' is not one of id=, title=, text=, date= and a field's name",
                             TAKC_STR_ARG(piece));
        (void)snprintf(names[k], MAX_FIELD, "%.*s", (int)(piece.len - at - 1), piece.ptr + at + 1);
        *to[k] = names[k];
    }
    return TAKC_OK;
}

static enum takc_status say_report(struct listing *l, const struct takc_ingest_report *r, struct takc_err *err)
{
    const struct {
        const char *name;
        uint64_t n;
    } counts[] = {{"new", r->n_new},         {"changed", r->n_changed},   {"same", r->n_same},          {"skipped", r->n_skipped},
                  {"refused", r->n_refused}, {"vanished", r->n_vanished}, {"forgotten", r->n_forgotten}};
    if (l->items) {
        json_t *v = json_pack("{sO sI sI sI}", "documents", l->items, "bytes", (json_int_t)r->bytes, "tokens", (json_int_t)r->tokens,
                              "replaced_bytes", (json_int_t)r->n_replaced);
        for (size_t i = 0; v && i < sizeof(counts) / sizeof(counts[0]); i++)
            if (json_object_set_new(v, counts[i].name, json_integer((json_int_t)counts[i].n)))
                l->failed = true;
        return l->failed ? takc_fail(err, TAKC_NOMEM, 0, "no memory for JSON") : takc_cli_json(l->cli, v, err);
    }
    char bytes[32], tokens[32];
    enum takc_status st = TAKC_OK;
    bool any = false;
    for (size_t i = 0; !st && i < sizeof(counts) / sizeof(counts[0]); i++)
        if (counts[i].n) {
            st = takc_cli_printf(l->cli, err, "%s%llu %s", any ? ", " : "", (unsigned long long)counts[i].n, counts[i].name);
            any = true;
        }
    if (!any)
        return takc_cli_printf(l->cli, err, "no documents found\n");
    if (!st && r->n_new + r->n_changed)
        st = takc_cli_printf(l->cli, err, "; %s, %s tokens", takc_bytes_text(r->bytes, bytes), takc_count_text(r->tokens, tokens));
    if (!st && r->n_replaced)
        st = takc_cli_printf(l->cli, err, "; %llu wrong bytes replaced", (unsigned long long)r->n_replaced);
    return st ? st : takc_cli_printf(l->cli, err, "\n");
}

/* All values of an option that may be repeated; arguments end in NUL. */
static enum takc_status values_of(const struct takc_cli *cli, const char *option, const char **out, size_t *out_n, struct takc_err *err)
{
    struct takc_str values[MAX_VALUES];
    enum takc_status st = takc_cli_opts(cli, option, values, MAX_VALUES, out_n, err);
    for (size_t i = 0; !st && i < *out_n; i++)
        out[i] = values[i].ptr;
    return st;
}

enum takc_status takc_verb_ingest(struct takc_cli *cli, struct takc_err *err)
{
    struct takc_home *home = NULL;
    struct listing listing = {.cli = cli};
    struct takc_ingest_report report;
    char names[4][MAX_FIELD];
    const char *labels[MAX_VALUES], *include[MAX_VALUES], *exclude[MAX_VALUES];
    const char **all = takc_arena_array(&cli->settings.arena, cli->n_args, sizeof(*all));
    struct takc_ingest_options o = {
        .name = takc_cli_opt(cli, "name").ptr,
        .mirror = takc_cli_flag(cli, "mirror"),
        .date = takc_cli_opt(cli, "date").ptr,
        .labels = labels,
        .include = include,
        .exclude = exclude,
        .max_file_bytes = cli->settings.ingest_max_file_bytes,
        .max_text_bytes = cli->settings.ingest_max_text_bytes,
        .timeout_ms = cli->settings.ingest_timeout_ms,
        .n_threads = takc_cli_threads(cli),
        .wait_ms = takc_cli_number(cli, "wait-ms", 2000),
        .each = on_item,
        .each_arg = &listing,
        .pdf_mode = takc_str_is(cli->settings.pdf_mode, "auto") ? NULL : cli->settings.pdf_mode.ptr,
    };
    for (size_t i = 0; all && i < cli->n_args; i++)
        all[i] = cli->args[i].ptr;
    enum takc_status st = all ? values_of(cli, "label", labels, &o.n_labels, err) : takc_fail(err, TAKC_NOMEM, 0, "no memory for paths");
    if (!st)
        st = values_of(cli, "include", include, &o.n_include, err);
    if (!st)
        st = values_of(cli, "exclude", exclude, &o.n_exclude, err);
    if (!st)
        st = takc_cli_open_task(cli, &home, &o.task, err);
    if (!st && takc_cli_opt(cli, "jsonl-fields").len)
        st = jsonl_fields(takc_cli_opt(cli, "jsonl-fields"), names, &o, err);
    if (cli->json)
        listing.items = json_array();
    if (!st)
        st = takc_cli_names_s3(cli) ? takc_cli_ingest_s3(cli, home, &o, &report, err)
                                    : takc_ingest(home, &cli->call, all, cli->n_args, &o, &report, err);
    takc_progress_hide(&cli->progress);
    if (!st)
        st = say_report(&listing, &report, err);
    json_decref(listing.items);
    takc_home_close(home);
    return st;
}
