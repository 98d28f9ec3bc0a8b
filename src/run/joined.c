/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "backend/kqueue.h"
#include "run/joined.h"

struct joined {
	struct event event;
	struct joined *next;
};

/* Whether data counts what happened since the last report. */
static bool
is_counter(uint32_t bits)
{
	return (bits & (1u << KQUEUE_TIMER | 1u << KQUEUE_SIGNAL)) != 0;
}

int
joined_add(struct joined **list, const struct event *event)
{
	struct joined *j;

	for (j = *list; j != NULL && j->event.ident != event->ident; j = *list)
		list = &j->next;
	if (j == NULL) {
		if ((j = malloc(sizeof *j)) == NULL)
			return -ENOMEM;
		*j = (struct joined){ *event, NULL };
		*list = j;
		return 0;
	}
	j->event.fflags |= event->fflags;
	j->event.flags |= event->flags;
	j->event.bits |= event->bits;
	j->event.data = event->data +
	    (is_counter(event->bits) ? j->event.data : 0);
	return 0;
}

bool
joined_take(struct joined **list, struct event *event)
{
	struct joined *j = *list;

	if (j == NULL)
		return false;
	*event = j->event;
	*list = j->next;
	free(j);
	return true;
}

void
joined_free(struct joined **list)
{
	struct event event;

	while (joined_take(list, &event))
		;
}
