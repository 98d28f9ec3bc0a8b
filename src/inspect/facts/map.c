/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "inspect/facts/map.h"

/* Knuth's multiplier, the golden ratio of 2^64. */
#define RATIO UINT64_C(0x9e3779b97f4a7c15)

/* The slot of the key, or the unused one where it would be. */
static struct map_slot *
slot(const struct map *m, uint32_t space, uint64_t key)
{
	uint64_t hash = (key ^ (uint64_t)space << 32) * RATIO;
	size_t mask = m->size - 1, i = (size_t)(hash >> 32) & mask;

	/* space 0 is that of unused slots */
	while (m->slots[i].space != 0 &&
	    (m->slots[i].space != space + 1 || m->slots[i].key != key))
		i = (i + 1) & mask;
	return &m->slots[i];
}

int32_t
map_get(const struct map *m, uint32_t space, uint64_t key)
{
	const struct map_slot *s;

	if (m->size == 0)
		return MAP_NONE;
	s = slot(m, space, key);
	return s->space == 0 ? MAP_NONE : s->value;
}

/* Returns 0 or -ENOMEM. */
static int
grow(struct map *m)
{
	struct map bigger = { NULL, 0, m->size == 0 ? 64 : 2 * m->size };

	bigger.slots = calloc(bigger.size, sizeof *bigger.slots);
	if (bigger.slots == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < m->size; i++) {
		const struct map_slot *s = &m->slots[i];

		if (s->space == 0 || s->value == MAP_NONE)
			continue;
		*slot(&bigger, s->space - 1, s->key) = *s;
		bigger.count++;
	}
	free(m->slots);
	*m = bigger;
	return 0;
}

int
map_put(struct map *m, uint32_t space, uint64_t key, int32_t value)
{
	struct map_slot *s;

	/* a quarter is always unused */
	if (m->count >= m->size / 4 * 3 && grow(m) != 0)
		return -ENOMEM;
	s = slot(m, space, key);
	m->count += s->space == 0;
	*s = (struct map_slot){ key, space + 1, value };
	return 0;
}

void
map_clear(struct map *m, uint32_t space)
{
	for (size_t i = 0; i < m->size; i++)
		if (m->slots[i].space == space + 1)
			m->slots[i].value = MAP_NONE;
}

void
map_end(struct map *m)
{
	free(m->slots);
	*m = (struct map){ NULL, 0, 0 };
}
