#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

#include "backend/place.h"

static bool (*is_named)(int number);

void
place_avoid(bool (*named)(int number))
{
	is_named = named;
}

static bool
in_the_way(int fd)
{
	return fd <= STDERR_FILENO || (is_named != NULL && is_named(fd));
}

int
place(int fd)
{
	int moved = fd, error;

	if (fd == -1)
		return -errno;
	while (in_the_way(moved)) {
		int higher = fcntl(moved, F_DUPFD_CLOEXEC, moved < 3 ? 3 :
		    moved + 1);

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
