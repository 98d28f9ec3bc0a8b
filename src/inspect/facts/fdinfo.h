/* SPDX-License-Identifier: ISC */
/*
 * fdinfo.h - what /proc/PID/fdinfo/N says (proc_pid_fdinfo(5)).
 */
#ifndef FDINFO_H
#define FDINFO_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An entry of an epoll instance: a line "tfd:". */
struct fdinfo_entry {
	int number; /* with which it was added */
	uint32_t events; /* a fired one-shot has only the bits of behaviour */
	uint64_t data;
	uint64_t inode, device; /* of the file; 0: Linux before 4.13 */
};

/* A watch of inotify(7) or a mark of fanotify(7). */
struct fdinfo_watch {
	int descriptor; /* wd; -1: a mark of fanotify */
	uint32_t mask;
	uint64_t inode, device; /* 0: a mount or a file system is marked */
};

struct fdinfo {
	int64_t position;
	unsigned flags; /* O_* of open(2) */
	int mount;
	uint64_t inode; /* 0: Linux before 5.14 */
	uint64_t count; /* eventfd; UINT64_MAX: not said */
	bool semaphore;
	int clock; /* timerfd: clockid; -1: not said */
	uint64_t ticks;
	int64_t value, interval; /* ns; 0: disarmed */
	uint64_t signals; /* signalfd: the mask, bit 0 being signal 1 */
	pid_t process; /* pidfd: -1 once it was waited for; 0: not said */
	int terminal; /* the master of a pty: number of the slave; or -1 */
	uint64_t completions, submissions; /* io_uring: those unread */
	int locks; /* held by way of this description */
	struct fdinfo_entry *entries;
	size_t entry_count;
	struct fdinfo_watch *watches;
	size_t watch_count;
};

/*
 * Parse TEXT, LENGTH bytes with a NUL behind them, in linear time; lines that
 * are not known are passed over.  Returns 0, or -EINVAL if it has no flags, or
 * -ENOMEM.  fdinfo_free releases what INFO has then, and after an error, too.
 */
int fdinfo_parse(const char *text, size_t length, struct fdinfo *info);
void fdinfo_free(struct fdinfo *info);

#endif
