/* SPDX-License-Identifier: ISC */
#include "knote.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "filter.h"

struct knote *
knote_find(struct queue *queue, int filter, uintptr_t ident)
{
	struct link *l;
	struct knote *k;

	for (l = table_find(&queue->knotes, knote_key(filter, ident));
	     l != NULL; l = table_more(l)) {
		k = knote_of(l);
		if (k->event.filter == filter && k->event.ident == ident)
			return k;
	}
	return NULL;
}

/* A cell of Q of zeros, but for its index and generation; NULL: no memory. */
static struct knote *
cell_allocate(struct queue *q)
{
	struct knote *k = q->free_cells, **block = q->blocks;
	uint64_t size = KNOTE_FIRST_BLOCK, first = 0;

	if (k != NULL) {
		q->free_cells = k->next;
		k->next = NULL;
		return k;
	}
	for (; first + size <= q->cells; block++, size *= 2)
		first += size;
	if (*block == NULL)
		*block = aligned_alloc(CACHE_LINE, size * sizeof **block);
	if (*block == NULL)
		return NULL;
	k = *block + (q->cells - first);
	memset(k, 0, sizeof *k);
	k->cell = q->cells++;
	k->member.generation = 1;
	return k;
}

/* Zeros, so that no use of the freed knote goes unnoticed. */
static void
cell_free(struct queue *q, struct knote *k)
{
	uint32_t cell = k->cell, generation = k->member.generation;

	memset(k, 0, sizeof *k);
	k->cell = cell;
	k->member.generation = generation;
	k->next = q->free_cells;
	q->free_cells = k;
}

void
knote_free_cells(struct queue *q)
{
	for (size_t i = 0; i < KNOTE_BLOCKS; i++)
		free(q->blocks[i]);
}

struct knote *
knote_new(struct queue *queue, const struct filter *filter,
    const struct kevent *change, bool listed)
{
	const uint64_t key = knote_key(change->filter, change->ident);
	struct knote *k = cell_allocate(queue);

	if (k == NULL)
		return NULL;
	if (listed && table_insert(&queue->knotes, &k->link, key) != 0) {
		cell_free(queue, k);
		return NULL;
	}
	k->queue = queue;
	k->filter = filter;
	k->event = *change;
	k->event.flags &= EV_ONESHOT | EV_CLEAR | EV_RECEIPT | EV_DISPATCH;
	k->event.fflags = 0;
	k->event.data = 0;
	k->fflags = change->fflags;
	k->data = change->data;
	k->status = listed ? 0 : KNOTE_UNLISTED;
	if ((change->flags & (EV_ENABLE | EV_DISABLE)) == EV_DISABLE)
		k->status |= KNOTE_DISABLED;
	return k;
}

void
knote_free(struct knote *k)
{
	assert(k->member.place == MEMBER_NOWHERE &&
	    "no instance has a freed knote");
	knote_dequeue(k);
	if ((k->status & KNOTE_UNLISTED) == 0)
		table_remove(&k->queue->knotes, &k->link);
	cell_free(k->queue, k);
}

void
knote_drop(struct knote *k)
{
	if (k->filter->detach != NULL)
		k->filter->detach(k);
	knote_free(k);
}

void
knote_end(struct knote *k, int error)
{
	if (knote_is_gone(error)) {
		knote_drop(k);
		return;
	}
	k->event.flags |= EV_ERROR | EV_ONESHOT;
	k->event.fflags = 0;
	k->event.data = -error;
	knote_activate(k);
}

void
knote_activate(struct knote *k)
{
	struct queue *q = k->queue;

	k->status |= KNOTE_ACTIVE;
	if ((k->status & (KNOTE_READY | KNOTE_DISABLED)) != 0)
		return;
	k->status |= KNOTE_READY;
	k->next = NULL;
	k->previous = q->last;
	if (q->last == NULL)
		q->first = k;
	else
		q->last->next = k;
	q->last = k;
	q->ready++;
}

void
knote_dequeue(struct knote *k)
{
	struct queue *q = k->queue;

	if ((k->status & KNOTE_READY) == 0)
		return;
	if (k->previous == NULL)
		q->first = k->next;
	else
		k->previous->next = k->next;
	if (k->next == NULL)
		q->last = k->previous;
	else
		k->next->previous = k->previous;
	k->status &= ~(unsigned)KNOTE_READY;
	q->ready--;
}
