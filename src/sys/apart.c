/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <sys/types.h>
#include <sys/wait.h>

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "sys/apart.h"
#include "sys/process.h"
#include "sys/timeout.h"

/* Without a descriptor for its end the child is checked at intervals: ns. */
#define STEP INT64_C(10000000)

#if defined(__linux__)

#include <sys/syscall.h>

/*
 * A child that sends no signal at its end is found by waitpid(2) only with
 * __WALL or __WCLONE (wait(2)).  execve(2) would make it send SIGCHLD again.
 */
const bool apart_hides = true;
#define ANY __WALL

pid_t
apart_start(void)
{
	return (pid_t)syscall(SYS_clone, 0, 0, 0, 0, 0);
}

#else

const bool apart_hides = false;
#define ANY 0

pid_t
apart_start(void)
{
	return fork();
}

#endif

int
apart_wait(pid_t child, int64_t ns, int *status)
{
	struct pollfd p = { process_open(child), POLLIN, 0 };
	bool watched = p.fd >= 0;
	int n;

	if (!watched && (ns == -1 || ns > STEP))
		ns = STEP;
	n = timeout_poll(&p, watched ? 1 : 0, ns);
	if (watched)
		(void)close(p.fd);
	switch (waitpid(child, status, ANY | WNOHANG)) {
	case -1:
		return -errno;
	case 0:
		return n < 0 ? n : -EAGAIN;
	default:
		return 0;
	}
}
