/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <fcntl.h>

#include "sys/fdplace.h"
#include "sys/peer.h"
#include "sys/turn.h"

#ifdef __linux__

#include <sys/file.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
turn_open(int fd)
{
	int own = peer_reopen(fd, "", O_RDONLY);

	return own < 0 ? own : fdplace(own);
}

/* proc_pid_fdinfo(5): a line "lock:" for each that the description has. */
static bool
has_lock(int fd)
{
	char path[sizeof "/proc/self/fdinfo/" + 10], text[4096];
	ssize_t n;
	int info;

	(void)snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
	info = open(path, O_RDONLY | O_CLOEXEC);
	if (info == -1)
		return false;
	n = read(info, text, sizeof text - 1);
	(void)close(info);
	text[n > 0 ? n : 0] = '\0';
	return strstr(text, "FLOCK  ADVISORY  WRITE") != NULL;
}

int
turn_take(int own, int given)
{
	if (flock(own, LOCK_EX | LOCK_NB) == 0)
		return 1;
	if (errno != EWOULDBLOCK)
		return -errno;
	return given != -1 && has_lock(given);
}

void
turn_give(int own)
{
	(void)flock(own, LOCK_UN);
}

#else

int
turn_open(int fd)
{
	(void)fd;
	return -ENOSYS;
}

int
turn_take(int own, int given)
{
	(void)own;
	(void)given;
	return -ENOSYS;
}

void
turn_give(int own)
{
	(void)own;
}

#endif
