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
 * The locks by which pmux and its holders see each other at a FIFO: each on the
 * open file description of an end, until that is closed, and each with a time
 * on the monotonic clock (ns).  Where the system lacks such locks none is ever
 * found.  A lock for the read end counts only if its owner may read, one for
 * the write end only if it may write.
 *
 * Each is a lock of one byte (fcntl(2), F_OFD_SETLK), whose offset says what it
 * means and when.  The offsets of a FIFO, in units of 2^60 bytes, which is 36
 * years of nanoseconds:
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
 */

/*
 * Claim the direction of the FIFO whose end FD is until UNTIL (negative: for
 * ever); this replaces the earlier claim of this end.  A claim for less long,
 * or for as long but earlier, is superseded.  HOLDER: the caller is a holder.
 * Returns the claim, or -errno: -ENOSYS, -ENOLCK, -EAGAIN if the lock of
 * another process is in the way.
 */
int64_t lease_set(int fd, bool writing, bool holder, int64_t until,
    int64_t now);

/* Make that CLAIM again, for another end or as a holder.  0 or -errno. */
int lease_renew(int fd, bool writing, bool holder, int64_t claim);

/* Whether another process has a later claim than CLAIM; false on error. */
bool lease_lost(int fd, bool writing, int64_t claim);

/* Whether another process claims it, for however long. */
bool lease_is_set(int fd, bool writing);

/*
 * Whether the FIFO PATH has a holder of its read end, which vouches for no
 * reader, and no pmux that waits to read: then open(2) for writing would
 * succeed without a reader.  It is found without opening the FIFO, which would
 * let others through.  False if that cannot be known.  Not async-signal-safe.
 */
bool lease_only_holder(const char *path);

/* The same of the FIFO whose write end FD is; async-signal-safe. */
bool lease_only_holder_at(int fd);

/* Whether a pmux that waits to read is at it. */
bool lease_has_waiter(int fd);

/* Note on FD, a holder's read end, whether another process reads. */
void lease_vouch(int fd, bool reader);

/* Say that a pmux has opened the read end FD, at TIME. */
void lease_reader_arrive(int fd, int64_t time);

/* Whether one has since TIME. */
bool lease_reader_seen(int fd, int64_t time);

/*
 * Set the mark of a holder that has a write end, on its end FD: it checked the
 * FIFO at TIME; -1: it no longer has a write end.  Replaces its earlier mark.
 */
void lease_heartbeat(int fd, bool writing, int64_t time);

/* Whether some holder has a write end and has not checked since TIME. */
bool lease_heartbeat_seen(int fd, int64_t time);

/* FD now belongs to another program: remove all that pmux locked on it. */
void lease_release(int fd);

#endif
