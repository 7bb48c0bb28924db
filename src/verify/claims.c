/* SPDX-License-Identifier: Apache-2.0
 *
 * claims.c - an answer's words against those of the spans it cites. What counts as a claim is asked of an empty quotation: what it lacks is
 * what needs proof. */
#include "verify/claims.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "verify/line.h"

#include <string.h>
#include <unicode/uchar.h>

struct check {
    struct takc_buf answer, quoted; /* with percent signs spelled out; items point into them */
    struct takc_items said, quote, asked, nothing;
    struct takc_claims *out;
    takc_unfounded_fn *each;
    void *arg;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Without bullet and ordinal. */
static struct takc_str bare(struct takc_str line)
{
    size_t i = 0, digits;
    while (i < line.len && (line.ptr[i] == ' ' || line.ptr[i] == '-' || line.ptr[i] == '*' || line.ptr[i] == '#'))
        i++;
    for (digits = i; digits < line.len && is_digit(line.ptr[digits]);)
        digits++;
    bool ordinal =
        digits > i && digits + 1 < line.len && (line.ptr[digits] == '.' || line.ptr[digits] == ')') && line.ptr[digits + 1] == ' ';
    bool bullet = i > 0 && line.ptr[i - 1] == ' '; /* "- 12" is an item, "-12" a number */
    return takc_str_slice(line, ordinal ? digits + 1 : bullet ? i : 0, line.len);
}

/* A capital or digit behind the first character. */
static bool is_plainly_a_name(struct takc_str word)
{
    size_t pos = 0;
    (void)takc_utf8_next(word, &pos, NULL);
    while (pos < word.len) {
        UChar32 c = (UChar32)takc_utf8_next(word, &pos, NULL);
        if (u_isupper(c) || u_isdigit(c))
            return true;
    }
    return false;
}

static bool is_claim(const struct check *c, size_t j, const char **out_kind)
{
    const struct takc_item *it = &c->said.v[j];
    const char *kind = takc_line_lacking(&c->said, j, &c->nothing);
    *out_kind = kind;
    if (!kind || strcmp(kind, "negation") == 0 || strcmp(kind, "unit") == 0)
        return false;
    return strcmp(kind, "name") != 0 || !it->opens || is_plainly_a_name(it->s);
}

static enum takc_status check_item(struct check *c, size_t j, struct takc_err *err)
{
    const char *kind;
    if (!is_claim(c, j, &kind))
        return TAKC_OK;
    c->out->n++;
    bool is_name = strcmp(kind, "name") == 0;
    if (!takc_line_lacking(&c->said, j, &c->quote) || (is_name && !takc_line_lacking(&c->said, j, &c->asked)))
        return TAKC_OK;
    c->out->n_unfounded++;
    return c->each(c->arg, kind, c->said.v[j].s, err);
}

static enum takc_status spell_percent(struct takc_str text, struct takc_buf *out, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < text.len; i++)
        st = text.ptr[i] == '%' && i && is_digit(text.ptr[i - 1]) ? takc_buf_add(out, takc_str(" percent"), err)
                                                                  : takc_buf_byte(out, text.ptr[i], err);
    return st;
}

static enum takc_status split_answer(struct check *c, struct takc_str answer, struct takc_err *err)
{
    struct takc_str line;
    enum takc_status st = TAKC_OK;
    while (!st && takc_str_split(&answer, '\n', &line)) {
        c->said.open = true;
        st = takc_items_add(&c->said, bare(line), err);
    }
    return st;
}

enum takc_status takc_claims_check(struct takc_str answer, struct takc_str quote, struct takc_str question, struct takc_claims *out,
                                   takc_unfounded_fn *each, void *arg, struct takc_err *err)
{
    struct check c = {.out = out, .each = each, .arg = arg};
    struct takc_items *all[] = {&c.said, &c.quote, &c.asked, &c.nothing};
    *out = (struct takc_claims){0};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        takc_items_init(all[i]);
    takc_buf_init(&c.answer, TAKC_BUF_MAX_REPLY);
    takc_buf_init(&c.quoted, TAKC_BUF_MAX_REPLY);
    enum takc_status st = spell_percent(answer, &c.answer, err);
    if (!st)
        st = spell_percent(quote, &c.quoted, err);
    if (!st)
        st = split_answer(&c, takc_buf_str(&c.answer), err);
    if (!st)
        st = takc_items_add(&c.quote, takc_buf_str(&c.quoted), err);
    if (!st)
        st = takc_items_add(&c.asked, question, err);
    for (size_t j = 0; !st && j < c.said.n; j++)
        st = check_item(&c, j, err);
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        takc_items_clear(all[i]);
    takc_buf_clear(&c.answer);
    takc_buf_clear(&c.quoted);
    return st;
}
