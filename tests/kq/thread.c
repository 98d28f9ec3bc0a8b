/* SPDX-License-Identifier: ISC */
/*
 * thread.c - one queue and several threads.
 */
#include "kq.h"

#ifdef __linux__
#include <sys/syscall.h>
#endif

#include <dirent.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CROWD 8

static int p[2];
static atomic_int woken, stop;

static void *
add_soon(void *arg)
{
	nap(50);
	change(kq, "p0 READ ADD @4");
	return arg;
}

static void
add_wakes(void)
{
	pthread_t t;

	new_pipe(p, "p");
	put(p[1], "x");
	t = new_thread(add_soon, NULL);
	await(kq, "p0 READ =1 @4");
	join(t);
}

static void *
enable_soon(void *arg)
{
	nap(50);
	change(kq, "p0 READ ENABLE @5");
	return arg;
}

static void
enable_wakes(void)
{
	pthread_t t;

	new_pipe(p, "p");
	put(p[1], "x");
	change(kq, "p0 READ ADD DISABLE @5");
	t = new_thread(enable_soon, NULL);
	await(kq, "p0 READ =1 @5");
	join(t);
}

static void *
timer_soon(void *arg)
{
	nap(50);
	change(kq, "#1 TIMER ADD ONESHOT =10");
	return arg;
}

static void
timer_wakes(void)
{
	pthread_t t;

	change(kq, "#2 TIMER ADD =100000");
	t = new_thread(timer_soon, NULL);
	await(kq, "#1 TIMER CLEAR ONESHOT =1");
	join(t);
}

#ifdef EVFILT_USER
static void *
trigger_soon(void *arg)
{
	nap(50);
	change(kq, "#1 USER TRIGGER FFCOPY 0x9 @6");
	return arg;
}

static void
trigger_wakes(void)
{
	pthread_t t;

	change(kq, "#1 USER ADD CLEAR @6");
	t = new_thread(trigger_soon, NULL);
	await(kq, "#1 USER CLEAR 0x9 @6");
	join(t);
}
#endif

static void *
wait_for_one(void *arg)
{
	struct kevent e;

	if (call_kevent(kq, NULL, 0, &e, 1, *(int *)arg) == 1)
		atomic_fetch_add(&woken, 1);
	return NULL;
}

/* Of many waiters, one gets the event. */
static void
one_event_one_waiter(const char *added)
{
	pthread_t t[CROWD];
	int i, ms = 400;

	new_pipe(p, "p");
	change(kq, "%s", added);
	for (i = 0; i < CROWD; i++)
		t[i] = new_thread(wait_for_one, &ms);
	nap(50);
	put(p[1], "x");
	for (i = 0; i < CROWD; i++)
		join(t[i]);
	check(woken == 1, "%d of %d were woken", (int)woken, CROWD);
}

static void
oneshot_wakes_one(void)
{
	one_event_one_waiter("p0 READ ADD ONESHOT");
}

static void
clear_wakes_one(void)
{
	one_event_one_waiter("p0 READ ADD CLEAR");
}

#ifdef EV_DISPATCH
static void
dispatch_wakes_one(void)
{
	one_event_one_waiter("p0 READ ADD DISPATCH");
}
#endif

static void
as_many_events_as_waiters(void)
{
	pthread_t t[CROWD];
	int i, ms = PATIENCE;

	for (i = 0; i < CROWD; i++)
		t[i] = new_thread(wait_for_one, &ms);
	for (i = 0; i < CROWD; i++)
		change(kq, "#%d TIMER ADD ONESHOT =20", i);
	for (i = 0; i < CROWD; i++)
		join(t[i]);
	check(woken == CROWD, "%d of %d were woken", (int)woken, CROWD);
	expect(kq, " ");
}

/* Level-triggered: all get it, until one consumes it. */
static void
level_wakes_all(void)
{
	pthread_t t[CROWD];
	int i, ms = PATIENCE;

	new_pipe(p, "p");
	change(kq, "p0 READ ADD");
	for (i = 0; i < CROWD; i++)
		t[i] = new_thread(wait_for_one, &ms);
	nap(50);
	put(p[1], "x");
	for (i = 0; i < CROWD; i++)
		join(t[i]);
	check(woken == CROWD, "%d of %d were woken", (int)woken, CROWD);
}

#ifdef EV_DISPATCH
static atomic_int taken;

static void *
work(void *arg)
{
	struct kevent e;
	char c;

	while (taken < 500) {
		if (call_kevent(kq, NULL, 0, &e, 1, 50) != 1)
			continue;
		while (read((int)e.ident, &c, 1) == 1)
			atomic_fetch_add(&taken, 1);
		e.flags = EV_ENABLE;
		check(call_kevent(kq, &e, 1, NULL, 0, 0) == 0, "enabled again");
	}
	return arg;
}

/* The pattern of a server with a pool: no event is lost, none comes twice. */
static void
dispatch_to_workers(void)
{
	pthread_t t[CROWD];
	int i, q[10][2];

	for (i = 0; i < 10; i++) {
		new_pipe(q[i], "q");
		nonblocking(q[i][0]);
		change(kq, "q0 READ ADD DISPATCH");
	}
	for (i = 0; i < CROWD; i++)
		t[i] = new_thread(work, NULL);
	for (i = 0; i < 500; i++)
		put(q[i % 10][1], "x");
	for (i = 0; i < CROWD; i++)
		join(t[i]);
	check(taken == 500, "%d of 500", (int)taken);
}
#endif

static void *
close_soon(void *arg)
{
	nap(50);
	close(p[0]);
	return arg;
}

static void
watched_closed_while_waiting(void)
{
	pthread_t t;

	new_pipe(p, "p");
	change(kq, "p0 READ ADD, #1 TIMER ADD ONESHOT =200");
	t = new_thread(close_soon, NULL);
	await(kq, "#1 TIMER CLEAR ONESHOT =1");
	join(t);
	expect(kq, " ");
	refuse(kq, EBADF, "p0 READ DELETE");
}

/* FreeBSD does not wake the waiter; others may, but must not hang. */
static void *
close_queue(void *arg)
{
	nap(50);
	close(kq);
	return arg;
}

static void
queue_closed_while_waiting(void)
{
	pthread_t t;
	struct kevent e;
	int n;

	t = new_thread(close_queue, NULL);
	n = call_kevent(kq, NULL, 0, &e, 1, 300);
	check(n == 0 || (n == -1 && errno == EBADF), "got %d", n);
	join(t);
	check(call_kevent(kq, NULL, 0, &e, 1, 0) == -1 && errno == EBADF,
	    "the queue is closed");
}

#ifdef __linux__
static void *
wait_for_ever(void *arg)
{
	struct kevent e;

	if (call_kevent(kq, NULL, 0, &e, 1, -1) == -1 && errno == EBADF)
		atomic_fetch_add(&woken, 1);
	return arg;
}

/* Whether thread TID sleeps in epoll: proc_pid_syscall(5) has its call. */
static bool
sleeps(const char *tid)
{
	char path[64];
	long number = -1;
	FILE *f;

	snprintf(path, sizeof path, "/proc/self/task/%.20s/syscall", tid);
	f = fopen(path, "r");
	if (f == NULL)
		skip("no /proc/PID/syscall to see threads sleep");
	(void)!fscanf(f, "%ld", &number); /* "running" is none */
	fclose(f);
#ifdef SYS_epoll_wait
	if (number == SYS_epoll_wait)
		return true;
#endif
#ifdef SYS_epoll_pwait2
	if (number == SYS_epoll_pwait2)
		return true;
#endif
	return number == SYS_epoll_pwait;
}

/* Wait until N threads sleep in kevent(). */
static void
asleep(int n)
{
	struct dirent *d;
	DIR *tasks;
	int found;

	do {
		tasks = opendir("/proc/self/task");
		if (tasks == NULL)
			skip("no /proc to see threads sleep");
		found = 0;
		while ((d = readdir(tasks)) != NULL)
			found += *d->d_name != '.' && sleeps(d->d_name);
		closedir(tasks);
		nap(1);
	} while (found < n);
}

/* Not on FreeBSD and NetBSD, where the waits end with their timeouts. */
static void
close_under_a_crowd(int others)
{
	pthread_t t[CROWD];
	int i;

	for (i = 0; i < CROWD; i++)
		t[i] = new_thread(wait_for_ever, NULL);
	asleep(CROWD);
	close(kq);
	if (others)
		must(kqueue());
	for (i = 0; i < CROWD; i++)
		join(t[i]);
	check(woken == CROWD, "%d of %d have EBADF", (int)woken, CROWD);
}

static void
queue_closed_wakes(void)
{
	close_under_a_crowd(0);
}

/* The number is reused for another queue at once; the waits end. */
static void
queue_closed_and_another(void)
{
	close_under_a_crowd(1);
}

static void *
wait_long(void *arg)
{
	return call_kevent(kq, NULL, 0, arg, 1, 1000 * PATIENCE) == -1 &&
		errno == EBADF ?
	    arg :
	    NULL;
}

/* A wait with a timeout ends, too. */
static void
close_under_a_wait(int used)
{
	struct kevent e;
	pthread_t t;
	void *ebadf;

	t = new_thread(wait_long, &e);
	asleep(1);
	close(kq);
	if (used)
		check(call_kevent(kq, NULL, 0, NULL, 0, 0) == -1 &&
			errno == EBADF,
		    "the queue is closed");
	check(pthread_join(t, &ebadf) == 0 && ebadf != NULL, "no EBADF");
}

static void
queue_closed_before_the_timeout(void)
{
	close_under_a_wait(0);
}

static void
queue_closed_and_used(void)
{
	close_under_a_wait(1);
}
#endif

/* ---- everything at once ---- */

static void *
stress_changes(void *arg)
{
	unsigned seed = *(unsigned *)arg;
	struct kevent c;
	int id, pp[2];

	while (!stop) {
		seed = seed * 1103515245u + 12345u;
		id = (int)(seed >> 16) % 16;
		c = event((uintptr_t)id, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0,
		    (int64_t)(seed >> 24) % 3, 0);
		call_kevent(kq, &c, 1, NULL, 0, 0);
		c.flags = EV_DELETE;
		if (seed & 0x10000)
			call_kevent(kq, &c, 1, NULL, 0, 0);
		must(pipe(pp));
		c = event((uintptr_t)pp[0], EVFILT_READ, EV_ADD, 0, 0, 0);
		call_kevent(kq, &c, 1, NULL, 0, 0);
		put(pp[1], "x");
		if (seed & 0x20000) {
			c.flags = EV_DELETE;
			call_kevent(kq, &c, 1, NULL, 0, 0);
		}
		close(pp[0]);
		close(pp[1]);
	}
	return NULL;
}

static void *
stress_waits(void *arg)
{
	struct kevent e[4];
	int n;

	while (!stop) {
		n = call_kevent(kq, NULL, 0, e, 4, 5);
		check(n >= 0 || errno == EINTR, "kevent: errno %d", errno);
	}
	return arg;
}

static void *
stress_queues(void *arg)
{
	struct kevent c;
	int k;

	while (!stop) {
		k = must(kqueue());
		c = event((uintptr_t)p[0], EVFILT_READ, EV_ADD, 0, 0, 0);
		check(call_kevent(k, &c, 1, &c, 1, 0) == 0, "an empty pipe");
		close(k);
	}
	return arg;
}

static void
stress(void)
{
	static unsigned seeds[] = { 1, 2, 3 };
	pthread_t t[8];
	int i, n = 0;

	new_pipe(p, "p");
	for (i = 0; i < 3; i++)
		t[n++] = new_thread(stress_changes, &seeds[i]);
	for (i = 0; i < 3; i++)
		t[n++] = new_thread(stress_waits, NULL);
	for (i = 0; i < 2; i++)
		t[n++] = new_thread(stress_queues, NULL);
	nap((int)from_environment("KQ_STRESS_MS", 700));
	stop = 1;
	while (n > 0)
		join(t[--n]);
	/* the queue works as a new one */
	for (i = 0; i < 16; i++)
		try_change(kq, "#%d TIMER DELETE", i);
	expect(kq, " ");
	change(kq, "p0 READ ADD");
	put(p[1], "x");
	expect(kq, "p0 READ =1");
}

/* In a child of a program with threads no lock of the library is held. */
static void
fork_among_threads(void)
{
	unsigned seed = 4;
	pthread_t t;
	pid_t pid;
	int i;

	new_pipe(p, "p");
	put(p[1], "x");
	t = new_thread(stress_changes, &seed);
	for (i = 0; i < 50; i++) {
		pid = must(fork());
		if (pid == 0) {
			int k = new_queue("k");

			change(k, "p0 READ ADD");
			expect(k, "p0 READ =1");
			_exit(0);
		}
		reap(pid, 0);
	}
	stop = 1;
	join(t);
}

const struct test thread_tests[] = {
	{ "thread_add_wakes", add_wakes },
	{ "thread_enable_wakes", enable_wakes },
	{ "thread_timer_wakes", timer_wakes },
#ifdef EVFILT_USER
	{ "thread_trigger_wakes", trigger_wakes },
#endif
	{ "thread_oneshot_wakes_one", oneshot_wakes_one },
	{ "thread_clear_wakes_one", clear_wakes_one },
#ifdef EV_DISPATCH
	{ "thread_dispatch_wakes_one", dispatch_wakes_one },
	{ "thread_dispatch_to_workers", dispatch_to_workers },
#endif
	{ "thread_as_many_events_as_waiters", as_many_events_as_waiters },
	{ "thread_level_wakes_all", level_wakes_all },
	{ "thread_watched_closed_while_waiting", watched_closed_while_waiting },
	{ "thread_queue_closed_while_waiting", queue_closed_while_waiting },
#ifdef __linux__
	{ "thread_queue_closed_wakes", queue_closed_wakes },
	{ "thread_queue_closed_and_another", queue_closed_and_another },
	{ "thread_queue_closed_before_the_timeout",
	    queue_closed_before_the_timeout },
	{ "thread_queue_closed_and_used", queue_closed_and_used },
#endif
	{ "thread_stress", stress },
	{ "thread_fork_among_threads", fork_among_threads },
	{ NULL, NULL },
};
