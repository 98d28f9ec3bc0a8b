/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "output/diag.h"
#include "output/output.h"
#include "run/lines_records.h"

/*
 * Where the next record of the SIZE bytes at P ends, HELD bytes of it having
 * come before.  Returns whether it does there, with *LENGTH and *ENDED set: a
 * newline follows, or it was cut.
 */
static inline bool
next_record(const struct lines_records *r, size_t held, const char *p,
    size_t size, size_t *length, bool *ended)
{
	size_t room = r->longest - held;
	const char *newline = memchr(p, '\n', size > room ? room + 1 : size);

	*ended = newline != NULL;
	*length = newline != NULL ? (size_t)(newline - p) : room;
	return newline != NULL || size > room;
}

/* Once a line, however often it is cut. */
static void
say_cut(const struct lines_records *r, const struct target *t,
    struct lines_held *held, bool ended)
{
	if (!ended && !held->cut)
		diag_remark("%.*s: a line of more than %zu bytes is cut"
			    " (--max-line)",
		    (int)t->length, t->name, r->longest);
	held->cut = !ended;
}

/* A record ends at END of the batch. */
static void
mark(struct lines_records *r, const char *end)
{
	if (r->batched == LINES_BATCH)
		return;
	r->batch[r->batched].in = (uint32_t)(end - r->bytes);
	r->batch[r->batched++].out = (uint32_t)(output_appended() - r->start);
}

int
lines_add(struct lines_records *r, const struct target *t,
    struct lines_held *held, char *p, size_t size)
{
	size_t length;
	bool ended;
	int error = 0;

	while (size > 0 &&
	    next_record(r, held->length, p, size, &length, &ended)) {
		if (!r->measured)
			error = lines_goal_match(&r->goal, held, p, length);
		if (error == 0 && held->length > 0)
			error = lines_put_joined(&r->printer, t, held, p,
			    length);
		else if (error == 0)
			lines_put(&r->printer, t, p, length, ended);
		if (error != 0)
			return error;
		r->goal.records++;
		if (!ended || held->cut)
			say_cut(r, t, held, ended);
		p += length + ended;
		size -= length + ended;
		if (r->goal.is_set)
			mark(r, p);
		/* the others of one message, or of a device, are lost */
		if (r->goal.matched)
			return 0;
	}
	return lines_hold(held, p, size);
}

int
lines_add_cut(struct lines_records *r, const struct target *t,
    struct lines_held *held)
{
	int error = lines_goal_match_held(&r->goal, held);

	if (error != 0)
		return error;
	lines_put(&r->printer, t, held->held, held->length, false);
	r->goal.records++;
	held->length = 0;
	say_cut(r, t, held, false);
	return 0;
}

void
lines_add_unfinished(struct lines_records *r, const struct target *t,
    struct lines_held *held)
{
	if (held->length > 0) {
		lines_put(&r->printer, t, held->held, held->length, false);
		r->goal.records++;
	}
	held->length = 0;
	held->cut = false;
}

ssize_t
lines_measure(struct lines_records *r, const struct lines_held *held, char *p,
    size_t size)
{
	const struct lines_held none = { .length = 0 };
	uint64_t most = r->goal.most - r->goal.records;
	size_t done = 0, count = 0, length;
	int answer = 0;
	bool ended;

	if (most > LINES_BATCH)
		most = LINES_BATCH;
	r->measured_uncut = held->length == 0 && !held->cut;
	for (; count < most && answer == 0 &&
	     next_record(r, held->length, p + done, size - done, &length,
		 &ended);
	     count++) {
		answer = lines_goal_try(&r->goal, held, p + done, length);
		if (answer < 0)
			return answer;
		r->measured_uncut &= ended;
		done += length + ended;
		held = &none;
	}
	r->measured_size = done;
	r->measured_count = count;
	r->goal.found = answer != 0;
	return (ssize_t)done;
}

int
lines_add_batch(struct lines_records *r, const struct target *t,
    struct lines_held *held, char *bytes, size_t size, bool measured, bool last)
{
	int error;

	r->bytes = bytes;
	r->start = output_appended();
	r->before = r->goal.records;
	r->batched = 0;
	/* nothing is to be done with each of them */
	if (measured && r->printer.print->quiet && r->measured_uncut &&
	    size == r->measured_size) {
		r->goal.records += r->measured_count;
		return 0;
	}
	r->measured = measured;
	error = lines_add(r, t, held, bytes, size);
	r->measured = false;
	if (error != 0 || !last || held->length == 0)
		return error;
	if (!r->goal.found)
		error = lines_goal_match_held(&r->goal, held);
	if (error != 0)
		return error;
	lines_add_unfinished(r, t, held);
	mark(r, bytes + size);
	return 0;
}

size_t
lines_write_batch(struct lines_records *r, size_t size, bool whole)
{
	size_t n = r->batched, written = size;
	uint64_t out;

	if (!r->printer.print->quiet && output_flush() != 0) {
		out = output_written() - r->start;
		while (n > 0 && r->batch[n - 1].out > out)
			n--;
		r->goal.records = r->before + n;
		written = n == 0 || whole ? 0 : r->batch[n - 1].in;
	}
	/* what was not printed stays unread, and will match again */
	r->goal.matched = written == size && (r->goal.matched || r->goal.found);
	return written;
}
