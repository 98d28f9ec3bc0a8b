/* SPDX-License-Identifier: ISC */
/*
 * mounts.h - the types of the file systems that a process sees
 * (/proc/PID/mountinfo, proc_pid_mountinfo(5)).
 */
#ifndef MOUNTS_H
#define MOUNTS_H

#include <sys/types.h>

#include <stdint.h>

#include "inspect/facts/source.h"

/* What is known of files on a type of file system. */
enum mount_kind {
	MOUNT_UNKNOWN, /* or one that may be slow to answer */
	MOUNT_PLAIN, /* regular files have no poll function: always ready */
	MOUNT_KERNEL /* proc(5) and the like: depends on the file */
};

/*
 * The kind of mount MOUNT of process PID, as fdinfo numbers it.  The table is
 * read once for a process, and kept until another is asked for.  Returns 0 with
 * *KIND set, or -errno of source_read, or -ENOMEM.
 */
int mounts_kind(struct source *source, pid_t pid, int mount,
    enum mount_kind *kind);

/*
 * The device of the file system there, in the form of struct descriptor.
 * Returns 0, or -errno: -ENOENT if there is no such mount.
 */
int mounts_device(struct source *source, pid_t pid, int mount,
    uint64_t *device);

#endif
