/* SPDX-License-Identifier: Apache-2.0
 *
 * model/bedrock_jobs.h - batch inference jobs at the control plane of Bedrock ("bedrock", not "bedrock-runtime"): made, looked at, stopped.
 * What is written and read is model/bedrock_batch.h's. The endpoint is AWS's, or the user's AWS_ENDPOINT_URL_BEDROCK, AWS_ENDPOINT_URL.
 * What is worth repeating is tried again a few times: a job with a token is made once however often it is asked for.
 * Statuses as takc_model_complete's, with the service's message. Threads: any. Blocking: yes, until call's deadline. */
#ifndef TAKC_MODEL_BEDROCK_JOBS_H
#define TAKC_MODEL_BEDROCK_JOBS_H

#include "aws/credentials.h"
#include "model/bedrock_batch.h"

/* Makes the job (CreateModelInvocationJob); one without a token is INVALID. out has its ARN. */
TAKC_CHECK enum takc_status takc_batch_create(struct takc_aws *a, struct takc_call *call, const struct takc_batch_job *j,
                                              struct takc_batch_status *out, struct takc_err *err);
/* What has become of it (GetModelInvocationJob). */
TAKC_CHECK enum takc_status takc_batch_look(struct takc_aws *a, struct takc_call *call, struct takc_str arn, struct takc_batch_status *out,
                                            struct takc_err *err);
/* Has it stopped (StopModelInvocationJob): it is STOPPED a while later, and what it has done until then is billed. */
TAKC_CHECK enum takc_status takc_batch_stop(struct takc_aws *a, struct takc_call *call, struct takc_str arn, struct takc_err *err);

#endif
