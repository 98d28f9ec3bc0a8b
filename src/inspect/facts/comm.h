/* SPDX-License-Identifier: ISC */
/*
 * comm.h - how a process and its descriptors are named.
 */
#ifndef COMM_H
#define COMM_H

#include <sys/types.h>

#include "inspect/buffer.h"
#include "inspect/facts/source.h"

/*
 * The name of process PID, not escaped, valid until the next call; "?" for one
 * that has ended.
 */
const char *comm_of(struct source *source, pid_t pid);

/* Append name[pid], and name[pid]/NUMBER, escaped. */
void comm_put(struct buffer *buffer, struct source *source, pid_t pid);
void comm_put_descriptor(struct buffer *buffer, struct source *source,
    pid_t pid, int number);

#endif
