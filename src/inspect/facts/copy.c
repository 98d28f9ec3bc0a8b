/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>

#include "compat.h"
#include "inspect/facts/copy.h"

#ifdef __linux__

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "inspect/facts/mounts.h"
#include "sys/foreign_table.h"
#include "sys/kernel.h"
#include "sys/process.h"

#ifndef F_GETPIPE_SZ
#define F_GETPIPE_SZ 1032 /* Linux 2.6.35 */
#endif
#ifndef POLLRDHUP
#define POLLRDHUP 0x2000
#endif

/* What is asked for of every descriptor. */
#define EVENTS (POLLIN | POLLPRI | POLLOUT | POLLRDHUP)

static void
unknown(struct descriptor *d, enum fact fact, const char *why)
{
	if (d->unknown[fact] == NULL)
		d->unknown[fact] = why;
}

static void
poll_copy(struct descriptor *d, int fd)
{
	struct pollfd p = { fd, EVENTS, 0 };

	if (poll(&p, 1, 0) == -1)
		unknown(d, FACT_READY, errno_name(errno));
	else
		d->ready = (unsigned)p.revents;
}

static void
ask_terminal(struct descriptor *d, int fd)
{
	struct termios modes;

	d->terminal.hung_up = (d->ready & POLLHUP) != 0;
	/* EIO once it is hung up; no process is stopped for it */
	d->terminal.lines = tcgetattr(fd, &modes) == 0 &&
	    (modes.c_lflag & ICANON) != 0;
}

static int
option(int fd, int level, int name)
{
	int value = 0;
	socklen_t size = sizeof value;

	return getsockopt(fd, level, name, &value, &size) == -1 ? -1 : value;
}

static void
take_address(struct sock_address *to, const struct sockaddr_storage *from)
{
	const struct sockaddr_in *four = (const void *)from;
	const struct sockaddr_in6 *six = (const void *)from;

	if (from->ss_family == AF_INET) {
		to->bytes[10] = to->bytes[11] = 0xff;
		memcpy(to->bytes + 12, &four->sin_addr, 4);
		to->port = ntohs(four->sin_port);
	} else if (from->ss_family == AF_INET6) {
		memcpy(to->bytes, &six->sin6_addr, 16);
		to->port = ntohs(six->sin6_port);
	}
}

static void
take_name(struct sock *sock, const struct sockaddr_storage *from,
    socklen_t size)
{
	static const size_t before = offsetof(struct sockaddr_un, sun_path);
	size_t length = size > before ? size - before : 0;

	if (length > sizeof sock->name)
		length = sizeof sock->name;
	memcpy(sock->name, (const char *)from + before, length);
	/* an abstract name may have any bytes, a path ends with a NUL */
	if (length > 0 && sock->name[0] != '\0')
		length = strnlen(sock->name, length);
	sock->name_length = (uint8_t)length;
}

static void
ask_addresses(struct sock *sock, int fd)
{
	struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
	socklen_t size = sizeof address;

	if (getsockname(fd, (struct sockaddr *)&address, &size) == 0) {
		if (sock->protocol == SOCK_UNIX)
			take_name(sock, &address, size);
		else
			take_address(&sock->local, &address);
	}
	size = sizeof address;
	if (sock->protocol != SOCK_UNIX &&
	    getpeername(fd, (struct sockaddr *)&address, &size) == 0)
		take_address(&sock->remote, &address);
}

/* Of a listener: those that wait, and how many may (net/ipv4/tcp.c). */
static void
ask_tcp(struct sock *sock, int fd)
{
	struct tcp_info info;
	socklen_t size = sizeof info;
	int unsent;

	memset(&info, 0, sizeof info);
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == -1)
		return;
	sock->state = info.tcpi_state;
	if (sock->state == SOCK_LISTEN) {
		sock->receive = info.tcpi_unacked;
		sock->send = info.tcpi_sacked;
	} else if (ioctl(fd, TIOCOUTQ, &unsent) == 0)
		sock->send = (uint32_t)unsent;
	sock->sent_ago = info.tcpi_last_data_sent;
	sock->received_ago = info.tcpi_last_data_recv;
}

static bool
is_connected(int fd)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof address;

	return getpeername(fd, (struct sockaddr *)&address, &size) == 0;
}

/* One of another network namespace, or without sock_diag(7). */
static void
ask_socket(struct descriptor *d, int fd)
{
	struct sock *sock = &d->sock;
	int domain = option(fd, SOL_SOCKET, SO_DOMAIN);
	int protocol = option(fd, SOL_SOCKET, SO_PROTOCOL);

	sock->type = option(fd, SOL_SOCKET, SO_TYPE);
	if (domain == AF_UNIX)
		sock->protocol = SOCK_UNIX;
	else if (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP)
		sock->protocol = protocol == IPPROTO_TCP ? SOCK_TCP : SOCK_UDP;
	else
		return;
	sock->state = option(fd, SOL_SOCKET, SO_ACCEPTCONN) == 1 ? SOCK_LISTEN :
	    is_connected(fd) ? SOCK_ESTABLISHED :
			       SOCK_CLOSE;
	ask_addresses(sock, fd);
	if (sock->protocol == SOCK_TCP)
		ask_tcp(sock, fd);
	sock->inode = d->inode;
	d->asked_copy = true;
	d->kind = sock->protocol == SOCK_TCP ? KIND_TCP :
	    sock->protocol == SOCK_UDP	     ? KIND_UDP :
					       KIND_UNIX;
}

/* What FD, a copy that may be asked, says. */
static void
ask(struct descriptor *d, int fd)
{
	int64_t unread;

	if (d->kind == KIND_SOCKET)
		ask_socket(d, fd);
	poll_copy(d, fd);
	if ((unread = kernel_unread(fd)) >= 0)
		d->unread = unread;
	if (d->kind == KIND_PIPE || d->kind == KIND_FIFO)
		d->capacity = fcntl(fd, F_GETPIPE_SZ);
	if (d->kind == KIND_TERMINAL)
		ask_terminal(d, fd);
}

/* The number may be another file since its link was read. */
static bool
is_same(const struct descriptor *d, int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_ino == d->inode;
}

int
copy_borrow(struct source *source, const struct descriptor *d)
{
	int process;

	if (!source->live)
		return -ENOSYS;
	if (d->pid == source->self)
		return fcntl(d->number, F_GETFD) == -1 ? -errno : d->number;
	process = source_process(source, d->pid);
	return process < 0 ? process : process_descriptor(process, d->number);
}

void
copy_return(const struct source *source, const struct descriptor *d, int copy)
{
	if (copy >= 0 && (copy != d->number || d->pid != source->self))
		(void)close(copy);
}

static struct foreign
as_foreign(struct source *source, const struct descriptor *d)
{
	return (struct foreign){ .process = source_process(source, d->pid),
		.pid = d->pid,
		.number = d->number };
}

/* A file of proc(5): without a poll function it is always ready. */
static void
ask_file(struct source *source, struct descriptor *d, int fd)
{
	struct foreign f = as_foreign(source, d);
	const char *why;
	int error = foreign_objection(&f, fd, &why);

	if (error != 0)
		unknown(d, FACT_READY, errno_name(-error));
	else if (why != NULL)
		unknown(d, FACT_READY, why);
	else
		d->ready = POLLIN | POLLOUT;
}

/*
 * An entry that is no pipe and no socket is compared with its number by kcmp(2),
 * for which the kernel walks through the entries: of an instance with more
 * entries than this only that many are.
 */
#define COMPARED 1000

/* Why FD, an epoll instance, cannot be polled: as foreign_objection. */
static int
instance_objection(const struct fdinfo *info, int fd, const struct foreign *f,
    const char **why)
{
	struct kind_devices devices;
	int error = kind_devices(&devices);
	size_t compared = 0;

	*why = NULL;
	for (size_t i = 0; error == 0 && *why == NULL && i < info->entry_count;
	     i++) {
		const struct fdinfo_entry *e = &info->entries[i];

		if (e->device == devices.pipes || e->device == devices.sockets)
			continue;
		if (compared++ >= COMPARED && info->entry_count > COMPARED)
			*why = "an epoll instance with too many registrations"
			       " to be compared";
		else
			error = foreign_entry_objection(f, fd, e->number,
			    e->inode, e->device, why);
	}
	return error;
}

/*
 * Find in *OWN what FD has now, where that is not known to be what D has: 1 if D
 * has it; 0; or -errno.  D's number was read after the copy was made, so it is
 * the same unless the number is another instance now, all of which share one
 * inode.
 */
static int
read_own(struct source *source, const struct descriptor *d, int fd,
    struct fdinfo *own)
{
	int same = process_same(d->pid, d->number, source->self, fd);
	char path[SOURCE_PATH], *text;
	ssize_t n;

	*own = (struct fdinfo){ .entries = NULL };
	if (same == 0)
		return -EAGAIN;
	if (same == 1 && d->unknown[FACT_ACCESS] == NULL)
		return 1;
	(void)snprintf(path, sizeof path, "self/fdinfo/%d", fd);
	n = source_read(source, &text, path);
	return n < 0 ? (int)n : fdinfo_parse(text, (size_t)n, own);
}

/*
 * Each entry is polled, so all must have been judged, which none is that was
 * added before the copy was made but after its entries were read.  No call does
 * both, so one that is added between the reading and the poll is polled still.
 */
static int
ask_instance(struct source *source, struct descriptor *d, int fd)
{
	struct foreign f = as_foreign(source, d);
	struct fdinfo own;
	const char *why = NULL;
	int error = is_same(d, fd) ? read_own(source, d, fd, &own) : -EAGAIN;

	if (error == -EAGAIN)
		return error;
	if (error == 0 || error == 1)
		error = instance_objection(error == 1 ? &d->info : &own, fd, &f,
		    &why);
	fdinfo_free(&own);
	if (error != 0)
		unknown(d, FACT_READY, errno_name(-error));
	else if (why != NULL)
		unknown(d, FACT_READY, why);
	else
		poll_copy(d, fd);
	return 0;
}

static int
ask_by(struct source *source, struct descriptor *d,
    void (*question)(struct source *source, struct descriptor *d, int fd))
{
	int fd = copy_borrow(source, d), error = 0;

	if (fd < 0)
		return fd;
	if (is_same(d, fd))
		question(source, d, fd);
	else
		error = -EAGAIN;
	copy_return(source, d, fd);
	return error;
}

int
copy_poll(struct source *source, pid_t pid, int number, uint64_t inode,
    unsigned events, unsigned *ready)
{
	struct descriptor d = { .pid = pid, .number = number, .inode = inode };
	struct pollfd p = { copy_borrow(source, &d), (short)events, 0 };
	int error = 0;

	if (p.fd < 0)
		return p.fd;
	if (!is_same(&d, p.fd))
		error = -EAGAIN;
	else if (poll(&p, 1, 0) == -1)
		error = -errno;
	*ready = (unsigned)p.revents & 0xffff;
	copy_return(source, &d, p.fd);
	return error;
}

/*
 * What has no count of bytes gets none.  Without input nothing is unread; the
 * write end of a pipe counts what is in it.
 */
static void
sample(struct source *source, struct descriptor *d, int fd)
{
	(void)source;
	poll_copy(d, fd);
	if (d->unread >= 0)
		d->unread = (d->ready & POLLIN) != 0 || !d->readable ?
		    kernel_unread(fd) :
		    0;
}

int
copy_sample(struct source *source, struct descriptor *d)
{
	return ask_by(source, d, sample);
}

static void
ask_plain(struct source *source, struct descriptor *d, int fd)
{
	(void)source;
	ask(d, fd);
}

static bool
is_on_kernel_mount(struct source *source, const struct descriptor *d)
{
	enum mount_kind kind;

	return mounts_kind(source, d->pid, d->info.mount, &kind) == 0 &&
	    kind == MOUNT_KERNEL;
}

/* Ask D as its kind permits. */
static int
ask_kind(struct source *source, struct descriptor *d, int copy)
{
	switch (kind_polling(d->kind)) {
	case POLLING_HARMLESS:
		return ask_by(source, d, ask_plain);
	case POLLING_NESTED:
		return copy < 0 ? copy : ask_instance(source, d, copy);
	case POLLING_ALWAYS_READY:
		/* closing a copy of any other file may ask a daemon (FUSE) */
		if (d->kind == KIND_FILE && is_on_kernel_mount(source, d))
			return ask_by(source, d, ask_file);
		return -EOPNOTSUPP;
	default:
		return -EOPNOTSUPP;
	}
}

static const char *
why_not_asked(const struct descriptor *d)
{
	switch (d->kind) {
	case KIND_DEVICE:
		return "a device other than a terminal, which polling may"
		       " affect";
	case KIND_FILE:
		return "a file whose poll function may affect its owner";
	default:
		return "polling it would answer for pmux instead, or affect"
		       " its owner";
	}
}

/*
 * Of a socket that nothing else is known of: the protocol (Linux 2.6.37,
 * net/socket.c, sockfs_xattr_get: "TCP", "TCPv6", "UNIX-STREAM").
 */
static void
name_protocol(const struct source *source, struct descriptor *d)
{
	char path[SOURCE_PATH], name[32];
	ssize_t n;

	(void)snprintf(path, sizeof path, "/proc/%ld/fd/%d", (long)d->pid,
	    d->number);
	if (!source->live ||
	    (n = getxattr(path, "system.sockprotoname", name,
		 sizeof name - 1)) <= 0)
		return;
	name[n] = '\0';
	if (strncmp(name, "TCP", 3) == 0)
		d->kind = KIND_TCP;
	else if (strncmp(name, "UNIX", 4) == 0)
		d->kind = KIND_UNIX;
	else if (strcmp(name, "UDP") == 0 || strcmp(name, "UDPv6") == 0)
		d->kind = KIND_UDP;
}

int
copy_ask(struct source *source, struct descriptor *d, int copy)
{
	int error = ask_kind(source, d, copy);
	const char *why;

	if (error == -EOPNOTSUPP) {
		unknown(d, FACT_READY, why_not_asked(d));
		return 0;
	}
	if (error == 0 || error == -EAGAIN || error == -EBADF ||
	    error == -ESRCH)
		return error;
	why = source->live ? errno_name(-error) :
			     "no process of this system is asked";
	unknown(d, FACT_READY, why);
	switch (d->kind) {
	case KIND_PIPE:
	case KIND_FIFO:
		unknown(d, FACT_CAPACITY, why);
		unknown(d, FACT_UNREAD, why);
		break;
	case KIND_TERMINAL:
		unknown(d, FACT_STATE, why);
		unknown(d, FACT_UNREAD, why);
		break;
	case KIND_INOTIFY:
	case KIND_UDP:
		unknown(d, FACT_UNREAD, why);
		break;
	case KIND_SOCKET:
		unknown(d, FACT_STATE, why);
		unknown(d, FACT_UNREAD, why);
		name_protocol(source, d);
		break;
	default:
		break;
	}
	return 0;
}

#else

int
copy_borrow(struct source *source, const struct descriptor *d)
{
	(void)source;
	(void)d;
	return -ENOSYS;
}

void
copy_return(const struct source *source, const struct descriptor *d, int copy)
{
	(void)source;
	(void)d;
	(void)copy;
}

int
copy_sample(struct source *source, struct descriptor *d)
{
	(void)source;
	(void)d;
	return -ENOSYS;
}

int
copy_poll(struct source *source, pid_t pid, int number, uint64_t inode,
    unsigned events, unsigned *ready)
{
	(void)source;
	(void)pid;
	(void)number;
	(void)inode;
	(void)events;
	(void)ready;
	return -ENOSYS;
}

int
copy_ask(struct source *source, struct descriptor *d, int copy)
{
	(void)source;
	(void)copy;
	for (int fact = FACT_READY; fact <= FACT_STATE; fact++)
		d->unknown[fact] = errno_name(ENOSYS);
	return 0;
}

#endif
