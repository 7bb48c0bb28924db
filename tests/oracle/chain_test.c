/* SPDX-License-Identifier: Apache-2.0
 *
 * The environments of tests/fake/aws_table.h, asked of botocore: where takc finds keys botocore finds the same, where takc fails it finds
 * none. */
#include "../fake/aws_table.h"
#include "base/alloc.h"
#include "oracle.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "../fake/server.h"

static struct fake_server fake;
static char server[64], home[96];

static json_t *expanded(const char *text)
{
    struct takc_buf b;
    if (!text)
        return json_null();
    takc_buf_init(&b, 1 << 16);
    aws_expand(&b, text, server, home);
    json_t *j = takc_json_str(takc_buf_str(&b));
    takc_buf_clear(&b);
    return j;
}

static void write_case(const struct aws_case *c, struct takc_buf *lines)
{
    json_t *variables = json_array();
    json_array_append_new(variables, expanded("HOME=$H"));
    for (const char *const *v = c->variables; *v; v++)
        json_array_append_new(variables, expanded(*v));
    json_t *j = json_pack("{ss so so so so}", "home", home, "variables", variables, "config", expanded(c->config), "credentials",
                          expanded(c->credentials), "profile", expanded(c->profile));
    assert_int_equal(takc_json_dump(j, false, lines, NULL), TAKC_OK);
    assert_int_equal(takc_buf_byte(lines, '\n', NULL), TAKC_OK);
    json_decref(j);
}

static size_t compare(const struct aws_case *c, struct takc_str line)
{
    json_t *j;
    assert_int_equal(takc_json_parse(line, &j, NULL), TAKC_OK);
    struct takc_str access = takc_json_get_str(j, "access");
    bool same = c->status == TAKC_OK ? takc_str_is(access, c->want) : access.len == 0;
    if (!same)
        print_message("%s: botocore %.*s, takc %s\n", c->name, TAKC_STR_ARG(line), c->status ? takc_status_name(c->status) : c->want);
    json_decref(j);
    return !same;
}

static void botocore_finds_the_same_keys(void **state)
{
    (void)state;
    struct takc_buf lines, answers;
    const char *python = oracle_python("aws");
    takc_buf_init(&lines, 1 << 20);
    takc_buf_init(&answers, 1 << 20);
    aws_write_home(home);
    for (size_t i = 0; i < AWS_CASES; i++)
        if (!aws_cases[i].not_botocore)
            write_case(&aws_cases[i], &lines);
    assert_int_equal(oracle_ask(python, "chain.py", "", takc_buf_str(&lines), &answers), 0);
    struct takc_str rest = takc_buf_str(&answers), line;
    size_t n = 0, different = 0;
    for (size_t i = 0; i < AWS_CASES; i++) {
        if (aws_cases[i].not_botocore)
            continue;
        assert_true(takc_str_split(&rest, '\n', &line) && line.len);
        different += compare(&aws_cases[i], line);
        n++;
    }
    assert_int_equal(different, 0);
    print_message("%zu of %d environments, the same keys\n", n, AWS_CASES);
    takc_buf_clear(&lines);
    takc_buf_clear(&answers);
}

static int start(void **state)
{
    (void)state;
    if (!fake_server_start(&fake, "aws.py", 1))
        return -1;
    (void)snprintf(server, sizeof(server), "http://127.0.0.1:%u", fake.ports[0]);
    (void)snprintf(home, sizeof(home), "%s/home", fake.folder);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fake_server_stop(&fake);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(botocore_finds_the_same_keys)};
    (void)oracle_python("aws"); /* skips before anything is started */
    return cmocka_run_group_tests(tests, start, stop);
}
