#include "config.h"

#include <errno.h>
#include <stddef.h>

#include "backend/place.h"
#include "backend/process.h"

#ifdef HAVE_SYS_SYSCALL_H
#include <sys/syscall.h>
#endif

#if defined(SYS_pidfd_open) && defined(SYS_pidfd_getfd)

#include <sys/stat.h>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

/* KCMP_FILE of kcmp(2): some C libraries come without the kernel's headers. */
#define COMPARE_FILE	0

int
process_open(pid_t pid)
{
	return place((int)syscall(SYS_pidfd_open, pid, 0));
}

int
process_descriptor(int process, int number)
{
	struct pollfd p = { process, POLLIN, 0 };
	int fd = (int)syscall(SYS_pidfd_getfd, process, number, 0);

	if (fd != -1)
		return place(fd);
	/*
	 * Of a zombie older kernels say EBADF, since its table of descriptors
	 * is gone.  Its pidfd is readable (pidfd_open(2)).
	 */
	if (errno == EBADF && poll(&p, 1, 0) == 1)
		errno = ESRCH;
	return -errno;
}

/* Put what had the number before aside.  Returns 0 or -errno. */
static int
save(struct process_loan *loan)
{
	sigset_t all;

	loan->flags = fcntl(loan->number, F_GETFD);
	loan->saved = -1;
	if (loan->flags == -1)
		return 0;
	sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &loan->mask);
	loan->saved = place(fcntl(loan->number, F_DUPFD_CLOEXEC, 3));
	if (loan->saved >= 0)
		return 0;
	(void)sigprocmask(SIG_SETMASK, &loan->mask, NULL);
	return loan->saved;
}

int
process_lend(int process, int number, struct process_loan *loan)
{
	int fd = process_descriptor(process, number), error;

	if (fd < 0)
		return fd;
	loan->number = number;
	loan->saved = -1;
	if (fd == number)
		return 0;
	error = save(loan);
	if (error == 0 && dup3(fd, number, O_CLOEXEC) == -1) {
		/* EBADF: past RLIMIT_NOFILE */
		error = errno == EBADF ? -EMFILE : -errno;
		process_return(loan);
	}
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
	(void)sigprocmask(SIG_SETMASK, &loan->mask, NULL);
}

/* Without kcmp(2): the same file, opened in the same way. */
static bool
alike(int a, int b)
{
	struct stat one, other;

	return fstat(a, &one) == 0 && fstat(b, &other) == 0 &&
	    one.st_dev == other.st_dev && one.st_ino == other.st_ino &&
	    fcntl(a, F_GETFL) == fcntl(b, F_GETFL);
}

bool
process_same(int process, pid_t pid, int number, int fd)
{
	long answer = -1;
	bool same;

#ifdef SYS_kcmp
	/* Linux 3.5, if the kernel was built with it and nobody forbids it */
	answer = syscall(SYS_kcmp, pid, getpid(), COMPARE_FILE, number, fd);
	if (answer == -1 && (errno == EBADF || errno == ESRCH))
		return false;
#else
	(void)pid;
#endif
	if (answer != -1)
		return answer == 0;
	number = process_descriptor(process, number);
	if (number < 0)
		return false;
	same = alike(number, fd);
	(void)close(number);
	return same;
}

const char *
process_forbidden_by(void)
{
	int fd = open("/proc/sys/kernel/yama/ptrace_scope",
	    O_RDONLY | O_CLOEXEC);
	char scope = '0';

	if (fd != -1) {
		if (read(fd, &scope, 1) != 1)
			scope = '0';
		(void)close(fd);
	}
	switch (scope) {
	case '1':
		return "kernel.yama.ptrace_scope is 1: a process may only look"
		    " into its own descendants";
	case '2':
		return "kernel.yama.ptrace_scope is 2: only with"
		    " CAP_SYS_PTRACE";
	case '3':
		return "kernel.yama.ptrace_scope is 3: nobody may";
	default:
		return "the process is another user's, or privileged: as for"
		    " ptrace(2)";
	}
}

#else

int
process_open(pid_t pid)
{
	(void)pid;
	return -ENOSYS;
}

int
process_descriptor(int process, int number)
{
	(void)process;
	(void)number;
	return -ENOSYS;
}

int
process_lend(int process, int number, struct process_loan *loan)
{
	(void)process;
	(void)number;
	(void)loan;
	return -ENOSYS;
}

void
process_return(const struct process_loan *loan)
{
	(void)loan;
}

bool
process_same(int process, pid_t pid, int number, int fd)
{
	(void)process;
	(void)pid;
	(void)number;
	(void)fd;
	return false;
}

const char *
process_forbidden_by(void)
{
	return NULL;
}

#endif
