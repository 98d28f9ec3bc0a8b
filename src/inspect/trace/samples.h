/* SPDX-License-Identifier: ISC */
/*
 * samples.h - descriptors of processes and what their threads do, sampled from
 * outside.
 *
 * Nothing is opened by path, read, stopped or kept: see descriptor.h and
 * thread.h.
 */
#ifndef SAMPLES_H
#define SAMPLES_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inspect/facts/descriptor.h"
#include "inspect/facts/procfs.h"
#include "inspect/trace/series.h"
#include "inspect/facts/source.h"
#include "inspect/facts/thread.h"

/* Ready and asleep for so long, in the same call, is a fault: ns. */
#define SAMPLES_FAULT INT64_C(150000000)

struct samples_thread {
	pid_t tid;
	struct thread_wait wait;
	/* its files "syscall" and "stat", or -1 for want of descriptors, and what
	   was there before WAIT: its state, and the text of the first */
	int file, stat;
	char text[192];
	size_t length;
};

/* An epoll instance in which a thread sleeps. */
struct samples_instance {
	int number;
	struct fdinfo info; /* its entries */
	int64_t next; /* when it is read again: it may be expensive */
};

struct samples_process {
	pid_t pid;
	bool own; /* pmux itself: its threads say nothing */
	/* its directory of proc(5), in which nothing is once it has ended, also
	   if the number is another process's then; or -errno */
	int directory;
	bool ended;
	char comm[COMM_SIZE];
	struct samples_thread *threads;
	size_t count;
	unsigned long links; /* of its directory "task": one more a thread */
	int64_t threads_next; /* when they are examined again */
	bool whole; /* what it opens is added */
	int *numbers; /* that were open when they were listed last */
	int number_count;
	int64_t numbers_next; /* when they are listed again */
	struct samples_instance *instances;
	size_t instance_count;
};

struct samples_target {
	struct samples_process *process;
	int number;
	struct descriptor d;
	bool closed; /* D is what it was */
	bool opened; /* since the sample before, the first one excepted */
	uint64_t files; /* that the number has meant */
	unsigned interest; /* events that a wait has asked for */
	/* as it was seen last */
	unsigned flags; /* of struct series */
	const struct samples_thread *thread; /* that sleeps in a wait for it, or
					      else the first; or NULL */
	bool stopped; /* the thread */
	bool changed; /* since the sample before */
	/* ready and asleep: since when, and the thread, which has not run */
	int64_t since; /* or -1 */
	pid_t tid;
	uint64_t turns;
	struct series series;
};

struct samples {
	struct source source;
	struct samples_process **processes;
	size_t process_count;
	struct samples_target *targets;
	size_t count;
	int64_t start; /* of the first snapshot, monotonic; or 0 */
	int64_t now; /* of the last, since the first */
};

/* Begin.  Returns 0 or -errno; samples_free releases what SAMPLES has. */
int samples_open(struct samples *samples);
void samples_free(struct samples *samples);

/*
 * Add descriptor NUMBER of process PID, or all that it has open, now and later,
 * if NUMBER is -1.  Returns 0 or -errno, as descriptor_read.
 */
int samples_add(struct samples *samples, pid_t pid, int number);

/*
 * Sample all targets once.  Returns 1, 0 if all processes have ended, or
 * -ENOMEM.
 */
int samples_take(struct samples *samples);

#endif
