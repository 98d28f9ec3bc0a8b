/* SPDX-License-Identifier: ISC */
/*
 * waitset.h - targets in a polling object, for a single wait or a stream of
 * events.
 */
#ifndef WAITSET_H
#define WAITSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/backend.h"
#include "base/deadline.h"
#include "target/target.h"

/* The options of a wait. */
struct wait_options {
	deadline_t deadline;
	int64_t max_events; /* of each wait; INT64_MAX: no limit */
	int ready_fd; /* or -1 */
	bool output; /* ends if standard output has no reader */
	bool data; /* kevents: count bytes */
};

/*
 * The token of each target is its place in their list.  Behind the last are
 * these: that of standard output, and those that are the caller's to add.
 */
enum {
	WAITSET_OUTPUT,
	WAITSET_PROGRAM, /* one of them may have ended */
	WAITSET_PROCESS, /* that of --while has ended */
	WAITSET_EDGES, /* the sampler's object has some */
	WAITSET_FILES, /* that --reopen follows by name: they may have changed */
	WAITSET_OTHERS
};

struct waitset {
	struct targets *targets;
	const struct backend *backend;
	struct backend_state *state;
	size_t max; /* events of one wait */
	uint32_t more; /* bits that every add has */
	int output; /* a copy of it, or -1 */
	int64_t retry; /* ns until the next try */
	bool opened; /* something that was awaited */
	int ready_fd; /* --ready-fd, until it is written to; or -1 */
	bool reported; /* anything at all */
	bool asked; /* something asked for */
	bool trying; /* a failed add is silent */
	int failed; /* a status, or 0 */
};

/*
 * Make an object for TARGETS, none of which is added; DATA as in wait_options.
 * Returns 0 or -errno as backend_open_fn.
 */
int waitset_object(const struct targets *targets, bool data,
    struct backend_state **object);

/* BACKEND's open failed with -errno ERROR.  Returns an exit status. */
int waitset_no_object(const struct backend *backend, int error);

/*
 * Make the object for TARGETS and add every target with its bits and MORE, and
 * standard output, so that its reader's going ends the wait; then say so on
 * --ready-fd.  Returns 0 or an exit status, a message having been printed; but
 * TRYING, nothing is printed if a target cannot be added, and the -errno of
 * backend_add_fn is returned.
 */
int waitset_open(struct waitset *w, struct targets *targets,
    const struct wait_options *options, uint32_t more, bool trying);

/* Give up the object, also if it could not be made. */
void waitset_close(struct waitset *w);

/*
 * Add target INDEX, unless it is a FIFO whose reader has yet to come.  Returns
 * 0 or an exit status, a message having been printed.
 */
int waitset_add(struct waitset *w, size_t index);

/*
 * Wait once, for at most LEFT nanoseconds (-1: for ever), having
 * tried to open the FIFOs whose reader is missing.  Returns 0 with *COUNT set
 * to how many targets have events, which may be 0 before the time is over, or
 * an exit status, a message having been printed.
 */
int waitset_wait(struct waitset *w, int64_t left, int *count);

/* Try soon, and then more and more rarely, to open what is awaited. */
void waitset_retry_soon(struct waitset *w);

/*
 * A wait for the targets has failed with errno value ERROR: say so, and name
 * the closed descriptor, which select(2) does not.  Returns the exit status.
 */
int waitset_failed(const struct waitset *w, int error);

/*
 * If EVENT is a failure to poll its target, print a message and return an exit
 * status, else 0.
 */
int waitset_event_failed(const struct waitset *w, const struct event *event);

/*
 * The next event of a target, as backend_next_fn.  Events of standard output
 * are handled here: returns -EPIPE if it has no reader left.  Returns 0 once
 * waitset_event_failed has set the status W->failed.
 */
int waitset_next(struct waitset *w, struct event *event);

/*
 * Whether BITS has an event that T asks for; notes that an event was reported,
 * and prints a message if T's number is not open.
 */
bool waitset_note(struct waitset *w, const struct target *t, uint32_t bits);

#endif
