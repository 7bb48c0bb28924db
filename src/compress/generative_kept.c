/* SPDX-License-Identifier: Apache-2.0
 *
 * generative_kept.c - replies that are kept. The key is over all that a reply depends on but the target: the model that
 * answered with its parameters, both parts of the prompt with the target left out, the text of the units behind it. So a budget that moved
 * a little asks nobody again. */
#include "compress/generative_steps.h"

static enum takc_status add_piece(struct takc_sha256 *h, struct takc_str s, struct takc_err *err)
{
    char n[8];
    for (size_t i = 0; i < sizeof(n); i++)
        n[i] = (char)((uint64_t)s.len >> 8 * i);
    enum takc_status st = takc_sha256_add(h, takc_str_n(n, sizeof(n)), err);
    return st ? st : takc_sha256_add(h, s, err);
}

/* Lines of a finer rate may be alike; the units that they stand on are not. */
static enum takc_status add_units(struct takc_sha256 *h, const struct takc_gen_source *x, const struct takc_gen_item *it,
                                  struct takc_err *err)
{
    const struct takc_corpus_view *v = &x->views[it->doc];
    uint32_t first = x->r->s->first_unit[x->doc + it->doc];
    enum takc_status st = TAKC_OK;
    for (uint32_t i = 0; i < it->n_units && !st; i++) {
        const struct takc_unit *u = &v->units->units[it->units[i] - first];
        for (uint32_t k = 0; k < u->n_spans && !st; k++) {
            struct takc_span s = v->units->spans[u->span_at + k];
            if (s.start > s.end || s.end > v->text.len)
                return takc_fail(err, TAKC_CORRUPT, 0, "span %u..%u is no part of a text of %zu bytes", s.start, s.end, v->text.len);
            st = add_piece(h, takc_str_slice(v->text, s.start, s.end), err);
        }
    }
    return st;
}

enum takc_status takc_gen_key(const struct takc_gen_source *x, size_t who, const char *purpose, size_t lo, size_t hi,
                              struct takc_str prompt, struct takc_hex *out, struct takc_err *err)
{
    struct takc_sha256 h;
    const struct takc_generative_options *o = x->r->o;
    const struct takc_str pieces[] = {takc_str("generative/" TAKC_GENERATIVE_VERSION), who ? o->fallbacks[who - 1] : o->model,
                                      takc_str(purpose), takc_buf_str(&x->r->system), prompt};
    enum takc_status st = takc_sha256_init(&h, err);
    if (st)
        return st;
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]) && !st; i++)
        st = add_piece(&h, pieces[i], err);
    for (size_t i = lo; i < hi && !st; i++)
        st = add_units(&h, x, &x->items[i], err);
    if (!st)
        st = takc_sha256_end(&h, out, err);
    takc_sha256_clear(&h);
    return st;
}

struct nearest {
    uint32_t want, share;
    bool found;
    size_t before; /* length of out without the reply */
    struct takc_buf *out;
};

/* From .7 to 1.5 of what is wanted. */
static bool will_do(uint32_t share, uint32_t want)
{
    return (uint64_t)share * 10 >= (uint64_t)want * 7 && (uint64_t)share * 2 <= (uint64_t)want * 3;
}

static uint32_t apart(uint32_t a, uint32_t b)
{
    return a > b ? a - b : b - a;
}

/* The nearest; of two the shorter share; of two under one share the lesser by bytes, whatever the order they are told in. */
static enum takc_status offer(void *arg, uint32_t share, struct takc_str reply, struct takc_err *err)
{
    struct nearest *n = arg;
    if (!will_do(share, n->want))
        return TAKC_OK;
    if (n->found) {
        uint32_t a = apart(share, n->want), b = apart(n->share, n->want);
        struct takc_str now = takc_str_slice(takc_buf_str(n->out), n->before, n->out->len);
        if (a > b || (a == b && (share > n->share || (share == n->share && takc_str_cmp(reply, now) >= 0))))
            return TAKC_OK;
    }
    n->out->len = n->before;
    n->share = share;
    n->found = true;
    return takc_buf_add(n->out, reply, err);
}

enum takc_status takc_gen_find(const struct takc_gen_run *r, const struct takc_hex *key, uint32_t share, struct takc_buf *out,
                               bool *out_found, struct takc_err *err)
{
    struct nearest n = {.want = share, .before = out->len, .out = out};
    *out_found = false;
    if (!r->o->kept.find)
        return TAKC_OK;
    enum takc_status st = r->o->kept.find(r->o->kept.arg, takc_str(key->s), offer, &n, err);
    *out_found = !st && n.found;
    return st;
}

enum takc_status takc_gen_keep(const struct takc_gen_run *r, const struct takc_hex *key, uint32_t share, struct takc_str reply,
                               struct takc_err *err)
{
    return r->o->kept.keep ? r->o->kept.keep(r->o->kept.arg, takc_str(key->s), share, reply, err) : TAKC_OK;
}
