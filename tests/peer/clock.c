/* SPDX-License-Identifier: ISC */
/* clock.c - the monotonic clock. */
#include "peer.h"

#include <stdio.h>
#include <time.h>

int
cmd_clock(char **argv)
{
	struct timespec ts;

	(void)argv;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	printf("%lld\n", (long long)ts.tv_sec * 1000000000 + ts.tv_nsec);
	return 0;
}
