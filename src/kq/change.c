/* SPDX-License-Identifier: ISC */
#include "change.h"

#include <errno.h>
#include <fcntl.h>

#include "filter.h"

/* The descriptor that CHANGE names, or -EBADF. */
static int
descriptor(const struct kevent *change)
{
	if (change->ident > INT32_MAX ||
	    fcntl((int)change->ident, F_GETFD) == -1)
		return -EBADF;
	return (int)change->ident;
}

/*
 * Activate K if its event is already present.  Returns 0, or -errno if that
 * cannot be known; K is dropped then.
 */
static int
check_state(struct knote *k)
{
	int active;

	if ((k->status & KNOTE_DISABLED) != 0)
		return 0;
	if ((k->status & KNOTE_ACTIVE) != 0) {
		knote_activate(k);
		return 0;
	}
	/* epoll reports it */
	if (k->member.place != MEMBER_NOWHERE)
		return 0;
	active = k->filter->event(k);
	if (active < 0)
		knote_drop(k);
	else if (active > 0)
		knote_activate(k);
	return active < 0 && !knote_is_gone(active) ? active : 0;
}

/*
 * Drop the knote of the other filter, READ or WRITE, on the same number if its
 * file has been closed: the new member would hide that.  Returns 0, or -errno
 * if that cannot be known.
 */
static int
forget_other(struct queue *q, const struct kevent *change)
{
	struct knote *other = NULL;
	int error = 0;

	if (change->filter == EVFILT_READ)
		other = knote_find(q, EVFILT_WRITE, change->ident);
	else if (change->filter == EVFILT_WRITE)
		other = knote_find(q, EVFILT_READ, change->ident);
	if (other != NULL)
		error = other->filter->same(other);
	if (!knote_is_gone(error))
		return error;
	knote_drop(other);
	return 0;
}

static int
change_add(struct queue *q, const struct filter *filter, struct kevent *change)
{
	struct knote *k;
	int error;

	if (filter->descriptor && change->ident > INT32_MAX)
		return -EBADF;
	if ((error = forget_other(q, change)) != 0)
		return error;
	k = knote_new(q, filter, change, true);
	if (k == NULL)
		return -ENOMEM;
	error = filter->attach(k);
	/* FreeBSD's looks for the file before it makes the knote */
	if (error != -EBADF)
		change->fflags = 0;
	if (error != 0) {
		knote_free(k);
		return error;
	}
	return check_state(k);
}

static void
set_disabled(struct knote *k, bool disabled)
{
	if (disabled == ((k->status & KNOTE_DISABLED) != 0))
		return;
	if (disabled) {
		k->status |= KNOTE_DISABLED;
		knote_dequeue(k);
		if (k->filter->disarm != NULL)
			k->filter->disarm(k);
		return;
	}
	k->status &= ~(unsigned)KNOTE_DISABLED;
}

static int
modify(struct knote *k, const struct kevent *change)
{
	int error = 0;

	if (k->filter->change != NULL)
		error = k->filter->change(k, change);
	else {
		k->fflags = change->fflags;
		k->data = change->data;
	}
	if (error != 0)
		return error;
	k->event.udata = change->udata;
	if ((change->flags & (EV_ENABLE | EV_DISABLE)) != 0)
		set_disabled(k, (change->flags & EV_ENABLE) == 0);
	if ((k->status & KNOTE_DISABLED) == 0 && k->filter->arm != NULL)
		error = k->filter->arm(k);
	return error == 0 ? check_state(k) : error;
}

static int
absent(const struct filter *filter, const struct kevent *change)
{
	int fd;

	if (!filter->descriptor)
		return -ENOENT;
	fd = descriptor(change);
	return fd < 0 ? fd : -ENOENT;
}

int
change_apply(struct queue *q, struct kevent *change)
{
	const struct filter *filter = filter_find(change->filter);
	struct knote *k;
	int error;

	if (filter == NULL)
		return -EINVAL;
	k = knote_find(q, change->filter, change->ident);
	if (k != NULL && filter->same != NULL &&
	    (error = filter->same(k)) != 0) {
		if (!knote_is_gone(error))
			return error;
		knote_drop(k);
		k = NULL;
		if (error == -EBADF)
			return error;
	}
	if (k == NULL)
		return (change->flags & EV_ADD) != 0 ?
		    change_add(q, filter, change) :
		    absent(filter, change);
	/* EV_ADD with EV_DELETE deletes the existing knote */
	if ((change->flags & EV_DELETE) != 0) {
		knote_drop(k);
		return 0;
	}
	return modify(k, change);
}
