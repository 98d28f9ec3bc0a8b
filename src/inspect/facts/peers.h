/* SPDX-License-Identifier: ISC */
/*
 * peers.h - who else has to do with a descriptor: those that have its other
 * end, and those that have the same open file description.
 */
#ifndef PEERS_H
#define PEERS_H

#include "inspect/facts/descriptor.h"
#include "inspect/facts/world.h"

struct holder {
	pid_t pid;
	int number;
	bool readable, writable;
};

struct holders {
	struct holder *list; /* by process and number */
	size_t count;
};

struct peers {
	/*
	 * Of a pipe or FIFO: whoever can write what D reads, or read what it
	 * writes, D itself not among them.  Of a socket: its peer; of a local
	 * one that was not accepted, its listener.  Of a terminal: the other
	 * side of a pseudo-terminal.
	 */
	struct holders other;
	struct holders same; /* D itself not among them */
};

/*
 * Find both for D, of which WORLD, scanned with paths if D has one, knows the
 * others; what cannot be found is noted in D.  A descriptor that is another file
 * by now is left out.  Returns 0 or -ENOMEM; peers_free releases what PEERS has
 * in either case.
 */
int peers_find(struct source *source, const struct world *world,
    struct descriptor *d, struct peers *peers);
void peers_free(struct peers *peers);

/*
 * Those of WORLD that have KEY, with their access mode, and INODE, in *HOLDERS,
 * whose list the caller frees.  Returns 0 or -ENOMEM.
 */
int holders_find(struct source *source, const struct world *world,
    struct world_key key, uint64_t inode, struct holders *holders);

/* Append HOLDER.  Returns 0 or -ENOMEM. */
int holders_add(struct holders *holders, const struct holder *holder);

#endif
