/* SPDX-License-Identifier: ISC */
/*
 * pollflags.h - the words of poll(2), which /dev/poll shares.  POSIX has in,
 * pri, out, err, hup, nval and the four of STREAMS; rdhup is in Linux 2.6.17
 * and FreeBSD 13, msg in Linux and some System V.  On several systems wrnorm
 * is the same bit as out.
 */
#ifndef POLLFLAGS_H
#define POLLFLAGS_H

#include <poll.h>

#include "backend/backend.h"

#ifndef POLLRDHUP
#define POLLRDHUP 0
#endif
#ifndef POLLRDNORM
#define POLLRDNORM 0
#endif
#ifndef POLLRDBAND
#define POLLRDBAND 0
#endif
#ifndef POLLWRNORM
#define POLLWRNORM 0
#endif
#ifndef POLLWRBAND
#define POLLWRBAND 0
#endif
#ifndef POLLMSG
#define POLLMSG 0
#endif

#define POLL_LIMIT 0xffffu /* struct pollfd holds a short */

/*
 * wrnorm as a name.  Where it is the same bit as out, it has one more, that
 * poll(2) never sees, to print the name that was asked for.
 */
#if POLLWRNORM == POLLOUT
#define POLL_WRNORM (POLLOUT | 0x20000u)
#define POLL_WIDE POLL_WRNORM
#else
#define POLL_WRNORM POLLWRNORM
#define POLL_WIDE 0
#endif
#define POLL_READING \
	(POLLIN | POLLPRI | POLLRDNORM | POLLRDBAND | POLLRDHUP | POLLMSG)
#define POLL_WRITING (POLLOUT | POLLWRNORM | POLLWRBAND)
#define POLL_BROKEN (POLLERR | POLLHUP)

/*
 * What is asked of a write end to learn that its reader has gone.  poll(2) of
 * NetBSD 9.1 finds a pipe hung up without any event, but does not wake a sleeper
 * that asked for none (pipe_poll in its sys_pipe.c); a write end never has
 * input.
 */
#ifdef __NetBSD__
#define POLL_WATCH POLLIN
#else
#define POLL_WATCH 0
#endif

extern const struct flag poll_flags[];

/* devpoll over poll(2): a stand-in for /dev/poll, or -1 until it is used. */
int *poll_device(struct backend_state *state);

#endif
