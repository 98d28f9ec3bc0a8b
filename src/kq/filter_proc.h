/* SPDX-License-Identifier: ISC */
/*
 * filter_proc.h - what the process connector tells the PROC knotes of a queue.
 */
#ifndef KQ_FILTER_PROC_H
#define KQ_FILTER_PROC_H

#include "knote.h"

/* PARENT has made CHILD, which is followed too if NOTE_TRACK asks for it. */
void proc_forked(struct queue *queue, pid_t parent, pid_t child);

/* PID has become another program, by execve(2). */
void proc_executed(struct queue *queue, pid_t pid);

/*
 * A thread of PID has ended, its LEADER or another one, with STATUS: that of
 * the last is the wait status of the process.
 */
void proc_ended(struct queue *queue, pid_t pid, bool leader, int status);

/* The kernel could not tell all. */
void proc_events_lost(struct queue *queue);

#endif
