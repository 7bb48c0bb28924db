/* SPDX-License-Identifier: Apache-2.0
 *
 * index_read.c - opens an index and reads its records. Opening looks at the header alone: offsets ascend, records fit their parts, the
 * whole has the length it says. What a record says about others (first unit, anchor, strings) is checked when the record is read. */
#include "rank/format.h"

#include "base/alloc.h"

static const uint32_t record_size[TAKC_PARTS_N] = {
    [TAKC_PART_BAGS] = TAKC_REC_BAG,         [TAKC_PART_DOCS] = TAKC_REC_DOC,       [TAKC_PART_UNITS] = TAKC_REC_UNIT,
    [TAKC_PART_SECTIONS] = TAKC_REC_SECTION, [TAKC_PART_ANCHORS] = TAKC_REC_ANCHOR, [TAKC_PART_SPANS] = TAKC_REC_SPAN,
    [TAKC_PART_TWINS] = TAKC_REC_TWIN,       [TAKC_PART_ORDER] = TAKC_REC_ORDER,    [TAKC_PART_WIN64] = TAKC_REC_WINDOW,
    [TAKC_PART_WIN128] = TAKC_REC_WINDOW,    [TAKC_PART_WIN256] = TAKC_REC_WINDOW,  [TAKC_PART_DICT_INDEX] = TAKC_REC_DICT_INDEX,
};

enum takc_status takc_index_corrupt(struct takc_err *err, const char *what)
{
    return takc_fail(err, TAKC_CORRUPT, 0, "index: %s", what);
}

static enum takc_status read_offsets(struct takc_index *x, const unsigned char *head, struct takc_err *err)
{
    x->at[TAKC_PARTS_N] = x->bytes.len;
    for (int p = 0; p < TAKC_PARTS_N; p++)
        x->at[p] = takc_rd64(head + TAKC_HEAD_OFFSETS + 8 * p);
    if (x->at[0] != TAKC_HEAD_BYTES)
        return takc_index_corrupt(err, "the first part does not follow the header");
    for (int p = 0; p < TAKC_PARTS_N; p++) {
        x->n[p] = takc_rd32(head + TAKC_HEAD_COUNTS + 4 * p);
        if (x->at[p + 1] < x->at[p] || x->at[p + 1] - x->at[p] < (uint64_t)x->n[p] * record_size[p])
            return takc_index_corrupt(err, "a part is shorter than its records");
    }
    if (x->n[TAKC_PART_UNITS] > INT32_MAX || x->n[TAKC_PART_BAGS] != x->n[TAKC_PART_UNITS])
        return takc_index_corrupt(err, "impossible numbers of units");
    return TAKC_OK;
}

static enum takc_status read_header(struct takc_index *x, struct takc_err *err)
{
    static const char print[] = "index " TAKC_INDEX_VERSION " units " TAKC_UNITS_VERSION " extractive " TAKC_EXTRACTIVE_VERSION;
    const unsigned char *head = takc_index_block(x, 0, TAKC_HEAD_BYTES);
    if (!head || memcmp(head, TAKC_INDEX_MAGIC, 8) != 0)
        return takc_index_corrupt(err, "no index");
    if (takc_hash64(takc_str_n((const char *)head, TAKC_HEAD_SUM), 0) != takc_rd64(head + TAKC_HEAD_SUM))
        return takc_index_corrupt(err, "the header's checksum is wrong");
    if (takc_rd32(head + TAKC_HEAD_VERSION) != TAKC_INDEX_FORMAT)
        return takc_fail(err, TAKC_UNSUPPORTED, 0, "index: format %u, this takc reads format %d", takc_rd32(head + TAKC_HEAD_VERSION),
                         TAKC_INDEX_FORMAT);
    const char *made = (const char *)head + TAKC_HEAD_PRINT;
    if (strnlen(made, TAKC_INDEX_PRINT_BYTES) != strlen(print) || memcmp(made, print, strlen(print)) != 0)
        return takc_fail(err, TAKC_UNSUPPORTED, 0, "index: made by \"%.*s\", this takc reads \"%s\"", TAKC_INDEX_PRINT_BYTES, made, print);
    if (takc_rd64(head + TAKC_HEAD_TOTAL) != x->bytes.len)
        return takc_index_corrupt(err, "cut off, or something stands behind it");
    x->n_terms = takc_rd32(head + TAKC_HEAD_TERMS);
    for (int l = 0; l < TAKC_LEVELS; l++)
        x->lengths[l] = takc_rd64(head + TAKC_HEAD_LENGTHS + 8 * l);
    return read_offsets(x, head, err);
}

enum takc_status takc_index_open(struct takc_index **out, struct takc_str bytes, struct takc_err *err)
{
    struct takc_index *x = takc_alloc(sizeof(*x));
    if (!x)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for an index");
    *x = (struct takc_index){.bytes = bytes, .survey = takc_alloc(sizeof(*x->survey))};
    enum takc_status st = x->survey ? read_header(x, err) : takc_fail(err, TAKC_NOMEM, 0, "no memory for an index");
    if (st) {
        takc_free(x->survey);
        takc_free(x);
        return st;
    }
    atomic_init(&x->survey->made, NULL);
    *out = x;
    return TAKC_OK;
}

void takc_index_close(struct takc_index *x)
{
    if (x)
        takc_survey_clear(x);
    takc_free(x);
}

size_t takc_index_n_docs(const struct takc_index *x)
{
    return x->n[TAKC_PART_DOCS];
}

size_t takc_index_n_units(const struct takc_index *x)
{
    return x->n[TAKC_PART_UNITS];
}

size_t takc_index_n_order(const struct takc_index *x)
{
    return x->n[TAKC_PART_ORDER];
}

enum takc_status takc_index_order_at(const struct takc_index *x, size_t i, uint32_t *out_unit, struct takc_err *err)
{
    const unsigned char *p = i < x->n[TAKC_PART_ORDER] ? takc_index_records(x, TAKC_PART_ORDER, (uint32_t)i, 1, TAKC_REC_ORDER) : NULL;
    if (!p || takc_rd32(p) >= x->n[TAKC_PART_UNITS])
        return takc_index_corrupt(err, "the order names no unit");
    *out_unit = takc_rd32(p);
    return TAKC_OK;
}

/* First unit of record i of a part whose records begin units at byte at; behind the last record: the number of units. */
static uint32_t first_unit(const struct takc_index *x, enum takc_index_part part, uint32_t i, uint32_t at)
{
    if (i >= x->n[part])
        return x->n[TAKC_PART_UNITS];
    return takc_rd32(takc_index_records(x, part, i, 1, record_size[part]) + at);
}

enum { DOC_FIRST_UNIT = 24, SECTION_FIRST_UNIT = 0 };

static enum takc_status units_of(const struct takc_index *x, enum takc_index_part part, uint32_t i, uint32_t at, struct takc_range *out,
                                 struct takc_err *err)
{
    if (i >= x->n[part])
        return takc_index_corrupt(err, "a record that is not there is named");
    struct takc_range r = {first_unit(x, part, i, at), first_unit(x, part, i + 1, at)};
    if (r.from > r.to || r.to > x->n[TAKC_PART_UNITS])
        return takc_index_corrupt(err, "units of a document or section are out of order");
    *out = r;
    return TAKC_OK;
}

enum takc_status takc_index_doc_units(const struct takc_index *x, uint32_t doc, struct takc_range *out, struct takc_err *err)
{
    return units_of(x, TAKC_PART_DOCS, doc, DOC_FIRST_UNIT, out, err);
}

/* The last record that begins at or before this unit; 0 when there is none. */
static uint32_t last_from(const struct takc_index *x, enum takc_index_part part, uint32_t at, uint32_t unit)
{
    uint32_t lo = 0, hi = x->n[part];
    while (hi - lo > 1) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (first_unit(x, part, mid, at) <= unit)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

uint32_t takc_index_doc_of(const struct takc_index *x, uint32_t unit)
{
    return last_from(x, TAKC_PART_DOCS, DOC_FIRST_UNIT, unit);
}

static uint32_t section_of(const struct takc_index *x, uint32_t unit)
{
    return last_from(x, TAKC_PART_SECTIONS, SECTION_FIRST_UNIT, unit);
}

static bool is_heading(const struct takc_index *x, uint32_t unit)
{
    const unsigned char *p = takc_index_records(x, TAKC_PART_UNITS, unit, 1, TAKC_REC_UNIT);
    return p && (p[TAKC_UNIT_AT_KIND] & 15) == TAKC_UNIT_HEADING;
}

enum takc_status takc_index_section_at(const struct takc_index *x, uint32_t i, struct takc_section *out, struct takc_err *err)
{
    struct takc_section s = {{0, 0}, {0, 0}, {0, 0}, 0, 0};
    enum takc_status st = units_of(x, TAKC_PART_SECTIONS, i, SECTION_FIRST_UNIT, &s.units, err);
    if (st)
        return st;
    const unsigned char *p = takc_index_records(x, TAKC_PART_SECTIONS, i, 1, TAKC_REC_SECTION);
    uint64_t end = takc_rd32(p + 4) + (uint64_t)takc_rd16(p + 8);
    s.heading = (struct takc_span){takc_rd32(p + 4), (uint32_t)end};
    s.n_terms = takc_rd16(p + 10);
    s.below = s.units;
    if (s.units.from < s.units.to)
        s.below.from += is_heading(x, s.units.from);
    s.heading_block = takc_rd32(p + 12);
    if (end > UINT32_MAX)
        return takc_index_corrupt(err, "a heading is out of range");
    *out = s;
    return TAKC_OK;
}

static void to_hex(const unsigned char *bytes, struct takc_hex *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < TAKC_SHA256_HEX / 2; i++) {
        out->s[2 * i] = digits[bytes[i] >> 4];
        out->s[2 * i + 1] = digits[bytes[i] & 15];
    }
    out->s[TAKC_SHA256_HEX] = '\0';
}

enum takc_status takc_index_doc_at(const struct takc_index *x, uint32_t doc, struct takc_index_doc *out, struct takc_err *err)
{
    struct takc_range units;
    enum takc_status st = takc_index_doc_units(x, doc, &units, err);
    if (st)
        return st;
    const unsigned char *p = takc_index_records(x, TAKC_PART_DOCS, doc, 1, TAKC_REC_DOC);
    struct takc_index_doc d = {.first_unit = units.from, .n_units = units.to - units.from};
    uint64_t at = takc_rd32(p);
    uint16_t name_len = takc_rd16(p + 4), title_len = takc_rd16(p + 6), flags = takc_rd16(p + 20);
    if (!takc_index_bytes(x, TAKC_PART_STRINGS, at, name_len, &d.name) ||
        !takc_index_bytes(x, TAKC_PART_STRINGS, at + name_len, title_len, &d.title))
        return takc_index_corrupt(err, "a document's name or title is not there");
    d.title_span = (struct takc_span){takc_rd32(p + 8), takc_rd32(p + 12)};
    d.date = (int32_t)takc_rd32(p + 16);
    d.has_date = flags & TAKC_DOC_DATED;
    d.show_title = flags & TAKC_DOC_SHOW_TITLE;
    to_hex(p + 32, &d.source_sha);
    to_hex(p + 64, &d.text_sha);
    *out = d;
    return TAKC_OK;
}

/* The spans of a unit: in the record itself, or a run of the table of spans. */
static enum takc_status read_spans(const struct takc_index *x, const unsigned char *p, struct takc_index_unit *u, struct takc_err *err)
{
    uint32_t at = takc_rd32(p), n = takc_rd16(p + TAKC_UNIT_AT_FLAGS) >> TAKC_UNIT_FLAG_BITS;
    if (n == 0) {
        uint64_t end = (uint64_t)at + takc_rd16(p + 4);
        u->spans[0] = (struct takc_span){at, (uint32_t)end};
        u->n_spans = 1;
        return end > UINT32_MAX ? takc_index_corrupt(err, "a span is out of range") : TAKC_OK;
    }
    const unsigned char *s = n <= 8 ? takc_index_records(x, TAKC_PART_SPANS, at, n, TAKC_REC_SPAN) : NULL;
    if (!s)
        return takc_index_corrupt(err, "a unit's spans are not there");
    for (uint32_t i = 0; i < n; i++) {
        u->spans[i] = (struct takc_span){takc_rd32(s + 8 * i), takc_rd32(s + 8 * i + 4)};
        if (u->spans[i].start > u->spans[i].end)
            return takc_index_corrupt(err, "a span ends before it begins");
    }
    u->n_spans = n;
    return TAKC_OK;
}

static enum takc_status read_anchor(const struct takc_index *x, uint32_t anchor, struct takc_index_unit *u, struct takc_err *err)
{
    if (!anchor)
        return TAKC_OK;
    const unsigned char *d = takc_index_records(x, TAKC_PART_DOCS, u->doc, 1, TAKC_REC_DOC);
    uint64_t at = d ? takc_rd32(d + 28) + (uint64_t)anchor - 1 : UINT64_MAX;
    const unsigned char *p =
        at < x->n[TAKC_PART_ANCHORS] ? takc_index_records(x, TAKC_PART_ANCHORS, (uint32_t)at, 1, TAKC_REC_ANCHOR) : NULL;
    if (!p)
        return takc_index_corrupt(err, "a unit's anchor is not there");
    u->anchor = anchor;
    u->anchor_heading = (struct takc_span){takc_rd32(p), takc_rd32(p + 4)};
    u->anchor_header = (struct takc_span){takc_rd32(p + 8), takc_rd32(p + 12)};
    u->anchor_kind = p[16];
    if (u->anchor_heading.start > u->anchor_heading.end || u->anchor_header.start > u->anchor_header.end)
        return takc_index_corrupt(err, "an anchor ends before it begins");
    return TAKC_OK;
}

static uint32_t twin_of(const struct takc_index *x, uint32_t unit)
{
    uint32_t lo = 0, hi = x->n[TAKC_PART_TWINS];
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        const unsigned char *p = takc_index_records(x, TAKC_PART_TWINS, mid, 1, TAKC_REC_TWIN);
        if (takc_rd32(p) == unit)
            return takc_rd32(p + 4);
        if (takc_rd32(p) < unit)
            lo = mid + 1;
        else
            hi = mid;
    }
    return 0;
}

enum takc_status takc_index_unit_at(const struct takc_index *x, uint32_t unit, struct takc_index_unit *out, struct takc_err *err)
{
    const unsigned char *p = unit < x->n[TAKC_PART_UNITS] ? takc_index_records(x, TAKC_PART_UNITS, unit, 1, TAKC_REC_UNIT) : NULL;
    if (!p || !x->n[TAKC_PART_DOCS] || !x->n[TAKC_PART_SECTIONS])
        return takc_index_corrupt(err, "there is no unit of that number");
    struct takc_index_unit u = {.doc = takc_index_doc_of(x, unit), .block = takc_rd32(p + 7), .raw_mt = takc_rd24(p + 14)};
    u.kind = p[TAKC_UNIT_AT_KIND] & 15;
    u.rung = p[TAKC_UNIT_AT_KIND] >> 4;
    u.salience = takc_rd16(p + 17);
    u.n_tokens = takc_rd16(p + 19);
    u.flags = takc_rd16(p + TAKC_UNIT_AT_FLAGS) & ((1u << TAKC_UNIT_FLAG_BITS) - 1);
    u.twin = twin_of(x, unit);
    struct takc_section s = {{0, 0}, {0, 0}, {0, 0}, 0, 0};
    enum takc_status st = read_spans(x, p, &u, err);
    if (!st)
        st = read_anchor(x, takc_rd24(p + 11), &u, err);
    if (!st)
        st = takc_index_section_at(x, section_of(x, unit), &s, err);
    if (st)
        return st;
    if (u.kind != TAKC_UNIT_HEADING) {
        u.heading = s.heading;
        u.heading_block = s.heading_block;
    }
    *out = u;
    return TAKC_OK;
}
