/* SPDX-License-Identifier: Apache-2.0
 *
 * pdf.c - the PDF reader: pdftotext as a confined child (base/child.h), then pdf_text.c.
 *
 * The text depends on pdftotext's version and mode, so both are in reader_version ("1+layout+22.12.0"). pdfinfo gives title and date the
 * same confined way; without it the title is the first heading. There is no map: a PDF has no useful source bytes. */
#include "base/child.h"
#include "doc/pdf_text.h"
#include "doc/readers.h"

#include <signal.h>
#include <stdio.h>

enum { MAX_MESSAGE_BYTES = 4096, INFO_BYTES = 64 << 10 };

static struct takc_str first_line(const struct takc_buf *b)
{
    struct takc_str rest = takc_buf_str(b), line = takc_str("");
    while (takc_str_split(&rest, '\n', &line) && takc_str_trim(line).len == 0)
        ;
    line = takc_str_trim(line);
    return takc_str_slice(line, 0, line.len < 200 ? line.len : 200);
}

static bool says(const struct takc_buf *b, const char *what)
{
    return takc_str_find(takc_buf_str(b), takc_str(what), 0) != SIZE_MAX;
}

/* What the child's end means for the document. */
static enum takc_status judge(const struct takc_child_result *r, const struct takc_buf *text, struct takc_err *err)
{
    struct takc_str line = first_line(text);
    int signal = r->signal ? r->signal : r->exit_code > 128 ? r->exit_code - 128 : 0;
    if (says(text, "Incorrect password"))
        return takc_fail(err, TAKC_REFUSED, 0, "Incorrect password");
    if (signal == SIGXCPU || signal == SIGKILL)
        return takc_fail(err, TAKC_REFUSED, signal, "pdftotext used up its processor time");
    if (signal)
        return takc_fail(err, TAKC_CORRUPT, signal, "pdftotext ended by signal %d: %.*s", signal, TAKC_STR_ARG(line));
    if (r->exit_code == 3)
        return takc_fail(err, TAKC_REFUSED, 0, "the document does not permit copying: %.*s", TAKC_STR_ARG(line));
    if (r->exit_code)
        return takc_fail(err, TAKC_CORRUPT, r->exit_code, "pdftotext: %.*s", TAKC_STR_ARG(line));
    return TAKC_OK;
}

/* Runs one of poppler's programs over the document. */
static enum takc_status run(const char *const *argv, const struct takc_reader_input *in, struct takc_call *call, struct takc_buf *out,
                            struct takc_buf *text, struct takc_child_result *r, struct takc_err *err)
{
    struct takc_child_options o = {.argv = argv, .input = in->bytes, .timeout_ms = in->timeout_ms};
    enum takc_status st = takc_child_run(&o, call, out, text, r, err);
    if (st == TAKC_NOT_FOUND)
        return takc_fail(err, TAKC_UNSUPPORTED, 0, "%s is not installed (package poppler-utils)", argv[0]);
    if (st == TAKC_TIMEOUT && takc_call_check(call, NULL) == TAKC_OK) /* the document's fault, not the caller's hurry */
        return takc_fail(err, TAKC_REFUSED, 0, "%s took longer than %llu ms", argv[0],
                         (unsigned long long)(in->timeout_ms ? in->timeout_ms : 60000));
    return st ? takc_err_prefix(err, st, "%s", argv[0]) : TAKC_OK;
}

/* "1+layout+22.12.0" */
static enum takc_status name_version(struct takc_call *call, const char *mode, struct takc_doc *out, struct takc_err *err)
{
    static const char *const argv[] = {"pdftotext", "-v", NULL};
    struct takc_reader_input nothing = {.timeout_ms = 10000};
    struct takc_child_result r;
    struct takc_buf b, text;
    takc_buf_init(&b, INFO_BYTES);
    takc_buf_init(&text, INFO_BYTES);
    enum takc_status st = run(argv, &nothing, call, &b, &text, &r, err);
    if (!st) {
        struct takc_str line = first_line(&text), word = takc_str("?");
        size_t at = takc_str_find(line, takc_str("version "), 0);
        if (at != SIZE_MAX) {
            size_t end = at + 8;
            while (end < line.len && end < at + 16 && ((line.ptr[end] >= '0' && line.ptr[end] <= '9') || line.ptr[end] == '.'))
                end++;
            word = takc_str_slice(line, at + 8, end);
        }
        (void)snprintf(out->reader_version, sizeof(out->reader_version), "%s+%s+%.*s", takc_reader_pdf.version, mode, TAKC_STR_ARG(word));
    }
    takc_buf_clear(&b);
    takc_buf_clear(&text);
    return st;
}

static enum takc_status add_info(struct takc_call *call, const struct takc_reader_input *in, struct takc_doc *out, struct takc_err *err)
{
    static const char *const argv[] = {"pdfinfo", "-isodates", "-enc", "UTF-8", "-", NULL};
    struct takc_child_result r;
    struct takc_buf info, text;
    takc_buf_init(&info, INFO_BYTES);
    takc_buf_init(&text, MAX_MESSAGE_BYTES);
    enum takc_status st = run(argv, in, call, &info, &text, &r, err);
    if (st == TAKC_UNSUPPORTED || st == TAKC_REFUSED || (st == TAKC_OK && (r.exit_code || r.signal))) {
        takc_buf_reset(&info); /* a document without a title is still a document */
        st = TAKC_OK;
    }
    if (!st)
        st = takc_pdf_info(out, takc_buf_str(&info), err);
    takc_buf_clear(&info);
    takc_buf_clear(&text);
    return st;
}

static enum takc_status read_pdf(struct takc_call *call, const struct takc_reader_input *in, struct takc_doc *out, struct takc_err *err)
{
    const char *mode = in->pdf_mode ? in->pdf_mode : "layout";
    const char *argv[] = {"pdftotext", "-enc", "UTF-8", "-eol", "unix", "-", "-", NULL, NULL};
    uint64_t max_text = in->max_text_bytes ? in->max_text_bytes : TAKC_READER_MAX_TEXT;
    struct takc_child_result r;
    struct takc_buf bytes, text;
    if (strcmp(mode, "layout") != 0 && strcmp(mode, "raw") != 0 && strcmp(mode, "reading") != 0)
        return takc_fail(err, TAKC_INVALID, 0, "PDF mode \"%s\" is none of layout, raw, reading", mode);
    if (strcmp(mode, "reading") != 0) {
        argv[5] = strcmp(mode, "raw") ? "-layout" : "-raw";
        argv[7] = "-";
    }
    (void)snprintf(out->reader, sizeof(out->reader), "%s", takc_reader_pdf.name);
    (void)snprintf(out->charset, sizeof(out->charset), "UTF-8");
    if (max_text < out->text.max)
        out->text.max = (size_t)max_text;
    takc_buf_init(&bytes, out->text.max);
    takc_buf_init(&text, MAX_MESSAGE_BYTES);
    enum takc_status st = name_version(call, mode, out, err);
    if (!st)
        st = run(argv, in, call, &bytes, &text, &r, err);
    if (!st)
        st = judge(&r, &text, err);
    if (!st && text.len)
        st = takc_doc_note(out, err, "pdftotext: %.*s", TAKC_STR_ARG(first_line(&text)));
    if (!st)
        st = takc_pdf_text(out, takc_buf_str(&bytes), call, err);
    if (!st)
        st = add_info(call, in, out, err);
    takc_buf_clear(&bytes);
    takc_buf_clear(&text);
    return st;
}

static int sniff_pdf(struct takc_str s)
{
    s = takc_str_slice(s, 0, s.len < 4096 ? s.len : 4096);
    size_t at = takc_str_find(s, takc_str("%PDF-"), 0);
    if (at == 0)
        return 3;
    /* some have bytes of a mail or a web server in front; a text about PDF has no objects */
    bool line_start = at != SIZE_MAX && at < 1024 && (s.ptr[at - 1] == '\n' || s.ptr[at - 1] == '\r');
    return line_start && takc_str_find(s, takc_str(" obj"), at) != SIZE_MAX ? 3 : 0;
}

static const char *const extensions[] = {"pdf", NULL};
const struct takc_reader_ops takc_reader_pdf = {
    .name = "pdf", .version = "1", .extensions = extensions, .sniff = sniff_pdf, .read = read_pdf};
