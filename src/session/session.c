/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "backend/over.h"
#include "backend/pollflags.h"
#include "base/deadline.h"
#include "base/duration.h"
#include "base/pmux.h"
#include "fifo/fifo.h"
#include "sys/caller.h"
#include "compat.h"
#include "output/debug.h"
#include "output/output.h"
#include "print/print.h"
#include "session/input.h"
#include "session/pending.h"
#include "session/session.h"
#include "session/verbs.h"
#include "sys/fdplace.h"
#include "sys/foreign.h"
#include "sys/kernel.h"
#include "sys/process.h"
#include "sys/timeout.h"
#include "target/kevent_parse.h"
#include "wait/waitset.h"

/*
 * The session's own descriptors get the OWN_ROOM numbers below RLIMIT_NOFILE,
 * or below OWN_HIGHEST if that is lower.
 */
#define OWN_ROOM 1024
#define OWN_HIGHEST 65536

static const struct session_object *const objects[] = { &object_select,
	&object_poll, &object_devpoll, &object_epoll, &object_kqueue };

/* ---- the loop ---- */

static int
sleep_failed(int error)
{
	diag_capture(NULL);
	return diag_system(-error,
	    error == -EINVAL ? "more descriptors than RLIMIT_NOFILE allows" :
			       NULL,
	    "poll");
}

struct sleep {
	struct pollfd fds[3];
	int64_t timeout;
};

static int
sleep_now(void *argument)
{
	struct sleep *sleep = argument;

	return timeout_poll(sleep->fds, 3, sleep->timeout);
}

/*
 * A session sleeps in one of two ways, since neither serves every object:
 *
 *   inside   in the object's own wait, which has standard input and output in
 *            it: select, poll and devpoll, which have no descriptor that could
 *            be polled everywhere; epoll, which has to be slept in for
 *            exclusive wake-ups (object_epoll.c)
 *   outside  in poll(2) on standard input, standard output and the object's
 *            descriptor, and then in an attempt that does not sleep: kqueue; an
 *            epoll instance from `fromfd', in which others may wait who would
 *            get the events of standard input; and each object while no wait is
 *            pending
 */

/*
 * Sleep until there is input, or the pending wait may have its answer.  Returns
 * 0 or an exit status: a poll that fails would otherwise be repeated for ever.
 */
static int
sleep_outside(struct session *s)
{
	struct sleep sleep = {
		{ { s->input.ended ? -1 : STDIN_FILENO, POLLIN, 0 },
		    { STDOUT_FILENO, s->output_events, 0 }, { -1, POLLIN, 0 } },
		-1
	};
	const struct pollfd *p = sleep.fds;
	/* no event reports that another process closed its number */
	bool samples = s->pending.active && s->object != s->backend;
	int64_t left = -1;
	int n;

	if (s->pending.active) {
		sleep.fds[2].fd = s->object->number(s->state);
		left = deadline_left(s->pending.deadline);
	}
	sleep.timeout = samples ? deadline_sooner(left, FOREIGN_PAUSE) : left;
	n = pmux_sleep(sleep_now, &sleep);
	if (n < 0)
		return n == -EINTR ? 0 : sleep_failed(n);
	if ((p[1].revents & (POLLERR | POLLHUP)) != 0) {
		s->output_error = -EPIPE;
		return 0;
	}
	/* where it says something else it would end each sleep at once */
	if (p[1].revents != 0)
		s->output_events = 0;
	s->input_ready = p[0].revents != 0;
	if (!s->pending.active)
		return 0;
	n = p[2].revents != 0 || left == 0 || samples ? pending_attempt(s, 0) :
							0;
	if (n != 0 || left == 0)
		pending_finish(s, n);
	return 0;
}

static bool
sleep_inside(struct session *s)
{
	return s->pending.active && s->slots->sleep != NULL &&
	    s->slots->sleep(s);
}

/* Serve all requests that were read. */
static void
serve_lines(struct session *s)
{
	char *from, *end;

	while (!s->quit && s->output_error == 0 && input_next(s, &from, &end))
		verbs_serve(s, from, end);
}

static int
session_loop(struct session *s)
{
	int status = 0;

	while (status == 0) {
		serve_lines(s);
		if (s->output_error == 0)
			s->output_error = output_flush();
		if (s->output_error != 0) {
			diag_capture(NULL);
			return print_failed(s->output_error);
		}
		if (s->quit)
			break;
		if (s->input.ended && s->pending.active &&
		    s->pending.deadline == DEADLINE_NEVER)
			pending_cancel(s);
		if (s->input.ended && !s->pending.active)
			break;
		if (!sleep_inside(s))
			status = sleep_outside(s);
		if (status == 0 && s->input_ready && s->output_error == 0)
			status = input_read(s);
	}
	return status;
}

/* ---- the beginning and the end ---- */

static bool
session_is_named(void *names, int number)
{
	struct session *s = names;

	return handles_find(&s->handles,
		   s->process >= 0 ? KIND_OWN : KIND_NUMBER, NULL, 0,
		   (uint64_t)number) != HANDLES_NONE;
}

/* Move the descriptors that pmux makes above those that requests name. */
static void
move_up(struct session *s)
{
	struct rlimit limit;
	rlim_t top = OWN_HIGHEST;

	caller_raise_files();
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < top)
		top = limit.rlim_cur;
	if (top > (rlim_t)2 * OWN_ROOM)
		fdplace_above((int)top - OWN_ROOM);
	fdplace_avoid(session_is_named, s);
}

static int
session_open_process(struct session *s, const struct targets *targets)
{
	long pid;

	if (targets->process_count == 0)
		return 0;
	if (targets->process_count > 1)
		return diag_usage("--session: more than one process");
	s->pid = targets->processes[0];
	pid = (long)s->pid;
	s->process = process_open(s->pid);
	if (s->process >= 0)
		return 0;
	if (s->process == -ENOSYS)
		return diag_unavailable("--pid: this system has no"
					" pidfd_getfd(2)");
	return diag_system(-s->process,
	    s->process == -ENOENT || s->process == -EINVAL ?
		"a thread's ID, not a process's" :
		NULL,
	    "process %ld", pid);
}

/* The slots, their state and the object. */
static int
open_object(struct session *s)
{
	struct stat st;
	size_t i = 0;
	int error;

	while (objects[i]->backend != s->backend)
		i++;
	s->slots = objects[i];
	s->own = calloc(1, s->slots->size);
	if (s->own == NULL)
		return waitset_no_object(s->backend, -ENOMEM);
	s->watches_output = fstat(STDOUT_FILENO, &st) == 0 &&
	    (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
	s->output_events = POLL_WATCH;
	s->object = s->process >= 0 && !s->slots->in_kernel ?
	    backend_over(s->backend, true) :
	    s->backend;
	error = s->object->open(&s->state, 0);
	if (error != 0)
		return waitset_no_object(s->backend, error);
	return 0;
}

static int
session_open(struct session *s)
{
	int status;

	s->process = -1;
	move_up(s);
	status = debug_open();
	if (status == 0)
		status = session_open_process(s, &s->request->targets);
	return status != 0 ? status : open_object(s);
}

/*
 * The names of FIFOs are needed until fifo_leave, whose failure main reports
 * too.
 */
static void
session_close(void *session)
{
	struct session *s = session;

	verbs_close_object(s);
	(void)fifo_leave();
	if (s->own != NULL && s->slots->close != NULL)
		s->slots->close(s->own);
	free(s->own);
	handles_close(&s->handles);
	input_close(s);
	free(s->pending.tag);
	if (s->process >= 0)
		(void)close(s->process);
	fdplace_avoid(NULL, NULL);
	free(s);
}

int
session_run(struct request *request)
{
	struct session *s = calloc(1, sizeof *s);
	int status;

	if (s == NULL)
		return diag_system(ENOMEM, NULL, "--session");
	s->request = request;
	s->backend = request->targets.backend;
	pmux_at_end(session_close, s);
	status = session_open(s);
	if (status == 0) {
		kevent_numbers();
		output_string("ready ");
		output_number(getpid());
		output_character('\n');
		diag_capture(&s->message);
		status = session_loop(s);
		diag_capture(NULL);
	}
	pmux_close();
	return status;
}
