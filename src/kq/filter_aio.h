/* SPDX-License-Identifier: ISC */
/*
 * filter_aio.h - asynchronous reads and writes.
 */
#ifndef KQ_FILTER_AIO_H
#define KQ_FILTER_AIO_H

#include "knote.h"

/*
 * Activate the AIO knotes of QUEUE whose transfer is complete.  Needed because
 * the C library may be unable to report a completion.
 */
void transfers_check(struct queue *queue);

#endif
