/* SPDX-License-Identifier: ISC */
/*
 * looks.h - descriptors of processes and what their threads do, seen from
 * outside again and again.
 *
 * Nothing is opened by path, read, stopped or kept: see descriptor.h and
 * thread.h.
 */
#ifndef LOOKS_H
#define LOOKS_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inspect/descriptor.h"
#include "inspect/procfs.h"
#include "inspect/series.h"
#include "inspect/source.h"
#include "inspect/thread.h"

/* Ready and asleep for so long, in the same call, is a fault: ns. */
#define LOOKS_FAULT INT64_C(150000000)

/* No more threads of a process are examined. */
#define LOOKS_THREADS 64

struct looks_thread {
	pid_t tid;
	struct thread_wait wait;
	/* its files "syscall" and "stat", or -1, and what was there before WAIT:
	   its state, and the text of the first */
	int file, stat;
	char text[192];
	size_t length;
};

/* An epoll instance in which a thread sleeps. */
struct looks_instance {
	int number;
	struct fdinfo info; /* its entries */
	int64_t next; /* when it is read again: it may be expensive */
};

struct looks_process {
	pid_t pid;
	bool own; /* pmux itself: its threads say nothing */
	bool ended;
	char comm[COMM_SIZE];
	struct looks_thread threads[LOOKS_THREADS];
	size_t count;
	unsigned long links; /* of its directory "task": one more a thread */
	struct looks_instance *instances;
	size_t instance_count;
};

struct looks_target {
	struct looks_process *process;
	int number;
	struct descriptor d;
	bool closed; /* D is what it was */
	unsigned interest; /* events that a wait has asked for */
	/* as it was seen last */
	unsigned flags; /* of struct series */
	const struct looks_thread *thread; /* that sleeps in a wait for it, or
					      else the first; or NULL */
	bool stopped; /* the thread */
	bool changed; /* since the look before */
	/* ready and asleep: since when, and the thread, which has not run */
	int64_t since; /* or -1 */
	pid_t tid;
	uint64_t turns;
	struct series series;
};

struct looks {
	struct source source;
	struct looks_process **processes;
	size_t process_count;
	struct looks_target *targets;
	size_t count, capacity;
	int64_t start; /* of the first look, monotonic; or 0 */
	int64_t now; /* of the last, since the first */
};

/* Begin.  Returns 0 or -errno; looks_free releases what LOOKS has. */
int looks_open(struct looks *looks);
void looks_free(struct looks *looks);

/*
 * Add descriptor NUMBER of process PID, or all that it has open now if NUMBER is
 * -1.  Returns 0 or -errno, as descriptor_read.
 */
int looks_add(struct looks *looks, pid_t pid, int number);

/*
 * Look at all targets once.  Returns 1, 0 if all processes have ended, or
 * -ENOMEM.
 */
int looks_take(struct looks *looks);

#endif
