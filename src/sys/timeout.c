/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>

#include "base/pmux.h"
#include "sys/timeout.h"

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)
#define LONGEST (INT64_C(10000000) * NS_PER_S)

struct timespec *
timeout_timespec(int64_t ns, struct timespec *space)
{
	if (ns < 0)
		return NULL;
	if (ns > LONGEST)
		ns = LONGEST;
	space->tv_sec = (time_t)(ns / NS_PER_S);
	space->tv_nsec = (long)(ns % NS_PER_S);
	return space;
}

int
timeout_milliseconds(int64_t ns)
{
	if (ns < 0)
		return -1;
	/* half of what an int holds: 12.4 days */
	if (ns > INT32_MAX / 2 * NS_PER_MS)
		return INT32_MAX / 2;
	return (int)((ns + NS_PER_MS - 1) / NS_PER_MS);
}

int
timeout_poll(struct pollfd *fds, nfds_t count, int64_t ns)
{
#ifdef HAVE_PPOLL
	struct timespec space;
	int n = ppoll(fds, count, timeout_timespec(ns, &space),
	    pmux->host->mask);
#else
	int n = poll(fds, count, timeout_milliseconds(ns));
#endif

	return n == -1 ? -errno : n;
}
