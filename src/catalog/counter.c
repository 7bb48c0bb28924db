/* SPDX-License-Identifier: Apache-2.0
 *
 * counter.c - the tokenizers that an open home has loaded. A vocabulary takes a large part of a second to load, so it is kept until the
 * home closes; one whose file was changed is loaded anew beside the old one, which others may still be counting with. */
#include "base/alloc.h"
#include "catalog/home_impl.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

struct takc_home_counter {
    struct takc_home_counter *next;
    const struct takc_tokenizer *tokenizer;
    struct takc_file_stamp {
        ino_t inode;
        off_t size;
        struct timespec changed;
    } stamp;
    size_t len;
    char name[]; /* as the profile has it */
};

/* What the file behind "bpe:PATH#PATTERN" looks like from outside; zeros where there is none. */
static struct takc_file_stamp stamp_of(const char *name)
{
    struct stat s;
    char path[PATH_MAX];
    size_t n = strcspn(name, "#");
    const char *colon = strchr(name, ':');
    struct takc_file_stamp stamp = {0};
    if (!colon || n > sizeof(path))
        return stamp;
    (void)snprintf(path, sizeof(path), "%.*s", (int)(n - (size_t)(colon + 1 - name)), colon + 1);
    if (stat(path, &s) == 0)
        stamp = (struct takc_file_stamp){s.st_ino, s.st_size, s.st_mtim};
    return stamp;
}

static const struct takc_tokenizer *known_locked(struct takc_home *h, const struct takc_home_counter *like)
{
    for (const struct takc_home_counter *c = h->counters; c; c = c->next)
        if (c->len == like->len && memcmp(c->name, like->name, c->len) == 0 && c->stamp.inode == like->stamp.inode &&
            c->stamp.size == like->stamp.size && c->stamp.changed.tv_sec == like->stamp.changed.tv_sec &&
            c->stamp.changed.tv_nsec == like->stamp.changed.tv_nsec)
            return c->tokenizer;
    return NULL;
}

static void drop(struct takc_home_counter *c)
{
    if (c)
        takc_tokenizer_close(c->tokenizer);
    takc_free(c);
}

/* Opens it outside of the lock; of two threads that did so the first one's is kept. */
static enum takc_status load(struct takc_home *h, struct takc_home_counter *c, const struct takc_tokenizer **out, struct takc_err *err)
{
    enum takc_status st = takc_tokenizer_open(takc_str_n(c->name, c->len), &c->tokenizer, err);
    if (st) {
        drop(c);
        return st;
    }
    takc_home_mutex_lock(h);
    *out = known_locked(h, c);
    if (!*out) {
        *out = c->tokenizer;
        c->next = h->counters;
        h->counters = c;
        c = NULL;
    }
    takc_home_mutex_unlock(h);
    drop(c);
    return TAKC_OK;
}

enum takc_status takc_home_tokenizer(struct takc_home *h, struct takc_str name, const struct takc_tokenizer **out, struct takc_err *err)
{
    const struct takc_tokenizer *found = takc_tokenizer_find(name);
    struct takc_home_counter *c = found ? NULL : takc_alloc(sizeof(*c) + name.len + 1);
    if (!found && !c)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a tokenizer");
    if (c) {
        memcpy(c->name, name.ptr, name.len);
        c->len = name.len;
        c->stamp = stamp_of(c->name);
        takc_home_mutex_lock(h);
        found = known_locked(h, c);
        takc_home_mutex_unlock(h);
        if (!found) {
            enum takc_status st = load(h, c, out, err);
            return st ? takc_err_prefix(err, st, "tokenizer") : TAKC_OK;
        }
        drop(c);
    }
    *out = found;
    return TAKC_OK;
}

enum takc_status takc_home_counting_profile(struct takc_home *h, struct takc_str task, struct takc_profile *out, struct takc_err *err)
{
    enum takc_status st = takc_home_profile(h, task, out, err);
    if (st)
        return st;
    st = takc_home_tokenizer(h, out->tokenizer, &out->counter, err);
    if (st)
        takc_profile_clear(out);
    return st;
}

void takc_home_counters_close(struct takc_home *h)
{
    while (h->counters) {
        struct takc_home_counter *c = h->counters;
        h->counters = c->next;
        drop(c);
    }
}
