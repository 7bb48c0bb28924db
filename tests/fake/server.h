/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/fake/server.h - starts one of the scripts beside it for a test: SCRIPT FOLDER prints a line of ports and serves until it is killed.
 */
#ifndef TAKC_TESTS_FAKE_SERVER_H
#define TAKC_TESTS_FAKE_SERVER_H

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct fake_server {
    pid_t pid;
    char folder[64]; /* made; what the script left in it stays until fake_server_stop */
    unsigned ports[8];
};

/* False, with a line on stderr, when it did not start. The server ends with this process, whatever ends it. */
static bool fake_server_start(struct fake_server *s, const char *script, int n_ports)
{
    char path[512], line[128] = "";
    int out[2], used = 0;
    (void)snprintf(path, sizeof(path), "%s/../fake/%s", TAKC_TEST_DATA, script);
    (void)snprintf(s->folder, sizeof(s->folder), "/tmp/takc-fake-XXXXXX");
    if (!mkdtemp(s->folder) || pipe(out) || (s->pid = fork()) < 0)
        return false;
    if (s->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)dup2(out[1], 1);
        (void)close(out[0]);
        (void)execlp("python3", "python3", path, s->folder, (char *)NULL);
        _exit(127);
    }
    (void)close(out[1]);
    FILE *in = fdopen(out[0], "r");
    bool good = in && fgets(line, sizeof(line), in);
    for (int i = 0, at = 0; good && i < n_ports; i++, at += used)
        good = sscanf(line + at, "%u%n", &s->ports[i], &used) == 1;
    if (in)
        (void)fclose(in);
    if (!good)
        (void)fprintf(stderr, "%s did not start: it needs python3 and openssl\n", script);
    return good;
}

static void fake_server_stop(struct fake_server *s)
{
    char command[96];
    if (s->pid > 0) {
        (void)kill(s->pid, SIGKILL);
        (void)waitpid(s->pid, NULL, 0);
    }
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", s->folder);
    if (s->folder[0] && system(command))
        (void)fprintf(stderr, "%s stays\n", s->folder);
}

#endif
