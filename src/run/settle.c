/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "base/duration.h"
#include "run/joined.h"
#include "run/settle.h"

struct pending {
	struct joined *events;
	deadline_t due;
	deadline_t limit;
	uint32_t place; /* in the list plus 1; 0: it is not pending */
	bool held;
};

struct settle {
	int64_t quiet, limit;
	struct pending *targets;
	uint32_t *list; /* the pending ones */
	uint32_t count;
};

int
settle_open(struct settle **settle, size_t count, int64_t quiet, int64_t limit)
{
	struct settle *s = calloc(1, sizeof *s);

	*settle = s;
	if (s == NULL)
		return -ENOMEM;
	s->quiet = quiet;
	s->limit = limit;
	s->targets = calloc(count + 1, sizeof *s->targets);
	s->list = calloc(count + 1, sizeof *s->list);
	return s->targets == NULL || s->list == NULL ? -ENOMEM : 0;
}

void
settle_close(struct settle *s)
{
	if (s == NULL)
		return;
	for (uint32_t i = 0; i < s->count; i++)
		joined_free(&s->targets[s->list[i]].events);
	free(s->targets);
	free(s->list);
	free(s);
}

int
settle_note(struct settle *s, const struct event *event)
{
	struct pending *p = &s->targets[event->token];
	int error = joined_add(&p->events, event);

	if (error != 0)
		return error;
	if (p->place == 0) {
		s->list[s->count++] = event->token;
		p->place = s->count;
		p->limit = deadline_in(s->limit);
		p->held = false;
	}
	p->due = deadline_sooner(deadline_in(s->quiet), p->limit);
	return 0;
}

int64_t
settle_left(const struct settle *s)
{
	deadline_t first = DEADLINE_NEVER;

	for (uint32_t i = 0; s != NULL && i < s->count; i++)
		if (!s->targets[s->list[i]].held)
			first = deadline_sooner(first,
			    s->targets[s->list[i]].due);
	return deadline_left(first);
}

void
settle_hold(struct settle *s, uint32_t index)
{
	s->targets[index].held = true;
}

void
settle_release(struct settle *s)
{
	for (uint32_t i = 0; s != NULL && i < s->count; i++)
		s->targets[s->list[i]].held = false;
}

bool
settle_due(struct settle *s, bool all, uint32_t *index)
{
	int64_t now = s == NULL || s->count == 0 ? 0 : clock_now();
	const struct pending *p;

	for (uint32_t i = 0; s != NULL && i < s->count; i++) {
		p = &s->targets[s->list[i]];
		*index = s->list[i];
		if (all ||
		    (!p->held && p->due != DEADLINE_NEVER && p->due <= now))
			return true;
	}
	return false;
}

bool
settle_take(struct settle *s, uint32_t index, struct event *event)
{
	struct pending *p = &s->targets[index];
	uint32_t last;

	if (p->place == 0 || joined_take(&p->events, event))
		return p->place != 0;
	last = s->list[--s->count];
	s->list[p->place - 1] = last;
	s->targets[last].place = p->place;
	p->place = 0;
	return false;
}
