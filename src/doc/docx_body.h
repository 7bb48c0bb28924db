/* SPDX-License-Identifier: Apache-2.0
 *
 * doc/docx_body.h - word/document.xml on its way into blocks: what is open (docx_body.c keeps it) and the line being made, which becomes a
 * block when its paragraph or row ends (docx_blocks.c). Only the DOCX reader includes it. Threads: one at a time.
 * Statuses: those of takc_doc (docx_body.c turns INVALID, a text over its limit, into REFUSED). */
#ifndef TAKC_DOC_DOCX_BODY_H
#define TAKC_DOC_DOCX_BODY_H

#include "doc/docx_parts.h"

enum { TAKC_DOCX_TABLES = 64, TAKC_DOCX_PARAS = 64 }; /* that may be open at once */

/* A table that is open. */
struct takc_docx_table {
    uint32_t number, row, cell; /* the row and cell being read */
    uint32_t n_columns;
    size_t first_block, first_end; /* its first row and what follows; equal: none yet */
    bool looks_headed;             /* its style marks the first row */
    bool has_header, row_header;
    bool nested; /* folded into a cell of another */
    bool layout; /* one column */
};

/* A paragraph that is open; more than one: a text box stands in a paragraph. */
struct takc_docx_para {
    struct takc_docx_style style;
    uint32_t ordinal;
    uint8_t list_level;
    bool numbered, unnumbered;
    bool continues; /* a part of it has been written */
};

struct takc_docx_body {
    struct takc_doc *d;
    const struct takc_docx_styles *styles;
    struct takc_call *call;
    struct takc_err *err;
    struct takc_docx_table tables[TAKC_DOCX_TABLES];
    struct takc_docx_para paras[TAKC_DOCX_PARAS];
    unsigned n_tables, n_open, in_t, in_r;
    int skip;         /* depth of the element that is left out; -1: none */
    uint32_t n_paras; /* ordinals given */
    uint32_t n_all_tables, row_para;
    uint64_t n_nodes, n_notes;
    bool vanish;
    bool spaced;          /* a blank waits for a word */
    char space;           /* ' ' or '\n' */
    struct takc_buf line; /* text of the paragraph or row being read */
};

/* Reads the main part, called name, into d. Borrows styles. REFUSED: tables or text boxes nested too deep, a text over its limit. */
TAKC_CHECK enum takc_status takc_docx_body_read(struct takc_doc *d, const struct takc_docx_styles *styles, struct takc_call *call,
                                                const char *name, struct takc_str part, struct takc_err *err);

/* The table whose row is being read, or NULL in paragraphs of the body. */
struct takc_docx_table *takc_docx_row_table(struct takc_docx_body *b);
/* The innermost paragraph that is open, or NULL. */
struct takc_docx_para *takc_docx_open_para(struct takc_docx_body *b);
/* Is the line one of a listing, where white space counts? */
bool takc_docx_in_code(struct takc_docx_body *b);

/* A blank (' ') or a line end ('\n') waits for the next word; a line end wins. */
void takc_docx_add_space(struct takc_docx_body *b, char c);
/* Appends a word as it is, behind the blank that waits. */
TAKC_CHECK enum takc_status takc_docx_add_word(struct takc_docx_body *b, struct takc_str word);
/* Appends a text, its white space folded to blanks that wait; in a listing byte by byte. */
TAKC_CHECK enum takc_status takc_docx_add_text(struct takc_docx_body *b, struct takc_str s);

/* The line becomes a block of the paragraph that is open, or one block a line of a listing; an empty one becomes nothing. */
TAKC_CHECK enum takc_status takc_docx_write_para(struct takc_docx_body *b);
/* The line becomes a row of t; a row of blanks becomes nothing. */
TAKC_CHECK enum takc_status takc_docx_write_row(struct takc_docx_body *b, struct takc_docx_table *t);
/* Marks t's first row as its header where it looks like one and none is marked. */
void takc_docx_guess_header(struct takc_docx_body *b, const struct takc_docx_table *t);

#endif
