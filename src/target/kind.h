/* SPDX-License-Identifier: ISC */
/*
 * kind.h - what differs between descriptors and kevents as targets.
 */
#ifndef KIND_H
#define KIND_H

#include <stdbool.h>
#include <stdint.h>

#include "target/target.h"

struct target_kind {
	const char *unknown; /* what may follow the colon of no path */
	bool early; /* a closed number is refused before the wait */
	/*
	 * Take EVENTS, which stays where it is, for the words to come that have
	 * none.  Returns 0 or an exit status, a message having been printed.
	 */
	int (*events)(struct targets *targets, char *events);
	/*
	 * Parse every word; DEFAULTS is for those without events.  Returns as
	 * above.
	 */
	int (*parse)(struct targets *targets, uint32_t defaults);
	/* Whether A and B, the same descriptor, are in the same list. */
	bool (*same)(const struct targets *targets, const struct target *a,
	    const struct target *b);
};

/* What the targets of BACKEND are. */
const struct target_kind *target_kind(const struct backend *backend);

/* The kevent of T, one of TARGETS; NULL if that is no kevent. */
const struct kevent_request *target_kevent(const struct targets *targets,
    const struct target *t);

#endif
