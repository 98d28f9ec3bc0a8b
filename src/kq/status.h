/* SPDX-License-Identifier: ISC */
/*
 * status.h - the wait status of a process that is no child (Linux).
 */
#ifndef KQ_STATUS_H
#define KQ_STATUS_H

#include <sys/types.h>

#include <stdbool.h>

/* Whether /proc shows the PID namespace of this process. */
enum status_proc {
	STATUS_PROC_UNKNOWN,
	STATUS_PROC_OWN,
	STATUS_PROC_FOREIGN
};

/*
 * The wait status of process PID, which PIDFD stands for and which has ended.
 * Returns 1 with *STATUS set, 0 if it may be available soon, since the process
 * is not reaped yet, or -1.  *PROC is 0 before the first call, and may be kept
 * for the next ones.
 */
int status_of_process(int pidfd, pid_t pid, enum status_proc *proc,
    int *status);

/*
 * Whether the pidfd reports the wait status of a reaped process (Linux 6.15).
 * On older kernels, the status of a process that is not a child is lost once it
 * is reaped, and hidden if it may not be traced.
 */
bool status_is_kept(int pidfd);

#endif
