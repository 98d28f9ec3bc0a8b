/* SPDX-License-Identifier: ISC */
/* closer.c - a process that closes what its epoll instance watches. */
#include "peer.h"

#ifdef __linux__
#include <sys/epoll.h>
#include <sys/prctl.h>
#endif

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#ifdef __linux__
/* How often EPOLL reports something in the next 0.1 s. */
static long
count_reports(int epoll)
{
	struct epoll_event event;
	long count = 0;

	for (int left = 1000; left > 0; left--) {
		while (count < 100000 && epoll_wait(epoll, &event, 1, 0) == 1)
			count++;
		nap(100000);
	}
	return count;
}
#endif

/*
 * Register descriptor N, level-triggered, and write the process id into FILE.
 * At SIGUSR2 close N, and print how often it is reported nevertheless.
 */
int
cmd_closer(char **argv)
{
#ifdef __linux__
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT };
	int fd = (int)number(argv[1], INT_MAX), epoll = epoll_create1(0), which;
	sigset_t order;
	FILE *f;

	sigemptyset(&order);
	sigaddset(&order, SIGUSR2);
	sigprocmask(SIG_BLOCK, &order, NULL);
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == -1)
		die(2, "epoll_ctl");
	if ((f = fopen(argv[0], "w")) == NULL)
		die(1, "%s", argv[0]);
	fprintf(f, "%ld\n", (long)getpid());
	fclose(f);
	sigwait(&order, &which);
	close(fd);
	printf("%ld\n", count_reports(epoll));
	return 0;
#else
	(void)argv;
	die(ABSENT, "no epoll(7)");
#endif
}
