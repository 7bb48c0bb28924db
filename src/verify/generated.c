/* SPDX-License-Identifier: Apache-2.0
 *
 * generated.c - level X for a line that a model wrote: it need not be a subsequence, but it may not know more than its spans. Every number,
 * date, name, negation and unit of measure in it must stand in the spans, and it negates where they do. What else it leaves out is not
 * judged. */
#include "base/buf.h"
#include "base/utf8.h"
#include "verify/line.h"
#include "verify/report.h"
#include "verify/verify.h"

#include <stdio.h>
#include <unicode/uchar.h>

/* Units of measure and scale words, compared without case. */
static const char *const units[] = {
    "%",       "percent",  "thousand", "million", "billion",     "trillion",    "dozen",       "usd",         "eur",       "gbp",
    "dollars", "dollar",   "euros",    "euro",    "pounds",      "cents",       "kg",          "mg",          "g",         "lb",
    "lbs",     "tons",     "ton",      "tonnes",  "km",          "m",           "cm",          "mm",          "miles",     "mile",
    "feet",    "ft",       "inches",   "inch",    "ms",          "s",           "sec",         "min",         "h",         "hours",
    "hour",    "days",     "day",      "weeks",   "week",        "months",      "month",       "years",       "year",      "minutes",
    "minute",  "seconds",  "second",   "gb",      "mb",          "kb",          "tb",          "bytes",       "byte",      "bits",
    "kw",      "kwh",      "mw",       "hz",      "ghz",         "mhz",         "liters",      "litres",      "ml",        "l",
    "degrees", "volts",    "watts",    "points",  "basis",       "bps",         "bn",          "mn",          "bar",       "mbar",
    "psi",     "kpa",      "mpa",      "hpa",     "pa",          "atm",         "torr",        "knots",       "knot",      "mph",
    "kmh",     "rpm",      "chf",      "jpy",     "cny",         "inr",         "cad",         "aud",         "sek",       "nok",
    "dkk",     "yen",      "yuan",     "francs",  "franc",       "rupees",      "pence",       "pound",       "cent",      "acres",
    "acre",    "hectares", "hectare",  "ha",      "gallons",     "gallon",      "barrels",     "barrel",      "bbl",       "oz",
    "ounces",  "ounce",    "grams",    "gram",    "kilograms",   "kilogram",    "kilometers",  "kilometres",  "kilometer", "kilometre",
    "meters",  "metres",   "meter",    "metre",   "centimeters", "centimetres", "millimeters", "millimetres", "microns",   "liter",
    "litre",   "tonne",    "quarters", "quarter", "decades",     "decade",      "hundred",     "pct",         "celsius",   "fahrenheit",
    "kelvin",  "amps",     "amp",      "amperes", "ampere",      "ma",          "ohm",         "ohms",        "kv",        "kva",
    "volt",    "watt",     "gw",       "mwh",     "gwh",         "twh",         "kj",          "mj",          "joules",    "btu",
    "mmbtu",   "db",       "yards",    "yard",    "kilobytes",   "megabytes",   "gigabytes",   "terabytes",   "pb",        "bit",
    "mbps",    "gbps",     "kbps",     "khz",     "ns"};
static const char *const months[] = {"january",   "february",  "march",   "april",    "may",      "june",   "july",
                                     "august",    "september", "october", "november", "december", "monday", "tuesday",
                                     "wednesday", "thursday",  "friday",  "saturday", "sunday"};
/* Words that may open a sentence without standing in the spans, though they have a capital there. */
static const char *const openers[] = {"the",   "a",    "an",   "this",  "that", "these", "those", "it",     "its",    "they",
                                      "their", "he",   "she",  "his",   "her",  "we",    "our",   "you",    "your",   "i",
                                      "in",    "on",   "at",   "by",    "for",  "from",  "to",    "with",   "of",     "as",
                                      "and",   "but",  "or",   "if",    "when", "while", "after", "before", "during", "both",
                                      "all",   "each", "some", "there", "here", "also",  "then",  "thus",   "so",     "since"};

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static bool listed(const struct takc_item *it, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (takc_str_eq_nocase(it->s, takc_str(list[i])))
            return true;
    return false;
}

static bool is_unit(const struct takc_item *it)
{
    return !it->mark && listed(it, units, COUNT(units));
}

/* Same bytes once the commas between digits are gone. */
static bool same_number(struct takc_str a, struct takc_str b)
{
    size_t i = 0, j = 0;
    for (;;) {
        while (i < a.len && a.ptr[i] == ',')
            i++;
        while (j < b.len && b.ptr[j] == ',')
            j++;
        if (i == a.len || j == b.len)
            return i == a.len && j == b.len;
        if (a.ptr[i++] != b.ptr[j++])
            return false;
    }
}

/* Does the number stand in quote, and, where a unit follows it, with that unit? */
static bool has_number(const struct takc_items *q, const struct takc_item *it, const struct takc_item *unit)
{
    for (size_t i = 0; i < q->n; i++) {
        if (q->v[i].mark || !same_number(q->v[i].s, it->s))
            continue;
        if (!unit || (i + 1 < q->n && takc_str_eq_nocase(q->v[i + 1].s, unit->s)))
            return true;
    }
    return false;
}

static bool has_word(const struct takc_items *q, struct takc_str word, bool nocase)
{
    for (size_t i = 0; i < q->n; i++)
        if (!q->v[i].mark && (nocase ? takc_str_eq_nocase(q->v[i].s, word) : takc_str_eq(q->v[i].s, word)))
            return true;
    return false;
}

/* "not", "n't" and "cannot" stand for one another; other negations for themselves. */
static bool is_plain_not(const struct takc_item *it)
{
    return takc_item_is_negation(it) && (takc_str_eq_nocase(it->s, takc_str("not")) || takc_str_eq_nocase(it->s, takc_str("cannot")) ||
                                         (it->s.len > 2 && it->s.ptr[it->s.len - 1] == 't'));
}

static bool has_negation(const struct takc_items *q, const struct takc_item *it)
{
    for (size_t i = 0; is_plain_not(it) && i < q->n; i++)
        if (is_plain_not(&q->v[i]))
            return true;
    return has_word(q, it->s, true);
}

static bool has_capital(const struct takc_item *it)
{
    for (size_t pos = 0; pos < it->s.len;)
        if (u_isupper((UChar32)takc_utf8_next(it->s, &pos, NULL)))
            return true;
    return false;
}

/* Without a possessive 's. */
static struct takc_str owner(struct takc_str s)
{
    if (takc_str_ends(s, takc_str("'s")))
        return takc_str_n(s.ptr, s.len - 2);
    return takc_str_ends(s, takc_str("\xE2\x80\x99s")) ? takc_str_n(s.ptr, s.len - 4) : s;
}

static bool has_name(const struct takc_items *q, const struct takc_item *it)
{
    if (it->opens && (listed(it, openers, COUNT(openers)) || has_word(q, it->s, true)))
        return true;
    for (size_t i = 0; i < q->n; i++)
        if (!q->v[i].mark && takc_str_eq(owner(q->v[i].s), owner(it->s)))
            return true;
    return false;
}

const char *takc_line_lacking(const struct takc_items *s, size_t j, const struct takc_items *q)
{
    const struct takc_item *it = &s->v[j], *next = j + 1 < s->n ? it + 1 : NULL;
    if (it->mark)
        return NULL;
    if (takc_item_has_digit(it))
        return has_number(q, it, next && is_unit(next) ? next : NULL) ? NULL : "number";
    if (takc_item_is_negation(it))
        return has_negation(q, it) ? NULL : "negation";
    if (is_unit(it))
        return has_word(q, it->s, true) ? NULL : "unit";
    if (has_capital(it) && listed(it, months, COUNT(months)))
        return has_word(q, it->s, false) ? NULL : "date";
    return has_capital(it) && !has_name(q, it) ? "name" : NULL;
}

/* "No. 7" and a column "No." count; they deny nothing. */
static bool is_ordinal_sign(const struct takc_items *t, size_t i)
{
    if (!takc_item_is(&t->v[i], "No") || i + 1 >= t->n || !takc_item_is(&t->v[i + 1], "."))
        return false;
    return i + 2 == t->n || t->v[i + 2].mark || t->v[i + 2].first || takc_item_has_digit(&t->v[i + 2]);
}

static const struct takc_item *first_negation(const struct takc_items *t)
{
    for (size_t i = 0; i < t->n; i++)
        if (!t->v[i].mark && takc_item_is_negation(&t->v[i]) && !is_ordinal_sign(t, i))
            return &t->v[i];
    return NULL;
}

enum takc_status takc_line_quote(struct takc_items *quote, struct takc_str spans, struct takc_err *err)
{
    takc_items_reset(quote);
    return takc_items_add(quote, spans, err);
}

bool takc_line_generated(const struct takc_items *shown, const struct takc_items *quote, char why[TAKC_WHY_BYTES])
{
    for (size_t j = 0; j < shown->n; j++) {
        const char *kind = takc_line_lacking(shown, j, quote);
        char word[48];
        if (!kind)
            continue;
        (void)snprintf(why, TAKC_WHY_BYTES, "the %s '%s' does not stand in the spans", kind, takc_report_quote(shown->v[j].s, word));
        return false;
    }
    const struct takc_item *denied = first_negation(quote);
    if (denied && !first_negation(shown)) {
        char word[48];
        (void)snprintf(why, TAKC_WHY_BYTES, "the negation '%s' of the spans was left out", takc_report_quote(denied->s, word));
        return false;
    }
    return true;
}

static enum takc_status join(struct takc_buf *out, const struct takc_str *quotes, size_t n, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; i < n && !st; i++) {
        st = takc_buf_add(out, quotes[i], err);
        if (!st)
            st = takc_buf_byte(out, '\n', err);
    }
    return st;
}

enum takc_status takc_verify_generated(void *arg, struct takc_str line, const struct takc_str *quotes, size_t n, bool *out_ok,
                                       char why[256], struct takc_err *err)
{
    struct takc_items shown, quote;
    struct takc_buf all;
    (void)arg;
    takc_items_init(&shown);
    takc_items_init(&quote);
    takc_buf_init(&all, TAKC_BUF_MAX_DOCUMENT);
    enum takc_status st = join(&all, quotes, n, err);
    if (!st)
        st = takc_line_quote(&quote, takc_buf_str(&all), err);
    if (!st)
        st = takc_items_add(&shown, line, err);
    if (!st)
        *out_ok = takc_line_generated(&shown, &quote, why);
    takc_items_clear(&shown);
    takc_items_clear(&quote);
    takc_buf_clear(&all);
    return st;
}
