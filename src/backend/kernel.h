/*
 * kernel.h - what the kernel says of a descriptor, and of its own limits.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdint.h>

/* Bytes that can be read from FD now, as FIONREAD says it; or -errno. */
int64_t	kernel_unread(int fd);

/* The same; of a regular file what follows its offset, however much. */
int64_t	kernel_available(int fd);

/*
 * The kernel's limits that bear on waiting, numbered from 0.  Returns its name,
 * constant, with *VALUE set to its value or to -1 where the kernel does not
 * tell; NULL past the last.
 */
const char *kernel_limit(int number, int64_t *value);

#endif
