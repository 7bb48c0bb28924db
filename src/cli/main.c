/* SPDX-License-Identifier: Apache-2.0
 *
 * main.c - the process around the program. */
#include "cli/cli.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

extern char **environ;

/* A caller may have closed stdin, stdout or stderr; the next file opened would take that number, and what is printed would be written into
 * the home. The place is taken here, the wrong way round: using it still fails. */
static void hold_standard_files(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_RDONLY : O_WRONLY) != fd)
            _exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
    hold_standard_files();
    return takc_cli_main(argc, argv, (const char *const *)environ);
}
