/* SPDX-License-Identifier: ISC */
/*
 * kqueue_poll.c - the events of poll(2), and kevent(2) to report when: for a
 * stream of them where there is no epoll(7).
 *
 * A kevent only reports that something changed; poll(2) then returns the
 * events.
 */
#include "config.h"

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "backend/backend.h"
#include "backend/kqueue.h"
#include "backend/pollflags.h"

#if defined(ENABLE_KQUEUE)

/* A bit that struct pollfd cannot hold: changes only. */
#define EDGE (POLL_LIMIT + 1)

/* Events that kevent(2) does not report (EVFILT_EXCEPT is not everywhere). */
#define UNREPORTED (POLLPRI | POLLRDBAND | POLLMSG)

/* Each token has two kevents, 2 * token to read and the next to write. */
struct member {
	uint32_t bits;
	int fd;
	uint32_t reported; /* in which wait */
	bool fifo;
	bool added[2];
};

struct backend_state {
	struct backend_state *queue; /* backend_kqueue's */
	struct kevent_request *requests; /* two for each member */
	struct member *members;
	size_t capacity;
	uint32_t wait; /* number of the last one */
};

static int
kqueue_poll_probe(const char **detail)
{
	return backend_kqueue.probe(detail);
}

static void
kqueue_poll_close(struct backend_state *state)
{
	if (state == NULL)
		return;
	backend_kqueue.close(state->queue);
	free(state->requests);
	free(state->members);
	free(state);
}

static int
kqueue_poll_open(struct backend_state **state, size_t capacity)
{
	struct backend_state *s = calloc(1, sizeof *s);
	const struct flag *add = kqueue_flags;
	int error = -ENOMEM;

	if (s == NULL)
		return error;
	s->capacity = capacity;
	s->requests = calloc(2 * capacity + 1, sizeof *s->requests);
	s->members = calloc(capacity + 1, sizeof *s->members);
	if (s->requests != NULL && s->members != NULL)
		error = backend_kqueue.open(&s->queue, capacity);
	if (error != 0) {
		kqueue_poll_close(s);
		return error;
	}
	/* kqueue_flags begins with EV_ADD */
	for (size_t i = 0; i < 2 * capacity; i++) {
		s->requests[i].filter = i % 2 == 0 ? KQUEUE_READ : KQUEUE_WRITE;
		s->requests[i].flags = add->bit;
	}
	backend_kqueue.requests(s->queue, s->requests, 2 * capacity, false);
	*state = s;
	return 0;
}

static int
kqueue_poll_remove(struct backend_state *state, uint32_t token, int fd)
{
	struct member *member = &state->members[token];

	if (token >= state->capacity)
		return -ENOENT;
	for (uint32_t i = 0; i < 2; i++)
		if (member->added[i]) {
			member->added[i] = false;
			(void)backend_kqueue.remove(state->queue, 2 * token + i,
			    fd);
		}
	return 0;
}

/*
 * A target without events is watched for its end, as a reader and as a writer:
 * for changes only, since it may be ready all the time.  -EPERM as epoll_ctl(2):
 * for files that are always ready and so never change, and for events that
 * kevent(2) does not report.
 */
static int
kqueue_poll_add(struct backend_state *state, uint32_t token, int fd,
    uint32_t bits)
{
	bool none = (bits & (POLL_READING | POLL_WRITING)) == 0;
	struct member *member = &state->members[token];
	struct stat st;
	int errors[2] = { 0, 0 };

	if ((size_t)token >= state->capacity)
		return -ENOMEM;
	if (fstat(fd, &st) == -1)
		return -errno;
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) ||
	    (bits & UNREPORTED) != 0)
		return -EPERM;
	member->bits = bits & POLL_LIMIT;
	member->fd = fd;
	member->fifo = S_ISFIFO(st.st_mode);
	for (uint32_t i = 0; i < 2; i++) {
		bool asked = (bits & (i == 0 ? POLL_READING : POLL_WRITING)) !=
		    0;
		/* only EVFILT_READ reports the end of a full pipe on NetBSD */
		bool ends = none || (i == 0 && member->fifo);

		if (!asked && !ends)
			continue;
		errors[i] = backend_kqueue.add(state->queue, 2 * token + i, fd,
		    !asked || (bits & EDGE) != 0 ? KQUEUE_CLEAR : 0);
		member->added[i] = errors[i] == 0;
	}
	if (member->added[0] || member->added[1])
		return 0;
	return errors[0] != 0 ? errors[0] : errors[1];
}

static int
kqueue_poll_wait(struct backend_state *state, size_t max, int64_t timeout)
{
	state->wait++;
	return backend_kqueue.wait(state->queue, max, timeout);
}

static int
kqueue_poll_next(struct backend_state *state, struct event *event)
{
	struct member *member;
	struct pollfd p;

	while (backend_kqueue.next(state->queue, event)) {
		bool reads = event->token % 2 == 0;

		event->token /= 2;
		member = &state->members[event->token];
		if (member->reported == state->wait)
			continue;
		p = (struct pollfd){ member->fd, (short)member->bits, 0 };
		(void)poll(&p, 1, 0);
		/*
		 * NetBSD 9.1: poll(2) of a FIFO never reports it, and
		 * EVFILT_WRITE there has EV_EOF while its reader is there.
		 */
		if (member->fifo && reads && (event->bits & KQUEUE_EOF) != 0)
			p.revents |= POLLHUP;
		if (p.revents == 0)
			continue;
		member->reported = state->wait;
		*event = (struct event){
			.token = event->token,
			.bits = (unsigned short)p.revents,
		};
		return 1;
	}
	return 0;
}

const struct backend backend_kqueue_poll = {
	.name = "kqueue",
	.flags = poll_flags,
	.wide = POLL_WIDE,
	.limit = POLL_LIMIT,
	.mask_read = POLL_READING & ~UNREPORTED,
	.mask_write = POLL_WRITING,
	.mask_broken = POLL_BROKEN,
	.mask_closed = POLLNVAL,
	.mask_watch = 0,
	.flag_edge = EDGE,
	.probe = kqueue_poll_probe,
	.open = kqueue_poll_open,
	.add = kqueue_poll_add,
	.remove = kqueue_poll_remove,
	.wait = kqueue_poll_wait,
	.next = kqueue_poll_next,
	.close = kqueue_poll_close,
};

#else

static int
kqueue_poll_probe(const char **detail)
{
	*detail = BACKEND_LEFT_OUT;
	return -ENOSYS;
}

const struct backend backend_kqueue_poll = {
	.name = "kqueue",
	.probe = kqueue_poll_probe,
};

#endif
