/* SPDX-License-Identifier: ISC */
/*
 * witness.c - a process that notes what its waits report, the same each time
 * unless who examines it has an effect.
 */
#include "peer.h"

#ifdef __linux__

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

/* What is waited for, by what it becomes ready, and how that is taken. */
struct thing {
	const char *name;
	void (*make)(struct thing *t);
	void (*trigger)(struct thing *t);
	void (*take)(struct thing *t);
	int in, out, inner;
	int instances[3]; /* of epoll: level, edge, oneshot */
};

static char buffer[4096];

static void
read_it(struct thing *t)
{
	if (read(t->in, buffer, sizeof buffer) <= 0)
		die(2, "%s: read", t->name);
}

static void
write_it(struct thing *t)
{
	put(t->out, "text");
}

static void
pipes(struct thing *t)
{
	int p[2];

	make_pipe(p);
	t->in = p[0];
	t->out = p[1];
}

static void
sockets(struct thing *t)
{
	int s[2];

	make_sockets(s, SOCK_STREAM);
	t->in = s[0];
	t->out = s[1];
}

static void
ptys(struct thing *t)
{
	struct termios modes;
	int p[2];

	make_pty(p);
	t->out = p[0];
	t->in = p[1];
	if (tcgetattr(t->in, &modes) == -1)
		die(2, "tcgetattr");
	cfmakeraw(&modes);
	tcsetattr(t->in, TCSANOW, &modes);
}

static void
counters(struct thing *t)
{
	t->in = move(eventfd(0, EFD_CLOEXEC));
}

static void
count(struct thing *t)
{
	uint64_t one = 1;

	if (write(t->in, &one, sizeof one) != sizeof one)
		die(2, "eventfd");
}

static void
timers(struct thing *t)
{
	t->in = move(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
}

static void
expire(struct thing *t)
{
	struct itimerspec soon = { .it_value.tv_nsec = 1 };

	timerfd_settime(t->in, 0, &soon, NULL);
}

static void
signals(struct thing *t)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	t->in = move(signalfd(-1, &set, SFD_CLOEXEC));
}

static void
send_signal(struct thing *t)
{
	(void)t;
	raise(SIGUSR1);
}

static void
watches(struct thing *t)
{
	t->out = move(
	    open("witness.file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	t->in = move(inotify_init1(IN_CLOEXEC));
	if (inotify_add_watch(t->in, "witness.file", IN_MODIFY) == -1)
		die(2, "inotify_add_watch");
}

static void
instance_in_instance(struct thing *t)
{
	struct epoll_event event = { .events = EPOLLIN };

	pipes(t);
	t->inner = t->in;
	t->in = move(epoll_create1(EPOLL_CLOEXEC));
	epoll_ctl(t->in, EPOLL_CTL_ADD, t->inner, &event);
}

static void
take_inner(struct thing *t)
{
	struct epoll_event event;

	if (epoll_wait(t->in, &event, 1, 0) != 1 ||
	    read(t->inner, buffer, sizeof buffer) <= 0)
		die(2, "the inner instance");
}

static struct thing things[] = {
	{ .name = "pipe", .make = pipes, .trigger = write_it, .take = read_it },
	{ .name = "unix",
	    .make = sockets,
	    .trigger = write_it,
	    .take = read_it },
	{ .name = "terminal",
	    .make = ptys,
	    .trigger = write_it,
	    .take = read_it },
	{ .name = "eventfd",
	    .make = counters,
	    .trigger = count,
	    .take = read_it },
	{ .name = "timerfd",
	    .make = timers,
	    .trigger = expire,
	    .take = read_it },
	{ .name = "signalfd",
	    .make = signals,
	    .trigger = send_signal,
	    .take = read_it },
	{ .name = "inotify",
	    .make = watches,
	    .trigger = write_it,
	    .take = read_it },
	{ .name = "epoll",
	    .make = instance_in_instance,
	    .trigger = write_it,
	    .take = take_inner },
};

static const uint32_t modes[3] = { EPOLLIN, EPOLLIN | EPOLLET,
	EPOLLIN | EPOLLONESHOT };

static int
instance(struct thing *t, uint32_t events)
{
	struct epoll_event event = { .events = events };
	int epoll = move(epoll_create1(EPOLL_CLOEXEC));

	if (epoll == -1 || epoll_ctl(epoll, EPOLL_CTL_ADD, t->in, &event) == -1)
		die(2, "%s: epoll", t->name);
	return epoll;
}

/* What poll and the instances report, in at most that time. */
static void
note(struct thing *t, int timeout)
{
	struct pollfd p = { t->in, POLLIN, 0 };
	struct epoll_event event;

	printf(" %d", poll(&p, 1, timeout) == 1 ? p.revents : 0);
	for (size_t i = 0; i < NITEMS(modes); i++) {
		event.events = 0;
		epoll_wait(t->instances[i], &event, 1, timeout);
		printf(" %u", event.events);
	}
}

static void
round_of(struct thing *t)
{
	struct epoll_event event = { .events = modes[2] };

	printf("%s", t->name);
	t->trigger(t);
	note(t, 1000);
	t->take(t);
	epoll_ctl(t->instances[2], EPOLL_CTL_MOD, t->in, &event);
	note(t, 0);
	putchar('\n');
}

int
cmd_witness(char **argv)
{
	long rounds = (long)number(argv[0], 1000000000);

	high = 20;
#ifdef PR_SET_PTRACER
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
#endif
	for (size_t i = 0; i < NITEMS(things); i++) {
		things[i].make(&things[i]);
		for (size_t j = 0; j < NITEMS(modes); j++)
			things[i].instances[j] = instance(&things[i], modes[j]);
	}
	while (rounds-- > 0) {
		for (size_t i = 0; i < NITEMS(things); i++)
			round_of(&things[i]);
		nap(100000);
	}
	return 0;
}

#else

int
cmd_witness(char **argv)
{
	(void)argv;
	return ABSENT;
}

#endif
