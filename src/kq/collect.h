/* SPDX-License-Identifier: ISC */
/*
 * collect.h - wait for events and return them.
 */
#ifndef KQ_COLLECT_H
#define KQ_COLLECT_H

#include "knote.h"

/*
 * Fill in at most ROOM (at least 1) EVENTS of QUEUE, which the caller calls FD.
 * Waits for the first one at most TIMEOUT, for ever if TIMEOUT is NULL.
 * Returns the number of events, or -errno: -EBADF if FD is not a queue, -EINVAL
 * for TIMEOUT, -EINTR, -ENOMEM.
 */
int collect(struct queue *queue, int fd, struct kevent *events, int room,
    const struct timespec *timeout);

/*
 * Count the events of QUEUE without consuming any.  Returns a lower bound; 1 if
 * there is no memory for counting.
 */
int64_t collect_count(struct queue *queue);

#endif
