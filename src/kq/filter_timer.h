/* SPDX-License-Identifier: ISC */
/*
 * filter_timer.h - any number of timers on two timerfds, one per clock.
 */
#ifndef KQ_FILTER_TIMER_H
#define KQ_FILTER_TIMER_H

#include "knote.h"

/*
 * Activate KNOTE, of another filter, once in NS nanoseconds; until then its
 * timer.place is not 0.  Returns 0 or -errno.
 */
int timer_wake_after(struct knote *knote, int64_t ns);

/* Cancel that. */
void timer_cancel_wake(struct knote *knote);

/*
 * Activate the expired timers of QUEUE: of the time of day if CLOCK, else of
 * the monotonic clock.
 */
void timer_handle(struct queue *queue, bool clock);

/* Arm the timerfds of QUEUE for the next deadlines.  Returns 0 or -errno. */
int timer_arm_fds(struct queue *queue);

#endif
