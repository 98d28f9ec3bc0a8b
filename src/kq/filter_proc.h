/* SPDX-License-Identifier: ISC */
/*
 * filter_proc.h - processes.
 */
#ifndef KQ_FILTER_PROC_H
#define KQ_FILTER_PROC_H

#include "knote.h"

/* Read the connector and update the PROC knotes of QUEUE. */
void proc_handle_events(struct queue *queue);

#endif
