/* SPDX-License-Identifier: ISC */
/*
 * scale.c - large numbers, of which the idle ones cause no work.
 */
#include "kq.h"

#include <sys/resource.h>
#ifndef __linux__
#include <sys/sysctl.h>
#endif

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* WANTED descriptors, or as many as the system allows. */
static int
descriptors(int wanted)
{
	struct rlimit r;

	must(getrlimit(RLIMIT_NOFILE, &r));
	if (r.rlim_cur < (rlim_t)wanted + 64) {
		r.rlim_cur = r.rlim_max < (rlim_t)wanted + 64 ?
		    r.rlim_max :
		    (rlim_t)wanted + 64;
		setrlimit(RLIMIT_NOFILE, &r);
		getrlimit(RLIMIT_NOFILE, &r);
	}
	return r.rlim_cur < (rlim_t)wanted + 64 ? (int)r.rlim_cur - 64 : wanted;
}

/*
 * WANTED timers, or half of what the system allows all processes together:
 * FreeBSD's kern.kq_calloutmax, which is 4096 unless it is set, and 4096 where
 * there is no such name.
 */
static int
timers(int wanted)
{
#ifdef __linux__
	return wanted;
#else
	int limit = 4096;
	size_t size = sizeof limit;

	(void)sysctlbyname("kern.kq_calloutmax", &limit, &size, NULL, 0);
	return wanted < limit / 2 ? wanted : limit / 2;
#endif
}

/* All are ready and the event list is short: each is reported in turn. */
static void
nobody_starves(void)
{
	const int room = 7;
	int n = descriptors(2000) / 2, i, j, k, rounds, *fd;
	char *seen = calloc((size_t)n, 1);
	struct kevent c, e[7];

	fd = calloc((size_t)n * 2, sizeof *fd);
	for (i = 0; i < n; i++) {
		must(pipe(fd + 2 * i));
		put(fd[2 * i + 1], "x");
		c = event((uintptr_t)fd[2 * i], EVFILT_READ, EV_ADD, 0, 0,
		    (uintptr_t)i);
		check(call_kevent(kq, &c, 1, NULL, 0, 0) == 0, "add %d", i);
	}
	rounds = (n + room - 1) / room;
	for (k = 0; k < 3; k++) {
		for (i = 0; i < rounds; i++) {
			check(call_kevent(kq, NULL, 0, e, room, 0) == room,
			    "round %d is full", i);
			for (j = 0; j < room; j++)
				seen[udata_of(&e[j])] = 1;
		}
		for (i = 0; i < n; i++)
			check(seen[i], "number %d of %d not seen in %d rounds",
			    i, n, rounds);
		memset(seen, 0, (size_t)n);
	}
}

static void
many_readers(void)
{
	int n = descriptors(10000) / 2 * 2, i, r, got = 0, *fd;
	struct kevent *c = calloc((size_t)n, sizeof *c), *e;

	e = calloc((size_t)n, sizeof *e);
	fd = calloc((size_t)n, sizeof *fd);
	for (i = 0; i < n; i += 2)
		must(socketpair(AF_UNIX, SOCK_STREAM, 0, fd + i));
	for (i = 0; i < n; i++)
		c[i] = event((uintptr_t)fd[i], EVFILT_READ, EV_ADD | EV_CLEAR,
		    0, 0, (uintptr_t)i);
	check(call_kevent(kq, c, n, NULL, 0, 0) == 0, "%d readers", n);
	expect(kq, " ");
	for (i = 0; i < n; i += 100)
		put(fd[i ^ 1], "x");
	r = call_kevent(kq, NULL, 0, e, n, 0);
	check(r == (n + 99) / 100, "%d of %d are ready", r, (n + 99) / 100);
	for (i = 0; i < r; i++)
		check(udata_of(&e[i]) % 100 == 0, "which");
	for (i = 0; i < n; i++)
		put(fd[i], "x");
	while ((r = call_kevent(kq, NULL, 0, e, 999, 0)) > 0)
		got += r;
	check(got == n, "%d of %d are ready", got, n);
	for (i = 0; i < n; i++)
		c[i].flags = EV_DELETE;
	check(call_kevent(kq, c, n, NULL, 0, 0) == 0, "deleted");
	expect(kq, " ");
}

/* Those that are due late do not delay those that are due soon. */
static void
many_timers(void)
{
	int n = timers((int)from_environment("KQ_TIMERS", 100000));
	int i, r, got = 0;
	struct kevent c, *e = calloc(1000, sizeof *e);
	char *seen = calloc((size_t)n, 1);

	for (i = 0; i < n; i++) {
		c = event((uintptr_t)i, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0,
		    i % 10 == 0 ? i % 97 + !REFERENCE : 1000000 + i,
		    (uintptr_t)i);
		check(call_kevent(kq, &c, 1, NULL, 0, 0) == 0, "timer %d", i);
	}
	while (got < (n + 9) / 10) {
		r = call_kevent(kq, NULL, 0, e, 1000, PATIENCE);
		check(r > 0, "%d of %d expired", got, (n + 9) / 10);
		for (i = 0; i < r; i++) {
			check(e[i].ident % 10 == 0 && !seen[e[i].ident],
			    "timer %d", (int)e[i].ident);
			seen[e[i].ident] = 1;
		}
		got += r;
	}
	for (i = 0; i < n; i++) {
		c = event((uintptr_t)i, EVFILT_TIMER, EV_DELETE, 0, 0, 0);
		r = call_kevent(kq, &c, 1, NULL, 0, 0);
		check(r == (i % 10 == 0 ? -1 : 0), "delete %d", i);
	}
	expect(kq, " ");
}

#ifdef EVFILT_USER
static void
many_user_events(void)
{
	/* FreeBSD has 64 lists for them, and searches one each time */
	const int n = LINUX_OR(100000, 5000);
	struct kevent *c = calloc((size_t)n, sizeof *c);
	int i, r, got = 0;

	for (i = 0; i < n; i++)
		c[i] = event((uintptr_t)i * 4096, EVFILT_USER,
		    EV_ADD | EV_CLEAR, 0, 0, 0);
	check(call_kevent(kq, c, n, NULL, 0, 0) == 0, "added");
	for (i = 0; i < n; i++) {
		c[i].flags = 0;
		c[i].fflags = NOTE_TRIGGER;
	}
	check(call_kevent(kq, c, n, NULL, 0, 0) == 0, "triggered");
	while ((r = call_kevent(kq, NULL, 0, c, 777, 0)) > 0)
		got += r;
	check(got == n, "%d of %d", got, n);
}
#endif

/* The time of 5,000 waits beside N idle descriptors. */
static double
waits(int n)
{
	int i, *fd = calloc((size_t)n + 2, sizeof *fd), q = must(kqueue());
	struct kevent c, e;
	double t;

	for (i = 0; i + 1 < n + 2; i += 2) {
		/* no pipes, whose memory may be limited */
		must(socketpair(AF_UNIX, SOCK_STREAM, 0, fd + i));
		c = event((uintptr_t)fd[i], EVFILT_READ, EV_ADD, 0, 0, 0);
		check(call_kevent(q, &c, 1, NULL, 0, 0) == 0, "add");
	}
	put(fd[1], "x");
	t = now();
	for (i = 0; i < 5000; i++)
		check(call_kevent(q, NULL, 0, &e, 1, 0) == 1, "one");
	t = now() - t;
	for (i = 0; i < n + 1; i++)
		close(fd[i]);
	close(q);
	free(fd);
	return t;
}

static void
idle_ones_cost_nothing(void)
{
	double few, many;

	waits(8);
	few = waits(8);
	many = waits(descriptors(8000));
	/* a thousand times as many: a scan of all would take that much longer */
	check(many < 20 * few + .05, "%.6f s with few, %.6f s with many", few,
	    many);
}

/* One file at thousands of numbers. */
static void
many_copies(void)
{
	int n = descriptors(3000), s[2], i, k, got, *fd;
	struct kevent c, *e = calloc((size_t)n, sizeof *e);

	fd = calloc((size_t)n, sizeof *fd);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	for (i = 0; i < n; i++) {
		fd[i] = must(dup(s[0]));
		c = event((uintptr_t)fd[i], EVFILT_READ, EV_ADD, 0, 0, 0);
		check(call_kevent(kq, &c, 1, NULL, 0, 0) == 0, "add %d", i);
	}
	put(s[1], "x");
	for (k = 0; k < 2; k++) {
		got = call_kevent(kq, NULL, 0, e, n, 0);
		check(got == n, "readable, turn %d: %d", k, got);
	}
	for (i = 0; i < n; i++)
		close(fd[i]);
	check(call_kevent(kq, NULL, 0, e, n, 0) == 0, "closed");
	free(fd);
	free(e);
}

const struct test scale_tests[] = {
	{ "scale_nobody_starves", nobody_starves },
	{ "scale_many_readers", many_readers },
	{ "scale_many_timers", many_timers },
#ifdef EVFILT_USER
	{ "scale_many_user_events", many_user_events },
#endif
	{ "scale_many_copies", many_copies },
	{ "scale_idle_ones_cost_nothing", idle_ones_cost_nothing },
	{ NULL, NULL },
};
