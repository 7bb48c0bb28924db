/* SPDX-License-Identifier: Apache-2.0
 *
 * lines.c - plain text into blocks: look at every line, let the passes correct what only neighbours can tell, then write blocks.
 *
 * Memory is one small record a line for the time of the call. A paragraph is joined from line to line when the next line begins with a
 * small letter, or this one is long and has no stop; footers and page breaks between do not end it (TAKC_BLOCK_CONTINUES). */
#include "doc/lines.h"
#include "base/alloc.h"
#include "doc/lines_parts.h"

enum { LONG_LINE_CHARS = 60, LINES_A_CHECK = 1 << 15 };

/* Form feeds in from..to. */
static uint32_t feeds(struct takc_str text, size_t from, size_t to)
{
    uint32_t n = 0;
    for (; from < to; from++)
        n += text.ptr[from] == '\f';
    return n;
}

static enum takc_status look_at_all(struct takc_lines *l, struct takc_call *call, struct takc_err *err)
{
    uint32_t page = l->o->pages ? 1 : 0;
    enum takc_status st = TAKC_OK;
    bool feed = false;
    for (size_t at = l->o->from; at < l->text.len && !st;) {
        const char *p = memchr(l->text.ptr + at, '\n', l->text.len - at);
        size_t end = p ? (size_t)(p - l->text.ptr) : l->text.len;
        st = takc_grow(&l->v, &l->cap, l->n + 1, sizeof(*l->v), err);
        if (st)
            return st;
        struct takc_line *v = &l->v[l->n++];
        takc_line_look(l->text, at, end, v);
        bool blank = v->kind == TAKC_LINE_BLANK;
        uint32_t before = feeds(l->text, at, blank ? end : v->start);
        page += l->o->pages ? before : 0;
        feed = feed || before;
        v->page = page;
        if (!blank) {
            v->flags |= feed ? TAKC_LINE_FEED : 0;
            feed = feeds(l->text, v->end, end) > 0;
            page += l->o->pages && feed;
        }
        l->n_fences += v->flags & TAKC_LINE_FENCE ? 1 : 0;
        at = end + 1;
        if (l->n % LINES_A_CHECK == 0)
            st = takc_call_check(call, err);
    }
    return st;
}

/* Lines that the caller has hidden. */
static void hide_given(struct takc_lines *l)
{
    const struct takc_lines_options *o = l->o;
    for (size_t i = 0, k = 0; i < l->n && k < o->n_hidden; i++) {
        struct takc_line *v = &l->v[i];
        while (k < o->n_hidden && o->hidden[k].end <= v->start)
            k++;
        if (k == o->n_hidden || v->kind == TAKC_LINE_BLANK || o->hidden[k].start > v->start)
            continue;
        l->n_fences -= v->flags & TAKC_LINE_FENCE ? 1 : 0;
        v->kind = TAKC_LINE_PROSE;
        v->flags = (uint16_t)((v->flags & TAKC_LINE_FEED) | TAKC_LINE_HIDDEN);
    }
}

/* Lines between fences are code. A fence that is never closed is none. */
static void mark_code(struct takc_lines *l)
{
    size_t left = l->n_fences;
    char open = 0;
    for (size_t i = 0; i < l->n && l->n_fences > 1; i++) {
        struct takc_line *v = &l->v[i];
        bool fence = v->flags & TAKC_LINE_FENCE;
        left -= fence;
        if (!open && fence && left > 0) {
            open = l->text.ptr[v->start];
            v->kind = TAKC_LINE_RULE;
        } else if (open && fence && l->text.ptr[v->start] == open) {
            open = 0;
            v->kind = TAKC_LINE_RULE;
        } else if (open && v->kind != TAKC_LINE_BLANK) {
            v->kind = TAKC_LINE_CODE;
            v->flags &= (uint16_t) ~(TAKC_LINE_SPEAKER | TAKC_LINE_HASH);
        }
    }
}

/* A line of its own with '=' or '-' below is a heading, as in many plain texts. */
static void mark_underlined(struct takc_lines *l)
{
    for (size_t i = 0; i + 1 < l->n; i++) {
        struct takc_line *v = &l->v[i], *rule = &l->v[i + 1];
        if (rule->kind != TAKC_LINE_RULE || (i > 0 && v[-1].kind != TAKC_LINE_BLANK && v[-1].kind != TAKC_LINE_RULE))
            continue;
        char c = l->text.ptr[rule->start];
        bool whole = c == '=' || c == '-';
        for (size_t k = rule->start; k < rule->end && whole; k++)
            whole = l->text.ptr[k] == c;
        if (!whole || rule->n_chars < 3 || rule->n_chars * 4 < v->n_chars * 3 || v->n_chars > 80 ||
            (v->kind != TAKC_LINE_PROSE && v->kind != TAKC_LINE_HEADING))
            continue;
        v->kind = TAKC_LINE_HEADING;
        v->level = c == '=' ? 1 : 2;
    }
}

/* What the writing of blocks remembers from line to line. */
struct writer {
    struct takc_doc *d;
    struct takc_lines *l;
    size_t block;                 /* the paragraph that may go on: its number + 1; 0: none */
    const struct takc_line *last; /* its last line */
    bool adjacent;                /* nothing stands between last and this line */
    bool broken;                  /* a footer or page break stands between them */
    uint32_t table, row;
};

static bool goes_on(const struct writer *w, const struct takc_line *v)
{
    if (!w->block || v->kind != TAKC_LINE_PROSE)
        return false;
    bool open = w->last->n_chars > LONG_LINE_CHARS && !(w->last->flags & TAKC_LINE_STOP);
    if (w->adjacent && !w->broken)
        return (v->flags & TAKC_LINE_LOWER) || open;
    return w->broken && !(w->last->flags & TAKC_LINE_STOP) && ((v->flags & TAKC_LINE_LOWER) || open);
}

static const uint8_t block_kinds[] = {
    [TAKC_LINE_HEADING] = TAKC_BLOCK_HEADING, [TAKC_LINE_ROW] = TAKC_BLOCK_ROW,   [TAKC_LINE_ITEM] = TAKC_BLOCK_ITEM,
    [TAKC_LINE_PROSE] = TAKC_BLOCK_PARA,      [TAKC_LINE_CODE] = TAKC_BLOCK_CODE, [TAKC_LINE_TERM] = TAKC_BLOCK_TERM,
    [TAKC_LINE_TURN] = TAKC_BLOCK_TURN,       [TAKC_LINE_RULE] = TAKC_BLOCK_PARA};

/* The block of one line, taken as this kind. */
static struct takc_block new_block(struct writer *w, const struct takc_line *v, enum takc_line_kind kind)
{
    const struct takc_lines_options *o = w->l->o;
    struct takc_block b = {.start = v->start, .end = v->end, .kind = block_kinds[kind], .flags = TAKC_BLOCK_GUESSED};
    b.page = v->page;
    b.pointer = o->pointer;
    if (o->first_line)
        b.line = o->first_line + (o->one_line ? 0 : (uint32_t)(v - w->l->v));
    if (kind == TAKC_LINE_HEADING)
        b.level = v->level;
    if (kind == TAKC_LINE_ROW) {
        w->row = v->table == w->table ? w->row + 1 : 1;
        w->table = v->table;
        b.table = v->table;
        b.row = w->row;
        b.flags |= v->flags & TAKC_LINE_HEADER ? TAKC_BLOCK_HEADER : 0;
    }
    if ((v->flags & TAKC_LINE_DESCRIBES) && (b.kind == TAKC_BLOCK_PARA || b.kind == TAKC_BLOCK_ITEM))
        b.flags |= TAKC_BLOCK_DESCRIBES;
    return b;
}

static enum takc_status write_hidden(struct writer *w, const struct takc_line *v, struct takc_err *err)
{
    struct takc_block b = new_block(w, v, TAKC_LINE_PROSE);
    b.flags = TAKC_BLOCK_GUESSED | TAKC_BLOCK_HIDDEN;
    w->broken = true;
    return takc_doc_block(w->d, b, err);
}

/* A visible line that is neither blank nor a rule. */
static enum takc_status write_line(struct writer *w, const struct takc_line *v, struct takc_err *err)
{
    bool more = goes_on(w, v), paged = w->last && w->last->page != v->page;
    if (more && w->adjacent && !w->broken && !paged) {
        w->d->blocks[w->block - 1].end = v->end;
        w->last = v;
        return TAKC_OK;
    }
    struct takc_block b = new_block(w, v, v->kind);
    if (more) {
        const struct takc_block *before = &w->d->blocks[w->block - 1];
        b.kind = before->kind;
        b.level = before->level;
        b.flags |= (uint16_t)(TAKC_BLOCK_CONTINUES | (before->flags & TAKC_BLOCK_DESCRIBES));
    }
    enum takc_status st = takc_doc_block(w->d, b, err);
    bool prose = b.kind == TAKC_BLOCK_PARA || b.kind == TAKC_BLOCK_ITEM || b.kind == TAKC_BLOCK_TURN;
    w->block = prose ? w->d->n_blocks : 0;
    w->last = v;
    w->adjacent = true;
    w->broken = false;
    return st;
}

static enum takc_status write_blocks(struct takc_doc *d, struct takc_lines *l, struct takc_err *err)
{
    struct writer w = {.d = d, .l = l};
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; i < l->n && !st; i++) {
        const struct takc_line *v = &l->v[i];
        if (v->flags & TAKC_LINE_FEED)
            w.broken = true;
        if (v->kind == TAKC_LINE_BLANK || (v->kind == TAKC_LINE_RULE && !(v->flags & TAKC_LINE_HIDDEN)))
            w.adjacent = false;
        else if (v->flags & TAKC_LINE_HIDDEN)
            st = write_hidden(&w, v, err);
        else
            st = write_line(&w, v, err);
        if (v->kind == TAKC_LINE_RULE)
            w.block = 0;
    }
    return st;
}

enum takc_status takc_lines_structure(struct takc_doc *d, const struct takc_lines_options *options, struct takc_call *call,
                                      struct takc_err *err)
{
    if (d->text.len > UINT32_MAX)
        return takc_fail(err, TAKC_REFUSED, 0, "text is over 4 GiB");
    struct takc_lines l = {.text = takc_buf_str(&d->text), .o = options, .n_tables = options->first_table ? options->first_table - 1 : 0};
    enum takc_status st = look_at_all(&l, call, err);
    if (st)
        goto out;
    hide_given(&l);
    mark_code(&l);
    mark_underlined(&l);
    st = takc_lines_turns(&l, err);
    if (!st)
        st = takc_lines_footers(&l, err);
    if (st)
        goto out;
    takc_lines_wrapped(&l);
    takc_lines_terms(&l);
    takc_lines_tables(&l);
    st = write_blocks(d, &l, err);
out:
    takc_free(l.v);
    takc_free(l.picks);
    return st;
}
