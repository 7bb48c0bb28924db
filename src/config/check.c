/* SPDX-License-Identifier: Apache-2.0
 *
 * check.c - one value against its row: type, range, choice. The message says what was expected; who gave the value is put in front by the
 * caller. Numbers are read by hand, since strtod follows the locale of whoever links the library. */
#include "base/alloc.h"
#include "base/nearest.h"
#include "config/settings.h"

static const char *const levels[] = {"error", "warn", "info", "debug", "off"};

static enum takc_status check_number(const struct takc_setting *row, struct takc_str text, uint64_t scale, void *out, struct takc_err *err)
{
    uint64_t n;
    if (takc_str_u64(text, UINT64_MAX / scale, &n, NULL))
        return takc_fail(err, TAKC_INVALID, 0, "a whole number%s is expected",
                         row->type == TAKC_SETTING_BYTES ? ", perhaps with KiB, MiB or GiB," : "");
    n *= scale;
    if (n < row->min || n > row->max)
        return takc_fail(err, TAKC_INVALID, 0, "%llu is not within %llu to %llu", (unsigned long long)n, (unsigned long long)row->min,
                         (unsigned long long)row->max);
    if (out)
        *(uint64_t *)out = n;
    return TAKC_OK;
}

static enum takc_status check_bytes(const struct takc_setting *row, struct takc_str text, void *out, struct takc_err *err)
{
    static const struct {
        const char *suffix;
        uint64_t scale;
    } units[] = {{"KiB", 1u << 10}, {"MiB", 1u << 20}, {"GiB", 1u << 30}, {"", 1}};
    size_t i = 0;
    while (!takc_str_ends(text, takc_str(units[i].suffix)))
        i++;
    return check_number(row, takc_str_trim(takc_str_slice(text, 0, text.len - strlen(units[i].suffix))), units[i].scale, out, err);
}

/* "0", "1", "0.35", ".5", four decimals at most. */
static enum takc_status check_share(struct takc_str text, void *out, struct takc_err *err)
{
    size_t point = takc_str_find_byte(text, '.', 0);
    uint64_t whole = 0, part = 0, scale = 10000;
    bool good = text.len > 0;
    if (good && point != 0)
        good = !takc_str_u64(takc_str_slice(text, 0, point == SIZE_MAX ? text.len : point), 1, &whole, NULL);
    if (good && point != SIZE_MAX) {
        struct takc_str f = takc_str_slice(text, point + 1, text.len);
        good = f.len <= 4 && !takc_str_u64(f, 9999, &part, NULL);
        for (size_t i = 0; i < f.len; i++)
            scale /= 10;
    }
    if (!good || whole * 10000 + part * scale > 10000)
        return takc_fail(err, TAKC_INVALID, 0, "a number from 0 to 1 with up to four decimals is expected");
    if (out)
        *(double *)out = (double)(whole * 10000 + part * scale) / 10000.0;
    return TAKC_OK;
}

/* "12", "0.5", ".000001": dollars into picodollars. */
static enum takc_status check_money(const struct takc_setting *row, struct takc_str text, void *out, struct takc_err *err)
{
    enum { DECIMALS = 6 };
    size_t point = takc_str_find_byte(text, '.', 0), end = point == SIZE_MAX ? text.len : point;
    uint64_t whole = 0, part = 0, unit = 1000000000000;
    bool good = text.len > 0;
    if (good && end > 0)
        good = !takc_str_u64(takc_str_slice(text, 0, end), row->max / unit, &whole, NULL);
    if (good && point != SIZE_MAX) {
        struct takc_str f = takc_str_slice(text, point + 1, text.len);
        good = f.len <= DECIMALS && !takc_str_u64(f, UINT32_MAX, &part, NULL);
        uint64_t scale = unit;
        for (size_t i = 0; i < f.len; i++)
            scale /= 10;
        part *= scale;
    }
    uint64_t n = whole * unit + part;
    if (!good || n < row->min || n > row->max)
        return takc_fail(err, TAKC_INVALID, 0, "dollars such as 2.50 are expected, up to six decimals, at most %llu",
                         (unsigned long long)(row->max / unit));
    if (out)
        *(uint64_t *)out = n;
    return TAKC_OK;
}

static enum takc_status check_bool(struct takc_str text, void *out, struct takc_err *err)
{
    if (!takc_str_is(text, "true") && !takc_str_is(text, "false"))
        return takc_fail(err, TAKC_INVALID, 0, "true or false is expected");
    if (out)
        *(bool *)out = text.len == 4;
    return TAKC_OK;
}

static enum takc_status not_one_of(struct takc_str text, const struct takc_nearest *near, const char *words, struct takc_err *err)
{
    char hint[TAKC_NEAREST_MAX + 24];
    takc_nearest_text(near, hint);
    return takc_fail(err, TAKC_INVALID, 0, "'%.*s' is none of %s%s", (int)(text.len > 60 ? 60 : text.len), text.ptr ? text.ptr : "", words,
                     hint);
}

static enum takc_status check_choice(const struct takc_setting *row, struct takc_str text, struct takc_err *err)
{
    struct takc_str rest = takc_str(row->choices), word;
    struct takc_nearest near = {0};
    char known[TAKC_NEAREST_MAX + 1];
    while (takc_str_split(&rest, '|', &word)) {
        if (takc_str_eq(text, word))
            return TAKC_OK;
        struct takc_nearest before = near;
        char z[TAKC_NEAREST_MAX + 1] = {0};
        memcpy(z, word.ptr, word.len < TAKC_NEAREST_MAX ? word.len : TAKC_NEAREST_MAX);
        takc_nearest_offer(&near, text, z);
        if (near.name == z) { /* z goes out of scope: keep the bytes */
            memcpy(known, z, sizeof(known));
            near.name = known;
        } else {
            near = before;
        }
    }
    return not_one_of(text, &near, row->choices, err);
}

static enum takc_status check_level(struct takc_str text, struct takc_err *err)
{
    struct takc_nearest near = {0};
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        if (takc_str_is(text, levels[i]))
            return TAKC_OK;
        takc_nearest_offer(&near, text, levels[i]);
    }
    return not_one_of(text, &near, "error, warn, info, debug, off", err);
}

static enum takc_status check_levels(struct takc_str text, struct takc_err *err)
{
    struct takc_str piece;
    enum takc_status st = text.len ? TAKC_OK : takc_fail(err, TAKC_INVALID, 0, "a level is expected");
    while (!st && takc_str_split(&text, ',', &piece)) {
        size_t eq = takc_str_find_byte(piece, '=', 0);
        if (eq == 0)
            st = takc_fail(err, TAKC_INVALID, 0, "a subject is missing before '='");
        else
            st = check_level(eq == SIZE_MAX ? piece : takc_str_slice(piece, eq + 1, piece.len), err);
    }
    return st;
}

enum takc_status takc_setting_check(const struct takc_setting *row, struct takc_str text, void *out, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    if (takc_str_find_byte(text, '\0', 0) != SIZE_MAX)
        return takc_fail(err, TAKC_INVALID, 0, "a NUL character");
    switch (row->type) {
    case TAKC_SETTING_NUMBER:
        return check_number(row, text, 1, out, err);
    case TAKC_SETTING_BYTES:
        return check_bytes(row, text, out, err);
    case TAKC_SETTING_SHARE:
        return check_share(text, out, err);
    case TAKC_SETTING_MONEY:
        return check_money(row, text, out, err);
    case TAKC_SETTING_BOOL:
        return check_bool(text, out, err);
    case TAKC_SETTING_CHOICE:
        st = check_choice(row, text, err);
        break;
    case TAKC_SETTING_LEVELS:
        st = check_levels(text, err);
        break;
    case TAKC_SETTING_TEXT:
        break;
    case TAKC_SETTING_UNSET:
        TAKC_BUG("setting %s has no type", row->name);
    }
    if (!st && out)
        *(struct takc_str *)out = text;
    return st;
}
