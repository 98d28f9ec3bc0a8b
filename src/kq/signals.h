/* SPDX-License-Identifier: ISC */
/*
 * signals.h - counting the signals of this process.
 */
#ifndef KQ_SIGNALS_H
#define KQ_SIGNALS_H

#include "knote.h"

/*
 * A signal was handled or, if SENT, has come to be pending: look at the knotes
 * of QUEUE.
 */
void signals_told(struct queue *queue, bool sent);

/*
 * The program may have changed what a watched signal does since: count it
 * still.
 */
void signals_look(void);

/* How many watched signals this thread has taken. */
struct signal_counts {
	unsigned ignored; /* by the program */
	unsigned handled; /* by a handler of its own */
};

struct signal_counts signals_counts(void);

/* This is a child of fork(2), without queues: part from the parent. */
void signals_forked(void);

#endif
