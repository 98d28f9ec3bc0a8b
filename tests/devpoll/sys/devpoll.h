/* SPDX-License-Identifier: ISC */
/*
 * What the manual page poll(7D) of Solaris and illumos says that this header
 * has, for systems that have none.
 */
#ifndef TESTS_SYS_DEVPOLL_H
#define TESTS_SYS_DEVPOLL_H

#include <sys/types.h>
#include <sys/ioctl.h>

#include <poll.h>

#ifndef POLLREMOVE
#define POLLREMOVE 0x0800
#endif

#define DP_POLL 0xd001
#define DP_ISPOLLED 0xd002

struct dvpoll {
	struct pollfd *dp_fds;
	nfds_t dp_nfds;
	int dp_timeout; /* in ms */
};

/*
 * The calls of the file that includes this one, which has no other descriptors,
 * go to the device of device.c.
 */
int device_access(const char *path, int mode);
int device_open(const char *path, int flags);
ssize_t device_write(int fd, const void *data, size_t size);
int device_ioctl(int fd, int request, struct dvpoll *dvpoll);

#define access(...) device_access(__VA_ARGS__)
#define open(...) device_open(__VA_ARGS__)
#define write(...) device_write(__VA_ARGS__)
#define ioctl(...) device_ioctl(__VA_ARGS__)

#endif
