/* SPDX-License-Identifier: ISC */
/*
 * traced ROUNDS: so often a byte is written into a pipe, reported by
 * epoll_wait(2), and read.
 *
 * traced: write the process ID to standard output, then every ten milliseconds
 * into one of the pipes that are descriptors 10 to 19, and read what is
 * reported, until it is ended.
 */
#include <sys/epoll.h>

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define FIRST 10
#define MANY 10

static int ends[MANY];

static void
make_pipes(int epoll)
{
	int fds[2];

	for (int i = 0; i < MANY; i++) {
		struct epoll_event event = { .events = EPOLLIN,
			.data.fd = FIRST + i };

		if (pipe(fds) == -1 ||
		    (ends[i] = fcntl(fds[1], F_DUPFD, FIRST + MANY)) == -1)
			err(1, "pipe");
		close(fds[1]);
		if (dup2(fds[0], FIRST + i) == -1)
			err(1, "dup2");
		close(fds[0]);
		if (epoll_ctl(epoll, EPOLL_CTL_ADD, FIRST + i, &event) == -1)
			err(1, "epoll_ctl");
	}
}

static void
turn(int epoll, long round)
{
	struct epoll_event event;
	char byte;

	if (write(ends[round % MANY], "x", 1) != 1)
		err(1, "write");
	if (epoll_wait(epoll, &event, 1, -1) != 1)
		err(1, "epoll_wait");
	if (read(event.data.fd, &byte, 1) != 1)
		err(1, "read");
}

int
main(int argc, char *argv[])
{
	const struct timespec pause = { 0, 10000000 };
	long rounds = argc > 1 ? atol(argv[1]) : 0;
	int epoll = fcntl(epoll_create1(0), F_DUPFD, FIRST + 2 * MANY);

	make_pipes(epoll);
	for (long i = 0; i < rounds; i++)
		turn(epoll, i);
	if (rounds > 0)
		return 0;
	printf("%ld\n", (long)getpid());
	fflush(stdout);
	for (long i = 0;; i++) {
		turn(epoll, i);
		nanosleep(&pause, NULL);
	}
}
