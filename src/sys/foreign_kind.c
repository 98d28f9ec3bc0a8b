/* SPDX-License-Identifier: ISC */
/*
 * foreign_kind.c - which files can be polled without effect on their owner.
 *
 * poll(2) and its kind call the poll function of the file, and some of these
 * have effects, or answer for the calling process.  So pmux polls only files
 * that are known to be harmless.  The kind of a file is found by fstat(2),
 * fstatfs(2) and the text of the link in /proc/self/fd, none of which calls the
 * file's driver.
 */
#include "config.h"

#include <errno.h>
#include <stddef.h>

#include "sys/foreign.h"
#include "sys/foreign_table.h"
#include "sys/kind.h"
#include "sys/process.h"

#if defined(HAVE_EPOLL_CREATE1) && defined(__linux__)

#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* magic.h of Linux has them, which not every C library brings. */
#define ANON_INODES 0x09041934 /* ANON_INODE_FS_MAGIC */
#define PIDFS 0x50494446 /* PID_FS_MAGIC, Linux 6.9 */

/* epoll(7) nests no deeper (fs/eventpoll.c, EP_MAX_NESTS is 4). */
#define DEEPEST 5

static const char
    harmful[] = "polling it would answer for pmux instead, or affect its owner";
static const char
    no_polling[] = "a file whose poll function may affect its owner";
static const char
    no_device[] = "a device other than a terminal, which polling may affect";
static const char
    no_entries[] = "an epoll instance whose registrations cannot all be listed";
static const char instance[] = "anon_inode:[eventpoll]";
static const char no_entry
    [] = "an epoll instance with a registration that must not be polled";

/* The link's text, "" without /proc.  Returns 0 or -errno. */
static int
read_link(int fd, char *text, size_t size)
{
	char path[40];
	ssize_t n;

	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	n = readlink(path, text, size - 1);
	text[n < 0 ? 0 : n] = '\0';
	return n == -1 && errno != ENOENT ? -errno : 0;
}

/*
 * The functions from here on return 0 with *WHY set to a constant text that
 * says why FD cannot be polled, or to NULL; or -errno if that cannot be known.
 */

/*
 * A file without a poll function is always ready.  epoll_ctl(2) fails with
 * EPERM for it, whatever the operation, and checks nothing else before
 * (fs/eventpoll.c, do_epoll_ctl); for other files this call fails with EINVAL
 * or ENOENT.
 */
static int
file_objection(int fd, const char **why)
{
	struct epoll_event event;
	int epoll = epoll_create1(EPOLL_CLOEXEC), error;

	if (epoll == -1)
		return -errno;
	memset(&event, 0, sizeof event);
	error = epoll_ctl(epoll, EPOLL_CTL_DEL, fd, &event) == -1 ? errno : 0;
	(void)close(epoll);
	*why = error == EPERM ? NULL : no_polling;
	return error == EPERM || error == EINVAL || error == ENOENT ? 0 :
								      -error;
}

static int objection(const struct foreign *f, int fd, int depth,
    const char **why);

/* DEVICE as fdinfo has it: the kernel's own form, of 12 and 20 bits. */
static bool
is_on(const struct stat *st, uint64_t device)
{
	return major(st->st_dev) == device >> 20 &&
	    minor(st->st_dev) == (device & 0xfffff);
}

/*
 * The entry with number NUMBER, inode INODE of device DEVICE, where no pipe and
 * no socket is, of FD, a copy of an instance.  It is the file that its owner has under that number if the
 * inode is the same; anonymous files share one inode, and kcmp(2) compares
 * these.
 */
static int
nested_objection(const struct foreign *f, int fd, int number, uint64_t inode,
    uint64_t device, int depth, const char **why)
{
	struct foreign entry = *f;
	struct stat st;
	struct statfs fs;
	int copy, error = 0;

	*why = no_entries;
	entry.number = number;
	copy = process_descriptor(f->process, number);
	if (copy < 0)
		return copy == -EBADF || copy == -ESRCH ? 0 : copy;
	if (fstat(copy, &st) == -1 || fstatfs(copy, &fs) == -1)
		error = -errno;
	else if (st.st_ino == inode && is_on(&st, device) &&
	    (fs.f_type != ANON_INODES ||
		process_registered(f->pid, number, fd, number) == 1))
		error = objection(&entry, copy, depth + 1, why);
	(void)close(copy);
	if (*why != NULL && *why != no_entries)
		*why = no_entry;
	return error;
}

/* proc_pid_fdinfo(5): a line for each entry. */
static int
epoll_objection(const struct foreign *f, int fd, int depth, const char **why)
{
	unsigned long inode, device;
	struct kind_devices devices;
	char path[48], line[256];
	int number, error = kind_devices(&devices);
	unsigned events;
	FILE *info;

	*why = no_entries;
	if (error != 0)
		return error;
	(void)snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
	info = depth >= DEEPEST ? NULL : fopen(path, "re");
	if (info == NULL)
		return depth >= DEEPEST || errno == ENOENT ? 0 : -errno;
	*why = NULL;
	while (error == 0 && *why == NULL &&
	    fgets(line, sizeof line, info) != NULL) {
		if (strncmp(line, "tfd:", 4) != 0)
			continue;
		*why = no_entries;
		if (sscanf(line,
			"tfd: %d events: %x data: %*x pos:%*d"
			" ino:%lx sdev:%lx",
			&number, &events, &inode, &device) != 4)
			break;
		if (device == devices.pipes || device == devices.sockets)
			*why = NULL;
		else
			error = nested_objection(f, fd, number, inode, device,
			    depth, why);
	}
	if (error == 0 && ferror(info) != 0)
		error = -EIO;
	(void)fclose(info);
	return error;
}

static int
anonymous_objection(const struct foreign *f, int fd, const char *link,
    int depth, const char **why)
{
	enum kind kind = kind_of_link(link);

	if (kind == KIND_EPOLL)
		return epoll_objection(f, fd, depth, why);
	*why = kind != KINDS && kind_polling(kind) == POLLING_HARMLESS ?
	    NULL :
	    harmful;
	return 0;
}

/* The device that ST is, in the form of kind.h. */
static uint64_t
special_of(const struct stat *st)
{
	return (uint64_t)major(st->st_rdev) << 20 | minor(st->st_rdev);
}

static int
objection(const struct foreign *f, int fd, int depth, const char **why)
{
	struct statfs fs;
	struct stat st;
	char link[64];
	int error;

	*why = NULL;
	if (fstat(fd, &st) == -1)
		return -errno;
	if (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode))
		return 0;
	if ((error = read_link(fd, link, sizeof link)) != 0)
		return error;
	if (S_ISCHR(st.st_mode)) {
		*why = kind_of_file(st.st_mode, special_of(&st), link) ==
			KIND_TERMINAL ?
		    NULL :
		    no_device;
		return 0;
	}
	if (fstatfs(fd, &fs) == -1)
		return -errno;
	if (fs.f_type == PIDFS)
		return 0;
	if (fs.f_type == ANON_INODES)
		return anonymous_objection(f, fd, link, depth, why);
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
		return file_objection(fd, why);
	*why = harmful;
	return 0;
}

int
foreign_objection(const struct foreign *f, int fd, const char **why)
{
	return objection(f, fd, 0, why);
}

int
foreign_entry_objection(const struct foreign *f, int fd, int number,
    uint64_t inode, uint64_t device, const char **why)
{
	return nested_objection(f, fd, number, inode, device, 0, why);
}

int
foreign_is_instance(int fd)
{
	char link[sizeof instance + 1];
	int error = read_link(fd, link, sizeof link);

	return error != 0 ? error : strcmp(link, instance) == 0;
}

int
foreign_check(int handle, const char **why)
{
	struct foreign *f = foreign_of(handle);
	int fd = foreign_borrow(handle), error, is;

	*why = NULL;
	if (fd < 0)
		return fd;
	error = foreign_objection(f, fd, why);
	is = error == 0 ? foreign_is_instance(fd) : error;
	f->instance = is == 1;
	(void)close(fd);
	return is < 0 ? is : 0;
}

#else

int
foreign_check(int handle, const char **why)
{
	(void)handle;
	*why = NULL;
	return -ENOSYS;
}

#endif
