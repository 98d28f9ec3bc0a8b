/* SPDX-License-Identifier: ISC */
/*
 * procfs.h - what the files of proc(5) about a process or a thread say.
 *
 * DIRECTORY is that of a process or a thread below the root of the source: "12"
 * or "12/task/13".  Each function returns 0 or -errno: of source_read, or
 * -EINVAL if the text is not as expected.  The functions that parse read no
 * file: TEXT has LENGTH bytes and a NUL behind them, and TO is the structure that
 * the function before it fills.
 */
#ifndef PROCFS_H
#define PROCFS_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inspect/facts/source.h"

/*
 * A name has at most 15 bytes, that of a kernel thread at most 63
 * (fs/proc/array.c, proc_task_name).  Any byte but NUL may be in it.
 */
#define COMM_SIZE 64

struct procfs_stat {
	pid_t pid;
	char comm[COMM_SIZE];
	char state; /* R S D T t Z X I */
	pid_t parent, session;
	uint64_t faults; /* of pages, minor and major */
	uint64_t user, system; /* processor time, in clock ticks */
	uint64_t start; /* clock ticks since boot: with PID, one process */
	bool is_headless; /* see procfs_process */
};

int procfs_stat(struct source *source, const char *directory,
    struct procfs_stat *stat);
int procfs_parse_stat(const char *text, size_t length, void *to);

/*
 * The same of process PID: -ESRCH also if it is a zombie.  One whose first thread
 * has called pthread_exit(3) lives while another one does, whose state it gets
 * then; it is headless: what it has open cannot be found by its ID, for which
 * procfs_headless is the hint.
 */
int procfs_process(struct source *source, pid_t pid, struct procfs_stat *stat);
extern const char procfs_headless[];

struct procfs_status {
	pid_t process; /* Tgid */
	pid_t tracer; /* 0: none */
	pid_t inner; /* its id in its own pid namespace, or 0: not known */
	uid_t uid, effective;
	int threads;
	uint64_t room; /* FDSize: no descriptor has this number; 0: not said */
	bool kernel; /* a thread of the kernel (Linux 6.8 says so) */
	uint64_t sleeps; /* voluntary switches; UINT64_MAX: not said */
	/* signals, bit 0 being signal 1 */
	uint64_t pending, shared, blocked, ignored, caught;
};

int procfs_status(struct source *source, const char *directory,
    struct procfs_status *status);
int procfs_parse_status(const char *text, size_t length, void *to);

/* RLIMIT_NOFILE; UINT64_MAX: unlimited. */
struct procfs_limit {
	uint64_t soft, hard;
};

int procfs_limit(struct source *source, const char *directory,
    struct procfs_limit *files);
int procfs_parse_limits(const char *text, size_t length, void *to);

/*
 * Time on a processor and time waiting for one, in ns, and how often it got
 * one (Documentation/scheduler/sched-stats.rst).
 */
struct procfs_times {
	uint64_t ran, waited, turns;
};

int procfs_times(struct source *source, const char *directory,
    struct procfs_times *times);
int procfs_parse_times(const char *text, size_t length, void *to);

#endif
