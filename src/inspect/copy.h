/* SPDX-License-Identifier: ISC */
/*
 * copy.h - what only the open file itself can answer: a copy of the descriptor
 * is asked, and closed at once.
 */
#ifndef COPY_H
#define COPY_H

#include "inspect/descriptor.h"

/*
 * Find ready, unread, capacity, and the state of a terminal, or of a socket of
 * which SOCK knows nothing, where D, of which the rest is known, is of a kind
 * that this cannot disturb.  What cannot be known is noted in D.  Returns 0; or
 * -EAGAIN if the number is another file by now; -EBADF, -ESRCH.
 */
int copy_ask(struct source *source, struct descriptor *d);

#endif
