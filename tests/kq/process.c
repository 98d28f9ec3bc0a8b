/* SPDX-License-Identifier: ISC */
/*
 * process.c - processes that exit, fork and exec.
 */
#include "kq.h"

#ifdef __linux__
#include <sys/ioctl.h>
#include <sys/syscall.h>
#endif
#include <sys/wait.h>

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* The status is in data on FreeBSD; not every system has it there. */
#define ENDED(name, notes, status) \
	name " PROC CLEAR EOF ONESHOT EXIT " notes " " status
#if REFERENCE
#define STATUS(s) s
#else
#define STATUS(s) "=*"
#endif

static struct puppet kid;

/*
 * Whether the status of a process that another one has waited for is known: on
 * Linux since 6.15, and from the process connector.
 */
static int
reaped_are_known(void)
{
#ifdef __linux__
	uint64_t info[8] = { 1u << 3 }; /* PIDFD_INFO_EXIT */
	pid_t pid = must(fork());
	int fd;

	if (pid == 0)
		_exit(0);
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		continue;
	/* PIDFD_GET_INFO */
	return ioctl(fd, 0xc040ff0b, info) == 0 && (info[0] & 1u << 3) != 0;
#else
	return 1;
#endif
}

/* NAME ended with STATUS, or with one that is unknown, which is never 0. */
static void
await_reaped(const char *name, const char *status)
{
	if (reaped_are_known())
		await(kq, "%s PROC CLEAR EOF ONESHOT EXIT %s", name, status);
	else
		await(kq,
		    "%s PROC CLEAR EOF ONESHOT EXIT %s | "
		    "%s PROC CLEAR EOF ONESHOT EXIT =-1",
		    name, status, name);
}

/* Skip the test where NOTE is not available: all but EXIT may need rights. */
static void
need_note(const char *note)
{
	int error;

	name_ident("self", (uintptr_t)getpid());
	error = try_change(kq, "self PROC ADD %s", note);
	if (error == EPERM || error == EACCES || error == EOPNOTSUPP ||
	    error == ENOSYS)
		skip("NOTE_%s needs more permissions here", note);
	check(error == 0, "self PROC ADD %s: errno %d", note, error);
	change(kq, "self PROC DELETE");
}

static void
exits(void)
{
	int status;

	kid = new_puppet("kid");
	change(kq, "kid PROC ADD EXIT @1");
	expect(kq, " ");
	pull(&kid, ORDER_EXIT);
	await(kq, ENDED("kid", "@1", STATUS("exit=7")));
	expect(kq, " ");
	refuse(kq, ENOENT, "kid PROC DELETE");
	/* the parent gets its status nevertheless */
	check(waitpid(kid.pid, &status, 0) == kid.pid &&
		WEXITSTATUS(status) == 7,
	    "waitpid");
}

static void
killed(void)
{
	kid = new_puppet("kid");
	change(kq, "kid PROC ADD EXIT");
	kill(kid.pid, SIGKILL);
	await(kq, ENDED("kid", "", STATUS("signal=KILL")));
	reap(kid.pid, SIGKILL);
}

static void
reaped_before_collected(void)
{
	kid = new_puppet("kid");
	change(kq, "kid PROC ADD EXIT");
	pull(&kid, ORDER_EXIT);
	reap(kid.pid, 7 << 8);
	await_reaped("kid", STATUS("exit=7"));
	refuse(kq, ESRCH, "kid PROC ADD EXIT");
	refuse(kq, ENOENT, "kid PROC DELETE");
}

static void
already_a_zombie(void)
{
	kid = new_puppet("kid");
	pull(&kid, ORDER_EXIT);
#if REFERENCE
	change(kq, "kid PROC ADD EXIT");
	expect(kq, ENDED("kid", "", "exit=7"));
	expect(kq, " ");
	change(kq, "kid PROC ADD EXIT");
	expect(kq, ENDED("kid", "", "exit=7"));
#else
	check(try_change(kq, "kid PROC ADD EXIT") != EINVAL, "a zombie");
#endif
	reap(kid.pid, 7 << 8);
	refuse(kq, ESRCH, "kid PROC ADD EXIT");
}

static void
absent(void)
{
	pid_t pid = must(fork());

	if (pid == 0)
		_exit(0);
	reap(pid, 0);
	name_ident("gone", (uintptr_t)pid);
	refuse(kq, ESRCH, "gone PROC ADD EXIT");
	refuse(kq, ESRCH, "gone PROC ADD");
	refuse(kq, ESRCH, "#-1 PROC ADD EXIT");
	refuse(kq, ENOENT, "gone PROC DELETE");
}

static void
a_stranger(void)
{
	pid_t pid;

	kid = new_puppet("kid");
	pid = pull(&kid, ORDER_KEEP);
	name_ident("grandkid", (uintptr_t)pid);
	change(kq, "grandkid PROC ADD EXIT @3");
	expect(kq, " ");
	kill(pid, SIGTERM);
	await(kq, ENDED("grandkid", "@3", STATUS("signal=TERM")));
	pull(&kid, ORDER_REAP);
	expect(kq, " ");
	refuse(kq, ESRCH, "grandkid PROC ADD EXIT");
}

static void
a_stranger_reaped_at_once(void)
{
	pid_t pid;

	kid = new_puppet("kid");
	pid = pull(&kid, ORDER_KEEP);
	name_ident("grandkid", (uintptr_t)pid);
	change(kq, "grandkid PROC ADD EXIT");
	kill(pid, SIGKILL);
	pull(&kid, ORDER_REAP);
	await_reaped("grandkid", STATUS("signal=KILL"));
}

#ifdef __linux__
/* Only the process connector may report the status. */
#define UNREAPED                     \
	ENDED("grandkid", "", "=-1") \
	" | " ENDED("grandkid", "", "signal=KILL")

/* A child of another user, whose status is not readable in /proc. */
static void
of_another_user(void)
{
	pid_t pid;

	if (geteuid() != 0)
		skip("not root");
	kid = new_puppet("kid");
	pid = pull(&kid, ORDER_KEEP);
	name_ident("grandkid", (uintptr_t)pid);
	must(seteuid(65534));
	change(kq, "grandkid PROC ADD EXIT");
	kill(pid, SIGKILL);
}

static void
a_zombie_of_another_user(void)
{
	of_another_user();
	await(kq, UNREAPED);
	change(kq, "grandkid PROC ADD EXIT");
	expect(kq, ENDED("grandkid", "", "=-1"));
}

static void *
reap_soon(void *arg)
{
	nap(30);
	pull(&kid, ORDER_REAP);
	return arg;
}

/* On a busy machine the queue may be too late to read the status. */
static void
reaped_soon(void)
{
	pthread_t t;

	of_another_user();
	t = new_thread(reap_soon, NULL);
	await(kq, UNREAPED);
	join(t);
}

static void *
wait_then_exit(void *arg)
{
	nap(50);
	_exit(7);
	return arg;
}

/* The first thread ends long before the process, with another status. */
static void
last_thread_counts(void)
{
	pid_t pid = must(fork());

	if (pid == 0) {
		new_thread(wait_then_exit, NULL);
		syscall(SYS_exit, 0);
	}
	name_ident("kid", (uintptr_t)pid);
	change(kq, "kid PROC ADD EXIT");
	reap(pid, 7 << 8);
	await_reaped("kid", "exit=7");
}
#endif

static void
parent_and_init(void)
{
	name_ident("parent", (uintptr_t)getppid());
	name_ident("self", (uintptr_t)getpid());
	change(kq, "parent PROC ADD EXIT, self PROC ADD EXIT");
	expect(kq, " ");
	change(kq, "parent PROC DELETE, self PROC DELETE");
	refuse(kq, ENOENT, "self PROC DELETE");
}

static void
deleted(void)
{
	kid = new_puppet("kid");
	change(kq, "kid PROC ADD EXIT");
	change(kq, "kid PROC DELETE");
	pull(&kid, ORDER_EXIT);
	expect(kq, " ");
	refuse(kq, ENOENT, "kid PROC DELETE");
}

static void
nothing_asked_for(void)
{
	kid = new_puppet("kid");
	change(kq, "kid PROC ADD");
	pull(&kid, ORDER_FORK);
	pull(&kid, ORDER_EXIT);
#if REFERENCE
	expect(kq, " ");
	quiet(kq, 20);
#endif
}

static void
stopped_and_continued(void)
{
	siginfo_t si;

	kid = new_puppet("kid");
	change(kq, "kid PROC ADD EXIT");
	kill(kid.pid, SIGSTOP);
	must(waitid(P_PID, (id_t)kid.pid, &si, WSTOPPED));
	expect(kq, " ");
	kill(kid.pid, SIGCONT);
	must(waitid(P_PID, (id_t)kid.pid, &si, WCONTINUED));
	expect(kq, " ");
	pull(&kid, ORDER_EXIT);
	await(kq, ENDED("kid", "", STATUS("exit=7")));
}

static void
disabled(void)
{
	kid = new_puppet("kid");
	change(kq, "kid PROC ADD EXIT");
	change(kq, "kid PROC DISABLE EXIT");
	pull(&kid, ORDER_EXIT);
	expect(kq, " ");
	quiet(kq, 20);
	change(kq, "kid PROC ENABLE EXIT");
	await(kq, ENDED("kid", "", STATUS("exit=7")));
}

/* A change without notes removes them. */
static void
disabled_without_notes(void)
{
#if REFERENCE
	kid = new_puppet("kid");
	change(kq, "kid PROC ADD EXIT");
	change(kq, "kid PROC DISABLE");
	pull(&kid, ORDER_EXIT);
	expect(kq, " ");
	change(kq, "kid PROC ENABLE");
	expect(kq, " ");
#else
	skip("here notes stay as they were added");
#endif
}

static void
two_queues(void)
{
	int k2 = new_queue("k2");

	kid = new_puppet("kid");
	change(kq, "kid PROC ADD EXIT @1");
	change(k2, "kid PROC ADD EXIT @2");
	pull(&kid, ORDER_EXIT);
	await(k2, ENDED("kid", "@2", STATUS("exit=7")));
	await(kq, ENDED("kid", "@1", STATUS("exit=7")));
}

static void
many(void)
{
	struct kevent c, e;
	pid_t pid[100];
	int i, n[2];

	must(pipe(n));
	for (i = 0; i < 100; i++) {
		pid[i] = must(fork());
		if (pid[i] == 0) {
			char go;

			close(n[1]);
			(void)!read(n[0], &go, 1);
			_exit(i);
		}
		c = event((uintptr_t)pid[i], EVFILT_PROC, EV_ADD, NOTE_EXIT, 0,
		    (uintptr_t)i + 1);
		check(call_kevent(kq, &c, 1, NULL, 0, 0) == 0, "child %d", i);
	}
	close(n[1]);
	for (i = 0; i < 100; i++) {
		uintptr_t u;

		check(call_kevent(kq, NULL, 0, &e, 1, PATIENCE) == 1, "exit %d",
		    i);
		u = udata_of(&e);
		check(u >= 1 && u <= 100 && (pid_t)e.ident == pid[u - 1],
		    "which child");
		pid[u - 1] = 0;
#if REFERENCE
		check(e.data == (int64_t)(u - 1) << 8, "its status");
#endif
	}
	expect(kq, " ");
}

static void
ignored_children_are_reaped(void)
{
	signal(SIGCHLD, SIG_IGN);
	kid = new_puppet("kid");
	change(kq, "kid PROC ADD EXIT");
	kill(kid.pid, SIGTERM);
	await_reaped("kid", STATUS("signal=TERM"));
	check(waitpid(kid.pid, NULL, 0) == -1 && errno == ECHILD,
	    "nothing is left to wait for");
	/* FreeBSD gives such a child to init, which has to wait for it first */
	while (kill(kid.pid, 0) == 0)
		usleep(1000);
	refuse(kq, ESRCH, "kid PROC ADD EXIT");
}

/* ---- forks and execs ---- */

static void
forks(void)
{
	need_note("FORK");
	kid = new_puppet("kid");
	change(kq, "kid PROC ADD FORK EXEC EXIT");
	pull(&kid, ORDER_FORK);
	await(kq, "kid PROC CLEAR FORK");
	expect(kq, " ");
	pull(&kid, ORDER_FORK);
	pull(&kid, ORDER_FORK);
	await(kq, "kid PROC CLEAR FORK");
	expect(kq, " ");
	pull(&kid, ORDER_EXIT);
	await(kq, ENDED("kid", "", STATUS("exit=7")));
}

static void
forks_itself(void)
{
	pid_t pid;

	need_note("FORK");
	change(kq, "self PROC ADD FORK");
	pid = must(fork());
	if (pid == 0)
		_exit(0);
	reap(pid, 0);
	await(kq, "self PROC CLEAR FORK");
	expect(kq, " ");
}

static void
threads_are_no_forks(void)
{
	need_note("FORK");
	kid = new_puppet("kid");
	change(kq, "kid PROC ADD FORK EXEC EXIT");
	pull(&kid, ORDER_THREAD);
	expect(kq, " ");
	pull(&kid, ORDER_FORK);
	await(kq, "kid PROC CLEAR FORK");
}

static void
execs(void)
{
	need_note("EXEC");
	kid = new_puppet("kid");
	change(kq, "kid PROC ADD EXEC EXIT");
	pull(&kid, ORDER_FORK);
	expect(kq, " ");
	pull(&kid, ORDER_EXEC);
	await(kq, "kid PROC CLEAR EXEC");
	expect(kq, " ");
	pull(&kid, ORDER_EXEC);
	await(kq, "kid PROC CLEAR EXEC");
	pull(&kid, ORDER_EXIT);
	await(kq, ENDED("kid", "", STATUS("exit=7")));
}

static void
all_at_once(void)
{
	need_note("FORK");
	kid = new_puppet("kid");
	change(kq, "kid PROC ADD FORK EXEC EXIT");
	pull(&kid, ORDER_FORK);
	pull(&kid, ORDER_EXEC);
	pull(&kid, ORDER_EXIT);
	eventually(kq, ENDED("kid", "FORK EXEC", STATUS("exit=7")));
}

static void
notes_replaced(void)
{
	need_note("FORK");
	kid = new_puppet("kid");
	change(kq, "kid PROC ADD EXIT");
	change(kq, "kid PROC ADD FORK");
	pull(&kid, ORDER_FORK);
	await(kq, "kid PROC CLEAR FORK");
	change(kq, "kid PROC ADD EXIT");
	pull(&kid, ORDER_FORK);
	expect(kq, " ");
	pull(&kid, ORDER_EXIT);
	await(kq, ENDED("kid", "", STATUS("exit=7")));
}

static void
fork_oneshot(void)
{
	need_note("FORK");
	kid = new_puppet("kid");
	change(kq, "kid PROC ADD ONESHOT FORK");
	pull(&kid, ORDER_FORK);
	await(kq, "kid PROC CLEAR ONESHOT FORK");
	refuse(kq, ENOENT, "kid PROC DELETE");
	pull(&kid, ORDER_FORK);
	expect(kq, " ");
}

#ifdef NOTE_TRACK
/* Collect events until N have come; they may come one by one. */
static int
collect(struct kevent *e, int n)
{
	int got = 0, r;

	while (got < n) {
		r = call_kevent(kq, NULL, 0, e + got, n - got, PATIENCE);
		if (r <= 0)
			break;
		got += r;
	}
	return got;
}

static int
find(const struct kevent *e, int n, pid_t pid, unsigned note)
{
	int i;

	for (i = 0; i < n; i++)
		if ((pid_t)e[i].ident == pid && (e[i].fflags & note) != 0)
			return i;
	return -1;
}

static void
tracks(void)
{
	struct kevent e[4];
	pid_t pid;
	int i;

	need_note("TRACK EXIT");
	kid = new_puppet("kid");
	change(kq, "kid PROC ADD TRACK EXIT @6");
	pid = pull(&kid, ORDER_KEEP);
	name_ident("grandkid", (uintptr_t)pid);
	check(collect(e, 1) == 1, "the child is reported");
	check((pid_t)e[0].ident == pid && (e[0].fflags & NOTE_CHILD) != 0 &&
		(pid_t)e[0].data == kid.pid && udata_of(&e[0]) == 6,
	    "the child, its parent and the udata");
	kill(pid, SIGTERM);
	check(collect(e, 1) == 1 && (pid_t)e[0].ident == pid &&
		(e[0].fflags & NOTE_EXIT) != 0 && udata_of(&e[0]) == 6,
	    "the exit of the child");
	pull(&kid, ORDER_REAP);
	pull(&kid, ORDER_EXIT);
	i = collect(e, 1);
	check(find(e, i, kid.pid, NOTE_EXIT) == 0, "the exit of the parent");
	expect(kq, " ");
}

static void
tracks_the_short_lived(void)
{
	struct kevent e[2];
	pid_t pid;

	need_note("TRACK EXIT");
	kid = new_puppet("kid");
	change(kq, "kid PROC ADD TRACK EXIT");
	pid = pull(&kid, ORDER_FORK);
#if REFERENCE
	check(collect(e, 2) == 2, "two events");
	check(find(e, 2, pid, NOTE_CHILD) != -1 &&
		find(e, 2, pid, NOTE_EXIT) != -1,
	    "it came and went");
	check(e[find(e, 2, pid, NOTE_EXIT)].data == 3 << 8, "its status");
#else
	check(collect(e, 1) == 1 && (pid_t)e[0].ident == pid, "the child");
#endif
}

static void
tracks_many(void)
{
	struct kevent e[40];
	pid_t pid[20];
	int i, n;

	need_note("TRACK EXIT");
	kid = new_puppet("kid");
	change(kq, "kid PROC ADD TRACK EXIT FORK");
	for (i = 0; i < 20; i++)
		pid[i] = pull(&kid, ORDER_FORK);
#if REFERENCE
	/* the forks of the parent are one event */
	n = collect(e, 40);
	for (i = 0; i < 19; i++)
		check(find(e, n, pid[i], NOTE_CHILD) != -1, "child %d", i);
	check(find(e, n, kid.pid, NOTE_FORK) != -1, "FORK of the parent");
#else
	(void)e;
	(void)pid;
	(void)n;
#endif
}
#endif

const struct test process_tests[] = {
	{ "process_exits", exits },
	{ "process_killed", killed },
	{ "process_reaped_before_collected", reaped_before_collected },
	{ "process_already_a_zombie", already_a_zombie },
	{ "process_absent", absent },
	{ "process_a_stranger", a_stranger },
	{ "process_a_stranger_reaped_at_once", a_stranger_reaped_at_once },
#ifdef __linux__
	{ "process_a_zombie_of_another_user", a_zombie_of_another_user },
	{ "process_a_stranger_reaped_soon", reaped_soon },
	{ "process_last_thread_counts", last_thread_counts },
#endif
	{ "process_parent_and_self", parent_and_init },
	{ "process_deleted", deleted },
	{ "process_nothing_asked_for", nothing_asked_for },
	{ "process_stopped_and_continued", stopped_and_continued },
	{ "process_disabled", disabled },
	{ "process_disabled_without_notes", disabled_without_notes },
	{ "process_two_queues", two_queues },
	{ "process_many", many },
	{ "process_ignored_children_are_reaped", ignored_children_are_reaped },
	{ "process_forks", forks },
	{ "process_forks_itself", forks_itself },
	{ "process_threads_are_no_forks", threads_are_no_forks },
	{ "process_execs", execs },
	{ "process_all_at_once", all_at_once },
	{ "process_notes_replaced", notes_replaced },
	{ "process_fork_oneshot", fork_oneshot },
#ifdef NOTE_TRACK
	{ "process_tracks", tracks },
	{ "process_tracks_the_short_lived", tracks_the_short_lived },
	{ "process_tracks_many", tracks_many },
#endif
	{ NULL, NULL },
};
