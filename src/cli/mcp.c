/* SPDX-License-Identifier: Apache-2.0
 *
 * mcp.c - takc mcp: the Model Context Protocol on standard input and output, one message a line, for an agent that starts takc itself. */
#include "mcp/tasks.h"

#include "cli/home_open.h"
#include "cli/model_flags.h"

#include <errno.h>
#include <stdio.h>

enum { LINE_MAX_BYTES = 16 << 20 };

struct desk {
    struct takc_cli *cli;
    struct takc_mcp_tasks tasks;
    struct takc_mcp mcp;
    enum takc_mcp_version version; /* agreed on */
};

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

static enum takc_status hear(struct desk *d, struct takc_str line, struct takc_err *err)
{
    json_t *reply = NULL;
    if (!takc_str_trim(line).len)
        return TAKC_OK;
    if (takc_mcp_answer_text(&d->mcp, &d->version, &d->cli->call, line, &reply))
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a message");
    return reply ? say(d->cli, reply, err) : TAKC_OK;
}

/* The next line; false: there is none. A longer one than fits ends the talk: INVALID. */
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

/* Until the input ends or somebody says stop. */
static enum takc_status listen_to(struct desk *d, struct takc_err *err)
{
    struct takc_buf line;
    bool more = true;
    takc_buf_init(&line, LINE_MAX_BYTES);
    enum takc_status st = TAKC_OK;
    while (!st && more && !atomic_load(&d->cli->call.cancel)) {
        st = read_line(&line, &more, err);
        if (!st && more && !atomic_load(&d->cli->call.cancel)) /* what Ctrl-C cut is no message */
            st = hear(d, takc_buf_str(&line), err);
    }
    takc_buf_clear(&line);
    return st;
}

enum takc_status takc_verb_mcp(struct takc_cli *cli, struct takc_err *err)
{
    static const struct takc_identity self = {.may = TAKC_MAY_ALL};
    const struct takc_settings *s = &cli->settings;
    struct takc_model_settings model = {0};
    struct desk d = {.cli = cli,
                     .tasks = {.who = &self,
                               .model = &model,
                               .model_wins = takc_cli_flag(cli, "model"),
                               .defaults = {.reader_tokens = s->query_reader_tokens,
                                            .artifact_tokens = s->query_artifact_tokens,
                                            .abstain_below = s->query_abstain_below,
                                            .answer_cache = s->query_answer_cache,
                                            .questions_a_window = (unsigned)s->query_questions_per_window}},
                     .version = TAKC_MCP_2025_11_25};
    d.mcp = (struct takc_mcp){&takc_mcp_tasks_table, &d.tasks};
    cli->quiet = true; /* progress is for people */
    enum takc_status st = takc_cli_open_or_make(cli, &d.tasks.home, err);
    if (!st)
        st = takc_cli_models(cli, NULL, &cli->settings.arena, &model, err);
    if (!st)
        st = listen_to(&d, err);
    takc_home_close(d.tasks.home);
    return st;
}
