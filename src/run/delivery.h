/* SPDX-License-Identifier: ISC */
/*
 * delivery.h - from an event of a stream to its report: a record, the lines that
 * are read, or a run of PROGRAM; or none yet, where --settle or --reopen hold it
 * back.
 *
 * Beside the wait there are sources of events that are asked when they are due:
 * the sampler, --settle (settle.h), and files that --reopen follows by name
 * (vnodes.h, tail.h).
 */
#ifndef DELIVERY_H
#define DELIVERY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/event.h"
#include "print/print.h"
#include "run/dispatch.h"
#include "run/settle.h"
#include "run/vnodes.h"
#include "run/watched.h"

struct delivery {
	struct watched w;
	const struct print_options *print;
	bool lines; /* --lines: targets are read */
	bool partial; /* reports what was read in part, as poll(2) does */
	struct dispatch *dispatch; /* NULL: no PROGRAM */
	struct settle *settle; /* NULL: no --settle */
	struct vnodes *vnodes; /* NULL: --reopen has none */
	uint64_t settled; /* events that were given to it */
	int status; /* of what failed on the way, or 0 */
};

/* Whether PROGRAMs run, or wait for their turn. */
bool delivery_is_busy(const struct delivery *d);

/* Whether the goal of --count or --until is reached. */
bool delivery_at_goal(const struct delivery *d);

/* Whether no further event is wanted, or all targets are finished. */
bool delivery_is_done(const struct delivery *d);

/*
 * Whether no record may be added in this step: the buffer would be written
 * before the step ends, and edges up to its end do not count (sampler.h).
 */
bool delivery_is_full(const struct delivery *d);

/* A number that grows when something has happened. */
uint64_t delivery_progress(const struct delivery *d);

/* The functions below return 0 or an exit status, a message being printed. */

/* The wait reports EVENT, of a target. */
int delivery_event(struct delivery *d, struct event *event);

/* Nanoseconds until one of the other sources is due, or -1. */
int64_t delivery_left(struct delivery *d);

/*
 * Deliver the events of files that are followed by name, where no wait reports
 * them: of those that are due, or ALL.
 */
int delivery_files(struct delivery *d, bool all);

/* Make a round of samples, and deliver what it finds. */
int delivery_round(struct delivery *d);

/* Report what --settle has held back and is due, or ALL. */
int delivery_settled(struct delivery *d, bool all);

#endif
