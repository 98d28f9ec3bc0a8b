/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>

#include "table.h"

#define SIZE_FIRST 16

/* Fibonacci hashing: the high bits of the product are well mixed. */
static size_t
bucket(uint64_t key, size_t size)
{
	return (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (size - 1);
}

static int
resize(struct table *table, size_t size)
{
	struct link **buckets = calloc(size, sizeof *buckets), *l, *next;
	size_t at;

	if (buckets == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < table->size; i++)
		for (l = table->buckets[i]; l != NULL; l = next) {
			next = l->next;
			at = bucket(l->key, size);
			l->next = buckets[at];
			buckets[at] = l;
		}
	free(table->buckets);
	table->buckets = buckets;
	table->size = size;
	return 0;
}

int
table_insert(struct table *table, struct link *link, uint64_t key)
{
	size_t size = table->size, at;

	/* a table that cannot grow still works, more slowly */
	if (table->count >= size &&
	    resize(table, size == 0 ? SIZE_FIRST : 2 * size) != 0 && size == 0)
		return -ENOMEM;
	at = bucket(key, table->size);
	link->key = key;
	link->next = table->buckets[at];
	table->buckets[at] = link;
	table->count++;
	return 0;
}

static struct link *
with_key(struct link *l, uint64_t key)
{
	while (l != NULL && l->key != key)
		l = l->next;
	return l;
}

struct link *
table_find(const struct table *table, uint64_t key)
{
	if (table->size == 0)
		return NULL;
	return with_key(table->buckets[bucket(key, table->size)], key);
}

struct link *
table_more(const struct link *link)
{
	return with_key(link->next, link->key);
}

void
table_remove(struct table *table, struct link *link)
{
	struct link **l = &table->buckets[bucket(link->key, table->size)];

	while (*l != link)
		l = &(*l)->next;
	*l = link->next;
	table->count--;
}

void
table_each(struct table *table, void (*visit)(struct link *, void *),
    void *argument)
{
	struct link *l, *next;

	for (size_t i = 0; i < table->size; i++)
		for (l = table->buckets[i]; l != NULL; l = next) {
			next = l->next;
			visit(l, argument);
		}
}

void
table_free(struct table *table)
{
	free(table->buckets);
	table->buckets = NULL;
	table->size = table->count = 0;
}
