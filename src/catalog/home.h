/* SPDX-License-Identifier: Apache-2.0
 *
 * catalog/home.h - one home: the folder of data-model.md section 7 (docs/formats/home.md), its locks, document records, manifests and the
 * SQLite catalogue beside it. The objects are the truth; the catalogue can be rebuilt from them, except what lives only there.
 *
 *   home.json                 {"takc_home": 2}: the schema version; a newer one is refused by name, an older one migrated step by step
 *   home.lock                 shared by every open home, exclusive for migration, restore, checkpoint with truncation
 *   locks/{task}              one writer per task: ingest, compress, forget, rollback; a second one waits up to wait_ms, then BUSY
 *   catalog.sqlite            WAL
 *   tenants/{name}            the homes of tenants (docs/adr/0013), each whole; no keys of this one's store
 *   the keys of the store     as data-model.md section 7
 *
 * Threads: a home may be used from any thread; a writer lock belongs to whoever took it. */
#ifndef TAKC_CATALOG_HOME_H
#define TAKC_CATALOG_HOME_H

#include "base/arena.h"
#include "object/store.h"
#include "task/profile.h"

#define TAKC_HOME_SCHEMA 2
#define TAKC_TENANTS_FOLDER "tenants" /* TAKC_DIR_TENANTS of object/dir.h */

struct takc_home;
enum { TAKC_HOME_WARNING = 256 };
struct takc_home_options {
    bool create;      /* make it when missing; NOT_FOUND otherwise */
    bool exclusive;   /* alone on it: for migrate, restore, checkpoint */
    uint64_t wait_ms; /* for locks; default 0 */
};
/* Opens the home in folder path; one of an older schema is migrated first. o NULL: the defaults. NOT_FOUND: no home and not to be made;
 * INVALID: a folder of something else; REFUSED: a newer schema; BUSY: somebody holds it alone; CORRUPT: home.json is damaged. */
TAKC_CHECK enum takc_status takc_home_open(struct takc_home **out, const char *path, const struct takc_home_options *o,
                                           struct takc_err *err);
/* NULL is welcome. Locks of tasks are closed by who opened them. */
void takc_home_close(struct takc_home *h);
/* The home's folder as an absolute path. Lives as long as h. */
const char *takc_home_path(const struct takc_home *h);
/* Is it still a home that this takc knows? NOT_FOUND: the folder was removed, or what it was mounted from has gone; else as opening. */
TAKC_CHECK enum takc_status takc_home_check(const struct takc_home *h, struct takc_err *err);
/* The store in that folder: all keys of all tasks. Borrowed, lives as long as h. */
struct takc_store *takc_home_store(struct takc_home *h);

/* The writer's lock of a task. */
TAKC_CHECK enum takc_status takc_home_lock_task(struct takc_home *h, struct takc_str task, uint64_t wait_ms, struct takc_lock *out,
                                                struct takc_err *err);

/* What the home found wrong and put right by itself since it was opened (a damaged catalogue moved aside and made anew), for the log; the
 * empty string when nothing. Lives as long as h. */
const char *takc_home_warning(struct takc_home *h);
/* The same for who shares h with other threads: a copy. */
void takc_home_warning_copy(struct takc_home *h, char out[TAKC_HOME_WARNING]);

/* --- keys: each writes a NUL-terminated key of at most TAKC_KEY_MAX bytes; the empty key, which no store takes, when there is no memory to
 * hash a name. Task names, hashes and labels have been checked. --- */
enum { TAKC_KEY_MAX = 1100 };
struct takc_key {
    char s[TAKC_KEY_MAX];
};
/* blobs/{task}/{sha256}: source bytes. */
struct takc_key takc_key_blob(struct takc_str task, struct takc_str sha256);
/* raw-data/{task}/{name}; ~{sha256 of name} for names that are no key. */
struct takc_key takc_key_raw(struct takc_str task, struct takc_str name);
/* documents/{task}/{sha256 of name}.json: a document's record. */
struct takc_key takc_key_document(struct takc_str task, struct takc_str name);
/* text/{task}/{text sha256}{suffix}: "" for the text; the revision's part and ".structure", ".map" or ".units" for what was made of it. */
struct takc_key takc_key_text(struct takc_str task, struct takc_str text_sha256, const char *suffix);
/* {task}/chunk_{16 hex of the name's hash}_{number}.txt */
struct takc_key takc_key_chunk(struct takc_str task, struct takc_str doc_name, uint32_t number);
/* index/{task}/v{version}/units.idx */
struct takc_key takc_key_index(struct takc_str task, struct takc_str version);
/* index/{task}/v{version}/selection.bin */
struct takc_key takc_key_selection(struct takc_str task, struct takc_str version);
/* artifacts/{task}/v{version}/documents.json: the documents that a version stands on. */
struct takc_key takc_key_documents(struct takc_str task, struct takc_str version);
/* artifacts/{task}/v{version}/{rate name}{suffix}: ".json" or ".ledger.json". */
struct takc_key takc_key_artifact(struct takc_str task, struct takc_str version, takc_rate rate, const char *suffix);
/* manifests/{task}.json */
struct takc_key takc_key_manifest(struct takc_str task);
/* tasks/{task}.yaml */
struct takc_key takc_key_profile(struct takc_str task);
/* cache/v2/{task}/{rate name}/cache.json: written for foreign clients, never read. */
struct takc_key takc_key_foreign_cache(struct takc_str task, takc_rate rate);

/* cache/answers/{task}/v{version}/{hash}.json: a model's answer that may be given again (pipeline/answer_cache.h). */
struct takc_key takc_key_answer(struct takc_str task, struct takc_str version, struct takc_str hash);
/* replies/{task}/{key}/{tokens asked for}.txt: what a model said to one prompt (compress/generative.h has the key, 64 hex digits); and what
 * all of one key begin with. */
struct takc_key takc_key_reply(struct takc_str task, struct takc_str key, uint32_t share_tokens);
struct takc_key takc_key_replies(struct takc_str task, struct takc_str key);
/* replies/{task}/batch.json: batch jobs of the task's compress that are under way, or read and still wanted (pipeline/batch.h). */
struct takc_key takc_key_batch(struct takc_str task);
/* artifacts/{task}/v{version}/generated.json: how a model made the version, and the keys of the replies that it stands on. */
struct takc_key takc_key_generated(struct takc_str task, struct takc_str version);

/* artifacts/{task}/v{version}/work.json: whose work the folder is, until what follows the swap is done. */
struct takc_key takc_key_work(struct takc_str task, struct takc_str version);

struct takc_key_list { /* ascending */
    struct takc_str *keys;
    uint64_t *sizes;
    size_t n;
};
/* Lists every key with the prefix, ascending, with its size in bytes; all memory is the arena's. */
TAKC_CHECK enum takc_status takc_home_keys(struct takc_store *s, struct takc_call *call, struct takc_str prefix, struct takc_arena *a,
                                           struct takc_key_list *out, struct takc_err *err);

/* --- documents --- */
struct takc_revision {
    struct takc_str source_sha, text_sha, units_sha;
    struct takc_str reader, reader_version, charset;
    struct takc_str part;       /* "." and 16 hex digits: derived parts are kept at text/{task}/{text sha256}{part}.structure|.map|.units */
    struct takc_str made_by;    /* versions of the unit cutter and the tokenizer */
    struct takc_str title;      /* as shown */
    struct takc_str title_from; /* "text", "metadata", "name" */
    struct takc_span title_span;
    uint64_t source_bytes, text_bytes, n_replaced, n_units, source_mt;
    bool has_date, has_map, compressed; /* compressed: source_sha is of the decompressed bytes, file_sha of the .gz */
    struct takc_str file_sha;
    int32_t date;
    uint32_t first_line; /* of a document that is a part of a file (JSONL): its first line there, from 1; 0: a file of its own */
    int64_t ingested_s;
    /* Where only the 2x set is kept (keep_originals: false), text_sha, part and units_sha are of the reduced text, and these say what it
     * was made from: hash of the text as read, and of all that compress reads (pipeline/docset.h). Both empty otherwise. */
    struct takc_str whole_text_sha, whole_key;
};
struct takc_document {
    struct takc_str name, root; /* root: absolute path of the folder that was ingested, or "name:" for --name, "stdin:" */
    const struct takc_str *labels;
    size_t n_labels;
    const struct takc_revision *revisions; /* the last is the current one; n_revisions >= 1 */
    size_t n_revisions;
};
/* Reads one record into the arena. NOT_FOUND, CORRUPT. */
TAKC_CHECK enum takc_status takc_home_document(struct takc_home *h, struct takc_str task, struct takc_str name, struct takc_arena *a,
                                               struct takc_document *out, struct takc_err *err);
/* All records of a task, ascending by name bytes. */
TAKC_CHECK enum takc_status takc_home_documents(struct takc_home *h, struct takc_str task, struct takc_arena *a, struct takc_document **out,
                                                size_t *out_n, struct takc_err *err);
/* The stored form of a record (byte-stable JSON, docs/formats/document.md). */
TAKC_CHECK enum takc_status takc_document_write(const struct takc_document *d, struct takc_buf *out, struct takc_err *err);
/* Parses it. CORRUPT with the place. */
TAKC_CHECK enum takc_status takc_document_parse(struct takc_str json, struct takc_arena *a, struct takc_document *out,
                                                struct takc_err *err);
/* Task names that have a profile, ascending. */
TAKC_CHECK enum takc_status takc_home_tasks(struct takc_home *h, struct takc_arena *a, struct takc_str **out, size_t *out_n,
                                            struct takc_err *err);
/* The task's profile. NOT_FOUND names `takc init`. */
TAKC_CHECK enum takc_status takc_home_profile(struct takc_home *h, struct takc_str task, struct takc_profile *out, struct takc_err *err);
/* The tokenizer of that name (takc_tokenizer_open), loaded at its first use; the file's content is looked at again when its size or date
 * changed. Lives as long as h is open. Statuses as takc_tokenizer_open. */
TAKC_CHECK enum takc_status takc_home_tokenizer(struct takc_home *h, struct takc_str name, const struct takc_tokenizer **out,
                                                struct takc_err *err);
/* The task's profile with its tokenizer in hand: for who counts. */
TAKC_CHECK enum takc_status takc_home_counting_profile(struct takc_home *h, struct takc_str task, struct takc_profile *out,
                                                       struct takc_err *err);

/* Removes the rows about a task: documents, versions, questions; what it cost stays. */
TAKC_CHECK enum takc_status takc_home_drop_rows(struct takc_home *h, struct takc_str task, struct takc_err *err);
/* Removes every key of a task, its profile last; who calls holds its lock. *out_removed is added to. Cut off, it may be called again. */
TAKC_CHECK enum takc_status takc_home_drop_keys(struct takc_home *h, struct takc_call *call, struct takc_str task, uint64_t *out_removed,
                                                struct takc_err *err);
/* How many keys a task has. */
TAKC_CHECK enum takc_status takc_home_count_keys(struct takc_home *h, struct takc_call *call, struct takc_str task, uint64_t *out,
                                                 struct takc_err *err);

/* --- manifests --- */
struct takc_stored { /* a stored thing and its hash */
    struct takc_str sha256;
    uint64_t size_bytes;
    takc_rate rate;                /* from here: artifacts only */
    struct takc_str ledger_sha256; /* of the ledger beside it */
    uint64_t ledger_bytes;
};
struct takc_version {
    struct takc_str label;         /* "3", or "3.r1" redacted */
    struct takc_str work_key;      /* hash of all inputs (data-model.md section 8) */
    struct takc_str redacted_from; /* label, or empty */
    int64_t created_s;
    bool pinned;
    struct takc_stored documents, index, selection; /* an empty hash: was not there when it should have been hashed */
    const struct takc_stored *artifacts;            /* descending rate */
    size_t n_artifacts;
    uint64_t source_tokens;
};
struct takc_manifest {
    struct takc_str task, current;       /* label; empty: no version yet */
    uint32_t next;                       /* number of the next version, from 1; never reused */
    const struct takc_version *versions; /* oldest first */
    size_t n_versions;
    struct takc_hex tag; /* of what was read; empty string when there was none: for swap */
};
/* Reads the manifest; one without versions when there is none yet. */
TAKC_CHECK enum takc_status takc_home_manifest(struct takc_home *h, struct takc_str task, struct takc_arena *a, struct takc_manifest *out,
                                               struct takc_err *err);
/* Swaps it whole; CONFLICT when somebody else did in between. out_tag, if not NULL, is the new tag. */
TAKC_CHECK enum takc_status takc_home_manifest_swap(struct takc_home *h, const struct takc_manifest *m, struct takc_hex *out_tag,
                                                    struct takc_err *err);
/* Appends the stored form (docs/formats/manifest.md). INVALID: something in it could not be read back. */
TAKC_CHECK enum takc_status takc_manifest_write(const struct takc_manifest *m, struct takc_buf *out, struct takc_err *err);
/* Reads the stored form; everything is copied into the arena. CORRUPT with the place. */
TAKC_CHECK enum takc_status takc_manifest_parse(struct takc_str json, struct takc_arena *a, struct takc_manifest *out,
                                                struct takc_err *err);
/* The version of that label ("" or NULL: current), or NULL. */
const struct takc_version *takc_manifest_find(const struct takc_manifest *m, struct takc_str label);

/* --- upkeep --- */
/* Removes what no record and no kept version stands on (blobs, raw data, texts and their parts, chunks, versions not in the manifest but
 * the next one, where a killed compress goes on; temporary files older than a day or of dead processes), and revisions of records that no
 * kept version uses, but the last. Holds the task's lock (BUSY when somebody else does); safe at any time. A record, manifest or
 * documents.json that cannot be read is CORRUPT, and nothing is removed then. Counts into out_removed. */
TAKC_CHECK enum takc_status takc_home_sweep(struct takc_home *h, struct takc_str task, uint64_t *out_removed, struct takc_err *err);
/* The same for who holds the task's lock already. */
TAKC_CHECK enum takc_status takc_home_sweep_locked(struct takc_home *h, struct takc_str task, uint64_t *out_removed, struct takc_err *err);
/* Makes the rows of one task's documents and versions anew from its objects: called after ingest, compress, rollback. */
TAKC_CHECK enum takc_status takc_home_catalog_task(struct takc_home *h, struct takc_str task, struct takc_err *err);
/* Opens the catalogue and has SQLite check its pages. CORRUPT: what is wrong; takc_home_rebuild mends it. */
TAKC_CHECK enum takc_status takc_home_check_catalog(struct takc_home *h, struct takc_err *err);
/* Makes the catalogue anew from the objects; what lives only there (questions) stays. */
TAKC_CHECK enum takc_status takc_home_rebuild(struct takc_home *h, struct takc_err *err);
/* A consistent copy of a live home, and of those of its tenants, into an empty or missing folder; and back (the target must be missing or
 * empty). Each task is copied at one moment, under its lock, waiting for its writer as long as the call's deadline lets it, at most a
 * minute. home.json is written last: a copy that was cut off is no home; one that failed is removed. */
TAKC_CHECK enum takc_status takc_home_backup(struct takc_home *h, struct takc_call *call, const char *to, struct takc_err *err);
/* The way back; the home made is whole or not there. */
TAKC_CHECK enum takc_status takc_home_restore(const char *from, const char *to, struct takc_call *call, struct takc_err *err);
/* secure_delete, checkpoint(TRUNCATE) and VACUUM under the home's exclusive lock, so that no deleted row's bytes stay; damaged catalogues
 * that were moved aside go too. BUSY when others use the home for two seconds. While it waits for them who uses the catalogue through h
 * goes on; only while the file is made anew nobody can. Not with anything of the catalogue held. */
TAKC_CHECK enum takc_status takc_home_scrub(struct takc_home *h, struct takc_err *err);

/* --- catalogue rows (SQLite): what other modules note; later issues add costs, jobs, keys --- */
struct takc_query_note { /* a question that was asked; borrowed */
    struct takc_str task, version, mode, rate, question;
    double confidence;
    uint64_t ms, tokens;
    bool abstained, keep_words;
    int64_t at_s;
};
/* Notes a question for learning and usage; its words only if keep_words. Failures are the catalogue's: the answer stands without the note.
 */
TAKC_CHECK enum takc_status takc_home_note_query(struct takc_home *h, const struct takc_query_note *n, struct takc_err *err);
/* Rows that mention a document of a task, deleted, and the words of all questions of the task, since they may quote it (what they cost
 * stays): called by forget, with scrub afterwards. */
TAKC_CHECK enum takc_status takc_home_forget_rows(struct takc_home *h, struct takc_str task, struct takc_str doc, struct takc_err *err);

#endif
