/* SPDX-License-Identifier: Apache-2.0
 *
 * STS and Secrets Manager as moto has them, with signatures checked: a role assumed, secrets read with its keys, a wrong key refused. */
#include "aws/credentials.h"
#include "oracle.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <cmocka.h>

static pid_t moto;
static char server[64], access_key[128], secret_key[128], arn[200], home[64] = "/tmp/takc-services-XXXXXX";
static struct takc_http *http;

static unsigned free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool good = fd >= 0 && bind(fd, (struct sockaddr *)&a, n) == 0 && getsockname(fd, (struct sockaddr *)&a, &n) == 0;
    (void)close(fd);
    return good ? ntohs(a.sin_port) : 0;
}

static int start(void **state)
{
    (void)state;
    const char *python = oracle_python("aws");
    char port[16], command[2048];
    struct takc_buf out;
    (void)snprintf(port, sizeof(port), "%u", free_port());
    (void)snprintf(server, sizeof(server), "http://127.0.0.1:%s", port);
    if (!mkdtemp(home) || (moto = fork()) < 0)
        return -1;
    if (moto == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)setenv("INITIAL_NO_AUTH_ACTION_COUNT", "7", 1);
        if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
            _exit(126);
        (void)execl(python, python, "-m", "moto.server", "-H", "127.0.0.1", "-p", port, (char *)NULL);
        _exit(127);
    }
    takc_buf_init(&out, 4096);
    (void)snprintf(command, sizeof(command), "'%s' '%s/../oracle/services.py' %s", python, TAKC_TEST_DATA, server);
    int code = oracle_run(command, &out);
    bool good = code == 0 && sscanf(out.ptr, "%127s %127s %199s", access_key, secret_key, arn) == 3;
    takc_buf_clear(&out);
    return good && !takc_http_open(&http, &(struct takc_http_options){.proxy = ""}, NULL) ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    takc_http_close(http);
    if (moto > 0) {
        (void)kill(moto, SIGKILL);
        (void)waitpid(moto, NULL, 0);
    }
    char path[96];
    (void)snprintf(path, sizeof(path), "%s/config", home);
    (void)unlink(path);
    return rmdir(home);
}

/* Opens with these keys; role: through the role "reader". */
static struct takc_aws *open_as(const char *access, const char *secret, bool role)
{
    struct takc_aws *a = NULL;
    struct takc_buf text;
    char path[96], config[128], endpoint[96];
    (void)snprintf(path, sizeof(path), "%s/config", home);
    (void)snprintf(config, sizeof(config), "AWS_CONFIG_FILE=%s", path);
    (void)snprintf(endpoint, sizeof(endpoint), "AWS_ENDPOINT_URL=%s", server);
    takc_buf_init(&text, 4096);
    assert_int_equal(
        takc_buf_printf(&text, NULL, "[profile base]\naws_access_key_id=%s\naws_secret_access_key=%s\n[profile role]\n", access, secret),
        TAKC_OK);
    assert_int_equal(takc_buf_add(&text, takc_str("role_arn=arn:aws:iam::123456789012:role/reader\nsource_profile=base\n"), NULL), TAKC_OK);
    assert_int_equal(takc_file_write(path, takc_buf_str(&text), NULL), TAKC_OK);
    takc_buf_clear(&text);
    struct takc_aws_options o = {.http = http,
                                 .environment = (const char *const[]){config, endpoint, "AWS_REGION=us-east-1", NULL},
                                 .profile = role ? "role" : "base"};
    assert_int_equal(takc_aws_open(&a, &o, NULL), TAKC_OK);
    return a;
}

static void assert_secret(struct takc_aws *a, const char *name, enum takc_status status, const char *want)
{
    struct takc_buf out;
    struct takc_err err = {0};
    takc_buf_init_secret(&out, 4096);
    enum takc_status st = takc_aws_secret(a, NULL, takc_str(name), NULL, &out, &err);
    if (st != status || (st ? !strstr(err.msg, want) : !takc_str_is(takc_buf_str(&out), want)))
        fail_msg("%s: %s '%s', not %s '%s'", name, takc_status_name(st), st ? err.msg : out.ptr, takc_status_name(status), want);
    assert_null(strstr(err.msg, "qqsecret"));
    assert_null(strstr(err.msg, secret_key));
    takc_buf_clear(&out);
}

static void read_all(bool role)
{
    char field[256];
    struct takc_aws *a = open_as(access_key, secret_key, role);
    assert_secret(a, "plain/key", TAKC_OK, "qqsecret plain");
    assert_secret(a, arn, TAKC_OK, "{\"api_key\": \"qqsecret field\", \"n\": 3}");
    (void)snprintf(field, sizeof(field), "%s#api_key", arn);
    assert_secret(a, field, TAKC_OK, "qqsecret field");
    assert_secret(a, "fields#n", TAKC_NOT_FOUND, "no text field n");
    assert_secret(a, "plain/key#x", TAKC_INVALID, "no JSON object");
    assert_secret(a, "nothing", TAKC_NOT_FOUND, "secret nothing: there is no such secret");
    takc_aws_close(a);
}

static void secrets_are_read(void **state)
{
    (void)state;
    read_all(false);
}

static void secrets_are_read_as_another_role(void **state)
{
    (void)state;
    read_all(true);
}

static void wrong_keys_are_refused(void **state)
{
    (void)state;
    struct takc_aws *a = open_as(access_key, "qqsecret wrong", false);
    assert_secret(a, "plain/key", TAKC_DENIED, "HTTP 403");
    takc_aws_close(a);
    a = open_as(access_key, "qqsecret wrong", true);
    assert_secret(a, "plain/key", TAKC_DENIED, "sts: role arn:aws:iam::123456789012:role/reader: HTTP 403");
    takc_aws_close(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_are_read),
        cmocka_unit_test(secrets_are_read_as_another_role),
        cmocka_unit_test(wrong_keys_are_refused),
    };
    (void)oracle_python("aws");
    return cmocka_run_group_tests(tests, start, stop);
}
