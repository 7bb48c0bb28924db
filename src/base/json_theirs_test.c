/* SPDX-License-Identifier: Apache-2.0
 *
 * A program that gave jansson allocation functions of its own before takc was loaded: they stay. */
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static size_t n_allocated;

static void *theirs(size_t n)
{
    n_allocated++;
    return malloc(n);
}

static void theirs_free(void *p)
{
    free(p);
}

/* Before those without a number. */
__attribute__((constructor(101))) static void set_theirs(void)
{
    json_set_alloc_funcs(theirs, theirs_free);
}

static void others_keep_their_allocator(void **state)
{
    (void)state;
    json_malloc_t allocate;
    json_free_t release;
    json_t *v = NULL;
    struct takc_err err;
    json_get_alloc_funcs(&allocate, &release);
    assert_true(allocate == theirs && release == theirs_free);
    n_allocated = 0;
    assert_int_equal(takc_json_parse(takc_str("[1]"), &v, &err), TAKC_OK);
    assert_true(n_allocated > 0);
    json_decref(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(others_keep_their_allocator)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
