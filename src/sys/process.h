/* SPDX-License-Identifier: ISC */
/*
 * process.h - descriptors of another process (Linux: pidfd_getfd(2)).
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <sys/types.h>

#include <signal.h>
#include <stdbool.h>

struct process_loan {
	sigset_t mask; /* signals before, if SAVED */
	int number;
	int saved; /* a copy of the descriptor with the number, or -1 */
	int flags; /* its descriptor flags */
};

/*
 * A descriptor that stands for process PID, close-on-exec, the caller's to
 * close; or -errno: -ESRCH, -EINVAL or -ENOENT for a thread's id, -EMFILE,
 * -ENOSYS where the system has none (before Linux 5.6).
 */
int process_open(pid_t pid);

/* Whether that process has ended, be it a zombie still. */
bool process_has_ended(int process);

/*
 * A copy of descriptor NUMBER of that process, close-on-exec, the caller's to
 * close; or -errno: -EBADF if it is not open there, -ESRCH if the process has
 * ended, even if it is a zombie still, -EPERM without the right to trace it
 * (ptrace(2), PTRACE_MODE_ATTACH_REALCREDS), -EMFILE.
 */
int process_descriptor(int process, int number);

/*
 * Put FD under NUMBER, too, close-on-exec, until process_return; a descriptor
 * that has the number is saved, and signals are blocked meanwhile.
 * Returns 0 or -errno: -EMFILE, also if NUMBER is past the limit.
 */
int process_put(int fd, int number, struct process_loan *loan);

/*
 * The same for a copy of descriptor NUMBER of that process, under HERE: returns
 * -errno as process_descriptor, too.
 */
int process_lend(int process, int number, int here, struct process_loan *loan);
void process_return(const struct process_loan *loan);

/*
 * Whether descriptor NUMBER of process PID is the file that is registered under
 * KEY in the epoll instance EPOLL, which has no other entry of that number: 1
 * or 0; or -errno if that cannot be known (kcmp(2), KCMP_EPOLL_TFD).
 */
int process_registered(pid_t pid, int number, int epoll, int key);

/*
 * Whether descriptor NUMBER of process A and descriptor OTHER of process B are
 * one open file description: 1 or 0, also if one is closed; or -errno if that
 * cannot be known (kcmp(2), KCMP_FILE).
 */
int process_same(pid_t a, int number, pid_t b, int other);

/*
 * Whether descriptor NUMBER of process HOLDER is the file that is registered
 * under KEY in the epoll instance that is descriptor EPOLL of process OWNER;
 * PLACE counts, from 0, the entries with that key.  Returns as process_same.
 * The kernel walks through the entries to find it.
 */
int process_is_entry(pid_t holder, int number, pid_t owner, int epoll, int key,
    unsigned place);

/*
 * Whether LINK, from DIRECTORY on, is proc(5)'s link to this process and has its
 * number: 1; 0 if it is of another pid namespace, in which the processes have
 * other numbers; or -errno.
 */
int process_is_self(int directory, const char *link);

/* A hint about -ESRCH of process_open: a constant text, or NULL. */
const char *process_missing_for(void);

/* Why the system forbids it after -EPERM: a constant text, or NULL. */
const char *process_forbidden_by(void);

#endif
