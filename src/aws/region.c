/* SPDX-License-Identifier: Apache-2.0
 *
 * region.c - which region, and where its services are. */
#include "aws/chain.h"

#include <ctype.h>
#include <stdio.h>

/* A region becomes part of a host's name. */
static bool is_region(struct takc_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!(s.ptr[i] >= 'a' && s.ptr[i] <= 'z') && !(s.ptr[i] >= '0' && s.ptr[i] <= '9') && s.ptr[i] != '-')
            return false;
    return s.len > 0 && s.len < 60;
}

const char *takc_aws_region_set(const struct takc_aws_walk *w, const char *profile)
{
    const char *set = w->a->o.region && w->a->o.region[0] ? w->a->o.region : NULL;
    set = set ? set : takc_aws_env(w->a, "AWS_REGION");
    set = set ? set : takc_aws_env(w->a, "AWS_DEFAULT_REGION");
    return set ? set : takc_aws_profile_get(w, profile, "region");
}

/* Asks files and instance; out has n bytes. */
static enum takc_status find_region(struct takc_aws *a, struct takc_call *call, char *out, size_t n, struct takc_err *err)
{
    struct takc_aws_walk w;
    bool named;
    enum takc_status st = takc_aws_walk_init(&w, a, call, err);
    const char *set = st ? NULL : takc_aws_region_set(&w, takc_aws_profile_name(a, &named));
    if (!st && set && !is_region(takc_str(set)))
        st = takc_fail(err, TAKC_INVALID, 0, "region %.40s is no name of a region", set);
    else if (!st && set)
        (void)snprintf(out, n, "%s", set);
    else if (!st)
        st = takc_aws_instance_region(&w, out, n, err);
    takc_aws_walk_clear(&w);
    if (st == TAKC_NOT_FOUND || (!st && !is_region(takc_str(out))))
        return takc_fail(err, TAKC_INVALID, 0, "no AWS region: set AWS_REGION, or region in ~/.aws/config");
    return st;
}

enum takc_status takc_aws_region(struct takc_aws *a, struct takc_call *call, struct takc_str *out, struct takc_err *err)
{
    char region[sizeof(a->locked.region)] = "";
    takc_mutex_lock(&a->locked.mu);
    bool known = a->locked.region[0] != '\0';
    takc_mutex_unlock(&a->locked.mu);
    enum takc_status st = known ? TAKC_OK : find_region(a, call, region, sizeof(region), err);
    if (st)
        return st;
    takc_mutex_lock(&a->locked.mu);
    if (!a->locked.region[0]) /* the first that finds it says it for good: views of it live as long as a */
        memcpy(a->locked.region, region, sizeof(region));
    *out = takc_str(a->locked.region);
    takc_mutex_unlock(&a->locked.mu);
    return TAKC_OK;
}

/* The partition's domain (botocore's endpoints.json). */
static const char *suffix_of(const char *region)
{
    static const struct {
        const char *prefix, *suffix;
    } rows[] = {{"cn-", "amazonaws.com.cn"}, {"us-isob-", "sc2s.sgov.gov"},  {"us-isof-", "csp.hci.ic.gov"},
                {"us-iso-", "c2s.ic.gov"},   {"eu-isoe-", "cloud.adc-e.uk"}, {"eusc-", "amazonaws.eu"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strncmp(region, rows[i].prefix, strlen(rows[i].prefix)) == 0)
            return rows[i].suffix;
    return "amazonaws.com";
}

/* What the user set for this service, or for all; a trailing '/' is taken off. */
static const char *endpoint_set(struct takc_aws_walk *w, const char *id)
{
    char name[80];
    bool named;
    const char *off = takc_aws_env(w->a, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    if (off && (strcmp(off, "true") == 0 || strcmp(off, "True") == 0))
        return NULL;
    (void)snprintf(name, sizeof(name), "AWS_ENDPOINT_URL_%s", id);
    const char *set = takc_aws_env(w->a, name);
    set = set ? set : takc_aws_env(w->a, "AWS_ENDPOINT_URL");
    return set ? set : takc_aws_profile_get(w, takc_aws_profile_name(w->a, &named), "endpoint_url");
}

enum takc_status takc_aws_endpoint(struct takc_aws_walk *w, const char *id, const char *host, const char *region, const char **out,
                                   struct takc_err *err)
{
    const char *set = endpoint_set(w, id);
    size_t n = set ? strlen(set) : 0;
    if (!set && !is_region(takc_str(region)))
        return takc_fail(err, TAKC_INVALID, 0, "region %.40s is no name of a region", region);
    *out = set ? takc_arena_printf(&w->arena, "%.*s", (int)(n && set[n - 1] == '/' ? n - 1 : n), set)
               : takc_arena_printf(&w->arena, "https://%s.%s.%s", host, region, suffix_of(region));
    return *out ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory");
}

enum takc_status takc_aws_endpoint_of(struct takc_aws *a, struct takc_call *call, const char *id, const char *host, struct takc_buf *out,
                                      struct takc_err *err)
{
    struct takc_aws_walk w;
    struct takc_str region;
    enum takc_status st = takc_aws_region(a, call, &region, err);
    if (st)
        return st;
    st = takc_aws_walk_init(&w, a, call, err);
    const char *url = NULL;
    st = st ? st : takc_aws_endpoint(&w, id, host, region.ptr, &url, err);
    st = st ? st : takc_buf_add(out, takc_str(url), err);
    takc_aws_walk_clear(&w);
    return st;
}
