/* SPDX-License-Identifier: ISC */
/*
 * epoll.c - epoll(7), Linux.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "backend/backend.h"
#include "base/pmux.h"
#include "sys/fdplace.h"
#include "sys/timeout.h"

#if defined(HAVE_EPOLL_CREATE1) && defined(ENABLE_EPOLL)

#include <sys/epoll.h>
#include <sys/syscall.h>

#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Newer than some headers: Linux 4.5, 3.5. */
#ifndef EPOLLEXCLUSIVE
#define EPOLLEXCLUSIVE (1u << 28)
#endif
#ifndef EPOLLWAKEUP
#define EPOLLWAKEUP (1u << 29)
#endif

#define EPOLL_LIMIT 0xffffffffu

struct backend_state {
	int epoll;
	struct epoll_event *ready;
	size_t capacity;
	int cursor;
	int count;
};

static const struct flag epoll_flags[] = { { "in", EPOLLIN },
	{ "pri", EPOLLPRI }, { "out", EPOLLOUT }, { "err", EPOLLERR },
	{ "hup", EPOLLHUP }, { "rdhup", EPOLLRDHUP }, { "rdnorm", EPOLLRDNORM },
	{ "rdband", EPOLLRDBAND }, { "wrnorm", EPOLLWRNORM },
	{ "wrband", EPOLLWRBAND }, { "msg", EPOLLMSG },
	{ "et", (uint32_t)EPOLLET }, { "oneshot", EPOLLONESHOT },
	{ "exclusive", EPOLLEXCLUSIVE }, { "wakeup", EPOLLWAKEUP }, { "", 0 } };

static int
epoll_probe(const char **detail)
{
	*detail = "epoll(7), timeouts in nanoseconds from Linux 5.11 on";
	return BACKEND_NATIVE;
}

static int
epoll_open(struct backend_state **state, size_t capacity)
{
	struct backend_state *s = calloc(1, sizeof *s);
	int fd;

	(void)capacity;
	if (s == NULL)
		return -ENOMEM;
	fd = fdplace(epoll_create1(EPOLL_CLOEXEC));
	if (fd < 0) {
		free(s);
		return fd;
	}
	s->epoll = fd;
	*state = s;
	return 0;
}

static int
control(struct backend_state *state, int operation, uint32_t token, int fd,
    uint32_t bits)
{
	struct epoll_event event;

	memset(&event, 0, sizeof event);
	event.events = bits;
	event.data.u64 = token;
	return epoll_ctl(state->epoll, operation, fd, &event) == -1 ? -errno :
								      0;
}

static int
epoll_add(struct backend_state *state, uint32_t token, int fd, uint32_t bits)
{
	return control(state, EPOLL_CTL_ADD, token, fd, bits);
}

static int
epoll_modify(struct backend_state *state, uint32_t token, int fd, uint32_t bits)
{
	return control(state, EPOLL_CTL_MOD, token, fd, bits);
}

static int
epoll_remove(struct backend_state *state, uint32_t token, int fd)
{
	return control(state, EPOLL_CTL_DEL, token, fd, 0);
}

/* epoll_pwait2(2) is in Linux 5.11, and later still in some C libraries. */
static int
wait_ns(int epoll, struct epoll_event *ready, int max, int64_t timeout)
{
#ifdef HAVE_EPOLL_PWAIT2
	struct timespec space;

	return epoll_pwait2(epoll, ready, max,
	    timeout_timespec(timeout, &space), pmux->host->mask);
#elif defined(SYS_epoll_pwait2) && defined(__LP64__)
	struct timespec space;

	return (int)syscall(SYS_epoll_pwait2, epoll, ready, max,
	    timeout_timespec(timeout, &space), pmux->host->mask, NSIG / 8);
#else
	(void)epoll;
	(void)ready;
	(void)max;
	(void)timeout;
	errno = ENOSYS;
	return -1;
#endif
}

static int
epoll_wait_for(struct backend_state *state, size_t max, int64_t timeout)
{
	/* the kernel's limit (fs/eventpoll.c, EP_MAX_EVENTS) */
	size_t most = INT32_MAX / sizeof *state->ready;
	struct epoll_event *ready;
	int n;

	if (max > most)
		max = most;
	if (max > state->capacity) {
		ready = realloc(state->ready, max * sizeof *ready);
		if (ready == NULL)
			return -ENOMEM;
		state->ready = ready;
		state->capacity = max;
	}
	state->cursor = state->count = 0;
	n = -1;
	errno = ENOSYS;
	if (timeout > 0)
		n = wait_ns(state->epoll, state->ready, (int)max, timeout);
	if (n == -1 && errno == ENOSYS)
		n = epoll_pwait(state->epoll, state->ready, (int)max,
		    timeout_milliseconds(timeout), pmux->host->mask);
	if (n == -1)
		return -errno;
	return state->count = n;
}

static int
epoll_next(struct backend_state *state, struct event *event)
{
	const struct epoll_event *e;

	if (state->cursor == state->count)
		return 0;
	e = &state->ready[state->cursor++];
	*event = (struct event){
		.token = e->data.u32,
		.bits = e->events,
		.ident = e->data.u64,
	};
	return 1;
}

static const char *
epoll_hint(int error, uint32_t bits)
{
	(void)bits;
	switch (error) {
	case -EPERM:
		return "always ready, so epoll does not accept it; poll and select do";
	case -EEXIST:
		return "the same descriptor twice";
	default:
		return NULL;
	}
}

static int
epoll_number(struct backend_state *state)
{
	return state->epoll;
}

/*
 * Whether FD is an epoll instance, and not OTHER, which is one: 0 or -errno.
 * epoll_ctl(2) fails to remove an entry with ENOENT if the instance lacks it,
 * and with EINVAL if FD is not an instance or is the same one.
 */
static int
is_other(int fd, int other)
{
	struct epoll_event event;

	memset(&event, 0, sizeof event);
	return epoll_ctl(fd, EPOLL_CTL_DEL, other, &event) == -1 &&
		errno != ENOENT ?
	    -errno :
	    0;
}

static int
is_same(int fd)
{
	int third = epoll_create1(EPOLL_CLOEXEC), error;

	if (third == -1)
		return -errno;
	error = is_other(fd, third);
	(void)close(third);
	return error == 0 ? 1 : error;
}

static int
epoll_adopt(struct backend_state *state, int fd)
{
	int answer = is_other(fd, state->epoll);

	if (answer == -EINVAL)
		answer = is_same(fd);
	if (answer < 0 || fd == state->epoll)
		return answer;
	(void)close(state->epoll);
	state->epoll = fd;
	return answer;
}

static void
epoll_close(struct backend_state *state)
{
	if (state == NULL)
		return;
	(void)close(state->epoll);
	free(state->ready);
	free(state);
}

const struct backend backend_epoll = {
	.name = "epoll",
	.flags = epoll_flags,
	.limit = EPOLL_LIMIT,
	.mask_read = EPOLLIN | EPOLLPRI | EPOLLRDNORM | EPOLLRDBAND |
	    EPOLLRDHUP | EPOLLMSG,
	.mask_write = EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND,
	.mask_broken = EPOLLERR | EPOLLHUP,
	.mask_watch = 0,
	.flag_edge = (uint32_t)EPOLLET,
	.probe = epoll_probe,
	.open = epoll_open,
	.add = epoll_add,
	.modify = epoll_modify,
	.remove = epoll_remove,
	.wait = epoll_wait_for,
	.next = epoll_next,
	.close = epoll_close,
	.hint = epoll_hint,
	.number = epoll_number,
	.adopt = epoll_adopt,
};

#else

static int
epoll_probe(const char **detail)
{
#ifdef ENABLE_EPOLL
	*detail = "this system has no epoll(7)";
#else
	*detail = BACKEND_LEFT_OUT;
#endif
	return -ENOSYS;
}

const struct backend backend_epoll = { .name = "epoll", .probe = epoll_probe };

#endif
