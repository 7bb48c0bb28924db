/* SPDX-License-Identifier: Apache-2.0
 *
 * rank/build.h - what index_write.c and postings_write.c share while an index is built.
 *
 * Terms of titles, headings and units are counted apart (one list each a term), since a window counts its title and its first unit's
 * heading once: together they are the counts of title + heading + unit. Each count is 12 bytes in one array, chained by term. */
#ifndef TAKC_RANK_BUILD_H
#define TAKC_RANK_BUILD_H

#include "rank/format.h"

enum takc_list_kind { TAKC_LIST_TITLE = 0, TAKC_LIST_SECTION, TAKC_LIST_UNIT, TAKC_LISTS };

#define TAKC_NO_POSTING UINT32_MAX

struct takc_count {
    uint32_t id, tf, next; /* document, section or unit; next: index in the same array, TAKC_NO_POSTING at the end */
};

struct takc_term_lists {
    uint32_t head[TAKC_LISTS], tail[TAKC_LISTS], n[TAKC_LISTS];
};

struct takc_postings_builder {
    struct takc_intern vocabulary;
    struct takc_term_lists *terms;
    size_t terms_cap;
    struct takc_count *counts;
    size_t n_counts, counts_cap;
    uint32_t *map; /* the document's term numbers to ours */
    size_t map_cap;
    struct takc_range *doc_units, *section_units; /* ranges by number, for df */
    size_t n_docs, docs_cap, n_sections, sections_cap;
};

void takc_postings_builder_init(struct takc_postings_builder *b);
void takc_postings_builder_clear(struct takc_postings_builder *b);
/* Makes b->map for a document's vocabulary. */
TAKC_CHECK enum takc_status takc_postings_begin(struct takc_postings_builder *b, const struct takc_intern *vocabulary,
                                                struct takc_err *err);
/* Counts terms (numbers of the document) for id; ids of a list ascend. */
TAKC_CHECK enum takc_status takc_postings_count(struct takc_postings_builder *b, enum takc_list_kind list, uint32_t id,
                                                const uint32_t *terms, size_t n, struct takc_err *err);
/* Counts the content stems of a text for id, and adds their number to *out_n. */
TAKC_CHECK enum takc_status takc_postings_text(struct takc_postings_builder *b, enum takc_list_kind list, uint32_t id, struct takc_str text,
                                               uint32_t *out_n, struct takc_err *err);
/* Appends dictionary index, dictionary and postings; *out_n_terms is how many terms the dictionary has. */
TAKC_CHECK enum takc_status takc_postings_write(const struct takc_postings_builder *b, struct takc_buf *dict_index, struct takc_buf *dict,
                                                struct takc_buf *postings, uint32_t *out_n_terms, struct takc_err *err);

#endif
