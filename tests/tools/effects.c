/* SPDX-License-Identifier: ISC */
/*
 * effects.c - a program that logs what its descriptors do, alone or while it is
 * examined: the log must be the same.
 *
 *	effects METHOD SEED EVERY [COMMAND]...
 *
 * For each kind of descriptor: make it ready, consume a part, sleep until it is
 * ready, consume all, end it, close its number while the file is open; waits by
 * METHOD, and logs each answer.  Meanwhile each COMMAND of pmux runs in a loop,
 * about this process.  At one of EVERY steps, which SEED chooses, the program
 * goes on only when each COMMAND has been run from begin to end; `calls' is
 * trace --calls.  Prints to
 * standard error how often the rarest of them succeeded.
 *
 * Exit status 77: not on this system.
 */
#include "config.h"

#include <stdio.h>

#ifdef __linux__
#include <sys/types.h>
#include <sys/epoll.h>
#include <sys/event.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#if defined(SYS_io_uring_setup) && defined(__has_include)
#if __has_include(<linux/io_uring.h>)
#include <linux/io_uring.h>
#define HAVE_URING 1
#endif
#endif

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define PATIENCE 60000 /* ms, for what must come */
#define COMMANDS 8

/* What the loops of the commands share with the program. */
struct shared {
	atomic_int number; /* the descriptor to be asked about */
	atomic_ulong looks[COMMANDS];
	atomic_ulong seen[COMMANDS]; /* those with exit status 0 or 1 */
	atomic_bool failed;
};

static struct shared *shared;
static size_t command_count;
static unsigned long step, seed, every;
static pid_t children[COMMANDS];

static int fd, other, instance, inner, queue;
static short wanted;
static bool reading; /* another thread takes what comes, at once */
static pid_t self, main_thread;

static void
must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "effects: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
rest(long us)
{
	struct timespec time = { us / 1000000, us % 1000000 * 1000 };

	(void)nanosleep(&time, NULL);
}

/* Let pmux see what is so now. */
static void
be_seen(void)
{
	unsigned long before[COMMANDS];

	step++;
	if (command_count == 0)
		return;
	rest(500);
	if ((step + seed) % every != 0)
		return;
	for (size_t i = 0; i < command_count; i++)
		before[i] = atomic_load(&shared->looks[i]);
	for (size_t i = 0; i < command_count; i++)
		while (atomic_load(&shared->looks[i]) < before[i] + 2) {
			must(!atomic_load(&shared->failed), "pmux");
			rest(500);
		}
}

/* ---- kinds ---- */

static char buffer[65536];

static void
nonblocking(int number)
{
	must(fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK) == 0,
	    "fcntl");
}

static void
blocking(int number)
{
	must(fcntl(number, F_SETFL, fcntl(number, F_GETFL) & ~O_NONBLOCK) == 0,
	    "fcntl");
}

static void
make_pipe(void)
{
	int ends[2];

	must(pipe(ends) == 0, "pipe");
	fd = ends[0];
	other = ends[1];
}

static void
make_fifo(void)
{
	must(mkfifo("effects.fifo", 0600) == 0, "mkfifo");
	fd = open("effects.fifo", O_RDONLY | O_NONBLOCK);
	other = open("effects.fifo", O_WRONLY);
	must(fd != -1 && other != -1 && unlink("effects.fifo") == 0, "fifo");
}

static void
make_pair(int type)
{
	int ends[2];

	must(socketpair(AF_UNIX, type, 0, ends) == 0, "socketpair");
	fd = ends[0];
	other = ends[1];
}

static void
make_stream(void)
{
	make_pair(SOCK_STREAM);
}

static void
make_datagram(void)
{
	make_pair(SOCK_DGRAM);
}

static void
make_packets(void)
{
	make_pair(SOCK_SEQPACKET);
}

static struct sockaddr_in address;

/* A socket of TYPE that is bound to a port of this host, in `address'. */
static int
bound(int type)
{
	int number = socket(AF_INET, type, 0);
	socklen_t length = sizeof address;

	address = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	must(number != -1 &&
		bind(number, (struct sockaddr *)&address, length) == 0 &&
		getsockname(number, (struct sockaddr *)&address, &length) == 0,
	    "bind");
	return number;
}

static void
join(int number)
{
	must(connect(number, (struct sockaddr *)&address, sizeof address) == 0,
	    "connect");
}

static void
make_listener(void)
{
	fd = bound(SOCK_STREAM);
	other = -1;
	must(listen(fd, 16) == 0, "listen");
}

static void
make_tcp(void)
{
	int listener;

	make_listener();
	listener = fd;
	other = socket(AF_INET, SOCK_STREAM, 0);
	join(other);
	fd = accept(listener, NULL, NULL);
	must(fd != -1 && close(listener) == 0, "accept");
}

static void
make_udp(void)
{
	fd = bound(SOCK_DGRAM);
	other = socket(AF_INET, SOCK_DGRAM, 0);
	join(other);
}

/* MODES of a terminal: ICANON or 0. */
static void
make_terminal(tcflag_t modes)
{
	struct termios t;

	other = posix_openpt(O_RDWR | O_NOCTTY);
	must(other != -1 && unlockpt(other) == 0, "posix_openpt");
	fd = open(ptsname(other), O_RDWR | O_NOCTTY);
	must(fd != -1 && tcgetattr(fd, &t) == 0, "terminal");
	t.c_lflag &= ~(tcflag_t)(ECHO | ICANON);
	t.c_lflag |= modes;
	t.c_oflag &= ~(tcflag_t)OPOST;
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	must(tcsetattr(fd, TCSANOW, &t) == 0, "tcsetattr");
}

static void
make_raw(void)
{
	make_terminal(0);
}

static void
make_lines(void)
{
	make_terminal(ICANON);
}

static void
make_master(void)
{
	int slave;

	make_raw();
	slave = fd;
	fd = other;
	other = slave;
}

/* Wait until the bytes have arrived; that does not poll. */
static void
arrive(void)
{
	int n = 0;

	while (!reading && ioctl(fd, FIONREAD, &n) == 0 && n < 5)
		rest(100);
}

static void
send_bytes(void)
{
	must(write(other, "12345", 5) == 5, "write");
	arrive();
}

/* Bytes first that are no line yet. */
static void
send_line(void)
{
	must(write(other, "12", 2) == 2, "write");
	be_seen();
	must(write(other, "34\n", 3) == 3, "write");
	arrive();
}

static bool
read_bytes(void)
{
	ssize_t n = read(fd, buffer, 3);

	if (n == -1)
		return false;
	printf(" read %zd %.*s", n,
	    (int)(n > 0 && buffer[n - 1] == '\n' ? n - 1 : n), buffer);
	return n > 0;
}

static void
arrive_call(void)
{
	struct pollfd p = { 0, 0, 0 };
	int client = socket(AF_INET, SOCK_STREAM, 0);

	join(client);
	(void)poll(&p, 0, 1);
	(void)close(client);
}

static bool
accept_call(void)
{
	int client = accept(fd, NULL, NULL);

	if (client == -1)
		return false;
	printf(" accept");
	return close(client) == 0;
}

/* ---- kinds: the write side ---- */

static void
fill(void)
{
	nonblocking(fd);
	while (write(fd, buffer, sizeof buffer / 4) > 0)
		;
	must(errno == EAGAIN, "fill");
	blocking(fd);
}

static void
make_full_pipe(void)
{
	int reader;

	make_pipe();
	reader = fd;
	fd = other;
	other = reader;
	fill();
}

static void
make_full_stream(void)
{
	make_stream();
	fill();
}

static void
empty(void)
{
	int left = 0;

	do {
		must(read(other, buffer, 4096) > 0, "empty");
		must(ioctl(other, FIONREAD, &left) == 0, "FIONREAD");
	} while (left > 0);
}

static bool
write_bytes(void)
{
	ssize_t n = write(fd, buffer, sizeof buffer / 4);

	if (n == -1)
		return false;
	if (reading)
		printf(" wrote");
	else
		printf(" wrote %zd", n);
	return !reading;
}

/* ---- kinds: without another end ---- */

static void
make_eventfd(void)
{
	fd = eventfd(0, 0);
	other = -1;
}

static void
count_up(void)
{
	uint64_t one = 1;

	must(write(fd, &one, sizeof one) == sizeof one, "eventfd");
}

static bool
read_number(void)
{
	uint64_t number;

	if (read(fd, &number, sizeof number) != sizeof number)
		return false;
	printf(" number %ju", (uintmax_t)number);
	return true;
}

static void
make_timerfd(void)
{
	fd = timerfd_create(CLOCK_MONOTONIC, 0);
	other = -1;
}

static void
expire(void)
{
	struct itimerspec time = { .it_value = { 0, 1 } }, left;

	must(timerfd_settime(fd, 0, &time, NULL) == 0, "timerfd_settime");
	do {
		rest(100);
		must(timerfd_gettime(fd, &left) == 0, "timerfd_gettime");
	} while (left.it_value.tv_nsec != 0 || left.it_value.tv_sec != 0);
}

static void
make_signalfd(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	fd = signalfd(-1, &set, 0);
	other = -1;
}

static void
signal_process(void)
{
	must(kill(self, SIGUSR1) == 0, "kill");
}

static void
signal_thread(void)
{
	must(syscall(SYS_tgkill, self, main_thread, SIGUSR2) == 0, "tgkill");
}

static bool
read_signal(void)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof info) != sizeof info)
		return false;
	printf(" signal %u", info.ssi_signo);
	return true;
}

static void
make_inotify(void)
{
	(void)mkdir("effects.dir", 0700);
	fd = inotify_init1(0);
	other = -1;
	must(inotify_add_watch(fd, "effects.dir", IN_CREATE) != -1, "inotify");
}

static void
touch(void)
{
	int number = open("effects.dir/file", O_CREAT | O_WRONLY, 0600);

	must(number != -1 && close(number) == 0 &&
		unlink("effects.dir/file") == 0,
	    "touch");
}

static bool
read_events(void)
{
	ssize_t n = read(fd, buffer, sizeof buffer);

	if (n <= 0)
		return false;
	printf(" events %zd", n);
	return true;
}

static void
make_fanotify(void)
{
	(void)mkdir("effects.dir", 0700);
	fd = fanotify_init(FAN_CLASS_NOTIF, O_RDONLY);
	other = -1;
	if (fd != -1 &&
	    fanotify_mark(fd, FAN_MARK_ADD,
		FAN_CLOSE_WRITE | FAN_EVENT_ON_CHILD, AT_FDCWD,
		"effects.dir") != 0) {
		(void)close(fd);
		fd = -1;
	}
}

static bool
read_accesses(void)
{
	struct fanotify_event_metadata m;
	ssize_t n = read(fd, buffer, sizeof buffer);

	if (n <= 0)
		return false;
	/* The macros of the header cast const away (-Wcast-qual). */
	for (size_t at = 0; at + sizeof m <= (size_t)n; at += m.event_len) {
		memcpy(&m, buffer + at, sizeof m);
		printf(" access %llu", (unsigned long long)m.mask);
		(void)close(m.fd);
	}
	return true;
}

static pid_t child;

static void
make_pidfd(void)
{
	int ends[2];
	char byte;

	must(pipe2(ends, O_CLOEXEC) == 0, "pipe");
	if ((child = fork()) == 0) {
		(void)close(ends[1]);
		_exit(read(ends[0], &byte, 1) != 0);
	}
	(void)close(ends[0]);
	other = ends[1];
	fd = (int)syscall(SYS_pidfd_open, child, 0);
}

static void
end_child(void)
{
	siginfo_t info;

	(void)close(other);
	other = -1;
	(void)waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
}

static bool
reap(void)
{
	int status;

	if (waitpid(child, &status, WNOHANG) != child)
		return false;
	printf(" reaped %d", status);
	return true;
}

/* The mounts of a namespace that is the victim's own. */
static void
make_mounts(void)
{
	fd = unshare(CLONE_NEWNS) == 0 &&
		mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 ?
	    open("/proc/self/mounts", O_RDONLY) :
	    -1;
	other = -1;
	(void)mkdir("effects.mount", 0700);
	must(fd == -1 || read(fd, buffer, sizeof buffer) > 0, "read");
}

static void
mount_more(void)
{
	static bool mounted;

	must((mounted ? umount("effects.mount") :
			mount("none", "effects.mount", "tmpfs", 0, NULL)) == 0,
	    "mount");
	mounted = !mounted;
}

static bool
read_mounts(void)
{
	return false;
}

/* ---- kinds: queues ---- */

static void
make_mqueue(void)
{
	struct mq_attr attributes = { .mq_maxmsg = 4, .mq_msgsize = 16 };
	char name[32];

	(void)snprintf(name, sizeof name, "effects.%ld", (long)self);
	fd = (int)syscall(SYS_mq_open, name, O_CREAT | O_EXCL | O_RDWR, 0600,
	    &attributes);
	other = -1;
	(void)syscall(SYS_mq_unlink, name);
}

static void
send_message(void)
{
	must(syscall(SYS_mq_timedsend, fd, "message", 7L, 0L, NULL) == 0,
	    "mq_send");
}

static bool
read_message(void)
{
	long n = syscall(SYS_mq_timedreceive, fd, buffer, 16L, NULL, NULL);

	if (n < 0)
		return false;
	printf(" message %ld", n);
	return true;
}

#ifdef HAVE_URING

/* The rings and the entries of an io_uring, mapped. */
static struct {
	struct io_uring_params p;
	char *submissions, *completions;
	struct io_uring_sqe *entries;
} ring;

static void *
map_ring(size_t size, uint64_t offset)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_POPULATE, fd, (off_t)offset);

	must(at != MAP_FAILED, "mmap of io_uring");
	return at;
}

static void
make_ring(void)
{
	const struct io_uring_params *p = &ring.p;

	memset(&ring, 0, sizeof ring);
	fd = (int)syscall(SYS_io_uring_setup, 4U, &ring.p);
	other = -1;
	if (fd == -1)
		return;
	ring.submissions = map_ring(p->sq_off.array +
		p->sq_entries * sizeof(uint32_t),
	    IORING_OFF_SQ_RING);
	ring.completions = map_ring(p->cq_off.cqes +
		p->cq_entries * sizeof(struct io_uring_cqe),
	    IORING_OFF_CQ_RING);
	ring.entries = map_ring(p->sq_entries * sizeof *ring.entries,
	    IORING_OFF_SQES);
}

static uint32_t *
word(char *from, uint32_t offset)
{
	return (uint32_t *)(void *)(from + offset);
}

static void
submit(void)
{
	uint32_t *tail = word(ring.submissions, ring.p.sq_off.tail),
		 index = *tail & (ring.p.sq_entries - 1);

	memset(&ring.entries[index], 0, sizeof *ring.entries);
	ring.entries[index].opcode = IORING_OP_NOP;
	ring.entries[index].user_data = 5;
	word(ring.submissions, ring.p.sq_off.array)[index] = index;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	must(syscall(SYS_io_uring_enter, fd, 1U, 0U, 0U, NULL, 0L) == 1,
	    "io_uring_enter");
}

static bool
take_completion(void)
{
	uint32_t *head = word(ring.completions, ring.p.cq_off.head);
	const struct io_uring_cqe *list = (void *)(ring.completions +
	    ring.p.cq_off.cqes);

	if (*head ==
	    __atomic_load_n(word(ring.completions, ring.p.cq_off.tail),
		__ATOMIC_ACQUIRE))
		return false;
	printf(" completion %ju",
	    (uintmax_t)list[*head & (ring.p.cq_entries - 1)].user_data);
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return true;
}

#else

static void
make_ring(void)
{
	fd = other = -1;
	errno = ENOSYS;
}

static void
submit(void)
{
}

static bool
take_completion(void)
{
	return false;
}

#endif

static void
make_kqueue(void)
{
	struct kevent e;

	fd = kqueue();
	other = -1;
	EV_SET(&e, 1, EVFILT_USER, EV_ADD | EV_CLEAR, 0, 0, NULL);
	must(kevent(fd, &e, 1, NULL, 0, NULL) == 0, "kevent");
}

static void
trigger(void)
{
	struct kevent e;

	EV_SET(&e, 1, EVFILT_USER, 0, NOTE_TRIGGER, 0, NULL);
	must(kevent(fd, &e, 1, NULL, 0, NULL) == 0, "trigger");
}

static bool
take_kevents(void)
{
	const struct timespec now = { 0, 0 };
	struct kevent e;

	if (kevent(fd, NULL, 0, &e, 1, &now) != 1)
		return false;
	printf(" user event %jd", (intmax_t)e.ident);
	return true;
}

/* An epoll instance with an edge-triggered pipe. */
static void
make_epoll(void)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLET };

	make_pipe();
	inner = fd;
	fd = epoll_create1(0);
	must(epoll_ctl(fd, EPOLL_CTL_ADD, inner, &e) == 0, "epoll_ctl");
}

static void
send_inner(void)
{
	must(write(other, "1", 1) == 1, "write");
}

static bool
take_edge(void)
{
	struct epoll_event e;

	if (epoll_wait(fd, &e, 1, 0) != 1)
		return false;
	printf(" inner %x", e.events);
	return true;
}

static const struct kind {
	const char *name;
	void (*make)(void);
	void (*more)(void);
	bool (*take)(void); /* a part; false: there is no more */
	short wanted;
	bool once; /* can be ready only once */
	bool reads; /* take() sleeps if the descriptor is blocking */
} kinds[] = {
	{ "pipe", make_pipe, send_bytes, read_bytes, POLLIN, false, true },
	{ "fifo", make_fifo, send_bytes, read_bytes, POLLIN, false, true },
	{ "stream", make_stream, send_bytes, read_bytes, POLLIN, false, true },
	{ "datagram", make_datagram, send_bytes, read_bytes, POLLIN, false,
	    true },
	{ "packets", make_packets, send_bytes, read_bytes, POLLIN, false,
	    true },
	{ "tcp", make_tcp, send_bytes, read_bytes, POLLIN, false, true },
	{ "listener", make_listener, arrive_call, accept_call, POLLIN, false,
	    true },
	{ "udp", make_udp, send_bytes, read_bytes, POLLIN, false, true },
	{ "terminal", make_raw, send_bytes, read_bytes, POLLIN, false, true },
	{ "lines", make_lines, send_line, read_bytes, POLLIN, false, true },
	{ "master", make_master, send_bytes, read_bytes, POLLIN, false, true },
	{ "full-pipe", make_full_pipe, empty, write_bytes, POLLOUT, false,
	    true },
	{ "full-stream", make_full_stream, empty, write_bytes, POLLOUT, false,
	    true },
	{ "eventfd", make_eventfd, count_up, read_number, POLLIN, false, true },
	{ "timerfd", make_timerfd, expire, read_number, POLLIN, false, true },
	{ "signalfd", make_signalfd, signal_process, read_signal, POLLIN, false,
	    true },
	{ "signalfd-thread", make_signalfd, signal_thread, read_signal, POLLIN,
	    false, true },
	{ "inotify", make_inotify, touch, read_events, POLLIN, false, true },
	{ "fanotify", make_fanotify, touch, read_accesses, POLLIN, false,
	    true },
	{ "pidfd", make_pidfd, end_child, reap, POLLIN, true, false },
	{ "mqueue", make_mqueue, send_message, read_message, POLLIN, false,
	    true },
	{ "io_uring", make_ring, submit, take_completion, POLLIN, false,
	    false },
	{ "kqueue", make_kqueue, trigger, take_kevents, POLLIN, false, false },
	{ "epoll", make_epoll, send_inner, take_edge, POLLIN, false, false },
	{ "mounts", make_mounts, mount_more, read_mounts, POLLPRI, false,
	    false },
};

/* ---- methods ---- */

static unsigned
ask_poll(int ms)
{
	struct pollfd p = { fd, wanted, 0 };

	return poll(&p, 1, ms) > 0 ? (unsigned)p.revents : 0;
}

static unsigned
ask_select(int ms)
{
	struct timeval time = { ms / 1000, ms % 1000 * 1000 };
	fd_set in, out, except;

	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_ZERO(&except);
	FD_SET(fd, wanted == POLLIN ? &in : wanted == POLLOUT ? &out : &except);
	if (select(fd + 1, &in, &out, &except, &time) <= 0)
		return 0;
	return (FD_ISSET(fd, &in) ? POLLIN : 0) |
	    (FD_ISSET(fd, &out) ? POLLOUT : 0) |
	    (FD_ISSET(fd, &except) ? POLLPRI : 0);
}

static bool
enter(int number, int entry, uint32_t flags)
{
	struct epoll_event e = { .events = flags, .data.u64 = 7 };

	return epoll_ctl(number, EPOLL_CTL_ADD, entry, &e) == 0;
}

static bool
add_level(void)
{
	return enter(instance, fd, (uint32_t)wanted | EPOLLRDHUP);
}

static bool
add_edge(void)
{
	return enter(instance, fd, (uint32_t)wanted | EPOLLRDHUP | EPOLLET);
}

static bool
add_oneshot(void)
{
	return enter(instance, fd,
	    (uint32_t)wanted | EPOLLRDHUP | EPOLLONESHOT);
}

static bool
add_exclusive(void)
{
	return enter(instance, fd, (uint32_t)wanted | EPOLLEXCLUSIVE);
}

static bool
add_exclusive_edge(void)
{
	return enter(instance, fd, (uint32_t)wanted | EPOLLEXCLUSIVE | EPOLLET);
}

static bool
add_nested(void)
{
	int kept = instance;

	return enter(kept, inner = epoll_create1(0), EPOLLIN) &&
	    enter(inner, fd, (uint32_t)wanted);
}

static bool
add_nested_edge(void)
{
	int kept = instance;

	return enter(kept, inner = epoll_create1(0), EPOLLIN | EPOLLET) &&
	    enter(inner, fd, (uint32_t)wanted | EPOLLET);
}

static bool
add_kqueue(void)
{
	struct kevent e;

	queue = kqueue();
	EV_SET(&e, (uintptr_t)fd, wanted == POLLIN ? EVFILT_READ : EVFILT_WRITE,
	    EV_ADD | EV_CLEAR, 0, 0, NULL);
	return wanted != POLLPRI && kevent(queue, &e, 1, NULL, 0, NULL) == 0 &&
	    enter(instance, queue, EPOLLIN | EPOLLET);
}

static unsigned
ask_epoll(int ms)
{
	struct epoll_event e[4];
	int n = epoll_wait(instance, e, 4, ms);

	return n <= 0 ? 0 : n > 1 ? 0xffff : e[0].events;
}

static unsigned
ask_oneshot(int ms)
{
	unsigned events = ask_epoll(ms);
	struct epoll_event e = { .events = (uint32_t)wanted | EPOLLRDHUP |
		    EPOLLONESHOT,
		.data.u64 = 7 };

	if (events == 0)
		return 0;
	/* not until pmux has seen it so, too */
	be_seen();
	(void)epoll_ctl(instance, EPOLL_CTL_MOD, fd, &e);
	return events;
}

static unsigned
ask_nested(int ms)
{
	unsigned events = ask_epoll(ms), more = 0;
	struct epoll_event e;

	be_seen();
	if (epoll_wait(inner, &e, 1, 0) == 1)
		more = e.events;
	return events | more << 16;
}

static unsigned
ask_kqueue(int ms)
{
	const struct timespec now = { 0, 0 };
	unsigned events = ask_epoll(ms);
	struct kevent e;

	be_seen();
	if (kevent(queue, NULL, 0, &e, 1, &now) == 1)
		events |= 1U << 16 | (unsigned)(uint16_t)e.flags << 17;
	return events;
}

static const struct method {
	const char *name;
	bool (*add)(void); /* NULL: there is nothing to be kept */
	unsigned (*ask)(int ms); /* NULL: by read(2) and its like */
} methods[] = {
	{ "poll", NULL, ask_poll },
	{ "select", NULL, ask_select },
	{ "level", add_level, ask_epoll },
	{ "edge", add_edge, ask_epoll },
	{ "oneshot", add_oneshot, ask_oneshot },
	{ "exclusive", add_exclusive, ask_epoll },
	{ "exclusive-edge", add_exclusive_edge, ask_epoll },
	{ "nested", add_nested, ask_nested },
	{ "nested-edge", add_nested_edge, ask_nested },
	{ "kqueue", add_kqueue, ask_kqueue },
	{ "read", NULL, NULL },
};

/* ---- the steps ---- */

static void
note(const char *what, unsigned events)
{
	printf(" %s=%x", what, events);
}

static void *
act(void *argument)
{
	const struct kind *k = argument;

	rest(1000);
	be_seen();
	k->more();
	return NULL;
}

/* Sleep in the wait, or in read(2), until another thread has done its part. */
static void
sleep_for(const struct kind *k, const struct method *m)
{
	pthread_t thread;

	must(pthread_create(&thread, NULL, act, (void *)(uintptr_t)k) == 0,
	    "pthread_create");
	if (m->ask != NULL)
		note("slept", m->ask(PATIENCE));
	else
		(void)k->take();
	(void)pthread_join(thread, NULL);
}

/* Only what must come can be waited for: pmux may have a copy just now. */
static void
end(const struct kind *k, const struct method *m)
{
	unsigned events = 0;
	int copy;

	if (other != -1) {
		be_seen();
		(void)close(other);
		other = -1;
		if (strstr("datagram udp", k->name) == NULL)
			note("ended", m->ask(PATIENCE));
	}
	copy = dup(fd);
	be_seen();
	must(close(fd) == 0, "close");
	be_seen();
	if (m->add != NULL)
		note("stale", m->ask(0));
	(void)close(copy);
	for (int i = 0; m->add != NULL && i < PATIENCE; i++) {
		if ((events = m->ask(0)) == 0)
			break;
		rest(1000);
	}
	note("closed", events);
}

static void
drain(const struct kind *k)
{
	while (k->take())
		be_seen();
}

static void
go_through(const struct kind *k, const struct method *m)
{
	note("begin", m->ask(0));
	be_seen();
	for (int i = 0; i < 2; i++) {
		if (k->once) {
			sleep_for(k, m);
			break;
		}
		k->more();
		be_seen();
		note("ready", m->ask(0));
		be_seen();
		note("again", m->ask(0));
		be_seen();
		(void)k->take();
		be_seen();
		note("part", m->ask(0));
		drain(k);
		be_seen();
		note("none", m->ask(0));
		sleep_for(k, m);
		be_seen();
		drain(k);
		be_seen();
		note("none", m->ask(0));
	}
	end(k, m);
}

static void
go_through_reads(const struct kind *k)
{
	const struct method method = { "read", NULL, NULL };

	for (int i = 0; i < 3; i++) {
		blocking(fd);
		sleep_for(k, &method);
		nonblocking(fd);
		if (k->wanted == POLLOUT)
			fill();
		else
			drain(k);
	}
	(void)close(fd);
	if (other != -1)
		(void)close(other);
}

static void
watch(const struct kind *k, const struct method *m)
{
	int error;

	printf("%s %s:", m->name, k->name);
	wanted = k->wanted;
	inner = queue = -1;
	instance = epoll_create1(0);
	reading = m->ask == NULL;
	k->make();
	error = errno;
	atomic_store(&shared->number, fd);
	if (fd == -1) {
		printf(" absent: %s\n", strerror(error));
		(void)close(other);
	} else if ((m->ask == NULL && !k->reads) ||
	    (m->add != NULL && !m->add())) {
		printf(" does not wait so\n");
		(void)close(fd);
		(void)close(other);
	} else if (m->ask == NULL) {
		go_through_reads(k);
		printf("\n");
	} else {
		nonblocking(fd);
		go_through(k, m);
		printf("\n");
	}
	if (inner != -1)
		(void)close(inner);
	if (queue != -1)
		(void)close(queue);
	(void)close(instance);
	(void)fflush(stdout);
}

/* ---- the commands beside it ---- */

static _Noreturn void
become(const char *command)
{
	char pid[24], number[24];
	bool all = strcmp(command, "explain") == 0,
	     one = strcmp(command, "compare") == 0,
	     calls = strcmp(command, "calls") == 0,
	     timed = strcmp(command, "trace") == 0;
	const char *argv[12] = { "pmux", calls ? "trace" : command };
	int n = 2;

	(void)snprintf(pid, sizeof pid, "%d", (int)self);
	(void)snprintf(number, sizeof number, "%d",
	    atomic_load(&shared->number));
	if (all)
		argv[n++] = "--all";
	if (timed || calls)
		argv[n++] = "-t20ms";
	if (timed || calls)
		argv[n++] = calls ? "--calls" : "--every=1ms";
	argv[n++] = "-p";
	argv[n++] = pid;
	if (one || timed)
		argv[n++] = number;
	argv[n] = NULL;
	execvp("pmux", (char **)(uintptr_t)argv);
	_exit(127);
}

static _Noreturn void
run_again_and_again(const char *command, size_t number)
{
	int null = open("/dev/null", O_RDWR), status;
	pid_t pid;

	for (int i = 0; i < 3; i++)
		(void)dup2(null, i);
	while (getppid() == self) {
		if ((pid = fork()) == 0)
			become(command);
		if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
		    WEXITSTATUS(status) == 127) {
			atomic_store(&shared->failed, true);
			_exit(1);
		}
		atomic_fetch_add(&shared->seen[number],
		    WEXITSTATUS(status) <= 1);
		atomic_fetch_add(&shared->looks[number], 1);
	}
	_exit(0);
}

static int
watch_all(const struct method *m, char **commands, size_t count)
{
	unsigned long looks = (unsigned long)-1;

	for (size_t i = 0; i < count; i++) {
		children[i] = fork();
		if (children[i] == 0)
			run_again_and_again(commands[i], i);
		must(children[i] != -1, "fork");
	}
	command_count = count;
	for (size_t i = 0; i < COUNT(kinds); i++)
		watch(&kinds[i], m);
	for (size_t i = 0; i < count; i++) {
		unsigned long n = atomic_load(&shared->seen[i]);

		looks = n < looks ? n : looks;
		(void)kill(children[i], SIGKILL);
		(void)waitpid(children[i], NULL, 0);
	}
	if (count > 0)
		fprintf(stderr, "%lu\n", looks);
	return 0;
}

int
main(int argc, char **argv)
{
	sigset_t set;

	if (argc < 4 || argc > 4 + COMMANDS) {
		fprintf(stderr,
		    "usage: effects METHOD SEED EVERY [COMMAND]...\n");
		return 2;
	}
	self = getpid();
	main_thread = (pid_t)syscall(SYS_gettid);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	seed = strtoul(argv[2], NULL, 10);
	every = strtoul(argv[3], NULL, 10);
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(shared != MAP_FAILED && every > 0, "mmap");
	for (size_t i = 0; i < COUNT(methods); i++)
		if (strcmp(methods[i].name, argv[1]) == 0)
			return watch_all(&methods[i], argv + 4,
			    (size_t)argc - 4);
	return 2;
}

#else

int
main(void)
{
	fprintf(stderr, "effects: is about Linux\n");
	return 77;
}

#endif
