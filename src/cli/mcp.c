/* SPDX-License-Identifier: Apache-2.0
 *
 * mcp.c - takc mcp: the Model Context Protocol on standard input and output, one message a line, for an agent that starts takc itself.
 *
 * The main thread reads, another answers, one message after the other: so that a client can cancel what is being answered. Only that other
 * one writes while it lives. */
#include "mcp/tasks.h"

#include "base/thread.h"
#include "cli/home_open.h"
#include "cli/model_flags.h"

#include <errno.h>
#include <stdio.h>

enum { LINE_MAX_BYTES = 16 << 20, LINES_MAX = 64 };

struct desk {
    struct takc_cli *cli;
    struct takc_mcp_tasks tasks;
    struct takc_mcp mcp;
    struct takc_model_settings model;
    enum takc_mcp_version version; /* agreed on */
    struct takc_call call;         /* of the message that is being answered */
    struct {
        struct takc_mutex mu;
        struct takc_cond changed;
        struct takc_buf lines[LINES_MAX]; /* a ring of what was read and not yet answered */
        size_t first, n;
        bool ended;          /* nothing more will be read */
        const json_t *asked; /* the id of what is being answered; borrowed from the answering thread */
        bool cancelled;      /* its client wants no answer */
        enum takc_status st; /* why nothing more can be said */
        struct takc_err err;
    } locked;
};

/* ---- answering: a thread ---- */

/* The model of --model, else the task's, else the settings'. */
static enum takc_status answer_question(void *arg, struct takc_call *call, const struct takc_query_options *asked,
                                        struct takc_query_result *out, struct takc_err *err)
{
    const struct desk *d = arg;
    struct takc_profile profile = {0};
    struct takc_model_settings model = d->model;
    struct takc_query_options o = *asked;
    enum takc_status st = takc_home_profile(d->tasks.home, o.task, &profile, err);
    if (profile.model.len && !takc_cli_flag(d->cli, "model"))
        model.model = profile.model;
    if (takc_str_is(model.model, "none"))
        model.model = takc_str("");
    o.model = &model;
    if (!st)
        st = takc_query(d->tasks.home, call, &o, out, err);
    takc_profile_clear(&profile);
    return st;
}

/* What goes out is one line: a dump holds no line break. Takes reply. */
static enum takc_status say(struct takc_cli *cli, json_t *reply, struct takc_err *err)
{
    struct takc_buf line;
    takc_buf_init(&line, TAKC_BUF_MAX_REPLY);
    enum takc_status st = takc_json_dump(reply, false, &line, err);
    if (!st)
        st = takc_buf_byte(&line, '\n', err);
    if (!st)
        st = takc_cli_write(cli, takc_buf_str(&line), err);
    if (!st)
        st = takc_cli_flush(cli, err);
    takc_buf_clear(&line);
    json_decref(reply);
    return st;
}

/* How far it is, before the reply. Where it cannot be said neither can that, which tells. */
static void notify(void *arg, json_t *message)
{
    struct desk *d = arg;
    if (message && !takc_call_check(&d->call, NULL)) /* what was cancelled is not talked of any more */
        (void)!say(d->cli, message, NULL);
    else
        json_decref(message);
}

static void begin(struct desk *d, const json_t *message)
{
    takc_mutex_lock(&d->locked.mu);
    takc_call_init(&d->call);
    atomic_store(&d->call.cancel, atomic_load(&d->cli->call.cancel));
    d->locked.asked = json_object_get(message, "id");
    d->locked.cancelled = false;
    takc_mutex_unlock(&d->locked.mu);
}

/* false: its client wants no answer. */
static bool end(struct desk *d)
{
    takc_mutex_lock(&d->locked.mu);
    bool wanted = !d->locked.cancelled;
    d->locked.asked = NULL;
    takc_mutex_unlock(&d->locked.mu);
    return wanted;
}

static enum takc_status answer(struct desk *d, struct takc_str line, struct takc_err *err)
{
    json_t *message = NULL, *reply = NULL;
    if (!takc_str_trim(line).len)
        return TAKC_OK;
    if (takc_json_parse(line, &message, NULL)) { /* it says itself what is wrong with it */
        enum takc_status bad = takc_mcp_answer_text(&d->mcp, &d->version, &d->call, line, &reply);
        return bad ? bad : say(d->cli, reply, err);
    }
    begin(d, message);
    enum takc_status st = takc_mcp_answer(&d->mcp, &d->version, &d->call, message, &reply);
    bool wanted = end(d);
    json_decref(message);
    if (st)
        return takc_fail(err, st, 0, "no memory for a message");
    if (reply && wanted)
        return say(d->cli, reply, err);
    json_decref(reply);
    return TAKC_OK;
}

/* The next line, moved to out; false: there is none, and none will come. */
static bool next_line(struct desk *d, struct takc_buf *out)
{
    takc_mutex_lock(&d->locked.mu);
    while (!d->locked.n && !d->locked.ended)
        takc_cond_wait(&d->locked.changed, &d->locked.mu);
    bool there = d->locked.n > 0;
    if (there) {
        struct takc_buf *line = &d->locked.lines[d->locked.first];
        *out = *line;
        takc_buf_init(line, LINE_MAX_BYTES);
        d->locked.first = (d->locked.first + 1) % LINES_MAX;
        d->locked.n--;
        takc_cond_broadcast(&d->locked.changed);
    }
    takc_mutex_unlock(&d->locked.mu);
    return there;
}

static void *answer_all(void *arg)
{
    struct desk *d = arg;
    struct takc_buf line;
    struct takc_err err = {0};
    enum takc_status st = TAKC_OK;
    while (!st && next_line(d, &line)) {
        st = answer(d, takc_buf_str(&line), &err);
        takc_buf_clear(&line);
    }
    takc_mutex_lock(&d->locked.mu);
    d->locked.st = st;
    d->locked.err = err;
    takc_cond_broadcast(&d->locked.changed);
    takc_mutex_unlock(&d->locked.mu);
    return NULL;
}

/* ---- reading: main ---- */

/* The next line; *out_more false: there is none. A longer one than fits ends the talk: INVALID. */
static enum takc_status read_line(struct takc_buf *line, bool *out_more, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    int c = 0;
    takc_buf_reset(line);
    while (!st && (c = getc_unlocked(stdin)) != EOF && c != '\n')
        st = takc_buf_byte(line, (char)c, err);
    *out_more = c != EOF || line->len;
    if (!st && ferror(stdin) && errno != EINTR)
        st = takc_fail(err, TAKC_IO, errno, "%s", strerror(errno));
    return st ? takc_err_prefix(err, st, "standard input") : TAKC_OK;
}

/* "notifications/cancelled" of what is being answered: its work stops, and nothing is said to it. What is not being answered is left as it
 * is: it is answered already, or soon will be. */
static void heed_cancel(struct desk *d, struct takc_str line)
{
    json_t *message = NULL;
    if (takc_str_find(line, takc_str("notifications/cancelled"), 0) == SIZE_MAX || takc_json_parse(line, &message, NULL))
        return;
    const json_t *id = takc_mcp_cancelled_id(message);
    takc_mutex_lock(&d->locked.mu);
    if (id && d->locked.asked && json_equal(id, d->locked.asked)) {
        d->locked.cancelled = true;
        atomic_store(&d->call.cancel, true);
    }
    takc_mutex_unlock(&d->locked.mu);
    json_decref(message);
}

/* Hands a line over and leaves an empty one; false: nobody answers any more. Waits while many wait. */
static bool hand_over(struct desk *d, struct takc_buf *line)
{
    takc_mutex_lock(&d->locked.mu);
    while (d->locked.n == LINES_MAX && !d->locked.st && !atomic_load(&d->cli->call.cancel))
        takc_cond_wait_ms(&d->locked.changed, &d->locked.mu, 100); /* a signal wakes nobody */
    bool good = !d->locked.st && d->locked.n < LINES_MAX;
    if (good) {
        struct takc_buf *to = &d->locked.lines[(d->locked.first + d->locked.n++) % LINES_MAX], empty = *to;
        *to = *line;
        *line = empty;
        takc_cond_broadcast(&d->locked.changed);
    }
    takc_mutex_unlock(&d->locked.mu);
    return good;
}

/* Until the input ends or somebody says stop. */
static enum takc_status read_all(struct desk *d, struct takc_err *err)
{
    struct takc_buf line;
    bool more = true;
    enum takc_status st = TAKC_OK;
    takc_buf_init(&line, LINE_MAX_BYTES);
    while (more && !st) {
        st = read_line(&line, &more, err);
        more = more && !atomic_load(&d->cli->call.cancel); /* what Ctrl-C cut is no message */
        if (more && !st) {
            heed_cancel(d, takc_buf_str(&line));
            more = hand_over(d, &line);
        }
    }
    takc_buf_clear(&line);
    return st;
}

static void say_ended(struct desk *d)
{
    takc_mutex_lock(&d->locked.mu);
    d->locked.ended = true;
    if (atomic_load(&d->cli->call.cancel)) { /* what waits is not begun, what is under way stops */
        while (d->locked.n)
            takc_buf_clear(&d->locked.lines[(d->locked.first + --d->locked.n) % LINES_MAX]);
        atomic_store(&d->call.cancel, true);
    }
    takc_cond_broadcast(&d->locked.changed);
    takc_mutex_unlock(&d->locked.mu);
}

static enum takc_status talk(struct desk *d, struct takc_err *err)
{
    pthread_t thread;
    enum takc_status st = takc_thread_start(&thread, "mcp", answer_all, d, err);
    if (st)
        return st;
    st = read_all(d, err);
    say_ended(d);
    (void)pthread_join(thread, NULL);
    if (!st && d->locked.st) {
        if (err)
            *err = d->locked.err;
        st = d->locked.st;
    }
    return st;
}

static enum takc_status open_desk(struct desk *d, struct takc_err *err)
{
    for (size_t i = 0; i < LINES_MAX; i++)
        takc_buf_init(&d->locked.lines[i], LINE_MAX_BYTES);
    enum takc_status st = takc_mutex_init(&d->locked.mu, err);
    if (!st)
        st = takc_cond_init(&d->locked.changed, err);
    if (!st)
        st = takc_cli_open(d->cli, &d->tasks.home, err);
    return st ? st : takc_cli_models(d->cli, NULL, &d->cli->settings.arena, &d->model, err);
}

enum takc_status takc_verb_mcp(struct takc_cli *cli, struct takc_err *err)
{
    static const struct takc_identity self = {.may = TAKC_MAY_ALL};
    const struct takc_settings *s = &cli->settings;
    struct desk d = {.cli = cli,
                     .tasks = {.who = &self,
                               .answer = answer_question,
                               .defaults = {.reader_tokens = s->query_reader_tokens,
                                            .artifact_tokens = s->query_artifact_tokens,
                                            .abstain_below = s->query_abstain_below,
                                            .answer_cache = s->query_answer_cache,
                                            .questions_a_window = (unsigned)s->query_questions_per_window}},
                     .version = TAKC_MCP_2025_11_25};
    d.mcp = (struct takc_mcp){.table = &takc_mcp_tasks_table, .arg = &d.tasks, .notify = notify, .notify_arg = &d};
    d.tasks.arg = &d;
    takc_call_init(&d.call);
    cli->quiet = true; /* progress is for people */
    enum takc_status st = open_desk(&d, err);
    if (!st)
        st = talk(&d, err);
    for (size_t i = 0; i < LINES_MAX; i++)
        takc_buf_clear(&d.locked.lines[i]);
    takc_home_close(d.tasks.home);
    takc_cond_clear(&d.locked.changed);
    takc_mutex_clear(&d.locked.mu);
    return st;
}
