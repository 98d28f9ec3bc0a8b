/* SPDX-License-Identifier: ISC */
/*
 * lines_check.h - the targets of --lines, before the first is read: which can be
 * read, and which read the same bytes.
 */
#ifndef LINES_CHECK_H
#define LINES_CHECK_H

#include "run/lines_source.h"
#include "target/target.h"

/*
 * Check that each of TARGETS asks for all that there is to read, and for
 * nothing else.  Returns 0 or an exit status, a message having been printed.
 */
int lines_check(const struct targets *targets);

/*
 * Set the holder of each of the SOURCES of TARGETS.  Two ends of one pipe, and
 * copies of one descriptor, take from the same bytes: the other must continue
 * the line that one holds.  Two that have opened a regular file have an offset
 * each.  Returns 0 or an exit status, a message having been printed.
 */
int lines_join_same(const struct targets *targets,
    struct lines_source *sources);

#endif
