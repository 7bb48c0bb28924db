/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a model's answer: the first byte says how many lines were shown, the second in what pieces it comes, the third where answer,
 * quotation and question part. Pieces give what the whole gives; sources are numbered from 1 without a gap; claims are counted. */
#include "pipeline/marks.h"
#include "verify/claims.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void resolve(struct takc_str text, size_t n_lines, size_t piece, struct takc_arena *a, struct takc_marks *m, struct takc_buf *out)
{
    enum takc_status st = takc_marks_init(m, n_lines, a, NULL);
    for (size_t i = 0; !st && i < text.len; i += piece)
        st = takc_marks_add(m, takc_str_slice(text, i, text.len - i < piece ? text.len : i + piece), out, NULL);
    if (st || takc_marks_end(m, out, NULL))
        abort();
}

static void check_marks(const struct takc_marks *m)
{
    for (size_t i = 0; i < m->n_cited; i++)
        if (m->order[i] < 1 || m->order[i] > m->n_lines || m->cited_as[m->order[i]] != i + 1)
            abort();
    if (m->n_nowhere > m->n_missed || m->n_cited > m->n_met)
        abort();
}

static void check_resolving(struct takc_str text, size_t n_lines, size_t piece)
{
    struct takc_arena a;
    struct takc_marks one, many;
    struct takc_buf x, y, plain;
    takc_arena_init(&a);
    takc_buf_init(&x, TAKC_BUF_MAX_REPLY);
    takc_buf_init(&y, TAKC_BUF_MAX_REPLY);
    takc_buf_init(&plain, TAKC_BUF_MAX_REPLY);
    resolve(text, n_lines, text.len + 1, &a, &one, &x);
    resolve(text, n_lines, piece, &a, &many, &y);
    check_marks(&one);
    check_marks(&many);
    if (!takc_str_eq(takc_buf_str(&x), takc_buf_str(&y)) || one.n_met != many.n_met || one.n_missed != many.n_missed ||
        !takc_str_eq(takc_buf_str(&one.plain), takc_buf_str(&many.plain)) || takc_marks_strip(text, &plain, NULL) ||
        !takc_str_eq(takc_buf_str(&plain), takc_buf_str(&one.plain)))
        abort();
    takc_marks_clear(&one);
    takc_marks_clear(&many);
    takc_buf_clear(&x);
    takc_buf_clear(&y);
    takc_buf_clear(&plain);
    takc_arena_clear(&a);
}

static enum takc_status count(void *arg, const char *kind, struct takc_str word, struct takc_err *err)
{
    (void)err;
    if (!kind[0] || !word.len)
        abort();
    ++*(uint64_t *)arg;
    return TAKC_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 3)
        return 0;
    struct takc_str text = takc_str_n((const char *)data + 3, n - 3);
    size_t at = text.len * data[2] / 256, half = (text.len + at) / 2;
    struct takc_claims claims;
    uint64_t told = 0;
    check_resolving(text, data[0], 1u + data[1] % 40);
    if (takc_claims_check(takc_str_slice(text, 0, at), takc_str_slice(text, at, half), takc_str_slice(text, half, text.len), &claims, count,
                          &told, NULL) ||
        told != claims.n_unfounded || told > claims.n)
        abort();
    return 0;
}
