/* SPDX-License-Identifier: ISC */
/*
 * queue.h - the queues of this process, and the numbers that mean them.
 *
 * A queue is an epoll instance, so that poll(2), epoll(7) and another queue
 * take it.  Nobody tells when its number is closed: that is found out when a
 * queue is made, when the number is used, and from time to time by who waits in
 * it for ever.
 */
#ifndef KQ_QUEUE_H
#define KQ_QUEUE_H

#include "knote.h"

/*
 * The lock of all that is in this library.  While a thread has it, it is not
 * cancelled.  queues_lock returns false if the thread has it already, which
 * only a signal handler can find.
 */
bool queues_lock(void);
void queues_unlock(void);

/* Make a queue; FLAGS are 0 or O_CLOEXEC.  Returns its number or -errno. */
int queue_open(int flags);

/* The queue that number FD means, or NULL. */
struct queue *queue_find(int fd);

/* Whether number FD means QUEUE; a system call. */
bool queue_is_at(const struct queue *queue, int fd);

/* Whether FD has been a queue's number, and may be yet; no system call. */
bool queue_is_known(int fd);

/* The queue after QUEUE, the first after NULL; NULL behind the last. */
struct queue *queue_next(const struct queue *queue);

/* Give up the queues that no number means any more. */
void queues_sweep(void);

/*
 * A thread goes to wait in QUEUE, and is back: false if it was closed since,
 * and is perhaps no more.
 */
void queue_enter(struct queue *queue);
bool queue_leave(struct queue *queue);

#endif
