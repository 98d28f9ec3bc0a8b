/* SPDX-License-Identifier: ISC */
/*
 * successor.h - a holder that is not a copy of the process that leaves: that
 * process is a shell, with memory and a name of its own.  So the program pmux
 * is executed, and gets the ends as open descriptors and all that is known of
 * them through a socket.
 */
#ifndef SUCCESSOR_H
#define SUCCESSOR_H

#include "base/deadline.h"
#include "fifo/holder.h"

/* The first word of its command line; the second is the socket's number. */
#define SUCCESSOR_WORD "--holder"

/*
 * Start PROGRAM as the holder of SET until DEADLINE, as a child.  Every signal
 * is blocked.  Returns 0 once it holds them, or errno.  Async-signal-safe.
 */
int successor_start(const char *program, const struct fifo_set *set,
    deadline_t deadline);

/*
 * Be that program: NUMBER is the second word.  Returns only if that fails, with
 * an exit status, a message having been printed.
 */
int successor_run(const char *number);

#endif
