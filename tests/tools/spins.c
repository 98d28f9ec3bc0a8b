/* SPDX-License-Identifier: ISC */
/*
 * spins.c - a program that waits, for tests of what is seen of it.
 *
 *	spins METHOD ROUNDS
 *
 * Waits ROUNDS times, 0: for ever.  Descriptor 20 is a pipe with a byte that is
 * never read; into 21 a byte is written in each round, and read when it is
 * reported.
 */
#include "config.h"

#include <sys/types.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef HAVE_EPOLL_CREATE1
#include <sys/epoll.h>
#endif

enum {
	NEVER = 20,
	READ,
	STALE,
	LISTENER,
	FEEDER,
	KEPT
};

static char *self;
static unsigned long rounds, done;

static void
must(int good)
{
	if (good)
		return;
	perror("spins");
	exit(1);
}

static void
place(int fd, int number)
{
	must(dup2(fd, number) == number);
	(void)close(fd);
}

/* A pipe to be read at NUMBER.  Returns its write end. */
static int
make_pipe(int number)
{
	int ends[2];

	must(pipe(ends) == 0);
	place(ends[0], number);
	return ends[1];
}

static void
prepare(void)
{
	int never = make_pipe(NEVER);

	must(write(never, "x", 1) == 1);
	place(make_pipe(READ), FEEDER);
}

static int
again(void)
{
	return rounds == 0 || done++ < rounds;
}

static void
feed(void)
{
	must(write(FEEDER, "x", 1) == 1);
}

static void
take(int fd)
{
	char byte;

	if (fd == READ)
		must(read(READ, &byte, 1) == 1);
}

static void
by_poll(void)
{
	struct pollfd p[] = { { NEVER, POLLIN, 0 }, { READ, POLLIN, 0 } };

	while (again()) {
		feed();
		if (poll(p, 2, -1) > 0)
			take(READ);
	}
}

static void
by_select(void)
{
	fd_set in;

	while (again()) {
		feed();
		FD_ZERO(&in);
		FD_SET(NEVER, &in);
		FD_SET(READ, &in);
		if (select(READ + 1, &in, NULL, NULL, NULL) > 0)
			take(READ);
	}
}

static void
by_timeout(void)
{
	while (again())
		(void)poll(NULL, 0, 0);
}

/* Another thread reads. */
static int pass[2];

static void *
work(void *argument)
{
	char byte;

	while (read(pass[0], &byte, 1) == 1)
		take(READ);
	return argument;
}

static void
by_thread(void)
{
	struct pollfd p = { READ, POLLIN, 0 };
	pthread_t thread;

	must(pipe(pass) == 0);
	must(pthread_create(&thread, NULL, work, NULL) == 0);
	while (again()) {
		feed();
		if (poll(&p, 1, -1) > 0)
			must(write(pass[1], "x", 1) == 1);
	}
	(void)close(pass[1]);
	(void)pthread_join(thread, NULL);
}

static void *
nap(void *argument)
{
	for (;;)
		(void)pause();
	return argument;
}

/* The last of very many threads waits for NEVER, by select(2). */
static void *
select_never(void *argument)
{
	fd_set set;

	for (;;) {
		FD_ZERO(&set);
		FD_SET(NEVER, &set);
		(void)select(NEVER + 1, NULL, NULL, &set, NULL);
	}
	return argument;
}

static void
by_many(void)
{
	pthread_t thread;

	for (int i = 0; i < 100; i++)
		must(pthread_create(&thread, NULL, nap, NULL) == 0);
	must(pthread_create(&thread, NULL, select_never, NULL) == 0);
	(void)nap(NULL);
}

static void
by_fork(void)
{
	pid_t child = fork();

	if (child == 0) {
		by_poll();
		_exit(0);
	}
	must(waitpid(child, NULL, 0) == child);
}

static void
by_exec(void)
{
	char text[24];

	(void)snprintf(text, sizeof text, "%lu", rounds);
	by_poll();
	(void)execlp(self, self, "poll", text, (char *)NULL);
	must(0);
}

static void
accept_in_vain(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX,
		.sun_path = "spins.socket" };
	struct rlimit limit = { KEPT + 1, KEPT + 1 };
	struct pollfd p = { LISTENER, POLLIN, 0 };
	int client = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)unlink(name.sun_path);
	place(socket(AF_UNIX, SOCK_STREAM, 0), LISTENER);
	must(bind(LISTENER, (struct sockaddr *)&name, sizeof name) == 0);
	must(listen(LISTENER, 1) == 0);
	must(connect(client, (struct sockaddr *)&name, sizeof name) == 0);
	must(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	while (dup(client) != -1)
		;
	while (again())
		if (poll(&p, 1, -1) > 0)
			must(accept(LISTENER, NULL, NULL) == -1);
}

#ifdef HAVE_EPOLL_CREATE1

static int epoll = -1;
static int entries[KEPT + 1];

static void
enter(int fd, uint64_t data)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = data };

	must(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
}

static void
run_epoll(int (*number)(uint64_t data))
{
	struct epoll_event events[4];
	int n;

	while (again()) {
		feed();
		n = epoll_wait(epoll, events, 4, -1);
		for (int i = 0; i < n; i++)
			take(number(events[i].data.u64));
	}
}

static int
plainly(uint64_t data)
{
	return (int)data;
}

static int
by_pointer(uint64_t data)
{
	return *(int *)(uintptr_t)data;
}

static int
both(uint64_t data)
{
	(void)data;
	return READ;
}

static void
by_epoll(void)
{
	enter(NEVER, NEVER);
	enter(READ, READ);
	run_epoll(plainly);
}

static void
by_address(void)
{
	for (int fd = NEVER; fd <= READ; fd++) {
		entries[fd] = fd;
		enter(fd, (uintptr_t)&entries[fd]);
	}
	run_epoll(by_pointer);
}

/* Two entries have the same data, and it is never said which is meant. */
static void
by_one(void)
{
	struct epoll_event events[4];

	enter(NEVER, 7);
	enter(READ, 7);
	while (again())
		if (epoll_wait(epoll, events, 4, -1) > 0)
			(void)both(7);
}

/* An entry whose descriptor was closed, and whose file is open. */
static void
by_stale(void)
{
	int never = make_pipe(STALE);

	must(write(never, "x", 1) == 1);
	must(dup2(STALE, KEPT) == KEPT);
	enter(STALE, STALE);
	enter(READ, READ);
	must(close(STALE) == 0);
	run_epoll(plainly);
}

/* A byte is not read, of which an edge was reported. */
static void
by_edge(void)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET,
		.data.fd = READ };

	must(epoll_ctl(epoll, EPOLL_CTL_ADD, READ, &event) == 0);
	feed();
	while (again())
		(void)epoll_wait(epoll, &event, 1, -1);
}

/* Each byte is read, and is a new edge. */
static void
by_edges(void)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET,
		.data.u64 = READ };

	must(epoll_ctl(epoll, EPOLL_CTL_ADD, READ, &event) == 0);
	run_epoll(plainly);
}

/* Nothing comes. */
static void
for_nothing(void)
{
	struct epoll_event event;

	while (again())
		(void)epoll_wait(epoll, &event, 1, -1);
}

#endif

static const struct {
	const char *name;
	void (*run)(void);
} methods[] = {
	{ "poll", by_poll },
	{ "select", by_select },
	{ "timeout", by_timeout },
	{ "thread", by_thread },
	{ "many", by_many },
	{ "fork", by_fork },
	{ "exec", by_exec },
	{ "accept", accept_in_vain },
#ifdef HAVE_EPOLL_CREATE1
	{ "epoll", by_epoll },
	{ "pointer", by_address },
	{ "one", by_one },
	{ "stale", by_stale },
	{ "edge", by_edge },
	{ "edges", by_edges },
	{ "nothing", for_nothing },
#endif
};

int
main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	self = argv[0];
	rounds = strtoul(argv[2], NULL, 10);
	prepare();
#ifdef HAVE_EPOLL_CREATE1
	epoll = epoll_create1(0);
#endif
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (strcmp(methods[i].name, argv[1]) == 0) {
			methods[i].run();
			return 0;
		}
	return 2;
}
