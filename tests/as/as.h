/* SPDX-License-Identifier: ISC */
/*
 * as.h - a Linux that answers as a BSD: compiled into a pmux for the tests, see
 * scripts/as.  Included before each file; AS_FREEBSD or AS_NETBSD is defined.
 *
 * What a BSD lacks is not declared, and questions about a FIFO or a message are
 * answered as FreeBSD 12.3 and NetBSD 9.1 answered them:
 *
 *			FreeBSD			NetBSD
 *	FIONREAD	0 at a write end	0 at a write end, and at an end
 *						that reads and writes
 *	poll(2), no	POLLHUP at both ends	never anything, but of a pipe
 *	events asked				as Linux
 *	fstat(2)	mtime and atime stay	as Linux
 *	EVFILT_WRITE,	comes when others	as src/kq
 *	EV_CLEAR	wrote or read
 *	recvmsg(2) of	MSG_TRUNC		MSG_TRUNC
 *	an empty message
 *	into no bytes
 *
 * The commands still ask poll(2) and the others themselves.
 */
#ifndef AS_H
#define AS_H

#include <sys/types.h>
#include <sys/event.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <poll.h>

#undef __linux__
#ifdef AS_NETBSD
#define KEVENT_COUNTS_FIFOS 1
#else
#define KEVENT_SEES_WRITES 1
#endif
#undef F_OFD_GETLK
#undef F_OFD_SETLK
#undef F_OFD_SETLKW
#undef O_PATH

int as_fstat(int fd, struct stat *st);
int as_ioctl(int fd, unsigned long request, ...);
int as_kevent(int queue, const struct kevent *changes, int change_count,
    struct kevent *events, int event_count, const struct timespec *timeout);
int as_poll(struct pollfd *list, nfds_t count, int ms);
ssize_t as_recvmsg(int fd, struct msghdr *message, int flags);

#ifndef AS_ITSELF
#define fstat(fd, st) as_fstat(fd, st)
#define ioctl as_ioctl
#define kevent(queue, changes, change_count, events, event_count, timeout) \
	as_kevent(queue, changes, change_count, events, event_count, timeout)
#define poll(list, count, ms) as_poll(list, count, ms)
#define recvmsg(fd, message, flags) as_recvmsg(fd, message, flags)
#endif

#endif
