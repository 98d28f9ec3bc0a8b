/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "await/internal.h"
#include "base/flags.h"
#include "base/pmux.h"

/* BITS of poll(2) by the names that BASE has for them. */
static uint32_t
translate(const struct backend *base, short bits)
{
	uint32_t translated = 0;

	if ((bits & POLLIN) != 0)
		translated |= flags_bit(base->flags, "in");
	if ((bits & POLLOUT) != 0)
		translated |= flags_bit(base->flags, "out");
	if ((bits & POLLPRI) != 0)
		translated |= flags_bit(base->flags, "pri");
	return translated;
}

/* The bit that asks for edges, if C can do with these; or 0. */
static uint32_t
edge(const struct backend *base, const struct condition *c)
{
	return c != NULL && c->kind->edges ? flags_bit(base->flags, "et") : 0;
}

/* A slot that is not used: its index, or -ENOMEM. */
static int
free_slot(struct backend_state *s)
{
	size_t i = s->unused, wanted = s->slot_count + s->slot_count / 2 + 8;
	struct slot *grown;

	while (i < s->slot_count && s->slots[i].fd != -1)
		i++;
	s->unused = i;
	if (i < s->slot_count)
		return (int)i;
	grown = realloc(s->slots, wanted * sizeof *grown);
	if (grown == NULL)
		return -ENOMEM;
	s->slots = grown;
	while (s->slot_count < wanted)
		s->slots[s->slot_count++].fd = -1;
	return (int)i;
}

int
condition_watch(struct backend_state *s, const struct condition *c, int fd,
    short bits, uint32_t *slot)
{
	int i = free_slot(s), error;

	if (i < 0)
		return i;
	error = s->base->add(s->own, s->first_slot + (uint32_t)i, fd,
	    translate(s->base, bits) | edge(s->base, c));
	if (error != 0)
		return error;
	s->slots[i].fd = fd;
	s->slots[i].condition = c == NULL ? 0 :
					    (uint32_t)(c - pmux->await->list);
	s->slots[i].shared = NULL;
	*slot = (uint32_t)i;
	return 0;
}

int
condition_watch_shared(struct backend_state *s, condition_shared_fn *ready,
    int fd, short bits, uint32_t *slot)
{
	int error = condition_watch(s, NULL, fd, bits, slot);

	if (error == 0)
		s->slots[*slot].shared = ready;
	return error;
}

int
condition_hangup_only(struct backend_state *s, uint32_t slot)
{
	const struct slot *of = &s->slots[slot];

	/* an edge is not reported again */
	if (edge(s->base, &pmux->await->list[of->condition]) != 0)
		return 0;
	return s->base->modify(s->own, s->first_slot + slot, of->fd, 0);
}

void
condition_unwatch(struct backend_state *s, uint32_t slot)
{
	if (s->own != NULL)
		(void)s->base->remove(s->own, s->first_slot + slot,
		    s->slots[slot].fd);
	s->slots[slot].fd = -1;
	if (slot < s->unused)
		s->unused = slot;
}

void
condition_activate(struct condition *c)
{
	struct await *await = pmux->await;

	if ((c->state & ACTIVE) == 0)
		await->active[await->active_count++] = (uint32_t)(c -
		    await->list);
	c->state |= ACTIVE;
}

void
condition_due(struct condition *c)
{
	c->state |= DUE;
	condition_activate(c);
}

void
condition_back_off(struct condition *c, int64_t first, int64_t last)
{
	c->pause = deadline_back_off(c->pause, first, last);
	c->next = deadline_in(c->pause);
}

bool
condition_last_chance(void)
{
	return deadline_left(pmux->await->until) == 0;
}
