/* SPDX-License-Identifier: ISC */
/*
 * once.h - add all, wait, deliver: the one loop, and the one place that knows
 * of interrupted calls.
 */
#ifndef ONCE_H
#define ONCE_H

#include <stdbool.h>
#include <stddef.h>

#include "run/request.h"
#include "wait/waitset.h"

struct once {
	struct request *request;
	struct waitset w;
	size_t unsettled; /* --all: targets that have not reported */
	bool ran; /* PROGRAM, or it could not be run */
};

/*
 * Wait for the targets of REQUEST, which are resolved, and print the events.
 * Returns the exit status, a message having been printed if it is an error.
 */
int once_run(struct request *request);

/* Release all that ONCE holds, if it is open. */
void once_end(struct once *once);

#endif
