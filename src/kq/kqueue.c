/* SPDX-License-Identifier: ISC */
#include "knote.h"

#include <errno.h>
#include <fcntl.h>

#include "change.h"
#include "collect.h"
#include "filter_aio.h"
#include "queue.h"
#include "wakeup.h"

static int
kq_result(int value)
{
	if (value >= 0)
		return value;
	errno = -value;
	return -1;
}

int
kqueue1(int flags)
{
	int fd;

	if ((flags & ~(O_CLOEXEC | O_NONBLOCK)) != 0)
		return kq_result(-EINVAL);
	if (!queues_lock())
		return kq_result(-EDEADLK);
	fd = queue_open(flags);
	queues_unlock();
	return kq_result(fd);
}

int
kqueue(void)
{
	return kqueue1(0);
}

static int
kevent_locked(int fd, const struct kevent *changes, int nchanges,
    struct kevent *events, int nevents, const struct timespec *timeout)
{
	struct queue *q = queue_find(fd);
	int done = 0, error;

	if (q == NULL)
		return -EBADF;
	if (nchanges < 0 || nevents < 0)
		return -EINVAL;
	for (int i = 0; i < nchanges; i++) {
		struct kevent change = changes[i];

		if (change.filter == 0) /* FreeBSD skips it */
			continue;
		error = change_apply(q, &change);
		if (error == 0 && (change.flags & EV_RECEIPT) == 0)
			continue;
		if (done == nevents) {
			(void)wakeup_update(q);
			return error;
		}
		change.flags = EV_ERROR;
		change.data = -error;
		events[done++] = change;
	}
	if (done > 0 || nevents == 0) {
		error = wakeup_update(q);
		return done > 0 ? done : error;
	}
	return collect(q, fd, events, nevents, timeout);
}

int
kevent(int queue, const struct kevent *changes, int nchanges,
    struct kevent *events, int nevents, const struct timespec *timeout)
{
	int n;

	if (queue == KQ_AIO)
		return kq_result(nchanges == 1 ? aio_call(changes) : -EBADF);
	if (!queues_lock())
		return kq_result(-EDEADLK);
	n = kevent_locked(queue, changes, nchanges, events, nevents, timeout);
	queues_unlock();
	return kq_result(n);
}
