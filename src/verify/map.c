/* SPDX-License-Identifier: Apache-2.0
 *
 * map.c - level M: every run of the map, read from the source by code that no reader uses; then the witnesses for blocks.
 *
 * A verbatim run must have the source's bytes, and those must mean themselves in the format (an HTML slice holds no '<'). A decoded run
 * must be one of the things that its slice can stand for. In plain text and CSV nothing may be lost or made up either: source bytes without
 * a run hold no letter or digit, and neither does text without a run. Elsewhere markup stands between the runs, so that cannot be asked;
 * level T asks it. A document without a map is underivable here unless its format has a witness. */
#include "verify/map.h"
#include "base/utf8.h"

#include <stdio.h>
#include <unicode/uchar.h>

struct format {
    const char *reader;
    takc_map_decode_fn *decode; /* NULL: no useful source bytes */
    bool complete;              /* the source is its text, but for marks */
    enum takc_status (*witness)(struct takc_map_job *);
};

static const struct format formats[] = {
    {"text", takc_map_plain, true, NULL},
    {"markdown", takc_map_markdown, false, NULL},
    {"html", takc_map_html, false, NULL},
    {"csv", takc_map_csv, true, NULL},
    {"json", takc_map_json, false, takc_map_pointers},
    {"jsonl", takc_map_json, false, takc_map_pointers},
    {"pdf", NULL, false, takc_map_pdf},
    {"docx", NULL, false, takc_map_docx},
};

static const struct format *format_of(const char *reader)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
        if (strcmp(formats[i].reader, reader) == 0)
            return &formats[i];
    return NULL;
}

/* Can slice stand for text, with one of the converters and one of the format's readings? */
static enum takc_status stands_for(struct takc_map_job *m, const struct format *f, struct takc_str slice, struct takc_str text,
                                   bool *out_ok, const char **out_wrong)
{
    enum takc_status st = TAKC_OK;
    *out_ok = false;
    for (unsigned which = 0; !st && !*out_ok && which < 2 && (which == 0 || m->iconv[1]); which++) {
        bool more = true;
        takc_buf_reset(&m->raw);
        st = takc_map_to_utf8(m, slice, which, &m->raw);
        for (unsigned variant = 0; !st && more && !*out_ok && !*out_wrong; variant++) {
            takc_buf_reset(&m->out);
            st = f->decode(takc_buf_str(&m->raw), variant, &m->out, &more, out_wrong, m->err);
            *out_ok = !st && !*out_wrong && takc_map_same(text, takc_buf_str(&m->out));
        }
    }
    return st;
}

static void tell_run(struct takc_map_job *m, size_t i, const char *what, struct takc_str text, struct takc_str slice)
{
    const struct takc_map_run *r = &m->doc->runs[i];
    char a[48], b[48];
    takc_report_fail(&m->report, TAKC_LEVEL_M, m->subject,
                     "map run %zu (text %u..%u, source %u..%u) %s: the text has '%s', the source '%s'", i + 1, r->start, r->end,
                     r->src_start, r->src_end, what, takc_report_quote(text, a), takc_report_quote(slice, b));
}

static enum takc_status check_run(struct takc_map_job *m, const struct format *f, size_t i)
{
    const struct takc_map_run *r = &m->doc->runs[i];
    struct takc_str all = takc_buf_str(&m->doc->text);
    if (r->start >= r->end || r->end > all.len || r->src_start >= r->src_end || r->src_end > m->source.len ||
        (i > 0 && r->start < r[-1].end)) {
        tell_run(m, i, "lies outside", takc_str(""), takc_str(""));
        return TAKC_OK;
    }
    struct takc_str text = takc_str_slice(all, r->start, r->end), slice = takc_str_slice(m->source, r->src_start, r->src_end);
    bool ok = false, verbatim = r->kind == TAKC_MAP_VERBATIM;
    const char *wrong = verbatim && !takc_str_eq(text, slice) ? "is not verbatim" : NULL;
    enum takc_status st = wrong || (m->no_charset && !verbatim) ? TAKC_OK : stands_for(m, f, slice, text, &ok, &wrong);
    if (st)
        return st;
    if (m->no_charset && !wrong)
        takc_report_underivable(&m->report, TAKC_LEVEL_M);
    else if (ok)
        takc_report_pass(&m->report, TAKC_LEVEL_M);
    else
        tell_run(m, i, wrong ? wrong : "stands for something else", text, slice);
    return TAKC_OK;
}

static bool has_letters(struct takc_str s)
{
    for (size_t pos = 0; pos < s.len;)
        if (u_isalnum((UChar32)takc_utf8_next(s, &pos, NULL)))
            return true;
    return false;
}

/* A stretch without a run must hold no letter or digit. */
static void check_gap(struct takc_map_job *m, struct takc_str bytes, const char *where, size_t from, size_t to)
{
    char quote[48];
    if (has_letters(bytes))
        takc_report_fail(&m->report, TAKC_LEVEL_M, m->subject, "%s %zu..%zu has no run: '%s'", where, from, to,
                         takc_report_quote(bytes, quote));
}

/* Nothing lost, nothing made up: for formats whose source is their text. Runs that stand in another order than the source fail. */
static enum takc_status check_complete(struct takc_map_job *m)
{
    const struct takc_doc *d = m->doc;
    size_t text_at = 0, src_at = 0;
    for (size_t i = 0; i <= d->n_runs; i++) {
        bool end = i == d->n_runs;
        size_t text_to = end ? d->text.len : d->runs[i].start, src_to = end ? m->source.len : d->runs[i].src_start;
        if (src_to < src_at) {
            takc_report_fail(&m->report, TAKC_LEVEL_M, m->subject, "map run %zu goes back in the source", i + 1);
            return TAKC_OK;
        }
        takc_buf_reset(&m->raw);
        enum takc_status st = takc_map_to_utf8(m, takc_str_slice(m->source, src_at, src_to), 0, &m->raw);
        if (st)
            return st;
        check_gap(m, takc_str_slice(takc_buf_str(&d->text), text_at, text_to), "text", text_at, text_to);
        check_gap(m, takc_buf_str(&m->raw), "source", src_at, src_to);
        text_at = end ? text_to : d->runs[i].end;
        src_at = end ? src_to : d->runs[i].src_end;
    }
    takc_report_pass(&m->report, TAKC_LEVEL_M);
    return TAKC_OK;
}

static enum takc_status check_runs(struct takc_map_job *m, const struct format *f)
{
    uint64_t failed = m->report.proof->failed[TAKC_LEVEL_M];
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < m->doc->n_runs; i++) {
        st = i % 1024 ? TAKC_OK : takc_call_check(m->call, m->err);
        if (!st)
            st = check_run(m, f, i);
    }
    if (!st && f->complete && !m->partial && !m->no_charset && m->report.proof->failed[TAKC_LEVEL_M] == failed)
        st = check_complete(m);
    return st;
}

static enum takc_status verify_map(struct takc_call *call, struct takc_str source, const struct takc_doc *doc, bool partial,
                                   struct takc_str name, struct takc_proof *proof, takc_finding_fn *tell, void *arg, struct takc_err *err)
{
    struct takc_err own = {0};
    char subject[256];
    struct takc_map_job m = {.call = call,
                             .source = source,
                             .doc = doc,
                             .partial = partial,
                             .subject = subject,
                             .report = {proof, tell, arg},
                             .err = err ? err : &own};
    const struct format *f = format_of(doc->reader);
    uint64_t failed = proof->failed[TAKC_LEVEL_M];
    enum takc_status st = TAKC_OK;
    (void)snprintf(subject, sizeof(subject), "%.*s", TAKC_STR_ARG(name));
    takc_buf_init(&m.raw, TAKC_BUF_MAX_DOCUMENT);
    takc_buf_init(&m.out, TAKC_BUF_MAX_DOCUMENT);
    bool witness = f && f->witness && (!partial || takc_str_is(takc_str(doc->reader), "pdf"));
    if (!f || (f->decode ? !doc->has_map : !witness)) {
        takc_report_underivable(&m.report, TAKC_LEVEL_M);
        return TAKC_OK;
    }
    if (f->decode) {
        takc_map_charset_open(&m);
        st = check_runs(&m, f);
        takc_map_charset_close(&m);
    }
    if (!st && witness && proof->failed[TAKC_LEVEL_M] == failed) /* one damage, one finding */
        st = f->witness(&m);
    takc_buf_clear(&m.raw);
    takc_buf_clear(&m.out);
    return st;
}

enum takc_status takc_verify_map(struct takc_call *call, struct takc_str source, const struct takc_doc *doc, struct takc_str name,
                                 struct takc_proof *proof, takc_finding_fn *tell, void *arg, struct takc_err *err)
{
    return verify_map(call, source, doc, false, name, proof, tell, arg, err);
}

enum takc_status takc_verify_map_part(struct takc_call *call, struct takc_str source, const struct takc_doc *doc, struct takc_str name,
                                      struct takc_proof *proof, takc_finding_fn *tell, void *arg, struct takc_err *err)
{
    return verify_map(call, source, doc, true, name, proof, tell, arg, err);
}
