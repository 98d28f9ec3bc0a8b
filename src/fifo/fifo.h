/* SPDX-License-Identifier: ISC */
/*
 * fifo.h - FIFOs that pmux opened by name, and leaving them so that nothing
 * is lost.
 *
 * Opening a FIFO lets the other end through: a writer that waited in open(2)
 * goes on and writes, a reader that waited goes on and reads.  If pmux were
 * then the only one at its end and left, the bytes would be gone, the writer
 * would get SIGPIPE, the reader an end of file.
 */
#ifndef FIFO_H
#define FIFO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"
#include "fifo/holder.h"

struct fifos {
	struct fifo_set set;
	int64_t hold, patience; /* see fifo_hold, fifo_patience */
	deadline_t linger_end; /* of that patience, once it has begun */
	int64_t sure_until; /* a process can be started */
	bool unsure; /* none could be, the last time */
	bool catches; /* signals that would end the process */
	bool left;
	int lost; /* the result of fifo_leave */
	/* pmux becomes PROGRAM, which has this end if its fd is not -1 */
	struct fifo given;
	bool orphaned; /* and is to know of no holder */
};

/* Initialize FIFOS, which is all zero; and release it, without leaving. */
void fifo_begin(struct fifos *fifos);
void fifo_end(struct fifos *fifos);

/*
 * Say how long those that pmux let through may count on it after it has left
 * (nanoseconds; 0: not at all).  Without a call: DURATION_FOREVER.
 */
void fifo_hold(int64_t ns);

/*
 * All openings together may wait NS nanoseconds (DURATION_FOREVER: no limit),
 * but at most a tenth of a second, for others to leave; the last call stands.
 */
void fifo_patience(int64_t ns);

/*
 * From the first call on, a signal that would end the process by its default
 * action leaves its FIFOs first.  fifo_open calls it; what handles signals itself
 * and may open a FIFO later has to do so before.
 */
void fifo_catch(void);

/*
 * Open the FIFO PATH, which has to stay where it is, to read or to write, never
 * blocking and close-on-exec.  Returns the descriptor, which stays open until
 * fifo_leave or the end; or -errno (open(2)): -ENXIO if a FIFO to write has no
 * reader.  If no holder could be started now, nothing is opened, and the error
 * is fork(2)'s.
 */
int fifo_open(const char *path, bool writing);

/* More about why the last fifo_open has failed, or NULL. */
const char *fifo_hint(void);

/*
 * Make FD, which fifo_open returned to read and whose writers have left, like
 * an end that was just opened: it reports no hangup until another writer has
 * come and gone.  No byte is lost.  Returns 0; or -errno as peer_reopen, FD
 * being unchanged.
 */
int fifo_renew(int fd);

/*
 * pmux becomes PROGRAM: FD, which may be -1 or no FIFO, is PROGRAM's from now
 * on and fifo_leave leaves it as it is; no holder becomes a child that PROGRAM
 * does not know of.  fifo_take_back: PROGRAM did not start, fifo_leave leaves
 * FD too.  fifo_let_go: PROGRAM has started in another process, and FD is closed
 * in this one.  The caller blocks every signal.
 */
void fifo_give(int fd);
void fifo_take_back(void);
void fifo_let_go(void);

/*
 * Leave every FIFO.  Where something can be lost a holder process stays, at
 * most for the time that fifo_hold said: until then nothing is.  Returns 0; or
 * EXIT_SYSTEM if no process could be created for a second, a message having
 * said what is lost, and so again at each call.  Async-signal-safe.
 */
int fifo_leave(void);

/*
 * The process ends: do so for this call and those that sleep meanwhile, after
 * what they have read is put out.  Returns as fifo_leave.  Async-signal-safe.
 */
int fifo_leave_all(void);

/* Whether one of them has something that this would be needed for. */
bool fifo_needs_leave(void);

#endif
