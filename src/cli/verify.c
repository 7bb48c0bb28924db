/* SPDX-License-Identifier: Apache-2.0
 *
 * verify.c - takc verify: a row per level, a line per failure. */
#include "takc/verify.h"
#include "base/json.h"
#include "cli/home_open.h"

#include <stdio.h>

enum { MAX_RATES = 16 };

struct findings {
    struct takc_cli *cli;
    json_t *list;        /* with --json */
    enum takc_status st; /* of what could not be told, and why */
    struct takc_err err;
};

static void on_finding(void *arg, unsigned level, const char *subject, const char *finding)
{
    struct findings *f = arg;
    f->cli->partial = true;
    if (f->list) {
        json_t *v = json_pack("{ss so so}", "level", takc_level_letter(level), "subject", takc_json_str(takc_str(subject)), "finding",
                              takc_json_str(takc_str(finding)));
        if (!f->st && (!v || json_array_append_new(f->list, v)))
            f->st = takc_fail(&f->err, TAKC_NOMEM, 0, "no memory for JSON");
    } else if (!f->st) {
        f->st = takc_cli_printf(f->cli, &f->err, "FAILED %s %s: %s\n", takc_level_letter(level), subject, finding);
    }
}

static enum takc_status say_table(struct takc_cli *cli, const struct takc_verify_report *r, struct takc_err *err)
{
    static const struct takc_column columns[] = {{"level", TAKC_ALIGN_LEFT},    {"what", TAKC_ALIGN_LEFT},
                                                 {"checked", TAKC_ALIGN_RIGHT}, {"proved", TAKC_ALIGN_RIGHT},
                                                 {"failed", TAKC_ALIGN_RIGHT},  {"not derivable here", TAKC_ALIGN_RIGHT}};
    char numbers[TAKC_PROOF_LEVELS][4][32];
    struct takc_str cells[TAKC_PROOF_LEVELS * 6];
    for (unsigned k = 0; k < TAKC_PROOF_LEVELS; k++) {
        const uint64_t n[] = {r->checked[k], r->checked[k] - r->failed[k] - r->underivable[k], r->failed[k], r->underivable[k]};
        cells[k * 6] = takc_str(takc_level_letter(k));
        cells[k * 6 + 1] = takc_str(takc_level_text(k));
        for (int i = 0; i < 4; i++)
            cells[k * 6 + 2 + (unsigned)i] = takc_str(takc_count_text(n[i], numbers[k][i]));
    }
    enum takc_status st =
        takc_cli_printf(cli, err, "version %s: %llu documents, %llu artifacts, %llu lines\n", r->version,
                        (unsigned long long)r->n_documents, (unsigned long long)r->n_artifacts, (unsigned long long)r->n_segments);
    return st ? st : takc_table_write(columns, 6, cells, TAKC_PROOF_LEVELS, &cli->out, err);
}

static enum takc_status say_json(struct findings *f, const struct takc_verify_report *r, struct takc_err *err)
{
    json_t *levels = json_object();
    bool good = levels != NULL;
    for (unsigned k = 0; good && k < TAKC_PROOF_LEVELS; k++)
        good = json_object_set_new(levels, takc_level_letter(k),
                                   json_pack("{sI sI sI}", "checked", (json_int_t)r->checked[k], "failed", (json_int_t)r->failed[k],
                                             "not_derivable", (json_int_t)r->underivable[k])) == 0;
    json_t *v = good ? json_pack("{ss sI sI sI sO sO}", "version", r->version, "documents", (json_int_t)r->n_documents, "artifacts",
                                 (json_int_t)r->n_artifacts, "segments", (json_int_t)r->n_segments, "levels", levels, "findings", f->list)
                     : NULL;
    json_decref(levels);
    return takc_cli_json(f->cli, v, err);
}

/* "AX" or "a,x" into bits. */
static enum takc_status parse_levels(struct takc_str text, unsigned *out, struct takc_err *err)
{
    *out = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned k = 0;
        while (takc_level_letter(k) && (takc_level_letter(k)[0] | 0x20) != (text.ptr[i] | 0x20))
            k++;
        if (text.ptr[i] == ',' || text.ptr[i] == ' ')
            continue;
        if (!takc_level_letter(k))
            return takc_fail(err, TAKC_INVALID, 0, "--levels: '%c' is none of S, T, M, A, X", text.ptr[i]);
        *out |= 1u << k;
    }
    return TAKC_OK;
}

enum takc_status takc_verb_verify(struct takc_cli *cli, struct takc_err *err)
{
    struct takc_home *home = NULL;
    uint32_t rates[MAX_RATES];
    struct findings f = {.cli = cli, .list = cli->json ? json_array() : NULL};
    struct takc_verify_report r;
    struct takc_verify_options o = {.version = takc_cli_label(takc_cli_opt(cli, "version")),
                                    .rates = rates,
                                    .n_rates = takc_cli_rates(cli, "rates", rates, MAX_RATES),
                                    .documents = cli->args,
                                    .n_documents = cli->n_args,
                                    .source_dir = takc_cli_opt(cli, "source").ptr,
                                    .finding = on_finding,
                                    .finding_arg = &f};
    enum takc_status st = parse_levels(takc_cli_opt(cli, "levels"), &o.levels, err);
    if (!st)
        st = takc_cli_open_task(cli, &home, &o.task, err);
    if (!st)
        st = takc_verify(home, &cli->call, &o, &r, err);
    takc_progress_hide(&cli->progress);
    if (!st && (st = f.st) && err)
        *err = f.err;
    if (!st)
        st = cli->json ? say_json(&f, &r, err) : say_table(cli, &r, err);
    json_decref(f.list);
    takc_home_close(home);
    return st;
}
