/* SPDX-License-Identifier: Apache-2.0
 *
 * unit/fence.h - what documents say, between marks that a model is told to take for data: <source HASH> ... </source HASH>. The hash is of
 * what stands between them, so that no document can hold its own; and no document can hold anything that looks like a mark, however it is
 * spelled and however often: where one begins, its '<' becomes a single guillemet. Text without such places is shown byte by byte.
 * Threads: pure functions. */
#ifndef TAKC_UNIT_FENCE_H
#define TAKC_UNIT_FENCE_H

#include "base/buf.h"

/* Appends the marks with body between them, and a line end behind each. NOMEM, INVALID for too much. */
TAKC_CHECK enum takc_status takc_fence_add(struct takc_str body, struct takc_buf *out, struct takc_err *err);

#endif
