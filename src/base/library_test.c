/* SPDX-License-Identifier: Apache-2.0 */
#include "base/library.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void functions_are_found(void **state)
{
    (void)state;
    double (*root)(double) = NULL;
    const struct takc_symbol symbols[] = {{"sqrt", &root}};
    struct takc_err err = {0};
    assert_int_equal(takc_library_load("libm.so.6", symbols, 1, "", &err), TAKC_OK);
    assert_true(root(49) == 7);
}

static void what_lacks_is_named(void **state)
{
    (void)state;
    double (*root)(double) = NULL, (*none)(double) = NULL;
    const struct takc_symbol symbols[] = {{"sqrt", &root}, {"no_such_function", &none}};
    struct takc_err err = {0};
    assert_int_equal(takc_library_load("libm.so.6", symbols, 2, "", &err), TAKC_UNSUPPORTED);
    assert_non_null(strstr(err.msg, "no_such_function"));
    assert_int_equal(takc_library_load("libnosuch.so.7", symbols, 1, " (make it)", &err), TAKC_UNSUPPORTED);
    assert_non_null(strstr(err.msg, "libnosuch cannot be loaded: "));
    assert_non_null(strstr(err.msg, " (make it)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_are_found),
        cmocka_unit_test(what_lacks_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
