/* SPDX-License-Identifier: Apache-2.0
 *
 * main.c - the process around the program. */
#include "cli/cli.h"

extern char **environ;

int main(int argc, char **argv)
{
    return takc_cli_main(argc, argv, (const char *const *)environ);
}
