/* SPDX-License-Identifier: ISC */
/*
 * kernel.h - what the kernel says of a descriptor, and of its own limits.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdbool.h>
#include <stdint.h>

/* Bytes that can be read from FD now, as FIONREAD says it; or -errno. */
int64_t kernel_unread(int fd);

/* The same; of a regular file what follows its offset, however much. */
int64_t kernel_available(int fd);

/*
 * Open the file PATH, of whatever kind, only to look at it: nobody's reader or
 * writer, never blocking, close-on-exec.  Returns the descriptor, or -1 with
 * errno: where the system has nothing of the sort, ENOTSUP for a FIFO.
 */
int kernel_look(const char *path);

/* Whether signal NUMBER by default ends the process, and can be caught. */
bool kernel_signal_ends(int number);

/*
 * The kernel's limits that bear on waiting, numbered from 0.  Returns its name,
 * constant, with *VALUE set to its value or to -1 where the kernel does not
 * tell; NULL past the last.
 */
const char *kernel_limit(int number, int64_t *value);

#endif
