/* SPDX-License-Identifier: ISC */
/*
 * busy.h - whether a thread runs or sleeps, over a while.
 *
 * The share of a processor misleads where the machine is loaded, so what counts
 * is the time on a processor and the time waiting for one: a thread that never
 * sleeps has both together all the time.  Processor time alone does not say that
 * a thread spins: one that computes has as much.
 */
#ifndef BUSY_H
#define BUSY_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "inspect/facts/procfs.h"
#include "inspect/facts/source.h"

/* How long a thread is observed, in ns, and from which share it is busy. */
#define BUSY_TIME INT64_C(150000000)
#define BUSY_PERCENT 95

/*
 * On a loaded machine a thread that never sleeps is observed until it has run for
 * so long, or so much time has passed, in ns.
 */
#define BUSY_LEAST INT64_C(100000000)
#define BUSY_LONGEST INT64_C(1000000000)

/* One that may spin is observed longer, in ns: a batch of work looks so, too. */
#define BUSY_SPIN_TIME INT64_C(1000000000)

struct busy {
	int64_t when; /* monotonic clock, ns */
	struct procfs_times times;
	uint64_t user, system; /* as procfs_stat */
	uint64_t faults; /* as procfs_stat */
	uint64_t sleeps; /* as procfs_status */
	/* calls of read(2), write(2) and the like (proc_pid_io(5)) */
	bool is_counted;
	uint64_t reads, writes;
};

/*
 * Note what thread TID of process PID has run so far.  Returns 0 or -errno:
 * -ESRCH, -ENOENT where this kernel does not count (CONFIG_SCHED_INFO).
 */
int busy_note(struct source *source, pid_t pid, pid_t tid, struct busy *busy);

/*
 * Percent of the time from A to B in which it ran or wanted to, 0 to 100.  What
 * it has waited since it last ran is not counted, so on a busy machine this is
 * less than it was.
 */
int busy_percent(const struct busy *a, const struct busy *b);

/* Whether it has not gone to sleep from A to B, at both of which it ran. */
bool busy_kept_running(const struct busy *a, const struct busy *b);

/* Whether it has not run at all from A to B, so it is in the same call. */
bool busy_slept(const struct busy *a, const struct busy *b);

/*
 * Whether it is certain that it has not called read(2), or write(2), from A to B.
 * recv(2) and send(2) are not counted.
 */
bool busy_has_not_read(const struct busy *a, const struct busy *b);
bool busy_has_not_written(const struct busy *a, const struct busy *b);

/*
 * Whether what it did from A to B in the kernel may have been to wait alone: it
 * has not called read(2) or write(2), and hardly touched new memory.
 */
bool busy_may_only_wait(const struct busy *a, const struct busy *b);

/* Percent of its time on a processor that was the kernel's, 0 to 100. */
int busy_system(const struct busy *a, const struct busy *b);

#endif
