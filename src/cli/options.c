/* SPDX-License-Identifier: Apache-2.0
 *
 * options.c - arguments into options and plain arguments, by the verb's table and the global one; and the questions verbs ask afterwards.
 *
 * GNU manners: --name VALUE, --name=VALUE, -n VALUE, -nVALUE, letters of flags together, options and arguments in any order, "--" ends
 * options, "-" is an argument. Left out: abbreviated long names, since they break when an option is added. Global options may stand before
 * the verb. Values are checked here, so that a verb meets only good ones and messages name the option. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/nearest.h"
#include "cli/cli.h"
#include "task/profile.h"

/* The option of that name or letter of this verb (NULL: only global ones). */
static const struct takc_option *option_find(const struct takc_verb *v, struct takc_str name, char letter)
{
    size_t n_global, n = v ? v->n_options : 0;
    const struct takc_option *global = takc_global_options(&n_global);
    for (size_t i = 0; i < n + n_global; i++) {
        const struct takc_option *o = i < n ? &v->options[i] : &global[i - n];
        if (letter ? o->letter == letter : takc_str_is(name, o->name))
            return o;
    }
    return NULL;
}

static enum takc_status unknown_option(const struct takc_verb *v, struct takc_str name, struct takc_err *err)
{
    size_t n_global, n = v ? v->n_options : 0;
    const struct takc_option *global = takc_global_options(&n_global);
    struct takc_nearest near = {0};
    for (size_t i = 0; i < n + n_global; i++)
        takc_nearest_offer(&near, name, i < n ? v->options[i].name : global[i - n].name);
    const char *verb = v ? v->name : "";
    if (near.name)
        return takc_fail(err, TAKC_INVALID, 0, "unknown option --%.*s; did you mean --%s?", TAKC_STR_ARG(name), near.name);
    return takc_fail(err, TAKC_INVALID, 0, "unknown option --%.*s; see: takc %s%s--help", TAKC_STR_ARG(name), verb, v ? " " : "");
}

/* --- checking values --- */

static enum takc_status check_choice(struct takc_str words, struct takc_str value, struct takc_err *err)
{
    struct takc_str rest = words, word, best = {0};
    uint32_t distance = UINT32_MAX;
    while (takc_str_split(&rest, '|', &word)) {
        uint32_t d = takc_edit_distance(word, value);
        if (takc_str_eq(word, value))
            return TAKC_OK;
        if (d < distance && d <= 2) {
            distance = d;
            best = word;
        }
    }
    return takc_fail(err, TAKC_INVALID, 0, "'%.*s' is none of %.*s%s%.*s%s", TAKC_STR_ARG(value), TAKC_STR_ARG(words),
                     best.len ? "; did you mean '" : "", TAKC_STR_ARG(best), best.len ? "'?" : "");
}

static enum takc_status check_rates(struct takc_str list, struct takc_err *err)
{
    struct takc_str piece;
    takc_rate rate;
    enum takc_status st = TAKC_OK;
    size_t n = 0;
    for (; !st && takc_str_split(&list, ',', &piece); n++)
        st = takc_rate_parse(takc_str_trim(piece), &rate, err);
    return st || n <= TAKC_PROFILE_RATES_MAX ? st : takc_fail(err, TAKC_INVALID, 0, "%zu rates; at most %d", n, TAKC_PROFILE_RATES_MAX);
}

static enum takc_status check_value(const struct takc_option *o, struct takc_str value, struct takc_err *err)
{
    uint64_t number;
    takc_rate rate;
    int32_t days;
    switch (o->type) {
    case TAKC_OPTION_FLAG:
        return TAKC_OK;
    case TAKC_OPTION_NUMBER:
        return takc_str_u64(value, UINT64_MAX, &number, NULL) ? takc_fail(err, TAKC_INVALID, 0, "a whole number is expected") : TAKC_OK;
    case TAKC_OPTION_RATE:
        return takc_rate_parse(value, &rate, err);
    case TAKC_OPTION_RATES:
        return check_rates(value, err);
    case TAKC_OPTION_DATE:
        return takc_date_parse(value.ptr, value.len, &days, err);
    case TAKC_OPTION_CHOICE:
        return check_choice(takc_str(o->arg), value, err);
    case TAKC_OPTION_SETTING:
        return takc_setting_check(takc_setting_find(takc_str(o->setting)), value, NULL, err);
    default:
        return value.len ? TAKC_OK : takc_fail(err, TAKC_INVALID, 0, "a value is expected");
    }
}

/* --- parsing --- */

struct parser {
    struct takc_cli *cli;
    int argc, at;
    char **argv;
};

static enum takc_status give(struct parser *p, const struct takc_option *o, struct takc_str value, struct takc_err *err)
{
    struct takc_cli *cli = p->cli;
    for (size_t i = 0; i < cli->n_given && !o->many && o->type != TAKC_OPTION_FLAG; i++)
        if (cli->given[i].option == o)
            return takc_fail(err, TAKC_INVALID, 0, "--%s is there twice", o->name);
    enum takc_status st = check_value(o, value, err);
    if (st)
        return takc_err_prefix(err, st, "--%s", o->name);
    if ((st = takc_grow(&cli->given, &cli->given_cap, cli->n_given + 1, sizeof(*cli->given), err)))
        return st;
    cli->given[cli->n_given++] = (struct takc_given){o, value};
    return TAKC_OK;
}

static enum takc_status next_value(struct parser *p, const struct takc_option *o, struct takc_str *out, struct takc_err *err)
{
    if (p->at + 1 >= p->argc)
        return takc_fail(err, TAKC_INVALID, 0, "--%s: a value is expected (%s)", o->name, o->arg);
    *out = takc_str(p->argv[++p->at]);
    return TAKC_OK;
}

static enum takc_status parse_long(struct parser *p, struct takc_str word, struct takc_err *err)
{
    size_t eq = takc_str_find_byte(word, '=', 0);
    struct takc_str name = eq == SIZE_MAX ? word : takc_str_slice(word, 0, eq), value = {0};
    const struct takc_option *o = option_find(p->cli->verb, name, '\0');
    if (!o)
        return unknown_option(p->cli->verb, name, err);
    if (o->type == TAKC_OPTION_FLAG && eq != SIZE_MAX)
        return takc_fail(err, TAKC_INVALID, 0, "--%s takes no value", o->name);
    enum takc_status st = TAKC_OK;
    if (eq != SIZE_MAX)
        value = takc_str_slice(word, eq + 1, word.len);
    else if (o->type != TAKC_OPTION_FLAG)
        st = next_value(p, o, &value, err);
    return st ? st : give(p, o, value, err);
}

static enum takc_status parse_letters(struct parser *p, struct takc_str letters, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < letters.len; i++) {
        const struct takc_option *o = option_find(p->cli->verb, (struct takc_str){0}, letters.ptr[i]);
        struct takc_str value = takc_str_slice(letters, i + 1, letters.len);
        if (!o)
            return takc_fail(err, TAKC_INVALID, 0, "unknown option -%c", letters.ptr[i]);
        if (o->type == TAKC_OPTION_FLAG) {
            st = give(p, o, (struct takc_str){0}, err);
            continue;
        }
        if (!value.len)
            st = next_value(p, o, &value, err);
        return st ? st : give(p, o, value, err);
    }
    return st;
}

static enum takc_status choose_verb(struct takc_cli *cli, struct takc_str word, struct takc_err *err)
{
    struct takc_nearest near = {0};
    char hint[TAKC_NEAREST_MAX + 24];
    if ((cli->verb = takc_verb_find(word)))
        return TAKC_OK;
    for (size_t i = 0; takc_verb_at(i); i++)
        takc_nearest_offer(&near, word, takc_verb_at(i)->name);
    takc_nearest_text(&near, hint);
    return takc_fail(err, TAKC_INVALID, 0, "unknown verb '%.*s'%s", TAKC_STR_ARG(word), near.name ? hint : "; see: takc --help");
}

static enum takc_status take_argument(struct takc_cli *cli, struct takc_str word, struct takc_err *err)
{
    if (!cli->verb)
        return choose_verb(cli, word, err);
    enum takc_status st = takc_grow(&cli->args, &cli->args_cap, cli->n_args + 1, sizeof(*cli->args), err);
    if (!st)
        cli->args[cli->n_args++] = word;
    return st;
}

static enum takc_status check_arguments(const struct takc_cli *cli, struct takc_err *err)
{
    const struct takc_verb *v = cli->verb;
    if (cli->n_args < v->min_args)
        return takc_fail(err, TAKC_INVALID, 0, "an argument is missing; usage: takc %s %s", v->name, v->usage);
    if (cli->n_args > v->max_args)
        return takc_fail(err, TAKC_INVALID, 0, "'%.*s' is one argument too many; usage: takc %s %s", TAKC_STR_ARG(cli->args[v->max_args]),
                         v->name, v->usage);
    return v->actions && cli->n_args ? check_choice(takc_str(v->actions), cli->args[0], err) : TAKC_OK;
}

enum takc_status takc_cli_parse(struct takc_cli *cli, int argc, char **argv, struct takc_err *err)
{
    struct parser p = {cli, argc, 1, argv};
    bool options = true;
    enum takc_status st = TAKC_OK;
    for (; !st && p.at < argc; p.at++) {
        struct takc_str word = takc_str(argv[p.at]);
        if (options && takc_str_is(word, "--"))
            options = false;
        else if (options && takc_str_starts(word, takc_str("--")))
            st = parse_long(&p, takc_str_slice(word, 2, word.len), err);
        else if (options && word.len > 1 && word.ptr[0] == '-')
            st = parse_letters(&p, takc_str_slice(word, 1, word.len), err);
        else
            st = take_argument(cli, word, err);
    }
    cli->json = takc_cli_flag(cli, "json");
    for (; st && options && !cli->json && p.at < argc; p.at++) /* a mistake before it is told as JSON, too */
        cli->json = strcmp(argv[p.at], "--json") == 0;
    cli->quiet = takc_cli_flag(cli, "quiet");
    cli->help = takc_cli_flag(cli, "help");
    if (st || cli->help)
        return st;
    return cli->verb ? check_arguments(cli, err) : takc_fail(err, TAKC_INVALID, 0, "a verb is missing; see: takc --help");
}

/* --- asking --- */

struct takc_str takc_cli_opt_at(const struct takc_cli *cli, const char *name, size_t i)
{
    for (size_t g = 0; g < cli->n_given; g++)
        if (strcmp(cli->given[g].option->name, name) == 0 && i-- == 0)
            return cli->given[g].value;
    return (struct takc_str){NULL, 0};
}

struct takc_str takc_cli_opt(const struct takc_cli *cli, const char *name)
{
    return takc_cli_opt_at(cli, name, 0);
}

enum takc_status takc_cli_opts(const struct takc_cli *cli, const char *name, struct takc_str *out, size_t max, size_t *out_n,
                               struct takc_err *err)
{
    struct takc_str value;
    size_t n = 0;
    while ((value = takc_cli_opt_at(cli, name, n)).ptr) {
        if (n == max)
            return takc_fail(err, TAKC_INVALID, 0, "--%s: at most %zu times", name, max);
        out[n++] = value;
    }
    *out_n = n;
    return TAKC_OK;
}

struct takc_str takc_cli_label(struct takc_str given)
{
    return given.len > 1 && given.ptr[0] == 'v' ? takc_str_slice(given, 1, given.len) : given;
}

bool takc_cli_flag(const struct takc_cli *cli, const char *name)
{
    for (size_t g = 0; g < cli->n_given; g++)
        if (strcmp(cli->given[g].option->name, name) == 0)
            return true;
    return false;
}

uint64_t takc_cli_number(const struct takc_cli *cli, const char *name, uint64_t fallback)
{
    uint64_t n;
    return takc_str_u64(takc_cli_opt(cli, name), UINT64_MAX, &n, NULL) ? fallback : n;
}

uint32_t takc_cli_rate(const struct takc_cli *cli, const char *name, uint32_t fallback)
{
    takc_rate rate;
    struct takc_str text = takc_cli_opt(cli, name);
    return !text.len || takc_rate_parse(text, &rate, NULL) ? fallback : rate;
}

size_t takc_cli_rates(const struct takc_cli *cli, const char *name, uint32_t *out, size_t max)
{
    struct takc_str list = takc_cli_opt(cli, name), piece;
    size_t n = 0;
    while (n < max && list.ptr && takc_str_split(&list, ',', &piece))
        if (!takc_rate_parse(takc_str_trim(piece), &out[n], NULL))
            n++;
    return n;
}

bool takc_cli_date(const struct takc_cli *cli, const char *name, int32_t *out_days)
{
    struct takc_str text = takc_cli_opt(cli, name);
    return text.len && !takc_date_parse(text.ptr, text.len, out_days, NULL);
}

enum takc_status takc_cli_task(const struct takc_cli *cli, struct takc_str *out, struct takc_err *err)
{
    if (!cli->settings.task.len)
        return takc_fail(err, TAKC_INVALID, 0, "which task? Give -t NAME, or set TAKC_TASK");
    enum takc_status st = takc_task_name_check(cli->settings.task, err);
    if (!st)
        *out = cli->settings.task;
    return st;
}

enum takc_status takc_cli_home(const struct takc_cli *cli, struct takc_str *out, struct takc_err *err)
{
    if (!cli->settings.home.len)
        return takc_fail(err, TAKC_INVALID, 0, "no home: give --home DIR, or set TAKC_HOME");
    *out = cli->settings.home;
    return TAKC_OK;
}
