/* SPDX-License-Identifier: Apache-2.0
 *
 * doc/docx_parts.h - the parts of a DOCX file: entries of the archive, read under limits (docx_zip.c), and what its styles say
 * (docx_styles.c). Only the DOCX reader includes it. Threads: one at a time. */
#ifndef TAKC_DOC_DOCX_PARTS_H
#define TAKC_DOC_DOCX_PARTS_H

#include "base/intern.h"
#include "doc/doc.h"
#include "takc/call.h"

#include <libxml/xmlreader.h>

struct takc_docx_zip {
    struct zip *zip;
    size_t size;        /* of the archive in bytes */
    uint64_t max_bytes; /* a part may be this large */
};

/* Opens an archive in memory (borrowed) and looks at its list of entries: names that lead out of a folder are noted and never read.
 * CORRUPT: no archive; REFUSED: a NUL in a name, too many entries; NOMEM. */
TAKC_CHECK enum takc_status takc_docx_open(struct takc_docx_zip *z, struct takc_str bytes, uint64_t max_bytes, struct takc_doc *notes,
                                           struct takc_err *err);
/* Frees; zeroed storage is fine, twice is harmless. */
void takc_docx_close(struct takc_docx_zip *z);
/* Appends the part called name. NOT_FOUND: none; REFUSED names the entry: encrypted, too large, or packed beyond what documents are;
 * CORRUPT: damaged. */
TAKC_CHECK enum takc_status takc_docx_part(struct takc_docx_zip *z, const char *name, struct takc_buf *out, struct takc_err *err);
/* The name of the main part, or NULL. Lives as long as z. */
const char *takc_docx_main(struct takc_docx_zip *z);

/* A reader over XML that does no I/O and expands nothing. REFUSED where the part declares a document type: that is what entities need. */
struct takc_docx_xml {
    xmlTextReaderPtr x;
    bool too_deep; /* the parser, which runs ahead of the nodes it gives, has met its limit */
};
/* Over bytes that outlive it; name is for messages. NOMEM. */
TAKC_CHECK enum takc_status takc_docx_xml_open(struct takc_docx_xml *xml, struct takc_str part, const char *name, struct takc_err *err);
/* Frees; behind a failed open, too. */
void takc_docx_xml_close(struct takc_docx_xml *xml);
/* The next node: *more false at the end. REFUSED: nested too deep, entities; CORRUPT: no XML. */
TAKC_CHECK enum takc_status takc_docx_next(struct takc_docx_xml *xml, const char *name, bool *more, struct takc_err *err);
/* The value of the attribute with this local name, copied to out (cut to n - 1 bytes); false when there is none. */
bool takc_docx_attribute(xmlTextReaderPtr x, const char *local, char *out, size_t n);

/* What a paragraph style means. */
struct takc_docx_style {
    uint8_t kind;  /* enum takc_block_kind; PARA for all the others */
    uint8_t level; /* HEADING: 1..9 */
    bool hidden;   /* table of contents */
    bool list;     /* has a numbering */
};

struct takc_docx_styles {
    struct takc_intern ids;
    struct takc_docx_entry *v; /* by number of the id */
    size_t n, cap;
};

/* No styles: every id is looked at as a name. */
void takc_docx_styles_init(struct takc_docx_styles *s);
/* Frees; twice is harmless. */
void takc_docx_styles_clear(struct takc_docx_styles *s);
/* Adds the paragraph styles of word/styles.xml, each with what it inherits. Statuses of takc_docx_next, NOMEM. */
TAKC_CHECK enum takc_status takc_docx_styles_read(struct takc_docx_styles *s, struct takc_str part, struct takc_err *err);
/* What the style with this id means; unknown ids are looked at as names ("Heading2"). */
struct takc_docx_style takc_docx_style(const struct takc_docx_styles *s, struct takc_str id);

#endif
