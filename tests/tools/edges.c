/* SPDX-License-Identifier: ISC */
/*
 * edges.c - edge-triggered programs that are correct, and a process that never
 * keeps still, for tests that pmux accuses neither.
 *
 *	edges COUNT
 *
 * Starts COUNT programs of the designs below in turn, prints the process id and
 * the design of each, a line each, and sends them input at random times until
 * its standard input ends.
 *
 *	edges churn ROUNDS
 *
 * Prints its process id; forks, runs programs, opens, closes and registers in an
 * epoll instance without pause, ROUNDS times.
 *
 *	edges closed
 *
 * Prints its process id, and waits until its standard input ends; nobody but
 * root may examine it.
 *
 *	edges asleep
 *
 * Prints its process id and sleeps in poll(2) of descriptor 10, a socket, which
 * is also 13; 12 is an epoll instance with an eventfd.  For each fact about it
 * another right is needed.
 *
 * Exit status 77: not on this system.
 */
#include "config.h"

#include <stdio.h>

#ifdef __linux__
#include <sys/types.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The ends of a program: what it reads from, and perhaps writes to. */
struct program {
	int in, out;
};

static int epoll;
static char buffer[65536];

static void
must(bool good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(1);
}

static void
sleep_ms(long ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

	(void)nanosleep(&time, NULL);
}

static void
add(int fd, uint32_t events)
{
	struct epoll_event e = { .events = events | EPOLLET, .data.fd = fd };

	must(fcntl(fd, F_SETFL, O_NONBLOCK) == 0, "fcntl");
	must(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) == 0, "epoll_ctl");
}

static int
await(void)
{
	struct epoll_event e;
	int n;

	do
		n = epoll_wait(epoll, &e, 1, -1);
	while (n == -1 && errno == EINTR);
	must(n == 1, "epoll_wait");
	return e.data.fd;
}

/* ---- designs ---- */

/* Reads until nothing is left. */
static void
drain(const struct program *p)
{
	add(p->in, EPOLLIN | EPOLLRDHUP);
	for (;;)
		for (int fd = await(); read(fd, buffer, 100) > 0;)
			;
}

/* Reads until less comes than fits. */
static void
until_short(const struct program *p)
{
	add(p->in, EPOLLIN | EPOLLOUT | EPOLLRDHUP);
	for (;;)
		for (int fd = await(); read(fd, buffer, 500) == 500;)
			;
}

/* Two threads; one works while the other waits. */
static void *
work(void *unused)
{
	for (;;) {
		int fd = await();

		sleep_ms(random() % 400);
		while (read(fd, buffer, 100) > 0)
			;
	}
	return unused;
}

static void
by_threads(const struct program *p)
{
	pthread_t thread;

	add(p->in, EPOLLIN);
	must(pthread_create(&thread, NULL, work, NULL) == 0, "thread");
	(void)work(NULL);
}

/* Never reads the counter that wakes it: each write of it is an edge. */
static void
by_counter(const struct program *p)
{
	int counter = eventfd(0, 0);
	uint64_t one = 1;

	add(counter, EPOLLIN);
	add(p->in, EPOLLIN);
	for (;;)
		if (await() == p->in) {
			while (read(p->in, buffer, 100) > 0)
				;
			must(write(counter, &one, sizeof one) > 0, "eventfd");
		}
}

/* Reads only what it can write on; otherwise waits until it can. */
static void
pass_on(const struct program *p)
{
	ssize_t length = 0, n;

	add(p->in, EPOLLIN);
	add(p->out, EPOLLOUT);
	for (;;) {
		(void)await();
		for (;;) {
			if (length == 0)
				length = read(p->in, buffer, 50);
			if (length <= 0) {
				length = 0;
				break;
			}
			if ((n = write(p->out, buffer, 4096)) == -1)
				break;
			length = 0;
		}
	}
}

/* Accepts until nobody waits. */
static struct sockaddr_in address;

static void
serve(const struct program *p)
{
	int fd;

	add(p->in, EPOLLIN);
	for (;;) {
		(void)await();
		while ((fd = accept(p->in, NULL, NULL)) != -1)
			(void)close(fd);
	}
}

/* Disarmed while it works, and armed again after that. */
static void
once(const struct program *p)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLET | EPOLLONESHOT,
		.data.fd = p->in };

	add(p->in, EPOLLIN | EPOLLONESHOT);
	for (;;) {
		(void)await();
		while (read(p->in, buffer, 100) > 0)
			;
		(void)epoll_ctl(epoll, EPOLL_CTL_MOD, p->in, &e);
	}
}

static const struct design {
	const char *name;
	void (*run)(const struct program *p);
} designs[] = {
	{ "drain", drain },
	{ "short", until_short },
	{ "threads", by_threads },
	{ "counter", by_counter },
	{ "pass-on", pass_on },
	{ "server", serve },
	{ "once", once },
};

/* ---- their input ---- */

/* Our side of PROGRAM, which is of design D; the program gets the other. */
static struct program
connect_to(struct program *program, const struct design *d)
{
	socklen_t length = sizeof address;
	int in[2], out[2];

	if (d->run == serve) {
		program->in = socket(AF_INET, SOCK_STREAM, 0);
		program->out = -1;
		address.sin_family = AF_INET;
		address.sin_port = 0;
		address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		must(bind(program->in, (struct sockaddr *)&address,
			 sizeof address) == 0 &&
			listen(program->in, 64) == 0 &&
			getsockname(program->in, (struct sockaddr *)&address,
			    &length) == 0,
		    "listen");
		return (struct program){ -1, ntohs(address.sin_port) };
	}
	must((d->run == drain || d->run == pass_on ?
		     pipe(in) :
		     socketpair(AF_UNIX, SOCK_STREAM, 0, in)) == 0 &&
		pipe(out) == 0,
	    "pipe");
	*program = (struct program){ in[0], out[1] };
	(void)fcntl(in[1], F_SETFL, O_NONBLOCK);
	(void)fcntl(out[0], F_SETFL, O_NONBLOCK);
	return (struct program){ out[0], in[1] };
}

static void
send_input(const struct program *ours, const struct design *d)
{
	int fd;

	if (d->run == serve) {
		address.sin_port = htons((uint16_t)ours->out);
		fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(fd, (struct sockaddr *)&address, sizeof address);
		(void)close(fd);
		return;
	}
	if (write(ours->out, buffer, (size_t)random() % 700 + 1) == -1)
		must(errno == EAGAIN, "write");
	/* seldom, so that it is full */
	if (random() % 100 == 0)
		while (read(ours->in, buffer, sizeof buffer) > 0)
			;
}

static bool
is_at_end(int ms)
{
	struct pollfd p = { STDIN_FILENO, POLLIN, 0 };

	return poll(&p, 1, ms) > 0;
}

static pid_t
start(const struct design *d, struct program *ours)
{
	struct program program;
	pid_t pid;

	*ours = connect_to(&program, d);
	if ((pid = fork()) == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (int fd = 0; fd < 4096; fd++)
			if (fd != program.in && fd != program.out && fd != 2)
				(void)close(fd);
		epoll = epoll_create1(0);
		d->run(&program);
	}
	must(pid != -1, "fork");
	(void)close(program.in);
	if (program.out != -1)
		(void)close(program.out);
	return pid;
}

static int
start_all(size_t count)
{
	struct program *ours = calloc(count, sizeof *ours);
	pid_t *pids = calloc(count, sizeof *pids);

	must(ours != NULL && pids != NULL, "calloc");
	for (size_t i = 0; i < count; i++) {
		const struct design *d = &designs[i % COUNT(designs)];

		pids[i] = start(d, &ours[i]);
		printf("%d %s\n", (int)pids[i], d->name);
	}
	(void)fflush(stdout);
	(void)fclose(stdout);
	while (!is_at_end(1))
		for (size_t n = 0; n <= count / 100; n++) {
			size_t i = (size_t)random() % count;

			send_input(&ours[i], &designs[i % COUNT(designs)]);
		}
	for (size_t i = 0; i < count; i++)
		(void)kill(pids[i], SIGKILL);
	return 0;
}

/* ---- churn ---- */

static void
change(void)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLET };
	int ends[2], copy;
	pid_t pid;

	must(pipe(ends) == 0, "pipe");
	(void)epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &e);
	if ((pid = fork()) == 0) {
		if (random() % 2 == 0)
			(void)execlp("true", "true", (char *)NULL);
		_exit(0);
	}
	copy = dup(ends[0]);
	(void)close(ends[0]);
	must(write(ends[1], "x", 1) == 1, "write");
	(void)epoll_wait(epoll, &e, 1, 0);
	(void)close(copy);
	(void)close(ends[1]);
	(void)waitpid(pid, NULL, 0);
}

static int
churn(unsigned long rounds)
{
	epoll = epoll_create1(0);
	printf("%d\n", (int)getpid());
	(void)fflush(stdout);
	(void)fclose(stdout);
	while (rounds-- > 0)
		change();
	return 0;
}

static int
keep_closed(void)
{
	must(prctl(PR_SET_DUMPABLE, 0) == 0, "prctl");
	printf("%d\n", (int)getpid());
	(void)fflush(stdout);
	while (!is_at_end(-1))
		;
	return 0;
}

static int
be_asleep(void)
{
	struct pollfd p = { 10, POLLIN, 0 };
	int ends[2];

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 &&
		dup2(ends[0], 20) == 20 && dup2(ends[1], 11) == 11,
	    "socketpair");
	must(dup2(20, 10) == 10 && dup2(20, 13) == 13 && close(20) == 0,
	    "dup2");
	epoll = dup2(epoll_create1(0), 12);
	add(eventfd(0, 0), EPOLLIN);
	printf("%d\n", (int)getpid());
	(void)fflush(stdout);
	(void)fclose(stdout);
	return poll(&p, 1, -1);
}

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "asleep") == 0)
		return be_asleep();
	if (argc == 2 && strcmp(argv[1], "closed") == 0)
		return keep_closed();
	(void)signal(SIGPIPE, SIG_IGN);
	if (argc == 3 && strcmp(argv[1], "churn") == 0)
		return churn(strtoul(argv[2], NULL, 10));
	if (argc == 2)
		return start_all(strtoul(argv[1], NULL, 10));
	fprintf(stderr,
	    "usage: edges COUNT | churn ROUNDS | closed | asleep\n");
	return 2;
}

#else

int
main(void)
{
	fprintf(stderr, "edges: is about Linux\n");
	return 77;
}

#endif
