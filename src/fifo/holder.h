/* SPDX-License-Identifier: ISC */
/*
 * holder.h - the process that stays at a FIFO after pmux has left it.
 */
#ifndef HOLDER_H
#define HOLDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"
#include "sys/lease.h"
#include "sys/peer.h"

/*
 * One end of a FIFO that pmux opened by name.  For a holder it is in one of
 * these states, which no member has: at each check (tend) they follow from the
 * kernel's answers and the flags below.
 *
 *	read end    unread  writer  reader  what is done
 *	fed         any     there   any     the kernel keeps all that is unread
 *	                                    as long as this end is open: stay;
 *	                                    asked again if one has closed
 *	                                    (ASTRAY)
 *	stocked     yes     none    none    WRITER is open, so that the next
 *	                                    reader does not block in open(2)
 *	drained     yes     none    came    WRITER is closed: behind the last
 *	                                    byte the reader finds the end of
 *	                                    file
 *	promised    no      none    came    WRITER let it through (FRESH): WRITER
 *	                                    stays open until a writer has come
 *	idle        no      none    any     IDLE: left after step_time of
 *	                                    STEP_CLAIM and STEP_IDLE
 *
 *	write end
 *	waiting     a reader is there, and no writer has served it: stay
 *	promised    a writer has, and another reader came (FRESH), which is no
 *	            pmux: stay
 *	astray      as waiting, but the reader may be only a holder of the read
 *	            end (ASTRAY): left after STEP_READER if so
 *	served      a writer has been (WROTE), or no reader is there: left
 *
 *	either end
 *	lost        a pmux has a later claim (lease_lost): left
 *	nameless    no process can open it any longer: abandoned
 *	left        FD is -1; from `idle' back to `fed' if a process opened the
 *	            FIFO while it was left (holder_leave)
 *
 * Without a watch the ends are sampled, and what only an open shows is unknown:
 * a reader "comes" only by reading, FRESH and OPENED are never set.
 *
 * The kernel does not report who opened: a reader "came" when a process has
 * opened or read (READER), until one closes or nothing happens for the time of
 * STEP_READER.
 */
struct fifo {
	const char *path;
	struct lease lease;
	int64_t claim; /* lease_set's; negative: none */
	int64_t claimed; /* when, monotonic ns */
	int64_t checked; /* holder: when, the same */
	struct peer_times times; /* when it was opened */
	int fd; /* the end itself; -1: left */
	int writer; /* holder: the write end too, or -1 */
	int32_t unread; /* bytes, at the last check */
	int moves; /* peer_moves, or negative */
	uint32_t watched; /* number in the watch, 0: none */
	uint32_t same; /* plus 1: the next with that number */
	uint8_t asked; /* the WATCH_ changes that it asks for */
	bool writing; /* FD is a write end */
	bool reader; /* one has opened since */
	bool opened; /* by a process, since it was false */
	bool parted; /* the last change: a reader closed */
	bool fresh; /* one opened right after that */
	bool shared; /* with another pmux, still there */
	bool came; /* some opener has not closed since */
	bool reads; /* some reader, the same */
	bool vouched; /* so it was said */
	bool astray; /* some peer has closed: it may be gone */
	bool closed; /* some write end, lately */
	bool wrote; /* another writer has been or gone */
	bool idle; /* nothing can be lost just now */
	bool changed; /* the next check must tend it */
};

struct fifo_set {
	struct fifo *fifos; /* sorted by descriptor */
	uint32_t *numbers; /* in the watch, to index plus 1 */
	uint32_t count;
	uint32_t capacity; /* of fifos; numbers has one more */
	int watch; /* see watch_open, or -1 */
	int connection; /* holder: to pmux, until that has released; or -1 */
};

/*
 * Whether something can be lost when this end is closed just now.  A read end:
 * bytes are unread, or a writer is connected.  A write end: a reader is
 * connected that no writer has served yet.
 */
bool holder_needed(struct fifo_set *set, struct fifo *fifo);

/*
 * Before a write end is closed: wait until every holder that has a write end
 * has checked the FIFO, so that it does not take this end for a writer's.  At
 * most a tenth of a second.
 */
void holder_await_checks(const struct fifo *fifo);

/*
 * Watch all that happens on FIFO, if that can be, and enter it into NUMBERS:
 * none may move in FIFOS after that.
 */
void holder_watch(struct fifo_set *set, struct fifo *fifo);

/* Whether every end that is still open is watched. */
bool holder_watches(const struct fifo_set *set);

/* Read all pending changes from the watch. */
void holder_read_changes(struct fifo_set *set);

/*
 * Close this end, at which nothing can be lost, because of WHY (for --debug).
 * A peer may come at that moment: then it is open again after that.
 */
void holder_leave(struct fifo_set *set, struct fifo *fifo, const char *why);

/* Close this end: its FIFO has lost its last name, and no peer can come. */
void holder_abandon(struct fifo *fifo);

/*
 * Stay until nothing can be lost at any end, or until DEADLINE.  Each end is
 * closed once nothing can be lost at it.  Ends that are not watched are checked
 * at intervals that double.
 */
void holder_stay(struct fifo_set *set, deadline_t deadline);

/*
 * CONNECTION is a socket to the holder.  Wait until the holder has locks of its
 * own, say which write ends this process alone may have seen served, and release
 * the locks of this process.
 */
void holder_release(struct fifo_set *set, int connection);

/*
 * Become that process: leave the session and the directory, close every
 * descriptor but those of SET, take the title, stay, and end.  Every signal is
 * blocked by then; SIGTERM, SIGINT, SIGHUP and SIGQUIT end it.
 */
_Noreturn void holder_run(struct fifo_set *set, deadline_t deadline);

#endif
