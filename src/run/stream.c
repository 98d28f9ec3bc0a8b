/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>

#include "backend/backend.h"
#include "base/deadline.h"
#include "base/flags.h"
#include "output/diag.h"
#include "output/output.h"
#include "print/print.h"
#include "run/dispatch.h"
#include "run/lines.h"
#include "run/stream.h"
#include "run/watched.h"

struct stream {
	struct watched w;
	struct dispatch *dispatch; /* NULL: no PROGRAM */
	bool sampled; /* also for what was read in part */
	int status; /* of what failed on the way, or 0 */
};

static struct target *
target_of(const struct stream *f, uint32_t index)
{
	return &f->w.waitset.request->targets.list[index];
}

/* ---- events ---- */

static void
tell(struct stream *f, uint32_t index, const struct event *event)
{
	const struct target *t = target_of(f, index);

	(void)waitset_note(&f->w.waitset, t, event->bits);
	if (!f->w.waitset.request->quiet)
		print_event(f->w.waitset.request, t, event);
	f->w.count++;
}

static int
read_lines(struct stream *f, uint32_t index, const struct event *event)
{
	enum lines_answer answer = lines_take(f->w.waitset.request, index);
	uint64_t before = f->w.count;

	f->w.count = lines_count();
	f->w.waitset.asked |= f->w.count != before;
	switch (answer) {
	case LINES_WAIT:
		if (f->w.sampler.rests[index].place == 0)
			return 0;
		sampler_remove(&f->w.sampler, index);
		return watched_add(&f->w, index);
	case LINES_LEFT:
		return watched_sample(&f->w, index, event);
	case LINES_TURN:
		sampler_hasten(&f->w.sampler);
		return watched_sample(&f->w, index, event);
	case LINES_FAILED:
		/* it would fail again, for the next writer too */
		f->status = EXIT_SYSTEM;
		watched_end(&f->w, index);
		return 0;
	default:
		return watched_finish(&f->w, index, event);
	}
}

/*
 * Whether T, of which EVENT was told, is to be looked at from time to time.
 * Edges tell of what comes, and not of what is read: somebody may have left a
 * part of it, or what hung up may have been read to its end.
 */
static bool
is_to_rest(const struct stream *f, const struct target *t,
    const struct event *event)
{
	if (!f->w.edge)
		return true;
	if (!finished_is_readiness(f->w.waitset.request, t))
		return false;
	return (event->bits & f->w.finished.hangs_up) != 0 ||
	    (f->sampled && finished_unread(f->w.waitset.request, t) > 0);
}

/* News of a target that is watched. */
static int
take_news(struct stream *f, const struct event *event)
{
	uint32_t index = event->token;
	struct target *t = target_of(f, index);
	bool last;

	if ((t->flags & TARGET_SETTLED) != 0)
		return 0;
	if (f->w.waitset.request->lines)
		return read_lines(f, index, event);
	if (f->dispatch != NULL)
		return dispatch_event(f->dispatch, event);
	tell(f, index, event);
	last = finished_is_last(&f->w.finished, t, event,
	    &f->w.sampler.rests[index].children);
	if (last)
		return watched_finish(&f->w, index, event);
	return is_to_rest(f, t, event) ? watched_sample(&f->w, index, event) :
					 0;
}

/*
 * Whether no record may be added in this step: it would be read before the step
 * is over, and sampler_step takes it that nobody has read what was told.
 */
static bool
is_full(const struct stream *f)
{
	return !f->w.edge && !f->w.waitset.request->lines &&
	    output_used() > OUTPUT_SIZE / 2;
}

/* Whether T has other bytes than when it was told: of more, an edge tells. */
static bool
has_other_bytes(const struct stream *f, const struct target *t,
    const struct sample *rest)
{
	int64_t bytes;

	if (f->w.edge && !f->sampled)
		return false;
	bytes = finished_unread(f->w.waitset.request, t);
	return f->w.edge ? bytes < rest->bytes : bytes != rest->bytes;
}

/* How long the reader of the output takes says nothing of what a look costs. */
static int
sample_lines(struct stream *f, uint32_t index, const struct event *event)
{
	int64_t began = clock_now();
	int status = read_lines(f, index, event);

	sampler_excuse(&f->w.sampler, clock_now() - began);
	return status;
}

/* A target that rests is ready still. */
static int
take_sample(struct stream *f, const struct event *event)
{
	uint32_t index = event->token;
	const struct target *t = target_of(f, index);
	struct sample *rest = &f->w.sampler.rests[index];
	bool changed = rest->bits != event->bits || rest->news;

	if (rest->place == 0)
		return 0;
	changed = changed || has_other_bytes(f, t, rest);
	if (f->dispatch != NULL)
		return changed ||
			(rest->bytes < 0 &&
			    clock_now() - rest->told >= RESTING_PAUSE) ?
		    dispatch_event(f->dispatch, event) :
		    0;
	if (f->w.waitset.request->lines)
		return sample_lines(f, index, event);
	if ((event->bits & f->w.finished.hangs_up) != 0 && !rest->old &&
	    finished_is_last(&f->w.finished, t, event, &rest->children)) {
		tell(f, index, event);
		return watched_finish(&f->w, index, event);
	}
	if (changed && !is_full(f) &&
	    clock_now() - rest->told >= RESTING_PAUSE) {
		tell(f, index, event);
		watched_reported(&f->w, index, event);
	}
	return 0;
}

static int
look(struct stream *f)
{
	int status = 0, error = sampler_read(&f->w.sampler);
	struct event event;
	uint32_t index;

	if (error != 0)
		return waitset_failed(&f->w.waitset, -error);
	while (status == 0 && sampler_next(&f->w.sampler, &event)) {
		status = waitset_event_failed(&f->w.waitset, &event);
		if (status == 0)
			status = take_sample(f, &event);
	}
	while (status == 0 && sampler_next_woken(&f->w.sampler, &index))
		status = watched_add(&f->w, index);
	return status;
}

/* ---- the loop ---- */

static bool
is_done(const struct stream *f)
{
	const struct request *r = f->w.waitset.request;

	return (f->w.unfinished == 0 && r->targets.count > 0 &&
		   (f->dispatch == NULL || dispatch_idle(f->dispatch))) ||
	    (r->events != 0 && f->w.count >= r->events);
}

static int64_t
sooner(int64_t a, int64_t b)
{
	return a == -1 || (b != -1 && b < a) ? b : a;
}

/* The events of the last wait.  Sets *OUTPUT_ERROR if nobody reads them. */
static int
deliver(struct stream *f, int *output_error)
{
	const struct request *r = f->w.waitset.request;
	size_t left = r->max_events == 0 ? SIZE_MAX : r->max_events;
	int taken, status = 0;
	struct event event;

	while (status == 0 && left > 0 && !is_done(f) && !is_full(f) &&
	    (taken = waitset_next(&f->w.waitset, &event)) != 0) {
		if (taken < 0)
			*output_error = taken;
		if (taken < 0)
			break;
		if (event.token > r->targets.count) {
			status = dispatch_wake(f->dispatch);
			continue;
		}
		status = take_news(f, &event);
		left--;
	}
	return status != 0 ? status : f->w.waitset.failed;
}

/* One wait and what comes of it.  Returns 0 or an exit status. */
static int
step(struct stream *f, int64_t left, int *output_error)
{
	const struct request *r = f->w.waitset.request;
	size_t max = r->targets.count + 2;
	int n, status;

	if (r->max_events != 0 && r->max_events < max)
		max = r->max_events;
	status = waitset_wait(&f->w.waitset, max,
	    sooner(left, sampler_left(&f->w.sampler)), &n);
	if (status == 0 && n > 0)
		status = deliver(f, output_error);
	if (status == 0 && *output_error == 0 && f->w.sampler.count > 0 &&
	    sampler_left(&f->w.sampler) == 0)
		status = look(f);
	if (status == 0 && f->dispatch != NULL)
		status = dispatch_run(f->dispatch);
	sampler_step(&f->w.sampler);
	if (*output_error == 0)
		*output_error = output_flush();
	return status;
}

/* Returns 0 or an exit status. */
static int
loop(struct stream *f, bool *timed_out, int *output_error)
{
	const struct request *r = f->w.waitset.request;
	deadline_t idle = deadline_in(r->idle);
	uint64_t before;
	int status = 0;
	bool busy;

	while (status == 0 && *output_error == 0 && !is_done(f) &&
	    (f->dispatch == NULL || !dispatch_stopped(f->dispatch))) {
		before = f->w.count;
		if (r->lines)
			lines_await_output();
		busy = f->dispatch != NULL && !dispatch_idle(f->dispatch);
		status = step(f,
		    sooner(deadline_left(r->deadline),
			busy ? -1 : deadline_left(idle)),
		    output_error);
		busy |= f->dispatch != NULL && !dispatch_idle(f->dispatch);
		if (f->w.count != before || busy)
			idle = deadline_in(r->idle);
		else if (deadline_left(idle) == 0)
			*timed_out = true;
		if (deadline_left(r->deadline) == 0)
			*timed_out = true;
		if (*timed_out)
			break;
	}
	return status;
}

static int
result(const struct stream *f, bool timed_out)
{
	if (f->status != 0)
		return f->status;
	if (f->w.waitset.asked)
		return EXIT_EVENT;
	return timed_out && !is_done(f) ? EXIT_TIMED_OUT : EXIT_UNASKED;
}

static int
run(struct stream *f)
{
	struct request *r = f->w.waitset.request;
	bool timed_out = false;
	int status = 0, output_error = 0, error;

	if (r->program != NULL)
		status = dispatch_open(&f->dispatch, &f->w);
	/* what was not printed is left, and will be printed again */
	output_until(r->deadline, r->lines && r->events != 0);
	if (status == 0)
		status = loop(f, &timed_out, &output_error);
	if (r->lines)
		lines_close(r);
	error = output_flush();
	if (output_error == 0)
		output_error = error;
	if (status == 0)
		status = result(f, timed_out);
	if (f->dispatch != NULL)
		dispatch_close(f->dispatch);
	return output_error != 0 ? print_failed(output_error) : status;
}

/* ---- what it waits with ---- */

/* The same events by the names that BACKEND has for them. */
static uint32_t
translate(const struct backend *from, const struct backend *to, uint32_t bits)
{
	uint32_t translated = 0;

	for (const struct flag *flag = from->flags; *flag->name != '\0'; flag++)
		if (flag->bit != 0 && (bits & flag->bit) == flag->bit)
			translated |= flags_bit(to->flags, flag->name);
	return translated;
}

/*
 * Where the command has something better for a stream, and that takes every
 * target: epoll refuses what is always ready.  Returns 0, or an exit status, or
 * -errno if it is to be what is usual.
 */
static int
open_better(struct stream *f, struct request *request)
{
	const struct backend *const *streams = request->streams,
				    *usual = request->backend, *better;
	struct targets *targets = &request->targets;
	const char *detail;
	int status;

	while (streams != NULL && *streams != NULL &&
	    (*streams)->probe(&detail) < 0)
		streams++;
	/* of what another process has closed poll(2) alone says nval */
	if (streams == NULL || *streams == NULL ||
	    (targets->process_count > 0 && !targets->copied))
		return -ENOSYS;
	better = *streams;
	for (size_t i = 0; i < targets->count; i++)
		targets->list[i].bits = translate(usual, better,
		    targets->list[i].bits);
	request->backend = better;
	status = waitset_try(&f->w.waitset, request,
	    request->lines ? 0 : better->flag_edge);
	if (status >= 0)
		return status;
	waitset_close(&f->w.waitset);
	for (size_t i = 0; i < targets->count; i++)
		targets->list[i].bits = translate(better, usual,
		    targets->list[i].bits);
	request->backend = usual;
	return status;
}

int
stream_run(struct request *request)
{
	struct stream f = { .w.unfinished = request->targets.count };
	int status = request->lines ? lines_open(request) : 0;
	uint32_t edge = request->lines ? 0 : request->backend->flag_edge;

	if (status != 0)
		return status;
	status = open_better(&f, request);
	if (status < 0)
		status = waitset_open(&f.w.waitset, request, edge);
	f.sampled = request->streams != NULL;
	/* what PROGRAM runs for is not watched meanwhile */
	f.w.edge = f.w.waitset.more != 0 && request->program == NULL;
	finished_open(&f.w.finished, request);
	if (status == 0 && sampler_open(&f.w.sampler, request, f.w.edge) != 0)
		status = diag_system(ENOMEM, NULL, "targets");
	if (status == 0)
		status = run(&f);
	if (f.w.sampler.request != NULL)
		sampler_close(&f.w.sampler);
	waitset_close(&f.w.waitset);
	return status;
}
