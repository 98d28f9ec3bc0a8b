/*
 * process.h - descriptors of another process (Linux: pidfd_getfd(2)).
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <sys/types.h>

/*
 * A descriptor that stands for process PID, close-on-exec, the caller's to
 * close; or -errno: -ESRCH, -EINVAL or -ENOENT for a thread's id, -EMFILE,
 * -ENOSYS where the system has none (before Linux 5.6).
 */
int	process_open(pid_t pid);

/*
 * A copy of descriptor NUMBER of that process, close-on-exec, the caller's to
 * close; or -errno: -EBADF if it is not open there, -ESRCH if the process has
 * ended, even if it is a zombie still, -EPERM without the right to trace it
 * (ptrace(2), PTRACE_MODE_ATTACH_REALCREDS), -EMFILE.
 */
int	process_descriptor(int process, int number);

/* What in the system forbids it after -EPERM: a constant text, or NULL. */
const char *process_forbidden_by(void);

#endif
