/* SPDX-License-Identifier: Apache-2.0
 *
 * rank/format.h - the bytes of a unit index, for the files of this folder only (docs/formats/index.md draws them).
 *
 * Parts follow the header in the order of enum takc_index_part, each on an 8-byte boundary, so the header needs offsets only. Records have
 * fixed sizes and are found by number; postings and dictionary entries are varints. All numbers are little-endian.
 * Every read goes through takc_index_block, which checks the range: a damaged body gives NULL (CORRUPT for the caller), never a wild read.
 * What encrypted homes need later is behind the same function. */
#ifndef TAKC_RANK_FORMAT_H
#define TAKC_RANK_FORMAT_H

#include "rank/index.h"
#include "token/words.h"

#include <endian.h>
#include <stdatomic.h>

#define TAKC_INDEX_MAGIC "TAKCIDX1"

enum takc_index_part {
    TAKC_PART_DOCS = 0,
    TAKC_PART_UNITS,
    TAKC_PART_BAGS, /* terms of title + heading + unit, a column of its own: scoring reads nothing else of most units */
    TAKC_PART_SECTIONS,
    TAKC_PART_ANCHORS,
    TAKC_PART_SPANS,
    TAKC_PART_TWINS,
    TAKC_PART_ORDER,
    TAKC_PART_WIN64,
    TAKC_PART_WIN128,
    TAKC_PART_WIN256,
    TAKC_PART_DICT_INDEX,
    TAKC_PART_DICT,
    TAKC_PART_POSTINGS,
    TAKC_PART_STRINGS,
    TAKC_PARTS_N
};

/* Levels at which text is scored: single units, and windows of about this many normalised words. */
enum { TAKC_LEVEL_UNIT = 0, TAKC_LEVELS = 4 };

enum {
    TAKC_INDEX_FORMAT = 1,
    TAKC_INDEX_PRINT_BYTES = 64, /* fingerprint text, NUL-padded */
    TAKC_HEAD_VERSION = 8,
    TAKC_HEAD_TOTAL = 16,
    TAKC_HEAD_PRINT = 24,
    TAKC_HEAD_COUNTS = TAKC_HEAD_PRINT + TAKC_INDEX_PRINT_BYTES,         /* one u32 a part; 0 for those counted in bytes */
    TAKC_HEAD_TERMS = TAKC_HEAD_COUNTS + (4 * TAKC_PARTS_N + 7) / 8 * 8, /* u32 terms of the dictionary, u32 0 */
    TAKC_HEAD_LENGTHS = TAKC_HEAD_TERMS + 8,                             /* u64 a level: sum of the lengths of its bags */
    TAKC_HEAD_OFFSETS = TAKC_HEAD_LENGTHS + 8 * TAKC_LEVELS,             /* u64 a part */
    TAKC_HEAD_SUM = TAKC_HEAD_OFFSETS + 8 * TAKC_PARTS_N,                /* u64: takc_hash64 of all bytes before it */
    TAKC_HEAD_BYTES = TAKC_HEAD_SUM + 8
};

/* Record sizes; 0: counted in bytes. */
enum {
    TAKC_REC_DOC = 96,
    TAKC_REC_UNIT = 23,
    TAKC_REC_BAG = 2,
    TAKC_REC_SECTION = 16,
    TAKC_REC_ANCHOR = 20,
    TAKC_REC_SPAN = 8,
    TAKC_REC_TWIN = 8,
    TAKC_REC_ORDER = 4,
    TAKC_REC_WINDOW = 8,
    TAKC_REC_DICT_INDEX = 12,
    TAKC_WORD_BYTES = TAKC_WORD_MAX, /* a stem is no longer than a word */
    TAKC_DICT_BLOCK_TERMS = 16       /* terms between two entries of the dictionary's index */
};

/* Places in the record of a unit that queries read directly. */
enum { TAKC_UNIT_AT_KIND = 6, TAKC_UNIT_AT_FLAGS = 21, TAKC_UNIT_FLAG_BITS = 12 };

/* Flags of a document record. */
enum { TAKC_DOC_DATED = 1, TAKC_DOC_SHOW_TITLE = 2 };

static inline uint16_t takc_rd16(const unsigned char *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof(v));
    return le16toh(v);
}

static inline uint32_t takc_rd32(const unsigned char *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof(v));
    return le32toh(v);
}

static inline uint32_t takc_rd24(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
}

static inline uint64_t takc_rd64(const unsigned char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof(v));
    return le64toh(v);
}

/* What the first question finds out about all windows and the next ones need again (survey.c). */
struct takc_survey;
struct takc_survey_cell {
    _Atomic(struct takc_survey *) made;
};

struct takc_index {
    struct takc_str bytes;
    struct takc_survey_cell *survey;
    uint64_t at[TAKC_PARTS_N + 1]; /* where each part begins; the last: where the file ends */
    uint32_t n[TAKC_PARTS_N];      /* records of each part */
    uint32_t n_terms;
    uint64_t lengths[TAKC_LEVELS];
};

void takc_survey_clear(struct takc_index *x);

/* len bytes at offset, or NULL when they are not all there. Valid for the query. */
static inline const unsigned char *takc_index_block(const struct takc_index *x, uint64_t offset, uint64_t len)
{
    if (offset > x->bytes.len || len > x->bytes.len - offset)
        return NULL;
    return (const unsigned char *)x->bytes.ptr + offset;
}

/* n records of size bytes from record i of a part, or NULL. */
static inline const unsigned char *takc_index_records(const struct takc_index *x, enum takc_index_part part, uint32_t i, uint32_t n,
                                                      uint32_t size)
{
    if (i > x->n[part] || n > x->n[part] - i)
        return NULL;
    return takc_index_block(x, x->at[part] + (uint64_t)i * size, (uint64_t)n * size);
}

/* A run of bytes of a part that is counted in bytes; false when it is not all there. */
static inline bool takc_index_bytes(const struct takc_index *x, enum takc_index_part part, uint64_t at, uint64_t len, struct takc_str *out)
{
    uint64_t size = x->at[part + 1] - x->at[part];
    if (at > size || len > size - at)
        return false;
    const unsigned char *p = takc_index_block(x, x->at[part] + at, len);
    *out = takc_str_n((const char *)p, (size_t)len);
    return p != NULL;
}

/* A half-open range of unit numbers. */
struct takc_range {
    uint32_t from, to;
};

/* A section: a run of units below one heading (or none). The heading, where it is a unit, is the first of them. */
struct takc_section {
    struct takc_range units;
    struct takc_range below;  /* units without that first one: those that the heading's words count for */
    struct takc_span heading; /* empty: none */
    uint32_t heading_block;   /* + 1; 0: none */
    uint32_t n_terms;
};

/* Always CORRUPT: "index: what". */
enum takc_status takc_index_corrupt(struct takc_err *err, const char *what);
/* Units of a document (< the number of documents); CORRUPT when they are not a range of this index. */
TAKC_CHECK enum takc_status takc_index_doc_units(const struct takc_index *x, uint32_t doc, struct takc_range *out, struct takc_err *err);
/* Section i: its units, its heading. CORRUPT when they are not in the index. */
TAKC_CHECK enum takc_status takc_index_section_at(const struct takc_index *x, uint32_t i, struct takc_section *out, struct takc_err *err);
/* The document that holds a unit (< n_units). */
uint32_t takc_index_doc_of(const struct takc_index *x, uint32_t unit);

/* One term of the dictionary. */
struct takc_term_entry {
    uint32_t df; /* units that hold it in title, heading or themselves; 0: not in the dictionary */
    uint32_t n_docs, n_sections, n_units;
    struct takc_str postings;
};
/* Looks a stem up; OK with df 0 when no unit of the task holds it. */
TAKC_CHECK enum takc_status takc_dict_find(const struct takc_index *x, struct takc_str stem, struct takc_term_entry *out,
                                           struct takc_err *err);

/* Reads the next posting of a list: gap and count as written by index_write.c; false when the bytes are damaged.
 * *id is the previous id of the same list, UINT32_MAX before its first. */
static inline bool takc_posting_next(struct takc_str bytes, size_t *pos, uint32_t limit, uint32_t *id, uint32_t *tf)
{
    uint64_t v, n = 1;
    size_t at = *pos;
    if (at < bytes.len && !((unsigned char)bytes.ptr[at] & 0x80))
        v = (unsigned char)bytes.ptr[(*pos)++];
    else if (!takc_varint(bytes, pos, &v))
        return false;
    if ((v & 1) && !takc_varint(bytes, pos, &n))
        return false;
    uint64_t next = (uint64_t)(uint32_t)(*id + 1) + (v >> 1);
    if (next >= limit || n > UINT32_MAX)
        return false;
    *id = (uint32_t)next;
    *tf = (uint32_t)n;
    return true;
}

/* Windows of a document (data-model.md section 6): whole units of up to width words, stride half. */
struct takc_window {
    uint32_t first, n; /* local unit numbers */
};
struct takc_window_cutter {   /* begins as {n_tokens, n_units, width} */
    const uint16_t *n_tokens; /* words of each unit */
    uint32_t n_units, width;
    uint32_t start, last_end;
    bool done;
};
/* The next window of c, false at the end. */
bool takc_window_next(struct takc_window_cutter *c, struct takc_window *out);
extern const uint32_t takc_level_width[TAKC_LEVELS];

#endif
