/* SPDX-License-Identifier: ISC */
/*
 * dirwatch.h - names that come to directories and go, as the system reports
 * them (inotify(7); kevent(2), without the names).
 */
#ifndef DIRWATCH_H
#define DIRWATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	DIRWATCH_CAME = 1,
	DIRWATCH_WENT = 2,
	DIRWATCH_CHANGED = 4, /* anything else, as other rights */
	DIRWATCH_LOST = 8, /* some changes were not reported */
	DIRWATCH_DIRECTORY = 16 /* beside another one: the name is one */
};

struct dirwatch_change {
	int number; /* dirwatch_add's; 0 with DIRWATCH_LOST */
	uint32_t what;
	const char *name; /* in the directory; NULL: any */
};

/* Whether the system reports them; *DETAIL: how, or why not. */
bool dirwatch_probe(const char **detail);

/*
 * A watch: readable when something has changed, close-on-exec, never blocking.
 * Returns -errno: -ENOSYS where the system has none, -EMFILE.
 */
int dirwatch_open(void);

/*
 * Watch the directory PATH.  Returns its number, from 1 up, often the same for
 * the same directory; or -errno: -ENOENT, -ENOTDIR, -EACCES without the right
 * to read it, -ENOSPC, -EMFILE, -EOPNOTSUPP if its file system does not report
 * all changes, though some may be reported.
 */
int dirwatch_add(int watch, const char *path);

/* Watch NUMBER no longer, if it is not another's too. */
void dirwatch_drop(int watch, int number);

/*
 * The next change, in the order in which they came: 1, 0 when there is none
 * yet, or -errno.  BUFFER is the caller's, zeroed before the first call; the
 * name is valid until the next one.
 */
struct dirwatch_buffer {
	_Alignas(8) char data[4096];
	size_t done, used;
};
int dirwatch_next(int watch, struct dirwatch_buffer *buffer,
    struct dirwatch_change *change);

/*
 * A descriptor for which poll(2) reports POLLPRI when a file system has been
 * mounted or unmounted, close-on-exec; or -errno.
 */
int dirwatch_mounts(void);

#endif
