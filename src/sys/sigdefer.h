/* SPDX-License-Identifier: ISC */
/*
 * sigdefer.h - signals that end pmux wait until its input is written out.
 *
 * Bytes that were read from a pipe exist only in pmux.  A signal that would end
 * pmux waits until they have been dealt with; then LAST is called, and then the
 * signal has its effect.
 */
#ifndef SIGDEFER_H
#define SIGDEFER_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"
#include "sys/caller.h"

struct sigdefer {
	void (*before_end)(void);
	volatile sig_atomic_t depth, pending;
	volatile sig_atomic_t paused; /* the depth meanwhile, or 0 */
	volatile sig_atomic_t expired; /* the timer, outside of a pause */
	deadline_t deadline; /* of sigdefer_deadline, or DEADLINE_NEVER */
	int64_t cpu; /* clock_cpu when the timer first came in a pause, or 0 */
	void (*late)(void);
	/* the dispositions that the handler replaced; NSIG of them */
	struct sigaction *replaced;
};

/*
 * From now on call LAST, maybe in a handler, before a signal ends pmux; where
 * the host stays, only before one whose default action ends the process.
 */
void sigdefer_signals(void (*last)(void));

/* The host ends: call LAST now, if that has not been done. */
void sigdefer_give_up(void);

/* Between these, which nest, no signal ends pmux. */
void sigdefer_begin(void);
void sigdefer_end(void);

/*
 * Between these, within those, nothing that was read is at stake: a signal ends
 * pmux at once.
 */
void sigdefer_pause(void);
void sigdefer_resume(void);

/*
 * If DEADLINE passes between those, and 10 ms of CPU time more, call LAST of
 * sigdefer_signals and then LATE, which ends the process, both in a handler.  Does
 * nothing where the host stays, without sigdefer_signals, or where the caller
 * ignores SIGALRM or has set the timer that sends it, that of setitimer(2).
 */
void sigdefer_deadline(deadline_t deadline, void (*late)(void));

/*
 * The call ends, and has nothing more to put out: LAST is not called any more,
 * and the timer is off.
 */
void sigdefer_close(void);

/* Whether one has come: do not wait for anything from now on. */
bool sigdefer_pending(void);

#endif
