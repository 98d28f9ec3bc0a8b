/* SPDX-License-Identifier: ISC */
/* descriptor.c - functions for all states. */
#include "peer.h"

#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

int high = 3;

int
move(int fd)
{
	int to;

	if (fd == -1)
		die(ABSENT, "cannot be made");
	if ((to = fcntl(fd, F_DUPFD_CLOEXEC, high)) == -1)
		die(ABSENT, "F_DUPFD_CLOEXEC");
	/* see fdplace_copy of pmux */
	(void)fcntl(to, F_SETFD, FD_CLOEXEC);
	close(fd);
	return to;
}

void
move_pair(int p[2], int result)
{
	if (result == -1)
		die(ABSENT, "cannot be made");
	p[0] = move(p[0]);
	p[1] = move(p[1]);
}

void
make_pipe(int p[2])
{
	move_pair(p, pipe(p));
}

void
make_sockets(int s[2], int type)
{
	move_pair(s, socketpair(AF_UNIX, type, 0, s));
}

void
until(int fd, int events)
{
	struct pollfd p;

	p.fd = fd;
	p.events = (short)events;
	p.revents = 0;
	while (poll(&p, 1, -1) == -1)
		if (errno != EINTR)
			die(1, "poll");
}

void
put(int fd, const char *s)
{
	if (write(fd, s, strlen(s)) != (ssize_t)strlen(s))
		die(1, "write");
}

int
nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags == -1 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1)
		die(1, "O_NONBLOCK");
	return flags;
}

void
fill(int fd)
{
	static char bytes[4096];
	int flags = nonblocking(fd);

	for (size_t size = sizeof bytes; size > 0; size = size > 1 ? 1 : 0)
		while (write(fd, bytes, size) != -1)
			continue;
	if (errno != EAGAIN && errno != ENOBUFS)
		die(1, "write");
	fcntl(fd, F_SETFL, flags);
}

void
drain(int fd)
{
	char bytes[4096];
	int flags = nonblocking(fd);

	while (read(fd, bytes, sizeof bytes) > 0)
		continue;
	fcntl(fd, F_SETFL, flags);
}
