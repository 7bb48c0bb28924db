/* SPDX-License-Identifier: Apache-2.0
 *
 * http/apart.h - work that would keep a thread of the crew for long. */
#ifndef TAKC_HTTP_APART_H
#define TAKC_HTTP_APART_H

/* Runs run(arg) on a thread of its own while the caller waits, which on a fiber lets others go on. Where many do so already, or there is no
 * thread, it is run here. Threads: any; not with a lock held. */
void takc_apart(void (*run)(void *arg), void *arg);

#endif
