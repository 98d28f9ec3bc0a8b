/* SPDX-License-Identifier: ISC */
/*
 * series.h - what was seen of a descriptor over time, in bounded memory.
 *
 * Equal samples are one run.  Where there are too many runs, two neighbours
 * become one that has the flags of both, and the larger number of bytes; sums
 * and counts are exact all the same.
 */
#ifndef SERIES_H
#define SERIES_H

#include <stddef.h>
#include <stdint.h>

/* What a sample has. */
enum {
	SERIES_READY = 1, /* for something that is waited for */
	SERIES_ASLEEP = 2, /* a thread sleeps in a wait for it */
	SERIES_FAULT = 4, /* both, for long enough */
	SERIES_CLOSED = 8,
	SERIES_UNKNOWN = 16, /* whether it is ready */
	SERIES_OPENED = 32 /* the number means another file from here on */
};

#define SERIES_MOST 4096

struct series_run {
	int64_t start; /* ns since the first sample */
	int64_t unread; /* bytes, or -1 */
	unsigned flags;
};

struct series_sum {
	int64_t time; /* of all stretches, ns */
	int64_t longest;
	int64_t since; /* of the stretch under way, or -1 */
	uint64_t count; /* of the stretches */
};

/* All zero: empty. */
struct series {
	struct series_run *runs;
	size_t count, capacity;
	int64_t end; /* of the last run */
	int64_t most; /* the largest number of bytes */
	struct series_sum ready, asleep, fault;
};

/*
 * NOW, in ns since the first sample and not before the last one, FLAGS and
 * UNREAD were seen.  Returns 0 or -ENOMEM.
 */
int series_add(struct series *series, int64_t now, unsigned flags,
    int64_t unread);

/* The stretch under way is a fault, from SINCE on. */
void series_fault(struct series *series, int64_t since);

/* There are no further samples; the last one counts up to NOW. */
void series_close(struct series *series, int64_t now);

/* A piece of the time from 0 to the end. */
struct series_cell {
	int64_t ready, asleep; /* ns of it */
	int64_t unread; /* the largest number of bytes, or -1 */
	unsigned flags; /* all that were seen in it */
};

/* Divide the time up to END into COUNT cells of the same length. */
void series_cells(const struct series *series, int64_t end,
    struct series_cell *cells, size_t count);

void series_free(struct series *series);

#endif
