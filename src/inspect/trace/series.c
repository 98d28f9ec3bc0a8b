/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/trace/series.h"

/* Halve the number of runs. */
static void
join(struct series *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->count; i += 2, n++) {
		s->runs[n] = s->runs[i];
		if (i + 1 == s->count)
			continue;
		s->runs[n].flags |= s->runs[i + 1].flags;
		if (s->runs[i + 1].unread > s->runs[n].unread)
			s->runs[n].unread = s->runs[i + 1].unread;
	}
	s->count = n;
}

/* Room for one more run.  Returns 0 or -ENOMEM. */
static int
make_room(struct series *s)
{
	size_t wanted = s->capacity == 0 ? 32 : 2 * s->capacity;
	struct series_run *more;

	if (s->count < s->capacity)
		return 0;
	if (s->count >= SERIES_MOST) {
		join(s);
		return 0;
	}
	more = realloc(s->runs, wanted * sizeof *more);
	if (more == NULL)
		return -ENOMEM;
	s->runs = more;
	s->capacity = wanted;
	return 0;
}

/* Up to NOW the sum grows if it was so; from NOW on it IS. */
static void
sum_up(struct series_sum *sum, int64_t before, int64_t now, int was, int is)
{
	if (was)
		sum->time += now - before;
	if (was && now - sum->since > sum->longest)
		sum->longest = now - sum->since;
	if (is && !was) {
		sum->since = now;
		sum->count++;
	}
}

static void
advance(struct series *s, int64_t now, unsigned flags)
{
	unsigned was = s->count == 0 ? 0 : s->runs[s->count - 1].flags;

	sum_up(&s->ready, s->end, now, (was & SERIES_READY) != 0,
	    (flags & SERIES_READY) != 0);
	sum_up(&s->asleep, s->end, now, (was & SERIES_ASLEEP) != 0,
	    (flags & SERIES_ASLEEP) != 0);
	sum_up(&s->fault, s->end, now, (was & SERIES_FAULT) != 0,
	    (flags & SERIES_FAULT) != 0);
	s->end = now;
}

int
series_add(struct series *s, int64_t now, unsigned flags, int64_t unread)
{
	const struct series_run *last;

	if (make_room(s) != 0)
		return -ENOMEM;
	advance(s, now, flags);
	if (unread > s->most)
		s->most = unread;
	last = s->count == 0 ? NULL : &s->runs[s->count - 1];
	if (last != NULL && last->flags == flags && last->unread == unread)
		return 0;
	s->runs[s->count++] = (struct series_run){ now, unread, flags };
	return 0;
}

void
series_fault(struct series *s, int64_t since)
{
	struct series_run *last;

	if (s->count == 0 || make_room(s) != 0)
		return;
	last = &s->runs[s->count - 1];
	if ((last->flags & SERIES_FAULT) != 0)
		return;
	if (last->start < since) {
		last[1] = *last;
		last[1].start = since;
		last++;
		s->count++;
	}
	last->flags |= SERIES_FAULT;
	s->fault.since = since;
	s->fault.time += s->end - since;
	s->fault.count++;
	if (s->end - since > s->fault.longest)
		s->fault.longest = s->end - since;
}

void
series_close(struct series *s, int64_t now)
{
	if (s->count > 0 && now > s->end)
		advance(s, now, s->runs[s->count - 1].flags);
}

/* Add to CELLS, each WIDTH ns long, what RUN, up to STOP, has. */
static void
spread(const struct series_run *run, int64_t stop, struct series_cell *cells,
    size_t count, double width)
{
	size_t first = (size_t)((double)run->start / width);

	for (size_t i = first; i < count; i++) {
		int64_t from = (int64_t)((double)i * width);
		int64_t to = (int64_t)((double)(i + 1) * width);
		struct series_cell *cell = &cells[i];

		if (from >= stop && i > first)
			return;
		from = from < run->start ? run->start : from;
		to = to > stop ? stop : to;
		cell->flags |= run->flags;
		if (run->unread > cell->unread)
			cell->unread = run->unread;
		if ((run->flags & SERIES_READY) != 0 && to > from)
			cell->ready += to - from;
		if ((run->flags & SERIES_ASLEEP) != 0 && to > from)
			cell->asleep += to - from;
	}
}

void
series_cells(const struct series *s, int64_t end, struct series_cell *cells,
    size_t count)
{
	double width = (double)(end < 1 ? 1 : end) / (double)count;
	int64_t stop;

	memset(cells, 0, count * sizeof *cells);
	for (size_t i = 0; i < count; i++)
		cells[i].unread = -1;
	for (size_t i = 0; i < s->count; i++) {
		stop = i + 1 < s->count ? s->runs[i + 1].start : s->end;
		spread(&s->runs[i], stop, cells, count, width);
	}
}

void
series_free(struct series *s)
{
	free(s->runs);
	*s = (struct series){ .runs = NULL };
}
