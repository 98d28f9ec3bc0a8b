/* SPDX-License-Identifier: ISC */
#include "knote.h"

#include <sys/epoll.h>
#include <sys/ioctl.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>

#include "descriptor.h"
#include "member.h"
#include "socket.h"

/* Bytes that the pipe can take, or -errno. */
static int64_t
pipe_room(int fd)
{
	int size = fcntl(fd, F_GETPIPE_SZ), bytes;

	if (size == -1 || ioctl(fd, FIONREAD, &bytes) == -1)
		return -errno;
	return size > bytes ? size - bytes : 0;
}

static int
write_judge_pipe(struct knote *k, uint32_t r, enum kind kind)
{
	if ((k->fflags & NOTE_NODATA) == 0)
		k->event.data = pipe_room((int)k->event.ident);
	if (k->event.data < 0)
		return (int)k->event.data;
	if ((r & EPOLLERR) != 0) {
		k->event.flags |= EV_EOF;
		/* only a FIFO can get a reader again */
		if (kind == KIND_PIPE)
			k->event.flags |= EV_ONESHOT;
		return 1;
	}
	return (r & EPOLLOUT) != 0;
}

/*
 * Linux reports EPOLLHUP also for a stream that was never connected.  Returns 1
 * if FD is such a stream, 0 if not, or -errno.
 */
static int
never_connected(int fd)
{
	short revents;
	int error = poll_now(fd, POLLRDHUP, &revents);

	return error != 0 ? error : revents != 0 && (revents & POLLRDHUP) == 0;
}

static int
write_judge_socket(struct knote *k, uint32_t r, enum kind kind)
{
	int fd = (int)k->event.ident, never;

	if ((k->fflags & NOTE_NODATA) == 0 || (k->fflags & NOTE_LOWAT) != 0)
		k->event.data = socket_room(fd);
	never = (r & EPOLLHUP) != 0 ? never_connected(fd) : 0;
	if (never != 0)
		return never < 0 ? never : 0;
	if ((r & EPOLLHUP) != 0 || socket_is_shut(fd, kind)) {
		k->event.flags |= EV_EOF;
		if ((r & EPOLLERR) != 0)
			k->event.fflags = (unsigned)socket_error(fd, kind);
		return 1;
	}
	if ((r & EPOLLERR) != 0)
		return 1;
	if ((k->fflags & NOTE_LOWAT) != 0)
		return k->event.data >= k->data;
	return 1;
}

static int
write_judge(struct knote *k, uint32_t r)
{
	int kind;

	if ((r & (EPOLLOUT | EPOLLHUP | EPOLLERR)) == 0)
		return 0;
	kind = descriptor_kind(k);
	if (kind < 0)
		return kind;
	switch (kind) {
	case KIND_PIPE:
	case KIND_FIFO:
		return write_judge_pipe(k, r, (enum kind)kind);
	case KIND_TCP:
	case KIND_LOCAL_STREAM:
	case KIND_SOCKET:
		return write_judge_socket(k, r, (enum kind)kind);
	default:
		/* no call returns the room of a terminal; it is at least 1 */
		k->event.data = 1;
		if ((r & EPOLLHUP) != 0)
			k->event.flags |= EV_EOF;
		return 1;
	}
}

static int
write_event(struct knote *k)
{
	return descriptor_event(k, write_judge);
}

const struct filter filter_write = {
	.number = EVFILT_WRITE,
	.descriptor = true,
	.attach = descriptor_attach,
	.same = descriptor_same,
	.detach = descriptor_detach,
	.event = write_event,
	.disarm = descriptor_disarm,
	.arm = descriptor_arm,
};
