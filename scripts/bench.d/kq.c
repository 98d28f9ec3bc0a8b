/* SPDX-License-Identifier: ISC */
/*
 * kq [TURNS [ROUNDS]]: what the kevent(2) of src/kq costs beside the calls of
 * epoll(7) that a program could make itself, in one process and by turns:
 * scripts/bench.
 *
 * There are 10,000 pipes, each open once for both directions, so that they fit
 * under a usual limit of open files.  A turn makes a queue, adds the pipes, and
 * for ROUNDS rounds writes a byte to 100 of them, collects the events and reads
 * the bytes.  Printed are, as medians of the turns, lines of KIND, NAME and the
 * processor time in nanoseconds, each number for one pipe:
 *
 *	kq-add		adding it
 *	kq-same-wait	collecting its event
 *	kq-same-event	the same and reading the byte
 *	kq-same-cycle	the same and writing the byte, which wakes the queue
 *	kq-other-...	likewise, where a round has others than the one before;
 *			above, each has the same 100
 */
#include <sys/epoll.h>
#include <sys/event.h>
#include <sys/ioctl.h>
#include <sys/resource.h>

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* This program measures other libraries too. */
#ifndef NOTE_NODATA
#define NOTE_NODATA 0
#endif

#define PIPES 10000
#define ACTIVE 100

enum metric {
	ADD,
	WAIT,
	EVENT,
	CYCLE,
	METRICS
};

/* One way to wait for the pipes. */
struct way {
	const char *name;
	int (*open)(void);
	void (*add)(int); /* all pipes */
	int (*wait)(int); /* ready pipes, which go to ready[] */
	unsigned notes;
	double *samples[2][METRICS]; /* one a turn; same pipes, others */
};

static const struct way *way;
static int pipes[PIPES], ready[ACTIVE];
static int turns = 15, rounds = 200;

static double
cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int
open_epoll(void)
{
	return epoll_create1(EPOLL_CLOEXEC);
}

static void
add_epoll(int queue)
{
	struct epoll_event e;
	int i;

	for (i = 0; i < PIPES; i++) {
		e.events = EPOLLIN;
		e.data.fd = pipes[i];
		if (epoll_ctl(queue, EPOLL_CTL_ADD, pipes[i], &e) == -1)
			err(1, "epoll_ctl");
	}
}

static int
wait_epoll(int queue)
{
	struct epoll_event e[ACTIVE];
	int i, n = epoll_wait(queue, e, ACTIVE, -1);

	for (i = 0; i < n; i++)
		ready[i] = e[i].data.fd;
	return n;
}

/* The least that the number of bytes costs: no other call returns it. */
static int
wait_count(int queue)
{
	int i, bytes, n = wait_epoll(queue);

	for (i = 0; i < n; i++)
		if (ioctl(ready[i], FIONREAD, &bytes) == -1 || bytes != 1)
			err(1, "FIONREAD");
	return n;
}

static void
add_each(int queue)
{
	struct kevent e;
	int i;

	for (i = 0; i < PIPES; i++) {
		EV_SET(&e, pipes[i], EVFILT_READ, EV_ADD, way->notes, 0, NULL);
		if (kevent(queue, &e, 1, NULL, 0, NULL) == -1)
			err(1, "kevent");
	}
}

static void
add_at_once(int queue)
{
	static struct kevent e[PIPES];
	int i;

	for (i = 0; i < PIPES; i++)
		EV_SET(&e[i], pipes[i], EVFILT_READ, EV_ADD, way->notes, 0,
		    NULL);
	if (kevent(queue, e, PIPES, NULL, 0, NULL) == -1)
		err(1, "kevent");
}

static int
wait_kqueue(int queue)
{
	struct kevent e[ACTIVE];
	int i, n = kevent(queue, NULL, 0, e, ACTIVE, NULL);

	for (i = 0; i < n; i++)
		ready[i] = (int)e[i].ident;
	return n;
}

static struct way ways[] = {
	{ .name = "raw", open_epoll, add_epoll, wait_epoll },
	{ .name = "count", open_epoll, add_epoll, wait_count },
	{ .name = "data", kqueue, add_each, wait_kqueue },
	{ .name = "no-data", kqueue, add_each, wait_kqueue, NOTE_NODATA },
	{ .name = "at-once", kqueue, add_at_once, wait_kqueue, NOTE_NODATA },
	{ .name = "again", open_epoll, add_epoll, wait_epoll },
};

#define WAYS ((int)(sizeof(ways) / sizeof(*ways)))

static void
make_pipes(void)
{
	char path[32];
	struct rlimit rl;
	int i, p[2];

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		err(1, "getrlimit");
	rl.rlim_cur = rl.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &rl) == -1)
		err(1, "setrlimit");
	for (i = 0; i < PIPES; i++) {
		if (pipe(p) == -1)
			err(1, "pipe");
		snprintf(path, sizeof(path), "/proc/self/fd/%d", p[0]);
		if ((pipes[i] = open(path, O_RDWR | O_CLOEXEC)) == -1)
			err(1, "%s", path);
		close(p[0]);
		close(p[1]);
	}
}

/* One round, and the time that each part of it takes. */
static void
round_of(int queue, int first, double *sums)
{
	double start = cpu(), written, collected;
	int i, n;
	char byte = 'x';

	for (i = 0; i < ACTIVE; i++)
		if (write(pipes[first + i * (PIPES / ACTIVE)], &byte, 1) != 1)
			err(1, "write");
	written = cpu();
	n = way->wait(queue);
	collected = cpu();
	if (n != ACTIVE)
		errx(1, "%s: %d events, not %d", way->name, n, ACTIVE);
	for (i = 0; i < n; i++)
		if (read(ready[i], &byte, 1) != 1)
			err(1, "read");
	sums[WAIT] += collected - written;
	sums[EVENT] += cpu() - written;
	sums[CYCLE] += cpu() - start;
}

static void
turn(struct way *w, int number)
{
	double sums[METRICS], start;
	int queue, other, i;

	way = w;
	if ((queue = w->open()) == -1)
		err(1, "%s", w->name);
	start = cpu();
	w->add(queue);
	w->samples[0][ADD][number] = (cpu() - start) / PIPES;
	for (other = 0; other <= 1; other++) {
		for (i = 0; i < METRICS; i++)
			sums[i] = 0;
		for (i = 0; i < rounds; i++)
			round_of(queue, other ? i % (PIPES / ACTIVE) : 0, sums);
		for (i = WAIT; i < METRICS; i++)
			w->samples[other][i][number] = sums[i] / rounds /
			    ACTIVE;
	}
	close(queue);
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
print(const char *kind, const char *name, double *v)
{
	qsort(v, (size_t)turns, sizeof(*v), compare);
	printf("%s\t%s\t%.1f\n", kind, name,
	    (v[(turns - 1) / 2] + v[turns / 2]) / 2);
}

static void
print_all(void)
{
	static const char *const kinds[2][METRICS] = {
		{ "kq-add", "kq-same-wait", "kq-same-event", "kq-same-cycle" },
		{ NULL, "kq-other-wait", "kq-other-event", "kq-other-cycle" }
	};
	int i, other, metric;

	for (other = 0; other <= 1; other++)
		for (metric = other ? WAIT : ADD; metric < METRICS; metric++)
			for (i = 0; i < WAYS; i++)
				print(kinds[other][metric], ways[i].name,
				    ways[i].samples[other][metric]);
}

int
main(int argc, char *argv[])
{
	double *sample;
	int i, j;

	if (argc > 1)
		turns = atoi(argv[1]);
	if (argc > 2)
		rounds = atoi(argv[2]);
	if (turns < 1 || rounds < 1)
		errx(2, "usage: kq [TURNS [ROUNDS]]");
	for (i = 0; i < WAYS * 2 * METRICS; i++) {
		sample = calloc((size_t)turns, sizeof(*sample));
		if (sample == NULL)
			err(1, NULL);
		ways[i % WAYS].samples[i / WAYS % 2][i / WAYS / 2] = sample;
	}
	make_pipes();
	for (i = 0; i < turns; i++)
		for (j = 0; j < WAYS; j++)
			turn(&ways[(i + j) % WAYS], i);
	print_all();
	return 0;
}
