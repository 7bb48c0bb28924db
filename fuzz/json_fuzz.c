/* SPDX-License-Identifier: Apache-2.0
 *
 * The JSON reader, picking, and splitting with both readers of JSON: parts stand inside the source, in order, with names of their own. */
#include "reader_fuzz.h"

#include "base/utf8.h"

struct given {
    struct takc_str rest; /* what has not been given, of the source */
    bool converted;       /* of a copy in UTF-8, so that parts are looked for by what they say */
};

static enum takc_status on_part(void *arg, const struct takc_split_part *part, struct takc_err *err)
{
    struct given *g = arg;
    struct takc_str *rest = &g->rest;
    (void)err;
    size_t at = g->converted ? takc_str_find(*rest, part->bytes, 0) : (size_t)(part->bytes.ptr - rest->ptr);
    bool inside = g->converted ? at != SIZE_MAX : part->bytes.ptr >= rest->ptr && at + part->bytes.len <= rest->len;
    if (!inside || part->suffix.ptr[0] != '#' || !takc_utf8_valid(part->suffix, NULL))
        TAKC_BUG("part %.*s", TAKC_STR_ARG(part->suffix));
    *rest = takc_str_slice(*rest, at + part->bytes.len, rest->len);
    return TAKC_OK;
}

static void split(const struct takc_reader_ops *r, const struct takc_reader_input *in)
{
    char charset[24];
    uint64_t n_replaced;
    struct takc_buf copy;
    struct given g = {in->bytes, takc_charset_wide(in->bytes) != NULL};
    takc_buf_init(&copy, TAKC_BUF_MAX_DOCUMENT);
    if (g.converted && !takc_charset_to_utf8(in->bytes, &copy, NULL, charset, &n_replaced, NULL))
        g.rest = takc_buf_str(&copy);
    if (takc_split_wanted(r, in) && takc_split(r, NULL, in, on_part, NULL, &g, NULL) == TAKC_NOMEM)
        TAKC_BUG("no memory");
    takc_buf_clear(&copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct takc_reader_input in = {.bytes = takc_str_n((const char *)data, size)};
    (void)takc_reader_pick(takc_str("fuzz.json"), in.bytes);
    split(&takc_reader_json, &in);
    split(&takc_reader_jsonl, &in);
    return takc_fuzz_reader(&takc_reader_json, data, size);
}
