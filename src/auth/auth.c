/* SPDX-License-Identifier: Apache-2.0
 *
 * auth.c - what an identity may. */
#include "auth/auth.h"

enum takc_status takc_identity_body(const struct takc_identity *who, struct takc_str sha256, struct takc_err *err)
{
    return who->body ? who->body(who->body_arg, sha256, err) : TAKC_OK;
}

bool takc_may(const struct takc_identity *who, unsigned what)
{
    return (who->may & what) != 0;
}

bool takc_may_task(const struct takc_identity *who, struct takc_str task)
{
    for (size_t i = 0; i < who->n_tasks; i++)
        if (takc_str_glob(who->tasks[i], task))
            return true;
    return who->n_tasks == 0;
}

/* ---- scopes ---- */

static const struct {
    const char *name;
    unsigned may;
} scopes[] = {{"query", TAKC_MAY_QUERY}, {"ingest", TAKC_MAY_INGEST}, {"admin", TAKC_MAY_ADMIN}};
enum { N_SCOPES = sizeof(scopes) / sizeof(scopes[0]) };

enum takc_status takc_may_parse(struct takc_str list, unsigned *out, struct takc_err *err)
{
    struct takc_str word;
    unsigned may = 0;
    while (takc_str_split(&list, ',', &word)) {
        size_t i = 0;
        while (i < N_SCOPES && !takc_str_is(takc_str_trim(word), scopes[i].name))
            i++;
        if (i == N_SCOPES)
            return takc_fail(err, TAKC_INVALID, 0, "'%.*s' is none of query, ingest, admin", (int)(word.len > 60 ? 60 : word.len),
                             word.ptr ? word.ptr : "");
        may |= scopes[i].may;
    }
    *out = may;
    return TAKC_OK;
}

void takc_may_text(unsigned may, char out[24])
{
    size_t n = 0;
    for (size_t i = 0; i < N_SCOPES; i++)
        if (may & scopes[i].may) {
            if (n)
                out[n++] = ',';
            memcpy(out + n, scopes[i].name, strlen(scopes[i].name));
            n += strlen(scopes[i].name);
        }
    out[n] = '\0';
}
