/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "backend/backend.h"
#include "output/debug.h"
#include "output/diag.h"
#include "run/dispatch.h"
#include "run/joined.h"

/* The state of a target's PROGRAM. */
struct job {
	struct event event; /* of its last run, or of the next */
	struct joined *kept; /* that are no readiness: runs to come */
	int64_t bytes; /* unread when the last one began */
	uint32_t asked; /* the round of dispatch_run that EVENT is good for */
	bool running;
	signed char pipe; /* 1: it is one, -1: it is not, 0: not known yet */
	bool queued;
	bool last; /* nothing comes after it */
};

struct dispatch {
	struct watched *w;
	struct job *jobs; /* one for each target */
	uint32_t *queue; /* a ring of targets */
	uint32_t head, queued;
	uint32_t round; /* number of the next dispatch_run */
	int wake; /* program_open's, or -1 */
};

static struct target *
target_of(const struct dispatch *j, uint32_t index)
{
	return &j->w->waitset.targets->list[index];
}

static const char *const no_memory = "targets";

int
dispatch_open(struct dispatch **dispatch, struct watched *w,
    const struct program_options *program, const struct print_options *print)
{
	const struct backend *backend = w->waitset.backend;
	size_t count = w->waitset.targets->count;
	struct dispatch *j = calloc(1, sizeof *j);
	int status, error;

	if (j == NULL)
		return diag_system(ENOMEM, NULL, "%s", no_memory);
	*dispatch = j;
	j->w = w;
	j->wake = -1;
	j->round = 1;
	j->jobs = calloc(count + 1, sizeof *j->jobs);
	j->queue = calloc(count + 1, sizeof *j->queue);
	if (j->jobs == NULL || j->queue == NULL)
		return diag_system(ENOMEM, NULL, "%s", no_memory);
	if ((status = program_open(program, print, &j->wake)) != 0)
		return status;
	error = backend->add(w->waitset.state,
	    (uint32_t)count + WAITSET_PROGRAM, j->wake, backend->mask_read);
	return error == 0 ? 0 : diag_system(-error, NULL, "%s", backend->name);
}

void
dispatch_close(struct dispatch *j)
{
	size_t count = j->w->waitset.targets->count;

	if (j->wake != -1)
		program_close();
	for (size_t i = 0; j->jobs != NULL && i < count; i++)
		joined_free(&j->jobs[i].kept);
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

/* ---- the events of a target ---- */

static bool
is_readiness(const struct dispatch *j, uint32_t index)
{
	return finished_is_readiness(j->w->waitset.targets,
	    target_of(j, index));
}

/* ---- running ---- */

static void
enqueue(struct dispatch *j, uint32_t index)
{
	uint32_t size = (uint32_t)j->w->waitset.targets->count;

	if (j->jobs[index].queued)
		return;
	DEBUG("dispatch", "queue %.*s", (int)target_of(j, index)->length,
	    target_of(j, index)->name);
	j->jobs[index].queued = true;
	j->queue[(j->head + j->queued++) % size] = index;
}

static uint32_t
dequeue(struct dispatch *j)
{
	uint32_t size = (uint32_t)j->w->waitset.targets->count;
	uint32_t index = j->queue[j->head];

	j->head = (j->head + 1) % size;
	j->queued--;
	j->jobs[index].queued = false;
	return index;
}

/* Keep EVENT, a kevent that is no readiness, for a run of its own. */
static int
keep_event(struct dispatch *j, const struct event *event)
{
	uint32_t index = event->token;
	struct job *job = &j->jobs[index];

	job->last |= finished_is_last(&j->w->finished, target_of(j, index),
	    event, &j->w->sampler.samples[index].children);
	if (joined_add(&job->kept, event) != 0)
		return diag_system(ENOMEM, NULL, "%s", no_memory);
	if (!job->running)
		enqueue(j, index);
	return 0;
}

/* Target INDEX is ready, as EVENT said just now. */
static void
enqueue_ready(struct dispatch *j, uint32_t index, const struct event *event)
{
	j->jobs[index].event = *event;
	j->jobs[index].asked = j->round;
	enqueue(j, index);
}

bool
dispatch_has(const struct dispatch *j, uint32_t index)
{
	return j->jobs[index].running || j->jobs[index].queued;
}

int
dispatch_event(struct dispatch *j, const struct event *event)
{
	uint32_t index = event->token;

	if (!is_readiness(j, index))
		return keep_event(j, event);
	if (j->w->stays && !dispatch_has(j, index))
		sampler_remove(&j->w->sampler, index);
	else
		watched_remove(j->w, index);
	if (!j->jobs[index].running)
		enqueue_ready(j, index, event);
	return 0;
}

int
dispatch_settled(struct dispatch *j, const struct event *event)
{
	uint32_t index = event->token;
	int status = dispatch_event(j, event);

	/* it has not been asked for some time */
	if (status == 0 && is_readiness(j, index))
		j->jobs[index].asked = j->round - 1;
	return status;
}

/* Start PROGRAM for the event that target INDEX has. */
static int
start(struct dispatch *j, uint32_t index)
{
	struct target *t = target_of(j, index);
	struct job *job = &j->jobs[index];
	bool asked;

	asked = waitset_note(&j->w->waitset, t, job->event.bits);
	if (is_readiness(j, index))
		job->last = finished_is_last(&j->w->finished, t, &job->event,
		    &j->w->sampler.samples[index].children);
	/* it has no peer to read from, or is closed */
	if ((job->last && !asked && watched_keeps(j->w, t)) ||
	    (job->event.bits & j->w->waitset.backend->mask_closed) != 0) {
		DEBUG("dispatch", "drop %.*s: no program can use it",
		    (int)t->length, t->name);
		return watched_finish(j->w, index, &job->event);
	}
	if (is_readiness(j, index)) {
		sampler_reported(&j->w->sampler, index);
		sampler_end_step(&j->w->sampler);
		job->bytes = finished_unread(j->w->waitset.targets, t);
	}
	job->running = true;
	j->w->count++;
	return program_start(index, &job->event);
}

static int
failed(const struct dispatch *j, uint32_t index, int error)
{
	const struct target *t = target_of(j, index);

	return diag_system(-error, NULL, "%.*s", (int)t->length, t->name);
}

/* Whether target INDEX, whose turn it is, has an event: 1, 0 or -errno. */
static int
take_event(struct dispatch *j, uint32_t index)
{
	struct job *job = &j->jobs[index];

	if (!is_readiness(j, index))
		return joined_take(&job->kept, &job->event);
	/* a process may have read while it waited for its turn */
	return job->asked == j->round ?
	    1 :
	    sampler_ask(&j->w->sampler, index, &job->event);
}

int
dispatch_run(struct dispatch *j)
{
	int status = 0, n;
	uint32_t index;

	while (status == 0 && j->queued > 0 && program_has_room() &&
	    (j->w->most == 0 || j->w->count < j->w->most)) {
		index = dequeue(j);
		n = take_event(j, index);
		if (n < 0)
			status = failed(j, index, n);
		else if (n == 0)
			status = watched_add(j->w, index);
		else
			status = start(j, index);
	}
	j->round++;
	return status;
}

/*
 * The PROGRAM of target INDEX has ended and the target is ready, as EVENT says:
 * run it again now, or sample it until something changes.
 */
static int
decide(struct dispatch *j, uint32_t index, const struct event *event)
{
	const struct job *job = &j->jobs[index];
	int64_t bytes = finished_unread(j->w->waitset.targets,
	    target_of(j, index));

	sampler_read_edges(&j->w->sampler);
	if (!j->w->sampler.samples[index].changed &&
	    event->bits == job->event.bits &&
	    (bytes < 0 || bytes == job->bytes)) {
		DEBUG("dispatch", "%.*s is as it was: sample it",
		    (int)target_of(j, index)->length,
		    target_of(j, index)->name);
		return watched_sample(j->w, index, event);
	}
	enqueue_ready(j, index, event);
	return 0;
}

static bool
is_pipe(struct dispatch *j, uint32_t index)
{
	struct job *job = &j->jobs[index];

	if (job->pipe == 0)
		job->pipe = finished_is_pipe(target_of(j, index)) ? 1 : -1;
	return job->pipe > 0;
}

/*
 * Whether target INDEX is still in the wait set, so that no edge was missed,
 * and surely not ready: a pipe that PROGRAM has read to its end.
 */
static bool
is_waited_for(struct dispatch *j, uint32_t index)
{
	const struct watched *w = j->w;
	const struct target *t = target_of(j, index);
	const struct job *job = &j->jobs[index];

	return !w->sampler.samples[index].left &&
	    (t->bits & w->waitset.backend->mask_write) == 0 &&
	    (job->event.bits & w->finished.hangs_up) == 0 && job->bytes > 0 &&
	    is_pipe(j, index) && finished_unread(w->waitset.targets, t) == 0;
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
	if (!is_readiness(j, index) || is_waited_for(j, index))
		return 0;
	n = sampler_ask(&j->w->sampler, index, &event);
	if (n < 0)
		return failed(j, index, n);
	return n == 0 ? watched_add(j->w, index) : decide(j, index, &event);
}

int
dispatch_wake(struct dispatch *j)
{
	size_t index;
	int status = 0;

	while (status == 0 && program_take(&index))
		status = ended(j, (uint32_t)index);
	return status;
}
