/* SPDX-License-Identifier: Apache-2.0
 *
 * compress/selection_store.h - a selection's stored form (docs/formats/selection.md): order, rungs, salience, twins, titles of a version.
 * It lets a killed compress go on, any other rate be cut later, and a redaction keep what was chosen. Threads: pure functions. */
#ifndef TAKC_COMPRESS_SELECTION_STORE_H
#define TAKC_COMPRESS_SELECTION_STORE_H

#include "compress/extractive.h"

/* Appends the stored form: little-endian, sizes first, a 64-bit hash at the end. */
TAKC_CHECK enum takc_status takc_selection_save(const struct takc_selection *s, struct takc_buf *out, struct takc_err *err);
/* Reads it back; CORRUPT when a number in it is out of range or the hash is wrong. Clear out afterwards, whatever the status. */
TAKC_CHECK enum takc_status takc_selection_load(struct takc_selection *out, struct takc_str bytes, struct takc_err *err);

#endif
