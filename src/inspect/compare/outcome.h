/* SPDX-License-Identifier: ISC */
/*
 * outcome.h - the state that a descriptor is in, of those that
 * pmux-readiness(7) has, and what read(2) and write(2) would do in it.
 */
#ifndef OUTCOME_H
#define OUTCOME_H

#include <stdbool.h>

#include "inspect/compare/ask.h"
#include "inspect/facts/descriptor.h"

/*
 * A row of states.def, which explains the members.  Texts, not pointers to
 * them: those would have to be relocated at the start of every command.
 */
struct state {
	char id[42], read[16], write[16];
	char reason[232];
};

/*
 * The state of D, of which the primitives said ANSWERS; D NULL: it is not open.
 * NULL if it is none of those, or cannot be known.
 */
const struct state *state_find(const struct descriptor *d,
    const struct answers *answers);

/* What the calls would do, in the words of states.def. */
struct outcome {
	const char *read, *write;
	bool differs; /* from an answer, or an answer from the others */
	const char *reason; /* why, if it differs; or NULL: it is not known */
};

/*
 * What read(2) and write(2) of D would do, which is in STATE: the state's, but
 * for its access mode, O_NONBLOCK, and a direction that is in another state.
 */
struct outcome state_outcome(const struct state *state,
    const struct descriptor *d, const struct answers *answers);

#endif
