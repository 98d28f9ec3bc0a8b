/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sys/fdplace.h"
#include "sys/process.h"
#include "sys/signals.h"

#ifdef HAVE_SYS_SYSCALL_H
#include <sys/syscall.h>
#endif

int
process_is_self(int directory, const char *link)
{
	char text[24], self[24];
	ssize_t n = readlinkat(directory, link, text, sizeof text - 1);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	(void)snprintf(self, sizeof self, "%ld", (long)getpid());
	return strcmp(text, self) == 0;
}

const char *
process_missing_for(void)
{
	return process_is_self(AT_FDCWD, "/proc/self") == 0 ?
	    "/proc has the numbers of another pid namespace" :
	    NULL;
}

#if defined(SYS_pidfd_open) && defined(SYS_pidfd_getfd) && defined(SYS_kcmp)

#include <poll.h>
#include <stdint.h>

/* KCMP_FILE, KCMP_EPOLL_TFD: some C libraries come without the kernel's headers. */
#define COMPARE_FILE 0
#define COMPARE_ENTRY 7

int
process_open(pid_t pid)
{
	return fdplace((int)syscall(SYS_pidfd_open, pid, 0));
}

bool
process_has_ended(int process)
{
	struct pollfd p = { process, POLLIN, 0 };

	return poll(&p, 1, 0) == 1;
}

int
process_descriptor(int process, int number)
{
	int fd = (int)syscall(SYS_pidfd_getfd, process, number, 0);

	if (fd != -1)
		return fdplace(fd);
	/*
	 * Of a zombie older kernels say EBADF, since its table of descriptors
	 * is gone.  Its pidfd is readable (pidfd_open(2)).
	 */
	if (errno == EBADF && process_has_ended(process))
		errno = ESRCH;
	return -errno;
}

/* Save the descriptor that has the number now.  Returns 0 or -errno. */
static int
save(struct process_loan *loan)
{
	loan->flags = fcntl(loan->number, F_GETFD);
	loan->saved = -1;
	if (loan->flags == -1)
		return 0;
	signals_block(&loan->mask);
	loan->saved = fdplace(fdplace_copy(loan->number, 3));
	if (loan->saved >= 0)
		return 0;
	signals_restore(&loan->mask);
	return loan->saved;
}

int
process_put(int fd, int number, struct process_loan *loan)
{
	int error;

	loan->number = number;
	error = save(loan);
	if (error == 0 && dup3(fd, number, O_CLOEXEC) == -1) {
		/* EBADF: past RLIMIT_NOFILE */
		error = errno == EBADF ? -EMFILE : -errno;
		process_return(loan);
	}
	return error;
}

int
process_lend(int process, int number, int here, struct process_loan *loan)
{
	int fd = process_descriptor(process, number), error;

	if (fd < 0)
		return fd;
	loan->number = here;
	loan->saved = -1;
	if (fd == here)
		return 0;
	error = process_put(fd, here, loan);
	(void)close(fd);
	return error;
}

void
process_return(const struct process_loan *loan)
{
	if (loan->saved == -1) {
		(void)close(loan->number);
		return;
	}
	(void)dup3(loan->saved, loan->number,
	    (loan->flags & FD_CLOEXEC) != 0 ? O_CLOEXEC : 0);
	(void)close(loan->saved);
	signals_restore(&loan->mask);
}

/* What kcmp(2) says of files: 1 if both are one, 0 if not or gone; -errno. */
static int
answer_of(long answer)
{
	if (answer != -1)
		return answer == 0;
	return errno == EBADF || errno == ESRCH || errno == ENOENT ? 0 : -errno;
}

int
process_same(pid_t a, int number, pid_t b, int other)
{
	return answer_of(syscall(SYS_kcmp, a, b, COMPARE_FILE, number, other));
}

int
process_is_entry(pid_t holder, int number, pid_t owner, int epoll, int key,
    unsigned place)
{
	/* struct kcmp_epoll_slot of kcmp(2): Linux 4.13 */
	uint32_t slot[3] = { (uint32_t)epoll, (uint32_t)key, place };

	return answer_of(
	    syscall(SYS_kcmp, holder, owner, COMPARE_ENTRY, number, slot));
}

int
process_registered(pid_t pid, int number, int epoll, int key)
{
	return process_is_entry(pid, number, getpid(), epoll, key, 0);
}

/* The begin of file PATH, as a string. */
static void
read_begin(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd == -1 ? 0 : read(fd, text, size - 1);

	if (fd != -1)
		(void)close(fd);
	text[n < 0 ? 0 : n] = '\0';
}

const char *
process_forbidden_by(void)
{
	char scope[2], status[4096];

	read_begin("/proc/sys/kernel/yama/ptrace_scope", scope, sizeof scope);
	switch (scope[0]) {
	case '1':
		return "kernel.yama.ptrace_scope is 1: a process may only examine"
		       " its own descendants";
	case '2':
		return "kernel.yama.ptrace_scope is 2: only with"
		       " CAP_SYS_PTRACE";
	case '3':
		return "kernel.yama.ptrace_scope is 3: no process may";
	default:
		break;
	}
	/* proc_pid_status(5): 2 is a filter, such as that of a container */
	read_begin("/proc/self/status", status, sizeof status);
	return strstr(status, "\nSeccomp:\t2") != NULL ?
	    "the process is another user's, or privileged, as for ptrace(2);"
	    " or the filter of system calls (seccomp) denies it" :
	    "the process is another user's, or privileged: as for ptrace(2)";
}

#else

int
process_same(pid_t a, int number, pid_t b, int other)
{
	(void)a;
	(void)number;
	(void)b;
	(void)other;
	return -ENOSYS;
}

int
process_is_entry(pid_t holder, int number, pid_t owner, int epoll, int key,
    unsigned place)
{
	(void)holder;
	(void)number;
	(void)owner;
	(void)epoll;
	(void)key;
	(void)place;
	return -ENOSYS;
}

int
process_open(pid_t pid)
{
	(void)pid;
	return -ENOSYS;
}

bool
process_has_ended(int process)
{
	(void)process;
	return false;
}

int
process_descriptor(int process, int number)
{
	(void)process;
	(void)number;
	return -ENOSYS;
}

int
process_put(int fd, int number, struct process_loan *loan)
{
	(void)fd;
	(void)number;
	(void)loan;
	return -ENOSYS;
}

int
process_lend(int process, int number, int here, struct process_loan *loan)
{
	(void)process;
	(void)number;
	(void)here;
	(void)loan;
	return -ENOSYS;
}

void
process_return(const struct process_loan *loan)
{
	(void)loan;
}

int
process_registered(pid_t pid, int number, int epoll, int key)
{
	(void)pid;
	(void)number;
	(void)epoll;
	(void)key;
	return -ENOSYS;
}

const char *
process_forbidden_by(void)
{
	return NULL;
}

#endif
