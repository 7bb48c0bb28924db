/* SPDX-License-Identifier: Apache-2.0
 *
 * help.c - --help, the manual page and bash completion, all from the rows of verbs.c, rows.c (settings) and the status list. */
#include "cli/cli.h"

#include <stdio.h>

enum { HELP_COLUMN = 30, HELP_WIDTH = 100 };

/* Appends words of text wrapped at HELP_WIDTH, every line after the first indented; the first one begins at column at. */
static enum takc_status put_wrapped(struct takc_buf *out, struct takc_str text, size_t at, size_t indent, struct takc_err *err)
{
    struct takc_str word;
    size_t column = at;
    bool first = true;
    enum takc_status st = TAKC_OK;
    while (!st && takc_str_split(&text, ' ', &word)) {
        if (!first && column + 1 + word.len > HELP_WIDTH) {
            st = takc_buf_printf(out, err, "\n%*s", (int)indent, "");
            column = indent;
        } else if (!first) {
            st = takc_buf_byte(out, ' ', err);
            column++;
        }
        if (!st)
            st = takc_buf_add(out, word, err);
        column += word.len;
        first = false;
    }
    return st ? st : takc_buf_byte(out, '\n', err);
}

static int option_text(const struct takc_option *o, char *out, size_t size)
{
    char letter[8] = "    ";
    if (o->letter)
        (void)snprintf(letter, sizeof(letter), "-%c, ", o->letter);
    return snprintf(out, size, "  %s--%s%s%s", letter, o->name, o->arg ? " " : "", o->arg ? o->arg : "");
}

static enum takc_status put_options(struct takc_buf *out, const char *title, const struct takc_option *options, size_t n,
                                    struct takc_err *err)
{
    enum takc_status st = n ? takc_buf_printf(out, err, "\n%s\n", title) : TAKC_OK;
    for (size_t i = 0; !st && i < n; i++) {
        char text[128];
        int len = option_text(&options[i], text, sizeof(text));
        st = takc_buf_printf(out, err, "%-*s", HELP_COLUMN, text);
        if (!st && len >= HELP_COLUMN)
            st = takc_buf_printf(out, err, "\n%*s", HELP_COLUMN, "");
        if (!st)
            st = put_wrapped(out, takc_str(options[i].help), HELP_COLUMN, HELP_COLUMN, err);
    }
    return st;
}

static enum takc_status put_exit_codes(struct takc_buf *out, struct takc_err *err)
{
    enum takc_status st = takc_buf_add(out,
                                       takc_str("\nExit codes\n  0    done\n  1    done, but something was refused or a proof failed; the "
                                                "output says what\n"),
                                       err);
    for (int s = TAKC_INVALID; !st && s < TAKC_STATUS_COUNT; s++)
        st = takc_buf_printf(out, err, "  %-4d %s\n", takc_status_exit((enum takc_status)s), takc_status_text((enum takc_status)s));
    return st;
}

static enum takc_status program_help(struct takc_buf *out, struct takc_err *err)
{
    size_t n;
    const struct takc_option *global = takc_global_options(&n);
    enum takc_status st = takc_buf_add(out,
                                       takc_str("takc - Task-Aware Knowledge Compression\n\nUsage: takc [OPTIONS] VERB [OPTIONS] "
                                                "[ARGUMENTS]\n\nVerbs\n"),
                                       err);
    for (size_t i = 0; !st && takc_verb_at(i); i++)
        st = takc_buf_printf(out, err, "  %-10s %s\n", takc_verb_at(i)->name, takc_verb_at(i)->summary);
    if (!st)
        st = put_options(out, "Options of every verb", global, n, err);
    if (!st)
        st = put_exit_codes(out, err);
    if (!st)
        st = takc_buf_add(out,
                          takc_str("\nExample\n  takc init fin && takc ingest -t fin reports/ && takc compress -t fin\n"
                                   "\nMore: takc VERB --help, takc config list, man takc\n"),
                          err);
    return st;
}

enum takc_status takc_help_text(const struct takc_verb *v, struct takc_buf *out, struct takc_err *err)
{
    size_t n;
    const struct takc_option *global = takc_global_options(&n);
    if (!v)
        return program_help(out, err);
    enum takc_status st =
        takc_buf_printf(out, err, "takc %s - %s\n\nUsage: takc %s%s%s\n", v->name, v->summary, v->name, *v->usage ? " " : "", v->usage);
    if (!st && v->about && !(st = takc_buf_byte(out, '\n', err)))
        st = put_wrapped(out, takc_str(v->about), 0, 0, err);
    if (!st)
        st = put_options(out, "Options", v->options, v->n_options, err);
    if (!st)
        st = put_options(out, "Options of every verb", global, n, err);
    return st ? st : takc_buf_printf(out, err, "\nExample\n  %s\n      %s\n", v->example, v->example_says);
}

/* --- the manual page: man(7) macros --- */

/* Text with what troff would take for its own made harmless: backslashes, hyphens of options, a dot or quote at a line's start. */
static enum takc_status put_troff(struct takc_buf *out, const char *text, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    if (*text == '.' || *text == '\'')
        st = takc_buf_add(out, takc_str("\\&"), err);
    for (; !st && *text; text++) {
        if (*text == '\\')
            st = takc_buf_add(out, takc_str("\\e"), err);
        else if (*text == '-')
            st = takc_buf_add(out, takc_str("\\-"), err);
        else
            st = takc_buf_byte(out, *text, err);
    }
    return st;
}

static enum takc_status put_line(struct takc_buf *out, const char *macro, const char *text, struct takc_err *err)
{
    enum takc_status st = takc_buf_add(out, takc_str(macro), err);
    if (!st)
        st = put_troff(out, text, err);
    return st ? st : takc_buf_byte(out, '\n', err);
}

static enum takc_status man_options(struct takc_buf *out, const struct takc_option *options, size_t n, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < n; i++) {
        char text[128];
        (void)option_text(&options[i], text, sizeof(text));
        const char *from = text + strspn(text, " ");
        st = put_line(out, ".TP\n.B ", from, err);
        if (!st)
            st = put_line(out, "", options[i].help, err);
    }
    return st;
}

static enum takc_status man_verb(struct takc_buf *out, const struct takc_verb *v, struct takc_err *err)
{
    char text[256];
    (void)snprintf(text, sizeof(text), "takc %s %s", v->name, v->usage);
    enum takc_status st = put_line(out, ".SS ", text, err);
    if (!st)
        st = put_line(out, "", v->summary, err);
    if (!st && v->about)
        st = put_line(out, ".PP\n", v->about, err);
    if (!st)
        st = man_options(out, v->options, v->n_options, err);
    if (!st)
        st = put_line(out, ".PP\nExample: ", v->example_says, err);
    return st ? st : put_line(out, ".PP\n.RS 4\n.B ", v->example, err) ? err->status : takc_buf_add(out, takc_str(".RE\n"), err);
}

static enum takc_status man_settings(struct takc_buf *out, struct takc_err *err)
{
    enum takc_status st =
        takc_buf_add(out,
                     takc_str(".SH SETTINGS\nA value comes from the first of: flag, environment, file, default. The file "
                              "is\n.I takc.yaml\nof\n.B \\-\\-config,\n.B TAKC_CONFIG,\n.I $XDG_CONFIG_HOME/takc/takc.yaml\n"
                              "or\n.I /etc/takc/takc.yaml.\nNames have one part per level of the file.\n"),
                     err);
    for (size_t i = 0; !st && takc_setting_at(i); i++) {
        const struct takc_setting *row = takc_setting_at(i);
        char name[72], text[256];
        takc_setting_variable(row, name);
        (void)snprintf(text, sizeof(text), "%s (%s%s%s)", row->name, name, row->env[0] ? ", " : "", row->env[0] ? row->env[0] : "");
        st = put_line(out, ".TP\n.B ", text, err);
        (void)snprintf(text, sizeof(text), "%s. Default: %s", row->help, *row->fallback ? row->fallback : "empty");
        if (!st)
            st = put_line(out, "", text, err);
    }
    return st;
}

static enum takc_status man_exit_codes(struct takc_buf *out, struct takc_err *err)
{
    enum takc_status st = takc_buf_add(
        out,
        takc_str(".SH EXIT STATUS\n.TP\n.B 0\ndone\n.TP\n.B 1\ndone, but something was refused or a proof failed; the output says what\n"),
        err);
    for (int s = TAKC_INVALID; !st && s < TAKC_STATUS_COUNT; s++)
        st = takc_buf_printf(out, err, ".TP\n.B %d\n%s\n", takc_status_exit((enum takc_status)s), takc_status_text((enum takc_status)s));
    return st;
}

enum takc_status takc_help_man(struct takc_buf *out, struct takc_err *err)
{
    size_t n;
    const struct takc_option *global = takc_global_options(&n);
    enum takc_status st = takc_buf_add(
        out,
        takc_str(
            ".TH TAKC 1 \"\" \"takc " TAKC_VERSION_TEXT "\" \"User Commands\"\n.SH NAME\ntakc \\- Task\\-Aware Knowledge Compression\n"
            ".SH SYNOPSIS\n.B takc\n[OPTIONS] VERB [OPTIONS] [ARGUMENTS]\n.SH DESCRIPTION\nCompresses a body of documents offline, once "
            "per task, at several rates; answers questions of that task from the compressed form, with the sources shown; and proves "
            "every line against them. Works without a network and without a model.\n.SH OPTIONS OF EVERY VERB\n"),
        err);
    if (!st)
        st = man_options(out, global, n, err);
    if (!st)
        st = takc_buf_add(out, takc_str(".SH VERBS\n"), err);
    for (size_t i = 0; !st && takc_verb_at(i); i++)
        st = man_verb(out, takc_verb_at(i), err);
    if (!st)
        st = man_settings(out, err);
    return st ? st : man_exit_codes(out, err);
}

/* --- bash --- */

static enum takc_status bash_words(struct takc_buf *out, const struct takc_option *options, size_t n, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < n; i++)
        st = takc_buf_printf(out, err, " --%s", options[i].name);
    return st;
}

static enum takc_status put_spaced(struct takc_buf *out, const char *words, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (; !st && *words; words++)
        st = takc_buf_byte(out, *words == '|' ? ' ' : *words, err);
    return st;
}

/* compgen's arguments for the values of an option, or NULL: nothing is offered. */
static const char *bash_source(const struct takc_option *o)
{
    const struct takc_setting *row = o->setting ? takc_setting_find(takc_str(o->setting)) : NULL;
    if (o->type == TAKC_OPTION_PATH)
        return "-f";
    if (row && row->type == TAKC_SETTING_TEXT && strcmp(row->unit, "path") == 0)
        return "-d";
    if (o->type == TAKC_OPTION_RATE || o->type == TAKC_OPTION_RATES)
        return "-W 'ultra high medium light'";
    return o->type == TAKC_OPTION_CHOICE ? o->arg : row ? row->choices : NULL;
}

/* Options of one name mean the same in every verb. */
static enum takc_status bash_values(struct takc_buf *out, const struct takc_option *o, struct takc_err *err)
{
    const char *source = bash_source(o), *quote = source && source[0] != '-' ? "'" : "";
    if (o->type == TAKC_OPTION_FLAG)
        return TAKC_OK;
    if (!source)
        return takc_buf_printf(out, err, "    --%s) return ;;\n", o->name);
    enum takc_status st = takc_buf_printf(out, err, "    --%s) mapfile -t COMPREPLY < <(compgen %s%s", o->name, *quote ? "-W " : "", quote);
    if (!st)
        st = put_spaced(out, source, err);
    return st ? st : takc_buf_printf(out, err, "%s -- \"$cur\"); return ;;\n", quote);
}

static bool named_before(const struct takc_verb *until, const struct takc_option *o)
{
    for (size_t i = 0; takc_verb_at(i) && takc_verb_at(i) != until; i++)
        for (size_t k = 0; k < takc_verb_at(i)->n_options; k++)
            if (strcmp(takc_verb_at(i)->options[k].name, o->name) == 0)
                return true;
    return false;
}

static enum takc_status bash_verbs(struct takc_buf *out, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && takc_verb_at(i); i++) {
        const struct takc_verb *v = takc_verb_at(i);
        st = takc_buf_printf(out, err, "    %s) words=\"$global", v->name);
        if (!st)
            st = bash_words(out, v->options, v->n_options, err);
        if (!st && v->actions && !(st = takc_buf_byte(out, ' ', err)))
            st = put_spaced(out, v->actions, err);
        if (!st)
            st = takc_buf_add(out, takc_str("\" ;;\n"), err);
    }
    return st;
}

enum takc_status takc_help_bash(struct takc_buf *out, struct takc_err *err)
{
    size_t n;
    const struct takc_option *global = takc_global_options(&n);
    enum takc_status st =
        takc_buf_add(out,
                     takc_str("# bash completion of takc; made by: takc help --completion bash\n_takc() {\n"
                              "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb='' words='' w\n"
                              "  local verbs='"),
                     err);
    for (size_t i = 0; !st && takc_verb_at(i); i++)
        st = takc_buf_printf(out, err, "%s%s", i ? " " : "", takc_verb_at(i)->name);
    if (!st)
        st = takc_buf_add(out, takc_str("' global='"), err);
    if (!st)
        st = bash_words(out, global, n, err);
    if (!st)
        st = takc_buf_add(out,
                          takc_str("'\n  for w in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
                                   "    case \" $verbs \" in *\" $w \"*) verb=$w; break ;; esac\n  done\n  case $prev in\n"),
                          err);
    for (size_t i = 0; !st && i < n; i++)
        st = bash_values(out, &global[i], err);
    for (size_t i = 0; !st && takc_verb_at(i); i++)
        for (size_t k = 0; !st && k < takc_verb_at(i)->n_options; k++)
            if (!named_before(takc_verb_at(i), &takc_verb_at(i)->options[k]))
                st = bash_values(out, &takc_verb_at(i)->options[k], err);
    if (!st)
        st = takc_buf_add(out, takc_str("  esac\n  case $verb in\n    '') words=\"$verbs $global\" ;;\n"), err);
    if (!st)
        st = bash_verbs(out, err);
    return st ? st
              : takc_buf_add(out,
                             takc_str("  esac\n  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
                                      "  case $verb in ingest | backup | restore)\n"
                                      "    [[ $cur == -* ]] || mapfile -t COMPREPLY < <(compgen -f -- \"$cur\") ;;\n  esac\n}\n"
                                      "complete -o filenames -o bashdefault -F _takc takc\n"),
                             err);
}
