/* SPDX-License-Identifier: Apache-2.0
 *
 * claims.c - an answer's words against those of the spans it cites. What counts as a claim is asked of an empty quotation: what it lacks is
 * what needs proof. */
#include "verify/claims.h"
#include "base/utf8.h"
#include "verify/line.h"

#include <string.h>
#include <unicode/uchar.h>

struct check {
    struct takc_items said, quote, asked, nothing;
    struct takc_claims *out;
    takc_unfounded_fn *each;
    void *arg;
};

/* Without bullet and ordinal. */
static struct takc_str bare(struct takc_str line)
{
    size_t i = 0, digits;
    while (i < line.len && (line.ptr[i] == ' ' || line.ptr[i] == '-' || line.ptr[i] == '*' || line.ptr[i] == '#'))
        i++;
    for (digits = i; digits < line.len && line.ptr[digits] >= '0' && line.ptr[digits] <= '9';)
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
    enum takc_status st = split_answer(&c, answer, err);
    if (!st)
        st = takc_items_add(&c.quote, quote, err);
    if (!st)
        st = takc_items_add(&c.asked, question, err);
    for (size_t j = 0; !st && j < c.said.n; j++)
        st = check_item(&c, j, err);
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        takc_items_clear(all[i]);
    return st;
}
