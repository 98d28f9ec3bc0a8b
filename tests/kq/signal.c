/* SPDX-License-Identifier: ISC */
/*
 * signal.c - signals, counted besides their usual effect.
 */
#include "kq.h"

#include <sys/wait.h>

#include <signal.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t handled;

static void
handler(int sig)
{
	(void)sig;
	handled++;
}

static void
handle(int sig, int how)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof sa);
	sa.sa_handler = handler;
	sa.sa_flags = how;
	sigaction(sig, &sa, NULL);
}

static void
exit_at_once(void *arg)
{
	(void)arg;
	_exit(0);
}

static void
hit(int sig, int times)
{
	while (times-- > 0)
		kill(getpid(), sig);
}

static void
ignored(void)
{
	signal(SIGUSR1, SIG_IGN);
	change(kq, "USR1 SIGNAL ADD @1");
	expect(kq, " ");
	hit(SIGUSR1, 1);
	expect(kq, "USR1 SIGNAL CLEAR =1 @1");
	expect(kq, " ");
	hit(SIGUSR1, 3);
	expect(kq, "USR1 SIGNAL CLEAR =3 @1");
	expect(kq, " ");
}

static void
a_thousand(void)
{
	signal(SIGUSR1, SIG_IGN);
	change(kq, "USR1 SIGNAL ADD");
	hit(SIGUSR1, 1000);
	expect(kq, "USR1 SIGNAL CLEAR =1000");
}

static void
handled_once(void)
{
	handle(SIGUSR1, 0);
	change(kq, "USR1 SIGNAL ADD");
	hit(SIGUSR1, 1);
	expect(kq, "USR1 SIGNAL CLEAR =1");
	check(handled == 1, "handled %d times", (int)handled);
}

static void
handled_too(void)
{
	handle(SIGUSR1, 0);
	change(kq, "USR1 SIGNAL ADD");
	hit(SIGUSR1, 5);
	check(handled == 5, "handled %d times", (int)handled);
	expect(kq, "USR1 SIGNAL CLEAR =5");
	change(kq, "USR1 SIGNAL DELETE");
	hit(SIGUSR1, 2);
	check(handled == 7, "handled %d times after", (int)handled);
	expect(kq, " ");
}

/* The program may change the disposition later. */
static void
handled_from_now_on(void)
{
	signal(SIGUSR1, SIG_IGN);
	change(kq, "USR1 SIGNAL ADD");
	hit(SIGUSR1, 1);
	handle(SIGUSR1, 0);
	expect(kq, "USR1 SIGNAL CLEAR =1");
	hit(SIGUSR1, 2);
	check(handled == 2, "handled %d times", (int)handled);
	expect(kq, "USR1 SIGNAL CLEAR =2");
	signal(SIGUSR1, SIG_IGN);
	expect(kq, " ");
	hit(SIGUSR1, 3);
	check(handled == 2, "handled %d times", (int)handled);
	expect(kq, "USR1 SIGNAL CLEAR =3");
}

/*
 * A signal that the program ignores after it added it counts once it is added
 * again, here or to another queue, without a wait in between.
 */
static void
ignored_later(void)
{
	int other = new_queue("other");

	change(kq, "USR1 SIGNAL ADD, USR2 SIGNAL ADD");
	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
	change(kq, "USR1 SIGNAL ADD");
	hit(SIGUSR1, 2);
	expect(kq, "USR1 SIGNAL CLEAR =2");
	signal(SIGUSR2, SIG_IGN);
	change(other, "USR2 SIGNAL ADD");
	hit(SIGUSR2, 1);
	expect(other, "USR2 SIGNAL CLEAR =1");
	expect(kq, "USR2 SIGNAL CLEAR =1");
}

static void
by_default_without_effect(void)
{
	change(kq, "WINCH SIGNAL ADD, CHLD SIGNAL ADD");
	hit(SIGWINCH, 2);
	expect(kq, "WINCH SIGNAL CLEAR =2");
	reap(in_child(exit_at_once, NULL), 0);
	expect(kq, "CHLD SIGNAL CLEAR =1");
}

static void
die_of_it(void *arg)
{
	(void)arg;
	kq = new_queue("kq");
	change(kq, "TERM SIGNAL ADD");
	hit(SIGTERM, 1);
}

/* A knote does not keep a signal from ending the process. */
static void
by_default_deadly(void)
{
	reap(in_child(die_of_it, NULL), SIGTERM);
}

static void
blocked(void)
{
	sigset_t set, pending;

	handle(SIGUSR1, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	change(kq, "USR1 SIGNAL ADD");
	hit(SIGUSR1, 1);
	expect(kq, "USR1 SIGNAL CLEAR =1");
	expect(kq, " ");
	sigpending(&pending);
	check(sigismember(&pending, SIGUSR1), "it is pending still");
	check(handled == 0, "and not handled");
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	check(handled == 1, "handled %d times", (int)handled);
	expect(kq, " ");
	hit(SIGUSR1, 1);
	expect(kq, "USR1 SIGNAL CLEAR =1");
}

/* Linux cannot count pending signals. */
static void
blocked_twice(void)
{
	sigset_t set;

	handle(SIGUSR1, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	change(kq, "USR1 SIGNAL ADD");
	hit(SIGUSR1, 2);
	expect(kq, LINUX_OR("USR1 SIGNAL CLEAR =1", "USR1 SIGNAL CLEAR =2"));
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	expect(kq, " ");
}

static void
sent_before(void)
{
	signal(SIGUSR1, SIG_IGN);
	hit(SIGUSR1, 1);
	change(kq, "USR1 SIGNAL ADD");
	expect(kq, " ");
}

static void
added_again(void)
{
	signal(SIGUSR1, SIG_IGN);
	change(kq, "USR1 SIGNAL ADD");
	hit(SIGUSR1, 2);
	change(kq, "USR1 SIGNAL ADD @2");
	expect(kq, "USR1 SIGNAL CLEAR =2 @2");
	hit(SIGUSR1, 1);
	change(kq, "USR1 SIGNAL DELETE");
	expect(kq, " ");
	change(kq, "USR1 SIGNAL ADD");
	expect(kq, " ");
}

static void
odd_numbers(void)
{
	change(kq, "KILL SIGNAL ADD, STOP SIGNAL ADD");
	expect(kq, " ");
	change(kq, "KILL SIGNAL DELETE, STOP SIGNAL DELETE");
#if REFERENCE
	change(kq, "#0 SIGNAL ADD, #1000 SIGNAL ADD, #-1 SIGNAL ADD");
	expect(kq, " ");
	change(kq, "#0 SIGNAL DELETE, #1000 SIGNAL DELETE");
#endif
}

static void
two_queues(void)
{
	int k2 = new_queue("k2");

	signal(SIGUSR1, SIG_IGN);
	change(kq, "USR1 SIGNAL ADD @1");
	hit(SIGUSR1, 1);
	change(k2, "USR1 SIGNAL ADD @2");
	hit(SIGUSR1, 2);
	expect(k2, "USR1 SIGNAL CLEAR =2 @2");
	expect(kq, "USR1 SIGNAL CLEAR =3 @1");
	close(k2);
	hit(SIGUSR1, 1);
	expect(kq, "USR1 SIGNAL CLEAR =1 @1");
}

static void
two_signals(void)
{
	signal(SIGUSR1, SIG_IGN);
	handle(SIGUSR2, 0);
	change(kq, "USR1 SIGNAL ADD, USR2 SIGNAL ADD");
	hit(SIGUSR2, 1);
	expect(kq, "USR2 SIGNAL CLEAR =1");
	hit(SIGUSR1, 1);
	hit(SIGUSR2, 2);
	expect(kq, "USR1 SIGNAL CLEAR =1, USR2 SIGNAL CLEAR =2");
	change(kq, "USR2 SIGNAL DELETE");
	hit(SIGUSR1, 1);
	hit(SIGUSR2, 1);
	expect(kq, "USR1 SIGNAL CLEAR =1");
}

static void
disabled(void)
{
	signal(SIGUSR1, SIG_IGN);
	change(kq, "USR1 SIGNAL ADD DISABLE");
	hit(SIGUSR1, 3);
	expect(kq, " ");
	change(kq, "USR1 SIGNAL ENABLE");
	expect(kq, "USR1 SIGNAL CLEAR =3");
}

static void
oneshot(void)
{
	signal(SIGUSR1, SIG_IGN);
	change(kq, "USR1 SIGNAL ADD ONESHOT");
	hit(SIGUSR1, 2);
	expect(kq, "USR1 SIGNAL CLEAR ONESHOT =2");
	hit(SIGUSR1, 1);
	expect(kq, " ");
}

/* The program's disposition is restored. */
static void
disposition_comes_back(void)
{
	struct sigaction sa;

	signal(SIGUSR1, SIG_IGN);
	handle(SIGUSR2, SA_NODEFER);
	change(kq, "USR1 SIGNAL ADD, USR2 SIGNAL ADD, WINCH SIGNAL ADD");
	change(kq,
	    "USR1 SIGNAL DELETE, USR2 SIGNAL DELETE,"
	    "WINCH SIGNAL DELETE");
	sigaction(SIGUSR1, NULL, &sa);
	check(sa.sa_handler == SIG_IGN, "USR1 is ignored");
	sigaction(SIGUSR2, NULL, &sa);
	check(sa.sa_handler == handler && (sa.sa_flags & SA_NODEFER) != 0,
	    "USR2 is handled");
	sigaction(SIGWINCH, NULL, &sa);
	check(sa.sa_handler == SIG_DFL, "WINCH is as it was");
}

static void
disposition_after_close(void)
{
	struct sigaction sa;

	signal(SIGUSR1, SIG_IGN);
	change(kq, "USR1 SIGNAL ADD");
	close(kq);
	hit(SIGUSR1, 3);
	kq = new_queue("kq");
	expect(kq, " ");
	sigaction(SIGUSR1, NULL, &sa);
	/* the close may be noticed only when another queue is created */
	check(sa.sa_handler != SIG_DFL, "USR1 does not end the process");
}

/* The signal mask does not change. */
static void
mask_is_untouched(void)
{
	sigset_t set;

	signal(SIGUSR1, SIG_IGN);
	handle(SIGUSR2, 0);
	change(kq, "USR1 SIGNAL ADD, USR2 SIGNAL ADD");
	hit(SIGUSR1, 1);
	expect(kq, "USR1 SIGNAL CLEAR =1");
	sigprocmask(SIG_BLOCK, NULL, &set);
	check(!sigismember(&set, SIGUSR1) && !sigismember(&set, SIGUSR2),
	    "nothing is blocked");
}

static void
hit_parent(void *arg)
{
	nap(*(int *)arg);
	hit_test(SIGUSR1);
}

static void
wakes(void)
{
	int ms = 50;
	pid_t pid;

	signal(SIGUSR1, SIG_IGN);
	change(kq, "USR1 SIGNAL ADD");
	pid = in_child(hit_parent, &ms);
	await(kq, "USR1 SIGNAL CLEAR =1");
	reap(pid, 0);
}

/* FreeBSD returns the event, NetBSD EINTR. */
static void
wakes_with_a_handler(void)
{
	struct kevent e;
	int ms = 50, n;
	pid_t pid;

	handle(SIGUSR1, 0);
	change(kq, "USR1 SIGNAL ADD");
	pid = in_child(hit_parent, &ms);
	n = call_kevent(kq, NULL, 0, &e, 1, PATIENCE);
	check(n == 1 || (!REFERENCE && n == -1 && errno == EINTR), "got %d, %s",
	    n, strerror(errno));
	check(handled == 1, "handled %d times", (int)handled);
	if (n == 1)
		expect(kq, " ");
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		;
}

static void
hit_parent_often(void *arg)
{
	(void)arg;
	for (;;) {
		hit_test(SIGUSR1);
		nap(10);
	}
}

/* An ignored signal does not interrupt, though another queue counts it. */
static void
counted_elsewhere(void)
{
	int k2 = new_queue("k2");

	signal(SIGUSR1, SIG_IGN);
	change(k2, "USR1 SIGNAL ADD");
	in_child(hit_parent_often, NULL);
	quiet(kq, 200);
	await(k2, "USR1 SIGNAL CLEAR >0");
}

static void
write_late(void *arg)
{
	nap(100);
	put(*(int *)arg, "x");
}

static void
read_goes_on(void)
{
	int p[2];

	must(pipe(p));
	signal(SIGUSR1, SIG_IGN);
	change(kq, "USR1 SIGNAL ADD");
	in_child(hit_parent_often, NULL);
	in_child(write_late, &p[1]);
	take(p[0], 1);
	await(kq, "USR1 SIGNAL CLEAR >0");
}

static void *
wait_here(void *arg)
{
	await(kq, "USR1 SIGNAL CLEAR >0");
	return arg;
}

static void
to_any_thread(void)
{
	pthread_t t;

	signal(SIGUSR1, SIG_IGN);
	change(kq, "USR1 SIGNAL ADD");
	t = new_thread(wait_here, NULL);
	hit(SIGUSR1, 1);
	join(t);
	expect(kq, " ");
}

static void
child_counts_its_own(void)
{
	pid_t pid;

	signal(SIGUSR1, SIG_IGN);
	change(kq, "USR1 SIGNAL ADD");
	pid = must(fork());
	if (pid == 0) {
		int k = new_queue("k");

		hit(SIGUSR1, 1);
		change(k, "USR1 SIGNAL ADD");
		hit(SIGUSR1, 2);
		expect(k, "USR1 SIGNAL CLEAR =2");
		_exit(0);
	}
	reap(pid, 0);
	expect(kq, " ");
	hit(SIGUSR1, 1);
	expect(kq, "USR1 SIGNAL CLEAR =1");
}

/* SIGCHLD counted and ignored: no zombies. */
static void
children_ignored(void)
{
	pid_t pid;

	signal(SIGCHLD, SIG_IGN);
	change(kq, "CHLD SIGNAL ADD");
	pid = in_child(exit_at_once, NULL);
	check(waitpid(pid, NULL, 0) == -1 && errno == ECHILD,
	    "it is reaped by itself");
	expect(kq, "CHLD SIGNAL CLEAR =1 | ");
}

static void
children_counted(void)
{
	int i;

	change(kq, "CHLD SIGNAL ADD");
	for (i = 0; i < 3; i++)
		reap(in_child(exit_at_once, NULL), 0);
	expect(kq, "CHLD SIGNAL CLEAR =3");
}

const struct test signal_tests[] = {
	{ "signal_ignored", ignored },
	{ "signal_a_thousand", a_thousand },
	{ "signal_handled_once", handled_once },
	{ "signal_handled_too", handled_too },
	{ "signal_handled_from_now_on", handled_from_now_on },
	{ "signal_ignored_later", ignored_later },
	{ "signal_by_default_without_effect", by_default_without_effect },
	{ "signal_by_default_deadly", by_default_deadly },
	{ "signal_blocked", blocked },
	{ "signal_blocked_twice", blocked_twice },
	{ "signal_sent_before", sent_before },
	{ "signal_added_again", added_again },
	{ "signal_odd_numbers", odd_numbers },
	{ "signal_two_queues", two_queues },
	{ "signal_two_signals", two_signals },
	{ "signal_disabled", disabled },
	{ "signal_oneshot", oneshot },
	{ "signal_disposition_comes_back", disposition_comes_back },
	{ "signal_disposition_after_close", disposition_after_close },
	{ "signal_mask_is_untouched", mask_is_untouched },
	{ "signal_wakes", wakes },
	{ "signal_wakes_with_a_handler", wakes_with_a_handler },
	{ "signal_counted_elsewhere", counted_elsewhere },
	{ "signal_read_goes_on", read_goes_on },
	{ "signal_to_any_thread", to_any_thread },
	{ "signal_child_counts_its_own", child_counts_its_own },
	{ "signal_children_ignored", children_ignored },
	{ "signal_children_counted", children_counted },
	{ NULL, NULL },
};
