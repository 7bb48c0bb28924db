/* SPDX-License-Identifier: Apache-2.0
 *
 * notice.c - copyright notices, told by how they open. A sentence about copyright ("Copyright law protects ...") is none. */
#include "unit/notice.h"

enum { SHORT = 160 /* bytes: a longer line that reserves rights says something else, too */ };

static bool skip(struct takc_str *s, const char *word)
{
    size_t n = strlen(word);
    if (s->len < n || !takc_str_eq_nocase(takc_str_slice(*s, 0, n), takc_str(word)))
        return false;
    *s = takc_str_slice(*s, n, s->len);
    while (s->len && (*s->ptr == ' ' || *s->ptr == ':' || *s->ptr == ','))
        *s = takc_str_slice(*s, 1, s->len);
    return true;
}

static bool is_year_at(struct takc_str s)
{
    if (s.len < 4 || (memcmp(s.ptr, "19", 2) != 0 && memcmp(s.ptr, "20", 2) != 0))
        return false;
    return s.ptr[2] >= '0' && s.ptr[2] <= '9' && s.ptr[3] >= '0' && s.ptr[3] <= '9';
}

static bool reserves(struct takc_str line)
{
    static const char said[] = "all rights reserved";
    for (size_t i = 0; line.len <= SHORT && i + sizeof(said) - 1 <= line.len; i++)
        if (takc_str_eq_nocase(takc_str_slice(line, i, i + sizeof(said) - 1), takc_str(said)))
            return true;
    return false;
}

bool takc_line_is_notice(struct takc_str line)
{
    struct takc_str rest = line;
    bool word = skip(&rest, "copyright"), sign = skip(&rest, "\xC2\xA9") || skip(&rest, "(c)");
    if (!word && skip(&rest, "copyright"))
        word = true;
    if ((word && (sign || is_year_at(rest))) || (sign && is_year_at(rest)))
        return true;
    return reserves(line);
}
