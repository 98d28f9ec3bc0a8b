/* SPDX-License-Identifier: ISC */
/* linux.c - states of what only Linux has. */
#include "peer.h"

#ifdef __linux__
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int
event_of(uint64_t v, int flags)
{
	int e = move(eventfd(0, flags));

	if (v != 0 && write(e, &v, sizeof v) != (ssize_t)sizeof v)
		die(1, "write");
	return e;
}

static int
eventfd_0(void)
{
	return event_of(0, EFD_NONBLOCK);
}

static int
eventfd_5(void)
{
	return event_of(5, EFD_NONBLOCK);
}

static int
eventfd_max(void)
{
	return event_of(UINT64_MAX - 1, EFD_NONBLOCK);
}

static int
eventfd_semaphore(void)
{
	return event_of(0, EFD_SEMAPHORE);
}

static int
timer_in(time_t s, long ns)
{
	struct itimerspec when;
	int t = move(timerfd_create(CLOCK_MONOTONIC, 0));

	memset(&when, 0, sizeof when);
	when.it_value.tv_sec = s;
	when.it_value.tv_nsec = ns;
	timerfd_settime(t, 0, &when, NULL);
	return t;
}

static int
timerfd_disarmed(void)
{
	return timer_in(0, 0);
}

static int
timerfd_armed(void)
{
	return timer_in(100000, 0);
}

static int
timerfd_expired(void)
{
	int t = timer_in(0, 1);

	until(t, POLLIN);
	return t;
}

static int
timerfd_read(void)
{
	uint64_t ticks;
	int t = timerfd_expired();

	if (read(t, &ticks, sizeof ticks) != (ssize_t)sizeof ticks)
		die(1, "read");
	return t;
}

static int
signalfd_none(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	return move(signalfd(-1, &set, 0));
}

/* It stays pending and blocked in CMD (execve(2)). */
static int
signalfd_pending(void)
{
	sigset_t set;
	int s = signalfd_none();

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	kill(getpid(), SIGUSR1);
	return s;
}

int
pidfd_of(pid_t pid)
{
#ifdef SYS_pidfd_open
	return move((int)syscall(SYS_pidfd_open, pid, 0));
#else
	(void)pid;
	return move(-1);
#endif
}

static int
pidfd_alive(void)
{
	return pidfd_of(getpid());
}

static int
pidfd_zombie(void)
{
	return pidfd_of(make_zombie());
}

static int
pidfd_reaped(void)
{
	pid_t pid = make_zombie();
	int p = pidfd_of(pid);

	if (waitpid(pid, NULL, 0) != pid)
		die(1, "waitpid");
	return p;
}

static int
inotify_no_watch(void)
{
	return move(inotify_init1(0));
}

static int
inotify_pending(void)
{
	char name[] = "peer.XXXXXX";
	int i = move(inotify_init1(0));

	if (inotify_add_watch(i, ".", IN_CREATE | IN_ONLYDIR) == -1)
		die(ABSENT, "inotify_add_watch");
	close(mkstemp(name));
	unlink(name);
	return i;
}

static int
epoll_empty(void)
{
	return move(epoll_create1(0));
}

static int
inotify_none(void)
{
	int i = move(inotify_init1(0));

	if (inotify_add_watch(i, ".", IN_ONLYDIR | IN_DELETE_SELF) == -1)
		die(ABSENT, "inotify_add_watch");
	return i;
}

static int
epoll_of(int fd)
{
	struct epoll_event e;
	int ep = move(epoll_create1(0));

	memset(&e, 0, sizeof e);
	e.events = EPOLLIN;
	if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e) == -1)
		die(1, "epoll_ctl");
	return ep;
}

static int
epoll_none(void)
{
	return epoll_of(make_state("pipe.r.empty"));
}

static int
epoll_one(void)
{
	return epoll_of(make_state("pipe.r.data"));
}

/* CMD gets the inner one, too: tests name its number. */
static int
epoll_nested(void)
{
	return epoll_of(fcntl(epoll_none(), F_DUPFD, 20));
}

static int
epoll_signalfd(void)
{
	return epoll_of(fcntl(signalfd_none(), F_DUPFD, 20));
}

/* An instance with FD, at number 20 or above, registered for EVENTS with DATA. */
static int
epoll_with_data(int fd, uint32_t events, uint64_t data)
{
	struct epoll_event e;
	int ep = move(epoll_create1(0));

	memset(&e, 0, sizeof e);
	e.events = events;
	e.data.u64 = data;
	if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e) == -1)
		die(1, "epoll_ctl");
	return ep;
}

static int
epoll_with(int fd, uint32_t events)
{
	return epoll_with_data(fd, events, 0xabcdef0123456789);
}

/* For CMD, too. */
static int
shared(const char *state)
{
	return fcntl(make_state(state), F_DUPFD, 20);
}

/* Number 20 is closed; the pipe, in which data waits, is number 21. */
static int
epoll_stale(void)
{
	int fd = shared("pipe.r.data"), ep = epoll_with(fd, EPOLLIN);

	if (fcntl(fd, F_DUPFD, fd + 1) == -1)
		die(1, "fcntl");
	close(fd);
	return ep;
}

/* The same, and number 20 is another pipe. */
static int
epoll_reused(void)
{
	int ep = epoll_stale();

	(void)shared("pipe.r.empty");
	return ep;
}

static int
epoll_fired(void)
{
	struct epoll_event e;
	int ep = epoll_with(shared("pipe.r.data"), EPOLLIN | EPOLLONESHOT);

	if (epoll_wait(ep, &e, 1, 0) != 1)
		die(1, "epoll_wait");
	return ep;
}

static int
epoll_told(void)
{
	struct epoll_event e;
	int ep = epoll_with(shared("pipe.r.data"), EPOLLIN | EPOLLET);

	if (epoll_wait(ep, &e, 1, 0) != 1)
		die(1, "epoll_wait");
	return ep;
}

static int
epoll_no_events(void)
{
	return epoll_with(shared("pipe.r.writer-gone-drained"), 0);
}

/* With data.fd -1, as who has no use for it may set. */
static int
epoll_minus_one(void)
{
	return epoll_with_data(shared("pipe.r.data"), EPOLLIN, UINT32_MAX);
}

/* Number 20 is closed; the eventfd is number 21, another is 22. */
static int
epoll_stale_eventfd(void)
{
	int fd = shared("eventfd.5"), ep = epoll_with(fd, EPOLLIN);

	if (fcntl(fd, F_DUPFD, fd + 1) == -1)
		die(1, "fcntl");
	close(fd);
	(void)shared("eventfd.0");
	return ep;
}

static int
memfd(void)
{
	return move(memfd_create("peer", 0));
}

static int
memfd_data(void)
{
	int m = memfd();

	put(m, "abc");
	lseek(m, 0, SEEK_SET);
	return m;
}

static int
o_path_fifo(void)
{
	char path[64];
	int fd = make_state("fifo.rw.empty");

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return move(open(path, O_PATH));
}

static int
dev_urandom(void)
{
	return move(open("/dev/urandom", O_RDONLY));
}

static int
o_path(void)
{
	return move(open(".", O_PATH));
}

static int
proc_file(void)
{
	return move(open("/proc/self/stat", O_RDONLY));
}

static int
proc_mounts(void)
{
	return move(open("/proc/self/mounts", O_RDONLY));
}

static int
dev_full(void)
{
	return move(open("/dev/full", O_RDWR));
}
#endif

const struct state linux_states[] = {
#ifdef __linux__
	{ "eventfd.0", eventfd_0 },
	{ "eventfd.5", eventfd_5 },
	{ "eventfd.max", eventfd_max },
	{ "eventfd.semaphore-0", eventfd_semaphore },
	{ "timerfd.disarmed", timerfd_disarmed },
	{ "timerfd.armed", timerfd_armed },
	{ "timerfd.expired", timerfd_expired },
	{ "timerfd.read", timerfd_read },
	{ "signalfd.none", signalfd_none },
	{ "signalfd.pending", signalfd_pending },
	{ "pidfd.alive", pidfd_alive },
	{ "pidfd.zombie", pidfd_zombie },
	{ "pidfd.reaped", pidfd_reaped },
	{ "inotify.no-watch", inotify_no_watch },
	{ "inotify.none", inotify_none },
	{ "inotify.pending", inotify_pending },
	{ "epoll.empty", epoll_empty },
	{ "epoll.none-ready", epoll_none },
	{ "epoll.one-ready", epoll_one },
	{ "epoll.nested", epoll_nested },
	{ "epoll.signalfd", epoll_signalfd },
	{ "epoll.stale", epoll_stale },
	{ "epoll.reused", epoll_reused },
	{ "epoll.oneshot-fired", epoll_fired },
	{ "epoll.edge-told", epoll_told },
	{ "epoll.no-events", epoll_no_events },
	{ "epoll.minus-one", epoll_minus_one },
	{ "epoll.stale-eventfd", epoll_stale_eventfd },
	{ "linux.memfd", memfd },
	{ "linux.memfd-data", memfd_data },
	{ "linux.o_path", o_path },
	{ "linux.o_path-fifo", o_path_fifo },
	{ "linux.proc-file", proc_file },
	{ "linux.proc-mounts", proc_mounts },
	{ "linux.dev-full", dev_full },
	{ "linux.dev-urandom", dev_urandom },
#endif
	{ NULL, NULL },
};
