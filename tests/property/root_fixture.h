/* SPDX-License-Identifier: Apache-2.0
 *
 * root_fixture.h - a folder of its own for the tests of one program, to make homes in, and files in it by name. */
#ifndef TAKC_TEST_ROOT_FIXTURE_H
#define TAKC_TEST_ROOT_FIXTURE_H

#include "base/file.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "home_fixture.h"

static char root[64];

/* cmocka's setup: makes a new folder and names it in root. */
static int make_root(void **state)
{
    (void)state;
    (void)snprintf(root, sizeof(root), "/tmp/takc-home-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

/* cmocka's teardown: the folder goes with all that is in it. */
static int remove_root(void **state)
{
    (void)state;
    fixture_remove(root);
    return 0;
}

/* Writes root/name, folders included; what was there is replaced. */
static void write_text(const char *name, const char *text)
{
    char file[PATH_MAX];
    (void)snprintf(file, sizeof(file), "%s/%s", root, name);
    assert_int_equal(takc_dir_make_for(file, NULL), TAKC_OK);
    assert_int_equal(takc_file_write(file, takc_str(text), NULL), TAKC_OK);
}

/* Is there anything at root/name? */
static bool there(const char *name)
{
    char file[PATH_MAX];
    struct stat info;
    (void)snprintf(file, sizeof(file), "%s/%s", root, name);
    return stat(file, &info) == 0;
}

#endif
