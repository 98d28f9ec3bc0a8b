/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "backend/backend.h"
#include "inspect/compare/ask.h"
#include "sys/process.h"

#if defined(HAVE_EPOLL_CREATE1) && defined(__linux__) && \
    defined(HAVE_LINUX_MAGIC_H)

#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/vfs.h>

#include <linux/magic.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "sys/fdplace.h"
#include "sys/fileid.h"
#include "sys/filestat.h"
#include "sys/foreign_table.h"
#include "sys/peer.h"

/* Newer than some headers: Linux 4.12. */
#ifndef SO_MEMINFO
#define SO_MEMINFO 55
#endif

/* Those of struct backend for poll and epoll are the same (poll(2)). */
#define ALL (POLLIN | POLLPRI | POLLOUT | POLLRDHUP)

bool
ask_is_emulated(void)
{
	const char *detail;

	return backend_kqueue.probe(&detail) == BACKEND_EMULATED;
}

static int
open_one(const struct backend *backend, struct backend_state **state)
{
	const char *detail;

	return backend->probe(&detail) < 0 ? 0 : backend->open(state, 1);
}

int
ask_open(struct asker *a)
{
	int error;

	memset(a, 0, sizeof *a);
	a->requests[0].filter = KQUEUE_READ;
	a->requests[1].filter = KQUEUE_WRITE;
	error = open_one(&backend_select, &a->select);
	if (error == 0)
		error = open_one(&backend_poll, &a->poll);
	if (error == 0)
		error = open_one(&backend_epoll, &a->epoll);
	if (error == 0)
		error = open_one(&backend_kqueue, &a->kqueue);
	if (error != 0)
		return error;
	if (a->kqueue == NULL)
		return 0;
	a->requests[0].flags = flags_bit(kqueue_flags, "add") |
	    flags_bit(kqueue_flags, "enable");
	a->requests[1].flags = a->requests[0].flags;
	backend_kqueue.requests(a->kqueue, a->requests, 2, true);
	return 0;
}

static void
close_one(const struct backend *backend, struct backend_state *state)
{
	if (state != NULL)
		backend->close(state);
}

void
ask_close(struct asker *a)
{
	close_one(&backend_select, a->select);
	close_one(&backend_poll, a->poll);
	close_one(&backend_epoll, a->epoll);
	close_one(&backend_kqueue, a->kqueue);
}

/* ---- copies ---- */

/*
 * Whether FD has no poll function: it is always ready, and no primitive calls
 * its driver.  epoll_ctl(2) fails with EPERM then, whatever the operation, and
 * does nothing else.
 */
static bool
is_always_ready(int fd)
{
	struct epoll_event event;
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	bool answer;

	if (epoll == -1)
		return false;
	memset(&event, 0, sizeof event);
	answer = epoll_ctl(epoll, EPOLL_CTL_DEL, fd, &event) == -1 &&
	    errno == EPERM;
	(void)close(epoll);
	return answer;
}

/* A signalfd of the caller's own answers for the caller, as it should. */
static bool
is_signalfd(int fd)
{
	char path[PEER_PATH_SIZE], text[32];
	ssize_t n = readlink(peer_path(path, fd), text, sizeof text - 1);

	text[n < 0 ? 0 : n] = '\0';
	return strcmp(text, "anon_inode:[signalfd]") == 0;
}

/* As foreign_objection, which is for poll(2) alone and for others' files. */
static int
objection(const struct asked *s, int fd, const char **why)
{
	struct foreign f = { .process = s->process,
		.pid = s->pid,
		.number = s->number };
	int flags = fcntl(fd, F_GETFL), error;

	*why = NULL;
	/* no primitive gets past O_PATH (open(2)) to the file */
	if (flags == -1 || (flags & O_PATH) != 0 || is_always_ready(fd) ||
	    (s->own && is_signalfd(fd)))
		return flags == -1 ? -errno : 0;
	error = foreign_objection(&f, fd, why);
	/* an instance of the caller's own, without pidfd_getfd(2) */
	if (s->own && (error == -ENOSYS || error == -EPERM)) {
		*why = "an epoll instance whose registrations cannot be "
		       "examined";
		return 0;
	}
	return error;
}

/* A copy of the descriptor, or -errno as process_descriptor. */
static int
copy(const struct asked *s)
{
	if (!s->own)
		return process_descriptor(s->process, s->number);
	return fdplace(fcntl(s->number, F_DUPFD_CLOEXEC, 3));
}

/* Whether FD is the file that was meant; no server is asked. */
static bool
is_same(const struct asked *s, int fd)
{
	struct filestat file;

	return s->inode == 0 ||
	    (filestat_of(fd, &file) == 0 && file.inode == s->inode);
}

/*
 * A copy of the descriptor, to be closed soon; or a number that is not open
 * here if it is not open there.  -EAGAIN: it is another file, -EOPNOTSUPP: it
 * cannot be polled, and *WHY says why.
 */
static int
borrow(const struct asked *s, const char **why)
{
	int fd = copy(s), error = 0;

	if (fd == -EBADF)
		return s->open ? -EAGAIN : CLOSED_FD;
	if (fd < 0)
		return fd;
	if (!s->open || !is_same(s, fd))
		error = -EAGAIN;
	if (error == 0)
		error = objection(s, fd, why);
	if (error == 0 && *why != NULL)
		error = -EOPNOTSUPP;
	if (error == 0)
		return fd;
	(void)close(fd);
	return error;
}

static void
give_back(int fd)
{
	if (fd >= 0 && fd != CLOSED_FD)
		(void)close(fd);
}

/* ---- the questions ---- */

/*
 * Whether ERROR is no answer about the descriptor, but a call that failed: the
 * primitives refuse with EBADF, epoll with EPERM, and kevent(2) with the others.
 */
static bool
is_trouble(int error)
{
	return error != -EBADF && error != -EPERM && error != -EPIPE &&
	    error != -ENODEV && error != -EINVAL;
}

/* The wait of BACKEND with a timeout of zero. */
static int
wait_once(const struct backend *backend, struct backend_state *state)
{
	int n;

	do
		n = backend->wait(state, 1, 0);
	while (n == -EINTR);
	return n;
}

/* Wait once, and take the answer.  Returns 0 or -errno. */
static int
take(const struct backend *backend, struct backend_state *state,
    struct answer *answer)
{
	struct event event;
	int n = wait_once(backend, state);

	answer->asked = true;
	if (n < 0 && is_trouble(n))
		return n;
	if (n < 0)
		answer->refused = -n;
	while (n > 0 && backend->next(state, &event))
		answer->bits |= event.bits;
	return 0;
}

/*
 * Ask BACKEND about FD for BITS, COUNT times in a row.  Returns 0 or -errno.
 */
static int
ask_one(const struct backend *backend, struct backend_state *state, int fd,
    uint32_t bits, struct answer *answer, size_t count)
{
	int error;

	if (state == NULL)
		return 0;
	error = backend->add(state, 0, fd, bits);
	if (error != 0) {
		for (size_t i = 0; i < count; i++)
			answer[i] = (struct answer){ .asked = true,
				.refused = -error };
		return is_trouble(error) ? error : 0;
	}
	for (size_t i = 0; i < count && error == 0; i++)
		error = take(backend, state, &answer[i]);
	(void)backend->remove(state, 0, fd);
	return error;
}

static int
ask_kevent(struct asker *a, uint32_t token, int fd,
    struct kevent_answer *answer)
{
	struct event event;
	int error, n;

	if (a->kqueue == NULL)
		return 0;
	answer->asked = true;
	error = backend_kqueue.add(a->kqueue, token, fd,
	    1u << a->requests[token].filter);
	if (error == -EPERM)
		return error;
	if (error != 0) {
		answer->refused = -error;
		return is_trouble(error) ? error : 0;
	}
	n = wait_once(&backend_kqueue, a->kqueue);
	if (n > 0 && backend_kqueue.next(a->kqueue, &event)) {
		answer->returned = (event.bits & KQUEUE_FAILED) == 0;
		answer->refused = answer->returned ? 0 : (int)event.data;
		if (!answer->returned &&
		    (event.data == EPERM || is_trouble(-(int)event.data)))
			n = -(int)event.data;
		answer->eof = (event.bits & KQUEUE_EOF) != 0;
		answer->error = answer->eof ? (int)event.fflags : 0;
		answer->data = event.data;
	}
	error = backend_kqueue.remove(a->kqueue, token, fd);
	/* it has gone already if it was returned with EV_ONESHOT */
	return n < 0 ? n : error == -ENOENT ? 0 : error;
}

/* ---- what else there is to know ---- */

static int
option(int fd, int name)
{
	socklen_t length = sizeof(int);
	int value = 0;

	return getsockopt(fd, SOL_SOCKET, name, &value, &length) == -1 ? -1 :
									 value;
}

/*
 * Whether the kernel takes another byte: poll(2) wants a part of the buffer to
 * be free, write(2) wants just one byte.  For TCP it counts what is queued
 * (include/net/sock.h, sk_stream_memory_free), for others what is allocated
 * (net/core/sock.c, sock_alloc_send_pskb).
 */
static bool
has_room(int fd, bool tcp)
{
	uint32_t info[SK_MEMINFO_VARS] = { 0 };
	socklen_t length = sizeof info;

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &length) == -1)
		return false;
	return info[tcp ? SK_MEMINFO_WMEM_QUEUED : SK_MEMINFO_WMEM_ALLOC] <
	    info[SK_MEMINFO_SNDBUF];
}

static bool
is_bound(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	} name;
	socklen_t length = sizeof name;

	memset(&name, 0, sizeof name);
	if (getsockname(fd, &name.any, &length) == -1)
		return false;
	switch (name.any.sa_family) {
	case AF_INET:
		return name.in.sin_port != 0;
	case AF_INET6:
		return name.in6.sin6_port != 0;
	default:
		return length > offsetof(struct sockaddr_un, sun_path);
	}
}

static void
examine_socket(int fd, struct socket_facts *facts)
{
	struct sockaddr_storage peer;
	socklen_t length = sizeof peer;
	struct tcp_info info;
	int type = option(fd, SO_TYPE);
	bool tcp = type == SOCK_STREAM &&
	    option(fd, SO_PROTOCOL) == IPPROTO_TCP;

	if (type == -1)
		return;
	facts->type = type;
	facts->listens = option(fd, SO_ACCEPTCONN) == 1;
	facts->connected = getpeername(fd, (struct sockaddr *)&peer, &length) ==
	    0;
	facts->bound = is_bound(fd);
	facts->room = has_room(fd, tcp);
	length = sizeof info;
	if (tcp && getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0)
		facts->tcp_state = info.tcpi_state;
}

/*
 * The size of a file on a file system whose sizes can be relied upon: those
 * whose files are made while they are read say 0, or a page.
 */
static int64_t
known_size(int fd, int64_t size)
{
	static const uint32_t made[] = { PROC_SUPER_MAGIC, SYSFS_MAGIC,
		DEBUGFS_MAGIC, TRACEFS_MAGIC, CGROUP_SUPER_MAGIC,
		CGROUP2_SUPER_MAGIC, SECURITYFS_MAGIC, BPF_FS_MAGIC,
		0x62656570 /* configfs */, 0x65735546 /* FUSE */,
		0x01021997 /* 9p */ };
	struct statfs fs;

	if (fstatfs(fd, &fs) == -1)
		return -1;
	for (size_t i = 0; i < sizeof made / sizeof *made; i++)
		if ((uint32_t)fs.f_type == made[i])
			return -1;
	return size;
}

static int
examine(const struct asked *s, struct answers *answers)
{
	const char *why = NULL;
	int fd = borrow(s, &why);
	struct filestat file;

	if (fd < 0)
		return fd;
	answers->flags = fd == CLOSED_FD ? -1 : fcntl(fd, F_GETFL);
	/* a server that is not there is not asked */
	if (fd == CLOSED_FD || filestat_of(fd, &file) != 0)
		file.mode = 0;
	if (S_ISSOCK(file.mode))
		examine_socket(fd, &answers->socket);
	else if (S_ISFIFO(file.mode) && answers->poll.bits == 0 &&
	    answers->poll.refused == 0)
		answers->writer = peer_has_writer(fd);
	else if (S_ISREG(file.mode)) {
		answers->position = lseek(fd, 0, SEEK_CUR);
		answers->size = known_size(fd, (int64_t)file.size);
	}
	if (answers->writer < 0)
		answers->writer = -1;
	give_back(fd);
	return 0;
}

/* ---- all of it ---- */

enum question {
	ASK_SELECT,
	ASK_POLL,
	ASK_EPOLL,
	ASK_EDGE,
	ASK_READ,
	ASK_WRITE,
	QUESTIONS
};

/* Put QUESTION about FD.  Returns 0 or -errno. */
static int
put(struct asker *a, enum question question, int fd, struct answers *answers)
{
	switch (question) {
	case ASK_SELECT:
		return ask_one(&backend_select, a->select, fd,
		    backend_select.limit, &answers->select, 1);
	case ASK_POLL:
		return ask_one(&backend_poll, a->poll, fd, ALL, &answers->poll,
		    1);
	case ASK_EPOLL:
		return ask_one(&backend_epoll, a->epoll, fd, ALL,
		    &answers->epoll, 1);
	case ASK_EDGE:
		return ask_one(&backend_epoll, a->epoll, fd,
		    ALL | backend_epoll.flag_edge, answers->edge, 2);
	case ASK_READ:
		return ask_kevent(a, 0, fd, &answers->read);
	default:
		return ask_kevent(a, 1, fd, &answers->write);
	}
}

int
ask(struct asker *a, const struct asked *which, struct answers *answers)
{
	int error = 0, fd;

	memset(answers, 0, sizeof *answers);
	answers->writer = answers->flags = -1;
	answers->size = answers->position = -1;
	for (int q = 0; q < QUESTIONS && error == 0; q++) {
		fd = borrow(which, &answers->why);
		error = fd < 0 ? fd : put(a, (enum question)q, fd, answers);
		give_back(fd);
	}
	if (error == 0)
		error = examine(which, answers);
	return error == -EOPNOTSUPP ? 0 : error;
}

#else

bool
ask_is_emulated(void)
{
	return false;
}

int
ask_open(struct asker *a)
{
	memset(a, 0, sizeof *a);
	return -ENOSYS;
}

void
ask_close(struct asker *a)
{
	(void)a;
}

int
ask(struct asker *a, const struct asked *which, struct answers *answers)
{
	(void)a;
	(void)which;
	memset(answers, 0, sizeof *answers);
	return -ENOSYS;
}

#endif
