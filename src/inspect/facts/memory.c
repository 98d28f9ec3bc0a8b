/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "inspect/facts/memory.h"

#ifdef HAVE_SYS_SYSCALL_H
#include <sys/syscall.h>
#endif

/* A string is read up to the next such bound, behind which nothing may be. */
#define PAGE UINT64_C(4096)

#ifdef SYS_process_vm_readv

#include <sys/uio.h>

/* Returns 0 or -errno. */
static int
read_by_call(pid_t pid, uint64_t address, void *to, size_t size)
{
	struct iovec here = { to, size };
	struct iovec there = { (void *)(uintptr_t)address, size };
	long n = syscall(SYS_process_vm_readv, pid, &here, 1UL, &there, 1UL,
	    0UL);

	if (n == -1)
		return -errno;
	return (size_t)n == size ? 0 : -EFAULT;
}

#else

static int
read_by_call(pid_t pid, uint64_t address, void *to, size_t size)
{
	(void)pid;
	(void)address;
	(void)to;
	(void)size;
	return -ENOSYS;
}

#endif

static int
read_by_file(const struct source *source, pid_t pid, uint64_t address, void *to,
    size_t size)
{
	char path[SOURCE_PATH];
	ssize_t n;
	int fd, error = 0;

	if (address > INT64_MAX)
		return -EFAULT;
	(void)snprintf(path, sizeof path, "%jd/mem", (intmax_t)pid);
	fd = openat(source->proc, path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return -errno;
	n = pread(fd, to, size, (off_t)address);
	/* EIO: not mapped (fs/proc/base.c, mem_rw) */
	if (n == -1)
		error = errno == EIO ? -EFAULT : -errno;
	else if ((size_t)n != size)
		error = -EFAULT;
	(void)close(fd);
	return error;
}

int
memory_read(struct source *source, pid_t pid, uint64_t address, void *to,
    size_t size)
{
	int error = source->live ? read_by_call(pid, address, to, size) :
				   -ENOSYS;

	/* a filter of system calls may forbid the call alone (Docker's does) */
	if (error == -ENOSYS || error == -EPERM)
		error = read_by_file(source, pid, address, to, size);
	return error == -EACCES ? -EPERM : error;
}

int
memory_string(struct source *source, pid_t pid, uint64_t address, char *to,
    size_t size)
{
	size_t used = 0, part;
	int error;

	while (used < size - 1) {
		part = (size_t)(PAGE - address % PAGE);
		if (part > size - 1 - used)
			part = size - 1 - used;
		error = memory_read(source, pid, address, to + used, part);
		if (error != 0)
			return error;
		if (memchr(to + used, '\0', part) != NULL)
			return 0;
		used += part;
		address += part;
	}
	to[used] = '\0';
	return 0;
}
