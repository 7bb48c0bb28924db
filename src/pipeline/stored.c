/* SPDX-License-Identifier: Apache-2.0
 *
 * stored.c - the stored things of a version, hashed while the store reads them. */
#include "pipeline/version.h"

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

enum takc_status takc_build_put_pieces(struct takc_build *b, struct takc_key key, const struct takc_pieces *pieces, struct takc_stored *out,
                                       struct takc_err *err)
{
    struct takc_pieces_source from = takc_pieces_read(pieces);
    return put(b, key, &from.source, out, err);
}
