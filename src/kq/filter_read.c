/* SPDX-License-Identifier: ISC */
#include "knote.h"

#include <sys/epoll.h>
#include <sys/ioctl.h>

#include <errno.h>

#include "collect.h"
#include "descriptor.h"
#include "queue.h"
#include "socket.h"

#define ENDED ((uint32_t)(EPOLLHUP | EPOLLRDHUP | EPOLLERR))

static int
at_end(struct knote *k)
{
	k->event.flags |= EV_EOF;
	return 1;
}

/* Pipes have no low-water mark. */
static int
read_judge_pipe(struct knote *k, uint32_t r, enum kind kind)
{
	/* a write end without readers: it cannot read the bytes */
	if ((r & EPOLLERR) != 0) {
		k->event.data = 0;
		return kind == KIND_PIPE ? at_end(k) : 0;
	}
	if ((r & EPOLLHUP) != 0)
		return at_end(k);
	return k->event.data > 0;
}

static int
read_judge_socket(struct knote *k, uint32_t r, enum kind kind)
{
	int fd = (int)k->event.ident, listens = 0;

	if (k->event.data == 0 && (r & EPOLLIN) != 0)
		listens = socket_listens(fd);
	if (listens < 0)
		return listens;
	if (listens != 0) {
		k->event.data = socket_backlog(fd, kind);
		return 1;
	}
	if ((r & EPOLLRDHUP) != 0) {
		if ((r & EPOLLERR) != 0)
			k->event.fflags = (unsigned)socket_error(fd, kind);
		return at_end(k);
	}
	/* Linux reports EPOLLHUP for a stream that was never connected */
	if ((r & EPOLLHUP) != 0)
		return 0;
	if ((r & EPOLLERR) != 0)
		return 1;
	if (k->event.data == 0 && kind == KIND_TCP)
		k->event.data = socket_bytes(fd);
	if ((k->fflags & NOTE_LOWAT) != 0)
		return k->event.data >= (k->data > 0 ? k->data : 1);
	return (r & EPOLLIN) != 0;
}

/*
 * With EV_CLEAR, a queue is reported again when it has more events than last
 * reported, or has returned events since.  Counting them may wake this queue
 * once more.
 */
static int
read_judge_queue(struct knote *k)
{
	struct queue *q = queue_at((int)k->event.ident);
	bool kicked;

	if (q == NULL)
		return -EBADF;
	kicked = q->kicked;
	k->event.data = collect_count(q);
	if ((k->event.flags & EV_CLEAR) == 0)
		return k->event.data > 0;
	k->queue->again |= q->kicked != kicked;
	return k->event.data > k->descriptor.count ||
	    (k->event.data > 0 && k->descriptor.served != q->served);
}

static void
read_clear(struct knote *k)
{
	const struct queue *q = NULL;

	if (k->inode == NULL && k->descriptor.kind == KIND_QUEUE)
		q = queue_at((int)k->event.ident);
	if (q != NULL) {
		k->descriptor.count = k->event.data;
		k->descriptor.served = q->served;
	}
	k->event.fflags = 0;
	k->event.data = 0;
}

/* Whether K may watch a queue; false if there is only one. */
static bool
may_be_queue(struct knote *k)
{
	return queue_next(queue_next(NULL)) != NULL &&
	    descriptor_kind(k) == KIND_QUEUE;
}

/*
 * Whether FIONREAD is expected to fail with ERROR: for a listening socket, one
 * of another family, a terminal after a hangup, and any descriptor that is not
 * a pipe, socket or terminal.
 */
static bool
is_countless(int kind, uint32_t r, int error)
{
	if ((r & EPOLLHUP) != 0 && kind == KIND_TERMINAL)
		return true;
	if (kind == KIND_TCP || kind == KIND_LOCAL_STREAM)
		return error == EINVAL;
	return kind == KIND_QUEUE || kind == KIND_OTHER ||
	    (kind == KIND_SOCKET && error != EIO && error != ENOMEM);
}

/* FIONREAD set errno to ERROR, or 0 and k->event.data. */
static int
read_judge_kind(struct knote *k, uint32_t r, int error)
{
	int kind;

	if (error == EBADF)
		return -error;
	kind = descriptor_kind(k);
	if (kind < 0)
		return kind;
	if (error != 0 && !is_countless(kind, r, error))
		return -error;
	switch (kind) {
	case KIND_PIPE:
	case KIND_FIFO:
		return read_judge_pipe(k, r, (enum kind)kind);
	case KIND_TCP:
	case KIND_LOCAL_STREAM:
	case KIND_SOCKET:
		return read_judge_socket(k, r, (enum kind)kind);
	case KIND_QUEUE:
		return read_judge_queue(k);
	default:
		if ((r & EPOLLHUP) != 0)
			return at_end(k);
		return 1;
	}
}

static int
read_judge(struct knote *k, uint32_t r)
{
	int bytes = 0;

	if ((r & (EPOLLIN | ENDED)) == 0)
		return 0;
	if ((r & ENDED) == 0 && (k->fflags & NOTE_NODATA) != 0 &&
	    (k->fflags & NOTE_LOWAT) == 0 && !may_be_queue(k))
		return 1;
	if (ioctl((int)k->event.ident, FIONREAD, &bytes) == -1)
		return read_judge_kind(k, r, errno);
	k->event.data = bytes;
	/* the most common case does not depend on the kind */
	if ((r & ENDED) == 0 && bytes > 0 && (k->fflags & NOTE_LOWAT) == 0)
		return 1;
	return read_judge_kind(k, r, 0);
}

static int
read_event(struct knote *k)
{
	return descriptor_event(k, read_judge);
}

const struct filter filter_read = {
	.number = EVFILT_READ,
	.descriptor = true,
	.attach = descriptor_attach,
	.same = descriptor_same,
	.detach = descriptor_detach,
	.event = read_event,
	.clear = read_clear,
	.disarm = descriptor_disarm,
	.arm = descriptor_arm,
};
