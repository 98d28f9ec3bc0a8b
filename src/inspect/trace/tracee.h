/* SPDX-License-Identifier: ISC */
/*
 * tracee.h - the system calls of other processes, by ptrace(2).
 *
 * A thread stops at each system call for as long as it is examined.  None is
 * left stopped or traced: tracer_detach releases all, and the kernel does when
 * the tracer ends, whatever ends it (ptrace(2), PTRACE_SEIZE without
 * PTRACE_O_EXITKILL).
 *
 * Not available but on Linux from 5.3 on, on x86-64 and aarch64: each function
 * that can fail returns -ENOSYS there.
 */
#ifndef TRACEE_H
#define TRACEE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct launch;

struct system_call {
	uint64_t number;
	uint64_t arguments[6];
	int64_t result; /* -errno if it failed */
};

struct tracee {
	pid_t tid, pid;
	bool stopped;
	bool seen; /* it has stopped once */
	bool parked; /* its process is stopped, until SIGCONT */
	bool entered; /* CALL has number and arguments */
	int signal; /* to be delivered when it goes on, or 0 */
	struct system_call call;
};

struct tracer {
	/* whether a system call is to be returned by tracer_next */
	bool (*wants)(uint64_t number);
	struct tracee **list;
	size_t count;
	struct tracee *current; /* goes on at the next tracer_next, or NULL */
	pid_t target; /* the process that was named, or the program */
	bool child; /* it is the program */
	bool executed; /* the program is */
	bool ended; /* the target has ended */
	int status; /* of waitpid(2), once the program has ended */
	int error; /* errno: why the program could not be executed */
	int channel; /* to the program until it is executed, or -1 */
	unsigned refused; /* children of another architecture */
};

/*
 * Trace all threads of process PID, and those and the children that come.
 * TRACER is all zero but for WANTS.  Returns 0 or -errno: -ESRCH, -EPERM as
 * ptrace(2) says.  Each thread is interrupted; a call that it sleeps in begins
 * again.  On aarch64 those that SIGSTOP and SIGCONT interrupt (signal(7)) fail
 * with EINTR.
 */
int tracer_attach(struct tracer *tracer, pid_t pid);

/*
 * The same for a program that is started; launch_prepare was called.  If it
 * cannot be executed, tracer_next returns -ENOEXEC and ERROR is set.
 */
int tracer_start(struct tracer *tracer, const struct launch *launch);

/*
 * Wait for the next wanted system call to return.  Returns 1 with *TRACEE set to
 * the thread, which is stopped until the next call; 0 if no thread is left;
 * -EINTR after a signal; -ENOEXEC as above; -EBADMSG if the target is of another
 * architecture than pmux; or -errno.
 */
int tracer_next(struct tracer *tracer, struct tracee **tracee);

/* How many threads of process PID there are. */
size_t tracer_threads(const struct tracer *tracer, pid_t pid);

/*
 * Read SIZE bytes at ADDRESS of TRACEE, which is stopped.  Returns whether that
 * was possible.
 */
bool tracee_read(const struct tracee *tracee, uint64_t address, void *to,
    size_t size);

/* Let all threads go, as far as that takes at most a second. */
void tracer_detach(struct tracer *tracer);

/*
 * Wait until the program has ended, no thread being examined any more; STATUS
 * and ENDED are set.  Returns 0 or -errno.
 */
int tracer_wait(struct tracer *tracer);

/* Release the memory and descriptors; tracer_detach comes first. */
void tracer_end(struct tracer *tracer);

#endif
