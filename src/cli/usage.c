/* SPDX-License-Identifier: Apache-2.0
 *
 * usage.c - takc usage: what calls of models have cost, out of the ledger. */
#include "catalog/usage.h"
#include "base/json.h"
#include "cli/home_open.h"
#include "model/facts.h"

#include <stdio.h>

enum { COLUMNS_MAX = 13, DAY_S = 86400 };

static const struct {
    const char *name;
    enum takc_usage_by by;
} groups[] = {{"day", TAKC_USAGE_BY_DAY}, {"task", TAKC_USAGE_BY_TASK}, {"model", TAKC_USAGE_BY_MODEL}, {"purpose", TAKC_USAGE_BY_PURPOSE}};
enum { N_GROUPS = sizeof(groups) / sizeof(groups[0]) };

struct gathered {
    struct takc_arena arena;
    struct takc_usage_sum *rows, sum;
    size_t n, cap;
};

static struct takc_str group_of(const struct takc_usage_sum *s, size_t g)
{
    const struct takc_str texts[N_GROUPS] = {s->day, s->task, s->model, s->purpose};
    return texts[g];
}

static void add(struct takc_usage_sum *to, const struct takc_usage_sum *s)
{
    to->calls += s->calls;
    to->failed += s->failed;
    to->lost += s->lost;
    to->unpriced += s->unpriced;
    to->batch += s->batch;
    to->input += s->input;
    to->output += s->output;
    to->cache_read += s->cache_read;
    to->cache_write += s->cache_write;
    to->picodollars += s->picodollars;
    to->ms += s->ms;
}

static enum takc_status gather(void *arg, const struct takc_usage_sum *s, struct takc_err *err)
{
    struct gathered *g = arg;
    if (g->n == g->cap) {
        size_t cap = g->cap ? 2 * g->cap : 32;
        struct takc_usage_sum *rows = takc_arena_array(&g->arena, cap, sizeof(*rows));
        if (!rows)
            return takc_fail(err, TAKC_NOMEM, 0, "no memory for a table");
        if (g->n)
            memcpy(rows, g->rows, g->n * sizeof(*rows));
        g->rows = rows;
        g->cap = cap;
    }
    struct takc_usage_sum *to = &g->rows[g->n];
    *to = *s;
    struct takc_str *texts[] = {&to->day, &to->task, &to->model, &to->purpose};
    for (size_t i = 0; i < N_GROUPS; i++) {
        *texts[i] = takc_arena_dup(&g->arena, *texts[i]);
        if (!texts[i]->ptr)
            return takc_fail(err, TAKC_NOMEM, 0, "no memory for a table");
    }
    if (s->calls)
        g->n++;
    add(&g->sum, s);
    return TAKC_OK;
}

/* --- what is asked --- */

static enum takc_status read_by(struct takc_str list, unsigned *out, struct takc_err *err)
{
    struct takc_str piece;
    while (takc_str_split(&list, ',', &piece)) {
        size_t g = 0;
        while (g < N_GROUPS && !takc_str_is(takc_str_trim(piece), groups[g].name))
            g++;
        if (g == N_GROUPS)
            return takc_fail(err, TAKC_INVALID, 0, "--by: '%.*s' is none of task, model, day, purpose", TAKC_STR_ARG(piece));
        *out |= groups[g].by;
    }
    return TAKC_OK;
}

static enum takc_status read_filter(const struct takc_cli *cli, struct takc_usage_filter *f, struct takc_err *err)
{
    int32_t day;
    struct takc_str by = takc_cli_opt(cli, "by");
    f->task = cli->settings.task;
    f->model = takc_cli_opt(cli, "model");
    if (takc_cli_date(cli, "since", &day))
        f->since_s = (int64_t)day * DAY_S;
    if (takc_cli_date(cli, "until", &day))
        f->until_s = ((int64_t)day + 1) * DAY_S;
    return read_by(by.len ? by : takc_str("task,model"), &f->by, err);
}

/* --- a table --- */

static struct takc_str number_cell(struct takc_arena *a, uint64_t n)
{
    char text[32];
    return takc_arena_dup(a, takc_str(takc_count_text(n, text)));
}

static struct takc_str money_cell(struct takc_arena *a, uint64_t picodollars)
{
    char text[32];
    takc_money_text(picodollars, text);
    return takc_arena_dup(a, takc_str(text));
}

/* One row; how many cells. is_sum: the first says so in place of its group. */
static size_t put_cells(struct takc_arena *a, const struct takc_usage_sum *s, unsigned by, bool is_sum, struct takc_str *cells)
{
    const uint64_t numbers[] = {s->calls, s->failed, s->lost, s->unpriced, s->input, s->output, s->cache_read, s->cache_write};
    size_t n = 0;
    for (size_t g = 0; g < N_GROUPS; g++)
        if (by & groups[g].by) {
            cells[n] = is_sum ? takc_str(n ? "" : "sum") : group_of(s, g);
            n++;
        }
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        cells[n++] = number_cell(a, numbers[i]);
    cells[n++] = money_cell(a, s->picodollars);
    return n;
}

static size_t put_titles(unsigned by, struct takc_column *columns)
{
    static const char *const titles[] = {"calls", "failed", "lost", "unpriced", "in", "out", "cache read", "cache write", "cost"};
    size_t n = 0;
    for (size_t g = 0; g < N_GROUPS; g++)
        if (by & groups[g].by)
            columns[n++] = (struct takc_column){groups[g].name, TAKC_ALIGN_LEFT};
    for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
        columns[n++] = (struct takc_column){titles[i], TAKC_ALIGN_RIGHT};
    return n;
}

static enum takc_status say_table(struct takc_cli *cli, struct gathered *g, unsigned by, struct takc_err *err)
{
    struct takc_column columns[COLUMNS_MAX];
    size_t n_columns = put_titles(by, columns), n = 0;
    struct takc_str *cells = takc_arena_array(&g->arena, (g->n + 1) * n_columns, sizeof(*cells));
    if (!cells)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a table");
    for (size_t i = 0; i < g->n; i++)
        n += put_cells(&g->arena, &g->rows[i], by, false, cells + n);
    n += put_cells(&g->arena, &g->sum, by, true, cells + n);
    for (size_t i = 0; i < n; i++)
        if (!cells[i].ptr)
            return takc_fail(err, TAKC_NOMEM, 0, "no memory for a table");
    return takc_table_write(columns, n_columns, cells, n / n_columns, &cli->out, err);
}

/* What a sum does not say by itself. */
static enum takc_status say_remarks(struct takc_cli *cli, const struct takc_usage_sum *s, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    if (s->lost)
        st = takc_cli_printf(cli, err,
                             "%llu lost: sent by a run that did not live to see the end, or under way now; counted at their most\n",
                             (unsigned long long)s->lost);
    if (!st && s->unpriced)
        st = takc_cli_printf(cli, err, "%llu unpriced: no price was on file, so that the cost lacks them (model.facts sets prices)\n",
                             (unsigned long long)s->unpriced);
    if (!st && s->batch)
        st = takc_cli_printf(cli, err, "%llu by batch jobs, at the price of these\n", (unsigned long long)s->batch);
    return st;
}

static enum takc_status say_month(struct takc_cli *cli, struct takc_home *home, struct takc_err *err)
{
    char cap[32], gone[32];
    uint64_t spent = 0;
    const struct takc_clock *clock = takc_clock_or_system(cli->call.clock);
    struct takc_str task = cli->settings.task;
    if (!task.len || !cli->settings.cost_monthly_cap)
        return TAKC_OK;
    enum takc_status st = takc_home_spent_this_month(home, task, clock->wall_s(clock), &spent, err);
    takc_money_text(cli->settings.cost_monthly_cap, cap);
    takc_money_text(spent, gone);
    return st ? st
              : takc_cli_printf(cli, err, "task %.*s has spent %s of its %s this month (cost.monthly_cap_usd)\n", TAKC_STR_ARG(task), gone,
                                cap);
}

/* --- prices --- */

struct prices { /* of the models in the ledger, as they are on file now */
    struct takc_facts_table table;
    struct takc_str from, to; /* dates, in the table's memory; empty: none has a price */
};

static enum takc_status look_at_price(void *arg, const struct takc_usage_sum *s, struct takc_err *err)
{
    struct prices *p = arg;
    size_t colon = takc_str_find_byte(s->model, ':', 0);
    (void)err;
    if (colon == SIZE_MAX)
        return TAKC_OK;
    const struct takc_model_facts f =
        takc_facts_find(&p->table, takc_str_slice(s->model, 0, colon), takc_str_slice(s->model, colon + 1, s->model.len));
    if (!f.has_price || !f.price_date.len)
        return TAKC_OK;
    if (!p->from.len || takc_str_cmp(f.price_date, p->from) < 0)
        p->from = f.price_date;
    if (!p->to.len || takc_str_cmp(f.price_date, p->to) > 0)
        p->to = f.price_date;
    return TAKC_OK;
}

/* A file of facts that cannot be read is no reason to hide what was spent. */
static enum takc_status read_prices(const struct takc_cli *cli, struct takc_home *home, const struct takc_usage_filter *f,
                                    struct prices *out, struct takc_err *err)
{
    struct takc_str file = cli->settings.model_facts;
    struct takc_usage_filter by_model = *f;
    by_model.by = TAKC_USAGE_BY_MODEL;
    enum takc_status st = takc_facts_load(&out->table, file.len ? file.ptr : NULL, err);
    if (st && st != TAKC_NOMEM)
        return TAKC_OK;
    return st ? st : takc_home_usage(home, &by_model, look_at_price, out, err);
}

static int64_t now_of(const struct takc_cli *cli)
{
    const struct takc_clock *clock = takc_clock_or_system(cli->call.clock);
    return clock->wall_s(clock);
}

static enum takc_status say_prices(struct takc_cli *cli, const struct prices *p, struct takc_err *err)
{
    char of[96];
    bool one = takc_str_eq(p->from, p->to);
    if (!p->from.len)
        return TAKC_OK;
    takc_price_date_text(p->from, now_of(cli), of);
    return takc_cli_printf(cli, err, "prices on file for these models are %sof %s\n", one ? "" : "the oldest ", of);
}

static json_t *prices_json(const struct takc_cli *cli, const struct prices *p)
{
    if (!p->from.len)
        return json_null();
    return json_pack("{so so sb}", "from", takc_json_str(p->from), "to", takc_json_str(p->to), "old",
                     (int)(takc_price_age_days(p->from, now_of(cli)) > TAKC_PRICE_OLD_DAYS));
}

/* --- JSON --- */

static json_t *sum_json(const struct takc_usage_sum *s, unsigned by)
{
    json_t *v = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:I, s:I}", "calls", (json_int_t)s->calls, "failed",
                          (json_int_t)s->failed, "lost", (json_int_t)s->lost, "unpriced", (json_int_t)s->unpriced, "batch",
                          (json_int_t)s->batch, "input_tokens", (json_int_t)s->input, "output_tokens", (json_int_t)s->output,
                          "cache_read_tokens", (json_int_t)s->cache_read, "cache_write_tokens", (json_int_t)s->cache_write, "cost_usd",
                          (double)s->picodollars / 1e12, "picodollars", (json_int_t)s->picodollars, "model_ms", (json_int_t)s->ms);
    bool good = v != NULL;
    for (size_t g = 0; good && g < N_GROUPS; g++)
        if (by & groups[g].by)
            good = !json_object_set_new(v, groups[g].name, takc_json_str(group_of(s, g)));
    if (good)
        return v;
    json_decref(v);
    return NULL;
}

static enum takc_status say_json(struct takc_cli *cli, const struct gathered *g, unsigned by, const struct prices *p, struct takc_err *err)
{
    json_t *list = json_array(), *sum = sum_json(&g->sum, 0);
    bool good = list && sum;
    for (size_t i = 0; good && i < g->n; i++) {
        json_t *row = sum_json(&g->rows[i], by);
        good = row && !json_array_append_new(list, row);
    }
    json_t *all = good ? json_pack("{s:O, s:O, s:o}", "usage", list, "sum", sum, "prices", prices_json(cli, p)) : NULL;
    json_decref(list);
    json_decref(sum);
    return takc_cli_json(cli, all, err);
}

enum takc_status takc_verb_usage(struct takc_cli *cli, struct takc_err *err)
{
    struct takc_home *home = NULL;
    struct gathered g = {0};
    struct takc_usage_filter f = {0};
    struct prices p = {.from = {NULL, 0}};
    takc_arena_init(&g.arena);
    enum takc_status st = read_filter(cli, &f, err);
    if (!st)
        st = takc_cli_open(cli, &home, err);
    if (!st)
        st = takc_home_usage(home, &f, gather, &g, err);
    if (!st)
        st = read_prices(cli, home, &f, &p, err);
    if (!st && cli->json)
        st = say_json(cli, &g, f.by, &p, err);
    else if (!st && !g.n)
        st = takc_cli_printf(cli, err, "no calls of models are in the ledger%s\n", f.task.len || f.model.len ? " for these" : "");
    else if (!st) {
        st = say_table(cli, &g, f.by, err);
        st = st ? st : say_remarks(cli, &g.sum, err);
        st = st ? st : say_prices(cli, &p, err);
        st = st ? st : say_month(cli, home, err);
    }
    takc_facts_clear(&p.table);
    takc_arena_clear(&g.arena);
    takc_home_close(home);
    return st;
}
