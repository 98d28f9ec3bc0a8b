/* SPDX-License-Identifier: ISC */
/*
 * internal.h - declarations shared by the files of target/.  A file calls only those below
 * it here:
 *
 *   list.c   the list: words to it, files of targets, resolving, releasing
 *   open.c   numbers of other processes, paths
 *   same.c   the same descriptor twice
 *   parse.c  words, by the two kinds of targets
 *
 * Functions that return an int return 0 or an exit status, a message having
 * been printed, unless it says otherwise.
 */
#ifndef TARGET_INTERNAL_H
#define TARGET_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "target/target.h"

/* ---- parse.c ---- */

/* What differs between descriptors and kevents. */
struct target_kind {
	const char *unknown; /* the hint for a path with an unknown suffix */
	bool early; /* a closed number is refused before the wait */
	/* see targets_events */
	int (*events)(struct targets *targets, char *events);
	/* parse every word; DEFAULTS is for those without events */
	int (*parse)(struct targets *targets, uint32_t defaults);
	/* whether A and B, the same descriptor, are in the same list */
	bool (*same)(const struct targets *targets, const struct target *a,
	    const struct target *b);
};
const struct target_kind *target_kind(const struct backend *backend);

/* The last colon in the LENGTH bytes at S, or NULL. */
const char *target_colon(const char *s, size_t length);

/* ---- same.c ---- */

/* Whether one of TARGETS has FLAG. */
bool targets_have(const struct targets *targets, uint16_t flag);

/*
 * Make an empty table for COUNT targets; a few have none and are compared with
 * each other.  Returns 0 or -ENOMEM; the caller frees the slots.
 */
int targets_table(struct target_table *table, size_t count);

/*
 * The first of the targets before index END that is the same descriptor as T,
 * and is in the same list if LISTED.  NULL if there is none; then T is in the
 * table if END, its index, is that of a target.
 */
struct target *targets_earlier(struct target_table *table,
    struct targets *targets, size_t end, const struct target *t, bool listed);

/* Merge targets with the same descriptor, as TWICE says. */
int targets_merge(struct targets *targets, enum target_twice twice);

/* ---- open.c ---- */

/* Name or copy the descriptors of other processes. */
int targets_take(struct targets *targets);

/* Open the paths. */
int targets_open_paths(struct targets *targets);

/* Refuse a number that is closed. */
int targets_check(const struct targets *targets);

#endif
