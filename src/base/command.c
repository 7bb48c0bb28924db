/* SPDX-License-Identifier: Apache-2.0
 *
 * command.c - words of a command line. */
#include "base/command.h"

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

enum takc_status takc_command_split(struct takc_arena *a, struct takc_str command, const char *argv[TAKC_COMMAND_WORDS + 1],
                                    struct takc_err *err)
{
    size_t n = 0;
    for (struct takc_str rest = takc_str_trim(command); rest.len; rest = takc_str_trim(rest)) {
        size_t len = 0;
        char *word = takc_arena_alloc(a, rest.len + 1);
        if (!word)
            return takc_fail(err, TAKC_NOMEM, 0, "no memory for a command");
        if (n == TAKC_COMMAND_WORDS)
            return takc_fail(err, TAKC_INVALID, 0, "more than %d words", TAKC_COMMAND_WORDS);
        if (!next_word(&rest, word, &len))
            return takc_fail(err, TAKC_INVALID, 0, "a quote or backslash at its end is left open");
        word[len] = '\0';
        argv[n++] = word;
    }
    argv[n] = NULL;
    return n ? TAKC_OK : takc_fail(err, TAKC_INVALID, 0, "the command is empty");
}
