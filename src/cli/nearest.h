/* SPDX-License-Identifier: ISC */
/*
 * nearest.h - the name that a user may have meant.
 */
#ifndef NEAREST_H
#define NEAREST_H

/*
 * How many letters to add, drop or change (Levenshtein's distance) to make B of
 * A; names that are NEAREST_FAR apart are not alike.
 */
unsigned nearest_distance(const char *a, const char *b);
#define NEAREST_FAR 3

#endif
