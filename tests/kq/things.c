/* SPDX-License-Identifier: ISC */
/*
 * things.c - the objects to watch: pipes, sockets, files, processes.
 */
#include "kq.h"

#include <sys/ioctl.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Programs linked without the thread library skip the tests of threads. */
#if defined(__FreeBSD__) || defined(__NetBSD__) || defined(__OpenBSD__) || \
    defined(__DragonFly__)
#define WEAK_THREADS
#pragma weak pthread_create
#pragma weak pthread_join
#endif

int
named(const char *name, int fd)
{
	check(fd != -1, "%s: %s", name, strerror(errno));
	name_ident(name, (uintptr_t)fd);
	return fd;
}

int
new_queue(const char *name)
{
	return named(name, kqueue());
}

static void
name_both(int fd[2], const char *name)
{
	char s[24];

	snprintf(s, sizeof s, "%s0", name);
	named(s, fd[0]);
	snprintf(s, sizeof s, "%s1", name);
	named(s, fd[1]);
}

void
new_pipe(int fd[2], const char *name)
{
	must(pipe(fd));
	name_both(fd, name);
}

void
new_pair(int type, int fd[2], const char *name)
{
	must(socketpair(AF_UNIX, type, 0, fd));
	name_both(fd, name);
}

/* In a new network namespace the loopback interface is down. */
void
need_loopback(void)
{
	struct sockaddr_in sin;
	int s = must(socket(AF_INET, SOCK_DGRAM, 0));

	memset(&sin, 0, sizeof sin);
	sin.sin_family = AF_INET;
	sin.sin_port = htons(9);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(s, (struct sockaddr *)&sin, sizeof sin) == -1)
		skip("no loopback interface that is up: %s", strerror(errno));
	close(s);
}

/* A socket bound to a free port of the loopback interface. */
static int
bound(int type, struct sockaddr_in *sin)
{
	socklen_t len = sizeof *sin;
	int s;

	need_loopback();
	s = must(socket(AF_INET, type, 0));
	memset(sin, 0, sizeof *sin);
	sin->sin_family = AF_INET;
	sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(bind(s, (struct sockaddr *)sin, sizeof *sin));
	must(getsockname(s, (struct sockaddr *)sin, &len));
	return s;
}

int
udp_bound(struct sockaddr_in *sin)
{
	return bound(SOCK_DGRAM, sin);
}

int
tcp_listener(struct sockaddr_in *sin, int backlog)
{
	int s = bound(SOCK_STREAM, sin);

	must(listen(s, backlog));
	return s;
}

int
tcp_client(const struct sockaddr_in *sin)
{
	int s = must(socket(AF_INET, SOCK_STREAM, 0));

	must(connect(s, (const struct sockaddr *)sin, sizeof *sin));
	return s;
}

void
new_tcp(int fd[2], const char *name)
{
	struct sockaddr_in sin;
	int s = tcp_listener(&sin, 8);

	fd[1] = tcp_client(&sin);
	fd[0] = must(accept(s, NULL, NULL));
	close(s);
	name_both(fd, name);
}

int
reopen(const char *path, int how, const char *name)
{
	return named(name, open(path, how));
}

int
new_file(const char *path, const char *text, int how, const char *name)
{
	int fd = must(open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600));

	put(fd, text);
	close(fd);
	return reopen(path, how, name);
}

void
put(int fd, const char *text)
{
	ssize_t n = write(fd, text, strlen(text));

	check(n == (ssize_t)strlen(text), "write: %zd, %s", n, strerror(errno));
}

void
take(int fd, size_t n)
{
	char buf[65536];
	ssize_t got = read(fd, buf, n);

	check(got == (ssize_t)n, "read: %zd of %zu", got, n);
}

void
nonblocking(int fd)
{
	must(fcntl(fd, F_SETFL, must(fcntl(fd, F_GETFL)) | O_NONBLOCK));
}

void
fill(int fd)
{
	static const char zeros[4096];
	size_t n;

	nonblocking(fd);
	for (n = sizeof zeros; n > 0; n /= 2)
		while (write(fd, zeros, n) > 0)
			;
}

void
drain(int fd)
{
	char buf[65536];

	nonblocking(fd);
	while (read(fd, buf, sizeof buf) > 0)
		;
}

void
arrived(int fd, int least)
{
	double until = now() + PATIENCE / 1e3;
	int n = 0;

	while (must(ioctl(fd, FIONREAD, &n)) == 0 && n < least) {
		check(now() < until, "%d of %d bytes arrived", n, least);
		nap(1);
	}
}

static double
seconds_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double
now(void)
{
	return seconds_of(CLOCK_MONOTONIC);
}

double
processor_time(void)
{
	return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

void
nap(int ms)
{
	struct timespec t;

	t.tv_sec = ms / 1000;
	t.tv_nsec = ms % 1000 * 1000000L;
	while (nanosleep(&t, &t) == -1 && errno == EINTR)
		;
}

long
from_environment(const char *name, long otherwise)
{
	const char *s = getenv(name);

	return s == NULL || atol(s) <= 0 ? otherwise : atol(s);
}

int
open_descriptors(void)
{
	int fd, n = 0, most = (int)sysconf(_SC_OPEN_MAX);

	for (fd = 0; fd < most && fd < 65536; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

/* ---- other processes ---- */

static pid_t parent;

pid_t
in_child(void (*fn)(void *), void *arg)
{
	pid_t self = getpid(), pid = must(fork());

	if (pid == 0) {
		parent = self;
		fn(arg);
		_exit(0);
	}
	return pid;
}

/*
 * A parent that has ended stays a zombie until the runner has ended its process
 * group, with this process; so its number is not reused.
 */
void
hit_test(int sig)
{
	if (getppid() != parent)
		_exit(1);
	kill(parent, sig);
}

void
reap(pid_t pid, int expected)
{
	int status = -1;

	while (waitpid(pid, &status, 0) == -1)
		check(errno == EINTR, "waitpid: %s", strerror(errno));
	check(status == expected, "a child ended with %#x", (unsigned)status);
}

void
zombie(pid_t pid)
{
	siginfo_t si;

	while (waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT) == -1)
		check(errno == EINTR, "waitid: %s", strerror(errno));
}

pthread_t
new_thread(void *(*fn)(void *), void *arg)
{
	pthread_t t;

#ifdef WEAK_THREADS
	if (pthread_create == NULL)
		skip("linked without -lpthread");
#endif
	errno = pthread_create(&t, NULL, fn, arg);
	check(errno == 0, "pthread_create: %s", strerror(errno));
	return t;
}

void
join(pthread_t t)
{
	pthread_join(t, NULL);
}

static void *
do_nothing(void *arg)
{
	return arg;
}

static pid_t
obey_fork(int order, pid_t kept)
{
	pid_t pid = 0;

	switch (order) {
	case ORDER_FORK:
		pid = fork();
		if (pid == 0)
			_exit(3);
		waitpid(pid, NULL, 0);
		return pid;
	case ORDER_REAP:
		waitpid(kept, NULL, 0);
		return kept;
	case ORDER_THREAD:
		join(new_thread(do_nothing, NULL));
		return 0;
	default:
		return 0;
	}
}

static void
obey_exec(int string)
{
	char number[16];

	snprintf(number, sizeof number, "%d", string);
	execl(self_path, self_path, "--puppet", number, (char *)NULL);
	_exit(97);
}

static void
obey(int string)
{
	pid_t pid, kept = 0;
	char order;

	while (read(string, &order, 1) == 1) {
		if (order == ORDER_EXIT)
			_exit(7);
		if (order == ORDER_EXEC)
			obey_exec(string);
		if (order == ORDER_KEEP) {
			pid = kept = fork();
			while (pid == 0)
				pause();
		} else
			pid = obey_fork(order, kept);
		if (write(string, &pid, sizeof pid) != sizeof pid)
			break;
	}
	_exit(0);
}

/* After the exec: answer the order that led here. */
int
puppet_main(int string)
{
	pid_t none = 0;

	signal(SIGPIPE, SIG_DFL);
	if (write(string, &none, sizeof none) == sizeof none)
		obey(string);
	return 1;
}

struct puppet
new_puppet(const char *name)
{
	struct puppet p;
	int s[2];

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	p.pid = must(fork());
	if (p.pid == 0) {
		close(s[0]);
		obey(s[1]);
	}
	close(s[1]);
	p.string = s[0];
	name_ident(name, (uintptr_t)p.pid);
	return p;
}

/* ORDER_EXIT has no answer: it is a zombie when this returns. */
pid_t
pull(const struct puppet *p, enum order order)
{
	char c = (char)order;
	pid_t pid = 0;

	check(write(p->string, &c, 1) == 1, "the puppet does not listen");
	if (order == ORDER_EXIT)
		zombie(p->pid);
	else
		check(read(p->string, &pid, sizeof pid) == sizeof pid,
		    "the puppet does not answer");
	return pid;
}
