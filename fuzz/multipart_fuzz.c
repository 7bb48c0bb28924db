/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a body of form-data: wherever it is cut, the same parts and the same status come of it, parts never nest, and no name holds
 * a NUL. The first byte says where to cut; the boundary is "b". */
#include "base/alloc.h"
#include "http/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct told {
    uint64_t sum, n;
    bool open;
};

static void mix(struct told *t, struct takc_str s)
{
    for (size_t i = 0; i < s.len; i++)
        t->sum = (t->sum ^ (unsigned char)s.ptr[i]) * 1099511628211u;
    t->n += s.len;
}

static enum takc_status on_begin(void *arg, const struct takc_multipart_part *p, struct takc_err *err)
{
    struct told *t = arg;
    (void)err;
    if (t->open)
        TAKC_BUG("a part in a part");
    if (memchr(p->name.len ? p->name.ptr : "x", 0, p->name.len ? p->name.len : 1) ||
        memchr(p->filename.len ? p->filename.ptr : "x", 0, p->filename.len ? p->filename.len : 1))
        TAKC_BUG("a name with a NUL");
    t->open = true;
    mix(t, p->name);
    mix(t, takc_str("|"));
    mix(t, p->filename);
    mix(t, p->type);
    return TAKC_OK;
}

static enum takc_status on_data(void *arg, struct takc_str piece, struct takc_err *err)
{
    struct told *t = arg;
    (void)err;
    if (!t->open || !piece.len)
        TAKC_BUG("data outside of a part, or none");
    mix(t, piece);
    return TAKC_OK;
}

static enum takc_status on_end(void *arg, struct takc_err *err)
{
    struct told *t = arg;
    (void)err;
    if (!t->open)
        TAKC_BUG("the end of no part");
    t->open = false;
    mix(t, takc_str("]"));
    return TAKC_OK;
}

static enum takc_status feed(struct takc_str body, size_t step, struct told *t)
{
    const struct takc_multipart_handlers handlers = {on_begin, on_data, on_end, t};
    struct takc_multipart m;
    enum takc_status st = TAKC_OK;
    *t = (struct told){0};
    takc_multipart_init(&m, "b", &handlers);
    for (size_t at = 0; at < body.len && !st; at += step)
        st = takc_multipart_feed(&m, takc_str_slice(body, at, body.len - at < step ? body.len : at + step), NULL);
    return st ? st : takc_multipart_finish(&m, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct told whole, cut;
    char boundary[TAKC_BOUNDARY_MAX + 1];
    if (size < 2)
        return 0;
    struct takc_str body = takc_str_n((const char *)data + 1, size - 1);
    (void)!takc_multipart_boundary(body, boundary, NULL);
    enum takc_status a = feed(body, body.len, &whole), b = feed(body, data[0] % 13u + 1, &cut);
    if (a != b || whole.sum != cut.sum || whole.n != cut.n)
        TAKC_BUG("a cut changes what is read");
    return 0;
}
