/* SPDX-License-Identifier: ISC */
/*
 * finished.h - whether more can come of a target.
 */
#ifndef FINISHED_H
#define FINISHED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/event.h"
#include "target/target.h"

struct finished {
	const struct targets *targets;
	/*
	 * Of a descriptor: the other end has gone, or it is unusable, and only
	 * unread bytes are left.  Never with select.
	 */
	uint32_t hangs_up;
	uint32_t oneshot; /* asks for one event */
};

/* The events that end the TARGETS. */
void finished_open(struct finished *finish, const struct targets *targets);

/* Whether T is a descriptor whose readiness can be asked for again. */
bool finished_is_readiness(const struct targets *targets,
    const struct target *t);

/*
 * How many bytes can be read from T, if it asks to read; 0 if it does not, and
 * negative if that cannot be known.
 */
int64_t finished_unread(const struct targets *targets, const struct target *t);

/* Whether T is a pipe or a FIFO, which without unread bytes is not readable. */
bool finished_is_pipe(const struct target *t);

/*
 * Whether EVENT is the last of T: it hangs up and nothing is unread, or it is
 * one that comes once.  CHILDREN counts the processes that are tracked beside
 * the one T names; it is the caller's, 0 at first.
 */
bool finished_is_last(const struct finished *finish, const struct target *t,
    const struct event *event, uint32_t *children);

#endif
