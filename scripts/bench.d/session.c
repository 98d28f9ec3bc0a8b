/* SPDX-License-Identifier: ISC */
/*
 * What a program in C takes to answer the requests of a pmux session, if it
 * does no more for each than one epoll_wait(): the reference of scripts/bench.
 */
#include <sys/epoll.h>

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int ep;

static int
answer(const char *request, char *reply, size_t room)
{
	struct epoll_event ev[64];
	int i, len = 0, n;

	if (strncmp(request, "register ", 9) == 0) {
		ev[0].events = EPOLLIN;
		ev[0].data.fd = (int)strtol(request + 9, NULL, 10);
		if (epoll_ctl(ep, EPOLL_CTL_ADD, ev[0].data.fd, ev) == -1)
			err(3, "epoll_ctl");
		return snprintf(reply, room, "ok\n");
	}
	if ((n = epoll_wait(ep, ev, 64, 0)) == -1)
		err(3, "epoll_wait");
	for (i = 0; i < n; i++)
		len += snprintf(reply + len, room - (size_t)len,
		    "event\t%s\t%d\n", ev[i].events & EPOLLIN ? "in" : "hup",
		    ev[i].data.fd);
	return len + snprintf(reply + len, room - (size_t)len, "ok %d\n", n);
}

int
main(void)
{
	char request[4096], reply[4096];
	ssize_t n;
	int len;

	if ((ep = epoll_create1(EPOLL_CLOEXEC)) == -1)
		err(3, "epoll_create1");
	len = snprintf(reply, sizeof(reply), "ready %ld\n", (long)getpid());
	do {
		if (write(1, reply, (size_t)len) != len)
			err(3, "write");
		/* The driver sends a request once it has the answer. */
		if ((n = read(0, request, sizeof(request) - 1)) <= 0)
			break;
		request[n] = '\0';
		len = answer(request, reply, sizeof(reply));
	} while (len > 0);
	return n == 0 ? 0 : 3;
}
