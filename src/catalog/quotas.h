/* SPDX-License-Identifier: Apache-2.0
 *
 * catalog/quotas.h - what was counted of each caller, kept over a restart of the server: the table quotas. Threads: any. Statuses as
 * takc_catalog_work. */
#ifndef TAKC_CATALOG_QUOTAS_H
#define TAKC_CATALOG_QUOTAS_H

#include "catalog/home.h"

enum takc_quota_kind {
    TAKC_QUOTA_KIND_UNSET = 0,
    TAKC_QUOTA_BUCKET, /* value: when it is full again, milliseconds since 1970 */
    TAKC_QUOTA_DAY     /* value: the sum; at: of which day, days since 1970 */
};
struct takc_quota_row {
    struct takc_str subject;
    enum takc_quota_kind kind;
    int64_t value, at;
};
typedef enum takc_status takc_quota_row_fn(void *arg, const struct takc_quota_row *row, struct takc_err *err);
/* Tells every row; subjects live until each returns. The catalogue is locked meanwhile: each asks it nothing, and may be told a row twice.
 */
TAKC_CHECK enum takc_status takc_home_quotas(struct takc_home *h, takc_quota_row_fn *each, void *arg, struct takc_err *err);
/* Puts rows, all or none, and removes those that say nothing any more: buckets that are full at now_ms, days before today. */
TAKC_CHECK enum takc_status takc_home_quotas_put(struct takc_home *h, const struct takc_quota_row *rows, size_t n, int64_t now_ms,
                                                 int64_t today, struct takc_err *err);

#endif
