/* SPDX-License-Identifier: Apache-2.0
 *
 * postings_write.c - counts terms and writes dictionary and postings. A posting is varint(gap * 2 + more) and, where more is set, varint
 * of the count; gap is the distance from the id before less one. Terms stand in byte order, front-coded in blocks of 16. */
#include "rank/build.h"

#include "base/alloc.h"

#include <stdlib.h>

void takc_postings_builder_init(struct takc_postings_builder *b)
{
    *b = (struct takc_postings_builder){0};
    takc_intern_init(&b->vocabulary);
}

void takc_postings_builder_clear(struct takc_postings_builder *b)
{
    takc_intern_clear(&b->vocabulary);
    takc_free(b->terms);
    takc_free(b->lists);
    takc_free(b->pool);
    takc_free(b->map);
    takc_free(b->doc_units);
    takc_free(b->section_units);
    takc_postings_builder_init(b);
}

/* The number of a stem; a new one has no lists. */
static enum takc_status term_of(struct takc_postings_builder *b, struct takc_str stem, uint32_t *out, struct takc_err *err)
{
    size_t before = b->vocabulary.n;
    stem.len = stem.len > TAKC_WORD_BYTES ? TAKC_WORD_BYTES : stem.len;
    enum takc_status st = takc_grow(&b->terms, &b->terms_cap, before + 1, sizeof(*b->terms), err);
    if (!st)
        st = takc_intern_add(&b->vocabulary, stem, out, err);
    if (!st && b->vocabulary.n > before)
        b->terms[before] = (struct takc_term_lists){{0}};
    return st;
}

enum takc_status takc_postings_begin(struct takc_postings_builder *b, const struct takc_intern *vocabulary, struct takc_err *err)
{
    enum takc_status st = takc_grow(&b->map, &b->map_cap, vocabulary->n, sizeof(*b->map), err);
    for (uint32_t i = 0; !st && i < vocabulary->n; i++)
        st = term_of(b, takc_intern_get(vocabulary, i), &b->map[i], err);
    return st;
}

enum {
    PIECE_MIN = 12,  /* with its link: most terms stand in few units */
    PIECE_MAX = 192, /* small beside what a frequent term takes, large beside its link */
    LINK = 4         /* bytes behind a piece: the place of the next one */
};

/* Room for one byte more in a list. */
static enum takc_status widen(struct takc_postings_builder *b, struct takc_list *l, struct takc_err *err)
{
    bool first = l->head == TAKC_NO_PIECE;
    uint32_t size = first ? PIECE_MIN : l->size < PIECE_MAX ? 2 * l->size : PIECE_MAX;
    if (b->pool_len + size >= TAKC_NO_PIECE)
        return takc_fail(err, TAKC_FULL, 0, "index: more than 4 GiB of postings");
    enum takc_status st = takc_grow(&b->pool, &b->pool_cap, b->pool_len + size, 1, err);
    if (st)
        return st;
    uint32_t place = (uint32_t)b->pool_len;
    if (first)
        l->head = place;
    else
        memcpy(b->pool + l->end, &place, LINK);
    b->pool_len += size;
    l->size = size;
    l->at = place;
    l->end = place + size - LINK;
    return TAKC_OK;
}

static enum takc_status write_number(struct takc_postings_builder *b, struct takc_list *l, uint64_t v, struct takc_err *err)
{
    for (;; v >>= 7) {
        enum takc_status st = l->head == TAKC_NO_PIECE || l->at == l->end ? widen(b, l, err) : TAKC_OK;
        if (st)
            return st;
        b->pool[l->at++] = (unsigned char)(v < 0x80 ? v : (v & 0x7F) | 0x80);
        if (v < 0x80)
            return TAKC_OK;
    }
}

static enum takc_status new_list(struct takc_postings_builder *b, uint32_t *out, struct takc_err *err)
{
    enum takc_status st = takc_grow(&b->lists, &b->lists_cap, b->n_lists + 1, sizeof(*b->lists), err);
    if (st)
        return st;
    b->lists[b->n_lists] = (struct takc_list){.head = TAKC_NO_PIECE};
    *out = (uint32_t)++b->n_lists;
    return TAKC_OK;
}

/* A list of a term, for reading; an empty one where it has none. */
static const struct takc_list *list_of(const struct takc_postings_builder *b, const struct takc_term_lists *t, int list)
{
    static const struct takc_list none = {.head = TAKC_NO_PIECE};
    return t->of[list] ? &b->lists[t->of[list] - 1] : &none;
}

/* One more of a term in the last posting of its list, or a new posting. After a failure the builder is good for clearing only. */
static enum takc_status count_one(struct takc_postings_builder *b, enum takc_list_kind list, uint32_t id, uint32_t term,
                                  struct takc_err *err)
{
    uint32_t *at = &b->terms[term].of[list];
    enum takc_status st = *at ? TAKC_OK : new_list(b, at, err);
    if (st)
        return st;
    struct takc_list *l = &b->lists[*at - 1];
    if (l->n && l->id == id) {
        l->tf++;
        return TAKC_OK;
    }
    if (l->n) {
        st = write_number(b, l, (uint64_t)(l->id - l->next_id) << 1 | (l->tf > 1), err);
        if (!st && l->tf > 1)
            st = write_number(b, l, l->tf, err);
        l->next_id = l->id + 1;
    }
    l->id = id;
    l->tf = 1;
    l->n++;
    return st;
}

enum takc_status takc_postings_count(struct takc_postings_builder *b, enum takc_list_kind list, uint32_t id, const uint32_t *terms,
                                     size_t n, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < n; i++)
        st = count_one(b, list, id, b->map[terms[i]], err);
    return st;
}

enum takc_status takc_postings_text(struct takc_postings_builder *b, enum takc_list_kind list, uint32_t id, struct takc_str text,
                                    uint32_t *out_n, struct takc_err *err)
{
    struct takc_words words;
    struct takc_word w;
    enum takc_status st = TAKC_OK;
    takc_words_init(&words, text);
    while (!st && takc_words_next(&words, &w)) {
        uint32_t term;
        if (w.article || takc_word_is_stop(w.norm))
            continue;
        st = term_of(b, takc_word_stem(w.norm), &term, err);
        if (!st)
            st = count_one(b, list, id, term, err);
        *out_n += !st;
    }
    return takc_words_end(&words, st, err);
}

/* Walks the units that one list of a term stands for, in ascending order. */
struct unit_walk {
    const struct takc_postings_builder *b;
    const struct takc_list *list;
    const struct takc_range *ranges; /* NULL: ids are units */
    uint32_t left;                   /* postings */
    uint32_t next_id, at, end, size;
    struct takc_range now;
};

static uint64_t read_number(struct unit_walk *w)
{
    uint64_t v = 0;
    for (unsigned shift = 0;; shift += 7) {
        if (w->at == w->end) {
            memcpy(&w->at, w->b->pool + w->end, LINK);
            w->size = w->size < PIECE_MAX ? 2 * w->size : PIECE_MAX;
            w->end = w->at + w->size - LINK;
        }
        unsigned char c = w->b->pool[w->at++];
        v |= (uint64_t)(c & 0x7F) << shift;
        if (c < 0x80)
            return v;
    }
}

static uint32_t next_id(struct unit_walk *w)
{
    uint32_t id = w->list->id;
    if (--w->left) { /* the last posting is not written */
        uint64_t v = read_number(w);
        if (v & 1)
            (void)read_number(w);
        id = w->next_id + (uint32_t)(v >> 1);
    }
    w->next_id = id + 1;
    return id;
}

static void walk_load(struct unit_walk *w)
{
    while (w->left) {
        uint32_t id = next_id(w);
        w->now = w->ranges ? w->ranges[id] : (struct takc_range){id, id + 1};
        if (w->now.from < w->now.to)
            return;
    }
    w->now = (struct takc_range){UINT32_MAX, UINT32_MAX};
}

static struct unit_walk walk_begin(const struct takc_postings_builder *b, const struct takc_list *l, const struct takc_range *ranges)
{
    struct unit_walk w = {.b = b, .list = l, .ranges = ranges, .left = l->n, .at = l->head, .size = PIECE_MIN};
    w.end = l->head + PIECE_MIN - LINK;
    walk_load(&w);
    return w;
}

/* Moves behind unit number to. */
static void walk_past(struct unit_walk *w, uint32_t to)
{
    while (w->now.to <= to)
        walk_load(w);
    if (w->now.from < to && w->now.to > to)
        w->now.from = to;
}

/* Units that hold the term in title, heading or themselves: the union of three ascending lists of ranges. */
static uint32_t count_units(const struct takc_postings_builder *b, const struct takc_term_lists *t)
{
    if (!list_of(b, t, TAKC_LIST_TITLE)->n && !list_of(b, t, TAKC_LIST_SECTION)->n)
        return list_of(b, t, TAKC_LIST_UNIT)->n; /* the list itself is the union */
    struct unit_walk w[TAKC_LISTS] = {walk_begin(b, list_of(b, t, TAKC_LIST_TITLE), b->doc_units),
                                      walk_begin(b, list_of(b, t, TAKC_LIST_SECTION), b->section_units),
                                      walk_begin(b, list_of(b, t, TAKC_LIST_UNIT), NULL)};
    uint32_t df = 0;
    for (;;) {
        int first = 0;
        for (int l = 1; l < TAKC_LISTS; l++)
            if (w[l].now.from < w[first].now.from)
                first = l;
        if (w[first].now.from == UINT32_MAX)
            return df;
        uint32_t to = w[first].now.to;
        df += to - w[first].now.from;
        for (int l = 0; l < TAKC_LISTS; l++)
            walk_past(&w[l], to);
    }
}

/* The pieces of a list as they are, and its last posting. */
static enum takc_status write_list(const struct takc_postings_builder *b, const struct takc_list *l, struct takc_buf *out,
                                   struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    if (!l->n)
        return TAKC_OK;
    uint32_t at = l->head, size = PIECE_MIN;
    while (!st && at != TAKC_NO_PIECE) {
        uint32_t end = at + size - LINK, last = end == l->end;
        st = takc_buf_add(out, takc_str_n((const char *)b->pool + at, (last ? l->at : end) - at), err);
        if (last)
            break;
        memcpy(&at, b->pool + end, LINK);
        size = size < PIECE_MAX ? 2 * size : PIECE_MAX;
    }
    if (!st)
        st = takc_buf_varint(out, (uint64_t)(l->id - l->next_id) << 1 | (l->tf > 1), err);
    return st || l->tf <= 1 ? st : takc_buf_varint(out, l->tf, err);
}

/* The entry of one term, behind its text. */
static enum takc_status write_counts(const struct takc_postings_builder *b, const struct takc_term_lists *t, struct takc_buf *dict,
                                     struct takc_buf *postings, struct takc_err *err)
{
    size_t before = postings->len; /* a list is written whole before postings go to a file */
    bool titles = list_of(b, t, TAKC_LIST_TITLE)->n, sections = list_of(b, t, TAKC_LIST_SECTION)->n;
    enum takc_status st = takc_buf_varint(dict, (uint64_t)list_of(b, t, TAKC_LIST_UNIT)->n << 2 | (uint64_t)sections << 1 | titles, err);
    if (!st && titles)
        st = takc_buf_varint(dict, list_of(b, t, TAKC_LIST_TITLE)->n, err);
    if (!st && sections)
        st = takc_buf_varint(dict, list_of(b, t, TAKC_LIST_SECTION)->n, err);
    if (!st && (titles || sections))
        st = takc_buf_varint(dict, count_units(b, t), err);
    for (int l = 0; !st && l < TAKC_LISTS; l++)
        st = write_list(b, list_of(b, t, l), postings, err);
    return st ? st : takc_buf_varint(dict, postings->len - before, err);
}

static int by_text(const void *a, const void *b, void *arg)
{
    return takc_str_cmp(takc_intern_get(arg, *(const uint32_t *)a), takc_intern_get(arg, *(const uint32_t *)b));
}

/* Term numbers in byte order; those without a unit (a document without units has a title, too) are left out. Returns owned. */
static uint32_t *sorted_terms(const struct takc_postings_builder *b, uint32_t *out_n)
{
    uint32_t *ids = takc_alloc_array(b->vocabulary.n, sizeof(*ids)), n = 0;
    for (uint32_t i = 0; ids && i < b->vocabulary.n; i++)
        if (list_of(b, &b->terms[i], TAKC_LIST_UNIT)->n || count_units(b, &b->terms[i]))
            ids[n++] = i;
    if (ids)
        qsort_r(ids, n, sizeof(*ids), by_text, (void *)&b->vocabulary);
    *out_n = n;
    return ids;
}

static size_t shared_prefix(struct takc_str a, struct takc_str b)
{
    size_t n = 0;
    while (n < a.len && n < b.len && a.ptr[n] == b.ptr[n])
        n++;
    return n;
}

/* A term in front coding, and its entry. */
static enum takc_status write_term(const struct takc_postings_builder *b, uint32_t id, struct takc_str last, struct takc_buf *dict,
                                   struct takc_buf *postings, struct takc_err *err)
{
    struct takc_str term = takc_intern_get(&b->vocabulary, id);
    size_t shared = shared_prefix(last, term);
    enum takc_status st = takc_buf_varint(dict, shared, err);
    if (!st)
        st = takc_buf_varint(dict, term.len - shared, err);
    if (!st)
        st = takc_buf_add(dict, takc_str_slice(term, shared, term.len), err);
    return st ? st : write_counts(b, &b->terms[id], dict, postings, err);
}

enum takc_status takc_postings_write(const struct takc_postings_builder *b, struct takc_pieces *out, size_t first, uint32_t *out_n_terms,
                                     struct takc_err *err)
{
    uint32_t n;
    uint32_t *ids = sorted_terms(b, &n);
    enum takc_status st = ids ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu terms", b->vocabulary.n);
    struct takc_spill *index = &out->piece[first], *dict = index + 1, *postings = index + 2;
    struct takc_str last = {NULL, 0};
    for (uint32_t i = 0; !st && i < n; i++) {
        if (i % TAKC_DICT_BLOCK_TERMS == 0) {
            last.len = 0;
            st = takc_buf_le(&index->buf, takc_spill_len(dict), 4, err);
            if (!st)
                st = takc_buf_le(&index->buf, takc_spill_len(postings), 8, err);
        }
        if (!st)
            st = write_term(b, ids[i], last, &dict->buf, &postings->buf, err);
        for (size_t k = first; !st && k < first + 3; k++)
            st = takc_pieces_settle(out, k, err);
        last = takc_intern_get(&b->vocabulary, ids[i]);
    }
    takc_free(ids);
    *out_n_terms = n;
    return st;
}
