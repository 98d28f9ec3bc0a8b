/* SPDX-License-Identifier: ISC */
/*
 * inode.h - files and directories, watched by inotify(7) and fstat(2).
 *
 * A file is watched through its descriptor, /proc/self/fd/N, so that no rename
 * comes between its name and the watch.
 */
#ifndef KQ_INODE_H
#define KQ_INODE_H

#include "knote.h"

#include <sys/stat.h>

/*
 * Watch the file of descriptor FD, which ST is of, for KNOTE.  Returns 0, or
 * -errno: -EACCES (inotify wants read permission), -ENOSPC (max_user_watches),
 * -EMFILE (max_user_instances), -EOPNOTSUPP (no /proc), -ENOMEM.
 */
int inode_watch(struct knote *knote, int fd, const struct stat *st);

/*
 * KNOTE, of a VNODE, asks for other notes: watch for opens, reads and closes
 * too if it wants them.  Returns 0 or -errno, as inode_watch.
 */
int inode_watch_access(struct knote *knote);

/*
 * The removal of a directory that is open is told by its parent only: watch
 * that too if KNOTE, of a VNODE, wants to know.  Who may not read the parent
 * does not learn it.  Returns 0 or -errno, as inode_watch.
 */
int inode_watch_parent(struct knote *knote);

/* Watch it for KNOTE no more. */
void inode_forget(struct knote *knote);

/* Whether ST seems to be of that file: numbers of inodes are used again. */
bool inode_is(const struct inode *inode, const struct stat *st);

/*
 * Whether descriptor FD is that file, as far as inotify has told: 0, -EBADF, or
 * -ENOENT; another -errno if that cannot be known.
 */
int inode_same(const struct inode *inode, int fd);

/* inotify may have something: post it to the knotes of QUEUE. */
void inode_handle(struct queue *queue);

#endif
