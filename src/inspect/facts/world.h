/* SPDX-License-Identifier: ISC */
/*
 * world.h - who has which file open: one scan over all processes that may be
 * examined.
 */
#ifndef WORLD_H
#define WORLD_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inspect/facts/descriptor.h"
#include "inspect/facts/source.h"

/*
 * What two descriptors of one file have in common.  A pipe and a socket are
 * known by their inode alone, an anonymous file by its kind, which is not
 * enough (kcmp(2)), any other file by device and inode.
 */
struct world_key {
	uint64_t device, inode;
};

/* In place of a device, a value from here up. */
#define WORLD_NO_DEVICE (UINT64_MAX - 2)

struct world_key world_key(const struct descriptor *d);

/* The key of a pipe or a socket with that inode, or of an anonymous file. */
struct world_key world_key_pipe(uint64_t inode);
struct world_key world_key_socket(uint64_t inode);
struct world_key world_key_kind(enum kind kind);

struct world_file {
	struct world_key key; /* or that of a path, see world.c */
	uint64_t special; /* a device: which, as in struct descriptor */
	pid_t pid;
	int number;
};

struct world {
	struct world_file *files; /* by key, process and number */
	size_t count;
	size_t processes; /* that were examined */
	size_t hidden; /* that could not be */
	bool veiled; /* /proc does not list all (hidepid, proc(5)) */
	bool without_self; /* pmux has what it inherited only for a moment */
	bool scanned;
	bool has_paths; /* see world_scan */
};

/*
 * Scan, unless it was done: WORLD is all zero at first.  With PATHS also what
 * has a path, each of which costs a system call; without, only pipes, sockets
 * and anonymous files are found.  What ends or is closed meanwhile is left out.
 * Returns 0 or -errno; world_free releases what WORLD has in either case.
 */
int world_scan(struct source *source, struct world *world, bool paths);
void world_free(struct world *world);

/* The first of *COUNT files with KEY, which are in sequence; or NULL. */
const struct world_file *world_find(const struct world *world,
    struct world_key key, size_t *count);

#endif
