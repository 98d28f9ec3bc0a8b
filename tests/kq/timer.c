/* SPDX-License-Identifier: ISC */
/*
 * timer.c - timers.  They may be late, but never early.
 */
#include "kq.h"

#include <sys/time.h>

#include <stdlib.h>
#include <unistd.h>

static double since;

static void
start(void)
{
	since = now();
}

static void
not_before(double seconds)
{
	check(now() - since >= seconds - EARLY, "after %.6f s, before %.6f",
	    now() - since, seconds);
}

static void
periodic(void)
{
	int i;

	start();
	change(kq, "#1 TIMER ADD =50 @1");
	for (i = 1; i <= 4; i++) {
		await(kq, "#1 TIMER CLEAR >0 @1");
		not_before(i * .05);
	}
	change(kq, "#1 TIMER DELETE");
	quiet(kq, 120);
	refuse(kq, ENOENT, "#1 TIMER DELETE");
}

static void
oneshot(void)
{
	start();
	change(kq, "#1 TIMER ADD ONESHOT =60");
	await(kq, "#1 TIMER CLEAR ONESHOT =1");
	not_before(.06);
	quiet(kq, 150);
	refuse(kq, ENOENT, "#1 TIMER DELETE");
}

static void
oneshot_collected_late(void)
{
	change(kq, "#1 TIMER ADD ONESHOT =10");
	quiet(new_queue("k2"), 100);
	expect(kq, "#1 TIMER CLEAR ONESHOT =1");
}

/* Never more expirations than possible, and in the long run all of them. */
static void
expirations_counted(void)
{
	int64_t sum = 0;
	struct kevent e;
	double t;

	start();
	change(kq, "#1 TIMER ADD =4");
	while (sum < 50) {
		quiet(new_queue("k2"), 11);
		check(call_kevent(kq, NULL, 0, &e, 1, PATIENCE) == 1, "one");
		check(e.data >= 1, "at least one: %lld", (long long)e.data);
		sum += e.data;
		t = now() - since;
		check((double)sum * .004 <= t, "%lld of 4 ms in %.4f s",
		    (long long)sum, t);
	}
}

static void
expirations_while_busy(void)
{
	struct kevent e;

	change(kq, "#1 TIMER ADD =5");
	quiet(new_queue("k2"), 100);
	check(call_kevent(kq, NULL, 0, &e, 1, 0) == 1, "one event");
	check(e.data >= 10 && e.data < 2000, "%lld of 5 ms in 100",
	    (long long)e.data);
}

#ifdef NOTE_SECONDS
/*
 * The next event is that of oneshot timer IDENT, and not early: on a busy
 * machine two may have expired, which are reported in the order of deadlines.
 */
static void
next_is(uintptr_t ident, unsigned flags, double seconds)
{
	struct kevent e;

	check(call_kevent(kq, NULL, 0, &e, 1, PATIENCE) == 1, "timer %u",
	    (unsigned)ident);
	check(e.ident == ident && e.data == 1 &&
		((unsigned)e.flags & (EV_ONESHOT | EV_CLEAR)) == flags,
	    "timer %u: %u with flags %x and data %lld", (unsigned)ident,
	    (unsigned)e.ident, (unsigned)e.flags, (long long)e.data);
	not_before(seconds);
}

static void
units(void)
{
	start();
	change(kq,
	    "#1 TIMER ADD ONESHOT SECONDS =1,"
	    "#2 TIMER ADD ONESHOT MSECONDS =1010,"
	    "#3 TIMER ADD ONESHOT USECONDS =1020000,"
	    "#4 TIMER ADD ONESHOT NSECONDS =1030000000,"
	    "#5 TIMER ADD ONESHOT =1040");
	quiet(kq, 500);
	next_is(1, EV_ONESHOT | EV_CLEAR, 1.);
	next_is(2, EV_ONESHOT | EV_CLEAR, 1.01);
	next_is(3, EV_ONESHOT | EV_CLEAR, 1.02);
	next_is(4, EV_ONESHOT | EV_CLEAR, 1.03);
	next_is(5, EV_ONESHOT | EV_CLEAR, 1.04);
}

static void
units_short(void)
{
	start();
	change(kq, "#1 TIMER ADD ONESHOT NSECONDS =1");
	await(kq, "#1 TIMER CLEAR ONESHOT =1");
	change(kq, "#1 TIMER ADD ONESHOT USECONDS =1500");
	await(kq, "#1 TIMER CLEAR ONESHOT =1");
	not_before(.0015);
	start();
	change(kq, "#1 TIMER ADD USECONDS =700");
	await(kq, "#1 TIMER CLEAR >0");
	not_before(.0007);
}

static void
units_two_at_once(void)
{
#if REFERENCE
	refuse(kq, EINVAL, "#1 TIMER ADD SECONDS MSECONDS =1");
	refuse(kq, ENOENT, "#1 TIMER DELETE");
#else
	skip("the units are not flags here");
#endif
}
#endif

#if defined(NOTE_ABSTIME) && REFERENCE
static long long
milliseconds(void)
{
	struct timeval tv;

	gettimeofday(&tv, NULL);
	return (long long)tv.tv_sec * 1000 + tv.tv_usec / 1000;
}

/* An absolute timer that has expired stays ready until it is deleted. */
static void
absolute(void)
{
	start();
	change(kq, "#1 TIMER ADD ABSTIME MSECONDS =%lld", milliseconds() + 100);
	await(kq, "#1 TIMER =1");
	not_before(.098);
	quiet(new_queue("k2"), 30);
	expect(kq, "#1 TIMER =1");
	change(kq, "#1 TIMER DELETE");
	expect(kq, " ");
}

static void
absolute_past(void)
{
	change(kq,
	    "#1 TIMER ADD ABSTIME MSECONDS =%lld, "
	    "#2 TIMER ADD ONESHOT ABSTIME SECONDS =1,"
	    "#3 TIMER ADD CLEAR ABSTIME NSECONDS =1",
	    milliseconds() - 5000);
	eventually(kq,
	    "#1 TIMER =1, #2 TIMER ONESHOT =1, #3 TIMER CLEAR =1 |"
	    "#1 TIMER =1, #2 TIMER ONESHOT =1 |"
	    "#1 TIMER =1, #3 TIMER CLEAR =1 | #1 TIMER =1");
	eventually(kq, "#1 TIMER =1");
	expect(kq, "#1 TIMER =1");
	refuse(kq, ENOENT, "#2 TIMER DELETE");
}

static void
absolute_units(void)
{
	long long t = milliseconds() + 60;

	start();
	change(kq,
	    "#1 TIMER ADD ONESHOT ABSTIME USECONDS =%lld,"
	    "#2 TIMER ADD ONESHOT ABSTIME NSECONDS =%lld,"
	    "#3 TIMER ADD ONESHOT ABSTIME SECONDS =%lld",
	    t * 1000, (t + 20) * 1000000, t / 1000 + 3600);
	next_is(1, EV_ONESHOT, .058);
	next_is(2, EV_ONESHOT, .078);
	expect(kq, " ");
	change(kq, "#3 TIMER DELETE");
}

static void
absolute_moved(void)
{
	change(kq, "#1 TIMER ADD ABSTIME MSECONDS =%lld", milliseconds() - 1);
	eventually(kq, "#1 TIMER =1");
	change(kq, "#1 TIMER ADD ABSTIME MSECONDS =%lld",
	    milliseconds() + 100000);
	expect(kq, " ");
	change(kq, "#1 TIMER DELETE");
}
#endif

static void
negative(void)
{
#if REFERENCE
	refuse(kq, EINVAL, "#1 TIMER ADD =-1");
	refuse(kq, EINVAL, "#1 TIMER ADD ONESHOT =-100");
	refuse(kq, ENOENT, "#1 TIMER DELETE");
	quiet(kq, 10);
#else
	skip("taken for something here");
#endif
}

static void
zero(void)
{
#if REFERENCE
	change(kq, "#1 TIMER ADD ONESHOT =0");
	await(kq, "#1 TIMER CLEAR ONESHOT =1");
	expect(kq, " ");
	change(kq, "#2 TIMER ADD =0");
	await(kq, "#2 TIMER CLEAR >0");
	change(kq, "#2 TIMER DELETE");
#else
	skip("taken for something here");
#endif
}

static void
of_ages(void)
{
	change(kq,
	    "#1 TIMER ADD =1000000000000, #2 TIMER ADD ONESHOT "
	    "=1000000000000");
	quiet(kq, 30);
	change(kq, "#1 TIMER DELETE, #2 TIMER DELETE");
#ifdef __linux__
	change(kq,
	    "#1 TIMER ADD =%lld, #2 TIMER ADD ONESHOT SECONDS =%lld,"
	    "#3 TIMER ADD USECONDS =%lld, #4 TIMER ADD NSECONDS =%lld",
	    (long long)INT64_MAX, (long long)INT64_MAX, (long long)INT64_MAX,
	    (long long)INT64_MAX);
	quiet(kq, 30);
	change(kq, "#5 TIMER ADD =10");
	await(kq, "#5 TIMER CLEAR >0");
#endif
}

static void
any_identifier(void)
{
	change(kq, "#0 TIMER ADD ONESHOT =1");
	await(kq, "#0 TIMER CLEAR ONESHOT =1");
	change(kq, "#2147483648 TIMER ADD ONESHOT =1");
	await(kq, "#2147483648 TIMER CLEAR ONESHOT =1");
	change(kq, "#-1 TIMER ADD ONESHOT =1");
	await(kq, "#-1 TIMER CLEAR ONESHOT =1");
	/* the identifier is no descriptor */
	change(kq, "#99999 TIMER ADD ONESHOT =1");
	await(kq, "#99999 TIMER CLEAR ONESHOT =1");
}

/* A second add restarts the timer. */
static void
added_again(void)
{
	if (!REFERENCE)
		skip("the timer of NetBSD 9.1 goes on as it was");
	start();
	change(kq, "#1 TIMER ADD =100000");
	change(kq, "#1 TIMER ADD =30 @2");
	await(kq, "#1 TIMER CLEAR >0 @2");
	not_before(.03);
	change(kq, "#1 TIMER ADD =100000 @3");
	quiet(kq, 80);
	start();
	change(kq, "#1 TIMER ADD =1000");
	quiet(kq, 20);
	change(kq, "#1 TIMER ADD =1000");
	await(kq, "#1 TIMER CLEAR >0");
	not_before(1.02);
}

static void
added_again_when_expired(void)
{
#if REFERENCE
	change(kq, "#1 TIMER ADD =5");
	quiet(new_queue("k2"), 40);
	change(kq, "#1 TIMER ADD =100000");
	expect(kq, " ");
	quiet(kq, 20);
#else
	skip("expirations from before are kept here");
#endif
}

static void
added_again_as_oneshot(void)
{
	change(kq, "#1 TIMER ADD =10");
	change(kq, "#1 TIMER ADD ONESHOT =10");
	await(kq, "#1 TIMER CLEAR >0");
	await(kq, "#1 TIMER CLEAR >0");
	await(kq, "#1 TIMER CLEAR >0");
}

static void
disabled(void)
{
	change(kq, "#1 TIMER ADD =10");
	change(kq, "#1 TIMER DISABLE");
	quiet(kq, 60);
	change(kq, "#1 TIMER ENABLE");
	expect(kq, "#1 TIMER CLEAR >0");
	await(kq, "#1 TIMER CLEAR >0");
}

static void
added_disabled(void)
{
	change(kq, "#1 TIMER ADD DISABLE ONESHOT =10");
	quiet(kq, 60);
	change(kq, "#1 TIMER ENABLE");
	await(kq, "#1 TIMER CLEAR ONESHOT =1");
	expect(kq, " ");
}

#ifdef EV_DISPATCH
static void
dispatch(void)
{
	if (!REFERENCE)
		skip("a timer of NetBSD 9.1 is not disabled by its event");
	change(kq, "#1 TIMER ADD DISPATCH =10");
	await(kq, "#1 TIMER CLEAR DISPATCH >0");
	quiet(kq, 60);
	change(kq, "#1 TIMER ENABLE");
	expect(kq, "#1 TIMER CLEAR DISPATCH >0");
	quiet(kq, 30);
}
#endif

static void
deleted_when_expired(void)
{
	change(kq, "#1 TIMER ADD =5, #2 TIMER ADD ONESHOT =5");
	quiet(new_queue("k2"), 30);
	change(kq, "#1 TIMER DELETE, #2 TIMER DELETE");
	expect(kq, " ");
	change(kq, "#1 TIMER ADD =100000");
	expect(kq, " ");
}

static void
in_order(void)
{
	static const int ms[] = { 70, 20, 50, 10, 90, 60, 30, 80, 40, 100 };
	double least[10], most[10]; /* deadlines; adding them may take long */
	struct kevent e;
	int i, last = -1;

	for (i = 0; i < 10; i++) {
		least[i] = now() + ms[i] / 1e3;
		change(kq, "#%d TIMER ADD ONESHOT =%d", i, ms[i]);
		most[i] = now() + ms[i] / 1e3;
	}
	for (i = 0; i < 10; i++) {
		check(call_kevent(kq, NULL, 0, &e, 1, PATIENCE) == 1, "one");
		check(now() >= least[e.ident] - EARLY, "%d ms: early",
		    ms[e.ident]);
		check(last == -1 || least[last] <= most[e.ident],
		    "%d ms before %d ms", ms[last], ms[e.ident]);
		last = (int)e.ident;
	}
}

static void
together(void)
{
	struct kevent e[ROOM];
	int i, n = 0, r;

	for (i = 0; i < 50; i++)
		change(kq, "#%d TIMER ADD ONESHOT =20", i);
	while (n < 50) {
		r = call_kevent(kq, NULL, 0, e, ROOM, PATIENCE);
		check(r > 0, "%d of 50 came", n);
		n += r;
	}
	expect(kq, " ");
}

static void
of_two_queues(void)
{
	int k2 = new_queue("k2");

	change(kq, "#1 TIMER ADD ONESHOT =20 @1");
	change(k2, "#1 TIMER ADD ONESHOT =10 @2");
	await(k2, "#1 TIMER CLEAR ONESHOT =1 @2");
	await(kq, "#1 TIMER CLEAR ONESHOT =1 @1");
	change(k2, "#1 TIMER ADD =5");
	close(k2);
	quiet(kq, 30);
}

/* The timeout of the call, or the timer, whichever comes first. */
static void
and_timeout(void)
{
	change(kq, "#1 TIMER ADD ONESHOT =1000");
	quiet(kq, 50);
	await(kq, "#1 TIMER CLEAR ONESHOT =1");
}

static void
in_one_call(void)
{
	struct kevent c, e;

	start();
	c = event(1, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, 20, 9);
	check(call_kevent(kq, &c, 1, &e, 1, -1) == 1 && udata_of(&e) == 9,
	    "added and waited for");
	not_before(.02);
}

const struct test timer_tests[] = {
	{ "timer_periodic", periodic },
	{ "timer_oneshot", oneshot },
	{ "timer_oneshot_collected_late", oneshot_collected_late },
	{ "timer_expirations_counted", expirations_counted },
	{ "timer_expirations_while_busy", expirations_while_busy },
#ifdef NOTE_SECONDS
	{ "timer_units", units },
	{ "timer_units_short", units_short },
	{ "timer_units_two_at_once", units_two_at_once },
#endif
#if defined(NOTE_ABSTIME) && REFERENCE
	{ "timer_absolute", absolute },
	{ "timer_absolute_past", absolute_past },
	{ "timer_absolute_units", absolute_units },
	{ "timer_absolute_moved", absolute_moved },
#endif
	{ "timer_negative", negative },
	{ "timer_zero", zero },
	{ "timer_of_ages", of_ages },
	{ "timer_any_identifier", any_identifier },
	{ "timer_added_again", added_again },
	{ "timer_added_again_when_expired", added_again_when_expired },
	{ "timer_added_again_as_oneshot", added_again_as_oneshot },
	{ "timer_disabled", disabled },
	{ "timer_added_disabled", added_disabled },
#ifdef EV_DISPATCH
	{ "timer_dispatch", dispatch },
#endif
	{ "timer_deleted_when_expired", deleted_when_expired },
	{ "timer_in_order", in_order },
	{ "timer_together", together },
	{ "timer_of_two_queues", of_two_queues },
	{ "timer_and_timeout", and_timeout },
	{ "timer_in_one_call", in_one_call },
	{ NULL, NULL },
};
