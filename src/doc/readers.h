/* SPDX-License-Identifier: Apache-2.0
 *
 * doc/readers.h - the tables of the readers, for registry.c and their own tests. Everybody else asks doc/reader.h. */
#ifndef TAKC_DOC_READERS_H
#define TAKC_DOC_READERS_H

#include "doc/reader.h"

extern const struct takc_reader_ops takc_reader_text, takc_reader_markdown, takc_reader_csv, takc_reader_json, takc_reader_jsonl;
extern const struct takc_reader_ops takc_reader_html, takc_reader_pdf, takc_reader_docx;

#endif
