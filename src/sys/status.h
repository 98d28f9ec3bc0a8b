/* SPDX-License-Identifier: ISC */
/*
 * status.h - the wait status of a process that is no child (Linux).
 */
#ifndef SYS_STATUS_H
#define SYS_STATUS_H

#include <sys/types.h>

#include <stdbool.h>

/*
 * The wait status of process PID, which PIDFD stands for and which has ended.
 * Returns 1 with *STATUS set, 0 if it may be available soon, since the process
 * is not reaped yet, or -1.
 */
int status_of_process(int pidfd, pid_t pid, int *status);

/*
 * Whether the pidfd reports the wait status of a reaped process (Linux 6.15).
 * On older kernels, the status of a process that is not a child is lost once it
 * is reaped, and hidden if it may not be traced.
 */
bool status_is_kept(int pidfd);

#endif
