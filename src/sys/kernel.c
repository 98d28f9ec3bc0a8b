/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>
#ifdef KEVENT_COUNTS_FIFOS
#include <sys/event.h>
#endif
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#if defined(__sun)
#include <sys/filio.h>
#endif
#if defined(HAVE_SYSCTLBYNAME) && defined(HAVE_SYS_SYSCTL_H)
#include <sys/sysctl.h>
#endif

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/number.h"
#include "sys/foreign.h"
#include "sys/kernel.h"

#ifdef KEVENT_COUNTS_FIFOS

bool
kernel_read_event(int fd, struct kevent *event)
{
	const struct timespec now = { 0, 0 };
	int queue = kqueue();
	struct kevent change;
	bool found;

	if (queue == -1)
		return false;
	EV_SET(&change, (uintptr_t)fd, EVFILT_READ, EV_ADD, 0, 0, 0);
	found = kevent(queue, &change, 1, event, 1, &now) == 1 &&
	    (event->flags & EV_ERROR) == 0;
	(void)close(queue);
	return found;
}

/* NetBSD 9.1: FIONREAD is 0 where a FIFO is open to read and to write. */
static int64_t
count_again(int fd)
{
	struct kevent event;
	int flags = fcntl(fd, F_GETFL);

	return flags != -1 && (flags & O_ACCMODE) == O_RDWR &&
		kernel_read_event(fd, &event) ?
	    event.data :
	    0;
}

#else

static int64_t
count_again(int fd)
{
	(void)fd;
	return 0;
}

#endif

static int64_t
unread(int fd)
{
	int n = -1;

	if (ioctl(fd, FIONREAD, &n) == -1)
		return -errno;
	/* some drivers leave the argument alone and say 0 */
	return n < 0 ? -EINVAL : n == 0 ? count_again(fd) : n;
}

static int64_t
available(int fd)
{
	struct stat st;
	off_t offset;

	if (fstat(fd, &st) == -1)
		return -errno;
	/* FIONREAD counts in int */
	if (!S_ISREG(st.st_mode))
		return unread(fd);
	offset = lseek(fd, 0, SEEK_CUR);
	if (offset == -1)
		return -errno;
	return st.st_size > offset ? st.st_size - offset : 0;
}

/* The answer of ASK for FD, or for the descriptor that a handle stands for. */
static int64_t
ask_of(int fd, int64_t (*ask)(int))
{
	int64_t answer;
	int borrowed;

	if (!foreign_is(fd))
		return ask(fd);
	borrowed = foreign_borrow(fd);
	if (borrowed < 0)
		return borrowed;
	answer = ask(borrowed);
	foreign_return(fd, borrowed);
	return answer;
}

int64_t
kernel_unread(int fd)
{
	return ask_of(fd, unread);
}

int64_t
kernel_available(int fd)
{
	return ask_of(fd, available);
}

int
kernel_open_path(const char *path)
{
#if defined(O_PATH) /* Linux 2.6.39, FreeBSD 13.1 */
	return open(path, O_PATH | O_CLOEXEC);
#elif defined(O_EVTONLY) /* macOS */
	return open(path, O_EVTONLY | O_CLOEXEC);
#else
	struct stat st;

	if (stat(path, &st) == 0 && S_ISFIFO(st.st_mode)) {
		errno = ENOTSUP;
		return -1;
	}
	return open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
#endif
}

/* signal(7), and signal(3) of the BSDs and illumos. */
static const int harmless[] = {
	SIGKILL,
	SIGSTOP,
	SIGCHLD,
	SIGCONT,
	SIGTSTP,
	SIGTTIN,
	SIGTTOU,
	SIGURG,
#ifdef SIGWINCH
	SIGWINCH,
#endif
#ifdef SIGINFO
	SIGINFO,
#endif
#if !defined(__linux__)
#if defined(SIGIO) && !defined(__sun)
	SIGIO,
#endif
#ifdef SIGPWR
	SIGPWR,
#endif
#endif
#ifdef __sun
	SIGWAITING,
	SIGLWP,
	SIGFREEZE,
	SIGTHAW,
	SIGCANCEL,
	SIGLOST,
	SIGXRES,
	SIGJVM1,
	SIGJVM2,
#endif
};

bool
kernel_signal_ends(int number)
{
	for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
		if (harmless[i] == number)
			return false;
	return true;
}

#if defined(__linux__)

/* Each is a file below /proc/sys (proc_sys_fs(5), proc_sys_kernel(5)). */
#define PROC "/proc/sys/"
static const char *const limits[] = {
	PROC "fs/nr_open",
	PROC "fs/file-max",
	PROC "fs/pipe-max-size",
	PROC "fs/epoll/max_user_watches",
	PROC "fs/inotify/max_user_instances",
	PROC "fs/inotify/max_user_watches",
	PROC "kernel/yama/ptrace_scope",
};

static int64_t
limit_value(const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	uint64_t value;
	char text[32];
	ssize_t n;

	if (fd == -1)
		return -1;
	n = read(fd, text, sizeof text - 1);
	(void)close(fd);
	if (n <= 0)
		return -1;
	text[n] = '\0';
	/* file-max may be more */
	if (number_parse(text, strcspn(text, "\n"), 10, INT64_MAX, &value) ==
	    -ERANGE)
		return INT64_MAX;
	return (int64_t)value;
}

static const char *
limit_name(const char *name)
{
	return name + sizeof PROC - 1;
}

#else

static const char *const limits[] = {
	"kern.maxfiles",
	"kern.maxfilesperproc",
	"kern.kq_calloutmax",
	"kern.ipc.maxpipekva",
};

static int64_t
limit_value(const char *name)
{
#ifdef HAVE_SYSCTLBYNAME
	union {
		int32_t narrow;
		int64_t wide;
	} value;
	size_t size = sizeof value;

	if (sysctlbyname(name, &value, &size, NULL, 0) == -1)
		return -1;
	return size == sizeof value.narrow ? value.narrow : value.wide;
#else
	(void)name;
	return -1;
#endif
}

static const char *
limit_name(const char *name)
{
	return name;
}

#endif

const char *
kernel_limit(int number, int64_t *value)
{
	if ((size_t)number >= sizeof limits / sizeof *limits)
		return NULL;
	*value = limit_value(limits[number]);
	return limit_name(limits[number]);
}
