/* SPDX-License-Identifier: ISC */
#include "wakeup.h"

#include <unistd.h>

#include "filter_timer.h"
#include "queue.h"

int
wakeup_update(struct queue *q)
{
	uint64_t one = 1;
	bool ready = q->ready > 0;
	int error = timer_arm_fds(q);

	if (ready == q->kicked || q->sources[SOURCE_KICK] == -1)
		return error;
	if (ready)
		(void)!write(q->sources[SOURCE_KICK], &one, sizeof one);
	else
		(void)!read(q->sources[SOURCE_KICK], &one, sizeof one);
	q->kicked = ready;
	return error;
}
