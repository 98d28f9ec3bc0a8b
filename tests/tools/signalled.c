/* SPDX-License-Identifier: ISC */
/*
 * signalled.so - for LD_PRELOAD: SIGUSR1 comes after a program has checked for
 * one, and before it waits in a write(2) of a record of pmux to standard output,
 * or in poll(2) for room there.  It comes once.
 *
 * With SIGNALLED_AT_END=NUMBER instead, that signal comes behind main, or for
 * 0 the end of the process takes 0.1 s.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <dlfcn.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef ssize_t writer(int, const void *, size_t);
typedef int poller(struct pollfd *, nfds_t, const struct timespec *,
    const sigset_t *);

static void
signal_once(void)
{
	static int done;

	if (!done && getenv("SIGNALLED_AT_END") == NULL) {
		done = 1;
		(void)raise(SIGUSR1);
	}
}

ssize_t
write(int fd, const void *bytes, size_t size)
{
	writer *original = (writer *)dlsym(RTLD_NEXT, "write");

	if (fd == STDOUT_FILENO && size > 3 && memcmp(bytes, "in\t", 3) == 0)
		signal_once();
	return original(fd, bytes, size);
}

int
ppoll(struct pollfd *list, nfds_t count, const struct timespec *timeout,
    const sigset_t *mask)
{
	poller *original = (poller *)dlsym(RTLD_NEXT, "ppoll");

	if (count == 1 && list->fd == STDOUT_FILENO && list->events == POLLOUT)
		signal_once();
	return original(list, count, timeout, mask);
}

__attribute__((destructor)) static void
at_end(void)
{
	const char *number = getenv("SIGNALLED_AT_END");
	struct timespec left = { 0, 100000000 };

	if (number == NULL)
		return;
	(void)unsetenv("SIGNALLED_AT_END");
	if (atoi(number) != 0)
		(void)raise(atoi(number));
	else
		while (nanosleep(&left, &left) == -1)
			continue;
}
