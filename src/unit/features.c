/* SPDX-License-Identifier: Apache-2.0
 *
 * features.c - two walks over a unit's line: one over its bytes (capitals, acronyms, currency signs, citations, the digit mask), one over
 * its normalised words (numbers, years, dates, quantities, cues, terms). Cues are whole words looked up in one table that says all that a
 * word can mean; phrases of two or three words are told from the word before. */
#include "unit/features.h"
#include "base/alloc.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "token/lexicon.h"
#include "unit/instructs.h"
#include "unit/notice.h"

#include <unicode/uchar.h>

enum cue {
    WHY = 1 << 0,
    DECIDE = 1 << 1,
    OBLIGE = 1 << 2,
    DEFINE = 1 << 3,
    EXTREME = 1 << 4,
    ADDED = 1 << 5,
    MONTH = 1 << 6,
    MEASURE = 1 << 7,
    AMOUNT = 1 << 8,
    NEGATE = 1 << 9,
    BE = 1 << 10,
    PRONOUN = 1 << 11,
    OPENER = 1 << 12,
    FILLER = 1 << 13,
    VERB = 1 << 14,
    PRIOR = 1 << 15,
    ORDERS = 1 << 16,
    REPLY = 1 << 17,
};

/* Ascending by bytes. */
static const struct takc_lexeme cues[] = {
    {"above", PRIOR},
    {"added", ADDED},
    {"aint", NEGATE},
    {"all", PRIOR},
    {"answer", REPLY},
    {"any", PRIOR},
    {"april", MONTH},
    {"are", BE},
    {"arent", NEGATE},
    {"august", MONTH},
    {"because", WHY},
    {"before", PRIOR},
    {"best", EXTREME},
    {"biggest", EXTREME},
    {"billion", AMOUNT},
    {"bye", OPENER},
    {"bypass", VERB},
    {"byte", MEASURE},
    {"bytes", MEASURE},
    {"called", DEFINE},
    {"cannot", NEGATE},
    {"cant", NEGATE},
    {"caused", WHY},
    {"cm", MEASURE},
    {"commands", ORDERS},
    {"context", ORDERS},
    {"cool", OPENER},
    {"couldnt", NEGATE},
    {"day", MEASURE},
    {"days", MEASURE},
    {"december", MONTH},
    {"defined", DEFINE},
    {"deprecated", ADDED},
    {"didnt", NEGATE},
    {"directions", ORDERS},
    {"directives", ORDERS},
    {"disregard", VERB},
    {"doesnt", NEGATE},
    {"dollars", AMOUNT},
    {"dont", NEGATE},
    {"earlier", PRIOR},
    {"entitled", OBLIGE},
    {"everything", ORDERS},
    {"except", NEGATE},
    {"february", MONTH},
    {"first", EXTREME},
    {"foregoing", PRIOR},
    {"forget", VERB},
    {"gb", MEASURE},
    {"guidelines", ORDERS},
    {"hadnt", NEGATE},
    {"hasnt", NEGATE},
    {"havent", NEGATE},
    {"he", PRONOUN},
    {"hey", OPENER},
    {"highest", EXTREME},
    {"hmm", OPENER},
    {"hour", MEASURE},
    {"hours", MEASURE},
    {"however", OPENER},
    {"ignore", VERB},
    {"instruction", ORDERS},
    {"instructions", ORDERS},
    {"is", BE},
    {"isnt", NEGATE},
    {"it", PRONOUN},
    {"january", MONTH},
    {"july", MONTH},
    {"june", MONTH},
    {"kb", MEASURE},
    {"kg", MEASURE},
    {"km", MEASURE},
    {"largest", EXTREME},
    {"last", EXTREME},
    {"least", EXTREME},
    {"lowest", EXTREME},
    {"m", MEASURE},
    {"march", MONTH},
    {"may", MONTH},
    {"mb", MEASURE},
    {"means", DEFINE},
    {"mg", MEASURE},
    {"million", AMOUNT},
    {"minute", MEASURE},
    {"minutes", MEASURE},
    {"mm", MEASURE | OPENER},
    {"month", MEASURE},
    {"months", MEASURE},
    {"most", EXTREME},
    {"ms", MEASURE},
    {"must", OBLIGE},
    {"mustnt", NEGATE},
    {"neednt", NEGATE},
    {"neither", NEGATE},
    {"never", NEGATE},
    {"no", NEGATE},
    {"nobody", NEGATE},
    {"none", NEGATE},
    {"nor", NEGATE},
    {"not", NEGATE},
    {"nothing", NEGATE},
    {"november", MONTH},
    {"nowhere", NEGATE},
    {"october", MONTH},
    {"oh", OPENER},
    {"okay", OPENER},
    {"only", EXTREME},
    {"opinion", DECIDE},
    {"output", REPLY},
    {"override", VERB},
    {"percent", AMOUNT},
    {"preceding", PRIOR},
    {"previous", PRIOR},
    {"primarily", WHY},
    {"prior", PRIOR},
    {"prompt", ORDERS},
    {"prompts", ORDERS},
    {"reason", WHY},
    {"reasons", WHY},
    {"reply", REPLY},
    {"required", OBLIGE},
    {"respond", REPLY},
    {"resulted", WHY},
    {"right", OBLIGE | OPENER},
    {"rules", ORDERS},
    {"say", REPLY},
    {"second", MEASURE},
    {"seconds", MEASURE},
    {"september", MONTH},
    {"shall", OBLIGE},
    {"she", PRONOUN},
    {"should", DECIDE},
    {"shouldnt", NEGATE},
    {"since", WHY | ADDED},
    {"so", OPENER},
    {"system", PRIOR},
    {"thanks", OPENER},
    {"that", PRONOUN},
    {"therefore", WHY},
    {"these", PRONOUN | PRIOR},
    {"they", PRONOUN},
    {"think", DECIDE},
    {"this", PRONOUN},
    {"those", PRONOUN},
    {"uh", OPENER | FILLER},
    {"um", OPENER | FILLER},
    {"unless", NEGATE},
    {"usd", AMOUNT},
    {"was", BE},
    {"wasnt", NEGATE},
    {"week", MEASURE},
    {"weeks", MEASURE},
    {"well", OPENER},
    {"were", BE},
    {"werent", NEGATE},
    {"will", DECIDE},
    {"without", NEGATE},
    {"wont", NEGATE},
    {"wouldnt", NEGATE},
    {"wow", OPENER},
    {"yeah", OPENER},
    {"year", MEASURE},
    {"years", MEASURE},
    {"yes", OPENER},
    {"your", PRIOR},
};

/* Word beginnings that are cues when at least one more letter follows. */
static const struct {
    const char *text;
    uint8_t len;
    uint32_t bits;
} prefixes[] = {{"agree", 4, DECIDE},    {"attribut", 8, WHY},  {"decid", 5, DECIDE},   {"obligat", 7, OBLIGE}, {"plan", 3, DECIDE},
                {"prohibit", 7, OBLIGE}, {"propos", 6, DECIDE}, {"suggest", 6, DECIDE}, {"terminat", 8, OBLIGE}};

/* The walk over the words of one line. */
struct walk {
    struct takc_str line;
    struct takc_unit *unit;
    uint64_t before, before2; /* packed words before this one */
    uint32_t before_bits;     /* what the word before can mean */
    struct takc_word last;    /* the word before: places only */
    unsigned n_words, n_terms, n_tokens;
    unsigned verb_at, prior_at, orders_at; /* words + 1 where the parts of an instruction stood last; 0: nowhere */
    bool point, added;                     /* a number with a point; added, deprecated, since */
    bool must;                             /* "you must", "you should", "only" stood just before */
};

static void count8(uint8_t *n)
{
    *n = (uint8_t)(*n < UINT8_MAX ? *n + 1 : *n);
}

/* A word of up to eight bytes as a number; longer ones by their first eight. */
static uint64_t pack(struct takc_str s)
{
    uint64_t v = 0;
    memcpy(&v, s.ptr, s.len < 8 ? s.len : 8);
    return v;
}
/* clang-format off */
#define PACK(a) pack(takc_str_n(a, sizeof(a) - 1))
/* clang-format on */

static uint32_t bits_of(struct takc_str norm)
{
    uint32_t bits = takc_lexicon_find(cues, sizeof(cues) / sizeof(cues[0]), norm);
    if (norm.len < 4 || !strchr("adopst", norm.ptr[0]))
        return bits;
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (norm.len > prefixes[i].len && memcmp(norm.ptr, prefixes[i].text, prefixes[i].len) == 0 &&
            takc_str_starts(norm, takc_str(prefixes[i].text)))
            bits |= prefixes[i].bits;
    return bits;
}

static bool is_word_byte(unsigned char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
}

/* A number: years stand alone and have four digits; "March 5" is a date. */
static void number(struct walk *k, const struct takc_word *w)
{
    struct takc_str s = k->line;
    struct takc_unit *u = k->unit;
    count8(&u->nums);
    k->point = k->point || (w->end <= s.len && memchr(s.ptr + w->start, '.', w->end - w->start) != NULL);
    char c = w->norm.ptr[0], d = w->norm.len == 4 ? w->norm.ptr[1] : 0;
    bool alone = (w->start == 0 || !is_word_byte((unsigned char)s.ptr[w->start - 1])) &&
                 (w->end >= s.len || !is_word_byte((unsigned char)s.ptr[w->end]));
    if (w->norm.len == 4 && w->end - w->start == 4 && alone && !memchr(w->norm.ptr, '.', 4) &&
        ((c == '1' && d >= '5') || (c == '2' && d == '0'))) {
        count8(&u->years);
        count8(&u->dates);
    } else if (k->before_bits & MONTH && k->last.end + 1 == w->start && s.ptr[k->last.start] >= 'A' && s.ptr[k->last.start] <= 'Z') {
        count8(&u->dates);
    }
}

/* Phrases that end with this word. */
static uint32_t phrase_bits(const struct walk *k, struct takc_str norm, bool article)
{
    uint64_t w = pack(norm), b = k->before;
    if (article)
        return k->before_bits & BE ? DEFINE : 0;
    if (w == PACK("to"))
        return b == PACK("due") ? WHY : b == PACK("refers") ? DEFINE : b == PACK("agree") || b == PACK("agrees") ? OBLIGE : 0;
    if (w == PACK("by"))
        return b == PACK("driven") ? WHY : 0;
    if (w == PACK("as"))
        return b == PACK("known") ? DEFINE : 0;
    if (w == PACK("for"))
        return b == PACK("stands") ? DEFINE : 0;
    if (w == PACK("result"))
        return b == PACK("a") && k->before2 == PACK("as") ? WHY : 0;
    return w == PACK("not") && b == PACK("may") ? OBLIGE : 0;
}

/* Words that speak to a reader model: "ignore (all) previous instructions", "you must reply only", "system prompt", "as an AI". */
static void instruction(struct walk *k, uint32_t bits, struct takc_str norm)
{
    enum { NEAR = 7 }; /* words between the verb and what it is about */
    unsigned at = k->n_words + 1;
    uint64_t w = pack(norm);
    k->verb_at = bits & VERB ? at : k->verb_at;
    k->prior_at = bits & PRIOR ? at : k->prior_at;
    k->orders_at = bits & ORDERS ? at : k->orders_at;
    bool about = k->verb_at && k->orders_at > k->verb_at && k->orders_at - k->verb_at <= NEAR && k->prior_at > k->verb_at &&
                 k->prior_at - k->verb_at <= NEAR + 1;
    bool reply = k->must && bits & REPLY;
    bool only = w == PACK("only") && k->before_bits & REPLY && (k->n_words == 1 || k->before2 == PACK("must"));
    bool system = k->before == PACK("system") && (w == PACK("prompt") || w == PACK("prompts"));
    bool as_ai = w == PACK("ai") && (k->before == PACK("an")) && k->before2 == PACK("as");
    bool now = w == PACK("now") && k->before == PACK("are") && k->before2 == PACK("you");
    if (about || reply || only || system || as_ai || now)
        k->unit->flags |= TAKC_UNIT_INSTRUCTS;
    k->must = (w == PACK("must") && k->before == PACK("you")) || (k->must && w == PACK("only"));
}

/* What the first word says, with its capital, and the first two. */
static void openers(struct walk *k, const struct takc_word *w, uint32_t bits)
{
    char c = k->line.ptr[w->start];
    struct takc_unit *u = k->unit;
    if (k->n_words == 0 && w->start == 0 && c >= 'A' && c <= 'Z') {
        u->flags |= bits & PRONOUN ? TAKC_UNIT_PRONOUN : 0;
        u->flags |= bits & OPENER ? TAKC_UNIT_FILLER : 0;
    }
    uint64_t x = pack(w->norm), b = k->before;
    bool second = k->n_words == 1 && ((b == PACK("in") && x == PACK("addition")) || (b == PACK("thank") && x == PACK("you")));
    bool any = (b == PACK("you") && x == PACK("know")) || (b == PACK("i") && x == PACK("mean"));
    if (second || any || bits & FILLER)
        u->flags |= TAKC_UNIT_FILLER;
}

static void word(struct walk *k, const struct takc_word *w)
{
    struct takc_unit *u = k->unit;
    uint32_t bits = bits_of(w->norm), all = bits | phrase_bits(k, w->norm, w->article);
    if (all & WHY)
        count8(&u->why);
    if (all & DECIDE)
        count8(&u->decides);
    if (all & OBLIGE)
        count8(&u->obliges);
    if (all & DEFINE)
        count8(&u->defines);
    if (bits & EXTREME)
        count8(&u->extremes);
    unsigned gap = w->start - k->last.end;
    if (bits & AMOUNT || (bits & MEASURE && k->last.number && (gap == 0 || (gap == 1 && k->line.ptr[k->last.end] == ' '))))
        count8(&u->money);
    if (bits & NEGATE)
        u->flags |= TAKC_UNIT_NEGATES;
    k->added = k->added || bits & ADDED;
    if (takc_str_starts(w->norm, takc_str("default")))
        u->flags |= TAKC_UNIT_DEFAULT;
    if (takc_str_starts(w->norm, takc_str("bibref")) || (k->before == PACK("et") && takc_str_is(w->norm, "al")))
        u->flags |= TAKC_UNIT_CITES;
    openers(k, w, bits);
    instruction(k, bits, w->norm);
    k->before_bits = bits;
}

/* The walk over words: counts, cues, terms. */
static enum takc_status walk_words(struct takc_features *f, struct walk *k, struct takc_units *u, struct takc_err *err)
{
    struct takc_word w;
    enum takc_status st = TAKC_OK;
    takc_words_restart(&f->words, k->line);
    while (!st && takc_words_next(&f->words, &w)) {
        if (w.number) {
            number(k, &w);
            k->before_bits = 0;
        } else {
            word(k, &w);
        }
        k->n_tokens += !w.article && !w.more;
        if (!w.article && !takc_word_is_stop(w.norm)) {
            uint32_t id;
            st = takc_intern_add(&u->vocabulary, takc_word_stem(w.norm), &id, err);
            if (!st)
                st = takc_grow(&u->terms, &u->terms_cap, u->n_terms + 1, sizeof(*u->terms), err);
            if (!st)
                u->terms[u->n_terms++] = id;
        }
        k->before2 = k->before;
        k->before = pack(w.norm);
        k->last = w;
        k->n_words++;
    }
    if (!st && f->words.failed)
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory to normalise a word");
    return st;
}

struct shape {
    bool first, lower, upper, letter; /* any yet; lower and upper case letters; begins with a letter */
    unsigned n;                       /* characters */
};

/* A white-space word ends: is it capitalised, an acronym? */
static void end_shape(struct shape *s, bool first_word, bool capital, struct takc_unit *u)
{
    if (s->n == 0)
        return;
    if (capital && !first_word)
        count8(&u->caps);
    if (s->n > 1 && s->letter && s->upper && !s->lower)
        count8(&u->acronyms);
    *s = (struct shape){0};
}

/* Is there "[digits]" at i? */
static bool cites_at(struct takc_str s, size_t i)
{
    size_t from = ++i;
    while (i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9')
        i++;
    return i > from && i < s.len && s.ptr[i] == ']';
}

/* The walk over bytes: capitals, acronyms, signs of money, citations; mask gets the line in lower case with digits masked. */
static void walk_bytes(struct takc_str line, char *mask, struct takc_unit *u)
{
    struct shape s = {0};
    bool first_word = true, capital = false;
    for (size_t i = 0; i < line.len;) {
        size_t at = i;
        uint32_t c = (unsigned char)line.ptr[i];
        if (c == ' ') {
            end_shape(&s, first_word, capital, u);
            first_word = false;
            mask[i++] = ' ';
            continue;
        }
        bool low, up, letter;
        if (c < 0x80) {
            low = c >= 'a' && c <= 'z';
            up = c >= 'A' && c <= 'Z';
            letter = low || up;
            mask[i++] = (char)(up ? c | 0x20 : c >= '0' && c <= '9' ? '0' : c);
            if (c == '$' || c == '%')
                count8(&u->money);
            else if (c == '[' && cites_at(line, at))
                u->flags |= TAKC_UNIT_CITES;
        } else {
            c = takc_utf8_next(line, &i, NULL);
            low = u_islower((UChar32)c);
            up = u_isupper((UChar32)c);
            letter = low || up || u_isalpha((UChar32)c);
            memcpy(mask + at, line.ptr + at, i - at);
            if (c == 0xA3 || c == 0x20AC)
                count8(&u->money);
        }
        if (s.n++ == 0) {
            capital = up;
            s.letter = letter;
        }
        s.lower |= low;
        s.upper |= up;
    }
    end_shape(&s, first_word, capital, u);
}

void takc_features_init(struct takc_features *f)
{
    *f = (struct takc_features){0};
    takc_words_init(&f->words, takc_str_n(NULL, 0));
}

void takc_features_clear(struct takc_features *f)
{
    takc_words_clear(&f->words);
    takc_free(f->mask);
    takc_features_init(f);
}

enum takc_status takc_features_count(struct takc_features *f, struct takc_str line, struct takc_units *u, struct takc_unit *unit,
                                     struct takc_err *err)
{
    struct walk k = {.line = line, .unit = unit};
    enum takc_status st = takc_grow(&f->mask, &f->mask_cap, line.len + 1, 1, err);
    if (st)
        return st;
    walk_bytes(line, f->mask, unit);
    unit->mask_hash = takc_hash64(takc_str_n(f->mask, line.len), 0);
    unit->term_at = (uint32_t)u->n_terms;
    st = walk_words(f, &k, u, err);
    size_t n_terms = u->n_terms - unit->term_at;
    unit->n_terms = (uint16_t)(n_terms > UINT16_MAX ? UINT16_MAX : n_terms);
    unit->n_tokens = (uint16_t)(k.n_tokens > UINT16_MAX ? UINT16_MAX : k.n_tokens);
    if (k.point && k.added)
        unit->flags |= TAKC_UNIT_VERSION;
    if (line.len && line.ptr[line.len - 1] == '?')
        unit->flags |= TAKC_UNIT_QUESTION;
    if (line.len && takc_line_instructs(line))
        unit->flags |= TAKC_UNIT_INSTRUCTS;
    if (takc_line_is_notice(line))
        unit->flags |= TAKC_UNIT_NOTICE;
    return st;
}

enum takc_status takc_features_instructs(struct takc_str line, bool *out, struct takc_err *err)
{
    struct takc_features f;
    struct takc_units units;
    struct takc_unit unit = {.kind = TAKC_UNIT_SENTENCE};
    takc_features_init(&f);
    takc_units_init(&units);
    enum takc_status st = takc_features_count(&f, line, &units, &unit, err);
    *out = unit.flags & TAKC_UNIT_INSTRUCTS;
    takc_units_clear(&units);
    takc_features_clear(&f);
    return st;
}

enum takc_status takc_features_terms(struct takc_features *f, struct takc_str text, struct takc_intern *vocabulary, uint32_t **terms,
                                     size_t *n, size_t *cap, struct takc_err *err)
{
    struct takc_word w;
    takc_words_restart(&f->words, text);
    while (takc_words_next(&f->words, &w)) {
        if (w.article || takc_word_is_stop(w.norm))
            continue;
        uint32_t id;
        enum takc_status st = takc_intern_add(vocabulary, takc_word_stem(w.norm), &id, err);
        if (!st)
            st = takc_grow(terms, cap, *n + 1, sizeof(**terms), err);
        if (st)
            return st;
        (*terms)[(*n)++] = id;
    }
    return f->words.failed ? takc_fail(err, TAKC_NOMEM, 0, "no memory to normalise a word") : TAKC_OK;
}

bool takc_cues_sorted(void)
{
    return takc_lexicon_sorted(cues, sizeof(cues) / sizeof(cues[0]));
}
