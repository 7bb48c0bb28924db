/* SPDX-License-Identifier: Apache-2.0
 *
 * Level X against chance: thousands of made-up sentences. An honest cleaner of this file's own drops only what is published, and never
 * raises an alarm; a sentence in which a number, a negation, a name, a letter or the order was changed is never proved, cleaned or not. */
#include "verify/verify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ROUNDS = 20000, MAX_WORDS = 40 };

static uint64_t seed;

static unsigned pick(unsigned n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)((seed >> 33) % n);
}

enum class { PLAIN = 0, DROP, NUMBER, NEGATION, NAME };

struct word {
    char text[24];
    enum class class;
};

struct sentence {
    struct word words[MAX_WORDS];
    unsigned n;
};

static void add(struct sentence *s, enum class class, const char *text)
{
    struct word *w = &s->words[s->n++];
    (void)snprintf(w->text, sizeof(w->text), "%s", text);
    w->class = class;
}

/* A random sentence. Words to drop come as pieces of the published list; every other word is told by its class. */
static void make(struct sentence *s)
{
    static const char *const plain[] = {"plant", "sold",   "costs", "rose",    "quickly,", "board", "of",
                                        "in",    "report", "(net",  "growth)", "rate;",    "and",   "is"};
    static const char *const drops[] = {"the", "a", "an", "uh,", "um,", "hmm,", "[3]", "[4, 17]", "BIBREF12", "(see Table 3 on page 9)",
                                        "erm"};
    static const char *const openers[] = {"However,", "In addition,", "So,", "Well,", "Moreover,", "The"};
    static const char *const negations[] = {"not", "never", "no", "without", "don't", "cannot", "none"};
    static const char *const names[] = {"Leeds", "Anna", "Acme", "IBM", "Berlin"};
    char number[24];
    s->n = 0;
    if (pick(3) == 0)
        add(s, DROP, openers[pick(6)]);
    add(s, PLAIN, "profit");
    for (unsigned i = 3 + pick(20); i > 0; i--)
        switch (pick(8)) {
        case 0:
        case 1:
            add(s, DROP, drops[pick(11)]);
            break;
        case 2:
            (void)snprintf(number, sizeof(number), "%s%u%s", pick(3) ? "" : pick(2) ? "$" : "-", pick(9999), pick(3) ? "" : "%");
            add(s, NUMBER, number);
            break;
        case 3:
            add(s, NEGATION, negations[pick(7)]);
            break;
        case 4:
            add(s, NAME, names[pick(5)]);
            break;
        default:
            add(s, PLAIN, plain[pick(14)]);
        }
    add(s, PLAIN, "today."); /* an article at the end of a line would be none */
}

/* "5 um" could be a length: there it stays. */
static bool may_go(const struct sentence *s, unsigned i)
{
    bool unit = strcmp(s->words[i].text, "um,") == 0 && i > 0 && strpbrk(s->words[i - 1].text, "0123456789");
    return s->words[i].class == DROP && !unit;
}

/* The sentence as text; clean: with chance, without what may go. */
static void write(const struct sentence *s, bool clean, char out[1024])
{
    size_t n = 0;
    out[0] = '\0';
    for (unsigned i = 0; i < s->n; i++)
        if (!clean || !may_go(s, i) || pick(4) == 0)
            n += (size_t)snprintf(out + n, 1024 - n, "%s%s", n ? " " : "", s->words[i].text);
}

static void honest_cleaning_raises_no_alarm(void **state)
{
    (void)state;
    for (int r = 0; r < ROUNDS; r++) {
        struct sentence s;
        char quote[1024], shown[1024], why[256] = "";
        make(&s);
        write(&s, false, quote);
        write(&s, true, shown);
        if (!takc_verify_line(takc_str(shown), takc_str(quote), why))
            fail_msg("'%s' from '%s': %s", shown, quote, why);
    }
}

/* The first words of s that belong to class; s.n when there is none. */
static unsigned find(const struct sentence *s, enum class class)
{
    unsigned from = pick(s->n);
    for (unsigned k = 0; k < s->n; k++)
        if (s->words[(from + k) % s->n].class == class)
            return (from + k) % s->n;
    return s->n;
}

static void change_digit(char *text)
{
    for (; *text; text++)
        if (*text >= '0' && *text <= '9') {
            *text = (char)('0' + (*text - '0' + 1 + (int)pick(8)) % 10);
            return;
        }
}

static void take_out(struct sentence *s, unsigned at)
{
    for (; at + 1 < s->n; at++)
        s->words[at] = s->words[at + 1];
    s->n--;
}

/* One damage; false when this sentence has no place for it. */
static bool damage(struct sentence *s, unsigned kind)
{
    static const enum class classes[] = {NUMBER, NUMBER, NEGATION, NAME, PLAIN, PLAIN, NUMBER, PLAIN};
    unsigned at = find(s, classes[kind]);
    if (at == s->n)
        return false;
    char *text = s->words[at].text;
    switch (kind) {
    case 0: /* another digit */
        change_digit(text);
        break;
    case 1: /* the sign */
        if (text[0] != '-')
            return false;
        memmove(text, text + 1, strlen(text));
        break;
    case 5: { /* a letter */
        size_t i = text[0] == '(';
        text[i] = text[i] == 'z' ? 'y' : 'z';
        break;
    }
    case 6: /* a digit more */
        (void)strcat(text, "7");
        break;
    case 7: /* a word that is not there */
        if (s->n == MAX_WORDS)
            return false;
        s->words[s->n] = s->words[at];
        (void)snprintf(s->words[s->n++].text, sizeof(s->words[0].text), "indeed");
        break;
    default: /* dropped: number, negation, name, word */
        take_out(s, at);
    }
    return true;
}

static void damage_is_never_proved(void **state)
{
    (void)state;
    unsigned done[8] = {0};
    for (int r = 0; r < ROUNDS; r++) {
        struct sentence s, t;
        char quote[1024], shown[1024], why[256] = "";
        unsigned kind = pick(8);
        make(&s);
        t = s;
        if (!damage(&t, kind))
            continue;
        write(&s, false, quote);
        write(&t, pick(2), shown);
        if (takc_verify_line(takc_str(shown), takc_str(quote), why))
            fail_msg("damage %u: '%s' passed for '%s'", kind, shown, quote);
        assert_true(why[0] != '\0');
        done[kind]++;
    }
    for (int k = 0; k < 8; k++)
        assert_true(done[k] > ROUNDS / 100);
}

/* Two neighbours that are not the same change places. */
static void order_matters(void **state)
{
    (void)state;
    for (int r = 0; r < ROUNDS; r++) {
        struct sentence s, t;
        char quote[1024], shown[1024], why[256];
        make(&s);
        unsigned at = pick(s.n - 1);
        if (s.words[at].class == DROP || s.words[at + 1].class == DROP || strcmp(s.words[at].text, s.words[at + 1].text) == 0)
            continue;
        t = s;
        t.words[at] = s.words[at + 1];
        t.words[at + 1] = s.words[at];
        write(&s, false, quote);
        write(&t, false, shown);
        if (takc_verify_line(takc_str(shown), takc_str(quote), why))
            fail_msg("'%s' passed for '%s'", shown, quote);
    }
}

int main(int argc, char **argv)
{
    seed = argc > 1 ? strtoull(argv[1], NULL, 10) | 1 : 88172645463325252u;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(honest_cleaning_raises_no_alarm),
        cmocka_unit_test(damage_is_never_proved),
        cmocka_unit_test(order_matters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
