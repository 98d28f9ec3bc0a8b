/*
 * peer.h - what the system tells of those at the other end of a FIFO.  All of
 * it may be called in a signal handler: nothing here allocates.
 */
#ifndef PEER_H
#define PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What happened on a FIFO; of who opened it the system does not say more. */
enum {
	PEER_OPENED = 1,
	PEER_READ = 2,
	PEER_WROTE = 4,
	PEER_READER_CLOSED = 8,
	PEER_WRITER_CLOSED = 16,
	PEER_LOST = 32, /* some of it went untold */
	PEER_NAMED = 64, /* it has got or lost a name, or other rights */
	PEER_ALL = 95 /* that can be asked for */
};

struct peer_change {
	uint32_t fifo; /* as peer_watch_add said; 0 with PEER_LOST */
	uint32_t what; /* one of the above */
};

/* How those at a FIFO are known: *DETAIL; whether a watch tells of them. */
bool peer_probe(const char **detail);

/*
 * A watch: readable when something happened, close-on-exec, never blocking.
 * Returns -errno: -ENOSYS where the system has none (inotify(7) is Linux),
 * -EMFILE.
 */
int peer_watch_open(void);

/*
 * Watch the FIFO that FD is one end of, for the changes in WHAT; those asked
 * for before are replaced.  PATH is used where the system knows it by name
 * only.  Returns its number, from 1 up in a new watch, the same for the same
 * FIFO; or -errno: -ENOSPC.
 */
int peer_watch_add(int watch, int fd, const char *path, uint32_t what);

/*
 * The next change, in the order in which they came: 1, 0 when there is none
 * yet, or -errno: -EINTR, and what makes the watch useless (read(2)).  BUFFER
 * is the caller's, of struct peer_buffer, zeroed before the first call.
 */
struct peer_buffer {
	char data[1024];
	size_t done, used;
};
int peer_watch_next(int watch, struct peer_buffer *buffer,
    struct peer_change *change);

/*
 * Whether FD is a FIFO with a name, not a pipe reached by way of /proc: 1 or 0;
 * or -errno.
 */
int peer_is_fifo(int fd);

/*
 * When somebody last wrote to the FIFO behind FD: ns, on the clock of files; -1
 * where that is not known.  Linux 6.18 and NetBSD 9.1 note each write, FreeBSD
 * 12.3 none.
 */
int64_t peer_written(int fd);

/* Whether the file behind FD has no name any more; if nobody can say, no. */
bool peer_nameless(int fd);

/*
 * Whether a writer is connected to the FIFO whose read end FD is and which is
 * empty: 1 or 0; -errno where that cannot be told: -ENOSYS, -EMFILE.
 */
int peer_has_writer(int fd);

/*
 * Open the FIFO behind FD anew with FLAGS (open(2)), whatever became of its
 * name PATH.  Returns a descriptor, close-on-exec and never blocking, or
 * -errno.  Where the system cannot do it without the name: -ENOENT if that
 * means another file now.
 */
int peer_reopen(int fd, const char *path, int flags);

/*
 * Unlike a descriptor to read or write, one that keeps nobody connected, for
 * peer_reopen; or -errno: -ENOSYS.
 */
int peer_handle(int fd);

/*
 * The same as peer_reopen and close(2), but WATCH, which asks for WHAT on that
 * FIFO, is not told of it.
 */
int peer_join(int watch, int fd, uint32_t what, const char *path, int flags);
void peer_part(int watch, int fd, uint32_t what, const char *path, int end);

/*
 * What pmux and its holders leave at a FIFO for each other to see: each on the
 * open file description of an end, until that is closed, and each with a time
 * on the monotonic clock (ns).  Without such locks none is ever seen.  Said of
 * the read end, it counts only from who may read; of the write end, from who
 * may write.
 */

/*
 * Claim the direction of the FIFO whose end FD is until UNTIL (negative: for
 * ever); what this end claimed before is gone.  Whoever claims it for less
 * long, or as long but earlier, is superseded.  HOLDER: what claims it is one.
 * Returns the claim, or -errno: -ENOSYS, -ENOLCK, -EAGAIN if somebody keeps it
 * from being made.
 */
int64_t peer_claim(int fd, bool writing, bool holder, int64_t until,
    int64_t now);

/* Make that CLAIM again, for another end or as a holder.  0 or -errno. */
int peer_reclaim(int fd, bool writing, bool holder, int64_t claim);

/* Whether somebody else has a later claim than CLAIM; of an error, no. */
bool peer_superseded(int fd, bool writing, int64_t claim);

/* Whether somebody else claims it, for however long. */
bool peer_claimed(int fd, bool writing);

/*
 * Whether the FIFO PATH has a holder of its read end, which says of no reader
 * that it has come, and no pmux that waits to read: then an end to write would
 * open, and nobody reads.  It is found without opening the FIFO, which would
 * let others through.  Not async-signal-safe.  Where it cannot be told: no.
 */
bool peer_only_held(const char *path);

/* The same of the FIFO whose write end FD is; async-signal-safe. */
bool peer_held(int fd);

/* Whether a pmux that waits to read is at it. */
bool peer_reads(int fd);

/* Say on FD, a holder's read end, whether somebody else reads. */
void peer_vouch(int fd, bool reader);

/* Say that a pmux has opened the read end FD, at TIME. */
void peer_arrive(int fd, int64_t time);

/* Whether one has since TIME. */
bool peer_arrived(int fd, int64_t time);

/*
 * Say on FD, an end of a holder that has a write end, that it has looked at the
 * FIFO at TIME; what it said before is gone.  -1: it has none any more.
 */
void peer_mark(int fd, bool writing, int64_t time);

/* Whether some holder has a write end and has not looked since TIME. */
bool peer_marked(int fd, int64_t time);

/* FD is another's from now on: nothing of pmux is to be seen on it. */
void peer_release(int fd);

#endif
