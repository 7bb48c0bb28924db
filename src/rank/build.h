/* SPDX-License-Identifier: Apache-2.0
 *
 * rank/build.h - what index_write.c and postings_write.c share while an index is built.
 *
 * Terms of titles, headings and units are counted apart (one list each a term), since a window counts its title and its first unit's
 * heading once: together they are the counts of title + heading + unit. A list is written as the index will hold it, into pieces of one
 * array that double in size, so that a posting takes about two bytes while the index is built, too. */
#ifndef TAKC_RANK_BUILD_H
#define TAKC_RANK_BUILD_H

#include "rank/format.h"

enum takc_list_kind { TAKC_LIST_TITLE = 0, TAKC_LIST_SECTION, TAKC_LIST_UNIT, TAKC_LISTS };

struct takc_list {
    uint32_t head;    /* place of the first piece in pool; TAKC_NO_PIECE: none yet */
    uint32_t at, end; /* where the next byte goes, and where the link to the next piece stands */
    uint32_t n;       /* postings, the last one included */
    uint32_t next_id; /* the least id that may follow the postings written */
    uint32_t id, tf;  /* the last posting (document, section or unit), not written yet: it may grow */
    uint32_t size;    /* of the piece being written */
};

#define TAKC_NO_PIECE UINT32_MAX

struct takc_term_lists {     /* most terms stand in units only */
    uint32_t of[TAKC_LISTS]; /* number of the list + 1; 0: none yet */
};

struct takc_postings_builder {
    struct takc_intern vocabulary;
    struct takc_term_lists *terms;
    struct takc_list *lists;
    size_t terms_cap, n_lists, lists_cap;
    unsigned char *pool; /* pieces of lists */
    size_t pool_len, pool_cap;
    uint32_t *map; /* the document's term numbers to ours */
    size_t map_cap;
    struct takc_range *doc_units, *section_units; /* ranges by number, for df */
    size_t n_docs, docs_cap, n_sections, sections_cap;
};

/* No terms and no documents; the storage of the struct is the caller's. */
void takc_postings_builder_init(struct takc_postings_builder *b);
/* Frees; twice is harmless. */
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
/* Writes dictionary index, dictionary and postings to three pieces from number first on; *out_n_terms is how many terms the dictionary has.
 */
TAKC_CHECK enum takc_status takc_postings_write(const struct takc_postings_builder *b, struct takc_pieces *out, size_t first,
                                                uint32_t *out_n_terms, struct takc_err *err);

#endif
