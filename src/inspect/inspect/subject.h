/* SPDX-License-Identifier: ISC */
/*
 * subject.h - a descriptor of a process, with all that is found about it, and
 * how it is printed.
 */
#ifndef SUBJECT_H
#define SUBJECT_H

#include "inspect/columns.h"
#include "inspect/facts/descriptor.h"
#include "inspect/facts/peers.h"
#include "inspect/facts/waiters.h"

/* A process some of whose descriptors are inspected. */
struct owner {
	pid_t pid;
	struct waiters waiters;
};

struct subject {
	struct descriptor d;
	struct peers peers;
};

/* What the records of an inspection have in common. */
struct inspection {
	bool json;
	struct source source;
	struct world world;
	struct subject *list;
	size_t count;
	struct owner *owners; /* by process */
	size_t owner_count;
	int status; /* of the exit */
};

/* The process PID of IN, or NULL. */
struct owner *subject_owner(const struct inspection *in, pid_t pid);

/* What process S's descriptor is one of waits for. */
const struct waiters *subject_waiters(const struct inspection *in,
    const struct subject *s);

/* Add a record for S. NAMED: with its process, as comm[pid]/7. */
void subject_print_text(struct inspection *in, const struct subject *s,
    bool named, struct columns *columns);
void subject_print_json(struct inspection *in, const struct subject *s);

#endif
