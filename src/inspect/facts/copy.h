/* SPDX-License-Identifier: ISC */
/*
 * copy.h - what only the open file itself can answer: a copy of the descriptor
 * is asked, and closed at once.
 */
#ifndef COPY_H
#define COPY_H

#include "inspect/facts/descriptor.h"

/*
 * A copy of D's descriptor, which copy_return closes; D's own number if pmux is
 * its owner; or -errno: of process_descriptor, or -ENOSYS.  copy_return ignores
 * what is negative.
 */
int copy_borrow(struct source *source, const struct descriptor *d);
void copy_return(const struct source *source, const struct descriptor *d,
    int copy);

/*
 * Find ready, unread, capacity, and the state of a terminal, or of a socket of
 * which SOCK knows nothing, where D, of which all else is known, is of a kind
 * that this cannot disturb.  What cannot be known is noted in D.  COPY is of use
 * for POLLING_NESTED only: what copy_borrow returned before D's registrations
 * were read.  Returns 0; or -EAGAIN if the number is another file by now;
 * -EBADF, -ESRCH.
 */
int copy_ask(struct source *source, struct descriptor *d, int copy);

/*
 * The same for ready and unread alone, of a kind that this cannot disturb, with
 * as few system calls as possible.
 */
int copy_sample(struct source *source, struct descriptor *d);

/*
 * Poll descriptor NUMBER of process PID, whose inode is INODE, for EVENTS of
 * poll(2); it must be of a kind that this cannot disturb.  Returns 0 with
 * *READY set, or -errno: -EAGAIN if it is another file.
 */
int copy_poll(struct source *source, pid_t pid, int number, uint64_t inode,
    unsigned events, unsigned *ready);

#endif
