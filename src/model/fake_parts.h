/* SPDX-License-Identifier: Apache-2.0
 *
 * model/fake_parts.h - between the files of the stand-in. */
#ifndef TAKC_MODEL_FAKE_PARTS_H
#define TAKC_MODEL_FAKE_PARTS_H

#include "model/fake.h"

extern const struct takc_model_ops takc_fake_ops;

/* Appends what a model of this manner says to r. */
TAKC_CHECK enum takc_status takc_fake_say(enum takc_fake_manner manner, const struct takc_tokenizer *t, const struct takc_model_request *r,
                                          struct takc_buf *out, struct takc_err *err);

#endif
