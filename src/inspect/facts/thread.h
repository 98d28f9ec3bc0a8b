/* SPDX-License-Identifier: ISC */
/*
 * thread.h - what a thread of another process waits for.
 *
 * /proc/PID/task/TID/syscall has the number of the system call in which a thread
 * sleeps and its arguments (proc_pid_syscall(5)); what these point to is in the
 * memory of the process.  Reading both wants the right to trace it.  Nothing is
 * stopped: the thread may go on meanwhile, so the file is read again after the
 * memory, and what does not belong together is read once more.
 */
#ifndef THREAD_H
#define THREAD_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inspect/facts/source.h"

enum wait_call {
	WAIT_UNKNOWN, /* see WHY */
	WAIT_RUNNING, /* on a processor, or waiting for one */
	WAIT_NOTHING, /* asleep, and not in a system call */
	WAIT_POLL,
	WAIT_SELECT,
	WAIT_EPOLL,
	WAIT_READ, /* also recv(2) and the like */
	WAIT_WRITE,
	WAIT_COPY, /* splice(2) and the like: from the first to the second */
	WAIT_ACCEPT,
	WAIT_CONNECT,
	WAIT_OPEN,
	WAIT_LOCK, /* flock(2), fcntl(2) */
	WAIT_FUTEX,
	WAIT_CHILD,
	WAIT_SLEEP,
	WAIT_SIGNAL,
	WAIT_IO_URING,
	WAIT_OTHER
};

/* A timeout that is none, and one that is not known. */
#define THREAD_FOREVER INT64_C(-1)
#define THREAD_UNKNOWN INT64_C(-2)

/* A descriptor that is waited for, and the bits of poll(2) that are wanted. */
struct wanted {
	int fd;
	unsigned events;
};

struct thread_wait {
	enum wait_call call;
	const char *name; /* of the system call, or NULL: it has none here */
	long number; /* of the system call, or -1 */
	uint64_t arguments[6];
	int64_t timeout; /* as it was given, in ns */
	struct wanted *wanted;
	size_t count;
	char *path; /* WAIT_OPEN: as it was given; else NULL */
	int flags; /* WAIT_OPEN: those of open(2) */
	int directory; /* WAIT_OPEN: where PATH begins, or AT_FDCWD */
	/*
	 * WAIT_CHILD: as wait4(2): a child, -1 any, others a group.  WAIT_SIGNAL:
	 * -1 if the signal of a child may end it, if that has a handler.
	 */
	pid_t child;
	char state; /* R S D T t Z X I, see proc_pid_stat(5) */
	/* why it is not known, a constant text; and errno, or 0 */
	const char *why;
	int error;
};

/*
 * Find out what thread TID of process PID waits for.  Returns 0 with *WAIT set;
 * or -ESRCH if there is no such thread, -ENOMEM, or -errno of reading its state.
 * What cannot be known beyond the state is WAIT_UNKNOWN, with the reason; a part
 * of the arguments that cannot be known has a reason, too.
 */
int thread_wait_read(struct source *source, pid_t pid, pid_t tid,
    struct thread_wait *wait);

/* Release what WAIT has. */
void thread_wait_free(struct thread_wait *wait);

/* Whether A and B are one call with the same arguments. */
bool thread_wait_same(const struct thread_wait *a, const struct thread_wait *b);

/* What /proc/PID/task/TID/syscall says. */
struct thread_registers {
	long number; /* of the system call, or -1: in none */
	uint64_t arguments[6], stack, counter;
};

/*
 * Parse TEXT, the content of that file.  Returns 0; -EAGAIN if the thread runs;
 * or -EINVAL.
 */
int thread_parse(const char *text, struct thread_registers *registers);

/*
 * Whether the process is one of 32 bits, whose calls have other numbers: 1 or 0,
 * or -errno of /proc/PID/auxv.
 */
int thread_is_narrow(struct source *source, pid_t pid);

#endif
