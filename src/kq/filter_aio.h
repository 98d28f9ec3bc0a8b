/* SPDX-License-Identifier: ISC */
/*
 * filter_aio.h - asynchronous reads and writes that the C library may not tell
 * of.
 */
#ifndef KQ_FILTER_AIO_H
#define KQ_FILTER_AIO_H

#include "knote.h"

/* Ask the C library about all of QUEUE that are under way. */
void transfers_check(struct queue *queue);

#endif
