/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>
#include <fcntl.h>

#include "sys/fileid.h"

struct file_id
file_id(const struct stat *st)
{
	return (struct file_id){ st->st_dev, st->st_ino };
}

int
file_id_compare(const struct file_id *a, const struct file_id *b)
{
	if (a->device != b->device)
		return a->device < b->device ? -1 : 1;
	return (a->inode > b->inode) - (a->inode < b->inode);
}

int
file_same(int a, int b)
{
	struct file_id one, other;
	struct stat st;

	if (fstat(a, &st) == -1)
		return -errno;
	one = file_id(&st);
	if (fstat(b, &st) == -1)
		return -errno;
	other = file_id(&st);
	return file_id_compare(&one, &other) == 0 ? 0 : -ENOENT;
}

int
file_set_blocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags == -1 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) == -1 ?
	    -errno :
	    0;
}
