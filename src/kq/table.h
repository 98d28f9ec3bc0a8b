/* SPDX-License-Identifier: ISC */
/*
 * table.h - a hash table of structs that begin with a struct link.
 */
#ifndef KQ_TABLE_H
#define KQ_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct link {
	struct link *next;
	uint64_t key;
};

/* All zero is an empty one. */
struct table {
	struct link **buckets;
	size_t size; /* a power of two, or 0 */
	size_t count;
};

/*
 * Insert LINK, which stays the caller's, under KEY.  Returns 0 or -ENOMEM.
 * Several may have the same key.
 */
int table_insert(struct table *table, struct link *link, uint64_t key);

/* The first with KEY, or the one after LINK with the same key; or NULL. */
struct link *table_find(const struct table *table, uint64_t key);
struct link *table_more(const struct link *link);

void table_remove(struct table *table, struct link *link);

/*
 * Call VISIT for each; it may remove the one that it is called for, and neither
 * insert nor remove another.
 */
void table_each(struct table *table, void (*visit)(struct link *, void *),
    void *argument);

/* Give up the buckets; what was in the table stays the caller's. */
void table_free(struct table *table);

#endif
