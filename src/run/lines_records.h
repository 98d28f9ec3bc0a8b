/* SPDX-License-Identifier: ISC */
/*
 * lines_records.h - bytes that were read to records: one a line, or more where
 * --max-line cuts it.
 *
 * A batch is bytes that were peeked at.  Their records are printed before the
 * bytes are consumed, so where each of them ends is noted.
 */
#ifndef LINES_RECORDS_H
#define LINES_RECORDS_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "run/lines_goal.h"
#include "run/lines_put.h"
#include "target/target.h"

/* The most records of a batch. */
#define LINES_BATCH 32768

struct lines_records {
	struct lines_printer printer;
	struct lines_goal goal;
	size_t longest; /* --max-line, bytes */
	bool measured; /* --until was tried on those that are being added */
	/* of lines_measure: what it returned, how many records, none was cut */
	size_t measured_size;
	size_t measured_count;
	bool measured_uncut;
	/* of the batch */
	const char *bytes;
	uint64_t start; /* output_appended then */
	uint64_t before; /* records then */
	/* where its records end in BYTES, and in the output */
	size_t batched;
	struct {
		uint32_t in;
		uint32_t out;
	} batch[LINES_BATCH];
};

/*
 * Put the records of the SIZE bytes at P, which were read from T behind HELD, up
 * to one that --until matches; hold the bytes behind the last.  Returns 0 or
 * -ENOMEM.
 */
int lines_add(struct lines_records *r, const struct target *t,
    struct lines_held *held, char *p, size_t size);

/*
 * HELD is as long as --max-line allows, and its line continues: put it, and say
 * once a line that it is cut.  Returns 0 or -ENOMEM.
 */
int lines_add_cut(struct lines_records *r, const struct target *t,
    struct lines_held *held);

/*
 * Put HELD, which may be empty: its line will not be continued.
 * Async-signal-safe.
 */
void lines_add_unfinished(struct lines_records *r, const struct target *t,
    struct lines_held *held);

/*
 * How many of the SIZE bytes at P, of which HELD is the beginning, are the
 * records that are wanted, at most a batch; or -ENOMEM.  The one that --until
 * matches is the last, and goal.found is set.
 */
ssize_t lines_measure(struct lines_records *r, const struct lines_held *held,
    char *p, size_t size);

/*
 * lines_add, for a batch.  MEASURED: lines_measure has seen it; LAST: it ends
 * with a line that will not be continued.
 */
int lines_add_batch(struct lines_records *r, const struct target *t,
    struct lines_held *held, char *bytes, size_t size, bool measured,
    bool last);

/*
 * Write the records of the batch.  Returns how many of its SIZE bytes became
 * records that were written, or with WHOLE 0 if not all were; only these
 * records count.
 */
size_t lines_write_batch(struct lines_records *r, size_t size, bool whole);

#endif
