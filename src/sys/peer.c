/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>
#include <sys/stat.h>

#if defined(KEVENT_COUNTS_FIFOS) || defined(KEVENT_SEES_WRITES)
#include <sys/event.h>
#endif

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#ifdef HAVE_LINUX_MAGIC_H
#include <sys/vfs.h>

#include <linux/magic.h>
#endif

#include "sys/fileid.h"
#include "sys/kernel.h"
#include "sys/peer.h"

int
peer_open_named(int fd, const char *path, int flags)
{
	int end = open(path, flags), error;

	if (end == -1)
		return -errno;
	error = file_same(fd, end);
	if (error == 0)
		return end;
	(void)close(end);
	return error;
}

#define SELF "/proc/self/fd/"

/* snprintf is not async-signal-safe. */
char *
peer_path(char path[PEER_PATH_SIZE], int fd)
{
	char digits[10];
	size_t n = 0, length = sizeof SELF - 1;

	memcpy(path, SELF, length);
	do
		digits[n++] = (char)('0' + fd % 10);
	while ((fd /= 10) != 0);
	while (n > 0)
		path[length++] = digits[--n];
	path[length] = '\0';
	return path;
}

#if defined(__linux__) && defined(HAVE_INOTIFY_INIT1) && defined(O_PATH)

/* Whether /proc is mounted; then nothing depends on the name. */
static bool
by_number(int fd)
{
	char self[PEER_PATH_SIZE];

	return access(peer_path(self, fd), F_OK) == 0;
}

int
peer_reopen(int fd, const char *path, int flags)
{
	char self[PEER_PATH_SIZE];
	int end;

	flags |= O_NONBLOCK | O_CLOEXEC;
	end = open(peer_path(self, fd), flags);
	if (end != -1 || errno != ENOENT || by_number(fd))
		return end == -1 ? -errno : end;
	return peer_open_named(fd, path, flags);
}

int
peer_handle(int fd)
{
	char self[PEER_PATH_SIZE];
	int handle = open(peer_path(self, fd), O_PATH | O_CLOEXEC);

	return handle == -1 ? -errno : handle;
}

#else

int
peer_reopen(int fd, const char *path, int flags)
{
	return peer_open_named(fd, path, flags | O_NONBLOCK | O_CLOEXEC);
}

int
peer_handle(int fd)
{
	(void)fd;
	return -ENOSYS;
}

#endif

int
peer_is_fifo(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return -errno;
	if (!S_ISFIFO(st.st_mode))
		return 0;
#ifdef PIPEFS_MAGIC
	struct statfs fs;

	if (fstatfs(fd, &fs) == 0 && fs.f_type == PIPEFS_MAGIC)
		return 0;
#endif
	return 1;
}

void
peer_times(int fd, struct peer_times *times)
{
#ifdef HAVE_STRUCT_STAT_ST_MTIM
	struct stat st;

	if (fstat(fd, &st) == 0) {
		times->written = st.st_mtim;
		times->read = st.st_atim;
		return;
	}
#else
	(void)fd;
#endif
	memset(times, 0, sizeof *times);
}

bool
peer_nameless(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_nlink == 0;
}

#ifdef HAVE_TEE

/*
 * Measured on Linux 6.18: read(2) to an invalid address copies before it
 * consumes, so that it consumes nothing: EFAULT if there are bytes, else 0 if
 * no writer is connected and EAGAIN if one is.  ERROR, that of the first
 * attempt, is the answer where this end would block.
 */
static int
read_nothing(int fd, int error)
{
	void *volatile nowhere = (void *)1;
	int flags = fcntl(fd, F_GETFL);

	if (flags == -1 || (flags & O_NONBLOCK) == 0)
		return error;
	switch (read(fd, nowhere, 1)) {
	case 0:
		return 0;
	case -1:
		return errno == EAGAIN || errno == EFAULT ? 1 : -errno;
	default:
		return 1;
	}
}

/*
 * Measured on Linux 6.18: tee(2) from an empty FIFO answers 0 if no writer is
 * connected and EAGAIN if one is, and it consumes nothing.
 */
int
peer_has_writer(int fd)
{
	int spare[2], answer;
	ssize_t n;

	if (pipe2(spare, O_CLOEXEC) == -1)
		return read_nothing(fd, -errno);
	n = tee(fd, spare[1], 1, SPLICE_F_NONBLOCK);
	answer = n == -1 && errno != EAGAIN ? -errno : n != 0;
	(void)close(spare[0]);
	(void)close(spare[1]);
	return answer < 0 ? read_nothing(fd, answer) : answer;
}

#else

int
peer_has_writer(int fd)
{
	(void)fd;
	return -ENOSYS;
}

#endif

#ifdef KEVENT_COUNTS_FIFOS

/* poll(2) of NetBSD 9.1 reports no hangup of a FIFO: EV_EOF, and ENXIO. */
bool
peer_writers_gone(int fd)
{
	struct kevent event;

	return kernel_read_event(fd, &event) && (event.flags & EV_EOF) != 0;
}

bool
peer_readers_gone(int fd, const char *path)
{
	int end = peer_reopen(fd, path, O_WRONLY);

	if (end >= 0)
		(void)close(end);
	return end == -ENXIO;
}

#else

/* With no events asked for. */
static bool
poll_says(int fd, short condition)
{
	struct pollfd p = { fd, 0, 0 };

	return poll(&p, 1, 0) == 1 && (p.revents & condition) != 0;
}

bool
peer_writers_gone(int fd)
{
	return poll_says(fd, POLLHUP);
}

/* Linux says POLLERR, the BSDs POLLHUP. */
bool
peer_readers_gone(int fd, const char *path)
{
	(void)path;
	return poll_says(fd, POLLERR | POLLHUP);
}

#endif

int
peer_learn_writer(int fd, const char *path)
{
	int answer = peer_has_writer(fd), end;

	if (answer != -ENOSYS)
		return answer;
	end = peer_reopen(fd, path, O_WRONLY);
	if (end < 0)
		return end;
	(void)close(end);
	/* asked last: a writer may have come, written and gone */
	return !peer_writers_gone(fd) || kernel_unread(fd) != 0;
}

#ifdef KEVENT_SEES_WRITES

int
peer_moves(int fd)
{
	const struct timespec now = { 0, 0 };
	struct kevent change, event;
	int queue = kqueue();

	if (queue == -1)
		return -errno;
	(void)fcntl(queue, F_SETFD, FD_CLOEXEC);
	EV_SET(&change, (uintptr_t)fd, EVFILT_WRITE, EV_ADD | EV_CLEAR, 0, 0,
	    0);
	/* the event of a knote that is new says only that there is room */
	(void)kevent(queue, &change, 1, &event, 1, &now);
	return queue;
}

bool
peer_moved(int moves)
{
	const struct timespec now = { 0, 0 };
	struct kevent event;

	return moves >= 0 && kevent(moves, NULL, 0, &event, 1, &now) == 1 &&
	    (event.flags & EV_EOF) == 0;
}

#else

int
peer_moves(int fd)
{
	(void)fd;
	return -ENOSYS;
}

bool
peer_moved(int moves)
{
	(void)moves;
	return false;
}

#endif
