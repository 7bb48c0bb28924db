/* SPDX-License-Identifier: Apache-2.0
 *
 * verify/verify.h - proves artifacts against sources. Levels of data-model.md section 1, reported apart:
 *   S source hash   T text derived again by the reader   M map runs   A artifact and index hashes against the manifest
 *   X segment against its spans
 * T calls the readers; M and X share no code with the readers' map builders, the cleaner or the cutter (a link test shows it): M decodes
 * with iconv, its own entity table, libcsv, jansson, libzip; X has its own word splitter and its own closed lists.
 * Threads: any, each with its own report. */
#ifndef TAKC_VERIFY_VERIFY_H
#define TAKC_VERIFY_VERIFY_H

#include "compress/artifact.h"
#include "doc/doc.h"
#include "takc/call.h"

enum takc_level { TAKC_LEVEL_S = 0, TAKC_LEVEL_T, TAKC_LEVEL_M, TAKC_LEVEL_A, TAKC_LEVEL_X, TAKC_LEVELS };

/* Per level: how many things were checked, passed, failed, and could not be derived here (neither pass nor fail). */
struct takc_proof {
    uint64_t checked[TAKC_LEVELS], failed[TAKC_LEVELS], underivable[TAKC_LEVELS];
};
/* Every failure is told: level, what it is about ("q3.txt", "8x segment 17 body"), what was found. */
typedef void takc_finding_fn(void *arg, enum takc_level level, const char *subject, const char *finding);

/* Level S: do the bytes have this SHA-256? */
TAKC_CHECK enum takc_status takc_verify_source(struct takc_str source, struct takc_str sha256, const char *subject,
                                               struct takc_proof *proof, takc_finding_fn *tell, void *arg, struct takc_err *err);
/* Level T: reads source again with the reader of that name; says underivable when the version differs. doc is what the store has. */
TAKC_CHECK enum takc_status takc_verify_text(struct takc_call *call, struct takc_str source, const struct takc_doc *doc,
                                             struct takc_str name, struct takc_proof *proof, takc_finding_fn *tell, void *arg,
                                             struct takc_err *err);
/* Level M: every run of the map, read from the source by other code; for PDF and DOCX the second witness (words on the page in -bbox
 * output; paragraphs by a plain scanner). */
TAKC_CHECK enum takc_status takc_verify_map(struct takc_call *call, struct takc_str source, const struct takc_doc *doc,
                                            struct takc_str name, struct takc_proof *proof, takc_finding_fn *tell, void *arg,
                                            struct takc_err *err);
/* Levels T and M where doc holds only lines of the text (keep_originals: false): the text read again has the hash whole_sha, and every
 * block of doc stands in it, in order; every run that is there is true, nothing is asked about what is not. The second witness is asked for
 * PDF. */
TAKC_CHECK enum takc_status takc_verify_text_part(struct takc_call *call, struct takc_str source, const struct takc_doc *doc,
                                                  struct takc_str whole_sha, struct takc_str name, struct takc_proof *proof,
                                                  takc_finding_fn *tell, void *arg, struct takc_err *err);
/* Its level M alone: map and second witness. */
TAKC_CHECK enum takc_status takc_verify_map_part(struct takc_call *call, struct takc_str source, const struct takc_doc *doc,
                                                 struct takc_str name, struct takc_proof *proof, takc_finding_fn *tell, void *arg,
                                                 struct takc_err *err);
/* Level A for one stored thing. */
TAKC_CHECK enum takc_status takc_verify_stored(struct takc_str bytes, struct takc_str sha256, const char *subject, struct takc_proof *proof,
                                               takc_finding_fn *tell, void *arg, struct takc_err *err);
/* Gives the text of a document by its index into the artifact's documents; it lives until verifying ends. */
typedef enum takc_status takc_verify_text_fn(void *arg, uint32_t doc, struct takc_str *out, struct takc_err *err);
/* Level X for every segment of an artifact, and that its counts (bytes, words, segments' order) are what its text has. */
TAKC_CHECK enum takc_status takc_verify_artifact(struct takc_call *call, const struct takc_artifact *a, takc_verify_text_fn *text,
                                                 void *text_arg, struct takc_proof *proof, takc_finding_fn *tell, void *arg,
                                                 struct takc_err *err);
/* Level X for one line: is shown an ordered subsequence of the words of quote, and is all that was left out allowed? Finding into why. */
bool takc_verify_line(struct takc_str shown, struct takc_str quote, char why[256]);
/* Level X for one line that a model wrote, before it is stored: has it no number, date, name, negation or unit of measure that the n quotes
 * (its spans, in their order) lack, and does it negate where they do? *out_ok and, if not, the finding into why. What takc_verify_artifact
 * finds of a generated segment is this. NOMEM only; arg is not looked at. */
TAKC_CHECK enum takc_status takc_verify_generated(void *arg, struct takc_str line, const struct takc_str *quotes, size_t n, bool *out_ok,
                                                  char why[256], struct takc_err *err);
/* The published closed list and patterns, for docs and --help. */
const char *takc_verify_rules(void);

#endif
