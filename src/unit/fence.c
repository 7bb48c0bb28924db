/* SPDX-License-Identifier: Apache-2.0
 *
 * fence.c - marks around data. A mark is recognised as a lenient reader would: any letters of upper and lower case, blanks, slashes and
 * invisible characters in it, full-width forms. */
#include "unit/fence.h"
#include "base/hash.h"
#include "base/utf8.h"

static bool is_invisible(uint32_t c)
{
    return c == 0xAD || (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x2064) || c == 0xFEFF;
}

/* The character as ASCII in lower case, where it has such a form. */
static uint32_t folded(uint32_t c)
{
    if (c >= 0xFF01 && c <= 0xFF5E)
        c = c - 0xFF01 + '!';
    return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

static bool is_filler(uint32_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == '/' || c == '\\' || c == 0xA0 || c == 0x3000 || is_invisible(c);
}

/* Does a mark's name stand at pos, behind its bracket? */
static bool names_mark(struct takc_str s, size_t pos)
{
    static const char name[] = "source";
    size_t n = 0;
    while (pos < s.len && name[n]) {
        uint32_t c = folded(takc_utf8_next(s, &pos, NULL));
        if (c == (uint32_t)(unsigned char)name[n])
            n++;
        else if (n ? !is_invisible(c) : !is_filler(c))
            return false;
    }
    return name[n] == '\0';
}

/* s with no mark in it. */
static enum takc_status add_defused(struct takc_buf *out, struct takc_str s, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    size_t from = 0;
    for (size_t pos = 0; !st && pos < s.len;) {
        size_t at = pos;
        bool opens = folded(takc_utf8_next(s, &pos, NULL)) == '<';
        if (!opens || !names_mark(s, pos))
            continue;
        st = takc_buf_add(out, takc_str_slice(s, from, at), err);
        if (!st)
            st = takc_buf_add(out, takc_str("\xE2\x80\xB9"), err); /* U+2039 */
        from = pos;
    }
    return st ? st : takc_buf_add(out, takc_str_slice(s, from, s.len), err);
}

enum takc_status takc_fence_add(struct takc_str body, struct takc_buf *out, struct takc_err *err)
{
    struct takc_buf safe;
    struct takc_hex hash;
    takc_buf_init(&safe, TAKC_BUF_MAX_REPLY);
    enum takc_status st = add_defused(&safe, body, err);
    if (!st)
        st = takc_sha256(takc_buf_str(&safe), &hash, err);
    if (!st)
        st = takc_buf_printf(out, err, "<source %.16s>\n", hash.s);
    if (!st)
        st = takc_buf_add(out, takc_buf_str(&safe), err);
    if (!st)
        st = takc_buf_printf(out, err, "</source %.16s>\n\n", hash.s);
    takc_buf_clear(&safe);
    return st;
}
