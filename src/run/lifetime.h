/* SPDX-License-Identifier: ISC */
/*
 * lifetime.h - the process of --while, whose end ends the stream.
 *
 * Its end is an event of the wait.  What it wrote may be unread then, so the
 * stream goes on with waits of lifetime_left, until one of them brings nothing.
 */
#ifndef LIFETIME_H
#define LIFETIME_H

#include <stdbool.h>
#include <stdint.h>

#include "wait/waitset.h"

struct lifetime {
	int64_t pid; /* 0: none */
	int process; /* as process_open; or -1 */
	bool ended;
	bool sampled; /* only kill(2) shows that it has ended */
	int64_t pause; /* after its end, until nothing more comes: ns */
};

/* No process: for lifetime_close. */
void lifetime_begin(struct lifetime *l);

/*
 * Wait for the end of process PID, if it is not 0, in W, too, with the token
 * WAITSET_PROCESS.  Returns 0 or an exit status, a message having been printed.
 */
int lifetime_open(struct lifetime *l, struct waitset *w, int64_t pid);

/* After W was closed. */
void lifetime_close(struct lifetime *l);

/* The wait reports the end of the process. */
void lifetime_end(struct lifetime *l, struct waitset *w);

/*
 * Nanoseconds for which to wait at most: until the process is to be checked, or
 * after its end until nothing more comes; -1: no limit.
 */
int64_t lifetime_left(const struct lifetime *l);

/* After a wait: check a process whose end no descriptor reports. */
void lifetime_check(struct lifetime *l, struct waitset *w);

#endif
