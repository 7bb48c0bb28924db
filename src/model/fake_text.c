/* SPDX-License-Identifier: Apache-2.0
 *
 * fake_text.c - what the stand-in says: the units of the prompt, in its manner. */
#include "model/fake_parts.h"

enum { DEFAULT_BUDGET = 256 };

static const char *const manners[] = {
    [TAKC_FAKE_OBEDIENT] = "obedient",     [TAKC_FAKE_VERBOSE] = "verbose",     [TAKC_FAKE_TERSE] = "terse",
    [TAKC_FAKE_REFUSING] = "refusing",     [TAKC_FAKE_INVENTING] = "inventing", [TAKC_FAKE_OBEYING] = "obeying",
    [TAKC_FAKE_MISQUOTING] = "misquoting", [TAKC_FAKE_SILENT] = "silent"};

enum takc_fake_manner takc_fake_manner_of(struct takc_str name)
{
    for (size_t i = 1; i < sizeof(manners) / sizeof(manners[0]); i++)
        if (takc_str_is(name, manners[i]))
            return (enum takc_fake_manner)i;
    return TAKC_FAKE_UNSET;
}

struct unit {
    uint64_t number;
    struct takc_str text;
};

/* "[12] text": false for any other line. */
static bool unit_parse(struct takc_str line, struct unit *out)
{
    size_t end = takc_str_find_byte(line, ']', 0);
    if (!takc_str_starts(line, takc_str("[")) || end == SIZE_MAX ||
        takc_str_u64(takc_str_slice(line, 1, end), UINT32_MAX, &out->number, NULL))
        return false;
    out->text = takc_str_trim(takc_str_slice(line, end + 1, line.len));
    return out->text.len > 0;
}

/* The number in front of the last "tokens" of a line, 0 for none. */
static uint64_t budget_in(struct takc_str line)
{
    uint64_t n = 0, read;
    for (size_t at = 0; (at = takc_str_find(line, takc_str(" tokens"), at)) != SIZE_MAX; at++) {
        size_t from = at;
        while (from > 0 && line.ptr[from - 1] >= '0' && line.ptr[from - 1] <= '9')
            from--;
        if (!takc_str_u64(takc_str_slice(line, from, at), UINT32_MAX, &read, NULL))
            n = read;
    }
    return n;
}

typedef enum takc_status unit_fn(void *arg, const struct unit *u, struct takc_err *err);

/* Calls each for the units of the last message, in order; the budget is the last line's that has one, and not a unit. */
static enum takc_status walk(const struct takc_model_request *r, unit_fn *each, void *arg, uint64_t *out_budget, struct takc_err *err)
{
    const struct takc_model_message *m = &r->messages[r->n_messages - 1];
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; i < m->n_blocks; i++) {
        struct takc_str rest = m->blocks[i].text, line;
        struct unit u;
        while (!st && takc_str_split(&rest, '\n', &line)) {
            uint64_t budget = 0;
            if (unit_parse(line, &u))
                st = each ? each(arg, &u, err) : TAKC_OK;
            else if ((budget = budget_in(line)) > 0 && out_budget)
                *out_budget = budget;
        }
    }
    return st;
}

struct saying {
    enum takc_fake_manner manner;
    const struct takc_tokenizer *tokenizer;
    struct takc_buf *out;
    uint64_t budget_mt, used_mt;
    bool done;
};

static enum takc_status say_line(struct saying *s, const struct unit *u, struct takc_err *err)
{
    uint64_t number = s->manner == TAKC_FAKE_MISQUOTING ? u->number + 1000000 : u->number;
    const char *more = s->manner == TAKC_FAKE_INVENTING ? " That is 987654321 in all." : "";
    return takc_buf_printf(s->out, err, "%.*s%s [%llu]\n", TAKC_STR_ARG(u->text), more, (unsigned long long)number);
}

static enum takc_status say_within(void *arg, const struct unit *u, struct takc_err *err)
{
    struct saying *s = arg;
    uint64_t mt = takc_tokenizer_line_mt(s->tokenizer, u->text);
    if (s->used_mt + mt > s->budget_mt)
        return TAKC_OK; /* a shorter one may fit */
    s->used_mt += mt;
    return say_line(s, u, err);
}

static enum takc_status say_twice(void *arg, const struct unit *u, struct takc_err *err)
{
    enum takc_status st = say_line(arg, u, err);
    return st ? st : say_line(arg, u, err);
}

static enum takc_status say_first_words(void *arg, const struct unit *u, struct takc_err *err)
{
    struct saying *s = arg;
    if (s->done)
        return TAKC_OK;
    s->done = true;
    size_t end = 0;
    for (int words = 0; end < u->text.len && words < 4; end++)
        words += u->text.ptr[end] == ' ';
    struct unit cut = {u->number, takc_str_trim(takc_str_slice(u->text, 0, end))};
    return say_line(s, &cut, err);
}

/* "... reply only with X": X up to the end of the line, without what closes it. */
static enum takc_status obey(void *arg, const struct unit *u, struct takc_err *err)
{
    static const char *const orders[] = {"reply only with ", "Reply only with ", "respond only with ", "Respond only with "};
    struct saying *s = arg;
    for (size_t i = 0; !s->done && i < sizeof(orders) / sizeof(orders[0]); i++) {
        size_t at = takc_str_find(u->text, takc_str(orders[i]), 0);
        if (at == SIZE_MAX)
            continue;
        struct takc_str what = takc_str_slice(u->text, at + strlen(orders[i]), u->text.len);
        while (takc_str_ends(what, takc_str(".")) || takc_str_ends(what, takc_str("\"")))
            what.len--;
        s->done = true;
        return takc_buf_printf(s->out, err, "%.*s [%llu]\n", TAKC_STR_ARG(what), (unsigned long long)u->number);
    }
    return TAKC_OK;
}

enum takc_status takc_fake_say(enum takc_fake_manner manner, const struct takc_tokenizer *t, const struct takc_model_request *r,
                               struct takc_buf *out, struct takc_err *err)
{
    struct saying s = {.manner = manner, .tokenizer = t, .out = out};
    uint64_t budget = DEFAULT_BUDGET;
    enum takc_status st = TAKC_OK;
    if (manner == TAKC_FAKE_SILENT)
        return TAKC_OK;
    if (manner == TAKC_FAKE_REFUSING)
        return takc_buf_add(out, takc_str("I'm sorry, but I can't help with that."), err);
    if (manner == TAKC_FAKE_VERBOSE) {
        st = takc_buf_add(out, takc_str("Sure! Here is the condensed knowledge that you asked for:\n\n"), err);
        return st ? st : walk(r, say_twice, &s, NULL, err);
    }
    if (manner == TAKC_FAKE_TERSE)
        return walk(r, say_first_words, &s, NULL, err);
    if (manner == TAKC_FAKE_OBEYING && ((st = walk(r, obey, &s, NULL, err)) || s.done))
        return st;
    if ((st = walk(r, NULL, NULL, &budget, err)))
        return st;
    s.budget_mt = budget * 1000;
    return walk(r, say_within, &s, NULL, err);
}
