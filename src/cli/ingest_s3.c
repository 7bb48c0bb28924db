/* SPDX-License-Identifier: Apache-2.0
 *
 * ingest_s3.c - documents below an S3 name into a task (ingest_s3.h). They stand where uploads of the server do, so that what a killed run
 * leaves is removed by the next run, or by the next start of a server, whichever comes first. */
#include "cli/ingest_s3.h"
#include "http/from_s3.h"
#include "http/staging.h"
#include "pipeline/ingest_doc.h"
#include "source/s3.h"

struct telling {
    const struct takc_ingest_options *o;
    uint64_t n_skipped, n_refused;
};

bool takc_cli_names_s3(const struct takc_cli *cli)
{
    bool any = false;
    for (size_t i = 0; i < cli->n_args; i++)
        any = any || takc_is_s3(cli->args[i]);
    return any;
}

static bool is_wanted(void *arg, struct takc_str name)
{
    const struct telling *t = arg;
    return takc_ingest_wants(t->o, name);
}

static void on_skipped(void *arg, struct takc_str name, enum takc_status status, const char *reason)
{
    struct telling *t = arg;
    if (!takc_ingest_wants(t->o, name))
        return;
    *(status ? &t->n_refused : &t->n_skipped) += 1;
    t->o->each(t->o->each_arg,
               &(struct takc_ingest_item){
                   .outcome = status ? TAKC_INGEST_REFUSED : TAKC_INGEST_SKIPPED, .name = name, .status = status, .message = reason});
}

static const char *text_or_null(struct takc_str s)
{
    return s.len ? s.ptr : NULL;
}

/* No bounds but the disk's: it is the user's own machine, and the user says what to fetch. */
static enum takc_status fetch(struct takc_cli *cli, const char *folder, struct telling *t, struct takc_source_s3_copied *out,
                              struct takc_err *err)
{
    const struct takc_settings *s = &cli->settings;
    const struct takc_source_s3_options o = {.ca_file = text_or_null(s->model_ca_file),
                                             .proxy = text_or_null(s->model_proxy),
                                             .profile = text_or_null(s->model_aws_profile),
                                             .region = text_or_null(s->model_region),
                                             .max_file_bytes = t->o->max_file_bytes,
                                             .max_bytes = UINT64_MAX,
                                             .max_objects = UINT64_MAX,
                                             .wanted = is_wanted,
                                             .skipped = on_skipped,
                                             .arg = t};
    return takc_source_s3_copy(cli->args[0], folder, &o, &cli->call, out, err);
}

static enum takc_status check(const struct takc_cli *cli, const struct takc_ingest_options *o, struct takc_err *err)
{
    char place[TAKC_SOURCE_S3_BYTES];
    if (cli->n_args > 1)
        return takc_fail(err, TAKC_INVALID, 0, "an S3 name stands alone: ingest the other paths by a run of their own");
    if (o->name)
        return takc_fail(err, TAKC_INVALID, 0, "--name goes with a file: an object of S3 is called by its key");
    if (o->mirror)
        return takc_fail(err, TAKC_INVALID, 0, "--mirror goes with folders: what has gone from S3 is forgotten by name (takc forget)");
    return takc_source_s3_place(cli->args[0], place, err);
}

enum takc_status takc_cli_ingest_s3(struct takc_cli *cli, struct takc_home *home, const struct takc_ingest_options *o,
                                    struct takc_ingest_report *out, struct takc_err *err)
{
    struct takc_staging staging = {.file = -1};
    struct takc_source_s3_copied copied;
    struct telling t = {.o = o};
    struct takc_ingest_options with_root = *o;
    const char *folder = staging.path;
    enum takc_status st = check(cli, o, err);
    if (st)
        return st;
    takc_staging_sweep(takc_home_path(home), NULL);
    st = takc_staging_open(&staging, takc_home_path(home), err);
    st = st ? st : fetch(cli, folder, &t, &copied, err);
    with_root.root = copied.root;
    st = st ? st : takc_ingest(home, &cli->call, &folder, 1, &with_root, out, err);
    out->n_skipped += st ? 0 : t.n_skipped;
    out->n_refused += st ? 0 : t.n_refused;
    takc_staging_drop(&staging);
    return st;
}
