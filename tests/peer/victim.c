/* SPDX-License-Identifier: ISC */
/*
 * victim.c - processes that do not go on, or seem so: for each fault that pmux
 * explain finds one that has it, and the nearest one that has not.
 */
#include "peer.h"

#ifdef __linux__

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The numbers that the tests know. */
#define IN 10
#define OUT 11
#define EPOLL 12

static char buffer[1 << 20];

/* It is as it will be from now on, or will soon be in the last call. */
static void
ready(void)
{
	put(STDOUT_FILENO, "\n");
}

/* FD under NUMBER. */
static void
place(int fd, int number)
{
	if (dup3(fd, number, O_CLOEXEC) == -1)
		die(2, "dup3");
	if (fd != number)
		close(fd);
}

static void
sleep_for_ever(void)
{
	for (;;)
		pause();
}

/* A child that does WORK and ends with its parent. */
static pid_t
child(void (*work)(void))
{
	pid_t pid = fork();

	if (pid == -1)
		die(2, "fork");
	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	work();
	_exit(0);
}

static void
pipe_at_numbers(void)
{
	int p[2];

	make_pipe(p);
	place(p[0], IN);
	place(p[1], OUT);
}

static void
sockets_at_numbers(int type)
{
	int s[2];

	make_sockets(s, type);
	place(s[0], IN);
	place(s[1], OUT);
}

static void
add(int fd, uint32_t events)
{
	struct epoll_event event = { .events = events };

	if (fcntl(EPOLL, F_GETFD) == -1)
		place(epoll_create1(EPOLL_CLOEXEC), EPOLL);
	event.data.fd = fd;
	if (epoll_ctl(EPOLL, EPOLL_CTL_ADD, fd, &event) == -1)
		die(2, "epoll_ctl");
}

static struct epoll_event
await(void)
{
	struct epoll_event event;

	if (epoll_wait(EPOLL, &event, 1, -1) != 1)
		die(2, "epoll_wait");
	return event;
}

/* It does nothing about what it waits for. */
static void
loop(void)
{
	ready();
	for (;;)
		await();
}

static void
write_and_read(int from, int to, const char *text)
{
	put(to, text);
	until(from, POLLIN);
}

/* ---- stale-registration, spins ---- */

static void
ghost_of(bool is_ready)
{
	sockets_at_numbers(SOCK_STREAM);
	add(IN, EPOLLIN);
	child(sleep_for_ever);
	if (is_ready)
		write_and_read(IN, OUT, "x");
	close(IN);
	loop();
}

static void
ghost(void)
{
	ghost_of(true);
}

static void
ghost_idle(void)
{
	ghost_of(false);
}

static void
ghost_deleted(void)
{
	sockets_at_numbers(SOCK_STREAM);
	add(IN, EPOLLIN);
	child(sleep_for_ever);
	write_and_read(IN, OUT, "x");
	epoll_ctl(EPOLL, EPOLL_CTL_DEL, IN, NULL);
	close(IN);
	loop();
}

/* ---- always-ready ---- */

static void
counter(void)
{
	place(eventfd(1, EFD_CLOEXEC), IN);
	add(IN, EPOLLIN);
}

static void
unread(void)
{
	counter();
	loop();
}

/* Who has sent it sleeps. */
static void
unread_socket(void)
{
	sockets_at_numbers(SOCK_STREAM);
	write_and_read(IN, OUT, "x");
	child(sleep_for_ever);
	close(OUT);
	add(IN, EPOLLIN);
	loop();
}

/* As busy, and the counter has the same value each time. */
static void
served(void)
{
	uint64_t value;

	counter();
	ready();
	for (;;) {
		await();
		if (read(IN, &value, sizeof value) != sizeof value ||
		    write(IN, &value, sizeof value) != sizeof value)
			die(2, "eventfd");
	}
}

static void
flood(void)
{
	memset(buffer, 'x', sizeof buffer);
	for (;;)
		if (write(OUT, buffer, sizeof buffer) == -1)
			return;
}

static void
flood_in_packets(void)
{
	for (;;)
		if (send(OUT, "x", 1, MSG_NOSIGNAL) == -1)
			return;
}

static void
read_all(void)
{
	ready();
	for (;;) {
		await();
		if (recv(IN, buffer, 1, 0) == -1 && read(IN, buffer, 4096) <= 0)
			die(2, "read");
	}
}

static void
saturated(void)
{
	pipe_at_numbers();
	child(flood);
	add(IN, EPOLLIN);
	read_all();
}

static void
saturated_packets(void)
{
	sockets_at_numbers(SOCK_SEQPACKET);
	child(flood_in_packets);
	add(IN, EPOLLIN);
	read_all();
}

/*
 * It has a byte to read, and reads something else, for a long time: much work
 * for the kernel.
 */
static void
batch(void)
{
	int zero = open("/dev/zero", O_RDONLY);

	sockets_at_numbers(SOCK_STREAM);
	write_and_read(IN, OUT, "x");
	child(sleep_for_ever);
	close(OUT);
	add(IN, EPOLLIN);
	ready();
	for (;;)
		if (read(zero, buffer, sizeof buffer) == -1)
			die(2, "/dev/zero");
}

/* It gets to what is ready after half a second of other system calls. */
static void
batches(void)
{
	struct timespec now, begun;
	struct stat st;

	pipe_at_numbers();
	add(IN, EPOLLIN);
	ready();
	for (;;) {
		(void)!write(OUT, "x", 1);
		clock_gettime(CLOCK_MONOTONIC, &begun);
		do {
			fstat(IN, &st);
			clock_gettime(CLOCK_MONOTONIC, &now);
		} while ((now.tv_sec - begun.tv_sec) * 1000 +
			(now.tv_nsec - begun.tv_nsec) / 1000000 <
		    500);
		await();
		(void)!read(IN, buffer, 1);
	}
}

/* It waits for nothing meanwhile. */
static void
stats(void)
{
	struct stat st;

	counter();
	ready();
	for (;;)
		if (stat("/", &st) == -1)
			die(2, "stat");
}

/* It does nothing about what it waits for, and much else. */
static void
heavy_loop(void)
{
	volatile uint64_t sum = 0;

	counter();
	ready();
	for (;;) {
		await();
		for (int i = 0; i < 100000; i++)
			sum += sum ^ 1;
	}
}

static void
compute(void)
{
	volatile uint64_t sum = 0;

	counter();
	ready();
	for (;;)
		sum += sum ^ 1;
}

/* ---- hangup-unasked ---- */

static void
hung_up(void)
{
	pipe_at_numbers();
	add(IN, 0);
	close(OUT);
	loop();
}

static void
not_hung_up(void)
{
	pipe_at_numbers();
	add(IN, 0);
	loop();
}

/* ---- edge-consumed, oneshot-disabled ---- */

static void
once_of(uint32_t events, ssize_t length, bool again)
{
	struct epoll_event event = { .events = EPOLLIN | events };

	sockets_at_numbers(SOCK_STREAM);
	fcntl(IN, F_SETFL, O_NONBLOCK);
	add(IN, EPOLLIN | events);
	put(OUT, "text");
	await();
	if (read(IN, buffer, (size_t)length) <= 0)
		die(2, "read");
	if (again)
		epoll_ctl(EPOLL, EPOLL_CTL_MOD, IN, &event);
	loop();
}

static void
edge(void)
{
	once_of(EPOLLET, 1, false);
}

static void
edge_drained(void)
{
	once_of(EPOLLET, 100, false);
}

static void
oneshot(void)
{
	once_of(EPOLLONESHOT, 1, false);
}

static void
oneshot_armed(void)
{
	once_of(EPOLLONESHOT, 100, true);
}

/* What a server does that is sent more than it may send on. */
static void
back_pressure(void)
{
	sockets_at_numbers(SOCK_STREAM);
	fcntl(IN, F_SETFL, O_NONBLOCK);
	add(IN, EPOLLIN | EPOLLOUT | EPOLLET);
	while (write(IN, buffer, sizeof buffer) > 0)
		;
	loop();
}

/* ---- deadlock ---- */

static void
copy_at_numbers(void)
{
	ssize_t n;

	while ((n = read(IN, buffer, 4096)) > 0)
		if (write(OUT, buffer, (size_t)n) == -1)
			return;
}

/* A child that copies from IN to OUT, the other ends of which become ours. */
static void
coprocess(void)
{
	int to[2], from[2];

	make_pipe(to);
	make_pipe(from);
	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		place(to[0], IN);
		place(from[1], OUT);
		close(to[1]);
		close(from[0]);
		copy_at_numbers();
		_exit(0);
	}
	close(to[0]);
	close(from[1]);
	place(from[0], IN);
	place(to[1], OUT);
}

static void
deadlock(void)
{
	coprocess();
	ready();
	for (;;)
		if (write(OUT, buffer, sizeof buffer) == -1)
			die(2, "write");
}

/* It waits for what it has not sent yet, but for so long. */
static void
deadlock_timed(void)
{
	struct pollfd p = { IN, POLLIN, 0 };

	coprocess();
	ready();
	poll(&p, 1, 1000000);
}

/* A handler of SIGALRM may end it, at a time that nobody sees. */
static void
deadlock_alarm(void)
{
	signal(SIGALRM, _exit);
	deadlock();
}

/* It waits for its child, which waits to be read from. */
static void
deadlock_child(void)
{
	pid_t pid;

	pipe_at_numbers();
	fcntl(OUT, F_SETFD, 0);
	if ((pid = fork()) == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(IN);
		flood();
	}
	close(OUT);
	ready();
	waitpid(pid, NULL, 0);
}

/* ---- own-write-end ---- */

static void
own_end(void)
{
	pipe_at_numbers();
	ready();
	(void)!read(IN, buffer, 1);
}

static void
own_end_in_poll(void)
{
	struct pollfd p = { IN, POLLIN, 0 };

	pipe_at_numbers();
	ready();
	poll(&p, 1, -1);
}

/* A handler of signals may write. */
static void
self_pipe(void)
{
	fcntl(OUT, F_SETFL, O_NONBLOCK);
	pipe_at_numbers();
	fcntl(OUT, F_SETFL, O_NONBLOCK);
	add(IN, EPOLLIN);
	loop();
}

static void
write_to_self(int number)
{
	(void)number;
	(void)!write(OUT, "x", 1);
}

/* The same, with a write end that blocks. */
static void
read_self_pipe(int number)
{
	pipe_at_numbers();
	signal(number, write_to_self);
	ready();
	(void)!read(IN, buffer, 1);
}

static void
self_pipe_in_read(void)
{
	read_self_pipe(SIGTERM);
}

static void
self_pipe_interrupted(void)
{
	read_self_pipe(SIGINT);
}

/* A message that is not received yet has the write end, too. */
static void
end_in_flight(void)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = { buffer, 1 };
	struct msghdr message = { .msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control };
	int s[2], number = OUT;

	pipe_at_numbers();
	make_sockets(s, SOCK_STREAM);
	memset(&control, 0, sizeof control);
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof number);
	memcpy(CMSG_DATA(&control.header), &number, sizeof number);
	if (sendmsg(s[0], &message, 0) == -1)
		die(2, "sendmsg");
	ready();
	(void)!read(IN, buffer, 1);
}

static void
childs_end(void)
{
	pipe_at_numbers();
	child(sleep_for_ever);
	close(OUT);
	ready();
	(void)!read(IN, buffer, 1);
}

static void
own_socket(void)
{
	sockets_at_numbers(SOCK_STREAM);
	add(IN, EPOLLIN);
	loop();
}

/* ---- stopped, full ---- */

static void
close_and_sleep(void)
{
	close(OUT);
	sleep_for_ever();
}

static void
full(void)
{
	pipe_at_numbers();
	child(close_and_sleep);
	close(IN);
	ready();
	flood();
}

/* The reader goes on, a little at a time. */
static void
read_at_times(void)
{
	struct timespec while_ = { 0, 5000000 };

	while (read(IN, buffer, 1 << 16) > 0)
		nanosleep(&while_, NULL);
}

static void
close_and_read(void)
{
	close(OUT);
	read_at_times();
}

static void
full_read(void)
{
	pipe_at_numbers();
	child(close_and_read);
	close(IN);
	ready();
	flood();
}

static void
stop(void)
{
	close(OUT);
	raise(SIGSTOP);
}

static void
reader_stopped(void)
{
	int status;

	pipe_at_numbers();
	waitpid(child(stop), &status, WUNTRACED);
	close(IN);
	ready();
	flood();
}

/* ---- backlog, no-descriptors-left ---- */

static struct sockaddr_un address = { .sun_family = AF_UNIX,
	.sun_path = "victim.socket" };

static void
clients(int count)
{
	while (count-- > 0) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (connect(fd, (struct sockaddr *)&address, sizeof address) ==
		    -1)
			die(2, "connect");
	}
}

static void
listen_for(int waiting)
{
	place(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), IN);
	if (bind(IN, (struct sockaddr *)&address, sizeof address) == -1 ||
	    listen(IN, 1) == -1)
		die(2, "listen");
	clients(waiting);
}

static void
backlog(void)
{
	listen_for(2);
	ready();
	sleep_for_ever();
}

static void
backlog_half(void)
{
	listen_for(1);
	ready();
	sleep_for_ever();
}

static void
use_all_descriptors(void)
{
	struct rlimit limit = { 32, 32 };

	if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
		die(2, "setrlimit");
	while (dup(0) != -1)
		;
}

static void
accept_all(void)
{
	struct timespec pause_a_while = { 0, 1000000 };

	ready();
	for (;;) {
		await();
		if (accept4(IN, NULL, NULL, SOCK_CLOEXEC) == -1)
			nanosleep(&pause_a_while, NULL);
	}
}

static void
no_descriptors(void)
{
	listen_for(1);
	add(IN, EPOLLIN);
	use_all_descriptors();
	accept_all();
}

static void
no_descriptors_idle(void)
{
	listen_for(0);
	add(IN, EPOLLIN);
	use_all_descriptors();
	accept_all();
}

/* ---- sockets ---- */

static void
tcp_full(void)
{
	int s[2];

	tcp_pair(s);
	place(s[0], IN);
	place(s[1], OUT);
	ready();
	flood();
}

static void
tcp_read(void)
{
	int s[2];

	tcp_pair(s);
	place(s[0], IN);
	place(s[1], OUT);
	child(close_and_read);
	close(IN);
	ready();
	flood();
}

/* A server with timers, whose client reads or not. */
static void
tcp_serve(bool is_read)
{
	struct epoll_event event;
	int s[2];

	tcp_pair(s);
	place(s[0], IN);
	place(s[1], OUT);
	if (is_read) {
		child(close_and_read);
		close(IN);
	}
	fcntl(OUT, F_SETFL, O_NONBLOCK);
	add(OUT, EPOLLOUT);
	ready();
	for (;;)
		if (epoll_wait(EPOLL, &event, 1, 20) == 1)
			(void)!write(OUT, buffer, sizeof buffer);
}

static void
tcp_served(void)
{
	tcp_serve(true);
}

static void
tcp_unserved(void)
{
	tcp_serve(false);
}

/* The write end is in flight. */
static void
in_flight(void)
{
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr head;
	} control = { .head = { .cmsg_level = SOL_SOCKET,
			  .cmsg_type = SCM_RIGHTS,
			  .cmsg_len = CMSG_LEN(sizeof(int)) } };
	struct iovec data = { buffer, 1 };
	struct msghdr message = { .msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control };
	int s[2], number = OUT;

	pipe_at_numbers();
	make_sockets(s, SOCK_STREAM);
	memcpy(CMSG_DATA(&control.head), &number, sizeof number);
	if (sendmsg(s[0], &message, 0) == -1)
		die(2, "sendmsg");
	close(OUT);
	ready();
	(void)!read(IN, buffer, 1);
}

/* ---- signals, files ---- */

static void
signals(bool blocked)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	if (blocked)
		sigprocmask(SIG_BLOCK, &set, NULL);
	place(signalfd(-1, &set, SFD_CLOEXEC), IN);
	ready();
	(void)!read(IN, buffer, sizeof buffer);
}

static void
signal_lost(void)
{
	signals(false);
}

static void
signal_blocked(void)
{
	signals(true);
}

static void
watch(const char *path)
{
	place(inotify_init1(IN_CLOEXEC), IN);
	if (path != NULL && inotify_add_watch(IN, path, IN_MODIFY) == -1)
		die(2, "inotify_add_watch");
	ready();
	(void)!read(IN, buffer, sizeof buffer);
}

static void
watch_nothing(void)
{
	watch(NULL);
}

static void
watch_directory(void)
{
	watch(".");
}

/* The file that it watches has another name from now on, or none. */
static void
watch_moved(bool is_replaced)
{
	place(inotify_init1(IN_CLOEXEC), IN);
	place(open("watched", O_RDONLY | O_CREAT | O_CLOEXEC, 0600), OUT);
	close(open("replacement", O_RDONLY | O_CREAT | O_CLOEXEC, 0600));
	if (inotify_add_watch(IN, "watched", IN_MODIFY) == -1 ||
	    (!is_replaced && rename("watched", "kept") == -1) ||
	    rename("replacement", "watched") == -1)
		die(2, "watched");
	ready();
	(void)!read(IN, buffer, sizeof buffer);
}

static void
watch_replaced(void)
{
	watch_moved(true);
}

static void
watch_kept(void)
{
	watch_moved(false);
}

static void
terminal_gone(void)
{
	int p[2];

	make_pty(p);
	place(p[1], IN);
	close(p[0]);
	ready();
	sleep_for_ever();
}

static void
terminal(void)
{
	int p[2];

	make_pty(p);
	place(p[1], IN);
	ready();
	(void)!read(IN, buffer, 1);
}

/* Reads until nothing is left, each time. */
static void
send_at_times(void)
{
	struct timespec while_ = { 0, 0 };

	for (unsigned i = 0; send(OUT, buffer, 1 + i % 9000, 0) > 0; i++) {
		while_.tv_nsec = 100000 * (long)(i % 50);
		nanosleep(&while_, NULL);
	}
}

static void
edge_server(void)
{
	sockets_at_numbers(SOCK_STREAM);
	fcntl(IN, F_SETFL, O_NONBLOCK);
	child(send_at_times);
	add(IN, EPOLLIN | EPOLLOUT | EPOLLET);
	ready();
	for (;;) {
		await();
		while (read(IN, buffer, 1000) > 0)
			;
	}
}

/* ---- notes ---- */

static void
not_asked_for(void)
{
	sockets_at_numbers(SOCK_STREAM);
	add(IN, EPOLLPRI);
	write_and_read(IN, OUT, "x");
	loop();
}

static void
nonblock_shared(void)
{
	pipe_at_numbers();
	fcntl(IN, F_SETFL, O_NONBLOCK);
	child(sleep_for_ever);
	ready();
	sleep_for_ever();
}

static void
nonblock_alone(void)
{
	pipe_at_numbers();
	fcntl(IN, F_SETFL, O_NONBLOCK);
	ready();
	sleep_for_ever();
}

static void
small_pipe(void)
{
	pipe_at_numbers();
	fcntl(IN, F_SETPIPE_SZ, 4096);
	ready();
	sleep_for_ever();
}

static void
usual_pipe(void)
{
	pipe_at_numbers();
	ready();
	sleep_for_ever();
}

static void
socket_at(unsigned number)
{
	sockets_at_numbers(SOCK_STREAM);
	if (dup3(IN, (int)number, O_CLOEXEC) == -1)
		exit(ABSENT);
}

/* An fd_set has 1024 bits, and the kernel takes more. */
static void
select_socket_at(unsigned number)
{
	static unsigned long set[64];

	socket_at(number);
	set[number / (8 * sizeof *set)] |= 1UL << number % (8 * sizeof *set);
	ready();
	syscall(SYS_pselect6, number + 1, set, NULL, NULL, NULL, NULL);
}

static void
lock_ten(off_t first, int command)
{
	struct flock lock = { .l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = first,
		.l_len = 10 };

	if (fcntl(IN, command, &lock) == -1)
		die(2, "fcntl");
}

static void
have_bytes(const char *name, off_t first)
{
	prctl(PR_SET_NAME, name);
	lock_ten(first, F_SETLK);
	put(OUT, "x");
	sleep_for_ever();
}

static void
have_first_bytes(void)
{
	have_bytes("other", 0);
}

static void
have_wanted_bytes(void)
{
	have_bytes("owner", 20);
}

/* It waits for bytes of a file of which another process has others. */
static void
lock_range(void)
{
	int ends[2], file = (int)syscall(SYS_memfd_create, "locked", 0);

	if (file == -1 || pipe(ends) == -1)
		die(ABSENT, "memfd_create");
	place(file, IN);
	place(ends[1], OUT);
	child(have_first_bytes);
	child(have_wanted_bytes);
	for (int i = 0; i < 2; i++)
		if (read(ends[0], buffer, 1) != 1)
			die(2, "read");
	ready();
	lock_ten(20, F_SETLKW);
}

static void
past_fd_setsize(void)
{
	select_socket_at(1500);
}

/* The kernel reads no further than there is room for descriptors. */
static void
select_of_all(void)
{
	unsigned long set[1024];

	pipe_at_numbers();
	fcntl(OUT, F_SETFL, O_NONBLOCK);
	memset(set, 0xff, sizeof set);
	memset(set, 0, 1024 / 8);
	set[0] = 1UL << IN;
	ready();
	syscall(SYS_pselect6, INT_MAX, set, NULL, NULL, NULL, NULL);
}

static void *
sleep_on(void *argument)
{
	ready();
	for (;;)
		pause();
	return argument;
}

/* Its first thread has ended. */
static void
headless(void)
{
	pthread_t thread;

	pipe_at_numbers();
	if (pthread_create(&thread, NULL, sleep_on, NULL) != 0)
		die(2, "pthread_create");
	syscall(SYS_exit, 0);
}

static void
below_fd_setsize(void)
{
	select_socket_at(1023);
}

static void
poll_past_fd_setsize(void)
{
	struct pollfd p = { 1500, POLLIN, 0 };

	socket_at(1500);
	ready();
	poll(&p, 1, -1);
}

static const struct {
	const char *name;
	void (*be)(void);
} victims[] = {
	{ "ghost", ghost },
	{ "ghost-idle", ghost_idle },
	{ "ghost-deleted", ghost_deleted },
	{ "unread", unread },
	{ "unread-socket", unread_socket },
	{ "served", served },
	{ "saturated", saturated },
	{ "saturated-packets", saturated_packets },
	{ "batch", batch },
	{ "batches", batches },
	{ "stats", stats },
	{ "heavy-loop", heavy_loop },
	{ "compute", compute },
	{ "hung-up", hung_up },
	{ "not-hung-up", not_hung_up },
	{ "edge", edge },
	{ "edge-drained", edge_drained },
	{ "oneshot", oneshot },
	{ "oneshot-armed", oneshot_armed },
	{ "back-pressure", back_pressure },
	{ "deadlock", deadlock },
	{ "deadlock-timed", deadlock_timed },
	{ "deadlock-alarm", deadlock_alarm },
	{ "deadlock-child", deadlock_child },
	{ "own-end", own_end },
	{ "own-end-in-poll", own_end_in_poll },
	{ "self-pipe", self_pipe },
	{ "self-pipe-in-read", self_pipe_in_read },
	{ "self-pipe-interrupted", self_pipe_interrupted },
	{ "end-in-flight", end_in_flight },
	{ "childs-end", childs_end },
	{ "own-socket", own_socket },
	{ "full", full },
	{ "full-read", full_read },
	{ "reader-stopped", reader_stopped },
	{ "backlog", backlog },
	{ "backlog-half", backlog_half },
	{ "no-descriptors", no_descriptors },
	{ "no-descriptors-idle", no_descriptors_idle },
	{ "tcp-full", tcp_full },
	{ "tcp-read", tcp_read },
	{ "tcp-served", tcp_served },
	{ "tcp-unserved", tcp_unserved },
	{ "in-flight", in_flight },
	{ "signal-lost", signal_lost },
	{ "signal-blocked", signal_blocked },
	{ "watch-nothing", watch_nothing },
	{ "watch-directory", watch_directory },
	{ "watch-replaced", watch_replaced },
	{ "watch-kept", watch_kept },
	{ "terminal-gone", terminal_gone },
	{ "terminal", terminal },
	{ "edge-server", edge_server },
	{ "not-asked-for", not_asked_for },
	{ "nonblock-shared", nonblock_shared },
	{ "nonblock-alone", nonblock_alone },
	{ "small-pipe", small_pipe },
	{ "usual-pipe", usual_pipe },
	{ "past-fd-setsize", past_fd_setsize },
	{ "lock-range", lock_range },
	{ "select-of-all", select_of_all },
	{ "headless", headless },
	{ "below-fd-setsize", below_fd_setsize },
	{ "poll-past-fd-setsize", poll_past_fd_setsize },
};

int
cmd_victim(char **argv)
{
#ifdef PR_SET_PTRACER
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
#endif
	/* no process of the session is another user's */
	setsid();
	high = 50;
	for (size_t i = 0; i < NITEMS(victims); i++)
		if (strcmp(victims[i].name, argv[0]) == 0) {
			victims[i].be();
			return 1;
		}
	die(2, "no victim %s", argv[0]);
}

#else

int
cmd_victim(char **argv)
{
	(void)argv;
	return ABSENT;
}

#endif
