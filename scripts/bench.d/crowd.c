/* SPDX-License-Identifier: ISC */
/*
 * crowd -p PROCESSES DESCRIPTORS: start so many processes, each with so many
 * descriptors: pipes, pairs of sockets, eventfds and a device.  Each waits with
 * poll(2) for a socket, the other end of which its parent has.
 *
 * crowd -a PROCESSES DESCRIPTORS: each waits for an eventfd.
 *
 * crowd -e REGISTRATIONS: have an epoll instance with so many, of pipes, as
 * descriptor 10.
 *
 * The process ID of the first is written to standard output when all is there,
 * which stays until crowd is ended.
 */
#define _GNU_SOURCE
#include <sys/types.h>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EPOLL 10

static void
raise_limit(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		err(1, "getrlimit");
	rl.rlim_cur = rl.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &rl) == -1)
		err(1, "setrlimit");
}

/* The first of the two is always there. */
static int
make(int index, int fds[2])
{
	fds[1] = -1;
	switch (index % 4) {
	case 0:
		return pipe(fds);
	case 1:
		return socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
	case 2:
		return fds[0] = eventfd(0, 0);
	default:
		return fds[0] = open("/dev/null", O_RDWR);
	}
}

/* Wait for HOLD, the other end of which the parent has, or alone. */
static void
live(int descriptors, int hold, int alone)
{
	struct pollfd wanted = { hold, POLLIN, 0 };
	int fds[2];

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1)
		err(1, "prctl");
	/* three are inherited */
	for (int made = 4, i = 0; made < descriptors; i++) {
		if (make(i, fds) == -1)
			err(1, "descriptor %d", made);
		made += fds[1] == -1 ? 1 : 2;
		if (made > descriptors)
			close(fds[1]);
	}
	if (write(hold, "x", 1) != 1)
		err(1, "write");
	if (alone && (wanted.fd = eventfd(0, 0)) == -1)
		err(1, "eventfd");
	poll(&wanted, 1, -1);
	_exit(0);
}

static pid_t
start(int descriptors, int alone)
{
	int ends[2];
	pid_t pid;
	char byte;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == -1 ||
	    (pid = fork()) == -1)
		err(1, "a process");
	if (pid == 0) {
		close_range(3, (unsigned)ends[1] - 1, 0);
		live(descriptors, ends[1], alone);
	}
	close(ends[1]);
	if (read(ends[0], &byte, 1) != 1)
		errx(1, "a process has ended");
	return pid;
}

static void
make_crowd(int processes, int descriptors, int alone)
{
	pid_t first = start(descriptors, alone);

	for (int i = 1; i < processes; i++)
		start(descriptors, alone);
	printf("%ld\n", (long)first);
}

/* Both ends of each pipe, of which none is ready. */
static void
make_registrations(int count)
{
	int fds[2], made = epoll_create1(0), epoll = dup2(made, EPOLL);

	if (epoll == -1 || close(made) == -1)
		err(1, "epoll_create1");
	for (int i = 0; i < count; i++) {
		struct epoll_event event = { .events = EPOLLIN };

		if (i % 2 == 0 && pipe(fds) == -1)
			err(1, "registration %d", i);
		event.data.fd = fds[i % 2];
		if (epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i % 2], &event) == -1)
			err(1, "epoll_ctl");
	}
	printf("%ld\n", (long)getpid());
}

int
main(int argc, char *argv[])
{
	if (argc < 3)
		errx(2, "at least two arguments");
	raise_limit();
	if (argc == 3)
		make_registrations(atoi(argv[2]));
	else
		make_crowd(atoi(argv[2]), atoi(argv[3]),
		    strcmp(argv[1], "-a") == 0);
	fflush(stdout);
	for (;;)
		pause();
}
