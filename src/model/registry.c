/* SPDX-License-Identifier: Apache-2.0
 *
 * registry.c - the table of providers. */
#include "model/registry.h"
#include "base/buf.h"

static const struct takc_model_kind kinds[] = {
    {"openai", "any endpoint that speaks OpenAI's chat completions", TAKC_MODEL_NEEDS_HTTP, takc_model_open_openai},
    {"bedrock", "Amazon Bedrock: Converse, InvokeModel", TAKC_MODEL_NEEDS_HTTP | TAKC_MODEL_NEEDS_AWS, takc_model_open_bedrock},
    {"fake", "a stand-in without a network, for tests", 0, takc_model_open_fake},
};
enum { N_KINDS = sizeof(kinds) / sizeof(kinds[0]) };

const struct takc_model_kind *takc_model_kind_at(size_t i)
{
    return i < N_KINDS ? &kinds[i] : NULL;
}

const struct takc_model_kind *takc_model_kind_find(struct takc_str name)
{
    for (size_t i = 0; i < N_KINDS; i++)
        if (takc_str_is(name, kinds[i].name))
            return &kinds[i];
    return NULL;
}

static enum takc_status unknown(struct takc_str name, struct takc_err *err)
{
    struct takc_buf names;
    takc_buf_init(&names, TAKC_BUF_MAX_NAME);
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < N_KINDS; i++)
        st = takc_buf_printf(&names, err, "%s%s", i ? ", " : "", kinds[i].name);
    if (!st)
        st = takc_fail(err, TAKC_NOT_FOUND, 0, "no provider of models is called '%.*s': there are %s", TAKC_STR_ARG(name), names.ptr);
    takc_buf_clear(&names);
    return st;
}

enum takc_status takc_model_open(struct takc_model **out, struct takc_str name, const struct takc_model_options *o, struct takc_err *err)
{
    const struct takc_model_kind *kind = takc_model_kind_find(name);
    return kind ? kind->open(out, o, err) : unknown(name, err);
}
