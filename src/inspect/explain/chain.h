/* SPDX-License-Identifier: ISC */
/*
 * chain.h - chains of waiting: what the threads of a process wait for, in what
 * state that is, who has the other end, and what that one waits for.
 */
#ifndef CHAIN_H
#define CHAIN_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

#include "inspect/buffer.h"
#include "inspect/facts/snapshot.h"

enum line_type {
	LINE_PROCESS, /* one that cannot be examined, or was described above */
	LINE_THREAD,
	LINE_DESCRIPTOR,
	LINE_PEER
};

/* A line of the description. */
struct line {
	enum line_type type;
	unsigned depth;
	pid_t pid, tid; /* TID 0: none, or several */
	int number; /* of a descriptor, or -1 */
	const char *why; /* something is unknown, a constant text; or NULL */
	struct buffer text;
};

/* A thread waits for a descriptor, or would if it waited (THREAD is NULL). */
struct waited {
	struct snapshot_process *process;
	struct snapshot_thread *thread;
	struct snapshot_descriptor *found; /* NULL: a stale entry of EPOLL */
	unsigned events; /* bits of poll(2) that are asked for */
	struct snapshot_descriptor *epoll; /* by way of this one, or NULL */
	size_t entry; /* its index there */
};

/* A thread waits for what a process may do. */
struct edge {
	struct snapshot_process *from;
	struct snapshot_thread *thread;
	int number; /* the descriptor it waits for, or -1: a child, a thread */
	unsigned events;
	struct snapshot_process *to;
	int other; /* TO's descriptor, or -1 */
};

struct chain {
	struct snapshot *snapshot;
	struct line *lines;
	size_t line_count;
	struct waited *waits;
	size_t wait_count;
	struct edge *edges;
	size_t edge_count;
};

/* All zero but SNAPSHOT: empty.  chain_free releases what it has. */
void chain_free(struct chain *chain);

/*
 * Describe what process PID waits for, and those that it waits for.  Returns 0
 * or -ENOMEM.  chain_descriptor describes one descriptor as if it was waited
 * for.
 */
int chain_process(struct chain *chain, struct snapshot_process *process);
int chain_descriptor(struct chain *chain, struct snapshot_process *process,
    struct snapshot_descriptor *found);

/*
 * Set is_stuck of each process that was described, all threads of which wait for
 * each other or themselves: nothing else can end their waits, as far as the
 * snapshot goes.
 */
void chain_find_stuck(struct chain *chain);

/* The edge from stuck process FROM to another one that is, or to itself. */
const struct edge *chain_stuck_edge(const struct chain *chain,
    const struct snapshot_process *from);

/* A new line, empty, or NULL. */
struct line *chain_add_line(struct chain *chain, enum line_type type,
    unsigned depth, pid_t pid);

/* A noun with its article for KIND; KINDS: a file. */
const char *chain_kind(enum kind kind);

/*
 * Whether THREAD sleeps until a child ends: in wait4(2), or, as most shells do,
 * until a signal comes, of which SIGCHLD is one that it handles.
 */
bool chain_awaits_children(const struct snapshot_process *process,
    const struct snapshot_thread *thread);

/* Append comm[pid], and what a thread of it does. */
void chain_put_process(struct buffer *buffer,
    const struct snapshot_process *process);
void chain_put_wait(struct buffer *buffer,
    const struct snapshot_process *process,
    const struct snapshot_thread *thread);

#endif
