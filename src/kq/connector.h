/* SPDX-License-Identifier: ISC */
/*
 * connector.h - forks, execs and exits of all processes, from the kernel's
 * process connector (Linux 2.6.15, CONFIG_PROC_EVENTS).
 *
 * It works only in the initial user, PID and network namespaces.  It requires
 * CAP_NET_ADMIN before Linux 6.6, and later if its filter is not used
 * (drivers/connector/cn_proc.c).
 */
#ifndef KQ_CONNECTOR_H
#define KQ_CONNECTOR_H

#include "knote.h"

/*
 * Add or remove one knote of QUEUE that uses the connector.  Returns 0 or
 * -errno: -EPERM, -EOPNOTSUPP if the kernel does not answer.
 */
int connector_use(struct queue *queue);
void connector_leave(struct queue *queue);

/* An event of process PID; a fork has CHILD, an exit LEADER and STATUS. */
struct connector_event {
	enum {
		CONNECTOR_FORK,
		CONNECTOR_EXEC,
		CONNECTOR_EXIT
	} what;
	pid_t pid;
	pid_t child;
	bool leader; /* the first thread ended, not another one */
	int status; /* wait status; the last thread has that of the process */
};

/*
 * Read the next event.  Returns 1 with *EVENT set, 0 if there is none, -1 if
 * some were lost.
 */
int connector_next(struct queue *queue, struct connector_event *event);

#endif
