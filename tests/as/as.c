/* SPDX-License-Identifier: ISC */
/*
 * as.c - the answers of a BSD's kernel, see as.h.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#define AS_ITSELF
#include "as.h"

#include <linux/magic.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/vfs.h>

#ifdef AS_NETBSD
#define NETBSD true
#else
#define NETBSD false
#endif

/* Whether FD is an end of a FIFO, in the modes of *FLAGS (open(2)). */
static bool
is_fifo(int fd, int *flags)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) &&
	    (*flags = fcntl(fd, F_GETFL)) != -1;
}

/* Whether FD is an end of a pipe without a name. */
static bool
is_pipe(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == PIPEFS_MAGIC;
}

int
as_ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;
	void *argument;
	int flags;

	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	if (request == FIONREAD && is_fifo(fd, &flags) &&
	    ((flags & O_ACCMODE) == O_WRONLY ||
		(NETBSD && (flags & O_ACCMODE) == O_RDWR))) {
		*(int *)argument = 0;
		return 0;
	}
	return ioctl(fd, request, argument);
}

int
as_poll(struct pollfd *list, nfds_t count, int ms)
{
	int n = poll(list, count, ms), flags;

	if (n != 1 || count != 1 || list->events != 0 ||
	    !is_fifo(list->fd, &flags))
		return n;
	if (!NETBSD && list->revents == POLLERR)
		list->revents = POLLHUP;
	if (NETBSD && !is_pipe(list->fd))
		list->revents = 0;
	return list->revents != 0;
}

int
as_fstat(int fd, struct stat *st)
{
	int answer = fstat(fd, st);

	if (!NETBSD && answer == 0 && S_ISFIFO(st->st_mode)) {
		memset(&st->st_atim, 0, sizeof st->st_atim);
		memset(&st->st_mtim, 0, sizeof st->st_mtim);
	}
	return answer;
}

ssize_t
as_recvmsg(int fd, struct msghdr *message, int flags)
{
	ssize_t n = recvmsg(fd, message, flags);

	if (n == 0 && message->msg_iov->iov_len == 0)
		message->msg_flags |= MSG_TRUNC;
	return n;
}

/* A knote at a write end of QUEUE less 1; 0: none. */
static struct knote {
	int queue, fd;
	void *udata;
	struct timespec read, written;
} knotes[64];

#define KNOTES (sizeof knotes / sizeof *knotes)

/* Whether bytes were moved since K was asked the last time. */
static bool
has_moved(struct knote *k)
{
	struct knote old = *k;
	struct stat st;

	if (fstat(k->fd, &st) == -1)
		return false;
	k->read = st.st_atim;
	k->written = st.st_mtim;
	return memcmp(k, &old, sizeof old) != 0;
}

static void
add(int queue, int fd, void *udata)
{
	for (size_t i = 0; i < KNOTES; i++)
		if (knotes[i].queue == 0 ||
		    (knotes[i].queue == queue + 1 && knotes[i].fd == fd)) {
			knotes[i].queue = queue + 1;
			knotes[i].fd = fd;
			knotes[i].udata = udata;
			(void)has_moved(&knotes[i]);
			return;
		}
}

static int
find_moved(int queue, struct kevent *event)
{
	for (size_t i = 0; i < KNOTES; i++)
		if (knotes[i].queue == queue + 1 && has_moved(&knotes[i])) {
			EV_SET(event, (uintptr_t)knotes[i].fd, EVFILT_WRITE,
			    EV_CLEAR, 0, 1, knotes[i].udata);
			return 1;
		}
	return 0;
}

int
as_kevent(int queue, const struct kevent *changes, int change_count,
    struct kevent *events, int event_count, const struct timespec *timeout)
{
	int n = kevent(queue, changes, change_count, events, event_count,
		timeout),
	    flags;

	for (int i = 0; !NETBSD && n >= 0 && i < change_count; i++)
		if (changes[i].filter == EVFILT_WRITE &&
		    (changes[i].flags & EV_CLEAR) != 0 &&
		    is_fifo((int)changes[i].ident, &flags))
			add(queue, (int)changes[i].ident, changes[i].udata);
	return n == 0 && event_count > 0 ? find_moved(queue, events) : n;
}
