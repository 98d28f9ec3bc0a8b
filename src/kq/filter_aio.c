/* SPDX-License-Identifier: ISC */
#include "knote.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "filter.h"
#include "filter_aio.h"
#include "queue.h"
#include "wakeup.h"

#undef aio_read
#undef aio_write
#undef aio_return

/*
 * aio_return waits for the thread in which the C library calls on_complete:
 * at most PATIENCE sleeps, in nanoseconds from MOMENT_FIRST doubling to
 * MOMENT_LAST, about 0.5 s in all.  The call never comes if the thread could
 * not be started.
 */
#define PATIENCE 100
#define MOMENT_FIRST 50000
#define MOMENT_LAST 6400000

/* A read or write in progress, or complete and not yet passed to aio_return. */
struct transfer {
	struct link link; /* in transfers, by control block */
	struct aiocb *block;
	struct sigevent event; /* aio_sigevent as the program set it */
	struct knote *knote; /* NULL: the queue is closed */
	uint64_t serial;
	bool done; /* on_complete was called */
	bool fetched; /* aio_return was called before that */
};

/* Argument of on_complete(), which frees it. */
struct notice {
	struct aiocb *block;
	uint64_t serial;
};

static struct table transfers;
static uint64_t serial;

static uint64_t
key_of(const struct aiocb *block)
{
	return (uint64_t)(uintptr_t)block;
}

static struct transfer *
transfer_find(const struct aiocb *block)
{
	return (struct transfer *)table_find(&transfers, key_of(block));
}

static void
forget_knote(struct transfer *r)
{
	struct knote *k = r->knote;

	if (k == NULL)
		return;
	r->knote = NULL;
	k->transfer = NULL;
	knote_drop(k);
}

static void
transfer_free(struct transfer *r)
{
	forget_knote(r);
	table_remove(&transfers, &r->link);
	r->block->aio_sigevent = r->event;
	free(r);
}

/* Called in a thread of the C library when the transfer is complete. */
static void
on_complete(union sigval value)
{
	struct notice *notice = value.sival_ptr;
	struct transfer *r;

	(void)queues_lock();
	r = transfer_find(notice->block);
	if (r != NULL && r->serial == notice->serial) {
		r->done = true;
		if (r->knote != NULL) {
			knote_activate(r->knote);
			(void)wakeup_update(r->knote->queue);
		}
		if (r->fetched)
			transfer_free(r);
	}
	queues_unlock();
	free(notice);
}

static struct knote *
make_knote(struct aiocb *block, int *error)
{
	struct queue *q = queue_find(block->aio_sigevent.sigev_notify_kqueue);
	struct transfer *before = transfer_find(block);
	struct kevent change;
	struct knote *k;

	/* the program may reuse the block once aio_return has returned */
	if (before != NULL && before->fetched) {
		table_remove(&transfers, &before->link);
		free(before);
		before = NULL;
	}
	*error = q == NULL ? -EBADF : before != NULL ? -EINVAL : 0;
	if (*error != 0)
		return NULL;
	memset(&change, 0, sizeof change);
	change.ident = (uintptr_t)block;
	change.filter = EVFILT_AIO;
	change.udata = block->aio_sigevent.sigev_value.sival_ptr;
	k = knote_new(q, &filter_aio, &change, true);
	if (k == NULL)
		*error = -ENOMEM;
	return k;
}

/* Make BLOCK call on_complete().  Returns 0 or -errno. */
static int
transfer_prepare(struct aiocb *block)
{
	struct transfer *r = calloc(1, sizeof *r);
	struct notice *notice = malloc(sizeof *notice);
	struct knote *k = NULL;
	int error = -ENOMEM;

	if (r != NULL && notice != NULL)
		k = make_knote(block, &error);
	if (k != NULL &&
	    table_insert(&transfers, &r->link, key_of(block)) != 0) {
		knote_free(k);
		k = NULL;
		error = -ENOMEM;
	}
	if (k == NULL) {
		free(r);
		free(notice);
		return error;
	}
	r->block = block;
	r->event = block->aio_sigevent;
	r->knote = k;
	k->transfer = r;
	k->queue->transfers++;
	notice->block = block;
	notice->serial = r->serial = ++serial;
	memset(&block->aio_sigevent, 0, sizeof block->aio_sigevent);
	block->aio_sigevent.sigev_notify = SIGEV_THREAD;
	block->aio_sigevent.sigev_notify_function = on_complete;
	block->aio_sigevent.sigev_value.sival_ptr = notice;
	return 0;
}

/* Returns 0 or -errno. */
static int
transfer_start(struct aiocb *block, int (*function)(struct aiocb *))
{
	const bool ours = block->aio_sigevent.sigev_notify == SIGEV_KEVENT;
	int error = 0;

	if (ours && !queues_lock())
		return -EDEADLK;
	if (ours) {
		error = transfer_prepare(block);
		queues_unlock();
	}
	if (error != 0)
		return error;
	if (function(block) == 0)
		return 0;
	error = -errno;
	if (!ours)
		return error;
	(void)queues_lock();
	free(block->aio_sigevent.sigev_value.sival_ptr);
	transfer_free(transfer_find(block));
	queues_unlock();
	return error;
}

/*
 * Free the record of BLOCK, which is complete, if on_complete() has been
 * called.  If not, return false if PATIENT, else leave the record to
 * on_complete().
 */
static bool
fetch(struct aiocb *block, bool patient)
{
	struct transfer *r;
	bool fetched = true;

	if (!queues_lock())
		return true;
	r = transfer_find(block);
	if (r != NULL && r->done)
		transfer_free(r);
	else if (r != NULL && patient)
		fetched = false;
	else if (r != NULL) {
		forget_knote(r);
		r->fetched = true;
	}
	queues_unlock();
	return fetched;
}

/*
 * aio_error(3) reports completion shortly before the C library reads
 * aio_sigevent for the last time.  The program may free the block once its
 * aio_return returns, so wait for the notification.
 */
static void
transfer_fetch(struct aiocb *block)
{
	struct timespec moment = { 0, MOMENT_FIRST };

	if (aio_error(block) == EINPROGRESS)
		return;
	for (int i = 0; !fetch(block, i < PATIENCE); i++) {
		(void)nanosleep(&moment, NULL);
		if (moment.tv_nsec < MOMENT_LAST)
			moment.tv_nsec *= 2;
	}
}

int
aio_call(const struct kevent *call)
{
	struct aiocb *block = (struct aiocb *)call->ident;

	if (call->filter != EVFILT_AIO)
		return -EBADF;
	switch (call->fflags) {
	case KQ_AIO_READ:
		return transfer_start(block, aio_read);
	case KQ_AIO_WRITE:
		return transfer_start(block, aio_write);
	case KQ_AIO_FETCH:
		transfer_fetch(block);
		return 0;
	default:
		return -EBADF;
	}
}

/* Only aio_read(2) and aio_write(2) create such a knote (FreeBSD: EPERM). */
static int
aio_attach(struct knote *k)
{
	(void)k;
	return -EPERM;
}

static bool
is_complete(const struct knote *k)
{
	return k->transfer->done ||
	    aio_error(k->transfer->block) != EINPROGRESS;
}

static int
aio_event(struct knote *k)
{
	if (!is_complete(k))
		return 0;
	k->event.flags |= EV_EOF;
	return 1;
}

static void
activate_complete(struct link *l, void *argument)
{
	struct knote *k = knote_of(l);

	(void)argument;
	if (k->event.filter == EVFILT_AIO && is_complete(k))
		knote_activate(k);
}

void
transfers_check(struct queue *q)
{
	table_each(&q->knotes, activate_complete, NULL);
}

static void
aio_detach(struct knote *k)
{
	k->queue->transfers--;
	if (k->transfer != NULL)
		k->transfer->knote = NULL;
}

const struct filter filter_aio = {
	.number = EVFILT_AIO,
	.attach = aio_attach,
	.detach = aio_detach,
	.event = aio_event,
};
