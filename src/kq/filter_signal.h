/* SPDX-License-Identifier: ISC */
/*
 * filter_signal.h - counting the signals of this process.
 */
#ifndef KQ_FILTER_SIGNAL_H
#define KQ_FILTER_SIGNAL_H

#include "knote.h"

/*
 * A signal was handled or, if SENT, has come to be pending: look at the knotes
 * of QUEUE.
 */
void signal_handle(struct queue *queue, bool sent);

/*
 * The program may have changed what a watched signal does since: count it
 * still.
 */
void signal_reinstall(void);

/* How many watched signals this thread has taken. */
struct signal_counts {
	unsigned ignored; /* by the program */
	unsigned handled; /* by a handler of its own */
};

struct signal_counts signal_counts_now(void);

/* This is a child of fork(2), without queues: part from the parent. */
void signal_after_fork(void);

#endif
