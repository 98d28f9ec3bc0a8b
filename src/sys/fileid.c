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

/* Whether FD is open for the file of STATUS, or -errno. */
static int
is_file(int fd, const struct stat *status)
{
	struct file_id one, other = file_id(status);
	struct stat st;

	if (fstat(fd, &st) == -1)
		return -errno;
	one = file_id(&st);
	return file_id_compare(&one, &other) == 0;
}

int
file_same(int a, int b)
{
	struct stat st;
	int answer = fstat(a, &st) == -1 ? -errno : is_file(b, &st);

	return answer == 0 ? -ENOENT : answer == 1 ? 0 : answer;
}

int
file_has_name(int fd, const char *path, struct stat *named)
{
	if (stat(path, named) == 0)
		return is_file(fd, named);
	named->st_mode = 0;
	return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
}

int
file_set_blocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags == -1 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) == -1 ?
	    -errno :
	    0;
}
