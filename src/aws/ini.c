/* SPDX-License-Identifier: Apache-2.0
 *
 * ini.c - AWS's configuration files, line by line (ini.h). Read as botocore reads them: '=' or ':' ends a key, a line that is indented
 * below a key goes on with its value, names of sections may be quoted as in a shell. Values are secrets: no message shows one. */
#include "aws/ini.h"
#include "base/buf.h"

enum { TEXT_MAX = 4 << 20 /* of one file */ };

struct reader {
    struct takc_ini *ini;
    size_t cap;
    struct takc_arena *a;
    struct takc_str section; /* ptr NULL: none that holds profiles */
    bool has_section, is_config;
    bool has_key; /* since the section began: what is indented deeper goes on with it */
    size_t key_indent;
    struct takc_ini_entry *open; /* the entry that an indented line goes on with; NULL: none */
    struct takc_buf value;       /* of open, while it grows */
    unsigned line;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static enum takc_status no_memory(struct takc_err *err)
{
    return takc_fail(err, TAKC_NOMEM, 0, "no memory for a configuration file");
}

static enum takc_status wrong(const struct reader *r, const char *what, struct takc_err *err)
{
    return takc_fail(err, TAKC_INVALID, (int)r->line, "line %u: %s", r->line, what);
}

/* The value of the open entry is whole. */
static enum takc_status close_entry(struct reader *r, struct takc_err *err)
{
    if (!r->open)
        return TAKC_OK;
    r->open->value = takc_arena_dup(r->a, takc_str_trim(takc_buf_str(&r->value)));
    if (r->open->value.ptr == NULL)
        return no_memory(err);
    r->open = NULL;
    takc_buf_reset(&r->value);
    return TAKC_OK;
}

/* Takes the quotes off: "a b", 'a b'. */
static struct takc_str unquoted(struct takc_str s)
{
    bool quoted = s.len >= 2 && (s.ptr[0] == '"' || s.ptr[0] == '\'') && s.ptr[s.len - 1] == s.ptr[0];
    return quoted ? takc_str_slice(s, 1, s.len - 1) : s;
}

/* "profile x" in the config file gives "x", "default" itself; "sso-session x" and "services x" stay as they are, quotes taken off. */
static struct takc_str section_name(struct reader *r, struct takc_str head)
{
    size_t gap = 0;
    while (gap < head.len && !is_blank(head.ptr[gap]))
        gap++;
    struct takc_str kind = takc_str_slice(head, 0, gap), name = unquoted(takc_str_trim(takc_str_slice(head, gap, head.len)));
    if (!r->is_config || !name.len)
        return takc_arena_dup(r->a, head);
    if (takc_str_is(kind, "profile"))
        return takc_arena_dup(r->a, name);
    const char *text = takc_arena_printf(r->a, "%.*s %.*s", TAKC_STR_ARG(kind), TAKC_STR_ARG(name));
    return takc_str(text);
}

/* Does a section of the config file hold what we look for? "[work]" there is no profile. */
static bool is_section(const struct reader *r, struct takc_str head)
{
    return !r->is_config || takc_str_is(head, "default") || takc_str_find_byte(head, ' ', 0) != SIZE_MAX ||
           takc_str_find_byte(head, '\t', 0) != SIZE_MAX;
}

static enum takc_status add_entry(struct reader *r, struct takc_str key, struct takc_err *err)
{
    struct takc_ini *ini = r->ini;
    if (ini->n == r->cap) { /* an arena frees nothing: doubling wastes at most as much again */
        size_t cap = r->cap ? 2 * r->cap : 32;
        struct takc_ini_entry *more = takc_arena_array(r->a, cap, sizeof(*more));
        if (!more)
            return no_memory(err);
        if (ini->n)
            memcpy(more, ini->entries, ini->n * sizeof(*more));
        ini->entries = more;
        r->cap = cap;
    }
    char *low = takc_arena_alloc(r->a, key.len + 1);
    if (!low)
        return no_memory(err);
    for (size_t i = 0; i < key.len; i++)
        low[i] = (char)(key.ptr[i] >= 'A' && key.ptr[i] <= 'Z' ? key.ptr[i] + ('a' - 'A') : key.ptr[i]);
    r->open = &ini->entries[ini->n++];
    *r->open = (struct takc_ini_entry){.section = r->section, .key = takc_str_n(low, key.len), .value = takc_str(""), .line = r->line};
    return TAKC_OK;
}

static enum takc_status read_section(struct reader *r, struct takc_str line, struct takc_err *err)
{
    size_t end = takc_str_find_byte(line, ']', 1);
    if (end == SIZE_MAX)
        return wrong(r, "a section without ]", err);
    struct takc_str behind = takc_str_trim(takc_str_slice(line, end + 1, line.len)), head = takc_str_trim(takc_str_slice(line, 1, end));
    if (behind.len && behind.ptr[0] != '#' && behind.ptr[0] != ';')
        return wrong(r, "text behind a section", err);
    if (!head.len)
        return wrong(r, "a section without a name", err);
    r->has_section = true;
    r->has_key = false;
    r->section = takc_str_n(NULL, 0);
    if (!is_section(r, head))
        return TAKC_OK;
    r->section = section_name(r, head);
    if (!r->section.ptr)
        return no_memory(err);
    enum takc_status st = add_entry(r, takc_str(""), err); /* so that a section without keys is known, too */
    r->open = NULL;
    return st;
}

static enum takc_status read_key(struct reader *r, struct takc_str line, size_t indent, struct takc_err *err)
{
    size_t end = 0;
    while (end < line.len && line.ptr[end] != '=' && line.ptr[end] != ':')
        end++;
    struct takc_str key = takc_str_trim(takc_str_slice(line, 0, end));
    if (!r->has_section)
        return wrong(r, "a key before the first section", err);
    if (end == line.len)
        return wrong(r, "neither a section nor key = value", err);
    if (!key.len)
        return wrong(r, "a value without a key", err);
    r->key_indent = indent;
    r->has_key = true;
    if (!r->section.ptr)
        return TAKC_OK;
    enum takc_status st = add_entry(r, key, err);
    return st ? st : takc_buf_add(&r->value, takc_str_trim(takc_str_slice(line, end + 1, line.len)), err);
}

/* A line of the file, its line break taken off. */
static enum takc_status read_line(struct reader *r, struct takc_str line, struct takc_err *err)
{
    struct takc_str text = takc_str_trim(line);
    size_t indent = 0;
    while (indent < line.len && is_blank(line.ptr[indent]))
        indent++;
    if (!text.len || text.ptr[0] == '#' || text.ptr[0] == ';')
        return TAKC_OK;
    if (memchr(text.ptr, '\0', text.len))
        return wrong(r, "a NUL byte", err);
    if (r->has_key && indent > r->key_indent) {
        enum takc_status st = r->open ? takc_buf_byte(&r->value, '\n', err) : TAKC_OK;
        return st || !r->open ? st : takc_buf_add(&r->value, text, err);
    }
    enum takc_status st = close_entry(r, err);
    if (st)
        return st;
    return text.ptr[0] == '[' ? read_section(r, text, err) : read_key(r, text, indent, err);
}

enum takc_status takc_ini_parse(struct takc_ini *out, struct takc_str text, bool is_config, struct takc_arena *a, struct takc_err *err)
{
    struct takc_ini ini = {0};
    struct reader r = {.ini = &ini, .a = a, .is_config = is_config};
    struct takc_str line;
    enum takc_status st = TAKC_OK;
    takc_buf_init_secret(&r.value, TEXT_MAX);
    if (text.len > TEXT_MAX)
        st = takc_fail(err, TAKC_INVALID, 0, "line 0: more than %d bytes", TEXT_MAX);
    if (takc_str_starts(text, takc_str("\xEF\xBB\xBF")))
        text = takc_str_slice(text, 3, text.len);
    while (!st && takc_str_split(&text, '\n', &line)) {
        r.line++;
        st = read_line(&r, line, err);
    }
    st = st ? st : close_entry(&r, err);
    takc_buf_clear(&r.value);
    if (!st)
        *out = ini;
    return st;
}

bool takc_ini_get(const struct takc_ini *ini, struct takc_str section, const char *key, struct takc_str *out)
{
    for (size_t i = ini->n; i-- > 0;)
        if (takc_str_is(ini->entries[i].key, key) && takc_str_eq(ini->entries[i].section, section)) {
            *out = ini->entries[i].value;
            return true;
        }
    return false;
}

bool takc_ini_has_section(const struct takc_ini *ini, struct takc_str section)
{
    for (size_t i = 0; i < ini->n; i++)
        if (takc_str_eq(ini->entries[i].section, section))
            return true;
    return false;
}
