/* SPDX-License-Identifier: ISC */
/*
 * vnodes.h - the vnode kevents of --reopen: a path, not only the file that it
 * names now.
 *
 * When the file of a path has lost it (NOTE_DELETE, NOTE_RENAME), the target is
 * closed and waits, as a FIFO without a reader does (TARGET_LATE), until the
 * path names a file again.  If that is soon, both are one event: editors that
 * keep a backup rename the old file before they write the new one.
 */
#ifndef VNODES_H
#define VNODES_H

#include <stdint.h>

#include "base/event.h"
#include "run/watched.h"

struct vnodes;

/*
 * Be ready for the TARGETS, and let those that are vnodes by path report what
 * removes a name, also where that was not asked for.  *VNODES is NULL if there
 * is none, and may be for the functions below: none of them has an event then.
 * The caller passes it to vnodes_close.  Returns 0 or -ENOMEM.
 */
int vnodes_open(struct vnodes **vnodes, struct targets *targets);
void vnodes_close(struct vnodes *vnodes);

/*
 * The wait reports EVENT: leave in it what was asked for, or keep it until the
 * path names a file again.  Returns 1 if it is to be reported now, 0 if not, and
 * -errno if the path cannot be looked up (stat(2)).
 */
int vnodes_take(struct vnodes *v, struct watched *w, struct event *event);

/*
 * The next event of a path that names a file again, or that has not done so for
 * some time: 1 with *EVENT set.  To be called after each wait until it returns 0,
 * or -errno as above, and EVENT->token is the target.
 */
int vnodes_next(struct vnodes *v, struct watched *w, struct event *event);

/* Nanoseconds until vnodes_next may have one that no wait reports, or -1. */
int64_t vnodes_left(const struct vnodes *v);

#endif
