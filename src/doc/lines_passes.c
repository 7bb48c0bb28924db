/* SPDX-License-Identifier: Apache-2.0
 *
 * lines_passes.c - what only the neighbours of a line can tell: speakers' turns, terms with descriptions, tables and their headers.
 * Footers are in lines_footer.c. */
#include "base/alloc.h"
#include "base/hash.h"
#include "doc/lines_parts.h"

#include <stdlib.h>

enum {
    MIN_TURNS = 4,
    TABLE_GAP = 3,
    HEADER_WORDS = 25,
    HEADER_AMONG = 4,
    TERM_WORDS = 8,
    TERM_CHARS = 72,
    MAX_INDENT = 64,
    WRAP_CHARS = 110,
    OPEN_CHARS = 60
};

static int by_hash(const void *a, const void *b)
{
    const struct takc_line_pick *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return x->line < y->line ? -1 : x->line > y->line;
}

/* The name before the colon, or the whole line. */
static uint64_t speaker_hash(const struct takc_lines *l, const struct takc_line *v, bool whole)
{
    struct takc_str line = takc_str_slice(l->text, v->start, v->end);
    return takc_hash64(whole ? line : takc_str_slice(line, 0, takc_str_find_byte(line, ':', 0)), 0);
}

/* Does the line hold nothing but the name? */
static bool says_nothing(const struct takc_lines *l, const struct takc_line *v)
{
    return l->text.ptr[v->end - 1] == ':';
}

/* Collects the speakers' lines, sorted by name or as a whole; *again counts those that came before. */
static void gather_turns(struct takc_lines *l, bool whole, size_t *again)
{
    l->n_picks = 0;
    for (size_t i = 0; i < l->n; i++)
        if ((l->v[i].flags & (TAKC_LINE_SPEAKER | TAKC_LINE_PIPE)) == TAKC_LINE_SPEAKER && !(whole && says_nothing(l, &l->v[i])))
            l->picks[l->n_picks++] = (struct takc_line_pick){speaker_hash(l, &l->v[i], whole), (uint32_t)i, 0};
    if (l->n_picks)
        qsort(l->picks, l->n_picks, sizeof(*l->picks), by_hash);
    *again = 0;
    for (size_t i = 1; i < l->n_picks; i++)
        *again += l->picks[i].hash == l->picks[i - 1].hash;
}

/* A transcript is a text where at least half of the lines open with a name that comes again, and where what is said differs: "Type:
 * String", "Required: No" is a form. */
enum takc_status takc_lines_turns(struct takc_lines *l, struct takc_err *err)
{
    size_t n_said = 0, n_speakers = 0, n_again, n_same;
    for (size_t i = 0; i < l->n; i++) {
        n_said += l->v[i].kind > TAKC_LINE_RULE;
        n_speakers += l->v[i].flags & TAKC_LINE_SPEAKER ? 1 : 0;
    }
    if (n_speakers < MIN_TURNS || n_speakers * 2 < n_said)
        return TAKC_OK;
    enum takc_status st = takc_grow(&l->picks, &l->picks_cap, n_speakers, sizeof(*l->picks), err);
    if (st)
        return st;
    gather_turns(l, true, &n_same);
    if (n_same * 4 > l->n_picks)
        return TAKC_OK;
    gather_turns(l, false, &n_again);
    if (n_again * 5 < n_speakers * 2)
        return TAKC_OK;
    for (size_t i = 0; i < l->n_picks; i++) {
        bool before = i > 0 && l->picks[i].hash == l->picks[i - 1].hash;
        if (before || (i + 1 < l->n_picks && l->picks[i].hash == l->picks[i + 1].hash))
            l->v[l->picks[i].line].kind = TAKC_LINE_TURN;
    }
    return TAKC_OK;
}

/* Lines whose length a page gives, not a paragraph: next to none is long, and many stop in the midst of a sentence. */
static bool hard_wrapped(const struct takc_lines *l)
{
    size_t n_said = 0, n_long = 0, n_open = 0;
    for (size_t i = 0; i < l->n; i++) {
        const struct takc_line *v = &l->v[i];
        n_said += v->kind > TAKC_LINE_RULE;
        n_long += v->n_chars > WRAP_CHARS;
        n_open += i + 1 < l->n && v->kind >= TAKC_LINE_ITEM && v->n_chars > OPEN_CHARS && !(v->flags & TAKC_LINE_STOP) &&
                  v[1].kind > TAKC_LINE_RULE;
    }
    return n_said > 4 && n_long * 20 <= n_said && n_open * 4 >= n_said;
}

/* In hard-wrapped text a line that ends in a number, or is in capitals, may stand in the midst of a paragraph: right below a line of prose
 * that has no stop, and without the wide gaps of a table's columns. */
void takc_lines_wrapped(struct takc_lines *l)
{
    if (!hard_wrapped(l))
        return;
    for (size_t i = 1; i < l->n; i++) {
        struct takc_line *v = &l->v[i], *before = &l->v[i - 1];
        bool open = (before->kind == TAKC_LINE_PROSE || before->kind == TAKC_LINE_ITEM) && before->n_chars > OPEN_CHARS &&
                    !(before->flags & (TAKC_LINE_STOP | TAKC_LINE_GAPS | TAKC_LINE_HIDDEN));
        if (open && (v->kind == TAKC_LINE_ROW || v->kind == TAKC_LINE_HEADING) && v->level == 0 &&
            !(v->flags & (TAKC_LINE_PIPE | TAKC_LINE_GAPS | TAKC_LINE_HASH | TAKC_LINE_HIDDEN | TAKC_LINE_FEED)))
            v->kind = TAKC_LINE_PROSE;
    }
}

/* The columns of a term at line i and of its description below, or false. */
static bool term_at(const struct takc_lines *l, size_t i, unsigned *out_term, unsigned *out_below)
{
    const struct takc_line *v = &l->v[i];
    if (i + 1 >= l->n || v[1].kind == TAKC_LINE_BLANK || v[1].kind == TAKC_LINE_RULE || v[1].indent < v->indent + 2)
        return false;
    if ((v->kind != TAKC_LINE_PROSE && v->kind != TAKC_LINE_HEADING) || (v->flags & (TAKC_LINE_HASH | TAKC_LINE_HIDDEN)))
        return false;
    if ((v->kind == TAKC_LINE_HEADING && (v->indent == 0 || v->level)) || v->n_words > TERM_WORDS || v->n_chars > TERM_CHARS)
        return false;
    if ((v->flags & TAKC_LINE_STOP) && l->text.ptr[v->end - 1] != ':')
        return false;
    if (i > 0 && v[-1].kind > TAKC_LINE_HEADING && v[-1].indent <= v->indent)
        return false;
    *out_term = v->indent;
    *out_below = v[1].indent;
    return *out_below < MAX_INDENT;
}

/* Terms come at least twice with the same two columns; what is indented below one describes it. */
void takc_lines_terms(struct takc_lines *l)
{
    unsigned char seen[MAX_INDENT][MAX_INDENT] = {{0}};
    unsigned a, b, most = 0;
    for (size_t i = 0; i < l->n; i++)
        if (term_at(l, i, &a, &b)) {
            seen[a][b] += seen[a][b] < 2;
            most = seen[a][b] > most ? seen[a][b] : most;
        }
    if (most < 2)
        return;
    const struct takc_line *term = NULL;
    for (size_t i = 0; i < l->n; i++) {
        struct takc_line *v = &l->v[i];
        if (v->kind == TAKC_LINE_BLANK || (v->flags & TAKC_LINE_HIDDEN))
            continue;
        if (term_at(l, i, &a, &b) && seen[a][b] > 1) {
            v->kind = TAKC_LINE_TERM;
            term = v;
        } else if (term && v->indent > term->indent && v->kind != TAKC_LINE_HEADING) {
            v->flags |= TAKC_LINE_DESCRIBES;
        } else {
            term = NULL;
        }
    }
}

/* Value of a number of up to four digits, brackets and commas aside; 0 for any other word. */
static unsigned small_number(struct takc_str w)
{
    unsigned value = 0;
    while (w.len && strchr("(,.)", w.ptr[w.len - 1]))
        w.len--;
    for (; w.len && w.ptr[0] == '('; w.len--)
        w.ptr++;
    for (size_t i = 0; i < w.len; i++) {
        if (w.ptr[i] < '0' || w.ptr[i] > '9' || w.len > 4)
            return 0;
        value = value * 10 + (unsigned)(w.ptr[i] - '0');
    }
    return value;
}

static bool one_of(struct takc_str w, const char *list)
{
    struct takc_str rest = takc_str(list), name;
    while (w.len && strchr(",.:)", w.ptr[w.len - 1]))
        w.len--;
    for (; w.len && w.ptr[0] == '('; w.len--)
        w.ptr++;
    while (takc_str_split(&rest, ' ', &name))
        if (takc_str_eq_nocase(w, name) || (name.len == 3 && w.len > 3 && takc_str_eq_nocase(takc_str_slice(w, 0, 3), name)))
            return true;
    return false;
}

static const char months[] = "jan feb mar apr may jun jul aug sep oct nov dec week weeks months";
static const char header_words[] =
    "ended ending of and the months weeks in on millions thousands billions to at as year years for except per "
    "share data amounts versus vs compared with change fiscal percentages unaudited shares quarter restated "
    "period periods dollars euros percent";

/* Years in the row; 0 when it holds another number than years, days beside a month and notes in brackets, or words of a sentence. */
static unsigned header_years(const struct takc_lines *l, const struct takc_line *v)
{
    unsigned years = 0;
    size_t pos = v->start;
    struct takc_str w, before = {0};
    bool pipe = v->flags & TAKC_LINE_PIPE;
    for (; takc_line_word(l->text, &pos, v->end, &w); before = w) {
        if (!takc_line_number(w)) {
            if (!pipe && w.ptr[0] >= 'a' && w.ptr[0] <= 'z' && !one_of(w, header_words))
                return 0;
            continue;
        }
        unsigned value = small_number(w);
        size_t ahead = pos;
        struct takc_str after = {0};
        (void)takc_line_word(l->text, &ahead, v->end, &after);
        if (value >= 1900 && value < 2100)
            years++;
        else if (value < 1 || value > 53 || !(w.ptr[0] == '(' || one_of(before, months) || one_of(after, months)))
            return 0;
    }
    return years;
}

/* The next row of the same run behind i, or l->n. */
static size_t next_row(const struct takc_lines *l, size_t i)
{
    for (size_t k = i + 1; k < l->n && k <= i + 1 + TABLE_GAP; k++)
        if (l->v[k].kind == TAKC_LINE_ROW && !(l->v[k].flags & TAKC_LINE_HIDDEN))
            return k;
    return l->n;
}

/* Is row i, one of the first of its table, its header? */
static bool is_header(const struct takc_lines *l, size_t i, bool first, unsigned min_years)
{
    const struct takc_line *v = &l->v[i];
    size_t next = next_row(l, i);
    if (next == l->n || v->n_words > HEADER_WORDS)
        return false;
    const struct takc_line *n = &l->v[next];
    if (first && (v->flags & TAKC_LINE_PIPE) && i + 1 < l->n && v[1].kind == TAKC_LINE_RULE)
        return true;
    if (first && v->n_numbers == 0)
        return next == i + 1 && n->n_numbers > 0;
    return v->n_numbers > 0 && header_years(l, v) >= min_years && n->n_numbers > 0 && header_years(l, n) == 0;
}

/* Numbers the tables, marks the header of each. A row of years behind plain rows opens the next table: it heads what follows. */
void takc_lines_tables(struct takc_lines *l)
{
    size_t last = 0, n_rows = 0;
    bool headed = false, open = false;
    for (size_t i = 0; i < l->n; i++) {
        struct takc_line *v = &l->v[i];
        if (v->flags & TAKC_LINE_HASH)
            open = false;
        if (v->kind != TAKC_LINE_ROW || (v->flags & TAKC_LINE_HIDDEN))
            continue;
        open = open && i - last - 1 <= TABLE_GAP;
        bool header = false;
        if (open && n_rows >= HEADER_AMONG && is_header(l, i, false, 2))
            open = false;
        if (!open) {
            l->n_tables++;
            n_rows = 0;
            headed = false;
            open = true;
        }
        if (!headed && n_rows < HEADER_AMONG)
            header = is_header(l, i, n_rows == 0, 1);
        if (header)
            v->flags |= TAKC_LINE_HEADER;
        headed = headed || header;
        v->table = l->n_tables;
        n_rows++;
        last = i;
    }
}
