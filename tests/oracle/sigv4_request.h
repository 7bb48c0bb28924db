/* SPDX-License-Identifier: Apache-2.0
 *
 * A request to sign as JSON (tests/oracle/sigv4.py says which members) made into what sigv4.h takes, signed or presigned. */
#ifndef TAKC_TESTS_ORACLE_SIGV4_REQUEST_H
#define TAKC_TESTS_ORACLE_SIGV4_REQUEST_H

#include "aws/sigv4.h"
#include "base/hash.h"
#include "base/json.h"

#include <time.h>

enum { SIGV4_HEADERS_MAX = 64 };

static inline int64_t sigv4_time(struct takc_str date)
{
    struct tm t = {0};
    char text[32];
    (void)snprintf(text, sizeof(text), "%.*s", TAKC_STR_ARG(date));
    return strptime(text, "%Y%m%dT%H%M%SZ", &t) ? timegm(&t) : -1;
}

/* Signs j into s; result gets the authorization header or the presigned URL. */
static inline enum takc_status sigv4_sign_json(const json_t *j, struct takc_sigv4 *s, struct takc_buf *result, struct takc_err *err)
{
    struct takc_http_header headers[SIGV4_HEADERS_MAX];
    struct takc_hex hash;
    const json_t *list = json_object_get(j, "headers"), *expires = json_object_get(j, "expires");
    size_t n = json_array_size(list) < SIGV4_HEADERS_MAX ? json_array_size(list) : SIGV4_HEADERS_MAX;
    for (size_t i = 0; i < n; i++) {
        const json_t *pair = json_array_get(list, i);
        headers[i] = (struct takc_http_header){takc_str(json_string_value(json_array_get(pair, 0))),
                                               takc_str(json_string_value(json_array_get(pair, 1)))};
    }
    struct takc_aws_keys keys = {takc_json_get_str(j, "access"), takc_json_get_str(j, "secret"), takc_json_get_str(j, "token")};
    enum takc_status st = takc_sha256(takc_json_get_str(j, "body"), &hash, err);
    struct takc_sigv4_request r = {.method = json_string_value(json_object_get(j, "method")),
                                   .url = takc_json_get_str(j, "url"),
                                   .headers = headers,
                                   .n_headers = n,
                                   .body_sha256 = takc_str(hash.s),
                                   .service = takc_json_get_str(j, "service"),
                                   .region = takc_json_get_str(j, "region"),
                                   .at_s = sigv4_time(takc_json_get_str(j, "date")),
                                   .flags = json_is_true(json_object_get(j, "unsigned")) ? TAKC_SIGV4_UNSIGNED_PAYLOAD : 0};
    if (!st && expires)
        return takc_sigv4_presign(&r, &keys, (uint32_t)json_integer_value(expires), result, err);
    st = st ? st : takc_sigv4_sign(&r, &keys, s, err);
    return st ? st : takc_buf_add(result, takc_buf_str(&s->authorization), err);
}

#endif
