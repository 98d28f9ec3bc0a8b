/* SPDX-License-Identifier: ISC */
/*
 * chaos.c - cases without a model: random bytes as changes, and several threads
 * that change one queue and wait on it.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- garbage ---- */

#define GARBAGE 24

static void
fill_randomly(struct kevent *e, struct random *r)
{
	uint64_t *p = (uint64_t *)(void *)e;

	for (size_t i = 0; i < sizeof *e / sizeof *p; i++)
		p[i] = random_next(r);
	if (random_below(r, 4) != 0)
		e->filter = (short)-random_below(r, 12);
	/* below the library's own descriptors */
	if (random_below(r, 4) != 0)
		e->ident = random_below(r, 60);
	if (random_below(r, 2) != 0)
		e->flags |= EV_ADD;
	if (random_below(r, 2) != 0)
		e->flags &= (unsigned short)~EV_DELETE;
	if (random_below(r, 2) != 0)
		e->fflags = 1u << random_below(r, 32);
	if (random_below(r, 2) != 0)
		e->data = random_below(r, 100);
	/* asynchronous requests are added by aio_read alone */
	if (e->filter == EVFILT_PROC && random_below(r, 8) == 0)
		e->ident = (uintptr_t)getpid();
}

void
garbage_case(uint64_t seed)
{
	static const struct timespec none = { 0, 0 };
	struct kevent c[GARBAGE], e[GARBAGE];
	struct random r = { seed };
	int queue = must(kqueue(), "kqueue"), n, room, nchanges;

	for (unsigned round = 0; round < 8; round++) {
		nchanges = (int)random_below(&r, GARBAGE + 1);
		room = (int)random_below(&r, GARBAGE + 1);
		for (int i = 0; i < nchanges; i++)
			fill_randomly(&c[i], &r);
		n = kevent(queue, c, nchanges, e, room, &none);
		if (n < -1 || n > room)
			fail("%d events in room for %d", n, room);
		for (int i = 0; i < n; i++)
			if (e[i].filter == 0 && (e[i].flags & EV_ERROR) == 0)
				fail("an event of no filter");
	}
	must(close(queue), "close");
}

/* ---- threads ---- */

#define THREADS 3
#define PIPES 4
#define SHOTS 400 /* one-shot events of each thread */

static atomic_uint delivered[THREADS * SHOTS];
static int shared_queue, shared_pipes[PIPES][2];

struct thread {
	unsigned number;
	uint64_t seed;
};

static void
count_events(const struct kevent *e, int n)
{
	for (int i = 0; i < n; i++)
		if (e[i].filter == EVFILT_USER && (e[i].flags & EV_ERROR) == 0)
			atomic_fetch_add(&delivered[e[i].ident], 1);
}

static void
random_change(struct kevent *c, struct random *r)
{
	static const unsigned flags[] = {
		EV_ADD,
		EV_ADD | EV_CLEAR,
		EV_ADD | EV_ONESHOT,
		EV_ADD | EV_DISPATCH,
		EV_ENABLE,
		EV_DISABLE,
		EV_DELETE,
	};
	unsigned which = random_below(r, 10);
	unsigned flag = flags[random_below(r, COUNT(flags))];
	const int *p = shared_pipes[random_below(r, PIPES)];

	if (which < 4)
		EV_SET(c, p[0], EVFILT_READ, flag, 0, 0, NULL);
	else if (which < 7)
		EV_SET(c, p[1], EVFILT_WRITE, flag, 0, 0, NULL);
	else if (which < 9)
		EV_SET(c, random_below(r, 3), EVFILT_TIMER, flag, NOTE_USECONDS,
		    200 + random_below(r, 1000), NULL);
	else
		EV_SET(c, SIGUSR1, EVFILT_SIGNAL, flag, 0, 0, NULL);
}

static void
disturb(struct random *r)
{
	const int *p = shared_pipes[random_below(r, PIPES)];
	char buffer[16];

	switch (random_below(r, 8)) {
	case 0:
	case 1:
		(void)!write(p[1], "x", 1);
		break;
	case 2:
	case 3:
		(void)!read(p[0], buffer, sizeof buffer);
		break;
	case 4:
		(void)raise(SIGUSR1);
		break;
	default:
		break;
	}
}

/* Add and trigger a one-shot event, by two calls or by one. */
static void
shoot(unsigned ident, struct random *r)
{
	struct kevent c[2];

	EV_SET(&c[0], ident, EVFILT_USER, EV_ADD | EV_ONESHOT, 0, 0, NULL);
	EV_SET(&c[1], ident, EVFILT_USER, 0, NOTE_TRIGGER, 0, NULL);
	if (random_below(r, 2) == 0) {
		must(kevent(shared_queue, c, 2, NULL, 0, NULL), "kevent");
		return;
	}
	must(kevent(shared_queue, &c[0], 1, NULL, 0, NULL), "kevent");
	must(kevent(shared_queue, &c[1], 1, NULL, 0, NULL), "kevent");
}

static void *
thread_main(void *argument)
{
	const struct thread *t = argument;
	struct random r = { t->seed + t->number };
	struct timespec wait = { 0, 0 };
	struct kevent c, e[8];
	unsigned shots = 0;
	int n;

	while (shots < SHOTS) {
		if (random_below(&r, 3) == 0)
			shoot(t->number * SHOTS + shots++, &r);
		disturb(&r);
		random_change(&c, &r);
		wait.tv_nsec = (long)random_below(&r, 3) * 50000;
		n = kevent(shared_queue, &c, (int)random_below(&r, 2), e,
		    (int)random_below(&r, COUNT(e) + 1), &wait);
		count_events(e, n);
	}
	return NULL;
}

static void
open_shared(void)
{
	signal(SIGUSR1, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	shared_queue = must(kqueue(), "kqueue");
	for (unsigned i = 0; i < PIPES; i++)
		must(pipe2(shared_pipes[i], O_NONBLOCK | O_CLOEXEC), "pipe2");
	for (unsigned i = 0; i < COUNT(delivered); i++)
		atomic_store(&delivered[i], 0);
}

static void
close_shared(void)
{
	for (unsigned i = 0; i < PIPES; i++) {
		must(close(shared_pipes[i][0]), "close");
		must(close(shared_pipes[i][1]), "close");
	}
	must(close(shared_queue), "close");
}

void
thread_case(uint64_t seed)
{
	static const struct timespec none = { 0, 0 };
	struct thread t[THREADS];
	pthread_t id[THREADS];
	struct kevent e[64];
	int n;

	open_shared();
	for (unsigned i = 0; i < THREADS; i++) {
		t[i] = (struct thread){ i, seed };
		if (pthread_create(&id[i], NULL, thread_main, &t[i]) != 0)
			fail("no thread");
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(id[i], NULL);
	/* the events that are left */
	for (unsigned i = 0; i < COUNT(delivered); i++) {
		n = kevent(shared_queue, NULL, 0, e, COUNT(e), &none);
		count_events(e, n);
	}
	for (unsigned i = 0; i < COUNT(delivered); i++)
		if (atomic_load(&delivered[i]) != 1)
			fail("a one-shot event came %u times",
			    atomic_load(&delivered[i]));
	close_shared();
}
