/*
 * process.h - what the process connector tells the PROC knotes of a queue.
 */
#ifndef KQ_PROCESS_H
#define KQ_PROCESS_H

#include "knote.h"

/* PARENT has made CHILD. */
void	process_forked(struct queue *queue, pid_t parent, pid_t child);

void	process_executed(struct queue *queue, pid_t pid);

/* PID has ended with STATUS, a wait status. */
void	process_ended(struct queue *queue, pid_t pid, int status);

/* The kernel could not tell all. */
void	processes_lost(struct queue *queue);

#endif
