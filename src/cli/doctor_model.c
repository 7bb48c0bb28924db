/* SPDX-License-Identifier: Apache-2.0
 *
 * doctor_model.c - what takc doctor says of the model: found by the same way as by the verbs that ask it. Never a key. */
#include "base/arena.h"
#include "cli/doctor.h"
#include "cli/home_open.h"
#include "cli/model_flags.h"
#include "pipeline/models.h"

enum { TINY_TOKENS = 16 };

/* Lines of text under one check. */
static enum takc_status say_lines(struct takc_doctor *d, const char *check, struct takc_str text, enum takc_health health,
                                  struct takc_err *err)
{
    struct takc_str line;
    enum takc_status st = TAKC_OK;
    bool first = true;
    while (!st && text.len && takc_str_split(&text, '\n', &line)) {
        if (line.len)
            st = takc_doctor_say(d, check, first, health, err, "%.*s", TAKC_STR_ARG(line));
        first = false;
    }
    return st;
}

/* One word, to see that it can be had. */
static enum takc_status ask_tiny(struct takc_doctor *d, struct takc_models *m, struct takc_err *err)
{
    static const struct takc_model_block block = {.text = {"Reply with one word: ready", 26}};
    static const struct takc_model_message message = {TAKC_ROLE_USER, &block, 1};
    const struct takc_model_request r = {.messages = &message, .n_messages = 1, .max_tokens = TINY_TOKENS};
    struct takc_model_reply reply;
    struct takc_caller_sum sum;
    struct takc_err why = {0};
    char cost[32];
    takc_model_reply_init(&reply);
    enum takc_status st = takc_models_complete(m, &d->cli->call, takc_str(""), takc_str("check"), &r, NULL, NULL, &reply, &sum, &why);
    takc_money_text(sum.picodollars, cost);
    if (st)
        st = takc_doctor_wrong(d, "model", why.msg, err);
    else
        st = takc_doctor_say(d, "online", true, TAKC_HEALTH_OK, err, "%s answered: %llu tokens in, %llu out, %s%s (%llu ms)", reply.model,
                             (unsigned long long)sum.usage.input, (unsigned long long)sum.usage.output, sum.priced ? "" : "at least ", cost,
                             (unsigned long long)reply.ms);
    if (!st)
        st = say_lines(d, d->checks ? "online" : "  note", takc_buf_str(&reply.notes), TAKC_HEALTH_NOTE, err);
    takc_model_reply_clear(&reply);
    return st;
}

static enum takc_status look_at(struct takc_doctor *d, struct takc_home *home, const struct takc_model_settings *s, const char *origin,
                                struct takc_err *err)
{
    struct takc_models *m = NULL;
    struct takc_buf text;
    struct takc_err why = {0};
    takc_buf_init(&text, TAKC_BUF_MAX_REPLY);
    enum takc_status st = takc_models_open(&m, home, d->cli->settings.task, s, NULL, &why), told = st;
    if (!st)
        told = takc_models_describe(m, &d->cli->call, &text, &why);
    st = say_lines(d, "model", takc_buf_str(&text), TAKC_HEALTH_OK, err);
    if (!st && text.len)
        st = takc_doctor_say(d, "model", false, TAKC_HEALTH_OK, err, "named by %s", origin);
    if (!st && told)
        st = takc_doctor_wrong(d, "model", why.msg, err);
    if (!st && !told && takc_cli_flag(d->cli, "online"))
        st = ask_tiny(d, m, err);
    takc_models_close(m);
    takc_buf_clear(&text);
    return st;
}

enum takc_status takc_doctor_model(struct takc_doctor *d, struct takc_home *home, struct takc_err *err)
{
    struct takc_arena a;
    struct takc_profile p = {0};
    struct takc_model_settings s;
    takc_arena_init(&a);
    enum takc_status st = TAKC_OK;
    struct takc_err why = {0};
    struct takc_str task = d->cli->settings.task;
    enum takc_status has = task.len ? takc_home_profile(home, task, &p, &why) : TAKC_NOT_FOUND;
    if (has && has != TAKC_NOT_FOUND)
        st = takc_doctor_wrong(d, "model", why.msg, err);
    if (!st)
        st = takc_cli_models(d->cli, has ? NULL : &p, &a, &s, err);
    if (!st && s.model.len)
        st = look_at(d, home, &s, takc_cli_model_origin(d->cli, has ? NULL : &p), err);
    else if (!st)
        st = takc_doctor_say(d, "model", true, TAKC_HEALTH_OK, err,
                             "none is set (model.name, --model, a task's profile): takc works by extraction");
    takc_profile_clear(&p);
    takc_arena_clear(&a);
    return st;
}
