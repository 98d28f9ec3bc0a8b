/* SPDX-License-Identifier: ISC */
/*
 * dispatch.h - which target's PROGRAM runs when.
 *
 * A target has one PROGRAM at a time and is not waited for while it runs; where
 * the wait has edges, it leaves the wait set only when one comes meanwhile.
 * Targets that are ready while --jobs run are queued.  When PROGRAM has ended
 * and its target is ready, it runs again if more bytes have come or some are
 * gone; where that cannot be known, ten times a second.
 */
#ifndef DISPATCH_H
#define DISPATCH_H

#include <stdbool.h>

#include "base/event.h"
#include "run/program.h"
#include "run/watched.h"

struct dispatch;

/*
 * Run PROGRAM, whose events are printed as PRINT says, for the targets of W,
 * which the caller keeps until dispatch_close.  Returns 0 or an exit status, a message having been printed.
 */
int dispatch_open(struct dispatch **dispatch, struct watched *w,
    const struct program_options *program, const struct print_options *print);

/* Wait for all that run.  If a signal has come for pmux, it dies of it. */
void dispatch_close(struct dispatch *j);

/*
 * A wait or a round of samples reports EVENT.  Returns 0 or an exit
 * status, a message having been printed.
 */
int dispatch_event(struct dispatch *j, const struct event *event);

/* The same for an event that --settle has held back. */
int dispatch_settled(struct dispatch *j, const struct event *event);

/* Whether the PROGRAM of target INDEX runs, or waits for its turn. */
bool dispatch_has(const struct dispatch *j, uint32_t index);

/* One of them may have ended.  Returns as above. */
int dispatch_wake(struct dispatch *j);

/* Start those that wait for their turn, up to --jobs.  Returns as above. */
int dispatch_run(struct dispatch *j);

/* Whether none runs and none waits for its turn. */
bool dispatch_idle(const struct dispatch *j);

/* Whether a signal has come that will end pmux. */
bool dispatch_stopped(const struct dispatch *j);

#endif
