/* SPDX-License-Identifier: Apache-2.0
 *
 * batches_read.c - results of jobs: every object below output/ of its folder that ends in .jsonl.out, line by line. A line is booked under
 * an id made from job and record; the job's own row, which holds the money that was set aside, becomes that of its first record, last of
 * all, so that what is set aside is given back only when everything is booked. A run that is killed in between books the same rows again.
 */
#include "base/alloc.h"
#include "base/hash.h"
#include "base/log.h"
#include "pipeline/batches_parts.h"

#include <stdio.h>
#include <stdlib.h>

enum { PURPOSES = 3 };
static const size_t RESULTS_MAX = (size_t)1 << 30; /* the service takes at most 1 GB of records, and replies are shorter than prompts */

/* --- ids --- */

static const struct {
    char letter;
    const char *purpose;
} purposes[PURPOSES] = {{'c', "compress"}, {'d', "condense"}, {'r', "repair"}};

struct takc_str takc_batch_purpose(const char *id)
{
    for (size_t i = 0; i < PURPOSES; i++)
        if (id[0] == purposes[i].letter)
            return takc_str(purposes[i].purpose);
    return takc_str("batch");
}

static enum takc_status add_piece(struct takc_sha256 *h, struct takc_str s, struct takc_err *err)
{
    char n[24];
    (void)snprintf(n, sizeof(n), "%zu:", s.len);
    enum takc_status st = takc_sha256_add(h, takc_str(n), err);
    return st ? st : takc_sha256_add(h, s, err);
}

enum takc_status takc_batch_id(const struct takc_batches *b, struct takc_str purpose, const struct takc_model_request *r,
                               char out[TAKC_BATCH_ID_MAX], struct takc_err *err)
{
    struct takc_sha256 h;
    struct takc_hex hex;
    char numbers[64], letter = 'x';
    (void)snprintf(numbers, sizeof(numbers), "%u %.3f", r->max_tokens, r->has_temperature ? r->temperature : -1.0);
    const struct takc_str pieces[] = {purpose, b->m->models[0].model, takc_str(numbers), r->n_system ? r->system[0].text : takc_str(""),
                                      r->messages[0].blocks[0].text};
    enum takc_status st = takc_sha256_init(&h, err);
    if (st)
        return st;
    for (size_t i = 0; !st && i < sizeof(pieces) / sizeof(pieces[0]); i++)
        st = add_piece(&h, pieces[i], err);
    st = st ? st : takc_sha256_end(&h, &hex, err);
    takc_sha256_clear(&h);
    for (size_t i = 0; i < PURPOSES; i++)
        letter = takc_str_is(purpose, purposes[i].purpose) ? purposes[i].letter : letter;
    if (!st)
        (void)snprintf(out, TAKC_BATCH_ID_MAX, "%c%.40s", letter, hex.s);
    return st;
}

enum takc_status takc_batch_row(struct takc_str job, const char *id, int64_t *out, struct takc_err *err)
{
    char text[256];
    struct takc_hex hex;
    uint64_t n = 0;
    (void)snprintf(text, sizeof(text), "%.*s/%s", TAKC_STR_ARG(job), id ? id : "");
    enum takc_status st = takc_sha256(takc_str(text), &hex, err);
    if (st)
        return st;
    for (size_t i = 0; i < 15; i++) /* 60 bits: SQLite's integers have a sign */
        n = n << 4 | (uint64_t)(hex.s[i] <= '9' ? hex.s[i] - '0' : hex.s[i] - 'a' + 10);
    *out = (int64_t)(n | 1);
    return TAKC_OK;
}

enum takc_status takc_batch_object(const struct takc_batch_entry *j, const char *rest, char *key, struct takc_s3_name *out,
                                   struct takc_err *err)
{
    enum takc_status st = takc_s3_parse(j->folder, out, err);
    if (st)
        return st;
    int n = snprintf(key, TAKC_KEY_MAX, "%.*s/%s", TAKC_STR_ARG(out->key), rest);
    if (n < 0 || n >= TAKC_KEY_MAX)
        return takc_fail(err, TAKC_INVALID, 0, "%.*s: too long", TAKC_STR_ARG(j->folder));
    out->key = takc_str(key);
    return TAKC_OK;
}

/* --- results at hand --- */

static int by_id(const void *a, const void *b)
{
    const struct takc_batch_result *x = a, *y = b;
    int d = strcmp(x->id, y->id);
    return d ? d : (x->order > y->order) - (x->order < y->order);
}

void takc_batch_results_sort(struct takc_batches *b)
{
    if (b->n_results)
        qsort(b->results, b->n_results, sizeof(*b->results), by_id);
}

struct takc_batch_result *takc_batch_result_find(struct takc_batches *b, const char *id, size_t *out_failed)
{
    size_t lo = 0, hi = b->n_results;
    *out_failed = 0;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (strcmp(b->results[mid].id, id) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (; lo < b->n_results && strcmp(b->results[lo].id, id) == 0; lo++) {
        if (!b->results[lo].failed)
            return &b->results[lo];
        (*out_failed)++;
    }
    return NULL;
}

void takc_batch_results_clear(struct takc_batches *b)
{
    for (size_t i = 0; i < b->n_texts; i++)
        takc_buf_clear(&b->texts[i].bytes);
    b->n_texts = 0;
    b->n_results = 0;
}

/* --- reading --- */

struct reading {
    struct takc_batches *b;
    struct takc_batch_entry *job;
    struct takc_call *call;
    struct takc_buf *text;
    struct takc_s3_name place;
    bool book;
    size_t first; /* of the results: the job's own */
};

static enum takc_status fetch(void *arg, struct takc_str key, uint64_t size_bytes, struct takc_err *err)
{
    struct reading *x = arg;
    (void)size_bytes;
    if (!takc_str_ends(key, takc_str(".jsonl.out")))
        return TAKC_OK;
    enum takc_status st =
        takc_s3_get(x->b->m->aws, x->call, (struct takc_s3_name){x->place.bucket, key}, RESULTS_MAX - x->text->len, x->text, err);
    return st || !x->text->len || x->text->ptr[x->text->len - 1] == '\n' ? st : takc_buf_byte(x->text, '\n', err);
}

static enum takc_status book(const struct reading *x, const char *id, int64_t row, const struct takc_model_reply *r, struct takc_err *err)
{
    const char *outcome = r->failure                     ? takc_failure_name(r->failure)
                          : r->stop == TAKC_STOP_LENGTH  ? "length"
                          : r->stop == TAKC_STOP_BLOCKED ? "blocked"
                                                         : "ok";
    return takc_models_book(x->b->m,
                            &(struct takc_models_record){.id = row,
                                                         .version = x->job->label,
                                                         .purpose = takc_batch_purpose(id),
                                                         .request_id = x->job->arn,
                                                         .outcome = takc_str(outcome),
                                                         .usage = r->usage},
                            err);
}

/* The job's row is that of its first record, and comes last: see above. */
static enum takc_status book_line(const struct reading *x, const char *id, const struct takc_model_reply *r, struct takc_err *err)
{
    int64_t row;
    if (!x->book || x->b->n_results == x->first)
        return TAKC_OK;
    enum takc_status st = takc_batch_row(x->job->name, id, &row, err);
    return st ? st : book(x, id, row, r, err);
}

/* A line that is no record is nobody's: what was asked by it stays unanswered. */
static enum takc_status take_line(const struct reading *x, struct takc_str line, struct takc_err *err)
{
    struct takc_batches *b = x->b;
    struct takc_batch_result result = {.line = line, .order = b->n_results};
    struct takc_model_reply reply;
    takc_model_reply_init(&reply);
    enum takc_status st = takc_models_read_record(b->m, line, result.id, &reply, err);
    result.failed = st != TAKC_OK;
    if (st != TAKC_NOMEM && result.id[0]) {
        st = book_line(x, result.id, &reply, err);
        st = st ? st : takc_grow(&b->results, &b->results_cap, b->n_results + 1, sizeof(*b->results), err);
        if (!st)
            b->results[b->n_results++] = result;
    } else if (st != TAKC_NOMEM) {
        takc_log_for(x->call, WARN, "batch", "job=%.*s: a line of its results is no record", TAKC_STR_ARG(x->job->arn));
        st = TAKC_OK;
    }
    takc_model_reply_clear(&reply);
    return st;
}

static enum takc_status take_lines(const struct reading *x, struct takc_err *err)
{
    struct takc_str rest = takc_buf_str(x->text), line;
    enum takc_status st = TAKC_OK;
    while (!st && rest.len && takc_str_split(&rest, '\n', &line))
        if (takc_str_trim(line).len)
            st = take_line(x, line, err);
    return st;
}

/* The row in which money was set aside becomes the first record's, or says that nothing came. */
static enum takc_status book_first(const struct reading *x, struct takc_err *err)
{
    struct takc_model_reply reply;
    char id[TAKC_BATCH_ID_MAX];
    if (x->b->n_results == x->first)
        return takc_models_book(x->b->m,
                                &(struct takc_models_record){.id = x->job->row,
                                                             .version = x->job->label,
                                                             .purpose = takc_str("batch"),
                                                             .request_id = x->job->arn,
                                                             .outcome = takc_str("stopped")},
                                err);
    takc_model_reply_init(&reply);
    (void)!takc_models_read_record(x->b->m, x->b->results[x->first].line, id, &reply, NULL); /* how it failed is in the reply */
    enum takc_status st = book(x, id, x->job->row, &reply, err);
    takc_model_reply_clear(&reply);
    return st;
}

static enum takc_status add_text(struct takc_batches *b, struct takc_str job, struct takc_buf **out, struct takc_err *err)
{
    enum takc_status st = takc_grow(&b->texts, &b->texts_cap, b->n_texts + 1, sizeof(*b->texts), err);
    if (st)
        return st;
    b->texts[b->n_texts].job = job;
    *out = &b->texts[b->n_texts++].bytes;
    takc_buf_init(*out, RESULTS_MAX);
    return TAKC_OK;
}

static bool is_read(const struct takc_batches *b, struct takc_str job)
{
    for (size_t i = 0; i < b->n_texts; i++)
        if (takc_str_eq(b->texts[i].job, job))
            return true;
    return false;
}

enum takc_status takc_batch_results_read(struct takc_batches *b, struct takc_call *call, struct takc_batch_entry *j, bool book,
                                         struct takc_err *err)
{
    char key[TAKC_KEY_MAX];
    struct reading x = {.b = b, .job = j, .call = call, .book = book, .first = b->n_results};
    if (is_read(b, j->name))
        return TAKC_OK;
    enum takc_status st = takc_batch_object(j, "output/", key, &x.place, err);
    st = st ? st : add_text(b, j->name, &x.text, err);
    st = st ? st : takc_s3_list(b->m->aws, call, x.place, fetch, &x, err);
    st = st ? st : take_lines(&x, err);
    if (!st && book)
        st = book_first(&x, err);
    if (book)
        j->n_results = b->n_results - x.first;
    return st ? takc_err_prefix(err, st, "results of batch job %.*s", TAKC_STR_ARG(j->arn)) : TAKC_OK;
}
