/* SPDX-License-Identifier: Apache-2.0
 *
 * textmap.c - bytes of a charset into UTF-8 by the C library's iconv (readers use ICU), and the comparison of texts.
 *
 * Converters disagree about a few characters of some charsets (windows-1252's holes, the wave dash of Shift_JIS); so a wider cousin of the
 * charset is tried second, and what neither side could decode counts as the same. */
#include "base/utf8.h"
#include "verify/items.h"
#include "verify/map.h"

#include <errno.h>
#include <iconv.h>

static const char *cousin(const char *charset)
{
    static const char *const pairs[][2] = {{"ISO-8859-1", "WINDOWS-1252"},
                                           {"windows-1252", "ISO-8859-1"},
                                           {"ISO-8859-9", "WINDOWS-1254"},
                                           {"ISO-8859-8", "WINDOWS-1255"},
                                           {"Shift_JIS", "CP932"},
                                           {"EUC-JP", "EUC-JP-MS"},
                                           {"EUC-KR", "CP949"},
                                           {"GB2312", "GB18030"},
                                           {"GBK", "GB18030"},
                                           {"Big5", "CP950"},
                                           {"KOI8-R", "KOI8-U"}};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
        if (takc_str_eq_nocase(takc_str(charset), takc_str(pairs[i][0])))
            return pairs[i][1];
    return NULL;
}

static void *open_one(const char *charset)
{
    iconv_t c = charset ? iconv_open("UTF-8", charset) : (iconv_t)-1;
    return c == (iconv_t)-1 ? NULL : c;
}

void takc_map_charset_open(struct takc_map_job *m)
{
    const char *charset = m->doc->charset;
    if (!charset[0] || takc_str_eq_nocase(takc_str(charset), takc_str("UTF-8")) ||
        takc_str_eq_nocase(takc_str(charset), takc_str("US-ASCII")))
        return;
    m->iconv[0] = open_one(charset);
    m->iconv[1] = open_one(cousin(charset));
    m->no_charset = !m->iconv[0];
}

void takc_map_charset_close(struct takc_map_job *m)
{
    for (int i = 0; i < 2; i++) {
        if (m->iconv[i])
            (void)iconv_close(m->iconv[i]);
        m->iconv[i] = NULL;
    }
}

enum takc_status takc_map_to_utf8(struct takc_map_job *m, struct takc_str bytes, unsigned which, struct takc_buf *out)
{
    iconv_t conv = m->iconv[which];
    char *in = (char *)bytes.ptr, piece[512];
    size_t left = bytes.len, replaced;
    enum takc_status st = TAKC_OK;
    if (!conv)
        return takc_utf8_repair(out, bytes, &replaced, m->err);
    (void)iconv(conv, NULL, NULL, NULL, NULL);
    while (!st && left > 0) {
        char *to = piece;
        size_t room = sizeof(piece);
        size_t n = iconv(conv, &in, &left, &to, &room);
        int e = n == (size_t)-1 ? errno : 0;
        st = takc_buf_add(out, takc_str_n(piece, (size_t)(to - piece)), m->err);
        if (!st && (e == EILSEQ || e == EINVAL)) {
            st = takc_buf_add(out, takc_str("\xEF\xBF\xBD"), m->err);
            in++;
            left--;
        }
    }
    return st;
}

/* One character for comparing: a stretch of white space and controls is one blank, what could not be decoded (and NUL) is U+FFFD.
 * *pos is before the end. */
static uint32_t next_folded(struct takc_str s, size_t *pos)
{
    uint32_t c = TAKC_UTF8_BAD;
    bool blank = false;
    while (*pos < s.len) {
        size_t at = *pos;
        c = takc_utf8_next(s, pos, NULL);
        bool space = (c && c <= ' ') || c == 0x7F || takc_item_space(s, at);
        if (!space) {
            if (blank)
                *pos = at;
            break;
        }
        blank = true;
    }
    if (blank)
        return ' ';
    return c == 0 || (c >= 0x80 && c < 0xA0) ? TAKC_UTF8_BAD : c;
}

bool takc_map_same(struct takc_str a, struct takc_str b)
{
    size_t i = 0, j = 0;
    while (i < a.len && j < b.len) {
        uint32_t x = next_folded(a, &i), y = next_folded(b, &j);
        if (x != y)
            return false;
        for (size_t k = i; x == TAKC_UTF8_BAD && i < a.len && next_folded(a, &k) == x; i = k) /* as many as there were bytes, or one */
            ;
        for (size_t k = j; y == TAKC_UTF8_BAD && j < b.len && next_folded(b, &k) == y; j = k)
            ;
    }
    return i >= a.len && j >= b.len;
}

/* The next character that is no white space, control or bar; 0 at the end. */
static uint32_t next_solid(struct takc_str s, size_t *pos)
{
    while (*pos < s.len) {
        size_t at = *pos;
        uint32_t c = takc_utf8_next(s, pos, NULL);
        if (c == 0)
            return TAKC_UTF8_BAD;
        if (c > ' ' && c != 0x7F && c != '|' && !takc_item_space(s, at))
            return c;
    }
    return 0;
}

bool takc_map_begins(struct takc_str b, struct takc_str a, size_t *out_used)
{
    size_t i = 0, j = 0;
    for (;;) {
        size_t before = j;
        uint32_t x = next_solid(a, &i);
        if (!x) {
            *out_used = before;
            return true;
        }
        if (next_solid(b, &j) != x)
            return false;
    }
}

enum takc_status takc_map_plain(struct takc_str utf8, unsigned variant, struct takc_buf *out, bool *out_more, const char **out_wrong,
                                struct takc_err *err)
{
    (void)variant;
    (void)out_wrong;
    *out_more = false;
    return takc_buf_add(out, utf8, err);
}

/* Entities, and backslashes before punctuation: raw, or resolved. */
enum takc_status takc_map_markdown(struct takc_str utf8, unsigned variant, struct takc_buf *out, bool *out_more, const char **out_wrong,
                                   struct takc_err *err)
{
    (void)out_wrong;
    *out_more = variant == 0;
    if (variant == 0)
        return takc_buf_add(out, utf8, err);
    enum takc_status st = TAKC_OK;
    for (size_t pos = 0, end; !st && pos < utf8.len; pos = end) {
        bool escape = utf8.ptr[pos] == '\\' && pos + 1 < utf8.len;
        end = pos + 1;
        char bytes[4];
        uint32_t c = utf8.ptr[pos] == '&' ? takc_entity_at(utf8, pos, false, &end) : 0;
        if (c)
            st = takc_buf_add(out, takc_str_n(bytes, takc_utf8_put(c, bytes)), err);
        else if (escape && strchr("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", utf8.ptr[pos + 1]) && utf8.ptr[pos + 1])
            st = takc_buf_byte(out, utf8.ptr[end++], err);
        else
            st = takc_buf_add(out, takc_str_slice(utf8, pos, end = pos + 1), err);
    }
    return st;
}

enum takc_status takc_map_html(struct takc_str utf8, unsigned variant, struct takc_buf *out, bool *out_more, const char **out_wrong,
                               struct takc_err *err)
{
    *out_more = variant == 0;
    if (utf8.len && memchr(utf8.ptr, '<', utf8.len))
        *out_wrong = "holds a '<'";
    return takc_entities(utf8, variant == 1, out, err);
}
