/* SPDX-License-Identifier: Apache-2.0
 *
 * clean.c - one walk over the blank-separated pieces of a line. Output is never longer than the line, so room is made once and bytes are
 * written without further checks. */
#include "unit/clean.h"

#define FILLERS(X) X("uh") X("uhm") X("um") X("er") X("erm") X("hmm") X("hm") X("mm")
/* clang-format off */
#define OPENERS(X) \
    X("however") X("moreover") X("furthermore") X("additionally") X("also") X("so") X("yeah") X("okay") X("ok") X("well") X("right") \
    X("oh")
/* clang-format on */
#define ITEM(z) z,
#define TEXT(z) " " z
#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static const char *const fillers[] = {FILLERS(ITEM)};
static const char *const openers[] = {OPENERS(ITEM)};
/* Behind "a" these show that it is a letter or a variable, no article. */
static const char *const not_after_a[] = {"and", "or", "is", "are", "was", "to", "in", "of", "as", "at", "by", "for", "on", "than", "="};
/* Capitalised words that a dropped "(see ...)" may hold: parts of the same document, no names. */
static const char *const see_words[] = {"See",     "Note",  "Notes",    "Figure",  "Fig",      "Fig.",
                                        "Figures", "Table", "Tables",   "Section", "Sections", "Item",
                                        "Items",   "Part",  "Appendix", "Exhibit", "Chapter",  "Supplementary"};
static const char *const negations[] = {"not",     "no",     "never",  "nor",    "none",     "neither",
                                        "without", "cannot", "except", "unless", "excluding"};

struct cleaner {
    struct takc_str line;
    int level;
    char *out;
    size_t len;
};

const char *takc_clean_rules(void)
{
    return "Level 0: nothing is left out; cells stay apart by \" | \".\n"
           "Level 1, but never in code:\n"
           "- cells are set apart by \"; \"\n"
           "- articles a, an, the before another word of the same cell; with a capital only as the first word of the line\n"
           "- fillers:" FILLERS(
               TEXT) "; between commas also: you know, I mean\n"
                     "- as first words of a line of prose, with the comma behind them:" OPENERS(
                         TEXT) ", in addition\n"
                               "- citations [n], [n, m], [n-m] with n from 1 to 999 that are glued to no word, and BIBREFn\n"
                               "- (see ...) without a number, a negation or a name\n"
                               "- commas and stops that stand next to one of these\n"
                               "Level 2 also:\n"
                               "- those first words with a stop or exclamation mark behind them, where more follows\n"
                               "- you know, I mean next to one comma\n"
                               "A line of which no letter or digit would be left stays as it is.\n";
}

static bool is_light(char c)
{
    return c == ',' || c == '.' || c == ';' || c == ':' || c == '!' || c == '?';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool listed(struct takc_str s, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (takc_str_is(s, list[i]))
            return true;
    return false;
}

/* As listed, the first letter in either case when capital is set. */
static bool listed_lower(struct takc_str s, const char *const *list, size_t n, bool capital)
{
    char low[16];
    if (s.len == 0 || s.len >= sizeof(low))
        return false;
    memcpy(low, s.ptr, s.len);
    if (capital && low[0] >= 'A' && low[0] <= 'Z')
        low[0] = (char)(low[0] | 0x20);
    return listed(takc_str_n(low, s.len), list, n);
}

/* The blank-separated piece at pos; empty at the end. */
static struct takc_str piece_at(const struct cleaner *c, size_t pos)
{
    const char *end = pos < c->line.len ? memchr(c->line.ptr + pos, ' ', c->line.len - pos) : NULL;
    return takc_str_slice(c->line, pos < c->line.len ? pos : c->line.len, end ? (size_t)(end - c->line.ptr) : c->line.len);
}

/* The piece without light punctuation behind it. */
static struct takc_str core_of(struct takc_str piece)
{
    while (piece.len > 0 && is_light(piece.ptr[piece.len - 1]))
        piece.len--;
    return piece;
}

static bool is_article(const struct cleaner *c, size_t pos, struct takc_str piece)
{
    static const char *const articles[] = {"a", "an", "the"};
    if (piece.len > 3 || !listed_lower(piece, articles, 3, pos == 0))
        return false;
    struct takc_str next = piece_at(c, pos + piece.len + 1);
    if (next.len == 0)
        return false;
    char first = next.ptr[0];
    bool word = is_letter(first) || is_digit(first) || first == '"' || first == '\'' || first == '(' || first == '$' || (first & 0x80);
    if (!word || piece.len > 1)
        return word;
    /* "A" needs a lower-case word behind it ("A company", not "A Class"), "a" no word that shows it is a letter. */
    return piece.ptr[0] == 'A' ? first >= 'a' && first <= 'z' : !listed(next, not_after_a, COUNT(not_after_a));
}

static bool is_filler(const struct cleaner *c, size_t pos, struct takc_str piece)
{
    struct takc_str core = core_of(piece);
    if (core.len < 2 || core.len > 3 || !listed_lower(core, fillers, COUNT(fillers), pos == 0))
        return false;
    if (c->line.len > pos + piece.len + 1 && c->line.ptr[pos + piece.len + 1] == '-')
        return false; /* "mm - hmm" says yes */
    for (size_t i = pos; i > 0 && (i == pos || c->line.ptr[i - 1] != ' '); i--)
        if (is_digit(c->line.ptr[i - 1]) || c->line.ptr[i - 1] == '-')
            return false; /* "5 mm", "uh - huh" */
    return true;
}

/* Bytes of "you know" or "I mean" at pos with what stands behind it, when commas show that it is filler; else 0. */
static size_t filler_phrase(const struct cleaner *c, size_t pos, struct takc_str piece)
{
    bool you = listed_lower(piece, (const char *const[]){"you"}, 1, pos == 0), mean = takc_str_is(piece, "I");
    if (!you && !mean)
        return 0;
    struct takc_str next = piece_at(c, pos + piece.len + 1);
    if (!takc_str_is(core_of(next), you ? "know" : "mean"))
        return 0;
    bool before = pos == 0 || (pos >= 2 && (c->line.ptr[pos - 2] == ',' || c->line.ptr[pos - 2] == '-'));
    bool behind = next.len > 4 && next.ptr[4] == ',';
    return (c->level >= 2 ? before || behind : before && behind) ? piece.len + 1 + next.len : 0;
}

/* Bytes of an opener at the line's start; 0 when there is none. */
static size_t opener(const struct cleaner *c, size_t pos, struct takc_str piece)
{
    struct takc_str whole = piece;
    bool in = listed_lower(piece, (const char *const[]){"in"}, 1, true);
    if (in) {
        struct takc_str next = piece_at(c, pos + piece.len + 1);
        whole = takc_str_n(piece.ptr, piece.len + 1 + next.len);
        if (!takc_str_is(core_of(next), "addition"))
            return 0;
    }
    struct takc_str core = core_of(whole);
    if (whole.len != core.len + 1 || (!in && !listed_lower(core, openers, COUNT(openers), true)))
        return 0;
    char stop = whole.ptr[core.len];
    bool more = pos + whole.len < c->line.len;
    return stop == ',' || (c->level >= 2 && more && (stop == '.' || stop == '!')) ? whole.len : 0;
}

static bool is_bibref(struct takc_str piece)
{
    struct takc_str core = core_of(piece);
    if (core.len < 7 || memcmp(core.ptr, "BIBREF", 6) != 0)
        return false;
    for (size_t i = 6; i < core.len; i++)
        if (!is_digit(core.ptr[i]))
            return false;
    return true;
}

/* May "[n]" between these two places be a citation? An index is glued to its name or to what follows ("x[0].y", ":[1,2]}"), and a bracket
 * alone in another would leave that empty. */
static bool stands_free(struct takc_str s, size_t from, size_t to)
{
    char before = from ? s.ptr[from - 1] : ' ', behind = to < s.len ? s.ptr[to] : ' ';
    bool mark = is_light(behind) && (to + 1 >= s.len || s.ptr[to + 1] == ' ' || s.ptr[to + 1] == '[');
    return (before == ' ' || before == '.' || before == ',' || before == ')' || before == ']' || before == '"') &&
           (behind == ' ' || behind == '[' || mark);
}

/* Bytes of "[n]", "[n, m]", "[n-m]" at pos, n from 1 to 999; 0 when it is none. */
static size_t citation(struct takc_str s, size_t pos)
{
    size_t i = pos + 1, digits = 0;
    for (; i < s.len && i - pos < 40 && s.ptr[i] != ']'; i++) {
        char b = s.ptr[i];
        bool dash = s.len - i > 2 && memcmp(s.ptr + i, "\xE2\x80\x93", 3) == 0;
        if (is_digit(b) ? digits == 0 && b == '0' : b != ',' && b != '-' && b != ' ' && !dash)
            return 0; /* "[0, 1]" is a range */
        digits = is_digit(b) ? digits + 1 : 0;
        if (digits > 3)
            return 0; /* a year, an amount */
        i += dash ? 2 : 0;
    }
    if (i >= s.len || s.ptr[i] != ']' || !is_digit(s.ptr[pos + 1]) || !is_digit(s.ptr[i - 1]))
        return 0;
    return stands_free(s, pos, i + 1) ? i + 1 - pos : 0;
}

/* May this word of a "(see ...)" go with it? */
static bool may_go(struct takc_str word)
{
    for (size_t i = 0; i < word.len; i++)
        if (is_digit(word.ptr[i]) || (word.ptr[i] & 0x80) || (i > 0 && word.ptr[i] >= 'A' && word.ptr[i] <= 'Z'))
            return false;
    struct takc_str core = core_of(word);
    bool nt = core.len > 3 && memcmp(core.ptr + core.len - 3, "n't", 3) == 0;
    if (nt || listed(core, negations, COUNT(negations)))
        return false;
    return core.len == 0 || !(core.ptr[0] >= 'A' && core.ptr[0] <= 'Z') || listed(core, see_words, COUNT(see_words));
}

/* Bytes of "(see ...)" at pos, 0 when it is none or holds what must stay. */
static size_t see(struct takc_str s, size_t pos)
{
    if (s.len - pos < 6 || memcmp(s.ptr + pos + 2, "ee ", 3) != 0 || (s.ptr[pos + 1] | 0x20) != 's')
        return 0;
    size_t from = pos + 1;
    for (size_t i = pos + 1; i < s.len && i - pos < 160; i++) {
        if (s.ptr[i] == '(' || s.ptr[i] == '[')
            return 0;
        if (s.ptr[i] != ' ' && s.ptr[i] != ')')
            continue;
        if (!may_go(takc_str_slice(s, from, i)))
            return 0;
        if (s.ptr[i] == ')')
            return i + 1 - pos;
        from = i + 1;
    }
    return 0;
}

/* A stop behind something dropped closes what came before it. */
static void carry_stop(struct cleaner *c, struct takc_str dropped)
{
    char stop = dropped.ptr[dropped.len - 1], last = c->len ? c->out[c->len - 1] : 0;
    if (c->len && is_light(stop) && stop != ',' && !is_light(last))
        c->out[c->len++] = stop;
}

/* Copies bytes from pos to the blank that ends the piece, without citations and "(see ...)", which may reach over blanks.
 * Returns the place of that blank. */
static size_t copy_piece(struct cleaner *c, size_t pos)
{
    struct takc_str s = c->line;
    bool blank = c->len > 0, dropped = false;
    while (pos < s.len && s.ptr[pos] != ' ') {
        char b = s.ptr[pos];
        size_t n = b == '[' ? citation(s, pos) : b == '(' ? see(s, pos) : 0;
        if (n) {
            pos += n;
            dropped = true;
            continue;
        }
        if (blank && !(dropped && is_light(b)))
            c->out[c->len++] = ' ';
        blank = false;
        c->out[c->len++] = b;
        pos++;
    }
    return pos;
}

/* Bytes to leave out at pos, where piece begins; 0: none. */
static size_t droppable(struct cleaner *c, size_t pos, struct takc_str piece, bool prose)
{
    size_t n = 0;
    char first = (char)(piece.ptr[0] | 0x20);
    if (c->len == 0 && prose)
        n = opener(c, pos, piece);
    if (!n && (first == 'a' || first == 't'))
        return is_article(c, pos, piece) ? piece.len : 0;
    if (!n && (first == 'y' || first == 'i'))
        n = filler_phrase(c, pos, piece);
    if (!n && (is_filler(c, pos, piece) || is_bibref(piece)))
        n = piece.len;
    if (n)
        carry_stop(c, takc_str_n(piece.ptr, n));
    return n;
}

static bool has_word(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (is_letter(p[i]) || is_digit(p[i]) || (p[i] & 0x80))
            return true;
    return false;
}

/* Cell bars to semicolons; drop: the other rules, too. */
static void walk(struct cleaner *c, bool drop, bool prose)
{
    size_t pos = 0;
    c->len = 0;
    while (pos < c->line.len) {
        struct takc_str piece = piece_at(c, pos);
        size_t n = drop && !takc_str_is(piece, "|") ? droppable(c, pos, piece, prose) : 0;
        if (takc_str_is(piece, "|")) {
            c->out[c->len++] = ';';
            pos += 1;
        } else if (n) {
            pos += n;
        } else if (drop) {
            pos = copy_piece(c, pos);
        } else {
            if (c->len)
                c->out[c->len++] = ' ';
            memcpy(c->out + c->len, piece.ptr, piece.len);
            c->len += piece.len;
            pos += piece.len;
        }
        pos += pos < c->line.len && c->line.ptr[pos] == ' ';
    }
}

enum takc_status takc_clean(struct takc_str line, enum takc_unit_kind kind, int level, struct takc_buf *out, struct takc_err *err)
{
    if (level <= 0 || kind == TAKC_UNIT_CODE || line.len == 0)
        return takc_buf_add(out, line, err);
    enum takc_status st = takc_buf_reserve(out, line.len + 1, err);
    if (st)
        return st;
    struct cleaner c = {.line = line, .level = level, .out = out->ptr + out->len};
    walk(&c, true, kind == TAKC_UNIT_SENTENCE || kind == TAKC_UNIT_ITEM);
    if (!has_word(c.out, c.len))
        walk(&c, false, false);
    out->len += c.len;
    out->ptr[out->len] = '\0';
    return TAKC_OK;
}
