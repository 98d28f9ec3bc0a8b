/* SPDX-License-Identifier: ISC */
/* asleep.c - a process that sleeps in a system call. */
#include "peer.h"

#ifdef __linux__

#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECONDS 1000

static char buffer[1 << 20];
static struct timespec time_left = { SECONDS, 5 };
static const char *path;
static int fd;

/* What the signals wait for: none, all, and the size the kernel wants. */
static sigset_t none;
#define SET_SIZE ((long)(NSIG - 1) / 8)

static int
instance(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (epoll == -1 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == -1)
		die(2, "epoll");
	return move(epoll);
}

static long
in_poll(void)
{
	struct pollfd p[2] = { { fd, POLLIN | POLLPRI, 0 }, { -1, POLLIN, 0 } };

#ifdef SYS_poll
	return syscall(SYS_poll, p, 2, SECONDS * 1000);
#else
	(void)p;
	exit(ABSENT);
#endif
}

static long
in_ppoll(void)
{
	struct pollfd p[2] = { { fd, POLLIN, 0 }, { fd, POLLPRI, 0 } };

	return syscall(SYS_ppoll, p, 2, &time_left, NULL, SET_SIZE);
}

static long
in_select(void)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(fd, &set);
#ifdef SYS_select
	return syscall(SYS_select, fd + 1, &set, NULL, NULL, NULL);
#else
	exit(ABSENT);
#endif
}

static long
in_pselect6(void)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(fd, &set);
	return syscall(SYS_pselect6, fd + 1, &set, NULL, &set, &time_left,
	    NULL);
}

static long
in_epoll_wait(void)
{
	struct epoll_event event;

#ifdef SYS_epoll_wait
	return syscall(SYS_epoll_wait, instance(), &event, 1, -1);
#else
	(void)event;
	exit(ABSENT);
#endif
}

static long
in_epoll_pwait(void)
{
	struct epoll_event event;

	return syscall(SYS_epoll_pwait, instance(), &event, 1, SECONDS * 1000,
	    NULL, SET_SIZE);
}

static long
in_epoll_pwait2(void)
{
	struct epoll_event event;

#ifdef SYS_epoll_pwait2
	return syscall(SYS_epoll_pwait2, instance(), &event, 1, &time_left,
	    NULL, SET_SIZE);
#else
	(void)event;
	exit(ABSENT);
#endif
}

static long
in_read(void)
{
	return syscall(SYS_read, fd, buffer, sizeof buffer);
}

static long
in_write(void)
{
	return syscall(SYS_write, fd, buffer, sizeof buffer);
}

static long
in_recvfrom(void)
{
	return syscall(SYS_recvfrom, fd, buffer, sizeof buffer, 0, NULL, NULL);
}

static long
in_splice(void)
{
	int p[2];

	make_pipe(p);
	return syscall(SYS_splice, fd, NULL, p[1], NULL, sizeof buffer, 0);
}

static long
in_accept(void)
{
	return syscall(SYS_accept4, fd, NULL, NULL, 0);
}

/* The backlog is full. */
static long
in_connect(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), other;

	(void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	if (bind(listener, (struct sockaddr *)&address, sizeof address) == -1 ||
	    listen(listener, 0) == -1)
		die(2, "%s", path);
	other = socket(AF_UNIX, SOCK_STREAM, 0);
	if (connect(other, (struct sockaddr *)&address, sizeof address) == -1)
		die(2, "connect");
	other = socket(AF_UNIX, SOCK_STREAM, 0);
	if (dup2(other, 40) == -1)
		die(2, "dup2");
	return syscall(SYS_connect, 40, &address, sizeof address);
}

static long
in_openat(void)
{
	return syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
}

static long
in_openat2(void)
{
	uint64_t how[3] = { O_WRONLY, 0, 0 };

#ifdef SYS_openat2
	return syscall(SYS_openat2, AT_FDCWD, path, how, sizeof how);
#else
	(void)how;
	exit(ABSENT);
#endif
}

/* Another open file description has the lock. */
static int
locked(int command)
{
	struct flock all = { .l_type = F_WRLCK };
	int one = open(path, O_RDWR | O_CREAT, 0600);

	if (dup2(open(path, O_RDWR), 40) == -1)
		die(2, "%s", path);
	if (command == LOCK_EX ? flock(one, LOCK_EX) == -1 :
				 fcntl(one, F_OFD_SETLK, &all) == -1)
		die(2, "%s", path);
	return 40;
}

static long
in_flock(void)
{
	return syscall(SYS_flock, locked(LOCK_EX), LOCK_EX);
}

static long
in_lock(void)
{
	struct flock all = { .l_type = F_WRLCK };

	return syscall(SYS_fcntl, locked(F_OFD_SETLK), F_OFD_SETLKW, &all);
}

static long
in_futex(void)
{
	static int word;

	return syscall(SYS_futex, &word, 128 /* FUTEX_WAIT_PRIVATE */, 0,
	    &time_left, NULL, 0);
}

static pid_t
child(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return pid;
}

static long
in_wait4(void)
{
	child();
	return syscall(SYS_wait4, -1, NULL, 0, NULL);
}

static long
in_waitid(void)
{
	return syscall(SYS_waitid, P_PID, child(), NULL, WEXITED, NULL);
}

static long
in_nanosleep(void)
{
	return syscall(SYS_nanosleep, &time_left, NULL);
}

static long
in_clock_nanosleep(void)
{
	return syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &time_left,
	    NULL);
}

static long
in_pause(void)
{
#ifdef SYS_pause
	return syscall(SYS_pause);
#else
	exit(ABSENT);
#endif
}

static long
in_rt_sigsuspend(void)
{
	return syscall(SYS_rt_sigsuspend, &none, SET_SIZE);
}

static long
in_rt_sigtimedwait(void)
{
	return syscall(SYS_rt_sigtimedwait, &none, NULL, &time_left, SET_SIZE);
}

static long
in_io_uring_enter(void)
{
	uint32_t parameters[30] = { 0 };
	long ring;

#ifdef SYS_io_uring_setup
	ring = syscall(SYS_io_uring_setup, 4, parameters);
	if (ring == -1)
		exit(ABSENT);
	return syscall(SYS_io_uring_enter, move((int)ring), 0, 1,
	    1 /* IORING_ENTER_GETEVENTS */, NULL, 0);
#else
	(void)parameters;
	(void)ring;
	exit(ABSENT);
#endif
}

static const struct {
	const char *name;
	long (*enter)(void);
} calls[] = {
	{ "poll", in_poll },
	{ "ppoll", in_ppoll },
	{ "select", in_select },
	{ "pselect6", in_pselect6 },
	{ "epoll_wait", in_epoll_wait },
	{ "epoll_pwait", in_epoll_pwait },
	{ "epoll_pwait2", in_epoll_pwait2 },
	{ "read", in_read },
	{ "write", in_write },
	{ "recvfrom", in_recvfrom },
	{ "splice", in_splice },
	{ "accept4", in_accept },
	{ "connect", in_connect },
	{ "openat", in_openat },
	{ "openat2", in_openat2 },
	{ "flock", in_flock },
	{ "fcntl", in_lock },
	{ "futex", in_futex },
	{ "wait4", in_wait4 },
	{ "waitid", in_waitid },
	{ "nanosleep", in_nanosleep },
	{ "clock_nanosleep", in_clock_nanosleep },
	{ "pause", in_pause },
	{ "rt_sigsuspend", in_rt_sigsuspend },
	{ "rt_sigtimedwait", in_rt_sigtimedwait },
	{ "io_uring_enter", in_io_uring_enter },
};

int
cmd_asleep(char **argv)
{
#ifdef PR_SET_PTRACER
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
#endif
	high = 50;
	path = argv[1];
	fd = argv[1] == NULL ? -1 : atoi(argv[1]);
	for (size_t i = 0; i < NITEMS(calls); i++)
		if (strcmp(calls[i].name, argv[0]) == 0) {
			put(STDOUT_FILENO, "\n");
			calls[i].enter();
			die(1, "%s", argv[0]);
		}
	die(2, "no call %s", argv[0]);
}

#else

int
cmd_asleep(char **argv)
{
	(void)argv;
	return ABSENT;
}

#endif
