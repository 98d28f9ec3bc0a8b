/* SPDX-License-Identifier: ISC */
/*
 * peer.h - questions to the system about a FIFO and its other end.  All of it
 * may be called in a signal handler: nothing here allocates.
 */
#ifndef PEER_H
#define PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/*
 * Whether FD is a FIFO with a name, not a pipe reached by way of /proc: 1 or 0;
 * or -errno.
 */
int peer_is_fifo(int fd);

/*
 * When the FIFO behind FD was last written and read, on the clock of files; all
 * zero where that is not known.  Linux 6.18 and NetBSD 9.1 note each write and
 * read, FreeBSD 12.3 neither: on its tmpfs a close moves the time of reading.
 */
struct peer_times {
	struct timespec written, read;
};
void peer_times(int fd, struct peer_times *times);

/* Whether the file behind FD has lost its last name; false if unknown. */
bool peer_nameless(int fd);

/*
 * Whether a writer is connected to the FIFO whose read end FD is and which is
 * empty: 1 or 0; -errno where that cannot be known: -ENOSYS, -EMFILE.
 */
int peer_has_writer(int fd);

/*
 * The same, and where nothing else answers, by a write end that is opened for a
 * moment: a reader that waits in open(2) goes on and may find an end of file.
 * Afterwards peer_writers_gone is right of FD.  PATH as for peer_reopen.  Also
 * -EACCES, -ENOENT.
 */
int peer_learn_writer(int fd, const char *path);

/*
 * Whether every writer has gone from the FIFO whose read end FD is: false where
 * none has come since FD was opened.
 */
bool peer_writers_gone(int fd);

/* Whether no reader is left at the FIFO PATH, whose write end FD is. */
bool peer_readers_gone(int fd, const char *path);

/*
 * Watch from now on whether others write to or read from the FIFO whose write
 * end FD is: a descriptor for peer_moved, the caller's to close, which a child
 * does not have; or -errno: -ENOSYS where only FIONREAD and the times show it.
 * peer_moved: whether they did since the last call.
 */
int peer_moves(int fd);
bool peer_moved(int moves);

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
