/* SPDX-License-Identifier: Apache-2.0
 *
 * unit/units_parts.h - what the files of units.h share. */
#ifndef TAKC_UNIT_UNITS_PARTS_H
#define TAKC_UNIT_UNITS_PARTS_H

#include "unit/units.h"

/* Puts units into the order of their first spans and everything that belongs to them, too (units_order.c). */
TAKC_CHECK enum takc_status takc_units_reorder(struct takc_units *u, struct takc_err *err);

#endif
