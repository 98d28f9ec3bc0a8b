/* SPDX-License-Identifier: ISC */
/*
 * filter_signal.h - count the signals of this process.
 */
#ifndef KQ_FILTER_SIGNAL_H
#define KQ_FILTER_SIGNAL_H

#include "knote.h"

/*
 * Update the SIGNAL knotes of QUEUE after a signal was handled or, if SENT,
 * became pending.
 */
void signal_handle(struct queue *queue, bool sent);

/*
 * Reinstall the counting handler where the program has changed the action of a
 * watched signal.
 */
void signal_reinstall(void);

/* Numbers of watched signals that this thread has received. */
struct signal_counts {
	unsigned ignored; /* the program ignores them */
	unsigned handled; /* the program has a handler */
};

struct signal_counts signal_counts_now(void);

/*
 * Called in a child of fork(2), which has no queues: close the eventfd that it
 * shares with the parent.
 */
void signal_after_fork(void);

#endif
