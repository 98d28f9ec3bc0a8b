/* SPDX-License-Identifier: ISC */
/*
 * watched.h - the targets of a stream: each is waited for, sampled, at its
 * PROGRAM, or finished.
 *
 * stream.c reports what happens to them, dispatch.c runs a PROGRAM for it; both
 * move the targets from one state to another by the functions here.
 */
#ifndef WATCHED_H
#define WATCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "run/sampler.h"

#include "wait/finished.h"
#include "wait/waitset.h"

struct watched {
	struct waitset waitset;
	struct sampler sampler;
	struct finished finished;
	size_t unfinished; /* targets */
	uint64_t count; /* of events printed, or PROGRAMs started */
	uint64_t most; /* of those; 0: no limit */
	bool reopen; /* FIFOs are kept for later writers */
	bool edge; /* the wait reports new events only */
	bool stays; /* the same; a target stays in it while PROGRAM runs */
};

/* The functions below return 0 or an exit status, a message being printed. */

/* Wait for target INDEX from now on, and do not sample it. */
int watched_add(struct watched *w, uint32_t index);

/* Neither wait for target INDEX nor sample it from now on. */
void watched_remove(struct watched *w, uint32_t index);

/*
 * Target INDEX, which EVENT reported, may stay ready: sample it; where the wait
 * reports edges, only if it hangs up or has unread bytes.
 */
int watched_sample(struct watched *w, uint32_t index,
    const struct event *event);

/* Note EVENT of target INDEX, for the next sample to compare. */
void watched_reported(struct watched *w, uint32_t index,
    const struct event *event);

/*
 * Close target INDEX, a path with TARGET_LATE, and wait until it can be opened
 * again, as waitset_wait tries; then it is waited for.  watched_returned has to
 * be called when that has happened.
 */
void watched_await(struct watched *w, uint32_t index);
void watched_returned(struct watched *w, uint32_t index);

/*
 * Whether T is a FIFO that --reopen keeps for its next writer.  A reader that
 * has left is the end of a write end.
 */
bool watched_keeps(const struct watched *w, const struct target *t);

/*
 * EVENT was the last of target INDEX; but a FIFO that is kept waits for its
 * next writer.
 */
int watched_finish(struct watched *w, uint32_t index,
    const struct event *event);

/* The same, but it is not kept. */
void watched_end(struct watched *w, uint32_t index);

#endif
