/* SPDX-License-Identifier: Apache-2.0
 *
 * piece.c - a piece of a document's text. */
#include "reply/piece.h"

/* Back from the middle of a character. */
static uint64_t to_boundary(struct takc_str text, uint64_t at)
{
    while (at > 0 && at < text.len && ((unsigned char)text.ptr[at] & 0xc0) == 0x80)
        at--;
    return at;
}

static enum takc_status cut(const struct takc_piece_asked *asked, struct takc_str text, json_t **out, struct takc_err *err)
{
    uint64_t start = asked->start, end = asked->end == UINT64_MAX ? text.len : asked->end;
    if (start > text.len || end > text.len || start > end)
        return takc_fail(err, TAKC_INVALID, 0, "start, end: the text has bytes 0 to %zu", text.len);
    if (end - start > asked->max_bytes)
        end = start + asked->max_bytes;
    start = to_boundary(text, start);
    end = to_boundary(text, end);
    *out = json_pack("{so sI sI sI so}", "document", takc_json_str(asked->document), "start", (json_int_t)start, "end", (json_int_t)end,
                     "text_bytes", (json_int_t)text.len, "text", takc_json_str(takc_str_slice(text, start, end)));
    return *out ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for a piece of text");
}

enum takc_status takc_piece_json(struct takc_home *home, struct takc_call *call, const struct takc_piece_asked *asked, json_t **out,
                                 struct takc_err *err)
{
    struct takc_arena a;
    struct takc_document d;
    struct takc_store_view v = {0};
    takc_arena_init(&a);
    enum takc_status st = takc_home_document(home, asked->task, asked->document, &a, &d, err);
    if (!st) {
        struct takc_key key = takc_key_text(asked->task, d.revisions[d.n_revisions - 1].text_sha, "");
        st = takc_store_view(takc_home_store(home), call, takc_str(key.s), &v, err);
    }
    if (!st)
        st = cut(asked, v.bytes, out, err);
    takc_store_view_close(&v);
    takc_arena_clear(&a);
    return st;
}
