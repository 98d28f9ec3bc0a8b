/* SPDX-License-Identifier: ISC */
/*
 * snapshot.h - the facts about some processes at one moment: each is found when
 * it is first asked for, and kept until snapshot_end.
 */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

#include "inspect/facts/busy.h"
#include "inspect/facts/peers.h"
#include "inspect/facts/procfs.h"
#include "inspect/facts/registrations.h"
#include "inspect/facts/source.h"
#include "inspect/facts/thread.h"
#include "inspect/facts/world.h"
#include "sys/filestat.h"

struct snapshot_thread {
	pid_t tid;
	struct thread_wait wait;
	bool is_counted; /* BUSY is known */
	bool is_free; /* chain_walk.c: its wait may end by what is not seen */
	struct busy busy;
};

struct snapshot_process {
	struct snapshot_process *next;
	pid_t pid;
	/* why there is nothing but a number: -ESRCH, also of a zombie; or 0 */
	int error;
	struct procfs_stat stat;
	struct procfs_status status;
	struct snapshot_thread *threads;
	size_t count;
	/* of chain_walk.c and chain.c */
	bool is_named; /* by the user */
	bool is_walked; /* it has been described */
	bool is_above; /* it is being described */
	bool is_stuck;
};

struct snapshot_descriptor {
	struct snapshot_descriptor *next;
	struct descriptor d; /* if ERROR is 0 */
	int error; /* as descriptor_read */
	bool has_peers, has_entries;
	int entries_error; /* why there are no ENTRIES, -errno, or 0 */
	struct peers peers;
	struct registrations entries;
};

#define SNAPSHOT_BUCKETS 256

struct snapshot {
	struct source *source;
	struct snapshot_process *processes; /* the last found first */
	struct snapshot_descriptor *buckets[SNAPSHOT_BUCKETS];
	struct world world; /* scanned when it is needed */
};

/* Begin, by SOURCE; snapshot_end releases what SNAPSHOT has. */
void snapshot_begin(struct snapshot *snapshot, struct source *source);
void snapshot_end(struct snapshot *snapshot);

/*
 * Each returns 0 with the facts, which stay SNAPSHOT's and in place; or -ENOMEM.
 * What cannot be found is in ERROR.
 */
int snapshot_process(struct snapshot *snapshot, pid_t pid,
    struct snapshot_process **process);
int snapshot_descriptor(struct snapshot *snapshot, pid_t pid, int number,
    struct snapshot_descriptor **descriptor);

/* What snapshot_descriptor found, or NULL if it was not asked. */
struct snapshot_descriptor *snapshot_known(const struct snapshot *snapshot,
    pid_t pid, int number);

/* Fill PEERS and ENTRIES, of a descriptor without ERROR.  0 or -ENOMEM. */
int snapshot_peers(struct snapshot *snapshot,
    struct snapshot_descriptor *descriptor);
int snapshot_entries(struct snapshot *snapshot,
    struct snapshot_descriptor *descriptor);

/* The scan of all processes; PATHS as for world_scan.  0 or -errno. */
int snapshot_world(struct snapshot *snapshot, bool paths);

/*
 * The children of process PID: returns how many there are, with *LIST set, the
 * caller's to free; or -errno (/proc/PID/task/TID/children, Linux 3.5).
 */
int snapshot_children(struct snapshot *snapshot,
    const struct snapshot_process *process, pid_t **list);

/* What the file is that WAIT, of PROCESS, opens.  Returns as filestat. */
int snapshot_opened(struct snapshot *snapshot,
    const struct snapshot_process *process, const struct thread_wait *wait,
    struct filestat *file);

#endif
