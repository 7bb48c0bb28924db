/* SPDX-License-Identifier: Apache-2.0
 *
 * again.c - level T: the reader that made a text reads its source again, and everything it made before must come out again. The only file
 * of this module that calls readers.
 *
 * reader_version is "version+option+option..."; the part before the first plus must be the version of the reader here, else the level says
 * underivable: a newer reader may read better, that is no fault of what is stored. Options come back as the input fields they were. The
 * field names of JSON records are in the version as a mark only; where the text differs, a second reading takes them from the blocks'
 * pointers. */
#include "base/hash.h"
#include "doc/reader.h"
#include "verify/map.h"
#include "verify/report.h"

#include <stdio.h>

/* The options that a reader appended to its version, as input. scratch owns the strings. */
static void options_from(const char *version, struct takc_reader_input *in, char scratch[24])
{
    static const char *const modes[] = {"layout", "raw", "reading"};
    const char *plus = strchr(version, '+');
    (void)snprintf(scratch, 24, "%s", plus ? plus + 1 : "");
    for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
        if (strncmp(scratch, modes[i], strlen(modes[i])) == 0)
            in->pdf_mode = modes[i];
}

static bool same_version(const struct takc_reader_ops *ops, const char *stored)
{
    size_t n = strcspn(stored, "+");
    return strlen(ops->version) == n && memcmp(ops->version, stored, n) == 0;
}

static const char *pointer_of(const struct takc_doc *d, const struct takc_block *b)
{
    return b->pointer && b->pointer <= d->strings.len ? d->strings.ptr + b->pointer - 1 : "";
}

static bool same_block(const struct takc_doc *a, const struct takc_doc *b, size_t i)
{
    const struct takc_block *x = &a->blocks[i], *y = &b->blocks[i];
    return x->start == y->start && x->end == y->end && x->kind == y->kind && x->level == y->level && x->flags == y->flags &&
           x->table == y->table && x->row == y->row && x->page == y->page && x->line == y->line && x->para == y->para &&
           x->cell == y->cell && !x->pointer == !y->pointer && strcmp(pointer_of(a, x), pointer_of(b, y)) == 0;
}

static bool same_run(const struct takc_map_run *x, const struct takc_map_run *y)
{
    return x->start == y->start && x->end == y->end && x->src_start == y->src_start && x->src_end == y->src_end && x->kind == y->kind;
}

static size_t first_difference(struct takc_str a, struct takc_str b)
{
    size_t n = a.len < b.len ? a.len : b.len, i = 0;
    while (i < n && a.ptr[i] == b.ptr[i])
        i++;
    return i;
}

static void compare_text(struct takc_report *r, const char *subject, const struct takc_doc *stored, const struct takc_doc *again)
{
    struct takc_str a = takc_buf_str(&stored->text), b = takc_buf_str(&again->text);
    size_t at = first_difference(a, b);
    char x[48], y[48];
    if (takc_str_eq(a, b))
        takc_report_pass(r, TAKC_LEVEL_T);
    else
        takc_report_fail(r, TAKC_LEVEL_T, subject, "the text differs at byte %zu: stored '%s', read again '%s'", at,
                         takc_report_quote(takc_str_slice(a, at, a.len), x), takc_report_quote(takc_str_slice(b, at, b.len), y));
}

enum { MAX_HEADING_TITLE = 300 /* bytes; a longer heading becomes no title: docs/formats/document.md */ };

/* The heading that stands in where the reader gave no title: the first one shown, or NULL. */
static const struct takc_block *stand_in(const struct takc_doc *d)
{
    for (size_t i = 0; i < d->n_blocks; i++) {
        const struct takc_block *b = &d->blocks[i];
        if (b->kind == TAKC_BLOCK_HEADING && !(b->flags & TAKC_BLOCK_HIDDEN) && b->end - b->start <= MAX_HEADING_TITLE)
            return b;
    }
    return NULL;
}

/* Is a's title what must stand there? The reader's own (b's); where it gave none, the first heading's, else the name stood in later. */
static bool same_title(const struct takc_doc *a, const struct takc_doc *b)
{
    bool same = a->title_from == b->title_from && a->title_start == b->title_start && a->title_end == b->title_end &&
                takc_str_eq(takc_buf_str(&a->title), takc_buf_str(&b->title));
    if (same || b->title.len)
        return same;
    const struct takc_block *h = stand_in(b);
    if (!h || b->title_from != TAKC_TITLE_UNSET)
        return a->title_from == TAKC_TITLE_NAME && a->title.len == 0;
    return a->title_from == TAKC_TITLE_TEXT && a->title_start == h->start && a->title_end == h->end &&
           takc_map_same(takc_str_slice(takc_buf_str(&b->text), h->start, h->end), takc_buf_str(&a->title));
}

/* The first thing of the structure that differs, into out; false when all is the same. */
static bool structure_differs(const struct takc_doc *a, const struct takc_doc *b, char out[96])
{
    if (a->n_blocks != b->n_blocks)
        return snprintf(out, 96, "%zu blocks are stored, %zu read again", a->n_blocks, b->n_blocks) > 0;
    for (size_t i = 0; i < a->n_blocks; i++)
        if (!same_block(a, b, i))
            return snprintf(out, 96, "block %zu (text %u..%u) differs", i + 1, a->blocks[i].start, a->blocks[i].end) > 0;
    if (!same_title(a, b))
        return snprintf(out, 96, "the title differs") > 0;
    return false;
}

static bool map_differs(const struct takc_doc *a, const struct takc_doc *b, char out[96])
{
    if (a->has_map != b->has_map || a->n_runs != b->n_runs)
        return snprintf(out, 96, "%zu map runs are stored, %zu read again", a->n_runs, b->n_runs) > 0;
    for (size_t i = 0; i < a->n_runs; i++)
        if (!same_run(&a->runs[i], &b->runs[i]))
            return snprintf(out, 96, "map run %zu (text %u..%u) differs", i + 1, a->runs[i].start, a->runs[i].end) > 0;
    return false;
}

/* The text read again: its hash, and the stored lines in it, in order. */
static enum takc_status compare_part(struct takc_report *r, const char *subject, const struct takc_doc *stored, struct takc_str whole_sha,
                                     const struct takc_doc *again, struct takc_err *err)
{
    struct takc_str a = takc_buf_str(&stored->text), b = takc_buf_str(&again->text);
    struct takc_hex hex;
    char quote[48];
    size_t at = 0;
    enum takc_status st = takc_sha256(b, &hex, err);
    if (st)
        return st;
    if (takc_str_is(whole_sha, hex.s))
        takc_report_pass(r, TAKC_LEVEL_T);
    else
        takc_report_fail(r, TAKC_LEVEL_T, subject, "the text read again has another hash: %s", hex.s);
    for (size_t i = 0; i < stored->n_blocks; i++) {
        struct takc_str line = takc_str_slice(a, stored->blocks[i].start, stored->blocks[i].end);
        at = takc_str_find(b, line, at);
        if (at == SIZE_MAX) {
            takc_report_fail(r, TAKC_LEVEL_T, subject, "a kept line does not stand in the text read again: '%s'",
                             takc_report_quote(line, quote));
            return TAKC_OK;
        }
        at += line.len;
    }
    takc_report_pass(r, TAKC_LEVEL_T);
    return TAKC_OK;
}

/* Is this the text that was read at first? */
static bool same_text(const struct takc_doc *stored, struct takc_str whole_sha, const struct takc_doc *again)
{
    struct takc_hex hex;
    if (whole_sha.len)
        return takc_sha256(takc_buf_str(&again->text), &hex, NULL) == TAKC_OK && takc_str_is(whole_sha, hex.s);
    return takc_str_eq(takc_buf_str(&again->text), takc_buf_str(&stored->text));
}

static void compare(struct takc_report *r, const char *subject, const struct takc_doc *stored, const struct takc_doc *again)
{
    char what[96];
    compare_text(r, subject, stored, again);
    if (!takc_str_eq(takc_buf_str(&stored->text), takc_buf_str(&again->text)))
        return; /* places in another text cannot be compared */
    if (structure_differs(stored, again, what) || map_differs(stored, again, what))
        takc_report_fail(r, TAKC_LEVEL_T, subject, "%s", what);
    else
        takc_report_pass(r, TAKC_LEVEL_T);
}

/* Statuses that say something about the machine and not about the document. */
static bool is_circumstance(enum takc_status st)
{
    return st == TAKC_NOMEM || st == TAKC_CANCELLED || st == TAKC_TIMEOUT || st == TAKC_BUSY || st == TAKC_IO || st == TAKC_FULL;
}

/* The name of a top-level field that blocks of this kind (title, or any other) point to; empty when there is none or it needs escapes. */
static const char *field_of(const struct takc_doc *d, bool title)
{
    for (size_t i = 0; i < d->n_blocks; i++) {
        const char *p = pointer_of(d, &d->blocks[i]);
        if (p[0] && (d->blocks[i].kind == TAKC_BLOCK_TITLE) == title)
            return strpbrk(p + 1, "/~") ? "" : p + 1;
    }
    return "";
}

/* Reads once more with the field names that the stored document points to; what comes out takes the place of again when its text is the
 * stored one. */
static enum takc_status by_fields(const struct takc_reader_ops *ops, struct takc_call *call, struct takc_reader_input in,
                                  const struct takc_doc *stored, struct takc_str whole_sha, struct takc_doc *again, struct takc_err *why)
{
    const char *title = field_of(stored, true), *text = field_of(stored, false);
    struct takc_doc other;
    if (!*text || strncmp(ops->name, "json", 4) != 0)
        return TAKC_OK;
    in.jsonl_text = text;
    in.jsonl_title = *title ? title : NULL;
    takc_doc_init(&other);
    enum takc_status st = takc_reader_read(ops, call, &in, &other, why);
    if (!st && same_text(stored, whole_sha, &other)) {
        takc_doc_clear(again);
        *again = other;
        return TAKC_OK;
    }
    takc_doc_clear(&other);
    return is_circumstance(st) ? st : TAKC_OK;
}

enum takc_status takc_verify_text(struct takc_call *call, struct takc_str source, const struct takc_doc *doc, struct takc_str name,
                                  struct takc_proof *proof, takc_finding_fn *tell, void *arg, struct takc_err *err)
{
    return takc_verify_text_part(call, source, doc, (struct takc_str){0}, name, proof, tell, arg, err);
}

enum takc_status takc_verify_text_part(struct takc_call *call, struct takc_str source, const struct takc_doc *doc,
                                       struct takc_str whole_sha, struct takc_str name, struct takc_proof *proof, takc_finding_fn *tell,
                                       void *arg, struct takc_err *err)
{
    struct takc_report r = {proof, tell, arg};
    struct takc_reader_input in = {.bytes = source, .name = name};
    const struct takc_reader_ops *ops = takc_reader_find(takc_str(doc->reader));
    struct takc_err why = {0};
    struct takc_doc again;
    char options[24], subject[256];
    if (!ops || !same_version(ops, doc->reader_version)) {
        takc_report_underivable(&r, TAKC_LEVEL_T);
        return TAKC_OK;
    }
    (void)snprintf(subject, sizeof(subject), "%.*s", TAKC_STR_ARG(name));
    options_from(doc->reader_version, &in, options);
    takc_doc_init(&again);
    enum takc_status st = takc_reader_read(ops, call, &in, &again, &why);
    if (!st && !same_text(doc, whole_sha, &again))
        st = by_fields(ops, call, in, doc, whole_sha, &again, &why);
    if (is_circumstance(st)) {
        if (err)
            *err = why;
        takc_doc_clear(&again);
        return st;
    }
    bool fields = strncmp(ops->name, "json", 4) == 0; /* the mark does not tell the names */
    if (st == TAKC_UNSUPPORTED || (!st && !fields && strcmp(again.reader_version, doc->reader_version) != 0))
        takc_report_underivable(&r, TAKC_LEVEL_T);
    else if (st)
        takc_report_fail(&r, TAKC_LEVEL_T, subject, "cannot be read again: %s", why.msg);
    else if (whole_sha.len)
        st = compare_part(&r, subject, doc, whole_sha, &again, err);
    else
        compare(&r, subject, doc, &again);
    takc_doc_clear(&again);
    return st == TAKC_NOMEM ? st : TAKC_OK;
}
