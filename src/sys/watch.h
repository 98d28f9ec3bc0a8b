/* SPDX-License-Identifier: ISC */
/*
 * watch.h - changes on a FIFO or a regular file, as the system reports them
 * (inotify(7) on Linux).  All of it may be called in a signal handler: nothing here allocates.
 */
#ifndef WATCH_H
#define WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Changes on a FIFO; the system does not report which process made them. */
enum {
	WATCH_OPENED = 1,
	WATCH_READ = 2,
	WATCH_WROTE = 4,
	WATCH_READER_CLOSED = 8,
	WATCH_WRITER_CLOSED = 16,
	WATCH_LOST = 32, /* some changes were not reported */
	WATCH_NAMED = 64, /* it has got or lost a name, or other rights */
	WATCH_ALL = 95 /* that can be asked for */
};

struct watch_change {
	uint32_t fifo; /* as watch_add said; 0 with WATCH_LOST */
	uint32_t what; /* one of the above */
};

/* Whether a watch reports what happens on a FIFO; *DETAIL: how, or why not. */
bool watch_probe(const char **detail);

/*
 * A watch: readable when something happened, close-on-exec, never blocking.
 * Returns -errno: -ENOSYS where the system has none (inotify(7) is Linux),
 * -EMFILE.
 */
int watch_open(void);

/*
 * Watch the FIFO that FD is one end of, for the changes in WHAT; those asked
 * for before are replaced.  PATH is used where the system knows it by name
 * only.  Returns its number, from 1 up in a new watch, the same for the same
 * FIFO; or -errno: -ENOSPC.
 */
int watch_add(int watch, int fd, const char *path, uint32_t what);

/* Watch NUMBER, which watch_add returned, no longer. */
void watch_drop(int watch, int number);

/*
 * The next change, in the order in which they came: 1, 0 when there is none
 * yet, or -errno: -EINTR, or an error that makes the watch useless (read(2)).
 * BUFFER is the caller's, zeroed before the first call.
 */
struct watch_buffer {
	char data[1024];
	size_t done, used;
};
int watch_next(int watch, struct watch_buffer *buffer,
    struct watch_change *change);

/*
 * The same as peer_reopen and close(2), but WATCH, which asks for WHAT on that
 * FIFO, does not report it.
 */
int watch_join(int watch, int fd, uint32_t what, const char *path, int flags);
void watch_part(int watch, int fd, uint32_t what, const char *path, int end);

#endif
