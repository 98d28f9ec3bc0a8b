/* SPDX-License-Identifier: ISC */
/*
 * timeout.h - nanoseconds as each primitive wants its timeout.
 */
#ifndef TIMEOUT_H
#define TIMEOUT_H

#include <poll.h>
#include <stdint.h>
#include <time.h>

/*
 * NS nanoseconds in *SPACE, and SPACE; NULL, which is for ever, if NS is -1.
 * At most 10^7 seconds: the BSDs refuse more than 10^8 (select(2),
 * EINVAL), and a wait may end before its time.
 */
struct timespec *timeout_timespec(int64_t ns, struct timespec *space);

/*
 * poll(2) with a timeout in nanoseconds, -1 being for ever; milliseconds where
 * the system has no ppoll(2), with the host's mask.  Returns its result, or -errno.
 */
int timeout_poll(struct pollfd *fds, nfds_t count, int64_t ns);

/* NS nanoseconds in milliseconds, rounded up, at most 2^30; -1 is for ever. */
int timeout_milliseconds(int64_t ns);

#endif
