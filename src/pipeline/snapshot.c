/* SPDX-License-Identifier: Apache-2.0
 *
 * snapshot.c - opens what a question needs and no more: the manifest, the index (mapped), texts of the documents that are shown. */
#include "pipeline/snapshot.h"
#include "base/alloc.h"

enum takc_status takc_snapshot_open(struct takc_snapshot *s, struct takc_home *h, struct takc_str task, struct takc_str label,
                                    struct takc_err *err)
{
    *s = (struct takc_snapshot){.home = h};
    takc_arena_init(&s->arena);
    enum takc_status st = takc_task_name_check(task, err);
    if (st)
        return st;
    s->task = takc_arena_dup(&s->arena, task);
    if (!s->task.ptr)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a name");
    st = takc_home_manifest(h, task, &s->arena, &s->manifest, err);
    if (st)
        return st;
    st = takc_docset_version(h, &s->manifest, label, &s->version, err);
    if (st)
        return st;
    struct takc_key key = takc_key_index(task, s->version->label);
    st = takc_store_view(takc_home_store(h), NULL, takc_str(key.s), &s->index_bytes, err);
    if (st)
        return st;
    st = takc_index_open(&s->index, s->index_bytes.bytes, err);
    if (st)
        return takc_err_prefix(err, st, "%s", key.s);
    s->n_texts = takc_index_n_docs(s->index);
    s->texts = takc_alloc_array(s->n_texts, sizeof(*s->texts));
    s->text_open = takc_alloc_array(s->n_texts, sizeof(*s->text_open));
    return s->texts && s->text_open ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu documents", s->n_texts);
}

void takc_snapshot_close(struct takc_snapshot *s)
{
    for (size_t i = 0; s->text_open && s->texts && i < s->n_texts; i++)
        if (s->text_open[i])
            takc_store_view_close(&s->texts[i]);
    takc_free(s->texts);
    takc_free(s->text_open);
    if (s->index)
        takc_index_close(s->index);
    takc_store_view_close(&s->index_bytes);
    takc_arena_clear(&s->arena);
    *s = (struct takc_snapshot){0};
}

bool takc_snapshot_has_moved(struct takc_snapshot *s)
{
    struct takc_manifest now;
    return s->task.len && !takc_home_manifest(s->home, s->task, &s->arena, &now, NULL) && strcmp(now.tag.s, s->manifest.tag.s) != 0;
}

enum takc_status takc_snapshot_docs(struct takc_snapshot *s, const struct takc_docset **out, struct takc_err *err)
{
    enum takc_status st = s->has_set ? TAKC_OK : takc_docset_of_version(s->home, s->task, s->version, &s->arena, &s->set, err);
    if (st)
        return st;
    s->has_set = true;
    *out = &s->set;
    return TAKC_OK;
}

enum takc_status takc_snapshot_text(void *arg, uint32_t doc, struct takc_str *out, struct takc_err *err)
{
    struct takc_snapshot *s = arg;
    struct takc_index_doc d;
    if (doc >= s->n_texts)
        return takc_fail(err, TAKC_CORRUPT, 0, "document %u of %zu", doc, s->n_texts);
    if (!s->text_open[doc]) {
        enum takc_status st = takc_index_doc_at(s->index, doc, &d, err);
        if (st)
            return st;
        struct takc_key key = takc_key_text(s->task, takc_str(d.text_sha.s), "");
        st = takc_store_view(takc_home_store(s->home), NULL, takc_str(key.s), &s->texts[doc], err);
        if (st)
            return takc_err_prefix(err, st, "text of %.*s", TAKC_STR_ARG(d.name));
        s->text_open[doc] = true;
    }
    *out = s->texts[doc].bytes;
    return TAKC_OK;
}
