/* SPDX-License-Identifier: ISC */
/* owner.c - a process whose descriptors pmux inspects. */
#include "peer.h"

#ifdef __linux__
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#endif

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * At the first SIGUSR2, add a signalfd to instance EPOLL and raise its signal.
 * At the second, return 0 if EPOLL still reports it.
 */
static int
gains_entry(int epoll)
{
#ifdef __linux__
	struct epoll_event event = { .events = EPOLLIN };
	sigset_t set, order;
	int number;

	sigemptyset(&order);
	sigaddset(&order, SIGUSR2);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigwait(&order, &number);
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, signalfd(-1, &set, 0), &event) ==
	    -1)
		die(2, "epoll_ctl");
	raise(SIGUSR1);
	sigwait(&order, &number);
	return epoll_wait(epoll, &event, 1, 0) != 1;
#else
	return epoll;
#endif
}

int
cmd_owner(char **argv)
{
	sigset_t set;
	FILE *f;

#if defined(__linux__) && defined(PR_SET_PTRACER)
	/* Yama permits only ancestors otherwise */
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
#endif
	/* SIGUSR2 may come before sigwait */
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if ((f = fopen(argv[0], "w")) == NULL)
		die(1, "%s", argv[0]);
	fprintf(f, "%ld\n", (long)getpid());
	if (fclose(f) == EOF)
		die(1, "%s", argv[0]);
	if (argv[1] != NULL)
		return gains_entry(atoi(argv[1]));
	for (;;)
		pause();
}
