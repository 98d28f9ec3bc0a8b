/* SPDX-License-Identifier: ISC */
/*
 * waiters.h - what a process waits for with its descriptors: its epoll
 * instances, and the calls in which its threads sleep.
 */
#ifndef WAITERS_H
#define WAITERS_H

#include "inspect/facts/registrations.h"

/* Who waits for a descriptor. */
struct waiter {
	int number; /* the descriptor that is waited for */
	int epoll; /* the number of the instance, or -1: a thread */
	pid_t thread;
	const char *call; /* of the thread: a constant text */
	unsigned events; /* as poll(2), or epoll_ctl(2), has them */
};

struct instance {
	int number;
	struct registrations entries;
	const char *why; /* the entries cannot be known; or NULL */
};

struct waiters {
	struct waiter *list; /* by descriptor */
	size_t count;
	struct instance *instances; /* by number */
	size_t instance_count;
	const char *why; /* not all that wait may be known; or NULL */
};

/* What is known already of descriptor NUMBER of PID; or NULL. */
typedef const struct descriptor *known_fn(void *context, pid_t pid, int number);

/*
 * Find those of process PID.  WORLD may be NULL, see registrations_find.  KNOWN
 * is called with CONTEXT for each epoll instance, before it is read; or NULL.
 * Returns 0, -ENOMEM, or -errno if the process cannot be examined; waiters_free
 * releases what WAITERS has in any case.
 */
int waiters_find(struct source *source, struct world *world, pid_t pid,
    known_fn *known, void *context, struct waiters *waiters);
void waiters_free(struct waiters *waiters);

/* The first of *COUNT that wait for descriptor NUMBER, in sequence; or NULL. */
const struct waiter *waiters_of(const struct waiters *waiters, int number,
    size_t *count);

/* The instance with that number, or NULL. */
const struct instance *waiters_instance(const struct waiters *waiters,
    int number);

#endif
