/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "backend/backend.h"
#include "backend/kqueue.h"
#include "output/diag.h"
#include "run/dispatch.h"
#include "run/program.h"

/* Of what is no readiness each event is kept until it has had its run. */
struct kept {
	struct event event;
	struct kept *next;
};

/* What is known of a target's PROGRAM. */
struct job {
	struct event event; /* of its last run, or of the next */
	struct kept *kept; /* those to come, oldest first */
	int64_t bytes; /* unread when the last one began */
	bool running;
	bool queued;
	bool last; /* nothing comes after it */
};

struct dispatch {
	struct watched *w;
	struct job *jobs; /* one for each target */
	uint32_t *queue; /* a ring of targets */
	uint32_t head, queued;
	int wake; /* program_open's, or -1 */
	/* the primitive for one target at a time */
	struct backend_state *probe;
};

static struct target *
target_of(const struct dispatch *j, uint32_t index)
{
	return &j->w->waitset.request->targets.list[index];
}

static const char *const no_memory = "targets";

int
dispatch_open(struct dispatch **dispatch, struct watched *w)
{
	const struct request *r = w->waitset.request;
	const struct backend *backend = w->waitset.backend;
	size_t count = r->targets.count;
	struct dispatch *j = calloc(1, sizeof *j);
	int status, error;

	if (j == NULL)
		return diag_system(ENOMEM, NULL, "%s", no_memory);
	*dispatch = j;
	j->w = w;
	j->wake = -1;
	j->jobs = calloc(count + 1, sizeof *j->jobs);
	j->queue = calloc(count + 1, sizeof *j->queue);
	if (j->jobs == NULL || j->queue == NULL)
		return diag_system(ENOMEM, NULL, "%s", no_memory);
	if ((status = program_open(r, &j->wake)) != 0)
		return status;
	error = backend->add(w->waitset.state, (uint32_t)count + 1, j->wake,
	    backend->mask_read);
	if (error == 0)
		error = backend->open(&j->probe, count);
	if (error == 0 && backend->requests != NULL)
		backend->requests(j->probe, r->targets.kevents, count, true);
	return error == 0 ? 0 : diag_system(-error, NULL, "%s", backend->name);
}

/* The oldest of them becomes the event of the run. */
static int
take_kept(struct job *job)
{
	struct kept *kept = job->kept;

	job->event = kept->event;
	job->kept = kept->next;
	free(kept);
	return 1;
}

void
dispatch_close(struct dispatch *j)
{
	size_t count = j->w->waitset.request->targets.count;

	if (j->wake != -1)
		program_close(j->w->waitset.request);
	j->w->waitset.backend->close(j->probe);
	for (size_t i = 0; j->jobs != NULL && i < count; i++)
		while (j->jobs[i].kept != NULL)
			(void)take_kept(&j->jobs[i]);
	free(j->jobs);
	free(j->queue);
	free(j);
}

bool
dispatch_idle(const struct dispatch *j)
{
	return j->queued == 0 && program_running() == 0;
}

bool
dispatch_stopped(const struct dispatch *j)
{
	(void)j;
	return program_signal() != 0;
}

/* ---- what a target has ---- */

static bool
is_readiness(const struct dispatch *j, uint32_t index)
{
	return finished_is_readiness(j->w->waitset.request,
	    target_of(j, index));
}

/*
 * Ask the primitive of target INDEX alone: 1 with *EVENT set if it is ready,
 * 0 if it is not, or -errno.
 */
static int
sample(struct dispatch *j, uint32_t index, struct event *event)
{
	const struct backend *backend = j->w->waitset.backend;
	const struct target *t = target_of(j, index);
	uint32_t token = backend->requests != NULL ? index : 0;
	int n = backend->add(j->probe, token, t->fd,
	    t->bits & ~backend->flag_edge);

	if (n != 0)
		return n;
	/* a signal that has been handled is over */
	do
		n = backend->wait(j->probe, 1, 0);
	while (n == -EINTR);
	if (n > 0)
		n = backend->next(j->probe, event);
	if (n > 0 && (event->bits & backend->failed) != 0)
		n = -(int)event->data;
	(void)backend->remove(j->probe, token, t->fd);
	event->token = index;
	return n;
}

/* ---- running ---- */

static void
enqueue(struct dispatch *j, uint32_t index)
{
	uint32_t size = (uint32_t)j->w->waitset.request->targets.count;

	if (j->jobs[index].queued)
		return;
	j->jobs[index].queued = true;
	j->queue[(j->head + j->queued++) % size] = index;
}

static uint32_t
dequeue(struct dispatch *j)
{
	uint32_t size = (uint32_t)j->w->waitset.request->targets.count;
	uint32_t index = j->queue[j->head];

	j->head = (j->head + 1) % size;
	j->queued--;
	j->jobs[index].queued = false;
	return index;
}

/* Whether data counts what there was since it was last told. */
static bool
is_counter(uint32_t bits)
{
	return (bits & (1u << KQUEUE_TIMER | 1u << KQUEUE_SIGNAL)) != 0;
}

/*
 * Keep EVENT for a run of its own; but what comes of one file, process or timer
 * while PROGRAM runs is one event.  Returns 0 or -ENOMEM.
 */
static int
keep(struct job *job, const struct event *event)
{
	struct kept **link = &job->kept, *kept;

	while ((kept = *link) != NULL && kept->event.ident != event->ident)
		link = &kept->next;
	if (kept == NULL) {
		if ((kept = malloc(sizeof *kept)) == NULL)
			return -ENOMEM;
		*kept = (struct kept){ *event, NULL };
		*link = kept;
		return 0;
	}
	kept->event.fflags |= event->fflags;
	kept->event.flags |= event->flags;
	kept->event.bits |= event->bits;
	kept->event.data = event->data +
	    (is_counter(event->bits) ? kept->event.data : 0);
	return 0;
}

/* The same for a kevent that is no readiness. */
static int
keep_event(struct dispatch *j, const struct event *event)
{
	uint32_t index = event->token;
	struct job *job = &j->jobs[index];

	job->last |= finished_is_last(&j->w->finished, target_of(j, index),
	    event, &j->w->sampler.rests[index].children);
	if (keep(job, event) != 0)
		return diag_system(ENOMEM, NULL, "%s", no_memory);
	if (!job->running)
		enqueue(j, index);
	return 0;
}

int
dispatch_event(struct dispatch *j, const struct event *event)
{
	if (!is_readiness(j, event->token))
		return keep_event(j, event);
	watched_remove(j->w, event->token);
	enqueue(j, event->token);
	return 0;
}

/* Target INDEX is ready no more, or was not: wait for it. */
static int
watch_again(struct dispatch *j, uint32_t index)
{
	sampler_remove(&j->w->sampler, index);
	return watched_add(j->w, index);
}

/* Start PROGRAM for the event that target INDEX has. */
static int
start(struct dispatch *j, uint32_t index)
{
	const struct request *r = j->w->waitset.request;
	struct target *t = target_of(j, index);
	struct job *job = &j->jobs[index];
	bool asked;

	asked = waitset_note(&j->w->waitset, t, job->event.bits);
	if (is_readiness(j, index))
		job->last = finished_is_last(&j->w->finished, t, &job->event,
		    &j->w->sampler.rests[index].children);
	/* nobody to read from, or nothing at all */
	if ((job->last && !asked && watched_keeps(j->w, t)) ||
	    (job->event.bits & j->w->finished.closed) != 0)
		return watched_finish(j->w, index, &job->event);
	if (is_readiness(j, index)) {
		sampler_tell(&j->w->sampler, index);
		sampler_step(&j->w->sampler);
		job->bytes = finished_unread(r, t);
	}
	job->running = true;
	j->w->count++;
	return program_start(r, index, &job->event);
}

static int
failed(const struct dispatch *j, uint32_t index, int error)
{
	const struct target *t = target_of(j, index);

	return diag_system(-error, NULL, "%.*s", (int)t->length, t->name);
}

int
dispatch_run(struct dispatch *j)
{
	const struct request *r = j->w->waitset.request;
	int status = 0, n;
	uint32_t index;

	while (status == 0 && j->queued > 0 && program_has_room() &&
	    (r->events == 0 || j->w->count < r->events)) {
		index = dequeue(j);
		n = is_readiness(j, index) ?
		    sample(j, index, &j->jobs[index].event) :
		    take_kept(&j->jobs[index]);
		if (n < 0)
			status = failed(j, index, n);
		else if (n == 0)
			status = watch_again(j, index);
		else
			status = start(j, index);
	}
	return status;
}

/*
 * PROGRAM has ended that ran for target INDEX, which is ready, as EVENT says:
 * whether it is to run again now, or when something has changed.
 */
static int
decide(struct dispatch *j, uint32_t index, const struct event *event)
{
	const struct job *job = &j->jobs[index];
	const struct sample *rest = &j->w->sampler.rests[index];
	int status;

	sampler_listen(&j->w->sampler);
	if (!rest->news && event->bits == job->event.bits) {
		status = watched_sample(j->w, index, event);
		if (status != 0 || rest->bytes < 0 || rest->bytes == job->bytes)
			return status;
		watched_remove(j->w, index);
	}
	enqueue(j, index);
	return 0;
}

static int
ended(struct dispatch *j, uint32_t index)
{
	struct job *job = &j->jobs[index];
	struct event event;
	int n;

	job->running = false;
	if (job->kept != NULL) {
		enqueue(j, index);
		return 0;
	}
	if (job->last)
		return watched_finish(j->w, index, &job->event);
	if (!is_readiness(j, index))
		return 0;
	n = sample(j, index, &event);
	if (n < 0)
		return failed(j, index, n);
	return n == 0 ? watch_again(j, index) : decide(j, index, &event);
}

int
dispatch_wake(struct dispatch *j)
{
	size_t index;
	int status = 0;

	while (status == 0 && program_take(j->w->waitset.request, &index))
		status = ended(j, (uint32_t)index);
	return status;
}
