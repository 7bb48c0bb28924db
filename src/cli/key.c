/* SPDX-License-Identifier: Apache-2.0
 *
 * key.c - takc key: makes, lists and revokes the API keys of takc serve. A running server sees what is done here at its next request. */
#include "auth/keys.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/json.h"
#include "cli/home_open.h"

#include <openssl/crypto.h>
#include <stdio.h>

static int64_t now_of(const struct takc_cli *cli)
{
    const struct takc_clock *clock = takc_clock_or_system(cli->call.clock);
    return clock->wall_s(clock);
}

/* ---- create ---- */

/* "90d", "12h", "30m", "10s" behind now; nothing: never. */
static enum takc_status read_expires(struct takc_str text, int64_t now_s, int64_t *out, struct takc_err *err)
{
    static const struct {
        char letter;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    uint64_t n = 0;
    size_t i = 0;
    *out = 0;
    if (!text.len)
        return TAKC_OK;
    while (i < 4 && text.ptr[text.len - 1] != units[i].letter)
        i++;
    if (i == 4 || takc_str_u64(takc_str_slice(text, 0, text.len - 1), 36500, &n, NULL) || n == 0)
        return takc_fail(err, TAKC_INVALID, 0, "--expires: a time such as 90d, 12h, 30m or 10s is expected");
    *out = now_s + (int64_t)n * units[i].seconds;
    return TAKC_OK;
}

static enum takc_status read_options(const struct takc_cli *cli, struct takc_api_key_options *o, struct takc_err *err)
{
    struct takc_str may = takc_cli_opt(cli, "may");
    *o = (struct takc_api_key_options){
        .name = cli->args[1], .tenant = takc_cli_opt(cli, "tenant"), .tasks = takc_cli_opt(cli, "tasks"), .created_s = now_of(cli)};
    enum takc_status st = takc_may_parse(may.len ? may : takc_str("query"), &o->may, err);
    if (st)
        return takc_err_prefix(err, st, "--may");
    return read_expires(takc_cli_opt(cli, "expires"), o->created_s, &o->expires_s, err);
}

/* ---- as JSON ---- */

static json_t *words_json(struct takc_str list)
{
    struct takc_str word;
    json_t *v = json_array();
    while (v && list.len && takc_str_split(&list, ',', &word))
        if (json_array_append_new(v, takc_json_str(word))) {
            json_decref(v);
            return NULL;
        }
    return v;
}

static json_t *row_json(const struct takc_api_key *k)
{
    char may[24];
    takc_may_text(k->may, may);
    return json_pack("{so so so so so so so so}", "id", takc_json_str(k->id), "name", takc_json_str(k->name), "tenant",
                     k->tenant.len ? takc_json_str(k->tenant) : json_null(), "may", words_json(takc_str(may)), "tasks",
                     k->tasks.len ? words_json(k->tasks) : json_null(), "created_at", takc_json_time(k->created_s), "expires_at",
                     takc_json_time(k->expires_s), "revoked_at", takc_json_time(k->revoked_s));
}

static enum takc_status say_created(struct takc_cli *cli, const struct takc_api_key_options *o, const char *key, const char *id,
                                    struct takc_err *err)
{
    const struct takc_api_key row = {.id = takc_str(id),
                                     .name = o->name,
                                     .tenant = o->tenant,
                                     .tasks = o->tasks,
                                     .may = o->may,
                                     .created_s = o->created_s,
                                     .expires_s = o->expires_s};
    if (!cli->json) {
        takc_cli_note(cli, "takc: the key %s is shown this once; nobody can read it again", id);
        return takc_cli_printf(cli, err, "%s\n", key);
    }
    json_t *v = row_json(&row);
    if (v && json_object_set_new(v, "key", json_string(key))) {
        json_decref(v);
        v = NULL;
    }
    return takc_cli_json(cli, v, err);
}

static enum takc_status create(struct takc_cli *cli, struct takc_err *err)
{
    char key[TAKC_API_KEY_TEXT_LEN + 1], id[TAKC_API_KEY_ID_LEN + 1];
    struct takc_home *home = NULL;
    struct takc_api_key_options o;
    enum takc_status st = read_options(cli, &o, err);
    if (!st)
        st = takc_cli_open_or_make(cli, &home, err);
    if (!st)
        st = takc_api_key_create(home, &o, key, id, err);
    if (!st)
        st = say_created(cli, &o, key, id, err);
    OPENSSL_cleanse(key, sizeof(key));
    takc_home_close(home);
    return st;
}

/* ---- list ---- */

static const char *state_of(const struct takc_api_key *k, int64_t now_s)
{
    return k->revoked_s ? "revoked" : k->expires_s && now_s >= k->expires_s ? "expired" : "good";
}

enum { COLUMNS = 8 };

static enum takc_status put_cells(struct takc_arena *a, const struct takc_api_key *k, int64_t now_s, struct takc_str *cells,
                                  struct takc_err *err)
{
    char may[24], created[21], expires[21] = "never";
    takc_may_text(k->may, may);
    takc_time_text(k->created_s, created);
    if (k->expires_s)
        takc_time_text(k->expires_s, expires);
    const struct takc_str row[COLUMNS] = {k->id,
                                          k->name,
                                          k->tenant.len ? k->tenant : takc_str("-"),
                                          takc_arena_dup(a, takc_str(may)),
                                          k->tasks.len ? k->tasks : takc_str("*"),
                                          takc_arena_dup(a, takc_str(created)),
                                          takc_arena_dup(a, takc_str(expires)),
                                          takc_str(state_of(k, now_s))};
    memcpy(cells, row, sizeof(row));
    return row[3].ptr && row[5].ptr && row[6].ptr ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for a table");
}

static enum takc_status say_table(struct takc_cli *cli, struct takc_arena *a, const struct takc_api_key *rows, size_t n,
                                  struct takc_err *err)
{
    static const struct takc_column columns[COLUMNS] = {
        {"id", TAKC_ALIGN_LEFT},    {"name", TAKC_ALIGN_LEFT},    {"tenant", TAKC_ALIGN_LEFT},  {"may", TAKC_ALIGN_LEFT},
        {"tasks", TAKC_ALIGN_LEFT}, {"created", TAKC_ALIGN_LEFT}, {"expires", TAKC_ALIGN_LEFT}, {"state", TAKC_ALIGN_LEFT}};
    struct takc_str *cells = takc_arena_array(a, n, COLUMNS * sizeof(*cells));
    enum takc_status st = cells ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for a table");
    for (size_t i = 0; i < n && !st; i++)
        st = put_cells(a, &rows[i], now_of(cli), cells + i * COLUMNS, err);
    return st ? st : takc_table_write(columns, COLUMNS, cells, n, &cli->out, err);
}

static enum takc_status say_list_json(struct takc_cli *cli, const struct takc_api_key *rows, size_t n, struct takc_err *err)
{
    json_t *list = json_array();
    bool good = list != NULL;
    for (size_t i = 0; i < n && good; i++) {
        json_t *v = row_json(&rows[i]);
        good = v && !json_object_set_new(v, "state", json_string(state_of(&rows[i], now_of(cli)))) && !json_array_append(list, v);
        json_decref(v);
    }
    json_t *all = good ? json_pack("{sO}", "keys", list) : NULL;
    json_decref(list);
    return takc_cli_json(cli, all, err);
}

static enum takc_status list(struct takc_cli *cli, struct takc_err *err)
{
    struct takc_home *home = NULL;
    struct takc_arena a;
    struct takc_api_key *rows = NULL;
    size_t n = 0;
    takc_arena_init(&a);
    enum takc_status st = takc_cli_open(cli, &home, err);
    if (!st)
        st = takc_home_api_keys(home, &a, &rows, &n, err);
    if (!st && cli->json)
        st = say_list_json(cli, rows, n, err);
    else if (!st && !n)
        st = takc_cli_printf(cli, err, "there are no keys; takc key create NAME makes one\n");
    else if (!st)
        st = say_table(cli, &a, rows, n, err);
    takc_arena_clear(&a);
    takc_home_close(home);
    return st;
}

/* ---- revoke ---- */

static enum takc_status revoke(struct takc_cli *cli, struct takc_err *err)
{
    struct takc_home *home = NULL;
    struct takc_str id = cli->args[1];
    enum takc_status st = takc_cli_open(cli, &home, err);
    if (!st)
        st = takc_home_api_key_revoke(home, id, now_of(cli), err);
    if (st == TAKC_NOT_FOUND && home)
        st = takc_fail(err, st, 0, "there is no key of that id; takc key list shows those there are");
    else if (!st)
        st = cli->json ? takc_cli_json(cli, json_pack("{so sb}", "id", takc_json_str(id), "revoked", 1), err)
                       : takc_cli_printf(cli, err, "key %.*s is revoked\n", TAKC_STR_ARG(id));
    takc_home_close(home);
    return st;
}

/* Options that only create takes. */
static enum takc_status check_use(const struct takc_cli *cli, bool creates, struct takc_err *err)
{
    static const char *const of_create[] = {"tenant", "may", "tasks", "expires"};
    struct takc_str action = cli->args[0];
    bool names = !takc_str_is(action, "list");
    for (size_t i = 0; i < 4 && !creates; i++)
        if (takc_cli_flag(cli, of_create[i]))
            return takc_fail(err, TAKC_INVALID, 0, "--%s is for takc key create", of_create[i]);
    if (names && cli->n_args < 2)
        return takc_fail(err, TAKC_INVALID, 0, "an argument is missing; usage: takc key %.*s %s", TAKC_STR_ARG(action),
                         creates ? "NAME" : "ID");
    if (!names && cli->n_args > 1)
        return takc_fail(err, TAKC_INVALID, 0, "'%.*s' is one argument too many; usage: takc key list", TAKC_STR_ARG(cli->args[1]));
    return TAKC_OK;
}

enum takc_status takc_verb_key(struct takc_cli *cli, struct takc_err *err)
{
    bool creates = takc_str_is(cli->args[0], "create");
    enum takc_status st = check_use(cli, creates, err);
    if (st)
        return st;
    return creates ? create(cli, err) : takc_str_is(cli->args[0], "list") ? list(cli, err) : revoke(cli, err);
}
