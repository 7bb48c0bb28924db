/* SPDX-License-Identifier: Apache-2.0
 *
 * The JSON reader, picking, and splitting with both readers of JSON: parts stand inside the source, in order, with names of their own. */
#include "reader_fuzz.h"

#include "base/utf8.h"

static enum takc_status on_part(void *arg, const struct takc_split_part *part, struct takc_err *err)
{
    struct takc_str *rest = arg; /* what has not been given */
    (void)err;
    if (part->bytes.ptr < rest->ptr || part->bytes.ptr + part->bytes.len > rest->ptr + rest->len || part->suffix.ptr[0] != '#' ||
        !takc_utf8_valid(part->suffix, NULL))
        TAKC_BUG("part %.*s", TAKC_STR_ARG(part->suffix));
    size_t used = (size_t)(part->bytes.ptr + part->bytes.len - rest->ptr);
    *rest = takc_str_slice(*rest, used, rest->len);
    return TAKC_OK;
}

static void split(const struct takc_reader_ops *r, const struct takc_reader_input *in)
{
    struct takc_str rest = in->bytes;
    if (takc_split_wanted(r, in) && takc_split(r, NULL, in, on_part, NULL, &rest, NULL) == TAKC_NOMEM)
        TAKC_BUG("no memory");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct takc_reader_input in = {.bytes = takc_str_n((const char *)data, size)};
    (void)takc_reader_pick(takc_str("fuzz.json"), in.bytes);
    split(&takc_reader_json, &in);
    split(&takc_reader_jsonl, &in);
    return takc_fuzz_reader(&takc_reader_json, data, size);
}
