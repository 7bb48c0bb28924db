/* SPDX-License-Identifier: Apache-2.0
 *
 * certificate.c - a certificate and its key, judged by OpenSSL, which is linked; what serves TLS is GnuTLS, behind libmicrohttpd. */
#include "http/certificate.h"

#include "base/clock.h"
#include "base/file.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

enum { PEM_BYTES = 1 << 20 };

void takc_certificate_init(struct takc_certificate *c)
{
    *c = (struct takc_certificate){.ends_s = 0};
    takc_buf_init(&c->cert, PEM_BYTES);
    takc_buf_init_secret(&c->key, PEM_BYTES);
}

void takc_certificate_clear(struct takc_certificate *c)
{
    takc_buf_clear(&c->cert);
    takc_buf_clear(&c->key);
}

static enum takc_status read_file(const char *name, const char *path, struct takc_buf *out, struct takc_err *err)
{
    struct takc_err e = {0};
    takc_buf_reset(out);
    enum takc_status st = takc_file_read(path, out, &e);
    if (st == TAKC_IO)
        st = e.detail == EACCES || e.detail == EPERM ? TAKC_DENIED : TAKC_INVALID;
    return st ? takc_fail(err, st, e.detail, "%s: %s", name, e.msg) : TAKC_OK;
}

/* ---- the certificate ---- */

static int64_t end_of(const X509 *x)
{
    struct tm t;
    const ASN1_TIME *end = X509_get0_notAfter(x);
    return end && ASN1_TIME_to_tm(end, &t) == 1 ? (int64_t)timegm(&t) : 0;
}

static enum takc_status parse_cert(const struct takc_buf *pem, const char *file, X509 **out, struct takc_err *err)
{
    if (takc_str_find(takc_buf_str(pem), takc_str("-----BEGIN "), 0) == SIZE_MAX)
        return takc_fail(err, TAKC_INVALID, 0, "serve.tls_cert: %s is no PEM", file);
    BIO *in = BIO_new_mem_buf(pem->ptr, (int)pem->len);
    if (!in)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a certificate");
    *out = PEM_read_bio_X509(in, NULL, NULL, NULL);
    (void)BIO_free(in);
    return *out ? TAKC_OK : takc_fail(err, TAKC_INVALID, 0, "serve.tls_cert: %s holds no certificate, or a damaged one", file);
}

/* ---- the key ---- */

/* Asked for a password: there is none. */
static int no_password(char *buf, int size, int writes, void *asked)
{
    (void)buf;
    (void)size;
    (void)writes;
    *(bool *)asked = true;
    return -1;
}

static enum takc_status parse_key(const struct takc_buf *pem, const char *file, EVP_PKEY **out, struct takc_err *err)
{
    bool asked = false;
    if (takc_str_find(takc_buf_str(pem), takc_str("-----BEGIN "), 0) == SIZE_MAX)
        return takc_fail(err, TAKC_INVALID, 0, "serve.tls_key: %s is no PEM", file);
    BIO *in = BIO_new_mem_buf(pem->ptr, (int)pem->len);
    if (!in)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a key");
    *out = PEM_read_bio_PrivateKey(in, NULL, no_password, &asked);
    (void)BIO_free(in);
    if (*out)
        return TAKC_OK;
    if (asked)
        return takc_fail(err, TAKC_INVALID, 0, "serve.tls_key: %s is encrypted: keep it without a password, with mode 600", file);
    return takc_fail(err, TAKC_INVALID, 0, "serve.tls_key: %s holds no private key, or a damaged one", file);
}

/* ---- both ---- */

static enum takc_status judge(struct takc_certificate *c, const char *cert_file, const char *key_file, struct takc_err *err)
{
    X509 *cert = NULL;
    EVP_PKEY *key = NULL;
    enum takc_status st = parse_cert(&c->cert, cert_file, &cert, err);
    if (!st)
        st = parse_key(&c->key, key_file, &key, err);
    if (!st && X509_check_private_key(cert, key) != 1)
        st = takc_fail(err, TAKC_INVALID, 0, "serve.tls_key: %s is not the key of the certificate serve.tls_cert %s", key_file, cert_file);
    c->ends_s = st ? 0 : end_of(cert);
    EVP_PKEY_free(key);
    X509_free(cert);
    ERR_clear_error();
    return st;
}

enum takc_status takc_certificate_read(struct takc_certificate *c, const char *cert_file, const char *key_file, struct takc_err *err)
{
    enum takc_status st = read_file("serve.tls_cert", cert_file, &c->cert, err);
    if (!st)
        st = read_file("serve.tls_key", key_file, &c->key, err);
    return st ? st : judge(c, cert_file, key_file, err);
}
