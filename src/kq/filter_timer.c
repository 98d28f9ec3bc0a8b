/* SPDX-License-Identifier: ISC */
#include "knote.h"

#include <sys/timerfd.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "filter.h"
#include "filter_timer.h"
#include "member.h"

#define NS_PER_S INT64_C(1000000000)
#define NEVER INT64_MAX
#define UNITS (NOTE_SECONDS | NOTE_MSECONDS | NOTE_USECONDS | NOTE_NSECONDS)

static bool
on_clock(const struct knote *k)
{
	return k->event.filter == EVFILT_TIMER &&
	    (k->fflags & NOTE_ABSTIME) != 0;
}

static struct heap *
heap_of(const struct knote *k)
{
	return on_clock(k) ? &k->queue->clocks : &k->queue->timers;
}

static int64_t
clock_now(bool clock)
{
	struct timespec t;

	(void)clock_gettime(clock ? CLOCK_REALTIME : CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* ---- heap of timers, the earliest deadline first ---- */

static bool
is_before(const struct knote *a, const struct knote *b)
{
	return a->timer.deadline < b->timer.deadline;
}

static void
heap_put(struct heap *h, size_t at, struct knote *k)
{
	h->list[at] = k;
	k->timer.place = at + 1;
}

static void
heap_rise(struct heap *h, size_t at, struct knote *k)
{
	size_t up;

	for (; at > 0; at = up) {
		up = (at - 1) / 2;
		if (!is_before(k, h->list[up]))
			break;
		heap_put(h, at, h->list[up]);
	}
	heap_put(h, at, k);
}

static void
heap_sink(struct heap *h, size_t at, struct knote *k)
{
	size_t down;

	while ((down = 2 * at + 1) < h->count) {
		if (down + 1 < h->count &&
		    is_before(h->list[down + 1], h->list[down]))
			down++;
		if (!is_before(h->list[down], k))
			break;
		heap_put(h, at, h->list[down]);
		at = down;
	}
	heap_put(h, at, k);
}

/* Make room for COUNT knotes, so that heap_insert cannot fail. */
static int
heap_reserve(struct heap *h, size_t count)
{
	size_t wanted = 2 * h->capacity + 16;
	struct knote **list;

	if (count <= h->capacity)
		return 0;
	list = realloc(h->list, wanted * sizeof *list);
	if (list == NULL)
		return -ENOMEM;
	h->list = list;
	h->capacity = wanted;
	return 0;
}

static void
heap_insert(struct knote *k)
{
	struct heap *h = heap_of(k);

	if (k->timer.place != 0 || k->timer.deadline == NEVER)
		return;
	heap_rise(h, h->count++, k);
}

static void
heap_remove(struct knote *k)
{
	struct heap *h = heap_of(k);
	size_t at = k->timer.place - 1;
	struct knote *last;

	if (k->timer.place == 0)
		return;
	k->timer.place = 0;
	last = h->list[--h->count];
	if (last == k)
		return;
	if (at > 0 && is_before(last, h->list[(at - 1) / 2]))
		heap_rise(h, at, last);
	else
		heap_sink(h, at, last);
}

/* ---- one timer ---- */

/* DATA, in the unit of FFLAGS, in nanoseconds; NEVER on overflow. */
static int64_t
to_nanoseconds(int64_t data, unsigned fflags)
{
	int64_t unit = 1000000;

	if ((fflags & NOTE_SECONDS) != 0)
		unit = NS_PER_S;
	else if ((fflags & NOTE_USECONDS) != 0)
		unit = 1000;
	else if ((fflags & NOTE_NSECONDS) != 0)
		unit = 1;
	return data > NEVER / unit ? NEVER : data * unit;
}

/*
 * Open a timerfd and check that it can be set.  Returns -1 with errno on
 * failure.
 */
static int
timer_open(bool clock)
{
	const struct itimerspec never = { .it_value = { 0, 0 } };
	int fd = timerfd_create(clock ? CLOCK_REALTIME : CLOCK_MONOTONIC,
	    TFD_CLOEXEC | TFD_NONBLOCK);
	int error;

	if (fd == -1 || timerfd_settime(fd, 0, &never, NULL) == 0)
		return fd;
	error = errno;
	(void)close(fd);
	errno = error;
	return -1;
}

/*
 * Open the timerfd of CLOCK and make room in its heap for all knotes of Q.
 * Returns 0 or -errno.
 */
static int
timer_prepare(struct queue *q, bool clock)
{
	enum source source = clock ? SOURCE_CLOCK : SOURCE_TIMER;
	int error = 0;

	if (q->sources[source] == -1)
		error = source_add(q, source, timer_open(clock), false);
	return error != 0 ?
	    error :
	    heap_reserve(clock ? &q->clocks : &q->timers, q->knotes.count);
}

static int
timer_start(struct knote *k, unsigned fflags, int64_t data)
{
	bool clock = (fflags & NOTE_ABSTIME) != 0;
	int64_t length;
	int error;

	/* at most one bit of UNITS */
	if (data < 0 || (fflags & ~(unsigned)(UNITS | NOTE_ABSTIME)) != 0 ||
	    ((fflags & UNITS) & ((fflags & UNITS) - 1)) != 0)
		return -EINVAL;
	if ((error = timer_prepare(k->queue, clock)) != 0)
		return error;
	heap_remove(k);
	k->fflags = fflags;
	k->data = data;
	k->timer.count = 0;
	length = to_nanoseconds(data, fflags);
	/* a period of 0 means the shortest one */
	if (!clock && length == 0 && (k->event.flags & EV_ONESHOT) == 0)
		length = 1;
	k->timer.period = clock || (k->event.flags & EV_ONESHOT) != 0 ? 0 :
									length;
	if (!clock && length != NEVER) {
		int64_t t = clock_now(false);

		length = length > NEVER - t ? NEVER : t + length;
	}
	k->timer.deadline = length;
	if ((k->status & KNOTE_DISABLED) == 0)
		heap_insert(k);
	return 0;
}

static int
timer_attach(struct knote *k)
{
	/* FreeBSD: an absolute timer stays reported until it is deleted */
	if ((k->fflags & NOTE_ABSTIME) == 0)
		k->event.flags |= EV_CLEAR;
	return timer_start(k, k->fflags, k->data);
}

/* EV_ADD of an existing timer restarts it and discards its expirations. */
static int
timer_change(struct knote *k, const struct kevent *change)
{
	int error;

	if ((change->flags & EV_ADD) == 0)
		return 0;
	error = timer_start(k, change->fflags, change->data);
	if (error != 0)
		return error;
	knote_dequeue(k);
	k->status &= ~(unsigned)KNOTE_ACTIVE;
	return 0;
}

/* Add the expirations since the last call. */
static int
timer_event(struct knote *k)
{
	struct timer *t = &k->timer;
	int64_t late = -1, times = 1;

	if (t->deadline != NEVER)
		late = clock_now(on_clock(k)) - t->deadline;
	if (late >= 0 && t->period == 0) {
		t->count = 1;
		t->deadline = NEVER;
		heap_remove(k);
	} else if (late >= 0) {
		times += late / t->period;
		t->count += times;
		heap_remove(k);
		if (times > (NEVER - t->deadline) / t->period)
			t->deadline = NEVER;
		else
			t->deadline += times * t->period;
	}
	k->event.data = t->count;
	if (t->count == 0)
		heap_insert(k);
	return t->count > 0;
}

static void
timer_clear(struct knote *k)
{
	k->timer.count = 0;
	k->event.data = 0;
	heap_insert(k);
}

/* A disabled timer keeps counting without waking anyone. */
static void
timer_disarm(struct knote *k)
{
	heap_remove(k);
}

static int
timer_arm(struct knote *k)
{
	heap_insert(k);
	return 0;
}

/* ---- timers of other filters ---- */

int
timer_wake_after(struct knote *k, int64_t ns)
{
	int error = timer_prepare(k->queue, false);

	if (error != 0)
		return error;
	k->timer.deadline = clock_now(false) + ns;
	heap_insert(k);
	return 0;
}

void
timer_cancel_wake(struct knote *k)
{
	heap_remove(k);
}

/* ---- all timers of a queue ---- */

static void
expire(struct heap *h, int64_t t)
{
	struct knote *k;

	while (h->count > 0 && (k = h->list[0])->timer.deadline <= t) {
		heap_remove(k);
		/* stays out of the heap, and so unarmed, until reported */
		knote_activate(k);
	}
}

void
timer_handle(struct queue *q, bool clock)
{
	struct heap *h = clock ? &q->clocks : &q->timers;

	expire(h, clock_now(clock));
	h->armed = 0; /* forces timerfd_settime, which clears the expiration */
}

/* A deadline beyond a 32-bit time_t is cut to its largest value. */
static time_t
seconds(int64_t deadline)
{
	int64_t s = deadline / NS_PER_S;

	return (int64_t)(time_t)s == s ? (time_t)s : (time_t)INT32_MAX;
}

static int
arm_timerfd(struct heap *h, int fd)
{
	struct itimerspec t;
	int64_t deadline = h->count > 0 ? h->list[0]->timer.deadline : NEVER;

	if (fd == -1 || deadline == h->armed)
		return 0;
	memset(&t, 0, sizeof t);
	if (deadline != NEVER) {
		t.it_value.tv_sec = seconds(deadline);
		t.it_value.tv_nsec = (long)(deadline % NS_PER_S);
		if (deadline <= 0) /* 0 would disarm the timerfd */
			t.it_value.tv_nsec = 1;
	}
	if (timerfd_settime(fd, TFD_TIMER_ABSTIME, &t, NULL) == -1)
		return -errno;
	h->armed = deadline;
	return 0;
}

int
timer_arm_fds(struct queue *q)
{
	int first = arm_timerfd(&q->timers, q->sources[SOURCE_TIMER]);
	int second = arm_timerfd(&q->clocks, q->sources[SOURCE_CLOCK]);

	return first != 0 ? first : second;
}

const struct filter filter_timer = {
	.number = EVFILT_TIMER,
	.attach = timer_attach,
	.change = timer_change,
	.detach = timer_disarm,
	.event = timer_event,
	.clear = timer_clear,
	.disarm = timer_disarm,
	.arm = timer_arm,
};
