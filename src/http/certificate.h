/* SPDX-License-Identifier: Apache-2.0
 *
 * http/certificate.h - the files behind serve.tls_cert and serve.tls_key, read and judged before a server is given them: what is wrong
 * with them is said here, by name, and a server that stands never tries a pair that cannot be. Threads: one for each certificate. */
#ifndef TAKC_HTTP_CERTIFICATE_H
#define TAKC_HTTP_CERTIFICATE_H

#include "base/buf.h"

struct takc_certificate {
    struct takc_buf cert, key; /* PEM as the files have it; the key is wiped */
    int64_t ends_s;            /* when the certificate ends, seconds since 1970 */
};

void takc_certificate_init(struct takc_certificate *c);
void takc_certificate_clear(struct takc_certificate *c);

/* Reads both files in place of what was there. Messages begin with serve.tls_cert or serve.tls_key. NOT_FOUND: a file is not there; DENIED:
 * this user may not read it; INVALID: no certificate, no key, an encrypted one, one of another certificate. One that has ended is read. */
TAKC_CHECK enum takc_status takc_certificate_read(struct takc_certificate *c, const char *cert_file, const char *key_file,
                                                  struct takc_err *err);

#endif
