/* SPDX-License-Identifier: ISC */
/*
 * filter_timer.h - any number of timers on two timerfds, one for each clock.
 */
#ifndef KQ_FILTER_TIMER_H
#define KQ_FILTER_TIMER_H

#include "knote.h"

/*
 * Activate KNOTE, which is of another filter, in NS nanoseconds, once; until
 * then its timer has a place.  Returns 0 or -errno.
 */
int timer_wake_after(struct knote *knote, int64_t ns);

/* Or do not. */
void timer_cancel_wake(struct knote *knote);

/* The timerfd has expired: CLOCK, that of the time of day. */
void timer_handle(struct queue *queue, bool clock);

/* Set the timerfds to the next deadlines.  Returns 0 or -errno. */
int timer_arm_fds(struct queue *queue);

#endif
