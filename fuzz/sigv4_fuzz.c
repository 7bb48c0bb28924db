/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as URL and headers to sign ("url\nname: value\n..."): refused, or signed into a canonical request of the right lines. */
#include "aws/sigv4.h"
#include "base/alloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADERS_MAX = 40 };

static void check(const struct takc_sigv4 *s, size_t n_headers)
{
    size_t lines = 1;
    for (size_t i = 0; i < s->canonical.len; i++)
        lines += s->canonical.ptr[i] == '\n';
    /* method, path, query, blank, names, payload; host, date, token, and for some the payload's hash; those given */
    if (lines < 9 || lines > 10 + n_headers || strlen(s->signature) != 64 || strlen(s->date) != 16)
        TAKC_BUG("a canonical request of %zu lines:\n%s", lines, s->canonical.ptr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct takc_http_header headers[HEADERS_MAX];
    struct takc_str rest = takc_str_n((const char *)data, size), line, url = {"", 0};
    size_t n = 0;
    (void)takc_str_split(&rest, '\n', &url);
    while (n < HEADERS_MAX && takc_str_split(&rest, '\n', &line)) {
        size_t colon = takc_str_find_byte(line, ':', 0), end = colon == SIZE_MAX ? line.len : colon;
        headers[n].name = takc_str_slice(line, 0, end);
        headers[n++].value = end < line.len ? takc_str_slice(line, end + 1, line.len) : takc_str("");
    }
    static const struct takc_aws_keys keys = {{"AKID", 4}, {"secret", 6}, {"token", 5}};
    struct takc_sigv4_request r = {.method = "GET", .url = url, .headers = headers, .n_headers = n, .region = takc_str("r")};
    for (unsigned i = 0; i < 4; i++) {
        struct takc_sigv4 s;
        struct takc_buf out;
        r.service = takc_str(i & 1 ? "s3" : "bedrock");
        r.flags = i & 2 ? TAKC_SIGV4_UNSIGNED_PAYLOAD : 0;
        takc_sigv4_init(&s);
        takc_buf_init(&out, 4 << 20);
        enum takc_status st = takc_sigv4_sign(&r, &keys, &s, NULL), pre = takc_sigv4_presign(&r, &keys, 60, &out, NULL);
        if ((st && st != TAKC_INVALID) || (pre && pre != TAKC_INVALID))
            TAKC_BUG("%s, %s", takc_status_name(st), takc_status_name(pre));
        if (!st)
            check(&s, n);
        takc_buf_clear(&out);
        takc_sigv4_clear(&s);
    }
    return 0;
}
