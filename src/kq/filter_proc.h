/* SPDX-License-Identifier: ISC */
/*
 * filter_proc.h - processes, as the process connector reports them.
 */
#ifndef KQ_FILTER_PROC_H
#define KQ_FILTER_PROC_H

#include "knote.h"

/* Apply the connector's events to the PROC knotes of QUEUE. */
void proc_handle_events(struct queue *queue);

#endif
