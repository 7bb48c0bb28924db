/* SPDX-License-Identifier: Apache-2.0
 *
 * pdfmap.c - the second witness for PDF: the words of every block stand on its page in the output of pdftotext -bbox, which places words by
 * another way than the text modes do.
 *
 * A word that is no -bbox word may be several of them in a row, or a part of one (modes cut at other gaps): then its bytes must stand in
 * the page's words written one behind the other. */
#include "base/alloc.h"
#include "base/child.h"
#include "verify/items.h"
#include "verify/map.h"

#include <stdlib.h>

enum { MAX_ERR_TEXT = 4096 }; /* what the child says is not shown, only not lost in a pipe */

struct page {
    size_t word_at, n_words; /* in words, sorted */
    size_t from, to;         /* in the joined text */
};

struct witness {
    struct takc_map_job *m;
    struct takc_str *words;
    size_t n_words, words_cap;
    struct page *pages;
    size_t n_pages, pages_cap;
};

static int by_bytes(const void *a, const void *b)
{
    return takc_str_cmp(*(const struct takc_str *)a, *(const struct takc_str *)b);
}

/* Appends the words of one page to m->out; their places are remembered as offsets, as the buffer may move. */
static enum takc_status page_words(struct witness *w, struct takc_str page)
{
    struct page p = {w->n_words, 0, w->m->out.len, 0};
    enum takc_status st = TAKC_OK;
    for (size_t pos = 0; !st;) {
        size_t at = takc_str_find(page, takc_str("<word "), pos);
        size_t from = at == SIZE_MAX ? at : takc_str_find_byte(page, '>', at),
               to = from == SIZE_MAX ? from : takc_str_find(page, takc_str("</word>"), from);
        if (to == SIZE_MAX)
            break;
        size_t start = w->m->out.len;
        st = takc_entities(takc_str_slice(page, from + 1, to), false, &w->m->out, w->m->err);
        if (!st)
            st = takc_grow(&w->words, &w->words_cap, w->n_words + 1, sizeof(*w->words), w->m->err);
        if (!st)
            w->words[w->n_words++] = (struct takc_str){NULL, w->m->out.len - start};
        pos = to;
    }
    p.n_words = w->n_words - p.word_at;
    p.to = w->m->out.len;
    if (!st)
        st = takc_grow(&w->pages, &w->pages_cap, w->n_pages + 1, sizeof(*w->pages), w->m->err);
    if (!st)
        w->pages[w->n_pages++] = p;
    return st;
}

static enum takc_status all_pages(struct witness *w, struct takc_str bbox)
{
    enum takc_status st = TAKC_OK;
    size_t at = takc_str_find(bbox, takc_str("<page "), 0);
    while (!st && at != SIZE_MAX) {
        size_t next = takc_str_find(bbox, takc_str("<page "), at + 1);
        st = page_words(w, takc_str_slice(bbox, at, next == SIZE_MAX ? bbox.len : next));
        at = next;
    }
    const char *p = takc_buf_str(&w->m->out).ptr;
    for (size_t i = 0; !st && i < w->n_words; i++) { /* the buffer stands still now */
        w->words[i].ptr = p;
        p += w->words[i].len;
    }
    for (size_t i = 0; !st && i < w->n_pages; i++)
        if (w->pages[i].n_words)
            qsort(w->words + w->pages[i].word_at, w->pages[i].n_words, sizeof(*w->words), by_bytes);
    return st;
}

static bool stands_on(const struct witness *w, const struct page *p, struct takc_str word)
{
    if (p->n_words && bsearch(&word, w->words + p->word_at, p->n_words, sizeof(*w->words), by_bytes))
        return true;
    return takc_str_find(takc_str_slice(takc_buf_str(&w->m->out), p->from, p->to), word, 0) != SIZE_MAX;
}

/* The first word of the block that does not stand on its page; empty when all do. */
static struct takc_str stranger(const struct witness *w, const struct takc_block *b, const struct page *p)
{
    struct takc_str text = takc_str_slice(takc_buf_str(&w->m->doc->text), b->start, b->end);
    size_t from = 0;
    for (size_t pos = 0; pos <= text.len;) {
        size_t space = pos < text.len ? takc_item_space(text, pos) : 1;
        if (!space) {
            pos++;
            continue;
        }
        struct takc_str word = takc_str_slice(text, from, pos);
        if (word.len && !takc_str_is(word, "|") && !stands_on(w, p, word))
            return word;
        pos += space;
        from = pos;
    }
    return takc_str("");
}

static enum takc_status check_blocks(struct witness *w)
{
    struct takc_map_job *m = w->m;
    for (size_t i = 0; i < m->doc->n_blocks; i++) {
        const struct takc_block *b = &m->doc->blocks[i];
        char quote[48];
        if (!b->page || b->start >= b->end || b->end > m->doc->text.len)
            continue;
        enum takc_status st = i % 256 ? TAKC_OK : takc_call_check(m->call, m->err);
        if (st)
            return st;
        struct takc_str word = b->page <= w->n_pages ? stranger(w, b, &w->pages[b->page - 1]) : takc_str("");
        if (b->page > w->n_pages)
            takc_report_fail(&m->report, TAKC_LEVEL_M, m->subject, "block %zu is said to stand on page %u of %zu", i + 1, b->page,
                             w->n_pages);
        else if (word.len)
            takc_report_fail(&m->report, TAKC_LEVEL_M, m->subject, "block %zu: '%s' does not stand on page %u", i + 1,
                             takc_report_quote(word, quote), b->page);
        else
            takc_report_pass(&m->report, TAKC_LEVEL_M);
    }
    return TAKC_OK;
}

enum takc_status takc_map_pdf_words(struct takc_map_job *m, struct takc_str bbox)
{
    struct witness w = {.m = m};
    takc_buf_reset(&m->out);
    enum takc_status st = all_pages(&w, bbox);
    if (!st)
        st = check_blocks(&w);
    takc_free(w.words);
    takc_free(w.pages);
    return st;
}

/* Statuses of the child that say that this machine cannot tell, not that the document is wrong. */
static bool cannot_tell(enum takc_status st)
{
    return st == TAKC_NOT_FOUND || st == TAKC_UNSUPPORTED;
}

enum takc_status takc_map_pdf(struct takc_map_job *m)
{
    static const char *const argv[] = {"pdftotext", "-bbox", "-enc", "UTF-8", "-", "-", NULL};
    struct takc_child_options o = {.argv = argv, .input = m->source};
    struct takc_child_result result = {0};
    struct takc_buf out, err_text;
    takc_buf_init(&out, TAKC_BUF_MAX_DOCUMENT);
    takc_buf_init(&err_text, MAX_ERR_TEXT);
    enum takc_status st = takc_child_run(&o, m->call, &out, &err_text, &result, m->err);
    if (cannot_tell(st)) {
        takc_report_underivable(&m->report, TAKC_LEVEL_M);
        st = TAKC_OK;
    } else if (!st && result.exit_code != 0) {
        takc_report_fail(&m->report, TAKC_LEVEL_M, m->subject, "pdftotext -bbox cannot read its source (exit code %d)", result.exit_code);
    } else if (!st) {
        st = takc_map_pdf_words(m, takc_buf_str(&out));
    }
    takc_buf_clear(&out);
    takc_buf_clear(&err_text);
    return st;
}
