/* SPDX-License-Identifier: ISC */
/*
 * exits.h - the end of a process that need not be a child.
 */
#ifndef EXITS_H
#define EXITS_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

/* Whether the system reports it; *DETAIL: how, or why not. */
bool exits_probe(const char **detail);

/*
 * A descriptor that is readable once process PID has ended, close-on-exec, the
 * caller's to close.  Returns -errno: -ESRCH if there is no such process,
 * -EINVAL or -ENOENT for a thread's ID, -ENOSYS where the system has none,
 * -EMFILE.
 */
int exits_open(pid_t pid);

/*
 * How process PID has ended, which FD of exits_open reports.  Returns 1 with
 * *STATUS set as wait(2) does, 0 if that may be known soon, or -1 if it will
 * not be: before Linux 6.15 that of a reaped process that is not a child.  (The
 * process connector would have it, for CAP_NET_ADMIN and a message for each
 * fork and exit on the system; src/kq has that, for filters that need it.)
 * *CACHE is 0 before the first call of many, and kept in between.
 */
int exits_status(int fd, pid_t pid, int *cache, int *status);

/*
 * Without exits_open: whether process PID runs.  *BEGAN, 0 at first, is set to
 * when it began, where that is known; a process that began at another time has
 * got the ID of one that has ended.
 */
bool exits_runs(pid_t pid, uint64_t *began);

#endif
