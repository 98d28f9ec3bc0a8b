/* SPDX-License-Identifier: ISC */
/*
 * poll.c - poll(2), with ppoll(2)'s nanoseconds where it is there.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "backend/pollflags.h"
#include "sys/timeout.h"

/* Up to 16 targets, and one entry for the output, need no allocation. */
#define FEW 17

struct backend_state {
	struct pollfd *fds; /* by token; fd -1: none */
	size_t capacity;
	size_t count; /* one past the highest token */
	size_t cursor; /* where next continues */
	int left; /* events of the last wait not returned yet */
	int device; /* see poll_device */
	struct pollfd few[FEW];
};

static int
poll_probe(const char **detail)
{
#ifndef ENABLE_POLL
	*detail = BACKEND_LEFT_OUT;
	return -ENOSYS;
#else
#ifdef HAVE_PPOLL
	*detail = "ppoll(2), timeouts in nanoseconds";
#else
	*detail = "poll(2), timeouts in milliseconds";
#endif
	return BACKEND_NATIVE;
#endif
}

static int
reserve(struct backend_state *state, size_t capacity)
{
	struct pollfd *fds;

	if (capacity <= state->capacity)
		return 0;
	if (capacity > SIZE_MAX / sizeof *fds)
		return -ENOMEM;
	fds = realloc(state->fds == state->few ? NULL : state->fds,
	    capacity * sizeof *fds);
	if (fds == NULL)
		return -ENOMEM;
	if (state->fds == state->few)
		memcpy(fds, state->few, sizeof state->few);
	state->fds = fds;
	state->capacity = capacity;
	return 0;
}

static void
poll_close(struct backend_state *state)
{
	if (state == NULL)
		return;
	if (state->fds != state->few)
		free(state->fds);
	backend_free(state);
}

int *
poll_device(struct backend_state *state)
{
	return &state->device;
}

static int
poll_open(struct backend_state **state, size_t capacity)
{
	struct backend_state *s = backend_alloc(sizeof *s);

	if (s == NULL)
		return -ENOMEM;
	s->fds = s->few;
	s->capacity = FEW;
	s->device = -1;
	if (reserve(s, capacity) != 0) {
		poll_close(s);
		return -ENOMEM;
	}
	*state = s;
	return 0;
}

static int
poll_add(struct backend_state *state, uint32_t token, int fd, uint32_t bits)
{
	size_t wanted = (size_t)token + 1;

	if (wanted > state->capacity &&
	    reserve(state, wanted + wanted / 2) != 0)
		return -ENOMEM;
	for (; state->count < wanted; state->count++)
		state->fds[state->count].fd = -1;
	state->fds[token].fd = fd;
	state->fds[token].events = (short)bits;
	state->fds[token].revents = 0;
	return 0;
}

static int
poll_modify(struct backend_state *state, uint32_t token, int fd, uint32_t bits)
{
	return poll_add(state, token, fd, bits);
}

static int
poll_remove(struct backend_state *state, uint32_t token, int fd)
{
	(void)fd;
	if (token >= state->count || state->fds[token].fd == -1)
		return -ENOENT;
	/* POSIX: a negative fd is ignored and its revents are set to 0 */
	state->fds[token].fd = -1;
	while (state->count > 0 && state->fds[state->count - 1].fd == -1)
		state->count--;
	return 0;
}

static int
poll_wait(struct backend_state *state, size_t max, int64_t timeout)
{
	int n = timeout_poll(state->fds, (nfds_t)state->count, timeout);

	(void)max;
	state->cursor = 0;
	state->left = n < 0 ? 0 : n;
	return n;
}

static int
poll_next(struct backend_state *state, struct event *event)
{
	const struct pollfd *p;

	while (state->left > 0 && state->cursor < state->count) {
		p = &state->fds[state->cursor++];
		if (p->revents == 0)
			continue;
		state->left--;
		*event = (struct event){
			.token = (uint32_t)(state->cursor - 1),
			.bits = (unsigned short)p->revents,
		};
		return 1;
	}
	return 0;
}

const struct backend backend_poll = {
	.name = "poll",
	.flags = poll_flags,
	.wide = POLL_WIDE,
	.limit = POLL_LIMIT,
	.mask_read = POLL_READING,
	.mask_write = POLL_WRITING,
	.mask_broken = POLL_BROKEN,
	.mask_closed = POLLNVAL,
	.mask_watch = POLL_WATCH,
	.probe = poll_probe,
	.open = poll_open,
	.add = poll_add,
	.modify = poll_modify,
	.remove = poll_remove,
	.wait = poll_wait,
	.next = poll_next,
	.close = poll_close,
};

const struct flag poll_flags[] = { { "in", POLLIN }, { "pri", POLLPRI },
#if POLLWRNORM == POLLOUT
	{ "wrnorm", POLL_WRNORM },
#endif
	{ "out", POLLOUT }, { "err", POLLERR }, { "hup", POLLHUP },
	{ "nval", POLLNVAL }, { "rdhup", POLLRDHUP }, { "rdnorm", POLLRDNORM },
	{ "rdband", POLLRDBAND },
#if POLLWRNORM != POLLOUT
	{ "wrnorm", POLL_WRNORM },
#endif
	{ "wrband", POLLWRBAND }, { "msg", POLLMSG }, { "", 0 } };
