/* SPDX-License-Identifier: Apache-2.0
 *
 * base/gate.h - so many at a time, the others in the order in which they came. Threads: any, fibers too; init and clear by one. */
#ifndef TAKC_BASE_GATE_H
#define TAKC_BASE_GATE_H

#include "base/line.h"
#include "takc/call.h"

struct takc_gate {
    size_t max;
    struct {
        struct takc_mutex mu;
        size_t n_in;
        struct takc_line line;
    } locked;
};

/* max: at least 1. NOMEM. */
TAKC_CHECK enum takc_status takc_gate_init(struct takc_gate *g, size_t max, struct takc_err *err);
/* Nobody is in it or waits. */
void takc_gate_clear(struct takc_gate *g);
/* Waits for a place; takc_gate_leave gives it back. TIMEOUT, CANCELLED: what the call says, looked at four times a second; NOMEM. */
TAKC_CHECK enum takc_status takc_gate_enter(struct takc_gate *g, struct takc_call *call, struct takc_err *err);
/* Gives a place back, on OK only. */
void takc_gate_leave(struct takc_gate *g);
/* How many stand in line, of this moment. */
size_t takc_gate_waiting(struct takc_gate *g);

#endif
