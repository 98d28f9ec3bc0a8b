/* SPDX-License-Identifier: ISC */
/*
 * knote.h - knotes and queues.  A knote is one filter on one identifier in one
 * queue.
 *
 * One lock protects all of them; only the wait in the kernel (collect.c) runs
 * without it.
 */
#ifndef KQ_KNOTE_H
#define KQ_KNOTE_H

/* For Linux-only calls; every file here includes this header first. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <sys/types.h>

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

/* libkq is compiled with all else hidden */
#pragma GCC visibility push(default)
#include <sys/event.h>
#pragma GCC visibility pop

#include "table.h"

/* Bytes, on most machines. */
#define CACHE_LINE 64

/* The cells of a queue, see knote_at. */
#define KNOTE_FIRST_LOG 4
#define KNOTE_FIRST_BLOCK (1u << KNOTE_FIRST_LOG)
#define KNOTE_BLOCKS (33 - KNOTE_FIRST_LOG)

struct filter;
struct inode;
struct queue;

enum {
	KNOTE_ACTIVE = 1, /* an event has occurred, or may have */
	KNOTE_READY = 2, /* in the ready list */
	KNOTE_DISABLED = 4,
	KNOTE_UNLISTED = 8 /* not in the queue's table */
};

/* A knote's descriptor in one of the queue's epoll instances. */
struct member {
	uint32_t generation; /* starts at 1; detects events of older members */
	uint32_t turn; /* queue->turn when REVENTS was reported */
	uint16_t revents;
	bool edge : 1; /* registered edge-triggered */
	bool nested : 1; /* the descriptor is a queue */
	uint8_t place; /* MEMBER_* */
};

enum {
	MEMBER_NOWHERE,
	MEMBER_FIRST,
	MEMBER_SECOND, /* the first holds the same number already */
	MEMBER_MAIN /* in the instance that is the queue */
};

/* READ and WRITE */
struct descriptor {
	int64_t count; /* of a KIND_QUEUE: events last reported */
	uint32_t served; /* and its queue->served at that time */
	uint8_t kind; /* descriptor.h */
	dev_t device; /* of a KIND_FILE */
	ino_t number;
};

struct signal {
	unsigned seen; /* value of posts[] already reported */
	bool pending_reported; /* the pending signal was reported */
};

struct timer {
	int64_t deadline; /* ns on its clock */
	size_t place; /* index in the heap, plus 1; 0: none */
	int64_t period; /* ns; 0: once */
	int64_t count; /* expirations not reported yet */
};

struct process {
	int64_t deadline; /* when to stop waiting for the reap */
	size_t place; /* both as in struct timer */
	int descriptor; /* a pidfd, or -1: reaped before it was opened */
	int status; /* wait status */
	bool ended;
	bool known; /* STATUS is valid */
	bool awaited; /* the wait has begun, or is not needed */
	bool followed; /* it uses the connector */
};

/*
 * A knote is dropped by a change, by the caller of event() if that returns that
 * it is gone, by member_rebuild_instances() (any knote), when its queue is
 * closed, and by aio_return.  So keep no pointer to another knote across
 * event() and member_rebuild_instances().  Events of inotify, netlink and
 * signals only activate a knote.  A knote that is active and not ready is
 * disabled.
 *
 * Returning an event of a member needs what is above "next": two cache lines.
 */
struct knote {
	_Alignas(CACHE_LINE) struct link link; /* in queue->knotes; first */
	struct kevent event; /* as returned to the caller */
	struct queue *queue; /* NULL: a free cell */
	const struct filter *filter;
	struct member member;
	uint32_t cell; /* its own index, see knote_at */
	unsigned status; /* KNOTE_* flags */
	unsigned fflags; /* fflags of the last change */
	int64_t data; /* data of the last change */
	struct knote *next, *previous; /* in the ready list */
	struct inode *inode; /* watched inode, or NULL */
	struct knote *sibling; /* next knote of the same inode */
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

/* Descriptors in the queue's epoll instance; the value is the tag there. */
enum source {
	SOURCE_KICK, /* eventfd: the ready list is not empty */
	SOURCE_FIRST, /* inner epoll instance */
	SOURCE_SECOND, /* inner epoll instance, for second members of a number */
	SOURCE_TIMER, /* timerfd, monotonic clock */
	SOURCE_CLOCK, /* timerfd, time of day */
	SOURCE_INODES, /* inotify */
	SOURCE_PROCESSES, /* process connector */
	SOURCE_POSTS, /* eventfd: a signal was counted */
	SOURCE_PENDING, /* signalfd: a signal is pending */
	SOURCE_LINKS, /* rtnetlink */
	SOURCES
};

struct heap {
	struct knote **list;
	size_t count, capacity;
	int64_t armed; /* deadline that the timerfd has */
};

struct queue {
	struct queue *next;
	int fd; /* a descriptor number of this queue */
	int sources[SOURCES]; /* descriptors, or -1 */
	struct table knotes;
	struct knote *first, *last; /* the ready list */
	size_t ready; /* length of the ready list */
	struct knote *blocks[KNOTE_BLOCKS]; /* cells, see knote_at */
	struct knote *free_cells; /* by next */
	uint32_t cells; /* in use or free */
	uint32_t turn; /* number of the current batch of events */
	uint32_t reports; /* member events so far */
	uint32_t orphans; /* epoll entries that could not be deleted */
	uint32_t served; /* number of calls that returned events */
	bool few; /* the last batch was small, see FEW */
	bool kicked;
	bool crowded; /* a file reached the limit of inner instances */
	bool again; /* a member was rearmed: poll once more */
	bool more; /* a batch was full: poll once more */
	bool stale_first; /* holds an entry of a closed number */
	bool stale_second;
	unsigned waiters; /* threads waiting in the kernel */
	bool closed; /* the last waiter frees the queue */
	struct heap timers, clocks;
	struct table inodes; /* by watch descriptor */
	uint64_t signals; /* bit N-1: signal N has a knote */
	unsigned followers; /* knotes that use the connector */
	unsigned interfaces; /* knotes that use rtnetlink */
	unsigned transfers; /* knotes of AIO */
};

/* The key in queue->knotes. */
static inline uint64_t
knote_key(int filter, uintptr_t ident)
{
	return (uint64_t)ident ^ (uint64_t)(uint16_t)filter << 48;
}

/*
 * The knotes of a queue lie in cells, which outlive them: an event that
 * epoll(7) reports may be of an older knote there.  Each block of cells is twice
 * as large as the one before, so that none ever moves.  Returns cell number
 * INDEX, below QUEUE->cells.
 */
static inline struct knote *
knote_at(const struct queue *queue, uint32_t index)
{
	uint64_t n = (uint64_t)index + KNOTE_FIRST_BLOCK;
	unsigned log = 63 - (unsigned)__builtin_clzll(n);

	return queue->blocks[log - KNOTE_FIRST_LOG] +
	    (n - (UINT64_C(1) << log));
}

/* The knote of LINK, in queue->knotes. */
static inline struct knote *
knote_of(struct link *link)
{
	/* by void *: the first member is aligned as the whole */
	return (struct knote *)(void *)link;
}

/* Find a knote.  Returns NULL if there is none. */
struct knote *knote_find(struct queue *queue, int filter, uintptr_t ident);

/*
 * Allocate a knote for CHANGE, in the queue's table if LISTED, not attached
 * yet.  Returns NULL if there is no memory.
 */
struct knote *knote_new(struct queue *queue, const struct filter *filter,
    const struct kevent *change, bool listed);

/* Detach and free KNOTE. */
void knote_drop(struct knote *knote);

/* Whether -errno ERROR means that the descriptor is closed or another file. */
static inline bool
knote_is_gone(int error)
{
	return error == -EBADF || error == -ENOENT;
}

/*
 * End KNOTE with -errno ERROR: drop it at once if the descriptor is gone;
 * otherwise report the error (EV_ERROR, EV_ONESHOT), since no source would
 * report the knote again.
 */
void knote_end(struct knote *knote, int error);

/* Free KNOTE, which is not attached. */
void knote_free(struct knote *knote);

/* Free the cells of QUEUE, whose knotes have been freed. */
void knote_free_cells(struct queue *queue);

/* Append KNOTE to the ready list, unless it is disabled. */
void knote_activate(struct knote *knote);

/* Remove KNOTE from the ready list, if it is there. */
void knote_dequeue(struct knote *knote);

#endif
