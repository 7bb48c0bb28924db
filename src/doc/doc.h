/* SPDX-License-Identifier: Apache-2.0
 *
 * doc/doc.h - what a reader makes of a document: text, structure, map, and a report.
 *
 * Text is valid UTF-8 with '\n' line ends. A span is a half-open byte range of it. Structure is a list of blocks in text order that do not
 * overlap; bytes between blocks are separators. Later stages never guess structure from the characters again.
 *  - Cells of a row are separated by " | " (inserted); the column of a place is the number of such separators before it in its row, plus 1.
 *  - A paragraph that goes on behind a page break, a footer or another interruption is several blocks, the later ones with
 *    TAKC_BLOCK_CONTINUES; white space inside a block (hard wraps) means one blank.
 *  - TAKC_BLOCK_HIDDEN (footers, page numbers, navigation): stays in the text, becomes no unit, is not counted.
 * Map: runs in text order from text to source bytes; every text byte outside the runs has no place in the source (as inserted).
 * Threads: one at a time. */
#ifndef TAKC_DOC_DOC_H
#define TAKC_DOC_DOC_H

#include "base/buf.h"

enum takc_block_kind {
    TAKC_BLOCK_UNSET = 0,
    TAKC_BLOCK_TITLE,   /* the document's title standing in the text; no unit, counted */
    TAKC_BLOCK_HEADING, /* level 1..9; 0 where the format does not say */
    TAKC_BLOCK_PARA,    /* prose: will be cut into sentences */
    TAKC_BLOCK_ITEM,    /* list item: prose, too */
    TAKC_BLOCK_ROW,     /* one row of a table, cells separated by " | " where the format knows cells */
    TAKC_BLOCK_CODE,    /* one line of code or preformatted text, kept as it is */
    TAKC_BLOCK_TERM,    /* term of a definition list: anchor of the blocks that follow with TAKC_BLOCK_DESCRIBES */
    TAKC_BLOCK_TURN,    /* a speaker's name opening a turn on the same or next line; prose */
    TAKC_BLOCK_KINDS
};

enum takc_block_flags {
    TAKC_BLOCK_CONTINUES = 1 << 0, /* goes on with the previous visible block of the same kind */
    TAKC_BLOCK_HIDDEN = 1 << 1,
    TAKC_BLOCK_HEADER = 1 << 2,    /* ROW: header of its table, an anchor and no unit */
    TAKC_BLOCK_DESCRIBES = 1 << 3, /* PARA, ITEM: belongs to the last TERM */
    TAKC_BLOCK_GUESSED = 1 << 4    /* found by the line rules of plain text, not told by the format */
};

struct takc_block {
    uint32_t start, end; /* bytes of the text, start < end */
    uint8_t kind;        /* enum takc_block_kind */
    uint8_t level;       /* HEADING: 1..9; ITEM: nesting */
    uint16_t flags;      /* enum takc_block_flags */
    uint32_t table;      /* ROW: number of its table, from 1; else 0 */
    uint32_t row;        /* ROW: row in the table or file, from 1 (header counts); else 0 */
    uint32_t page;       /* PDF: from 1; else 0 */
    uint32_t line;       /* text, Markdown, CSV, JSONL, code: line in the source, from 1; else 0 */
    uint32_t para;       /* DOCX: paragraph ordinal from 1; else 0 */
    uint32_t cell;       /* DOCX: cell ordinal in the row, from 1; else 0 */
    uint32_t pointer;    /* JSON: offset + 1 of a NUL-terminated JSON Pointer in strings; else 0 */
};

enum takc_map_kind {
    TAKC_MAP_UNSET = 0,
    TAKC_MAP_VERBATIM, /* same bytes */
    TAKC_MAP_DECODED   /* entity, escape or charset: the source bytes stand for the text bytes */
};

struct takc_map_run {
    uint32_t start, end;         /* bytes of the text */
    uint32_t src_start, src_end; /* bytes of the source (decompressed) */
    uint8_t kind;                /* enum takc_map_kind */
};

enum takc_title_from { TAKC_TITLE_UNSET = 0, TAKC_TITLE_TEXT, TAKC_TITLE_METADATA, TAKC_TITLE_NAME };

struct takc_doc {
    struct takc_buf text;
    struct takc_block *blocks;
    size_t n_blocks, blocks_cap;
    struct takc_map_run *runs;
    size_t n_runs, runs_cap;
    struct takc_buf strings; /* NUL-terminated strings that blocks point to */
    bool has_map;
    struct takc_buf title; /* the title as text, white space folded; may be empty until the pipeline falls back to the base name */
    uint8_t title_from;    /* enum takc_title_from */
    uint32_t title_start, title_end; /* span of the title where title_from is TAKC_TITLE_TEXT */
    bool has_date;
    int32_t date; /* days since 1970-01-01, from the format's metadata */
    /* report */
    char reader[24], reader_version[24]; /* name and version of the reader, with the options that matter appended ("pdf", "1+layout") */
    char charset[24];                    /* what the bytes were: "UTF-8", "windows-1252", ... */
    uint64_t n_replaced;                 /* wrong bytes that became U+FFFD */
    uint64_t n_hidden_bytes;             /* text bytes in hidden blocks */
    struct takc_buf notes;               /* one warning a line, for people */
};

/* An empty document; the storage of the struct is the caller's. */
void takc_doc_init(struct takc_doc *d);
/* Frees and leaves an empty document; twice is harmless. */
void takc_doc_clear(struct takc_doc *d);
/* Gives back the runs of the map, once they are saved and nobody reads them any more. */
void takc_doc_drop_runs(struct takc_doc *d);
/* Gives back the blocks; text and title stay. */
void takc_doc_drop_blocks(struct takc_doc *d);

/* Appends a block; end may equal start only for a mistake of the reader (BUG). */
TAKC_CHECK enum takc_status takc_doc_block(struct takc_doc *d, struct takc_block b, struct takc_err *err);
/* Appends text bytes that came verbatim from src_at of the source, joined to the last run where both continue it. */
TAKC_CHECK enum takc_status takc_doc_verbatim(struct takc_doc *d, struct takc_str bytes, size_t src_at, struct takc_err *err);
/* Appends text bytes that stand for source bytes src_at..src_end. */
TAKC_CHECK enum takc_status takc_doc_decoded(struct takc_doc *d, struct takc_str bytes, size_t src_at, size_t src_end,
                                             struct takc_err *err);
/* Appends text bytes that the source does not have. */
TAKC_CHECK enum takc_status takc_doc_inserted(struct takc_doc *d, struct takc_str bytes, struct takc_err *err);
/* Adds a warning for people, one line. */
TAKC_CHECK enum takc_status takc_doc_note(struct takc_doc *d, struct takc_err *err, const char *fmt, ...) TAKC_PRINTF(3, 4);
/* Appends a title as it is shown to out (takes at most 64 KiB): white space and control characters are one blank between words, none at the
 * ends. What is counted, shown and proved later is these bytes, so every title goes through here, a file's name too. */
TAKC_CHECK enum takc_status takc_title_fold(struct takc_str title, struct takc_buf *out, struct takc_err *err);
/* Sets the title, folded. */
TAKC_CHECK enum takc_status takc_doc_set_title(struct takc_doc *d, struct takc_str title, enum takc_title_from from, struct takc_err *err);
/* Number of the first run that ends behind text byte at; n_runs when none does. */
size_t takc_doc_run_behind(const struct takc_doc *d, size_t at);
/* Source range of text bytes start..end: true when both ends lie in runs (a verbatim run is cut to the byte, a decoded one counts whole).
 */
bool takc_doc_source_range(const struct takc_doc *d, uint32_t start, uint32_t end, uint64_t *out_start, uint64_t *out_end);

/* The promises of this header, checked: text valid UTF-8, blocks in order and not overlapping, on character boundaries, runs in order and
 * inside the source (src_len bytes; SIZE_MAX when not known), verbatim runs of equal length. CORRUPT names the first break.
 * Readers' contract tests, fuzz targets and takc_doc_load call it. */
TAKC_CHECK enum takc_status takc_doc_check(const struct takc_doc *d, size_t src_len, struct takc_err *err);

/* Appends blocks, strings, title and report as stored (docs/formats/structure.md). The text is a blob of its own. */
TAKC_CHECK enum takc_status takc_doc_save_structure(const struct takc_doc *d, struct takc_buf *out, struct takc_err *err);
/* Appends the runs of the map as stored. */
TAKC_CHECK enum takc_status takc_doc_save_map(const struct takc_doc *d, struct takc_buf *out, struct takc_err *err);
/* Reads text and both stored forms back (copies); map may be empty. CORRUPT for anything that takc_doc_check would not pass. d must be
 * init'ed. */
TAKC_CHECK enum takc_status takc_doc_load(struct takc_doc *d, struct takc_str text, struct takc_str structure, struct takc_str map,
                                          struct takc_err *err);

#endif
