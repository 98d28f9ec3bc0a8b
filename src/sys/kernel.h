/* SPDX-License-Identifier: ISC */
/*
 * kernel.h - questions to the kernel about a descriptor, and about its limits.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdbool.h>
#include <stdint.h>

/* Bytes that can be read from FD now, as FIONREAD says it; or -errno. */
int64_t kernel_unread(int fd);

/* The same; of a regular file the bytes behind its offset, however many. */
int64_t kernel_available(int fd);

/*
 * NetBSD: what kevent(2) says just now of FD, to be read.  Returns whether there
 * is an event.
 */
struct kevent;
bool kernel_read_event(int fd, struct kevent *event);

/*
 * Open the file PATH, of whatever kind, without access to its data: no peer
 * sees a reader or writer; never blocking, close-on-exec.  Returns the
 * descriptor, or -1 with errno: ENOTSUP for a FIFO where the system has no such
 * flag.
 */
int kernel_open_path(const char *path);

/* Whether signal NUMBER by default ends the process, and can be caught. */
bool kernel_signal_ends(int number);

/*
 * The kernel's limits that bear on waiting, numbered from 0.  Returns the name,
 * constant, with *VALUE set to its value, or to -1 if it cannot be read; NULL
 * past the last.
 */
const char *kernel_limit(int number, int64_t *value);

#endif
