/* SPDX-License-Identifier: ISC */
/*
 * turn.h - one reader of a pipe at a time.
 *
 * Who wants to take whole lines from a pipe that others read from too looks
 * first and reads then, and in between nobody else may.  flock(2) says so: the
 * lock is of an open file description, and processes that were given the same
 * one do not exclude each other, so each needs its own.
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
 * lock already, nobody but us reads now, and that is as good.  Returns 1 if it
 * is our turn, 0 if it is another's, or -errno as flock(2).
 */
int turn_take(int own, int given);

/* Give the turn back.  Async-signal-safe. */
void turn_give(int own);

#endif
