/* SPDX-License-Identifier: ISC */
/*
 * map.h - a hash table from two numbers to one.
 */
#ifndef MAP_H
#define MAP_H

#include <stddef.h>
#include <stdint.h>

struct map_slot {
	uint64_t key;
	uint32_t space;
	int32_t value;
};

/* All zero: it is empty. */
struct map {
	struct map_slot *slots;
	size_t count, size;
};

/* Returned where there is no value; no value is this. */
#define MAP_NONE INT32_MIN

int32_t map_get(const struct map *map, uint32_t space, uint64_t key);

/* Returns 0 or -ENOMEM. */
int map_put(struct map *map, uint32_t space, uint64_t key, int32_t value);

/* Set all values of SPACE to MAP_NONE. */
void map_clear(struct map *map, uint32_t space);

void map_end(struct map *map);

#endif
