/* SPDX-License-Identifier: Apache-2.0
 *
 * verify/map.h - level M inside: what the decoders of the formats share. Each decoder turns a slice of the source into what it stands for,
 * by code that no reader uses. Threads: a struct belongs to one thread. */
#ifndef TAKC_VERIFY_MAP_H
#define TAKC_VERIFY_MAP_H

#include "verify/report.h"

struct takc_map_job {
    struct takc_call *call;
    struct takc_str source;
    const struct takc_doc *doc;
    const char *subject;
    bool partial; /* doc holds only lines of the text */
    struct takc_report report;
    void *iconv[2];           /* iconv_t of the charset and of its wider cousin; NULL: UTF-8, or none */
    bool no_charset;          /* iconv does not know it */
    struct takc_buf raw, out; /* scratch: the slice in UTF-8; what it stands for */
    struct takc_err *err;
};

/* How a format's slices are decoded into out (appended). variant counts from 0; false when there is no such variant. A slice that breaks
 * the format's rule (a '<' in HTML) sets *out_wrong. */
typedef enum takc_status takc_map_decode_fn(struct takc_str utf8, unsigned variant, struct takc_buf *out, bool *out_more,
                                            const char **out_wrong, struct takc_err *err);
takc_map_decode_fn takc_map_plain, takc_map_markdown, takc_map_html, takc_map_csv, takc_map_json;

/* Appends source bytes in UTF-8 by iconv (which: 0 or 1); wrong bytes become U+FFFD. */
TAKC_CHECK enum takc_status takc_map_to_utf8(struct takc_map_job *m, struct takc_str bytes, unsigned which, struct takc_buf *out);
/* Opens the converters that m->doc->charset needs; sets no_charset where there is none. Close afterwards. */
void takc_map_charset_open(struct takc_map_job *m);
/* Closes them; harmless where none was opened. */
void takc_map_charset_close(struct takc_map_job *m);
/* Same text but for white space, line ends, controls shown as blanks, and characters that neither side could decode? */
bool takc_map_same(struct takc_str a, struct takc_str b);
/* The same with all white space and bars left out: does b begin with a? *out_used: bytes of b. */
bool takc_map_begins(struct takc_str b, struct takc_str a, size_t *out_used);

/* Witnesses over blocks. Each tells and counts by itself: OK whatever it found; the call's statuses and NOMEM otherwise. */

/* JSON: the pointer's literal holds the block. */
TAKC_CHECK enum takc_status takc_map_pointers(struct takc_map_job *m);
/* DOCX: the paragraph of that ordinal, found by a plain scanner, holds the block's words. */
TAKC_CHECK enum takc_status takc_map_docx(struct takc_map_job *m);
/* PDF: the block's words stand on its page, as pdftotext -bbox gives them. Underivable without that program. */
TAKC_CHECK enum takc_status takc_map_pdf(struct takc_map_job *m);
/* The part of takc_map_pdf behind the child: bbox is what pdftotext -bbox printed. */
TAKC_CHECK enum takc_status takc_map_pdf_words(struct takc_map_job *m, struct takc_str bbox);
/* The part of takc_map_docx behind the archive. */
TAKC_CHECK enum takc_status takc_map_docx_xml(struct takc_map_job *m, struct takc_str xml);

/* Code point of a character reference at pos of s ("&amp;", "&#8211;"), 0 when there is none; *out_end behind it. lenient: the semicolon
 * may be missing, and numbers 128..159 mean windows-1252. */
uint32_t takc_entity_at(struct takc_str s, size_t pos, bool lenient, size_t *out_end);
/* Appends s with its references resolved. */
TAKC_CHECK enum takc_status takc_entities(struct takc_str s, bool lenient, struct takc_buf *out, struct takc_err *err);

#endif
