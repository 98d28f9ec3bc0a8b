/* SPDX-License-Identifier: ISC */
/*
 * kqueue.c - kqueue(2) and kevent(2) of the BSDs, of macOS, and of src/kq on
 * Linux.  Nothing here depends on which of them it is.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "backend/backend.h"
#include "backend/kqueue.h"
#include "base/pmux.h"
#include "sys/caller.h"
#include "sys/fdplace.h"
#include "sys/timeout.h"

#if (defined(HAVE_KQUEUE) || defined(KQ_EMULATED)) && defined(ENABLE_KQUEUE)

#include <sys/types.h>
#include <sys/event.h>
#include <sys/time.h>

#include <aio.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* No system has them all. */
#ifndef EV_RECEIPT
#define EV_RECEIPT 0
#endif
#ifndef EV_DISPATCH
#define EV_DISPATCH 0
#endif
#ifndef NOTE_REVOKE
#define NOTE_REVOKE 0
#endif
/* FreeBSD 11, NetBSD 10. */
#ifndef NOTE_OPEN
#define NOTE_OPEN 0
#undef NOTE_CLOSE
#define NOTE_CLOSE 0
#undef NOTE_CLOSE_WRITE
#define NOTE_CLOSE_WRITE 0
#undef NOTE_READ
#define NOTE_READ 0
#endif
#ifndef NOTE_TRACK
#define NOTE_TRACK 0
#endif
#ifndef NOTE_TRACKERR
#define NOTE_TRACKERR 0
#endif
#ifndef NOTE_CHILD
#define NOTE_CHILD 0
#endif
#ifndef NOTE_SECONDS
#define NOTE_SECONDS 0
#endif
#ifndef NOTE_MSECONDS
#define NOTE_MSECONDS 0
#endif
#ifndef NOTE_USECONDS
#define NOTE_USECONDS 0
#endif
#ifndef NOTE_NSECONDS
#define NOTE_NSECONDS 0
#endif
#if !defined(NOTE_ABSTIME) && defined(NOTE_ABSOLUTE)
#define NOTE_ABSTIME NOTE_ABSOLUTE /* macOS */
#elif !defined(NOTE_ABSTIME)
#define NOTE_ABSTIME 0
#endif
#ifndef NOTE_LINKUP
#define NOTE_LINKUP 0
#define NOTE_LINKDOWN 0
#define NOTE_LINKINV 0
#endif
#ifndef NOTE_TRIGGER
#define NOTE_TRIGGER 0
#define NOTE_FFAND 0
#define NOTE_FFOR 0
#define NOTE_FFCOPY 0
#endif
/* macOS gives the status of a process only if it is asked to. */
#ifndef NOTE_EXITSTATUS
#define NOTE_EXITSTATUS 0
#endif
/* Where it is unknown, counting the bytes costs next to nothing. */
#ifndef NOTE_NODATA
#define NOTE_NODATA 0
#endif

#define FILTER_LIMIT ((1u << KQUEUE_FILTERS) - 1)

#if defined(SIGEV_KEVENT) && defined(EVFILT_AIO)
#define HAVE_AIO 1
#endif

struct transfer;

struct backend_state {
	const struct kevent_request *requests;
	size_t count;
	struct kevent *ready;
	size_t capacity;
	int queue;
	int cursor, taken;
	bool data;
	bool ignored[NSIG]; /* by pmux; sys/caller has the dispositions */
	struct transfer *transfers; /* under way */
};

#ifdef HAVE_AIO
/* A read under way; its event has the address of the control block. */
struct transfer {
	struct aiocb block;
	struct transfer *next;
	char bytes[];
};

#endif

static const struct flag filter_flags[] = { { "read", 1u << KQUEUE_READ },
	{ "write", 1u << KQUEUE_WRITE }, { "vnode", 1u << KQUEUE_VNODE },
	{ "proc", 1u << KQUEUE_PROC }, { "signal", 1u << KQUEUE_SIGNAL },
	{ "timer", 1u << KQUEUE_TIMER }, { "netdev", 1u << KQUEUE_NETDEV },
	{ "aio", 1u << KQUEUE_AIO }, { "user", 1u << KQUEUE_USER }, { "", 0 } };

const struct flag kqueue_flags[] = { { "add", EV_ADD }, { "delete", EV_DELETE },
	{ "enable", EV_ENABLE }, { "disable", EV_DISABLE },
	{ "oneshot", EV_ONESHOT }, { "clear", EV_CLEAR },
	{ "dispatch", EV_DISPATCH }, { "receipt", EV_RECEIPT },
	{ "eof", EV_EOF }, { "error", EV_ERROR }, { "", 0 } };
const uint32_t kqueue_returned = EV_EOF | EV_ERROR;

static const struct flag stream_words[] = { { "lowat", NOTE_LOWAT },
	{ "", 0 } };

static const struct flag vnode_words[] = { { "delete", NOTE_DELETE },
	{ "write", NOTE_WRITE }, { "extend", NOTE_EXTEND },
	{ "attrib", NOTE_ATTRIB }, { "link", NOTE_LINK },
	{ "rename", NOTE_RENAME }, { "revoke", NOTE_REVOKE },
	{ "open", NOTE_OPEN }, { "close", NOTE_CLOSE },
	{ "close_write", NOTE_CLOSE_WRITE }, { "read", NOTE_READ }, { "", 0 } };

static const struct flag proc_words[] = { { "exit", (uint32_t)NOTE_EXIT },
	{ "fork", NOTE_FORK }, { "exec", NOTE_EXEC }, { "track", NOTE_TRACK },
	{ "child", NOTE_CHILD }, { "trackerr", NOTE_TRACKERR }, { "", 0 } };

static const struct flag timer_words[] = { { "seconds", NOTE_SECONDS },
	{ "mseconds", NOTE_MSECONDS }, { "useconds", NOTE_USECONDS },
	{ "nseconds", NOTE_NSECONDS }, { "abstime", NOTE_ABSTIME }, { "", 0 } };

static const struct flag netdev_words[] = { { "linkup", NOTE_LINKUP },
	{ "linkdown", NOTE_LINKDOWN }, { "linkinv", NOTE_LINKINV }, { "", 0 } };

/* ffcopy is the bits of the two behind it. */
static const struct flag user_words[] = { { "trigger", NOTE_TRIGGER },
	{ "ffcopy", (uint32_t)NOTE_FFCOPY }, { "ffand", NOTE_FFAND },
	{ "ffor", (uint32_t)NOTE_FFOR }, { "", 0 } };

static const struct flag no_words[] = { { "", 0 } };

const struct kqueue_filter kqueue_filters[] = {
	[KQUEUE_READ] = { true, 0, 0, stream_words },
	[KQUEUE_WRITE] = { true, 0, 0, stream_words },
	[KQUEUE_VNODE] = { true,
	    NOTE_DELETE | NOTE_WRITE | NOTE_EXTEND | NOTE_ATTRIB | NOTE_LINK |
		NOTE_RENAME | NOTE_REVOKE,
	    0, vnode_words },
	[KQUEUE_PROC] = { true, (uint32_t)NOTE_EXIT, NOTE_CHILD | NOTE_TRACKERR,
	    proc_words },
	[KQUEUE_SIGNAL] = { true, 0, 0, no_words },
	[KQUEUE_TIMER] = { true, 0, 0, timer_words },
#ifdef EVFILT_NETDEV
	[KQUEUE_NETDEV] = { true, NOTE_LINKUP | NOTE_LINKDOWN | NOTE_LINKINV, 0,
	    netdev_words },
#else
	[KQUEUE_NETDEV] = { false, 0, 0, netdev_words },
#endif
#ifdef HAVE_AIO
	[KQUEUE_AIO] = { true, 0, 0, no_words },
#else
	[KQUEUE_AIO] = { false, 0, 0, no_words },
#endif
#ifdef EVFILT_USER
	[KQUEUE_USER] = { true, 0, 0, user_words },
#else
	[KQUEUE_USER] = { false, 0, 0, user_words },
#endif
};

/* The type of a filter's number is not the same everywhere. */
static const struct kevent blank[KQUEUE_FILTERS] = {
	[KQUEUE_READ] = { .filter = EVFILT_READ },
	[KQUEUE_WRITE] = { .filter = EVFILT_WRITE },
	[KQUEUE_VNODE] = { .filter = EVFILT_VNODE },
	[KQUEUE_PROC] = { .filter = EVFILT_PROC },
	[KQUEUE_SIGNAL] = { .filter = EVFILT_SIGNAL },
	[KQUEUE_TIMER] = { .filter = EVFILT_TIMER },
#ifdef EVFILT_NETDEV
	[KQUEUE_NETDEV] = { .filter = EVFILT_NETDEV },
#endif
#ifdef EVFILT_USER
	[KQUEUE_USER] = { .filter = EVFILT_USER },
#endif
};

#ifdef HAVE_AIO
#define AIO_NUMBER EVFILT_AIO
#else
#define AIO_NUMBER 0
#endif

int
kqueue_number(unsigned filter)
{
	return filter == KQUEUE_AIO ? AIO_NUMBER : (int)blank[filter].filter;
}

static int
kqueue_probe(const char **detail)
{
#ifdef KQ_EMULATED
	*detail = "pmux's own kevent(2), made of epoll(7), inotify(7) and more";
	return BACKEND_EMULATED;
#else
	*detail = "kevent(2), timeouts in nanoseconds";
	return BACKEND_NATIVE;
#endif
}

static int
kqueue_open(struct backend_state **state, size_t capacity)
{
	struct backend_state *s = calloc(1, sizeof *s);
	int fd;

	(void)capacity;
	if (s == NULL)
		return -ENOMEM;
	fd = kqueue();
	if (fd != -1)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	fd = fdplace(fd);
	if (fd < 0) {
		free(s);
		return fd;
	}
	s->queue = fd;
	*state = s;
	return 0;
}

static void
kqueue_requests(struct backend_state *state,
    const struct kevent_request *requests, size_t count, bool data)
{
	state->requests = requests;
	state->count = count;
	state->data = data;
}

/* udata is a pointer or an integer of that size, by system. */
static void
set_token(struct kevent *event, uint32_t token)
{
	uintptr_t value = token;

	_Static_assert(sizeof event->udata == sizeof value, "udata's size");
	memcpy(&event->udata, &value, sizeof value);
}

static uint32_t
get_token(const struct kevent *event)
{
	uintptr_t value;

	memcpy(&value, &event->udata, sizeof value);
	return (uint32_t)value;
}

static int
change(const struct backend_state *state, const struct kevent *event)
{
	return kevent(state->queue, event, 1, NULL, 0, NULL) == -1 ? -errno : 0;
}

/* The kevent that REQUEST asks for, FD being its descriptor if it has one. */
static void
fill(struct kevent *event, const struct backend_state *state,
    const struct kevent_request *request, uint32_t token, int fd)
{
	*event = blank[request->filter];
	event->ident = fd >= 0 ? (uintptr_t)fd : (uintptr_t)request->ident;
	event->flags = (uint16_t)request->flags;
	event->fflags = request->fflags;
	event->data = request->data;
	set_token(event, token);
	if (request->filter == KQUEUE_PROC &&
	    (request->fflags & (uint32_t)NOTE_EXIT) != 0)
		event->fflags |= NOTE_EXITSTATUS;
	if (request->filter <= KQUEUE_WRITE && !state->data)
		event->fflags |= NOTE_NODATA;
}

/* Once is enough to know of FD's end, if not whether it can be read. */
static int
add_watch(struct backend_state *state, uint32_t token, int fd, uint32_t bits)
{
	bool reading = (bits & 1u << KQUEUE_READ) != 0;
	struct kevent event = blank[reading ? KQUEUE_READ : KQUEUE_WRITE];

	event.ident = (uintptr_t)fd;
	event.flags = EV_ADD | (reading ? 0 : EV_CLEAR);
	event.fflags = NOTE_NODATA;
	set_token(&event, token);
	return change(state, &event);
}

/*
 * A signal that is not ignored would end pmux or be handled; the filter reports
 * ignored signals too (kqueue(2)).  It accepts KILL and STOP, which it never
 * reports; sigaction(2) refuses them (EINVAL).  SIGCHLD ends nothing, and a
 * process that ignores it cannot wait for its children.
 */
static int
ignore(struct backend_state *state, uint64_t number)
{
	struct sigaction action;

	if (number == SIGCHLD || (number < NSIG && state->ignored[number]))
		return 0;
	memset(&action, 0, sizeof action);
	action.sa_handler = SIG_IGN;
	sigemptyset(&action.sa_mask);
	if (caller_change((int)number, &action, NULL) == -1)
		return -errno;
	if (number < NSIG)
		state->ignored[number] = true;
	return 0;
}

/* No kevent watches the signal any longer: restore its disposition. */
static void
stop_ignoring(struct backend_state *state, uint64_t number)
{
	if (number >= NSIG || !state->ignored[number])
		return;
	caller_put_back((int)number);
	state->ignored[number] = false;
}

static int
change_signal(struct backend_state *state, struct kevent *event)
{
	bool deleted = (event->flags & EV_DELETE) != 0, was;
	int error;

	was = event->ident < NSIG && state->ignored[event->ident];
	if ((event->flags & EV_ADD) != 0 && !deleted &&
	    (error = ignore(state, event->ident)) != 0)
		return error;
	error = change(state, event);
	if (error == 0 ? deleted : !was)
		stop_ignoring(state, event->ident);
	return error;
}

/*
 * FreeBSD 12 does not trigger an event while adding it, so that is a change of
 * its own.
 */
static int
add_user(struct backend_state *state, struct kevent *event)
{
	unsigned trigger = event->fflags & NOTE_TRIGGER;
	int error;

	event->fflags &= ~(unsigned)NOTE_TRIGGER;
	error = change(state, event);
	if (error != 0 || trigger == 0)
		return error;
	event->fflags |= trigger;
	event->flags = 0;
	return change(state, event);
}

#ifdef HAVE_AIO

/* Ask for the bytes; their completion is the event. */
static int
add_transfer(struct backend_state *state, const struct kevent_request *request,
    uint32_t token, int fd)
{
	struct transfer *t;
	struct kevent event;
	int error;

	if (request->data < 0 || (uint64_t)request->data > SSIZE_MAX / 2)
		return -EINVAL;
	t = calloc(1, sizeof *t + (size_t)request->data);
	if (t == NULL)
		return -ENOMEM;
	t->block.aio_fildes = fd;
	t->block.aio_buf = t->bytes;
	t->block.aio_nbytes = (size_t)request->data;
	t->block.aio_offset = (off_t)request->offset;
	t->block.aio_sigevent.sigev_notify = SIGEV_KEVENT;
	t->block.aio_sigevent.sigev_notify_kqueue = state->queue;
	set_token(&event, token);
	memcpy(&t->block.aio_sigevent.sigev_value, &event.udata,
	    sizeof event.udata);
	if (aio_read(&t->block) == -1) {
		error = -errno;
		free(t);
		return error;
	}
	t->next = state->transfers;
	state->transfers = t;
	return 0;
}

/* EVENT reports that a transfer is done: put its result into EVENT. */
static void
finish_transfer(struct backend_state *state, struct event *event)
{
	struct transfer **link = &state->transfers, *t;
	int error;

	while ((t = *link) != NULL &&
	    (uint64_t)(uintptr_t)&t->block != event->ident)
		link = &t->next;
	if (t == NULL)
		return;
	error = aio_error(&t->block);
	if (error == EINPROGRESS)
		return;
	event->data = aio_return(&t->block);
	if (error != 0) {
		event->data = error;
		event->flags |= EV_ERROR;
	}
	event->ident = (uint64_t)t->block.aio_fildes;
	*link = t->next;
	free(t);
}

/* The bytes of one that cannot be cancelled may come until the process ends. */
static void
close_transfers(struct backend_state *state)
{
	struct transfer *t, *next;

	for (t = state->transfers; t != NULL; t = next) {
		next = t->next;
		(void)aio_cancel(t->block.aio_fildes, &t->block);
		if (aio_error(&t->block) == EINPROGRESS)
			continue;
		(void)aio_return(&t->block);
		free(t);
	}
}

static bool
is_transfer(const struct kevent *event)
{
	return event->filter == EVFILT_AIO;
}

#else

static int
add_transfer(struct backend_state *state, const struct kevent_request *request,
    uint32_t token, int fd)
{
	(void)state;
	(void)request;
	(void)token;
	(void)fd;
	return -ENOSYS;
}

static void
finish_transfer(struct backend_state *state, struct event *event)
{
	(void)state;
	(void)event;
}

static void
close_transfers(struct backend_state *state)
{
	(void)state;
}

static bool
is_transfer(const struct kevent *event)
{
	(void)event;
	return false;
}

#endif

static int
kqueue_add(struct backend_state *state, uint32_t token, int fd, uint32_t bits)
{
	const struct kevent_request *request;
	struct kevent event;

	if (token >= state->count)
		return add_watch(state, token, fd, bits);
	request = &state->requests[token];
	if (request->filter == KQUEUE_AIO)
		return add_transfer(state, request, token, fd);
	fill(&event, state, request, token, fd);
	if ((bits & KQUEUE_CLEAR) != 0)
		event.flags |= EV_CLEAR;
	switch (request->filter) {
	case KQUEUE_SIGNAL:
		return change_signal(state, &event);
	case KQUEUE_USER:
		return add_user(state, &event);
	default:
		return change(state, &event);
	}
}

static int
kqueue_remove(struct backend_state *state, uint32_t token, int fd)
{
	struct kevent event = blank[KQUEUE_WRITE];

	event.ident = (uintptr_t)fd;
	if (token < state->count) {
		/* a transfer cannot be undone: it consumes its bytes */
		if (state->requests[token].filter == KQUEUE_AIO)
			return 0;
		fill(&event, state, &state->requests[token], token, fd);
	}
	event.flags = EV_DELETE;
	return change(state, &event);
}

static int
kqueue_get_number(struct backend_state *state)
{
	return state->queue;
}

static int
kqueue_adopt(struct backend_state *state, int fd)
{
	if (kevent(fd, NULL, 0, NULL, 0, NULL) == -1)
		return -errno;
	if (fd == state->queue)
		return 1;
	(void)close(state->queue);
	state->queue = fd;
	return 0;
}

/*
 * kevent(2) has no signal mask.  A queue is readable while it has events
 * (kqueue(2)), also for ppoll(2), which has one.  Returns as backend_wait_fn.
 */
static int
wait_masked(struct backend_state *state, int max, int64_t timeout)
{
	struct pollfd p = { state->queue, POLLIN, 0 };
	struct timespec now = { 0, 0 };
	int n = timeout_poll(&p, 1, timeout);

	if (n <= 0)
		return n;
	n = kevent(state->queue, NULL, 0, state->ready, (KEVENT_COUNT)max,
	    &now);
	return n == -1 ? -errno : n;
}

static int
kqueue_wait(struct backend_state *state, size_t max, int64_t timeout)
{
	size_t most = INT_MAX / sizeof *state->ready;
	struct timespec space;
	struct kevent *ready;
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
	state->cursor = state->taken = 0;
	if (timeout != 0 && pmux->host->mask != NULL) {
		n = wait_masked(state, (int)max, timeout);
		return n < 0 ? n : (state->taken = n);
	}
	n = kevent(state->queue, NULL, 0, state->ready, (KEVENT_COUNT)max,
	    timeout_timespec(timeout, &space));
	if (n == -1)
		return -errno;
	return state->taken = n;
}

/* The flags that pmux adds; the user did not ask for them. */
static uint32_t
own_fflags(unsigned filter)
{
	if (filter <= KQUEUE_WRITE)
		return NOTE_NODATA;
	return filter == KQUEUE_PROC ? (uint32_t)NOTE_EXITSTATUS : 0;
}

static uint32_t
meaning(const struct event *event, unsigned filter)
{
	bool untracked = filter == KQUEUE_PROC && NOTE_TRACKERR != 0 &&
	    event->fflags == NOTE_TRACKERR;
	uint32_t bits = 1u << filter;

	/* the error of a transfer is its result */
	if ((event->flags & EV_ERROR) != 0 && filter != KQUEUE_AIO)
		return bits | KQUEUE_FAILED;
	if (untracked || (event->flags & EV_ERROR) != 0)
		bits = KQUEUE_ERROR;
	if ((event->flags & EV_EOF) != 0)
		bits |= KQUEUE_EOF;
	return bits;
}

/* By its number: it is no request of this object. */
static unsigned
filter_of(const struct kevent *event)
{
	unsigned filter = 0;

	while (filter < KQUEUE_AIO && blank[filter].filter != event->filter)
		filter++;
	return filter;
}

static int
kqueue_next(struct backend_state *state, struct event *event)
{
	const struct kevent *e;
	unsigned filter;

	if (state->cursor == state->taken)
		return 0;
	e = &state->ready[state->cursor++];
	event->token = get_token(e);
	filter = filter_of(e);
	if (event->token < state->count)
		filter = state->requests[event->token].filter;
	event->ident = e->ident;
	event->data = e->data;
	event->flags = e->flags & ~(uint32_t)(EV_ADD | EV_ENABLE);
	event->fflags = e->fflags & ~own_fflags(filter);
	if (is_transfer(e))
		finish_transfer(state, event);
	event->bits = meaning(event, filter);
	return 1;
}

static void
kqueue_close(struct backend_state *state)
{
	if (state == NULL)
		return;
	(void)close(state->queue);
#ifdef KQ_EMULATED
	/* src/kq releases a closed queue in its next call */
	if (pmux->host->stays)
		(void)kevent(state->queue, NULL, 0, NULL, 0, NULL);
#endif
	close_transfers(state);
	for (uint64_t i = 0; i < NSIG; i++)
		stop_ignoring(state, i);
	free(state->ready);
	free(state);
}

/* The part of the kernel that is missing for BITS, which said ERROR. */
static const char *
missing(int error, uint32_t bits)
{
	if ((bits & 1u << KQUEUE_AIO) != 0)
		return "this kernel does not read such a file asynchronously";
#ifdef KQ_EMULATED
	if (bits == 0)
		return "this kernel has no epoll(7) or no eventfd(2)";
	if ((bits & 1u << KQUEUE_PROC) != 0 && error == -ENOSYS)
		return "this kernel has no pidfd_open(2)";
	if ((bits & (1u << KQUEUE_VNODE | 1u << KQUEUE_READ)) != 0)
		return error == -ENOSYS ? "this kernel has no inotify(7)" :
					  "/proc is not mounted";
	if ((bits & 1u << KQUEUE_TIMER) != 0)
		return "this kernel has no timerfd_create(2)";
	if ((bits & 1u << KQUEUE_SIGNAL) != 0)
		return "this kernel has no signalfd(2) or no eventfd(2)";
#else
	(void)error;
#endif
	if ((bits & 1u << KQUEUE_PROC) != 0)
		return "this kernel, or this network namespace, does not report fork and exec";
	return "this kernel does not report it";
}

static const char *
kqueue_hint(int error, uint32_t bits)
{
	switch (error) {
	case -EPERM:
		return (bits & 1u << KQUEUE_PROC) == 0 ?
		    NULL :
#ifdef KQ_EMULATED
		    "fork, exec and track want CAP_NET_ADMIN";
#else
		    "another user's";
#endif
	case -EINVAL:
		return (bits & 1u << KQUEUE_SIGNAL) == 0 ?
		    NULL :
		    "it cannot be ignored, and would never be seen";
	case -ENOSYS:
	case -EOPNOTSUPP:
		return missing(error, bits);
	default:
		return NULL;
	}
}

const struct backend backend_kqueue = {
	.name = "kqueue",
	.flags = filter_flags,
	.limit = FILTER_LIMIT,
	.mask_read = 1u << KQUEUE_READ | 1u << KQUEUE_AIO,
	.mask_write = 1u << KQUEUE_WRITE,
	.mask_file = 1u << KQUEUE_VNODE,
	/* an asynchronous read waits for bytes, and gets no EAGAIN */
	.mask_blocking = 1u << KQUEUE_AIO,
	.mask_other = FILTER_LIMIT & ~(1u << KQUEUE_READ | 1u << KQUEUE_WRITE),
	.mask_broken = KQUEUE_EOF,
	.mask_watch = 1u << KQUEUE_WRITE,
	.failed = KQUEUE_FAILED,
	.flag_edge = KQUEUE_CLEAR,
	.probe = kqueue_probe,
	.open = kqueue_open,
	.add = kqueue_add,
	.remove = kqueue_remove,
	.wait = kqueue_wait,
	.next = kqueue_next,
	.close = kqueue_close,
	.hint = kqueue_hint,
	.requests = kqueue_requests,
	.number = kqueue_get_number,
	.adopt = kqueue_adopt,
};

#else

const struct kqueue_filter kqueue_filters[KQUEUE_FILTERS];
const struct flag kqueue_flags[] = { { "", 0 } };
const uint32_t kqueue_returned;

int
kqueue_number(unsigned filter)
{
	(void)filter;
	return 0;
}

static int
kqueue_probe(const char **detail)
{
#ifdef ENABLE_KQUEUE
	*detail = "this system has no kevent(2), and none was made for it";
#else
	*detail = BACKEND_LEFT_OUT;
#endif
	return -ENOSYS;
}

const struct backend backend_kqueue = {
	.name = "kqueue",
	.probe = kqueue_probe,
};

#endif
