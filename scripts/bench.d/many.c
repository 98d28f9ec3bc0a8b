/* SPDX-License-Identifier: ISC */
/*
 * many poll|epoll|kqueue FILE: wait for the descriptors whose numbers stand in
 * FILE, one a line, and print those that are ready: the reference of
 * scripts/bench for many descriptors in one call.  kqueue needs -DKQUEUE.
 */
#include <sys/epoll.h>
#ifdef KQUEUE
#include <sys/event.h>
#endif

#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int *fds;
static size_t nfds;

static void *
grow(void *p, size_t size)
{
	void *q = realloc(p, size);

	if (q == NULL)
		err(3, NULL);
	return q;
}

static void
read_numbers(const char *path)
{
	char *buf = NULL, *p, *end;
	size_t have = 0, room = 0;
	ssize_t n;
	int fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		err(3, "%s", path);
	do {
		if (room - have < 65536) {
			room += 65536;
			buf = grow(buf, room + 1);
		}
		if ((n = read(fd, buf + have, room - have)) == -1)
			err(3, "%s", path);
		have += (size_t)n;
	} while (n > 0);
	close(fd);
	buf[have] = '\0';

	for (p = buf; *p != '\0'; p = end + 1) {
		if (nfds % 1024 == 0)
			fds = grow(fds, (nfds + 1024) * sizeof(*fds));
		fds[nfds++] = (int)strtol(p, &end, 10);
		if (end == p || *end != '\n')
			errx(2, "%s: not a number", path);
	}
	free(buf);
}

static void
with_poll(void)
{
	struct pollfd *set;
	size_t i;

	if ((set = calloc(nfds, sizeof(*set))) == NULL)
		err(3, NULL);
	for (i = 0; i < nfds; i++) {
		set[i].fd = fds[i];
		set[i].events = POLLIN;
	}
	if (poll(set, (nfds_t)nfds, -1) == -1)
		err(3, "poll");
	for (i = 0; i < nfds; i++)
		if (set[i].revents != 0)
			printf("%s\t%d\n",
			    set[i].revents & POLLIN ? "in" : "hup", set[i].fd);
}

static void
with_epoll(void)
{
	struct epoll_event ev, *got;
	int ep, i, n;

	if ((got = calloc(nfds, sizeof(*got))) == NULL)
		err(3, NULL);
	if ((ep = epoll_create1(EPOLL_CLOEXEC)) == -1)
		err(3, "epoll_create1");
	for (i = 0; i < (int)nfds; i++) {
		ev.events = EPOLLIN;
		ev.data.u64 = (uint64_t)i;
		if (epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &ev) == -1)
			err(3, "epoll_ctl: %d", fds[i]);
	}
	if ((n = epoll_wait(ep, got, (int)nfds, -1)) == -1)
		err(3, "epoll_wait");
	for (i = 0; i < n; i++)
		printf("%s\t%d\n", got[i].events & EPOLLIN ? "in" : "hup",
		    fds[got[i].data.u64]);
}

#ifdef KQUEUE
static void
with_kqueue(void)
{
	struct kevent ev, *got;
	int kq, i, n;

	if ((got = calloc(nfds, sizeof(*got))) == NULL)
		err(3, NULL);
	if ((kq = kqueue()) == -1)
		err(3, "kqueue");
	for (i = 0; i < (int)nfds; i++) {
		EV_SET(&ev, fds[i], EVFILT_READ, EV_ADD, 0, 0, NULL);
		if (kevent(kq, &ev, 1, NULL, 0, NULL) == -1)
			err(3, "kevent: %d", fds[i]);
	}
	if ((n = kevent(kq, NULL, 0, got, (int)nfds, NULL)) == -1)
		err(3, "kevent");
	for (i = 0; i < n; i++)
		printf("read\t%ld\t%d\n", (long)got[i].data, (int)got[i].ident);
}
#endif

int
main(int argc, char *argv[])
{
	if (argc != 3)
		errx(2, "usage: many poll|epoll|kqueue FILE");
	read_numbers(argv[2]);
	if (strcmp(argv[1], "epoll") == 0)
		with_epoll();
#ifdef KQUEUE
	else if (strcmp(argv[1], "kqueue") == 0)
		with_kqueue();
#endif
	else
		with_poll();
	return 0;
}
