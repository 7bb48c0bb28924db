/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_measure FILE COMMAND ARGUMENT... - runs a command and writes "seconds of user, of system, waited; peak KB" to FILE; ends as it
 * ended.
 *
 * A small program of its own because Linux counts the memory of whoever started a process (a Python of 40 MB) as the process's peak. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(const struct timeval *t)
{
    return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

int main(int argc, char **argv)
{
    struct timespec from, to;
    struct rusage r;
    int status;
    if (argc < 3) {
        (void)fputs("usage: bench_measure FILE COMMAND ARGUMENT...\n", stderr);
        return 2;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &from);
    pid_t child = fork();
    if (child == 0) {
        (void)execvp(argv[2], argv + 2);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &r) != child)
        return 1;
    (void)clock_gettime(CLOCK_MONOTONIC, &to);
    FILE *f = fopen(argv[1], "w");
    if (!f ||
        fprintf(f, "%.6f %.6f %.6f %ld\n", seconds(&r.ru_utime), seconds(&r.ru_stime),
                (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9, r.ru_maxrss) < 0 ||
        fclose(f))
        return 1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
