/* SPDX-License-Identifier: ISC */
/*
 * What one poll() of the standard input costs a program that does nothing
 * else: the reference of scripts/bench for a single call.
 */
#include <poll.h>
#include <stdio.h>

int
main(void)
{
	struct pollfd pfd = { .fd = 0, .events = POLLIN };

	if (poll(&pfd, 1, 0) == -1) {
		perror("poll");
		return 3;
	}
	if (pfd.revents == 0)
		return 124;
	printf("%s\t0\n", pfd.revents & POLLIN ? "in" : "hup");
	return 0;
}
