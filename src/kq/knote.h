/* SPDX-License-Identifier: ISC */
/*
 * knote.h - the knote, which is one filter on one identifier in one queue, and
 * the queue it is in.
 *
 * One lock is held wherever these are touched; only the wait in the kernel
 * (collect.c) is without it.
 */
#ifndef KQ_KNOTE_H
#define KQ_KNOTE_H

/* Linux's own calls; every file here includes this one first. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <sys/types.h>

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include <sys/event.h>

#include "table.h"

struct filter;
struct inode;
struct queue;

enum {
	KNOTE_ACTIVE = 1, /* something has happened, or may have */
	KNOTE_READY = 2, /* in the ready list */
	KNOTE_DISABLED = 4,
	KNOTE_UNLISTED = 8 /* not in the queue's table */
};

/* A descriptor in an epoll instance. */
struct member {
	uint32_t slot; /* its place in queue->slots */
	uint32_t turn; /* when REVENTS were told */
	uint32_t revents;
	bool edge; /* registered edge-triggered */
	bool nested; /* FD is a queue itself */
	uint8_t place; /* one of the below */
};

enum {
	MEMBER_NOWHERE,
	MEMBER_FIRST,
	MEMBER_SECOND, /* the first has the same descriptor already */
	MEMBER_MAIN /* in the instance that is the queue */
};

/* READ and WRITE */
struct descriptor {
	int64_t count; /* a queue's, as it was reported */
	uint32_t served; /* how often it was served by then */
	uint8_t kind; /* descriptor.h */
	dev_t device; /* of a KIND_FILE */
	ino_t number;
};

struct signal {
	unsigned seen; /* of what was handled */
	bool pending_reported; /* that one is pending was reported */
};

struct timer {
	int64_t deadline; /* ns on its clock */
	size_t place; /* in the heap, plus 1; 0: not there */
	int64_t period; /* ns; 0: once */
	int64_t count; /* expirations not reported yet */
};

struct process {
	int64_t deadline; /* both as in struct timer: how long */
	size_t place; /* to wait for its reap */
	int descriptor; /* a pidfd, or -1: not to be had */
	int status; /* wait status */
	bool ended;
	bool known; /* STATUS is known */
	bool awaited; /* its reap was waited for, or is */
	bool followed; /* it uses the connector */
};

/*
 * A knote is dropped by a change, by its holder when event() returns that it is
 * gone, by member_rebuild_instances() (any knote), when its queue is closed, and
 * by aio_return: so keep no pointer to another knote across event() and
 * member_rebuild_instances().  Events of inotify, netlink and signals only
 * activate a knote.  A knote that is active and not ready is disabled.
 */
struct knote {
	struct link link; /* in queue->knotes; stays first */
	struct queue *queue;
	const struct filter *filter;
	struct knote *next, *previous; /* in the ready list */
	struct kevent event; /* what is reported */
	unsigned fflags; /* what was asked for */
	int64_t data; /* what was given */
	unsigned status; /* a set of KNOTE_ */
	struct member member;
	struct inode *inode; /* watched for it, or NULL */
	struct knote *sibling; /* the next on the same inode */
	union {
		struct descriptor descriptor;
		struct timer timer;
		struct process process;
		struct signal signal;
		bool triggered; /* USER */
		unsigned state; /* NETDEV: the last note */
		struct transfer *transfer; /* AIO */
	};
};

/* What is in the epoll instance that is the queue, and its tag there. */
enum source {
	SOURCE_KICK, /* eventfd: the ready list is not empty */
	SOURCE_FIRST, /* an epoll instance, with members */
	SOURCE_SECOND, /* another */
	SOURCE_TIMER, /* timerfd, monotonic clock */
	SOURCE_CLOCK, /* timerfd, time of day */
	SOURCE_INODES, /* inotify */
	SOURCE_PROCESSES, /* process connector */
	SOURCE_POSTS, /* eventfd: a signal was counted */
	SOURCE_PENDING, /* signalfd: a signal is pending */
	SOURCE_LINKS, /* rtnetlink */
	SOURCES
};

/* A slot outlives its knote: its generation tells old events from new. */
struct slot {
	struct knote *knote; /* or NULL: free */
	uint32_t generation; /* from 1 up */
	uint32_t next; /* free slot, plus 1 */
};

struct heap {
	struct knote **list;
	size_t count, capacity;
	int64_t armed; /* deadline that the timerfd has */
};

struct queue {
	struct queue *next;
	int fd; /* a number that means it */
	int sources[SOURCES]; /* descriptors, or -1 */
	struct table knotes;
	struct knote *first, *last; /* the ready list */
	size_t ready; /* how many are in it */
	struct slot *slots;
	uint32_t slot_count, slot_capacity;
	uint32_t free_slot; /* plus 1 */
	uint32_t turn; /* of collecting */
	uint32_t reports; /* of members, so far */
	uint32_t orphans; /* members that could not be deleted */
	uint32_t served; /* how often it has handed out */
	bool few; /* were told by the last instance */
	bool kicked;
	bool crowded; /* a file is too often in the first */
	bool again; /* members want another look */
	bool more; /* members may be left, of this turn */
	bool stale_first; /* a member of a closed number is in */
	bool stale_second;
	unsigned waiters; /* threads in the kernel */
	bool closed; /* to be freed by the last of them */
	struct heap timers, clocks;
	struct table inodes; /* by watch descriptor */
	uint64_t signals; /* bit N-1: has a knote for signal N */
	unsigned followers; /* knotes that the connector serves */
	unsigned interfaces; /* knotes that rtnetlink serves */
	unsigned transfers; /* knotes of AIO */
};

/* The key in queue->knotes. */
static inline uint64_t
knote_key(int filter, uintptr_t ident)
{
	return (uint64_t)ident ^ (uint64_t)(uint16_t)filter << 48;
}

/* The knote, or NULL. */
struct knote *knote_find(struct queue *queue, int filter, uintptr_t ident);

/*
 * A knote for CHANGE, in the table if LISTED, not attached yet; NULL if there
 * is no memory.
 */
struct knote *knote_new(struct queue *queue, const struct filter *filter,
    const struct kevent *change, bool listed);

/* Detach and free it. */
void knote_drop(struct knote *knote);

/* Whether -errno ERROR says that a descriptor is closed, or another file. */
static inline bool
knote_is_gone(int error)
{
	return error == -EBADF || error == -ENOENT;
}

/*
 * ERROR is what came of a look at it: drop it if it is gone, else report the
 * error (EV_ERROR) and drop it then, since nobody would be told of it any more.
 */
void knote_end(struct knote *knote, int error);

/* Free it, which is not attached. */
void knote_free(struct knote *knote);

/* Something has happened: to the end of the ready list, unless disabled. */
void knote_activate(struct knote *knote);

/* Take it off the ready list, if it is there. */
void knote_dequeue(struct knote *knote);

#endif
