/* SPDX-License-Identifier: ISC */
/*
 * connector.h - forks, execs and exits of all processes, from the kernel's
 * process connector (Linux 2.6.15, CONFIG_PROC_EVENTS).
 *
 * It serves the first namespaces of users, processes and networks only; before
 * Linux 6.6, and where its filter is not used, who has CAP_NET_ADMIN
 * (drivers/connector/cn_proc.c).
 */
#ifndef KQ_CONNECTOR_H
#define KQ_CONNECTOR_H

#include "knote.h"

/*
 * QUEUE has one knote more, or one less, that wants it.  Returns 0, -EPERM, or
 * -EOPNOTSUPP if the kernel does not answer.
 */
int connector_use(struct queue *queue);
void connector_leave(struct queue *queue);

/* What a process did; a fork has CHILD, an exit LEADER and STATUS. */
struct connector_event {
	enum {
		CONNECTOR_FORK,
		CONNECTOR_EXEC,
		CONNECTOR_EXIT
	} what;
	pid_t pid;
	pid_t child;
	bool leader; /* its first thread ended, or another one */
	int status; /* as wait(2); of the last thread it is that of the process */
};

/* The next event: 1 with *EVENT set, 0 if there is none, -1 if some are lost. */
int connector_next(struct queue *queue, struct connector_event *event);

#endif
