/* SPDX-License-Identifier: Apache-2.0
 *
 * instructs.c - a line in plain form (lower case, full-width letters as ASCII, invisible characters gone), and in it a verb of disregard
 * with what is to be disregarded behind it, in the languages listed. The English words of an ASCII line are the business of features.c,
 * which sees every word anyhow; here only lines with other characters, or with a template's mark, are looked at. */
#include "unit/instructs.h"
#include "base/utf8.h"

#include <unicode/uchar.h>

enum { PLAIN_MAX = 2048, NEAR = 80 /* bytes between the verb and its object */ };

static const char *const marks[] = {"<|im_start|>",  "<|im_end|>", "<|system|>", "<|user|>", "<|assistant|>",
                                    "<|endoftext|>", "<|eot_id|>", "[INST]",     "[/INST]",  "<<SYS>>"};

/* Beginnings of words, in plain form. */
static const struct {
    const char *verb, *object;
} pairs[] = {
    {"ignore", "previous instruction"},
    {"ignore", "prior instruction"},
    {"ignore", "earlier instruction"},
    {"ignore", "instructions above"},
    {"disregard", "previous instruction"},
    {"disregard", "prior instruction"},
    {"forget", "previous instruction"},
    {"ignore", "instructions pr\xC3\xA9"}, /* French */
    {"oublie", "instructions pr\xC3\xA9"}, /* French */
    {"ignorier", "anweisung"},             /* German */
    {"ignorier", "instruktion"},           /* German */
    {"vergiss", "anweisung"},              /* German */
    {"missachte", "anweisung"},            /* German */
    {"ignor", "instrucciones"},            /* Spanish */
    {"olvid", "instrucciones"},            /* Spanish */
    {"ignor", "instru\xC3\xA7\xC3\xB5"
              "es"}, /* Portuguese */
    {"esque\xC3\xA7", "instru\xC3\xA7\xC3\xB5"
                      "es"},   /* Portuguese */
    {"ignor", "istruzioni"},   /* Italian */
    {"negeer", "instructies"}, /* Dutch */
    {"ignoruj", "instrukcj"},  /* Polish */
    {"yok say", "talimat"},    /* Turkish */
    {"игнорируй", "инструкц"},
    {"забудь", "инструкц"},
    {"忽略", "指示"},
    {"忽略", "指令"},
    {"忽略", "说明"},
    {"無視", "指示"},
    {"無視", "命令"},
    {"무시", "지시"},
    {"무시", "명령"},
    {"تجاهل", "التعليمات"},
};

/* Letters of other scripts that look like ASCII ones, in lower case. */
static const struct {
    uint16_t c;
    char like;
} twins[] = {{0x3B1, 'a'}, {0x3B5, 'e'}, {0x3B9, 'i'}, {0x3BD, 'v'}, {0x3BF, 'o'}, {0x3C1, 'p'}, {0x3C5, 'u'}, {0x430, 'a'}, {0x435, 'e'},
             {0x43E, 'o'}, {0x440, 'p'}, {0x441, 'c'}, {0x443, 'y'}, {0x445, 'x'}, {0x455, 's'}, {0x456, 'i'}, {0x458, 'j'}, {0x501, 'd'}};

static bool is_invisible(uint32_t c)
{
    return c == 0xAD || (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x2064) || c == 0xFEFF;
}

static uint32_t twin_of(uint32_t c)
{
    for (size_t i = 0; i < sizeof(twins) / sizeof(twins[0]); i++)
        if (twins[i].c == c)
            return (uint32_t)(unsigned char)twins[i].like;
    return c;
}

/* The line in plain form, as much as out holds; with twins as the letters that they look like. */
static struct takc_str plain(struct takc_str line, bool with_twins, char out[PLAIN_MAX])
{
    size_t n = 0;
    for (size_t pos = 0; pos < line.len && n + 4 < PLAIN_MAX;) {
        uint32_t c = takc_utf8_next(line, &pos, NULL);
        if (is_invisible(c))
            continue;
        if (c >= 0xFF01 && c <= 0xFF5E)
            c = c - 0xFF01 + '!';
        c = c == 0xA0 || c == '\t' ? ' ' : (uint32_t)u_tolower((UChar32)c);
        n += takc_utf8_put(with_twins ? twin_of(c) : c, out + n);
    }
    return takc_str_n(out, n);
}

static bool disregards(struct takc_str s)
{
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        struct takc_str verb = takc_str(pairs[i].verb);
        for (size_t at = 0; (at = takc_str_find(s, verb, at)) != SIZE_MAX; at += verb.len) {
            bool either = (unsigned char)verb.ptr[0] >= 0x80; /* Japanese and Korean put the verb last */
            size_t from = !either ? at + verb.len : at > NEAR ? at - NEAR : 0;
            size_t to = at + verb.len + NEAR < s.len ? at + verb.len + NEAR : s.len;
            if (takc_str_find(takc_str_slice(s, from, to), takc_str(pairs[i].object), 0) != SIZE_MAX)
                return true;
        }
    }
    return false;
}

bool takc_line_instructs(struct takc_str line)
{
    char out[PLAIN_MAX];
    bool ascii = true;
    line.len = line.len < PLAIN_MAX ? line.len : PLAIN_MAX;
    for (size_t i = 0; ascii && i < line.len; i++)
        ascii = (unsigned char)line.ptr[i] < 0x80;
    if (memchr(line.ptr, '<', line.len) || memchr(line.ptr, '[', line.len))
        for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
            if (takc_str_find(line, takc_str(marks[i]), 0) != SIZE_MAX)
                return true;
    return !ascii && (disregards(plain(line, false, out)) || disregards(plain(line, true, out)));
}
