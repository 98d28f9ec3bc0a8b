/* SPDX-License-Identifier: ISC */
/*
 * inode.h - files and directories, watched by inotify(7) and fstat(2).
 *
 * The path of a watch is /proc/self/fd/N, so a rename cannot redirect it to
 * another file.
 */
#ifndef KQ_INODE_H
#define KQ_INODE_H

#include "knote.h"

#include <sys/stat.h>

/*
 * Watch the file of descriptor FD, whose status is ST, for KNOTE.  Returns 0 or
 * -errno: -EACCES (inotify requires read permission), -ENOSPC
 * (max_user_watches), -EMFILE (max_user_instances), -EOPNOTSUPP (no /proc),
 * -ENOMEM.
 */
int inode_watch(struct knote *knote, int fd, const struct stat *st);

/*
 * Also watch for opens, reads and closes if the fflags of KNOTE, a VNODE, ask
 * for them.  Returns 0 or -errno, as inode_watch.
 */
int inode_watch_access(struct knote *knote);

/*
 * Also watch the parent directory if KNOTE, a VNODE, asks for NOTE_DELETE:
 * inotify reports the removal of an open directory only there.  Without read
 * permission for the parent the removal is not reported.  Returns 0 or -errno,
 * as inode_watch.
 */
int inode_watch_parent(struct knote *knote);

/* Stop watching for KNOTE. */
void inode_forget(struct knote *knote);

/*
 * Whether ST has the device and number of INODE.  Inode numbers are reused, so
 * it may still be another file.
 */
bool inode_is(const struct inode *inode, const struct stat *st);

/*
 * Check that descriptor FD still is INODE, as far as the inotify events read so
 * far show.  Returns 0, -EBADF or -ENOENT; another -errno if that cannot be
 * known.
 */
int inode_same(const struct inode *inode, int fd);

/* Read inotify and post its events to the knotes of QUEUE. */
void inode_handle(struct queue *queue);

#endif
