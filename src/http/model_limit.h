/* SPDX-License-Identifier: Apache-2.0
 *
 * http/model_limit.h - which models those who ask may name: who answers is paid with the server's credentials.
 *
 * A request may name nobody ("none"), the server's own models, the task's, and what serve.models lists. Profiles of tenants are held to the
 * same; and where there is an authorizer, no profile may bring a file of the server's machine (tokenizer: bpe:PATH). Threads: any. */
#ifndef TAKC_HTTP_MODEL_LIMIT_H
#define TAKC_HTTP_MODEL_LIMIT_H

#include "http/api.h"

enum { TAKC_MODEL_FORBIDDEN = 403 }; /* the detail of a REFUSED that is a model's */

/* May a request name model where the task's own is task_model? Empty names nobody. REFUSED with TAKC_MODEL_FORBIDDEN: it may not. */
TAKC_CHECK enum takc_status takc_model_limit(const struct takc_api *api, struct takc_str task_model, struct takc_str model,
                                             struct takc_err *err);
/* The same for a handler, the task's profile read. false: refused, the reply is there. */
bool takc_api_may_model(struct takc_exchange *x, const struct takc_asked *asked, struct takc_str task, struct takc_str model);
/* May yaml become the profile of the task? One that cannot be read may: whoever writes it says what is wrong. false: as above. */
bool takc_api_may_profile(struct takc_exchange *x, const struct takc_asked *asked, struct takc_str task, struct takc_str yaml);

#endif
