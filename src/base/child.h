/* SPDX-License-Identifier: Apache-2.0
 *
 * base/child.h - runs a program on hostile input, confined: bytes in, bytes out, nothing else. (And one of the user's own choice, open.)
 *
 * The program gets the input as a seekable file on descriptor 0 (an anonymous one: nothing touches the disk), pipes on 1 and 2, no other
 * descriptor, an environment of LANG and PATH only, and limits on time, processor, memory, files and output. No shell is involved.
 * Confinement, the best that the machine permits:
 *  - bubblewrap, where it is installed and works: own namespaces; no network, no home, no /etc but fonts, /usr read-only, own process tree;
 *  - else seccomp: no sockets, no new processes, no other program, no ptrace, no file opened for writing; own network namespace where
 *    permitted. Files that the user may read stay readable then.
 * Threads: any. Blocking: until the child has ended, its time is up, or the call says stop; then the child is killed and reaped. */
#ifndef TAKC_BASE_CHILD_H
#define TAKC_BASE_CHILD_H

#include "base/buf.h"
#include "takc/call.h"

enum takc_child_confine {
    TAKC_CHILD_UNSET = 0, /* bubblewrap, else seccomp */
    TAKC_CHILD_BWRAP,
    TAKC_CHILD_SECCOMP,
    TAKC_CHILD_OPEN /* not confined: a program that the user named (credential_process), with network, files and the environment given; only
                       time and output are limited, other descriptors are closed */
};

struct takc_child_options {
    const char *const *argv;        /* NULL-terminated; argv[0] without '/' is looked for in PATH */
    struct takc_str input;          /* what descriptor 0 holds; borrowed */
    uint64_t timeout_ms;            /* wall clock; 0: 60,000 */
    uint64_t memory_bytes;          /* address space; 0: 1 GiB */
    uint8_t confine;                /* enum takc_child_confine */
    const char *const *environment; /* of an open child, as environ; borrowed. NULL: LANG and PATH, as the others get */
};

struct takc_child_result {
    int exit_code;   /* 0..255; -1 when a signal ended it */
    int signal;      /* that signal; 0: it exited */
    uint8_t confine; /* what was used */
};

/* Runs argv to its end and appends what it wrote to out and err_text, whose max are the limits: more on out is REFUSED, more on err_text is
 * cut. OK whatever the exit code. NOT_FOUND: no such program; UNSUPPORTED: the confinement asked for does not work here; TIMEOUT: the wall
 * clock of options or the call's deadline; CANCELLED; NOMEM; IO. In every case the child is gone when this returns. */
TAKC_CHECK enum takc_status takc_child_run(const struct takc_child_options *options, struct takc_call *call, struct takc_buf *out,
                                           struct takc_buf *err_text, struct takc_child_result *result, struct takc_err *err);
/* The absolute path of a program in PATH; false when there is none or it does not fit. */
bool takc_child_find(const char *name, char *out, size_t n);
/* Does bubblewrap work here? Asked once per process. */
bool takc_child_bwrap_works(void);

#endif
