/* SPDX-License-Identifier: ISC */
/*
 * nested.c - queues that are watched: by poll(2), epoll(7) and other queues.
 */
#include "kq.h"

#include <sys/select.h>

#include <poll.h>
#include <signal.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include <stdarg.h>
#endif

static int p[2], o[2], a, b;

static void
in_a_queue(void)
{
	a = new_queue("a");
	new_pipe(p, "p");
	new_pipe(o, "o");
	change(kq, "a READ ADD @1");
	expect(kq, " ");
	change(a, "p0 READ ADD, o0 READ ADD");
	expect(kq, " ");
	put(p[1], "x");
	expect(kq, "a READ =1 @1");
	put(o[1], "x");
	expect(kq, "a READ =2 @1");
	expect(a, "p0 READ =1, o0 READ =1");
	expect(kq, "a READ =2 @1");
	drain(p[0]);
	drain(o[0]);
	expect(a, " ");
	expect(kq, " ");
	put(p[1], "x");
	expect(kq, "a READ =1 @1");
	close(a);
	expect(kq, " ");
}

static void
three_deep(void)
{
	a = new_queue("a");
	b = new_queue("b");
	new_pipe(p, "p");
	change(kq, "a READ ADD");
	change(a, "b READ ADD");
	change(b, "p0 READ ADD CLEAR");
	expect(kq, " ");
	put(p[1], "x");
	expect(kq, "a READ =1");
	expect(a, "b READ =1");
	expect(b, "p0 READ CLEAR =1");
	expect(a, " ");
	expect(kq, " ");
	put(p[1], "x");
	expect(kq, "a READ =1");
	close(b);
	expect(a, " ");
	expect(kq, " ");
}

static void *
write_soon(void *arg)
{
	nap(50);
	put(p[1], "x");
	return arg;
}

static void
three_deep_wakes(void)
{
	pthread_t t;

	a = new_queue("a");
	b = new_queue("b");
	new_pipe(p, "p");
	change(kq, "a READ ADD");
	change(a, "b READ ADD");
	change(b, "p0 READ ADD");
	t = new_thread(write_soon, NULL);
	await(kq, "a READ =1");
	join(t);
}

static void
already_ready(void)
{
	a = new_queue("a");
	new_pipe(p, "p");
	put(p[1], "x");
	change(a, "p0 READ ADD");
	answer(kq, "a READ ADD", "a READ =1");
	change(a, "p0 READ DELETE");
	expect(a, " ");
	expect(kq, " ");
}

static void
with_clear(void)
{
	a = new_queue("a");
	new_pipe(p, "p");
	change(kq, "a READ ADD CLEAR");
	change(a, "p0 READ ADD CLEAR");
	put(p[1], "x");
	expect(kq, "a READ CLEAR =1");
	expect(kq, " ");
	expect(a, "p0 READ CLEAR =1");
	expect(kq, " ");
	put(p[1], "x");
	expect(kq, "a READ CLEAR =1");
}

static void
timer_inside(void)
{
	a = new_queue("a");
	change(a, "#1 TIMER ADD ONESHOT =40");
	change(kq, "a READ ADD");
	await(kq, "a READ =1");
	expect(a, "#1 TIMER CLEAR ONESHOT =1");
	expect(kq, " ");
}

/* Added to the inner queue during a wait for the outer one. */
static void *
timer_soon(void *arg)
{
	nap(50);
	change(a, "#1 TIMER ADD ONESHOT =10");
	return arg;
}

static void
added_inside_wakes(void)
{
	pthread_t t;

	a = new_queue("a");
	change(kq, "a READ ADD");
	t = new_thread(timer_soon, NULL);
	await(kq, "a READ =1");
	join(t);
}

#ifdef EVFILT_USER
static void *
trigger_soon(void *arg)
{
	nap(50);
	change(a, "#1 USER TRIGGER");
	return arg;
}

static void
trigger_inside_wakes(void)
{
	pthread_t t;

	a = new_queue("a");
	change(a, "#1 USER ADD CLEAR");
	change(kq, "a READ ADD");
	t = new_thread(trigger_soon, NULL);
	await(kq, "a READ =1");
	join(t);
	expect(a, "#1 USER CLEAR");
	expect(kq, " ");
}
#endif

static void
disabled_inside(void)
{
	a = new_queue("a");
	new_pipe(p, "p");
	change(a, "p0 READ ADD");
	change(kq, "a READ ADD");
	put(p[1], "x");
	expect(kq, "a READ =1");
	change(a, "p0 READ DISABLE");
	expect(a, " ");
	expect(kq, " ");
	change(a, "p0 READ ENABLE");
	expect(kq, "a READ =1");
	change(a, "p0 READ DELETE");
	expect(a, " ");
	expect(kq, " ");
}

static void
closed_inside(void)
{
	a = new_queue("a");
	new_pipe(p, "p");
	change(a, "p0 READ ADD");
	change(kq, "a READ ADD");
	put(p[1], "x");
	expect(kq, "a READ =1");
	close(p[0]);
	expect(kq, " ");
}

static void
refused(void)
{
	a = new_queue("a");
#if REFERENCE
	refuse(kq, EINVAL, "a WRITE ADD");
	refuse(kq, EINVAL, "a VNODE ADD ALL");
	refuse(kq, EINVAL, "kq READ ADD");
#else
	check(try_change(kq, "a WRITE ADD") != 0, "WRITE");
	check(try_change(kq, "a VNODE ADD ALL") != 0, "VNODE");
#endif
}

static void
in_poll(void)
{
	struct pollfd pf;

	pf.fd = kq;
	pf.events = POLLIN;
	new_pipe(p, "p");
	change(kq, "p0 READ ADD");
	check(poll(&pf, 1, 0) == 0, "nothing");
	check(poll(&pf, 1, 20) == 0, "nothing still");
	put(p[1], "x");
	check(poll(&pf, 1, PATIENCE) == 1 && pf.revents == POLLIN, "ready");
	expect(kq, "p0 READ =1");
	check(poll(&pf, 1, 0) == 1, "ready still");
	drain(p[0]);
	expect(kq, " ");
	check(poll(&pf, 1, 0) == 0, "no longer");
	change(kq, "#1 TIMER ADD ONESHOT =30");
	check(poll(&pf, 1, 0) == 0, "not before");
	check(poll(&pf, 1, PATIENCE) == 1, "the timer");
	expect(kq, "#1 TIMER CLEAR ONESHOT =1");
	check(poll(&pf, 1, 0) == 0, "once");
}

static int
selects(int ms)
{
	struct timeval tv;
	fd_set r, w;
	int n;

	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_SET(kq, &r);
	FD_SET(kq, &w);
	tv.tv_sec = ms / 1000;
	tv.tv_usec = ms % 1000 * 1000;
	n = must(select(kq + 1, &r, &w, NULL, &tv));
	check(!FD_ISSET(kq, &w), "a queue is not writable");
	return n;
}

static void
in_select(void)
{
	signal(SIGUSR1, SIG_IGN);
	change(kq, "USR1 SIGNAL ADD");
	check(selects(0) == 0, "nothing");
	kill(getpid(), SIGUSR1);
	check(selects(PATIENCE) == 1, "ready");
	expect(kq, "USR1 SIGNAL CLEAR =1");
	check(selects(0) == 0, "collected");
	change(kq, "#1 TIMER ADD =5");
	check(selects(PATIENCE) == 1, "the timer");
	change(kq, "#1 TIMER DELETE");
	expect(kq, " ");
	check(selects(20) == 0, "deleted");
}

#ifdef __linux__
static void
in_epoll(void)
{
	struct epoll_event ev = { EPOLLIN, { 0 } };
	int ep = must(epoll_create1(0)), i;

	new_pipe(p, "p");
	must(epoll_ctl(ep, EPOLL_CTL_ADD, kq, &ev));
	change(kq, "p0 READ ADD CLEAR");
	for (i = 1; i < 4; i++) {
		check(epoll_wait(ep, &ev, 1, 0) == 0, "nothing");
		put(p[1], "x");
		check(epoll_wait(ep, &ev, 1, PATIENCE) == 1, "ready");
		expect(kq, "p0 READ CLEAR =%d", i);
	}
	check(epoll_wait(ep, &ev, 1, 0) == 0, "collected");
	change(kq, "#1 TIMER ADD ONESHOT =20");
	check(epoll_wait(ep, &ev, 1, PATIENCE) == 1, "the timer");
	expect(kq, "#1 TIMER CLEAR ONESHOT =1");
}

static void
in_epoll_on_edges(void)
{
	struct epoll_event ev = { EPOLLIN | EPOLLET, { 0 } };
	int ep = must(epoll_create1(0)), i;

	new_pipe(p, "p");
	change(kq, "p0 READ ADD CLEAR");
	must(epoll_ctl(ep, EPOLL_CTL_ADD, kq, &ev));
	for (i = 1; i < 4; i++) {
		put(p[1], "x");
		check(epoll_wait(ep, &ev, 1, PATIENCE) == 1, "edge %d", i);
		expect(kq, "p0 READ CLEAR =%d", i);
	}
}

static int watched = -1, watching;

#ifdef __GLIBC__
#define REQUEST unsigned long
#else
#define REQUEST int
#endif

/* In the place of the library's: kevent(2) asks for the bytes of WATCHED. */
int
ioctl(int fd, REQUEST request, ...)
{
	va_list list;
	void *argument;
	int answer, error;

	va_start(list, request);
	argument = va_arg(list, void *);
	va_end(list);
	answer = (int)syscall(SYS_ioctl, fd, request, argument);
	error = errno;
	if (fd == watched) {
		watched = -1;
		close(fd);
		close(watching);
	}
	errno = error;
	return answer;
}

/* As another thread might: just when an event is to be returned. */
static void
both_closed_meanwhile(void)
{
	struct kevent event;
	int n;

	a = new_queue("a");
	watching = new_queue("b");
	new_pipe(p, "p");
	/* its events go on, under a number that kevent(2) does not know */
	must(dup(a));
	change(a, "p0 READ ADD");
	change(watching, "a READ ADD CLEAR");
	put(p[1], "x");
	watched = a;
	n = call_kevent(watching, NULL, 0, &event, 1, 0);
	check(watched == -1, "it has asked");
	check(n == 0 || (n == -1 && errno == EBADF), "%d, errno %d", n, errno);
	/* and frees what is closed */
	expect(kq, " ");
}
#endif

const struct test nested_tests[] = {
	{ "nested_in_a_queue", in_a_queue },
	{ "nested_three_deep", three_deep },
	{ "nested_three_deep_wakes", three_deep_wakes },
	{ "nested_already_ready", already_ready },
	{ "nested_with_clear", with_clear },
	{ "nested_timer_inside", timer_inside },
	{ "nested_added_inside_wakes", added_inside_wakes },
#ifdef EVFILT_USER
	{ "nested_trigger_inside_wakes", trigger_inside_wakes },
#endif
	{ "nested_disabled_inside", disabled_inside },
	{ "nested_closed_inside", closed_inside },
	{ "nested_refused", refused },
	{ "nested_in_poll", in_poll },
	{ "nested_in_select", in_select },
#ifdef __linux__
	{ "nested_in_epoll", in_epoll },
	{ "nested_in_epoll_on_edges", in_epoll_on_edges },
	{ "nested_both_closed_meanwhile", both_closed_meanwhile },
#endif
	{ NULL, NULL },
};
