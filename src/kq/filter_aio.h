/* SPDX-License-Identifier: ISC */
/*
 * filter_aio.h - asynchronous reads and writes.
 */
#ifndef KQ_FILTER_AIO_H
#define KQ_FILTER_AIO_H

#include "knote.h"

/*
 * What the functions of <sys/event.h> call: CALL has the control block and
 * which of them it is.  Returns 0 or -errno: -EBADF if it is none of them, that
 * of aio_read(3), -EDEADLK.
 */
int aio_call(const struct kevent *call);

/*
 * Activate the AIO knotes of QUEUE whose transfer is complete.  Needed because
 * the C library may be unable to report a completion.
 */
void transfers_check(struct queue *queue);

#endif
