/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <stddef.h>
#include <string.h>

#include "cli/nearest.h"

/* Names longer than this are like no other. */
#define LONGEST_NAME 32

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned
nearest_distance(const char *a, const char *b)
{
	size_t length = strlen(b);
	unsigned row[LONGEST_NAME + 1], diagonal, above;

	if (length > LONGEST_NAME)
		return LONGEST_NAME;
	for (unsigned j = 0; j <= length; j++)
		row[j] = j;
	for (unsigned i = 1; *a != '\0'; a++, i++) {
		diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= length; j++) {
			above = row[j];
			row[j] = least(least(above, row[j - 1]) + 1,
			    diagonal + (*a != b[j - 1]));
			diagonal = above;
		}
	}
	return row[length];
}
