/* SPDX-License-Identifier: ISC */
/*
 * queue.h - the queues of this process, and their descriptor numbers.
 *
 * A queue is an epoll instance, so that poll(2), epoll(7) and another queue
 * accept it.  The kernel does not report that its number was closed: the
 * library checks that when a queue is created, when the number is used, and
 * regularly while a thread waits.
 */
#ifndef KQ_QUEUE_H
#define KQ_QUEUE_H

#include "knote.h"

/*
 * The lock of the whole library.  It disables cancellation of the thread that
 * holds it.  Locking returns false if the thread holds it already, which
 * happens only in a signal handler.
 */
bool queues_lock(void);
void queues_unlock(void);

/* Create a queue; FLAGS are 0 or O_CLOEXEC.  Returns its number or -errno. */
int queue_open(int flags);

/*
 * The queue of descriptor FD, or NULL.  queue_find may free other queues, and so
 * is for a call that holds none yet; queue_at frees none.
 */
struct queue *queue_find(int fd);
struct queue *queue_at(int fd);

/* Whether descriptor FD is QUEUE.  Makes a system call. */
bool queue_is_at(const struct queue *queue, int fd);

/*
 * Whether FD is recorded as the number of a queue, which may be outdated.
 * Makes no system call.
 */
bool queue_is_known(int fd);

/* The queue after QUEUE, or the first one if QUEUE is NULL; NULL at the end. */
struct queue *queue_next(const struct queue *queue);

/* Free the queues whose numbers are all closed. */
void queues_sweep(void);

/*
 * Call these before and after a thread waits in QUEUE.  The second returns
 * false if QUEUE was closed meanwhile; it may have been freed.
 */
void queue_enter(struct queue *queue);
bool queue_leave(struct queue *queue);

#endif
