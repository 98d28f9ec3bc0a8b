/* SPDX-License-Identifier: ISC */
/*
 * member.h - members: descriptors of knotes in epoll instances.
 *
 * epoll(7) keys an entry by open file and number, and removes it when the last
 * descriptor of the file is closed, not when that number is.  So an entry may
 * outlive its knote and can no longer be deleted.  The generation in its tag
 * identifies it as stale, and the instance is rebuilt.
 *
 * A program may have registered the queue's own instance elsewhere, so members
 * are in one or two inner instances, which can be replaced.  The queue's own
 * instance has only members that epoll refuses in an inner one: queues, since
 * epoll nests at most five deep, and a descriptor with too many copies.  They
 * are edge-triggered, or one-shot and rearmed, so that a stale entry there is
 * not reported for ever.
 */
#ifndef KQ_MEMBER_H
#define KQ_MEMBER_H

#include "knote.h"

struct epoll_event;

/*
 * Register descriptor FD for KNOTE and the EVENTS of epoll(7), edge-triggered
 * if EDGE; modify an existing member, which reports present events again.
 * Returns 0 or -errno (epoll_ctl(2)): -EBADF, -EPERM (epoll refuses such
 * files), -EINVAL, -ELOOP, -ENOMEM, -ENOSPC; -ENOENT if FD was registered and
 * is another file now.
 */
int member_arm(struct knote *knote, int fd, uint32_t events, bool edge);

/*
 * Stop reports of the member, except one of EPOLLERR or EPOLLHUP.  It stays
 * registered for member_same.
 */
void member_mute(struct knote *knote, int fd);

/*
 * Delete the member.  Returns 0, or -EBADF or -ENOENT if FD is another file
 * now.
 */
int member_disarm(struct knote *knote, int fd);

/*
 * Check that FD still is the file that was registered.  Returns 0; -EBADF if it
 * is closed; -ENOENT if it is another file; another -errno if that cannot be
 * known.
 */
int member_same(const struct knote *knote, int fd);

/* Whether epoll reported the member in this turn. */
static inline bool
member_was_reported(const struct knote *knote)
{
	return knote->member.place != MEMBER_NOWHERE &&
	    knote->member.turn == knote->queue->turn;
}

/* As member_events, and verifies that FD still is the file. */
int member_events_now(const struct knote *knote, int fd, uint32_t *events);

/* A busy queue verifies one of this many reports. */
#define MEMBER_SAMPLE 128

/*
 * Set *EVENTS to the events that epoll(7) reported in this turn for the member,
 * or else to those that poll(2) reports now, in the bits of epoll.  Returns 0,
 * or -errno as member_same.
 *
 * epoll reports the file that was registered.  Checking that the number still
 * refers to it costs one system call per event, as much as the report itself,
 * so a busy queue checks only one in MEMBER_SAMPLE.  If the number was closed
 * or reused, reading from it shows that.
 */
static inline int
member_events(const struct knote *knote, int fd, uint32_t *events)
{
	struct queue *q = knote->queue;

	if (!member_was_reported(knote) || q->few ||
	    ++q->reports % MEMBER_SAMPLE == 0)
		return member_events_now(knote, fd, events);
	*events = knote->member.revents;
	return 0;
}

/*
 * Find the knote of EVENT, from instance SOURCE, and store the event in its
 * member.  Returns NULL if the knote has been dropped.
 */
struct knote *member_on_event(struct queue *queue,
    const struct epoll_event *event, enum source source);

/* As member_on_event, for an EVENT of a member in the queue's own instance. */
struct knote *member_on_main_event(struct queue *queue,
    const struct epoll_event *event);

/*
 * KNOTE is about to be dropped because its descriptor was closed: have its
 * instance rebuilt if a stale entry stays there.
 */
void member_orphan(struct knote *knote);

/* Start loading the knote of EVENT into the cache. */
void member_prefetch(const struct queue *queue,
    const struct epoll_event *event);

/* Rebuild the inner instances that hold stale entries. */
void member_rebuild_instances(struct queue *queue);

/*
 * Register FD as SOURCE of QUEUE, edge-triggered if EDGE.  FD is a new
 * descriptor, which the queue owns from now on, or -1 with errno set.  Returns
 * 0, or -errno with FD closed.
 */
int source_add(struct queue *queue, enum source source, int fd, bool edge);

/*
 * Call poll(2) for EVENTS of FD, without waiting.  Returns 0 with *REVENTS set,
 * or -errno.
 */
int poll_now(int fd, short events, short *revents);

/*
 * Move FD to a number that programs do not expect to be taken.  Returns the new
 * number; if FD is -1, -errno.
 */
int private_descriptor(int fd);

/*
 * Whether FD can still be a descriptor of the library: the program may have
 * closed it and reused the number.  Async-signal-safe.
 */
bool private_is(int fd);

/* Close FD if private_is(FD). */
void private_close(int fd);

#endif
