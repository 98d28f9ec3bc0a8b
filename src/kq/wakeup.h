/* SPDX-License-Identifier: ISC */
/*
 * wakeup.h - make a queue readable for poll(2) and for another queue.
 */
#ifndef KQ_WAKEUP_H
#define KQ_WAKEUP_H

struct queue;

/*
 * Arm the timers of QUEUE, and make its eventfd, and so its descriptor,
 * readable while the ready list is not empty.  Returns 0, or -errno if a timer
 * could not be set.
 */
int wakeup_update(struct queue *queue);

#endif
