/* SPDX-License-Identifier: ISC */
/*
 * filter.h - what a filter does for a knote, behind one table of functions.
 *
 * A filter never waits and never touches errno for its caller.
 */
#ifndef KQ_FILTER_H
#define KQ_FILTER_H

#include "knote.h"

/*
 * Begin to watch what KNOTE is about.  Returns 0, or -errno, and then nothing
 * is left behind.
 */
typedef int filter_attach_fn(struct knote *knote);

/*
 * Whether KNOTE is still about what its identifier names.  Returns 0; -EBADF if
 * the descriptor is closed, -ENOENT if it is another file by now; another
 * -errno if that cannot be known.
 */
typedef int filter_same_fn(const struct knote *knote);

/*
 * CHANGE is applied to KNOTE: take its fflags and data.  Returns 0 or -errno,
 * and then the knote is as it was.
 */
typedef int filter_change_fn(struct knote *knote, const struct kevent *change);

/* Stop.  The descriptor that the identifier names may be closed by now. */
typedef void filter_detach_fn(struct knote *knote);

/*
 * Whether there is something to report: 1 with knote->event set, 0 if not;
 * -EBADF or -ENOENT if what the knote was about has been closed, and the knote
 * is to be dropped; another -errno if that cannot be known, which is reported.
 */
typedef int filter_event_fn(struct knote *knote);

/* KNOTE was reported and has EV_CLEAR: forget what was. */
typedef void filter_clear_fn(struct knote *knote);

/* Stop telling, for EV_DISABLE and EV_DISPATCH. */
typedef void filter_disarm_fn(struct knote *knote);

/* Tell again, also what is so already.  Returns 0 or -errno. */
typedef int filter_arm_fn(struct knote *knote);

struct filter {
	short number;
	bool descriptor; /* the identifier is one */
	filter_attach_fn *attach;
	filter_same_fn *same; /* NULL: it always is */
	filter_change_fn *change; /* NULL: takes both values */
	filter_detach_fn *detach; /* NULL: nothing to do */
	filter_event_fn *event;
	filter_clear_fn *clear; /* NULL: fflags and data to 0 */
	filter_disarm_fn *disarm; /* NULL: nothing to do */
	filter_arm_fn *arm;
};

#define FILTER(id) extern const struct filter filter_##id;
#include "filters.def"
#undef FILTER

/* The filter with that number, or NULL. */
const struct filter *filter_find(int number);

#endif
