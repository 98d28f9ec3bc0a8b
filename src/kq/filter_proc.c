/* SPDX-License-Identifier: ISC */
#include "knote.h"

#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connector.h"
#include "filter.h"
#include "filter_proc.h"
#include "filter_timer.h"
#include "member.h"
#include "status.h"

/* Missing in older headers: Linux 5.3. */
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

/*
 * The end of a process makes its pidfd readable and wakes its parent, which
 * then is about to reap it.  How long to wait for that, in nanoseconds.
 */
#define REAPING INT64_C(100000000)

/* Value of data: no wait status is negative. */
#define UNKNOWN (-1)

/* Notes that need the connector. */
#define FOLLOWED (NOTE_FORK | NOTE_EXEC | NOTE_TRACK)

static int
open_process(uintptr_t ident)
{
	int fd;

	if (ident == 0 || ident > INT32_MAX)
		return -ESRCH;
	fd = private_descriptor((int)syscall(SYS_pidfd_open, (pid_t)ident, 0u));
	/* IDENT is the ID of a thread, not of a process */
	if (fd == -EINVAL || fd == -ENOENT)
		return -ESRCH;
	/* seccomp(2) filters older than the call (Linux 5.3) return EPERM */
	return fd == -EPERM ? -ENOSYS : fd;
}

/* Returns 1 if the process has ended, 0 if not, or -errno. */
static int
has_ended(const struct knote *k)
{
	short revents;
	int error;

	if (k->process.ended || k->process.descriptor == -1)
		return k->process.ended;
	error = poll_now(k->process.descriptor, POLLIN, &revents);
	return error != 0 ? error : revents != 0;
}

/* ---- the knote ---- */

/*
 * While the reap is awaited, the pidfd is readable already, and the reap is an
 * edge.
 */
static int
proc_arm(struct knote *k)
{
	if (k->process.descriptor == -1 || k->process.ended)
		return 0;
	return member_arm(k, k->process.descriptor, EPOLLIN,
	    k->process.place != 0);
}

static void
proc_disarm(struct knote *k)
{
	member_mute(k, k->process.descriptor);
}

/*
 * Start using the connector if FFLAGS can use it.  Returns 0, or -errno if they
 * need it and it is unavailable.
 */
static int
follow(struct knote *k, unsigned fflags)
{
	bool needed = (fflags & FOLLOWED) != 0;
	int error;

	if (k->process.followed ||
	    (!needed &&
		((fflags & NOTE_EXIT) == 0 ||
		    status_is_kept(k->process.descriptor))))
		return 0;
	error = connector_use(k->queue);
	k->process.followed = error == 0;
	return needed ? error : 0;
}

static void
unfollow(struct knote *k)
{
	if (k->process.followed)
		connector_leave(k->queue);
	k->process.followed = false;
}

/*
 * Open the process.  Unread events of the connector may be about an earlier
 * process with the same ID, so they are read first.
 */
static int
proc_open(struct knote *k)
{
	int ended;

	proc_handle_events(k->queue);
	k->process.known = k->process.ended = false;
	k->process.descriptor = open_process(k->event.ident);
	if (k->process.descriptor < 0)
		return k->process.descriptor;
	ended = has_ended(k);
	if (ended < 0)
		(void)close(k->process.descriptor);
	/* it was a zombie before: nobody is about to reap it */
	k->process.awaited = ended == 1;
	return ended < 0 ? ended : 0;
}

static int
proc_attach(struct knote *k)
{
	unsigned wanted = k->fflags;
	int error;

	k->fflags = 0;
	if ((error = proc_open(k)) != 0)
		return error;
	k->event.flags |= EV_CLEAR;
	error = follow(k, wanted);
	if (error == 0) {
		k->fflags = wanted;
		error = proc_arm(k);
	}
	if (error != 0) {
		unfollow(k);
		(void)close(k->process.descriptor);
	} else if ((k->status & KNOTE_DISABLED) != 0)
		proc_disarm(k);
	return error;
}

static int
proc_change(struct knote *k, const struct kevent *change)
{
	int error;

	proc_handle_events(k->queue);
	error = follow(k, change->fflags);
	if (error != 0)
		return error;
	if ((change->fflags & (FOLLOWED | NOTE_EXIT)) == 0)
		unfollow(k);
	k->fflags = change->fflags;
	k->data = change->data;
	return 0;
}

static void
proc_detach(struct knote *k)
{
	timer_cancel_wake(k);
	(void)member_disarm(k, k->process.descriptor);
	if (k->process.descriptor != -1)
		(void)close(k->process.descriptor);
	unfollow(k);
}

/*
 * Wait for K's process to be reaped, at most REAPING.  Returns false if the
 * wait is over or impossible.
 */
static bool
await_reap(struct knote *k)
{
	if (k->process.awaited)
		return k->process.place != 0;
	k->process.awaited = true;
	if (timer_wake_after(k, REAPING) != 0)
		return false;
	if (proc_arm(k) == 0)
		return true;
	timer_cancel_wake(k);
	return false;
}

/*
 * Record the end of K's process.  Returns false if its status may be available
 * soon.
 */
static bool
proc_end(struct knote *k)
{
	enum status_proc proc = STATUS_PROC_UNKNOWN;
	int status,
	    known = status_of_process(k->process.descriptor,
		(pid_t)k->event.ident, &proc, &status);

	/* first read the events from before the end */
	proc_handle_events(k->queue);
	if (known == 1)
		k->process.status = status;
	else if (known == 0 && !k->process.known && await_reap(k))
		return false;
	k->process.known |= known == 1;
	k->process.ended = true;
	timer_cancel_wake(k);
	(void)member_disarm(k, k->process.descriptor);
	if ((k->fflags & NOTE_EXIT) != 0)
		k->event.fflags |= NOTE_EXIT;
	return true;
}

static int
proc_event(struct knote *k)
{
	int ended = k->process.ended ? 0 : has_ended(k);

	if (ended < 0)
		return ended;
	if (ended == 1 && !proc_end(k))
		return 0;
	k->event.data = 0;
	if (k->process.ended) {
		k->event.flags |= EV_EOF | EV_ONESHOT;
		k->event.data = k->process.known ? k->process.status : UNKNOWN;
		return k->event.fflags != 0 ? 1 : -ENOENT;
	}
	return k->event.fflags != 0;
}

/* ---- the first event of a tracked child ---- */

static int
child_event(struct knote *k)
{
	const struct knote *child = knote_find(k->queue, EVFILT_PROC,
	    k->event.ident);
	int ended = child != NULL ? has_ended(child) :
				    kill((pid_t)k->event.ident, 0) == -1;

	if (ended < 0)
		return ended;
	k->event.fflags = NOTE_CHILD;
	k->event.data = k->data;
	if (ended == 1)
		k->event.flags |= EV_EOF;
	return 1;
}

static const struct filter filter_child = {
	.number = EVFILT_PROC,
	.event = child_event,
};

static void
announce(const struct knote *parent, const struct kevent *child)
{
	struct knote *k;

	k = knote_new(parent->queue, &filter_child, child, false);
	if (k == NULL)
		return;
	k->event.flags |= EV_CLEAR | EV_ONESHOT;
	k->data = (int64_t)parent->event.ident;
	knote_activate(k);
}

/*
 * Add a knote for the child PID.  If it has been reaped already, it has no
 * pidfd, and the connector reports its end.
 */
static int
track(const struct knote *parent, pid_t pid)
{
	struct kevent child = parent->event;
	struct knote *k;
	int fd, error;

	child.ident = (uintptr_t)pid;
	child.fflags = parent->fflags;
	if (knote_find(parent->queue, EVFILT_PROC, child.ident) != NULL)
		return 0;
	fd = open_process(child.ident);
	if (fd < 0 && fd != -ESRCH)
		return fd;
	k = knote_new(parent->queue, parent->filter, &child, true);
	if (k == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return -ENOMEM;
	}
	k->process.descriptor = fd < 0 ? -1 : fd;
	k->process.followed = true;
	k->queue->followers++; /* PARENT uses the connector already */
	error = proc_arm(k);
	if (error != 0) {
		knote_drop(k);
		return error;
	}
	announce(parent, &child);
	return 0;
}

static void
proc_post(struct knote *k, unsigned note)
{
	if ((k->fflags & note) == 0)
		return;
	k->event.fflags |= note;
	knote_activate(k);
}

static void
proc_post_error(struct knote *k)
{
	k->event.fflags |= NOTE_TRACKERR;
	knote_activate(k);
}

/* ---- events of the connector ---- */

static struct knote *
proc_find(struct queue *q, pid_t pid)
{
	return knote_find(q, EVFILT_PROC, (uintptr_t)pid);
}

static void
proc_forked(struct queue *q, pid_t parent, pid_t child)
{
	struct knote *k = proc_find(q, parent);

	if (k == NULL || k->process.ended)
		return;
	proc_post(k, NOTE_FORK);
	if ((k->fflags & NOTE_TRACK) != 0 && track(k, child) != 0)
		proc_post_error(k);
}

static void
proc_executed(struct queue *q, pid_t pid)
{
	struct knote *k = proc_find(q, pid);

	if (k != NULL)
		proc_post(k, NOTE_EXEC);
}

static void
proc_ended(struct queue *q, pid_t pid, bool leader, int status)
{
	struct knote *k = proc_find(q, pid);

	if (k == NULL || k->process.ended)
		return;
	k->process.status = status;
	k->process.known = true;
	/* the pidfd reports the end of the last thread */
	if (!leader || k->process.descriptor != -1)
		return;
	k->process.ended = true;
	if ((k->fflags & NOTE_EXIT) != 0)
		k->event.fflags |= NOTE_EXIT;
	knote_activate(k);
}

static void
proc_lost(struct link *l, void *argument)
{
	struct knote *k = knote_of(l);

	(void)argument;
	if (k->event.filter != EVFILT_PROC)
		return;
	if ((k->fflags & NOTE_TRACK) != 0)
		proc_post_error(k);
	/* the lost events may include its end, or that of its last thread */
	k->process.known &= k->process.ended;
	if (k->process.descriptor == -1 &&
	    kill((pid_t)k->event.ident, 0) == -1 && errno == ESRCH) {
		k->process.ended = true;
		proc_post(k, NOTE_EXIT);
	}
}

void
proc_handle_events(struct queue *q)
{
	struct connector_event event;
	int n;

	while ((n = connector_next(q, &event)) != 0)
		if (n == -1)
			table_each(&q->knotes, proc_lost, NULL);
		else if (event.what == CONNECTOR_FORK)
			proc_forked(q, event.pid, event.child);
		else if (event.what == CONNECTOR_EXEC)
			proc_executed(q, event.pid);
		else
			proc_ended(q, event.pid, event.leader, event.status);
}

const struct filter filter_proc = {
	.number = EVFILT_PROC,
	.attach = proc_attach,
	.change = proc_change,
	.detach = proc_detach,
	.event = proc_event,
	.disarm = proc_disarm,
	.arm = proc_arm,
};
