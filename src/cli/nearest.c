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
	/* those for the beginnings of A with i, i - 1 and i - 2 letters */
	unsigned rows[3][LONGEST_NAME + 1], *row = rows[0], *last, *older;
	unsigned i = 0;

	if (length > LONGEST_NAME)
		return LONGEST_NAME;
	for (unsigned j = 0; j <= length; j++)
		row[j] = j;
	while (a[i] != '\0') {
		i++;
		last = row;
		older = rows[(i + 1) % 3];
		row = rows[i % 3];
		row[0] = i;
		for (size_t j = 1; j <= length; j++) {
			row[j] = least(least(last[j], row[j - 1]) + 1,
			    last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				row[j] = least(row[j], older[j - 2] + 1);
		}
	}
	return row[length];
}

unsigned
nearest_beginning(const char *a, const char *b)
{
	unsigned distance = nearest_distance(a, b);
	size_t length = strlen(a);

	if (distance > 1 && length > 1 && strncmp(a, b, length) == 0)
		return 1;
	return distance;
}
