/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>

#include "backend/backend.h"
#include "base/deadline.h"
#include "output/diag.h"
#include "output/output.h"
#include "print/print.h"
#include "run/delivery.h"
#include "run/lines.h"

static struct target *
target_of(const struct delivery *d, uint32_t index)
{
	return &d->w.waitset.targets->list[index];
}

bool
delivery_is_busy(const struct delivery *d)
{
	return d->dispatch != NULL && !dispatch_idle(d->dispatch);
}

bool
delivery_at_goal(const struct delivery *d)
{
	return d->lines ? lines_done() :
			  d->w.most != 0 && d->w.count >= d->w.most;
}

bool
delivery_is_done(const struct delivery *d)
{
	return delivery_at_goal(d) ||
	    (!delivery_is_busy(d) && d->w.unfinished == 0 &&
		d->w.waitset.targets->count > 0);
}

bool
delivery_is_full(const struct delivery *d)
{
	return !d->w.edge && !d->lines && output_used() > OUTPUT_SIZE / 2;
}

uint64_t
delivery_progress(const struct delivery *d)
{
	return d->w.count + d->settled;
}

/* ---- an event ---- */

static void
report(struct delivery *d, uint32_t index, const struct event *event)
{
	const struct target *t = target_of(d, index);

	(void)waitset_note(&d->w.waitset, t, event->bits);
	if (!d->print->quiet)
		print_event(d->print, t, event);
	d->w.count++;
}

/* Go on with another file that has the name of target INDEX. */
static int
change_file(struct delivery *d, uint32_t index)
{
	int status;

	watched_remove(&d->w, index);
	sampler_drop_edges(&d->w.sampler, index);
	status = lines_change(index);
	d->w.count = lines_count();
	return status != 0 ? status : watched_add(&d->w, index);
}

/* What the wait reports as well, if WAITED, needs no samples. */
static int
read_lines(struct delivery *d, const struct event *event, bool waited)
{
	uint32_t index = event->token;
	enum lines_answer answer = lines_take(index);
	uint64_t before = d->w.count;

	d->w.count = lines_count();
	d->w.waitset.asked |= d->w.count != before;
	switch (answer) {
	case LINES_WAIT:
		return watched_add(&d->w, index);
	case LINES_LEFT:
		return waited ? 0 : watched_sample(&d->w, index, event);
	case LINES_CHANGE:
		return change_file(d, index);
	case LINES_TURN:
		sampler_soon(&d->w.sampler);
		return watched_sample(&d->w, index, event);
	case LINES_FAILED:
		/* reading would fail again, also from the next writer */
		d->status = EXIT_SYSTEM;
		watched_end(&d->w, index);
		return 0;
	default:
		return watched_finish(&d->w, index, event);
	}
}

/*
 * Whether to sample T, which EVENT reported.  Edges report bytes that come, and
 * not bytes that are read: a reader may leave a part of them, or read a pipe
 * that hung up to its end.
 */
static bool
needs_samples(const struct delivery *d, const struct target *t,
    const struct event *event)
{
	return finished_is_readiness(d->w.waitset.targets, t) &&
	    (!d->w.edge || d->partial ||
		(event->bits & d->w.finished.hangs_up) != 0);
}

/* Report, or run PROGRAM for, what --settle has held back of target INDEX. */
static int
report_settled(struct delivery *d, uint32_t index)
{
	struct event event;
	int status = 0;

	while (status == 0 && settle_take(d->settle, index, &event))
		if (d->dispatch == NULL)
			report(d, index, &event);
		else
			status = dispatch_settled(d->dispatch, &event);
	return status;
}

int
delivery_settled(struct delivery *d, bool all)
{
	uint32_t index;
	int status = 0;

	while (status == 0 && !delivery_at_goal(d) &&
	    settle_due(d->settle, all, &index))
		if (!all && d->dispatch != NULL &&
		    dispatch_has(d->dispatch, index))
			settle_hold(d->settle, index);
		else
			status = report_settled(d, index);
	return status;
}

/* Hold EVENT back, unless it is the last of its target. */
static int
settle(struct delivery *d, const struct event *event)
{
	uint32_t index = event->token;
	const struct target *t = target_of(d, index);
	int status;

	d->settled++;
	if (settle_note(d->settle, event) != 0)
		return diag_system(ENOMEM, NULL, "--settle");
	if (!finished_is_last(&d->w.finished, t, event,
		&d->w.sampler.samples[index].children))
		return needs_samples(d, t, event) ?
		    watched_sample(&d->w, index, event) :
		    0;
	status = report_settled(d, index);
	/* a PROGRAM finishes the target when it ends */
	return status != 0 || d->dispatch != NULL ?
	    status :
	    watched_finish(&d->w, index, event);
}

/* Report EVENT, or run PROGRAM for it. */
static int
report_event(struct delivery *d, const struct event *event)
{
	uint32_t index = event->token;
	struct target *t = target_of(d, index);

	if (d->settle != NULL)
		return settle(d, event);
	if (d->dispatch != NULL)
		return dispatch_event(d->dispatch, event);
	report(d, index, event);
	if (finished_is_last(&d->w.finished, t, event,
		&d->w.sampler.samples[index].children))
		return watched_finish(&d->w, index, event);
	return needs_samples(d, t, event) ?
	    watched_sample(&d->w, index, event) :
	    0;
}

/* N is what vnodes_take or vnodes_next has returned: not 1. */
static int
vnode_failed(const struct delivery *d, const struct event *event, int n)
{
	const struct target *t = target_of(d, event->token);

	return n == 0 ? 0 :
			diag_system(-n, NULL, "%.*s", (int)t->length, t->name);
}

int
delivery_event(struct delivery *d, struct event *event)
{
	int n;

	if ((target_of(d, event->token)->flags & TARGET_SETTLED) != 0)
		return 0;
	if (d->lines)
		return read_lines(d, event, false);
	n = vnodes_take(d->vnodes, &d->w, event);
	return n == 1 ? report_event(d, event) : vnode_failed(d, event, n);
}

/* The paths whose file has changed. */
static int
take_vnodes(struct delivery *d)
{
	struct event event;
	int status = 0, n = 1;

	while (status == 0 && n != 0 && !delivery_is_done(d)) {
		n = vnodes_next(d->vnodes, &d->w, &event);
		status = n == 1 ? report_event(d, &event) :
				  vnode_failed(d, &event, n);
	}
	return status;
}

/* The files of --lines that are followed by name. */
static int
take_files(struct delivery *d, bool all)
{
	struct event event = { .token = 0 };
	int status = 0;

	while (status == 0 && lines_next(all, &event.token))
		if ((target_of(d, event.token)->flags & TARGET_SETTLED) == 0)
			status = read_lines(d, &event, true);
	return status;
}

int
delivery_files(struct delivery *d, bool all)
{
	return d->lines ? take_files(d, all) : take_vnodes(d);
}

int64_t
delivery_left(struct delivery *d)
{
	int64_t files = d->lines ? lines_left() : vnodes_left(d->vnodes);

	return deadline_sooner(files,
	    deadline_sooner(sampler_left(&d->w.sampler),
		settle_left(d->settle)));
}

/* ---- a round of samples ---- */

/* Whether a round should report T, which is ready by EVENT, again. */
static bool
has_changed(const struct delivery *d, const struct target *t,
    const struct event *event)
{
	const struct sample *sample = &d->w.sampler.samples[event->token];
	int64_t bytes;

	if (sample->changed || sample->bits != event->bits)
		return true;
	if (d->w.edge && !d->partial)
		return false;
	bytes = finished_unread(d->w.waitset.targets, t);
	/* where there are edges, one reports it if there are more */
	return d->w.edge ? bytes < sample->bytes : bytes != sample->bytes;
}

/* Reading and writing lines is not part of the cost of a round. */
static int
sample_lines(struct delivery *d, const struct event *event)
{
	int64_t began = clock_cpu();
	int status = read_lines(d, event, false);

	sampler_discount(&d->w.sampler, clock_cpu() - began);
	return status;
}

/* Where the bytes are unknown a PROGRAM runs whenever the pause has passed. */
static int
sample_dispatch(struct delivery *d, const struct target *t,
    const struct event *event, bool recent)
{
	int64_t bytes = d->w.sampler.samples[event->token].bytes;

	return has_changed(d, t, event) || (bytes < 0 && !recent) ?
	    dispatch_event(d->dispatch, event) :
	    0;
}

/* A round found a target ready: EVENT. */
static int
take_sample(struct delivery *d, const struct event *event)
{
	uint32_t index = event->token;
	const struct target *t = target_of(d, index);
	struct sample *sample = &d->w.sampler.samples[index];
	bool recent = d->w.sampler.began - sample->reported < SAMPLE_PAUSE;

	if (sample->place == 0)
		return 0;
	if (d->lines)
		return sample_lines(d, event);
	if (d->settle != NULL)
		return recent || !has_changed(d, t, event) ? 0 :
							     settle(d, event);
	if (d->dispatch != NULL)
		return sample_dispatch(d, t, event, recent);
	if ((event->bits & d->w.finished.hangs_up) != 0 && !sample->stale &&
	    finished_is_last(&d->w.finished, t, event, &sample->children)) {
		report(d, index, event);
		return watched_finish(&d->w, index, event);
	}
	if (!recent && !delivery_is_full(d) && has_changed(d, t, event)) {
		report(d, index, event);
		watched_reported(&d->w, index, event);
	}
	return 0;
}

int
delivery_round(struct delivery *d)
{
	int status = 0, error = sampler_round(&d->w.sampler);
	struct event event;
	uint32_t index;

	if (error != 0)
		return waitset_failed(&d->w.waitset, -error);
	while (status == 0 && sampler_next_ready(&d->w.sampler, &event)) {
		status = waitset_event_failed(&d->w.waitset, &event);
		if (status == 0)
			status = take_sample(d, &event);
	}
	while (status == 0 && sampler_next_idle(&d->w.sampler, &index))
		status = watched_add(&d->w, index);
	return status;
}
