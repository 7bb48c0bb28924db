/* SPDX-License-Identifier: Apache-2.0
 *
 * verify/items.h - verify's own word splitter: a line as words and marks. It shares nothing with token/ and unit/, so that a mistake there
 * is seen here.
 *
 * White space separates (Unicode's, written down here). Brackets are marks wherever they stand. Punctuation at the outside of what is left
 * is marks, one each; the rest is one word, compared byte for byte. A sign or a decimal point in front of a digit belongs to the number.
 * Symbols that can carry meaning (% $ = + / | & # *) are no punctuation: they stay in the word or are words. Threads: pure functions. */
#ifndef TAKC_VERIFY_ITEMS_H
#define TAKC_VERIFY_ITEMS_H

#include "takc/str.h"

struct takc_item {
    struct takc_str s; /* borrowed from the text that was split */
    bool mark;
    bool first; /* first of its span */
    bool glued; /* no white space between this and the next item */
    bool opens; /* begins a sentence: nothing but marks since the span's start or since . ! ? */
};

struct takc_items {
    struct takc_item *v;
    size_t n, cap;
    bool open; /* a sentence begins with the next word */
};

/* No items, before a sentence; the storage of the struct is the caller's. */
void takc_items_init(struct takc_items *t);
/* Frees and leaves what init leaves; twice is harmless. */
void takc_items_clear(struct takc_items *t);
/* As takc_items_clear, but the memory is kept for the next line. */
void takc_items_reset(struct takc_items *t);
/* Appends the items of one span. Borrows text. NOMEM only. */
TAKC_CHECK enum takc_status takc_items_add(struct takc_items *t, struct takc_str text, struct takc_err *err);

/* Length in bytes of the white-space character at pos, 0 when it is none. */
size_t takc_item_space(struct takc_str s, size_t pos);
/* Words as wc -w counts them. */
uint64_t takc_item_count_white(struct takc_str s);
/* Exactly these bytes? */
bool takc_item_is(const struct takc_item *it, const char *z);
/* As takc_item_is, the first ASCII letter in either case. */
bool takc_item_is_word(const struct takc_item *it, const char *lower);
/* A digit of any script in it? */
bool takc_item_has_digit(const struct takc_item *it);
/* Is it a word that negates (no, not, never, ...)? */
bool takc_item_is_negation(const struct takc_item *it);
/* Does it begin with a capital letter (any script)? */
bool takc_item_is_capital(const struct takc_item *it);

#endif
