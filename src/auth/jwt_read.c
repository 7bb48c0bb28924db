/* SPDX-License-Identifier: Apache-2.0
 *
 * jwt_read.c - a compact token taken apart: three parts, a header that asks for nothing we do not do, claims as JSON. */
#include "auth/jwt.h"

#include "base/base64.h"

enum { ES256_BYTES = 64, KID_MAX = 256 };

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool takc_jwt_looks(struct takc_str text)
{
    size_t dots = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '.')
            dots++;
        else if (!is_letter(text.ptr[i]))
            return false;
    }
    return dots == 2;
}

/* One part as a JSON object. */
static enum takc_status read_part(struct takc_str part, const char *what, json_t **out, struct takc_err *err)
{
    struct takc_buf bytes;
    json_t *v = NULL;
    takc_buf_init(&bytes, TAKC_JWT_MAX_BYTES);
    enum takc_status st = takc_base64url_decode(&bytes, part, NULL);
    st = st ? st : takc_json_parse(takc_buf_str(&bytes), &v, NULL);
    takc_buf_clear(&bytes);
    if (st == TAKC_NOMEM)
        return takc_fail(err, st, 0, "no memory for a token");
    if (st || !json_is_object(v)) {
        json_decref(v);
        return takc_fail(err, TAKC_DENIED, 0, "the token's %s is no JSON object in base64url", what);
    }
    *out = v;
    return TAKC_OK;
}

static enum takc_token_alg alg_of(const json_t *head)
{
    struct takc_str alg = takc_json_get_str(head, "alg");
    return takc_str_is(alg, "RS256") ? TAKC_ALG_RS256 : takc_str_is(alg, "ES256") ? TAKC_ALG_ES256 : TAKC_ALG_UNSET;
}

/* "JWT" and "at+jwt" (RFC 9068), with or without "application/"; Cognito gives none. */
static bool is_type(const json_t *typ)
{
    struct takc_str t = typ ? takc_str_n(json_string_value(typ), json_string_length(typ)) : takc_str("jwt");
    const struct takc_str media = takc_str("application/");
    if (t.len > media.len && takc_str_eq_nocase(takc_str_slice(t, 0, media.len), media))
        t = takc_str_slice(t, media.len, t.len);
    return takc_str_eq_nocase(t, takc_str("jwt")) || takc_str_eq_nocase(t, takc_str("at+jwt"));
}

static enum takc_status check_head(struct takc_jwt *t, struct takc_err *err)
{
    static const char *const refused[] = {"crit", "jwk", "jku", "x5u", "x5c", "b64", "zip", "cty", "enc"};
    const json_t *kid = json_object_get(t->head, "kid");
    t->alg = alg_of(t->head);
    t->kid = takc_json_get_str(t->head, "kid");
    if (!t->alg)
        return takc_fail(err, TAKC_DENIED, 0, "the token is signed by another algorithm than RS256 and ES256");
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        if (json_object_get(t->head, refused[i]))
            return takc_fail(err, TAKC_DENIED, 0, "the token's header has \"%s\", which is not taken", refused[i]);
    if ((kid && !json_is_string(kid)) || t->kid.len > KID_MAX)
        return takc_fail(err, TAKC_DENIED, 0, "the token's kid is no string of at most %d bytes", KID_MAX);
    if (!is_type(json_object_get(t->head, "typ")))
        return takc_fail(err, TAKC_DENIED, 0, "the token's typ is neither JWT nor at+jwt");
    return TAKC_OK;
}

static enum takc_status check_signature(enum takc_token_alg alg, struct takc_str part, struct takc_err *err)
{
    struct takc_buf bytes;
    takc_buf_init(&bytes, TAKC_JWT_MAX_BYTES);
    enum takc_status st = takc_base64url_decode(&bytes, part, NULL);
    bool fits = !st && bytes.len > 0 && (alg != TAKC_ALG_ES256 || bytes.len == ES256_BYTES);
    takc_buf_clear(&bytes);
    if (st == TAKC_NOMEM)
        return takc_fail(err, st, 0, "no memory for a token");
    return fits ? TAKC_OK : takc_fail(err, TAKC_DENIED, 0, "the token's signature is none of its algorithm");
}

enum takc_status takc_jwt_read(struct takc_jwt *t, struct takc_str text, struct takc_err *err)
{
    struct takc_str rest = text, parts[3] = {{0}};
    *t = (struct takc_jwt){.text = text};
    if (text.len > TAKC_JWT_MAX_BYTES)
        return takc_fail(err, TAKC_DENIED, 0, "the token is longer than %d bytes", TAKC_JWT_MAX_BYTES);
    if (!takc_jwt_looks(text))
        return takc_fail(err, TAKC_DENIED, 0, "the token is not three parts of base64url");
    for (int i = 0; i < 3; i++)
        (void)takc_str_split(&rest, '.', &parts[i]);
    enum takc_status st = read_part(parts[0], "header", &t->head, err);
    st = st ? st : check_head(t, err);
    st = st ? st : check_signature(t->alg, parts[2], err);
    st = st ? st : read_part(parts[1], "payload", &t->claims, err);
    if (st)
        takc_jwt_clear(t);
    return st;
}

void takc_jwt_clear(struct takc_jwt *t)
{
    json_decref(t->head);
    json_decref(t->claims);
    *t = (struct takc_jwt){0};
}
