/* SPDX-License-Identifier: ISC */
/* lock.c - locks of parts of a FIFO. */
#include "peer.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The lock lasts as long as that end is open: a read lock, a write lock. */
int
cmd_lock(char **argv)
{
#ifdef F_OFD_SETLK
	struct flock lock;
	int fd, out;

	out = strcmp(argv[0], "out") == 0;
	fd = open(argv[1], (out ? O_WRONLY : O_RDONLY) | O_NONBLOCK);
	if (fd == -1)
		die(1, "%s", argv[1]);
	memset(&lock, 0, sizeof lock);
	lock.l_type = out ? F_WRLCK : F_RDLCK;
	lock.l_whence = SEEK_SET;
	lock.l_start = (off_t)strtoll(argv[2], NULL, 10);
	lock.l_len = (off_t)strtoll(argv[3], NULL, 10);
	if (fcntl(fd, F_OFD_SETLK, &lock) == -1)
		die(1, "F_OFD_SETLK");
	become(argv + 4);
#else
	(void)argv;
	die(ABSENT, "no locks of open file descriptions");
#endif
}
