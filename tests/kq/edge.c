/* SPDX-License-Identifier: ISC */
/*
 * edge.c - reused numbers, limits, threads, and other users of the queue.
 */
#include "kq.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>

#ifdef __linux__
#include <sys/epoll.h>
#endif

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static int p[2], o[2];

static int
readable(int fd)
{
	struct pollfd f = { fd, POLLIN, 0 };

	return must(poll(&f, 1, 0));
}

#ifdef EV_DISPATCH
/* A pool of workers: the connection is closed while its knote is disabled. */
static void
number_used_again_while_disabled(void)
{
	int n;

	new_pair(SOCK_STREAM, p, "p");
	change(kq, "p0 READ ADD DISPATCH @1");
	put(p[1], "x");
	expect(kq, "p0 READ DISPATCH =1 @1");
	n = p[0];
	close(p[0]);
	new_pair(SOCK_STREAM, o, "o");
	check(o[0] == n, "the number is used again");
	refuse(kq, ENOENT, "o0 READ ENABLE");
	change(kq, "o0 READ ADD DISPATCH @2");
	put(o[1], "yz");
	expect(kq, "o0 READ DISPATCH =2 @2");
}
#endif

/* The other filter is added to the file that the number refers to now. */
static void
other_filter_of_a_number_used_again(void)
{
	int copy;

	new_pair(SOCK_STREAM, p, "p");
	copy = named("copy", must(dup(p[1])));
	change(kq, "copy WRITE ADD @1");
	new_pair(SOCK_STREAM, o, "o");
	must(dup2(o[0], copy));
	change(kq, "copy READ ADD @2");
	expect(kq, " ");
	put(o[1], "x");
	expect(kq, "copy READ =1 @2");
}

static void
file_number_used_by_a_pipe(void)
{
	int f = new_file("f", "abc", O_RDWR, "f");

	change(kq, "f WRITE ADD");
	expect(kq, "f WRITE =0");
	new_pipe(p, "p");
	must(dup2(p[0], f));
	expect(kq, " ");
	refuse(kq, ENOENT, "f WRITE DELETE");
}

static void
disabled_timer_is_not_polled(void)
{
	struct pollfd f = { kq, POLLIN, 0 };

	change(kq, "#1 TIMER ADD =1, #1 TIMER DISABLE");
	check(must(poll(&f, 1, 20)) == 0, "poll of the queue");
	change(kq, "#1 TIMER ENABLE");
	check(call_kevent(kq, NULL, 0, NULL, 0, 0) == 0, "settled");
	check(readable(kq), "poll of the queue, enabled");
}

static void
disabled_and_ready_is_not_busy(void)
{
	double used;

	new_pipe(p, "p");
	put(p[1], "x");
	change(kq, "p0 READ ADD, p0 READ DISABLE, p1 WRITE ADD DISABLE");
	used = processor_time();
	quiet(kq, 200);
	check(processor_time() - used < .1, "it is not busy");
	check(!readable(kq), "poll of the queue");
}

static void
directory_keeps_its_links(void)
{
	must(mkdir("d", 0755));
	must(mkdir("d/s", 0755));
	named("d", must(open("d", O_RDONLY)));
	change(kq, "d VNODE ADD CLEAR NOTE_DELETE LINK WRITE ATTRIB");
	must(rmdir("d/s"));
	expect(kq, "d VNODE CLEAR LINK WRITE");
	must(chmod("d", 0700));
	expect(kq, "d VNODE CLEAR ATTRIB");
	must(mkdir("d/s", 0755));
	expect(kq, "d VNODE CLEAR LINK WRITE");
	must(chmod("d", 0755));
	expect(kq, "d VNODE CLEAR ATTRIB");
}

static void
grown_before_its_mode_was_set(void)
{
	int f = new_file("f", "abc", O_WRONLY, "f");

	must((int)lseek(f, 0, SEEK_END));
	change(kq, "f VNODE ADD CLEAR WRITE EXTEND");
	must(fchmod(f, 0600));
	put(f, "d");
	expect(kq, "f VNODE CLEAR WRITE EXTEND");
}

/* sigwait(3) takes the pending signal that was reported. */
static void
pending_signal_taken(void)
{
	sigset_t set;
	int i, number;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	change(kq, "USR1 SIGNAL ADD");
	for (i = 0; i < 5; i++) {
		kill(getpid(), SIGUSR1);
		await(kq, "USR1 SIGNAL CLEAR =1");
		expect(kq, " ");
		check(sigwait(&set, &number) == 0, "sigwait");
	}
}

static void
nothing(int number)
{
	(void)number;
}

/* signal(3) returns the disposition, and sets it again. */
static void
disposition_put_back(void)
{
	void (*before)(int);

	signal(SIGUSR1, SIG_IGN);
	change(kq, "USR1 SIGNAL ADD");
	before = signal(SIGUSR1, nothing);
	signal(SIGUSR1, before);
	expect(kq, " ");
	kill(getpid(), SIGUSR1);
	expect(kq, "USR1 SIGNAL CLEAR =1");
}

/* The standard way to get the result of a connect(2). */
static void
error_is_the_program_s(void)
{
	struct sockaddr_in address;
	int error = 0, s;
	socklen_t length = sizeof error;

	close(tcp_listener(&address, 1));
	s = named("s", must(socket(AF_INET, SOCK_STREAM, 0)));
	nonblocking(s);
	if (connect(s, (struct sockaddr *)&address, sizeof address) == 0 ||
	    errno != EINPROGRESS)
		skip("connect(2) says at once");
	change(kq, "s WRITE ADD");
	await(kq, "s WRITE EOF err=ECONNREFUSED =*");
	must(getsockopt(s, SOL_SOCKET, SO_ERROR, &error, &length));
	check(error == ECONNREFUSED, "SO_ERROR: %s", strerror(error));
}

/* Set the limit to the descriptors that are open. */
static void
no_more_descriptors(void)
{
	struct rlimit r;
	int lowest = must(dup(STDOUT_FILENO));

	close(lowest);
	must(getrlimit(RLIMIT_NOFILE, &r));
	r.rlim_cur = (rlim_t)lowest;
	must(setrlimit(RLIMIT_NOFILE, &r));
}

static void
copy_of_a_queue_at_the_limit(void)
{
	int d = named("d", must(dup(kq)));

	new_pipe(p, "p");
	change(kq, "p0 READ ADD");
	close(kq);
	no_more_descriptors();
	kqueue(); /* fails, or not */
	put(p[1], "x");
	expect(d, "p0 READ =1");
}

static void
closed_copy_at_the_limit(void)
{
	int copy;
	double used;

	new_pipe(p, "p");
	copy = must(dup(p[0]));
	change(kq, "p0 READ ADD");
	put(p[1], "x");
	close(p[0]);
	must(dup2(copy, p[0])); /* the lowest free number is as before */
	close(p[0]);
	no_more_descriptors();
	used = processor_time();
	quiet(kq, 200);
	check(processor_time() - used < .1, "it is not busy");
	(void)copy;
}

#ifdef __linux__
/* Dropping a closed number does not wake the program's epoll instance. */
static void
program_s_epoll(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int e = must(epoll_create1(0)), copy;

	must(epoll_ctl(e, EPOLL_CTL_ADD, kq, &event));
	new_pipe(p, "p");
	copy = must(dup(p[0]));
	change(kq, "p0 READ ADD, #1 USER ADD CLEAR");
	put(p[1], "x");
	close(p[0]);
	expect(kq, " ");
	check(epoll_wait(e, &event, 1, 0) == 0, "calm");
	change(kq, "#1 USER TRIGGER");
	check(epoll_wait(e, &event, 1, 0) == 1, "the queue is readable");
	(void)copy;
}
#endif

static void *
wait_for_ever(void *queue)
{
	struct kevent e;

	call_kevent(*(int *)queue, NULL, 0, &e, 1, -1);
	return NULL;
}

static void
waiting_thread_cancelled(void)
{
	pthread_t t = new_thread(wait_for_ever, &kq);

	check(pthread_cancel(t) == 0, "cancel");
	join(t);
	change(kq, "#1 TIMER ADD =1");
	await(kq, "#1 TIMER CLEAR =*");
}

#ifdef EVFILT_USER

static volatile sig_atomic_t interrupted;

/*
 * Once: FreeBSD 12.3 stops a timer that repeats, for ever, where more time than
 * its interval has passed between two interrupts of the clock.
 */
static void
ask_for_signal(void)
{
	struct itimerval soon = { { 0, 0 }, { 0, 1000 } };

	must(setitimer(ITIMER_PROF, &soon, NULL));
}

static void
trigger(int number)
{
	struct kevent e = event(1, EVFILT_USER, 0, NOTE_TRIGGER, 0, 0);
	int error = errno;

	(void)number;
	interrupted++;
	(void)kevent(kq, &e, 1, NULL, 0, NULL);
	ask_for_signal();
	errno = error;
}

/* The call in the handler may fail, but must not hang. */
static void
called_by_a_signal_handler(void)
{
	change(kq, "#1 USER ADD CLEAR");
	signal(SIGPROF, trigger);
	ask_for_signal();
	while (interrupted < 100)
		(void)try_change(kq, "#2 TIMER ADD =100000");
}

#endif

const struct test edge_tests[] = {
#ifdef EV_DISPATCH
	{ "edge_number_used_again_while_disabled",
	    number_used_again_while_disabled },
#endif
	{ "edge_other_filter_of_a_number_used_again",
	    other_filter_of_a_number_used_again },
	{ "edge_file_number_used_by_a_pipe", file_number_used_by_a_pipe },
	{ "edge_disabled_timer_is_not_polled", disabled_timer_is_not_polled },
	{ "edge_disabled_and_ready_is_not_busy",
	    disabled_and_ready_is_not_busy },
	{ "edge_directory_keeps_its_links", directory_keeps_its_links },
	{ "edge_grown_before_its_mode_was_set", grown_before_its_mode_was_set },
	{ "edge_pending_signal_taken", pending_signal_taken },
	{ "edge_disposition_put_back", disposition_put_back },
	{ "edge_error_is_the_program_s", error_is_the_program_s },
	{ "edge_copy_of_a_queue_at_the_limit", copy_of_a_queue_at_the_limit },
	{ "edge_closed_copy_at_the_limit", closed_copy_at_the_limit },
#ifdef __linux__
	{ "edge_program_s_epoll", program_s_epoll },
#endif
	{ "edge_waiting_thread_cancelled", waiting_thread_cancelled },
#ifdef EVFILT_USER
	{ "edge_called_by_a_signal_handler", called_by_a_signal_handler },
#endif
	{ NULL, NULL },
};
