/* SPDX-License-Identifier: Apache-2.0
 *
 * bedrock_embed.c - vectors of texts by InvokeModel: Titan's models take one text a request, Cohere's up to 96. */
#include "model/bedrock_parts.h"

enum { COHERE_TEXTS = 96 };

size_t takc_bedrock_embed_step(struct takc_str id)
{
    if (takc_str_find(id, takc_str("titan-embed-"), 0) != SIZE_MAX)
        return 1;
    return takc_str_find(id, takc_str("cohere.embed-"), 0) != SIZE_MAX ? COHERE_TEXTS : 0;
}

/* The first model of Titan has one size of vectors and knows no member for it. */
static json_t *titan_body(struct takc_str id, struct takc_str text, size_t n_dims)
{
    json_t *root = json_object();
    bool good = root && takc_bedrock_set(root, "inputText", takc_json_str(text));
    if (takc_str_find(id, takc_str("titan-embed-text-v1"), 0) == SIZE_MAX)
        good = good && takc_bedrock_set(root, "dimensions", json_integer((json_int_t)n_dims)) &&
               takc_bedrock_set(root, "normalize", json_true());
    if (good)
        return root;
    json_decref(root);
    return NULL;
}

static json_t *cohere_body(const struct takc_str *texts, size_t n)
{
    json_t *root = json_object(), *list = json_array();
    bool good = root && list && takc_bedrock_set(root, "input_type", json_string("search_document"));
    for (size_t i = 0; good && i < n; i++)
        good = json_array_append_new(list, takc_json_str(texts[i])) == 0;
    good = good && json_object_set(root, "texts", list) == 0;
    json_decref(list);
    if (good)
        return root;
    json_decref(root);
    return NULL;
}

enum takc_status takc_bedrock_write_embed(struct takc_str id, const struct takc_str *texts, size_t n, size_t n_dims, struct takc_buf *out,
                                          struct takc_err *err)
{
    json_t *root = takc_bedrock_embed_step(id) == 1 ? titan_body(id, texts[0], n_dims) : cohere_body(texts, n);
    enum takc_status st = root ? takc_json_dump(root, false, out, err) : takc_fail(err, TAKC_NOMEM, 0, "no memory for a request");
    json_decref(root);
    return st;
}

enum takc_status takc_bedrock_read_embed(struct takc_str body, struct takc_str id, size_t n, float *out, size_t n_dims,
                                         struct takc_err *err)
{
    json_t *root = NULL;
    if (takc_json_parse(body, &root, NULL))
        return takc_fail(err, TAKC_UPSTREAM, 0, "the answer is no JSON");
    if (takc_bedrock_embed_step(id) == 1) {
        enum takc_status one = takc_model_read_vector(json_object_get(root, "embedding"), out, n_dims, err);
        json_decref(root);
        return one;
    }
    const json_t *list = json_object_get(root, "embeddings");
    if (json_is_object(list)) /* by type, from version 4 on */
        list = json_object_get(list, "float");
    enum takc_status st = json_array_size(list) == n
                              ? TAKC_OK
                              : takc_fail(err, TAKC_UPSTREAM, 0, "the answer has %zu vectors of %zu", json_array_size(list), n);
    for (size_t i = 0; !st && i < n; i++)
        st = takc_model_read_vector(json_array_get(list, i), out + i * n_dims, n_dims, err);
    json_decref(root);
    return st;
}
