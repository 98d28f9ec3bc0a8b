/*
 * jobs.h - which target's PROGRAM runs when.
 *
 * A target runs one at a time, and is not watched meanwhile; what is ready
 * while --jobs run waits its turn.  When PROGRAM has ended and its target is
 * ready, it runs again if there is news: more came while it ran, or some of the
 * bytes have gone; and where nothing tells, ten times a second.
 */
#ifndef JOBS_H
#define JOBS_H

#include <stdbool.h>

#include "base/event.h"
#include "run/stream.h"

/*
 * Run the request's PROGRAM for the targets of F, whose JOBS is to be this.
 * Returns 0 or an exit status, a message having been printed.
 */
int jobs_open(struct jobs **jobs, struct follow *f);

/* Wait for all that run.  If a signal has come for pmux, it dies of it. */
void jobs_close(struct jobs *j);

/*
 * EVENT is news of a target that is watched, or rests.  Returns 0 or an exit
 * status, a message having been printed.
 */
int jobs_event(struct jobs *j, const struct event *event);

/* One of them may have ended.  Returns as above. */
int jobs_wake(struct jobs *j);

/* Start what waits for its turn, as far as --jobs goes.  Returns as above. */
int jobs_run(struct jobs *j);

/* Whether none runs and none waits for its turn. */
bool jobs_idle(const struct jobs *j);

/* Whether a signal has come that is to end pmux. */
bool jobs_stopped(const struct jobs *j);

#endif
