/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "backend/backend.h"
#include "base/deadline.h"
#include "base/flags.h"
#include "base/pmux.h"
#include "output/diag.h"
#include "output/output.h"
#include "print/print.h"
#include "run/dispatch.h"
#include "run/lines.h"
#include "run/request.h"
#include "run/stream.h"
#include "run/watched.h"

struct stream {
	struct request *request;
	struct watched w;
	struct dispatch *dispatch; /* NULL: no PROGRAM */
	bool partial; /* reports what was read in part, as poll(2) does */
	int status; /* of what failed on the way, or 0 */
};

static struct target *
target_of(const struct stream *f, uint32_t index)
{
	return &f->w.waitset.targets->list[index];
}

/* ---- events ---- */

static void
report(struct stream *f, uint32_t index, const struct event *event)
{
	const struct target *t = target_of(f, index);

	(void)waitset_note(&f->w.waitset, t, event->bits);
	if (!f->request->print.quiet)
		print_event(&f->request->print, t, event);
	f->w.count++;
}

static int
read_lines(struct stream *f, uint32_t index, const struct event *event)
{
	enum lines_answer answer = lines_take(index);
	uint64_t before = f->w.count;

	f->w.count = lines_count();
	f->w.waitset.asked |= f->w.count != before;
	switch (answer) {
	case LINES_WAIT:
		return watched_add(&f->w, index);
	case LINES_LEFT:
		return watched_sample(&f->w, index, event);
	case LINES_TURN:
		sampler_soon(&f->w.sampler);
		return watched_sample(&f->w, index, event);
	case LINES_FAILED:
		/* reading would fail again, also from the next writer */
		f->status = EXIT_SYSTEM;
		watched_end(&f->w, index);
		return 0;
	default:
		return watched_finish(&f->w, index, event);
	}
}

/*
 * Whether to sample T, which EVENT reported.  Edges report bytes that come, and
 * not bytes that are read: a reader may leave a part of them, or read a pipe
 * that hung up to its end.
 */
static bool
needs_samples(const struct stream *f, const struct target *t,
    const struct event *event)
{
	if (!f->w.edge)
		return true;
	return finished_is_readiness(f->w.waitset.targets, t) &&
	    (f->partial || (event->bits & f->w.finished.hangs_up) != 0);
}

/* The wait reports EVENT. */
static int
take_event(struct stream *f, const struct event *event)
{
	uint32_t index = event->token;
	struct target *t = target_of(f, index);

	if ((t->flags & TARGET_SETTLED) != 0)
		return 0;
	if (f->request->stream.lines)
		return read_lines(f, index, event);
	if (f->dispatch != NULL)
		return dispatch_event(f->dispatch, event);
	report(f, index, event);
	if (finished_is_last(&f->w.finished, t, event,
		&f->w.sampler.samples[index].children))
		return watched_finish(&f->w, index, event);
	return needs_samples(f, t, event) ?
	    watched_sample(&f->w, index, event) :
	    0;
}

/*
 * Whether no record may be added in this step: the buffer would be written
 * before the step ends, and edges up to its end do not count (sampler.h).
 */
static bool
is_full(const struct stream *f)
{
	return !f->w.edge && !f->request->stream.lines &&
	    output_used() > OUTPUT_SIZE / 2;
}

/* Whether a round should report T, which is ready by EVENT, again. */
static bool
has_changed(const struct stream *f, const struct target *t,
    const struct event *event)
{
	const struct sample *sample = &f->w.sampler.samples[event->token];
	int64_t bytes;

	if (sample->changed || sample->bits != event->bits)
		return true;
	if (f->w.edge && !f->partial)
		return false;
	bytes = finished_unread(f->w.waitset.targets, t);
	/* where there are edges, one reports it if there are more */
	return f->w.edge ? bytes < sample->bytes : bytes != sample->bytes;
}

/* Reading and writing lines is not part of the cost of a round. */
static int
sample_lines(struct stream *f, const struct event *event)
{
	int64_t began = clock_cpu();
	int status = read_lines(f, event->token, event);

	sampler_discount(&f->w.sampler, clock_cpu() - began);
	return status;
}

/* Where the bytes are unknown a PROGRAM runs whenever the pause has passed. */
static int
sample_dispatch(struct stream *f, const struct target *t,
    const struct event *event, bool recent)
{
	int64_t bytes = f->w.sampler.samples[event->token].bytes;

	return has_changed(f, t, event) || (bytes < 0 && !recent) ?
	    dispatch_event(f->dispatch, event) :
	    0;
}

/* A round found a target ready: EVENT. */
static int
take_sample(struct stream *f, const struct event *event)
{
	uint32_t index = event->token;
	const struct target *t = target_of(f, index);
	struct sample *sample = &f->w.sampler.samples[index];
	bool recent = f->w.sampler.began - sample->reported < SAMPLE_PAUSE;

	if (sample->place == 0)
		return 0;
	if (f->request->stream.lines)
		return sample_lines(f, event);
	if (f->dispatch != NULL)
		return sample_dispatch(f, t, event, recent);
	if ((event->bits & f->w.finished.hangs_up) != 0 && !sample->stale &&
	    finished_is_last(&f->w.finished, t, event, &sample->children)) {
		report(f, index, event);
		return watched_finish(&f->w, index, event);
	}
	if (!recent && !is_full(f) && has_changed(f, t, event)) {
		report(f, index, event);
		watched_reported(&f->w, index, event);
	}
	return 0;
}

static int
sample_all(struct stream *f)
{
	int status = 0, error = sampler_round(&f->w.sampler);
	struct event event;
	uint32_t index;

	if (error != 0)
		return waitset_failed(&f->w.waitset, -error);
	while (status == 0 && sampler_next_ready(&f->w.sampler, &event)) {
		status = waitset_event_failed(&f->w.waitset, &event);
		if (status == 0)
			status = take_sample(f, &event);
	}
	while (status == 0 && sampler_next_idle(&f->w.sampler, &index))
		status = watched_add(&f->w, index);
	return status;
}

/* ---- the loop ---- */

static bool
is_done(const struct stream *f)
{
	return (f->w.unfinished == 0 && f->w.waitset.targets->count > 0 &&
		   (f->dispatch == NULL || dispatch_idle(f->dispatch))) ||
	    (f->w.most != 0 && f->w.count >= f->w.most);
}

static int64_t
sooner(int64_t a, int64_t b)
{
	return a == -1 || (b != -1 && b < a) ? b : a;
}

/* The events of the last wait.  Sets *OUTPUT_ERROR if output has no reader. */
static int
deliver(struct stream *f, int *output_error)
{
	const struct request *r = f->request;
	int64_t left = r->wait.max_events;
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
		status = take_event(f, &event);
		left--;
	}
	return status != 0 ? status : f->w.waitset.failed;
}

static void
end_step(struct stream *f, int *output_error)
{
	sampler_end_step(&f->w.sampler);
	if (*output_error == 0)
		*output_error = output_flush();
}

/* One wait and its events.  Returns 0 or an exit status. */
static int
step(struct stream *f, int64_t left, int *output_error)
{
	int n, status;

	status = waitset_wait(&f->w.waitset,
	    sooner(left, sampler_left(&f->w.sampler)), &n);
	if (status == 0 && n > 0)
		status = deliver(f, output_error);
	if (status == 0 && sampler_is_due(&f->w.sampler)) {
		/* the reader of the reports acts on them before the round */
		end_step(f, output_error);
		if (*output_error == 0)
			status = sample_all(f);
	}
	if (status == 0 && f->dispatch != NULL)
		status = dispatch_run(f->dispatch);
	end_step(f, output_error);
	return status;
}

/* Returns 0 or an exit status. */
static int
loop(struct stream *f, bool *timed_out, int *output_error)
{
	const struct request *r = f->request;
	deadline_t idle = deadline_in(r->stream.idle);
	uint64_t before;
	int status = 0;
	bool busy;

	while (status == 0 && *output_error == 0 && !is_done(f) &&
	    (f->dispatch == NULL || !dispatch_stopped(f->dispatch))) {
		before = f->w.count;
		if (r->stream.lines)
			lines_await_output();
		busy = f->dispatch != NULL && !dispatch_idle(f->dispatch);
		status = step(f,
		    sooner(deadline_left(r->wait.deadline),
			busy ? -1 : deadline_left(idle)),
		    output_error);
		busy |= f->dispatch != NULL && !dispatch_idle(f->dispatch);
		if (f->w.count != before || busy)
			idle = deadline_in(r->stream.idle);
		else if (deadline_left(idle) == 0)
			*timed_out = true;
		if (deadline_left(r->wait.deadline) == 0)
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
	struct request *r = f->request;
	bool timed_out = false;
	int status = 0, output_error = 0, error;

	if (r->program.arguments != NULL)
		status = dispatch_open(&f->dispatch, &f->w, &r->program,
		    &r->print);
	/* events that were not printed stay, and will be printed again */
	output_until(r->wait.deadline, r->stream.lines && f->w.most != 0);
	if (status == 0)
		status = loop(f, &timed_out, &output_error);
	if (r->stream.lines)
		lines_close();
	error = output_flush();
	if (output_error == 0)
		output_error = error;
	if (status == 0)
		status = result(f, timed_out);
	return output_error != 0 ? print_failed(output_error) : status;
}

/* ---- the backend ---- */

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
 * Use a better backend for the stream, if the command has one and it takes
 * every target: epoll refuses files that are always ready.  Returns 0, or an
 * exit status, or -errno if the usual backend must be used.
 */
static int
open_better(struct stream *f, struct request *request)
{
	struct targets *targets = &request->targets;
	const struct backend *const *streams = request->stream.better,
				    *usual = targets->backend, *better;
	const char *detail;
	int status;

	while (streams != NULL && *streams != NULL &&
	    (*streams)->probe(&detail) < 0)
		streams++;
	/* only poll(2) reports nval for what another process has closed */
	if (streams == NULL || *streams == NULL ||
	    (targets->process_count > 0 && !targets->copied))
		return -ENOSYS;
	better = *streams;
	for (size_t i = 0; i < targets->count; i++)
		targets->list[i].bits = translate(usual, better,
		    targets->list[i].bits);
	targets->backend = better;
	status = waitset_open(&f->w.waitset, targets, &request->wait,
	    request->stream.lines ? 0 : better->flag_edge, true);
	if (status >= 0)
		return status;
	waitset_close(&f->w.waitset);
	for (size_t i = 0; i < targets->count; i++)
		targets->list[i].bits = translate(better, usual,
		    targets->list[i].bits);
	targets->backend = usual;
	return status;
}

static void
stream_close(void *stream)
{
	struct stream *f = stream;

	/* where the host left: prints the lines that were begun */
	lines_close();
	if (f->dispatch != NULL)
		dispatch_close(f->dispatch);
	if (f->w.sampler.targets != NULL)
		sampler_close(&f->w.sampler);
	waitset_close(&f->w.waitset);
	free(f);
}

int
stream_run(struct request *request)
{
	const struct stream_options *options = &request->stream;
	struct targets *targets = &request->targets;
	uint32_t edge = options->lines ? 0 : targets->backend->flag_edge;
	struct stream *f = calloc(1, sizeof *f);
	int status;

	if (f == NULL)
		return diag_system(ENOMEM, NULL, "targets");
	pmux_at_end(stream_close, f);
	f->request = request;
	f->w.unfinished = targets->count;
	f->w.most = (uint64_t)options->count;
	f->w.reopen = options->reopen;
	f->partial = options->better != NULL;
	status = options->lines ? lines_open(targets, &request->print,
				      (size_t)options->longest, f->w.most) :
				  0;
	if (status == 0)
		status = open_better(f, request);
	if (status < 0)
		status = waitset_open(&f->w.waitset, targets, &request->wait,
		    edge, false);
	/* a target whose PROGRAM runs is not watched meanwhile */
	f->w.edge = f->w.waitset.more != 0 &&
	    request->program.arguments == NULL;
	finished_open(&f->w.finished, targets);
	if (status == 0 &&
	    sampler_open(&f->w.sampler, targets, request->wait.data,
		f->w.edge) != 0)
		status = diag_system(ENOMEM, NULL, "targets");
	if (status == 0)
		status = run(f);
	pmux_close();
	return status;
}
