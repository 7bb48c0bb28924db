/* SPDX-License-Identifier: Apache-2.0
 *
 * term.c - what kind of terminal is there, how wide a text is on it, and numbers as people read them.
 *
 * Width is a small table of our own: the C library's wcwidth follows a locale that the program never sets, and ICU would cost its start. */
#include "cli/term.h"
#include "base/utf8.h"
#include "config/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct range {
    uint32_t from, to;
};

/* East Asian wide and full-width, and pictographs: ascending. */
static const struct range wide[] = {
    {0x1100, 0x115F}, {0x231A, 0x231B}, {0x2329, 0x232A}, {0x23E9, 0x23EC},   {0x25FD, 0x25FE},   {0x2614, 0x2615},   {0x2648, 0x2653},
    {0x26CE, 0x26CE}, {0x2705, 0x2705}, {0x270A, 0x270B}, {0x2728, 0x2728},   {0x274C, 0x274C},   {0x2753, 0x2757},   {0x2795, 0x2797},
    {0x2B1B, 0x2B1C}, {0x2B50, 0x2B50}, {0x2E80, 0x303E}, {0x3041, 0xA4CF},   {0xA960, 0xA97F},   {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},
    {0xFE30, 0xFE6F}, {0xFF00, 0xFF60}, {0xFFE0, 0xFFE6}, {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1FAFF}, {0x20000, 0x3FFFD}};
/* Combining marks, joiners, variation selectors: ascending. */
static const struct range none[] = {{0x0000, 0x001F}, {0x007F, 0x009F},  {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD},
                                    {0x064B, 0x065F}, {0x0900, 0x0902},  {0x093C, 0x093C}, {0x0941, 0x0948}, {0x0E31, 0x0E31},
                                    {0x0E34, 0x0E3A}, {0x1AB0, 0x1AFF},  {0x1DC0, 0x1DFF}, {0x200B, 0x200F}, {0x202A, 0x202E},
                                    {0x2060, 0x2064}, {0x20D0, 0x20FF},  {0x3099, 0x309A}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F},
                                    {0xFEFF, 0xFEFF}, {0xE0100, 0xE01EF}};

static bool within(const struct range *ranges, size_t n, uint32_t c)
{
    for (size_t i = 0; i < n && ranges[i].from <= c; i++)
        if (c <= ranges[i].to)
            return true;
    return false;
}

size_t takc_text_width(struct takc_str s)
{
    size_t width = 0;
    for (size_t at = 0; at < s.len;) {
        uint32_t c = takc_utf8_next(s, &at, NULL);
        if (c >= 0x20 && c < 0x7F)
            width++;
        else if (!within(none, sizeof(none) / sizeof(none[0]), c))
            width += within(wide, sizeof(wide) / sizeof(wide[0]), c) ? 2 : 1;
    }
    return width;
}

void takc_text_calm(char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7F)
            bytes[i] = '?';
        else if (c == 0xC2 && i + 1 < n && (unsigned char)bytes[i + 1] < 0xA0) /* C1 in UTF-8 */
            bytes[i] = bytes[i + 1] = '?';
    }
}

void takc_term_init(struct takc_term *t, int fd, const char *const *environment)
{
    const char *name = takc_environment_find(environment, "TERM"), *no_colour = takc_environment_find(environment, "NO_COLOR"),
               *columns = takc_environment_find(environment, "COLUMNS");
    struct winsize size;
    uint64_t width;
    *t = (struct takc_term){.fd = fd, .width = 80};
    t->terminal = isatty(fd) == 1 && name && strcmp(name, "dumb") != 0;
    t->colour = t->terminal && !(no_colour && *no_colour);
    if (columns && !takc_str_u64(takc_str(columns), 10000, &width, NULL) && width >= 20)
        t->width = (unsigned)width;
    else if (t->terminal && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20)
        t->width = size.ws_col;
}

const char *takc_count_text(uint64_t n, char out[32])
{
    char digits[24];
    int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n), to = 0;
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            out[to++] = ',';
        out[to++] = digits[i];
    }
    out[to] = '\0';
    return out;
}

const char *takc_bytes_text(uint64_t n, char out[32])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double v = (double)n;
    size_t u = 0;
    for (; v >= 1024 && u < 6; u++)
        v /= 1024;
    (void)snprintf(out, 32, u && v < 99.95 ? "%.1f %s" : "%.0f %s", v, units[u]);
    return out;
}

const char *takc_seconds_text(double s, char out[32])
{
    uint64_t whole = s < 0 ? 0 : s > 1e9 ? 1000000000u : (uint64_t)(s + 0.5);
    if (s < 9.95)
        (void)snprintf(out, 32, "%.1fs", s < 0 ? 0 : s);
    else if (whole < 60)
        (void)snprintf(out, 32, "%llus", (unsigned long long)whole);
    else if (whole < 3600)
        (void)snprintf(out, 32, "%llum%02llus", (unsigned long long)whole / 60, (unsigned long long)whole % 60);
    else
        (void)snprintf(out, 32, "%lluh%02llum", (unsigned long long)whole / 3600, (unsigned long long)whole / 60 % 60);
    return out;
}
