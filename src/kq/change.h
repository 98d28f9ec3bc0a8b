/* SPDX-License-Identifier: ISC */
/*
 * change.h - apply a change to a queue, the same way for all filters.
 */
#ifndef KQ_CHANGE_H
#define KQ_CHANGE_H

#include "knote.h"

/*
 * Apply CHANGE as FreeBSD's kernel does (sys/kern/kern_event.c,
 * kqueue_register): a knote keeps the flags of its first EV_ADD; every later
 * change, of any kind, sets its fflags, data and udata.  The fflags of a CHANGE
 * that makes a new knote are 0 afterwards, so a receipt has none.  Returns 0 or
 * -errno, see kevent() in <sys/event.h>.
 */
int change_apply(struct queue *queue, struct kevent *change);

#endif
