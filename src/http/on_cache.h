/* SPDX-License-Identifier: Apache-2.0
 *
 * http/on_cache.h - whether a request can be answered at once. */
#ifndef TAKC_HTTP_ON_CACHE_H
#define TAKC_HTTP_ON_CACHE_H

#include "http/api.h"

/* Is it a cached read whose reply is in memory? Then it is attached to x, for the handler, which waits for nothing. Call it when
 * asked->home is the tenant's. Waits for nothing itself. */
bool takc_on_cache_rate_kept(struct takc_exchange *x, struct takc_asked *asked);

#endif
