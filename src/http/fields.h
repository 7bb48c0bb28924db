/* SPDX-License-Identifier: Apache-2.0
 *
 * http/fields.h - for the files that hold rows of routes (routes_*.c). */
#ifndef TAKC_HTTP_FIELDS_H
#define TAKC_HTTP_FIELDS_H

#include "http/api.h"
#include "schema/fields.h"

#define ROUTES(name, rows) const struct takc_routes name = {(rows), sizeof(rows) / sizeof((rows)[0])}

#endif
