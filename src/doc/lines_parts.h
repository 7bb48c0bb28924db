/* SPDX-License-Identifier: Apache-2.0
 *
 * doc/lines_parts.h - what the files of the line rules share: one small record a line, filled by lines_kind.c, corrected by the passes of
 * lines_passes.c (turns, footers, terms, tables), made into blocks by lines.c. Nothing outside these files includes it. */
#ifndef TAKC_DOC_LINES_PARTS_H
#define TAKC_DOC_LINES_PARTS_H

#include "doc/lines.h"

enum takc_line_kind {
    TAKC_LINE_BLANK = 0,
    TAKC_LINE_RULE, /* nothing but dashes, bars and the like: separates, says nothing */
    TAKC_LINE_HEADING,
    TAKC_LINE_ROW,
    TAKC_LINE_ITEM,
    TAKC_LINE_PROSE,
    TAKC_LINE_CODE,
    TAKC_LINE_TERM,
    TAKC_LINE_TURN
};

enum takc_line_flags {
    TAKC_LINE_LOWER = 1 << 0,     /* begins with a lower-case letter */
    TAKC_LINE_STOP = 1 << 1,      /* ends in one of . ! ? : ; with or without closing quotes and brackets */
    TAKC_LINE_CAPITALS = 1 << 2,  /* all letters are capitals */
    TAKC_LINE_PIPE = 1 << 3,      /* cells separated by " | " */
    TAKC_LINE_DIGIT = 1 << 4,     /* holds a digit */
    TAKC_LINE_SPEAKER = 1 << 5,   /* looks like "Name: text" */
    TAKC_LINE_HIDDEN = 1 << 6,    /* footer, page number, running header */
    TAKC_LINE_HEADER = 1 << 7,    /* header row of its table */
    TAKC_LINE_DESCRIBES = 1 << 8, /* stands below a term */
    TAKC_LINE_FENCE = 1 << 9,     /* opens or closes a block of code */
    TAKC_LINE_HASH = 1 << 10,     /* heading marked by # */
    TAKC_LINE_FEED = 1 << 11,     /* a form feed stands before it */
    TAKC_LINE_GAPS = 1 << 12      /* three or more blanks between two words: columns */
};

struct takc_line {
    uint32_t start, end; /* bytes of the text without white space at both ends; a mark such as "- " or "## " is left out, too */
    uint32_t n_chars;    /* characters with white space folded, mark included */
    uint32_t page;       /* from 1, where pages are counted; else 0 */
    uint32_t table;      /* ROW: number of its table; else 0 */
    uint16_t indent;     /* columns of white space before it */
    uint16_t flags;      /* enum takc_line_flags */
    uint16_t n_words;
    uint8_t n_numbers; /* words that are numbers, at most 255 */
    uint8_t kind;      /* enum takc_line_kind */
    uint8_t level;     /* HEADING */
};

/* A line by the hash of something in it, to find what repeats. */
struct takc_line_pick {
    uint64_t hash;
    uint32_t line;
    uint32_t unused;
};

struct takc_lines {
    struct takc_str text;
    const struct takc_lines_options *o;
    struct takc_line *v;
    size_t n, cap;
    struct takc_line_pick *picks;
    size_t n_picks, picks_cap;
    uint32_t n_tables;
    size_t n_fences; /* opened or closed */
};

/* What the bytes from..to (no newline in them) are. Fills everything but page, table and what the passes find. */
void takc_line_look(struct takc_str text, size_t from, size_t to, struct takc_line *out);
/* The next word of text at or after *pos and before end; false when there is none. White space is Unicode's. */
bool takc_line_word(struct takc_str text, size_t *pos, size_t end, struct takc_str *out);
/* Is the word a number as tables have them: "(1,234.5)%", "$12", "2019,"? */
bool takc_line_number(struct takc_str word);

/* The passes, in this order; each corrects kinds and flags of l->v. */

/* Makes lines that open with a speaker's name turns, where the text is a transcript. NOMEM. */
TAKC_CHECK enum takc_status takc_lines_turns(struct takc_lines *l, struct takc_err *err);
/* Hides footers, page numbers and running headers: what comes again near page breaks. NOMEM. */
TAKC_CHECK enum takc_status takc_lines_footers(struct takc_lines *l, struct takc_err *err);
/* In hard-wrapped text, makes lines prose again that look like rows or headings and stand in the midst of a paragraph. */
void takc_lines_wrapped(struct takc_lines *l);
/* Marks terms of definition lists, and the lines that describe them. */
void takc_lines_terms(struct takc_lines *l);
/* Numbers the tables that rows make up, and marks their header rows. */
void takc_lines_tables(struct takc_lines *l);

#endif
