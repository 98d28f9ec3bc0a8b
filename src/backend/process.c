#include "config.h"

#include <errno.h>
#include <stddef.h>

#include "backend/place.h"
#include "backend/process.h"

#ifdef HAVE_SYS_SYSCALL_H
#include <sys/syscall.h>
#endif

#if defined(SYS_pidfd_open) && defined(SYS_pidfd_getfd)

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

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

const char *
process_forbidden_by(void)
{
	return NULL;
}

#endif
