/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline/forget_parts.h - what forget.c and forget_sentences.c share. Nobody else includes it. */
#ifndef TAKC_PIPELINE_FORGET_PARTS_H
#define TAKC_PIPELINE_FORGET_PARTS_H

#include "pipeline/forget.h"
#include "pipeline/generate.h"
#include "pipeline/needles.h"
#include "pipeline/redact.h"

struct takc_forgetting {
    struct takc_home *home;
    struct takc_call *call;
    struct takc_str task;
    struct takc_str *names; /* of what is forgotten, ascending, each once; those that have a record */
    struct takc_document *records;
    size_t n;
    struct takc_arena arena;
    struct takc_profile profile;
    struct takc_manifest m;
    struct takc_forget_report *report;
    struct takc_needles needles;
    bool made_up;       /* an earlier writer was killed; what it left is settled */
    uint64_t n_waiting; /* files of uploads in which one was found */
    char waiting[512];  /* the first of them */
};

/* Is it one of the documents that are forgotten? */
bool takc_forgetting_names(const struct takc_forgetting *f, struct takc_str name);
/* The sentences to search for, into f->needles: of every revision of the documents that is kept, less those that another kept document, a
 * profile or a model's examples hold. */
TAKC_CHECK enum takc_status takc_forgetting_gather(struct takc_forgetting *f, struct takc_err *err);
/* Those of f->needles that still nothing that stays says: another task may have taken the same sentences in since they were gathered. After
 * a failure f->needles are fewer than they should be. */
TAKC_CHECK enum takc_status takc_forgetting_again(struct takc_forgetting *f, struct takc_err *err);

#endif
