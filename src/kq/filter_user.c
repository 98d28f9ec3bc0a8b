/* SPDX-License-Identifier: ISC */
#include "filter.h"

static unsigned
combine(unsigned have, unsigned change)
{
	unsigned bits = change & NOTE_FFLAGSMASK;

	switch (change & NOTE_FFCTRLMASK) {
	case NOTE_FFAND:
		return have & bits;
	case NOTE_FFOR:
		return have | bits;
	case NOTE_FFCOPY:
		return bits;
	default:
		return have;
	}
}

/*
 * As on FreeBSD, NOTE_TRIGGER has no effect in the change that adds the knote.
 */
static int
user_attach(struct knote *k)
{
	k->fflags &= NOTE_FFLAGSMASK;
	return 0;
}

static int
user_change(struct knote *k, const struct kevent *change)
{
	k->fflags = combine(k->fflags, change->fflags);
	k->data = change->data;
	if ((change->fflags & NOTE_TRIGGER) != 0)
		k->triggered = true;
	if ((change->flags & EV_CLEAR) != 0)
		k->triggered = false;
	return 0;
}

static int
user_event(struct knote *k)
{
	k->event.fflags = k->fflags;
	k->event.data = k->data;
	return k->triggered;
}

static void
user_clear(struct knote *k)
{
	k->triggered = false;
}

const struct filter filter_user = {
	.number = EVFILT_USER,
	.attach = user_attach,
	.change = user_change,
	.event = user_event,
	.clear = user_clear,
};
