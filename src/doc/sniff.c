/* SPDX-License-Identifier: Apache-2.0
 *
 * sniff.c - kinds by content: what is no document, and what the readers of text, Markdown and JSON take for theirs. Only the first bytes
 * are looked at. Certain (3) is kept for magic numbers; text never has one. */
#include "base/utf8.h"
#include "doc/json_scan.h"
#include "doc/parts.h"

enum { PROBE = 64 << 10 };

struct magic {
    const char *bytes;
    size_t len, at;
};
#define MAGIC(s, at)                                                                                                                       \
    {                                                                                                                                      \
        s, sizeof(s) - 1, at                                                                                                               \
    }
static const struct magic binaries[] = {MAGIC("\x7F"
                                              "ELF",
                                              0),
                                        MAGIC("\x89PNG", 0),
                                        MAGIC("\xFF\xD8\xFF", 0),
                                        MAGIC("GIF87a", 0),
                                        MAGIC("GIF89a", 0),
                                        MAGIC("PK\3\4", 0),
                                        MAGIC("PK\5\6", 0),
                                        MAGIC("\x1F\x8B", 0),
                                        MAGIC("BZh", 0),
                                        MAGIC("\xFD"
                                              "7zXZ",
                                              0),
                                        MAGIC("7z\xBC\xAF", 0),
                                        MAGIC("\x28\xB5\x2F\xFD", 0),
                                        MAGIC("Rar!", 0),
                                        MAGIC("ustar", 257),
                                        MAGIC("OggS", 0),
                                        MAGIC("ID3", 0),
                                        MAGIC("fLaC", 0),
                                        MAGIC("ftyp", 4),
                                        MAGIC("\xD0\xCF\x11\xE0", 0),
                                        MAGIC("SQLite format 3", 0),
                                        MAGIC("MZ\x90", 0),
                                        MAGIC("\xCA\xFE\xBA\xBE", 0),
                                        MAGIC("\0asm", 0),
                                        MAGIC("wOFF", 0),
                                        MAGIC("wOF2", 0),
                                        MAGIC("%PDF-", 0),
                                        MAGIC("RIFF", 0),
                                        MAGIC("BM\x36", 0),
                                        MAGIC("II*\0", 0),
                                        MAGIC("MM\0*", 0)};

static struct takc_str head(struct takc_str s)
{
    return takc_str_slice(s, 0, s.len < PROBE ? s.len : PROBE);
}

/* Zeros that are not those of UTF-16 or UTF-32, or many other control characters. */
static bool control_bytes(struct takc_str s)
{
    size_t zeros = 0, odd_zeros = 0, controls = 0;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        zeros += c == 0;
        odd_zeros += c == 0 && (i & 1);
        controls += c < ' ' && c != 0 && !(c >= '\t' && c <= '\r') && c != 0x1B && c != 0x08;
    }
    if (controls * 20 > s.len)
        return true;
    if (zeros < 2 || zeros * 2000 < s.len) /* a lone zero in a text is a mistake, not a kind */
        return false;
    size_t even_zeros = zeros - odd_zeros;
    return !(zeros * 10 >= s.len * 2 && (odd_zeros * 20 < zeros || even_zeros * 20 < zeros));
}

/* The first n bytes, less a character that they cut. */
static struct takc_str head_of(struct takc_str s, size_t n)
{
    n = n < s.len ? n : s.len;
    while (n < s.len && n > 0 && !takc_utf8_boundary(s, n))
        n--;
    return takc_str_slice(s, 0, n);
}

/* Some magic numbers are words ("ID3", "RIFF", "BM6"): a text may begin with them, but then it has no control bytes at all. */
static bool is_plain(struct takc_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < ' ' && !strchr("\t\n\f\r", s.ptr[i]))
            return false;
    return takc_utf8_valid(s, NULL);
}

static bool has_magic(struct takc_str s)
{
    for (size_t i = 0; i < sizeof(binaries) / sizeof(*binaries); i++) {
        const struct magic *m = &binaries[i];
        if (s.len >= m->at + m->len && memcmp(s.ptr + m->at, m->bytes, m->len) == 0)
            return !is_plain(head_of(s, 512));
    }
    return false;
}

bool takc_sniff_binary(struct takc_str bytes)
{
    struct takc_str s = head(bytes);
    if (takc_str_starts(s, takc_str("\xFF\xFE")) || takc_str_starts(s, takc_str("\xFE\xFF")) ||
        takc_str_starts(s, takc_str_n("\0\0\xFE\xFF", 4)))
        return false;
    return has_magic(s) || (!takc_charset_wide(s) && control_bytes(s));
}

int takc_sniff_text(struct takc_str bytes)
{
    return takc_sniff_binary(bytes) ? 0 : 1;
}

/* Which of Markdown's own marks a line bears, as bits: a heading of level 1, of a deeper level, a fence, a link. */
static unsigned markdown_marks(struct takc_str line)
{
    size_t n = 0;
    while (n < line.len && line.ptr[n] == '#')
        n++;
    bool heading = n > 0 && n < 7 && n < line.len && line.ptr[n] == ' ';
    unsigned bits = !heading ? 0 : n == 1 ? 1 : 2;
    bits |= takc_str_starts(line, takc_str("```")) ? 4 : 0;
    return bits | (takc_str_find(line, takc_str("]("), 0) != SIZE_MAX ? 8 : 0);
}

int takc_sniff_markdown(struct takc_str bytes)
{
    struct takc_str rest = head(bytes), line;
    size_t marks = 0;
    unsigned kinds = 0;
    if (takc_sniff_binary(bytes))
        return 0;
    while (takc_str_split(&rest, '\n', &line) && (marks < 3 || !(kinds & (kinds - 1)))) {
        unsigned bits = markdown_marks(line);
        marks += bits != 0;
        kinds |= bits;
    }
    return marks >= 3 && kinds & (kinds - 1) ? 2 : 1;
}

static char first_byte(struct takc_str s, size_t *at)
{
    *at = takc_str_starts(s, takc_str("\xEF\xBB\xBF")) ? 3 : 0;
    while (*at < s.len && strchr(" \t\r\n", s.ptr[*at]) && s.ptr[*at])
        ++*at;
    return *at < s.len ? s.ptr[*at] : 0;
}

int takc_sniff_json(struct takc_str bytes)
{
    size_t at;
    char c = first_byte(bytes, &at);
    if (c != '{' && c != '[')
        return 0;
    struct takc_str s = takc_str_slice(bytes, at, bytes.len);
    bool cut = s.len > PROBE;
    struct takc_scan j = takc_scan_of(cut ? head(s) : s, NULL);
    enum takc_status st = takc_scan_value(&j);
    if (st == TAKC_REFUSED)
        return 2; /* too deep: let the reader say so */
    if (st)
        return cut && j.pos >= j.s.len ? 2 : 1;
    return takc_scan_done(&j) ? 2 : takc_scan_peek(&j) != '{';
}

int takc_sniff_jsonl(struct takc_str bytes)
{
    size_t at;
    if (first_byte(bytes, &at) != '{')
        return 0;
    struct takc_str s = head(takc_str_slice(bytes, at, bytes.len)), line;
    bool cut = bytes.len - at > s.len;
    size_t good = 0, bad = 0;
    while (takc_str_split(&s, '\n', &line)) {
        struct takc_str t = takc_str_trim(line);
        if (t.len == 0)
            continue;
        if (t.ptr[0] != '{') { /* behind a good line it is a broken one, which the reader names */
            if (good == 0)
                return 0;
            bad++;
            continue;
        }
        struct takc_scan j = takc_scan_of(t, NULL);
        bool whole = takc_scan_value(&j) == TAKC_OK && takc_scan_done(&j);
        if (whole)
            good++;
        else if (!(cut && s.ptr == NULL))
            bad++;
        else if (good == 0)
            good = 1; /* one long line, cut by the probe */
    }
    return good > bad ? 2 : 1;
}
