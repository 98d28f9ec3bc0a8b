/* SPDX-License-Identifier: ISC */
/*
 * pattern.h - the extended regular expressions of --until (regcomp(3)).
 *
 * They are matched byte by byte: pmux calls no setlocale(3).  The result is the
 * same on every system: no expression matches a NUL byte, and what POSIX leaves
 * undefined is refused where the systems differ.
 */
#ifndef PATTERN_H
#define PATTERN_H

#include <stddef.h>

struct pattern;

/*
 * Compile EXPRESSION into *PATTERN, the caller's to pass to pattern_free.
 * Returns 0 or an exit status, a message about OPTION having been printed: the
 * expression is invalid (the text of regerror(3)), refers back to a group, or
 * closes one that is not open.
 */
int pattern_compile(struct pattern **pattern, const char *option,
    const char *expression);

/*
 * Whether PATTERN matches somewhere in the LENGTH bytes at LINE, `^' being their
 * beginning and `$' their end: 1 or 0, or -ENOMEM.  LINE[LENGTH] is written to,
 * and restored.  The time is proportional to LENGTH.
 */
int pattern_match(struct pattern *pattern, char *line, size_t length);

/* PATTERN may be NULL. */
void pattern_free(struct pattern *pattern);

#endif
