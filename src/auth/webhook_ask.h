/* SPDX-License-Identifier: Apache-2.0
 *
 * auth/webhook_ask.h - how a webhook is asked: over HTTP, or by a command on a thread of its own. Between webhook.c and webhook_ask.c.
 * Threads: any. */
#ifndef TAKC_AUTH_WEBHOOK_ASK_H
#define TAKC_AUTH_WEBHOOK_ASK_H

#include "auth/webhook.h"

struct takc_webhook_asker;
/* As takc_auth_webhook_open. Returns owned. */
TAKC_CHECK enum takc_status takc_webhook_asker_open(struct takc_webhook_asker **out, const struct takc_auth_webhook_options *o,
                                                    struct takc_err *err);
/* NULL is harmless. */
void takc_webhook_asker_close(struct takc_webhook_asker *w);
/* A takc_webhook_ask_fn; arg is the asker. */
enum takc_status takc_webhook_ask(void *arg, struct takc_call *call, struct takc_str question, struct takc_buf *out, struct takc_err *err);

#endif
