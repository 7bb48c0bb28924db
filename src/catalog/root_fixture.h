/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests: a folder of its own to make homes in, and files in it by name. One group of tests at a time. */
#ifndef TAKC_CATALOG_ROOT_FIXTURE_H
#define TAKC_CATALOG_ROOT_FIXTURE_H

#include "base/file.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

static char root[64];

static int make_root(void **state)
{
    (void)state;
    (void)snprintf(root, sizeof(root), "/tmp/takc-home-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
    (void)state;
    char command[128];
    (void)snprintf(command, sizeof(command), "rm -rf %s", root);
    return system(command); /* NOLINT(cert-env33-c): a fixed command of the test */
}

static void write_text(const char *name, const char *text)
{
    char file[PATH_MAX];
    (void)snprintf(file, sizeof(file), "%s/%s", root, name);
    assert_int_equal(takc_dir_make_for(file, NULL), TAKC_OK);
    assert_int_equal(takc_file_write(file, takc_str(text), NULL), TAKC_OK);
}

static bool there(const char *name)
{
    char file[PATH_MAX];
    struct stat info;
    (void)snprintf(file, sizeof(file), "%s/%s", root, name);
    return stat(file, &info) == 0;
}

#endif
