/* SPDX-License-Identifier: ISC */
/*
 * devpoll.c - /dev/poll of Solaris and illumos; elsewhere an object that
 * behaves the same over poll(2).
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "backend/backend.h"
#include "backend/pollflags.h"
#include "sys/fdplace.h"
#include "sys/timeout.h"

#if defined(HAVE_SYS_DEVPOLL_H) && defined(ENABLE_DEVPOLL)

#include <sys/devpoll.h>
#include <sys/ioctl.h>

/*
 * The driver knows descriptors, not tokens: TOKENS maps a descriptor to its
 * token plus one.
 */
struct backend_state {
	int device;
	uint32_t *tokens;
	size_t capacity;
	struct pollfd *ready;
	size_t ready_capacity;
	int cursor;
	int count;
};

static int
devpoll_probe(const char **detail)
{
	if (access("/dev/poll", R_OK | W_OK) == -1) {
		*detail = "/dev/poll cannot be opened";
		return -ENOSYS;
	}
	*detail = "/dev/poll, timeouts in milliseconds";
	return BACKEND_NATIVE;
}

static int
devpoll_open(struct backend_state **state, size_t capacity)
{
	struct backend_state *s = calloc(1, sizeof *s);

	(void)capacity;
	if (s == NULL)
		return -ENOMEM;
	s->device = fdplace(open("/dev/poll", O_RDWR | O_CLOEXEC));
	if (s->device < 0) {
		int error = s->device;

		free(s);
		return error;
	}
	*state = s;
	return 0;
}

static int
change(struct backend_state *state, int fd, short events)
{
	struct pollfd p = { fd, events, 0 };
	ssize_t n = write(state->device, &p, sizeof p);

	return n == sizeof p ? 0 : n == -1 ? -errno : -EIO;
}

static int
remember(struct backend_state *state, int fd, uint32_t token)
{
	size_t wanted = (size_t)fd + 1, capacity = wanted + wanted / 2;
	uint32_t *tokens;

	if (wanted > state->capacity) {
		tokens = realloc(state->tokens, capacity * sizeof *tokens);
		if (tokens == NULL)
			return -ENOMEM;
		for (size_t i = state->capacity; i < capacity; i++)
			tokens[i] = 0;
		state->tokens = tokens;
		state->capacity = capacity;
	}
	state->tokens[fd] = token + 1;
	return 0;
}

static int
devpoll_add(struct backend_state *state, uint32_t token, int fd, uint32_t bits)
{
	int error = remember(state, fd, token);

	/* poll(7D): events written for a descriptor again are joined */
	if (error == 0)
		error = change(state, fd, POLLREMOVE);
	return error != 0 ? error : change(state, fd, (short)bits);
}

static int
devpoll_modify(struct backend_state *state, uint32_t token, int fd,
    uint32_t bits)
{
	return devpoll_add(state, token, fd, bits);
}

static int
devpoll_number(struct backend_state *state)
{
	return state->device;
}

static int
devpoll_remove(struct backend_state *state, uint32_t token, int fd)
{
	(void)token;
	return change(state, fd, POLLREMOVE);
}

static int
devpoll_wait(struct backend_state *state, size_t max, int64_t timeout)
{
	struct dvpoll request;
	int n;

	if (max > state->ready_capacity) {
		struct pollfd *ready = realloc(state->ready,
		    max * sizeof *ready);

		if (ready == NULL)
			return -ENOMEM;
		state->ready = ready;
		state->ready_capacity = max;
	}
	request.dp_fds = state->ready;
	request.dp_nfds = (nfds_t)max;
	request.dp_timeout = timeout_milliseconds(timeout);
	n = ioctl(state->device, DP_POLL, &request);
	state->cursor = 0;
	state->count = n == -1 ? 0 : n;
	return n == -1 ? -errno : n;
}

static int
devpoll_next(struct backend_state *state, struct event *event)
{
	const struct pollfd *p;

	if (state->cursor == state->count)
		return 0;
	p = &state->ready[state->cursor++];
	*event = (struct event){
		.token = state->tokens[p->fd] - 1,
		.bits = (unsigned short)p->revents,
	};
	return 1;
}

static void
devpoll_close(struct backend_state *state)
{
	if (state == NULL)
		return;
	(void)close(state->device);
	free(state->tokens);
	free(state->ready);
	free(state);
}

#else

static int
devpoll_probe(const char **detail)
{
#ifdef ENABLE_DEVPOLL
	*detail = "this system has no /dev/poll; over poll(2)";
	return BACKEND_EMULATED;
#else
	*detail = BACKEND_LEFT_OUT;
	return -ENOSYS;
#endif
}

static int
devpoll_open(struct backend_state **state, size_t capacity)
{
	return backend_poll.open(state, capacity);
}

static int
devpoll_add(struct backend_state *state, uint32_t token, int fd, uint32_t bits)
{
	return backend_poll.add(state, token, fd, bits);
}

static int
devpoll_modify(struct backend_state *state, uint32_t token, int fd,
    uint32_t bits)
{
	return backend_poll.add(state, token, fd, bits);
}

/* /dev/poll has a descriptor: make one that stands for it when it is used. */
static int
devpoll_number(struct backend_state *state)
{
	int *device = poll_device(state);

	if (*device < 0)
		*device = fdplace(open("/dev/null", O_RDWR | O_CLOEXEC));
	return *device;
}

static int
devpoll_remove(struct backend_state *state, uint32_t token, int fd)
{
	return backend_poll.remove(state, token, fd);
}

static int
devpoll_wait(struct backend_state *state, size_t max, int64_t timeout)
{
	return backend_poll.wait(state, max, timeout);
}

static int
devpoll_next(struct backend_state *state, struct event *event)
{
	return backend_poll.next(state, event);
}

static void
devpoll_close(struct backend_state *state)
{
	if (state != NULL && *poll_device(state) >= 0)
		(void)close(*poll_device(state));
	backend_poll.close(state);
}

#endif

const struct backend backend_devpoll = {
	.name = "devpoll",
	.flags = poll_flags,
	.wide = POLL_WIDE,
	.limit = POLL_LIMIT,
	.mask_read = POLL_READING,
	.mask_write = POLL_WRITING,
	.mask_broken = POLL_BROKEN,
	.mask_closed = POLLNVAL,
	.mask_watch = POLL_WATCH,
	.probe = devpoll_probe,
	.open = devpoll_open,
	.add = devpoll_add,
	.modify = devpoll_modify,
	.remove = devpoll_remove,
	.wait = devpoll_wait,
	.next = devpoll_next,
	.close = devpoll_close,
	.number = devpoll_number,
};
