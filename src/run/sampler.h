/* SPDX-License-Identifier: ISC */
/*
 * sampler.h - targets that were reported and stay ready.
 *
 * Waiting for them would return at once, for ever.  So they leave the wait for
 * an object of their own, and that is looked at from time to time, without
 * waiting: soon at first, since most are read from at once, then ever more
 * rarely, ten times a second in the end, and less often than that where a look
 * costs more than a hundredth of the time (at first a tenth).
 *
 * A target that is read empty and written to between two looks seems to have
 * stayed as it was.  Where there is epoll(7) or kevent(2), an edge tells that
 * more came.
 */
#ifndef SAMPLER_H
#define SAMPLER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"
#include "base/event.h"
#include "target/request.h"

/* How often what changes at a target that stays ready is told: ns. */
#define RESTING_PAUSE (INT64_C(100) * 1000000)

/* What was last told of a target. */
struct sample {
	int64_t bytes; /* unread; negative: nothing tells */
	int64_t told; /* when, monotonic ns */
	uint32_t bits;
	uint32_t place; /* in the list plus 1; 0: not there */
	uint32_t seen; /* in which look it was ready */
	uint32_t children; /* finished_is_last's */
	uint32_t step; /* in which it was told */
	bool listening; /* to its edges */
	bool news; /* one came after that step */
	bool old; /* a FIFO that could not be had anew */
};

struct sampler {
	const struct request *request;
	struct backend_state *state; /* NULL: none rested yet */
	const struct backend *teller; /* who knows edges; or NULL */
	struct backend_state *edges; /* its; or NULL */
	bool deaf; /* none is needed, or there */
	bool told; /* of some, in this step */
	uint32_t step;
	struct sample *rests; /* one for each target */
	uint32_t *list; /* those that rest */
	uint32_t count;
	uint32_t look; /* number of the last one */
	uint32_t cursor; /* sampler_next_woken's */
	int64_t pause; /* ns to the next but one */
	int64_t began; /* the last look: when */
	int64_t earliest; /* the next, for its cost */
	deadline_t next;
};

/*
 * Be ready for the targets of REQUEST, with EDGE to those of a primitive that
 * tells of news itself.  Returns 0 or -ENOMEM.
 */
int sampler_open(struct sampler *r, const struct request *request, bool edge);
void sampler_close(struct sampler *r);

/*
 * Target INDEX has just been told of: NEWS of it is what comes after this step.
 * What tells of that is only as good as the system has it.
 */
void sampler_tell(struct sampler *r, uint32_t index);

/* Set NEWS of all targets of which there is any. */
void sampler_listen(struct sampler *r);

/* A step ends, and whoever reads what was told in it has not seen it yet. */
void sampler_step(struct sampler *r);

/* What is told of target INDEX, whose descriptor is another soon, is not it. */
void sampler_forget(struct sampler *r, uint32_t index);

/*
 * Target INDEX, which is open, rests from now on, if it does not yet.  Returns
 * 0 or -errno as backend_open_fn and backend_add_fn.
 */
int sampler_add(struct sampler *r, uint32_t index);

/* The next look comes soon, as for what has just begun to rest. */
void sampler_hasten(struct sampler *r);

/* NS of the look that is under way were spent on something else. */
void sampler_excuse(struct sampler *r, int64_t ns);

/* Target INDEX rests no more, if it did. */
void sampler_remove(struct sampler *r, uint32_t index);

/* Nanoseconds until the next look is due; -1 if none rests. */
int64_t sampler_left(const struct sampler *r);

/*
 * Look.  Returns 0 or -errno as backend_wait_fn; then sampler_next returns the
 * next event of one that is ready, as backend_next_fn, and after the last of
 * those sampler_next_woken the next target that is ready no more, which does
 * not rest from then on: true with *INDEX set, or false.
 */
int sampler_read(struct sampler *r);
int sampler_next(struct sampler *r, struct event *event);
bool sampler_next_woken(struct sampler *r, uint32_t *index);

#endif
