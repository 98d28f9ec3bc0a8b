/* SPDX-License-Identifier: ISC */
/*
 * lease.h - the locks by which pmux and its holders see each other at a FIFO.
 * All but lease_only_holder may be called in a signal handler.
 */
#ifndef LEASE_H
#define LEASE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Where the locks of a FIFO are.  Each is on one byte, whose offset says what
 * it means and since when or until when (monotonic clock).  A lock that cannot
 * be made is never found.
 *
 * Where there are locks of an open file description (fcntl(2), F_OFD_SETLK),
 * they are on that of the end, until it is closed; a lock for the read end
 * counts only if its owner may read, one for the write end only if it may
 * write.  The offsets of a FIFO, in units of 2^60 bytes, which is 36 years of
 * nanoseconds:
 *
 *	0        1        2        3        4             6        7
 *	+--------+--------+--------+--------+-------------+--------+-+--------
 *	| pmux   | holder | pmux   | holder | mark of a   |arrival |R| unused
 *	|        |        |        |        | holder      |of pmux | |
 *	+--------+--------+--------+--------+-------------+--------+-+--------
 *	| claims of the   | claims of the   |             |        |
 *	| read end        | write end       |             |        |
 *	  read locks        write locks       as its end    read     read lock
 *
 *	claim    up to 1/2: this end stays until then; from 1/2 on: for ever,
 *	         claimed then.  The farther right in its half, the longer it
 *	         stays, or the later it came
 *	mark     a holder with a write end last checked the FIFO then; 0: a
 *	         pmux is about to leave its write end to one
 *	arrival  a pmux opened the FIFO to read then
 *	R        a holder knows that another process reads
 *
 * Elsewhere they are locks of the process (F_SETLK): a holder makes its own, and
 * they are gone when the process closes any descriptor of the file.  FreeBSD
 * 12.3 refuses them on a FIFO (kern_descrip.c, EBADF).  So they are on the
 * directory that has the FIFO, as read locks, in the same order from a base that
 * the inode gives, in units of 2^20 ns.  Whoever may read the directory can make
 * them, and they are not found by way of a name in another directory.
 */
struct lease {
	int64_t base;
	int fd; /* -1: no locks can be made */
};

/*
 * Before the FIFO PATH is opened; afterwards FD is its end.  lease_close: when
 * the process leaves all its FIFOs.
 */
void lease_open(struct lease *lease, const char *path);
void lease_use(struct lease *lease, int fd);
void lease_close(struct lease *lease);

/*
 * Claim that direction of the FIFO until UNTIL (negative: for ever); this
 * replaces the earlier claim of this end.  A claim for less long, or for as long
 * but earlier, is superseded.  HOLDER: the caller is a holder, or becomes one.
 * Returns the claim, or -errno: -EBADF, -ENOLCK, -EAGAIN if the lock of another
 * process is in the way.
 */
int64_t lease_set(const struct lease *lease, bool writing, bool holder,
    int64_t until, int64_t now);

/* Make that CLAIM again, for another end or as a holder.  0 or -errno. */
int lease_renew(const struct lease *lease, bool writing, bool holder,
    int64_t claim);

/*
 * This process, a child of the one that made CLAIM as a holder and opened the
 * end at TIME, is that holder now.  LEASE is opened again where it has to be.
 */
void lease_adopt(struct lease *lease, const char *path, bool writing,
    int64_t claim, int64_t time);

/* Whether a child has the locks of its parent, and needs no lease_adopt. */
bool lease_is_inherited(void);

/* Whether another process has a later claim than CLAIM; false on error. */
bool lease_lost(const struct lease *lease, bool writing, int64_t claim);

/* Whether another process claims it, for however long. */
bool lease_is_set(const struct lease *lease, bool writing);

/*
 * Whether the FIFO PATH has a holder of its read end, which vouches for no
 * reader, and no pmux that waits to read: then open(2) for writing would
 * succeed without a reader.  It is found without opening the FIFO, which would
 * let others through.  False if that cannot be known.  Not async-signal-safe.
 */
bool lease_only_holder(const struct lease *lease, const char *path);

/* The same when it is open; async-signal-safe. */
bool lease_only_holder_at(const struct lease *lease);

/* Whether a pmux that waits to read is at it. */
bool lease_has_waiter(const struct lease *lease);

/* Note, as the holder of a read end, whether another process reads. */
void lease_vouch(const struct lease *lease, bool reader);

/* Say that a pmux has opened the read end, at TIME. */
void lease_reader_arrive(const struct lease *lease, int64_t time);

/* Whether one has since TIME. */
bool lease_reader_seen(const struct lease *lease, int64_t time);

/*
 * Set the mark of a holder that has a write end: it checked the FIFO at TIME;
 * -1: it no longer has a write end.  Replaces its earlier mark.
 */
void lease_heartbeat(const struct lease *lease, bool writing, int64_t time);

/* Whether some holder has a write end and has not checked since TIME. */
bool lease_heartbeat_seen(const struct lease *lease, int64_t time);

/* The end now belongs to another program: remove all that pmux locked. */
void lease_release(const struct lease *lease);

#endif
