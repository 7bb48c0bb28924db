/* SPDX-License-Identifier: Apache-2.0
 *
 * doc/lines.h - the line rules: structure of plain text, guessed from its lines.
 *
 * Used by the text reader, for the text fields of JSON records, and for what pdftotext prints. Every line is a heading, a row, a list item,
 * prose or code; hard-wrapped prose is joined into one block; runs of rows are tables; repeated page footers are hidden; a term with an
 * indented description below is a definition; "Name: text" in transcripts is a turn. All blocks carry TAKC_BLOCK_GUESSED.
 * Threads: any; nothing is kept. */
#ifndef TAKC_DOC_LINES_H
#define TAKC_DOC_LINES_H

#include "doc/doc.h"
#include "takc/call.h"

/* Bytes of whole lines. */
struct takc_lines_range {
    uint32_t start, end;
};

struct takc_lines_options {
    size_t from;                           /* byte of the text where the lines begin; a line start */
    bool pages;                            /* form feeds separate pages: blocks get page numbers from 1 and never cross one */
    uint32_t first_line;                   /* number of the line at from, for the locator; 0: blocks get no line numbers */
    bool one_line;                         /* every block gets first_line (a JSON record stands on one line of its source) */
    uint32_t pointer;                      /* JSON Pointer for every block, as in struct takc_block; 0: none */
    uint32_t first_table;                  /* number of the first table found; 0: 1 */
    const struct takc_lines_range *hidden; /* lines that the caller knows to be headers, footers or contents, in order; borrowed */
    size_t n_hidden;
};

/* Appends the blocks of d->text[options.from ..] to d, in order, and counts hidden bytes. The text itself is not changed. The call may be
 * NULL. REFUSED when the text is over 4 GiB, NOMEM, CANCELLED, TIMEOUT. */
TAKC_CHECK enum takc_status takc_lines_structure(struct takc_doc *d, const struct takc_lines_options *options, struct takc_call *call,
                                                 struct takc_err *err);

#endif
