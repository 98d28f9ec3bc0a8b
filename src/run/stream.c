/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "backend/backend.h"
#include "base/deadline.h"
#include "base/flags.h"
#include "fifo/fifo.h"
#include "output/diag.h"
#include "output/output.h"
#include "print/print.h"
#include "run/dispatch.h"
#include "run/lines.h"
#include "run/stream.h"
#include "sys/fdplace.h"
#include "sys/peer.h"

static struct target *
target_of(const struct stream *f, uint32_t index)
{
	return &f->w.request->targets.list[index];
}

/* Whether target INDEX is in the wait: with edges it is to its end. */
static bool
is_watched(const struct stream *f, uint32_t index)
{
	return f->edge || f->r.rests[index].place == 0;
}

/* Target INDEX is in no wait any more, and does not rest. */
void
stream_unwatch(struct stream *f, uint32_t index)
{
	if (is_watched(f, index))
		(void)f->w.backend->remove(f->w.state, index,
		    target_of(f, index)->fd);
	sampler_remove(&f->r, index);
}

int
stream_watch(struct stream *f, uint32_t index)
{
	return f->edge ? 0 : waitset_add(&f->w, index);
}

static void
remember(struct stream *f, uint32_t index, const struct event *event)
{
	struct sample *rest = &f->r.rests[index];

	sampler_tell(&f->r, index);
	rest->bits = event->bits;
	rest->bytes = finished_unread(f->w.request, target_of(f, index));
	rest->told = clock_now();
}

int
stream_rest(struct stream *f, uint32_t index, const struct event *event)
{
	const struct target *t = target_of(f, index);
	bool watched = is_watched(f, index) && !f->edge;
	int error;

	remember(f, index, event);
	error = sampler_add(&f->r, index);
	if (error != 0)
		return diag_system(-error, NULL, "%.*s", (int)t->length,
		    t->name);
	if (watched)
		(void)f->w.backend->remove(f->w.state, index, t->fd);
	return 0;
}

/* ---- the end of a target ---- */

bool
stream_keeps(const struct stream *f, const struct target *t)
{
	if (!f->w.request->reopen || t->fd < 0 ||
	    (t->bits & f->w.backend->mask_write) != 0)
		return false;
	return (t->flags & TARGET_PATH) != 0 ? (t->flags & TARGET_FIFO) != 0 :
					       peer_is_fifo(t->fd) != 0;
}

/*
 * The read end of T anew, without a moment between in which a writer would find
 * no reader.  A number that the caller gave stays the caller's: pmux opens an
 * end of its own, and then that one anew.
 */
static int
renew(struct target *t)
{
	bool owned = t->fd != t->number;
	int fd, error = 0;

	if ((t->flags & TARGET_PATH) != 0)
		return fifo_renew(t->fd);
	fd = peer_reopen(t->fd, "", O_RDONLY);
	if (fd < 0)
		return fd;
	if (!owned) {
		fd = fdplace(fd);
		t->fd = fd >= 0 ? fd : t->fd;
		return fd >= 0 ? 0 : fd;
	}
	if (dup2(fd, t->fd) == -1 || fcntl(t->fd, F_SETFD, FD_CLOEXEC) == -1)
		error = -errno;
	(void)close(fd);
	return error;
}

/* Wait for the next writer of the FIFO that is target INDEX. */
static int
keep(struct stream *f, uint32_t index, const struct event *event)
{
	struct sample *rest = &f->r.rests[index];
	int status;

	if (rest->old && rest->place != 0)
		return 0;
	stream_unwatch(f, index);
	sampler_forget(&f->r, index);
	rest->old = renew(target_of(f, index)) != 0;
	if (!rest->old)
		return waitset_add(&f->w, index);
	/* it cannot be had anew: look ever more rarely who has come */
	status = f->edge ? waitset_add(&f->w, index) : 0;
	return status != 0 ? status : stream_rest(f, index, event);
}

static void
finish(struct stream *f, uint32_t index)
{
	stream_unwatch(f, index);
	sampler_forget(&f->r, index);
	target_of(f, index)->flags |= TARGET_SETTLED;
	f->unfinished--;
}

int
stream_finish(struct stream *f, uint32_t index, const struct event *event)
{
	struct target *t = target_of(f, index);

	if ((t->flags & TARGET_SETTLED) != 0)
		return 0;
	if (stream_keeps(f, t))
		return keep(f, index, event);
	finish(f, index);
	return 0;
}

/* ---- events ---- */

static void
tell(struct stream *f, uint32_t index, const struct event *event)
{
	const struct target *t = target_of(f, index);

	(void)waitset_note(&f->w, t, event->bits);
	if (!f->w.request->quiet)
		print_event(f->w.request, t, event);
	f->events++;
}

static int
read_lines(struct stream *f, uint32_t index, const struct event *event)
{
	enum lines_answer answer = lines_take(f->w.request, index);
	uint64_t before = f->events;

	f->events = lines_count();
	f->w.asked |= f->events != before;
	switch (answer) {
	case LINES_WAIT:
		if (f->r.rests[index].place == 0)
			return 0;
		sampler_remove(&f->r, index);
		return stream_watch(f, index);
	case LINES_LEFT:
		return stream_rest(f, index, event);
	case LINES_TURN:
		sampler_hasten(&f->r);
		return stream_rest(f, index, event);
	case LINES_FAILED:
		/* it would fail again, for the next writer too */
		f->status = EXIT_SYSTEM;
		finish(f, index);
		return 0;
	default:
		return stream_finish(f, index, event);
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
	if (!f->edge)
		return true;
	if (!finished_is_readiness(f->w.request, t))
		return false;
	return (event->bits & f->finish.hangs_up) != 0 ||
	    (f->sampled && finished_unread(f->w.request, t) > 0);
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
	if (f->w.request->lines)
		return read_lines(f, index, event);
	if (f->jobs != NULL)
		return dispatch_event(f->jobs, event);
	tell(f, index, event);
	last = finished_is_last(&f->finish, t, event,
	    &f->r.rests[index].children);
	if (last)
		return stream_finish(f, index, event);
	return is_to_rest(f, t, event) ? stream_rest(f, index, event) : 0;
}

/*
 * Whether no record may be added in this step: it would be read before the step
 * is over, and sampler_step takes it that nobody has read what was told.
 */
static bool
is_full(const struct stream *f)
{
	return !f->edge && !f->w.request->lines &&
	    output_used() > OUTPUT_SIZE / 2;
}

/* Whether T has other bytes than when it was told: of more, an edge tells. */
static bool
has_other_bytes(const struct stream *f, const struct target *t,
    const struct sample *rest)
{
	int64_t bytes;

	if (f->edge && !f->sampled)
		return false;
	bytes = finished_unread(f->w.request, t);
	return f->edge ? bytes < rest->bytes : bytes != rest->bytes;
}

/* How long the reader of the output takes says nothing of what a look costs. */
static int
sample_lines(struct stream *f, uint32_t index, const struct event *event)
{
	int64_t began = clock_now();
	int status = read_lines(f, index, event);

	sampler_excuse(&f->r, clock_now() - began);
	return status;
}

/* A target that rests is ready still. */
static int
take_sample(struct stream *f, const struct event *event)
{
	uint32_t index = event->token;
	const struct target *t = target_of(f, index);
	struct sample *rest = &f->r.rests[index];
	bool changed = rest->bits != event->bits || rest->news;

	if (rest->place == 0)
		return 0;
	changed = changed || has_other_bytes(f, t, rest);
	if (f->jobs != NULL)
		return changed ||
			(rest->bytes < 0 &&
			    clock_now() - rest->told >= RESTING_PAUSE) ?
		    dispatch_event(f->jobs, event) :
		    0;
	if (f->w.request->lines)
		return sample_lines(f, index, event);
	if ((event->bits & f->finish.hangs_up) != 0 && !rest->old &&
	    finished_is_last(&f->finish, t, event, &rest->children)) {
		tell(f, index, event);
		return stream_finish(f, index, event);
	}
	if (changed && !is_full(f) &&
	    clock_now() - rest->told >= RESTING_PAUSE) {
		tell(f, index, event);
		remember(f, index, event);
	}
	return 0;
}

static int
look(struct stream *f)
{
	int status = 0, error = sampler_read(&f->r);
	struct event event;
	uint32_t index;

	if (error != 0)
		return waitset_failed(&f->w, -error);
	while (status == 0 && sampler_next(&f->r, &event)) {
		status = waitset_event_failed(&f->w, &event);
		if (status == 0)
			status = take_sample(f, &event);
	}
	while (status == 0 && sampler_next_woken(&f->r, &index))
		status = stream_watch(f, index);
	return status;
}

/* ---- the loop ---- */

static bool
is_done(const struct stream *f)
{
	const struct request *r = f->w.request;

	return (f->unfinished == 0 && r->targets.count > 0 &&
		   (f->jobs == NULL || dispatch_idle(f->jobs))) ||
	    (r->events != 0 && f->events >= r->events);
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
	const struct request *r = f->w.request;
	size_t left = r->max_events == 0 ? SIZE_MAX : r->max_events;
	int taken, status = 0;
	struct event event;

	while (status == 0 && left > 0 && !is_done(f) && !is_full(f) &&
	    (taken = waitset_next(&f->w, &event)) != 0) {
		if (taken < 0)
			*output_error = taken;
		if (taken < 0)
			break;
		if (event.token > r->targets.count) {
			status = dispatch_wake(f->jobs);
			continue;
		}
		status = take_news(f, &event);
		left--;
	}
	return status != 0 ? status : f->w.failed;
}

/* One wait and what comes of it.  Returns 0 or an exit status. */
static int
step(struct stream *f, int64_t left, int *output_error)
{
	const struct request *r = f->w.request;
	size_t max = r->targets.count + 2;
	int n, status;

	if (r->max_events != 0 && r->max_events < max)
		max = r->max_events;
	status = waitset_wait(&f->w, max, sooner(left, sampler_left(&f->r)),
	    &n);
	if (status == 0 && n > 0)
		status = deliver(f, output_error);
	if (status == 0 && *output_error == 0 && f->r.count > 0 &&
	    sampler_left(&f->r) == 0)
		status = look(f);
	if (status == 0 && f->jobs != NULL)
		status = dispatch_run(f->jobs);
	sampler_step(&f->r);
	if (*output_error == 0)
		*output_error = output_flush();
	return status;
}

/* Returns 0 or an exit status. */
static int
loop(struct stream *f, bool *timed_out, int *output_error)
{
	const struct request *r = f->w.request;
	deadline_t idle = deadline_in(r->idle);
	uint64_t before;
	int status = 0;
	bool busy;

	while (status == 0 && *output_error == 0 && !is_done(f) &&
	    (f->jobs == NULL || !dispatch_stopped(f->jobs))) {
		before = f->events;
		if (r->lines)
			lines_await_output();
		busy = f->jobs != NULL && !dispatch_idle(f->jobs);
		status = step(f,
		    sooner(deadline_left(r->deadline),
			busy ? -1 : deadline_left(idle)),
		    output_error);
		busy |= f->jobs != NULL && !dispatch_idle(f->jobs);
		if (f->events != before || busy)
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
	if (f->w.asked)
		return EXIT_EVENT;
	return timed_out && !is_done(f) ? EXIT_TIMED_OUT : EXIT_UNASKED;
}

static int
run(struct stream *f)
{
	struct request *r = f->w.request;
	bool timed_out = false;
	int status = 0, output_error = 0, error;

	if (r->program != NULL)
		status = dispatch_open(&f->jobs, f);
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
	if (f->jobs != NULL)
		dispatch_close(f->jobs);
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
	status = waitset_try(&f->w, request,
	    request->lines ? 0 : better->flag_edge);
	if (status >= 0)
		return status;
	waitset_close(&f->w);
	for (size_t i = 0; i < targets->count; i++)
		targets->list[i].bits = translate(better, usual,
		    targets->list[i].bits);
	request->backend = usual;
	return status;
}

int
stream_run(struct request *request)
{
	struct stream f = { .unfinished = request->targets.count };
	int status = request->lines ? lines_open(request) : 0;
	uint32_t edge = request->lines ? 0 : request->backend->flag_edge;

	if (status != 0)
		return status;
	status = open_better(&f, request);
	if (status < 0)
		status = waitset_open(&f.w, request, edge);
	f.sampled = request->streams != NULL;
	/* what PROGRAM runs for is not watched meanwhile */
	f.edge = f.w.more != 0 && request->program == NULL;
	finished_open(&f.finish, request);
	if (status == 0 && sampler_open(&f.r, request, f.edge) != 0)
		status = diag_system(ENOMEM, NULL, "targets");
	if (status == 0)
		status = run(&f);
	if (f.r.request != NULL)
		sampler_close(&f.r);
	waitset_close(&f.w);
	return status;
}
