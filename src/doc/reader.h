/* SPDX-License-Identifier: Apache-2.0
 *
 * doc/reader.h - document readers: source bytes in, text with structure, locators and map out (doc/doc.h).
 *
 * One file per reader, one line in registry.c. A reader never follows links, opens files or uses the network; hostile bytes end in REFUSED
 * with what and where ("depth 10000 at byte 5123"), damaged ones in CORRUPT, an unknown kind in UNSUPPORTED. Same bytes, same result.
 * Threads: any; readers keep no state. */
#ifndef TAKC_DOC_READER_H
#define TAKC_DOC_READER_H

#include "doc/doc.h"
#include "takc/call.h"

struct takc_reader_input {
    struct takc_str bytes; /* borrowed; decompressed */
    struct takc_str name;  /* of the document, for messages and title fallback; borrowed */
    const char *jsonl_id, *jsonl_title, *jsonl_text,
        *jsonl_date; /* names of fields; NULL: id|doc_id|_id, title|name, text|content|body, date */
    const char
        *pdf_mode; /* "layout" or "raw" or "reading" (pdftotext's default order); NULL: the default, which is named in reader_version */
    uint64_t max_text_bytes; /* 0: TAKC_READER_MAX_TEXT */
    uint64_t timeout_ms;     /* wall clock for a confined child; 0: 60,000 */
};

enum { TAKC_READER_MAX_DEPTH = 256 }; /* nesting of elements, arrays, quotes; deeper is hostile or generated */
#define TAKC_READER_MAX_TEXT ((uint64_t)256 << 20)

struct takc_reader_ops {
    const char *name;              /* "text", "markdown", "html", "pdf", "docx", "csv", "json", "jsonl" */
    const char *version;           /* raised whenever output changes for any input */
    const char *const *extensions; /* lower case, without dot, NULL-terminated */
    bool splits;                   /* one source may hold many documents: takc_split_* is asked first */
    /* Is this what the bytes are? 0 no, 1 maybe, 2 likely (by content), 3 certain (by magic). NULL: by extension only. */
    int (*sniff)(struct takc_str bytes);
    enum takc_status (*read)(struct takc_call *, const struct takc_reader_input *, struct takc_doc *out, struct takc_err *);
};

/* The i-th reader, NULL behind the last. Static. */
const struct takc_reader_ops *takc_reader_at(size_t i);
/* The reader of exactly that name, or NULL. */
const struct takc_reader_ops *takc_reader_find(struct takc_str name);
/* The reader for these bytes: content first, then the name's extension; NULL for what is no document (binary). */
const struct takc_reader_ops *takc_reader_pick(struct takc_str name, struct takc_str bytes);
/* Reads and checks (takc_doc_check). out is init'ed by the caller and cleared by it, whatever the status. */
TAKC_CHECK enum takc_status takc_reader_read(const struct takc_reader_ops *r, struct takc_call *call, const struct takc_reader_input *in,
                                             struct takc_doc *out, struct takc_err *err);

/* Documents inside one source: JSONL has one a line, a JSON array of objects with a text field one an element. */
struct takc_split_part {
    struct takc_str bytes;  /* slice of the source */
    struct takc_str suffix; /* "#id" to append to the name; lives until the next part */
    const struct takc_reader_ops *reader;
    uint32_t line; /* in the source, from 1 */
};
typedef enum takc_status takc_split_fn(void *arg, const struct takc_split_part *part, struct takc_err *err);
/* Does this source hold many documents? */
bool takc_split_wanted(const struct takc_reader_ops *r, const struct takc_reader_input *in);
/* Calls each for every part, in order; stops at its first failure. A broken line does not stop the others: it is told to bad (may be NULL)
 * with its line number and message. Two parts of one id: the second gets "#id~line". */
TAKC_CHECK enum takc_status takc_split(const struct takc_reader_ops *r, struct takc_call *call, const struct takc_reader_input *in,
                                       takc_split_fn *each, void (*bad)(void *arg, uint32_t line, const char *msg), void *arg,
                                       struct takc_err *err);

/* "UTF-16LE" and its like when the bytes bear its mark, or look like it without one; NULL: another charset. */
const char *takc_charset_wide(struct takc_str bytes);
/* Bytes of any charset into UTF-8, told by BOM, validity and ICU detection. Appends the text to out and its map (offsets into bytes) to d's
 * runs when d is not NULL (out is then &d->text); fills charset and n_replaced. Line ends become '\n' (CR LF: a decoded run). */
TAKC_CHECK enum takc_status takc_charset_to_utf8(struct takc_str bytes, struct takc_buf *out, struct takc_doc *d, char charset[24],
                                                 uint64_t *n_replaced, struct takc_err *err);
/* The same from a charset that is known, by any name ICU has for it; UNSUPPORTED when it has none. Nothing is appended then. */
TAKC_CHECK enum takc_status takc_charset_from(struct takc_str bytes, const char *charset, struct takc_buf *out, struct takc_doc *d,
                                              uint64_t *n_replaced, struct takc_err *err);

#endif
