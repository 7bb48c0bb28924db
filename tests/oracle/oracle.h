/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs to compare with (scripts/oracles.sh): finds their python, runs a script of this folder over a file of lines, reads its lines. */
#ifndef TAKC_TESTS_ORACLE_H
#define TAKC_TESTS_ORACLE_H

#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs a command and appends its output; returns its exit code. */
static inline int oracle_run(const char *command, struct takc_buf *out)
{
    char piece[4096];
    FILE *f = popen(command, "r");
    if (!f)
        return -1;
    for (size_t n; (n = fread(piece, 1, sizeof(piece), f)) > 0;)
        if (takc_buf_add(out, takc_str_n(piece, n), NULL))
            break;
    int status = pclose(f);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The python of a set; ends the program as skipped (77) where the set cannot be had. */
static inline const char *oracle_python(const char *set)
{
    static char path[1024];
    char command[1200];
    struct takc_buf out;
    takc_buf_init(&out, sizeof(path) - 1);
    (void)snprintf(command, sizeof(command), "sh '%s/../../scripts/oracles.sh' python %s", TAKC_TEST_DATA, set);
    int code = oracle_run(command, &out);
    if (code == 77) {
        printf("SKIPPED: no %s oracle to compare with\n", set);
        exit(77);
    }
    if (code || !out.len) {
        printf("oracles.sh failed: exit code %d\n", code);
        exit(1);
    }
    struct takc_str line = takc_str_trim(takc_buf_str(&out));
    (void)snprintf(path, sizeof(path), "%.*s", TAKC_STR_ARG(line));
    takc_buf_clear(&out);
    return path;
}

/* Feeds input to SCRIPT ARGS of this folder, through a file, and appends what it writes. Returns its exit code. */
static inline int oracle_ask(const char *python, const char *script, const char *args, struct takc_str input, struct takc_buf *out)
{
    char path[] = "/tmp/takc-oracle-XXXXXX", command[4096];
    int fd = mkstemp(path);
    if (fd < 0)
        return -1;
    (void)close(fd);
    int code = -1;
    (void)snprintf(command, sizeof(command), "'%s' '%s/../oracle/%s' %s <'%s'", python, TAKC_TEST_DATA, script, args, path);
    if (!takc_file_write(path, input, NULL))
        code = oracle_run(command, out);
    (void)unlink(path);
    return code;
}

#endif
