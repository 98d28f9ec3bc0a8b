/* SPDX-License-Identifier: ISC */
/*
 * settle.h - --settle: what happens to a target is reported when nothing more
 * has happened to it for a time.
 *
 * A target is pending from its first event that was not reported until it is
 * due: QUIET after the last one, or LIMIT after the first.
 */
#ifndef SETTLE_H
#define SETTLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"
#include "base/event.h"

struct settle;

/*
 * Be ready for COUNT targets; QUIET and LIMIT in ns, LIMIT may be
 * DURATION_FOREVER.  The caller passes *SETTLE to settle_close.  Returns 0 or
 * -ENOMEM.
 */
int settle_open(struct settle **settle, size_t count, int64_t quiet,
    int64_t limit);

/*
 * SETTLE may be NULL here, and for the functions below that need no target: it
 * has none.
 */
void settle_close(struct settle *settle);

/* EVENT has happened to its target.  Returns 0 or -ENOMEM. */
int settle_note(struct settle *s, const struct event *event);

/* Nanoseconds until a target is due, -1 if none will be. */
int64_t settle_left(const struct settle *s);

/* The target's PROGRAM runs: it is due when settle_release is called. */
void settle_hold(struct settle *s, uint32_t index);

/* Targets that were held may be due now. */
void settle_release(struct settle *s);

/*
 * A target that is due, or with ALL any that is pending, into *INDEX; false if
 * there is none.
 */
bool settle_due(struct settle *s, bool all, uint32_t *index);

/*
 * The next event of target INDEX into *EVENT; false at the end: it is not
 * pending any longer.
 */
bool settle_take(struct settle *s, uint32_t index, struct event *event);

#endif
