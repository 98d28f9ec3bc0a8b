/* SPDX-License-Identifier: ISC */
/*
 * look.h - the facts of one look at some processes: each is found when it is
 * first asked for, and kept until the look ends.
 */
#ifndef LOOK_H
#define LOOK_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

#include "inspect/busy.h"
#include "inspect/peers.h"
#include "inspect/procfs.h"
#include "inspect/registrations.h"
#include "inspect/source.h"
#include "inspect/thread.h"
#include "inspect/world.h"

struct look_thread {
	pid_t tid;
	struct thread_wait wait;
	bool is_counted; /* BUSY is known */
	bool is_free; /* chain.c: its wait may end by what is not in the look */
	struct busy busy;
};

struct look_process {
	struct look_process *next;
	pid_t pid;
	/* why there is nothing but a number: -ESRCH, also of a zombie; or 0 */
	int error;
	struct procfs_stat stat;
	struct procfs_status status;
	struct look_thread *threads;
	size_t count;
	/* of chain.c */
	bool is_named; /* by the user */
	bool is_walked; /* it has been described */
	bool is_above; /* it is being described */
	bool is_stuck;
};

struct look_descriptor {
	struct look_descriptor *next;
	struct descriptor d; /* if ERROR is 0 */
	int error; /* as descriptor_read */
	bool has_peers, has_entries;
	int entries_error; /* why there are no ENTRIES, -errno, or 0 */
	struct peers peers;
	struct registrations entries;
};

#define LOOK_BUCKETS 256

struct look {
	struct source *source;
	struct look_process *processes; /* the last found first */
	struct look_descriptor *buckets[LOOK_BUCKETS];
	struct world world; /* scanned when it is needed */
};

/* Begin a look by SOURCE; look_end releases what LOOK has. */
void look_begin(struct look *look, struct source *source);
void look_end(struct look *look);

/*
 * Each returns 0 with the facts, which stay LOOK's and in place; or -ENOMEM.
 * What cannot be found is in ERROR.
 */
int look_process(struct look *look, pid_t pid, struct look_process **process);
int look_descriptor(struct look *look, pid_t pid, int number,
    struct look_descriptor **descriptor);

/* What look_descriptor found, or NULL if it was not asked. */
struct look_descriptor *look_known(const struct look *look, pid_t pid,
    int number);

/* Fill PEERS and ENTRIES, of a descriptor without ERROR.  0 or -ENOMEM. */
int look_peers(struct look *look, struct look_descriptor *descriptor);
int look_entries(struct look *look, struct look_descriptor *descriptor);

/* The scan of all processes; PATHS as for world_scan.  0 or -errno. */
int look_world(struct look *look, bool paths);

/*
 * The children of process PID: returns how many there are, with *LIST set, the
 * caller's to free; or -errno (/proc/PID/task/TID/children, Linux 3.5).
 */
int look_children(struct look *look, const struct look_process *process,
    pid_t **list);

/* A file, by device, in the form of struct descriptor, and inode. */
struct look_file {
	mode_t mode;
	uint64_t device, inode;
};

/*
 * What PATH is, from DIRECTORY on, without asking a server that is away.
 * Returns 0 or -errno of statx(2).
 */
int look_file(int directory, const char *path, struct look_file *file);

/* The same for the file that WAIT, of PROCESS, opens. */
int look_opened(struct look *look, const struct look_process *process,
    const struct thread_wait *wait, struct look_file *file);

#endif
