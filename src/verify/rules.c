/* SPDX-License-Identifier: Apache-2.0
 *
 * rules.c - the closed lists and the patterns. Nothing else may be left out: whoever wants to drop more has to publish it here first.
 *
 * No entry is a negation, a number or a name. Where an entry could be one by its spelling, the rule asks for more: a capital is allowed
 * only where a sentence begins ("The Hague" stays), "a" must be followed by white space ("a)" and "Vitamin A." stay), an opener needs the
 * comma behind it ("So, we" but not "So many"), "um" and "mm" may not follow a number. */
#include "verify/rules.h"
#include "verify/verify.h"

enum { PATTERN_MAX_ITEMS = 60 }; /* of a "(see ...)"; longer ones are text */

struct phrase {
    const char *words[3];
};

static const char *const articles[] = {"a", "an", "the"};
#define TAKC_FILLERS(X) X("uh") X("uhm") X("um") X("er") X("erm") X("hmm") X("hm") X("mm")
#define TAKC_LINKS(X) X("however") X("moreover") X("furthermore") X("additionally") X("also") X("so")
#define TAKC_SOUNDS(X) X("yeah") X("okay") X("ok") X("well") X("right") X("oh")
#define TAKC_OPENERS(X) TAKC_LINKS(X) TAKC_SOUNDS(X)

#define ITEM(z) z,
#define TEXT(z) " " z
static const char *const fillers[] = {TAKC_FILLERS(ITEM)};
static const char *const openers[] = {TAKC_OPENERS(ITEM)};
static const struct phrase filler_phrases[] = {{{"you", "know"}}, {{"i", "mean"}}};

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

const char *takc_verify_rules(void)
{
    return "A shown line has the words and marks of its spans, in their order, byte for byte. Only this may be missing:\n"
           "- articles: a an the\n"
           "- fillers:" TAKC_FILLERS(
               TEXT) ", you know, I mean\n"
                     "- as the first words of a line, with the comma or stop behind them:" TAKC_OPENERS(
                         TEXT) ", in addition\n"
                               "- citations [n], [n, m], [n-m] and BIBREFn\n"
                               "- (see ...): a bracket that begins with see, up to its closing bracket, at most 60 words and marks, "
                               "without a negation\n"
                               "- commas, stops and dashes that stand next to one of these\n"
                               "A word of these lists that is written with a capital counts as a name and must stay, except where a "
                               "sentence begins.\n"
                               "\"a\" must stay where no white space follows it; \"um\" and \"mm\" must stay behind a number.\n"
                               "White space may differ; the bar between cells may be shown as a semicolon. Anchors may have brackets and "
                               "one slash.\n"
                               "Never missing: another number, a negation, a name, any other word, any other mark. Nothing may be added or "
                               "changed.\n"
                               "A generated line instead holds no number, date, name, negation or unit of measure that its spans lack, and "
                               "it negates where they do.\n";
}

bool takc_rule_light(const struct takc_item *it)
{
    static const char *const light[] = {",", ";", ":", ".", "!", "?", "-", "--", "\xE2\x80\xA6", "\xE2\x80\x93", "\xE2\x80\x94"};
    for (size_t i = 0; it->mark && i < COUNT(light); i++)
        if (takc_item_is(it, light[i]))
            return true;
    return false;
}

/* The item is that word: lower case, or with a capital where a sentence begins. */
static bool is_word(const struct takc_item *it, const char *lower)
{
    if (it->mark)
        return false;
    return takc_item_is(it, lower) || (it->opens && takc_item_is_word(it, lower));
}

static bool in_list(const struct takc_item *it, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (is_word(it, list[i]))
            return true;
    return false;
}

/* Items of the phrase at i, 0 when it does not stand there. "I" is always a capital. */
static size_t phrase_at(const struct takc_items *q, size_t i, const struct phrase *p)
{
    size_t n = 0;
    for (; n < COUNT(p->words) && p->words[n]; n++) {
        if (i + n >= q->n)
            return 0;
        const struct takc_item *it = &q->v[i + n];
        bool pronoun = strcmp(p->words[n], "i") == 0 && takc_item_is(it, "I");
        if (!pronoun && !is_word(it, p->words[n]))
            return 0;
    }
    return n;
}

static bool is_article(const struct takc_items *q, size_t i)
{
    const struct takc_item *it = &q->v[i];
    if (!in_list(it, articles, COUNT(articles)))
        return false;
    return it->s.len > 1 || (!it->glued && i + 1 < q->n);
}

static size_t filler_at(const struct takc_items *q, size_t i)
{
    const struct takc_item *it = &q->v[i];
    bool unit = (takc_item_is(it, "um") || takc_item_is(it, "mm")) && i > 0 && takc_item_has_digit(&q->v[i - 1]);
    return in_list(it, fillers, COUNT(fillers)) && !unit;
}

/* Digits, or digits joined by dashes: what may stand in a citation bracket. */
static bool is_citation_number(const struct takc_item *it)
{
    size_t digits = 0;
    for (size_t i = 0; i < it->s.len; i++) {
        char c = it->s.ptr[i];
        bool dash = c == '-' || (unsigned char)c >= 0x80;
        if (!dash && (c < '0' || c > '9') && c != ',')
            return false;
        digits += !dash && c != ',';
    }
    return digits >= 1 && it->s.len <= 40;
}

/* [n], [n, m], [n-m], [n; m] */
static size_t citation_at(const struct takc_items *q, size_t i)
{
    if (!takc_item_is(&q->v[i], "["))
        return 0;
    size_t at = i + 1, numbers = 0;
    for (; at < q->n && at - i < PATTERN_MAX_ITEMS && !takc_item_is(&q->v[at], "]"); at++)
        if (!q->v[at].mark && is_citation_number(&q->v[at]))
            numbers++;
        else if (!takc_rule_light(&q->v[at]))
            return 0;
    return numbers && at < q->n && takc_item_is(&q->v[at], "]") ? at - i + 1 : 0;
}

static bool is_bibref(const struct takc_item *it)
{
    if (it->mark || it->s.len < 7 || memcmp(it->s.ptr, "BIBREF", 6) != 0)
        return false;
    for (size_t i = 6; i < it->s.len; i++)
        if (it->s.ptr[i] < '0' || it->s.ptr[i] > '9')
            return false;
    return true;
}

/* (see ...) up to the bracket that closes it. */
static size_t see_at(const struct takc_items *q, size_t i)
{
    if (!takc_item_is(&q->v[i], "(") || i + 1 >= q->n || !takc_item_is_word(&q->v[i + 1], "see"))
        return 0;
    size_t depth = 0;
    for (size_t at = i; at < q->n && at - i < PATTERN_MAX_ITEMS; at++) {
        if (!q->v[at].mark && takc_item_is_negation(&q->v[at]))
            return 0;
        depth += takc_item_is(&q->v[at], "(");
        if (takc_item_is(&q->v[at], ")") && --depth == 0)
            return at - i + 1;
    }
    return 0;
}

/* All ways but that of an opener. */
static size_t other_ways(const struct takc_items *quote, size_t i, size_t out[TAKC_RULE_MAX_WAYS])
{
    const struct takc_item *it = &quote->v[i];
    size_t ways[TAKC_RULE_MAX_WAYS] = {0}, n = 0;
    if (it->mark) {
        ways[0] = citation_at(quote, i);
        ways[1] = see_at(quote, i);
    } else {
        ways[0] = is_article(quote, i) || is_bibref(it);
        ways[1] = filler_at(quote, i);
        for (size_t k = 0; k < COUNT(filler_phrases); k++)
            ways[2 + k] = phrase_at(quote, i, &filler_phrases[k]);
    }
    for (size_t k = 0; k < TAKC_RULE_MAX_WAYS; k++)
        if (ways[k])
            out[n++] = ways[k];
    return n;
}

/* Items of the opener at i that a comma or a stop closes; the capital is free, as it stands where a line begins. */
static size_t opener_words(const struct takc_items *q, size_t i)
{
    size_t n = 0;
    for (size_t k = 0; !n && k < COUNT(openers); k++)
        n = !q->v[i].mark && takc_item_is_word(&q->v[i], openers[k]);
    if (!n && i + 1 < q->n && takc_item_is_word(&q->v[i], "in") && takc_item_is(&q->v[i + 1], "addition"))
        n = 2;
    return n && i + n < q->n && takc_rule_light(&q->v[i + n]) ? n : 0;
}

/* Does nothing stand between the line's beginning and item i but what may be left out? */
static bool at_start(const struct takc_items *q, size_t i)
{
    size_t at = 0, n = 1;
    for (; at < i && n; at += n) {
        size_t ways[TAKC_RULE_MAX_WAYS], k = other_ways(q, at, ways);
        n = k ? 0 : takc_rule_light(&q->v[at]) ? 1 : opener_words(q, at);
        while (k > 0)
            n = ways[--k] > n ? ways[k] : n;
    }
    return at == i;
}

static size_t opener_at(const struct takc_items *q, size_t i)
{
    size_t n = opener_words(q, i);
    return n && at_start(q, i) ? n : 0;
}

size_t takc_rule_ways(const struct takc_items *quote, size_t i, size_t out[TAKC_RULE_MAX_WAYS])
{
    size_t n = other_ways(quote, i, out), opener = quote->v[i].mark ? 0 : opener_at(quote, i);
    if (opener)
        out[n++] = opener;
    return n;
}
