/* SPDX-License-Identifier: ISC */
/*
 * explain.h - pmux explain: why a process waits, or does not.
 */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "inspect/explain/chain.h"
#include "inspect/explain/findings.h"
#include "inspect/target.h"

struct explain_options {
	bool quiet; /* print nothing */
	bool all; /* every descriptor, and notes */
	bool json;
};

/*
 * Examine the COUNT targets, a second time if the first leaves a suspicion, and
 * print the chains of waiting and what was found both times.  TARGETS, which are
 * allocated, become explain's to free.
 * Returns the exit status: 0, 1 if a fault was found, 3 if something could not
 * be examined, a message having been printed.
 */
int explain(struct inspect_target *targets, size_t count,
    const struct explain_options *options);

/* Print the chains and what was found (explain_print.c). */
void explain_print_text(const struct chain *chain,
    const struct findings *findings);
void explain_print_json(const struct chain *chain,
    const struct findings *findings);

/*
 * Describe who has the file of PATH open, and who sleeps in open(2) of it
 * (explain_path.c).  Returns 0 or -errno.
 */
int explain_path(struct chain *chain, const char *path);

/*
 * Describe which inotify instances watch the file of PATH, or its directory; of
 * the processes that were named, also those that watch neither
 * (explain_watch.c).  The world was scanned.  Returns 0 or -ENOMEM.
 */
int explain_watch(struct chain *chain, const char *path);

#endif
