/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/deadline.h"
#include "base/pmux.h"
#include "output/diag.h"
#include "output/output.h"
#include "print/print.h"
#include "run/once.h"
#include "run/program.h"
#include "wait/waitset.h"

static void
settle(struct once *once, struct target *t, uint32_t token)
{
	once->unsettled--;
	t->flags |= TARGET_SETTLED;
	(void)once->w.backend->remove(once->w.state, token, t->fd);
}

/*
 * Print the events of the last wait.  Returns 0, or -EPIPE if standard output
 * has no reader.
 */
static int
deliver(struct once *once)
{
	struct waitset *w = &once->w;
	struct request *r = once->request;
	int64_t left = r->wait.max_events;
	struct event event;
	struct target *t;
	int taken;

	while (left > 0 && (taken = waitset_next(w, &event)) != 0) {
		if (taken < 0)
			return taken;
		t = &r->targets.list[event.token];
		/* kqueue: a tracked process has children */
		if ((t->flags & TARGET_SETTLED) != 0)
			continue;
		if (waitset_note(w, t, event.bits))
			t->flags |= TARGET_ASKED;
		if (!r->print.quiet)
			print_event(&r->print, t, &event);
		if (r->all)
			settle(once, t, event.token);
		left--;
	}
	return 0;
}

/*
 * Become PROGRAM for the first event that was asked for.  If there is none, the
 * others are printed.  COUNT is how many there are.  Returns 0 or an exit
 * status.
 */
static int
run_program(struct once *once, int count)
{
	struct waitset *w = &once->w;
	struct request *r = once->request;
	struct target *t;
	struct event *events = calloc((size_t)count, sizeof *events);
	int n = 0, status = 0;

	if (events == NULL)
		return diag_system(ENOMEM, NULL, "%s", *r->program.arguments);
	if (r->wait.max_events < count)
		count = (int)r->wait.max_events;
	for (; n < count && waitset_next(w, &events[n]) > 0; n++) {
		t = &r->targets.list[events[n].token];
		if (!waitset_note(w, t, events[n].bits))
			continue;
		status = program_become(&r->program, &r->print, t, &events[n]);
		once->ran = true;
		break;
	}
	for (int i = 0; i < n && !once->ran && !r->print.quiet; i++)
		print_event(&r->print, &r->targets.list[events[i].token],
		    &events[i]);
	free(events);
	return status;
}

/*
 * One wait of the primitive, for at most LEFT nanoseconds (-1: for ever).
 * Returns 0 or an exit status.
 */
static int
wait_once(struct once *once, int64_t left, int *output_error)
{
	struct request *r = once->request;
	int n, status;

	status = waitset_wait(&once->w, left, &n);
	if (n > 0 && r->program.arguments != NULL)
		status = run_program(once, n);
	else if (n > 0)
		*output_error = deliver(once);
	if (status == 0)
		status = once->w.failed;
	if (*output_error == 0)
		*output_error = output_flush();
	return status;
}

static int
result(const struct once *once)
{
	const struct targets *targets = &once->request->targets;

	if (!once->request->all)
		return once->w.asked ? EXIT_EVENT : EXIT_UNASKED;
	for (size_t i = 0; i < targets->count; i++)
		if ((targets->list[i].flags & TARGET_ASKED) == 0)
			return EXIT_UNASKED;
	return EXIT_EVENT;
}

static bool
finished(const struct once *once)
{
	return once->ran ||
	    (once->request->all ? once->unsettled == 0 : once->w.reported);
}

static int
run(struct once *once, struct request *request)
{
	int status = waitset_open(&once->w, &request->targets, &request->wait,
	    0, false);
	int64_t left;
	int output_error = 0;
	/*
	 * To sleep costs a host more system calls than what is ready needs.  But
	 * --ready-fd promises a wait that has begun.
	 */
	bool ask = pmux->host->sleep != NULL && request->wait.ready_fd == -1;

	once->request = request;
	once->unsettled = request->targets.count;
	while (status == 0 && !finished(once)) {
		left = ask ? 0 : deadline_left(request->wait.deadline);
		ask = false;
		status = wait_once(once, left, &output_error);
		if (output_error != 0)
			return print_failed(output_error);
		if (status == 0 && !finished(once) &&
		    deadline_left(request->wait.deadline) == 0)
			return EXIT_TIMED_OUT;
	}
	return status != 0 || once->ran ? status : result(once);
}

int
once_run(struct request *request)
{
	struct once *once = pmux->once;
	int status = run(once, request);

	once_end(once);
	return status;
}

void
once_end(struct once *once)
{
	waitset_close(&once->w);
}
