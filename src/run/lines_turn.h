/* SPDX-License-Identifier: ISC */
/*
 * lines_turn.h - the turn of a pipe that other processes read, too (sys/turn.h):
 * it is taken before a peek, and given back after the bytes were consumed, or
 * when the line is finished whose beginning was consumed.
 */
#ifndef LINES_TURN_H
#define LINES_TURN_H

#include <stdbool.h>

#include "run/lines_source.h"

/*
 * The descriptor to read SOURCE by, which stays SOURCE's: for a pipe pmux's own
 * open file description if possible, or that of the target.
 */
int lines_turn_fd(struct lines_source *source);

/*
 * Take the turn, if it is not ours, without waiting.  Returns whether to go on:
 * it is ours, there are none here, or another process has kept it for a second,
 * which has been said.
 */
bool lines_turn_take(struct lines_source *source);

/*
 * Give the turn of HOLDER back, unless it has begun to take a line that is not
 * whole.
 */
void lines_turn_give(struct lines_source *holder);

/*
 * Give it back, and close what lines_turn_fd opened; or only that, in a child of
 * fork(2), which shares the turn with its parent.  Async-signal-safe.
 */
void lines_turn_end(struct lines_source *holder);
void lines_turn_close(struct lines_source *holder);

#endif
