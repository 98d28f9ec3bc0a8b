/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

#include "sys/fdplace.h"

static bool (*is_named)(int number);
static int floor_of_own;

void
fdplace_avoid(bool (*named)(int number))
{
	is_named = named;
}

void
fdplace_above(int first)
{
	floor_of_own = first;
}

static bool
in_the_way(int fd)
{
	return fd <= STDERR_FILENO || (is_named != NULL && is_named(fd));
}

/* Returns FD, moved if there is room. */
static int
raise_to(int fd, int first)
{
	int higher = fcntl(fd, F_DUPFD_CLOEXEC, first);

	if (higher == -1)
		return fd;
	(void)close(fd);
	return higher;
}

int
fdplace(int fd)
{
	int moved = fd, error;

	if (fd == -1)
		return -errno;
	if (moved < floor_of_own)
		moved = raise_to(moved, floor_of_own);
	while (in_the_way(moved)) {
		int higher = fcntl(moved, F_DUPFD_CLOEXEC,
		    moved < 3 ? 3 : moved + 1);

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
