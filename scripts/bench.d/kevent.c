/* SPDX-License-Identifier: ISC */
/*
 * What one kevent() of the standard input costs a program that does nothing
 * else: the reference of scripts/bench for a single call.
 */
#include <sys/event.h>

#include <stddef.h>
#include <stdio.h>

int
main(void)
{
	struct timespec none = { 0, 0 };
	struct kevent e;
	int kq, n;

	EV_SET(&e, 0, EVFILT_READ, EV_ADD, 0, 0, NULL);
	if ((kq = kqueue()) == -1 ||
	    (n = kevent(kq, &e, 1, &e, 1, &none)) == -1) {
		perror("kevent");
		return 3;
	}
	if (n == 0)
		return 124;
	printf("read\t%ld\t0\n", (long)e.data);
	return 0;
}
