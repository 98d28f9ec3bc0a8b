/* SPDX-License-Identifier: ISC */
/*
 * wakeup.h - what makes a queue readable for poll(2) and for another queue.
 */
#ifndef KQ_WAKEUP_H
#define KQ_WAKEUP_H

struct queue;

/*
 * Make QUEUE readable if a knote in it is ready, and not readable otherwise, and
 * set its timers.  Returns 0, or -errno if a timer could not be set.
 */
int wakeup_update(struct queue *queue);

#endif
