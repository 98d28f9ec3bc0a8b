/* SPDX-License-Identifier: ISC */
/*
 * peer - what the tests need and a shell cannot do.
 *
 *	peer with N[-M]=STATE... -- CMD [ARG]...
 *		become CMD, with descriptor N (to M) in STATE; whatever keeps it
 *		in that state is held by a child that ends with CMD
 *	peer states [PREFIX]
 *		the names of the states
 *	peer run [-k SIGNAL:NANOSECONDS] FILE CMD [ARG]...
 *		write into FILE how CMD ended: "exit N" or "signal N"; HUP, INT,
 *		TERM and USR1 are passed on to it
 *	peer as UID CMD [ARG]...
 *		become CMD as another user, who need not be able to reach it
 *	peer zombie CMD [ARG]...
 *		become CMD, each argument @PID@ being a child nobody waited for
 *	peer owner FILE [EPOLL]
 *		write the process id into FILE, then wait to be killed; or, at
 *		SIGUSR2, add a signalfd to instance EPOLL, whose signal comes,
 *		and at the next end with 0 if EPOLL tells of it
 *	peer openers PATH | DEVICE:INODE
 *		"PID r", "PID w" or "PID rw" for each process that has it open
 *	peer await N PATH | DEVICE:INODE
 *		wait until that many processes have it open
 *	peer bits MASK CMD [ARG]...
 *		run CMD; the kernel seems to add MASK to what poll and epoll say
 *	peer talk unix|dgram|packet|tcp|pty N CMD [ARG]...
 *		become CMD, with descriptor N one end of a pair of these, to the
 *		other end of which a child writes what comes on standard input:
 *		each record, which ends in NUL, with one call
 *	peer lock in|out PATH START LENGTH CMD [ARG]...
 *		become CMD, with that end of a FIFO open and those bytes of it
 *		locked, for as long as it is: a read lock, a write lock
 *	peer clock
 *		the monotonic clock, in nanoseconds
 *	peer reaped
 *		status 0 if the kernel says how a process ended that was waited
 *		for by another one, else 1
 *
 * Exit status 77: the system has no such thing.
 */
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#if defined(__NetBSD__) && !defined(_NETBSD_SOURCE)
#define _NETBSD_SOURCE
#endif
#if defined(__APPLE__) && !defined(_DARWIN_C_SOURCE)
#define _DARWIN_C_SOURCE
#endif

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <netinet/in.h>

#ifdef __linux__
#include <sys/sysmacros.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#endif

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifndef POLLRDHUP
#define POLLRDHUP 0
#endif

#define ABSENT 77
#define NITEMS(a) (sizeof(a) / sizeof((a)[0]))

extern char **environ;

static const char *subject = "peer"; /* what a message is about */
static int high = 3; /* descriptors of our own begin here */

static _Noreturn void
die(int status, const char *format, ...)
{
	va_list ap;
	int error = errno;

	fprintf(stderr, "peer: %s: ", subject);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	if (error != 0)
		fprintf(stderr, ": %s", strerror(error));
	fputc('\n', stderr);
	exit(status);
}

static long long
number(const char *s, long long max)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(s, &end, 0);
	if (end == s || *end != '\0' || errno != 0 || n < 0 || n > max) {
		errno = 0;
		die(2, "not a number: %s", s);
	}
	return n;
}

static void
nap(long long nanoseconds)
{
	struct timespec ts;

	ts.tv_sec = (time_t)(nanoseconds / 1000000000);
	ts.tv_nsec = (long)(nanoseconds % 1000000000);
	while (nanosleep(&ts, &ts) == -1 && errno == EINTR)
		continue;
}

static _Noreturn void
become(char **argv)
{
	errno = 0;
	if (argv[0] == NULL)
		die(2, "no command");
	execvp(argv[0], argv);
	die(127, "%s", argv[0]);
}

/* A shell in the background ignores SIGINT, make may ignore SIGPIPE. */
static void
default_signals(void)
{
	static const int list[] = { SIGHUP, SIGINT, SIGPIPE, SIGTERM, SIGQUIT };
	sigset_t none;

	for (size_t i = 0; i < NITEMS(list); i++)
		signal(list[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* ---- making descriptors ---- */

/* Out of the way of the numbers that CMD is to have, and not for CMD. */
static int
move(int fd)
{
	int to;

	if (fd == -1)
		die(ABSENT, "cannot be made");
	if ((to = fcntl(fd, F_DUPFD_CLOEXEC, high)) == -1)
		die(ABSENT, "F_DUPFD_CLOEXEC");
	close(fd);
	return to;
}

static void
move_pair(int p[2], int result)
{
	if (result == -1)
		die(ABSENT, "cannot be made");
	p[0] = move(p[0]);
	p[1] = move(p[1]);
}

static void
make_pipe(int p[2])
{
	move_pair(p, pipe(p));
}

static void
make_sockets(int s[2], int type)
{
	move_pair(s, socketpair(AF_UNIX, type, 0, s));
}

/* Wait until the kernel says one of events, or err or hup. */
static void
until(int fd, int events)
{
	struct pollfd p;

	p.fd = fd;
	p.events = (short)events;
	p.revents = 0;
	while (poll(&p, 1, -1) == -1)
		if (errno != EINTR)
			die(1, "poll");
}

static void
put(int fd, const char *s)
{
	if (write(fd, s, strlen(s)) != (ssize_t)strlen(s))
		die(1, "write");
}

static int
nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags == -1 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1)
		die(1, "O_NONBLOCK");
	return flags;
}

static void
fill(int fd)
{
	static char bytes[4096];
	int flags = nonblocking(fd);

	for (size_t size = sizeof bytes; size > 0; size = size > 1 ? 1 : 0)
		while (write(fd, bytes, size) != -1)
			continue;
	if (errno != EAGAIN && errno != ENOBUFS)
		die(1, "write");
	fcntl(fd, F_SETFL, flags);
}

static void
drain(int fd)
{
	char bytes[4096];
	int flags = nonblocking(fd);

	while (read(fd, bytes, sizeof bytes) > 0)
		continue;
	fcntl(fd, F_SETFL, flags);
}

/* ---- pipes and FIFOs ---- */

static int
pipe_r_empty(void)
{
	int p[2];

	make_pipe(p);
	return p[0];
}

static int
pipe_r_data(void)
{
	int p[2];

	make_pipe(p);
	put(p[1], "hello");
	return p[0];
}

static int
pipe_r_full(void)
{
	int p[2];

	make_pipe(p);
	fill(p[1]);
	return p[0];
}

static int
pipe_r_gone_data(void)
{
	int p[2];

	make_pipe(p);
	put(p[1], "abc");
	close(p[1]);
	return p[0];
}

static int
pipe_r_gone(void)
{
	int p[2];

	make_pipe(p);
	close(p[1]);
	return p[0];
}

static int
pipe_w_empty(void)
{
	int p[2];

	make_pipe(p);
	return p[1];
}

static int
pipe_w_data(void)
{
	int p[2];

	make_pipe(p);
	put(p[1], "hello");
	return p[1];
}

static int
pipe_w_full(void)
{
	int p[2];

	make_pipe(p);
	fill(p[1]);
	return p[1];
}

static int
pipe_w_taken(size_t n)
{
	static char bytes[4097];
	int p[2];

	make_pipe(p);
	fill(p[1]);
	if (read(p[0], bytes, n) != (ssize_t)n)
		die(1, "read");
	return p[1];
}

static int
pipe_w_but_byte(void)
{
	return pipe_w_taken(1);
}

static int
pipe_w_but_page(void)
{
	return pipe_w_taken(4097);
}

static int
pipe_w_gone(void)
{
	int p[2];

	make_pipe(p);
	close(p[0]);
	return p[1];
}

static int
pipe_w_gone_full(void)
{
	int p[2];

	make_pipe(p);
	fill(p[1]);
	close(p[0]);
	return p[1];
}

static char fifo_name[] = "peer.XXXXXX";

static int
fifo(int flags)
{
	return move(open(fifo_name, flags | O_NONBLOCK));
}

static void
make_fifo(void)
{
	int fd = mkstemp(fifo_name);

	if (fd == -1 || close(fd) == -1 || unlink(fifo_name) == -1 ||
	    mkfifo(fifo_name, 0600) == -1)
		die(ABSENT, "%s", fifo_name);
}

static int
forget_fifo(int fd)
{
	unlink(fifo_name);
	memcpy(strchr(fifo_name, '.') + 1, "XXXXXX", 6);
	return fd;
}

static int
fifo_r_never(void)
{
	make_fifo();
	return forget_fifo(fifo(O_RDONLY));
}

static int
fifo_r_writer(void)
{
	int r;

	make_fifo();
	r = fifo(O_RDONLY);
	(void)fifo(O_WRONLY);
	return forget_fifo(r);
}

static int
fifo_r_data(void)
{
	int r;

	make_fifo();
	r = fifo(O_RDONLY);
	put(fifo(O_WRONLY), "abc");
	return forget_fifo(r);
}

static int
fifo_r_gone_data(void)
{
	int r, w;

	make_fifo();
	r = fifo(O_RDONLY);
	w = fifo(O_WRONLY);
	put(w, "abc");
	close(w);
	return forget_fifo(r);
}

static int
fifo_r_gone(void)
{
	int r;

	make_fifo();
	r = fifo(O_RDONLY);
	close(fifo(O_WRONLY));
	return forget_fifo(r);
}

static int
fifo_r_reopened(void)
{
	int r;

	make_fifo();
	r = fifo(O_RDONLY);
	close(fifo(O_WRONLY));
	(void)fifo(O_WRONLY);
	return forget_fifo(r);
}

static int
fifo_w_empty(void)
{
	make_fifo();
	(void)fifo(O_RDONLY);
	return forget_fifo(fifo(O_WRONLY));
}

static int
fifo_w_full(void)
{
	int w;

	make_fifo();
	(void)fifo(O_RDONLY);
	w = fifo(O_WRONLY);
	fill(w);
	return forget_fifo(w);
}

static int
fifo_w_gone(void)
{
	int r, w;

	make_fifo();
	r = fifo(O_RDONLY);
	w = fifo(O_WRONLY);
	close(r);
	return forget_fifo(w);
}

static int
fifo_rw(void)
{
	make_fifo();
	return forget_fifo(fifo(O_RDWR));
}

static int
fifo_rw_data(void)
{
	int f = fifo_rw();

	put(f, "abc");
	return f;
}

static int
fifo_rw_full(void)
{
	int f = fifo_rw();

	fill(f);
	return f;
}

/* ---- local sockets ---- */

static int
unix_stream_idle(void)
{
	int s[2];

	make_sockets(s, SOCK_STREAM);
	return s[0];
}

static int
unix_stream_data(void)
{
	int s[2];

	make_sockets(s, SOCK_STREAM);
	put(s[1], "hello");
	return s[0];
}

static int
unix_stream_full(void)
{
	int s[2];

	make_sockets(s, SOCK_STREAM);
	fill(s[0]);
	return s[0];
}

static int
unix_stream_half_data(void)
{
	int s[2];

	make_sockets(s, SOCK_STREAM);
	put(s[1], "abc");
	shutdown(s[1], SHUT_WR);
	return s[0];
}

static int
unix_stream_half(void)
{
	int s[2];

	make_sockets(s, SOCK_STREAM);
	shutdown(s[1], SHUT_WR);
	return s[0];
}

static int
unix_stream_own_half(void)
{
	int s[2];

	make_sockets(s, SOCK_STREAM);
	shutdown(s[0], SHUT_WR);
	return s[0];
}

static int
unix_stream_both_half(void)
{
	int s[2];

	make_sockets(s, SOCK_STREAM);
	shutdown(s[0], SHUT_WR);
	shutdown(s[1], SHUT_WR);
	return s[0];
}

static int
unix_stream_closed(void)
{
	int s[2];

	make_sockets(s, SOCK_STREAM);
	close(s[1]);
	return s[0];
}

static int
unix_stream_closed_data(void)
{
	int s[2];

	make_sockets(s, SOCK_STREAM);
	put(s[1], "abc");
	close(s[1]);
	return s[0];
}

static int
unix_stream_unread(void)
{
	int s[2];

	make_sockets(s, SOCK_STREAM);
	put(s[0], "abc");
	close(s[1]);
	return s[0];
}

static int
unix_stream_shut_rd(void)
{
	int s[2];

	make_sockets(s, SOCK_STREAM);
	shutdown(s[0], SHUT_RD);
	return s[0];
}

static int
unix_stream_shut_rdwr(void)
{
	int s[2];

	make_sockets(s, SOCK_STREAM);
	shutdown(s[0], SHUT_RDWR);
	return s[0];
}

static int
unix_dgram_idle(void)
{
	int s[2];

	make_sockets(s, SOCK_DGRAM);
	return s[0];
}

static int
unix_dgram_data(void)
{
	int s[2];

	make_sockets(s, SOCK_DGRAM);
	put(s[1], "hello");
	return s[0];
}

static int
unix_dgram_empty(void)
{
	int s[2];

	make_sockets(s, SOCK_DGRAM);
	if (send(s[1], "", 0, 0) == -1)
		die(ABSENT, "send");
	return s[0];
}

static int
unix_dgram_full(void)
{
	int s[2];

	make_sockets(s, SOCK_DGRAM);
	fill(s[0]);
	return s[0];
}

static int
unix_dgram_closed(void)
{
	int s[2];

	make_sockets(s, SOCK_DGRAM);
	close(s[1]);
	return s[0];
}

static int
unix_fresh(void)
{
	return move(socket(AF_UNIX, SOCK_STREAM, 0));
}

/* A listening socket; the client's end too, where one is asked for. */
static int
unix_listen_at(int *client)
{
	struct sockaddr_un sun;
	int l = unix_fresh();

	memset(&sun, 0, sizeof sun);
	sun.sun_family = AF_UNIX;
	snprintf(sun.sun_path, sizeof sun.sun_path, "peer.%ld", (long)getpid());
	if (bind(l, (struct sockaddr *)&sun, sizeof sun) == -1 ||
	    listen(l, 5) == -1)
		die(ABSENT, "%s", sun.sun_path);
	if (client != NULL) {
		*client = unix_fresh();
		if (connect(*client, (struct sockaddr *)&sun, sizeof sun) == -1)
			die(ABSENT, "connect");
	}
	unlink(sun.sun_path);
	return l;
}

static int
unix_listening(void)
{
	return unix_listen_at(NULL);
}

static int
unix_one_waits(void)
{
	int c;

	return unix_listen_at(&c);
}

static int
unix_not_accepted(void)
{
	int c;

	(void)unix_listen_at(&c);
	return c;
}

static int
unix_listener_closed(void)
{
	int c;

	close(unix_listen_at(&c));
	return c;
}

/* ---- TCP and UDP on the loopback interface ---- */

static int
inet(int type, struct sockaddr_in *sin, int bound)
{
	socklen_t len = sizeof *sin;
	int s = move(socket(AF_INET, type, 0));

	memset(sin, 0, sizeof *sin);
	sin->sin_family = AF_INET;
	sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (!bound)
		return s;
	if (bind(s, (struct sockaddr *)sin, sizeof *sin) == -1 ||
	    getsockname(s, (struct sockaddr *)sin, &len) == -1)
		die(ABSENT, "bind");
	return s;
}

static void
join(int s, const struct sockaddr_in *sin)
{
	if (connect(s, (const struct sockaddr *)sin, sizeof *sin) == -1)
		die(ABSENT, "connect");
}

static void
tcp_pair(int s[2])
{
	struct sockaddr_in sin, unused;
	int l = inet(SOCK_STREAM, &sin, 1);

	if (listen(l, 5) == -1)
		die(ABSENT, "listen");
	s[1] = inet(SOCK_STREAM, &unused, 0);
	join(s[1], &sin);
	s[0] = move(accept(l, NULL, NULL));
	close(l);
}

static int
tcp_bound(void)
{
	struct sockaddr_in sin;

	return inet(SOCK_STREAM, &sin, 1);
}

static int
tcp_listening(void)
{
	int l = tcp_bound();

	if (listen(l, 5) == -1)
		die(ABSENT, "listen");
	return l;
}

static int
tcp_one_waits(void)
{
	struct sockaddr_in sin, unused;
	int l = inet(SOCK_STREAM, &sin, 1);

	if (listen(l, 5) == -1)
		die(ABSENT, "listen");
	join(inet(SOCK_STREAM, &unused, 0), &sin);
	until(l, POLLIN);
	return l;
}

static int
tcp_fresh(void)
{
	struct sockaddr_in sin;

	return inet(SOCK_STREAM, &sin, 0);
}

static int
tcp_connected(void)
{
	int s[2];

	tcp_pair(s);
	return s[0];
}

static int
tcp_data(void)
{
	int s[2];

	tcp_pair(s);
	put(s[1], "hello");
	until(s[0], POLLIN);
	return s[0];
}

static int
tcp_oob(void)
{
	int s[2];

	tcp_pair(s);
	if (send(s[1], "!", 1, MSG_OOB) != 1)
		die(ABSENT, "MSG_OOB");
	until(s[0], POLLPRI);
	return s[0];
}

static int
tcp_oob_data(void)
{
	int s[2];

	tcp_pair(s);
	if (send(s[1], "!", 1, MSG_OOB) != 1)
		die(ABSENT, "MSG_OOB");
	put(s[1], "ab");
	until(s[0], POLLIN);
	until(s[0], POLLPRI);
	return s[0];
}

/* The peer's buffer fills from ours: full is what stays so for a while. */
static int
tcp_full(void)
{
	struct pollfd p;
	int s[2];

	tcp_pair(s);
	p.fd = s[0];
	p.events = POLLOUT;
	do
		fill(s[0]);
	while (poll(&p, 1, 100) != 0);
	return s[0];
}

static int
tcp_half_data(void)
{
	int s[2];

	tcp_pair(s);
	put(s[1], "abc");
	shutdown(s[1], SHUT_WR);
	until(s[0], POLLRDHUP);
	until(s[0], POLLIN);
	return s[0];
}

static int
tcp_half(void)
{
	int s[2];

	tcp_pair(s);
	shutdown(s[1], SHUT_WR);
	until(s[0], POLLIN);
	return s[0];
}

static int
tcp_both_half(void)
{
	int s[2];

	tcp_pair(s);
	shutdown(s[1], SHUT_WR);
	until(s[0], POLLIN);
	shutdown(s[0], SHUT_WR);
	until(s[0], 0);
	return s[0];
}

static int
tcp_closed(void)
{
	int s[2];

	tcp_pair(s);
	close(s[1]);
	until(s[0], POLLIN);
	return s[0];
}

static int
tcp_closed_written(void)
{
	int s[2];

	tcp_pair(s);
	close(s[1]);
	until(s[0], POLLIN);
	put(s[0], "x");
	until(s[0], 0);
	return s[0];
}

static int
tcp_reset(void)
{
	struct linger l = { 1, 0 };
	int s[2];

	tcp_pair(s);
	if (setsockopt(s[1], SOL_SOCKET, SO_LINGER, &l, sizeof l) == -1)
		die(ABSENT, "SO_LINGER");
	close(s[1]);
	until(s[0], 0);
	return s[0];
}

static int
tcp_shut_rdwr(void)
{
	int s[2];

	tcp_pair(s);
	shutdown(s[0], SHUT_RDWR);
	until(s[0], 0);
	return s[0];
}

/* A port that is bound and not listened on refuses. */
static int
tcp_refused(void)
{
	struct sockaddr_in sin, unused;
	int c;

	(void)inet(SOCK_STREAM, &sin, 1);
	c = inet(SOCK_STREAM, &unused, 0);
	nonblocking(c);
	if (connect(c, (struct sockaddr *)&sin, sizeof sin) == -1 &&
	    errno != EINPROGRESS && errno != ECONNREFUSED)
		die(ABSENT, "connect");
	until(c, 0);
	return c;
}

static int
udp_bound(void)
{
	struct sockaddr_in sin;

	return inet(SOCK_DGRAM, &sin, 1);
}

static int
udp_sent(const char *s)
{
	struct sockaddr_in sin, unused;
	int u = inet(SOCK_DGRAM, &sin, 1), v = inet(SOCK_DGRAM, &unused, 0);

	join(v, &sin);
	if (send(v, s, strlen(s), 0) == -1)
		die(ABSENT, "send");
	until(u, POLLIN);
	return u;
}

static int
udp_data(void)
{
	return udp_sent("hello");
}

static int
udp_empty(void)
{
	return udp_sent("");
}

static int
udp_refused(void)
{
	struct sockaddr_in sin, unused;
	int dead = inet(SOCK_DGRAM, &sin, 1), u;

	close(dead);
	u = inet(SOCK_DGRAM, &unused, 0);
	join(u, &sin);
	put(u, "x");
	until(u, 0);
	return u;
}

/* ---- terminals ---- */

static void
pty(int p[2])
{
	const char *name;

	p[0] = posix_openpt(O_RDWR | O_NOCTTY);
	if (p[0] == -1 || grantpt(p[0]) == -1 || unlockpt(p[0]) == -1 ||
	    (name = ptsname(p[0])) == NULL)
		die(ABSENT, "posix_openpt");
	p[1] = open(name, O_RDWR | O_NOCTTY);
	move_pair(p, p[1]);
}

static int
master_idle(void)
{
	int p[2];

	pty(p);
	return p[0];
}

static int
master_data(void)
{
	int p[2];

	pty(p);
	put(p[1], "hello");
	until(p[0], POLLIN);
	return p[0];
}

static int
master_closed(void)
{
	int p[2];

	pty(p);
	close(p[1]);
	until(p[0], 0);
	return p[0];
}

static int
slave_idle(void)
{
	int p[2];

	pty(p);
	return p[1];
}

/* The echo shows that the line discipline has had the bytes. */
static int
slave_unfinished(void)
{
	int p[2];

	pty(p);
	put(p[0], "abc");
	until(p[0], POLLIN);
	drain(p[0]);
	return p[1];
}

static int
slave_line(void)
{
	int p[2];

	pty(p);
	put(p[0], "abc\n");
	until(p[1], POLLIN);
	drain(p[0]);
	return p[1];
}

static int
slave_closed(void)
{
	int p[2];

	pty(p);
	close(p[0]);
	until(p[1], 0);
	return p[1];
}

/* ---- files and devices ---- */

static int
file_of(const char *bytes, off_t at)
{
	char name[] = "peer.XXXXXX";
	int f = move(mkstemp(name));

	put(f, bytes);
	lseek(f, at, SEEK_SET);
	unlink(name);
	return f;
}

static int
file_start(void)
{
	return file_of("0123456789", 0);
}

static int
file_middle(void)
{
	return file_of("0123456789", 4);
}

static int
file_end(void)
{
	return file_of("0123456789", 10);
}

static int
file_past_end(void)
{
	return file_of("0123456789", 25);
}

static int
file_empty(void)
{
	return file_of("", 0);
}

static int
directory(void)
{
	return move(open(".", O_RDONLY));
}

static int
dev_null(void)
{
	return move(open("/dev/null", O_RDWR));
}

static int
dev_null_r(void)
{
	return move(open("/dev/null", O_RDONLY));
}

static int
dev_zero(void)
{
	return move(open("/dev/zero", O_RDWR));
}

static int
closed(void)
{
	return -1;
}

/* ---- Linux's own ---- */

#ifdef __linux__
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
signalfd_none(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	return move(signalfd(-1, &set, 0));
}

static int
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
	pid_t pid = fork();
	siginfo_t info;

	if (pid == 0)
		_exit(0);
	if (pid == -1 ||
	    waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == -1)
		die(ABSENT, "fork");
	return pidfd_of(pid);
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
	return epoll_of(pipe_r_empty());
}

static int
epoll_one(void)
{
	return epoll_of(pipe_r_data());
}

/* CMD has the inner one, too: others look at it by its number. */
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

static int
memfd(void)
{
	return move(memfd_create("peer", 0));
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

static const struct state {
	const char *name;
	int (*make)(void);
} states[] = {
	{ "pipe.r.empty", pipe_r_empty },
	{ "pipe.r.data", pipe_r_data },
	{ "pipe.r.full", pipe_r_full },
	{ "pipe.r.writer-gone-data", pipe_r_gone_data },
	{ "pipe.r.writer-gone-drained", pipe_r_gone },
	{ "pipe.w.empty", pipe_w_empty },
	{ "pipe.w.data", pipe_w_data },
	{ "pipe.w.full", pipe_w_full },
	{ "pipe.w.full-but-one-byte", pipe_w_but_byte },
	{ "pipe.w.full-but-a-page", pipe_w_but_page },
	{ "pipe.w.reader-gone", pipe_w_gone },
	{ "pipe.w.reader-gone-full", pipe_w_gone_full },
	{ "fifo.r.never-a-writer", fifo_r_never },
	{ "fifo.r.writer-no-data", fifo_r_writer },
	{ "fifo.r.writer-data", fifo_r_data },
	{ "fifo.r.writer-gone-data", fifo_r_gone_data },
	{ "fifo.r.writer-gone-drained", fifo_r_gone },
	{ "fifo.r.reopened", fifo_r_reopened },
	{ "fifo.w.empty", fifo_w_empty },
	{ "fifo.w.full", fifo_w_full },
	{ "fifo.w.reader-gone-empty", fifo_w_gone },
	{ "fifo.rw.empty", fifo_rw },
	{ "fifo.rw.data", fifo_rw_data },
	{ "fifo.rw.full", fifo_rw_full },
	{ "unix-stream.idle", unix_stream_idle },
	{ "unix-stream.data", unix_stream_data },
	{ "unix-stream.full", unix_stream_full },
	{ "unix-stream.peer-half-closed-data", unix_stream_half_data },
	{ "unix-stream.peer-half-closed", unix_stream_half },
	{ "unix-stream.itself-half-closed", unix_stream_own_half },
	{ "unix-stream.both-half-closed", unix_stream_both_half },
	{ "unix-stream.peer-closed", unix_stream_closed },
	{ "unix-stream.peer-closed-data", unix_stream_closed_data },
	{ "unix-stream.our-data-unread", unix_stream_unread },
	{ "unix-stream.own-shut-rd", unix_stream_shut_rd },
	{ "unix-stream.own-shut-rdwr", unix_stream_shut_rdwr },
	{ "unix-dgram.idle", unix_dgram_idle },
	{ "unix-dgram.data", unix_dgram_data },
	{ "unix-dgram.empty-datagram", unix_dgram_empty },
	{ "unix-dgram.full", unix_dgram_full },
	{ "unix-dgram.peer-closed", unix_dgram_closed },
	{ "unix-listen.fresh", unix_fresh },
	{ "unix-listen.listening", unix_listening },
	{ "unix-listen.one-waits", unix_one_waits },
	{ "unix-listen.client-not-accepted", unix_not_accepted },
	{ "unix-listen.client-listener-closed", unix_listener_closed },
	{ "tcp-listen.bound", tcp_bound },
	{ "tcp-listen.listening", tcp_listening },
	{ "tcp-listen.one-waits", tcp_one_waits },
	{ "tcp.fresh", tcp_fresh },
	{ "tcp.connected", tcp_connected },
	{ "tcp.data", tcp_data },
	{ "tcp.oob", tcp_oob },
	{ "tcp.oob-and-data", tcp_oob_data },
	{ "tcp.full", tcp_full },
	{ "tcp.peer-half-closed-data", tcp_half_data },
	{ "tcp.peer-half-closed", tcp_half },
	{ "tcp.both-half-closed", tcp_both_half },
	{ "tcp.peer-closed", tcp_closed },
	{ "tcp.peer-closed-written-to", tcp_closed_written },
	{ "tcp.reset", tcp_reset },
	{ "tcp.own-shut-rdwr", tcp_shut_rdwr },
	{ "tcp.refused", tcp_refused },
	{ "udp.bound", udp_bound },
	{ "udp.data", udp_data },
	{ "udp.empty-datagram", udp_empty },
	{ "udp.refused", udp_refused },
	{ "pty.master.idle", master_idle },
	{ "pty.master.data", master_data },
	{ "pty.master.slave-closed", master_closed },
	{ "pty.slave.idle", slave_idle },
	{ "pty.slave.unfinished-line", slave_unfinished },
	{ "pty.slave.line", slave_line },
	{ "pty.slave.master-closed", slave_closed },
	{ "file.start", file_start },
	{ "file.middle", file_middle },
	{ "file.at-end", file_end },
	{ "file.past-end", file_past_end },
	{ "file.empty", file_empty },
	{ "directory.open", directory },
	{ "dev.null", dev_null },
	{ "dev.null-rdonly", dev_null_r },
	{ "dev.zero", dev_zero },
	{ "number.closed", closed },
#ifdef __linux__
	{ "eventfd.0", eventfd_0 },
	{ "eventfd.5", eventfd_5 },
	{ "eventfd.max", eventfd_max },
	{ "eventfd.semaphore-0", eventfd_semaphore },
	{ "timerfd.disarmed", timerfd_disarmed },
	{ "timerfd.armed", timerfd_armed },
	{ "timerfd.expired", timerfd_expired },
	{ "signalfd.none", signalfd_none },
	{ "pidfd.alive", pidfd_alive },
	{ "pidfd.zombie", pidfd_zombie },
	{ "inotify.none", inotify_none },
	{ "epoll.none-ready", epoll_none },
	{ "epoll.one-ready", epoll_one },
	{ "epoll.nested", epoll_nested },
	{ "epoll.signalfd", epoll_signalfd },
	{ "linux.memfd", memfd },
	{ "linux.o_path", o_path },
	{ "linux.proc-file", proc_file },
	{ "linux.proc-mounts", proc_mounts },
	{ "linux.dev-full", dev_full },
#endif
};

static const struct state *
find_state(const char *name)
{
	for (size_t i = 0; i < NITEMS(states); i++)
		if (strcmp(states[i].name, name) == 0)
			return &states[i];
	errno = 0;
	die(ABSENT, "no such state here: %s", name);
}

static int
cmd_states(char **argv)
{
	const char *prefix = argv[0] == NULL ? "" : argv[0];

	for (size_t i = 0; i < NITEMS(states); i++)
		if (strncmp(states[i].name, prefix, strlen(prefix)) == 0)
			puts(states[i].name);
	return 0;
}

/* ---- with ---- */

struct spec {
	int first, last;
	const char *state;
};

static struct spec
parse_spec(char *word)
{
	struct spec s;
	char *equals = strchr(word, '='), *dash;

	errno = 0;
	if (equals == NULL)
		die(2, "not N=STATE: %s", word);
	*equals = '\0';
	if ((dash = strchr(word, '-')) != NULL)
		*dash = '\0';
	s.first = (int)number(word, INT_MAX - 1);
	s.last = dash == NULL ? s.first : (int)number(dash + 1, INT_MAX - 1);
	s.state = equals + 1;
	return s;
}

/* Hold the other ends until the process that becomes CMD is gone. */
static void
keep(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == -1)
		die(1, "fork");
	if (pid > 0)
		return;
	for (int fd = 0; fd < high; fd++)
		close(fd);
#ifdef __linux__
	prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	while (getppid() == parent)
		nap(50000000);
	_exit(0);
}

static void
arrange(const struct spec *s)
{
	int fd = find_state(s->state)->make();

	for (int n = s->first; n <= s->last; n++) {
		if (fd == -1)
			close(n);
		else if (dup2(fd, n) == -1)
			die(ABSENT, "descriptor %d", n);
	}
	if (fd != -1)
		close(fd);
}

static int
cmd_with(char **argv)
{
	struct rlimit old, raised;
	struct spec specs[16];
	size_t n = 0;

	for (; *argv != NULL && strcmp(*argv, "--") != 0; argv++) {
		errno = 0;
		if (n == NITEMS(specs))
			die(2, "too many descriptors");
		specs[n] = parse_spec(*argv);
		if (specs[n].last >= high)
			high = specs[n].last + 1;
		n++;
	}
	if (getrlimit(RLIMIT_NOFILE, &old) == -1)
		die(1, "getrlimit");
	raised = old;
	raised.rlim_cur = raised.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &raised);
	for (size_t i = 0; i < n; i++) {
		subject = specs[i].state;
		arrange(&specs[i]);
	}
	subject = "peer";
	keep();
	if (setrlimit(RLIMIT_NOFILE, &old) == -1)
		die(1, "setrlimit");
	become(*argv == NULL ? argv : argv + 1);
}

/* ---- run ---- */

static int
signal_number(const char *name)
{
	static const struct {
		const char *name;
		int number;
	} names[] = {
		{ "HUP", SIGHUP },
		{ "INT", SIGINT },
		{ "TERM", SIGTERM },
		{ "PIPE", SIGPIPE },
		{ "QUIT", SIGQUIT },
	};

	for (size_t i = 0; i < NITEMS(names); i++)
		if (strcmp(names[i].name, name) == 0)
			return names[i].number;
	return (int)number(name, 64);
}

static void
write_status(const char *file, int status)
{
	FILE *f = fopen(file, "w");

	if (f == NULL)
		die(1, "%s", file);
	if (WIFSIGNALED(status))
		fprintf(f, "signal %d\n", WTERMSIG(status));
	else
		fprintf(f, "exit %d\n", WEXITSTATUS(status));
	if (fclose(f) == EOF)
		die(1, "%s", file);
}

static volatile sig_atomic_t child;

/* The child keeps its number until it is waited for. */
static void
pass_on(int sig)
{
	if (child > 0)
		kill((pid_t)child, sig);
}

static void
pass_signals_on(void)
{
	static const int list[] = { SIGHUP, SIGINT, SIGTERM, SIGUSR1 };
	struct sigaction action;

	memset(&action, 0, sizeof action);
	action.sa_handler = pass_on;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < NITEMS(list); i++)
		sigaction(list[i], &action, NULL);
}

static void
mask_signals(int how)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(how, &all, NULL);
}

static int
cmd_run(char **argv)
{
	long long after = 0;
	int sig = 0, status;
	siginfo_t info;
	char *colon;
	pid_t pid;

	if (argv[0] != NULL && strcmp(argv[0], "-k") == 0 && argv[1] != NULL) {
		errno = 0;
		if ((colon = strchr(argv[1], ':')) == NULL)
			die(2, "not SIGNAL:NANOSECONDS: %s", argv[1]);
		*colon = '\0';
		sig = signal_number(argv[1]);
		after = number(colon + 1, LLONG_MAX);
		argv += 2;
	}
	errno = 0;
	if (argv[0] == NULL || argv[1] == NULL)
		die(2, "no file, no command");
	/* what comes as soon as CMD runs is passed on, too */
	mask_signals(SIG_BLOCK);
	if ((pid = fork()) == -1)
		die(1, "fork");
	if (pid == 0) {
		default_signals();
		become(argv + 1);
	}
	child = (sig_atomic_t)pid;
	pass_signals_on();
	mask_signals(SIG_UNBLOCK);
	if (sig != 0) {
		nap(after);
		kill(pid, sig);
	}
	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == -1)
		if (errno != EINTR)
			die(1, "waitid");
	child = 0;
	if (waitpid(pid, &status, 0) == -1)
		die(1, "waitpid");
	write_status(argv[0], status);
	return 0;
}

/* ---- as, zombie, owner ---- */

static int
cmd_as(char **argv)
{
	uid_t uid;
	int fd;

	errno = 0;
	if (argv[0] == NULL || argv[1] == NULL)
		die(2, "no user, no command");
	uid = (uid_t)number(argv[0], INT_MAX);
	if ((fd = open(argv[1], O_RDONLY)) == -1)
		die(127, "%s", argv[1]);
	if ((fd = fcntl(fd, F_DUPFD_CLOEXEC, 100)) == -1)
		die(1, "F_DUPFD_CLOEXEC");
	if (setgroups(0, NULL) == -1 || setgid((gid_t)uid) == -1 ||
	    setuid(uid) == -1)
		die(ABSENT, "setuid");
#ifdef __APPLE__
	(void)fd;
	become(argv + 1);
#else
	fexecve(fd, argv + 1, environ);
	die(127, "%s", argv[1]);
#endif
}

static int
cmd_zombie(char **argv)
{
	static char text[24];
	siginfo_t info;
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	if (pid == -1 ||
	    waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == -1)
		die(1, "fork");
	snprintf(text, sizeof text, "%ld", (long)pid);
	for (char **a = argv; *a != NULL; a++)
		if (strcmp(*a, "@PID@") == 0)
			*a = text;
	become(argv);
}

/*
 * At a SIGUSR2 instance EPOLL gets an entry more, a signalfd's, whose signal
 * then comes; at the next, the status is whether EPOLL still tells of it.
 */
static int
gains_entry(int epoll)
{
#ifdef __linux__
	struct epoll_event event = { .events = EPOLLIN };
	sigset_t set, order;
	int number;

	sigemptyset(&order);
	sigaddset(&order, SIGUSR2);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigwait(&order, &number);
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, signalfd(-1, &set, 0), &event) ==
	    -1)
		die(2, "epoll_ctl");
	raise(SIGUSR1);
	sigwait(&order, &number);
	return epoll_wait(epoll, &event, 1, 0) != 1;
#else
	return epoll;
#endif
}

static int
cmd_owner(char **argv)
{
	sigset_t set;
	FILE *f;

	errno = 0;
	if (argv[0] == NULL)
		die(2, "no file");
#if defined(__linux__) && defined(PR_SET_PTRACER)
	/* Yama would let only ancestors look. */
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
#endif
	/* it waits, however early it comes */
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if ((f = fopen(argv[0], "w")) == NULL)
		die(1, "%s", argv[0]);
	fprintf(f, "%ld\n", (long)getpid());
	if (fclose(f) == EOF)
		die(1, "%s", argv[0]);
	if (argv[1] != NULL)
		return gains_entry(atoi(argv[1]));
	for (;;)
		pause();
}

/* ---- openers, await ---- */

#ifdef __linux__
struct file_id {
	dev_t dev;
	ino_t ino;
};

static struct file_id
file_id(const char *word)
{
	struct file_id id;
	struct stat st;
	unsigned long long dev, ino;
	int length = 0;

	if (sscanf(word, "%llu:%llu%n", &dev, &ino, &length) == 2 &&
	    word[length] == '\0') {
		id.dev = (dev_t)dev;
		id.ino = (ino_t)ino;
		return id;
	}
	if (stat(word, &st) == -1)
		die(1, "%s", word);
	id.dev = st.st_dev;
	id.ino = st.st_ino;
	return id;
}

/* The access mode is in octal in fdinfo. */
static int
access_mode(const char *pid, const char *fd)
{
	char path[320], line[128];
	unsigned flags = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%s/fdinfo/%s", pid, fd);
	if ((f = fopen(path, "r")) == NULL)
		return 0;
	while (fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, "flags: %o", &flags) == 1)
			break;
	fclose(f);
	switch (flags & O_ACCMODE) {
	case O_RDONLY:
		return 1;
	case O_WRONLY:
		return 2;
	default:
		return 3;
	}
}

/* The letter that ps(1) prints and the parent; 0 where it cannot be told. */
static char
state_of(const char *pid, long *parent)
{
	char path[300], line[512], state = 0;
	const char *p;
	FILE *f;

	*parent = 0;
	snprintf(path, sizeof path, "/proc/%s/stat", pid);
	if ((f = fopen(path, "r")) == NULL)
		return 0;
	if (fgets(line, sizeof line, f) == NULL ||
	    (p = strrchr(line, ')')) == NULL ||
	    sscanf(p + 1, " %c %ld", &state, parent) != 2)
		state = 0;
	fclose(f);
	return state;
}

/*
 * A process without descriptors and without a program is about to end: its
 * files may still be open.  Threads of the kernel are below process 2.
 */
static int
is_ending(const char *pid)
{
	char path[300], program[2];
	long parent;
	char state;

	snprintf(path, sizeof path, "/proc/%s/exe", pid);
	if (readlink(path, program, sizeof program) != -1 || errno != ENOENT)
		return 0;
	state = state_of(pid, &parent);
	return state != 0 && state != 'Z' && state != 'X' && parent != 2 &&
	    strcmp(pid, "2") != 0;
}

/*
 * How one process has the file open: 1 to read, 2 to write, or both; 4 when
 * that cannot be told, for it is about to end: it may be so since before its
 * descriptors were listed, or since one of them was.
 */
static int
modes_of(const char *pid, const struct file_id *id)
{
	char path[300];
	struct dirent *d;
	struct stat st;
	DIR *dir;
	int modes = 0, mode, none = 1, vanished = 0;

	snprintf(path, sizeof path, "/proc/%s/fd", pid);
	if ((dir = opendir(path)) == NULL)
		return 0;
	while ((d = readdir(dir)) != NULL) {
		if (d->d_name[0] == '.')
			continue;
		none = 0;
		if (fstatat(dirfd(dir), d->d_name, &st, 0) == -1) {
			vanished = 1;
			continue;
		}
		if (st.st_dev != id->dev || st.st_ino != id->ino)
			continue;
		mode = access_mode(pid, d->d_name);
		vanished |= mode == 0;
		modes |= mode;
	}
	closedir(dir);
	return (none || vanished) && is_ending(pid) ? 4 : modes;
}

/* Returns how many there are, -1 when that cannot be told yet. */
static long
openers(const struct file_id *id, int print)
{
	static const char *const names[] = { "", "r", "w", "rw" };
	DIR *proc = opendir("/proc");
	struct dirent *d;
	long count = 0;
	int modes, ending = 0;

	if (proc == NULL)
		die(ABSENT, "/proc");
	while ((d = readdir(proc)) != NULL) {
		if (d->d_name[0] < '1' || d->d_name[0] > '9' ||
		    (modes = modes_of(d->d_name, id)) == 0)
			continue;
		if (modes == 4) {
			ending = 1;
			continue;
		}
		count++;
		if (print)
			printf("%s %s\n", d->d_name, names[modes]);
	}
	closedir(proc);
	return ending ? -1 : count;
}

/*
 * Whether somebody has a lock of an open file description on it.  Measured on
 * Linux 6.18: a FIFO can still have the end of a process that /proc no longer
 * shows with it; a holder has such a lock as long as it has an end.
 */
static int
is_locked(const struct file_id *id)
{
	char line[256];
	unsigned of_major, of_minor;
	unsigned long long inode;
	int found = 0;
	FILE *f = fopen("/proc/locks", "r");

	while (f != NULL && !found && fgets(line, sizeof line, f) != NULL)
		found = sscanf(line, "%*d: OFDLCK %*s %*s %*d %x:%x:%llu",
			    &of_major, &of_minor, &inode) == 3 &&
		    inode == id->ino && of_major == major(id->dev) &&
		    of_minor == minor(id->dev);
	if (f != NULL)
		fclose(f);
	return found;
}
#endif

static int
cmd_openers(char **argv)
{
	errno = 0;
	if (argv[0] == NULL)
		die(2, "no path");
#ifdef __linux__
	struct file_id id = file_id(argv[0]);

	openers(&id, 1);
	return 0;
#else
	die(ABSENT, "no /proc");
#endif
}

static int
cmd_await(char **argv)
{
	errno = 0;
	if (argv[0] == NULL || argv[1] == NULL)
		die(2, "no number, no path");
#ifdef __linux__
	struct file_id id = file_id(argv[1]);
	long n = (long)number(argv[0], LONG_MAX);

	while (openers(&id, 0) != n || (n == 0 && is_locked(&id)))
		nap(2000000);
	return 0;
#else
	die(ABSENT, "no /proc");
#endif
}

/* ---- bits ---- */

#if defined(__linux__) && defined(PTRACE_GET_SYSCALL_INFO)
/* The first answer's returned mask: revents, or events of an epoll_event. */
static void
add_bits(pid_t pid, unsigned long long call, unsigned long long address,
    unsigned mask)
{
	long word;
	union {
		long word;
		struct pollfd pollfd;
		uint32_t events;
	} u;

	errno = 0;
	word = ptrace(PTRACE_PEEKDATA, pid, (void *)(uintptr_t)address, NULL);
	if (errno != 0)
		die(ABSENT, "PTRACE_PEEKDATA");
	u.word = word;
	if (call == SYS_ppoll
#ifdef SYS_poll
	    || call == SYS_poll
#endif
	)
		u.pollfd.revents = (short)(u.pollfd.revents | (short)mask);
	else
		u.events |= mask;
	if (ptrace(PTRACE_POKEDATA, pid, (void *)(uintptr_t)address,
		(void *)u.word) == -1)
		die(ABSENT, "PTRACE_POKEDATA");
}

static unsigned long long
buffer_of(const struct __ptrace_syscall_info *info)
{
	switch (info->entry.nr) {
	case SYS_ppoll:
#ifdef SYS_poll
	case SYS_poll:
#endif
		return info->entry.args[0];
	case SYS_epoll_pwait:
#ifdef SYS_epoll_pwait2
	case SYS_epoll_pwait2:
#endif
#ifdef SYS_epoll_wait
	case SYS_epoll_wait:
#endif
		return info->entry.args[1];
	default:
		return 0;
	}
}

static int
trace(pid_t pid, unsigned mask)
{
	struct __ptrace_syscall_info info;
	unsigned long long buffer = 0, call = 0;
	int status, sig = 0;

	if (waitpid(pid, &status, 0) == -1 || !WIFSTOPPED(status))
		die(ABSENT, "ptrace");
	ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)PTRACE_O_TRACESYSGOOD);
	for (;;) {
		ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(intptr_t)sig);
		if (waitpid(pid, &status, 0) == -1)
			die(1, "waitpid");
		if (!WIFSTOPPED(status))
			return WIFEXITED(status) ? WEXITSTATUS(status) :
						   128 + WTERMSIG(status);
		sig = WSTOPSIG(status);
		if (sig == SIGTRAP)
			sig = 0;
		if (sig != (SIGTRAP | 0x80))
			continue;
		sig = 0;
		if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof info,
			&info) == -1)
			die(ABSENT, "PTRACE_GET_SYSCALL_INFO");
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
			call = info.entry.nr;
			buffer = buffer_of(&info);
		} else if (info.op == PTRACE_SYSCALL_INFO_EXIT && buffer != 0 &&
		    info.exit.rval > 0)
			add_bits(pid, call, buffer, mask);
	}
}
#endif

static int
cmd_bits(char **argv)
{
	errno = 0;
	if (argv[0] == NULL || argv[1] == NULL)
		die(2, "no mask, no command");
#if defined(__linux__) && defined(PTRACE_GET_SYSCALL_INFO)
	unsigned mask = (unsigned)number(argv[0], UINT_MAX);
	pid_t pid = fork();

	if (pid == -1)
		die(1, "fork");
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1)
			die(ABSENT, "PTRACE_TRACEME");
		become(argv + 1);
	}
	return trace(pid, mask);
#else
	die(ABSENT, "no system calls to be traced");
#endif
}

/* ---- talk, clock ---- */

static void
talk_pair(const char *type, int pair[2])
{
	if (strcmp(type, "pty") == 0)
		pty(pair);
	else if (strcmp(type, "tcp") == 0)
		tcp_pair(pair);
	else
		make_sockets(pair,
		    strcmp(type, "dgram") == 0	    ? SOCK_DGRAM :
			strcmp(type, "packet") == 0 ? SOCK_SEQPACKET :
						      SOCK_STREAM);
}

static _Noreturn void
talk(int fd)
{
	size_t size = 0;
	char *record = NULL;
	ssize_t n;

	signal(SIGPIPE, SIG_IGN);
	while ((n = getdelim(&record, &size, '\0', stdin)) > 0) {
		if (record[n - 1] == '\0')
			n--;
		for (ssize_t done = 0, m; done < n || n == 0; done += m) {
			m = write(fd, record + done, (size_t)(n - done));
			if (m <= 0)
				break;
		}
	}
	_exit(0);
}

static int
cmd_talk(char **argv)
{
	int pair[2], to, none;

	if (argv[0] == NULL || argv[1] == NULL)
		die(2, "no TYPE, no N");
	to = (int)number(argv[1], INT_MAX);
	high = to + 1;
	talk_pair(argv[0], pair);
	switch (fork()) {
	case -1:
		die(1, "fork");
	case 0:
		close(pair[0]);
		close(STDOUT_FILENO);
		talk(pair[1]);
	default:
		break;
	}
	close(pair[1]);
	none = open("/dev/null", O_RDONLY);
	if (none == -1 || dup2(none, STDIN_FILENO) == -1 ||
	    dup2(pair[0], to) == -1)
		die(1, "dup2");
	become(argv + 2);
}

static int
cmd_lock(char **argv)
{
#ifdef F_OFD_SETLK
	struct flock lock;
	int fd, out;

	for (int i = 0; i < 5; i++)
		if (argv[i] == NULL)
			die(2, "no end, PATH, START, LENGTH and command");
	out = strcmp(argv[0], "out") == 0;
	fd = open(argv[1], (out ? O_WRONLY : O_RDONLY) | O_NONBLOCK);
	if (fd == -1)
		die(1, "%s", argv[1]);
	memset(&lock, 0, sizeof lock);
	lock.l_type = out ? F_WRLCK : F_RDLCK;
	lock.l_whence = SEEK_SET;
	lock.l_start = (off_t)strtoll(argv[2], NULL, 10);
	lock.l_len = (off_t)strtoll(argv[3], NULL, 10);
	if (fcntl(fd, F_OFD_SETLK, &lock) == -1)
		die(1, "F_OFD_SETLK");
	become(argv + 4);
#else
	(void)argv;
	die(ABSENT, "no locks of open file descriptions");
#endif
}

static int
cmd_clock(char **argv)
{
	struct timespec ts;

	(void)argv;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	printf("%lld\n", (long long)ts.tv_sec * 1000000000 + ts.tv_nsec);
	return 0;
}

/* PIDFD_GET_INFO of Linux 6.15 (include/uapi/linux/pidfd.h). */
static int
cmd_reaped(char **argv)
{
	uint64_t info[8] = { 1u << 3 }; /* PIDFD_INFO_EXIT */
	pid_t pid = fork();
	int fd;

	(void)argv;
	if (pid == 0)
		_exit(7);
	fd = pidfd_of(pid);
	if (waitpid(pid, NULL, 0) != pid)
		die(1, "waitpid");
	return ioctl(fd, 0xc040ff0b, info) == -1 || (info[0] & 1u << 3) == 0;
}

static const struct {
	const char *name;
	int (*run)(char **);
} commands[] = {
	{ "with", cmd_with },
	{ "states", cmd_states },
	{ "run", cmd_run },
	{ "as", cmd_as },
	{ "zombie", cmd_zombie },
	{ "owner", cmd_owner },
	{ "openers", cmd_openers },
	{ "await", cmd_await },
	{ "bits", cmd_bits },
	{ "talk", cmd_talk },
	{ "lock", cmd_lock },
	{ "clock", cmd_clock },
	{ "reaped", cmd_reaped },
};

int
main(int argc, char **argv)
{
	if (argc > 1)
		for (size_t i = 0; i < NITEMS(commands); i++)
			if (strcmp(commands[i].name, argv[1]) == 0) {
				subject = argv[1];
				return commands[i].run(argv + 2);
			}
	fprintf(stderr, "usage: peer COMMAND [ARG]...\n");
	return 2;
}
