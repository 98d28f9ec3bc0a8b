/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>

#include "backend/backend.h"
#include "backend/kqueue.h"
#include "base/flags.h"
#include "sys/foreign.h"
#include "sys/kernel.h"
#include "target/kevent_parse.h"
#include "target/target.h"
#include "wait/finished.h"

void
finished_open(struct finished *finish, const struct targets *targets)
{
	const struct backend *backend = targets->backend;

	finish->targets = targets;
	finish->hangs_up = backend->mask_broken | backend->mask_closed;
	finish->oneshot = flags_bit(backend->flags, "oneshot");
}

bool
finished_is_readiness(const struct targets *targets, const struct target *t)
{
	return (t->bits & targets->backend->mask_other) == 0;
}

int64_t
finished_unread(const struct targets *targets, const struct target *t)
{
	return (t->bits & targets->backend->mask_read) == 0 ?
	    0 :
	    kernel_unread(t->fd);
}

bool
finished_is_pipe(const struct target *t)
{
	struct stat st;

	return fstat(t->fd, &st) == 0 && S_ISFIFO(st.st_mode);
}

/* Whether FIONREAD should work for FD, so that a failure means "not known". */
static bool
is_counted(int fd)
{
	struct stat st;

	return fstat(fd, &st) == -1 || S_ISFIFO(st.st_mode) ||
	    S_ISSOCK(st.st_mode);
}

/*
 * At a pipe's write end FIONREAD counts the bytes that the reader has not read.
 * For a device, say a terminal that was hung up, it may not work.  Where it
 * fails although it should work, READABLE decides; that may be an end of file.
 */
static bool
is_empty(const struct target *t, bool readable)
{
	int fd = foreign_borrow(t->fd), flags, error;
	int64_t unread;
	bool counted;

	if (foreign_is(t->fd) && fd < 0)
		return fd == -EBADF || fd == -ESRCH;
	flags = fcntl(fd, F_GETFL);
	error = errno;
	unread = kernel_unread(fd);
	counted = unread >= 0 || is_counted(fd);
	foreign_return(t->fd, fd);
	if (flags == -1)
		return error == EBADF;
	if ((flags & O_ACCMODE) == O_WRONLY)
		return true;
	return unread < 0 ? !readable || !counted : unread == 0;
}

static bool
has_flag(const struct flag *table, const char *name, uint32_t bits)
{
	return (bits & flags_bit(table, name)) != 0;
}

/* The process and all that it begot. */
static bool
is_last_exit(const struct event *event, uint32_t *children)
{
	if (kevent_has(KQUEUE_PROC, "child", event->fflags))
		++*children;
	if (!kevent_has(KQUEUE_PROC, "exit", event->fflags))
		return false;
	if (*children == 0)
		return true;
	--*children;
	return false;
}

static bool
is_last_kevent(const struct kevent_request *request, const struct target *t,
    const struct event *event, uint32_t *children)
{
	if (has_flag(kqueue_flags, "oneshot", request->flags) ||
	    has_flag(kqueue_flags, "dispatch", request->flags) ||
	    has_flag(kqueue_flags, "error", event->flags))
		return true;
	switch (request->filter) {
	case KQUEUE_READ:
		return (event->bits & KQUEUE_EOF) != 0 && is_empty(t, true);
	case KQUEUE_WRITE:
		return (event->bits & KQUEUE_EOF) != 0;
	case KQUEUE_PROC:
		return is_last_exit(event, children);
	case KQUEUE_TIMER:
		return kevent_has(KQUEUE_TIMER, "abstime", request->fflags);
	case KQUEUE_AIO:
	case KQUEUE_USER:
		return true;
	default:
		return false;
	}
}

bool
finished_is_last(const struct finished *finish, const struct target *t,
    const struct event *event, uint32_t *children)
{
	const struct kevent_request *kevent = target_kevent(finish->targets, t);

	if (kevent != NULL)
		return is_last_kevent(kevent, t, event, children);
	return (t->bits & finish->oneshot) != 0 ||
	    !finished_is_readiness(finish->targets, t) ||
	    ((event->bits & finish->hangs_up) != 0 &&
		is_empty(t,
		    (event->bits & finish->targets->backend->mask_read) != 0));
}
