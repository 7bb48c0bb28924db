/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a URL: refused, or its parts put together give it back; libcurl's reader, which will see it next, finds the same host, port,
 * path and query. Any bytes escaped come back as they were. */
#include "base/alloc.h"
#include "net/url.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct other {
    __typeof__(&curl_url) make;
    __typeof__(&curl_url_set) set;
    __typeof__(&curl_url_get) get;
    __typeof__(&curl_url_cleanup) end;
    __typeof__(&curl_free) free;
} other;

static void load(void)
{
    void *lib = dlopen("libcurl.so.4", RTLD_LAZY | RTLD_LOCAL);
    *(void **)&other.make = lib ? dlsym(lib, "curl_url") : NULL;
    *(void **)&other.set = lib ? dlsym(lib, "curl_url_set") : NULL;
    *(void **)&other.get = lib ? dlsym(lib, "curl_url_get") : NULL;
    *(void **)&other.end = lib ? dlsym(lib, "curl_url_cleanup") : NULL;
    *(void **)&other.free = lib ? dlsym(lib, "curl_free") : NULL;
    if (!other.make || !other.set || !other.get || !other.end || !other.free)
        TAKC_BUG("no libcurl");
}

/* Does libcurl read the same part, or none where ours is empty? */
static void same(CURLU *u, CURLUPart part, struct takc_str ours, const char *otherwise)
{
    char *theirs = NULL;
    CURLUcode code = other.get(u, part, &theirs, CURLU_DEFAULT_PORT);
    if (code ? ours.len != 0 : !takc_str_eq_nocase(takc_str(theirs), ours) && !(ours.len == 0 && strcmp(theirs, otherwise) == 0))
        TAKC_BUG("ours '%.*s', libcurl's '%s'", TAKC_STR_ARG(ours), theirs ? theirs : "");
    other.free(theirs);
}

/* Names that are numbers in disguise ("0x7f.1") libcurl writes as an address. */
static bool may_be_number(struct takc_str host)
{
    return host.ptr[0] == '[' || (host.ptr[0] >= '0' && host.ptr[0] <= '9');
}

static void compare(const char *text, const struct takc_url *ours)
{
    CURLU *u = other.make();
    char port[16];
    if (u && other.set(u, CURLUPART_URL, text, CURLU_PATH_AS_IS) == CURLUE_OK) {
        if (!may_be_number(ours->host))
            same(u, CURLUPART_HOST, ours->host, "");
        (void)snprintf(port, sizeof(port), "%u", ours->port);
        same(u, CURLUPART_PORT, takc_str(port), "");
        same(u, CURLUPART_PATH, ours->path, "/");
        same(u, CURLUPART_QUERY, ours->query, "");
    }
    other.end(u);
}

static void check_parts(struct takc_str s)
{
    struct takc_url u;
    struct takc_buf b;
    if (takc_url_parse(&u, s, NULL))
        return;
    takc_buf_init(&b, s.len + 16);
    if (takc_buf_printf(&b, NULL, "%.*s://%.*s%.*s", TAKC_STR_ARG(u.scheme), TAKC_STR_ARG(u.authority), TAKC_STR_ARG(u.path)) ||
        !takc_str_starts(s, takc_buf_str(&b)) || u.host.len == 0 || u.port == 0 || u.port > 65535)
        TAKC_BUG("the parts of '%.*s' are not its own", TAKC_STR_ARG(s));
    if (b.len < s.len && (s.ptr[b.len] != '?' || !takc_str_eq(u.query, takc_str_slice(s, b.len + 1, s.len))))
        TAKC_BUG("what stands behind the path of '%.*s' is no query", TAKC_STR_ARG(s));
    takc_buf_reset(&b);
    if (takc_buf_add(&b, s, NULL) == TAKC_OK)
        compare(b.ptr, &u);
    takc_buf_clear(&b);
}

static void check_escapes(struct takc_str s)
{
    struct takc_buf b, back;
    takc_buf_init(&b, 3 * s.len + 1);
    takc_buf_init(&back, 3 * s.len + 1);
    if (takc_url_escape(&b, s, s.len % 2, NULL) || takc_url_unescape(&back, takc_buf_str(&b), NULL) || !takc_str_eq(takc_buf_str(&back), s))
        TAKC_BUG("escaped and back it is another text");
    takc_buf_reset(&back);
    enum takc_status st = takc_url_unescape(&back, s, NULL);
    if (st && st != TAKC_INVALID)
        TAKC_BUG("unescape: %s", takc_status_name(st));
    takc_buf_clear(&b);
    takc_buf_clear(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!other.make)
        load();
    check_parts(takc_str_n((const char *)data, size));
    check_escapes(takc_str_n((const char *)data, size));
    return 0;
}
