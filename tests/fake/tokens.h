/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/fake/tokens.h - an issuer in a test's own memory: keys made here, tokens signed with them, a JWKS of them, a clock that is set. */
#ifndef TAKC_TESTS_FAKE_TOKENS_H
#define TAKC_TESTS_FAKE_TOKENS_H

#include "auth/jwt.h"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>

/* base64url of n bytes, behind what out holds. */
static inline void put_base64url(char *out, const void *bytes, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const unsigned char *b = bytes;
    char *p = out + strlen(out);
    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)b[i] << 16 | (i + 1 < n ? (uint32_t)b[i + 1] << 8 : 0) | (i + 2 < n ? b[i + 2] : 0);
        *p++ = digits[v >> 18];
        *p++ = digits[v >> 12 & 63];
        if (i + 1 < n)
            *p++ = digits[v >> 6 & 63];
        if (i + 2 < n)
            *p++ = digits[v & 63];
    }
    *p = '\0';
}

static inline void put_number(char *out, const BIGNUM *v, int width)
{
    unsigned char bytes[1024];
    int n = width ? BN_bn2binpad(v, bytes, width) : BN_bn2bin(v, bytes);
    put_base64url(out, bytes, n > 0 ? (size_t)n : 0);
}

static inline json_t *jwk_of(EVP_PKEY *key, const char *kid)
{
    char a[2048] = "", b[2048] = "";
    BIGNUM *x = NULL, *y = NULL;
    bool rsa = EVP_PKEY_is_a(key, "RSA");
    (void)EVP_PKEY_get_bn_param(key, rsa ? "n" : "qx", &x);
    (void)EVP_PKEY_get_bn_param(key, rsa ? "e" : "qy", &y);
    put_number(a, x, rsa ? 0 : 32);
    put_number(b, y, rsa ? 0 : 32);
    BN_free(x);
    BN_free(y);
    return rsa ? json_pack("{ss ss ss ss ss ss}", "kty", "RSA", "use", "sig", "alg", "RS256", "kid", kid, "n", a, "e", b)
               : json_pack("{ss ss ss ss ss ss}", "kty", "EC", "use", "sig", "crv", "P-256", "kid", kid, "x", a, "y", b);
}

/* The signature of EC as JWS has it: both numbers, 32 bytes each. */
static inline size_t raw_ecdsa(const unsigned char *der, size_t n, unsigned char out[64])
{
    ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &der, (long)n);
    (void)BN_bn2binpad(ECDSA_SIG_get0_r(s), out, 32);
    (void)BN_bn2binpad(ECDSA_SIG_get0_s(s), out + 32, 32);
    ECDSA_SIG_free(s);
    return 64;
}

/* Signs with key over SHA-256, whatever head says. */
static inline void sign_token(char *out, const char *head, const char *claims, EVP_PKEY *key)
{
    unsigned char sig[2048], raw[64];
    size_t n = sizeof(sig);
    out[0] = '\0';
    put_base64url(out, head, strlen(head));
    (void)strcat(out, ".");
    put_base64url(out, claims, strlen(claims));
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    if (EVP_DigestSignInit(c, NULL, EVP_sha256(), NULL, key) != 1 || EVP_DigestSign(c, sig, &n, (unsigned char *)out, strlen(out)) != 1)
        n = 0;
    EVP_MD_CTX_free(c);
    (void)strcat(out, ".");
    if (EVP_PKEY_is_a(key, "RSA")) {
        put_base64url(out, sig, n);
    } else {
        n = raw_ecdsa(sig, n, raw);
        put_base64url(out, raw, n);
    }
}

/* As sign_token, by HMAC with that secret. */
static inline void hmac_token(char *out, const char *head, const char *claims, const void *secret, size_t n_secret)
{
    unsigned char sig[64];
    unsigned n = sizeof(sig);
    out[0] = '\0';
    put_base64url(out, head, strlen(head));
    (void)strcat(out, ".");
    put_base64url(out, claims, strlen(claims));
    (void)HMAC(EVP_sha256(), secret, (int)n_secret, (unsigned char *)out, strlen(out), sig, &n);
    (void)strcat(out, ".");
    put_base64url(out, sig, n);
}

/* A clock that stands until it is set; what waits on it does not. */
struct token_clock {
    struct takc_clock base;
    _Atomic uint64_t mono_ms;
    _Atomic int64_t wall_s;
};
static inline uint64_t token_mono(const struct takc_clock *c)
{
    return ((const struct token_clock *)c)->mono_ms * 1000000;
}
static inline int64_t token_wall(const struct takc_clock *c)
{
    return ((const struct token_clock *)c)->wall_s;
}
static inline void token_sleep(const struct takc_clock *c, uint64_t ns)
{
    (void)c;
    (void)ns;
}

/* A request of one header. */
struct token_request {
    struct takc_auth_request r;
    const char *name;
    struct takc_str value;
};
static inline struct takc_str token_header(const void *arg, const char *name, bool *out_twice)
{
    const struct token_request *q = arg;
    *out_twice = false;
    return strcmp(name, q->name) == 0 ? q->value : takc_str("");
}

#endif
