/* SPDX-License-Identifier: ISC */
/*
 * source.h - where the facts about processes are read: proc(5), or a directory
 * of the same form.
 */
#ifndef SOURCE_H
#define SOURCE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mount_table;
struct sockets;

struct source {
	int proc; /* the root */
	/*
	 * The processes are those of this kernel.  If not, no system call is
	 * made that names one: kcmp(2), pidfd_getfd(2), sock_diag(7).
	 */
	bool live;
	char *text; /* what was read last */
	size_t size; /* of the allocation */
	/* what was asked for, until source_renew */
	struct sockets *sockets;
	bool has_inet; /* they are not only the local ones */
	struct mount_table *mounts; /* of mounts.c, one allocation */
	pid_t owner; /* of the two below; 0: none yet */
	int process; /* see source_process */
	pid_t self; /* pmux */
	pid_t named; /* the process that has NAME, see comm.h; 0: none */
	char name[64];
};

/* Whether this system has proc(5) as Linux has it: 0 or -ENOSYS. */
int source_probe(void);

/*
 * Open the directory ROOT; NULL: /proc, which is live.  Returns 0, or -errno:
 * nothing need be closed then.  -ENODEV: it is not proc(5), or that of another
 * pid namespace, in which the numbers are those of other processes.
 */
int source_open(struct source *source, const char *root);

/* A hint about ERROR of source_open, a constant text, or NULL. */
const char *source_hint(int error);
void source_close(struct source *source);

/*
 * Read the file PATH, below the root, whole.  Returns its length with *TEXT set
 * to it and to a NUL behind it, which stay until the next call; or -errno: of
 * open(2), of read(2), -ENOMEM.  A process that has ended: -ENOENT or -ESRCH.
 */
ssize_t source_read(struct source *source, char **text, const char *path);

/*
 * Read the symbolic link PATH, below the root or, if it is not -1, below
 * DIRECTORY, which spares the kernel the way to it.  SIZE bytes are at TEXT; a
 * NUL is put behind what is read.  Returns its length; one that does not fit is
 * cut.  Or -errno of readlink(2).
 */
ssize_t source_link(const struct source *source, int directory,
    const char *path, char *text, size_t size);

/*
 * Called with CONTEXT for NAME, which is NUMBER, in DIRECTORY, a descriptor that
 * is source_each's.  Anything but 0 ends the list.
 */
typedef int visit_fn(void *context, int directory, const char *name,
    int number);

/*
 * Call VISIT for each name in the directory PATH, below the root ("." is the
 * root), that is a number.  Returns 0, what VISIT has returned, or -errno.
 */
int source_each(const struct source *source, const char *path, visit_fn *visit,
    void *context);

/*
 * List these numbers.  Returns how many there are, with *NUMBERS set to them, in
 * ascending order, the caller's to free; or -errno.
 */
int source_list(const struct source *source, const char *path, int **numbers);

/* Whether descriptor NUMBER of pmux is the source's. */
bool source_has(const struct source *source, int number);

/* What is asked for from now on is as it is then. */
void source_renew(struct source *source);

/*
 * A descriptor that stands for process PID, as process_open; it stays the
 * source's, and open until one for another PID is asked for, or source_renew.
 * Or -errno; -ENOSYS if the source is not live.
 */
int source_process(struct source *source, pid_t pid);

/*
 * The sockets of this network namespace: *SOCKETS is set to them, or to NULL if
 * the source is not live.  These are the local ones alone as long as each INODE
 * is one of them, or 0.  Returns 0 or -ENOMEM.
 */
int source_sockets(struct source *source, uint64_t inode,
    const struct sockets **sockets);

/* Long enough for any path that is put together from numbers. */
#define SOURCE_PATH 64

#endif
