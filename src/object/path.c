/* SPDX-License-Identifier: Apache-2.0
 *
 * path.c - keys to names on disk and back (object/dir.h says what is escaped and why). The way back is checked by going forth again:
 * a path that encoding would not give is nobody's key, so foreign files, temporaries and the home's own files never show up in a list. */
#include "base/utf8.h"
#include "object/dir.h"

#include <stdio.h>

enum { NAME_MAX_BYTES = 255, PIECE_MAX = 240 }; /* 240 + 3 for a last escape + 2 for the mark stay below 255 */

struct out_path {
    char *p;
    size_t len;
    bool full;
};

static void put(struct out_path *o, const char *bytes, size_t n)
{
    if (o->full || n >= PATH_MAX - o->len) {
        o->full = true;
        return;
    }
    memcpy(o->p + o->len, bytes, n);
    o->len += n;
    o->p[o->len] = '\0';
}

/* Is this first part of a key a name of the home's own files? */
static bool guarded(struct takc_str part)
{
    return takc_str_is(part, TAKC_DIR_LOCKS) || takc_str_is(part, TAKC_DIR_TENANTS) || takc_str_starts(part, takc_str("home.")) ||
           takc_str_starts(part, takc_str("catalog."));
}

static void put_escaped(struct out_path *o, char c)
{
    char e[4];
    (void)snprintf(e, sizeof(e), "%%%02X", (unsigned char)c);
    put(o, e, 3);
}

/* One part of a key, as one name or, when that is too long, as several. */
static void put_part(struct out_path *o, struct takc_str part, bool first)
{
    bool escape_head = takc_str_starts(part, takc_str(".takc-")) || (first && guarded(part));
    size_t whole = part.len + (escape_head ? 2 : 0), in_piece = 0;
    for (size_t i = 0; i < part.len; i++)
        whole += part.ptr[i] == '%' ? 2 : 0;
    bool cut = whole > NAME_MAX_BYTES;
    for (size_t pos = 0; pos < part.len;) {
        size_t from = pos, before = o->len;
        (void)takc_utf8_next(part, &pos, NULL);
        if (part.ptr[from] == '%' || (from == 0 && escape_head))
            put_escaped(o, part.ptr[from]);
        else
            put(o, part.ptr + from, pos - from);
        in_piece += o->len - before;
        if (cut && in_piece >= PIECE_MAX && pos < part.len) {
            put(o, "%+/", 3);
            in_piece = 0;
        }
    }
}

enum takc_status takc_dir_path(const char *root, struct takc_str key, char *out, struct takc_err *err)
{
    struct out_path o = {out, 0, false};
    put(&o, root, strlen(root));
    struct takc_str rest = key, part;
    for (bool first = true; takc_str_split(&rest, '/', &part); first = false) {
        if (!first || *root)
            put(&o, "/", 1);
        put_part(&o, part, first);
    }
    return o.full ? takc_fail(err, TAKC_INVALID, 0, "the path of the key is longer than %d bytes", PATH_MAX) : TAKC_OK;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool takc_dir_key(const char *rel, char *out, size_t *out_len)
{
    size_t n = 0;
    for (const char *p = rel; *p; n++) {
        if (p[0] == '%' && p[1] == '+' && p[2] == '/') {
            p += 3;
            n--;
            continue;
        }
        char c = *p++;
        if (c == '%') {
            int hi = hex_digit(p[0]), lo = hi < 0 ? -1 : hex_digit(p[1]);
            if (lo < 0)
                return false;
            c = (char)(hi << 4 | lo);
            p += 2;
        }
        if (n >= TAKC_DIR_KEY_MAX)
            return false;
        out[n] = c;
    }
    char again[PATH_MAX];
    *out_len = n;
    struct takc_str key = takc_str_n(out, n);
    return takc_store_key_check(key, NULL) == TAKC_OK && takc_dir_path("", key, again, NULL) == TAKC_OK && strcmp(again, rel) == 0;
}
