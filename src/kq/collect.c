/* SPDX-License-Identifier: ISC */
#include "knote.h"

#include <sys/epoll.h>
#include <sys/syscall.h>

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/*
 * In glibc 2.32.  With musl-gcc, the header of an installed glibc may be found,
 * which does not apply.
 */
#if defined(__GLIBC__) && defined(__has_include)
#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#define HAVE_SINGLE_THREADED 1
#endif
#endif
#ifndef HAVE_SINGLE_THREADED
#include <sys/stat.h>
#endif

#include "collect.h"
#include "filter.h"
#include "filter_aio.h"
#include "filter_netdev.h"
#include "filter_proc.h"
#include "filter_signal.h"
#include "filter_timer.h"
#include "inode.h"
#include "member.h"
#include "queue.h"
#include "wakeup.h"

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

/* Events per epoll_wait(2): those that fit on the stack, and the maximum. */
#define BATCH 64
#define BATCH_MOST 4096

/* The wrapper is in glibc 2.35. */
#ifdef __GLIBC_PREREQ
#if __GLIBC_PREREQ(2, 35)
#define PWAIT2(fd, ready, n, t) epoll_pwait2(fd, ready, n, t, NULL)
#endif
#endif
#ifndef PWAIT2
#define PWAIT2(fd, ready, n, t) \
	(int)syscall(SYS_epoll_pwait2, fd, ready, n, t, NULL, (size_t)0)
#endif

/*
 * The kernel does not report that another thread closed a queue.  A thread that
 * waits checks for that every 0.1 s, with a timeout every 5 s; N such threads
 * check every N times that.
 */
#define RECHECK (NS_PER_S / 10)

/* Up to this many events are all verified, see member_events. */
#define FEW 8

/* The knote of an event is loaded into the cache this many events before. */
#define AHEAD 16

/* Buffers for the events of the queue's instance, then of each inner one. */
struct batch {
	struct epoll_event few[BATCH], sources[SOURCES];
	struct epoll_event *members, *ready;
	int capacity; /* of members */
	int most; /* of ready */
	struct kevent *events; /* where to return events at once, or NULL */
	int done; /* number of them */
};

static int64_t
monotonic_now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void
batch_close(struct batch *b)
{
	if (b->members != b->few)
		free(b->members);
	if (b->ready != b->sources)
		free(b->ready);
}

/* For ROOM events of Q.  Returns 0 or -ENOMEM. */
static int
batch_open(struct batch *b, const struct queue *q, size_t room)
{
	if (room > BATCH_MOST)
		room = BATCH_MOST;
	b->members = b->few;
	b->ready = b->sources;
	b->events = NULL;
	b->capacity = (int)room;
	b->most = SOURCES;
	if (room > BATCH)
		b->members = malloc(room * sizeof *b->members);
	if (q->crowded) {
		b->most += (int)room;
		b->ready = malloc((size_t)b->most * sizeof *b->ready);
	}
	if (b->members != NULL && b->ready != NULL)
		return 0;
	batch_close(b);
	return -ENOMEM;
}

/* ---- returning events ---- */

/* The part of after_report for a knote with one of these flags. */
static void
after_flags(struct knote *k, unsigned flags)
{
	if ((flags & EV_ONESHOT) != 0) {
		knote_drop(k);
		return;
	}
	if ((flags & EV_CLEAR) != 0) {
		if (k->filter->clear != NULL)
			k->filter->clear(k);
		else {
			k->event.fflags = 0;
			k->event.data = 0;
		}
	}
	if ((flags & EV_DISPATCH) != 0) {
		k->status |= KNOTE_DISABLED;
		if (k->filter->disarm != NULL)
			k->filter->disarm(k);
	}
	k->status &= ~(unsigned)KNOTE_ACTIVE;
}

/*
 * Update K, already off the ready list, after its event has been returned.
 * These three functions are inline because a processor may not predict a return
 * to a call made before a system call.
 */
static inline void
after_report(struct knote *k)
{
	unsigned flags = k->event.flags;

	if ((flags & (EV_ONESHOT | EV_CLEAR | EV_DISPATCH)) != 0) {
		after_flags(k, flags);
		return;
	}
	k->status &= ~(unsigned)KNOTE_ACTIVE;
	/* level-triggered, and no source would report it again */
	if (k->member.place == MEMBER_NOWHERE)
		knote_activate(k);
}

/* Drop K, whose descriptor has been closed. */
static void
drop_closed(struct knote *k)
{
	member_orphan(k);
	knote_drop(k);
}

/*
 * Get the event of K, which is off the ready list, unless K already holds an
 * error to report.  Returns 1 for an event, 0 for none, or -errno if K's
 * descriptor is gone.
 */
static inline int
query_event(struct knote *k)
{
	int active = 1;

	if ((k->event.flags & EV_ERROR) == 0)
		active = k->filter->event(k);
	if (active >= 0 || knote_is_gone(active))
		return active;
	knote_end(k, active);
	knote_dequeue(k);
	return 1;
}

/*
 * Return the event of K, which is off the ready list.  Returns 1 with *EVENT
 * set, or 0 for none.
 */
static inline int
report(struct knote *k, struct kevent *event)
{
	int active = query_event(k);

	if (active < 0) {
		drop_closed(k);
		return 0;
	}
	if (active == 0) {
		k->status &= ~(unsigned)KNOTE_ACTIVE;
		return 0;
	}
	*event = k->event;
	after_report(k);
	return 1;
}

/* ---- events from the kernel ---- */

/*
 * Handle the knotes that instance SOURCE reports, at most B->capacity: return
 * their events at once, or activate them where others must come first.
 */
static void
handle_members(struct queue *q, enum source source, struct batch *b)
{
	struct knote *k;
	int n;

	/* does not block: retry, or this turn would miss the events */
	do
		n = epoll_wait(q->sources[source], b->members, b->capacity, 0);
	while (n == -1 && errno == EINTR);
	q->few = n <= FEW;
	q->more |= n == b->capacity;
	for (int i = 0; i < n + AHEAD; i++) {
		if (i < n)
			member_prefetch(q, &b->members[i]);
		if (i >= AHEAD)
			b->members[i - AHEAD].data.ptr = member_on_event(q,
			    &b->members[i - AHEAD], source);
	}
	/* by themselves: most make a system call, and want the cache */
	for (int i = 0; i < n; i++) {
		k = b->members[i].data.ptr;
		if (k == NULL)
			continue;
		if (b->events == NULL || q->first != NULL ||
		    (k->status & KNOTE_DISABLED) != 0)
			knote_activate(k);
		else
			b->done += report(k, &b->events[b->done]);
	}
}

static void
handle_source(struct queue *q, enum source source, struct batch *b)
{
	switch (source) {
	case SOURCE_FIRST:
	case SOURCE_SECOND:
		handle_members(q, source, b);
		break;
	case SOURCE_TIMER:
	case SOURCE_CLOCK:
		timer_handle(q, source == SOURCE_CLOCK);
		break;
	case SOURCE_INODES:
		inode_handle(q);
		break;
	case SOURCE_PROCESSES:
		proc_handle_events(q);
		break;
	case SOURCE_POSTS:
	case SOURCE_PENDING:
		signal_handle(q, source == SOURCE_PENDING);
		break;
	case SOURCE_LINKS:
		netdev_handle(q);
		break;
	default:
		break;
	}
}

/*
 * Handle the first N events in B->ready, which the queue's instance reported.
 */
static void
handle_sources(struct queue *q, struct batch *b, int n)
{
	const struct epoll_event *e = b->ready;
	struct knote *k;

	q->turn++;
	for (int i = 0; i < n; i++, e++)
		if (e->data.u64 < SOURCES)
			handle_source(q, (enum source)e->data.u64, b);
		else if ((k = member_on_main_event(q, e)) != NULL)
			knote_activate(k);
	if (q->stale_first || q->stale_second)
		member_rebuild_instances(q);
}

/* Returns the number of EVENTS filled in. */
static int
hand_out(struct queue *q, struct kevent *events, int room)
{
	struct knote *k;
	int done = 0;

	for (size_t left = q->ready; left > 0 && done < room; left--) {
		if ((k = q->first) == NULL)
			break;
		knote_dequeue(k);
		done += report(k, &events[done]);
	}
	if (q->stale_first || q->stale_second)
		member_rebuild_instances(q);
	return done;
}

int64_t
collect_count(struct queue *q)
{
	struct batch b;
	int64_t count = 0;
	struct knote *k;
	int active;

	if (batch_open(&b, q, q->knotes.count + 1) != 0)
		return 1;
	handle_sources(q, &b, epoll_wait(q->fd, b.ready, b.most, 0));
	batch_close(&b);
	for (size_t left = q->ready; left > 0 && q->first != NULL; left--) {
		k = q->first;
		knote_dequeue(k);
		active = query_event(k);
		if (active < 0)
			drop_closed(k);
		else if (active == 0)
			k->status &= ~(unsigned)KNOTE_ACTIVE;
		else {
			count++;
			/* epoll reports level-triggered members again */
			if (!member_was_reported(k) || k->member.edge ||
			    (k->event.flags & EV_ERROR) != 0)
				knote_activate(k);
		}
	}
	(void)wakeup_update(q);
	return count;
}

/* ---- waiting ---- */

/*
 * LEFT is in nanoseconds, -1 for ever.  Linux 5.11 has epoll_pwait2(2); the
 * wrapper of the C library is a cancellation point.
 */
static int
wait_in_kernel(int fd, struct epoll_event *ready, int most, int64_t left)
{
	int64_t ms;
#if defined(SYS_epoll_pwait2) && defined(__LP64__)
	struct timespec t = { left / NS_PER_S, left % NS_PER_S };
	int n;

	if (left > 0) {
		n = PWAIT2(fd, ready, most, &t);
		if (n != -1 || errno != ENOSYS)
			return n;
	}
#endif
	ms = left <= 0 ? left : left / NS_PER_MS + (left % NS_PER_MS != 0);
	return epoll_wait(fd, ready, most, ms > INT_MAX ? INT_MAX : (int)ms);
}

struct turn {
	struct queue *queue;
	int fd;
	struct batch batch;
	struct kevent *events;
	int room;
};

static void
on_cancel(void *argument)
{
	struct turn *t = argument;

	(void)queues_lock();
	(void)queue_leave(t->queue);
	queues_unlock();
	batch_close(&t->batch);
}

/* Only another thread can close a queue while this one waits in it. */
static bool
is_only_thread(void)
{
#ifdef HAVE_SINGLE_THREADED
	return __libc_single_threaded;
#else
	struct stat st;

	/* 2 links, and 1 per thread (proc_pid_task(5)) */
	return stat("/proc/self/task", &st) == 0 && st.st_nlink == 3;
#endif
}

/*
 * How long to wait, at most LEFT, before checking the queue and its transfers.
 * The C library reports a completed transfer from a new thread; if it cannot
 * start one, it reports nothing (glibc, sysdeps/pthread/aio_notify.c).
 */
static int64_t
wait_limit(const struct queue *q, int64_t left)
{
	/* FreeBSD keeps to a timeout: a shorter one than this is kept here too */
	int64_t limit = left < 0 || q->transfers > 0 ? RECHECK : 5 * NS_PER_S;

	if (left >= 0 && left <= limit)
		return left;
	if (q->transfers == 0) {
		if (is_only_thread())
			return left;
		limit *= (int64_t)q->waiters + 1;
	}
	return left >= 0 && left < limit ? left : limit;
}

/*
 * Wait without the lock.  Returns the number of ready sources, or -errno;
 * -EBADF if the queue has been closed.
 */
static int
wait_unlocked(struct turn *t, int64_t left)
{
	int n, error;

	queue_enter(t->queue);
	queues_unlock();
	pthread_cleanup_push(on_cancel, t);
	n = wait_in_kernel(t->fd, t->batch.ready, t->batch.most, left);
	error = n == -1 ? -errno : 0;
	pthread_cleanup_pop(0);
	(void)queues_lock();
	if (!queue_leave(t->queue))
		return -EBADF;
	return error != 0 ? error : n;
}

/*
 * Wait once, at most LEFT nanoseconds.  Returns the number of events, or
 * -errno.
 */
static int
turn(struct turn *t, int64_t left)
{
	struct queue *q = t->queue;
	struct signal_counts before = signal_counts_now(), after;
	int n, error = wakeup_update(q);

	if (error != 0)
		return error;
	signal_reinstall();
	if (q->ready > 0 || left == 0) {
		n = epoll_wait(t->fd, t->batch.ready, t->batch.most, 0);
		error = n == -1 ? -errno : 0;
	} else if ((n = wait_unlocked(t, wait_limit(q, left))) < 0)
		error = n;
	if (error != 0 && error != -EINTR)
		return error == -EINVAL ? -EBADF : error;
	if (error != 0)
		signal_handle(q, false);
	t->batch.done = 0;
	t->batch.events = n == 1 && q->ready == 0 ? t->events : NULL;
	handle_sources(q, &t->batch, n);
	if (n == 0 && q->transfers > 0)
		transfers_check(q);
	n = t->batch.done;
	n += hand_out(q, t->events + n, t->room - n);
	q->served += n > 0;
	if (n != 0 || error == 0)
		return n;
	/* on a BSD, an ignored signal does not interrupt the call */
	after = signal_counts_now();
	return after.ignored != before.ignored &&
		after.handled == before.handled ?
	    0 :
	    error;
}

/* Returns nanoseconds, -1 for ever, -2 if T is not a valid time. */
static int64_t
timeout_ns(const struct timespec *t)
{
	if (t == NULL)
		return -1;
	if (t->tv_sec < 0 || t->tv_nsec < 0 || t->tv_nsec >= NS_PER_S)
		return -2;
	if ((int64_t)t->tv_sec >= INT64_MAX / NS_PER_S / 2)
		return -1;
	return t->tv_sec * NS_PER_S + t->tv_nsec;
}

int
collect(struct queue *q, int fd, struct kevent *events, int room,
    const struct timespec *timeout)
{
	int64_t left = timeout_ns(timeout), end = 0;
	struct turn t = { .queue = q,
		.fd = fd,
		.events = events,
		.room = room };
	int n, error;

	if (left == -2) {
		(void)wakeup_update(q);
		return -EINVAL;
	}
	if ((error = batch_open(&t.batch, q, (size_t)room)) != 0)
		return error;
	if (left > 0)
		end = monotonic_now() + left;
	for (;;) {
		q->again = q->more = false;
		n = turn(&t, left);
		if (n != 0)
			break;
		if (left == 0 && !q->again && !q->more)
			break;
		if (left > 0 && (left = end - monotonic_now()) <= 0)
			break;
		/* the number may have been closed, or reused, since */
		if (left != 0 && !queue_is_at(q, fd)) {
			n = -EBADF;
			break;
		}
	}
	if (n == -EBADF)
		queues_sweep();
	else if (q->again)
		(void)collect_count(q);
	else
		(void)wakeup_update(q);
	batch_close(&t.batch);
	return n;
}
