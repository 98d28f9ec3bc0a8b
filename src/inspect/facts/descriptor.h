/* SPDX-License-Identifier: ISC */
/*
 * descriptor.h - the facts about one descriptor of a process.
 *
 * It is not opened, read, written or kept.  What a copy of it must answer is
 * asked of one that lives for microseconds (pidfd_getfd(2)), and only if it is
 * of a kind that this cannot disturb (sys/kind.h).
 */
#ifndef DESCRIPTOR_H
#define DESCRIPTOR_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inspect/facts/fdinfo.h"
#include "inspect/facts/sockdiag.h"
#include "inspect/facts/source.h"
#include "sys/kind.h"

/* What may be unknown, each with its reason. */
enum fact {
	FACT_ACCESS, /* and nonblock, cloexec, position: /proc/PID/fdinfo */
	FACT_INODE,
	FACT_READY,
	FACT_UNREAD,
	FACT_CAPACITY,
	FACT_STATE,
	FACT_PEERS,
	FACT_SAME,
	FACT_WAITERS,
	FACT_REGISTRATIONS,
	FACTS
};

/* As in the key "unknown" of JSON. */
extern const char fact_names[FACTS][16];

struct descriptor {
	pid_t pid;
	int number;
	enum kind kind;
	char *name; /* the text of its link, as /proc/PID/fd has it */
	bool readable, writable; /* neither: O_PATH */
	bool nonblock, cloexec;
	/*
	 * Which file: all anonymous inodes are one, see kcmp(2).  The device is
	 * in the form of fdinfo: the major number above 20 bits of the minor.
	 */
	uint64_t device, inode;
	uint64_t special; /* a device: which, in that form */
	int64_t position; /* of a file or directory; else -1 */
	int64_t length; /* of a file; else -1 */
	unsigned ready; /* bits of poll(2), if FACT_READY is known */
	int64_t unread; /* bytes, of datagrams those of the first; or -1 */
	int64_t capacity; /* bytes; or -1 */
	struct fdinfo info;
	/*
	 * A socket: of sock_diag(7), or what a copy says of itself, which
	 * knows no peer.  inode is 0 if FACT_STATE is unknown.
	 */
	struct sock sock;
	bool asked_copy; /* SOCK is what a copy said */
	uint64_t pending; /* a signalfd: those of its signals that are */
	struct {
		bool hung_up;
		bool lines; /* canonical mode: read(2) waits for a line */
		bool master; /* of a pseudo-terminal */
		int index; /* of the slave, both ends of a pty; or -1 */
	} terminal;
	/* why a fact is unknown, a constant text or errno's name; or NULL */
	const char *unknown[FACTS];
};

/*
 * Find the facts about descriptor NUMBER of process PID.  Returns 0 with *D
 * set; or -errno: -EBADF if it is not open, -ESRCH if there is no such process
 * or it is a zombie, -EACCES or -EPERM if it may not be examined, -ENOSYS where
 * the system cannot say, -EAGAIN if the number was another file each time,
 * -ENOMEM.
 */
int descriptor_read(struct source *source, pid_t pid, int number,
    struct descriptor *d);

/*
 * Only the device, the inode and the kind of the file (of a socket
 * KIND_SOCKET).  Returns as descriptor_read.
 */
int descriptor_identify(struct source *source, pid_t pid, int number,
    struct descriptor *d);

/*
 * Only which file it is, from what is in memory (filestat.h).  Returns 0; -EBADF if the number is not open, -ESRCH;
 * or another -errno: -ENOSYS if the source is not live.
 */
int descriptor_file(struct source *source, pid_t pid, int number,
    uint64_t *device, uint64_t *inode);

/* The inode in LINK, the text of the link of a pipe or a socket; or 0. */
uint64_t descriptor_inode(const char *link);

/* Release what D has. */
void descriptor_free(struct descriptor *d);

#endif
