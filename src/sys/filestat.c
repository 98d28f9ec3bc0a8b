/* SPDX-License-Identifier: ISC */
#include "config.h"

#include <errno.h>

#include "sys/filestat.h"

#ifdef HAVE_SYS_SYSCALL_H
#include <sys/syscall.h>
#endif

#if defined(SYS_statx) && defined(HAVE_LINUX_STAT_H)

#include <linux/fcntl.h>
#include <linux/stat.h>

#include <unistd.h>

#ifdef STATX_MNT_ID
#define WANTED \
	(STATX_TYPE | STATX_INO | STATX_SIZE | STATX_NLINK | STATX_MNT_ID)
#else
#define WANTED (STATX_TYPE | STATX_INO | STATX_SIZE | STATX_NLINK)
#endif

/*
 * By its number, and with the structure of the kernel's headers: musl has
 * statx(2) from 1.2.4 on, and glibc's asks the server where the kernel has none.
 */
static int
find(int directory, const char *path, int flags, struct filestat *file)
{
	struct statx st;

	if (syscall(SYS_statx, directory, path,
		flags | AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, WANTED,
		&st) == -1)
		return -errno;
	*file = (struct filestat){ .mode = st.stx_mode,
		.device = (uint64_t)st.stx_dev_major << 20 | st.stx_dev_minor,
		.inode = st.stx_ino,
		.special = (uint64_t)st.stx_rdev_major << 20 |
		    st.stx_rdev_minor,
		.size = st.stx_size,
		.mount = -1,
		.is_nameless = (st.stx_mask & STATX_NLINK) != 0 &&
		    st.stx_nlink == 0 };
#ifdef STATX_MNT_ID
	if ((st.stx_mask & STATX_MNT_ID) != 0)
		file->mount = (int)st.stx_mnt_id;
#endif
	return 0;
}

#else

#define AT_EMPTY_PATH 0

static int
find(int directory, const char *path, int flags, struct filestat *file)
{
	(void)directory;
	(void)path;
	(void)flags;
	(void)file;
	return -ENOSYS;
}

#endif

int
filestat(int directory, const char *path, struct filestat *file)
{
	return find(directory, path, 0, file);
}

int
filestat_of(int fd, struct filestat *file)
{
	return find(fd, "", AT_EMPTY_PATH, file);
}
