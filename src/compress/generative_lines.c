/* SPDX-License-Identifier: Apache-2.0
 *
 * generative_lines.c - a model's reply as lines with the numbers that they stand on. Models are told to write "text [3,4]"; what they write
 * is also "- text [3-5].", "1. text [3][4]", "[3] text", "text (units 3 and 4)", fences around, "Here are the lines:" before. What can be
 * read without guessing is read; a line without numbers comes out without. */
#include "base/utf8.h"
#include "compress/generative_steps.h"
#include "token/words.h"

#include <stdlib.h>

struct scan {
    struct takc_arena *arena;
    uint32_t n_ids;
    uint32_t ids[TAKC_REPLY_IDS_MAX];
    size_t n;
    bool wrong;
    struct takc_reply_lines *out;
    size_t cap;
};

/* ---- marks ---- */

static void add_id(struct scan *c, uint64_t id)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->ids[i] == id)
            return;
    if (id < 1 || id > c->n_ids || c->n == TAKC_REPLY_IDS_MAX)
        c->wrong = true;
    else
        c->ids[c->n++] = (uint32_t)id;
}

static void add_range(struct scan *c, uint64_t from, uint64_t to)
{
    if (from > to) {
        uint64_t t = from;
        from = to;
        to = t;
    }
    if (to - from >= TAKC_REPLY_IDS_MAX) {
        c->wrong = true;
        return;
    }
    for (uint64_t id = from; id <= to; id++)
        add_id(c, id);
}

/* Words that may stand in a mark beside its numbers. */
static bool skip_word(struct takc_str s, size_t *at)
{
    static const char *const words[] = {"units", "unit", "lines", "line", "sources", "source", "and", "to", "u", "s", "#"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t n = strlen(words[i]);
        if (s.len - *at >= n && takc_str_eq_nocase(takc_str_slice(s, *at, *at + n), takc_str(words[i]))) {
            *at += n;
            return true;
        }
    }
    return false;
}

/* The length of a dash at this place, 0 when there is none. */
static size_t dash(struct takc_str s, size_t at)
{
    if (s.ptr[at] == '-')
        return 1;
    return s.len - at >= 3 && memcmp(s.ptr + at, "\xE2\x80", 2) == 0 && (unsigned char)s.ptr[at + 2] >= 0x90 &&
                   (unsigned char)s.ptr[at + 2] <= 0x95
               ? 3
               : 0;
}

static bool read_number(struct takc_str s, size_t *at, uint64_t *out)
{
    size_t from = *at;
    *out = 0;
    while (*at < s.len && s.ptr[*at] >= '0' && s.ptr[*at] <= '9' && *at - from < 7)
        *out = 10 * *out + (uint64_t)(s.ptr[(*at)++] - '0');
    return *at > from && (*at == s.len || s.ptr[*at] < '0' || s.ptr[*at] > '9');
}

/* Are these the insides of a mark? Its numbers go to c, which is to be thrown away otherwise. */
static bool read_mark(struct scan *c, struct takc_str in)
{
    bool any = false, range = false;
    uint64_t before = 0, id;
    for (size_t at = 0; at < in.len;) {
        size_t d = dash(in, at);
        char b = in.ptr[at];
        if (b == ' ' || b == ',' || b == ';' || b == '&' || b == '.') {
            at++;
        } else if (d) {
            range = any;
            at += d;
        } else if (b >= '0' && b <= '9') {
            if (!read_number(in, &at, &id))
                return false;
            if (range)
                add_range(c, before, id);
            else
                add_id(c, id);
            range = false;
            any = true;
            before = id;
        } else if (!skip_word(in, &at)) {
            return false;
        }
    }
    return any;
}

/* Takes the mark that opens at from out of the line: the place behind it, or from when it is none. */
static size_t take_mark(struct scan *c, struct takc_str line, size_t from)
{
    char close = line.ptr[from] == '[' ? ']' : ')';
    size_t to = takc_str_find_byte(line, close, from);
    if (to == SIZE_MAX)
        return from;
    struct scan tried = *c;
    if (!read_mark(&tried, takc_str_slice(line, from + 1, to)))
        return from;
    *c = tried;
    return to + 1;
}

/* Round brackets are a mark only at the end of a line that has none yet. */
static bool opens_mark(const struct scan *c, struct takc_str line, size_t at)
{
    if (line.ptr[at] == '[')
        return true;
    size_t close = line.ptr[at] == '(' && !c->n ? takc_str_find_byte(line, ')', at) : SIZE_MAX;
    return close != SIZE_MAX && close + 2 >= line.len;
}

/* ---- one line ---- */

static struct takc_str without_bullet(struct takc_str s)
{
    static const char *const bullets[] = {"- ", "* ", "+ ", "\xE2\x80\xA2", "\xE2\x80\x93 ", "> "};
    for (size_t i = 0; i < sizeof(bullets) / sizeof(bullets[0]); i++)
        if (takc_str_starts(s, takc_str(bullets[i])))
            return takc_str_trim(takc_str_slice(s, strlen(bullets[i]), s.len));
    size_t n = 0;
    while (n < s.len && n < 3 && s.ptr[n] >= '0' && s.ptr[n] <= '9')
        n++;
    if (n > 0 && s.len > n + 1 && (s.ptr[n] == '.' || s.ptr[n] == ')') && s.ptr[n + 1] == ' ')
        return takc_str_trim(takc_str_slice(s, n + 2, s.len));
    return s;
}

/* Copies the line without its marks, white space folded; the text's length in *out_n. */
static char *copy_line(struct scan *c, struct takc_str line, size_t *out_n)
{
    char *out = takc_arena_alloc(c->arena, line.len + 1);
    bool blank = false;
    size_t n = 0;
    for (size_t at = 0; out && at < line.len;) {
        unsigned white = takc_white_at(line, at);
        size_t behind = opens_mark(c, line, at) ? take_mark(c, line, at) : at;
        bool stars = line.len - at >= 2 && line.ptr[at] == '*' && line.ptr[at + 1] == '*';
        if (white || behind > at || stars || (unsigned char)line.ptr[at] < 0x20 || line.ptr[at] == 0x7F) {
            blank |= !stars;
            at = white ? at + white : behind > at ? behind : at + (stars ? 2 : 1);
            continue;
        }
        bool closes = strchr(".,;:!?", line.ptr[at]) && n > 0;
        if (blank && n > 0 && !closes)
            out[n++] = ' ';
        blank = false;
        out[n++] = line.ptr[at++];
    }
    *out_n = n;
    return out;
}

int takc_gen_by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* What models say around the lines that they were asked for. Only lines without numbers come here. */
static bool is_chatter(struct takc_str s)
{
    static const char *const openers[] = {"here ",  "here's",    "here\xE2\x80\x99s",
                                          "sure",   "certainly", "of course",
                                          "okay",   "ok,",       "below ",
                                          "i ",     "i'",        "i\xE2\x80\x99",
                                          "as an",  "note:",     "sorry",
                                          "let me", "condensed", "summary",
                                          "output", "<",         "#",
                                          "---",    "***",       "==="};
    if (s.len == 0 || s.ptr[s.len - 1] == ':')
        return true;
    for (size_t i = 0; i < sizeof(openers) / sizeof(openers[0]); i++) {
        size_t n = strlen(openers[i]);
        if (s.len >= n && takc_str_eq_nocase(takc_str_slice(s, 0, n), takc_str(openers[i])))
            return true;
    }
    return false;
}

static bool was_before(const struct takc_reply_lines *l, struct takc_str text)
{
    for (size_t i = 0; i < l->n; i++)
        if (takc_str_eq_nocase(l->v[i].text, text))
            return true;
    return false;
}

static enum takc_status add_line(struct scan *c, struct takc_str text, struct takc_err *err)
{
    struct takc_reply_lines *l = c->out;
    if (l->n == c->cap) {
        size_t cap = c->cap ? 2 * c->cap : 16;
        struct takc_reply_line *v = takc_arena_array(c->arena, cap, sizeof(*v));
        if (!v)
            return takc_fail(err, TAKC_NOMEM, 0, "no memory for a reply");
        if (l->n)
            memcpy(v, l->v, l->n * sizeof(*v));
        l->v = v;
        c->cap = cap;
    }
    size_t n = c->wrong ? 0 : c->n;
    uint32_t *ids = takc_arena_array(c->arena, n + 1, sizeof(*ids));
    if (!ids)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a reply");
    qsort(c->ids, c->n, sizeof(*c->ids), takc_gen_by_number);
    memcpy(ids, c->ids, n * sizeof(*ids));
    l->v[l->n++] = (struct takc_reply_line){.text = text, .ids = ids, .n_ids = n, .wrong_ids = c->wrong};
    return TAKC_OK;
}

static enum takc_status read_line(struct scan *c, struct takc_str raw, struct takc_err *err)
{
    struct takc_str line = without_bullet(takc_str_trim(raw));
    size_t n = 0;
    c->n = 0;
    c->wrong = false;
    if (line.len == 0 || line.len > TAKC_REPLY_LINE_BYTES || takc_str_starts(line, takc_str("```")))
        return TAKC_OK;
    char *text = copy_line(c, line, &n);
    if (!text)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a reply");
    struct takc_str s = without_bullet(takc_str_trim(takc_str_n(text, n)));
    if (s.len > 1 && s.ptr[0] == ':') /* "[3]: text" */
        s = takc_str_trim(takc_str_slice(s, 1, s.len));
    bool marked = c->n > 0 || c->wrong;
    if (s.len == 0 || (!marked && is_chatter(s)) || was_before(c->out, s))
        return TAKC_OK;
    return add_line(c, s, err);
}

enum takc_status takc_reply_read(struct takc_arena *a, struct takc_str text, uint32_t n_ids, bool cut, struct takc_reply_lines *out,
                                 struct takc_err *err)
{
    struct takc_buf valid;
    size_t replaced;
    struct scan c = {.arena = a, .n_ids = n_ids, .out = out};
    *out = (struct takc_reply_lines){0};
    takc_buf_init(&valid, TAKC_BUF_MAX_REPLY);
    enum takc_status st = takc_utf8_repair(&valid, text, &replaced, err);
    struct takc_str rest = takc_buf_str(&valid);
    while (!st && rest.len && out->n < TAKC_REPLY_LINES_MAX) {
        size_t end = takc_str_find_byte(rest, '\n', 0);
        bool last = end == SIZE_MAX;
        if (last && cut)
            break;
        st = read_line(&c, takc_str_slice(rest, 0, last ? rest.len : end), err);
        rest = takc_str_slice(rest, last ? rest.len : end + 1, rest.len);
    }
    takc_buf_clear(&valid);
    return st;
}
