/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "base/pmux.h"
#include "output/diag.h"
#include "target/internal.h"
#include "target/kevent_parse.h"

bool
targets_have(const struct targets *targets, uint16_t flag)
{
	for (size_t i = 0; i < targets->count; i++)
		if ((targets->list[i].flags & flag) != 0)
			return true;
	return false;
}

static uint32_t
hash(const struct target *t)
{
	return (uint32_t)t->number * 2654435761u ^ t->process * 2246822519u;
}

/* Whether A and B are the same descriptor, and in the same list if LISTED. */
static bool
same(const struct targets *targets, const struct target *a,
    const struct target *b, bool listed)
{
	return ((a->flags | b->flags) & TARGET_PATH) == 0 &&
	    a->number == b->number && a->process == b->process &&
	    (!listed || target_kind(targets->backend)->same(targets, a, b));
}

int
targets_table(struct target_table *table, size_t count)
{
	uint32_t size = 4 * TARGETS_FEW;

	if (count <= TARGETS_FEW)
		return 0;
	while (size < 2 * count)
		size *= 2;
	table->slots = calloc(size, sizeof *table->slots);
	table->mask = size - 1;
	return table->slots == NULL ? -ENOMEM : 0;
}

struct target *
targets_earlier(struct target_table *table, struct targets *targets, size_t end,
    const struct target *t, bool listed)
{
	struct target *found;
	uint32_t at;

	if (table->slots == NULL) {
		for (size_t i = 0; i < end; i++)
			if (same(targets, &targets->list[i], t, listed))
				return &targets->list[i];
		return NULL;
	}
	for (at = hash(t) & table->mask; table->slots[at] != 0;
	     at = (at + 1) & table->mask) {
		found = &targets->list[table->slots[at] - 1];
		if (same(targets, found, t, listed))
			return found;
	}
	if (end < targets->count)
		table->slots[at] = (uint32_t)end + 1;
	return NULL;
}

/* Whether the numbers ascend, and so are all different. */
static bool
ascending(const struct targets *targets)
{
	for (size_t i = 1; i < targets->count; i++)
		if (targets->list[i - 1].number >= targets->list[i].number)
			return false;
	return true;
}

/* Replace TO by FROM, and its kevent likewise. */
static void
move(struct targets *targets, const struct target *from, struct target *to)
{
	struct kevent_request *kevents = targets->kevents;

	*to = *from;
	if (kevents == NULL || to == from)
		return;
	kevent_release(&kevents[to - targets->list]);
	kevents[to - targets->list] = kevents[from - targets->list];
	kevents[from - targets->list].udata = NULL;
}

int
targets_merge(struct targets *targets, enum target_twice twice)
{
	struct target_table table = { NULL, 0 };
	struct target *t, *earlier;
	size_t kept = 0;

	targets->unsorted |= targets_have(targets, TARGET_PATH) ||
	    !ascending(targets);
	if (twice == TWICE_REFUSED || !targets->unsorted)
		return 0;
	if (targets_table(&table, targets->count) != 0)
		return diag_system(ENOMEM, NULL, "targets");
	for (size_t i = 0; i < targets->count; i++) {
		t = &targets->list[i];
		earlier = (t->flags & TARGET_PATH) != 0 ?
		    NULL :
		    targets_earlier(&table, targets, kept, t,
			twice == TWICE_IN_LIST);
		if (earlier == NULL)
			earlier = &targets->list[kept++];
		else if (twice == TWICE_JOINED)
			t->bits |= earlier->bits;
		move(targets, t, earlier);
	}
	targets->count = kept;
	free(table.slots);
	return 0;
}

/* Whether FD is one of the numbers, which ascend. */
static bool
sorted_name(const struct targets *targets, int fd)
{
	size_t low = 0, high = targets->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (targets->list[middle].number < fd)
			low = middle + 1;
		else
			high = middle;
	}
	return low < targets->count && targets->list[low].number == fd &&
	    targets->list[low].process == 0;
}

bool
targets_name(void *names, int fd)
{
	struct targets *targets = names;
	struct target_table *table = &pmux->names->table;
	struct target t = { .number = fd };

	if (targets->count == 0)
		return false;
	if (!targets->unsorted)
		return sorted_name(targets, fd);
	if (table->slots == NULL && targets->count > TARGETS_FEW &&
	    targets_table(table, targets->count) == 0)
		for (size_t i = 0; i < targets->count; i++)
			if ((targets->list[i].flags & TARGET_PATH) == 0)
				(void)targets_earlier(table, targets, i,
				    &targets->list[i], false);
	return targets_earlier(table, targets, targets->count, &t, false) !=
	    NULL;
}
