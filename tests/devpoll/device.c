/* SPDX-License-Identifier: ISC */
/*
 * device.c - /dev/poll as poll(7D) describes it, over poll(2): a file without a
 * name has what was written, so that duplicates of the descriptor, and those of
 * a child, stand for the same device.
 */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/devpoll.h"

#undef access
#undef open
#undef write
#undef ioctl

int
device_access(const char *path, int mode)
{
	(void)path;
	(void)mode;
	return 0;
}

int
device_open(const char *path, int flags)
{
	const char *directory = getenv("TMPDIR");
	char name[PATH_MAX];
	int fd;

	(void)path;
	(void)snprintf(name, sizeof name, "%s/pmux-device.XXXXXX",
	    directory == NULL ? "/tmp" : directory);
	fd = mkostemp(name, flags & O_CLOEXEC);
	if (fd != -1 && unlink(name) == -1) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

ssize_t
device_write(int fd, const void *data, size_t size)
{
	if (size % sizeof(struct pollfd) != 0) {
		errno = EINVAL;
		return -1;
	}
	return write(fd, data, size);
}

/* All that was written, *COUNT of it, or NULL; the caller frees it. */
static struct pollfd *
read_written(int fd, size_t *count)
{
	struct pollfd *written;
	struct stat st;

	if (fstat(fd, &st) == -1)
		return NULL;
	written = malloc((size_t)st.st_size + 1);
	if (written != NULL &&
	    pread(fd, written, (size_t)st.st_size, 0) != st.st_size) {
		free(written);
		return NULL;
	}
	*count = (size_t)st.st_size / sizeof *written;
	return written;
}

static size_t
index_of(const struct pollfd *set, size_t count, int fd)
{
	size_t i = 0;

	while (i < count && set[i].fd != fd)
		i++;
	return i;
}

/* Make of the COUNT that were written the set; returns how many it has. */
static size_t
make_set(struct pollfd *set, size_t count)
{
	size_t used = 0, at;

	for (size_t i = 0; i < count; i++) {
		const struct pollfd p = set[i];

		at = index_of(set, used, p.fd);
		if ((p.events & POLLREMOVE) != 0) {
			if (at < used)
				set[at] = set[--used];
		} else if (at < used)
			set[at].events |= p.events;
		else
			set[used++] = p;
	}
	return used;
}

static int
take_ready(struct pollfd *set, size_t count, struct dvpoll *dvpoll)
{
	nfds_t taken = 0;
	int n = poll(set, (nfds_t)count, dvpoll->dp_timeout);

	if (n == -1)
		return -1;
	for (size_t i = 0; i < count && taken < dvpoll->dp_nfds; i++)
		if (set[i].revents != 0)
			dvpoll->dp_fds[taken++] = set[i];
	return (int)taken;
}

int
device_ioctl(int fd, int request, struct dvpoll *dvpoll)
{
	struct pollfd *set;
	size_t count;
	int n, error;

	if (request != DP_POLL) {
		errno = EINVAL;
		return -1;
	}
	set = read_written(fd, &count);
	if (set == NULL)
		return -1;
	n = take_ready(set, make_set(set, count), dvpoll);
	error = errno;
	free(set);
	errno = error;
	return n;
}
