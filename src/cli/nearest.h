/* SPDX-License-Identifier: ISC */
/*
 * nearest.h - the name that a user may have meant.
 */
#ifndef NEAREST_H
#define NEAREST_H

/*
 * How many letters to add, drop, change or swap with the next one to make B of
 * A (Levenshtein's distance, with swaps); names that are NEAREST_FAR apart are
 * not alike.
 */
unsigned nearest_distance(const char *a, const char *b);

/*
 * The same, but A may also be the beginning of B, from two letters on: that is
 * as near as a slip of one letter.
 */
unsigned nearest_beginning(const char *a, const char *b);
#define NEAREST_FAR 3

#endif
