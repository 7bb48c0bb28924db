/* SPDX-License-Identifier: Apache-2.0
 *
 * process.c - keys that a program of the user's choice writes (credential_process): run without a shell, its words split as a shell would,
 * with takc's own environment. Its output is a secret; of what it says on standard error the first line is told. */
#include "aws/chain.h"
#include "base/child.h"

#include <stdio.h>

enum { WORDS_MAX = 60, OUTPUT_MAX = 64 << 10, ERROR_MAX = 4 << 10, TIMEOUT_MS = 60000 };

/* Takes one word off *s (which does not begin with a blank) and writes it to out: quotes and backslashes as POSIX shells have them. */
static bool next_word(struct takc_str *s, char *out, size_t *out_len)
{
    size_t i = 0, n = 0;
    char quote = '\0';
    for (; i < s->len; i++) {
        char c = s->ptr[i];
        if (quote == '\0' && (c == ' ' || c == '\t' || c == '\n' || c == '\r'))
            break;
        if (quote == '\0' && (c == '\'' || c == '"')) {
            quote = c;
        } else if (quote && c == quote) {
            quote = '\0';
        } else if (c == '\\' && quote != '\'') {
            if (++i == s->len)
                return false;
            if (quote == '"' && s->ptr[i] != '"' && s->ptr[i] != '\\')
                out[n++] = '\\';
            out[n++] = s->ptr[i];
        } else {
            out[n++] = c;
        }
    }
    *s = takc_str_slice(*s, i, s->len);
    *out_len = n;
    return quote == '\0';
}

/* The command as a NULL-terminated list in the walk's memory. */
static enum takc_status split_words(struct takc_aws_walk *w, struct takc_str command, const char **argv, struct takc_err *err)
{
    size_t n = 0;
    for (struct takc_str rest = takc_str_trim(command); rest.len; rest = takc_str_trim(rest)) {
        size_t len = 0;
        char *word = takc_arena_alloc(&w->arena, rest.len + 1);
        if (!word)
            return takc_fail(err, TAKC_NOMEM, 0, "no memory for a command");
        if (n == WORDS_MAX)
            return takc_fail(err, TAKC_INVALID, 0, "more than %d words", WORDS_MAX);
        if (!next_word(&rest, word, &len))
            return takc_fail(err, TAKC_INVALID, 0, "a quote or backslash at its end is left open");
        word[len] = '\0';
        argv[n++] = word;
    }
    argv[n] = NULL;
    return n ? TAKC_OK : takc_fail(err, TAKC_INVALID, 0, "the command is empty");
}

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
    const char *argv[WORDS_MAX + 1];
    struct takc_child_result result;
    enum takc_status st = split_words(w, command, argv, err);
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
