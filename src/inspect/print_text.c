/* SPDX-License-Identifier: ISC */
/*
 * print_text.c - pmux inspect: a record for each descriptor.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "inspect/buffer.h"
#include "inspect/state.h"
#include "inspect/subject.h"

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
put_ready(struct buffer *b, const struct descriptor *d)
{
	if (d->unknown[FACT_READY] != NULL)
		buffer_put(b, "unknown");
	else
		state_events(b, d->ready);
}

/* Add what B has as a cell, and empty it. */
static void
take_cell(struct columns *columns, struct buffer *b)
{
	columns->failed |= b->failed;
	columns_add(columns, b->used == 0 ? "" : b->bytes);
	buffer_free(b);
}

static void
put_number(struct buffer *b, const struct subject *s, bool named)
{
	if (named) {
		buffer_name(b, s->comm, strlen(s->comm));
		buffer_put(b, "[%ld]/", (long)s->d.pid);
	}
	buffer_put(b, "%d", s->d.number);
}

static void
print_subject(const struct subject *s, bool named, struct columns *columns)
{
	struct buffer b = { .bytes = NULL };

	put_number(&b, s, named);
	take_cell(columns, &b);
	columns_add(columns, kind_name(s->d.kind));
	put_mode(&b, &s->d);
	take_cell(columns, &b);
	put_ready(&b, &s->d);
	take_cell(columns, &b);
	state_text(&b, &s->d);
	take_cell(columns, &b);
	columns_add(columns, "");
	columns_add(columns, "");
}

void
subjects_print_text(const struct subject *list, size_t count, bool named,
    struct columns *columns)
{
	for (size_t i = 0; i < count; i++)
		print_subject(&list[i], named, columns);
}
