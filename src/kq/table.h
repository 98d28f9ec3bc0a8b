/* SPDX-License-Identifier: ISC */
/*
 * table.h - a hash table of structures whose first member is a struct link.
 */
#ifndef KQ_TABLE_H
#define KQ_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct link {
	struct link *next;
	uint64_t key;
};

/* Zero-initialized, the table is empty. */
struct table {
	struct link **buckets;
	size_t size; /* a power of two, or 0 */
	size_t count;
};

/*
 * Insert LINK, which the caller keeps owning, under KEY.  Several links may
 * have the same key.  Returns 0 or -ENOMEM.
 */
int table_insert(struct table *table, struct link *link, uint64_t key);

/*
 * The first link with KEY; the next one after LINK with the same key; or NULL.
 */
struct link *table_find(const struct table *table, uint64_t key);
struct link *table_more(const struct link *link);

void table_remove(struct table *table, struct link *link);

/*
 * Call VISIT for each link.  VISIT may remove that link, but not insert or
 * remove another.
 */
void table_each(struct table *table, void (*visit)(struct link *, void *),
    void *argument);

/* Free the buckets; the caller keeps owning the links. */
void table_free(struct table *table);

#endif
