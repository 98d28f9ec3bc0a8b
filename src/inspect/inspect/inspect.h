/* SPDX-License-Identifier: ISC */
/*
 * inspect.h - pmux inspect: the facts about descriptors, printed.
 */
#ifndef INSPECT_H
#define INSPECT_H

#include <stdbool.h>
#include <stddef.h>

#include "inspect/target.h"

struct inspect_options {
	bool json;
};

/*
 * Print a record for each of COUNT targets.  Returns 0, or the exit status of
 * the worst that happened, a message having been printed.
 */
int inspect(const struct inspect_target *targets, size_t count,
    const struct inspect_options *options);

#endif
