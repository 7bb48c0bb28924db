/* SPDX-License-Identifier: Apache-2.0
 *
 * charset.c - bytes of any charset into UTF-8 with '\n' line ends, and the map of what became what.
 *
 * Told in this order: byte order mark; the look of UTF-16; valid UTF-8; UTF-8 with some wrong bytes; ICU's detector. Valid UTF-8
 * without CR and NUL, nearly all input, is one verbatim run. Elsewhere bytes that stay the same are gathered to verbatim runs, and what
 * is decoded is cut into runs at blanks and punctuation, so that spans, which end on words, find their exact place in the source.
 * Left out: EBCDIC and the shift-state charsets, which the detector sees where they are not. */
#include "base/utf8.h"
#include "doc/reader.h"

#include <stdio.h>
#include <unicode/ucnv.h>
#include <unicode/ucsdet.h>

enum { PROBE_BYTES = 64 << 10 };

/* Gathers one pending piece, verbatim or decoded, and hands it on when the kind changes or a word ends. */
struct target {
    struct takc_buf *out;
    struct takc_doc *d; /* NULL: no map wanted */
    const char *src;
    char word[256];
    size_t word_len, word_at, word_end; /* decoded characters and their source bytes */
    size_t same_at, same_end;           /* verbatim source bytes */
    struct takc_err *err;
};

static enum takc_status out_bytes(struct target *t, struct takc_str bytes, size_t at, size_t end, bool same)
{
    if (t->d)
        return same ? takc_doc_verbatim(t->d, bytes, at, t->err) : takc_doc_decoded(t->d, bytes, at, end, t->err);
    enum takc_status st = takc_buf_add(t->out, bytes, t->err);
    return st == TAKC_INVALID ? takc_fail(t->err, TAKC_REFUSED, 0, "text is over the limit of %zu bytes", t->out->max) : st;
}

static enum takc_status flush(struct target *t)
{
    enum takc_status st = TAKC_OK;
    if (t->same_end > t->same_at)
        st = out_bytes(t, takc_str_n(t->src + t->same_at, t->same_end - t->same_at), t->same_at, t->same_end, true);
    if (!st && t->word_len)
        st = out_bytes(t, takc_str_n(t->word, t->word_len), t->word_at, t->word_end, false);
    t->same_at = t->same_end = 0;
    t->word_len = 0;
    return st;
}

static enum takc_status keep(struct target *t, size_t at, size_t end)
{
    if (t->word_len || t->same_end != at) {
        enum takc_status st = flush(t);
        if (st)
            return st;
        t->same_at = at;
    }
    t->same_end = end;
    return TAKC_OK;
}

static enum takc_status decode(struct target *t, uint32_t c, size_t at, size_t end)
{
    enum takc_status st = TAKC_OK;
    bool cuts = c == 0x3000 || (c < 0x80 && !((c | 32) >= 'a' && (c | 32) <= 'z') && !(c >= '0' && c <= '9')); /* blanks and marks */
    if (cuts || t->same_end > t->same_at || t->word_len + 4 > sizeof(t->word) || (t->word_len && t->word_end != at))
        st = flush(t);
    if (st)
        return st;
    if (t->word_len == 0)
        t->word_at = at;
    t->word_len += takc_utf8_put(c, t->word + t->word_len);
    t->word_end = end;
    return cuts ? flush(t) : TAKC_OK;
}

/* A decoded character with the rules that hold for every charset: CR LF and CR become '\n', NUL becomes U+FFFD. *cr says whether the one
 * before was a CR. */
struct rules {
    uint64_t *replaced;
    size_t cr_at, cr_end;
    bool cr;
};

static enum takc_status character(struct target *t, struct rules *r, uint32_t c, size_t at, size_t end, bool same)
{
    enum takc_status st = TAKC_OK;
    if (r->cr) {
        r->cr = false;
        bool pair = c == '\n';
        st = flush(t);
        if (!st)
            st = decode(t, '\n', r->cr_at, pair ? end : r->cr_end);
        if (st || pair)
            return st;
    }
    if (c == '\r') {
        *r = (struct rules){r->replaced, at, end, true};
        return TAKC_OK;
    }
    if (c == 0 || c == TAKC_UTF8_BAD) {
        ++*r->replaced;
        return decode(t, TAKC_UTF8_BAD, at, end);
    }
    return same ? keep(t, at, end) : decode(t, c, at, end);
}

static enum takc_status finish(struct target *t, struct rules *r)
{
    enum takc_status st = flush(t);
    if (!st && r->cr)
        st = decode(t, '\n', r->cr_at, r->cr_end);
    return st ? st : flush(t);
}

/* Where the next byte stands that a run of plain text must stop at: CR, NUL or the first byte of wrong UTF-8 (bad_at). */
static size_t plain_end(struct takc_str s, size_t from)
{
    size_t i = from;
    for (; i + 8 <= s.len; i += 8) {
        uint64_t v = takc_le(s.ptr + i, 8), cr = v ^ 0x0D0D0D0D0D0D0D0Du;
        if ((v | (v - 0x0101010101010101u) | (cr - 0x0101010101010101u)) & 0x8080808080808080u)
            break;
    }
    while (i < s.len && (signed char)s.ptr[i] > 0 && s.ptr[i] != '\r')
        i++;
    return i;
}

static enum takc_status from_utf8(struct target *t, struct takc_str s, size_t from, uint64_t *replaced)
{
    struct rules r = {.replaced = replaced};
    enum takc_status st = TAKC_OK;
    for (size_t pos = from; pos < s.len && !st;) {
        size_t at = pos, plain = r.cr ? pos : plain_end(s, pos);
        if (plain > pos) {
            st = keep(t, pos, plain);
            pos = plain;
            continue;
        }
        bool bad;
        uint32_t c = takc_utf8_next(s, &pos, &bad);
        /* a U+FFFD that stands in the source is kept, not counted */
        st = c == TAKC_UTF8_BAD && !bad && !r.cr ? keep(t, at, pos) : character(t, &r, c, at, pos, !bad);
    }
    return st ? st : finish(t, &r);
}

static enum takc_status from_utf16(struct target *t, struct takc_str s, size_t from, bool big, uint64_t *replaced)
{
    struct rules r = {.replaced = replaced};
    const unsigned char *p = (const unsigned char *)s.ptr;
    enum takc_status st = TAKC_OK;
    for (size_t pos = from; pos < s.len && !st;) {
        size_t at = pos;
        uint32_t c = TAKC_UTF8_BAD;
        if (s.len - pos < 2) {
            pos = s.len;
        } else {
            c = (uint32_t)(big ? p[pos] << 8 | p[pos + 1] : p[pos + 1] << 8 | p[pos]);
            pos += 2;
            uint32_t low = s.len - pos < 2 ? 0 : (uint32_t)(big ? p[pos] << 8 | p[pos + 1] : p[pos + 1] << 8 | p[pos]);
            if ((c & 0xFC00) == 0xD800 && (low & 0xFC00) == 0xDC00) {
                c = 0x10000 + ((c & 0x3FF) << 10 | (low & 0x3FF));
                pos += 2;
            } else if ((c & 0xF800) == 0xD800) {
                c = TAKC_UTF8_BAD;
            }
        }
        st = character(t, &r, c, at, pos, false);
    }
    return st ? st : finish(t, &r);
}

/* Any charset that ICU converts, a character at a time. ASCII characters of one byte stay verbatim. */
static enum takc_status from_icu(struct target *t, struct takc_str s, size_t from, const char *charset, uint64_t *replaced)
{
    UErrorCode code = U_ZERO_ERROR;
    UConverter *conv = ucnv_open(charset, &code);
    if (U_FAILURE(code))
        return takc_fail(t->err, code == U_MEMORY_ALLOCATION_ERROR ? TAKC_NOMEM : TAKC_UNSUPPORTED, 0, "charset %s: %s", charset,
                         u_errorName(code));
    struct rules r = {.replaced = replaced};
    enum takc_status st = TAKC_OK;
    bool single = ucnv_getMaxCharSize(conv) == 1;
    const char *p = s.ptr + from, *end = s.ptr + s.len;
    while (p < end && !st) {
        size_t at = (size_t)(p - s.ptr);
        size_t plain = single && !r.cr ? plain_end(s, at) : at;
        if (plain > at) {
            st = keep(t, at, plain);
            p = s.ptr + plain;
            continue;
        }
        code = U_ZERO_ERROR;
        UChar32 c = ucnv_getNextUChar(conv, &p, end, &code);
        size_t after = (size_t)(p - s.ptr);
        if (U_FAILURE(code) || after == at) {
            ucnv_resetToUnicode(conv);
            c = TAKC_UTF8_BAD;
            after = after > at ? after : at + 1;
            p = s.ptr + after;
        }
        if ((c & 0xFFFFF800) == 0xD800 || c < 0 || c > 0x10FFFF)
            c = TAKC_UTF8_BAD;
        st = character(t, &r, (uint32_t)c, at, after, after == at + 1 && c < 0x80 && c == (unsigned char)s.ptr[at]);
    }
    ucnv_close(conv);
    return st ? st : finish(t, &r);
}

/* UTF-16 without a mark: in Latin text one byte of each pair is mostly zero and the other never. 0, 'l' or 'b'. */
static char zero_pattern(struct takc_str s)
{
    size_t n = (s.len < 4096 ? s.len : 4096) / 2, even = 0, odd = 0;
    for (size_t i = 0; i < n; i++) {
        even += s.ptr[2 * i] == 0;
        odd += s.ptr[2 * i + 1] == 0;
    }
    if (n < 2)
        return 0;
    if (odd * 10 >= n * 4 && even * 20 <= n)
        return 'l';
    return even * 10 >= n * 4 && odd * 20 <= n ? 'b' : 0;
}

/* Units of UTF-16 that end words or lines: each has a byte that no text of another charset has beside a letter. */
static bool is_wide_blank(unsigned u)
{
    return u == ' ' || u == '\n' || u == '\r' || u == '\t' || u == 0x3001 || u == 0x3002 || u == 0xFF0C;
}

/* Letters, digits and marks of the scripts that are written most. */
static bool is_wide_text(unsigned u)
{
    return is_wide_blank(u) || (u >= 0x20 && u < 0x250 && !(u >= 0x7F && u < 0xA0)) || (u >= 0x300 && u < 0x700) ||
           (u >= 0x900 && u < 0xE80) || (u >= 0x10A0 && u < 0x1200) || (u >= 0x1E00 && u < 0x2070) || (u >= 0x3000 && u < 0x3100) ||
           (u >= 0x4E00 && u < 0xA000) || (u >= 0xAC00 && u < 0xD7A4) || (u >= 0xFF00 && u < 0xFFF0);
}

/* How many blanks these bytes have as UTF-16 of one order; 0 where they are no text of that order. A quarter of the bytes at least must be
 * none of ASCII's printable ones: two letters of ASCII look like one of Chinese. */
static size_t wide_blanks(struct takc_str s, bool big)
{
    size_t n = (s.len < 4096 ? s.len : 4096) / 2, blanks = 0, text = 0, odd = 0;
    for (size_t i = 0; i < n; i++) {
        const unsigned char *p = (const unsigned char *)s.ptr + 2 * i;
        unsigned u = big ? (unsigned)(p[0] << 8 | p[1]) : (unsigned)(p[1] << 8 | p[0]);
        if ((u < ' ' && !is_wide_blank(u)) || u >= 0xFFFE)
            return 0;
        odd += (p[0] < ' ' || p[0] > '~') + (p[1] < ' ' || p[1] > '~');
        blanks += is_wide_blank(u);
        text += is_wide_text(u);
    }
    return n >= 8 && text * 100 >= n * 97 && odd * 2 >= n ? blanks : 0;
}

/* Is this UTF-8 with some wrong bytes rather than another charset? Letters of another make a right sequence rarely and by chance (one in
 * seven pairs at most, in GBK). first: its first wrong byte. */
static bool mostly_utf8(struct takc_str s, size_t first)
{
    size_t good = 0, wrong = 0;
    size_t from = first > PROBE_BYTES / 2 ? first - PROBE_BYTES / 2 : 0, end = s.len - from < PROBE_BYTES ? s.len : from + PROBE_BYTES;
    while (from < first && !takc_utf8_boundary(s, from))
        from++;
    for (size_t pos = from; pos < end;) {
        size_t at = pos;
        bool bad;
        takc_utf8_next(s, &pos, &bad);
        wrong += bad;
        good += !bad && pos - at > 1;
    }
    return good > wrong;
}

/* The charset by ICU's detector, looking around the first byte over 0x7F; Windows-1252 when it cannot tell. */
static void detect(struct takc_str s, size_t first, char charset[24])
{
    size_t from = first > PROBE_BYTES / 4 ? first - PROBE_BYTES / 4 : 0, n = s.len - from < PROBE_BYTES ? s.len - from : PROBE_BYTES;
    UErrorCode code = U_ZERO_ERROR;
    (void)snprintf(charset, 24, "windows-1252");
    UCharsetDetector *det = ucsdet_open(&code);
    if (U_SUCCESS(code)) {
        ucsdet_setText(det, s.ptr + from, (int32_t)n, &code);
        int32_t n_found = 0;
        const UCharsetMatch **found = ucsdet_detectAll(det, &n_found, &code);
        for (int32_t i = 0; U_SUCCESS(code) && i < n_found; i++) {
            const char *name = ucsdet_getName(found[i], &code);
            int32_t sure = ucsdet_getConfidence(found[i], &code);
            if (U_FAILURE(code) || sure < 20)
                break;
            if (strncmp(name, "IBM", 3) == 0 || strncmp(name, "UTF-", 4) == 0 || strncmp(name, "ISO-2022", 8) == 0 || strlen(name) > 20)
                continue;
            (void)snprintf(charset, 24, "%s", name);
            break;
        }
    }
    if (det)
        ucsdet_close(det);
}

struct mark {
    const char *bytes;
    size_t len;
    const char *charset;
};
/* UTF-32 first: its mark begins with that of UTF-16. */
static const struct mark marks[] = {{"\xFF\xFE\0\0", 4, "UTF-32LE"},
                                    {"\0\0\xFE\xFF", 4, "UTF-32BE"},
                                    {"\xEF\xBB\xBF", 3, "UTF-8"},
                                    {"\xFF\xFE", 2, "UTF-16LE"},
                                    {"\xFE\xFF", 2, "UTF-16BE"}};

/* The row of marks that the bytes begin with, or NULL. */
static const struct mark *mark_of(struct takc_str s)
{
    for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
        if (takc_str_starts(s, takc_str_n(marks[i].bytes, marks[i].len)))
            return &marks[i];
    return NULL;
}

const char *takc_charset_wide(struct takc_str s)
{
    const struct mark *m = mark_of(s);
    if (m)
        return strncmp(m->charset, "UTF-8", 5) ? m->charset : NULL;
    char zeros = s.len && memchr(s.ptr, 0, s.len < 4096 ? s.len : 4096) ? zero_pattern(s) : 0;
    if (!zeros && s.len >= 16) {
        size_t little = wide_blanks(s, false), big = wide_blanks(s, true);
        zeros = little > big ? 'l' : big ? 'b' : 0;
    }
    return zeros == 'l' ? "UTF-16LE" : zeros ? "UTF-16BE" : NULL;
}

/* What the bytes are, and how many of them are the mark. */
static size_t tell(struct takc_str s, char charset[24])
{
    const struct mark *m = mark_of(s);
    const char *wide = takc_charset_wide(s);
    size_t bad_at = 0;
    if (m || wide)
        (void)snprintf(charset, 24, "%s", m ? m->charset : wide);
    else if (takc_utf8_valid(s, &bad_at) || mostly_utf8(s, bad_at))
        (void)snprintf(charset, 24, "UTF-8");
    else
        detect(s, bad_at, charset);
    return m ? m->len : 0;
}

static enum takc_status convert(struct takc_str bytes, size_t from, const char *charset, struct takc_buf *out, struct takc_doc *d,
                                uint64_t *n_replaced, struct takc_err *err)
{
    if (bytes.len > UINT32_MAX)
        return takc_fail(err, TAKC_REFUSED, 0, "source of %zu bytes is over 4 GiB", bytes.len);
    uint64_t replaced = 0;
    struct target t = {.out = out, .d = d, .src = bytes.ptr, .err = err};
    enum takc_status st;
    if (strcmp(charset, "UTF-8") == 0)
        st = from_utf8(&t, bytes, from, &replaced);
    else if (strncmp(charset, "UTF-16", 6) == 0)
        st = from_utf16(&t, bytes, from, charset[6] == 'B', &replaced);
    else
        st = from_icu(&t, bytes, from, charset, &replaced);
    if (!st)
        *n_replaced = replaced;
    return st;
}

enum takc_status takc_charset_to_utf8(struct takc_str bytes, struct takc_buf *out, struct takc_doc *d, char charset[24],
                                      uint64_t *n_replaced, struct takc_err *err)
{
    size_t from = tell(bytes, charset);
    return convert(bytes, from, charset, out, d, n_replaced, err);
}

enum takc_status takc_charset_from(struct takc_str bytes, const char *charset, struct takc_buf *out, struct takc_doc *d,
                                   uint64_t *n_replaced, struct takc_err *err)
{
    return convert(bytes, 0, charset, out, d, n_replaced, err);
}
