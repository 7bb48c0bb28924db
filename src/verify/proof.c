/* SPDX-License-Identifier: Apache-2.0
 *
 * proof.c - levels S and A: do stored bytes have the hash that is told of them? */
#include "base/hash.h"
#include "verify/report.h"

static enum takc_status check_hash(struct takc_report *r, enum takc_level level, struct takc_str bytes, struct takc_str sha256,
                                   const char *subject, struct takc_err *err)
{
    struct takc_hex hex;
    enum takc_status st = takc_sha256(bytes, &hex, err);
    if (st)
        return st;
    if (takc_str_is(sha256, hex.s))
        takc_report_pass(r, level);
    else if (!takc_hex_valid(sha256))
        takc_report_fail(r, level, subject, "its recorded hash is no SHA-256");
    else
        takc_report_fail(r, level, subject, "its bytes have SHA-256 %.12s..., recorded is %.12s...", hex.s, sha256.ptr);
    return TAKC_OK;
}

enum takc_status takc_verify_source(struct takc_str source, struct takc_str sha256, const char *subject, struct takc_proof *proof,
                                    takc_finding_fn *tell, void *arg, struct takc_err *err)
{
    struct takc_report r = {proof, tell, arg};
    return check_hash(&r, TAKC_LEVEL_S, source, sha256, subject, err);
}

enum takc_status takc_verify_stored(struct takc_str bytes, struct takc_str sha256, const char *subject, struct takc_proof *proof,
                                    takc_finding_fn *tell, void *arg, struct takc_err *err)
{
    struct takc_report r = {proof, tell, arg};
    return check_hash(&r, TAKC_LEVEL_A, bytes, sha256, subject, err);
}
