/* SPDX-License-Identifier: ISC */
/*
 * transfers.h - asynchronous reads and writes that the C library may not tell
 * of.
 */
#ifndef KQ_TRANSFERS_H
#define KQ_TRANSFERS_H

#include "knote.h"

/* Ask the C library about all of QUEUE that are under way. */
void transfers_look(struct queue *queue);

#endif
