/* SPDX-License-Identifier: ISC */
/*
 * over_member.c - the lists of over.c: its members, those that are due, and the
 * events.
 */
#include "config.h"

#include "backend/over_internal.h"

#ifdef OVER_HERE

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sys/foreign_table.h"

bool
over_is_epoll(const struct backend_state *s)
{
	return s->base == &backend_epoll;
}

struct member *
over_member_at(struct backend_state *s, uint32_t token)
{
	return token < s->capacity && (s->members[token].flags & MEMBER) != 0 ?
	    &s->members[token] :
	    NULL;
}

int
over_reserve(struct backend_state *s, uint32_t token)
{
	uint32_t wanted = token + token / 2 + 16;
	struct member *members;

	if (token < s->capacity)
		return 0;
	members = realloc(s->members, wanted * sizeof *members);
	if (members == NULL)
		return -ENOMEM;
	memset(members + s->capacity, 0,
	    (wanted - s->capacity) * sizeof *members);
	s->members = members;
	s->capacity = wanted;
	return 0;
}

int
over_make_due(struct backend_state *s, uint32_t token)
{
	size_t wanted = 2 * s->due_capacity + BATCH;
	uint32_t *due;

	if ((s->members[token].flags & (DUE | DISABLED)) != 0)
		return 0;
	if (s->due_count == s->due_capacity) {
		due = realloc(s->due, wanted * sizeof *due);
		if (due == NULL)
			return -ENOMEM;
		s->due = due;
		s->due_capacity = wanted;
	}
	s->members[token].flags |= DUE;
	s->due[s->due_count++] = token;
	return 0;
}

int
over_add_event(struct backend_state *s, const struct event *event)
{
	size_t wanted = 2 * s->event_capacity + BATCH;
	struct event *events;

	if (s->count == s->event_capacity) {
		events = realloc(s->events, wanted * sizeof *events);
		if (events == NULL)
			return -ENOMEM;
		s->events = events;
		s->event_capacity = wanted;
	}
	s->events[s->count++] = *event;
	return 0;
}

bool
over_has_flag(uint32_t flags, const char *name)
{
	return (flags & flags_bit(kqueue_flags, name)) != 0;
}

bool
over_is_clear(const struct backend_state *s, uint32_t token)
{
	if (s->base->requests == NULL)
		return (s->members[token].bits & s->base->flag_edge) != 0;
	return over_has_flag(s->requests[token].flags, "clear") ||
	    (s->members[token].bits & KQUEUE_CLEAR) != 0;
}

bool
over_is_old(const struct backend_state *s, uint32_t token)
{
	const struct member *m = &s->members[token];

	return (m->flags & REPORTED) != 0 && foreign_of(m->fd)->instance &&
	    over_is_clear(s, token);
}

#endif
