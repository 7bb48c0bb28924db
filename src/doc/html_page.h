/* SPDX-License-Identifier: Apache-2.0
 *
 * doc/html_page.h - writes the pieces of an HTML page into a document: folds white space, opens and closes blocks, keeps the map.
 * html.c walks the tree and says what surrounds each piece; html_page.c writes. The first failure stays in st and stops all writing.
 * Threads: one at a time. */
#ifndef TAKC_DOC_HTML_PAGE_H
#define TAKC_DOC_HTML_PAGE_H

#include "doc/doc.h"

/* What surrounds a piece; handed down by value. */
struct takc_html_around {
    uint8_t kind, level; /* of a block that begins here */
    uint8_t list_depth;
    bool hidden, pre, cell, header;
    bool describes;      /* inside <dd> */
    uint32_t dl;         /* node of the innermost <dl>; 0: none */
    uint32_t item;       /* node of the innermost <li>; 0: none */
    uint32_t table, row; /* of a cell */
};

/* A piece of text and where it came from, in the UTF-8 that was parsed. */
struct takc_html_piece {
    struct takc_str text;
    size_t at, src_len;
    uint8_t map; /* enum takc_map_kind; UNSET: nowhere */
};

struct takc_html_page {
    struct takc_doc *d;
    const struct takc_doc *under; /* map from the parsed UTF-8 to the source; NULL: offset `base` is all there is between them */
    size_t base;
    bool mapped; /* false: the document gets no map */
    struct takc_err *err;
    enum takc_status st;
    /* state */
    bool open; /* a block is being filled */
    struct takc_block block;
    uint32_t block_item, block_dl;
    size_t solid_end; /* text behind the last byte that is not blank */
    bool space;       /* white space waits for a word behind it */
    char space_byte;
    size_t space_at; /* its place; SIZE_MAX: none */
    unsigned n_bars; /* cells begun since the last text of this row */
    char indent[64]; /* of a line of code */
    size_t n_indent;
    uint32_t term_of;   /* <dl> of the last term */
    uint32_t item_done; /* last <li> that has had its block */
    bool titled;
};

/* Writes a piece. */
void takc_html_page_text(struct takc_html_page *p, const struct takc_html_around *a, struct takc_html_piece piece);
/* A line break inside a block (<br>). */
void takc_html_page_line(struct takc_html_page *p, const struct takc_html_around *a);
/* Between two block elements: ends the block, or separates words in a cell. */
void takc_html_page_break(struct takc_html_page *p, const struct takc_html_around *a);
/* The next cell of a row begins. */
void takc_html_page_bar(struct takc_html_page *p);
/* Ends the block, if one is open. */
void takc_html_page_close(struct takc_html_page *p);

#endif
