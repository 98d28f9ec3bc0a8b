/* SPDX-License-Identifier: ISC */
/*
 * collect.h - wait, and hand out what is ready.
 */
#ifndef KQ_COLLECT_H
#define KQ_COLLECT_H

#include "knote.h"

/*
 * Fill in at most ROOM (at least 1) EVENTS of QUEUE, known as descriptor FD,
 * waiting for the first at most TIMEOUT, for ever if it is NULL.  Returns how
 * many, or -errno: -EBADF if FD is no queue, -EINVAL for TIMEOUT, -EINTR,
 * -ENOMEM.
 */
int collect(struct queue *queue, int fd, struct kevent *events, int room,
    const struct timespec *timeout);

/*
 * How many events QUEUE has now, at least; none is taken.  1 if there is no
 * memory to look.
 */
int64_t collect_count(struct queue *queue);

#endif
