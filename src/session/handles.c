/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "session/handles.h"

#define FIRST_CHAINS 64

/* Multiplicative hashing, Knuth 6.4: 2^64 by the golden ratio. */
#define GOLDEN UINT64_C(0x9e3779b97f4a7c15)

static uint32_t
handles_hash(uint32_t kind, const char *name, size_t length, uint64_t number)
{
	uint32_t h = 2166136261u ^ kind; /* FNV-1a */

	if (name == NULL)
		return (uint32_t)((number + kind) * GOLDEN >> 32);
	for (size_t i = 0; i < length; i++)
		h = (h ^ (unsigned char)name[i]) * 16777619u;
	return h ^ h >> 15;
}

static uint32_t
hash_of(const struct handle *e)
{
	return handles_hash(e->kind, e->named ? e->name : NULL, e->length,
	    e->number);
}

uint32_t
handles_find(const struct handles *r, uint32_t kind, const char *name,
    size_t length, uint64_t number)
{
	const struct handle *e;
	uint32_t i;

	if (r->chains == NULL)
		return HANDLES_NONE;
	i = r->chains[handles_hash(kind, name, length, number) & r->mask];
	for (; i != 0; i = e->next) {
		e = &r->list[i - 1];
		if (e->kind != kind || e->named != (name != NULL))
			continue;
		if (name == NULL ? e->number == number :
				   e->length == length &&
			    memcmp(e->name, name, length) == 0)
			return i - 1;
	}
	return HANDLES_NONE;
}

static void
chain(struct handles *r, uint32_t index)
{
	struct handle *e = &r->list[index];
	uint32_t h = hash_of(e) & r->mask;

	e->next = r->chains[h];
	r->chains[h] = index + 1;
}

/* Twice as many chains and handles. */
static int
grow(struct handles *r)
{
	uint32_t capacity = r->capacity == 0 ? FIRST_CHAINS : 2 * r->capacity;
	uint32_t *chains;
	struct handle *list;

	if (capacity > UINT32_MAX / 4)
		return -ENOMEM;
	list = realloc(r->list, capacity * sizeof *list);
	if (list == NULL)
		return -ENOMEM;
	r->list = list;
	chains = calloc(capacity, sizeof *chains);
	if (chains == NULL)
		return -ENOMEM;
	free(r->chains);
	r->chains = chains;
	r->capacity = capacity;
	r->mask = capacity - 1;
	for (uint32_t i = 0; i < r->count; i++)
		chain(r, i);
	return 0;
}

int
handles_add(struct handles *r, uint32_t kind, const char *name, size_t length,
    uint64_t number, bool named, uint32_t *index)
{
	char *copy = malloc(length + 1);
	struct handle *e;

	if (copy == NULL)
		return -ENOMEM;
	if (r->unused == 0 && r->count == r->capacity && grow(r) != 0) {
		free(copy);
		return -ENOMEM;
	}
	memcpy(copy, name, length);
	copy[length] = '\0';
	*index = r->unused != 0 ? r->unused - 1 : r->count++;
	e = &r->list[*index];
	if (r->unused != 0)
		r->unused = e->next;
	memset(e, 0, sizeof *e);
	e->name = copy;
	e->length = (uint32_t)length;
	e->kind = kind;
	e->number = named ? 0 : number;
	e->named = named;
	e->fd = -1;
	chain(r, *index);
	r->used++;
	return 0;
}

void
handles_forget(struct handles *r, uint32_t index)
{
	struct handle *e = &r->list[index];
	uint32_t *link;

	link = &r->chains[hash_of(e) & r->mask];
	while (*link != index + 1)
		link = &r->list[*link - 1].next;
	*link = e->next;
	e->kind = 0;
	e->flags = 0;
	e->fd = -1;
	r->used--;
}

void
handles_remove(struct handles *r, uint32_t index)
{
	struct handle *e = &r->list[index];

	handles_forget(r, index);
	free(e->name);
	e->name = NULL;
	e->next = r->unused;
	r->unused = index + 1;
}

void
handles_close(struct handles *r)
{
	for (uint32_t i = 0; i < r->count; i++)
		free(r->list[i].name);
	free(r->list);
	free(r->chains);
}
