/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/pmux.h"
#include "sys/fdplace.h"
#include "sys/read.h"

static ssize_t
result(ssize_t n)
{
	if (n >= 0)
		return n;
	return errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

#if defined(HAVE_TEE) || defined(HAVE_PREADV2)
/*
 * Whether ERROR means that the system does not have this call, or not for FD: a
 * sandbox fails with EPERM for calls that it does not know.
 */
static bool
is_denied(int error)
{
	return error == EOPNOTSUPP || error == ENOSYS || error == EPERM ||
	    error == EINVAL;
}
#endif

/* Which of EVENTS, hup and err are so now; or -errno. */
static int
poll_now(int fd, short events)
{
	struct pollfd p = { fd, events, 0 };
	int n = poll(&p, 1, 0);

	return n == -1 ? -errno : n == 1 ? p.revents : 0;
}

/* The same: whether one of EVENTS is so. */
static int
poll_for(int fd, short events)
{
	int found = poll_now(fd, events);

	return found < 0 ? found : (found & events) != 0;
}

static int
socket_kind(int fd)
{
	socklen_t length = sizeof(int);
	int type;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == -1)
		return -errno;
	if (type == SOCK_STREAM)
		return READ_STREAM;
	return type == SOCK_SEQPACKET ? READ_PACKETS : READ_DATAGRAMS;
}

static int
kind_of(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return -errno;
	if (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode))
		return READ_FILE;
	if (S_ISFIFO(st.st_mode))
		return READ_PIPE;
	if (S_ISSOCK(st.st_mode))
		return socket_kind(fd);
	return S_ISCHR(st.st_mode) ? READ_DEVICE : READ_OTHER;
}

int
read_how(int fd, bool own, struct reader *how)
{
	int kind = kind_of(fd);

	if (kind < 0)
		return kind;
	how->kind = (uint8_t)kind;
	how->own = own;
	return 0;
}

static ssize_t
read_message(int fd, char *buffer, size_t size, int flags)
{
	struct iovec piece = { buffer, size };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };
	ssize_t n = recvmsg(fd, &message, flags | MSG_DONTWAIT);

	if (n >= 0 && (message.msg_flags & MSG_TRUNC) != 0)
		return -EMSGSIZE;
	return result(n);
}

/* Between the two calls another process may read the bytes. */
static ssize_t
poll_and_read(int fd, char *buffer, size_t size)
{
	int found = poll_now(fd, POLLIN);

	if (found <= 0)
		return found < 0 ? found : -EAGAIN;
	return result(read(fd, buffer, size));
}

void
read_begin(struct scratch *scratch)
{
	scratch->ends[0] = scratch->ends[1] = -1;
}

void
read_end(struct scratch *scratch)
{
	for (int i = 0; i < 2; i++) {
		if (scratch->ends[i] >= 0)
			(void)close(scratch->ends[i]);
		scratch->ends[i] = -1;
	}
}

#if defined(__linux__) && defined(HAVE_TEE)

static int
open_scratch(void)
{
	struct scratch *scratch = pmux->scratch;
	int ends[2];

	if (scratch->ends[1] >= 0)
		return 0;
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) == -1)
		return -errno;
	scratch->ends[0] = fdplace(ends[0]);
	scratch->ends[1] = fdplace(ends[1]);
	if (scratch->ends[0] >= 0 && scratch->ends[1] >= 0) {
		scratch->size = fcntl(scratch->ends[1], F_GETPIPE_SZ);
		return 0;
	}
	read_end(scratch);
	return -EMFILE;
}

/* The LENGTH bytes that are in it.  Returns how many, or -errno. */
static ssize_t
empty_scratch(char *buffer, size_t length)
{
	struct scratch *scratch = pmux->scratch;
	size_t done = 0;
	ssize_t n;
	int error;

	while (done < length) {
		n = read(scratch->ends[0], buffer + done, length - done);
		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR) {
			error = n == 0 ? EIO : errno;
			/* the bytes left must not precede the next read's */
			read_end(scratch);
			return -error;
		}
	}
	return (ssize_t)done;
}

/*
 * FIFOs, unlike pipe(2) since Linux 6.4, refuse RWF_NOWAIT; splice(2) knows
 * how not to wait.
 */
static ssize_t
read_by_splice(int fd, char *buffer, size_t size)
{
	struct scratch *scratch = pmux->scratch;
	ssize_t n;

	if (open_scratch() != 0)
		return poll_and_read(fd, buffer, size);
	n = splice(fd, NULL, scratch->ends[1], NULL, size, SPLICE_F_NONBLOCK);
	if (n == -1 && is_denied(errno))
		return poll_and_read(fd, buffer, size);
	if (n <= 0)
		return result(n);
	n = empty_scratch(buffer, (size_t)n);
	/* it has been taken: to try again does not bring it back */
	return n == -EAGAIN ? -EIO : n;
}

/* preadv2(2) of Linux 4.14; musl has it since 1.2.5. */
static ssize_t
read_nowait(int fd, char *buffer, size_t size)
{
#if defined(HAVE_PREADV2) && defined(RWF_NOWAIT)
	struct iovec piece = { buffer, size };

	return preadv2(fd, &piece, 1, -1, RWF_NOWAIT);
#else
	(void)fd;
	(void)buffer;
	(void)size;
	errno = ENOSYS;
	return -1;
#endif
}

static ssize_t
read_pipe(int fd, struct reader *how, char *buffer, size_t size)
{
	ssize_t n;

	if (how->kind == READ_PIPE) {
		n = read_nowait(fd, buffer, size);
		if (n != -1 || !is_denied(errno))
			return result(n);
		how->kind = READ_FIFO;
	}
	return read_by_splice(fd, buffer, size);
}

/* With as many slots as FD has, the copy is full when FD is. */
static int
fit_scratch(int fd)
{
	struct scratch *scratch = pmux->scratch;

	scratch->peeked_size = fcntl(fd, F_GETPIPE_SZ);
	if (scratch->peeked_size == -1)
		return is_denied(errno) ? -EOPNOTSUPP : -errno;
	if (open_scratch() != 0)
		return -EOPNOTSUPP;
	if (scratch->peeked_size != scratch->size &&
	    fcntl(scratch->ends[1], F_SETPIPE_SZ, scratch->peeked_size) >= 0)
		scratch->size = scratch->peeked_size;
	return 0;
}

static ssize_t
peek_pipe(int fd, char *buffer, size_t size)
{
	struct scratch *scratch = pmux->scratch;
	int error = fit_scratch(fd), room;
	ssize_t n;

	if (error != 0)
		return error;
	n = tee(fd, scratch->ends[1], size, SPLICE_F_NONBLOCK);
	if (n == -1 && is_denied(errno))
		return -EOPNOTSUPP;
	if (n <= 0)
		return result(n);
	room = poll_for(scratch->ends[1], POLLOUT);
	scratch->peeked_full = scratch->peeked_size != scratch->size ||
	    room == 0;
	n = empty_scratch(buffer, (size_t)n);
	return n > 0 && room < 0 ? room : n;
}

static bool
is_full(size_t length)
{
	struct scratch *scratch = pmux->scratch;

	/* PIPE_BUF bytes are written together or not at all (pipe(7)) */
	return scratch->peeked_full ||
	    length + PIPE_BUF > (size_t)scratch->peeked_size;
}

#else

static ssize_t
read_pipe(int fd, struct reader *how, char *buffer, size_t size)
{
	(void)how;
	return poll_and_read(fd, buffer, size);
}

static ssize_t
peek_pipe(int fd, char *buffer, size_t size)
{
	(void)fd;
	(void)buffer;
	(void)size;
	return -EOPNOTSUPP;
}

static bool
is_full(size_t length)
{
	(void)length;
	return true;
}

#endif

ssize_t
read_now(int fd, struct reader *how, char *buffer, size_t size)
{
	switch (how->kind) {
	case READ_FILE:
		return result(read(fd, buffer, size));
	case READ_STREAM:
		return result(recv(fd, buffer, size, MSG_DONTWAIT));
	case READ_DATAGRAMS:
	case READ_PACKETS:
		return read_message(fd, buffer, size, 0);
	default:
		break;
	}
	if (how->own)
		return result(read(fd, buffer, size));
	if (how->kind == READ_PIPE || how->kind == READ_FIFO)
		return read_pipe(fd, how, buffer, size);
	return poll_and_read(fd, buffer, size);
}

ssize_t
read_peek(int fd, const struct reader *how, char *buffer, size_t size)
{
	off_t offset;

	switch (how->kind) {
	case READ_FILE:
		offset = lseek(fd, 0, SEEK_CUR);
		if (offset == -1)
			return errno == ESPIPE ? -EOPNOTSUPP : -errno;
		return result(pread(fd, buffer, size, offset));
	case READ_STREAM:
		return result(recv(fd, buffer, size, MSG_PEEK | MSG_DONTWAIT));
	case READ_DATAGRAMS:
	case READ_PACKETS:
		return read_message(fd, buffer, size, MSG_PEEK);
	case READ_PIPE:
	case READ_FIFO:
		return peek_pipe(fd, buffer, size);
	default:
		return -EOPNOTSUPP;
	}
}

static int
ends_file(int fd, size_t length)
{
	off_t offset = lseek(fd, 0, SEEK_CUR);
	struct stat st;

	if (offset == -1 || fstat(fd, &st) == -1)
		return -errno;
	return !S_ISREG(st.st_mode) || st.st_size - offset <= (off_t)length;
}

int
read_is_last(int fd, const struct reader *how, size_t length)
{
	switch (how->kind) {
	case READ_FILE:
		return ends_file(fd, length);
#ifdef POLLRDHUP
	case READ_STREAM:
		return poll_for(fd, POLLRDHUP | POLLHUP);
#endif
	case READ_PIPE:
	case READ_FIFO:
		return poll_for(fd, POLLHUP);
	default:
		return false;
	}
}

bool
read_is_full(const struct reader *how, size_t length)
{
	switch (how->kind) {
	case READ_PIPE:
	case READ_FIFO:
		return is_full(length);
#ifndef POLLRDHUP
	case READ_STREAM:
		/* the system does not report that a peer has shut down */
		return true;
#endif
	default:
		return false;
	}
}

int
read_skip(int fd, off_t length)
{
	return lseek(fd, length, SEEK_CUR) == -1 ? -errno : 0;
}

/* Returns -ESTALE if it is; 0 or another -errno. */
static int
check_shorter(int fd, off_t offset)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return -errno;
	return S_ISREG(st.st_mode) && st.st_size < offset ? -ESTALE : 0;
}

ssize_t
read_on(int fd, struct read_text *text, char *buffer, size_t size)
{
	off_t offset = lseek(fd, 0, SEEK_CUR);
	size_t length;
	ssize_t n;

	if (offset == -1)
		return -errno;
	/* another process has moved it */
	if (offset != text->offset)
		text->length = 0;
	length = text->length;
	n = pread(fd, buffer - length, length + size, offset - (off_t)length);
	if (n == -1)
		return -errno;
	if ((size_t)n < length ||
	    memcmp(buffer - length, text->last, length) != 0)
		return -ESTALE;
	return n == 0 ? check_shorter(fd, offset) : n - (ssize_t)length;
}

int
read_pass(int fd, struct read_text *text, const char *buffer, size_t length)
{
	size_t kept = text->length + length;
	off_t offset = lseek(fd, (off_t)length, SEEK_CUR);

	if (offset == -1)
		return -errno;
	if (kept > READ_LAST)
		kept = READ_LAST;
	memcpy(text->last, buffer + length - kept, kept);
	text->length = (uint32_t)kept;
	text->offset = offset;
	return 0;
}

int
read_from_start(int fd)
{
	return lseek(fd, 0, SEEK_SET) == -1 ? -errno : 0;
}

/* Pipes support it since Linux 6.4; other files refuse it. */
ssize_t
write_now(int fd, const char *bytes, size_t length)
{
#if defined(HAVE_PREADV2) && defined(RWF_NOWAIT)
	/* POSIX: the call only reads the buffer */
	struct iovec piece = { (void *)(uintptr_t)bytes, length };
	ssize_t n = pwritev2(fd, &piece, 1, -1, RWF_NOWAIT);

	return n == -1 && is_denied(errno) ? -EOPNOTSUPP : result(n);
#else
	(void)fd;
	(void)bytes;
	(void)length;
	return -EOPNOTSUPP;
#endif
}

bool
read_has_hung_up(int fd)
{
	return poll_for(fd, POLLHUP) == 1;
}
