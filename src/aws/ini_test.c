/* SPDX-License-Identifier: Apache-2.0
 *
 * The configuration files: what is found in them, and which line is wrong. (tests/oracle/chain_test.c reads the same files with botocore.)
 */
#include "aws/ini.h"
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct parsed {
    struct takc_arena arena;
    struct takc_ini ini;
    enum takc_status st;
    struct takc_err err;
};

static struct parsed parse(const char *text, bool is_config)
{
    struct parsed p = {0};
    takc_arena_init(&p.arena);
    p.arena.secret = true;
    p.st = takc_ini_parse(&p.ini, takc_str(text), is_config, &p.arena, &p.err);
    return p;
}

static void assert_value(const struct parsed *p, const char *section, const char *key, const char *want)
{
    struct takc_str got = takc_str("(none)");
    (void)takc_ini_get(&p->ini, takc_str(section), key, &got);
    if (!takc_str_is(got, want))
        fail_msg("[%s] %s = \"%.*s\", not \"%s\"", section, key, TAKC_STR_ARG(got), want);
}

static void config_sections_are_profiles(void **state)
{
    (void)state;
    struct parsed p =
        parse("# comment\n[default]\nregion = eu-west-1\n\n[profile work]\nRegion=us-east-1\nrole_arn = arn:aws:iam::1:role/x ; not a "
              "comment\n[ profile  \"two words\" ] # said so\nkey: v\n[sso-session  corp]\nsso_region = eu-north-1\n[work]\nregion = "
              "lost\n   indented\n[profile empty]\n[profile work]\nregion = last\r\n",
              true);
    assert_int_equal(p.st, TAKC_OK);
    assert_value(&p, "default", "region", "eu-west-1");
    assert_value(&p, "work", "region", "last");
    assert_value(&p, "work", "role_arn", "arn:aws:iam::1:role/x ; not a comment");
    assert_value(&p, "two words", "key", "v");
    assert_value(&p, "sso-session corp", "sso_region", "eu-north-1");
    assert_true(takc_ini_has_section(&p.ini, takc_str("empty")));
    assert_false(takc_ini_has_section(&p.ini, takc_str("nobody")));
    assert_value(&p, "empty", "region", "(none)");
    takc_arena_clear(&p.arena);
}

static void nested_keys_are_one_value(void **state)
{
    (void)state;
    struct parsed p = parse("[default]\ns3 =\n    max_concurrent = 20\n\n    # why\n    addressing_style = path\nregion = x\n  y\n", true);
    assert_int_equal(p.st, TAKC_OK);
    assert_value(&p, "default", "s3", "max_concurrent = 20\naddressing_style = path");
    assert_value(&p, "default", "region", "x\ny");
    assert_value(&p, "default", "max_concurrent", "(none)");
    takc_arena_clear(&p.arena);
}

static void credentials_sections_are_names(void **state)
{
    (void)state;
    struct parsed p = parse("\xEF\xBB\xBF[work]\naws_access_key_id=AKID\naws_secret_access_key = a=b:c+/==\n[profile x]\nk = v\n", false);
    assert_int_equal(p.st, TAKC_OK);
    assert_value(&p, "work", "aws_access_key_id", "AKID");
    assert_value(&p, "work", "aws_secret_access_key", "a=b:c+/==");
    assert_value(&p, "profile x", "k", "v");
    takc_arena_clear(&p.arena);
}

static void many_keys_fit(void **state)
{
    (void)state;
    struct takc_buf b;
    char key[16];
    takc_buf_init(&b, 1 << 20);
    assert_int_equal(takc_buf_add(&b, takc_str("[a]\n"), NULL), TAKC_OK);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(takc_buf_printf(&b, NULL, "k%d = %d\n", i, i), TAKC_OK);
    struct parsed p = parse(b.ptr, false);
    assert_int_equal(p.ini.n, 1001);
    for (int i = 0; i < 1000; i += 37) {
        (void)snprintf(key, sizeof(key), "k%d", i);
        assert_value(&p, "a", key, key + 1);
    }
    takc_arena_clear(&p.arena);
    takc_buf_clear(&b);
}

static void a_wrong_line_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *said;
    } rows[] = {{"key = SECRET\n", "line 1: a key before the first section"},
                {"[a]\n\nSECRET\n", "line 3: neither a section nor key = value"},
                {"[a\nk = SECRET\n", "line 1: a section without ]"},
                {"[]\n", "line 1: a section without a name"},
                {"[a] SECRET\n", "line 1: text behind a section"},
                {"[a]\n= SECRET\n", "line 2: a value without a key"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct parsed p = parse(rows[i].text, false);
        assert_int_equal(p.st, TAKC_INVALID);
        assert_string_equal(p.err.msg, rows[i].said);
        takc_arena_clear(&p.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(config_sections_are_profiles),   cmocka_unit_test(nested_keys_are_one_value),
        cmocka_unit_test(credentials_sections_are_names), cmocka_unit_test(many_keys_fit),
        cmocka_unit_test(a_wrong_line_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
