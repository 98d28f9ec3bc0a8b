/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <unistd.h>

#include "base/deadline.h"
#include "output/diag.h"
#include "run/lines_turn.h"
#include "sys/kernel.h"
#include "sys/turn.h"

/*
 * How long to wait for a process that has the turn at a pipe, and neither gives
 * it back nor reads; tries that are more than TURN_GAP apart are not one wait
 * (ns).
 */
#define TURN_TIME (INT64_C(1000) * 1000000)
#define TURN_GAP (INT64_C(500) * 1000000)

int
lines_turn_fd(struct lines_source *source)
{
	struct lines_source *holder = source->holder;
	const struct target *first = holder->target;

	if (source->how.kind != READ_PIPE && source->how.kind != READ_FIFO)
		return source->target->fd;
	if (!holder->tried) {
		holder->tried = true;
		holder->own = (first->flags & TARGET_PATH) != 0 ?
		    first->fd :
		    turn_open(first->fd);
	}
	if (holder->own < 0)
		return source->target->fd;
	source->how.own = true;
	return holder->own;
}

/* Whether the turn of HOLDER has been another's for too long. */
static bool
is_overdue(struct lines_source *holder)
{
	int64_t now = clock_now(), left = kernel_unread(holder->own);

	if (holder->asked == 0 || now - holder->asked_last > TURN_GAP ||
	    left < holder->left)
		holder->asked = now;
	holder->asked_last = now;
	holder->left = left;
	return now - holder->asked >= TURN_TIME;
}

bool
lines_turn_take(struct lines_source *source)
{
	struct lines_source *holder = source->holder;
	const struct target *t = source->target;
	int answer;

	if (holder->own < 0 || holder->turn)
		return true;
	answer = turn_take(holder->own,
	    (t->flags & TARGET_PATH) != 0 ? -1 : t->fd);
	holder->turn = answer == 1;
	if (answer != 0 || holder->alone) {
		holder->asked = 0;
		return true;
	}
	if (!is_overdue(holder))
		return false;
	holder->alone = true;
	diag_remark(
	    "%.*s: another process has held the lock for a second: reading without it",
	    (int)t->length, t->name);
	return true;
}

void
lines_turn_give(struct lines_source *holder)
{
	if (!holder->turn || holder->held.length > 0 || holder->held.cut)
		return;
	holder->turn = false;
	turn_give(holder->own);
}

void
lines_turn_end(struct lines_source *holder)
{
	if (holder->turn)
		turn_give(holder->own);
	lines_turn_close(holder);
}

void
lines_turn_close(struct lines_source *holder)
{
	if (holder->own >= 0 && holder->own != holder->target->fd)
		(void)close(holder->own);
}
