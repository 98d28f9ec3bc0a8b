/* SPDX-License-Identifier: ISC */
/*
 * calls.h - what the waits of a process report, and what it does about that.
 *
 * select(2), poll(2) and epoll_wait(2) and their kind are waits.  A wait reports
 * a descriptor; the process acts if it names the descriptor in another system
 * call before a thread that knows of it waits again.
 */
#ifndef CALLS_H
#define CALLS_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inspect/facts/map.h"
#include "inspect/facts/procfs.h"
#include "inspect/facts/source.h"
#include "inspect/trace/tracee.h"

/* More different calls of one descriptor are counted as others. */
#define CALLS_USES 16

/* Events of select(2), which no other wait has, beside those of poll(2). */
#define CALLS_READ 0x10000u
#define CALLS_WRITE 0x20000u
#define CALLS_EXCEPT 0x40000u

struct calls_use {
	const char *name; /* of the system call */
	int error; /* errno, or 0 */
	uint64_t count;
};

/* A descriptor of a process, or the data of an epoll instance. */
struct calls_row {
	int number; /* the descriptor, or -1: DATA; or CALLS_TIMEOUT */
	uint64_t data; /* that no descriptor was found for */
	uint64_t told, acted, ignored;
	uint32_t events; /* of poll(2), and those above */
	struct calls_use uses[CALLS_USES];
	unsigned use_count;
	uint64_t others;
	bool closed; /* at the end the descriptor was not open */
	/* the thread that was told and has done nothing yet, or 0; and the
	   next row of which there is such a thread, an index plus 1 */
	pid_t told_to;
	uint64_t wait; /* that told it last, by its number */
	size_t next;
};

/* The row of waits that reported nothing. */
#define CALLS_TIMEOUT (-2)

struct calls_process {
	pid_t pid;
	char name[COMM_SIZE]; /* comm of proc(5) */
	struct calls_row *rows;
	size_t count;
	struct map index; /* of the rows */
	struct map data; /* of epoll instances: to descriptors */
	size_t waiting; /* the first row with told_to, its index plus 1 */
	struct calls_process *next;
};

struct calls {
	struct tracer tracer;
	struct source source;
	struct calls_process *processes;
	uint64_t waits; /* that have returned */
};

/* Whether system call NUMBER is one that counts: for a tracer. */
bool calls_wants(uint64_t number);

/* TRACEE has returned from a system call.  Returns 0 or -ENOMEM. */
int calls_note(struct calls *calls, const struct tracee *tracee);

/*
 * The end: find out which descriptors are open, and sort the rows, those that
 * were ignored most first, and the calls of each by their number.
 */
void calls_finish(struct calls *calls);

/* Release the memory, and close the source. */
void calls_end(struct calls *calls);

#endif
