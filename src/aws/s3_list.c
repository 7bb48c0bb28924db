/* SPDX-License-Identifier: Apache-2.0
 *
 * s3_list.c - a page of a listing, read strictly: what has another root, a document type, an object without key or size, or says that more
 * follows without saying where, is no page. libxml2 limits depth and size; names and texts come out of its tree. Pages are UTF-8, whatever
 * they say of themselves. */
#include "aws/s3.h"
#include "net/url.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <limits.h>

enum { KEY_MAX = 4 << 10 };

static bool is_named(const xmlNode *n, const char *name)
{
    return n->type == XML_ELEMENT_NODE && strcmp((const char *)n->name, name) == 0;
}

static const xmlNode *child(const xmlNode *parent, const char *name)
{
    for (const xmlNode *n = parent->children; n; n = n->next)
        if (is_named(n, name))
            return n;
    return NULL;
}

/* The one text of a child; false where there is none, or more than text. */
static bool child_text(const xmlNode *parent, const char *name, struct takc_str *out)
{
    const xmlNode *c = child(parent, name), *t = c ? c->children : NULL;
    if (!t || t->type != XML_TEXT_NODE || t->next)
        return false;
    *out = takc_str((const char *)t->content);
    return true;
}

static enum takc_status tell_object(const xmlNode *object, takc_s3_each_fn *each, void *arg, struct takc_err *err)
{
    struct takc_str escaped, size;
    struct takc_buf key;
    uint64_t bytes;
    if (!child_text(object, "Key", &escaped) || !child_text(object, "Size", &size) || takc_str_u64(size, UINT64_MAX, &bytes, NULL))
        return takc_fail(err, TAKC_UPSTREAM, 0, "the listing names an object without key or size");
    takc_buf_init(&key, KEY_MAX);
    enum takc_status st = takc_url_unescape(&key, escaped, err);
    st = st ? (st == TAKC_NOMEM ? st : takc_fail(err, TAKC_UPSTREAM, 0, "the listing has a key that is none")) : TAKC_OK;
    st = st ? st : each(arg, takc_buf_str(&key), bytes, err);
    takc_buf_clear(&key);
    return st;
}

static enum takc_status read_root(const xmlNode *root, takc_s3_each_fn *each, void *arg, struct takc_buf *next, struct takc_err *err)
{
    struct takc_str more, token;
    enum takc_status st = TAKC_OK;
    if (!child_text(root, "IsTruncated", &more) || (!takc_str_is(more, "true") && !takc_str_is(more, "false")))
        return takc_fail(err, TAKC_UPSTREAM, 0, "the listing does not say whether it is whole");
    for (const xmlNode *n = root->children; n && !st; n = n->next)
        if (is_named(n, "Contents"))
            st = tell_object(n, each, arg, err);
    if (st || takc_str_is(more, "false"))
        return st;
    if (!child_text(root, "NextContinuationToken", &token))
        return takc_fail(err, TAKC_UPSTREAM, 0, "the listing goes on, and does not say where");
    return takc_buf_add(next, token, err);
}

enum takc_status takc_s3_read_list(struct takc_str xml, takc_s3_each_fn *each, void *arg, struct takc_buf *next, struct takc_err *err)
{
    int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NODICT;
    xmlDoc *doc = xml.len && xml.len <= INT_MAX ? xmlReadMemory(xml.ptr, (int)xml.len, NULL, "UTF-8", options) : NULL;
    const xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;
    enum takc_status st = !root || doc->intSubset || !is_named(root, "ListBucketResult")
                              ? takc_fail(err, TAKC_UPSTREAM, 0, "the answer is no listing")
                              : read_root(root, each, arg, next, err);
    xmlFreeDoc(doc);
    return st;
}
