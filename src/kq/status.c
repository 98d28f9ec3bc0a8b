/* SPDX-License-Identifier: ISC */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "status.h"

#ifdef __linux__

#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Missing in older headers: Linux 5.4. */
#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* struct pidfd_info of Linux 6.15 (include/uapi/linux/pidfd.h). */
struct pidfd_information {
	uint64_t mask, cgroup;
	uint32_t ids[11];
	int32_t status;
};
#define INFORMATION_EXIT (UINT64_C(1) << 3)
#define GET_INFORMATION _IOWR(0xff, 11, struct pidfd_information)

/* Whether /proc shows the PID namespace of this process. */
static bool
is_own_proc(enum status_proc *proc)
{
	char self[16] = "";

	if (*proc == STATUS_PROC_UNKNOWN)
		*proc = readlink("/proc/self", self, sizeof self - 1) > 0 &&
			atol(self) == (long)getpid() ?
		    STATUS_PROC_OWN :
		    STATUS_PROC_FOREIGN;
	return *proc == STATUS_PROC_OWN;
}

/* The wait status in TEXT, which /proc/PID/stat has of a zombie. */
static bool
parse_stat(const char *text, int *status)
{
	/* the name, in parentheses, may contain any character */
	const char *field = strrchr(text, ')');

	if (field == NULL ||
	    (strncmp(field, ") Z", 3) != 0 && strncmp(field, ") X", 3) != 0))
		return false;
	field = strrchr(field, ' ');
	*status = atoi(field + 1);
	return true;
}

/*
 * Whether process PID, whose file stat is FD, may be traced.  To a reader that
 * may not, the link exe is refused; to any other, it is missing for a zombie
 * (ENOENT).  It is also missing once the process is reaped, but then the file
 * cannot be read.
 */
static bool
may_be_traced(pid_t pid, int fd)
{
	char path[40], byte;

	(void)snprintf(path, sizeof path, "/proc/%ld/exe", (long)pid);
	return (readlink(path, &byte, 1) != -1 || errno == ENOENT) &&
	    pread(fd, &byte, 1, 0) == 1;
}

/*
 * Read the wait status of a zombie: field 52 of /proc/PID/stat (proc(5)), which
 * is 0 for a reader that may not trace the process.
 */
static bool
status_of_zombie(pid_t pid, int *status)
{
	char path[40], text[1024] = "";
	bool known;
	int fd;

	(void)snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return false;
	known = read(fd, text, sizeof text - 1) > 0 &&
	    parse_stat(text, status) &&
	    (*status != 0 || may_be_traced(pid, fd));
	(void)close(fd);
	return known;
}

/* Get the wait status of a child without reaping it. */
static bool
status_of_child(int fd, int *status)
{
	const int flags = WEXITED | WNOWAIT | WNOHANG;
	siginfo_t child;

	memset(&child, 0, sizeof child);
	if (waitid((idtype_t)P_PIDFD, (id_t)fd, &child, flags) == -1 ||
	    child.si_pid == 0)
		return false;
	*status = child.si_status;
	if (child.si_code == CLD_EXITED)
		*status = (child.si_status & 0xff) << 8;
	else if (child.si_code == CLD_DUMPED)
		*status |= 0x80;
	return true;
}

/*
 * Get the wait status of a reaped process.  Returns 1, 0 if it is not reaped
 * yet, or -1 if the kernel does not report it.
 */
static int
status_of_reaped(int fd, int *status)
{
	struct pidfd_information information;

	memset(&information, 0, sizeof information);
	information.mask = INFORMATION_EXIT;
	/* C libraries differ in the type of ioctl's request */
	if (syscall(SYS_ioctl, fd, GET_INFORMATION, &information) == -1)
		return errno == ESRCH ? 0 : -1;
	if ((information.mask & INFORMATION_EXIT) == 0)
		return 0;
	*status = information.status;
	return 1;
}

int
status_of_process(int pidfd, pid_t pid, enum status_proc *proc, int *status)
{
	int known = status_of_reaped(pidfd, status);

	if (known == 1)
		return 1;
	if (is_own_proc(proc) && status_of_zombie(pid, status))
		return 1;
	if (status_of_child(pidfd, status))
		return 1;
	/* it may have been reaped meanwhile */
	return status_of_reaped(pidfd, status);
}

bool
status_is_kept(int pidfd)
{
	int status;

	return status_of_reaped(pidfd, &status) != -1;
}

#endif
