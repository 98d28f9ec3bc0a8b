/* SPDX-License-Identifier: ISC */
/*
 * backend.h - the interface of every primitive, one table of functions.
 *
 * A backend prints nothing, retries nothing and ends nothing: it makes the
 * system calls and returns their results.  Each file of this library compiles
 * on every system; where the system lacks the primitive, probe says so and no
 * other function is called.
 */
#ifndef BACKEND_H
#define BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/event.h"
#include "base/flags.h"

/* Why a primitive is absent that a --disable option switched off. */
#define BACKEND_LEFT_OUT "left out when pmux was configured"

/* The state of a backend between open and close; each has its own. */
struct backend_state;
struct kevent_request;

enum backend_kind {
	BACKEND_NATIVE, /* the system's own */
	BACKEND_EMULATED /* the same behaviour over another primitive */
};

/*
 * Returns a backend_kind, or -ENOSYS if this system does not have it.  *DETAIL
 * is set to a few words, constant, for a person: how, or why not.
 */
typedef int backend_probe_fn(const char **detail);

/*
 * Make a polling object for about CAPACITY targets; it grows when more come.
 * The caller owns *STATE until close.  Returns 0, or -errno: -ENOMEM, or the
 * error of the primitive (-EMFILE, -ENFILE).
 */
typedef int backend_open_fn(struct backend_state **state, size_t capacity);

/*
 * Watch descriptor FD (from 0 up, open or not) for BITS; events about it will
 * carry TOKEN.  Tokens are small numbers from 0 up, each in use once.  FD stays
 * the caller's.  Returns 0, or -errno: -ENOMEM; -EBADF where the primitive
 * checks FD at once; epoll: -EEXIST, -EPERM, -EINVAL, -ELOOP, -ENOSPC
 * (epoll_ctl(2)).
 */
typedef int backend_add_fn(struct backend_state *state, uint32_t token, int fd,
    uint32_t bits);

/*
 * kqueue: token N is REQUESTS[N], from now on until close; with any other token
 * add watches a descriptor for reading if BITS has the filter read, and for
 * nothing but its end otherwise.  DATA: the caller uses the number of bytes
 * that can be read or written; without it the backend need not count them.
 */
typedef void backend_requests_fn(struct backend_state *state,
    const struct kevent_request *requests, size_t count, bool data);

/*
 * Watch TOKEN, which is FD, for BITS from now on.  Returns 0 or -errno as add;
 * epoll: -ENOENT if it does not watch FD.
 */
typedef int backend_modify_fn(struct backend_state *state, uint32_t token,
    int fd, uint32_t bits);

/*
 * The descriptor of the object, which stays its own; -ENOSYS if it has none.
 */
typedef int backend_number_fn(struct backend_state *state);

/*
 * Use FD, an object of the same primitive, instead of its own, which is closed;
 * FD is the object's from then on.  Returns 0, or 1 if it is the same object,
 * by this number or another; or -errno: -EBADF, -EINVAL if it is something
 * else; FD then stays the caller's.  Events of entries that other processes
 * added carry, as ident, their data (epoll_event.data).
 */
typedef int backend_adopt_fn(struct backend_state *state, int fd);

/*
 * Stop watching TOKEN, which is FD.  Returns 0 or -errno as add; -ENOENT,
 * without any effect, if it was never added or its add failed.
 */
typedef int backend_remove_fn(struct backend_state *state, uint32_t token,
    int fd);

/*
 * Wait at most TIMEOUT nanoseconds, for ever if it is -1, and not at all if it
 * is 0; a clock that is coarser rounds up.  May return before the time without
 * an event.  MAX (at least 1) is how many events the primitive is asked for,
 * where it takes such a number.  Returns how many targets have events, 0 if
 * the time is over, or -errno: -EINTR; select: -EBADF, poll: -EINVAL when there
 * are more targets than RLIMIT_NOFILE.
 */
typedef int backend_wait_fn(struct backend_state *state, size_t max,
    int64_t timeout);

/*
 * The next event of the last wait, in its order: 1 with *EVENT set, members that
 * the primitive does not have being 0; or 0.
 */
typedef int backend_next_fn(struct backend_state *state, struct event *event);

/* Give up the object and all it holds; STATE may be NULL. */
typedef void backend_close_fn(struct backend_state *state);

/*
 * An explanation of add's -errno ERROR when BITS were asked for, or of open's
 * with BITS 0, where the error does not explain itself: a constant text, or
 * NULL.
 */
typedef const char *backend_hint_fn(int error, uint32_t bits);

struct backend {
	const char *name;
	const struct flag *flags; /* ends with an empty name */
	uint32_t wide; /* the one flag that is more than a bit; or 0 */
	uint32_t limit; /* the bits that its type can hold */
	uint32_t mask_read; /* these ask to read */
	uint32_t mask_write; /* these ask to write */
	uint32_t mask_file; /* these watch a file without access to its data */
	uint32_t mask_blocking; /* these want a FIFO that blocks */
	uint32_t mask_other; /* these are no readiness */
	uint32_t mask_broken; /* writing would fail */
	uint32_t mask_closed; /* the number is not open */
	uint32_t mask_watch; /* asks for nothing but its end */
	uint32_t failed; /* no event: data is an errno */
	uint32_t flag_edge; /* asks for changes only; 0: it cannot */
	bool late; /* a wait registers descriptors, not add */
	backend_probe_fn *probe;
	backend_open_fn *open;
	backend_add_fn *add;
	backend_modify_fn *modify; /* select, kqueue: NULL */
	backend_remove_fn *remove;
	backend_wait_fn *wait;
	backend_next_fn *next;
	backend_close_fn *close;
	backend_hint_fn *hint; /* or NULL */
	backend_requests_fn *requests; /* kqueue; others: NULL */
	backend_number_fn *number; /* NULL: it never has one */
	backend_adopt_fn *adopt; /* epoll, kqueue */
};

#define BACKEND(id) extern const struct backend backend_##id;
#include "backends.def"
#undef BACKEND

/* Not a command's: the events of poll(2), and kevent(2) reports when. */
extern const struct backend backend_kqueue_poll;

/* All of them, in the order of backends.def; ends with NULL. */
extern const struct backend *const backends[];

/*
 * Room for a backend_state of SIZE bytes, all zero, or NULL.  Most calls have
 * one object, and that one costs no malloc(3) if it is small.
 */
struct first_object {
	bool taken;
	_Alignas(16) unsigned char bytes[512];
};
void *backend_alloc(size_t size);
void backend_free(void *state);

/* As the wait of BACKEND; while it sleeps the host may run (pmux_sleep). */
int backend_wait(const struct backend *backend, struct backend_state *state,
    size_t max, int64_t timeout);

#endif
