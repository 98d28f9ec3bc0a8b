/* SPDX-License-Identifier: ISC */
/*
 * core.c - what holds for every filter: changes, errors, timeouts, and the life
 * of what was added.
 */
#include "config.h"
#include "kq.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int p[2], o[2];

static void
descriptor_not_open(void)
{
	new_pipe(p, "p");
	close(p[0]);
	refuse(kq, EBADF, "p0 READ ADD");
	refuse(kq, EBADF, "p0 READ DELETE");
	refuse(kq, EBADF, "p0 READ ENABLE");
	refuse(kq, EBADF, "p0 WRITE ADD");
	refuse(kq, EBADF, "p0 VNODE ADD WRITE");
	refuse(kq, EBADF, "#1000000 READ ADD");
	refuse(kq, EBADF, "#2147483647 READ ADD");
	refuse(kq, EBADF, "#-1 READ ADD");
	expect(kq, " ");
}

static void
filter_unknown(void)
{
	refuse(kq, EINVAL, "#0 #999 ADD");
	refuse(kq, EINVAL, "#0 #-999 ADD");
	refuse(kq, EINVAL, "#0 #999 DELETE");
}

static void
errors_keep_their_change(void)
{
	new_pipe(p, "p");
	answer(kq, "p0 READ DELETE @11, #5 TIMER DELETE @12, p0 READ ADD @13",
	    "p0 READ DELETE ERROR =ENOENT @11, "
	    "#5 TIMER DELETE ERROR =ENOENT @12 |"
	    "p0 READ ERROR =ENOENT @11, #5 TIMER ERROR =ENOENT @12");
	put(p[1], "x");
	expect(kq, "p0 READ =1 @13");
}

/* The first error uses up the room; the second ends the call. */
static void
errors_without_room(void)
{
	struct kevent c[4], e[1];

	new_pipe(p, "p");
	put(p[1], "x");
	parse_changes(c, "#1 TIMER DELETE, #2 TIMER ENABLE, p0 READ ADD");
	check(call_kevent(kq, c, 3, e, 1, 0) == -1 && errno == ENOENT,
	    "two errors and room for one");
	expect(kq, " ");
}

static void
changes_up_to_the_error(void)
{
	new_pipe(p, "p");
	new_pipe(o, "o");
	put(p[1], "x");
	put(o[1], "x");
	check(try_change(kq, "p0 READ ADD, #1 TIMER DELETE, o0 READ ADD") ==
		ENOENT,
	    "the second of three is bad");
	expect(kq, "p0 READ =1");
}

static void
error_returns_at_once(void)
{
	struct kevent c, e[4];

	parse_changes(&c, "#1 TIMER DELETE");
	check(call_kevent(kq, &c, 1, e, 4, -1) == 1, "an error is returned");
}

#ifdef EV_RECEIPT
static void
receipts(void)
{
	struct kevent c[ROOM], e[ROOM];

	new_pipe(p, "p");
	put(p[1], "x");
	answer(kq, "p0 READ ADD RECEIPT @1",
	    "p0 READ ERROR =0 @1 | p0 READ ERROR RECEIPT =0 @1");
	expect(kq, "p0 READ RECEIPT =1 @1");
	answer(kq, "p0 READ DISABLE RECEIPT @1, #1 TIMER DELETE RECEIPT",
	    "p0 READ ERROR =0 @1, #1 TIMER ERROR =ENOENT |"
	    "p0 READ DISABLE RECEIPT ERROR =0 @1,"
	    "#1 TIMER DELETE RECEIPT ERROR =ENOENT |"
	    "p0 READ DISABLE ERROR =0 @1, #1 TIMER DELETE ERROR =ENOENT");
	expect(kq, " ");
	/* a call with a receipt does not wait, and returns no event */
	parse_changes(c, "p0 READ ENABLE RECEIPT");
	check(call_kevent(kq, c, 1, e, ROOM, -1) == 1 &&
		(e[0].flags & EV_ERROR) != 0 && e[0].data == 0,
	    "a receipt");
	change(kq, "p0 READ DELETE RECEIPT");
	expect(kq, " ");
}

static void
receipts_without_room(void)
{
	struct kevent c[ROOM], e[2];

	new_pipe(p, "p");
	new_pipe(o, "o");
	put(p[1], "x");
	put(o[1], "x");
	parse_changes(c, "p0 READ ADD RECEIPT, o0 READ ADD");
	check(call_kevent(kq, c, 2, NULL, 0, 0) == 0, "no room: no error");
	parse_changes(c, "p0 READ ADD RECEIPT, o0 READ ADD RECEIPT");
	check(call_kevent(kq, c, 2, e, 2, 0) == 2, "room for both");
	check(e[0].ident == (uintptr_t)p[0] && e[1].ident == (uintptr_t)o[0],
	    "in the order of the changes");
}
#endif

static void
change_and_collect(void)
{
	new_pipe(p, "p");
	put(p[1], "x");
	answer(kq, "p0 READ ADD", "p0 READ =1");
	answer(kq, "p0 READ DELETE", " ");
	answer(kq, "p0 READ ADD @1, p0 READ ADD @2", "p0 READ =1 @2");
	answer(kq, "p0 READ DELETE, p0 READ ADD @3", "p0 READ =1 @3");
	answer(kq, "p0 READ ADD, p0 READ DISABLE", " ");
	answer(kq, "p0 READ ENABLE, p0 READ DELETE, p0 READ ADD ONESHOT",
	    "p0 READ ONESHOT =1");
	refuse(kq, ENOENT, "p0 READ DELETE");
}

static void
one_array_for_both(void)
{
	struct timespec none = { 0, 0 };
	struct kevent e[8];
	int n;

	new_pipe(p, "p");
	new_pipe(o, "o");
	put(p[1], "ab");
	n = parse_changes(e, "p0 READ ADD @1, o1 WRITE ADD @2, o0 READ ADD");
	n = kevent(kq, e, (KEVENT_COUNT)n, e, 8, &none);
	check(n == 2, "two events, got %d", n);
	/* errors overwrite changes only when those have been applied */
	n = parse_changes(e,
	    "#1 TIMER DELETE @7, #2 TIMER DELETE @8,"
	    "p0 READ ADD @3, #3 TIMER DELETE @9");
	n = kevent(kq, e, (KEVENT_COUNT)n, e, 4, &none);
	check(n == 3 && udata_of(&e[0]) == 7 && udata_of(&e[1]) == 8 &&
		udata_of(&e[2]) == 9,
	    "three errors, got %d", n);
	expect(kq, "p0 READ =2 @3, o1 WRITE >0 @2");
	/* the returned array is a valid changelist */
	n = call_kevent(kq, NULL, 0, e, 8, 0);
	e[0].flags = e[1].flags = EV_DELETE;
	check(n == 2 && kevent(kq, e, (KEVENT_COUNT)n, e, 8, &none) == 0,
	    "deleted");
}

static void
many_changes(void)
{
	const int n = 5000;
	struct kevent *c = calloc((size_t)n, sizeof *c), e[1];
	int i;

	new_pipe(p, "p");
	put(p[1], "x");
	for (i = 0; i < n; i++)
		c[i] = event((uintptr_t)p[0], EVFILT_READ,
		    i % 2 ? EV_DELETE : EV_ADD, 0, 0, (uintptr_t)i);
	check(call_kevent(kq, c, n, e, 1, 0) == 0, "added and deleted");
	check(call_kevent(kq, c, n - 1, e, 1, 0) == 1 &&
		udata_of(&e[0]) == (uintptr_t)n - 2,
	    "added at last");
	for (i = 0; i < n; i++)
		c[i] = event((uintptr_t)i, EVFILT_TIMER, EV_DELETE, 0, 0, 0);
	check(call_kevent(kq, c, n, c, n, 0) == n, "as many errors");
	check(call_kevent(kq, c, n, c, n - 1, 0) == -1, "one too many");
	free(c);
}

static void
timeout_not_before(void)
{
	quiet(kq, 0);
	quiet(kq, 1);
	quiet(kq, 30);
	quiet(kq, 1100);
	new_pipe(p, "p");
	change(kq, "p0 READ ADD, #1 TIMER ADD =100000");
	quiet(kq, 40);
}

static void
timeout_of_a_nanosecond(void)
{
	struct timespec t = { 0, 1 };
	struct kevent e;
	int i;

	for (i = 0; i < 100; i++)
		check(kevent(kq, NULL, 0, &e, 1, &t) == 0, "nothing is ready");
}

static void
timeout_invalid(void)
{
	struct timespec bad[] = { { -1, 0 }, { 0, 1000000000 }, { 0, -1 } };
	struct kevent c, e;
	size_t i;

	new_pipe(p, "p");
	put(p[1], "x");
	for (i = 0; i < COUNT(bad); i++)
		check(kevent(kq, NULL, 0, &e, 1, &bad[i]) == -1 &&
			errno == EINVAL,
		    "timeout %zu", i);
	parse_changes(&c, "p0 READ ADD");
	check(kevent(kq, &c, 1, &e, 1, &bad[1]) == -1 && errno == EINVAL,
	    "with a change");
	expect(kq, "p0 READ =1");
	check(kevent(kq, NULL, 0, &e, 0, &bad[1]) == 0, "without room");
}

static void
timeout_for_ages(void)
{
	struct timespec t = { 1000000000, 999999999 };
	struct kevent e;

	new_pipe(p, "p");
	put(p[1], "x");
	change(kq, "p0 READ ADD");
	check(kevent(kq, NULL, 0, &e, 1, &t) == 1, "one is ready");
	change(kq, "p0 READ DELETE, #1 TIMER ADD ONESHOT =20");
	check(kevent(kq, NULL, 0, &e, 1, &t) == 1, "the timer");
	t.tv_sec = sizeof t.tv_sec > 4 ? (time_t)1 << 40 : INT_MAX;
	change(kq, "#1 TIMER ADD ONESHOT =20");
	check(kevent(kq, NULL, 0, &e, 1, &t) == 1, "after a longer one");
}

/* Without room the call does not wait, whatever the timeout. */
static void
no_room_no_wait(void)
{
	new_pipe(p, "p");
	check(call_kevent(kq, NULL, 0, NULL, 0, -1) == 0, "nothing to do");
	put(p[1], "x");
	change(kq, "p0 READ ADD CLEAR");
	check(call_kevent(kq, NULL, 0, NULL, 0, 0) == 0, "nothing taken");
	expect(kq, "p0 READ CLEAR =1");
}

static void
order_of_becoming_ready(void)
{
	int a[2], b[2], c[2];
	struct kevent e[3];

	new_pipe(a, "a");
	new_pipe(b, "b");
	new_pipe(c, "c");
	change(kq, "b0 READ ADD, a0 READ ADD, c0 READ ADD");
	put(c[1], "x");
	put(a[1], "x");
	put(b[1], "x");
	check(call_kevent(kq, NULL, 0, e, 3, 0) == 3 &&
		e[0].ident == (uintptr_t)c[0] &&
		e[1].ident == (uintptr_t)a[0] && e[2].ident == (uintptr_t)b[0],
	    "c, a, b");
}

/* Level-triggered knotes go to the end of the queue after a report. */
static void
short_list_takes_turns(void)
{
	int a[2], b[2], c[2], i, seen[3] = { 0, 0, 0 };
	struct kevent e;

	new_pipe(a, "a");
	new_pipe(b, "b");
	new_pipe(c, "c");
	change(kq, "a0 READ ADD @0, b0 READ ADD @1, c0 READ ADD @2");
	put(a[1], "x");
	put(b[1], "x");
	put(c[1], "x");
	for (i = 0; i < 9; i++) {
		check(call_kevent(kq, NULL, 0, &e, 1, 0) == 1, "one of three");
		seen[udata_of(&e)]++;
	}
	check(seen[0] == 3 && seen[1] == 3 && seen[2] == 3,
	    "each three times: %d %d %d", seen[0], seen[1], seen[2]);
}

static void
short_list_of_mixed_filters(void)
{
	int f = new_file("f", "abc", O_RDWR, "f"), i;
	unsigned seen = 0;
	struct kevent e;

	new_pipe(p, "p");
	put(p[1], "x");
	signal(SIGUSR1, SIG_IGN);
	change(kq,
	    "p0 READ ADD @0, p1 WRITE ADD @1, f READ ADD @2,"
	    "f VNODE ADD ATTRIB @3, USR1 SIGNAL ADD @4,"
	    "#1 TIMER ADD =10 @5");
	fchmod(f, 0640);
	quiet(new_queue("k2"), 30);
	kill(getpid(), SIGUSR1);
	/* six turns with one queue; twice as many where there are several */
	for (i = 0; i < LINUX_OR(12, 6); i++) {
		check(call_kevent(kq, NULL, 0, &e, 1, 0) == 1, "turn %d", i);
		seen |= 1u << udata_of(&e);
	}
	check(seen == 0x3f, "of six, each has a turn: %#x", seen);
}

/* A second change replaces the first, also enable and disable. */
static void
later_changes_replace(void)
{
	new_pipe(p, "p");
	put(p[1], "ab");
	change(kq, "p0 READ ADD @1");
	change(kq, "p0 READ ADD @2");
	expect(kq, "p0 READ =2 @2");
#if REFERENCE
	change(kq, "p0 READ ENABLE @3");
	expect(kq, "p0 READ =2 @3");
	change(kq, "p0 READ DISABLE @4");
	change(kq, "p0 READ ENABLE @5");
	expect(kq, "p0 READ =2 @5");
	/* also a change without any action */
	change(kq, "p0 READ @6");
	expect(kq, "p0 READ =2 @6");
#endif
	change(kq, "p0 READ ADD");
	expect(kq, "p0 READ =2");
}

static void
flags_stay_as_first_added(void)
{
	new_pipe(p, "p");
	new_pipe(o, "o");
	put(p[1], "x");
	put(o[1], "x");
	change(kq, "p0 READ ADD, o0 READ ADD CLEAR");
	change(kq, "p0 READ ADD ONESHOT, o0 READ ADD");
	expect(kq, "p0 READ =1, o0 READ CLEAR =1");
	expect(kq, "p0 READ =1");
	change(kq, "p0 READ ADD CLEAR");
	expect(kq, "p0 READ =1");
	expect(kq, "p0 READ =1");
	/* unless it is deleted in between */
	change(kq, "p0 READ DELETE, p0 READ ADD CLEAR");
	expect(kq, "p0 READ CLEAR =1");
	expect(kq, " ");
}

static void
add_again_checks_again(void)
{
	new_pipe(p, "p");
	put(p[1], "x");
	change(kq, "p0 READ ADD CLEAR");
	expect(kq, "p0 READ CLEAR =1");
	expect(kq, " ");
	change(kq, "p0 READ ADD CLEAR");
	expect(kq, "p0 READ CLEAR =1");
#if REFERENCE
	change(kq, "p0 READ ENABLE");
	expect(kq, "p0 READ CLEAR =1");
#endif
	drain(p[0]);
	change(kq, "p0 READ ADD CLEAR");
	expect(kq, " ");
}

static void
add_does_not_enable(void)
{
	new_pipe(p, "p");
	put(p[1], "x");
	change(kq, "p0 READ ADD");
	change(kq, "p0 READ DISABLE");
	change(kq, "p0 READ ADD @1");
	expect(kq, " ");
	change(kq, "p0 READ ADD ENABLE @2");
	expect(kq, "p0 READ =1 @2");
	change(kq, "p0 READ ADD DISABLE");
	expect(kq, " ");
}

static void
disabled_twice(void)
{
	new_pipe(p, "p");
	put(p[1], "x");
	change(kq, "p0 READ ADD DISABLE");
	change(kq, "p0 READ DISABLE");
	change(kq, "p0 READ DISABLE");
	expect(kq, " ");
	change(kq, "p0 READ ENABLE");
	change(kq, "p0 READ ENABLE");
	expect(kq, "p0 READ =1");
}

static void
ready_while_disabled_and_no_more(void)
{
	new_pipe(p, "p");
	change(kq, "p0 READ ADD");
	change(kq, "p0 READ DISABLE");
	put(p[1], "x");
	take(p[0], 1);
	change(kq, "p0 READ ENABLE");
	expect(kq, " ");
	put(p[1], "x");
	expect(kq, "p0 READ =1");
	take(p[0], 1);
	expect(kq, " ");
}

static void
oneshot_disabled(void)
{
	new_pipe(p, "p");
	put(p[1], "x");
	change(kq, "p0 READ ADD ONESHOT DISABLE");
	expect(kq, " ");
	change(kq, "p0 READ ENABLE");
	expect(kq, "p0 READ ONESHOT =1");
	expect(kq, " ");
	refuse(kq, ENOENT, "p0 READ ENABLE");
}

static void
both_filters_of_a_descriptor(void)
{
	new_pair(SOCK_STREAM, p, "p");
	change(kq, "p0 READ ADD @1, p0 WRITE ADD CLEAR @2");
	put(p[1], "ab");
	expect(kq, "p0 READ =2 @1, p0 WRITE CLEAR >0 @2");
	expect(kq, "p0 READ =2 @1");
	change(kq, "p0 READ DELETE");
	refuse(kq, ENOENT, "p0 READ DELETE");
	change(kq, "p0 WRITE ADD CLEAR");
	expect(kq, "p0 WRITE CLEAR >0");
	change(kq, "p0 WRITE DELETE");
	expect(kq, " ");
}

static void
identifiers_of_different_filters(void)
{
	signal(SIGUSR1, SIG_IGN);
	new_pipe(p, "p");
	change(kq,
	    "p0 READ ADD @1, #%d TIMER ADD ONESHOT =5 @2,"
	    "#%d SIGNAL ADD @3",
	    p[0], p[0]);
	put(p[1], "x");
	expect(kq,
	    "p0 READ =1 @1 |"
	    "p0 READ =1 @1, #%d TIMER ONESHOT CLEAR =1 @2",
	    p[0]);
	change(kq, "p0 READ DELETE");
	eventually(kq, "#%d TIMER ONESHOT CLEAR =1 @2 | ", p[0]);
	change(kq, "#%d SIGNAL DELETE", p[0]);
}

static void
wide_udata(void)
{
	uintptr_t u[] = { 0, 1, UINTPTR_MAX, UINTPTR_MAX / 3,
		(uintptr_t)1 << (sizeof(uintptr_t) * 8 - 1) };
	struct kevent c, e;
	size_t i;

	new_pipe(p, "p");
	put(p[1], "x");
	for (i = 0; i < COUNT(u); i++) {
		c = event((uintptr_t)p[0], EVFILT_READ, EV_ADD, 0, 0, u[i]);
		check(call_kevent(kq, &c, 1, &e, 1, 0) == 1 &&
			udata_of(&e) == u[i],
		    "udata %zu", i);
	}
}

static void
add_and_enable_not_returned(void)
{
#if REFERENCE
	struct kevent c, e;

	new_pipe(p, "p");
	put(p[1], "x");
	parse_changes(&c, "p0 READ ADD ENABLE CLEAR");
	check(call_kevent(kq, &c, 1, &e, 1, 0) == 1 && e.flags == EV_CLEAR,
	    "flags %#x", (unsigned)e.flags);
#else
	skip("this system returns them");
#endif
}

/* ---- descriptors that close, and their numbers ---- */

static void
close_removes(void)
{
	new_pipe(p, "p");
	put(p[1], "x");
	change(kq, "p0 READ ADD, p1 WRITE ADD DISABLE");
	expect(kq, "p0 READ =1");
	close(p[0]);
	expect(kq, " ");
	refuse(kq, EBADF, "p0 READ DELETE");
	close(p[1]);
	expect(kq, " ");
	quiet(kq, 20);
}

static void
close_before_it_is_collected(void)
{
	struct kevent e[ROOM];

	new_pipe(p, "p");
	new_pipe(o, "o");
	change(kq, "p0 READ ADD CLEAR, o0 READ ADD CLEAR");
	put(p[1], "x");
	put(o[1], "x");
	check(call_kevent(kq, NULL, 0, e, 1, 0) == 1, "one of two");
	close(p[0]);
	close(o[0]);
	expect(kq, " ");
}

static void
close_with_a_dup_open(void)
{
	int d;

	new_pipe(p, "p");
	d = named("d", dup(p[0]));
	put(p[1], "x");
	change(kq, "p0 READ ADD");
	close(p[0]);
	expect(kq, " ");
	quiet(kq, 20);
	refuse(kq, EBADF, "p0 READ DELETE");
	change(kq, "d READ ADD");
	expect(kq, "d READ =1");
	close(d);
	expect(kq, " ");
}

/* A duplicate is a descriptor of its own. */
static void
dup_is_another(void)
{
	named("q", new_queue("q"));
	new_pipe(p, "p");
	named("d", dup(p[0]));
	change(kq, "p0 READ ADD CLEAR @1, d READ ADD @2");
	put(p[1], "x");
	expect(kq, "p0 READ CLEAR =1 @1, d READ =1 @2");
	expect(kq, "d READ =1 @2");
	change(kq, "p0 READ DELETE");
	expect(kq, "d READ =1 @2");
	close(p[0]);
	expect(kq, "d READ =1 @2");
	refuse(kq, ENOENT, "d WRITE DELETE");
}

static void
number_reused(void)
{
	new_pipe(p, "p");
	new_pipe(o, "o");
	change(kq, "p0 READ ADD");
	put(o[1], "xyz");
	close(p[0]);
	must(dup2(o[0], p[0]));
	expect(kq, " ");
	refuse(kq, ENOENT, "p0 READ DELETE");
	change(kq, "p0 READ ADD @1");
	expect(kq, "p0 READ =3 @1");
}

static void
number_replaced_by_dup2(void)
{
	new_pipe(p, "p");
	new_pipe(o, "o");
	put(p[1], "x");
	put(o[1], "xyz");
	change(kq, "p0 READ ADD");
	expect(kq, "p0 READ =1");
	must(dup2(o[0], p[0]));
	expect(kq, " ");
	refuse(kq, ENOENT, "p0 READ DELETE");
}

/* The number names another file with data, and the old file is ready. */
static void
number_reused_old_file_kept(void)
{
	new_pipe(p, "p");
	new_pipe(o, "o");
	named("d", dup(p[0]));
	change(kq, "p0 READ ADD");
	put(p[1], "x");
	put(o[1], "yz");
	must(dup2(o[0], p[0]));
	expect(kq, " ");
	quiet(kq, 20);
	put(p[1], "x");
	quiet(kq, 20);
	refuse(kq, ENOENT, "p0 READ DELETE");
	change(kq, "p0 READ ADD @2, d READ ADD @3");
	expect(kq, "p0 READ =2 @2, d READ =2 @3");
}

static void
number_reused_by_the_same_file(void)
{
	int d;

	new_pipe(p, "p");
	put(p[1], "x");
	change(kq, "p0 READ ADD");
	d = must(dup(p[0]));
	close(p[0]);
	must(dup2(d, p[0]));
	change(kq, "p0 READ ADD @4");
	expect(kq, "p0 READ =1 @4");
	change(kq, "p0 READ DELETE");
	refuse(kq, ENOENT, "p0 READ DELETE");
}

static void
number_reused_many_times(void)
{
	int i, first = -1;

	for (i = 0; i < 200; i++) {
		new_pipe(p, "p");
		if (first == -1)
			first = p[0];
		check(p[0] == first, "the number is reused");
		change(kq, "p0 READ ADD @%d", i);
		put(p[1], "x");
		expect(kq, "p0 READ =1 @%d", i);
		close(p[0]);
		close(p[1]);
		expect(kq, " ");
	}
}

static void
number_reused_by_another_kind(void)
{
	int f;

	new_pipe(p, "p");
	change(kq, "p0 READ ADD, p1 WRITE ADD");
	close(p[0]);
	close(p[1]);
	f = new_file("f", "abcd", O_RDWR, "f");
	check(f == p[0], "the number is reused");
	expect(kq, " ");
	change(kq, "f READ ADD, f VNODE ADD CLEAR ATTRIB");
	expect(kq, "f READ =4");
	fchmod(f, 0640);
	expect(kq, "f READ =4, f VNODE CLEAR ATTRIB");
	close(f);
	new_pair(SOCK_DGRAM, o, "o");
	check(o[0] == f, "the number is reused");
	put(o[1], "x");
	expect(kq, " ");
	refuse(kq, ENOENT, "o0 VNODE DELETE");
	change(kq, "o0 READ ADD");
	/* NetBSD counts the sender's address */
	expect(kq, "o0 READ =1 | o0 READ =3");
}

static void
until_byte(void *arg)
{
	char c;

	while (read(*(int *)arg, &c, 1) == -1 && errno == EINTR)
		;
}

/* The queue drops a closed number, though a child still has the file. */
static void
closed_while_a_child_has_it(void)
{
	int finish[2];
	double busy;
	pid_t pid;

	must(pipe(finish));
	new_pipe(p, "p");
	change(kq, "p0 READ ADD, p1 WRITE ADD");
	pid = in_child(until_byte, &finish[0]);
	put(p[1], "x");
	expect(kq, "p0 READ =1, p1 WRITE >0");
	close(p[0]);
	expect(kq, "p1 WRITE >0");
	close(p[1]);
	expect(kq, " ");
	busy = processor_time();
	quiet(kq, 300);
	check(processor_time() - busy < .1, "it waited without sleeping");
	/* and the numbers can be reused */
	new_pipe(o, "o");
	check(o[0] == p[0], "the number is reused");
	expect(kq, " ");
	change(kq, "o0 READ ADD");
	expect(kq, " ");
	put(o[1], "xy");
	expect(kq, "o0 READ =2");
	put(finish[1], "x");
	reap(pid, 0);
	expect(kq, "o0 READ =2");
}

static void
fork_does_not_inherit(void)
{
	pid_t pid;

	new_pipe(p, "p");
	change(kq, "p0 READ ADD");
	put(p[1], "x");
	pid = must(fork());
	if (pid == 0) {
		struct kevent e;

		check(call_kevent(kq, NULL, 0, &e, 1, 0) == -1 &&
			errno == EBADF,
		    "the child has the queue");
		_exit(0);
	}
	reap(pid, 0);
	expect(kq, "p0 READ =1");
}

static void
fork_child_makes_its_own(void)
{
	pid_t pid;

	new_pipe(p, "p");
	change(kq, "p0 READ ADD CLEAR, #1 TIMER ADD =100000");
	pid = must(fork());
	if (pid == 0) {
		close(kq);
		kq = new_queue("kq");
		change(kq, "p0 READ ADD");
		refuse(kq, ENOENT, "#1 TIMER DELETE");
		put(p[1], "x");
		expect(kq, "p0 READ =1");
		change(kq, "p0 READ DELETE");
		close(kq);
		_exit(0);
	}
	reap(pid, 0);
	expect(kq, "p0 READ CLEAR =1");
	change(kq, "#1 TIMER DELETE");
}

/* A child that exits or closes everything does not affect its parent's queue. */
static void
fork_child_closes_all(void)
{
	pid_t pid;
	int i;

	signal(SIGUSR1, SIG_IGN);
	new_pipe(p, "p");
	change(kq, "p0 READ ADD, USR1 SIGNAL ADD, #1 TIMER ADD =100000");
	pid = must(fork());
	if (pid == 0) {
		for (i = 3; i < 100; i++)
			close(i);
		_exit(0);
	}
	reap(pid, 0);
	put(p[1], "x");
	expect(kq, "p0 READ =1");
	take(p[0], 1);
	kill(getpid(), SIGUSR1);
	expect(kq, "USR1 SIGNAL CLEAR =1");
	change(kq, "#1 TIMER DELETE, #1 TIMER ADD =20");
	await(kq, "#1 TIMER CLEAR >0");
	change(kq, "p0 READ DELETE, USR1 SIGNAL DELETE, #1 TIMER DELETE");
}

/* ---- the queue as a descriptor ---- */

static void
not_a_queue(void)
{
	struct kevent e;
	int k = must(kqueue());

	new_pipe(p, "p");
	check(call_kevent(p[0], NULL, 0, &e, 1, 0) == -1 && errno == EBADF,
	    "a pipe");
	check(call_kevent(-1, NULL, 0, &e, 1, 0) == -1 && errno == EBADF, "-1");
	close(k);
	check(call_kevent(k, NULL, 0, &e, 1, 0) == -1 && errno == EBADF,
	    "a closed queue");
	new_pipe(o, "o");
	check(o[0] == k, "the number is reused");
	check(call_kevent(k, NULL, 0, &e, 1, 0) == -1 && errno == EBADF,
	    "a pipe where the queue was");
	check(try_change(k, "o0 READ ADD") == EBADF, "with a change");
}

static void
number_of_a_queue_reused_by_a_queue(void)
{
	int k = must(kqueue()), i;

	new_pipe(p, "p");
	put(p[1], "x");
	for (i = 0; i < 50; i++) {
		expect(k, " ");
		change(k, "p0 READ ADD, #1 TIMER ADD =1, #%d TIMER ADD =1", i);
		close(k);
		check(kqueue() == k, "the number is reused");
	}
	expect(k, " ");
	refuse(k, ENOENT, "p0 READ DELETE");
	refuse(k, ENOENT, "#1 TIMER DELETE");
}

static void
queue_is_a_descriptor(void)
{
	char c = 'x';
	int lowest = must(dup(STDOUT_FILENO));

	check(read(kq, &c, 1) == -1, "read");
	check(write(kq, &c, 1) == -1, "write");
	close(lowest);
	check(kqueue() == lowest, "the lowest number");
#if REFERENCE
	check((must(fcntl(kq, F_GETFD)) & FD_CLOEXEC) == 0, "close-on-exec");
#endif
	check(close(kq) == 0 && close(kq) == -1 && errno == EBADF, "close");
}

static void
queue_dup(void)
{
	int d;

	new_pipe(p, "p");
	change(kq, "p0 READ ADD @1");
	d = must(dup(kq));
	put(p[1], "x");
	expect(d, "p0 READ =1 @1");
	change(d, "p0 READ ADD @2, p1 WRITE ADD");
	expect(kq, "p0 READ =1 @2, p1 WRITE >0");
	close(kq);
	expect(d, "p0 READ =1 @2, p1 WRITE >0");
	change(d, "p1 WRITE DELETE");
	expect(d, "p0 READ =1 @2");
	/* a new queue at a closed queue's number is not that queue */
	check(kqueue() == kq, "the number is reused");
	expect(kq, " ");
	expect(d, "p0 READ =1 @2");
	close(kq);
	close(d);
	check(call_kevent(d, NULL, 0, NULL, 0, 0) == -1 && errno == EBADF,
	    "all closed");
}

static void
queue_moved_by_dup2(void)
{
	int k2 = new_queue("k2");

	new_pipe(p, "p");
	put(p[1], "x");
	change(kq, "p0 READ ADD @1");
	change(k2, "p1 WRITE ADD @2");
	must(dup2(kq, k2));
	expect(k2, "p0 READ =1 @1");
	refuse(k2, ENOENT, "p1 WRITE DELETE");
	close(kq);
	expect(k2, "p0 READ =1 @1");
}

static void
two_queues(void)
{
	int k2 = new_queue("k2");

	new_pipe(p, "p");
	change(kq, "p0 READ ADD CLEAR @1");
	change(k2, "p0 READ ADD CLEAR @2");
	put(p[1], "xy");
	expect(k2, "p0 READ CLEAR =2 @2");
	expect(k2, " ");
	expect(kq, "p0 READ CLEAR =2 @1");
	change(k2, "p0 READ DELETE");
	put(p[1], "z");
	expect(k2, " ");
	expect(kq, "p0 READ CLEAR =3 @1");
	close(k2);
	put(p[1], "z");
	expect(kq, "p0 READ CLEAR =4 @1");
}

static void
many_queues(void)
{
	int k[100], i;

	new_pipe(p, "p");
	for (i = 0; i < 100; i++) {
		k[i] = must(kqueue());
		change(k[i], "p0 READ ADD ONESHOT @%d", i);
	}
	put(p[1], "x");
	for (i = 99; i >= 0; i--)
		expect(k[i], "p0 READ ONESHOT =1 @%d", i);
	for (i = 0; i < 100; i++)
		expect(k[i], " ");
}

static void
limit_descriptors(int n)
{
	struct rlimit r;

	must(getrlimit(RLIMIT_NOFILE, &r));
	r.rlim_cur = (rlim_t)n;
	must(setrlimit(RLIMIT_NOFILE, &r));
}

/* A low limit leaves room for the descriptors that a queue needs. */
static void
few_descriptors(void)
{
	int f, k2;

	close(kq);
	limit_descriptors(24);
	kq = new_queue("kq");
	k2 = new_queue("k2");
	new_pipe(p, "p");
	f = new_file("f", "abc", O_RDWR, "f");
	signal(SIGUSR1, SIG_IGN);
	name_ident("self", (uintptr_t)getpid());
	change(kq,
	    "p0 READ ADD, k2 READ ADD, USR1 SIGNAL ADD,"
	    "f VNODE ADD CLEAR ALL, #1 TIMER ADD ONESHOT =10,"
	    "self PROC ADD EXIT");
	change(k2, "p0 READ ADD CLEAR");
	await(kq, "#1 TIMER CLEAR ONESHOT =1");
	put(p[1], "x");
	fchmod(f, 0640);
	kill(getpid(), SIGUSR1);
	expect(kq,
	    "p0 READ =1, k2 READ =1, USR1 SIGNAL CLEAR =1,"
	    "f VNODE CLEAR ATTRIB");
	expect(k2, "p0 READ CLEAR =1");
}

static void
no_descriptors_left(void)
{
	int k;

	new_pipe(p, "p");
	limit_descriptors(p[1] + 1);
	k = kqueue();
	check(k == -1 && errno == EMFILE, "kqueue: %d", k);
	change(kq, "p0 READ ADD");
	put(p[1], "x");
	expect(kq, "p0 READ =1");
	limit_descriptors(64);
	k = new_queue("k");
	change(k, "p0 READ ADD");
	expect(k, "p0 READ =1");
}

/* Executed programs do not inherit it. */
static void
other_programs_run(void)
{
	int i;

	new_pipe(p, "p");
	change(kq, "p0 READ ADD CLEAR, #1 TIMER ADD =100000");
	for (i = 1; i < 5; i++) {
		check(system("exec true") == 0, "true");
		expect(kq, " ");
		put(p[1], "x");
		expect(kq, "p0 READ CLEAR =%d", i);
	}
	change(kq, "#1 TIMER DELETE, #1 TIMER ADD =1");
	await(kq, "#1 TIMER CLEAR >0");
}

/* ---- signal handlers ---- */

static volatile sig_atomic_t handled;

static void
handler(int sig)
{
	(void)sig;
	handled++;
}

static void
handle(int restart)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof sa);
	sa.sa_handler = handler;
	sa.sa_flags = restart;
	sigaction(SIGUSR1, &sa, NULL);
}

/* Repeatedly, since the parent may not be waiting yet the first time. */
static void
signal_parent(void *arg)
{
	(void)arg;
	for (;;) {
		nap(20);
		hit_test(SIGUSR1);
	}
}

static void
interrupted(int restart)
{
	struct kevent c, e;
	int n;

	new_pipe(p, "p");
	handle(restart);
	in_child(signal_parent, NULL);
	parse_changes(&c, "p0 READ ADD");
	n = call_kevent(kq, &c, 1, &e, 1, PATIENCE);
	check(n == -1 && errno == EINTR, "%d, %s", n, strerror(errno));
	check(handled > 0, "the handler has run");
	put(p[1], "x");
	check(call_kevent(kq, NULL, 0, &e, 1, 0) == 1, "the change is kept");
}

static void
handler_interrupts(void)
{
	interrupted(0);
}

/* SA_RESTART does not help. */
static void
handler_interrupts_for_good(void)
{
	interrupted(SA_RESTART);
}

static void
ignored_signal_does_not_interrupt(void)
{
	signal(SIGUSR1, SIG_IGN);
	in_child(signal_parent, NULL);
	quiet(kq, 200);
}

static void
event_and_handler(void)
{
	handle(0);
	new_pipe(p, "p");
	put(p[1], "x");
	change(kq, "p0 READ ADD");
	in_child(signal_parent, NULL);
	while (handled < 3)
		await(kq, "p0 READ =1");
}

const struct test core_tests[] = {
	{ "core_descriptor_not_open", descriptor_not_open },
	{ "core_filter_unknown", filter_unknown },
	{ "core_errors_keep_their_change", errors_keep_their_change },
	{ "core_errors_without_room", errors_without_room },
	{ "core_changes_up_to_the_error", changes_up_to_the_error },
	{ "core_error_returns_at_once", error_returns_at_once },
#ifdef EV_RECEIPT
	{ "core_receipts", receipts },
	{ "core_receipts_without_room", receipts_without_room },
#endif
	{ "core_change_and_collect", change_and_collect },
	{ "core_one_array_for_both", one_array_for_both },
	{ "core_many_changes", many_changes },
	{ "core_timeout_not_before", timeout_not_before },
	{ "core_timeout_of_a_nanosecond", timeout_of_a_nanosecond },
	{ "core_timeout_invalid", timeout_invalid },
	{ "core_timeout_for_ages", timeout_for_ages },
	{ "core_no_room_no_wait", no_room_no_wait },
	{ "core_order_of_becoming_ready", order_of_becoming_ready },
	{ "core_short_list_takes_turns", short_list_takes_turns },
	{ "core_short_list_of_mixed_filters", short_list_of_mixed_filters },
	{ "core_later_changes_replace", later_changes_replace },
	{ "core_flags_stay_as_first_added", flags_stay_as_first_added },
	{ "core_add_again_checks_again", add_again_checks_again },
	{ "core_add_does_not_enable", add_does_not_enable },
	{ "core_disabled_twice", disabled_twice },
	{ "core_ready_while_disabled_and_no_more",
	    ready_while_disabled_and_no_more },
	{ "core_oneshot_disabled", oneshot_disabled },
	{ "core_both_filters_of_a_descriptor", both_filters_of_a_descriptor },
	{ "core_identifiers_of_different_filters",
	    identifiers_of_different_filters },
	{ "core_wide_udata", wide_udata },
	{ "core_add_and_enable_not_returned", add_and_enable_not_returned },
	{ "core_close_removes", close_removes },
	{ "core_close_before_it_is_collected", close_before_it_is_collected },
	{ "core_close_with_a_dup_open", close_with_a_dup_open },
	{ "core_dup_is_another", dup_is_another },
	{ "core_number_reused", number_reused },
	{ "core_number_replaced_by_dup2", number_replaced_by_dup2 },
	{ "core_number_reused_old_file_kept", number_reused_old_file_kept },
	{ "core_number_reused_by_the_same_file",
	    number_reused_by_the_same_file },
	{ "core_number_reused_many_times", number_reused_many_times },
	{ "core_number_reused_by_another_kind", number_reused_by_another_kind },
	{ "core_closed_while_a_child_has_it", closed_while_a_child_has_it },
	{ "core_fork_does_not_inherit", fork_does_not_inherit },
	{ "core_fork_child_makes_its_own", fork_child_makes_its_own },
	{ "core_fork_child_closes_all", fork_child_closes_all },
	{ "core_not_a_queue", not_a_queue },
	{ "core_number_of_a_queue_reused_by_a_queue",
	    number_of_a_queue_reused_by_a_queue },
	{ "core_queue_is_a_descriptor", queue_is_a_descriptor },
	{ "core_queue_dup", queue_dup },
	{ "core_queue_moved_by_dup2", queue_moved_by_dup2 },
	{ "core_two_queues", two_queues },
	{ "core_many_queues", many_queues },
	{ "core_few_descriptors", few_descriptors },
	{ "core_no_descriptors_left", no_descriptors_left },
	{ "core_other_programs_run", other_programs_run },
	{ "core_handler_interrupts", handler_interrupts },
	{ "core_handler_interrupts_for_good", handler_interrupts_for_good },
	{ "core_ignored_signal_does_not_interrupt",
	    ignored_signal_does_not_interrupt },
	{ "core_event_and_handler", event_and_handler },
	{ NULL, NULL },
};
