/* SPDX-License-Identifier: Apache-2.0
 *
 * sigv4_keys.c - the file of access keys: read whole, checked whole, kept sorted by nothing (there are few), swapped whole. */
#include "auth/sigv4_keys.h"

#include "auth/grant.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/thread.h"
#include "base/yaml.h"

#include <errno.h>
#include <sys/stat.h>

enum { KEYS_MAX = 1000, ID_MIN = 4, ID_MAX = 128, SECRET_MIN = 16, SECRET_MAX = 256, DAY_S = 86400 };

struct key {
    struct takc_str id, secret;
    struct takc_identity who; /* without a subject */
    bool has_may;
};

struct keys {                /* what one reading gave */
    struct takc_arena arena; /* owns every text; secret */
    struct key *keys;
    size_t n, cap;
    struct stat seen;
};

struct takc_sigv4_keys {
    const char *path; /* behind the struct */
    struct {
        struct takc_mutex mu;
        struct keys *now;
        struct stat failed; /* of the file that could not be read: told once */
    } locked;
};

static void free_keys(struct keys *k)
{
    if (!k)
        return;
    takc_arena_clear(&k->arena);
    takc_free(k->keys);
    takc_free(k);
}

/* --- reading --- */

struct reader {
    struct takc_yaml yaml;
    struct keys *k;
    struct key key; /* the one being read */
};

typedef enum takc_status field_fn(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err);

static enum takc_status keep(struct reader *r, struct takc_str s, struct takc_str *out, struct takc_err *err)
{
    *out = takc_arena_dup(&r->k->arena, s);
    return out->ptr ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for access keys");
}

/* The error never shows the value: it may be a secret in the wrong place. */
static enum takc_status read_plain(struct reader *r, const struct takc_yaml_item *v, const char *what, size_t min, size_t max,
                                   struct takc_str *out, struct takc_err *err)
{
    struct takc_str s = v->kind == TAKC_YAML_SCALAR ? v->text : takc_str("");
    bool good = s.len >= min && s.len <= max;
    for (size_t i = 0; i < s.len; i++)
        good = good && s.ptr[i] > ' ' && s.ptr[i] < 0x7F;
    if (!good)
        return takc_yaml_fail(&r->yaml, v, err, "%s: %zu to %zu visible ASCII characters are expected", what, min, max);
    return keep(r, s, out, err);
}

static enum takc_status id_of(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    enum takc_status st = read_plain(r, v, what, ID_MIN, ID_MAX, &r->key.id, err);
    for (size_t i = 0; !st && i < r->key.id.len; i++)
        if (strchr("/,=", r->key.id.ptr[i]))
            st = takc_yaml_fail(&r->yaml, v, err, "%s: none of / , = may be in it", what);
    return st;
}

static enum takc_status secret_of(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    return read_plain(r, v, what, SECRET_MIN, SECRET_MAX, &r->key.secret, err);
}

static enum takc_status tenant_of(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    if (v->kind != TAKC_YAML_SCALAR || !takc_grant_is_tenant(v->text))
        return takc_yaml_fail(&r->yaml, v, err, "%s: a name of a-z 0-9 . _ - is expected", what);
    return keep(r, v->text, &r->key.who.tenant, err);
}

static enum takc_status may_one(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    unsigned may = v->kind == TAKC_YAML_SCALAR ? takc_grant_may(v->text) : 0;
    r->key.who.may |= may;
    r->key.has_may = true;
    return may ? TAKC_OK : takc_yaml_fail(&r->yaml, v, err, "%s: query, ingest or admin is expected", what);
}

static enum takc_status task_one(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    struct takc_str s = v->kind == TAKC_YAML_SCALAR ? v->text : takc_str("");
    enum takc_status st = takc_grant_task(&r->k->arena, &r->key.who, s, NULL);
    if (st == TAKC_DENIED)
        return takc_yaml_fail(&r->yaml, v, err, "%s: a pattern of a-z 0-9 . _ - * ? is expected, at most %d of them", what,
                              TAKC_IDENTITY_TASKS);
    return st ? takc_fail(err, st, 0, "no memory for access keys") : TAKC_OK;
}

static enum takc_status read_list(struct reader *r, const struct takc_yaml_item *v, const char *what, field_fn *one, struct takc_err *err)
{
    struct takc_yaml_item item;
    enum takc_status st = TAKC_OK;
    size_t n = 0;
    if (v->kind != TAKC_YAML_LIST)
        return takc_yaml_fail(&r->yaml, v, err, "%s: a list is expected", what);
    while (!st && !(st = takc_yaml_next(&r->yaml, &item, err)) && item.kind != TAKC_YAML_LIST_END) {
        st = one(r, &item, what, err);
        n++;
    }
    return !st && !n ? takc_yaml_fail(&r->yaml, v, err, "%s: the list is empty", what) : st;
}

static enum takc_status may_of(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    return read_list(r, v, what, may_one, err);
}

static enum takc_status tasks_of(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    return read_list(r, v, what, task_one, err);
}

static enum takc_status expires_of(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    int32_t days = 0;
    if (v->kind != TAKC_YAML_SCALAR || v->text.len != 10 || takc_date_parse(v->text.ptr, v->text.len, &days, NULL))
        return takc_yaml_fail(&r->yaml, v, err, "%s: a day like 2027-01-31 is expected", what);
    r->key.who.expires_s = (int64_t)days * DAY_S;
    return TAKC_OK;
}

static const struct field {
    const char *name;
    field_fn *read;
} fields[] = {{"access_key_id", id_of}, {"secret", secret_of}, {"tenant", tenant_of},
              {"may", may_of},          {"tasks", tasks_of},   {"expires", expires_of}};
enum { N_FIELDS = sizeof(fields) / sizeof(fields[0]) };

static enum takc_status read_field(struct reader *r, const struct takc_yaml_item *name, unsigned *seen, struct takc_err *err)
{
    struct takc_yaml_item value, at = *name;
    size_t i = 0;
    while (i < N_FIELDS && !takc_str_is(name->text, fields[i].name))
        i++;
    if (i == N_FIELDS)
        return takc_yaml_fail(&r->yaml, name, err, "there is no such field of a key: access_key_id, secret, tenant, may, tasks, expires");
    if (*seen & 1u << i)
        return takc_yaml_fail(&r->yaml, &at, err, "%s is given twice", fields[i].name);
    *seen |= 1u << i;
    enum takc_status st = takc_yaml_next(&r->yaml, &value, err);
    return st ? st : fields[i].read(r, &value, fields[i].name, err);
}

static enum takc_status check_key(const struct reader *r, const struct takc_yaml_item *at, struct takc_err *err)
{
    if (!r->key.id.len || !r->key.secret.len || !r->key.has_may)
        return takc_yaml_fail(&r->yaml, at, err, "a key needs access_key_id, secret and may");
    for (size_t i = 0; i < r->k->n; i++)
        if (takc_str_eq(r->k->keys[i].id, r->key.id))
            return takc_yaml_fail(&r->yaml, at, err, "access_key_id %.*s is there already", TAKC_STR_ARG(r->key.id));
    return TAKC_OK;
}

static enum takc_status read_key(struct reader *r, const struct takc_yaml_item *v, const char *what, struct takc_err *err)
{
    struct takc_yaml_item name, at = *v;
    unsigned seen = 0;
    enum takc_status st = TAKC_OK;
    if (v->kind != TAKC_YAML_MAP)
        return takc_yaml_fail(&r->yaml, v, err, "%s: a mapping is expected", what);
    r->key = (struct key){.who = {.tenant = {"", 0}}};
    while (!st && !(st = takc_yaml_next(&r->yaml, &name, err)) && name.kind != TAKC_YAML_MAP_END)
        st = read_field(r, &name, &seen, err);
    st = st ? st : check_key(r, &at, err);
    if (!st && r->k->n == KEYS_MAX)
        st = takc_yaml_fail(&r->yaml, &at, err, "more than %d keys", KEYS_MAX);
    st = st ? st : takc_grow(&r->k->keys, &r->k->cap, r->k->n + 1, sizeof(r->key), err);
    if (!st)
        r->k->keys[r->k->n++] = r->key;
    return st;
}

static enum takc_status read_top(struct reader *r, struct takc_err *err)
{
    struct takc_yaml_item item;
    enum takc_status st = takc_yaml_next(&r->yaml, &item, err);
    if (!st && item.kind != TAKC_YAML_MAP)
        st = takc_yaml_fail(&r->yaml, &item, err, "a mapping with keys: is expected");
    st = st ? st : takc_yaml_next(&r->yaml, &item, err);
    if (!st && (item.kind != TAKC_YAML_SCALAR || !takc_str_is(item.text, "keys")))
        st = takc_yaml_fail(&r->yaml, &item, err, "keys: is expected, and nothing else");
    st = st ? st : takc_yaml_next(&r->yaml, &item, err);
    st = st ? st : read_list(r, &item, "keys", read_key, err);
    st = st ? st : takc_yaml_next(&r->yaml, &item, err);
    if (!st && item.kind != TAKC_YAML_MAP_END)
        st = takc_yaml_fail(&r->yaml, &item, err, "nothing is expected behind keys");
    st = st ? st : takc_yaml_next(&r->yaml, &item, err); /* what stands behind the mapping */
    return st;
}

static enum takc_status look(const char *path, struct stat *out, struct takc_err *err)
{
    if (stat(path, out))
        return takc_fail_errno(err, errno, "%s", path);
    if (!S_ISREG(out->st_mode))
        return takc_fail(err, TAKC_INVALID, 0, "%s: no regular file", path);
    if (out->st_mode & (S_IRWXG | S_IRWXO))
        return takc_fail(err, TAKC_INVALID, 0, "%s: others have rights to it (mode %03o); chmod 600 %s", path,
                         (unsigned)out->st_mode & 0777u, path);
    return TAKC_OK;
}

static enum takc_status read_file(const char *path, struct keys **out, struct takc_err *err)
{
    struct takc_buf text;
    struct keys *k = takc_alloc(sizeof(*k));
    if (!k)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for access keys");
    struct reader r = {.k = k};
    takc_arena_init(&k->arena);
    k->arena.secret = true;
    takc_buf_init_secret(&text, TAKC_YAML_MAX_BYTES);
    enum takc_status st = look(path, &k->seen, err);
    st = st ? st : takc_file_read(path, &text, err);
    st = st ? st : takc_yaml_open(&r.yaml, takc_buf_str(&text), path, err);
    if (!st) {
        st = read_top(&r, err);
        takc_yaml_close(&r.yaml);
    }
    takc_buf_clear(&text);
    if (st)
        free_keys(k);
    else
        *out = k;
    return st;
}

/* --- open, and a look at every request --- */

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size && a->st_mode == b->st_mode &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static void refresh_locked(struct takc_sigv4_keys *k) TAKC_REQUIRES(k->locked.mu)
{
    struct stat now = {0};
    struct takc_err err;
    struct keys *new;
    if (!stat(k->path, &now) && (same_file(&now, &k->locked.now->seen) || same_file(&now, &k->locked.failed)))
        return;
    if (!read_file(k->path, &new, &err)) {
        takc_log(INFO, "auth.sigv4", "%s was read again: %zu keys", k->path, new->n);
        free_keys(k->locked.now);
        k->locked.now = new;
        return;
    }
    if (now.st_ino || k->locked.failed.st_mode != 1)
        takc_log(ERROR, "auth.sigv4", "the keys before it stay: %s", err.msg);
    k->locked.failed = now;
    if (!now.st_ino)
        k->locked.failed.st_mode = 1; /* it is gone: told once, too */
}

static const struct key *find(const struct keys *k, struct takc_str id)
{
    for (size_t i = 0; i < k->n; i++)
        if (takc_str_eq(k->keys[i].id, id))
            return &k->keys[i];
    return NULL;
}

static enum takc_status copy_out(const struct key *key, struct takc_arena *a, struct takc_buf *secret, struct takc_identity *who,
                                 struct takc_err *err)
{
    enum takc_status st = takc_buf_add(secret, key->secret, err);
    *who = key->who;
    who->tenant = takc_arena_dup(a, key->who.tenant);
    bool good = who->tenant.ptr != NULL;
    for (size_t i = 0; i < who->n_tasks && good; i++) {
        who->tasks[i] = takc_arena_dup(a, key->who.tasks[i]);
        good = who->tasks[i].ptr != NULL;
    }
    return st || good ? st : takc_fail(err, TAKC_NOMEM, 0, "no memory for an identity");
}

enum takc_status takc_sigv4_keys_find(struct takc_sigv4_keys *k, struct takc_str access_key_id, struct takc_arena *a,
                                      struct takc_buf *secret, struct takc_identity *who, bool *found, struct takc_err *err)
{
    takc_mutex_lock(&k->locked.mu);
    refresh_locked(k);
    const struct key *key = find(k->locked.now, access_key_id);
    *found = key != NULL;
    enum takc_status st = key ? copy_out(key, a, secret, who, err) : TAKC_OK;
    takc_mutex_unlock(&k->locked.mu);
    return st;
}

enum takc_status takc_sigv4_keys_open(struct takc_sigv4_keys **out, const char *path, struct takc_err *err)
{
    size_t n = strlen(path) + 1;
    struct takc_sigv4_keys *k = takc_alloc(sizeof(*k) + n);
    if (!k)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for access keys");
    k->path = memcpy(k + 1, path, n);
    enum takc_status st = takc_mutex_init(&k->locked.mu, err);
    if (!st) {
        st = read_file(path, &k->locked.now, err);
        if (st)
            takc_mutex_clear(&k->locked.mu);
    }
    if (st)
        takc_free(k);
    else
        *out = k;
    return st;
}

void takc_sigv4_keys_close(struct takc_sigv4_keys *k)
{
    if (!k)
        return;
    free_keys(k->locked.now);
    takc_mutex_clear(&k->locked.mu);
    takc_free(k);
}
