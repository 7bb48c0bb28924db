/* SPDX-License-Identifier: Apache-2.0
 *
 * doc/pdf_text.h - structure of what pdftotext prints: pages between form feeds, running headers, page numbers and contents hidden, the
 * rest by the line rules (doc/lines.h). Apart from pdf.c so that it can be tested and fuzzed without a child process. Threads: any. */
#ifndef TAKC_DOC_PDF_TEXT_H
#define TAKC_DOC_PDF_TEXT_H

#include "doc/doc.h"
#include "takc/call.h"

/* Makes bytes into the text of d (wrong UTF-8 replaced, control characters but newline, tab and form feed made blanks) and appends its
 * blocks. REFUSED when there are pages but no letters. */
TAKC_CHECK enum takc_status takc_pdf_text(struct takc_doc *d, struct takc_str bytes, struct takc_call *call, struct takc_err *err);
/* Title and date out of what pdfinfo -isodates prints; a title that says nothing ("untitled", a file name) is passed over for the first
 * heading of the text. */
TAKC_CHECK enum takc_status takc_pdf_info(struct takc_doc *d, struct takc_str info, struct takc_err *err);

#endif
