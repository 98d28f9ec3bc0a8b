/* SPDX-License-Identifier: ISC */
/*
 * columns.h - records of text: aligned below a heading on a terminal, with tabs
 * between their cells and without a heading otherwise.
 */
#ifndef COLUMNS_H
#define COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

struct columns {
	size_t count; /* of cells in a record */
	size_t column; /* of the next cell, if not aligned */
	bool aligned;
	char *text; /* if aligned: the cells, each with a NUL behind it */
	size_t used, size;
	bool failed; /* no memory: what was added is not complete */
};

/*
 * Begin records of COUNT cells, HEADINGS being those of the heading, for
 * standard output.
 */
void columns_begin(struct columns *columns, size_t count,
    const char *const *headings);

/*
 * Add the next cell: TEXT, or the LENGTH bytes of NAME, escaped.  An empty one
 * is printed as `-'.
 */
void columns_add(struct columns *columns, const char *text);
void columns_add_name(struct columns *columns, const char *name, size_t length);

/* How wide LENGTH bytes of TEXT, which is UTF-8, are: a cell a character. */
size_t columns_width(const char *text, size_t length);

/*
 * Append the records to the output, if they are aligned; others have been.
 * Release what COLUMNS has.  Returns 0 or -ENOMEM: the records are not complete.
 */
int columns_print(struct columns *columns);

#endif
