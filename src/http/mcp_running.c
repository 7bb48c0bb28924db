/* SPDX-License-Identifier: Apache-2.0
 *
 * mcp_running.c - a list of what is being answered; as long as there are requests that are worked on, so it is looked through. */
#include "http/mcp_running.h"

#include "base/alloc.h"
#include "base/thread.h"

struct takc_mcp_running {
    struct {
        struct takc_mutex mu;
        struct takc_mcp_message *first;
    } locked;
};

enum takc_status takc_mcp_running_open(struct takc_mcp_running **out, struct takc_err *err)
{
    struct takc_mcp_running *r = takc_alloc(sizeof(*r));
    if (!r)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a list of messages");
    enum takc_status st = takc_mutex_init(&r->locked.mu, err);
    if (st)
        takc_free(r);
    else
        *out = r;
    return st;
}

void takc_mcp_running_close(struct takc_mcp_running *r)
{
    if (!r)
        return;
    takc_mutex_clear(&r->locked.mu);
    takc_free(r);
}

static bool can_be_named(const struct takc_mcp_message *m)
{
    return m->session.len && m->id;
}

void takc_mcp_running_enter(struct takc_mcp_running *r, struct takc_mcp_message *m)
{
    m->next = m->prev = NULL;
    if (!can_be_named(m))
        return;
    takc_mutex_lock(&r->locked.mu);
    m->next = r->locked.first;
    if (m->next)
        m->next->prev = m;
    r->locked.first = m;
    takc_mutex_unlock(&r->locked.mu);
}

void takc_mcp_running_leave(struct takc_mcp_running *r, struct takc_mcp_message *m)
{
    if (!can_be_named(m))
        return;
    takc_mutex_lock(&r->locked.mu);
    if (m->prev)
        m->prev->next = m->next;
    else
        r->locked.first = m->next;
    if (m->next)
        m->next->prev = m->prev;
    takc_mutex_unlock(&r->locked.mu);
}

void takc_mcp_running_cancel(struct takc_mcp_running *r, struct takc_str session, const struct takc_identity *who, const json_t *id)
{
    takc_mutex_lock(&r->locked.mu);
    for (struct takc_mcp_message *m = r->locked.first; m; m = m->next)
        if (takc_str_eq(m->session, session) && takc_str_eq(m->who->subject, who->subject) && takc_str_eq(m->who->tenant, who->tenant) &&
            json_equal(m->id, id)) {
            atomic_store(&m->cancelled, true);
            atomic_store(&m->call.cancel, true);
        }
    takc_mutex_unlock(&r->locked.mu);
}
