/* SPDX-License-Identifier: Apache-2.0
 *
 * process.c - keys that a program of the user's choice writes (credential_process): run without a shell (base/command.h), with takc's own
 * environment. Its output is a secret; of what it says on standard error the first line is told. */
#include "aws/chain.h"
#include "base/child.h"
#include "base/command.h"

#include <stdio.h>

enum { OUTPUT_MAX = 64 << 10, ERROR_MAX = 4 << 10, TIMEOUT_MS = 60000 };

static enum takc_status read_output(struct takc_str text, struct takc_aws_identity *out, struct takc_err *err)
{
    static const struct takc_aws_members members = {
        .access = "AccessKeyId", .secret = "SecretAccessKey", .token = "SessionToken", .expiration = "Expiration"};
    json_t *j = NULL;
    uint64_t version = 0;
    if (takc_json_parse(text, &j, NULL) || !json_is_object(j)) { /* the parser's message might quote a secret */
        takc_aws_json_drop(j);
        return takc_fail(err, TAKC_UPSTREAM, 0, "its output is no JSON object");
    }
    enum takc_status st = takc_json_get_u64(j, "Version", &version, NULL) || version != 1
                              ? takc_fail(err, TAKC_UPSTREAM, 0, "its output is not of Version 1")
                              : takc_aws_members_read(j, &members, out, err);
    takc_aws_json_drop(j);
    return st;
}

static enum takc_status run(struct takc_aws_walk *w, struct takc_str command, struct takc_buf *output, struct takc_buf *text,
                            struct takc_err *err)
{
    const char *argv[TAKC_COMMAND_WORDS + 1];
    struct takc_child_result result;
    enum takc_status st = takc_command_split(&w->arena, command, argv, err);
    if (st)
        return st;
    struct takc_child_options o = {.argv = argv, .timeout_ms = TIMEOUT_MS, .confine = TAKC_CHILD_OPEN, .environment = w->a->o.environment};
    st = takc_child_run(&o, w->call, output, text, &result, err);
    if (st || (result.exit_code == 0 && !result.signal))
        return st == TAKC_REFUSED ? takc_fail(err, TAKC_UPSTREAM, 0, "more than %d bytes of output", OUTPUT_MAX) : st;
    struct takc_str said = takc_buf_str(text), line = {"", 0};
    (void)takc_str_split(&said, '\n', &line);
    return takc_fail(err, TAKC_DENIED, result.exit_code, "exit code %d%s%.*s", result.exit_code, line.len ? ": " : "",
                     line.len > 200 ? 200 : (int)line.len, line.ptr);
}

enum takc_status takc_aws_from_process(struct takc_aws_walk *w, const char *profile, struct takc_aws_identity *out, bool *found,
                                       struct takc_err *err)
{
    struct takc_buf output, text;
    const char *command = takc_aws_profile_get(w, profile, "credential_process");
    *found = command != NULL;
    if (!command)
        return TAKC_OK;
    takc_buf_init_secret(&output, OUTPUT_MAX);
    takc_buf_init_secret(&text, ERROR_MAX);
    enum takc_status st = run(w, takc_str(command), &output, &text, err);
    st = st ? st : read_output(takc_buf_str(&output), out, err);
    takc_buf_clear(&output);
    takc_buf_clear(&text);
    if (st)
        return takc_err_prefix(err, st, "profile %s: credential_process", profile);
    (void)snprintf(out->source, sizeof(out->source), "profile %s: credential_process", profile);
    return TAKC_OK;
}
