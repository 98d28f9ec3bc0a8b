/* SPDX-License-Identifier: ISC */
/*
 * compare.h - pmux compare: what each primitive says of descriptors.
 */
#ifndef COMPARE_H
#define COMPARE_H

#include <stdbool.h>

struct targets;

/*
 * Ask about TARGETS, which have been parsed, and print a row for each and the
 * reasons; or an object of JSON for each.  Returns the exit status, a message
 * having been printed if it is an error.
 */
int compare(const struct targets *targets, bool json);

#endif
