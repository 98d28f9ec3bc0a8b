/* SPDX-License-Identifier: ISC */
/*
 * change.h - what a change does to a queue, once for all filters.
 */
#ifndef KQ_CHANGE_H
#define KQ_CHANGE_H

#include "knote.h"

/*
 * Apply CHANGE as FreeBSD's kernel does (sys/kern/kern_event.c,
 * kqueue_register): the flags of a knote are those of its first EV_ADD, its
 * fflags, data and udata those of the last change, whatever that was.  Returns
 * 0 or -errno, see kevent() in <sys/event.h>.
 */
int change_apply(struct queue *queue, const struct kevent *change);

#endif
