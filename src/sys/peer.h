/* SPDX-License-Identifier: ISC */
/*
 * peer.h - questions to the system about a FIFO and its other end.  All of it
 * may be called in a signal handler: nothing here allocates.
 */
#ifndef PEER_H
#define PEER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Whether FD is a FIFO with a name, not a pipe reached by way of /proc: 1 or 0;
 * or -errno.
 */
int peer_is_fifo(int fd);

/*
 * The time of the last write to the FIFO behind FD: ns, on the clock of files;
 * -1 where that is not known.  Linux 6.18 and NetBSD 9.1 note each write,
 * FreeBSD 12.3 none.
 */
int64_t peer_written(int fd);

/* Whether the file behind FD has lost its last name; false if unknown. */
bool peer_nameless(int fd);

/*
 * Whether a writer is connected to the FIFO whose read end FD is and which is
 * empty: 1 or 0; -errno where that cannot be known: -ENOSYS, -EMFILE.
 */
int peer_has_writer(int fd);

/*
 * Open the FIFO behind FD again with FLAGS (open(2)), whatever became of its
 * name PATH.  Returns a descriptor, close-on-exec and never blocking, or
 * -errno.  Where the system cannot do it without the name: -ENOENT if that
 * means another file now.
 */
int peer_reopen(int fd, const char *path, int flags);

/*
 * A descriptor of the FIFO behind FD for peer_reopen, without access: it is
 * neither a reader nor a writer.  Or -errno: -ENOSYS.
 */
int peer_handle(int fd);

/*
 * PATH opened with FLAGS (open(2)) if it names the file behind FD; or -errno:
 * -ENOENT if it names another.
 */
int peer_open_named(int fd, const char *path, int flags);

/* The name that /proc has for FD, in PATH, which is returned. */
#define PEER_PATH_SIZE 32
char *peer_path(char path[PEER_PATH_SIZE], int fd);

#endif
