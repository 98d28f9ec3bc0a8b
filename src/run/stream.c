/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>

#include <errno.h>
#include <stdlib.h>

#include "await/await.h"
#include "backend/backend.h"
#include "base/deadline.h"
#include "base/duration.h"
#include "base/flags.h"
#include "base/pmux.h"
#include "output/diag.h"
#include "fifo/fifo.h"
#include "output/output.h"
#include "print/print.h"
#include "run/delivery.h"
#include "run/dispatch.h"
#include "run/lifetime.h"
#include "run/lines.h"
#include "run/request.h"
#include "run/settle.h"
#include "run/stream.h"
#include "run/vnodes.h"
#include "run/watched.h"
#include "sys/sigdefer.h"
#include "sys/terminate.h"

struct stream {
	struct request *request;
	struct delivery d;
	struct lifetime life; /* of the process of --while */
	bool drained; /* its end, and nothing is left of what it wrote */
	bool woken; /* the last wait reported something */
};

/* --count or --until */
static bool
has_goal(const struct stream *f)
{
	return f->d.w.most != 0 || f->request->stream.until != NULL;
}

static bool
is_done(const struct stream *f)
{
	return delivery_is_done(&f->d) ||
	    (f->drained && !delivery_is_busy(&f->d));
}

/* ---- what is waited for beside the targets ---- */

/* Wait for FD, too, which may be -1; OTHER is its token. */
static int
watch_other(struct stream *f, int fd, uint32_t other, const char *option)
{
	struct waitset *w = &f->d.w.waitset;
	int error = fd == -1 ?
	    0 :
	    w->backend->add(w->state, (uint32_t)w->targets->count + other, fd,
		w->backend->mask_read);

	return error == 0 ? 0 : diag_system(-error, NULL, "%s", option);
}

/*
 * What makes a round of samples come soon: the next byte of a line that
 * --partial tries, and a change of a file.
 */
static int
watch_others(struct stream *f)
{
	const struct stream_options *options = &f->request->stream;
	int status = watch_other(f,
	    options->partial ? sampler_edges(&f->d.w.sampler) : -1,
	    WAITSET_EDGES, "--partial");

	if (status == 0 && options->lines)
		status = watch_other(f, lines_files(), WAITSET_FILES,
		    "--reopen");
	return status;
}

/* ---- the loop ---- */

/* The event of something else than a target, which OTHER says. */
static int
take_other(struct stream *f, size_t other)
{
	switch (other) {
	case WAITSET_PROGRAM:
		settle_release(f->d.settle);
		return dispatch_wake(f->d.dispatch);
	case WAITSET_PROCESS:
		lifetime_end(&f->life, &f->d.w.waitset);
		return 0;
	case WAITSET_FILES:
		lines_read_files();
		sampler_soon(&f->d.w.sampler);
		return 0;
	default:
		sampler_read_edges(&f->d.w.sampler);
		sampler_soon(&f->d.w.sampler);
		return 0;
	}
}

/* The events of the last wait.  Sets *OUTPUT_ERROR if output has no reader. */
static int
deliver(struct stream *f, int *output_error)
{
	const struct request *r = f->request;
	int64_t left = r->wait.max_events;
	int taken, status = 0;
	struct event event;

	while (status == 0 && left > 0 && !is_done(f) &&
	    !delivery_is_full(&f->d) &&
	    (taken = waitset_next(&f->d.w.waitset, &event)) != 0) {
		if (taken < 0)
			*output_error = taken;
		if (taken < 0)
			break;
		if (event.token > r->targets.count) {
			status = take_other(f, event.token - r->targets.count);
			continue;
		}
		status = delivery_event(&f->d, &event);
		left--;
	}
	return status != 0 ? status : f->d.w.waitset.failed;
}

static void
end_step(struct stream *f, int *output_error)
{
	sampler_end_step(&f->d.w.sampler);
	if (*output_error == 0)
		*output_error = output_flush();
}

/*
 * One wait and its events; ALL: those of the other sources, too, due or not.
 * Returns 0 or an exit status.
 */
static int
step(struct stream *f, int64_t left, bool all, int *output_error)
{
	int n, status;

	left = deadline_sooner(left, delivery_left(&f->d));
	status = waitset_wait(&f->d.w.waitset, left, &n);
	f->woken = n > 0;
	if (status == 0 && n > 0)
		status = deliver(f, output_error);
	lifetime_check(&f->life, &f->d.w.waitset);
	if (status == 0 && *output_error == 0)
		status = delivery_files(&f->d, all || f->life.ended);
	if (status == 0 &&
	    (all ? f->d.w.sampler.count > 0 :
		   sampler_is_due(&f->d.w.sampler))) {
		/* the reader of the reports acts on them before the round */
		end_step(f, output_error);
		if (*output_error == 0)
			status = delivery_round(&f->d);
	}
	if (status == 0)
		status = delivery_settled(&f->d, false);
	if (status == 0 && f->d.dispatch != NULL)
		status = dispatch_run(f->d.dispatch);
	end_step(f, output_error);
	return status;
}

/*
 * The process of --while has ended; one step with all that was ready then, and
 * what that left, has been made.  If it brought nothing, that was all.
 */
static int
drain(struct stream *f, uint64_t before)
{
	bool any = f->woken || delivery_progress(&f->d) != before;

	for (uint32_t i = 0; f->d.lines && !any && !is_done(f) &&
	     i < f->d.w.waitset.targets->count;
	     i++)
		if (lines_take_last(i))
			f->d.w.waitset.asked = true;
	f->drained = !any;
	return f->drained ? delivery_settled(&f->d, true) : 0;
}

/* A wait, as the state of the stream demands.  Returns 0 or an exit status. */
static int
next_step(struct stream *f, deadline_t idle, int *output_error)
{
	int64_t left = deadline_sooner(deadline_left(f->request->wait.deadline),
	    lifetime_left(&f->life));
	uint64_t before = delivery_progress(&f->d);
	bool ended = f->life.ended;
	int status;

	if (!ended && !delivery_is_busy(&f->d))
		left = deadline_sooner(left, deadline_left(idle));
	status = step(f, left, ended, output_error);
	if (ended && status == 0 && *output_error == 0)
		status = drain(f, before);
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
	bool active;

	while (status == 0 && *output_error == 0 && !is_done(f) &&
	    (f->d.dispatch == NULL || !dispatch_stopped(f->d.dispatch))) {
		before = delivery_progress(&f->d);
		if (r->stream.lines)
			lines_await_output();
		active = delivery_is_busy(&f->d);
		status = next_step(f, idle, output_error);
		active |= delivery_is_busy(&f->d) ||
		    delivery_progress(&f->d) != before;
		if (active)
			idle = deadline_in(r->stream.idle);
		*timed_out = !is_done(f) &&
		    ((!active && deadline_left(idle) == 0) ||
			deadline_left(r->wait.deadline) == 0);
		if (*timed_out)
			break;
	}
	/* what came at the same moment counts */
	if (*timed_out && status == 0 && f->d.dispatch == NULL &&
	    *output_error == 0)
		status = step(f, 0, true, output_error);
	if (status == 0 && f->d.dispatch == NULL)
		status = delivery_settled(&f->d, true);
	return status;
}

static int
result(const struct stream *f, bool timed_out)
{
	if (f->d.status != 0)
		return f->d.status;
	if (delivery_at_goal(&f->d))
		return EXIT_EVENT;
	if (timed_out && !is_done(f))
		return EXIT_TIMED_OUT;
	return f->d.w.waitset.asked && !has_goal(f) ? EXIT_EVENT : EXIT_UNASKED;
}

/* An expression of --until takes longer than --timeout allows. */
static void
give_up(void)
{
	terminate_with(fifo_leave() != 0 ? EXIT_SYSTEM : EXIT_TIMED_OUT);
}

static int
run(struct stream *f)
{
	struct request *r = f->request;
	bool timed_out = false;
	int status = 0, output_error = 0, error;

	if (r->program.arguments != NULL)
		status = dispatch_open(&f->d.dispatch, &f->d.w, &r->program,
		    &r->print);
	/* events that were not printed stay, and will be printed again */
	output_until(r->wait.deadline, r->stream.lines && has_goal(f));
	if (r->stream.until != NULL)
		sigdefer_deadline(r->wait.deadline, give_up);
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
 * every target: epoll refuses files that are always ready, also those that come
 * later.  Returns 0, or an exit status, or -errno if the usual backend must be
 * used.
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
	    (targets->process_count > 0 && !targets->copied) ||
	    (targets->late && targets->awaited))
		return -ENOSYS;
	better = await_over(*streams, false);
	for (size_t i = 0; i < targets->count; i++)
		targets->list[i].bits = translate(usual, better,
		    targets->list[i].bits);
	targets->backend = better;
	status = waitset_open(&f->d.w.waitset, targets, &request->wait,
	    request->stream.lines ? 0 : better->flag_edge, true);
	if (status >= 0)
		return status;
	waitset_close(&f->d.w.waitset);
	for (size_t i = 0; i < targets->count; i++)
		targets->list[i].bits = translate(better, usual,
		    targets->list[i].bits);
	targets->backend = usual;
	return status;
}

/* Returns 0 or an exit status, a message having been printed. */
static int
open_settle(struct stream *f)
{
	const struct stream_options *options = &f->request->stream;

	if (options->settle == DURATION_FOREVER)
		return 0;
	return settle_open(&f->d.settle, f->request->targets.count,
		   options->settle, options->settle_limit) == 0 ?
	    0 :
	    diag_system(ENOMEM, NULL, "--settle");
}

static void
stream_close(void *stream)
{
	struct stream *f = stream;

	/* where the host left: prints the lines that were begun */
	lines_close();
	if (f->d.dispatch != NULL)
		dispatch_close(f->d.dispatch);
	settle_close(f->d.settle);
	vnodes_close(f->d.vnodes);
	if (f->d.w.sampler.targets != NULL)
		sampler_close(&f->d.w.sampler);
	waitset_close(&f->d.w.waitset);
	lifetime_close(&f->life);
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
	f->d.w.unfinished = targets->count;
	f->d.w.most = (uint64_t)options->count;
	f->d.w.reopen = options->reopen;
	f->d.partial = options->better != NULL;
	lifetime_begin(&f->life);
	f->d.print = &request->print;
	f->d.lines = options->lines;
	status = options->lines ?
	    lines_open(targets, &request->print, options) :
	    0;
	if (status == 0 && options->reopen && !options->lines &&
	    vnodes_open(&f->d.vnodes, targets) != 0)
		status = diag_system(ENOMEM, NULL, "targets");
	if (status == 0)
		status = open_better(f, request);
	if (status < 0)
		status = waitset_open(&f->d.w.waitset, targets, &request->wait,
		    edge, false);
	f->d.w.edge = f->d.w.waitset.more != 0 &&
	    request->program.arguments == NULL;
	f->d.w.stays = f->d.w.waitset.more != 0 && !f->d.w.edge &&
	    options->settle == DURATION_FOREVER;
	finished_open(&f->d.w.finished, targets);
	if (status == 0 &&
	    sampler_open(&f->d.w.sampler, targets, request->wait.data,
		f->d.w.edge) != 0)
		status = diag_system(ENOMEM, NULL, "targets");
	if (status == 0)
		status = open_settle(f);
	if (status == 0)
		status = lifetime_open(&f->life, &f->d.w.waitset,
		    options->process);
	if (status == 0)
		status = watch_others(f);
	if (status == 0)
		status = run(f);
	pmux_close();
	return status;
}
