/* SPDX-License-Identifier: ISC */
/*
 * turn.h - one reader of a pipe at a time.
 *
 * To take whole lines from a pipe that has other readers, pmux peeks first and
 * then reads, and no other pmux may read in between.  flock(2) ensures that:
 * the lock is of an open file description, and processes that were given the
 * same one do not exclude each other, so each needs its own.
 */
#ifndef TURN_H
#define TURN_H

/*
 * Open the pipe that FD reads from once more, close-on-exec and never blocking,
 * the caller's to close.  It is one more reader.  Returns a descriptor or
 * -errno: -ENOSYS or -ENOENT where that cannot be done (no Linux, no /proc),
 * -EACCES if the pipe is another user's, -EMFILE.
 */
int turn_open(int fd);

/*
 * Take the turn for OWN, which is a description of its own, without waiting.
 * GIVEN is the descriptor that the user gave, or -1: if its description has the
 * lock already, no other process reads now, and that is as good.  Returns 1 if
 * this process has the turn, 0 if another has it, or -errno as flock(2).
 */
int turn_take(int own, int given);

/* Give the turn back.  Async-signal-safe. */
void turn_give(int own);

#endif
