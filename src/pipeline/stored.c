/* SPDX-License-Identifier: Apache-2.0
 *
 * stored.c - the stored things of a version, whoever made what stands in them: a compress, a reduction, a redaction. They are hashed while
 * the store reads them; the large ones go to it in pieces. */
#include "base/alloc.h"
#include "compress/selection_store.h"
#include "pipeline/generate.h"
#include "rank/index.h"

/* Lets bytes pass, and counts and hashes them. */
struct hashed {
    struct takc_source source; /* first: what the store reads */
    struct takc_source *from;
    struct takc_sha256 hash;
    uint64_t n_bytes;
};

static enum takc_status read_hashed(struct takc_source *source, void *to, size_t n, size_t *got, struct takc_err *err)
{
    struct hashed *h = (struct hashed *)(void *)source;
    enum takc_status st = h->from->read(h->from, to, n, got, err);
    if (!st)
        st = takc_sha256_add(&h->hash, takc_str_n(to, *got), err);
    if (!st)
        h->n_bytes += *got;
    return st;
}

static enum takc_status put(struct takc_build *b, struct takc_key key, struct takc_source *from, struct takc_stored *out,
                            struct takc_err *err)
{
    struct hashed h = {.source = {.read = read_hashed}, .from = from};
    struct takc_hex hex;
    enum takc_status st = takc_sha256_init(&h.hash, err);
    if (!st)
        st = takc_store_put(takc_home_store(b->home), b->call, takc_str(key.s), &h.source, err);
    if (!st)
        st = takc_sha256_end(&h.hash, &hex, err);
    takc_sha256_clear(&h.hash);
    if (st || !out)
        return st;
    out->size_bytes = h.n_bytes;
    out->sha256 = takc_arena_dup(b->arena, takc_str(hex.s));
    return out->sha256.ptr ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for a hash");
}

enum takc_status takc_build_put(struct takc_build *b, struct takc_key key, struct takc_str bytes, struct takc_stored *out,
                                struct takc_err *err)
{
    struct takc_source from = takc_source_str(bytes);
    return put(b, key, &from, out, err);
}

/* The same for one that is made in pieces. */
static enum takc_status put_pieces(struct takc_build *b, struct takc_key key, const struct takc_pieces *pieces, struct takc_stored *out,
                                   struct takc_err *err)
{
    struct takc_pieces_source from = takc_pieces_read(pieces);
    return put(b, key, &from.source, out, err);
}

enum takc_status takc_build_put_selection(struct takc_build *b, struct takc_str label, const struct takc_selection *s,
                                          struct takc_stored *out, struct takc_err *err)
{
    struct takc_buf bytes;
    takc_buf_init(&bytes, (size_t)64 << 30);
    enum takc_status st = takc_selection_save(s, &bytes, err);
    if (!st)
        st = takc_build_put(b, takc_key_selection(b->task, label), takc_buf_str(&bytes), out, err);
    takc_buf_clear(&bytes);
    return st;
}

enum takc_status takc_build_put_documents(struct takc_build *b, struct takc_str label, const struct takc_docset *set,
                                          struct takc_stored *out, struct takc_err *err)
{
    struct takc_buf bytes;
    takc_buf_init(&bytes, TAKC_BUF_MAX_REPLY);
    enum takc_status st = takc_docset_write(set, &bytes, err);
    if (!st)
        st = takc_build_put(b, takc_key_documents(b->task, label), takc_buf_str(&bytes), out, err);
    takc_buf_clear(&bytes);
    return st;
}

enum takc_status takc_build_put_index(struct takc_build *b, struct takc_str label, const struct takc_corpus *c,
                                      const struct takc_selection *s, struct takc_stored *out, struct takc_err *err)
{
    struct takc_pieces index;
    takc_pieces_init(&index, TAKC_INDEX_PIECES, takc_home_path(b->home));
    enum takc_status st = takc_index_make(c, s, b->call, &index, err);
    if (!st)
        st = put_pieces(b, takc_key_index(b->task, label), &index, out, err);
    takc_pieces_clear(&index);
    takc_alloc_trim(); /* it needed the most; foreign caches map and parse the artifacts next */
    return st;
}

enum takc_status takc_build_put_artifact(struct takc_build *b, struct takc_str label, const struct takc_set *set, struct takc_stored *out,
                                         struct takc_err *err)
{
    struct takc_artifact_meta meta = {.task = b->task, .rate = set->rate};
    const struct takc_lines lines = {.bits = set->bits, .written = set->written, .n_written = set->n_written};
    struct takc_str compressor = takc_str(b->generation ? "generative/" TAKC_GENERATIVE_VERSION : "extractive/" TAKC_EXTRACTIVE_VERSION);
    struct takc_pieces json;
    takc_pieces_init(&json, TAKC_ARTIFACT_PIECES, takc_home_path(b->home));
    out->rate = set->rate;
    enum takc_status st = set->from ? TAKC_OK : takc_build_fingerprint(b, &meta.fingerprint, err);
    if (set->from) {
        meta.fingerprint = set->from->fingerprint;
        compressor = set->from->compressor;
    }
    meta.model = set->from ? set->from->model : b->generation ? b->generation->model : meta.model;
    if (!st)
        st = takc_artifact_make_lines(set->corpus, set->selection, &lines, compressor, set->size, set->options, &meta, b->call, &json, err);
    if (!st)
        st = put_pieces(b, takc_key_artifact(b->task, label, set->rate, ".json"), &json, out, err);
    takc_pieces_clear(&json);
    return st;
}
