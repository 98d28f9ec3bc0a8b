/* SPDX-License-Identifier: ISC */
/*
 * timers.h - any number of timers on two timerfds, one for each clock.
 */
#ifndef KQ_TIMERS_H
#define KQ_TIMERS_H

#include "knote.h"

/*
 * Activate KNOTE, which is of another filter, in NS nanoseconds, once; until
 * then its timer has a place.  Returns 0 or -errno.
 */
int timers_wake(struct knote *knote, int64_t ns);

/* Or do not. */
void timers_forget(struct knote *knote);

/* The timerfd has expired: CLOCK, that of the time of day. */
void timers_told(struct queue *queue, bool clock);

/* Set the timerfds to the next deadlines.  Returns 0 or -errno. */
int timers_settle(struct queue *queue);

#endif
