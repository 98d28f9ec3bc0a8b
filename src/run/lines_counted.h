/* SPDX-License-Identifier: ISC */
/*
 * lines_counted.h - taking no more records than --count and --until want: peek,
 * print, then consume what was printed, so that what follows stays unread for
 * other processes, and what could not be printed is not lost.
 */
#ifndef LINES_COUNTED_H
#define LINES_COUNTED_H

#include <sys/types.h>

#include <stdbool.h>

#include "run/lines_records.h"
#include "run/lines_source.h"

/*
 * Put at most the records that R's goal wants, of SOURCE, which is read by FD
 * into BYTES.  ENDS: also an unfinished line, since its writer has ended.
 * Returns as read_now; -EINPROGRESS if only an unfinished line is unread, which
 * stays there; -ENOMEM.
 */
ssize_t lines_take_counted(struct lines_records *r, struct lines_source *source,
    int fd, char *bytes, bool ends);

#endif
