/* SPDX-License-Identifier: ISC */
/* try.c - what read(2), write(2) and rename(2) do. */
#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "compat.h"

/* An eventfd takes a number of eight bytes, and all else one byte. */
static size_t
least_write(int fd)
{
	char path[40], text[32];
	ssize_t n;

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	n = readlink(path, text, sizeof text - 1);
	text[n < 0 ? 0 : n] = '\0';
	return strcmp(text, "anon_inode:[eventfd]") == 0 ? sizeof(uint64_t) : 1;
}

/*
 * Try to read or write, without waiting; O_NONBLOCK is set from then on.  Prints
 * what happened: data, end, done, or the name of the error.
 */
int
cmd_try(char **argv)
{
	static char bytes[65536];
	int fd = (int)number(argv[1], INT32_MAX), reads = argv[0][0] == 'r',
	    flags;
	uint64_t one = 1;
	ssize_t n;

	signal(SIGPIPE, SIG_IGN);
	flags = fcntl(fd, F_GETFL);
	if (flags != -1)
		(void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	n = reads ? read(fd, bytes, sizeof bytes) :
		    write(fd, &one, least_write(fd));
	if (n == -1)
		puts(errno_name(errno));
	else
		puts(!reads ? "done" : n == 0 ? "end" : "data");
	return 0;
}

/* mv(1) would move it into the folder, and has no option for that everywhere. */
int
cmd_rename(char **argv)
{
	if (rename(argv[0], argv[1]) == -1)
		die(1, "%s", argv[0]);
	return 0;
}
