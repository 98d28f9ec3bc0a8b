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

/* How long those that pmux let through may count on it, after it has left. */
#define FIFO_HOLD	(INT64_C(10) * 1000000000)

/* Say how long (nanoseconds; DURATION_FOREVER; 0: not at all). */
void	fifo_hold(int64_t ns);

/*
 * All openings together may wait so long (nanoseconds; DURATION_FOREVER), and
 * no more than a tenth of a second, for others to leave; the last call stands.
 */
void	fifo_patience(int64_t ns);

/*
 * Open the FIFO PATH, which has to stay where it is, to read or to write, never
 * blocking and close-on-exec.  From the first call on a signal that would end
 * pmux leaves its FIFOs first.  Returns the descriptor, which stays open until
 * fifo_leave or the end; or -errno (open(2)): -ENXIO if nobody reads what is to
 * be written.
 */
int	fifo_open(const char *path, bool writing);

/*
 * Leave every FIFO.  Where something can be lost a holder process stays, at
 * most for the time that fifo_hold said: until then nothing is.  If there is
 * no process to be had, it returns only after that.  Async-signal-safe.
 */
void	fifo_leave(void);

#endif
