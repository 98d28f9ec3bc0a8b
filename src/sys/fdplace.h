/* SPDX-License-Identifier: ISC */
/*
 * fdplace.h - where pmux puts the descriptors that it makes.
 *
 * A number that the user named means the caller's descriptor, also when it is
 * closed; and 0 to 2 are the standard ones, also when they are closed.
 */
#ifndef FDPLACE_H
#define FDPLACE_H

#include <stdbool.h>

struct fdplace {
	/* see fdplace_avoid */
	bool (*is_named)(void *names, int number);
	void *names;
	int floor; /* see fdplace_above */
};

/*
 * From now on stay off the numbers for which IS_NAMED, with NAMES, is true;
 * NULL: off none.
 */
void fdplace_avoid(bool (*is_named)(void *names, int number), void *names);

/* From now on go to FIRST and above, as long as there is room. */
void fdplace_above(int first);

/*
 * Move FD, which was just made and is close-on-exec, off 0 to 2 and off the
 * numbers of fdplace_avoid.  If FD is -1, returns -errno.  Returns the
 * descriptor, or -errno (fcntl(2), F_DUPFD_CLOEXEC: -EMFILE), FD being closed.
 */
int fdplace(int fd);

/*
 * A copy of FD at the lowest free number from FIRST, which no program that is
 * executed gets.  Returns it, or -1 with errno (fcntl(2), F_DUPFD_CLOEXEC).
 */
int fdplace_copy(int fd, int first);

/*
 * Whether there is room for one more descriptor, also while it is moved: ask
 * before an open(2) that another process notices.  FreeBSD has the file open
 * before it looks for a number (12.3: kern_openat in sys/kern/vfs_syscalls.c),
 * and fdplace closes what it cannot move.  Returns 0, -EMFILE or -ENFILE.
 */
int fdplace_room(void);

#endif
