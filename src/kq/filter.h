/* SPDX-License-Identifier: ISC */
/*
 * filter.h - the interface of a filter: one table of functions.
 *
 * No function blocks; errors are returned as -errno, not in errno.
 */
#ifndef KQ_FILTER_H
#define KQ_FILTER_H

#include "knote.h"

/*
 * Start watching the object that KNOTE's identifier names.  Returns 0, or
 * -errno with nothing left allocated.
 */
typedef int filter_attach_fn(struct knote *knote);

/*
 * Check that KNOTE's identifier still names the same object.  Returns 0; -EBADF
 * if the descriptor is closed; -ENOENT if it refers to another file; another
 * -errno if that cannot be known.
 */
typedef int filter_same_fn(const struct knote *knote);

/*
 * Apply the fflags and data of CHANGE to KNOTE.  Returns 0, or -errno with
 * KNOTE unchanged.
 */
typedef int filter_change_fn(struct knote *knote, const struct kevent *change);

/* Stop watching.  The descriptor in the identifier may already be closed. */
typedef void filter_detach_fn(struct knote *knote);

/*
 * Get the event of KNOTE.  Returns 1 with knote->event set; 0 if there is none;
 * -EBADF or -ENOENT if the object has been closed, and the caller drops the
 * knote; another -errno if the state cannot be known, which the caller reports.
 */
typedef int filter_event_fn(struct knote *knote);

/*
 * Reset the state of KNOTE, which has EV_CLEAR, after its event was returned.
 */
typedef void filter_clear_fn(struct knote *knote);

/* Stop activating KNOTE, for EV_DISABLE and EV_DISPATCH. */
typedef void filter_disarm_fn(struct knote *knote);

/*
 * Activate KNOTE again, also for a condition already present.  Returns 0 or
 * -errno.
 */
typedef int filter_arm_fn(struct knote *knote);

struct filter {
	short number;
	bool descriptor; /* the identifier is a descriptor */
	filter_attach_fn *attach;
	filter_same_fn *same; /* NULL: always the same */
	filter_change_fn *change; /* NULL: set fflags and data */
	filter_detach_fn *detach; /* NULL: nothing to do */
	filter_event_fn *event;
	filter_clear_fn *clear; /* NULL: set both to 0 */
	filter_disarm_fn *disarm; /* NULL: nothing to do */
	filter_arm_fn *arm;
};

#define FILTER(id) extern const struct filter filter_##id;
#include "filters.def"
#undef FILTER

/* The filter with NUMBER, or NULL. */
const struct filter *filter_find(int number);

#endif
