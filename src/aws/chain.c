/* SPDX-License-Identifier: Apache-2.0
 *
 * chain.c - the chain itself (credentials.h): options, files, order of the sources, and the keys in hand with their refreshing.
 *
 * One caller at a time fetches; the lock is not held meanwhile. Those who come while the keys in hand are good go on with them; those who
 * find none good wait for the fetch that is under way and share its failure, so that a broken source is asked once for all of them. */
#include "aws/chain.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"

#include <stdio.h>
#include <strings.h>

enum {
    AHEAD_S = 300, /* keys are fetched again this long before they run out */
    AGAIN_S = 30,  /* after a failed fetch, the old keys are used this long before the next try */
    FILE_MAX = 4 << 20,
    WAIT_MS = 100 /* how soon a waiting caller sees its cancel flag */
};

const char *takc_aws_env(const struct takc_aws *a, const char *name)
{
    size_t n = strlen(name);
    for (const char *const *e = a->o.environment; *e; e++)
        if (strncmp(*e, name, n) == 0 && (*e)[n] == '=')
            return (*e)[n + 1] ? *e + n + 1 : NULL;
    return NULL;
}

/* NULL stays NULL; false when there is no memory. */
static bool copy_text(struct takc_arena *arena, const char **text)
{
    if (!*text)
        return true;
    *text = takc_arena_dup(arena, takc_str(*text)).ptr;
    return *text != NULL;
}

static bool copy_environment(struct takc_aws *a, const char *const *from)
{
    size_t n = 0;
    while (from && from[n])
        n++;
    const char **to = takc_arena_array(&a->arena, n + 1, sizeof(*to));
    bool good = to != NULL;
    for (size_t i = 0; i < n && good; i++) {
        to[i] = from[i];
        good = copy_text(&a->arena, &to[i]);
    }
    a->o.environment = to;
    return good;
}

static bool copy_options(struct takc_aws *a, const struct takc_aws_options *o)
{
    a->o = *o;
    a->http = o->http;
    a->clock = takc_clock_or_system(o->clock);
    bool good = copy_environment(a, o->environment) && copy_text(&a->arena, &a->o.home) && copy_text(&a->arena, &a->o.profile) &&
                copy_text(&a->arena, &a->o.region) && copy_text(&a->arena, &a->o.sts_endpoint) &&
                copy_text(&a->arena, &a->o.imds_endpoint) && copy_text(&a->arena, &a->o.sso_endpoint);
    if (good && !a->o.home)
        a->o.home = takc_aws_env(a, "HOME");
    return good;
}

enum takc_status takc_aws_open(struct takc_aws **out, const struct takc_aws_options *o, struct takc_err *err)
{
    struct takc_aws *a = takc_alloc(sizeof(*a));
    if (!a)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for aws");
    takc_arena_init(&a->arena);
    a->arena.secret = true;
    takc_aws_identity_init(&a->locked.have);
    enum takc_status st = copy_options(a, o) ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for aws");
    st = st ? st : takc_mutex_init(&a->locked.mu, err);
    if (!st) {
        st = takc_cond_init(&a->locked.changed, err);
        if (st)
            takc_mutex_clear(&a->locked.mu);
    }
    if (st) {
        takc_arena_clear(&a->arena);
        takc_free(a);
        return st;
    }
    *out = a;
    return TAKC_OK;
}

void takc_aws_close(struct takc_aws *a)
{
    if (!a)
        return;
    takc_aws_identity_clear(&a->locked.have);
    takc_cond_clear(&a->locked.changed);
    takc_mutex_clear(&a->locked.mu);
    takc_arena_clear(&a->arena);
    takc_free(a);
}

const char *takc_aws_profile_name(const struct takc_aws *a, bool *named)
{
    const char *name = a->o.profile && a->o.profile[0] ? a->o.profile : NULL;
    name = name ? name : takc_aws_env(a, "AWS_DEFAULT_PROFILE");
    name = name ? name : takc_aws_env(a, "AWS_PROFILE");
    *named = name != NULL;
    return name ? name : "default";
}

/* Where a file is: the variable (with ~ as the home folder), else below the home folder; NULL when that is unknown. */
static enum takc_status file_path(struct takc_aws_walk *w, const char *variable, const char *usual, const char **out, struct takc_err *err)
{
    const char *set = takc_aws_env(w->a, variable), *home = w->a->o.home;
    bool below_home = !set || (set[0] == '~' && set[1] == '/');
    *out = set;
    if (below_home)
        *out = home ? takc_arena_printf(&w->arena, "%s%s", home, set ? set + 1 : usual) : NULL;
    return below_home && home && !*out ? takc_fail(err, TAKC_NOMEM, 0, "no memory") : TAKC_OK;
}

/* A file that is not there is an empty one. */
static enum takc_status read_ini(struct takc_aws_walk *w, const char *path, bool is_config, struct takc_ini *out, struct takc_err *err)
{
    struct takc_buf text;
    takc_buf_init_secret(&text, FILE_MAX);
    enum takc_status st = path ? takc_file_read(path, &text, err) : TAKC_NOT_FOUND;
    bool missing = st == TAKC_NOT_FOUND;
    if (!st) {
        st = takc_ini_parse(out, takc_buf_str(&text), is_config, &w->arena, err);
        st = st ? takc_err_prefix(err, st, "%s", path) : TAKC_OK;
    }
    takc_buf_clear(&text);
    return missing ? TAKC_OK : st;
}

enum takc_status takc_aws_walk_init(struct takc_aws_walk *w, struct takc_aws *a, struct takc_call *call, struct takc_err *err)
{
    *w = (struct takc_aws_walk){.a = a, .call = call};
    takc_arena_init(&w->arena);
    w->arena.secret = true;
    const char *config, *credentials;
    enum takc_status st = file_path(w, "AWS_CONFIG_FILE", "/.aws/config", &config, err);
    st = st ? st : file_path(w, "AWS_SHARED_CREDENTIALS_FILE", "/.aws/credentials", &credentials, err);
    st = st ? st : read_ini(w, config, true, &w->config, err);
    return st ? st : read_ini(w, credentials, false, &w->credentials, err);
}

void takc_aws_walk_clear(struct takc_aws_walk *w)
{
    takc_arena_clear(&w->arena);
}

enum takc_status takc_aws_from_environment(struct takc_aws_walk *w, struct takc_aws_identity *out, bool *found, struct takc_err *err)
{
    const char *token = takc_aws_env(w->a, "AWS_SECURITY_TOKEN"), *expires = takc_aws_env(w->a, "AWS_CREDENTIAL_EXPIRATION");
    struct takc_aws_keys k = {takc_str(takc_aws_env(w->a, "AWS_ACCESS_KEY_ID")), takc_str(takc_aws_env(w->a, "AWS_SECRET_ACCESS_KEY")),
                              takc_str(token ? token : takc_aws_env(w->a, "AWS_SESSION_TOKEN"))};
    int64_t expires_s = 0;
    *found = k.access.len > 0;
    if (!*found)
        return TAKC_OK;
    if (expires && !takc_aws_time(takc_str(expires), &expires_s))
        return takc_fail(err, TAKC_INVALID, 0, "environment: AWS_CREDENTIAL_EXPIRATION is no time");
    if (!k.secret.len)
        return takc_fail(err, TAKC_INVALID, 0, "environment: AWS_ACCESS_KEY_ID is set, AWS_SECRET_ACCESS_KEY is not");
    enum takc_status st = takc_aws_identity_set(out, &k, expires_s, err);
    (void)snprintf(out->source, sizeof(out->source), "environment");
    return st;
}

/* The chain, first that answers. */
static enum takc_status walk(struct takc_aws_walk *w, struct takc_aws_identity *out, struct takc_err *err)
{
    bool named, found = false, with_environment = !w->a->o.profile;
    const char *profile = takc_aws_profile_name(w->a, &named);
    if (named && !takc_aws_profile_exists(w, profile))
        return takc_fail(err, TAKC_INVALID, 0, "profile %s is neither in the config file nor in the credentials file", profile);
    enum takc_status st = with_environment ? takc_aws_from_environment(w, out, &found, err) : TAKC_OK;
    if (!st && !found)
        st = takc_aws_from_profile(w, profile, with_environment, out, &found, err);
    if (!st && !found)
        st = takc_aws_from_container(w, out, &found, err);
    if (!st && !found)
        st = takc_aws_from_instance(w, out, &found, err);
    if (st || found)
        return st;
    return takc_fail(err, TAKC_DENIED, 0, "no AWS keys: looked at %sprofile %s, container%s", with_environment ? "environment, " : "",
                     profile, w->looked_at);
}

/* One fetch, without the lock. */
static enum takc_status fetch(struct takc_aws *a, struct takc_call *call, struct takc_aws_identity *out, struct takc_err *err)
{
    struct takc_aws_walk w;
    enum takc_status st = takc_aws_walk_init(&w, a, call, err);
    st = st ? st : walk(&w, out, err);
    takc_aws_walk_clear(&w);
    int64_t now = a->clock->wall_s(a->clock);
    if (!st && out->expires_s && out->expires_s <= now)
        st = takc_fail(err, TAKC_DENIED, 0, "%s: its keys have run out already", out->source);
    return st ? takc_err_prefix(err, st, "aws keys") : TAKC_OK;
}

static bool is_good_locked(const struct takc_aws *a, int64_t now) TAKC_REQUIRES(a->locked.mu)
{
    const struct takc_aws_identity *i = &a->locked.have;
    return i->keys.access.len > 0 && (i->expires_s == 0 || i->expires_s > now);
}

/* Takes over what a fetch brought; got is empty afterwards. */
static void keep_locked(struct takc_aws *a, struct takc_aws_identity *got, int64_t now) TAKC_REQUIRES(a->locked.mu)
{
    takc_aws_identity_clear(&a->locked.have);
    a->locked.have = *got;
    takc_aws_identity_init(got);
    int64_t left = a->locked.have.expires_s - now;
    a->locked.fetch_at_s = a->locked.have.expires_s == 0 ? INT64_MAX : now + (left > 2 * AHEAD_S ? left - AHEAD_S : left / 2);
}

/* Fetches without the lock and takes it again. */
static void refresh_locked(struct takc_aws *a, struct takc_call *call) TAKC_REQUIRES(a->locked.mu)
{
    struct takc_aws_identity got;
    struct takc_err failed = {0};
    takc_aws_identity_init(&got);
    a->locked.fetching = true;
    takc_mutex_unlock(&a->locked.mu);
    enum takc_status st = fetch(a, call, &got, &failed);
    int64_t now = a->clock->wall_s(a->clock);
    takc_mutex_lock(&a->locked.mu);
    a->locked.fetching = false;
    a->locked.round++;
    if (!st) {
        keep_locked(a, &got, now);
    } else {
        a->locked.failed = failed;
        a->locked.failed_round = a->locked.round;
        a->locked.fetch_at_s = now + AGAIN_S;
        if (is_good_locked(a, now))
            takc_log_for(call, WARN, "aws", "%s; the old keys are good for %lld s", failed.msg,
                         (long long)(a->locked.have.expires_s - now));
    }
    takc_cond_broadcast(&a->locked.changed);
    takc_aws_identity_clear(&got);
}

static enum takc_status repeat_failure(const struct takc_err *failed, struct takc_err *err)
{
    return takc_fail(err, failed->status, failed->detail, "%s", failed->msg);
}

/* Waits for the fetch of another caller. Its failure is ours, unless it was that caller's own (cancelled, out of its time): then *again. */
static enum takc_status wait_locked(struct takc_aws *a, struct takc_call *call, struct takc_err *err) TAKC_REQUIRES(a->locked.mu)
{
    uint64_t round = a->locked.round;
    while (a->locked.round == round) {
        enum takc_status st = takc_call_check(call, err);
        if (st)
            return st;
        takc_cond_wait_ms(&a->locked.changed, &a->locked.mu, WAIT_MS);
    }
    const struct takc_err *failed = &a->locked.failed;
    bool shared = a->locked.failed_round == a->locked.round && failed->status != TAKC_CANCELLED && failed->status != TAKC_TIMEOUT;
    return shared ? repeat_failure(failed, err) : TAKC_OK;
}

enum takc_status takc_aws_keys(struct takc_aws *a, struct takc_call *call, struct takc_aws_identity *out, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    int64_t now = a->clock->wall_s(a->clock);
    takc_aws_identity_init(out);
    takc_mutex_lock(&a->locked.mu);
    while (!st && !is_good_locked(a, now)) {
        if (a->locked.fetching) {
            st = wait_locked(a, call, err);
        } else {
            refresh_locked(a, call);
            if (a->locked.failed_round == a->locked.round)
                st = repeat_failure(&a->locked.failed, err);
        }
        now = a->clock->wall_s(a->clock);
    }
    if (!st && now >= a->locked.fetch_at_s && !a->locked.fetching)
        refresh_locked(a, call); /* ahead of time: a failure leaves the keys in hand */
    if (!st) {
        st = takc_aws_identity_set(out, &a->locked.have.keys, a->locked.have.expires_s, err);
        memcpy(out->source, a->locked.have.source, sizeof(out->source));
    }
    takc_mutex_unlock(&a->locked.mu);
    return st;
}

void takc_aws_forget_keys(struct takc_aws *a, const struct takc_aws_keys *refused)
{
    takc_mutex_lock(&a->locked.mu);
    const struct takc_aws_keys *have = &a->locked.have.keys;
    if (takc_str_eq(have->access, refused->access) && takc_str_eq(have->token, refused->token))
        takc_aws_identity_clear(&a->locked.have);
    takc_mutex_unlock(&a->locked.mu);
}
