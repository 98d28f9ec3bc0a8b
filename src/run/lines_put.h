/* SPDX-License-Identifier: ISC */
/*
 * lines_put.h - what --lines prints of a line: its text, with the name of its
 * source in front, or a record of JSON or of --format; and the beginning of a
 * line that was read, and waits for its end.
 */
#ifndef LINES_PUT_H
#define LINES_PUT_H

#include <stdbool.h>
#include <stddef.h>

#include "print/print.h"
#include "target/target.h"

/* Longer than a record's head with any name that a kernel takes. */
#define LINES_HEAD_SIZE 32768

struct lines_printer {
	const struct print_options *print;
	size_t head_length;
	char head[LINES_HEAD_SIZE]; /* of the records of one source */
};

/* The beginning of a line; zeroed at first, and released by free(held). */
struct lines_held {
	char *held; /* or NULL */
	size_t length, capacity;
	bool cut; /* HELD continues a line that was cut */
};

/* Add the LENGTH bytes at MORE to LINE.  Returns 0 or -ENOMEM. */
int lines_hold(struct lines_held *line, const char *more, size_t length);

/*
 * The lines that are put from now on are T's.  A name that is longer than any
 * kernel takes is cut.
 */
void lines_put_head(struct lines_printer *p, const struct target *t);

/*
 * Append LINE of LENGTH bytes to the output, as a record of T.  ENDED: the byte
 * behind it is its newline.  With --quiet nothing is appended.
 * Async-signal-safe.
 */
void lines_put(struct lines_printer *p, const struct target *t,
    const char *line, size_t length, bool ended);

/*
 * The same for the line that begins with LINE and ends with the LENGTH bytes at
 * MORE; LINE is empty then.  Returns 0 or -ENOMEM.  Not async-signal-safe.
 */
int lines_put_joined(struct lines_printer *p, const struct target *t,
    struct lines_held *line, const char *more, size_t length);

#endif
