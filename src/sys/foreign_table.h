/* SPDX-License-Identifier: ISC */
/*
 * foreign_table.h - shared by the files about descriptors of other processes.
 */
#ifndef FOREIGN_TABLE_H
#define FOREIGN_TABLE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

/* The descriptor that a handle stands for. */
struct foreign {
	int process;
	pid_t pid;
	int number; /* its owner's */
	int next; /* of those unused */
	const void *in; /* the epoll object that has it last */
	bool closed; /* it was found closed */
	bool instance; /* of epoll */
	const char *why; /* it can no longer be polled, or NULL */
};

/* The handles of a call, by index. */
struct foreign_table {
	struct foreign *names;
	int count, capacity;
	int unused; /* the first that is not, or -1 */
};

/* It moves when a handle is made. */
struct foreign *foreign_of(int handle);

/*
 * Find out why FD, a copy of F's descriptor, cannot be polled without effect.
 * Returns 0 with *WHY set to a constant text, or to NULL if it can; or -errno
 * if that cannot be known.
 */
int foreign_objection(const struct foreign *f, int fd, const char **why);

/*
 * The same of one entry of FD, an instance of epoll(7): that with NUMBER, of
 * inode INODE on DEVICE (in the form of kind.h), where no pipe and no socket is.
 */
int foreign_entry_objection(const struct foreign *f, int fd, int number,
    uint64_t inode, uint64_t device, const char **why);

/* Whether FD, a copy, is an instance of epoll(7): 1 or 0, or -errno. */
int foreign_is_instance(int fd);

#endif
