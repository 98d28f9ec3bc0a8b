/* SPDX-License-Identifier: ISC */
/*
 * filestat.h - what a file is, from what is in memory: neither a server that is
 * away nor an automounter is asked.
 */
#ifndef FILESTAT_H
#define FILESTAT_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

/* A device is in the form of fdinfo: the major number above 20 bits of the
   minor. */
struct filestat {
	mode_t mode;
	uint64_t device, inode;
	uint64_t special; /* which device it is */
	uint64_t size;
	int mount; /* as fdinfo numbers it; -1: not known */
	bool is_nameless; /* no directory has it; false if that is not known */
};

/*
 * What PATH is, from DIRECTORY on, links followed; or what FD is.  Returns 0;
 * -ENOSYS where the system has no statx(2), Linux before 4.11 too; or another
 * -errno of it.
 */
int filestat(int directory, const char *path, struct filestat *file);
int filestat_of(int fd, struct filestat *file);

#endif
