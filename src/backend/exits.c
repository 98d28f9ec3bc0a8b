/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/exits.h"
#include "sys/fdplace.h"

#if defined(ENABLE_PIDFD) && defined(__linux__)

#include "kq/status.h"
#include "sys/process.h"

bool
exits_probe(const char **detail)
{
	int process = process_open(getpid());

	*detail = process >= 0 ? "pidfd_open(2)" :
				 "the kernel has no pidfd_open(2)";
	if (process >= 0)
		(void)close(process);
	return process >= 0;
}

int
exits_open(pid_t pid)
{
	int process = process_open(pid);

	/* seccomp(2) filters older than the call (Linux 5.3) return EPERM */
	return process == -EPERM ? -ENOSYS : process;
}

int
exits_status(int fd, pid_t pid, int *cache, int *status)
{
	enum status_proc proc = (enum status_proc) * cache;
	int known = status_of_process(fd, pid, &proc, status);

	*cache = (int)proc;
	return known;
}

#elif defined(ENABLE_PIDFD) && defined(HAVE_KQUEUE)

#include <sys/event.h>
#include <sys/time.h>

#ifndef NOTE_EXITSTATUS /* macOS: without it data is not set */
#define NOTE_EXITSTATUS 0
#endif

bool
exits_probe(const char **detail)
{
	*detail = "kevent(2), EVFILT_PROC";
	return true;
}

int
exits_open(pid_t pid)
{
	int queue = kqueue(), error;
	struct kevent change;

	if (queue == -1)
		return -errno;
	EV_SET(&change, (uintptr_t)pid, EVFILT_PROC, EV_ADD | EV_ONESHOT,
	    NOTE_EXIT | NOTE_EXITSTATUS, 0, 0);
	if (fcntl(queue, F_SETFD, FD_CLOEXEC) == 0 &&
	    kevent(queue, &change, 1, NULL, 0, NULL) != -1)
		return fdplace(queue);
	error = -errno;
	(void)close(queue);
	return error;
}

int
exits_status(int fd, pid_t pid, int *cache, int *status)
{
	const struct timespec now = { 0, 0 };
	struct kevent event;

	(void)pid;
	(void)cache;
	if (kevent(fd, NULL, 0, &event, 1, &now) != 1)
		return -1;
	*status = (int)event.data;
	return 1;
}

#else

bool
exits_probe(const char **detail)
{
	*detail = "nothing reports the end of a process here";
	return false;
}

int
exits_open(pid_t pid)
{
	(void)pid;
	return -ENOSYS;
}

int
exits_status(int fd, pid_t pid, int *cache, int *status)
{
	(void)fd;
	(void)pid;
	(void)cache;
	(void)status;
	return -1;
}

#endif

/* Field NUMBER, from 3 on, of /proc/PID/stat; NULL if that cannot be read. */
static const char *
stat_field(char *text, unsigned number)
{
	/* the name, in parentheses, may contain any character */
	char *field = strrchr(text, ')');

	for (unsigned i = 2; field != NULL && i < number; i++) {
		field = strchr(field + 1, ' ');
		if (field == NULL)
			return NULL;
	}
	return field == NULL ? NULL : field + 1;
}

/* Read /proc/PID/stat of Linux into TEXT.  Returns whether it is there. */
static bool
read_stat(pid_t pid, char *text, size_t size)
{
	char path[40];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return false;
	n = read(fd, text, size - 1);
	(void)close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

bool
exits_runs(pid_t pid, uint64_t *began)
{
	char text[1024];
	const char *state, *start;
	uint64_t now;

	if (kill(pid, 0) == -1 && errno == ESRCH)
		return false;
	if (!read_stat(pid, text, sizeof text))
		return true;
	/* proc(5): fields 3 and 22 */
	state = stat_field(text, 3);
	start = stat_field(text, 22);
	if (state == NULL || start == NULL)
		return true;
	now = strtoull(start, NULL, 10);
	if (*state == 'Z' || *state == 'X' || (*began != 0 && *began != now))
		return false;
	*began = now;
	return true;
}
