/* SPDX-License-Identifier: ISC */
/* own.c - what a process was given by the one that executed it. */
#include "peer.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

/* No test opens one of a higher number. */
#define DESCRIPTORS 1024

#define SIGNALS 65

int
cmd_descriptors(char **argv)
{
	(void)argv;
	for (int fd = 0; fd < DESCRIPTORS; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			printf("%d\n", fd);
	return 0;
}

int
cmd_signals(char **argv)
{
	struct sigaction action;
	sigset_t blocked;

	(void)argv;
	sigprocmask(SIG_SETMASK, NULL, &blocked);
	for (int number = 1; number < SIGNALS; number++) {
		if (sigismember(&blocked, number) == 1)
			printf("%d blocked\n", number);
		if (sigaction(number, NULL, &action) == 0 &&
		    action.sa_handler == SIG_IGN)
			printf("%d ignored\n", number);
	}
	return 0;
}

int
cmd_flags(char **argv)
{
	int flags = fcntl((int)number(argv[0], INT32_MAX), F_GETFL);

	if (flags == -1)
		die(1, "F_GETFL");
	printf("flags %#o%s\n", (unsigned)flags,
	    (flags & O_NONBLOCK) != 0 ? " nonblocking" : "");
	return 0;
}

/* The flags of fcntl(2), F_SETFL, are those of the open file description. */
int
cmd_same(char **argv)
{
	int one = (int)number(argv[0], INT32_MAX),
	    other = (int)number(argv[1], INT32_MAX), before, after;

	before = fcntl(one, F_GETFL);
	if (before == -1 || fcntl(other, F_GETFL) != before)
		return 1;
	if (fcntl(one, F_SETFL, before ^ O_NONBLOCK) == -1)
		die(1, "F_SETFL");
	after = fcntl(other, F_GETFL);
	(void)fcntl(one, F_SETFL, before);
	return after != (before ^ O_NONBLOCK);
}
