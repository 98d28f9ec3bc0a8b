/*
 * foreign_kind.c - what can be looked at without effect on its owner.
 *
 * poll(2) and its kind call the poll function of the file, and some of these
 * have effects, or answer for who asks.  So none is called of what is not known
 * to be harmless.  What it is, is told by fstat(2), by fstatfs(2) and by the
 * text of the link in /proc/self/fd, none of which calls the file's driver.
 */
#include "config.h"

#include <errno.h>
#include <stddef.h>

#include "backend/foreign.h"
#include "backend/foreign_table.h"
#include "backend/process.h"

#if defined(HAVE_EPOLL_CREATE1) && defined(__linux__)

#include <sys/epoll.h>
#include <sys/socket.h>
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

static const char no_look
    [] = "a look at it would answer for pmux, or have an effect on its owner";
static const char
    no_polling[] = "a file whose poll function may have an effect on its owner";
static const char no_device[] =
    "a device that is no terminal, and may have an effect when it is polled";
static const char
    no_entries[] = "an epoll instance whose registrations cannot all be told";
static const char instance[] = "anon_inode:[eventpoll]";
static const char no_entry
    [] = "an epoll instance with a registration that must not be looked at";

/* devices.txt of Linux: tty and ttyS; tty, console and ptmx; slaves. */
static bool
is_terminal(const struct stat *st, const char *link)
{
	unsigned major = major(st->st_rdev);

	return major == 4 || major == 5 || (major >= 136 && major <= 143) ||
	    strncmp(link, "/dev/tty", 8) == 0;
}

/* The link's text, "" if it cannot be read. */
static void
read_link(int fd, char *text, size_t size)
{
	char path[40];
	ssize_t n;

	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	n = readlink(path, text, size - 1);
	text[n < 0 ? 0 : n] = '\0';
}

/*
 * A file without a poll function is always ready.  epoll_ctl(2) says EPERM of
 * it, whatever is asked, and looks at nothing else before (fs/eventpoll.c,
 * do_epoll_ctl); here it would say EINVAL or ENOENT otherwise.
 */
static const char *
file_objection(int fd)
{
	struct epoll_event event;
	int epoll = epoll_create1(EPOLL_CLOEXEC), error;

	if (epoll == -1)
		return no_polling;
	memset(&event, 0, sizeof event);
	error = epoll_ctl(epoll, EPOLL_CTL_DEL, fd, &event) == -1 ? errno : 0;
	(void)close(epoll);
	return error == EPERM ? NULL : no_polling;
}

static const char *objection(const struct foreign *f, int fd, int depth);

/* Whether DEVICE is that of FD, which is closed. */
static bool
is_device(int fd, unsigned long device)
{
	struct stat st;
	bool answer = fd != -1 && fstat(fd, &st) == 0 &&
	    major(st.st_dev) == device >> 20 &&
	    minor(st.st_dev) == (device & 0xfffff);

	if (fd != -1)
		(void)close(fd);
	return answer;
}

/* All pipes are on one device, and all sockets. */
static bool
is_pipe_or_socket(unsigned long device)
{
	int ends[2];

	if (is_device(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), device))
		return true;
	if (pipe2(ends, O_CLOEXEC) == -1)
		return false;
	(void)close(ends[1]);
	return is_device(ends[0], device);
}

/*
 * The entry with number NUMBER, inode INODE of device DEVICE, of FD, a copy of
 * an instance.  It is what its owner has under that number if the inode is the
 * same; all anonymous inodes are the same one, and there kcmp(2) has to know.
 */
static const char *
entry_objection(const struct foreign *f, int fd, int number,
    unsigned long inode, unsigned long device, int depth)
{
	struct foreign entry = *f;
	const char *answer = no_entries;
	struct stat st;
	struct statfs fs;
	int copy;

	if (is_pipe_or_socket(device))
		return NULL;
	entry.number = number;
	copy = process_descriptor(f->process, number);
	if (copy < 0)
		return no_entries;
	/* fdinfo has the kernel's own form of a device: 12 and 20 bits */
	if (fstat(copy, &st) == 0 && fstatfs(copy, &fs) == 0 &&
	    st.st_ino == inode && major(st.st_dev) == device >> 20 &&
	    minor(st.st_dev) == (device & 0xfffff) &&
	    (fs.f_type != ANON_INODES ||
		process_registered(f->pid, number, fd, number) == 1))
		answer = objection(&entry, copy, depth + 1);
	(void)close(copy);
	return answer == NULL || answer == no_entries ? answer : no_entry;
}

/* proc_pid_fdinfo(5): a line for each entry. */
static const char *
epoll_objection(const struct foreign *f, int fd, int depth)
{
	unsigned long inode, device;
	const char *answer = NULL;
	char path[48], line[256];
	unsigned events;
	FILE *info;
	int number;

	(void)snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
	info = depth >= DEEPEST ? NULL : fopen(path, "re");
	if (info == NULL)
		return no_entries;
	while (answer == NULL && fgets(line, sizeof line, info) != NULL) {
		if (strncmp(line, "tfd:", 4) != 0)
			continue;
		answer = no_entries;
		if (sscanf(line,
			"tfd: %d events: %x data: %*x pos:%*d"
			" ino:%lx sdev:%lx",
			&number, &events, &inode, &device) == 4)
			answer = entry_objection(f, fd, number, inode, device,
			    depth);
	}
	(void)fclose(info);
	return answer;
}

static const char *
anonymous_objection(const struct foreign *f, int fd, const char *link,
    int depth)
{
	static const char *const harmless[] = { "anon_inode:[eventfd]",
		"anon_inode:[timerfd]", "anon_inode:inotify",
		"anon_inode:[fanotify]", "anon_inode:[pidfd]" };

	if (strcmp(link, instance) == 0)
		return epoll_objection(f, fd, depth);
	for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
		if (strcmp(link, harmless[i]) == 0)
			return NULL;
	return no_look;
}

static const char *
objection(const struct foreign *f, int fd, int depth)
{
	struct statfs fs;
	struct stat st;
	char link[64];

	if (fstat(fd, &st) == -1)
		return no_look;
	if (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode))
		return NULL;
	read_link(fd, link, sizeof link);
	if (S_ISCHR(st.st_mode))
		return is_terminal(&st, link) ? NULL : no_device;
	if (fstatfs(fd, &fs) == -1)
		return no_look;
	if (fs.f_type == PIDFS)
		return NULL;
	if (fs.f_type == ANON_INODES)
		return anonymous_objection(f, fd, link, depth);
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
		return file_objection(fd);
	return no_look;
}

const char *
foreign_objection(const struct foreign *f, int fd)
{
	return objection(f, fd, 0);
}

bool
foreign_is_instance(int fd)
{
	char link[sizeof instance + 1];

	read_link(fd, link, sizeof link);
	return strcmp(link, instance) == 0;
}

int
foreign_check(int handle, const char **why)
{
	struct foreign *f = foreign_of(handle);
	int fd = foreign_borrow(handle);

	*why = NULL;
	if (fd < 0)
		return fd;
	*why = foreign_objection(f, fd);
	f->instance = foreign_is_instance(fd);
	(void)close(fd);
	return 0;
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
