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

#include "sys/caller.h"

struct sigdefer {
	void (*before_end)(void);
	volatile sig_atomic_t depth, pending;
	/* the dispositions that the handler replaced; NSIG of them */
	struct sigaction *replaced;
};

/*
 * From now on call LAST, maybe in a handler, before a signal ends pmux; where
 * the host stays, only before one whose default action ends the process.
 */
void sigdefer_signals(void (*last)(void));

/* Between these, which nest, no signal ends pmux. */
void sigdefer_begin(void);
void sigdefer_end(void);

/* Whether one has come: do not wait for anything from now on. */
bool sigdefer_pending(void);

#endif
