/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

#include "base/pmux.h"
#include "sys/fdplace.h"

void
fdplace_avoid(bool (*is_named)(void *names, int number), void *names)
{
	struct fdplace *p = pmux->fdplace;

	p->is_named = is_named;
	p->names = names;
}

void
fdplace_above(int first)
{
	pmux->fdplace->floor = first;
}

static bool
in_the_way(int fd)
{
	struct fdplace *p = pmux->fdplace;

	return fd <= STDERR_FILENO ||
	    (p->is_named != NULL && p->is_named(p->names, fd));
}

int
fdplace_copy(int fd, int first)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, first);

#ifdef __NetBSD__
	/*
	 * execve(2) of NetBSD 9.1 looks for what it has to close only once a
	 * process has set the flag in another way (fd_dup and fd_closeexec in
	 * its kern_descrip.c).
	 */
	if (copy != -1)
		(void)fcntl(copy, F_SETFD, FD_CLOEXEC);
#endif
	return copy;
}

/* Returns FD, moved if there is room. */
static int
raise_to(int fd, int first)
{
	int higher = fdplace_copy(fd, first);

	if (higher == -1)
		return fd;
	(void)close(fd);
	return higher;
}

int
fdplace(int fd)
{
	struct fdplace *p = pmux->fdplace;
	int moved = fd, error;

	if (fd == -1)
		return -errno;
	if (moved < p->floor)
		moved = raise_to(moved, p->floor);
	while (in_the_way(moved)) {
		int higher = fdplace_copy(moved, moved < 3 ? 3 : moved + 1);

		error = errno;
		(void)close(moved);
		if (higher == -1) {
			/* EINVAL: no number is left above */
			return error == EINVAL ? -EMFILE : -error;
		}
		moved = higher;
	}
	return moved;
}

int
fdplace_room(void)
{
	int fd = fdplace(open("/", O_RDONLY | O_CLOEXEC));

	if (fd >= 0)
		(void)close(fd);
	return fd == -EMFILE || fd == -ENFILE ? fd : 0;
}
