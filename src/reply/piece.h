/* SPDX-License-Identifier: Apache-2.0
 *
 * reply/piece.h - a piece of a document's text as JSON: what stands behind a citation. */
#ifndef TAKC_REPLY_PIECE_H
#define TAKC_REPLY_PIECE_H

#include "base/json.h"
#include "catalog/home.h"

struct takc_piece_asked {
    struct takc_str task, document;
    uint64_t start, end; /* bytes of the text; end UINT64_MAX: its end */
    uint64_t max_bytes;  /* more is cut */
};
/* *out owned: {document, start, end, text_bytes, text}; start and end went back to the beginning of a character. NOT_FOUND; INVALID: the
 * text has no such bytes, how many it has is said; NOMEM. May be called from any thread. */
TAKC_CHECK enum takc_status takc_piece_json(struct takc_home *home, struct takc_call *call, const struct takc_piece_asked *asked,
                                            json_t **out, struct takc_err *err);

#endif
