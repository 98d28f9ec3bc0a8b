/* SPDX-License-Identifier: ISC */
/*
 * member.h - descriptors in epoll instances.
 *
 * epoll(7) keys an entry by open file and number, and drops it when the file is
 * closed for good, not when the number is.  So an entry may outlive its knote,
 * and cannot be deleted then; it is known by its slot's generation, and the
 * instance is made anew.  Therefore members are not in the instance that is the
 * queue, which others may have registered, but in one or two inside it.  Only
 * what epoll does not take there is: queues, since it nests no deeper than
 * five, and too many copies of one descriptor.  They are edge-triggered, or
 * one-shot and armed again, so that none of them tells for ever.
 */
#ifndef KQ_MEMBER_H
#define KQ_MEMBER_H

#include "knote.h"

struct epoll_event;

/*
 * Register descriptor FD for KNOTE and the EVENTS of epoll(7), edge-triggered
 * or not; if it is registered, change that, which reports anew what is so.
 * Returns 0, or -errno (epoll_ctl(2)): -EBADF, -EPERM (epoll does not take such
 * files), -EINVAL, -ELOOP, -ENOMEM, -ENOSPC; -ENOENT if it was registered and
 * FD is another file now.
 */
int member_arm(struct knote *knote, int fd, uint32_t events, bool edge);

/*
 * Let it tell nothing (but its end, once) and stay, so that it is known whether
 * FD is still that file.
 */
void member_mute(struct knote *knote, int fd);

/* Take it out.  Returns 0, or -EBADF or -ENOENT if FD is not that file. */
int member_disarm(struct knote *knote, int fd);

/*
 * Whether FD is still the file that was registered.  Returns 0, or -EBADF or
 * -ENOENT if the number means none or another one, or -errno if that cannot be
 * known.
 */
int member_same(const struct knote *knote, int fd);

/*
 * Set *EVENTS to what epoll(7) said in this turn about the member, or to what
 * poll(2) says now, in the bits of epoll.  Returns 0, or -errno as member_same.
 */
int member_events(struct knote *knote, int fd, uint32_t *events);

/* Whether epoll said it in this turn. */
bool member_was_reported(const struct knote *knote);

/*
 * The knote that EVENT, from instance SOURCE, is about, with its revents set;
 * or NULL if that has been dropped.
 */
struct knote *member_on_event(struct queue *queue,
    const struct epoll_event *event, enum source source);

/* A queue inside QUEUE has told EVENT: as member_on_event. */
struct knote *member_on_main_event(struct queue *queue,
    const struct epoll_event *event);

/* KNOTE is to be dropped, its descriptor being closed: mend the instance. */
void member_orphan(struct knote *knote);

/* Begin to bring the knote that EVENT is about into the cache. */
void member_prefetch(const struct queue *queue,
    const struct epoll_event *event);

/* Make anew the instances that hold members of knotes that are no more. */
void member_rebuild_instances(struct queue *queue);

/*
 * Take FD, a new descriptor, or a -1 with errno, as source, registered in the
 * queue, edge-triggered or not.  Returns 0 or -errno, FD being closed then.
 */
int source_add(struct queue *queue, enum source source, int fd, bool edge);

/*
 * What poll(2) says of FD now, asked for EVENTS.  Returns 0 with *REVENTS set,
 * or -errno.
 */
int poll_now(int fd, short events, short *revents);

/* FD to where programs do not expect one; -errno for -1. */
int private_descriptor(int fd);

/*
 * Whether FD can still be one of the library's: a program may close whatever is
 * open, and have a file there.  Async-signal-safe.
 */
bool private_is(int fd);

/* Close FD if it can be one of the library's. */
void private_close(int fd);

#endif
