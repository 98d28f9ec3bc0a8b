/* SPDX-License-Identifier: ISC */
/*
 * sampler.h - targets that stay ready after they were reported.
 *
 * A level-triggered wait would return at once for such a target, for ever.
 *
 *   It leaves the wait set when it is reported (watched.c), and enters an
 *   object of the sampler's own, of the same primitive, which is only ever
 *   polled.  A wait set with edges keeps its targets: one is sampled there only
 *   while it has unread bytes, since no edge reports a read.
 *
 *   It is sampled in rounds, which ask for all such targets at once: first 1 ms
 *   after the step that reported one of them, since most are read from at once,
 *   then after pauses that double up to SAMPLE_PAUSE, or longer where the rounds
 *   would use more than a hundredth of a CPU (a tenth at first).
 *
 *   It is reported again, at most once in SAMPLE_PAUSE, if its events or the
 *   number of its unread bytes have changed.
 *
 *   It returns to the wait set when a round finds that it is not ready.
 *
 *   An edge adds what a round cannot see: a target that was read empty and
 *   written to between two rounds seems unchanged.  So where the system has
 *   epoll(7) or kevent(2), each target that was ever reported is registered
 *   there for its edges, and one of them counts as a change.  Those up to the
 *   end of the step that reported the target do not count: that step's output
 *   is written after it, so no reader can have acted on the report before.
 */
#ifndef SAMPLER_H
#define SAMPLER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"
#include "base/event.h"
#include "target/target.h"

/* ns: the longest pause between two rounds, the shortest between reports. */
#define SAMPLE_PAUSE (INT64_C(100) * 1000000)

/* What is known of a target, most of it since its last report. */
struct sample {
	int64_t bytes; /* unread then; negative: unknown */
	int64_t reported; /* when the first report of its step was made */
	uint32_t bits; /* its events then */
	uint32_t place; /* in the list plus 1; 0: it is not sampled */
	uint32_t ready; /* the last round that found it ready */
	uint32_t children; /* finished_is_last's */
	uint32_t step; /* that reported it */
	bool has_edges; /* it is registered for them */
	bool changed; /* an edge came after that step */
	bool left; /* it is not in the wait set (watched.c) */
	bool stale; /* a FIFO that could not be opened again (watched.c) */
};

struct sampler {
	const struct targets *targets;
	bool data; /* as in wait_options */
	struct backend_state *object; /* with those sampled; or NULL */
	struct backend_state *probe; /* sampler_ask's, empty; or NULL */
	const struct backend *edge_backend; /* or NULL */
	struct backend_state *edges; /* its object; or NULL */
	bool no_edges; /* they are not needed, or not available */
	bool reporting; /* a target was reported in this step */
	int64_t time; /* the first of them: when */
	bool soon; /* the next round comes soon */
	uint32_t step;
	uint32_t round; /* number of the last one */
	struct sample *samples; /* one for each target */
	uint32_t *list; /* those sampled */
	uint32_t count;
	uint32_t cursor; /* sampler_next_idle's, in the list */
	int64_t pause; /* ns between the next round and the one after it */
	int64_t began; /* the last round: when */
	bool measured; /* whether its cost counts: not of a few */
	int64_t cpu; /* clock_cpu at that time */
	int64_t earliest; /* the next round, for the cost of the last */
	deadline_t next; /* round */
};

/*
 * Be ready for the TARGETS.  With EDGE their wait set reports edges,
 * and no others are used.  Returns 0 or -ENOMEM.
 */
int sampler_open(struct sampler *s, const struct targets *targets, bool data,
    bool edge);
void sampler_close(struct sampler *s);

/* Target INDEX was reported in this step: its edges count from the next on. */
void sampler_reported(struct sampler *s, uint32_t index);

/*
 * The descriptor of the object that reports the edges, readable while there are
 * any; the sampler's own.  -1 where it has none.
 */
int sampler_edges(struct sampler *s);

/* Set CHANGED of all targets that had an edge. */
void sampler_read_edges(struct sampler *s);

/* End the step; what it reported is written out after this. */
void sampler_end_step(struct sampler *s);

/*
 * Forget the edges of target INDEX: its descriptor is about to be replaced or
 * is not waited for any longer.
 */
void sampler_drop_edges(struct sampler *s, uint32_t index);

/*
 * Sample target INDEX, which is open, from now on, if it is not sampled yet.
 * Returns 0 or -errno as backend_open_fn and backend_add_fn.
 */
int sampler_add(struct sampler *s, uint32_t index);

/* Let the next round come as soon as after the first report. */
void sampler_soon(struct sampler *s);

/* NS of clock_cpu in the round that is under way were for something else. */
void sampler_discount(struct sampler *s, int64_t ns);

/* Sample target INDEX no longer, if it is sampled. */
void sampler_remove(struct sampler *s, uint32_t index);

/*
 * Nanoseconds until the next round is due, -1 if nothing is sampled.  Called
 * when the output has been written: the pause after a report begins then.
 */
int64_t sampler_left(struct sampler *s);

/* Whether a round is due. */
bool sampler_is_due(const struct sampler *s);

/*
 * Begin a round.  Returns 0 or -errno as backend_wait_fn.  Then take from
 * sampler_next_ready the events of those that are ready, as backend_next_fn,
 * and after them from sampler_next_idle those that are not, which are not
 * sampled any longer: true with *INDEX set, or false at the end of the round.
 */
int sampler_round(struct sampler *s);
int sampler_next_ready(struct sampler *s, struct event *event);
bool sampler_next_idle(struct sampler *s, uint32_t *index);

/*
 * Ask the primitive about target INDEX alone, now: 1 with *EVENT set if it is
 * ready, 0 if it is not, or -errno as backend_open_fn, backend_add_fn and
 * backend_wait_fn.
 */
int sampler_ask(struct sampler *s, uint32_t index, struct event *event);

#endif
