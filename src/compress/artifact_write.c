/* SPDX-License-Identifier: Apache-2.0
 *
 * artifact_write.c - a set as an artifact (docs/formats/artifact.md). Written as a stream, keys in one fixed order, one segment a line, so
 * that the same inputs give the same bytes. The text that a reader sees is made on the way, for its hash and to hold the promised sizes
 * against the real ones; where the tokens of lines add up (docs/adr/0003-additive-tokens.md) it is counted a few pages at a time.
 * Segments go to a file as they grow, since what stands before them is known last. */
#include "base/alloc.h"
#include "base/utf8.h"
#include "compress/artifact.h"
#include "compress/sort.h"
#include "compress/steps.h"
#include "token/words.h"

struct twin_spans { /* of one unit that a chosen one stands for */
    uint32_t unit, doc, at, n;
};

struct writer {
    const struct takc_corpus *c;
    const struct takc_selection *s;
    const struct takc_lines *lines;
    struct takc_str compressor;
    uint32_t *rank;      /* per unit: place in the order */
    uint32_t *doc_index; /* per document: place in the artifact's list + 1; 0: not in it */
    struct twin_spans *twins;
    size_t n_twins, twins_cap;
    struct takc_sort_item *by_unit; /* twins by the unit that stands for them */
    struct takc_span *spans;
    size_t n_spans, spans_cap;
    struct takc_span *line_spans; /* of the written line at hand */
    size_t n_line_spans, line_spans_cap;
    struct takc_pieces *out;
    struct takc_buf *segments; /* the second of them */
    const struct takc_tokenizer *tokenizer;
    struct takc_buf text;                  /* not counted yet */
    struct takc_sha256 hash;               /* of what was counted */
    uint64_t n_bytes, n_white_words, n_mt; /* the same */
    bool open;                             /* a segment waits for its body */
    size_t n_segments;
};

/* ---- JSON ---- */

static enum takc_status quote_valid(struct takc_buf *out, struct takc_str s, struct takc_err *err)
{
    size_t from = 0;
    enum takc_status st = takc_buf_byte(out, '"', err);
    for (size_t i = 0; i < s.len && !st; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        st = takc_buf_add(out, takc_str_slice(s, from, i), err);
        from = i + 1;
        if (!st && c < 0x20)
            st = takc_buf_printf(out, err, "\\u%04x", c);
        else if (!st)
            st = takc_buf_printf(out, err, "\\%c", c);
    }
    if (!st)
        st = takc_buf_add(out, takc_str_slice(s, from, s.len), err);
    return st ? st : takc_buf_byte(out, '"', err);
}

/* Text is valid UTF-8; names of files need not be. */
static enum takc_status quote(struct takc_buf *out, struct takc_str s, struct takc_err *err)
{
    struct takc_buf b;
    size_t replaced;
    if (takc_utf8_valid(s, NULL))
        return quote_valid(out, s, err);
    takc_buf_init(&b, 3 * s.len + 3);
    enum takc_status st = takc_utf8_repair(&b, s, &replaced, err);
    if (!st)
        st = quote_valid(out, takc_buf_str(&b), err);
    takc_buf_clear(&b);
    return st;
}

/* "key": and a string, with what stands before. */
static enum takc_status member(struct takc_buf *out, const char *before, struct takc_str value, struct takc_err *err)
{
    enum takc_status st = takc_buf_add(out, takc_str(before), err);
    return st ? st : quote(out, value, err);
}

static enum takc_status add_spans(struct takc_buf *out, const struct takc_span *spans, size_t n, uint32_t doc, bool more,
                                  struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; i < n && !st; i++)
        st = takc_buf_printf(out, err, "%s[%u,%u,%u]", more || i ? "," : "", doc, spans[i].start, spans[i].end);
    return st;
}

/* ---- twins ---- */

/* Units that chosen ones stand for, in unit order, their documents marked. */
static enum takc_status list_twins(struct writer *w, struct takc_err *err)
{
    size_t d = 0, next = 0;
    for (uint32_t i = 0; i < w->s->n_units; i++) {
        uint32_t of = w->s->twin[i];
        while (w->s->first_unit[d + 1] <= i)
            d++;
        while (next < w->lines->n_written && w->lines->written[next].units[0] == i) {
            w->doc_index[d] = 1;
            next++;
        }
        if (takc_bit(w->lines->bits, i))
            w->doc_index[d] = 1;
        if (!of || !takc_bit(w->lines->bits, of - 1))
            continue;
        enum takc_status st = takc_grow(&w->twins, &w->twins_cap, w->n_twins + 1, sizeof(*w->twins), err);
        if (st)
            return st;
        w->twins[w->n_twins++] = (struct twin_spans){.unit = i, .doc = (uint32_t)d};
        w->doc_index[d] = 1;
    }
    return TAKC_OK;
}

static enum takc_status read_twins_of(struct writer *w, size_t from, size_t to, struct takc_err *err)
{
    struct takc_corpus_view v = {0};
    uint32_t doc = w->twins[from].doc;
    enum takc_status st = w->c->load(w->c->arg, doc, &v, err);
    if (st)
        return st;
    if (w->s->first_unit[doc] + v.units->n_units != w->s->first_unit[doc + 1])
        st = takc_fail(err, TAKC_INVALID, 0, "the documents are not those of the selection");
    for (size_t k = from; k < to && !st; k++) {
        const struct takc_unit *x = &v.units->units[w->twins[k].unit - w->s->first_unit[doc]];
        st = takc_grow(&w->spans, &w->spans_cap, w->n_spans + x->n_spans + 1, sizeof(*w->spans), err);
        if (st)
            break;
        w->twins[k].at = (uint32_t)w->n_spans;
        w->twins[k].n = x->n_spans;
        for (uint32_t j = 0; j < x->n_spans; j++)
            w->spans[w->n_spans++] = v.units->spans[x->span_at + j];
    }
    w->c->unload(w->c->arg, &v);
    return st;
}

static enum takc_status read_twins(struct writer *w, struct takc_err *err)
{
    enum takc_status st = list_twins(w, err);
    for (size_t from = 0, to; from < w->n_twins && !st; from = to) {
        for (to = from + 1; to < w->n_twins && w->twins[to].doc == w->twins[from].doc;)
            to++;
        st = read_twins_of(w, from, to, err);
    }
    if (st)
        return st;
    w->by_unit = takc_alloc_array(w->n_twins, sizeof(*w->by_unit));
    if (!w->by_unit)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu duplicates", w->n_twins);
    for (size_t k = 0; k < w->n_twins; k++)
        w->by_unit[k] = takc_sort_item_of(w->s->twin[w->twins[k].unit] - 1, k);
    takc_sort_items(w->by_unit, w->n_twins);
    return TAKC_OK;
}

/* Spans of all units that this one stands for. */
static enum takc_status add_twin_spans(struct writer *w, uint32_t unit, struct takc_buf *out, struct takc_err *err)
{
    size_t lo = 0, hi = w->n_twins;
    enum takc_status st = TAKC_OK;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (takc_sort_item_key(&w->by_unit[mid]) < unit)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (; lo < w->n_twins && takc_sort_item_key(&w->by_unit[lo]) == unit && !st; lo++) {
        const struct twin_spans *t = &w->twins[w->by_unit[lo].at];
        st = add_spans(out, w->spans + t->at, t->n, w->doc_index[t->doc] - 1, true, err);
    }
    return st;
}

/* ---- segments ---- */

static enum takc_status begin_part(struct writer *w, const struct takc_shown *x, const char *role, struct takc_err *err)
{
    struct takc_buf *out = w->segments;
    enum takc_status st = TAKC_OK;
    if (!w->open)
        st = takc_buf_printf(out, err, "%s\n{\"kind\":\"%s\",\"rank\":%u,\"parts\":[", w->n_segments ? "," : "",
                             x->written ? "generated" : "extract", w->rank[x->unit]);
    if (!st)
        st = takc_buf_printf(out, err, "%s{\"role\":\"%s\",\"text\":", w->open ? "," : "", role);
    w->open = true;
    if (!st)
        st = quote(out, x->line, err);
    return st ? st : takc_buf_add(out, takc_str(",\"spans\":["), err);
}

static enum takc_status title_part(struct writer *w, const struct takc_shown *x, struct takc_err *err)
{
    struct takc_span span = w->c->docs[x->doc].title_span;
    enum takc_status st = begin_part(w, x, "title", err);
    if (!st)
        st = add_spans(w->segments, &span, span.start < span.end, w->doc_index[x->doc] - 1, false, err);
    return st ? st : takc_buf_add(w->segments, takc_str("]}"), err);
}

static enum takc_status anchor_part(struct writer *w, const struct takc_shown *x, struct takc_err *err)
{
    const struct takc_anchor *a = &x->view->units->anchors[x->of->anchor - 1];
    uint32_t doc = w->doc_index[x->doc] - 1;
    bool heading = a->heading.start < a->heading.end;
    enum takc_status st = begin_part(w, x, "anchor", err);
    if (!st)
        st = add_spans(w->segments, &a->heading, heading, doc, false, err);
    if (!st)
        st = add_spans(w->segments, &a->header, a->header.start < a->header.end, doc, heading, err);
    return st ? st : takc_buf_add(w->segments, takc_str("]}"), err);
}

static enum takc_status add_written_spans(struct writer *w, const struct takc_shown *x, struct takc_err *err)
{
    const struct takc_written *l = x->written;
    uint32_t doc = w->doc_index[x->doc] - 1, first = w->s->first_unit[x->doc];
    w->n_line_spans = 0;
    enum takc_status st =
        takc_written_spans(x->view->units, first, l->units, l->n_units, &w->line_spans, &w->n_line_spans, &w->line_spans_cap, err);
    return st ? st : add_spans(w->segments, w->line_spans, w->n_line_spans, doc, false, err);
}

static enum takc_status body_part(struct writer *w, const struct takc_shown *x, struct takc_err *err)
{
    enum takc_status st = begin_part(w, x, "body", err);
    if (!st && x->written)
        st = add_written_spans(w, x, err);
    else if (!st)
        st = add_spans(w->segments, x->view->units->spans + x->of->span_at, x->of->n_spans, w->doc_index[x->doc] - 1, false, err);
    if (!st && !x->written)
        st = add_twin_spans(w, x->unit, w->segments, err);
    w->open = false;
    w->n_segments++;
    return st ? st : takc_buf_add(w->segments, takc_str("]}]}"), err);
}

/* Counts the whole lines at hand and forgets them. */
static enum takc_status count_text(struct writer *w, struct takc_err *err)
{
    struct takc_str text = takc_buf_str(&w->text);
    enum takc_status st = takc_sha256_add(&w->hash, text, err);
    w->n_bytes += text.len;
    w->n_white_words += takc_white_words(text);
    w->n_mt += takc_tokenizer_count_mt(w->tokenizer, text);
    takc_buf_reset(&w->text);
    return st;
}

static enum takc_status add_shown(void *arg, const struct takc_shown *x, struct takc_err *err)
{
    struct writer *w = arg;
    enum takc_status st = takc_buf_add(&w->text, x->line, err);
    if (!st)
        st = takc_buf_byte(&w->text, '\n', err);
    if (!st && w->text.len >= TAKC_SPILL_BYTES && (w->tokenizer->ops->flags & TAKC_TOKENIZER_LINES)) /* else the whole is the only truth */
        st = count_text(w, err);
    if (!st)
        st = takc_pieces_settle(w->out, 1, err);
    if (st || x->role == TAKC_PART_UNSET)
        return st;
    if (x->role == TAKC_PART_TITLE)
        return title_part(w, x, err);
    return x->role == TAKC_PART_ANCHOR ? anchor_part(w, x, err) : body_part(w, x, err);
}

/* ---- the whole ---- */

static const char *title_from(const struct takc_corpus_doc *d)
{
    if (d->title_span.start < d->title_span.end)
        return "text";
    return d->title_is_name ? "name" : "metadata";
}

static enum takc_status add_documents(struct writer *w, struct takc_buf *out, struct takc_err *err)
{
    uint32_t n = 0;
    enum takc_status st = takc_buf_add(out, takc_str("\"documents\":["), err);
    for (size_t d = 0; d < w->s->n_docs && !st; d++) {
        const struct takc_corpus_doc *doc = &w->c->docs[d];
        if (!w->doc_index[d])
            continue;
        st = member(out, n++ ? ",\n{\"name\":" : "\n{\"name\":", doc->name, err);
        if (!st)
            st = member(out, ",\"source_sha256\":", takc_str(doc->source_sha.s), err);
        if (!st)
            st = member(out, ",\"text_sha256\":", takc_str(doc->text_sha.s), err);
        if (!st)
            st = member(out, ",\"title\":", doc->title, err);
        if (!st)
            st = takc_buf_printf(out, err, ",\"title_from\":\"%s\"}", title_from(doc));
    }
    return st ? st : takc_buf_add(out, takc_str("],\n"), err);
}

static void number_documents(struct writer *w)
{
    uint32_t n = 0;
    for (size_t d = 0; d < w->s->n_docs; d++)
        if (w->doc_index[d])
            w->doc_index[d] = ++n;
}

/* Names all documents of the version by content, chosen or not. */
static enum takc_status source_fingerprint(const struct takc_corpus *c, struct takc_hex *out, struct takc_err *err)
{
    struct takc_sha256 h;
    enum takc_status st = takc_sha256_init(&h, err);
    if (st)
        return st;
    for (size_t d = 0; d < c->n_docs && !st; d++) {
        st = takc_sha256_add(&h, c->docs[d].name, err);
        if (!st) /* with the NUL between and behind */
            st = takc_sha256_add(&h, takc_str_n("\0", 1), err);
        if (!st)
            st = takc_sha256_add(&h, takc_str_n(c->docs[d].source_sha.s, sizeof(c->docs[d].source_sha.s)), err);
        if (!st)
            st = takc_sha256_add(&h, takc_str_n(c->docs[d].text_sha.s, sizeof(c->docs[d].text_sha.s)), err);
    }
    if (!st)
        st = takc_sha256_end(&h, out, err);
    takc_sha256_clear(&h);
    return st;
}

static enum takc_status add_head(struct writer *w, const struct takc_set_size *size, const struct takc_extractive_options *o,
                                 const struct takc_artifact_meta *meta, struct takc_buf *out, struct takc_err *err)
{
    struct takc_hex sources, text;
    char rate[24];
    takc_rate_name(meta->rate, rate);
    enum takc_status st = source_fingerprint(w->c, &sources, err);
    if (!st)
        st = takc_sha256_end(&w->hash, &text, err);
    if (!st)
        st = member(out, "{\"format\":\"takc-artifact-1\",\n\"task\":", meta->task, err);
    if (!st)
        st = takc_buf_printf(out, err, ",\"rate\":\"%s\",\"rate_milli\":%u,\"compressor\":\"%.*s\"", rate, meta->rate,
                             TAKC_STR_ARG(w->compressor));
    if (!st && meta->model.len)
        st = member(out, ",\"model\":", meta->model, err);
    if (!st)
        st = takc_buf_printf(out, err, ",\"tokenizer\":\"%s/%s\",\n\"fingerprint\":", o->tokenizer->name, o->tokenizer->version);
    if (!st)
        st = quote(out, meta->fingerprint, err);
    if (!st)
        st = takc_buf_printf(out, err,
                             ",\"source_fingerprint\":\"%s\",\n\"source_tokens\":%llu,\"source_words\":%llu,\"source_bytes\":%llu,",
                             sources.s, (unsigned long long)((w->s->source_mt + 999) / 1000), (unsigned long long)w->s->source_words,
                             (unsigned long long)w->s->source_bytes);
    if (!st)
        st = takc_buf_printf(out, err, "\"budget_tokens\":%llu,\"tokens\":%llu,\"words\":%llu,\"bytes\":%llu,\"shortfall\":%s,\n",
                             (unsigned long long)(size->budget_mt / 1000), (unsigned long long)((size->mt + 999) / 1000),
                             (unsigned long long)size->words, (unsigned long long)size->bytes, size->shortfall ? "true" : "false");
    return st ? st : takc_buf_printf(out, err, "\"text_sha256\":\"%s\",\n", text.s);
}

/* The sizes were summed from the units; here is the text itself. */
static enum takc_status hold_sizes(struct writer *w, const struct takc_set_size *size, struct takc_err *err)
{
    enum takc_status st = count_text(w, err);
    if (st || (w->n_mt == size->mt && w->n_white_words == size->words && w->n_bytes == size->bytes))
        return st;
    return takc_fail(err, TAKC_CORRUPT, 0,
                     "the units are not those of this text: %llu milli-tokens, %llu words, %llu bytes instead of %llu, %llu, %llu",
                     (unsigned long long)w->n_mt, (unsigned long long)w->n_white_words, (unsigned long long)w->n_bytes,
                     (unsigned long long)size->mt, (unsigned long long)size->words, (unsigned long long)size->bytes);
}

static enum takc_status writer_init(struct writer *w, struct takc_err *err)
{
    const struct takc_selection *s = w->s;
    takc_buf_init(&w->text, TAKC_BUF_MAX_DOCUMENT);
    w->rank = takc_alloc_array(s->n_units, sizeof(*w->rank));
    w->doc_index = takc_alloc_array(s->n_docs, sizeof(*w->doc_index));
    if (!w->rank || !w->doc_index)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for an artifact of %zu units", s->n_units);
    for (size_t k = 0; k < s->n_order; k++)
        w->rank[s->order[k]] = (uint32_t)k;
    return takc_sha256_init(&w->hash, err);
}

static void writer_free(struct writer *w)
{
    takc_free(w->rank);
    takc_free(w->doc_index);
    takc_free(w->twins);
    takc_free(w->by_unit);
    takc_free(w->spans);
    takc_free(w->line_spans);
    takc_buf_clear(&w->text);
    takc_sha256_clear(&w->hash);
}

enum takc_status takc_artifact_make_lines(const struct takc_corpus *c, const struct takc_selection *s, const struct takc_lines *lines,
                                          struct takc_str compressor, const struct takc_set_size *size,
                                          const struct takc_extractive_options *o, const struct takc_artifact_meta *meta,
                                          struct takc_call *call, struct takc_pieces *out, struct takc_err *err)
{
    struct writer w = {
        .c = c, .s = s, .lines = lines, .compressor = compressor, .out = out, .segments = &out->piece[1].buf, .tokenizer = o->tokenizer};
    struct takc_buf *head = &out->piece[0].buf;
    enum takc_status st = writer_init(&w, err);
    if (!st)
        st = read_twins(&w, err);
    if (!st) {
        number_documents(&w);
        st = takc_lines_walk(c, s, lines, o->clean_level, call, add_shown, &w, err);
    }
    if (!st)
        st = hold_sizes(&w, size, err);
    if (!st)
        st = add_head(&w, size, o, meta, head, err);
    if (!st)
        st = add_documents(&w, head, err);
    if (!st)
        st = takc_buf_add(head, takc_str("\"segments\":["), err);
    if (!st)
        st = takc_buf_add(w.segments, takc_str("]}\n"), err);
    writer_free(&w);
    return st ? takc_err_prefix(err, st, "artifact") : TAKC_OK;
}

enum takc_status takc_artifact_make(const struct takc_corpus *c, const struct takc_selection *s, const uint8_t *bits,
                                    const struct takc_set_size *size, const struct takc_extractive_options *o,
                                    const struct takc_artifact_meta *meta, struct takc_call *call, struct takc_pieces *out,
                                    struct takc_err *err)
{
    const struct takc_lines lines = {.bits = bits};
    return takc_artifact_make_lines(c, s, &lines, takc_str("extractive/" TAKC_EXTRACTIVE_VERSION), size, o, meta, call, out, err);
}

enum takc_status takc_artifact_write(const struct takc_corpus *c, const struct takc_selection *s, const uint8_t *bits,
                                     const struct takc_set_size *size, const struct takc_extractive_options *o,
                                     const struct takc_artifact_meta *meta, struct takc_call *call, struct takc_buf *out,
                                     struct takc_err *err)
{
    struct takc_pieces pieces;
    takc_pieces_init(&pieces, TAKC_ARTIFACT_PIECES, NULL);
    enum takc_status st = takc_artifact_make(c, s, bits, size, o, meta, call, &pieces, err);
    if (!st)
        st = takc_pieces_join(&pieces, out, err);
    takc_pieces_clear(&pieces);
    return st;
}
