/* SPDX-License-Identifier: ISC */
/*
 * print_text.c - pmux inspect: a record for each descriptor, and one for each
 * registration.
 */
#include "config.h"

#include <stdint.h>
#include <string.h>

#include "inspect/buffer.h"
#include "inspect/facts/comm.h"
#include "inspect/facts/state.h"
#include "inspect/inspect/subject.h"

/* On a terminal at most this many are named in a field. */
#define MOST 3

/* Add what B has as a cell, and empty it for the next one. */
static void
take_cell(struct columns *columns, struct buffer *b)
{
	columns->failed |= b->failed;
	columns_add(columns, b->used == 0 ? "" : b->bytes);
	b->used = 0;
}

static void
put_mode(struct buffer *b, const struct descriptor *d)
{
	if (d->unknown[FACT_ACCESS] != NULL) {
		buffer_put(b, "unknown");
		return;
	}
	buffer_put(b, "%s%s", d->readable ? "r" : "", d->writable ? "w" : "");
	if (!d->readable && !d->writable)
		buffer_put(b, "path");
	if (d->nonblock)
		buffer_put(b, " nonblock");
}

static void
put_ready(struct buffer *b, bool known, unsigned ready)
{
	if (known)
		state_events(b, ready);
	else
		buffer_put(b, "unknown");
}

/* The first of those that have it; of many on a terminal, how many more. */
static void
put_holders(struct inspection *in, struct buffer *b,
    const struct holders *holders, bool aligned)
{
	size_t shown = aligned && holders->count > MOST + 1 ? MOST :
							      holders->count;

	for (size_t i = 0; i < shown; i++) {
		if (i > 0)
			buffer_put(b, ", ");
		comm_put_descriptor(b, &in->source, holders->list[i].pid,
		    holders->list[i].number);
	}
	if (shown < holders->count)
		buffer_put(b, " and %zu more", holders->count - shown);
}

static void
put_other(struct inspection *in, struct buffer *b, const struct subject *s,
    bool aligned)
{
	if (s->d.unknown[FACT_PEERS] != NULL)
		buffer_put(b, "unknown");
	else
		put_holders(in, b, &s->peers.other, aligned);
}

static void
put_waiter(struct buffer *b, const struct waiter *w)
{
	if (w->epoll >= 0) {
		buffer_put(b, "epoll %d ", w->epoll);
		state_mask(b, w->events);
	} else {
		buffer_put(b, "thread %ld %s", (long)w->thread, w->call);
		if (w->events != 0) {
			buffer_put(b, " ");
			state_events(b, w->events);
		}
	}
}

static void
put_waiters(struct buffer *b, const struct waiters *waiters, int number,
    bool aligned)
{
	size_t count, shown;
	const struct waiter *w = waiters_of(waiters, number, &count);

	shown = aligned && count > MOST + 1 ? MOST : count;
	for (size_t i = 0; i < shown; i++) {
		if (i > 0)
			buffer_put(b, "; ");
		put_waiter(b, &w[i]);
	}
	if (shown < count)
		buffer_put(b, " and %zu more", count - shown);
	if (count == 0 && waiters->why != NULL)
		buffer_put(b, "unknown");
}

static void
put_number(struct inspection *in, struct buffer *b, const struct subject *s,
    bool named)
{
	if (named)
		comm_put_descriptor(b, &in->source, s->d.pid, s->d.number);
	else
		buffer_number(b, (uint64_t)s->d.number, 10);
}

/* "armed, data 5"; or what is wrong with it. */
static void
put_entry(struct buffer *b, const struct registration *r)
{
	if (r->registered == REGISTERED_STALE)
		buffer_put(b, "STALE, ");
	if (r->registered == REGISTERED_UNKNOWN)
		buffer_put(b, "stale or not is unknown, ");
	buffer_put(b, r->armed ? "armed, data 0x" : "disarmed, data 0x");
	buffer_number(b, r->entry.data, 16);
}

/* The mask is where a descriptor's mode is. */
static void
print_entry(struct inspection *in, const struct subject *s, bool named,
    const struct registration *r, struct columns *columns, struct buffer *b)
{
	put_number(in, b, s, named);
	buffer_put(b, "/");
	buffer_number(b, (uint64_t)r->entry.number, 10);
	take_cell(columns, b);
	columns_add(columns, r->kind == KINDS ? "unknown" : kind_name(r->kind));
	state_mask(b, r->entry.events);
	take_cell(columns, b);
	put_ready(b, r->is_ready_known, r->ready);
	take_cell(columns, b);
	put_entry(b, r);
	take_cell(columns, b);
	put_holders(in, b, &r->owners, columns->aligned);
	take_cell(columns, b);
	columns_add(columns, "");
}

static void
print_entries(struct inspection *in, const struct subject *s, bool named,
    struct columns *columns, struct buffer *b)
{
	const struct instance *instance = waiters_instance(
	    subject_waiters(in, s), s->d.number);

	for (size_t i = 0; instance != NULL && i < instance->entries.count; i++)
		print_entry(in, s, named, &instance->entries.list[i], columns,
		    b);
}

void
subject_print_text(struct inspection *in, const struct subject *s, bool named,
    struct columns *columns)
{
	const struct descriptor *d = &s->d;
	struct buffer b = { .bytes = NULL };

	put_number(in, &b, s, named);
	take_cell(columns, &b);
	columns_add(columns, kind_name(d->kind));
	put_mode(&b, d);
	take_cell(columns, &b);
	put_ready(&b, d->unknown[FACT_READY] == NULL, d->ready);
	take_cell(columns, &b);
	state_text(&b, d);
	take_cell(columns, &b);
	put_other(in, &b, s, columns->aligned);
	take_cell(columns, &b);
	put_waiters(&b, subject_waiters(in, s), d->number, columns->aligned);
	take_cell(columns, &b);
	if (d->kind == KIND_EPOLL)
		print_entries(in, s, named, columns, &b);
	buffer_free(&b);
}
