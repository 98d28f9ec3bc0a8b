/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <time.h>

#include "base/deadline.h"
#include "base/duration.h"

static int64_t
nanoseconds(const struct timespec *t)
{
	return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

int64_t
clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return nanoseconds(&t);
}

int64_t
clock_cpu(void)
{
#ifdef CLOCK_THREAD_CPUTIME_ID /* an option of POSIX */
	struct timespec t;

	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0)
		return nanoseconds(&t);
#endif
	return clock_now();
}

deadline_t
deadline_in(int64_t ns)
{
	int64_t now;

	if (ns == DURATION_FOREVER)
		return DEADLINE_NEVER;
	if (ns == 0)
		return DEADLINE_PASSED;
	now = clock_now();
	return ns > INT64_MAX - now ? INT64_MAX : now + ns;
}

int64_t
deadline_left(deadline_t deadline)
{
	int64_t left;

	if (deadline == DEADLINE_NEVER || deadline == DEADLINE_PASSED)
		return deadline;
	left = deadline - clock_now();
	return left > 0 ? left : 0;
}

int64_t
deadline_sooner(int64_t a, int64_t b)
{
	return a == -1 || (b != -1 && b < a) ? b : a;
}

int64_t
deadline_back_off(int64_t pause, int64_t first, int64_t last)
{
	if (pause == 0)
		return first;
	return pause < last / 2 ? 2 * pause : last;
}
