/* SPDX-License-Identifier: Apache-2.0
 *
 * keyset.c - a JWKS read into keys of libcjose, and signatures checked.
 *
 * What a key is decided here from its own members before libcjose sees it; it is handed a JSON of those members only, so that nothing
 * else in a key (a private part, an "alg", a certificate) has any say. */
#include "auth/keyset.h"

#include "auth/cjose.h"
#include "base/alloc.h"
#include "base/base64.h"
#include "base/json.h"

#include <openssl/err.h>
#include <stdatomic.h>

enum {
    RSA_MIN_BYTES = 256,  /* 2048 bits, RFC 7518 3.3 */
    RSA_MAX_BYTES = 1024, /* a check costs its cube */
    EC_BYTES = 32,
    KID_MAX = 256
};

struct key {
    enum takc_token_alg alg;
    struct takc_str kid; /* in the set's text; empty: none */
    cjose_jwk_t *jwk;
};

struct takc_keyset {
    atomic_uint refs;
    const struct takc_cjose *cjose;
    struct takc_buf kids; /* one behind the other */
    struct key keys[TAKC_KEYSET_KEYS];
    size_t n;
};

/* --- what a key is --- */

/* The bytes of a member, without leading zeros; false: not there or no base64url. */
static bool number_of(const json_t *key, const char *member, struct takc_buf *out)
{
    struct takc_buf all;
    takc_buf_init(&all, 2 * RSA_MAX_BYTES);
    bool good = takc_base64url_decode(&all, takc_json_get_str(key, member), NULL) == TAKC_OK && all.len > 0;
    size_t zeros = 0;
    while (good && zeros < all.len && all.ptr[zeros] == 0)
        zeros++;
    takc_buf_reset(out);
    good = good && takc_buf_add(out, takc_str_slice(takc_buf_str(&all), zeros, all.len), NULL) == TAKC_OK;
    takc_buf_clear(&all);
    return good;
}

/* An odd exponent of 3 to 2^32, a modulus of a sane size. */
static bool is_rsa(const json_t *key)
{
    struct takc_buf b;
    takc_buf_init(&b, 2 * RSA_MAX_BYTES);
    bool good = number_of(key, "n", &b) && b.len >= RSA_MIN_BYTES && b.len <= RSA_MAX_BYTES;
    good = good && (b.len > RSA_MIN_BYTES || (b.ptr[0] & 0x80));
    good = good && number_of(key, "e", &b) && b.len >= 1 && b.len <= 4 && (b.ptr[b.len - 1] & 1);
    good = good && (b.len > 1 || b.ptr[0] != 1);
    takc_buf_clear(&b);
    return good;
}

static bool is_p256(const json_t *key)
{
    struct takc_buf b;
    takc_buf_init(&b, 2 * RSA_MAX_BYTES);
    bool good = takc_str_is(takc_json_get_str(key, "crv"), "P-256");
    good = good && number_of(key, "x", &b) && b.len <= EC_BYTES;
    good = good && number_of(key, "y", &b) && b.len <= EC_BYTES;
    takc_buf_clear(&b);
    return good;
}

static bool has_word(const json_t *list, const char *word)
{
    size_t i;
    const json_t *v;
    json_array_foreach(list, i, v)
    {
        if (json_is_string(v) && strcmp(json_string_value(v), word) == 0)
            return true;
    }
    return false;
}

/* What the key may check; UNSET: nothing of ours. */
static enum takc_token_alg alg_of(const json_t *key)
{
    struct takc_str kty = takc_json_get_str(key, "kty");
    const json_t *use = json_object_get(key, "use"), *ops = json_object_get(key, "key_ops"), *alg = json_object_get(key, "alg");
    enum takc_token_alg is = takc_str_is(kty, "RSA") && is_rsa(key)   ? TAKC_ALG_RS256
                             : takc_str_is(kty, "EC") && is_p256(key) ? TAKC_ALG_ES256
                                                                      : TAKC_ALG_UNSET;
    const char *name = is == TAKC_ALG_RS256 ? "RS256" : "ES256";
    bool fits = (!use || (json_is_string(use) && strcmp(json_string_value(use), "sig") == 0)) && (!ops || has_word(ops, "verify")) &&
                (!alg || (json_is_string(alg) && strcmp(json_string_value(alg), name) == 0));
    return fits ? is : TAKC_ALG_UNSET;
}

/* --- the set --- */

static json_t *public_members(const json_t *key, enum takc_token_alg alg)
{
    static const char *const rsa[] = {"kty", "n", "e", NULL}, *const ec[] = {"kty", "crv", "x", "y", NULL};
    json_t *out = json_object();
    for (const char *const *m = alg == TAKC_ALG_RS256 ? rsa : ec; *m && out; m++)
        if (json_object_set(out, *m, json_object_get(key, *m))) {
            json_decref(out);
            out = NULL;
        }
    return out;
}

/* A key that libcjose will not have (a point off the curve) is left out. */
static enum takc_status import(struct takc_keyset *k, const json_t *key, struct key *out, struct takc_err *err)
{
    cjose_err why = {0};
    struct takc_buf text;
    json_t *members = public_members(key, out->alg);
    takc_buf_init(&text, TAKC_KEYSET_MAX_BYTES);
    enum takc_status st = members ? takc_json_dump(members, false, &text, err) : takc_fail(err, TAKC_NOMEM, 0, "no memory for a key");
    if (!st) {
        out->jwk = k->cjose->jwk_import(text.ptr, text.len, &why);
        if (!out->jwk && why.code == CJOSE_ERR_NO_MEMORY)
            st = takc_fail(err, TAKC_NOMEM, 0, "no memory for a key");
    }
    ERR_clear_error();
    json_decref(members);
    takc_buf_clear(&text);
    return st;
}

static enum takc_status add_key(struct takc_keyset *k, const json_t *key, struct takc_err *err)
{
    const json_t *kid = json_object_get(key, "kid");
    struct key new = {.alg = alg_of(key), .kid = takc_json_get_str(key, "kid")};
    if (!new.alg || (kid && !json_is_string(kid)) || new.kid.len > KID_MAX || k->n == TAKC_KEYSET_KEYS)
        return TAKC_OK;
    enum takc_status st = import(k, key, &new, err);
    if (st || !new.jwk)
        return st;
    size_t from = k->kids.len;
    st = takc_buf_add(&k->kids, new.kid, err); /* there is room: nothing moves */
    if (st) {
        (void)k->cjose->jwk_release(new.jwk);
        return st;
    }
    new.kid = takc_str_slice(takc_buf_str(&k->kids), from, k->kids.len);
    k->keys[k->n++] = new;
    return TAKC_OK;
}

static enum takc_status fill(struct takc_keyset *k, const json_t *set, struct takc_err *err)
{
    size_t i;
    const json_t *key, *keys = json_object_get(set, "keys");
    if (!json_is_array(keys))
        return takc_fail(err, TAKC_INVALID, 0, "no \"keys\" in it");
    enum takc_status st = takc_buf_reserve(&k->kids, (size_t)TAKC_KEYSET_KEYS * KID_MAX, err);
    json_array_foreach(keys, i, key)
    {
        st = st ? st : add_key(k, key, err);
    }
    return st;
}

enum takc_status takc_keyset_parse(struct takc_keyset **out, struct takc_str json, struct takc_err *err)
{
    json_t *set = NULL;
    const struct takc_cjose *cjose;
    enum takc_status st = takc_cjose_load(&cjose, err);
    if (!st && json.len > TAKC_KEYSET_MAX_BYTES)
        st = takc_fail(err, TAKC_INVALID, 0, "more than %d bytes", TAKC_KEYSET_MAX_BYTES);
    st = st ? st : takc_json_parse(json, &set, err);
    if (st)
        return st;
    struct takc_keyset *k = takc_alloc(sizeof(*k));
    if (k) {
        atomic_init(&k->refs, 1);
        k->cjose = cjose;
        takc_buf_init(&k->kids, (size_t)TAKC_KEYSET_KEYS * KID_MAX);
        st = fill(k, set, err);
    } else {
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for keys");
    }
    json_decref(set);
    if (st)
        takc_keyset_unref(k);
    else
        *out = k;
    return st;
}

struct takc_keyset *takc_keyset_ref(struct takc_keyset *k)
{
    atomic_fetch_add_explicit(&k->refs, 1, memory_order_relaxed);
    return k;
}

void takc_keyset_unref(struct takc_keyset *k)
{
    if (!k || atomic_fetch_sub_explicit(&k->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < k->n; i++)
        (void)k->cjose->jwk_release(k->keys[i].jwk);
    takc_buf_clear(&k->kids);
    takc_free(k);
}

size_t takc_keyset_count(const struct takc_keyset *k)
{
    return k->n;
}

/* The next key for it from *at on. A token without a kid may have the only key of its algorithm. */
static const struct key *next_key(const struct takc_keyset *k, struct takc_str kid, enum takc_token_alg alg, size_t *at)
{
    size_t n_alg = 0;
    for (size_t i = 0; i < k->n; i++)
        n_alg += k->keys[i].alg == alg;
    while (*at < k->n) {
        const struct key *key = &k->keys[(*at)++];
        if (key->alg == alg && (kid.len ? takc_str_eq(key->kid, kid) : n_alg == 1))
            return key;
    }
    return NULL;
}

bool takc_keyset_has(const struct takc_keyset *k, struct takc_str kid, enum takc_token_alg alg)
{
    size_t at = 0;
    return next_key(k, kid, alg, &at) != NULL;
}

enum takc_status takc_keyset_verify(const struct takc_keyset *k, struct takc_str kid, enum takc_token_alg alg, struct takc_str token,
                                    struct takc_err *err)
{
    cjose_err why = {0};
    size_t at = 0;
    bool good = false;
    cjose_jws_t *jws = k->cjose->jws_import(token.ptr, token.len, &why);
    for (const struct key *key; jws && !good && (key = next_key(k, kid, alg, &at));)
        good = k->cjose->jws_verify(jws, key->jwk, &why);
    if (jws)
        k->cjose->jws_release(jws);
    ERR_clear_error();
    if (good)
        return TAKC_OK;
    return why.code == CJOSE_ERR_NO_MEMORY ? takc_fail(err, TAKC_NOMEM, 0, "no memory to check a signature")
                                           : takc_fail(err, TAKC_DENIED, 0, "the token's signature is not its issuer's");
}
